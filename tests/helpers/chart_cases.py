"""One made case for each chart builder: what must be drawn of the tables in `tests.helpers.chart_tables`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from core.analysis.accuracy.group_statistics import GROUP_STATISTICS
from core.analysis.maps.region_evidence import EvidenceByRegion
from core.data.filters import Filter
from core.explain.regions import REGIONS
from core.present.figures import (
    charts,
    checks,
    comparison,
    evidence,
    findings,
    gaps,
    group_statistics,
    image,
    photo,
    single_faces,
)
from tests.helpers.chart_tables import (
    ACCURACY,
    AGES,
    ARMS,
    BARS,
    BINS,
    DATA_SETS,
    DENSITY,
    EFFECTS,
    ENDS,
    ENERGY,
    EPOCHS,
    EVIDENCE,
    GAPS,
    HIDDEN,
    LESS,
    MEANS,
    METHODS,
    NAN,
    ORDERS,
    OTHER,
    PAIRED,
    PARTS,
    REPEATED,
    ROC,
    SHARES,
    SIMULTANEOUS,
    STAGES,
    STATISTIC,
    WATERFALL,
    Ends,
    by_gender,
    ends,
    noise_of,
    stage,
    turned,
    waterfall_of,
)


@dataclass(frozen=True)
class Case:
    """`build` makes the chart from `tables`; `rows`: name, note and marks by series, from above.

    `bounds`: pairs of columns of the tables which, exchanged, must be refused. `bases`: where the bars of a waterfall
    start, by row.
    """

    name: str
    builder: Callable[..., Any]
    build: Callable[..., Any]
    tables: dict[str, pd.DataFrame]
    rows: list[tuple[str, str, dict[str, Ends | list[Ends]]]]
    reference: float | None = None
    bounds: tuple[tuple[str, str, str], ...] = ()
    bases: dict[str, float] = field(default_factory=dict)

    def chart(self) -> Any:
        """The chart of the tables as they are."""
        return self.build(**self.tables)

    def __str__(self) -> str:
        return self.name


DIFFERENCES = ("difference", "low", "high")
KINDS = (
    ("evidence of the map", "evidence"),
    ("lost by hiding it", "drop"),
    ("lost by the same hole elsewhere", "control"),
)
STANDARD = (("table", "low", "high"),)
ACCURATE = ("accuracy", "low", "high")

INTERVALS = [
    Case(
        "parts of a gap", image.gap_parts, lambda table: image.gap_parts(table), {"table": PARTS},
        [
            ("Gap to all others", "n = 340", {image.GAP: ends(PARTS, 1, "gap", "gap_low", "gap_high")}),
            ("Age", "", {image.PART: ends(PARTS, 0, "explained", "low", "high"),
                         image.LEFT: ends(PARTS, 0, "left", "left_low", "left_high")}),
            ("Contrast", "", {image.PART: ends(PARTS, 1, "explained", "low", "high"),
                              image.LEFT: ends(PARTS, 1, "left", "left_low", "left_high")}),
        ],
        0.0, (("table", "gap_low", "gap_high"), ("table", "low", "high"), ("table", "left_low", "left_high")),
    ),
    Case(
        "accuracy by gender", charts.accuracy_dots,
        lambda table: charts.accuracy_dots(table, ["Black women", "White men", "Few"], list(table["gender"]), 0.96),
        {"table": ACCURACY},
        [
            ("Black women", "n = 359", {"women": ends(ACCURACY, 0, "accuracy", "low", "high")}),
            ("White men", "n = 1,234", {"men": ends(ACCURACY, 1, "accuracy", "low", "high")}),
            ("Few", "n = 40", {"women": ends(ACCURACY, 2, "accuracy", "low", "high")}),
        ],
        0.96, STANDARD,
    ),
    Case(
        "accuracy of both", charts.accuracy_dots,
        lambda table: charts.accuracy_dots(table, ["0–9", "10–17", "18+"]),
        {"table": ACCURACY},
        [(name, f"n = {ACCURACY['n'].iloc[k]:,}", {"": ends(ACCURACY, k, "accuracy", "low", "high")})
         for k, name in enumerate(["0–9", "10–17", "18+"])],
        None, STANDARD,
    ),
    Case(
        "a statistic of groups", group_statistics.statistic_dots,
        lambda table: group_statistics.statistic_dots(GROUP_STATISTICS[0], table), {"table": STATISTIC},
        [(name, n, {GROUP_STATISTICS[0].name: ends(STATISTIC, k, "value", "low", "high")})
         for k, name, n in ((1, "Asian faces", "n = 500"), (2, "Black faces", "n = 1,380"))],
        0.95, STANDARD,
    ),
    Case(
        "simultaneous", gaps.simultaneous_dots, gaps.simultaneous_dots, {"table": SIMULTANEOUS},
        [
            (name, f"n = {n}", {"all groups at once": ends(SIMULTANEOUS, k, "accuracy", "low", "high"),
                                who: ends(SIMULTANEOUS, k, "accuracy", "wilson_low", "wilson_high")})
            for k, (name, n, who) in enumerate([("Black women", "359", "women"), ("White men", "1,234", "men")])
        ],
        None, (*STANDARD, ("table", "wilson_low", "wilson_high")),
    ),
    Case(
        "equal ages", gaps.age_dots, gaps.age_dots, {"table": AGES},
        [
            (name, f"n = {n}", {
                "as it is": ends(AGES, k, "accuracy", "low", "high"),
                "at the ages of all faces": ends(AGES, k, "standardised", "standardised_low", "standardised_high"),
            })
            for k, name, n in ((1, "B", 60), (0, "A", 50))
        ],
        None, (*STANDARD, ("table", "standardised_low", "standardised_high")),
    ),
    Case(
        "noise", gaps.noise_shares, lambda shares: gaps.noise_shares(noise_of(shares, GAPS)), {"shares": SHARES},
        [
            (name, note, {"of all faces": (SHARES["share_faces"].iloc[k], NAN, NAN),
                          "of the errors": ends(SHARES, k, "share_errors", "low", "high")})
            for k, (name, note) in enumerate([("Near-copies", "3 of 120"), ("Under 3", "48 of 120")])
        ],
        None, (("shares", "low", "high"),),
    ),
    Case(
        "gap variants", gaps.gap_variants, lambda variants: gaps.gap_variants(noise_of(SHARES, variants)),
        {"variants": GAPS},
        [
            (name, note, {"largest gap": ends(GAPS, k, "value", "low", "high"),
                          "less its bias": (GAPS["corrected"].iloc[k], NAN, NAN)})
            for k, (name, note) in enumerate([("All faces", "n = 3,327"), ("Without near-copies", "n = 3,200")])
        ],
        0.0, (("variants", "low", "high"),),
    ),
    Case(
        "energy", evidence.energy_dots,
        lambda table: evidence.energy_dots([("A", table), ("B", table.assign(share=table["high"]))]),
        {"table": ENERGY},
        [
            (region, "", {"A": ends(ENERGY, k, "share", "low", "high"), "B": ends(ENERGY, k, "high", "low", "high"),
                          "uniform map": (ENERGY["area"].iloc[k], NAN, NAN)})
            for k, region in enumerate(REGIONS)
        ],
        None, STANDARD,
    ),
    Case(
        "density", findings.density_dots, lambda table: findings.density_dots(table, ("nose", "mouth")),
        {"table": DENSITY},
        [
            ("brows", "", {"not in it": ends(DENSITY, 1, "density", "low", "high")}),
            ("nose", "", {"in the claim": ends(DENSITY, 0, "density", "low", "high")}),
            ("mouth", "", {"in the claim": ends(DENSITY, 2, "density", "low", "high")}),
        ],
        1.0, STANDARD,
    ),
    Case(
        "effects", findings.effect_dots, findings.effect_dots, {"table": EFFECTS},
        [
            (EFFECTS["measure"].iloc[k], "2 pairs", {
                "over seeds and faces": (NAN, *ends(EFFECTS, k, "both_low", "both_high")),
                "each seed": [(EFFECTS[seed].iloc[k], NAN, NAN) for seed in ("seed 0", "seed 1")],
                "mean, over seeds": ends(EFFECTS, k, "mean", "low", "high"),
            })
            for k in range(2)
        ],
        0.0, (*STANDARD, ("table", "both_low", "both_high")),
    ),
    Case(
        "paired differences", comparison.difference_dots,
        lambda table: comparison.difference_dots({"new": table, "other": OTHER}), {"table": PAIRED},
        [
            (name, note, {"new": ends(PAIRED, k, *DIFFERENCES), "other": ends(OTHER, k, *DIFFERENCES)})
            for k, (name, note) in enumerate([("Black women", "n = 359"), ("White men", "n = 1,234")])
        ],
        0.0, STANDARD,
    ),
    Case(
        "arms",
        comparison.arm_dots,
        lambda means: comparison.arm_dots(ARMS, means, {"x": "first arm", "y": "second arm"}),
        {"means": MEANS},
        [
            ("first arm", "", {"a seed": [(0.8, NAN, NAN)], "mean, 95 % over seeds": (0.8, NAN, NAN)}),
            ("second arm", "", {"a seed": [(0.9, NAN, NAN), (0.94, NAN, NAN)],
                                "mean, 95 % over seeds": (0.92, 0.7, 0.99)}),
        ],
        None, (("means", "low", "high"),),
    ),
    Case(
        "the study, repeated",
        comparison.study_dots,
        comparison.study_dots,
        {"table": REPEATED},
        [
            ("Female", "n = 40", {"the original": [(0.6, NAN, NAN)], "a seed": [(0.7, NAN, NAN), (0.8, NAN, NAN)],
                                  "ours, mean and 95 % interval": (0.75, 0.6, 0.9)}),
            ("Caucasian male", "none here", {"the original": [(0.99, NAN, NAN)]}),
        ],
        None, STANDARD,
    ),
    Case(
        "data sets",
        comparison.data_set_dots,
        lambda table: comparison.data_set_dots(table, {"here": "at home", "there": "abroad"}),
        {"table": DATA_SETS},
        [
            ("All faces", "n = 4,029 / 988",
             {"at home": ends(DATA_SETS, 0, *ACCURATE), "abroad": ends(DATA_SETS, 1, *ACCURATE)}),
            ("Black women", "n = 41", {"abroad": ends(DATA_SETS, 2, *ACCURATE)}),
        ],
        None, STANDARD,
    ),
    Case(
        "areas less the controls'", checks.difference_dots,
        lambda table: checks.difference_dots(
            table, {"deletion": True, "insertion": False}, {"deletion": "deletion", "insertion": "insertion"}
        ),
        {"table": LESS},
        [
            ("deletion", "against random order", {"random order": turned(1)}),
            ("insertion", "against average face", {"average face": ends(LESS, 2, "less", "less_low", "less_high")}),
        ],
        0.0, (("table", "less_low", "less_high"),),
    ),
    Case(
        "methods", checks.method_dots, checks.method_dots, {"rows": METHODS},
        [
            ("HiResCAM", "n = 48", {"": ends(METHODS, 1, "mean", "low", "high")}),
            ("RandomCAM", "n = 48", {"": ends(METHODS, 0, "mean", "low", "high")}),
            ("FullGrad", "n = 0", {}),
        ],
        0.0, (("rows", "low", "high"),),
    ),
]  # fmt: skip

BAR_CASES = [
    Case(
        "waterfall", evidence.waterfall_chart,
        lambda table, ends: evidence.waterfall_chart(waterfall_of(table, ends), "A: women", "B: men"),
        {"table": WATERFALL, "ends": ENDS},
        [
            ("A: women", "n = 350", {"mean margin": ends(ENDS, 0, "margin", "low", "high")}),
            *((region, f"{100 / len(REGIONS):.0f} % of the image",
               {by_gender(WATERFALL["difference"].iloc[k]): ends(WATERFALL, k, *DIFFERENCES)})
              for k, region in enumerate(REGIONS)),
            ("B: men", "n = 370", {"mean margin": ends(ENDS, 1, "margin", "low", "high")}),
        ],
        None, (*STANDARD, ("ends", "low", "high")),
        {"A: women": 0.0, "B: men": 0.0,
         **{region: 1.0 + float(WATERFALL["difference"].iloc[:k].sum()) for k, region in enumerate(REGIONS)}},
    ),
    Case(
        "budgets", evidence.region_evidence_bars,
        lambda table: evidence.region_evidence_bars(
            [(name, EvidenceByRegion(Filter(), n, n, one, 0.1, 0.2, 0.0))
             for name, n, one in (("A", 350, table), ("B", 20, table.assign(evidence=table["high"])))]
        ),
        {"table": EVIDENCE},
        [(region, "", {"A": ends(EVIDENCE, k, "evidence", "low", "high"),
                       "B": ends(EVIDENCE, k, "high", "low", "high")})
         for k, region in enumerate(REGIONS)],
        None, STANDARD,
    ),
    Case(
        "one face's regions", single_faces.region_bars, lambda: single_faces.region_bars(BARS, True), {},
        [(region, "", {f"speaks for {'female' if BARS[k] >= 0 else 'male'}": (BARS[k], NAN, NAN)})
         for k, region in enumerate(REGIONS)],
    ),
    Case(
        "a photo's regions", photo.region_bars, lambda: photo.region_bars(BARS, 0.3, float(BARS.sum()) + 0.3), {},
        [
            *((region, "", {by_gender(BARS[k]): (BARS[k], NAN, NAN)}) for k, region in enumerate(REGIONS)),
            ("bias", "", {"totals": (0.3, NAN, NAN)}), ("margin", "", {"totals": (float(BARS.sum()) + 0.3, NAN, NAN)}),
        ],
    ),
    Case(
        "hidden regions", checks.region_bars, lambda table: checks.region_bars(table, False), {"table": HIDDEN},
        [(name, note, {kind: ends(HIDDEN, k, column, f"{column}_low", f"{column}_high") for kind, column in KINDS})
         for k, (name, note) in enumerate([("nose", "5 %"), ("mouth", "10 %")])],
        None, tuple(("table", f"{column}_low", f"{column}_high") for _, column in KINDS),
    ),
    Case(
        "hidden regions by area", checks.region_bars, lambda table: checks.region_bars(table, True), {"table": HIDDEN},
        [(name, note, {kind: ends(HIDDEN, k, column, f"{column}_low", f"{column}_high", scale=scale)
                       for kind, column in KINDS})
         for k, (name, note, scale) in enumerate([("nose", "5 %", 20.0), ("mouth", "10 %", 10.0)])],
        None, tuple(("table", f"{column}_low", f"{column}_high") for _, column in KINDS),
    ),
]  # fmt: skip


@dataclass(frozen=True)
class CurveCase:
    """`curves` by name: x, y, and low and high or None; `reference` at x; `bands`: axis, low, high, line or None."""

    name: str
    builder: Callable[..., Any]
    build: Callable[..., Any]
    tables: dict[str, Any]
    curves: dict[str, tuple]
    reference: float | None = None
    bands: tuple[tuple[str, float, float, float | None], ...] = ()
    diagonal: bool = False
    bounds: tuple[tuple[str, str, str], ...] = ()

    def __str__(self) -> str:
        return self.name


ORDER_NAMES = ("this face's map", "average face")
CURVES = [
    CurveCase(
        "roc", charts.roc_curves, lambda: charts.roc_curves({"Black": ROC}), {},
        {"Black, AUC 0.750": ([0, 0.2, 1.0], [0, 0.7, 1.0], None, None)}, diagonal=True,
    ),
    CurveCase(
        "calibration", charts.calibration_curves, lambda table: charts.calibration_curves({"all": table}),
        {"table": BINS}, {"all": tuple(list(BINS[c]) for c in ("p", "share", "low", "high"))}, diagonal=True,
        bounds=STANDARD,
    ),
    CurveCase(
        "training", charts.training_curve,
        lambda: charts.training_curve(EPOCHS, {"val_accuracy": "validation", "train_accuracy": "training"}, True, 3),
        {},
        {"validation": ([1, 2, 3, 4], list(EPOCHS["val_accuracy"]), None, None),
         "training": ([1, 2, 3, 4], list(EPOCHS["train_accuracy"]), None, None)},
        3, (("x", 0.5, 2.5, None), ("x", 2.5, 3.5, None), ("x", 3.5, 4.5, None)),
    ),
    CurveCase(
        "orders", checks.order_curves,
        lambda: checks.order_curves(ORDERS, np.array([0, 0.5, 1]), [*ORDER_NAMES], "deleted", "margin"),
        {},
        {name: ([0, 0.5, 1], *(list(ORDERS[k, o]) for k in range(3)))
         for o, name in enumerate(ORDER_NAMES)},
    ),
    CurveCase(
        "similarity", checks.similarity_dots, lambda table: checks.similarity_dots(table), {"table": STAGES},
        {name: (["nothing", "last layer", "+ stage 4"], *(stage(measure, c) for c in ("mean", "low", "high")))
         for measure, name in (("rank", "signed map"), ("rank of magnitudes", "magnitudes alone"))},
        None, (("y", 0.4, 0.55, 0.5), ("y", 0.55, 0.7, 0.6)), bounds=STANDARD,
    ),
]  # fmt: skip
