"""What a page offers, one by one or all of it as a ZIP."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from core.errors import LookwhereError
from core.present.export import charts, sheets, tables
from core.present.export.provenance import Provenance, Size, stamp
from core.present.figures.raster import Sheet

FIGURES = {"PNG": ("png", "image/png"), "PDF": ("pdf", "application/pdf"), "SVG": ("svg", "image/svg+xml")}
TABLES = {"CSV": ("csv", "text/csv"), "LaTeX": ("tex", "application/x-tex")}


@dataclass(frozen=True)
class Item:
    """A figure or a table of a page. `kind`: chart, image or table; `make` gives it, when it is asked for."""

    kind: str
    name: str
    title: str
    make: Callable[[], go.Figure | Sheet | pd.DataFrame]


def files(items: list[Item], formats: list[str], size: Size, dpi: int, provenance: Provenance) -> dict[str, bytes]:
    """Each item in each of the formats it can have, by file name. Charts share one browser.

    Raises `LookwhereError` where a chart cannot be drawn.
    """
    data_by_name, plots = {}, [item for item in items if item.kind == "chart"]
    kinds = [FIGURES[name][0] for name in formats if name in FIGURES]
    charted = charts.render([item.make() for item in plots], size, kinds, dpi) if plots and kinds else {}
    for name in formats:
        suffix, _ = (FIGURES | TABLES)[name]
        fitting = [item for item in items if (item.kind == "table") == (name in TABLES)]
        figures = iter(charted.get(suffix, []))
        for item in fitting:
            if item.kind == "chart":
                data = stamp(next(figures), suffix, item.title, provenance, size, dpi)
            elif item.kind == "image":
                data = stamp(sheets.render(item.make(), size, suffix, dpi), suffix, item.title, provenance, size, dpi)
            elif suffix == "csv":
                data = tables.csv(item.make())
            else:
                data = tables.latex(item.make(), item.title, item.name, provenance)
            data_by_name[provenance.file_name(item.name, suffix)] = data
    return data_by_name


def archive(items: list[Item], format: str, size: Size, dpi: int, provenance: Provenance) -> bytes:
    """All items as a ZIP: figures in one format, tables as CSV and LaTeX, and what is what as `contents.txt`.

    Charts that cannot be drawn are left out, and `contents.txt` says so.
    """
    trouble, formats = "", [format, *TABLES]
    try:
        members = files(items, formats, size, dpi, provenance)
    except LookwhereError as error:
        trouble = f"The charts are not in here. {error}"
        members = files([item for item in items if item.kind != "chart"], formats, size, dpi, provenance)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as box:
        for name, data in members.items():
            box.writestr(name, data)
        box.writestr("contents.txt", contents(items, list(members), provenance, trouble))
    return out.getvalue()


def contents(items: list[Item], names: list[str], provenance: Provenance, trouble: str = "") -> str:
    """The files with their titles, and where they come from."""
    # A chart and the table of its numbers may have one name.
    titles = {(provenance.file_name(item.name, ""), item.kind == "table"): item.title for item in items}
    tabular = {suffix for suffix, _ in TABLES.values()}
    parts = {name: name.rpartition(".") for name in names}
    lines = [f"{name}: {titles[stem + '.', suffix in tabular]}" for name, (stem, _, suffix) in parts.items()]
    return "\n".join([*provenance.lines(), "", *([trouble, ""] if trouble else []), *lines, ""])
