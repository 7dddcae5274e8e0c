"""What is said of a way of training, over its networks, and what is of one network alone."""

from __future__ import annotations

import numpy as np

from core.analysis.comparison.contrasts import Effect
from core.analysis.comparison.recipe import MethodAccuracy, Recipe, method_accuracy
from core.data.filters import Filter, group_name
from core.wording import bounds, number, percent, signed_points

#: Between which a share lies, and a difference of two.
SHARE, DIFFERENCE = (0.0, 1.0), (-1.0, 1.0)


def hull(effect: Effect, ends: tuple[float, float]) -> tuple[float, float]:
    """The wider of both intervals on each side, over networks, and over networks and faces; it ends where such numbers
    do."""
    low = np.nanmin([effect.seeds.low, effect.both.low])
    high = np.nanmax([effect.seeds.high, effect.both.high])
    return float(np.clip(low, *ends)), float(np.clip(high, *ends))


def method_words(recipe: Recipe | None, filter: Filter) -> str | None:
    """The recipe's accuracy with an interval over networks and faces, how its networks differ, and that all else is of
    this network; None where the recipe has no further network."""
    return None if recipe is None else method_sentence(recipe, method_accuracy(recipe, filter))


def method_sentence(recipe: Recipe, accuracy: MethodAccuracy) -> str:
    """`method_words` of what was computed."""
    count = len(recipe.audits)
    low, high = hull(accuracy.overall, SHARE)
    spread = float(np.std(accuracy.overall.by_seed, ddof=1))
    parts = [
        f"Trained {count} times alike but for chance (this network and {count - 1} of experiment {recipe.experiment}), "
        f"the networks are on average right for {percent(accuracy.overall.seeds.value)} "
        f"[{bounds(100 * low, 100 * high)}], over networks and faces (SD over networks {number(100 * spread, '.1f')} "
        "points)."
    ]
    if accuracy.less_men is not None:
        low_less, high_less = hull(accuracy.less_men, DIFFERENCE)
        each = ", ".join(signed_points(value) for value in accuracy.less_men.by_seed)
        parts.append(
            f"Women less men: {signed_points(accuracy.less_men.seeds.value)} points "
            f"[{bounds(100 * low_less, 100 * high_less)}], by network {each}."
        )
    least = [group_name(*pair) for pair in accuracy.least]
    same = len(set(least)) == 1
    parts.append(
        f"Least often right are {least[0]} in each."
        if same
        else f"Least often right are, by network, {', '.join(least)}."
    )
    parts.append("Whatever else is said here is of this network, and need not hold of another trained alike.")
    return " ".join(parts)
