"""Time and memory of a faces table of MS1MV2's size: subset, split, filters, group counts. No picture is read.

python -m benchmarks.scale --faces 5822653 --people 85742
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd
import tyro

from core.analysis.accuracy.by_group import accuracy_by
from core.data.filters import Filter
from core.data.splits import Subset, assign_splits


def made_table(faces: int, people: int, seed: int = 0) -> pd.DataFrame:
    """A faces table with people of uneven size, and the columns of an audit."""
    draw = np.random.default_rng(seed)
    person = np.sort(draw.integers(0, people, faces))
    gender = pd.Categorical.from_codes((draw.random(people) < 0.7).astype(np.int8)[person], ["female", "male"])
    ethnicity = pd.Categorical.from_codes(
        draw.choice(4, people, p=[0.76, 0.14, 0.06, 0.04]).astype(np.int8)[person],
        ["Caucasian", "African-American", "Asian", "Indian"],
    )
    keys = pd.Series(np.arange(1, faces + 1)).astype("string")
    return pd.DataFrame(
        {
            "face_id": keys,
            "path": keys,
            "gender": gender,
            "ethnicity": ethnicity,
            "age": pd.array(draw.integers(0, 90, faces), dtype="Int16"),
            "identity": pd.Series(person).astype("string"),
            "cluster": np.arange(faces),
            "p_male": draw.random(faces, dtype=np.float32),
            "correct": draw.random(faces) < 0.9,
        }
    )


@contextmanager
def measured(what: str) -> Iterator[None]:
    """Print the seconds a block took, and the peak of this process's memory so far."""
    began = time.perf_counter()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{what:34} {time.perf_counter() - began:7.2f} s   peak {peak:5.2f} GB", flush=True)


def main(faces: int = 5_822_653, people: int = 85_742) -> None:
    """Print a line for each step.

    Args:
        faces: Rows of the table.
        people: Identities in it.
    """
    with measured(f"a table of {faces:,} rows"):
        table = made_table(faces, people)
    with measured("balanced subset of 2,000,000"):
        subset = Subset("gender", min(2_000_000, faces // 3)).choose(table)
    print(f"{'':34} {subset['gender'].value_counts().to_dict()}")
    with measured("split by person"):
        table["split"] = assign_splits(table)
    crossing = table.groupby("identity")["split"].nunique().max()
    print(f"{'':34} {table['split'].value_counts().to_dict()}, splits a person is in: {crossing}")
    with measured("filter: African-American women, 18+"):
        mask = Filter(("female",), ("African-American",), 18).mask(table)
    print(f"{'':34} {int(mask.sum()):,} faces")
    with measured("accuracy by gender × ethnicity"):
        accuracy_by(table, ["gender", "ethnicity"])


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
