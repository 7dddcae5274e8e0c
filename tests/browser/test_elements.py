"""What Streamlit draws, under the app's style sheet: text has contrast, tables and charts have names and a focus."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.chromium import FAINT, served

pytestmark = pytest.mark.browser
PAGE = Path(__file__).parents[1] / "helpers/elements_page.py"
SHOWN = '[data-testid="stCode"] span, [data-testid="stCaptionContainer"] a, [data-testid="stCaptionContainer"] code'
#: Of tables' grids and what scrolls them, those with an outline: the table's number and the element's kind.
OUTLINED = """tables => tables.flatMap((table, n) => [...table.querySelectorAll("canvas, .dvn-scroller")]
  .filter(part => getComputedStyle(part).outlineStyle !== "none").map(part => [n, part.tagName]))"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_tables_show_the_focus_and_charts_have_names(browser, tmp_path: Path, scheme: str) -> None:
    with served(tmp_path / "log", str(PAGE)) as address:
        page = browser.new_context(color_scheme=scheme).new_page()
        page.goto(address)
        page.wait_for_selector(".lw-headline", timeout=60_000)
        page.locator('[data-testid="stCode"] .token.string').first.wait_for(timeout=60_000)
        page.locator('[data-testid="stDataFrame"] canvas').nth(2).wait_for(state="attached", timeout=60_000)
        tokens = page.locator('[data-testid="stCode"] .token').evaluate_all(
            "all => [...new Set(all.map(t => t.className))]"
        )
        assert len(tokens) > 8, "code in all colours"
        assert page.locator(SHOWN).evaluate_all(FAINT) == []
        tables, outlined, expected = (
            page.locator('[data-testid="stDataFrame"]'),
            [],
            [[0, "CANVAS"], [1, "CANVAS"], [1, "DIV"]],
        )
        for _ in range(80):
            page.keyboard.press("Tab")
            now = tables.evaluate_all(OUTLINED)
            assert len(now) <= 1, "the sign is where the focus is, and nowhere else"
            outlined += [part for part in now if part not in outlined]
            if outlined == expected:
                break
        assert outlined == expected
        page.locator(".main-svg").nth(2).wait_for(state="attached", timeout=60_000)
        assert page.get_by_role("figure", name="Chart: Three").count() == 1
        grid = page.locator('[role="grid"][aria-label="Table: Two"]')
        grid.first.wait_for(state="attached", timeout=60_000)
        assert grid.count() == 1
        hidden = "layers => layers.map(layer => [layer.textContent.trim() === '', layer.ariaHidden === 'true'])"
        layers = page.locator(".main-svg").evaluate_all(hidden)
        assert len(layers) == 3 and all(empty == silent for empty, silent in layers) and [True, True] in layers
        page.context.close()
