"""A table as PDF in print size, drawn without a browser: pages of rows, each with the head of the table."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import pandas as pd

from core.errors import LookwhereError
from core.extras import missing_extra
from core.present.export.provenance import MM, Provenance, Size, plain
from core.present.export.sheets import LETTER, LINE, families, rc_is_shared, wrapped

#: Rows of a page, and lines, where names take several: as much as is read on a sheet of A4 or Letter.
ROWS, LINES = 40, 60
#: Between columns, and round the page, in mm.
GAP, EDGE = 3.0, 4.0
#: The size of small text, of that of the table.
SMALL = 6 / 7
INK = "#16191A"


@dataclass(frozen=True)
class _Column:
    """`lines` of each cell, its head's first; `width` in mm; numbers stand flush right."""

    lines: list[list[str]]
    width: float
    right: bool


def pdf(table: pd.DataFrame, title: str, provenance: Provenance, size: Size) -> bytes:
    """The table as a PDF of the size's width: a long name has several lines, and where it is from stands below.

    Letters for which no typeface is installed, such as an emoji, stand as boxes; CSV and LaTeX have them.

    Raises `LookwhereError` where matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.backends.backend_pdf import PdfPages
    except ModuleNotFoundError as error:
        raise LookwhereError(missing_extra(error) or str(error)) from error

    columns, about = _columns(table, size), "; ".join(provenance.lines())
    out = io.BytesIO()
    facts = {"Title": plain(title), "Subject": plain(about), "Creator": "Lookwhere"}
    settings = {"font.family": families(), "pdf.fonttype": 42}
    with rc_is_shared, rc_context(settings), warnings.catch_warnings(), PdfPages(out, metadata=facts) as pages:
        # A letter for which no typeface is installed stands as a box; the table is there all the same.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        for rows in _rows_of_pages(columns, len(table)):
            pages.savefig(_page(columns, [0, *rows], title, about, size))
    return out.getvalue()


def _rows_of_pages(columns: list[_Column], rows: int) -> list[list[int]]:
    """The rows of each page, counted from 1, as 0 is the head; one page without a row where there is none."""
    pages: list[list[int]] = [[]]
    room = LINES
    for row in range(1, rows + 1):
        lines = max(len(column.lines[row]) for column in columns)
        if pages[-1] and (len(pages[-1]) == ROWS or lines > room):
            pages.append([])
            room = LINES
        pages[-1].append(row)
        room -= lines
    return pages


def _page(columns: list[_Column], rows: list[int], title: str, about: str, size: Size) -> object:
    """A page of the rows, the first of them the head, as a matplotlib figure."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    line, wide = size.points / 72 * MM * LINE, size.mm - 2 * EDGE
    caption, below = wrapped(title, size.points, wide), wrapped(about, size.points * SMALL, wide)
    tall = [max(len(column.lines[row]) for column in columns) for row in rows]
    height = 2 * EDGE + line * (len(caption) + sum(tall) + 2 + SMALL * len(below))
    figure, y = Figure(figsize=(size.mm / MM, height / MM), facecolor="white"), EDGE

    def write(x: float, lines: list[str], points: float, **more: object) -> None:
        figure.text(x / size.mm, 1 - y / height, "\n".join(map(plain, lines)), fontsize=points, va="top", color=INK,
                    linespacing=1.1, parse_math=False, **more)  # fmt: skip

    def rule() -> None:
        ends = (EDGE / size.mm, 1 - EDGE / size.mm)
        figure.add_artist(Line2D(ends, (1 - y / height,) * 2, color=INK, linewidth=0.5))

    write(EDGE, caption, size.points, weight="bold")
    y += line * (len(caption) + 0.5)
    rule()
    for place, row in enumerate(rows):
        y += line * 0.2 if place < 2 else 0
        x = EDGE
        for column in columns:
            side = "right" if column.right else "left"
            write(x + (column.width if column.right else 0), column.lines[row], size.points, ha=side)
            x += column.width + GAP
        y += line * tall[place]
        if place == 0 or row == rows[-1]:
            rule()
    y += line * 0.4
    write(EDGE, below, size.points * SMALL)
    return figure


def _columns(table: pd.DataFrame, size: Size) -> list[_Column]:
    """Columns take the width that they need; where that is too much, the widest of them share what is left."""
    letter = size.points / 72 * MM * LETTER
    words = [[str(name), *_words(table.iloc[:, place])] for place, name in enumerate(table.columns)]
    right = [pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes]
    need = [(max(map(len, cells)) + 1) * letter for cells in words]
    numbers = [min(natural, 9 * letter) for natural, flush in zip(need, right, strict=True) if flush]
    widest = _fitting(
        [natural for natural, flush in zip(need, right, strict=True) if not flush],
        max(10 * letter, size.mm - 2 * EDGE - GAP * (len(words) - 1) - sum(numbers)),
    )
    columns = []
    for cells, natural, flush in zip(words, need, right, strict=True):
        width = min(natural, 9 * letter if flush else widest)
        columns.append(_Column([wrapped(text, size.points, width) or [""] for text in cells], width, flush))
    return columns


def _fitting(need: list[float], room: float) -> float:
    """The width that no column may pass for all to fit: those that need less have what they need."""
    rest = room
    for place, width in enumerate(sorted(need)):
        if width * (len(need) - place) > rest:
            return rest / (len(need) - place)
        rest -= width
    return max(need, default=room)


def _words(values: pd.Series) -> list[str]:
    """A column's cells: numbers with as many decimals as any of them has."""
    if not pd.api.types.is_numeric_dtype(values.dtype):
        return [
            "–" if value is None or value is pd.NA or value != value else " ".join(str(value).split())
            for value in values
        ]
    numbers = [None if pd.isna(value) else float(value) for value in values]
    decimals = max(
        (len(f"{figure:.3f}".rstrip("0").partition(".")[2]) for figure in numbers if figure is not None), default=0
    )
    return ["–" if figure is None else f"{figure:,.{decimals}f}".replace("-", "−") for figure in numbers]
