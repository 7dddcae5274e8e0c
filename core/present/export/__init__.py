"""What a page shows, as files: figures as PNG, PDF and SVG in print size, tables as CSV and LaTeX, each traceable."""

from core.present.export.bundle import FIGURES, TABLES, Item, archive, files
from core.present.export.charts import NO_BROWSER, browser
from core.present.export.provenance import SIZES, Provenance, Size, Source

__all__ = [
    "FIGURES",
    "NO_BROWSER",
    "SIZES",
    "TABLES",
    "Item",
    "Provenance",
    "Size",
    "Source",
    "archive",
    "browser",
    "files",
]
