"""Faces under several declarations of a model's input: what is right under which. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.task import GENDERS


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
        chosen = [n for n, one in enumerate(self.settings) if n == 0 or varied in (None, one.varied)]
        rows = []
        groups = self.faces.groupby(["gender", "ethnicity"], observed=True, sort=True).indices
        for (gender, ethnicity), members in groups.items():
            rates = self.right[np.ix_(chosen, members)].mean(axis=1)
            low, high = int(rates.argmin()), int(rates.argmax())
            rows.append(
                {
                    "gender": gender,
                    "ethnicity": ethnicity,
                    "n": len(members),
                    "declared": rates[0],
                    "least": rates[low],
                    "least at": self.settings[chosen[low]].value,
                    "most": rates[high],
                    "most at": self.settings[chosen[high]].value,
                }
            )
        return pd.DataFrame(rows)

    def gender_gaps(self) -> np.ndarray:
        """Accuracy of women less that of men under each setting, (settings,); NaN where one has no face."""
        women = (self.faces["gender"] == GENDERS[0]).to_numpy()
        if women.all() or not women.any():
            return np.full(len(self.settings), np.nan)
        return self.right[:, women].mean(axis=1) - self.right[:, ~women].mean(axis=1)
