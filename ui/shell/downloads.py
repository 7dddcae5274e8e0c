"""Take away: what a page draws is noted while it is drawn, and offered at its foot as files, made when clicked."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.audit.folder import read_manifest
from core.errors import LookwhereError
from core.present import export
from core.present.export import Item, Provenance, Size, Source
from core.present.export.provenance import slug
from core.present.figures.chart_data import Chart, IntervalChart
from core.present.figures.html_rows import html_rows
from core.present.figures.plotly_charts import figure_of
from core.present.figures.raster import Sheet
from core.present.text import escape
from ui.shell.error_boundary import error_boundary
from ui.shell.open_audit import OpenAudit
from ui.widgets import controls, layout

LABEL = "Downloads: figures and tables"
KINDS = {"image": "Image", "chart": "Chart", "table": "Table"}
WIDTHS = {f"{size.mm} mm": size for size in export.SIZES.values()}
WIDTH_HELP = (
    "The width on paper: one column or two of a journal (text of 7 to 9 points), or a slide. A PDF's page, an SVG's "
    "width and a PNG's pixels have exactly this width."
)


@dataclass
class DownloadRegistry:
    """What the page has drawn so far, by name; which faces it is of, in words; the audits it is from, if several."""

    page: str
    items: dict[str, Item] = field(default_factory=dict)
    scope: str = "all faces"
    audits: tuple[Path, ...] = ()
    trouble: str = ""


def start(page: str) -> None:
    """Empty the registry for a new run of a page."""
    st.session_state.downloads = DownloadRegistry(page or "overview")


def _registry() -> DownloadRegistry:
    return st.session_state.setdefault("downloads", DownloadRegistry("page"))


def set_scope(scope: str, audits: Sequence[str | Path] = ()) -> None:
    """Say which faces the page is of, for the files' metadata, and which audits where it is not the open one."""
    _registry().scope, _registry().audits = scope, tuple(map(Path, audits))


def _put(kind: str, name: str, title: str, make: Callable[[], go.Figure | Sheet | pd.DataFrame]) -> None:
    # Keyed as its file is called: what a fragment draws again replaces itself.
    _registry().items[f"{'table' if kind == 'table' else 'figure'} {slug(name)}"] = Item(kind, slug(name), title, make)


def chart(data: Chart, name: str, title: str, **more: object) -> None:
    """Draw a chart and offer it; its camera saves SVG by the reader's own browser."""
    figure = figure_of(data)
    _put("chart", name, title, lambda: figure)
    camera = {"format": "svg", "filename": f"{_registry().page}_{slug(name)}"}
    st.plotly_chart(figure, config={"toImageButtonOptions": camera}, alt=title, **more)


def rows(data: IntervalChart, name: str, title: str) -> None:
    """Draw a chart as rows of HTML, which a browser has at once, and offer it as any other chart."""
    _put("chart", name, title, lambda: figure_of(data))
    st.html(html_rows(data))


def table(frame: pd.DataFrame | Callable[[], pd.DataFrame], name: str, title: str) -> None:
    """Offer a table in full precision, or what makes it at the click; the page draws it as it likes."""
    _put("table", name, title, frame if callable(frame) else lambda: frame)


def image_sheet(make: Callable[[], Sheet], name: str, title: str) -> None:
    """Offer images that the page draws, as one sheet; of averages only, never of a single face."""
    _put("image", name, title, make)


@st.fragment
def section(opened: OpenAudit) -> None:
    """The foot of a page: choose a figure or table and how it is to be; nothing is made before the click."""
    registry = _registry()
    if not registry.items:
        return
    # The choices are drawn only while it is open, so a page that nobody takes from costs nothing more.
    box = st.expander(LABEL, icon=":material/download:", key="downloads_open", on_change="rerun")
    if box.open:
        with box, error_boundary():  # the page's own does not hold when the section alone is drawn again
            _choices(registry, opened)


def _choices(registry: DownloadRegistry, opened: OpenAudit) -> None:
    provenance = _provenance(registry, opened)
    if registry.trouble:
        st.warning(escape.markdown(registry.trouble))
    items = sorted(registry.items.values(), key=lambda item: list(KINDS).index(item.kind))
    what, how, wide, fine = st.columns([2.1, 1.35, 1.8, 0.8], vertical_alignment="bottom")
    place = what.selectbox(
        "Figure or table", range(len(items)), format_func=lambda n: f"{KINDS[items[n].kind]}: {items[n].title}"
    )
    item, figure = items[place], items[place].kind != "table"
    formats = export.FIGURES if figure else export.TABLES
    kind = controls.segments(
        "Format", list(formats), default=next(iter(formats)), key=f"download_{figure}", place=how, bind=False
    )
    suffix, mime = formats[kind]
    if figure:
        width = controls.segments(
            "Width", list(WIDTHS), default="89 mm", key="download_width", place=wide, bind=False, help=WIDTH_HELP
        )
        dpi = fine.selectbox("Dots per inch", [300, 600, 150], key="download_dpi") if kind == "PNG" else 300
        st.session_state.download_figures = (kind, width, dpi)  # for the ZIP, while a table is chosen
    whole, width, dpi = st.session_state.get("download_figures", ("PNG", "89 mm", 300))
    size = WIDTHS[width]
    with st.container(horizontal=True):
        if item.kind == "chart" and export.browser() is None:
            st.info(export.NO_BROWSER)
        else:
            make = partial(_one_file, registry, item, kind, size, dpi, provenance)
            layout.download_button(f"Download {kind}", make, provenance.file_name(item.name, suffix), mime)
        layout.download_button(
            "All of this page (ZIP)",
            partial(export.archive, items, whole, size, dpi, provenance),
            provenance.file_name("all", "zip"),
            "application/zip",
            help=f"Figures as {whole}, {width} wide, tables as CSV and LaTeX, and a list of what is what.",
        )
        if opened.audit:
            from ui.shell.report_button import report_button  # it imports every part of the report

            report_button(opened)


def _one_file(
    registry: DownloadRegistry, item: Item, format: str, size: Size, dpi: int, provenance: Provenance
) -> bytes:
    """The file; why there is none is told in the section when it is drawn again, since a click only downloads."""
    registry.trouble = ""
    try:
        return next(iter(export.files([item], [format], size, dpi, provenance).values()))
    except LookwhereError as error:
        registry.trouble = str(error)
        raise


def _provenance(registry: DownloadRegistry, opened: OpenAudit) -> Provenance:
    paths = list(registry.audits) or ([opened.folder / "audits" / opened.audit] if opened.audit else [])
    sources = [Source.from_manifest(read_manifest(path), path.name) for path in paths] or [Source(opened.model)]
    # The face whose record is open has no place in a file that is passed on.
    keys = [key for key in st.query_params if key not in ("face", "like")]
    query = urlencode([(key, value) for key in keys for value in st.query_params.get_all(key)])
    view = registry.page + (f"?{query}" if query else "")
    return Provenance(tuple(sources), registry.page, view, registry.scope, datetime.date.today().isoformat())
