"""The page «About»: true of every audit, so the same for any; its words in order, each a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.analysis.original_study import MORPH_ACCURACY
from core.present.text.glossary import glossary
from tests.helpers.pages import opened, text
from tests.helpers.shipped import ROOT


def test_the_words_are_in_order_and_sentences() -> None:
    assert list(glossary()) == sorted(glossary(), key=str.lower)
    assert all(words.endswith(".") and words[0].isupper() for words in glossary().values())


def test_it_says_the_same_whatever_is_open(study, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = opened(ROOT / "models", "about", monkeypatch)
    made_app = opened(study[0], "about", monkeypatch)
    assert not shipped.exception and not shipped.error
    body = [[element.value for element in app.main.markdown] for app in (shipped, made_app)]
    assert body[0] == body[1]
    assert len(body[0]) >= 4
    page_text = text(shipped)
    assert "How not to read it" in page_text
    assert all(term in page_text for term in glossary())
    (table,) = shipped.dataframe
    assert len(table.value) == len(MORPH_ACCURACY)
    assert "50 %" in table.value.to_string()


def test_without_a_model_the_first_steps_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(tmp_path, "about", monkeypatch)
    assert not app.exception and "python -m core align" in text(app)
