"""Every page with names that are markup of some kind: what is shown is the name, whatever draws it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.present.text import escape
from tests.helpers.made_study import audited_models
from tests.helpers.odd_names import ODD_NAMES
from tests.helpers.pages import markdown_of, page, shown_raw
from ui.shell.navigation import PAGES, Needs

#: A few of each kind; the functions that escape are tested with all.
NAMES = (
    "*other*", "<b>Asian</b>", "[link](http://example.org)", ":red[White]", "1. light", "- none", "$x^2$ and $y$",
    "a|b", "any", "all", "%{x}", ":smile:", "two\nlines",
)  # fmt: skip
FACES = 12 * 2 * len(NAMES)
DRAWN = [entry.file for entry in PAGES if Needs.AUDIT <= entry.needs <= Needs.MAPS]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models audited on faces of groups with such names, twelve of each gender."""
    root = tmp_path_factory.mktemp("odd-names")
    names = np.array(NAMES)[np.arange(FACES) // 2 % len(NAMES)]
    audited_models(root, FACES, names=("*one*", "two"), columns={"ethnicity": names})
    return root


@pytest.mark.parametrize("name", DRAWN)
def test_a_page_shows_names_as_they_are(name: str, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(models, name, monkeypatch)
    assert not app.exception and not app.error, [element.value for element in (*app.exception, *app.error)]
    texts = markdown_of(app)
    for group in (*NAMES, "*one*"):
        assert not shown_raw(app, group), group
        if escape.markdown(f"x {group}")[2:] == group != escape.markdown(group):  # a list at the start of a line alone
            assert not [text for text in texts if text.startswith(group)], group


def test_the_filter_bar_offers_each_name_and_filters_by_it(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for group in ("any", "[link](http://example.org)", "two\nlines"):
        app = page(models, "overview", monkeypatch, ethnicity=group)
        (bar,) = (element for element in app.get("button_group") if element.key == "ethnicity")
        assert bar.value == [group]
        assert {option.content for option in bar.proto.options} == set(map(escape.markdown, NAMES))
        assert next(element.value for element in app.metric if element.label == "Faces") == "24"


def test_a_group_that_is_called_any_is_told_from_any(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(
        models, "heatmaps", monkeypatch, a_ethnicity="any", a_gender="female", b_ethnicity="all", b_gender="male"
    )
    assert app.selectbox(key="a_ethnicity").value == "any"
    text = "\n".join(element.value for element in app.markdown)
    assert "A: Any women" in text and "B: All men" in text
    app = page(models, "heatmaps", monkeypatch, a_ethnicity="any faces", a_gender="female")
    # Of no choice at all Streamlit would show «Choose an option», and write «None» into the address.
    assert app.selectbox(key="a_ethnicity").value == "any faces"
    assert "A: Women" in "\n".join(element.value for element in app.markdown)


def test_the_names_are_of_many_kinds() -> None:
    assert set(NAMES) <= set(ODD_NAMES)
    assert len(set(map(escape.one_line, ODD_NAMES))) == len(ODD_NAMES)
