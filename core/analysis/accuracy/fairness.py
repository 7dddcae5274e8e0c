"""Fairness measures as fairlearn defines them.

The positive class is the task's. Where gender is classified, ethnicity is the sensitive feature; of another attribute
it is gender and ethnicity, or age where they do not vary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.analysis.accuracy.by_group import LARGE_GROUP
from core.analysis.accuracy.counts import columns_of, design_effect, group_rows, outside_of_groups, resample_cells
from core.analysis.accuracy.simultaneous import tukey_z
from core.analysis.intervals import newcombe_bounds
from core.data.faces import UNRECORDED, people
from core.estimate import Estimate
from core.task import Task, task_of

LEVEL = 0.95
MEASURES = (
    "demographic parity difference",
    "demographic parity ratio",
    "equalized odds difference",
    "equalized odds ratio",
)


@dataclass(frozen=True)
class Fairness:
    """`groups`: the group (in the column `by`), n, faces of the negative and of the positive class (`women`, `men`; of
    another task `negative`, `positive`), selection_rate, tpr, fpr. `measures`: measure, value, low, high, groups, from
    the highest to the lowest group. `left_out`: the group, n, why."""

    groups: pd.DataFrame
    measures: pd.DataFrame
    left_out: pd.DataFrame

    @property
    def by(self) -> str:
        """The column of the groups' names: `ethnicity`, or `group` of another attribute than gender."""
        return str(self.groups.columns[0])

    def __getitem__(self, measure: str) -> Estimate:
        row = self.measures.set_index("measure").loc[measure]
        return Estimate(float(row["value"]), float(row["low"]), float(row["high"]))


def fairness(
    faces: pd.DataFrame, threshold: float = 0.5, draws: int = 2000, seed: int = 0, smallest: int = LARGE_GROUP
) -> Fairness | None:
    """Demographic parity (selection rates: the share called positive) and equalized odds (TPR: positive faces called
    so; FPR: negative faces called positive), each as the difference and the ratio of the extreme groups; the worse of
    TPR and FPR counts.

    Groups under `smallest` faces of a class, and faces without an ethnicity, or without the gender or age that groups
    are made by, are left out: a rate of none is no rate.
    None unless two are left. Intervals: all pairs of groups have their difference (Newcombe) and ratio
    (Katz) within bounds at once, at the resampled 95 % quantile of the largest studentised difference (faces drawn, or
    people whole where known); the extreme then lies between the extremes of the bounds. A plain bootstrap of an extreme
    would miss parity in one of four data sets that have it.
    """
    task = task_of(faces)
    by, names, not_recorded = _sensitive(faces, task)
    table = pd.crosstab(names, task.is_positive(faces)).reindex(columns=[False, True], fill_value=0)
    large_groups, too_small = [], []
    for name in names.value_counts().index:
        negative, positive = (int(n) for n in table.loc[name])
        if name != UNRECORDED and min(negative, positive) >= smallest:
            large_groups.append(name)
        else:
            fewer = task.nouns[0 if negative <= positive else 1].many
            why = not_recorded if name == UNRECORDED else f"under {smallest} {fewer}"
            too_small.append({by: name, "n": negative + positive, "why": why})
    if len(large_groups) < 2:
        return None
    inside = names.isin(large_groups).to_numpy()
    part = faces[inside]
    truly, called = task.is_positive(part), task.called(part, threshold)
    place, unit = pd.Categorical(names[inside], large_groups).codes.astype(np.int64), people(part)
    cell, size = place * 4 + truly * 2 + called, len(large_groups)
    cell_counts = np.bincount(cell, minlength=4 * size).astype(float)
    rates = _rates(cell_counts[None])[0]
    resampled_rates = _rates(resample_cells(cell, 4 * size, unit, draws, np.random.default_rng(seed)))
    n = np.zeros((3, size))
    for kind, inside in enumerate((np.ones(len(part), dtype=bool), truly, ~truly)):
        for g in range(size):
            mask = inside & (place == g)
            n[kind, g] = mask.sum() / design_effect(called[mask], None if unit is None else unit[mask])[0]
    rows = []
    for name, kinds in (("demographic parity", [0]), ("equalized odds", [1, 2])):
        z = _critical(resampled_rates[:, kinds], rates[kinds], n[kinds])
        pairs = [(kind, i, j) for kind in kinds for i in range(size) for j in range(size) if i != j]
        kind, i, j = np.array(pairs).T
        for measure, apart, extreme in (("difference", _differences, np.nanmax), ("ratio", _ratios, np.nanmin)):
            value, low, high = apart(rates[kind, i], n[kind, i], rates[kind, j], n[kind, j], z)
            defined = np.isfinite(value)
            largest = extreme(value[defined]) if defined.any() else np.nan
            at = int(np.flatnonzero(value == largest)[0]) if defined.any() else 0
            top, bottom = (i[at], j[at]) if measure == "difference" else (j[at], i[at])
            words = f"{large_groups[top]} to {large_groups[bottom]}" + ("", ", TPR", ", FPR")[kind[at]]
            words = words if defined.any() else "every rate is 0"
            rows.append((f"{name} {measure}", largest, *np.clip([extreme(low), extreme(high)], 0, 1), words))
    groups = pd.DataFrame({by: large_groups, "n": cell_counts.reshape(-1, 4).sum(axis=1).astype(int)})
    classes = [words.many for words in task.nouns] if task.is_gender else ["negative", "positive"]
    groups[classes] = cell_counts.reshape(-1, 2, 2).sum(axis=2).astype(int)
    groups["selection_rate"], groups["tpr"], groups["fpr"] = rates
    measures = pd.DataFrame(rows, columns=["measure", "value", "low", "high", "groups"])
    return Fairness(groups, measures, pd.DataFrame(too_small, columns=[by, "n", "why"]))


def _sensitive(faces: pd.DataFrame, task: Task) -> tuple[str, pd.Series, str]:
    """What the groups' column is called, each face's group (N,), and why some have none: these are «not recorded»."""
    if task.is_gender:
        return "ethnicity", faces["ethnicity"], "no ethnicity recorded"
    member, names = group_rows(faces, columns_of(faces))
    group, why = names["group"].to_numpy(dtype=object), ""
    for reason, rows in outside_of_groups(names, []).items():
        if rows.any():
            group, why = np.where(rows, UNRECORDED, group), reason
    return "group", pd.Series(group[member], faces.index, dtype="str"), why


def _critical(resampled_rates: np.ndarray, rates: np.ndarray, n: np.ndarray) -> float:
    """Critical z of all pairs of groups over all rates (K, G) together: resampled, never under Tukey's (Bonferroni)."""
    error = np.sqrt(rates * (1 - rates) / n)
    i, j = np.triu_indices(rates.shape[1], 1)
    apart = np.hypot(error[:, i], error[:, j])
    away = np.abs(resampled_rates[..., i] - resampled_rates[..., j] - (rates[:, i] - rates[:, j])) / np.where(
        apart > 0, apart, np.inf
    )
    away = np.nan_to_num(away).max(axis=(1, 2))
    return max(float(np.quantile(away, LEVEL, method="higher")), tukey_z(1 - (1 - LEVEL) / len(rates), rates.shape[1]))


def _differences(p1: np.ndarray, n1: np.ndarray, p2: np.ndarray, n2: np.ndarray, z: float) -> tuple:
    return newcombe_bounds(p1 * n1, n1, p2 * n2, n2, z)


def _ratios(p1: np.ndarray, n1: np.ndarray, p2: np.ndarray, n2: np.ndarray, z: float) -> tuple:
    """p1 / p2 (N,), bounds by Katz et al. at z, half an event added to each where there is none."""
    half = np.where(np.minimum(p1, p2) == 0, 0.5, 0.0)
    k1, k2, m1, m2 = p1 * n1 + half, p2 * n2 + half, n1 + half, n2 + half
    error = np.sqrt(1 / k1 - 1 / m1 + 1 / k2 - 1 / m2)
    with np.errstate(invalid="ignore", divide="ignore"):
        value, centre = p1 / p2, np.log(k1 / m1 * m2 / k2)
    return value, np.where(p1 == 0, 0.0, np.exp(centre - z * error)), np.exp(centre + z * error)


def _rates(counts: np.ndarray) -> np.ndarray:
    """Selection rate, TPR and FPR (draws, 3, G) of counts (draws, 4 G): group × true class × called."""
    c = counts.reshape(len(counts), -1, 2, 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        selected = c[..., 1].sum(axis=2) / c.sum(axis=(2, 3))
        by_class = c[..., 1] / c.sum(axis=3)
    return np.stack([selected, by_class[..., 1], by_class[..., 0]], axis=1)
