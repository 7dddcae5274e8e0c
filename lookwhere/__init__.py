"""Lookwhere: for whom does a face classifier fail, and where in the face does it look when it does?

    import lookwhere
    audit = lookwhere.open_audit("models/resnet50-utkface/audits/utkface-test")
    lookwhere.accuracy_by_group(audit).plot()
    lookwhere.accuracy_by_group(y_true, y_pred, groups={"age": ages, "site": sites}).to_frame()

Every name is imported when it is first used; `import lookwhere` itself loads neither torch nor pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from core.audit.folder import open_audit
    from core.classifiers.folder import load_model
    from core.data.array_store import store_from_arrays
    from core.data.filters import Filter
    from core.errors import LookwhereError
    from lookwhere.accuracy import GroupAccuracies, accuracy_by_group
    from lookwhere.claims import Findings, MapChecks, findings, run_checks
    from lookwhere.making import align, import_model, open_store, run_audit, write_report
    from lookwhere.maps import (
        GroupMeans,
        MapComparison,
        RegionEvidence,
        compare_maps,
        evidence_by_region,
        group_means,
    )

#: The public names, by the module of this package that has them.
_MODULES = {
    "accuracy": ("accuracy_by_group", "GroupAccuracies"),
    "claims": ("findings", "run_checks", "Findings", "MapChecks"),
    "making": (
        "Filter",
        "LookwhereError",
        "align",
        "import_model",
        "load_model",
        "open_audit",
        "open_store",
        "run_audit",
        "store_from_arrays",
        "write_report",
    ),
    "maps": ("compare_maps", "evidence_by_region", "group_means", "GroupMeans", "MapComparison", "RegionEvidence"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Filter",
    "Findings",
    "GroupAccuracies",
    "GroupMeans",
    "LookwhereError",
    "MapChecks",
    "MapComparison",
    "RegionEvidence",
    "accuracy_by_group",
    "align",
    "compare_maps",
    "evidence_by_region",
    "findings",
    "group_means",
    "import_model",
    "load_model",
    "open_audit",
    "open_store",
    "run_audit",
    "run_checks",
    "store_from_arrays",
    "write_report",
]


def __getattr__(name: str) -> object:
    """A public name, imported now (PEP 562)."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; there are {', '.join(__all__)}")
    from lookwhere.house import open_house

    open_house()
    value = getattr(import_module(f"lookwhere.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
