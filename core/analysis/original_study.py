"""Figures of the study this project began as, for comparison only: not ours, and no command here makes them."""

from __future__ import annotations

import pandas as pd

#: ResNet-50 trained on 1M male + 1M female MS1MV2 faces, validated on the Kaggle gender set (95 %), tested on MORPH.
MORPH_ACCURACY = pd.DataFrame(
    [
        ("", "", 0.88),
        ("male", "", 0.99),
        ("female", "", 0.60),
        ("male", "Caucasian", 0.99),
        ("female", "Caucasian", 0.82),
        ("male", "African-American", 0.99),
        ("female", "African-American", 0.50),
    ],
    columns=["gender", "ethnicity", "accuracy"],
)
#: Its three sets, as it describes them.
STUDY = {
    "train": "MS1MV2: faces of celebrities, a million of each gender",
    "validate": "Kaggle's gender set: 95 % right; the rate lowered when overall accuracy stalls",
    "test": "MORPH: police photographs",
}
#: MORPH's names and the names that other data sets give to the nearest group. Near is not the same.
NEAREST = {"Caucasian": ("Caucasian", "White"), "African-American": ("African-American", "Black")}


def figure_name(gender: str, ethnicity: str) -> str:
    """What a figure is of: ethnicity and gender, one of them, or «all»."""
    return " ".join(filter(None, (ethnicity, gender))) or "all"


def beside(table: pd.DataFrame) -> pd.DataFrame:
    """The published rows, each with the matching row of ours from `accuracy_by` tables put under one another.

    `table` has `gender`, `ethnicity` (empty for all), `n`, `accuracy`, `low`, `high`; rows without a match are NaN.
    """
    rows = []
    for row in MORPH_ACCURACY.itertuples():
        names = NEAREST.get(row.ethnicity, ("",))
        match = table[(table["gender"] == row.gender) & table["ethnicity"].isin(names)]
        ours = match.iloc[0] if len(match) else pd.Series(dtype=object)
        rows.append(
            {
                "group": figure_name(row.gender, row.ethnicity),
                "original": row.accuracy,
                "ours": ours.get("accuracy"),
                "low": ours.get("low"),
                "high": ours.get("high"),
                "n": ours.get("n"),
                "our name": figure_name(ours["gender"], ours["ethnicity"]) if len(match) else "none",
            }
        )
    return pd.DataFrame(rows)
