"""Commands on what images say: `measure` it, `image` or the person, and `slices` that hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.commands.audits import Ages, faces_within
from core.commands.output import opened_store, printed
from core.commands.reviews import and_reviewed, opened_audit
from core.errors import LookwhereError, at_least
from core.places import MODELS, audit_folder
from core.progress import ProgressBars

if TYPE_CHECKING:
    from core.audit.folder import Audit


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
    kept there only as counts by group, and beside one audit of the same faces alone.
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
    from core.present.records.measures import measured_record
    from core.present.text.measures import measured_report

    if (model is None) != (audit is None):
        raise LookwhereError("--model and --audit go together: name both, or neither")
    folder = audit_folder(models, model, audit) if model and audit else None
    opened = open_audit(folder) if folder else None
    bars = ProgressBars()
    try:
        store = measure_store(opened_store(data), bars)
        only = set(opened.faces["face_id"]) if opened else None
        lost = measure_again(store, source, dataset, only, device, bars) if source else None
    finally:
        bars.close()
    if source:
        store = opened_store(data)
    untold = None
    if opened:
        from core.analysis.accuracy.skin_tone import lay_beside

        untold = lay_beside(opened, store)
    return printed(
        "measure",
        json,
        lambda: measured_report(store, lost, folder, untold),
        lambda: measured_record(store, lost, folder, untold),
    )


def image(
    model: str,
    audit: str,
    data: Path | None = None,
    ages: Ages = "adults",
    reviewed: Path | None = None,
    models: Path = MODELS,
    json: bool = False,
) -> str:
    """Print how much of each group's gap goes with what the image says, and with age, and what is left.

    Exploratory; explaining is not causing. Apparent skin tone is told from counts beside the audit, or by --data.
    Example: python -m core image --model resnet50-utkface --audit utkface-test

    Args:
        model: The model's name, a folder under models/.
        audit: The audit's name, a folder under models/MODEL/audits/.
        data: The audited store, for apparent skin tone by face; nothing of that is kept.
        ages: adults (18 years and older), or all. Where no age is known, all.
        reviewed: A list with face_id and decision (keep, flip, leave out), by which labels are counted here.
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.analysis.accuracy.person_or_image import person_or_image
    from core.present.records.measures import image_record
    from core.present.text.image import image_report

    opened = _opened(models, model, audit, data, reviewed)
    filter = faces_within(opened.faces, ages, opened.path)
    explained = person_or_image(opened, filter)
    return printed(
        "image",
        json,
        lambda: and_reviewed(opened, image_report(opened, filter, explained)),
        lambda: image_record(opened, filter, explained),
    )


def slices(
    model: str,
    audit: str,
    data: Path | None = None,
    ages: Ages = "adults",
    reviewed: Path | None = None,
    seed: int = 0,
    models: Path = MODELS,
    json: bool = False,
) -> str:
    """Search crossings of up to three columns for faces that the model fails, on one half; test them on the other.

    Bounds hold for all slices searched at once, so «nothing found» is an answer. The rule is in docs/rules.md.
    Example: python -m core slices --model resnet50-utkface --audit utkface-test

    Args:
        model: The model's name, a folder under models/.
        audit: The audit's name, a folder under models/MODEL/audits/.
        data: The audited store, to cross apparent skin tone too; nothing of it is kept by face.
        ages: adults (18 years and older), or all. Where no age is known, all.
        reviewed: A list with face_id and decision (keep, flip, leave out), by which labels are counted here.
        seed: Seed of the halves and of the errors dealt anew. To choose it by the result is to search again.
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.analysis.accuracy.slices import find_slices
    from core.present.records.measures import slices_record
    from core.present.text.image import slices_report

    at_least("--seed", seed, 0)
    opened = _opened(models, model, audit, data, reviewed)
    filter = faces_within(opened.faces, ages, opened.path)
    faces = opened.faces[filter.mask(opened.faces)].reset_index(drop=True)
    search = find_slices(faces, opened.columns, seed)
    return printed(
        "slices",
        json,
        lambda: and_reviewed(opened, slices_report(search, filter)),
        lambda: slices_record(opened, filter, search),
    )


def _opened(models: Path, model: str, audit: str, data: Path | None, reviewed: Path | None) -> Audit:
    """The audit as `opened_audit` has it, with every measure of its store where that is given."""
    from core.audit.measures import with_all_measures

    opened = opened_audit(models, model, audit, reviewed)
    return opened if data is None else with_all_measures(opened, opened_store(data))
