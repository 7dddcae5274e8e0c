"""What the style sheet of print keeps whole."""

from __future__ import annotations

import re

from core.present.figures import html_rows
from tests.helpers.shipped import ROOT
from ui.shell import screen

#: Grids that print may part between their items, and what keeps an item whole; the others are whole themselves.
ITEMS = {"lw-grid": ".lw-card", "lw-looks": ".lw-looks > div", "lw-row": "figure", "lw-crops": "figure"}
#: Of single faces, which are not printed apart, and what lies within an item of another grid.
WITHIN = {"lw-pair": "lw-pairs", "lw-facts": "lw-face"}


def test_no_image_or_chart_of_ours_is_torn_by_the_end_of_a_sheet() -> None:
    (rule,) = re.findall(r"\n (figure, [^{]*) \{break-inside: avoid\}", screen.STYLE)
    whole = {selector.strip() for selector in rule.split(",")}
    sources = {
        file: file.read_text() for file in [*(ROOT / "ui").rglob("*.py"), *(ROOT / "core/present").rglob("*.py")]
    }
    grids = {name for source in sources.values() for name in re.findall(r"\.(lw-[a-z]+) \{display: grid", source)}
    assert {"lw-grid", "lw-looks", "lw-pairs", "lw-models"} <= grids
    for name in grids | {"lw-rows"}:
        own_rule = any(
            re.search(rf"@media print \{{\.{name} [^}}]*break-inside: avoid", text) for text in sources.values()
        )
        outer = WITHIN.get(name, name)
        assert own_rule or ITEMS.get(outer, f".{outer}") in whole, name
    assert "lw-rows" in html_rows.STYLE
