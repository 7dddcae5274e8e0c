"""Commands on a model: how its declared input matters, its predictions of the portraits, hashes of training faces."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from core import places
from core.commands.output import opened_store, printed
from core.errors import LookwhereError
from core.places import MODELS
from core.progress import ProgressBars
from core.wording import percent


def settings(
    model: str,
    data: Path,
    vary: tuple[Literal["resize", "crop", "channels", "alignment"], ...] = ("resize",),
    split: tuple[Literal["train", "val", "test", "all"], ...] = ("all",),
    ages: Literal["adults", "all"] = "adults",
    audit: str | None = None,
    models: Path = MODELS,
    json: bool = False,
) -> str:
    """Print how accuracy by group depends on an imported model's declared input: the audit's own uncertainty.

    The same faces go through the model once for each way to resize them (or crop, or order of colours), all else as
    declared. How sure the model is of them, and how often right, also tells which setting is its own.
    Example: python -m core settings --model theirs --data data/aligned/utkface --split test
    Or: python -m core settings --model theirs --data data/aligned/utkface --vary crop channels

    Args:
        model: The model's name, a folder under models/.
        data: An aligned store.
        vary: What is varied: resize, crop (a tenth wider and tighter, a twentieth up and down), channels, alignment
            (each face by its own landmarks to the declared template, and by its eyes alone).
        split: Which splits; by default all.
        ages: adults (18 years and older), or all. Where no age is known, all.
        audit: An audit of the model: its faces are tried, whatever --split, and what comes of them is kept beside it,
            for page, report and card to say.
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.audit.folder import open_audit
    from core.audit.settings import try_settings
    from core.audit.tried_settings import keep
    from core.classifiers.folder import load_model
    from core.data.filters import Filter
    from core.present.card import write_card
    from core.present.records.data import settings_record
    from core.present.text.settings import settings_report

    loaded, store, bars = load_model(models / model), opened_store(data), ProgressBars()
    faces = store.faces if "all" in split else store.split(*split)
    opened = None if audit is None else open_audit(places.audit_folder(models, model, audit))
    if opened is not None:
        if opened.manifest.data_fingerprint != store.manifest.data_fingerprint:
            raise LookwhereError(f"{store.path}: other data than {opened.path} is of")
        faces = store.faces[store.faces["face_id"].isin(opened.faces["face_id"])].reset_index(drop=True)
        faces = faces.assign(ethnicity=faces["ethnicity"].replace(dict(opened.manifest.names)))
    filter = Filter.of_ages(faces, ages)
    try:
        trials = try_settings(loaded, store, faces[filter.mask(faces)].reset_index(drop=True), vary, bars)
    finally:
        bars.close()
    of = "all splits" if "all" in split else f"{' + '.join(split)} split{'s' if len(split) > 1 else ''}"
    if opened is not None:
        of = f"audit {opened.name}"
        keep(trials, opened, adults=not filter.any_age)
        write_card(loaded.path)
    title = f"{loaded.path}: {len(trials.faces):,} faces of {store.manifest.dataset} ({of}), {filter.describe()}"
    return printed("settings", json, lambda: settings_report(trials, title), lambda: settings_record(trials, title))


def portraits(model: str, device: str = "cpu", models: Path = MODELS, json: bool = False) -> str:
    """Look at the portraits of «Try a photo» beforehand, so that the page shows them at once.

    Example: python -m core portraits --model resnet50-utkface

    Args:
        model: The model's name, a folder under models/.
        device: cpu or cuda.
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.classifiers.folder import load_model
    from core.photo import portraits as kept

    loaded = load_model(models / model, device)
    if loaded.classify is None:
        raise LookwhereError(f"{loaded.path}: only its predictions were imported, so it cannot look at a portrait")
    weights = loaded.info.weights_sha256
    if weights is None:
        raise LookwhereError(f"{loaded.path}/model.json: names no weights; train or import the model again")
    drawings = kept.draw(loaded.path, loaded.classify, weights)
    rows = {portrait.words: drawings[portrait.id].prediction for portrait in kept.portraits()}
    lines = [f"{words}: {at.task.label(at.predicted)} at {percent(at.probability)}" for words, at in rows.items()]
    return printed(
        "portraits",
        json,
        lambda: "\n".join([*lines, f"kept in {loaded.path / kept.FILE}"]),
        lambda: {
            "model": model,
            "portraits": [
                {"portrait": words, "predicted": at.predicted, "probability": at.probability}
                for words, at in rows.items()
            ],
        },
    )


def hashes(model: str, data: tuple[Path, ...], models: Path = MODELS, json: bool = False) -> str:
    """Give a model that has none the salted hashes of its training faces, by which audits tell copies of these.

    Training writes them by itself; this is for models of before. No image can be had from them.
    Example: python -m core hashes --model resnet50-utkface --data data/aligned/utkface

    Args:
        model: The model's name, a folder under models/.
        data: The aligned stores that it was trained on.
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.classifiers.training_hashes import FILE
    from core.present.card import write_card
    from core.training.hashing import add_hashes

    folder = places.within(models, model, "--model")
    training_hashes = add_hashes(folder, [opened_store(path) for path in data])
    write_card(folder)
    file = folder / FILE
    return printed(
        "hashes",
        json,
        lambda: f"{file}: hashes of {training_hashes.count:,} training faces, {file.stat().st_size / 1e6:.2f} MB",
        lambda: {"model": model, "file": file, "faces": training_hashes.count, "bytes": file.stat().st_size},
    )
