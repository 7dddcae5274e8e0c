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
    models = open_board(board.FOLDER)
    page_text = text(app)
    assert (
        "surely right less often for" in page_text and "By this rule no model has evidently seen UTKFace." in page_text
    )
    table = next(frame.value for frame in app.dataframe if "worst" in frame.value)
    expected = summary(models, "fairface", board.ADULTS).set_index("model")["accuracy"]
    accuracies = table.set_index("model")["accuracy"]
    assert set(expected.index) <= set(accuracies.index)
    pd.testing.assert_series_equal(accuracies[expected.index], expected.round(3), check_names=False)
