"""Tables of a page: numbers written as sentences write them, and a line where a table goes on beyond its edge."""

from __future__ import annotations

import re

import pandas as pd
from streamlit.testing.v1 import AppTest

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
    paper = re.sub("<span class='lw-on-screen'>.*?</span>", "", goes_on(frame))
    assert "scroll" not in paper and "10 of 20 rows are in sight" in paper, "nothing scrolls on paper"
    assert "the app's page has the others" in paper
    assert "3 of 20 rows" in goes_on(frame, height=38 + 3 * 35) and goes_on(frame.head(10)) == ""


def test_columns_are_told_only_where_the_place_is_too_narrow() -> None:
    wide = pd.DataFrame({f"a long column {n}": ["words " * 3] for n in range(6)})
    line = goes_on(wide)
    assert "6 columns: where not all are in sight" in re.sub("<[^>]+>", "", line)
    (least,) = re.findall(r"@container \(min-width: (\d+)px\)", line)
    assert 600 <= int(least) <= 1200
    assert goes_on(wide.iloc[:, :2]) == ""


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
