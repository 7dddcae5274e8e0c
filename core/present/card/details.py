"""What a model is and how it came about: from `model.json`, whoever made it."""

from __future__ import annotations

import pandas as pd

from core.classifiers.folder import OURS, input_enlargement, kind_of
from core.data.filters import group_name
from core.present.card.blocks import Table, Text
from core.template import SIDE
from core.wording import capital, percent

UNDECLARED = "unknown: not declared by whoever imported the model"
#: What `declaration` says, in the order of a picture's way through the model; and the words for it.
DECLARED = {
    "crop": "crop of the aligned 112×112 face (left, top, right, bottom)",
    "size": "input size, pixels (height, width)",
    "layout": "input layout",
    "channels": "channels",
    "divisor": "pixels divided by",
    "scale": "pixels scaled by",
    "mean": "mean taken away",
    "std": "standard deviation divided by",
    "output": "name of the output",
    "outputs": "outputs",
    "score": "what the score is",
    "female": "index of «female», from 0",
    "male": "index of «male», from 0",
    "of": "class of the one output",
    "layer": "layer that is explained",
}
#: All that a table of scores is read by; what a declaration says of pictures is nothing of it.
OF_SCORES = ("score", "female", "male", "of")
SOURCE = {
    "file": "file",
    "architecture": "architecture",
    "library": "library",
    "sha256": "SHA-256 of the file",
    "columns": "columns of the table",
    "producer": "made with",
    "opset": "ONNX opset",
    "input": "name of the input",
    "output": "name of the output",
    "batch": "faces at once, fixed in the file",
    "unwrapped": "taken off the file's names, or left out",
}
KINDS = {
    "torch": "A PyTorch classifier that was imported here",
    "onnx": "An ONNX classifier that was imported here",
    "predictions": "Predictions that were imported here as a table of scores; the network itself is not at hand",
}


def made_here(info: dict) -> bool:
    """Whether `python -m train` made the model."""
    return kind_of(info) == OURS


def enlarged(info: dict) -> str | None:
    """A note on a model whose input is larger than the aligned face; None for others."""
    factor = input_enlargement(info)
    if factor is None:
        return None
    return (
        f"Aligned faces have {SIDE}×{SIDE} pixels and are enlarged {factor:.3g} × for this input, which adds no detail."
    )


def what_it_is(info: dict) -> list[Text | Table]:
    """The architecture, input and outputs."""
    if made_here(info):
        size = info.get("input_size", "?")
        last = ", last stage dilated" if info.get("dilated") else ""
        head = f" Its last layer was {info['head']}." if info.get("head") else ""
        return [
            Text(
                f"ResNet-50, two classes (female, male), {size}×{size} pixels, faces aligned to the ArcFace template"
                f"{last}.{head}{_note(info)}"
            )
        ]
    words = KINDS.get(kind_of(info), f"A model of kind {kind_of(info)} that was imported here")
    source = info.get("source") if isinstance(info.get("source"), dict) else {}
    name = source.get("architecture") or info.get("architecture")
    blocks: list[Text | Table] = [Text(f"{words}{f': {name}' if name else ''}.{_note(info)}")]
    rows = _pairs(source, SOURCE)
    if rows:
        blocks.append(Table(("source", "value"), rows, "ll"))
    return blocks + _declared(info)


def _note(info: dict) -> str:
    note = enlarged(info)
    return f" {note}" if note else ""


def _declared(info: dict) -> list[Text | Table]:
    """Input and outputs, with what was taken by default marked as such."""
    declared = dict(info["declaration"]) if isinstance(info.get("declaration"), dict) else {}
    default = declared.pop("by_default", None)
    if kind_of(info) == "predictions":
        declared = {key: value for key, value in declared.items() if key in OF_SCORES}
        note = "What the scores are was declared by whoever imported the predictions."
    elif isinstance(default, list | tuple):
        note = "Input and outputs. What is not marked as default was declared by whoever imported the model."
        declared = {key: f"{_value(value)} (default)" if key in default else value for key, value in declared.items()}
    else:
        note = (
            "Input and outputs, as declared by whoever imported the model or else by default; which of them is default "
            "is not recorded."
        )
    rows = _pairs(declared, DECLARED)
    if not rows:
        return [Text(f"Input and outputs: {UNDECLARED}.")]
    return [Text(note), Table(("declared", "value"), rows, "ll")]


def _pairs(content: dict, words: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Known keys in their order under their words, then unknown ones as they are."""
    keys = [key for key in words if key in content] + [key for key in content if key not in words]
    keys = [key for key in keys if content[key] not in (None, "", [], ())]
    return tuple((words.get(key, str(key)), _value(content[key])) for key in keys)


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_value(item)}" for key, item in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def protocol(info: dict) -> list[Text]:
    """How it was trained, and by what an epoch was chosen."""
    if not made_here(info):
        return [Text(f"How it was trained is {UNDECLARED}.")]
    training = info.get("training") or {}
    stages, optimiser = training.get("stages") or [], training.get("optimiser") or {}
    parts = []
    if stages:
        steps = ", ".join(
            f"{s.get('epochs')} at {s.get('size')} px{' (dilated)' if s.get('dilated') else ''}" for s in stages
        )
        parts.append(f"{sum(s.get('epochs') or 0 for s in stages)} epochs: {steps}.")
    if optimiser:
        parts.append(
            f"{optimiser.get('name')}, learning rate {optimiser.get('lr')} ({optimiser.get('schedule')}), weight decay "
            f"{optimiser.get('weight_decay')}, batch {training.get('batch')}, label smoothing "
            f"{training.get('label_smoothing')}, decay of averaged weights {training.get('ema')}."
        )
    drawn = {"gender": "genders", "group": "genders × ethnicities"}.get(training.get("balance"))
    parts.append(f"Faces were drawn so that {drawn} are equally frequent." if drawn else "Faces were not rebalanced.")
    if training.get("exclude"):
        parts.append(f"Left out of training: {', '.join(map(str, training['exclude']))}.")
    chosen = (
        f"Epoch {info.get('epoch', 'unknown')} was kept by {training.get('choose', 'overall')} validation accuracy"
        + _validation(info.get("validation") or {})
        + f". Start: {training.get('init') or 'random weights'}, seed {training.get('seed', 'unknown')}."
    )
    if computed := info.get("computed"):
        how = f"{computed.get('precision')} on {computed.get('device')}, processes: {computed.get('processes')}"
        chosen += f" Computed in {how}."
    age = training.get("age_weight")
    aside = f" Age bands were an auxiliary target (weight {age}); ethnicity never was." if age else ""
    return [Text(" ".join(parts)), Text(chosen + aside)]


def _validation(found: dict) -> str:
    if "val_accuracy" not in found:
        return ""
    text = percent(found["val_accuracy"])
    gender, _, ethnicity = str(found.get("worst_group") or "").partition(" ")
    if ethnicity and "worst_group_accuracy" in found:
        text += f"; weakest {group_name(gender, ethnicity)}, {percent(found['worst_group_accuracy'])}"
    return f" ({text})"


def training_data(info: dict) -> list[Text | Table]:
    """Faces by split, and the training faces by group with their shares."""
    data = info.get("data") or {}
    if not made_here(info) and not data:
        return [Text(f"Training data, its groups and its labels: {UNDECLARED}.")]
    faces = ", ".join(f"{count:,} {split}" for split, count in (data.get("faces") or {}).items()) or "unknown"
    text = f"{data.get('dataset', 'unknown')}, split seed {data.get('split_seed', 'unknown')}: {faces} faces."
    if data.get("validation_dataset") not in (None, data.get("dataset")):
        text += f" Validation is of {data['validation_dataset']}."
    groups = pd.DataFrame(data.get("train_groups") or [])
    if groups.empty:
        return [Text(text), Text("The training faces by group are unknown: model.json does not say.")]
    rows = [
        (capital(group_name(row.gender, row.ethnicity)), f"{row.faces:,}", percent(row.faces / groups["faces"].sum()))
        for row in groups.itertuples()
    ]
    return [Text(text), Table(("group", "training faces", "share"), tuple(rows), "lrr")]
