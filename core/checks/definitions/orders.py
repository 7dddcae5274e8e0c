"""Do the places that the map marks matter? What checks share that change pixels in the map's order.

The same is done with orders that know nothing of the face (controls): a map passes against those that it beats.
"""

from __future__ import annotations

from typing import ClassVar

from core.checks.definitions.base import Category, Check, CheckResult, View
from core.checks.definitions.words import listed
from core.checks.results import Checks
from core.checks.stored_words import RemovalOrder
from core.verdicts import CheckVerdict
from core.wording import lower_first


class OrderCheck(Check):
    """A check whose stored curve is that of a score over the share of pixels changed; its number is the area below.

    `kind` is its name in the part's tables, `short` in a chart, `axis` the words for the share. `does` and `does_not`
    say what a map that passes and one that fails does, up to «than».
    """

    category = Category.FAITHFULNESS
    tables = ("areas",)
    curves = True
    sample_share = 1 / 5
    kind: ClassVar[str]
    short: ClassVar[str]
    axis: ClassVar[str]
    does: ClassVar[str]
    does_not: ClassVar[str]
    #: Whether the page's first sentence names this check.
    leads: ClassVar[bool] = False

    def result(self, checks: Checks, view: View) -> CheckResult | None:
        comparison = self._compared(checks, view, "it")
        return None if comparison is None else CheckResult(self.title, comparison[0], f"{comparison[1]}.")

    def clause(self, checks: Checks, view: View) -> str | None:
        comparison = self._compared(checks, View(view.group), "the map") if self.leads else None
        return None if comparison is None else lower_first(comparison[1])

    def _compared(self, checks: Checks, view: View, marker: str) -> tuple[CheckVerdict, str] | None:
        """Verdict, and the comparison with the controls in words; `marker` is what the sentence calls the map."""
        rows = checks.rows(self.part, "areas", view.group)
        if rows.empty:
            return None
        rows = rows[(rows["kind"] == self.kind) & (rows["score"] == view.score) & rows["less"].notna()]
        better: list[str] = []
        even: list[str] = []
        worse: list[str] = []
        for row in rows.to_dict("records"):
            low, high = sorted(self.direction.sign * row[end] for end in ("less_low", "less_high"))
            (better if high < 0 else worse if low > 0 else even).append(RemovalOrder(row["order"]).than)
        does = self.does.format(marker=marker, score=view.score)
        if better:
            text = f"{does} {listed(better)}"
            text += f", but not surely than {listed(even, 'or')}" if even else ""
            text += f", {'and' if even else 'but'} not than {listed(worse, 'or')}" if worse else ""
        elif worse:
            text = f"{self.does_not.format(marker=marker, score=view.score)} {listed(worse, 'or')}"
            text += f", and not surely than {listed(even, 'or')}" if even else ""
        else:
            text = f"Whether {lower_first(does)} {listed(even, 'or')}, these faces do not tell"
        if worse:
            text += f" (it is worse than {listed(worse)})"
        return CheckVerdict.from_parts(len(better) == len(rows), bool(better), bool(worse)), text
