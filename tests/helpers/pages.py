"""A page of the app by Streamlit's AppTest, and what it says."""

from __future__ import annotations

import html
import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import ui.shell.open_audit
from core.present.text import escape
from tests.helpers.shipped import ROOT
from ui.shell.navigation import PAGES, Needs


def needing(*needs: Needs) -> list[str]:
    """The files of the pages that need one of these."""
    return [entry.file for entry in PAGES if entry.needs in needs]


def page(models: Path, name: str, monkeypatch: pytest.MonkeyPatch, **query: str | list[str]) -> AppTest:
    """A page, run once, with the given address; over all ages unless that says otherwise, see `opened`."""
    query = query if {"age", "adults"} & set(query) else {**query, "adults": "false"}
    return opened(models, name, monkeypatch, **query)


def opened(models: Path, name: str, monkeypatch: pytest.MonkeyPatch, **query: str | list[str]) -> AppTest:
    """A page, run once, with the given address and nothing else: as a visitor has it."""
    monkeypatch.setattr(ui.shell.open_audit, "MODELS", models)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.switch_page(str(ROOT / f"pages/{name}.py"))
    return app.run()


def markdown_of(app: AppTest) -> list[str]:
    """All that the page gives to Streamlit's Markdown: texts, labels, choices of buttons, figures."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "info", "warning", "error")
    texts = [str(element.value) for kind in kinds for element in app.get(kind)]
    texts += [text for element in app.metric for text in (element.proto.label, element.proto.body, element.proto.delta)]
    texts += [option.content for element in app.get("button_group") for option in element.proto.options]
    return texts + [
        element.label for kind in ("expander", "button", "toggle", "selectbox") for element in app.get(kind)
    ]


def shown_raw(app: AppTest, raw_text: str) -> list[str]:
    """Where the page has a text as it is written though Markdown, HTML or a chart would read it as markup."""
    places: list[str] = []
    if (safe := escape.markdown(f"x {raw_text}")[2:]) != raw_text:
        places += [text for text in markdown_of(app) if raw_text in text.replace(safe, "")]
    if html.escape(raw_text) != raw_text:
        places += [element.proto.body for element in app.get("html") if raw_text in element.proto.body]
    if (safe := escape.plotly(raw_text)) != raw_text:
        charts = [json.dumps(json.loads(element.proto.spec), ensure_ascii=False) for element in app.get("plotly_chart")]
        raw = json.dumps(raw_text, ensure_ascii=False)[1:-1]
        places += [chart for chart in charts if raw in chart.replace(safe, "")]
    return places


def text(app: AppTest) -> str:
    """All that the page says."""
    kinds = ("title", "subheader", "markdown", "caption", "info", "warning", "error", "html")
    return "\n".join(str(getattr(e, "value", None) or getattr(e.proto, "body", "")) for k in kinds for e in app.get(k))


def headline(app: AppTest) -> str:
    """The sentence that the page opens with, as markup."""
    return next(e.proto.body for e in app.get("html") if "lw-headline'" in e.proto.body).replace("&nbsp;", " ")
