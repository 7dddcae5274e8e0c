"""An experiment's numbers as text."""

from __future__ import annotations

import math

import numpy as np

from core.analysis.accuracy.by_group import LARGE_GROUP
from core.analysis.comparison.contrasts import arm_estimates, arm_table, claim_contrast
from core.analysis.comparison.experiment import Experiment, Measure
from core.analysis.comparison.paired import named
from core.data.filters import Filter
from core.wording import counted, in_points, number, p_words, signed_points


def experiment_report(experiment: Experiment, filter: Filter | None = None) -> str:
    """Every number as text: arms by seed, means over seeds, and each contrast with its verdict, in points."""
    filter = filter or Filter()
    first = experiment.audits(experiment.arms[0].name)[0]
    n = int(filter.mask(first.faces).sum())
    lines = [f"{experiment.title}: {n:,} faces ({filter.describe()}) of audit {experiment.audit}; {experiment.config}"]
    table, means = arm_table(experiment, filter), arm_estimates(experiment, filter)
    for arm in experiment.arms:
        lines += ["", f"{arm.name}: {arm.title}, {counted(len(arm.models), 'seed')}"]
        for _, row in means[means["arm"] == arm.name].iterrows():
            keys = ["measure"] if row["measure"] != Measure.GROUP else ["measure", "gender", "ethnicity"]
            same = (table["arm"] == arm.name) & (table[keys] == row[keys]).all(axis=1)
            values = "  ".join(f"{in_points(value):>5}" for value in table.loc[same, "accuracy"])
            name = named(row["gender"], row["ethnicity"]) if row["measure"] == Measure.GROUP else row["measure"]
            # Student's interval of three seeds knows of no bounds; an accuracy and a gap end at 0 and 100 %.
            bounds = np.clip([100 * row[key] for key in ("mean", "low", "high", "both_low", "both_high")], 0, 100)
            lines.append(f"  {name:<22} {values}   mean {_words(*bounds)}")
    for claim in experiment.claims:
        contrast = claim_contrast(experiment, claim, filter)
        lines += [
            "",
            f"{claim.name}: {claim.start} → {claim.end}, {contrast.group} (n = {contrast.n:,}). {claim.question}",
        ]
        for kind, effect in contrast.effects.items():
            values = "  ".join(f"{signed_points(value):>5}" for value in effect.by_seed)
            bounds = [100 * value for e in (effect.seeds, effect.both) for value in (e.value, e.low, e.high)]
            lines.append(f"  {kind:<22} {values}   mean {_words(*bounds[:3], *bounds[4:], '+.1f')}: {effect.verdict}")
        if not all(contrast.given):
            same = ", ".join(str(seed) for seed, differs in enumerate(contrast.given) if not differs)
            count = f"{sum(contrast.given)} of {len(contrast.given)} pairs differ at all and count"
            lines.append(f"  {count}; one network in both arms: seed {same}")
        pairs = (f"{pair.only_a} / {pair.only_b}, {p_words(pair.p)}" for pair in contrast.paired)
        lines.append(f"  correct only before / only after, by seed: {'; '.join(pairs)}")
        lines.append(f"  verdict on «{contrast.measure}», expected {contrast.expect}: {contrast.verdict.upper()}")
    lines += [
        "",
        "mean [95 % t interval over seeds] [seeds and faces resampled]; accuracies in %, differences in points",
        f"worst group and gap are of each network's groups of {LARGE_GROUP} faces and more",
    ]
    return "\n".join(lines)


def _words(mean: float, low: float, high: float, both_low: float, both_high: float, form: str = ".1f") -> str:
    if math.isnan(low):
        return "not known: no pair differs" if math.isnan(mean) else f"{number(mean, form)} (no interval of one seed)"
    value, *ends = (number(figure, form) for figure in (mean, low, high, both_low, both_high))
    return f"{value} [{ends[0]} to {ends[1]}] [{ends[2]} to {ends[3]}]"
