"""Which groups a count keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from core.analysis.accuracy.by_group import LARGE_GROUP


@dataclass(frozen=True)
class GroupRule:
    """Which groups a count keeps, and in which order.

    Groups under `smallest` faces, or of too few people, are left out; none with 1. `outside`: further rows, bool (G,),
    to leave out, by reason. `order` names the column by which rows fall; with none they stay as they come.
    """

    smallest: int = LARGE_GROUP
    order: str = "accuracy"
    outside: Mapping[str, np.ndarray] = field(default_factory=dict)


#: Large groups alone, the most accurate first.
LARGE_GROUPS = GroupRule()
