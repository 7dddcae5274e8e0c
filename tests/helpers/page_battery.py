"""What every page of the list must do, whoever wrote it: run over `navigation.PAGES`, and over one just added."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from unittest.mock import patch

from streamlit.testing.v1 import AppTest

import ui.shell.open_audit
from core.present.text.glossary import glossary
from tests.helpers.pages import text
from tests.helpers.shipped import ROOT
from ui.shell.navigation import Needs, PageEntry

HOSTILE = "![x](http://evil/t.png) <script>alert(1)</script> **b** 👩🏽 /../"
HEADLINE = "class='lw-headline'"


@dataclass(frozen=True)
class Studies:
    """Folders of models that a page may meet, and an address that leaves no face in the first.

    `whole`: two models audited on the same faces, with checks. `predictions`: an audit without maps. `bare`: faces of
    which neither ethnicity nor age is recorded. `unaudited`: a model alone. `nothing`: an empty folder.
    """

    whole: Path
    predictions: Path
    bare: Path
    unaudited: Path
    nothing: Path
    no_face: dict[str, str | list[str]]


def open_page(entry: PageEntry, models: Path, /, **query: str | list[str]) -> AppTest:
    """A page, run once on a folder of models, with the given address."""
    with patch.object(ui.shell.open_audit, "MODELS", models):
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
        for key, value in query.items():
            app.query_params[key] = value
        app.switch_page(str(entry.path))
        return app.run()


def whole_page(entry: PageEntry, studies: Studies) -> AppTest:
    """A page of the first studies under its bare address; run once for all checks that only read it."""
    return _whole_page(entry, studies.whole, entry.path.read_bytes())


@lru_cache(maxsize=1)
def _whole_page(entry: PageEntry, models: Path, source: bytes) -> AppTest:
    return open_page(entry, models)


def _runs(app: AppTest) -> AppTest:
    assert not app.exception, [element.value for element in app.exception]
    assert not app.error, [element.value for element in app.error]
    return app


def check_opens_with_title_and_headline_and_offers_its_charts(entry: PageEntry, studies: Studies) -> None:
    app = _runs(whole_page(entry, studies))
    assert [title.value for title in app.title] == [entry.heading or entry.title]
    assert text(app).count(HEADLINE) == 1
    items = app.session_state["downloads"].items.values()
    assert all(item.title for item in items)
    offered = 0 if entry.single_faces else len(app.get("plotly_chart"))
    assert sum(item.kind == "chart" for item in items) == offered


def check_without_a_model_says_how_to_make_one(entry: PageEntry, studies: Studies) -> None:
    page_text = text(_runs(open_page(entry, studies.nothing)))
    # The page of words explains them without one too.
    assert "python -m core align" in page_text or (entry.glossary and "Grad-CAM" in page_text)


def check_without_an_audit_says_which_command_makes_it(entry: PageEntry, studies: Studies) -> None:
    app = _runs(open_page(entry, studies.unaudited))
    if entry.needs >= Needs.AUDIT:
        assert "has not been audited yet" in text(app)
        assert any("core audit --model" in block.value for block in app.get("code"))


def check_without_maps_says_what_is_missing(entry: PageEntry, studies: Studies) -> None:
    page_text = text(_runs(open_page(entry, studies.predictions)))
    assert ("**predictions** were imported" in page_text) == (entry.needs >= Needs.MAPS)


def check_without_ethnicity_and_age_stays_useful(entry: PageEntry, studies: Studies) -> None:
    app = _runs(open_page(entry, studies.bare))
    assert HEADLINE in text(app) or any("python -m" in block.value for block in app.get("code"))


def check_no_face_left_says_what_to_do(entry: PageEntry, studies: Studies) -> None:
    app = _runs(open_page(entry, studies.whole, **studies.no_face))
    if any(element.key == "gender" for element in app.get("button_group")):  # it has a filter bar
        assert "No face passes this filter" in text(app)
        assert not app.get("plotly_chart")


@lru_cache(maxsize=1)
def parameters() -> tuple[str, ...]:
    """Every parameter that an address may have: keys of widgets, and what pages ask for by name."""
    sources = "".join(file.read_text() for file in sorted((ROOT / "ui").rglob("*.py")))
    keys = re.findall(r'(?:key=|asked\(|query_params(?:\.get(?:_all)?)?[\[(])"([a-z_]+)"', sources)
    groups = [
        f"{letter}_{of}" for letter in "abcd" for of in ("gender", "ethnicity", "age", "outcome", "column", "level")
    ]
    more = ["threshold", *(f"model_{letter}" for letter in "abcd"), "by.glasses", "by.", f"by.{HOSTILE}"]
    return tuple(dict.fromkeys([*keys, *groups, *more]))


#: Values that are none: markup, paths, numbers beyond any, what looks like a number, signs without width.
NONSENSE = (
    [HOSTILE, "", "💥", "-1"],
    [HOSTILE * 100, "../../etc/passwd\0", "9" * 5000],
    ["nan", "1e999", "²", "\u202e\n# x", "-0", "٣"],
)


def check_a_hostile_link_changes_nothing(entry: PageEntry, studies: Studies) -> None:
    for values in NONSENSE:
        app = _runs(open_page(entry, studies.whole, **dict.fromkeys(parameters(), values)))
        kinds = ("markdown", "caption", "info", "warning")
        texts = [re.sub(r"\\.", "", element.value) for kind in kinds for element in app.get(kind)]
        assert not any("![x]" in line or "](http://evil" in line or "**b**" in line for line in texts)
        assert "<script>" not in "".join(element.proto.body for element in app.get("html"))
        assert not any("9" * 100 in line for line in texts), "what a link asks for in vain is cut"


def sentences(app: AppTest) -> list[tuple[str, str]]:
    """The page's words from top to bottom, each with its help: paragraphs, quiet lines, headings, the headline."""
    texts = []
    for node in app.main:
        if node.type in ("markdown", "caption", "subheader"):
            texts.append((re.sub(r"`[^`]*`", "", node.value), node.proto.help))
        elif node.type == "html" and HEADLINE in node.proto.body:
            visible, _, its_help = node.proto.body.partition("<span class='lw-help'")
            texts.append((html.unescape(visible.split(HEADLINE)[1]), html.unescape(its_help)))
    return texts


def check_each_terms_first_use_has_its_help_once(entry: PageEntry, studies: Studies) -> None:
    app = _runs(whole_page(entry, studies))
    said = sentences(app)
    for term, meaning in glossary().items():
        plain = [re.search(rf"(?<![\w-]){term}s?(?![\w-])", text, 0 if term.isupper() else re.I) for text, _ in said]
        uses = [place for place, hit in enumerate(plain) if hit]
        helped = [place for place, (_, its_help) in enumerate(said) if meaning in its_help.replace("\\", "")]
        if entry.glossary:
            assert not helped and sum(meaning in text.replace("\\", "") for text, _ in said) == 1, term
        elif uses:
            assert len(helped) == 1 and helped[0] <= uses[0], (term, said[uses[0]], helped)


#: One thing a page must do each: what it takes is the page's entry and the studies.
BATTERY: tuple[Callable[[PageEntry, Studies], None], ...] = (
    check_opens_with_title_and_headline_and_offers_its_charts,
    check_without_a_model_says_how_to_make_one,
    check_without_an_audit_says_which_command_makes_it,
    check_without_maps_says_what_is_missing,
    check_without_ethnicity_and_age_stays_useful,
    check_no_face_left_says_what_to_do,
    check_a_hostile_link_changes_nothing,
    check_each_terms_first_use_has_its_help_once,
)
