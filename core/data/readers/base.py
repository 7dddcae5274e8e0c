"""What a reader is, and what it returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from core.data.columns import Column
from core.data.sources.base import Source

#: Reasons told where no face at all was read.
MAIN_REASONS = 2


def _table(*columns: str) -> pd.DataFrame:
    return pd.DataFrame({column: [] for column in columns}, dtype=str)


@dataclass(frozen=True)
class Reading:
    """A data set's labels before anything was decoded.

    `faces` has `face_id, path, gender, ethnicity, age, identity`, and `split` where the data set names one.
    `rejects` has `file, reason`; `repaired` has `file, repair`. `disagreements` has `file, what`: labels that two
    places of the data set give differently; the reader's module says which of them counts. `remarks` are sentences
    about the data set as a whole, such as columns that are not used. `own` has the data set's further columns, a row a
    face as `faces` has them: strings as they are written, NA where empty. `core.data.own_columns` makes `columns` of
    it, and their levels in `faces`. `otherwise` are faces, in the columns of `faces`, whose label is none of the two
    classes (`core.data.otherwise`); their own columns begin with `core.data.columns.OWN`. `unlisted` are the reasons of
    rejects that are images which no row of labels names.
    """

    faces: pd.DataFrame
    rejects: pd.DataFrame = field(default_factory=lambda: _table("file", "reason"))
    repaired: pd.DataFrame = field(default_factory=lambda: _table("file", "repair"))
    disagreements: pd.DataFrame = field(default_factory=lambda: _table("file", "what"))
    remarks: tuple[str, ...] = ()
    own: pd.DataFrame = field(default_factory=pd.DataFrame)
    otherwise: pd.DataFrame = field(default_factory=lambda: _table("gender"))
    columns: tuple[Column, ...] = ()
    unlisted: frozenset[str] = frozenset()

    def main_reasons(self) -> str:
        """The most frequent reasons of rejections, each with its number and an example; nothing where there is none.

        Images that no row names come last: where all rows are rejected, so are all images.
        """
        counts = self.rejects["reason"].value_counts().to_dict()
        reasons = sorted(counts.items(), key=lambda item: (item[0] in self.unlisted, -item[1], item[0]))
        words = []
        for reason, count in reasons[:MAIN_REASONS]:
            example = self.rejects.loc[self.rejects["reason"] == reason, "file"].iloc[0]
            words.append(f"{count:,} of {len(self.rejects):,} rejected: {reason} ({example})")
        return "; ".join(words)


@dataclass(frozen=True)
class Refusal:
    """Why a reader does not take a source, in a few words.

    `looks_like` names the data set that the source is nearly one of: then `why` says what is amiss with it.
    """

    why: str
    looks_like: str = ""

    def __str__(self) -> str:
        return f"looks like {self.looks_like}, but {self.why}" if self.looks_like else self.why


class Reader(ABC):
    """One data set's layout."""

    #: The name for `--dataset`, the name for people, and what the layout is, in a line.
    name: str
    title: str
    expects: str
    #: The border before detection in percent of an image's shorter side, where the images are not to decide it.
    border: float | None = None
    #: Smallest face in pixels that is looked for.
    minimum_face: int = 40
    #: True where the images lie on the ArcFace template already: no detection then.
    aligned: bool = False
    #: False where images are too many to be hashed one by one, and identities keep splits apart.
    find_copies: bool = True
    #: False where published results are of splits that mirrored copies may cross: these stand, such copies are told.
    mirrored_together: bool = True
    #: True where genders come from a file of the user's, given with `--labels`.
    needs_labels: bool = False

    @abstractmethod
    def why_not(self, source: Source) -> Refusal | None:
        """None where the source has this layout, else why not."""

    def why_not_by_name(self, source: Source) -> Refusal | None:
        """As `why_not`, where a person named this reader: then it may take what it would not recognise unasked."""
        return self.why_not(source)

    @abstractmethod
    def read(self, source: Source, labels: Path | None = None) -> Reading:
        """Labels, rejects and repairs; decodes no image."""
