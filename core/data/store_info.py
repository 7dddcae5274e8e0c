"""`store.json` as a typed record: which data set was aligned, how, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

from core.data.columns import Column
from core.integrity import FileRecord
from core.json_record import JsonRecord, Signed

FORMAT = 3


@dataclass(frozen=True, kw_only=True)
class Repair(JsonRecord):
    """A label that was mended, and the file it is of."""

    file: str
    repair: str


@dataclass(frozen=True, kw_only=True)
class GroupCount(JsonRecord):
    """How many images of a group."""

    gender: str
    ethnicity: str
    n: int


class DecidedBy(Enum):
    """Who decided how wide the border before detection is."""

    IMAGES = "images"
    READER = "reader"
    HAND = "hand"


@dataclass(frozen=True, kw_only=True)
class BorderInfo(JsonRecord):
    """The border of mid-grey that images got before their faces were looked for, in percent of an image's shorter side.

    Where the images decided, `sample` of them were looked at without and with a border of 30 %: `needing` have their
    landmarks elsewhere without, or no face; `missed_without` and `missed_with` have no face. `unsteady` of them have
    their landmarks elsewhere than the store when the border is wider still. `median_side` is that of the shorter sides
    in pixels. Elsewhere is a tenth of the eyes' distance and more on the mean of five landmarks.

    Faces smaller than `smallest`, in percent of that side, were looked for only in images in which one of them could
    have been the main face; none of the sample's sure faces is smaller. None in a store of before, where they were
    looked for in all.
    """

    percent: float
    decided: DecidedBy
    sample: int | None = None
    needing: int | None = None
    missed_without: int | None = None
    missed_with: int | None = None
    unsteady: int | None = None
    median_side: int | None = None
    smallest: float | None = None

    @property
    def applied(self) -> str:
        """What images got: «30 %», or «0 %, wider where needed»."""
        return f"{self.percent:g} %" + (", wider where needed" if self.decided is DecidedBy.IMAGES else "")


@dataclass(frozen=True, kw_only=True)
class StoreInfo(JsonRecord):
    """The content of `store.json`.

    `dataset` is the reader's name, `seed` that of the splits, `subset` what was asked of `core.data.splits.Subset`.
    `border` is what images got before detection, None where no face was looked for and in a store of before it was
    kept, which has `padding`, in pixels a side. `label_files` are the SHA-256 of each label file of the data set that
    was read, by name, and `plan_sha256` is that of the faces to be aligned (`core.data.ties`), None in a store of
    before these were kept. `read` counts files; `not_read` those that are no image known here, by kind, None in a store
    of before they were counted; `repairs` and `rejects` count by kind and reason; `repaired` are the first repairs;
    `disagreements` count labels that two places give differently, None in a store of before these were kept; `remarks`
    are sentences about the data set as a whole; `near_copy_clusters` are those of two images and more, told by
    `copies_by`, None where image hashes alone told them, as in stores of before;
    `several_faces` counts images with more than one sure face, None where no face was looked for or the store is of
    before these were counted; `own_splits` whether the data set names splits itself; `columns` are those that the faces
    have beside their labels and `columns_sha256` is that of all that was read of them, none and None in a store of
    before these were kept; `otherwise` counts faces that are labelled with none of the two classes
    and lie in `otherwise.parquet`; `files` are those beside it when it was written, empty in a store of before.
    """

    format: int = FORMAT
    dataset: str
    source_fingerprint: str | None = None
    seed: Signed = 0
    template: str | None = None
    detector: str | None = None
    padding: int | None = None
    border: BorderInfo | None = None
    labels_sha256: str | None = None
    label_files: Mapping[str, str] | None = None
    plan_sha256: str | None = None
    subset: Mapping[str, object] | None = None
    data_fingerprint: str
    read: int = 0
    not_read: Mapping[str, int] | None = None
    repaired: tuple[Repair, ...] = ()
    repairs: Mapping[str, int] = field(default_factory=dict)
    rejects: Mapping[str, int] = field(default_factory=dict)
    disagreements: Mapping[str, int] | None = None
    remarks: tuple[str, ...] = ()
    near_copy_clusters: int = 0
    copies_by: str | None = None
    several_faces: tuple[GroupCount, ...] | None = None
    own_splits: bool = False
    columns: tuple[Column, ...] = ()
    columns_sha256: str | None = None
    otherwise: Mapping[str, int] = field(default_factory=dict)
    faces: int
    files: Mapping[str, FileRecord] = field(default_factory=dict)

    @property
    def alignment(self) -> dict[str, object]:
        """What the aligned images and their labels depend on, as far as this store says it; results are tied to it."""
        keys = ("plan_sha256", "padding", "detector", "template")
        settings = {key: value for key in keys if (value := getattr(self, key)) is not None}
        return settings if self.border is None else settings | {"border": self.border.applied}

    FORMAT: ClassVar = FORMAT
    READS: ClassVar = (2,)
    CLOSED: ClassVar = True
    SEALED_FROM: ClassVar = 3
    MEND: ClassVar = "delete the folder and align again with `python -m core align`"
    ALWAYS: ClassVar = (
        "format", "source_fingerprint", "seed", "template", "detector", "read", "repaired", "repairs",
        "rejects", "near_copy_clusters", "own_splits",
    )  # fmt: skip


def aligned_otherwise(then: Mapping[str, object], now: Mapping[str, object]) -> str:
    """How faces aligned as `then` says differ from those `now`, in words; empty where they do not.

    What one of both does not say, is not compared: it is of a version that did not keep it.
    """
    words = {"plan_sha256": "its images, people or labels are others"}
    words |= dict.fromkeys(("padding", "border"), "border before detection")
    differences = []
    for key in then:
        if key in now and then[key] != now[key]:
            word = words.get(key, key)
            differences.append(word if key == "plan_sha256" else f"{word} {now[key]}, not {then[key]}")
    return "; ".join(differences)
