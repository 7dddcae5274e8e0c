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


def test_it_needs_no_model_and_other_pages_lead_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has nothing yet may read what this is; a page that needs a model has its title and says what to do."""
    app = opened(tmp_path, "about", monkeypatch)
    assert not app.exception and all(term in text(app) for term in glossary())
    other = opened(tmp_path, "gaps", monkeypatch)
    assert not other.exception and [title.value for title in other.title] == ["Gaps and tests"]
    assert "python -m core align" in text(other)
    assert [link.proto.page for link in other.get("page_link")] == ["runs", "about"]
