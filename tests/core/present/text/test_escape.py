"""Plain text stays plain wherever more than text is read; Markdown is asked of a parser, not of our own rules."""

from __future__ import annotations

import csv
import html
import io
import re

import pandas as pd
import pytest
from markdown_it import MarkdownIt

from core.present.export import tables
from core.present.report.build import render
from core.present.text import escape
from tests.helpers.odd_names import ODD_NAMES
from tests.helpers.shipped import ROOT

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
JOINER = "\u2060"


def shown(text: str) -> str:
    """What a reader sees of Markdown; fails where it holds anything but one paragraph of text."""
    tokens = PARSER.parse(text)
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"], text
    kinds = {child.type for child in tokens[1].children}
    assert kinds <= {"text", "text_special"}, (text, kinds)
    return "".join(child.content for child in tokens[1].children).replace(JOINER, "")


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("around", ["{}", "{} women", "Among {}: 3", "«{}»", "x ({})", "n = 3, {}"])
def test_markdown_shows_a_name_as_it_is(name: str, around: str) -> None:
    assert shown(around.format(escape.markdown(name))) == around.format(escape.one_line(name))


@pytest.mark.parametrize("name", ODD_NAMES)
def test_what_streamlit_adds_to_markdown_is_out_of_force(name: str) -> None:
    """Its own marks: colours, badges and icons (`:red[x]`, `:material/x:`), emoji (`:x:`), formulas, arrows."""
    text = escape.markdown(name)
    assert not re.search(r"(?<!\\):\w", text)
    assert not re.search(r":[\w+-]+:|:material/", text), "these are looked for whatever stands before them"
    assert not re.search(r"(?<!\\)\$", text)
    assert not re.search(r"(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)", text)


def test_words_are_left_as_they_are() -> None:
    """What is looked for on a page can be found in its Markdown."""
    for text in ("utkface-test", "my_model", "92.6 % [91.7–93.3] of 381", "p < 0.0001", "A & B", "Purple", "12:30"):
        assert escape.markdown(text).replace(r"\:", ":") == text


def test_a_command_of_ours_stands_as_code_in_a_sentence_and_nothing_else_does() -> None:
    text = escape.sentence("*a*: no store; make it with `python -m core align --data A_b_c`, and `rm *x*` stays")
    [inline] = [token for token in PARSER.parse(text) if token.type == "inline"]
    assert [child.content for child in inline.children if child.type == "code_inline"] == [
        "python -m core align --data A_b_c"
    ]
    assert {child.type for child in inline.children} <= {"text", "text_special", "code_inline"}
    content = "".join(child.content for child in inline.children).replace(JOINER, "")
    assert content == "*a*: no store; make it with python -m core align --data A_b_c, and `rm *x*` stays"
    assert escape.sentence("1. `python -m core`").startswith("1\\.")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_sentence_without_a_command_is_as_any_text(name: str) -> None:
    assert escape.sentence(name) == escape.markdown(name)


def test_signs_that_turn_the_line_round_are_taken_out() -> None:
    assert escape.one_line("a\u202eb\u2066c\u2069") == "abc"
    assert escape.one_line(" a\r\n\tb\x00 ") == "a b"


@pytest.mark.parametrize(
    "name", ["a\u202eb", "a\u2066b\u2069", "a\x1b[31mb", "a\x00b", "a\x85b", "a\u2028b", "<b>\u202d'\""]
)
def test_html_of_pages_and_report_has_no_sign_that_nobody_sees(name: str) -> None:
    """One of them turns the direction of all that follows it, another colours what is copied into a terminal."""
    shown = html.unescape(escape.in_html(f"{name}\nof two lines"))
    assert shown == re.sub("[^ -~\n]", "", name).replace("\x1b", "") + "\nof two lines"
    page = render(title=name, facts=[(name, name)], headline=name, warnings=[name], sections=[])
    assert html.escape(html.unescape(escape.in_html(name)), quote=False)[:1] in page
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", page)


def test_pages_write_names_by_no_other_way() -> None:
    files = [file for file in (ROOT / "ui").rglob("*.py") if "html.escape(" in file.read_text()]
    assert not files


@pytest.mark.parametrize("name", ODD_NAMES)
def test_plotly_shows_a_name_as_it_is(name: str) -> None:
    text = escape.plotly(name)
    assert html.unescape(text) == escape.one_line(name)
    assert "<" not in text and "$" not in text and "%{" not in text


@pytest.mark.parametrize("name", ["=1+1", "+x", "-x", "@x", " =x", "\tx", "\rx", "\nx", "＝x", "-1+2", "+nan", "-inf",
                                  "\ufeff=x", "\u200f=x", "\u202e@x", " \u2060-x"])  # fmt: skip
def test_a_formula_in_a_cell_is_text(name: str) -> None:
    assert escape.cell(name) == "'" + name.replace("\r", "\n")


@pytest.mark.parametrize("value", ["White", "-1", "+2.5", "-1e-3", "a=b", "", 3, None, 1.5])
def test_other_cells_are_left_as_they_are(value: object) -> None:
    assert escape.cell(value) == value or value is None


def test_a_carriage_return_does_not_end_a_row() -> None:
    table = pd.DataFrame({"group": ["a\rb", "a\r\nb", "\r=1", "c\0d"], "n": [1, 2, 3, 4]})
    rows = list(csv.reader(io.StringIO(tables.csv(table).decode(), newline="")))
    assert rows == [["group", "n"], ["a\nb", "1"], ["a\nb", "2"], ["'\n'=1", "3"], ["cd", "4"]]
