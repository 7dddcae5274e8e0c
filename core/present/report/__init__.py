"""One self-contained HTML file about an audit: it opens offline, runs nothing, and holds no single face."""

from core.present.report.build import build_report, report_of, write_report

__all__ = ["build_report", "report_of", "write_report"]
