"""Made tables for chart builders: every value and bound differs, so that none can be taken for another."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.analysis.accuracy.curves import Roc
from core.analysis.accuracy.label_noise import LabelNoise, Variant
from core.analysis.accuracy.simultaneous import LargestGap
from core.analysis.maps.region_evidence import Waterfall
from core.data.filters import Filter
from core.estimate import Estimate
from core.explain.regions import REGIONS

NAN = float("nan")
#: (value, low, high)
Ends = tuple[float, float, float]


ACCURACY = pd.DataFrame(
    {
        "gender": ["female", "male", "female"],
        "n": [359, 1234, 40],
        "errors": [28, 25, 4],
        "accuracy": [0.922, 0.98, 0.9],
        "low": [0.89, 0.971, 0.77],
        "high": [0.945, 0.986, 0.96],
    }
)
STATISTIC = pd.DataFrame(
    {
        "by": ["", "ethnicity", "ethnicity", "ethnicity"],
        "group": ["all faces", "Asian faces", "black faces", "few faces"],
        "n": [900, 500, 1380, 20],
        "value": [0.95, 0.93, 0.97, np.nan],
        "low": [0.94, 0.9, 0.96, np.nan],
        "high": [0.96, 0.955, 0.985, np.nan],
    }
)
SIMULTANEOUS = pd.DataFrame(
    {
        "group": ["black women", "white men"],
        "gender": ["female", "male"],
        "n": [359, 1234],
        "errors": [28, 25],
        "accuracy": [0.922, 0.98],
        "low": [0.87, 0.96],
        "high": [0.956, 0.99],
        "wilson_low": [0.89, 0.971],
        "wilson_high": [0.945, 0.986],
    }
)
AGES = pd.DataFrame(
    {
        "group": ["a", "b"],
        "n": [50, 60],
        "accuracy": [0.95, 0.9],
        "low": [0.91, 0.85],
        "high": [0.97, 0.94],
        "standardised": [0.88, 0.93],
        "standardised_low": [0.8, 0.89],
        "standardised_high": [0.92, 0.96],
    }
)
SHARES = pd.DataFrame(
    {
        "where": ["near-copies", "under 3"],
        "errors": [3, 48],
        "share_errors": [0.03, 0.4],
        "low": [0.01, 0.31],
        "high": [0.08, 0.5],
        "share_faces": [0.05, 0.02],
    }
)
GAPS = pd.DataFrame(
    {
        "removed": ["", "near-copies"],
        "n": [3327, 3200],
        "value": [0.07, 0.06],
        "low": [0.02, -0.01],
        "high": [0.13, 0.12],
        "corrected": [0.061, 0.045],
    }
)
WATERFALL = pd.DataFrame(
    {
        "region": REGIONS,
        "difference": np.linspace(-0.7, 0.9, len(REGIONS)),
        "low": np.linspace(-0.7, 0.9, len(REGIONS)) - np.linspace(0.1, 0.2, len(REGIONS)),
        "high": np.linspace(-0.7, 0.9, len(REGIONS)) + np.linspace(0.3, 0.4, len(REGIONS)),
        "a": 0.5,
        "b": 0.7,
        "area": 1 / len(REGIONS),
    }
)
ENDS = pd.DataFrame({"margin": [1.0, 1.8], "low": [0.9, 1.6], "high": [1.3, 1.9]}, index=["a", "b"])
EVIDENCE = pd.DataFrame(
    {
        "region": REGIONS,
        "evidence": np.linspace(-0.4, 1.1, len(REGIONS)),
        "low": np.linspace(-0.5, 0.9, len(REGIONS)),
        "high": np.linspace(-0.1, 1.5, len(REGIONS)),
        "area": 1 / len(REGIONS),
    }
)
ENERGY = pd.DataFrame(
    {
        "region": REGIONS,
        "share": np.linspace(0.05, 0.2, len(REGIONS)),
        "low": np.linspace(0.04, 0.15, len(REGIONS)),
        "high": np.linspace(0.07, 0.29, len(REGIONS)),
        "area": np.linspace(0.02, 0.22, len(REGIONS)),
        "density": 1.5,
        "n": 77,
    }
)
DENSITY = pd.DataFrame(
    {
        "region": ["nose", "brows", "mouth"],
        "density": [1.2, 3.2, 0.4],
        "low": [1.1, 3.0, 0.35],
        "high": [1.4, 3.5, 0.6],
        "share": [0.1, 0.2, 0.3],
        "area": [0.05, 0.06, 0.07],
    }
)
EFFECTS = pd.DataFrame(
    {
        "measure": ["group", "largest gap"],
        "pairs": [2, 2],
        "mean": [-0.17, 0.19],
        "low": [-0.24, 0.12],
        "high": [-0.11, 0.26],
        # The second does not hold the mean: a resampled maximum is biased.
        "both_low": [-0.22, 0.2],
        "both_high": [-0.09, 0.29],
        "seed 0": [-0.19, 0.17],
        "seed 1": [-0.15, 0.21],
    }
)
PAIRED = pd.DataFrame(
    {
        "gender": ["female", "male"],
        "ethnicity": ["Black", "White"],
        "n": [359, 1234],
        "difference": [-0.04, 0.02],
        "low": [-0.07, -0.01],
        "high": [-0.02, 0.06],
        "only_a": [20, 5],
        "only_b": [6, 9],
        "both": [300, 1200],
        "p": [0.001, 0.2],
        "p_holm": [0.002, 0.4],
        "accuracy_a": [0.95, 0.96],
        "accuracy_b": [0.91, 0.98],
    }
)
OTHER = PAIRED.assign(difference=[0.01, 0.03], low=[-0.02, 0.01], high=[0.05, 0.08], p_holm=[0.9, 0.01])
ARMS = pd.DataFrame({"arm": ["y", "x", "y"], "model": ["y0", "x0", "y1"], "accuracy": [0.9, 0.8, 0.94]})
MEANS = pd.DataFrame(
    {
        "arm": ["y", "x"],
        "mean": [0.92, 0.8],
        "low": [0.7, NAN],
        "high": [0.99, NAN],
        "both_low": [0.88, NAN],
        "both_high": [0.95, NAN],
    }
)
DATA_SETS = pd.DataFrame(
    {
        "audit": ["here", "there", "there"],
        "gender": ["", "", "female"],
        "ethnicity": ["", "", "Black"],
        "n": [4029, 988, 41],
        "errors": [120, 157, 15],
        "accuracy": [0.97, 0.84, 0.63],
        "low": [0.96, 0.81, 0.48],
        "high": [0.98, 0.87, 0.76],
    }
)
LESS = pd.DataFrame(
    {
        "kind": ["deletion", "deletion", "insertion"],
        "order": ["this face's map", "random order", "average face"],
        "less": [NAN, -0.5, 0.3],
        "less_low": [NAN, -0.9, 0.2],
        "less_high": [NAN, -0.4, 0.7],
    }
)
HIDDEN = pd.DataFrame(
    {
        "region": ["nose", "mouth"], "area": [0.05, 0.1],
        "evidence": [0.5, 0.2], "evidence_low": [0.4, 0.1], "evidence_high": [0.8, 0.25],
        "drop": [0.9, -0.1], "drop_low": [0.6, -0.3], "drop_high": [1.0, 0.1],
        "control": [0.1, 0.3], "control_low": [0.0, 0.25], "control_high": [0.4, 0.5],
    }
)  # fmt: skip
METHODS = pd.DataFrame(
    {
        "method": ["RandomCAM", "HiResCAM", "FullGrad"],
        "mean": [0.02, 1.0, NAN],
        "low": [-0.2, 0.98, NAN],
        "high": [0.1, 1.0, NAN],
        "defined": [48, 48, 0],
    }
)
BARS = np.linspace(-0.6, 0.8, len(REGIONS))


PARTS = pd.DataFrame(
    {
        "words": ["age", "contrast"],
        "n": [359, 340],
        "gap": [-0.050, -0.043],
        "gap_low": [-0.080, -0.070],
        "gap_high": [-0.010, -0.020],
        "explained": [-0.010, -0.024],
        "low": [-0.020, -0.033],
        "high": [0.010, -0.015],
        "left": [-0.033, -0.019],
        "left_low": [-0.050, -0.043],
        "left_high": [-0.001, 0.004],
    }
)


def ends(table: pd.DataFrame, place: int, *columns: str, scale: float = 1.0) -> Ends:
    """Value and bounds of a row."""
    return tuple(float(table[column].iloc[place]) * scale for column in columns)


def noise_of(shares: pd.DataFrame, variants: pd.DataFrame) -> LabelNoise:
    """A `LabelNoise` with gaps of these values, and one variant without a gap."""
    group = pd.Series({"group": "a", "accuracy": 0.9})
    made = []
    for row in variants.to_dict("records"):
        estimate = Estimate(row["value"], row["low"], row["high"])
        gap = LargestGap(group, group, estimate, estimate, 0.01, row["corrected"], 2, 1, 2.0, 0.95)
        made.append(Variant(row["removed"], row["n"], row["n"], pd.DataFrame(), gap))
    return LabelNoise(4000, 120, 0, shares, (*made, Variant("all", 10, 10, pd.DataFrame(), None)))


def waterfall_of(table: pd.DataFrame, ends: pd.DataFrame) -> Waterfall:
    """From 350 faces to 370."""
    return Waterfall(Filter(), Filter(), 350, 370, table, ends, 0.0)


def by_gender(value: float) -> str:
    """The series of a signed contribution."""
    return "towards female" if value >= 0 else "towards male"


def turned(row: int) -> Ends:
    """A row of `LESS` with the sign changed: a smaller area is the better one."""
    value, low, high = ends(LESS, row, "less", "less_low", "less_high")
    return -value, -high, -low


ROC = Roc(np.array([0, 0.2, 1.0]), np.array([0, 0.7, 1.0]), Estimate(0.75, 0.7, 0.8), 90)
BINS = pd.DataFrame(
    {"p": [0.1, 0.6], "share": [0.2, 0.7], "low": [0.1, 0.5], "high": [0.35, 0.85], "n": [30, 1400]}
)  # fmt: skip
EPOCHS = pd.DataFrame(
    {
        "epoch": [1, 2, 3, 4],
        "size": [64, 64, 112, 112],
        "dilated": [False, False, False, True],
        "val_accuracy": [0.7, 0.8, 0.85, 0.84],
        "train_accuracy": [0.72, 0.83, 0.9, 0.95],
    }
)
ORDERS = np.array(
    [[[3.0, 2.0, 1.0], [3.1, 2.5, 2.0]], [[2.8, 1.9, 0.8], [2.9, 2.2, 1.9]], [[3.3, 2.4, 1.1], [3.2, 2.8, 2.4]]]
)
STAGES = pd.DataFrame(
    {
        "measure": ["rank"] * 3 + ["rank of magnitudes"] * 3,
        "stage": ["another face", "fc", "layer4"] * 2,
        "mean": [0.5, 0.2, -0.1, 0.6, 0.3, 0.1],
        "low": [0.4, 0.15, -0.2, 0.55, 0.2, 0.0],
        "high": [0.55, 0.3, -0.05, 0.7, 0.45, 0.3],
        "draw_low": [NAN, 0.1, -0.3, NAN, 0.1, -0.1],
        "draw_high": [NAN, 0.4, 0.0, NAN, 0.5, 0.4],
    }
)


def stage(measure: str, column: str) -> list[float]:
    """A column of `STAGES` after the network as it is, where all is 1."""
    part = STAGES[(STAGES["measure"] == measure) & (STAGES["stage"] != "another face")]
    return [1.0, *part[column]]


#: The seven figures of the study, repeated: one that is here, one that is not.
REPEATED = pd.DataFrame(
    {
        "figure": ["female", "Caucasian male"], "n": [40, 0], "original": [0.6, 0.99],
        "by_seed": [(0.7, 0.8), ()], "mean": [0.75, NAN], "low": [0.6, NAN], "high": [0.9, NAN],
        "repeats": ["within our interval", "no such group"],
    }
)  # fmt: skip
