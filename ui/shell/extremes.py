"""The worst and best group that pages name: computed once for a filter and a threshold, whichever page asks."""

from __future__ import annotations

from core.analysis.accuracy.extremes import Extremes, extremes
from core.audit.folder import Audit
from core.data.filters import Filter
from ui.shell.cache import kept


@kept(entries=64)
def extremes_of(audit: Audit, filter: Filter, threshold: float = 0.5) -> Extremes | None:
    """`extremes` of a filter's faces, correct and incorrect ones together."""
    return extremes(audit.counted(filter.narrowed(outcome="all"), threshold), threshold)
