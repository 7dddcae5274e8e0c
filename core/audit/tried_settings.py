"""Faces under several declarations of a model's input: what is right under which. Needs no torch.

Kept beside an audit of these faces (`settings.json`), it is the audit's own uncertainty, which no interval over faces
has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from core.errors import LookwhereError
from core.files import write_json
from core.json_record import JsonRecord, Share
from core.task import GENDERS

if TYPE_CHECKING:
    from core.audit.folder import Audit

FILE, FORMAT = "settings.json", 1


@dataclass(frozen=True)
class Setting:
    """What of the declared input is varied, and how."""

    varied: str
    value: str


@dataclass(frozen=True)
class Tried:
    """Faces under each setting. `right` boolean (settings, faces); `sureness` (settings,): mean |p − (1 − p)|.

    The first setting is the declared one; `faces` are the rows of the store.
    """

    settings: tuple[Setting, ...]
    faces: pd.DataFrame
    right: np.ndarray
    sureness: np.ndarray

    def by_group(self, varied: str | None = None) -> pd.DataFrame:
        """A row a gender and ethnicity: `n`, `declared`, and of the settings of `varied` (by default all) the `least`
        and the `most` accuracy with the `value` that gives it, in `least at` and `most at`."""
        places = [n for n, setting in enumerate(self.settings) if n == 0 or varied in (None, setting.varied)]
        rows = []
        groups = self.faces.groupby(["gender", "ethnicity"], observed=True, sort=True).indices
        for (gender, ethnicity), members in groups.items():
            rates = self.right[np.ix_(places, members)].mean(axis=1)
            low, high = int(rates.argmin()), int(rates.argmax())
            rows.append(
                {
                    "gender": gender,
                    "ethnicity": ethnicity,
                    "n": len(members),
                    "declared": rates[0],
                    "least": rates[low],
                    "least at": self.settings[places[low]].value,
                    "most": rates[high],
                    "most at": self.settings[places[high]].value,
                }
            )
        return pd.DataFrame(rows)

    def gender_gaps(self) -> np.ndarray:
        """Accuracy of women less that of men under each setting, (settings,); NaN where one has no face."""
        women = (self.faces["gender"] == GENDERS[0]).to_numpy()
        if women.all() or not women.any():
            return np.full(len(self.settings), np.nan)
        return self.right[:, women].mean(axis=1) - self.right[:, ~women].mean(axis=1)


@dataclass(frozen=True, kw_only=True)
class KeptSetting(JsonRecord):
    """A setting's accuracy, and that of women less that of men; None where one of both has no face."""

    varied: str
    value: str
    accuracy: Share
    women_less_men: float | None = None


@dataclass(frozen=True, kw_only=True)
class KeptGroup(JsonRecord):
    """The accuracy of a group's `n` faces as declared, and the least and the most over the settings."""

    gender: str
    ethnicity: str
    n: int
    declared: Share
    least: Share
    least_at: str
    most: Share
    most_at: str


@dataclass(frozen=True, kw_only=True)
class KeptSettings(JsonRecord):
    """`settings.json` of an audit: `faces` of its faces were tried, adults alone where `adults`.

    The first of `settings` is the declared one. `weights_sha256`, `face_ids_sha256` and `declared_sha256` are those of
    the audit then.
    """

    format: int = FORMAT
    weights_sha256: str | None = None
    face_ids_sha256: str | None = None
    declared_sha256: str | None = None
    faces: int
    adults: bool
    settings: tuple[KeptSetting, ...]
    groups: tuple[KeptGroup, ...]

    FORMAT: ClassVar = FORMAT
    MEND: ClassVar = "delete it and run `python -m core settings --audit` again"
    ALWAYS: ClassVar = ("format",)


def keep(tried: Tried, audit: Audit, adults: bool) -> None:
    """Write what came of an audit's faces beside it."""
    ties = {name: getattr(audit.manifest, name) for name in _TIES}
    rows = zip(tried.settings, tried.right, tried.gender_gaps(), strict=True)
    record = KeptSettings(
        **ties,
        faces=len(tried.faces),
        adults=adults,
        settings=tuple(
            KeptSetting(
                varied=setting.varied, value=setting.value, accuracy=round(float(right.mean()), 6),
                women_less_men=None if np.isnan(gap) else round(float(gap), 6),
            )
            for setting, right, gap in rows
        ),
        groups=tuple(
            KeptGroup(**{str(key).replace(" ", "_"): _plain(value) for key, value in row.items()})
            for row in tried.by_group().to_dict("records")
        ),
    )  # fmt: skip
    write_json(audit.path / FILE, record.to_json())


def kept_settings(audit: Audit) -> KeptSettings | None:
    """What is kept beside an audit; None where nothing is, it is damaged, or it is of another audit of this name."""
    file = audit.path / FILE
    if not file.is_file():
        return None
    try:
        record = KeptSettings.from_json(file)
    except LookwhereError:
        return None
    return record if all(getattr(record, name) == getattr(audit.manifest, name) for name in _TIES) else None


_TIES = ("weights_sha256", "face_ids_sha256", "declared_sha256")


def _plain(value: object) -> object:
    return round(float(value), 6) if isinstance(value, float) else value
