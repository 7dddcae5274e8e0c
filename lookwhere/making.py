"""Stores, models, audits and reports: what is made, and where it lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from core.audit.folder import Audit, open_audit
from core.classifiers.folder import Model, load_model
from core.data.array_store import store_from_arrays
from core.data.filters import Filter
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.places import MODELS
from core.progress import Progress

__all__ = [
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
]


def open_store(path: str | Path) -> AlignedStore:
    """Raises `LookwhereError` where the store is missing, unfinished, damaged or of another format."""
    return AlignedStore.open(path)


def align(
    data: str | Path,
    out: str | Path | None = None,
    *,
    dataset: str | None = None,
    labels: str | Path | None = None,
    target: str | None = None,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
) -> AlignedStore:
    """Read a data set, drop copies, split, detect and align its faces; by default into data/aligned/DATASET.

    A finished store is opened, interrupted work goes on. `dataset` names the reader, else the data set is recognised;
    `labels` is a CSV of identity,gender for one that names no genders; `target` names the
    column that is to be classified, where that is not gender. Raises `LookwhereError` for what cannot be read.
    """
    from core.data.build_store import build_store
    from core.data.default_store import default_store
    from core.data.readers import choose_reader
    from core.data.sources import open_source

    source = open_source(Path(data), target)
    reader = choose_reader(source, dataset)
    place = default_store(source, reader) if out is None else Path(out)
    file = None if labels is None else Path(labels)
    return build_store(source, reader, place, seed=seed, device=device, progress=progress, labels=file)


def import_model(
    path: str | Path,
    name: str,
    *,
    models: str | Path = MODELS,
    architecture: str | None = None,
    maps: str | None = None,
    file_column: str = "file",
    score_column: tuple[str, ...] = ("score",),
    declare: str | Path | None = None,
    **spec: Any,
) -> Model:
    """Make a model folder of somebody else's weights, ONNX file or predictions, and open it.

    `spec` says what goes in and what comes out, as the flags of `lookwhere import` do: score, female, male,
    size, mean, std, …; or `declare` names a YAML file of them. Nothing is guessed. Raises `LookwhereError` where that
    does not do, or the folder is there already.
    """
    from core.classifiers.imported import declare as declared
    from core.classifiers.imported import import_model
    from core.classifiers.imported.import_options import NetworkOptions, PredictionTable
    from core.present.card import write_card

    declaration = declared(None if declare is None else Path(declare), **spec)
    folder = import_model(
        Path(path),
        name,
        declaration,
        models=Path(models),
        network=NetworkOptions(architecture, maps),
        table=PredictionTable(file_column, score_column),
    )
    write_card(folder)
    return load_model(folder)


def run_audit(
    store: AlignedStore,
    model: Model | str | Path,
    splits: tuple[str, ...] | None = None,
    *,
    name: str | None = None,
    maps: str | None = None,
    averages: Literal["auto", "yes", "no"] = "auto",
    batch: int = 64,
    progress: Progress | None = None,
) -> Audit:
    """Put a store's faces through a model: an audit in the model's folder; a finished one is opened.

    `splits`: by default test, or every face of data that the model never saw; ("all",) for every split. `maps`: an
    attribution method («occlusion», «gradcam», …), by default the model's own. `averages`: by default average faces are
    kept unless another audit of this data has them (`core.audit.average_setting` says why). Raises `LookwhereError`
    where the folder holds an audit of other data or by another method, or the method cannot be used on the model.
    """
    from core.audit import run
    from core.audit.average_setting import AverageSetting, KeepAverages
    from core.present.card import write_card

    opened = model if isinstance(model, Model) else load_model(model)
    setting = AverageSetting(KeepAverages(averages))
    audit = run.run_audit(store, opened, splits, name=name, maps=maps, averages=setting, batch=batch, progress=progress)
    write_card(opened.path)
    return audit


def write_report(audit: Audit, file: str | Path, *, all_ages: bool = False) -> Path:
    """Write an audit's report, one HTML file that opens offline; returns its path.

    Of adults where ages are known, unless `all_ages`. Raises `LookwhereError` where it cannot be written.
    """
    from core.present import report

    place = Path(file)
    report.write_report(place, report.report_of(audit.path.parent.parent, audit, all_ages))
    return place
