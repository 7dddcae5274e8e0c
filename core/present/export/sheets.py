"""Sheets of images in print: one layout in millimetres, drawn as PNG, PDF and SVG with real text."""

from __future__ import annotations

import io
import math
import textwrap
import threading
from dataclasses import dataclass

from core.errors import LookwhereError
from core.extras import missing_extra
from core.present.export.provenance import MM, Size, plain
from core.present.figures.raster import Sheet, colour_bar

FONTS = ("Arial", "Helvetica", "Liberation Sans", "DejaVu Sans")
#: Millimetres: between panels, between rows and blocks; the widest panel, and the narrowest before a row is broken,
#: where text has 9 points; the narrowest that is tried.
GAP, GUTTER, WIDEST, BROKEN, NARROWEST = 1.2, 4.0, 34.0, 15.0, 6.0
BAR = (34.0, 2.4)  # a colour scale, where text has 9 points
#: Mean width of a letter and height of a line, in ems.
LETTER, LINE = 0.53, 1.22
#: Matplotlib's settings are one for all threads.
rc_is_shared = threading.Lock()


@dataclass(frozen=True)
class Plan:
    """Rows in `lines` from above, then in `blocks` from the left; panels are `side` mm wide. Heights are in mm."""

    blocks: int
    lines: int
    side: float
    heights: tuple[float, ...]

    @property
    def height(self) -> float:
        """All rows."""
        return sum(self.heights)


def text_height(points: float, text: str, width: float) -> float:
    """mm of a text in `width` mm."""
    return len(wrapped(text, points, width)) * points / 72 * MM * LINE


def wrapped(text: str, points: float, width: float) -> list[str]:
    """A text's lines in `width` mm; «n = 12» stays whole."""
    letters = max(4, int(width / (points / 72 * MM * LETTER)))
    text = plain(text).replace(" = ", "\xa0=\xa0")
    return [line for part in text.split("\n") for line in textwrap.wrap(part, letters, break_on_hyphens=False) or [""]]


def broken(rows: list[tuple[str, list]], size: Size) -> list[tuple[str, list]]:
    """Rows of more panels than fit in a size, in equal parts; the label stands over the first."""
    pieces, most = [], int((size.mm + GAP) / (BROKEN * size.scale + GAP))
    for label, panels in rows:
        step = math.ceil(len(panels) / math.ceil(len(panels) / most))
        parts = [panels[start : start + step] for start in range(0, len(panels), step)]
        pieces += [(label if n == 0 else "", part) for n, part in enumerate(parts)]
    return pieces


def plan(rows: list[tuple[str, list]], size: Size, below: float) -> Plan:
    """The arrangement with the largest panels that is no taller than the size allows, with `below` mm of notes."""
    candidates = [_fitted(rows, size, blocks, below) for blocks in range(1, len(rows) + 1)]
    # Of very many rows, no number of blocks may leave room; then they stand in one, taller than was asked.
    candidates = [fit for fit in candidates if fit.blocks == 1 or fit.side > NARROWEST - 0.5]
    return max(candidates, key=lambda fit: (fit.height + below <= size.tallest, round(fit.side, 1), -fit.blocks))


def _fitted(rows: list[tuple[str, list]], size: Size, blocks: int, below: float) -> Plan:
    lines, most = math.ceil(len(rows) / blocks), max(len(panels) for _, panels in rows)
    width = (size.mm - (blocks - 1) * GUTTER) / blocks
    alone = len(rows) == most == 1
    side = min(WIDEST * size.scale * (3 if alone else 1), (width - (most - 1) * GAP) / most)
    while True:
        heights = [_row_height(row, size, side, width) for row in rows]
        tallest = tuple(max(heights[line::lines]) for line in range(lines))
        if sum(tallest) + below <= size.tallest or side <= NARROWEST:
            return Plan(blocks, lines, side, tallest)
        side -= 0.5


def _row_height(row: tuple[str, list], size: Size, side: float, width: float) -> float:
    label, panels = row
    above = text_height(size.points, label, width) + 0.8 if label else 0
    return above + side + 0.6 + max(text_height(_small(size), caption, side) for _, caption in panels) + GUTTER / 2


def _small(size: Size) -> float:
    return size.points * 6 / 7


def render(sheet: Sheet, size: Size, kind: str, dpi: int) -> bytes:
    """The sheet as png, pdf or svg; panels are images, all else is text."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise LookwhereError(missing_extra(error) or str(error)) from error

    small = _small(size)
    note = text_height(small, sheet.note, size.mm) + 1 if sheet.note else 0
    line = small / 72 * MM * LINE
    tall = BAR[1] * size.scale
    below = len(sheet.scales) * (tall + line + 1.6) + note
    rows = broken(sheet.rows, size)
    arranged = plan(rows, size, below)
    height = arranged.height + below
    settings = {"font.family": families(), "svg.fonttype": "none", "pdf.fonttype": 42, "svg.hashsalt": "lookwhere"}
    with rc_is_shared, rc_context(settings):
        figure = Figure(figsize=(size.mm / MM, height / MM), facecolor="white")

        def write(x: float, y: float, text: str, points: float, **more: object) -> None:
            figure.text(x / size.mm, 1 - y / height, plain(text), fontsize=points, va="top", color="#16191A",
                        linespacing=1.1, parse_math=False, **more)  # fmt: skip

        def show(panel: object, x: float, y: float, wide: float, tall: float) -> None:
            axes = figure.add_axes((x / size.mm, 1 - (y + tall) / height, wide / size.mm, tall / height))
            if isinstance(panel, str):
                axes.set(xticks=[], yticks=[], facecolor="#E8E8EC")
                axes.spines[:].set_visible(False)
                why = "\n".join(wrapped(panel, small, wide - 1))
                axes.text(0.5, 0.5, why, ha="center", va="center", fontsize=small, color="#5A5A64")
                return
            axes.imshow(panel, aspect="auto", interpolation="auto" if kind == "png" else "none")
            axes.set_axis_off()

        block = (size.mm + GUTTER) / arranged.blocks
        for place, (label, panels) in enumerate(rows):
            column, row = divmod(place, arranged.lines)
            x, y = column * block, sum(arranged.heights[:row])
            if label:
                write(x, y, "\n".join(wrapped(label, size.points, block - GUTTER)), size.points, weight="bold")
                y += text_height(size.points, label, block - GUTTER) + 0.8
            for panel, caption in panels:
                show(panel, x, y, arranged.side, arranged.side)
                write(x, y + arranged.side + 0.6, "\n".join(wrapped(caption, small, arranged.side)), small)
                x += arranged.side + GAP
        y = arranged.height
        for signed, left, right in sheet.scales:
            wide = min(size.mm, max(BAR[0] * size.scale, (len(left + right) + 4) * small / 72 * MM * LETTER))
            show(colour_bar(signed), 0, y, wide, tall)
            write(0, y + tall + 0.5, left, small)
            write(wide, y + tall + 0.5, right, small, ha="right")
            y += tall + line + 1.6
        if sheet.note:
            write(0, y, "\n".join(wrapped(sheet.note, small, size.mm)), small)
        out = io.BytesIO()
        figure.savefig(out, format=kind, dpi=dpi)
    if kind == "svg":  # another machine has other typefaces
        ours, all_of_them = (", ".join(f"'{name}'" for name in names) for names in (settings["font.family"], FONTS))
        return out.getvalue().replace(ours.encode(), f"{all_of_them}, sans-serif".encode())
    return out.getvalue()


def families() -> list[str]:
    """Those of `FONTS` that are installed; matplotlib brings the last one."""
    from matplotlib.font_manager import fontManager

    there = set(fontManager.get_font_names())
    return [name for name in FONTS if name in there]
