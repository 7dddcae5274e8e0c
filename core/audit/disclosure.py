"""What the average faces that audits store give away: the fewest people in any of them, and in any difference of two.

Cells are a partition of an audit's faces, and what is shown are sums of whole cells. So any combination of averages,
with whatever weights, has one weight for all faces of a cell: no face is told from the others of its cell, and the
smallest set that a subtraction leaves is the smallest cell. Of two audits with faces in common that is not so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from core.audit.averages import Averages
from core.audit.folder import open_audit, stored_minimum
from core.audit.releases import common, same_ids
from core.data.splits import person_numbers
from core.errors import LookwhereError
from core.privacy import enough_people


@dataclass(frozen=True)
class StoredAverages:
    """The `count` average faces that the audit at `path` stores.

    `fewest_people` is how many people the smallest has, and so the smallest difference of any two sums of them;
    `most_of_one` the largest share of any that is of one person. `faces` and `pictures` say which faces were audited
    (`core.audit.releases`).
    """

    path: Path
    count: int
    fewest_people: int
    most_of_one: float
    faces: pd.DataFrame
    pictures: tuple[str, ...]


def stored_averages(path: Path) -> StoredAverages | None:
    """What the file `averages.npz` of an audit holds, whatever of it is shown; None where it holds no average.

    Raises `LookwhereError` where an average is of too few people, or too much of it of one: what lies in the file is
    given to whoever gets it, shown or not.
    """
    averages = Averages.load(path / "averages.npz")
    if not len(averages.cells):
        return None
    audit = open_audit(path)
    place, persons, minimum = averages.place(audit.faces), person_numbers(audit.faces), stored_minimum(audit.manifest)
    fewest, most = len(audit.faces), 0.0
    for n in range(len(averages.cells)):
        members = persons[place == n]
        counts = np.unique(members, return_counts=True)[1]
        if not enough_people(members, minimum) or len(members) != averages.cells["n"].iloc[n]:
            raise LookwhereError(
                f"{path}/averages.npz: an average of {len(counts)} people and {len(members)} images, where {minimum} "
                "people are the least and a quarter the most of one; delete this audit and run it again"
            )
        fewest, most = min(fewest, len(counts)), max(most, counts.max() / len(members))
    return StoredAverages(path, len(averages.cells), fewest, most, audit.faces, audit.manifest.pictures)


def of_common_faces(stored: Sequence[StoredAverages]) -> list[tuple[Path, Path]]:
    """Pairs of audits that both store averages of some faces: subtracted, these could leave a single face."""
    return [
        (first.path, second.path)
        for first, second in combinations(stored, 2)
        if common(first.pictures, second.pictures) or same_ids(first.faces, second.faces)
    ]
