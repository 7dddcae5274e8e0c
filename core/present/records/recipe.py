"""What holds of a recipe, over its networks, as plain values."""

from __future__ import annotations

import numpy as np

from core.analysis.comparison.contrasts import Effect
from core.analysis.comparison.recipe import method_accuracy, recipe_of
from core.audit.folder import Audit
from core.data.filters import Filter
from core.present.text.method import DIFFERENCE, SHARE, hull, method_sentence


def recipe_record(audit: Audit, filter: Filter) -> dict | None:
    """The accuracy of the recipe of an audit's model over networks and faces, as `method_words` says it; None where the
    recipe has no further network, or no face passes the filter."""
    recipe = recipe_of(audit) if filter.mask(audit.faces).any() else None
    if recipe is None:
        return None
    accuracy = method_accuracy(recipe, filter)
    spread = float(np.std(accuracy.overall.by_seed, ddof=1))
    return {
        "experiment": recipe.experiment,
        "networks": len(recipe.audits),
        "n": accuracy.faces,
        "accuracy": _effect(accuracy.overall, SHARE) | {"sd": spread},
        "women_less_men": None if accuracy.less_men is None else _effect(accuracy.less_men, DIFFERENCE),
        "least_often_right": [{"gender": gender, "ethnicity": ethnicity} for gender, ethnicity in accuracy.least],
        "sentence": method_sentence(recipe, accuracy),
    }


def _effect(effect: Effect, ends: tuple[float, float]) -> dict:
    """The mean over networks with its wider interval, which ends where such numbers do, and each network's own."""
    low, high = hull(effect, ends)
    return {"value": effect.seeds.value, "low": low, "high": high, "by_network": list(effect.by_seed)}
