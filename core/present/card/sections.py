"""A card's sections, in the order of Mitchell et al. 2019, and `CARD.md` made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.audit.folder import Audit, list_audits, open_audit
from core.classifiers.info import ModelInfo, ModelKind, model_info
from core.data.faces import ethnicity_known, gender_known
from core.errors import LookwhereError
from core.files import write_text
from core.json_record import parsed
from core.locks import alone
from core.present.card.blocks import Heading, Section, Table, Text, markdown, section
from core.present.card.details import protocol, training_data, what_it_is
from core.present.card.failures import accuracy_table, known_failures
from core.present.card.own_audits import CARD, OWN_CARD, any_of_ones_own
from core.present.text.credits import credit
from core.present.text.placement import audit_placement
from core.present.text.sentences import NO_GENDER
from core.present.text.settings import kept_words
from core.present.text.speed import precision_words, speed_words
from core.present.text.training_copies import training_copies_words
from core.privacy import MINIMUM_FACES
from core.task import GENDERS

LABELS = (
    f"Gender ({', '.join(GENDERS)}) and ethnicity are those that the data set's annotators perceived in an "
    "image, spelt as the data set spells them. They are not what the people pictured would say of themselves, and "
    "two genders are not all."
)
INTENDED = "Intended: studying how such classifiers fail and for whom, teaching it, and comparing audits of models."
UNINTENDED = (
    "Not intended: deciding anything about a person. Not for access, policing, hiring, advertising or counting people; "
    "{not_for}"
)
MEASURES = (
    "Accuracy: the share of faces whose label the larger logit names ({p} ≥ 50 %). Intervals are 95 %: Wilson's of "
    "one group, simultaneous ones (resampled) where groups are compared that were chosen by looking. The worst group "
    "is the one with the lowest upper bound, the best the one with the highest lower bound, whatever their size."
)
ETHICS = (
    "The model calls faces of people {classes}. Incorrect calls can hurt, and not all groups have the same share. "
    "Whether the people in its data were asked is not recorded here. Its folder holds no image of a single face and, "
    "within each audit, no average of fewer than 11."
)
SUBTRACTED = (
    "Average faces of two audits of the same faces by different models could be subtracted, which may leave fewer than "
    f"{MINIMUM_FACES}: publish those of one only."
)
NO_AUDIT = "This model has not been audited yet: `python -m core audit` puts a data set's faces through it."


def card_sections(name: str, info: ModelInfo, audits: list[Audit]) -> tuple[Section, ...]:
    """The card of the model `name`, from `model.json` and its opened audits."""
    task = info.task
    not_for = (
        "not for telling anybody's gender, which no image shows."
        if task.is_gender
        else f"not for telling of anybody more than whether an image shows {task.name}."
    )
    cautions = [Text(maps_words(audit)) for audit in audits]
    return (
        section("card-details", "Model details", [*what_it_is(info), *protocol(info)]),
        section("card-use", "Intended use", [Text(INTENDED), Text(UNINTENDED.replace("{not_for}", not_for))]),
        section("card-factors", "Factors", [Text(_factors(audits))]),
        section("card-metrics", "Metrics", [Text(MEASURES.replace("{p}", task.p_words))]),
        section(
            "card-evaluation",
            "Evaluation data",
            [_evaluation(audits), *_credits(audits), *_looked_up(audits), *map(disagreements_table, audits)],
        ),
        section("card-training", "Training data", training_data(info)),
        section("card-analyses", "Quantitative analyses", _analyses(audits)),
        section(
            "card-ethics",
            "Ethical considerations",
            [Text(f"{ETHICS.replace('{classes}', ' or '.join(map(task.said, task.classes)))} {SUBTRACTED}")],
        ),
        section(
            "card-caveats", "Caveats and recommendations", [*cautions, Text(_reading(audits)), _hashes(info, audits)]
        ),
    )


def _factors(audits: Sequence[Audit]) -> str:
    """What groups are made by, and whose labels these are."""
    if not audits or any(gender_known(audit.faces) for audit in audits):
        return f"Groups: gender × ethnicity, and age where it is known. {LABELS}"
    ethnicity = "ethnicity, and by " if any(ethnicity_known(audit.faces) for audit in audits) else ""
    return f"Groups: by {ethnicity}age where it is known, and by the data set's own columns. {NO_GENDER}"


def write_card(model: Path, name: str | None = None) -> None:
    """Write the card of the model folder `model`, by default under the folder's name.

    Where the card came with the project and some of the audits did not (`own_audits`), these are somebody's own: the
    card stays, and theirs is written beside it as `CARD.own.md`, which git is told to leave alone. Raises
    `LookwhereError` where `model.json` or an audit is missing or broken.
    """
    name = name or model.name
    try:
        # Two audits of a model may end at once: the later card is of both, so audits are listed by one at a time.
        with alone(model / CARD, "writing", wait=True):
            info = _with_validation_named(model, model_info(model))
            audits = [open_audit(model / "audits" / name) for name in list_audits(model)]
            card = model / (OWN_CARD if any_of_ones_own(model, [audit.name for audit in audits]) else CARD)
            write_text(card, markdown(name, card_sections(name, info, audits)))
    except OSError as error:
        raise LookwhereError(f"{model / CARD}: cannot write ({error.strerror or error})") from error


def _with_validation_named(model: Path, info: ModelInfo) -> ModelInfo:
    """With the name that its experiment has for the validation data.

    Models that were made before `train.experiments` recorded it have the name of the store's reader alone.
    """
    try:
        content = parsed((model.parent / "experiment.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return info
    validation = content.get("validation") if isinstance(content, dict) else None
    if info.data is None or info.data.validation_dataset is None or not isinstance(validation, str):
        return info
    return replace(info, data=replace(info.data, validation_dataset=validation))


def _analyses(audits: list[Audit]) -> list:
    blocks: list = []
    for audit in audits:
        blocks += [Heading(f"Accuracy: {audit.name}"), accuracy_table(audit)]
        if (words := kept_words(audit)) is not None:
            blocks.append(Text(words))
        blocks += [Heading(f"Known failures: {audit.name}"), *known_failures(audit)]
    return blocks or [Text(NO_AUDIT)]


def _evaluation(audits: list[Audit]) -> Table | Text:
    rows = []
    for audit in audits:
        manifest = audit.manifest
        renamed = "; ".join(f"{a} → {b}" for a, b in manifest.names.items())
        rows.append(
            (
                audit.name,
                manifest.dataset + (f" (renamed: {renamed})" if renamed else ""),
                audit.split_words,
                f"{len(audit.faces):,}",
                f"{sum(manifest.rejects.values()):,}",
            )
        )
    caption = "Rejected: files of the whole data set that could not be read, labelled or aligned, or were copies."
    return (
        Table(("audit", "data", "part", "faces", "rejected"), tuple(rows), "lllrr", caption) if rows else Text(NO_AUDIT)
    )


def _credits(audits: list[Audit]) -> list[Text]:
    """Whose faces were audited, and on what terms they are lent, where that is known."""
    lent = [credit(audit.manifest.dataset) for audit in audits]
    return [Text(f"Whose faces: {words}.") for words in dict.fromkeys(lent) if words]


def _looked_up(audits: list[Audit]) -> list[Text]:
    """What is known of training faces among those of each audit."""
    words = {audit.name: training_copies_words(audit.manifest) for audit in audits}
    return [Text(f"{name}: {text}") for name, text in words.items() if text is not None]


def disagreements_table(audit: Audit) -> Table | None:
    """Labels that two places of an audit's data set give differently; None where none is known."""
    disagreements = audit.manifest.disagreements or {}
    if not disagreements:
        return None
    rows = tuple((what, f"{count:,}") for what, count in disagreements.items())
    caption = f"{audit.name}: labels that disagree, of the whole data set, all splits"
    return Table(("what disagrees, and what was taken", "entries"), rows, "lr", caption)


def _of_table(audit: Audit) -> bool:
    return audit.manifest.kind is ModelKind.PREDICTIONS


def maps_words(audit: Audit) -> str:
    """What the maps of an audit are, and what they cannot say."""
    if not audit.has_maps:
        why = "predictions only, so there is no map" if _of_table(audit) else "audited without maps"
        return f"{audit.name}: {why}, and nothing is said of where the model looks."
    height, width = audit.map_shape
    layer = audit.manifest.maps and audit.manifest.maps.layer
    head = f"{audit.name}: maps of {height}×{width} cells by {audit.map_method}{f' at {layer}' if layer else ''}. "
    if placement := audit_placement(audit):
        head += f"{placement} "
    if audit.additive:
        return head + "They add up to the logits, so a region's evidence is an amount."
    return head + "They do not add up to the logits: compare their shapes, not their amounts."


def _reading(audits: list[Audit]) -> str:
    text = "Accuracies are of these data sets' faces and labels; other cameras, ages and annotators will give others."
    cells = list(dict.fromkeys(audit.method.reading for audit in audits if audit.has_maps))
    return " ".join([text, *cells, *(["Chin and long hair lie outside the aligned crop."] if cells else [])])


def _hashes(info: ModelInfo, audits: list[Audit]) -> Table:
    rows = [("weights, SHA-256", info.weights_sha256 or "unknown")]
    if info.data and info.data.fingerprint:
        rows.append(("training data, SHA-256 of its table", info.data.fingerprint))
    for audit in audits:
        rows.append((f"{audit.name}: data, SHA-256 of its table", audit.manifest.data_fingerprint or "unknown"))
        versions = ", ".join(f"{key} {value}" for key, value in audit.manifest.versions.items())
        rows.append((f"{audit.name}: made with", versions or "unknown"))
        if (words := precision_words(audit.manifest)) is not None:
            rows.append((f"{audit.name}: precision", words))
        if audit.manifest.speed is not None:
            rows.append((f"{audit.name}: computed", speed_words(audit.manifest.speed)))
    return Table(("what made it", "value"), tuple(dict.fromkeys(rows)), "ll")
