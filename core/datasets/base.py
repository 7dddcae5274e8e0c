"""What a reader is, and what it returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import pandas as pd

from core.datasets.sources import Source


@dataclass(frozen=True)
class Reading:
    """A data set's labels before anything was decoded.

    `faces` has `face_id, path, gender, ethnicity, age, identity` (and `split` where the data set names one);
    `rejects` has `file, reason`; `repaired` has `file, repair`.
    """

    faces: pd.DataFrame
    rejects: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"file": [], "reason": []}, dtype=str))
    repaired: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"file": [], "repair": []}, dtype=str))


class Reader(Protocol):
    """One data set's layout. `padding` is the mid-grey border in pixels that the detector needs around its chips."""

    name: str
    title: str
    expects: str
    padding: int

    def refusal(self, source: Source) -> str | None:
        """None where the source has this layout, else why not, in a few words."""
        ...

    def read(self, source: Source) -> Reading:
        """Labels, rejects and repairs; decodes no picture."""
        ...
