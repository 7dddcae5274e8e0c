"""The page «The board»: its numbers are those of the shipped audits, and it says so where there is none."""

from __future__ import annotations

import pandas as pd
import pytest

from core.analysis.comparison.board import open_board, summary
from tests.helpers.pages import page, text
from tests.helpers.shipped import MODEL, shipped_or_skip
from ui.views import board


def test_the_page_shows_each_model_and_says_for_whom_they_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped_or_skip()
    app = page(MODEL.parent, "board", monkeypatch)
    assert not app.exception
    found = open_board(board.FOLDER)
    shown = text(app)
    assert "surely right less often for" in shown and "By this rule no model has evidently seen UTKFace." in shown
    table = next(frame.value for frame in app.dataframe if "worst" in frame.value)
    expected = summary(found, "fairface", board.ADULTS).set_index("model")["accuracy"]
    given = table.set_index("model")["accuracy"]
    assert set(expected.index) <= set(given.index)
    pd.testing.assert_series_equal(given[expected.index], expected.round(3), check_names=False)
