"""Slices and parts of gaps in made faces: does a null make a slice, is a planted one found, do intervals hold?"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
from scipy.special import expit

from benchmarks.simulation import Case, Draw
from core.analysis.accuracy.explained import explain
from core.analysis.accuracy.slices import find_slices
from core.data.columns import Column, Kind
from core.task import GENDERS

#: Columns that are crossed beside gender, ethnicity and age band.
COLUMNS = tuple(
    Column(name=name, kind=Kind.CATEGORY, levels=levels)
    for name, levels in (
        ("glasses", ("no", "yes")),
        ("camera", ("phone", "webcam", "scan")),
        ("light", ("dark", "middle", "light")),
        ("image_blur", ("blurred", "middle", "sharp")),
    )
)
#: Errors are dealt anew so often in a simulated search; pages take 1,000, which makes the critical p finer.
SEARCH_DRAWS = 300
BLUR = Column(name="image_blur", kind=Kind.CATEGORY, levels=("blurred", "middle", "sharp"), measured=True)


def made(draw: Draw, n: int, persons: int | None = None) -> pd.DataFrame:
    """Faces of three ethnicities and all ages, with a level of each column; a person's labels are the same on all."""
    who = np.arange(n) if persons is None else draw.integers(0, persons, n)
    each = n if persons is None else persons
    labels = {
        "gender": np.array(GENDERS)[draw.integers(0, 2, each)],
        "ethnicity": np.array(["White", "Black", "Asian"])[draw.integers(0, 3, each)],
        "age": draw.integers(0, 80, each),
        "glasses": np.array(COLUMNS[0].levels)[draw.integers(0, 2, each)],
    }
    faces = pd.DataFrame({name: values[who] for name, values in labels.items()}).astype({"age": "Int16"})
    for column in COLUMNS[1:]:
        faces[column.name] = np.array(column.levels)[draw.integers(0, len(column.levels), n)]
    identity = pd.Series([f"person-{person}" for person in who] if persons else [pd.NA] * n, dtype="string")
    levels = {column.name: column.levelled(faces[column.name]) for column in COLUMNS}
    return faces.assign(identity=identity, cluster=np.arange(n), **levels)


def found(n: int, errors: float, planted: float = 0.0, persons: int | None = None) -> Callable[[Draw], bool]:
    """Whether any slice holds: `errors` at random, of people each of an own share, and `planted` more of the blurred
    Black women."""

    def once(draw: Draw) -> bool:
        faces = made(draw, n, persons)
        rate = np.full(n, errors)
        if persons:
            code = pd.factorize(faces["identity"])[0]
            rate = draw.beta(errors * 4, (1 - errors) * 4, code.max() + 1)[code]
        inside = (faces["gender"] == GENDERS[0]) & (faces["ethnicity"] == "Black") & (faces["image_blur"] == "blurred")
        wrong = draw.random(n) < rate + planted * inside.to_numpy()
        slices = find_slices(faces.assign(correct=~wrong), COLUMNS, int(draw.integers(1 << 31)), SEARCH_DRAWS).held
        if not planted:
            return len(slices) > 0
        return any({"ethnicity", "image_blur"} & set(names) for names in slices["columns"])

    return once


def part_covered(draw: Draw) -> bool:
    """Does the interval of what goes with blur hold the truth: of Black women, among four groups of 300?

    Logits of groups differ, blur lowers women's and raises men's, Black faces are blurred more often.
    """
    n = 1200
    group = np.repeat(np.arange(4), n // 4)
    gender, ethnicity = np.array(GENDERS)[group % 2], np.array(["White", "Black"])[group // 2]
    shares = np.where((ethnicity == "Black")[:, None], [0.5, 0.3, 0.2], [0.2, 0.3, 0.5])
    band = (draw.random(n)[:, None] > shares.cumsum(axis=1)).sum(axis=1)
    effect = np.array([[-1.0, -0.4, 0.0], [0.6, 0.2, 0.0]])[group % 2, band]
    logits = np.array([2.6, 3.0, 2.2, 3.2])
    right = draw.random(n) < expit(logits[group] + effect)
    rates = expit(logits[:, None] + np.array([[-1.0, -0.4, 0.0], [0.6, 0.2, 0.0]])[np.arange(4) % 2])
    own = np.stack([np.bincount(band[group == g], minlength=3) for g in range(4)]) / (n // 4)
    change = ((own - own.mean(axis=0)) * rates).sum(axis=1)
    true = change[2] - np.delete(change, 2).mean()
    faces = pd.DataFrame({"gender": gender, "ethnicity": ethnicity, "correct": right}).assign(
        age=pd.array([pd.NA] * n, dtype="Int16"),
        identity=pd.array([pd.NA] * n, dtype="string"),
        image_blur=BLUR.levelled(np.array(BLUR.levels)[band]),
    )
    row = explain(faces, (BLUR,)).table.set_index("group").loc["Black women"]
    return bool(row["low"] <= true <= row["high"])


def slice_cases() -> Iterable[Case]:
    """Cases of slices and of parts of gaps."""
    holds = "a slice holds where none is worse"
    yield Case("slices: 2,000 faces, 5 % wrong", holds, found(2000, 0.05), at_most=0.05, runs=500)
    yield Case("slices: 600 faces, 20 % wrong", holds, found(600, 0.2), at_most=0.05, runs=500)
    yield Case("slices: 300 people, 5 faces each", holds, found(1500, 0.1, persons=300), at_most=0.05, runs=500)
    for points in (0.1, 0.2, 0.3):
        name = f"slices: 2,000 faces, {points:.0%} more wrong".replace("%", " %")
        yield Case(name, "the planted slice, or one of its columns, holds", found(2000, 0.05, points), runs=100)
    yield Case(
        "parts of a gap: four groups of 300", "the interval holds the truth", part_covered, at_least=0.95, runs=400
    )
