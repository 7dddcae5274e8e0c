"""Does the map depend on what the network has learnt? Adebayo et al. 2018, https://arxiv.org/abs/1810.03292."""

from __future__ import annotations

import pandas as pd

from core.checks.definitions.base import Category, Check, CheckResult, Direction, View
from core.checks.definitions.words import interval_of, number
from core.checks.results import Checks
from core.checks.stored_words import ANOTHER_FACE, RANK, RANK_OF_MAGNITUDES, STAGES
from core.verdicts import CheckVerdict


class ParameterRandomisation(Check):
    """Weights made random from the head to the stem.

    The map depends on the weights where the fully random network's map is less like the real one than two faces' real
    maps are like each other, by both intervals, for signed maps and for magnitudes.
    """

    name = "randomisation"
    title = "Randomised weights"
    category = Category.SANITY
    direction = Direction.LOWER
    part = "randomised"
    tables = ("similarity",)
    sample_share = 2 / 3
    opens_network = True

    def result(self, checks: Checks, view: View) -> CheckResult | None:
        rows = self._rows(checks, view)
        if rows is None:
            return None
        passed = [self._changed(rows, measure) for measure in (RANK, RANK_OF_MAGNITUDES)]
        unchanged = [self._kept(rows, measure) for measure in (RANK, RANK_OF_MAGNITUDES)]
        does = "cannot be told to change the map"
        if passed[0] or unchanged[0]:
            does = "changes the map" if passed[0] else "leaves the map about as it was"
        all_random, two_faces = interval_of(rows.loc[(STAGES[-1], RANK)]), interval_of(rows.loc[(ANOTHER_FACE, RANK)])
        magnitudes = interval_of(rows.loc[(STAGES[-1], RANK_OF_MAGNITUDES)])
        return CheckResult(
            self.title,
            CheckVerdict.from_parts(all(passed), any(passed), any(unchanged)),
            f"Randomising all weights {does}: rank correlation with the real one {all_random}, "
            f"where real maps of two different faces have {two_faces}; of magnitudes alone "
            f"{magnitudes} and {interval_of(rows.loc[(ANOTHER_FACE, RANK_OF_MAGNITUDES)])}.",
        )

    def clause(self, checks: Checks, view: View) -> str | None:
        rows = self._rows(checks, view)
        if rows is None:
            return None
        does = "hardly changes" if self._kept(rows, RANK) else "cannot be told to change"
        does = "changes" if self._changed(rows, RANK) else does
        all_random = interval_of(rows.loc[(STAGES[-1], RANK)])
        return (
            f"randomising the weights {does} the map (rank correlation {all_random}; two faces' "
            f"real maps {number(rows.loc[(ANOTHER_FACE, RANK), 'mean'])})"
        )

    def _rows(self, checks: Checks, view: View) -> pd.DataFrame | None:
        rows = checks.rows(self.part, "similarity", view.group)
        return None if rows.empty else rows.set_index(["stage", "measure"])

    @staticmethod
    def _changed(rows: pd.DataFrame, measure: str) -> bool:
        """Whether the map of all random weights is less like the real one than another face's real map is."""
        return bool(rows.loc[(STAGES[-1], measure), "high"] < rows.loc[(ANOTHER_FACE, measure), "low"])

    @staticmethod
    def _kept(rows: pd.DataFrame, measure: str) -> bool:
        """Whether the map of all random weights is more like the real one than another face's real map is."""
        return bool(rows.loc[(STAGES[-1], measure), "low"] > rows.loc[(ANOTHER_FACE, measure), "high"])
