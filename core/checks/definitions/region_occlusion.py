"""Is what the map marks what is used? Regions hidden: Zeiler & Fergus 2014, https://arxiv.org/abs/1311.2901."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.checks.definitions.base import Category, Check, CheckResult, Direction, View
from core.checks.definitions.words import interval_of
from core.checks.results import Checks
from core.checks.stored_words import Agreement
from core.verdicts import CheckVerdict

#: What hiding a region does, by the verdict; «{its}» is the map's evidence.
DOES = {
    CheckVerdict.PASSES: "costs what {its} evidence says",
    CheckVerdict.PASSES_IN_PART: "costs only in part what {its} evidence says",
    CheckVerdict.FAILS: "does not cost what {its} evidence says",
    CheckVerdict.CANNOT_TELL: "cannot be told to cost what {its} evidence says",
}


@dataclass(frozen=True)
class _Found:
    """A view's verdict, its agreements by kind, and the regions where most is lost and where most evidence is."""

    verdict: CheckVerdict
    agreement: pd.DataFrame
    lost: pd.Series
    most_evidence: pd.Series

    @property
    def same(self) -> bool:
        return self.lost["region"] == self.most_evidence["region"]


class RegionOcclusion(Check):
    """One region of the face is hidden: does the margin lose what the map's evidence there says?

    It passes where the agreement is above that of the same holes made elsewhere, by both intervals, in the regions'
    means and in single faces; in part where one of the two is, or the means agree better than not at all. It fails
    where one of the two agreements is surely below that of the same holes elsewhere, or below none.
    """

    name = "occlusion"
    title = "Hidden regions"
    category = Category.FAITHFULNESS
    direction = Direction.HIGHER
    part = "occlusion"
    tables = ("regions", "agreement")
    sample_share = 4 / 15

    def result(self, checks: Checks, view: View) -> CheckResult | None:
        outcome = self._found(checks, view)
        if outcome is None:
            return None
        rows = outcome.agreement
        means, faces = rows.loc[Agreement.MEANS], rows.loc[Agreement.EACH_FACE]
        does = DOES[outcome.verdict].format(its="the map's")
        return CheckResult(
            f"{self.title}, {view.fill}",
            outcome.verdict,
            f"Hiding a region ({view.fill}) {does}: rank agreement over regions {interval_of(means, 'agreement')}, "
            f"against {interval_of(means, 'control')} for the same holes elsewhere; by unit of area "
            f"{interval_of(rows.loc[Agreement.MEANS_BY_AREA], 'agreement')}; in single faces "
            f"{interval_of(faces, 'agreement')} on average, against {interval_of(faces, 'control')}. "
            f"{_largest(outcome)}",
        )

    def clause(self, checks: Checks, view: View) -> str | None:
        outcome = self._found(checks, view)
        if outcome is None:
            return None
        lost, most_evidence = outcome.lost["region"], outcome.most_evidence["region"]
        where = (
            f"both largest at the {lost}"
            if outcome.same
            else f"most lost at the {lost}, most evidence at the {most_evidence}"
        )
        agreement = interval_of(outcome.agreement.loc[Agreement.MEANS], "agreement")
        return f"hiding a region {DOES[outcome.verdict].format(its='its')} (rank agreement {agreement}; {where})"

    def _found(self, checks: Checks, view: View) -> _Found | None:
        rows, regions = (checks.rows(self.part, table, view.group) for table in ("agreement", "regions"))
        if rows.empty:
            return None
        rows, regions = rows[rows["fill"] == view.fill].set_index("kind"), regions[regions["fill"] == view.fill]
        means, faces = rows.loc[Agreement.MEANS], rows.loc[Agreement.EACH_FACE]
        above = [bool(row["agreement_low"] > max(0.0, row["control_high"])) for row in (means, faces)]
        below = [bool(row["agreement_high"] < max(0.0, row["control_low"])) for row in (means, faces)]
        verdict = CheckVerdict.from_parts(all(above), any(above) or means["agreement_low"] > 0, any(below))
        return _Found(verdict, rows, regions.loc[regions["drop"].idxmax()], regions.loc[regions["evidence"].idxmax()])


def _largest(outcome: _Found) -> str:
    """Where most is lost and where most evidence is, with the other number beside each."""
    lost, evidence = outcome.lost, outcome.most_evidence
    if outcome.same:
        return (
            f"Both are largest at the {lost['region']}: {interval_of(lost, 'drop')} logits are lost, evidence "
            f"{interval_of(lost, 'evidence')}."
        )
    return (
        f"Most is lost at the {lost['region']}, {interval_of(lost, 'drop')} logits where the evidence is "
        f"{interval_of(lost, 'evidence')}; most evidence is at the {evidence['region']}, "
        f"{interval_of(evidence, 'evidence')} where {interval_of(evidence, 'drop')} are lost."
    )
