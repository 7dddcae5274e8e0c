"""Tables of a page: numbers written as sentences write them, and a line where a table goes on beyond its edge."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ui.widgets import paper
from ui.widgets.layout import goes_on

SHARES = [0.926, -0.032, float("nan"), float("inf"), *[0.5] * 36]


def drawn(shares: list[float]) -> AppTest:
    def page(shares: list[float]) -> None:
        import pandas as pd

        from ui.widgets import layout

        frame = pd.DataFrame({"group": [f"g{n}" for n in range(len(shares))], "accuracy": shares, "points": shares})
        layout.table(frame, {"accuracy": "percent", "points": ".2f"})

    return AppTest.from_function(page, args=(shares,)).run()


def test_a_cell_is_written_as_a_sentence_writes_it_and_sorted_by_its_number() -> None:
    app = drawn(SHARES)
    assert not app.exception
    (table,) = app.dataframe
    assert table.value["accuracy"].iloc[0] == 0.926
    cells = table.proto.arrow_data.styler.display_values
    assert b"92.6 %" in cells and "−3.2 %".encode() in cells and "−0.03".encode() in cells
    assert b"nan" not in cells.lower() and b"inf" not in cells.lower()


def test_a_table_says_how_many_rows_lie_beyond_its_edge() -> None:
    lines = [element.proto.body for element in drawn(SHARES).get("html")]
    assert any("10 of 40 rows are in sight" in body for body in lines)
    assert not any("rows are in sight" in element.proto.body for element in drawn(SHARES[:9]).get("html"))
    frame = pd.DataFrame({"group": range(20)})
    assert "3 of 20 rows" in goes_on(frame, height=38 + 3 * 35) and goes_on(frame.head(10)) == ""


def test_columns_are_told_only_where_the_place_is_too_narrow() -> None:
    wide = pd.DataFrame({f"a long column {n}": ["words " * 3] for n in range(6)})
    line = goes_on(wide)
    assert "6 columns: where not all are in sight" in re.sub("<[^>]+>", "", line)
    (least,) = re.findall(r"@container \(min-width: (\d+)px\)", line)
    assert 600 <= int(least) <= 1200
    assert goes_on(wide.iloc[:, :2]) == ""


def test_print_has_all_rows_as_they_are_written_on_the_screen() -> None:
    (body,) = (element.proto.body for element in drawn(SHARES).get("html"))
    paper = body[body.index("<table") : body.index("</table>")]
    rows = [re.findall("<td[^>]*>(.*?)</td>", row) for row in re.findall("<tr>(.*?)</tr>", paper)[1:]]
    assert len(rows) == 40 and rows[0] == ["g0", "92.6 %", "0.93"] and rows[1] == ["g1", "−3.2 %", "−0.03"]
    assert rows[2] == ["g2", "–", "–"] and rows[-1] == ["g39", "50.0 %", "0.50"]
    assert "rows;" not in body, "nothing is left out"


def test_a_printed_table_writes_names_as_text_and_says_where_the_rest_of_a_long_one_is() -> None:
    frame = pd.DataFrame({"<b>": ["<script>", None, "a & b"] * 100, "seen": [True, False, True] * 100})
    body = paper.on_paper(frame, {})
    assert body.count("<tr>") == 1 + paper.MOST_ROWS
    assert "<td>&lt;script&gt;</td><td>yes</td>" in body.replace(" class='number'", "") and "<th>&lt;b&gt;</th>" in body
    assert "<script>" not in body and "<td>–</td>" in body and "a &amp; b" in body
    assert "The first 200 of 300 rows; all are in the CSV that the page's Downloads offer" in body


def test_letters_in_print_are_smaller_where_columns_need_it() -> None:
    def ems(columns: int) -> float:
        frame = pd.DataFrame({f"column{n}": ["word " * 9] for n in range(columns)})
        return float(re.search(r"100cqw / ([\d.]+)", paper.on_paper(frame, {}))[1])

    assert ems(12) == pytest.approx(6 * ems(2), rel=0.05), "by the columns' words, which wrap, and not their lines"


def test_numbers_of_which_nothing_is_said_are_written_in_the_house_form_too() -> None:
    def page() -> None:
        import pandas as pd

        from ui.widgets import layout

        more = {"n": [1412, 3, 8], "g": [-0.072812, 2.5, float("nan")], "p_holm": [0.00001, 0.25, 1.0]}
        layout.table(pd.DataFrame({"group": ["a", "b", "c"], **more, "whole": [2.0, 3.0, float("nan")]}))

    app = AppTest.from_function(page).run()
    assert not app.exception
    cells = app.dataframe[0].proto.arrow_data.styler.display_values
    for text in ("1,412", "−0.0728", "2.5", "< 0.0001", "0.250"):
        assert text.encode() in cells, text
    assert b"-0.0" not in cells and b"2.0" not in cells


def test_tables_of_nothing_are_drawn() -> None:
    def page() -> None:
        import pandas as pd

        from ui.widgets import layout

        layout.table(pd.DataFrame({"n": pd.Series(dtype=int), "share": pd.Series(dtype=float)}))
        layout.table(pd.DataFrame({"share": [float("nan")], "n": pd.array([None], dtype="Int64")}))

    assert not AppTest.from_function(page).run().exception


def test_on_paper_the_sign_of_a_small_p_stays_with_its_number() -> None:
    body = paper.on_paper(pd.DataFrame({"p": [0.00001]}), {"p": lambda p: "< 0.0001"})
    assert "&lt;\u00a00.0001</td>" in body
