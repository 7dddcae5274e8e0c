"""A table as PDF: widths that fit, numbers of one form, a page for each forty rows."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from PIL import PdfParser

from core.present.export.provenance import SIZES, Provenance, Source
from core.present.export.table_pages import EDGE, GAP, LINES, _columns, _fitting, _rows_of_pages, pdf

SIZE = SIZES["two columns"]
ABOUT = Provenance((Source("made", "all"),), "accuracy", "show", "all faces", "2026-11-26")


def test_the_widest_columns_share_what_is_left() -> None:
    assert _fitting([10, 20, 30], 100) == 30
    assert _fitting([10, 50, 70], 100) == 45
    assert _fitting([80, 90], 100) == 50


def test_short_columns_are_not_broken_beside_a_long_one() -> None:
    table = pd.DataFrame(
        {"camera": ["a name as long as two lines are, " * 5] * 2, "gender": ["female", None], "n": [1200, 7]}
    )
    columns = _columns(table, SIZE)
    assert [column.right for column in columns] == [False, False, True]
    assert len(columns[0].lines[1]) > 1 and columns[1].lines[1:] == [["female"], ["–"]]
    assert columns[2].lines[1:] == [["1,200"], ["7"]]
    assert sum(column.width for column in columns) + 2 * GAP + 2 * EDGE <= SIZE.mm + 1e-6


def test_numbers_of_a_column_have_the_same_decimals() -> None:
    (column,) = _columns(pd.DataFrame({"x": [-1.5, 20.0, np.nan]}), SIZE)
    assert column.lines[1:] == [["−1.5"], ["20.0"], ["–"]]


def test_rows_of_several_lines_fill_a_page_sooner() -> None:
    table = pd.DataFrame({"site": ["archive of the municipal photographic service, " * 4] * 40, "n": range(40)})
    (height,) = {len(lines) for lines in _columns(table, SIZE)[0].lines[1:]}
    assert height > 1
    pages = _rows_of_pages(_columns(table, SIZE), 40)
    assert [row for page in pages for row in page] == list(range(1, 41))
    assert all(len(page) * height <= LINES for page in pages) and len(pages) == -(-40 // (LINES // height))
    document = PdfParser.PdfParser(f=io.BytesIO(pdf(table, "Accuracy by site", ABOUT, SIZE)))
    assert len(document.pages) == len(pages)


@pytest.mark.parametrize(("rows", "pages"), [(0, 1), (40, 1), (41, 2)])
def test_each_forty_rows_have_a_page(rows: int, pages: int) -> None:
    table = pd.DataFrame({"group": [f"level {n} $x_1$" for n in range(rows)], "n": range(rows)})
    document = PdfParser.PdfParser(f=io.BytesIO(pdf(table, "Accuracy by level", ABOUT, SIZE)))
    assert len(document.pages) == pages
    assert document.info.Title == "Accuracy by level" and "model made" in document.info.Subject


@pytest.mark.parametrize(
    "sign", ["\ufeff", "\u202e", "\u2066", "\u2028", "\u200b", "\u200d", "\0", "\x1b", "\u0335", "\U000e0001"]
)
def test_a_sign_without_a_letter_of_its_own_is_no_defect(sign: str) -> None:
    """A mark of byte order within a name ended matplotlib."""
    assert pdf(pd.DataFrame({f"a{sign}": [f"b{sign}c", sign]}), f"t{sign}", ABOUT, SIZE).startswith(b"%PDF")
