"""What may be shown: the smallest group, and the finest map."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from core.errors import LookwhereError

#: No average of fewer faces is stored or shown: a single face could be seen through it. An audit may ask for more.
MINIMUM_FACES = 11
#: Environment variable that asks for a larger minimum wherever averages are stored or shown.
MINIMUM_VARIABLE = "LOOKWHERE_MINIMUM_FACES"


def asked_minimum(faces: int | None = None) -> int:
    """The smallest group whose average may be stored or shown: `faces`, else `$LOOKWHERE_MINIMUM_FACES`, else 11.

    Raises `LookwhereError` for under 11, or what is no whole number.
    """
    origin, value = "--minimum-faces", faces
    if value is None:
        origin, value = MINIMUM_VARIABLE, os.environ.get(MINIMUM_VARIABLE) or MINIMUM_FACES
    try:
        minimum = int(value)
    except ValueError as error:
        raise LookwhereError(f"{origin} {value!r}: not a whole number; give {MINIMUM_FACES} or more") from error
    if minimum < MINIMUM_FACES:
        raise LookwhereError(f"{origin} {minimum}: not under {MINIMUM_FACES}, or single faces could be seen; give more")
    return minimum


#: The most of an average that may be of one person: where it is more, the average is that person's likeness.
MOST_OF_ONE = 0.25


def enough_people(persons: np.ndarray, minimum: int = MINIMUM_FACES) -> bool:
    """Whether an average of faces shows no one: it is of `minimum` people, and at most a quarter of it of any of them.

    `persons` int64 (n,) is a number for each face's person. What is true of two averages of other faces is true of
    their sum: no sum of whole cells has fewer people, or more of one.
    """
    if len(persons) < minimum:
        return False
    counts = np.unique(persons, return_counts=True)[1]
    return len(counts) >= minimum and counts.max() <= MOST_OF_ONE * len(persons)


def refined(
    place: np.ndarray,
    columns: Sequence[np.ndarray],
    persons: np.ndarray,
    minimum: int = MINIMUM_FACES,
    stricter: int = MINIMUM_FACES,
) -> np.ndarray:
    """Cells divided by the levels of one column after the other, int64 (N,), −1 where `place` is.

    `place` int (N,) is each face's cell, `columns` have int (N,) codes of levels, `persons` int64 (N,). A cell is
    divided where each part is of enough people; levels that are not are kept together, with the smallest of the others
    where need be. All averages by these columns are sums of whole cells, so that no two of them, with or without
    columns, by whichever, differ by less than a cell. That is why there is one division and not one a column: of two
    columns' own divisions, one level could hold another but for a single face.

    Where `stricter` asks for more people than `minimum`, a cell whose parts are not all of so many stays whole and is
    not divided further. So cells are whole cells of the division that was shown when fewer were asked for: divided anew
    by the larger number, they would differ from those by single faces.
    """
    whole: set[int] = set()
    place = np.asarray(place, dtype=np.int64).copy()
    for codes in columns:
        order = np.argsort(place, kind="stable")
        order = order[place[order] >= 0]
        cells = np.split(order, np.flatnonzero(np.diff(place[order])) + 1) if len(order) else []
        following = int(place.max(initial=-1)) + 1
        for members in cells:
            if len(members) < 2 * minimum or int(place[members[0]]) in whole:
                continue
            parts = _parts(members, codes[members], persons, minimum)
            if not all(enough_people(persons[part], stricter) for part in parts):
                whole.add(int(place[members[0]]))
                continue
            for part in parts[1:]:
                place[part] = following
                following += 1
    return place


def _parts(members: np.ndarray, codes: np.ndarray, persons: np.ndarray, minimum: int) -> list[np.ndarray]:
    """The members by level, each of enough people, the last of them perhaps of several levels; all in one otherwise."""
    levels = sorted((members[codes == code] for code in np.unique(codes)), key=len, reverse=True)
    alone = [part for part in levels if enough_people(persons[part], minimum)]
    rest = [part for part in levels if not enough_people(persons[part], minimum)]
    while alone and rest and not enough_people(persons[np.concatenate(rest)], minimum):
        rest.append(alone.pop())
    parts = [*alone, *([np.concatenate(rest)] if rest else [])]
    return parts if len(parts) > 1 else [members]


def showable(sizes: np.ndarray, minimum: int = MINIMUM_FACES) -> np.ndarray:
    """Which clusters of a partition are shown, bool (K,): the faces of the others are none, or `minimum` and more."""
    sizes = np.asarray(sizes)
    mask = sizes >= minimum
    while 0 < sizes[~mask].sum() < minimum and mask.any():
        mask[np.flatnonzero(mask)[sizes[mask].argmin()]] = False
    return mask


def told_parts(part: np.ndarray, persons: np.ndarray, minimum: int = MINIMUM_FACES) -> list[list[int]]:
    """Parts of an ordered column that counts may be told of: those without enough people are joined to a neighbour.

    `part` int (n,) of 0 and more, −1 for what is in none; `persons` int64 (n,). Empty where all together are too few.
    """
    joined = [[int(number)] for number in np.unique(part[part >= 0])]
    while joined:
        few = [
            place for place, numbers in enumerate(joined) if not enough_people(persons[np.isin(part, numbers)], minimum)
        ]
        if not few:
            break
        if len(joined) == 1:
            return []
        sizes = [int(np.isin(part, numbers).sum()) for numbers in joined]
        place = min(few, key=lambda n: sizes[n])
        first = min((p for p in (place - 1, place) if 0 <= p < len(joined) - 1), key=lambda p: sizes[p] + sizes[p + 1])
        joined[first : first + 2] = [joined[first] + joined[first + 1]]
    return joined


def outcome_told(place: np.ndarray, outcome: np.ndarray, persons: np.ndarray, minimum: int = MINIMUM_FACES) -> bool:
    """Whether counts by told part and outcome let nobody's part be known, where outcomes are known by face.

    `place` int (n,) is each face's told part, −1 for none, `outcome` bool (n,). Those of either outcome must be enough
    people, and lie in more than one part: else the part of each of them would follow.
    """
    sides = [(place >= 0) & (outcome == value) for value in (False, True)]
    return all(enough_people(persons[side], minimum) and len(np.unique(place[side])) > 1 for side in sides)


#: Rows and columns that a map may have at most: cells of 8 pixels and more show no face.
MOST_CELLS = 14


def coarse(evidence: np.ndarray) -> np.ndarray:
    """The same maps (…, h, w). Raises `LookwhereError` where they are finer than `MOST_CELLS`: they show faces."""
    if max(evidence.shape[-2:]) > MOST_CELLS:
        height, width = evidence.shape[-2:]
        raise LookwhereError(
            f"maps of {height}×{width} cells show the face itself, {MOST_CELLS}×{MOST_CELLS} are the most; import the "
            "model again"
        )
    return evidence
