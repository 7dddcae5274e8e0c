"""The page «The study, repeated»: its numbers are the command's, its pictures the first network's."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.analysis.findings.diversity import open_diversity, questions
from core.analysis.findings.repeated import open_repeated, seven_figures
from core.present.text import escape
from core.present.text import repeated as words
from tests.helpers.made_experiment import make_diversity, make_repeated
from tests.helpers.pages import headline, page, text


def test_the_page_says_what_the_command_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_repeated(tmp_path)
    app = page(tmp_path, "repeated", monkeypatch)
    assert not app.exception and not app.error
    study = open_repeated(tmp_path)
    table, shown = seven_figures(study, "first"), text(app)
    assert words.headline(study, "first", table) in headline(app)
    assert words.outcome(table) in shown
    given = next(frame.value for frame in app.dataframe if "original" in frame.value)
    assert list(given["mean"]) == pytest.approx(list(table["mean"].round(3)), nan_ok=True)
    assert "3 · Test" in shown and "Network 2:" in "".join(str(badge.proto.body) for badge in app.markdown)
    claims = words.plain_claims(study, "first")
    for row in claims.itertuples():
        assert escape.sentence(row.plain or row.sentence) in shown, "what came out stands in plain words where it can"
        assert escape.sentence(row.sentence) in shown
    app.selectbox(key="test").set_value("second").run()
    assert words.headline(study, "second", seven_figures(study, "second")) in headline(app)


def test_without_a_repetition_the_page_says_how_it_comes_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(tmp_path, "repeated", monkeypatch)
    assert "train/plans/repeated.yaml" in text(app) and not app.exception


def test_diversity_is_the_other_part_and_says_that_nobody_has_run_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page(tmp_path, "repeated", monkeypatch, part="Diversity of training")
    assert "Nobody has run it yet." in headline(app) and "train/plans/diversity.yaml" in text(app)
    make_diversity(tmp_path, n=300)
    app = page(tmp_path, "repeated", monkeypatch, part="Diversity of training")
    assert not app.exception and not app.error
    study = open_diversity(tmp_path)
    found = questions(study, "fairface")
    assert found[0].sentence[1:80] in headline(app).replace("\\", "")
    assert "LFW alone" in text(app)
