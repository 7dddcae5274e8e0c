"""Would another attribution method show the same? It is described, not judged: a method that differs may be worse."""

from __future__ import annotations

from core.checks.definitions.base import Category, Check, CheckResult, Direction, View
from core.checks.definitions.words import interval_of, listed
from core.checks.results import Checks

#: From this mean rank correlation on a method is said to rank the cells as the closed form does.
SAME = 0.999


class MethodAgreement(Check):
    """Rank correlation of other methods' maps with the closed form Grad-CAM; a part a method."""

    name = "methods"
    title = "Methods"
    category = Category.AGREEMENT
    direction = Direction.HIGHER
    part = "methods"
    tables = ("methods",)
    sample_share = 2 / 25
    opens_network = True

    def result(self, checks: Checks, view: View) -> CheckResult | None:
        rows = checks.table("methods", view.group)
        if rows.empty or rows["mean"].isna().all():
            return None
        rows = rows.sort_values("mean", ascending=False, kind="stable").dropna(subset="mean")
        same, rest = list(rows.loc[rows["mean"] > SAME, "method"]), rows[rows["mean"] <= SAME]
        text = f"{listed(same)} rank{'s' if len(same) == 1 else ''} the cells as the closed form does" if same else ""
        if len(rest):
            ends = [rest.iloc[0]] if len(rest) == 1 else [rest.iloc[0], rest.iloc[-1]]
            words = " and least ".join(f"{r['method']} at {interval_of(r)}" for r in ends)
            text += ("; of the others" if text else "Of the methods compared") + f", the nearest is {words}"
        return CheckResult(self.title, None, text + ".")
