"""What a model is and how it came about: from `model.json`, whoever made it."""

from __future__ import annotations

from core.classifiers.info import DataInfo, ModelInfo, ModelKind, TrainingInfo, ValidationInfo, input_enlargement
from core.data.filters import group_name
from core.present.card.blocks import Table, Text
from core.present.text.credits import credit
from core.present.text.training import balanced_words, trained_group
from core.task import GENDERS
from core.template import SIDE
from core.wording import capital, percent

UNDECLARED = "unknown: not declared by whoever imported the model"
#: What `declaration` says, in the order of an image's way through the model; and the words for it.
DECLARED = {
    "crop": f"crop of the aligned {SIDE}×{SIDE} face (left, top, right, bottom)",
    "template": "points of its own template, pixels of the input (x, y: eyes, nose, mouth corners)",
    "resize": "resized by",
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
    **{name: f"index of «{name}», from 0" for name in GENDERS},
    "of": "class of the one output",
    "target": "column of the data that is classified",
    "classes": "its classes, the positive one last",
    "indices": "indices of their outputs, from 0",
    "layer": "layer that is explained",
    "pooling": "pooling before the head",
    "bn_eps": "eps of the batch norms",
    "activation": "activation",
}
#: All that a table of scores is read by; what a declaration says of images is nothing of it.
OF_SCORES = ("score", *GENDERS, "of", "target", "classes", "indices")
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
    "joined": "weights taken in from a second file",
    "not_exact": "why its maps are not exact",
    "not_by_gradients": "why they are not by Grad-CAM",
    "weights": "SHA-256 of its weights, the .bin beside it",
    "unwrapped": "taken off the file's names, or left out",
}
KINDS = {
    ModelKind.TORCH: "A PyTorch classifier that was imported here",
    ModelKind.ONNX: "An ONNX classifier that was imported here",
    ModelKind.PREDICTIONS: "Predictions that were imported here as a table of scores; the network is not at hand",
}


#: What a card says of the precision of an imported network.
_TURNED = "turns the decision of faces near even: how many, each audit below says."
COMPUTED = {
    "float32": " It is computed in float32.",
    "bfloat16": f" It is computed in bfloat16, which {_TURNED}",
    "auto": f" It is computed in bfloat16 where the device has it, which {_TURNED}",
}


def enlarged(info: ModelInfo) -> str | None:
    """A note on a model whose input is larger than the aligned face; None for others."""
    factor = input_enlargement(info)
    if factor is None:
        return None
    return (
        f"Aligned faces have {SIDE}×{SIDE} pixels and are enlarged {factor:.3g} × for this input, which adds no detail."
    )


def what_it_is(info: ModelInfo) -> list[Text | Table]:
    """The architecture, input and outputs."""
    if info.trained_here:
        size = info.input_size or "?"
        last = ", last stage dilated" if info.dilated else ""
        head = f" Its last layer was {info.head}." if info.head else ""
        return [
            Text(
                f"ResNet-50, two classes ({', '.join(info.task.labels)}), {size}×{size} pixels, faces aligned to the "
                f"ArcFace template{last}.{head}{_note(info)}"
            )
        ]
    name = (info.source and info.source.architecture) or info.architecture
    blocks: list[Text | Table] = [Text(f"{KINDS[info.kind]}{f': {name}' if name else ''}.{_note(info)}")]
    rows = _pairs(info.source.to_json() if info.source else {}, SOURCE)
    if rows:
        blocks.append(Table(("source", "value"), rows, "ll"))
    return blocks + _declared(info)


def _note(info: ModelInfo) -> str:
    note, computed = enlarged(info), COMPUTED.get(info.precision, "")
    return (f" {note}" if note else "") + computed


def _declared(info: ModelInfo) -> list[Text | Table]:
    """Input and outputs, with what was taken by default marked as such."""
    declared = info.declaration.to_json() if info.declaration else {}
    default = declared.pop("by_default", None)
    files = declared.pop("from_files", ())
    if info.kind is ModelKind.PREDICTIONS:
        declared = {key: value for key, value in declared.items() if key in OF_SCORES}
        note = "What the scores are was declared by whoever imported the predictions."
    elif default is not None:
        note = "Input and outputs. What is not marked was declared by whoever imported the model."
        declared = {key: f"{_value(value)} (default)" if key in default else value for key, value in declared.items()}
        declared |= {key: f"{_value(declared[key])} (the model's own files)" for key in files}
        declared |= {key: f"{value} (default, the weights do not tell)" for key, value in info.assumed.items()}
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


def protocol(info: ModelInfo) -> list[Text]:
    """How it was trained, and by what an epoch was chosen."""
    if not info.trained_here:
        return [Text(f"How it was trained is {UNDECLARED}.")]
    training = info.training or TrainingInfo()
    stages, optimiser = training.stages, training.optimiser
    parts = []
    if stages:
        steps = ", ".join(f"{s.epochs} at {s.size} px{' (dilated)' if s.dilated else ''}" for s in stages)
        images = f" of {training.epoch_images:,} images each" if training.epoch_images else ""
        parts.append(f"{sum(s.epochs or 0 for s in stages)} epochs{images}: {steps}.")
    if optimiser:
        parts.append(
            f"{optimiser.name}, learning rate {optimiser.lr} ({optimiser.schedule}), weight decay "
            f"{optimiser.weight_decay}, batch {training.batch}, label smoothing {training.label_smoothing}, decay of "
            f"averaged weights {training.ema}."
        )
    parts.append(balanced_words(info))
    parts += _teachers(info)
    if training.exclude:
        parts.append(f"Left out of training: {', '.join(map(trained_group, training.exclude))}.")
    selection = (
        f"Epoch {_known(info.epoch)} was kept by {training.choose} validation accuracy"
        + _validation(info.validation or ValidationInfo())
        + f". Start: {training.init or 'random weights'}, seed {_known(training.seed)}."
    )
    if computed := info.computed:
        how = f"{computed.precision} on {computed.device}, processes: {computed.processes}"
        selection += f" Computed in {how}."
    age = training.age_weight
    aside = f" Age bands were an auxiliary target (weight {age}); ethnicity never was." if age else ""
    return [Text(" ".join(parts)), Text(selection + aside)]


def _teachers(info: ModelInfo) -> list[str]:
    """Whom the network learnt from beside the labels, by which files and on what terms."""
    if not info.teachers:
        return []
    names = "; ".join(
        f"{teacher.name} ({teacher.file or teacher.kind}, SHA-256 of its weights {teacher.weights_sha256[:16]}…, "
        f"terms: {teacher.terms or 'not said by whoever trained'})"
        for teacher in info.teachers
    )
    training = info.training or TrainingInfo()
    where = "where they are right by the label" if training.teacher_where == "right" else "of every face"
    features = training.teacher_features
    matched = f"; their features by a projection that was thrown away (weight {features:g})" if features else ""
    return [
        f"Teachers: {names}. Learnt from them: soft labels {where} (weight {_known(training.teacher_weight)}, "
        f"temperature {_known(training.teacher_temperature)}){matched}, of the clean aligned face."
    ]


def _known(value: object) -> str:
    return "unknown" if value is None else str(value)


def _validation(result: ValidationInfo) -> str:
    if result.val_accuracy is None:
        return ""
    text = percent(result.val_accuracy)
    if result.worst_group and result.worst_group_accuracy is not None:
        text += f"; weakest {trained_group(result.worst_group)}, {percent(result.worst_group_accuracy)}"
    return f" ({text})"


def training_data(info: ModelInfo) -> list[Text | Table]:
    """Faces by split, and the training faces by group with their shares."""
    if not info.trained_here and info.data in (None, DataInfo()):
        return [Text(f"Training data, its groups and its labels: {UNDECLARED}.")]
    data = info.data or DataInfo()
    faces = ", ".join(f"{count:,} {split}" for split, count in data.faces.items()) or "unknown"
    text = f"{_known(data.dataset)}, split seed {_known(data.split_seed)}: {faces} faces."
    if data.validation_dataset not in (None, data.dataset):
        text += f" Validation is of {data.validation_dataset}"
        lent = credit(data.validation_dataset)
        text += f": {lent}." if lent else "."
        if data.validation_copies is not None:
            text += (
                f" {data.validation_copies:,} of its faces were copies or near-copies of training faces and left out."
            )
    if words := credit(data.dataset or ""):
        text += f" Whose faces: {words}."
    if data.parts:
        counts = ", ".join(f"{part.dataset} {part.faces:,}" for part in data.parts)
        text += f" Training faces by data set: {counts}."
        if info.training and info.training.weights:
            weights = ", ".join(f"{weight:g}" for weight in info.training.weights)
            text += f" A face's chance to be drawn was multiplied by its data set's weight; in this order {weights}."
    if info.training_faces:
        text += (
            " Salted hashes of the training faces lie beside the weights: an audit asks them for copies, and no image "
            "can be had from them."
        )
    if not data.train_groups:
        return [Text(text), Text("The training faces by group are unknown: model.json does not say.")]
    total = sum(group.faces for group in data.train_groups)
    rows = [
        (
            capital(group.group or group_name(group.gender, group.ethnicity)),
            f"{group.faces:,}",
            percent(group.faces / total),
        )
        for group in data.train_groups
    ]
    return [Text(text), Table(("group", "training faces", "share"), tuple(rows), "lrr")]
