"""Longer words of the pages: what the controls mean, what the model is, what the labels are."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable

import pandas as pd

from core.analysis.accuracy.by_group import LARGE_GROUP
from core.audit.folder import Audit
from core.audit.manifest import AuditManifest
from core.classifiers.info import DataInfo, MapsInfo, ModelInfo, ModelKind, TrainingInfo
from core.data.faces import ADULT_AGE, AGE_EDGES
from core.explain.methods import UNTOLD, stored
from core.present.card.details import enlarged
from core.present.text import escape, sentences
from core.present.text.credits import credit, data_set_words
from core.present.text.labels import not_identity_words
from core.present.text.speed import precision_words
from core.present.text.training import trained_group
from core.present.text.training_copies import training_copies_words
from core.template import SIDE
from core.training.record import Status
from core.wording import capital, counted, duration, percent

WHAT_THIS_IS = (
    "A face classifier guesses the gender label of a face. Lookwhere shows for whom the guess fails, and where in the "
    "face the model looks when it does."
)
NORMALISATIONS = (
    "**raw**: the mean of the maps, so that strength counts. **scaled**: each map is first stretched to 0–1, as "
    "in the original study; weak and strong maps then weigh the same."
)
SCORES = {
    "logits": "a logit a class",
    "probabilities": "a probability a class",
    "logit": "one logit",
    "probability": "one probability",
}
NO_GENDER, NO_ETHNICITY, NO_AGE = sentences.NO_GENDER, sentences.NO_ETHNICITY, sentences.NO_AGE
ONE_GENDER = "All faces here have one labelled gender: two groups of gender cannot be compared."
OUTSIDE = "Chin and long hair lie outside the aligned crop."


def age_note(faces: pd.DataFrame) -> str:
    """What ages do to a comparison over all of these faces: children by ethnicity, and their share of the errors.

    Empty where no child is among them: nothing is then to be left out.
    """
    of_known_age = faces[faces["age"].notna()]
    child = of_known_age["age"].astype("float64") < ADULT_AGE
    if not child.any():
        return ""
    lines = []
    shares = child.groupby(of_known_age["ethnicity"].astype(object)).agg(["mean", "size"])
    shares = shares[shares["size"] >= LARGE_GROUP]["mean"]
    if len(shares) > 1:
        ends = (f"{percent(shares[name])} ({escape.markdown(name)})" for name in (shares.idxmin(), shares.idxmax()))
        lines.append(
            f"By ethnicity (of {LARGE_GROUP} faces and more) the share of faces under {ADULT_AGE} years is from "
            f"{' to '.join(ends)}."
        )
    age = of_known_age.loc[~of_known_age["correct"].astype(bool), "age"]
    if len(age):
        small, young = (percent((age < years).mean()) for years in (AGE_EDGES[1], ADULT_AGE))
        lines.append(
            f"Of the incorrect predictions {small} are of faces under {AGE_EDGES[1]} years and {young} of faces under "
            f"{ADULT_AGE}."
        )
    return (
        f"**Children are among these faces.** {' '.join(lines)} «Adults only» leaves them out; adults' ages may differ "
        "between groups too, so compare at equal ages."
    )


def reading(methods: Iterable[str]) -> str:
    """How maps are to be read, by the names of the methods that made them."""
    return " ".join([*dict.fromkeys(stored(name).reading for name in methods), OUTSIDE])


def grid_title(audit: Audit) -> str:
    """The heading of the study's grid, by what an audit's maps are."""
    if not audit.has_maps:
        return "Average face, correct and incorrect"
    if not len(audit.averages.cells):
        return f"Average {audit.map_words}, correct and incorrect"
    return f"Average face beside average {audit.map_words}, correct and incorrect"


def model_summary(info: ModelInfo | None, manifest: AuditManifest, recorded: Collection[str]) -> str:
    """A few lines on the model and its audit, in Markdown; `recorded` are those of gender and ethnicity that a face
    has."""
    if info is None:
        return "This model has no `model.json` yet: its first training epoch has not ended."
    if not info.trained_here:
        return _brought(info, manifest, recorded)
    data, training = info.data or DataInfo(), info.training or TrainingInfo()
    shape, maps = manifest.map_shape, manifest.maps or MapsInfo.from_json(UNTOLD)
    kind, dilated = stored(maps.method), " (last stage dilated)" if info.dilated else ""
    of_maps = "audited without maps."
    if shape is not None:
        adds = "." if maps.additive else ", which does not add up to the logits."
        of_maps = f"{kind.words} of {shape[0]}×{shape[1]} cells{dilated}{adds}"
    labels = escape.markdown(", ".join(info.task.labels))
    note, trained_on = enlarged(info), _dataset(data.dataset) if data.dataset else "an unknown data set"
    dataset, splits = _dataset(manifest.dataset), escape.markdown(manifest.split_words)
    lines = [
        f"- **ResNet-50**, two outputs ({labels}), images of {info.input_size}×{info.input_size} pixels, "
        f"faces aligned to the ArcFace template; {of_maps}" + (f" {note}" if note else ""),
        f"- Trained on **{data.faces.get('train', 0):,}** faces of {trained_on}, "
        f"{'starting from ' + escape.markdown(training.init) if training.init else 'from scratch'}; "
        f"epoch {info.epoch or '?'} was kept, by validation accuracy on {data.faces.get('val', 0):,} others.",
        f"- Audited on **{manifest.faces:,}** faces ({splits} of {dataset}); {overlap(data, manifest)}",
    ]
    if lent := credit(manifest.dataset):
        lines.append(f"- Whose faces: {lent}.")
    if training.age_weight:
        lines.append(
            "- Age bands were an auxiliary target in training; ethnicity labels were never shown to the model."
        )
    lines += _computed(manifest)
    lines.append(f"- {not_identity_words(recorded, manifest.columns)}")
    return "\n".join(lines)


def _computed(manifest: AuditManifest) -> list[str]:
    """A line on what the audit was computed in, where that is known."""
    words = precision_words(manifest)
    return [] if words is None else [f"- {capital(escape.markdown(words))}."]


def _dataset(dataset: str) -> str:
    """A data set by its own name, in Markdown; a layout that anybody's data may have names none."""
    return escape.markdown(data_set_words(dataset))


def overlap(data: DataInfo, manifest: AuditManifest) -> str:
    """What is known of training faces among the audited ones; nothing is said that nobody looked up."""
    if (words := training_copies_words(manifest)) is not None:
        return escape.markdown(words)
    if manifest.data_fingerprint not in data.fingerprints:
        return "whether any of them, or a copy, is among the training faces nobody has looked up."
    if "train" in manifest.splits:
        return "the model was trained on those of its train split."
    return "the training faces are of another split of the same data."


def _brought(info: ModelInfo, manifest: AuditManifest, recorded: Collection[str]) -> str:
    """The same of an imported model."""
    declared, source, maps = info.declaration, info.source, manifest.maps
    dataset, splits = _dataset(manifest.dataset), escape.markdown(manifest.split_words)
    lines = [
        f"- **Imported by whoever runs this app**: {escape.markdown(info.architecture)}"
        + (f", from {escape.markdown(source.file)}." if source.file else ".")
        + " What it was trained on, and whether these faces were among that, nobody has told.",
        # Labels are kept as probabilities of 0 and 1, which nobody declared.
        (
            "- Its table says the class of a face alone, without a score."
            if info.decisions
            else f"- Its output is declared to be {SCORES[declared.score]}."
        )
        + (f" Its own files say: {', '.join(declared.from_files)}." if declared.from_files else "")
        + (f" Taken by default, not declared: {', '.join(declared.by_default)}." if declared.by_default else ""),
        f"- Audited on **{manifest.faces:,}** faces ({splits} of {dataset}).",
    ]
    if declared.size:
        height, width = declared.size
        left, top, right, bottom = declared.crop or (0, 0, SIDE, SIDE)
        lines.insert(
            2,
            f"- It is shown {height}×{width} pixels of the aligned face, from ({left:g}, {top:g}) to ({right:g}, "
            f"{bottom:g}) of the {SIDE}-pixel template; what lies beyond an image's edge is its mirror image."
            + (f" {note}" if (note := enlarged(info)) else ""),
        )
    if maps:
        height, width = manifest.map_shape
        adds = "they add up to the logits exactly" if maps.additive else "they do not add up to the logits"
        lines.append(f"- Maps of {height}×{width} cells by {escape.markdown(maps.method)}; {adds}.")
    else:
        why = "only predictions were imported" if info.kind is ModelKind.PREDICTIONS else "none were asked for"
        lines.append(f"- No maps: {why}.")
    lines += _computed(manifest)
    lines.append(f"- {not_identity_words(recorded, manifest.columns)}")
    return "\n".join(lines)


def ago(when: float) -> str:
    """How long ago a Unix time was."""
    seconds = max(0.0, time.time() - when)
    return f"{duration(seconds)} ago" if seconds < 86_400 else time.strftime("%Y-%m-%d %H:%M", time.localtime(when))


def state(status: Status) -> str:
    """A run's state as a person would say it; a silent run is no running one."""
    if status.state == "running" and not status.alive:
        return "lost"
    return status.state


def training_sentence(status: Status | None, metrics: pd.DataFrame, best: int | None) -> str:
    """What the run has reached, in one sentence."""
    if metrics.empty:
        return "Training has begun; no epoch has ended yet."
    epoch = metrics[metrics["epoch"] == best].iloc[-1] if best in set(metrics["epoch"]) else metrics.iloc[-1]
    head = {
        "finished": "Training is finished",
        "running": "Training is under way",
        "lost": "Training has gone silent (its process died; --resume goes on)",
        "stopped": "Training was stopped (--resume goes on)",
        "failed": "Training failed",
    }.get(state(status) if status else "finished", "Training")
    accuracy = percent(epoch["val_accuracy"])
    return (
        f"{head}: after {counted(len(metrics), 'epoch')}, epoch {int(epoch['epoch'])} is kept, with {accuracy} on "
        f"validation; its weakest group of 50 and more faces is {worst_group(epoch)}."
    )


def worst_group(row: pd.Series) -> str:
    """«Asian women at 80.3 %», from a row of `metrics.csv`."""
    if pd.isna(row["worst_group"]) or not row["worst_group"]:
        return "not known (every group is smaller)"
    return f"{trained_group(str(row['worst_group']))} at {percent(row['worst_group_accuracy'])}"
