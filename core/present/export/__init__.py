"""What a page shows, as files: figures as PNG, PDF and SVG in print size, tables as CSV and LaTeX, each traceable."""

from core.present.export.bundle import FIGURES, TABLES, Item, archive, files
from core.present.export.charts import NO_BROWSER, browser
from core.present.export.trace import SIZES, Size, Source, Trace

__all__ = [
    "FIGURES",
    "NO_BROWSER",
    "SIZES",
    "TABLES",
    "Item",
    "Size",
    "Source",
    "Trace",
    "archive",
    "browser",
    "files",
]
