"""A page's table in print: a grid that scrolls draws only what is in sight, so on paper all its rows stand as HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from core.present.text import escape
from core.wording import NONE

#: Rows that are printed at most: about five sides. Longer lists are for a file.
MOST_ROWS = 200
#: Rows up to which a table is not parted by the end of a page.
SHORT = 12
#: What a letter takes, and what stands round a cell, in widths of an m.
_LETTER, _ROUND = 0.6, 0.9
STYLE = """
<style>
.lw-paper {display: none}
@media print {
 .lw-paper {display: block; container-type: inline-size; margin: .2rem 0 .8rem 0}
 .lw-paper table {border-collapse: collapse; max-width: 100%; line-height: 1.25; font-variant-numeric: tabular-nums}
 .lw-paper thead {display: table-header-group}
 .lw-paper tr, .lw-paper table.short {break-inside: avoid}
 .lw-paper th, .lw-paper td {text-align: left; vertical-align: top; padding: .15em .45em; overflow-wrap: anywhere;
  border-bottom: 1px solid rgba(128, 140, 140, .4)}
 .lw-paper th {font-weight: 600; overflow-wrap: break-word}
 .lw-paper .number {text-align: right}
 .lw-paper td.number {white-space: nowrap}
 .lw-paper p {font-size: 8.5pt; margin: .3rem 0 0 0}
}
</style>
"""


def on_paper(frame: pd.DataFrame, writers: Mapping[str, Callable[[object], str]]) -> str:
    """HTML of a table that only print shows, in place of the grid before it; `writers` write cells of a column.

    The letters are as small as the columns need, from 8.5 to 5 points. A table of more than `MOST_ROWS` rows says where
    the others are.
    """
    shown = frame.head(MOST_ROWS)
    numbers = {name: pd.api.types.is_numeric_dtype(column) for name, column in shown.items()}
    columns = [[_text(value, writers.get(name)) for value in column] for name, column in shown.items()]
    heads = [str(name) for name in shown]
    width = sum(_LETTER * _widest(head, cells) + _ROUND for head, cells in zip(heads, columns, strict=True))
    kinds = [" class='number'" if numeric else "" for numeric in numbers.values()]
    head = "".join(f"<th{kind}>{escape.in_html(text)}</th>" for kind, text in zip(kinds, heads, strict=True))
    rows = "".join(
        f"<tr>{''.join(f'<td{kind}>{escape.in_html(cell)}</td>' for kind, cell in zip(kinds, row, strict=True))}</tr>"
        for row in zip(*columns, strict=True)
    )
    size = f"clamp(5pt, calc(100cqw / {width:.1f}), 8.5pt)"
    short = " class='short'" if len(shown) <= SHORT else ""
    table = f"<table{short} style='font-size: {size}'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f"{STYLE}<div class='lw-paper'>{table}{_rest(len(frame))}</div>"


def _text(value: object, writer: Callable[[object], str] | None) -> str:
    if writer is not None:
        return writer(value).replace("< ", "<\u00a0")  # of «< 0.0001» the sign stays with its number
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return NONE
    return ("yes" if value else "no") if isinstance(value, bool | np.bool_) else str(value)


def _widest(head: str, cells: list[str]) -> int:
    """Letters that the column needs in one line: those of its longest word, of numbers all of them."""
    words = [word for text in (head, *cells) for word in text.split(" ")]
    numbers = [text for text in cells if text[:1].isdigit() or text[:1] in "−<+"]
    return min(max(map(len, [*words, *numbers])), 24)


def _rest(rows: int) -> str:
    if rows <= MOST_ROWS:
        return ""
    return (
        f"<p>The first {MOST_ROWS} of {rows:,} rows; all are in the CSV that the page's Downloads offer, on the "
        "screen.</p>"
    )
