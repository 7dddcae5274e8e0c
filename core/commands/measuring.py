"""The command `measure`: what the images of a store say, and its place beside an audit."""

from __future__ import annotations

from pathlib import Path

from core.commands.output import printed
from core.errors import LookwhereError
from core.places import MODELS, audit_folder
from core.progress import Bars


def measure(
    data: Path,
    source: Path | None = None,
    dataset: str | None = None,
    model: str | None = None,
    audit: str | None = None,
    device: str = "cpu",
    models: Path = MODELS,
    json: bool = False,
) -> str:
    """Measure what a store's images say: apparent skin tone, lightness, contrast, sharpness, colour, turn of the head.

    Alignment measures by itself; this is for stores of before. With --source, the data set, faces are found in it once
    more, for what the aligned square does not say: eye distance, tilt, the detector's score, what was filled. With
    --model and --audit the measures are laid beside an audit of the store: by face, but apparent skin tone, which is
    kept there only as counts by group.
    Example: python -m core measure --data data/aligned/utkface
    Or: python -m core measure --data data/aligned/utkface --model resnet50-utkface --audit utkface-test

    Args:
        data: An aligned store.
        source: The data set that it was aligned from, to measure in its images too; with an audit, in those of its
            faces.
        dataset: The reader's name; by default the data set is recognised.
        model: The model of the audit to lay the measures beside.
        audit: The audit's name, a folder under models/MODEL/audits/.
        device: Where the detector runs: cpu or cuda.
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.audit.folder import open_audit
    from core.data.measuring import measure_again, measure_store
    from core.data.store import AlignedStore
    from core.present.records.measures import measured_record
    from core.present.text.measures import measured_report

    if (model is None) != (audit is None):
        raise LookwhereError("--model and --audit go together: name both, or neither")
    folder = audit_folder(models, model, audit) if model and audit else None
    opened = open_audit(folder) if folder else None
    bars = Bars()
    try:
        store = measure_store(AlignedStore.open(data), bars)
        only = set(opened.faces["face_id"]) if opened else None
        lost = measure_again(store, source, dataset, only, device, bars) if source else None
    finally:
        bars.close()
    if source:
        store = AlignedStore.open(data)
    if opened:
        from core.analysis.accuracy.skin_tone import lay_beside

        lay_beside(opened, store)
    return printed(
        "measure",
        json,
        lambda: measured_report(store, lost, folder),
        lambda: measured_record(store, lost, folder),
    )
