"""`model.json` as a typed record: what a model is, where it comes from, how it was trained. Needs no torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from core.classifiers.consistency import check_info
from core.errors import LookwhereError
from core.explain.placement import Placement
from core.integrity import FileRecord
from core.json_record import JsonRecord, Share, Signed
from core.places import MODELS
from core.task import GENDER, Task
from core.template import SIDE

#: `WITH_TASK` is written where another attribute than gender is classified: a version that knows none refuses it.
FORMAT, WITH_TASK = 2, 3


class ModelKind(StrEnum):
    """What a model folder holds; the values are those of the key `kind`."""

    TRAINED_HERE = "resnet50"  # what `python -m train` makes; older files have no key `kind`
    TORCH = "torch"
    ONNX = "onnx"
    PREDICTIONS = "predictions"

    @property
    def trained_here(self) -> bool:
        """Whether `python -m train` made the model; all others are imported."""
        return self is ModelKind.TRAINED_HERE


@dataclass(frozen=True, kw_only=True)
class PlacementInfo(JsonRecord):
    """Where a map's cells lie: centres of rows and columns in template pixels (`core.explain.placement`)."""

    rows: tuple[float, ...]
    columns: tuple[float, ...]

    @classmethod
    def from_placement(cls, placement: Placement) -> PlacementInfo:
        """As a manifest keeps it."""
        return cls(rows=placement.rows, columns=placement.columns)

    def placement(self) -> Placement:
        """As maps are drawn by it."""
        return Placement(self.rows, self.columns)


@dataclass(frozen=True, kw_only=True)
class MirrorInfo(JsonRecord):
    """How unlike its own mirror image the mean map of `faces` faces and their mirror images is, 0 where it is
    symmetric and 1 where both nowhere overlap (`core.explain.mirror`).

    `placed`: with cells where the placement says; `tiles`: with tiles.
    """

    faces: int
    placed: Share
    tiles: Share


@dataclass(frozen=True, kw_only=True)
class MapsInfo(JsonRecord):
    """How evidence maps are made. `additive`: mean(E_c) + b_c is logit_c. The method's options are `unknown_keys`.

    `placement` is None where cells are tiles, and where it was not measured (earlier versions); `mirror` None where
    it was not.
    """

    method: str
    additive: bool
    layer: str | None = None
    placement: PlacementInfo | None = None
    mirror: MirrorInfo | None = None


@dataclass(frozen=True, kw_only=True)
class StageInfo(JsonRecord):
    """One stage of training: `size` in pixels."""

    size: int | None = None
    epochs: int | None = None
    dilated: bool = False


@dataclass(frozen=True, kw_only=True)
class OptimiserInfo(JsonRecord):
    """What of the optimiser a card tells."""

    name: str | None = None
    lr: float | None = None
    schedule: str | None = None
    weight_decay: float | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingInfo(JsonRecord):
    """The configuration of the training, as far as it is read again (`core.training.config` has all of it)."""

    stages: tuple[StageInfo, ...] = ()
    optimiser: OptimiserInfo | None = None
    batch: int | None = None
    label_smoothing: float | None = None
    age_weight: float | None = None
    ema: float | None = None
    balance: str | None = None
    weights: tuple[float, ...] = ()
    splits: tuple[str, ...] = ()
    epoch_images: int | None = None
    groups: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    teacher_weight: float | None = None
    teacher_where: str | None = None
    teacher_temperature: float | None = None
    teacher_features: float | None = None
    choose: str = "overall"
    init: str | None = None
    seed: Signed | None = None


@dataclass(frozen=True, kw_only=True)
class ComputedInfo(JsonRecord):
    """What a training run was computed in: `precision` and `device` as Fabric names them, and how many processes."""

    precision: str
    device: str
    processes: int


@dataclass(frozen=True, kw_only=True)
class ValidationInfo(JsonRecord):
    """Validation of the epoch that was kept; `worst_group` as "female Asian", or in words where groups are made by
    other columns or of another attribute. Accuracies by group are unknown keys."""

    val_accuracy: Share | None = None
    worst_group: str | None = None
    worst_group_accuracy: Share | None = None

    @classmethod
    def of_epoch(cls, row: Mapping[str, object]) -> ValidationInfo:
        """What of an epoch's row of `metrics.csv` is of validation; a number that is not known (NaN) is left out."""
        return cls.from_json({k: v for k, v in row.items() if k.startswith(("val_", "worst")) and v == v})


@dataclass(frozen=True, kw_only=True)
class GroupCount(JsonRecord):
    """Faces of one group of training faces.

    `group` is its name where gender and ethnicity, which are empty where groups are not made by them, do not say it
    all: «Black women with glasses».
    """

    gender: str
    ethnicity: str
    faces: int
    group: str = ""


@dataclass(frozen=True, kw_only=True)
class PartInfo(JsonRecord):
    """One of several data sets that a model was trained on, with the count of its faces."""

    dataset: str
    fingerprint: str
    faces: int


@dataclass(frozen=True, kw_only=True)
class DataInfo(JsonRecord):
    """What a model was trained on. `faces` are counts by role.

    `fingerprint` is the data's, or those of all stores joined by a plus. `parts` are the data sets trained on, where
    there were several. `validation_copies` counts faces of the validation data that were left out as copies or
    near-copies of training faces, None where nobody looked; `unlabelled` faces of either role that were left out since
    their class is not labelled.
    """

    dataset: str | None = None
    validation_dataset: str | None = None
    fingerprint: str | None = None
    split_seed: Signed | None = None
    faces: Mapping[str, int] = field(default_factory=dict)
    train_groups: tuple[GroupCount, ...] = ()
    parts: tuple[PartInfo, ...] = ()
    validation_copies: int | None = None
    unlabelled: int = 0

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Fingerprints of the stores that were trained and validated on."""
        return tuple(self.fingerprint.split("+")) if self.fingerprint else ()

    @property
    def trained_on(self) -> dict[str, PartInfo]:
        """The data sets trained on, by fingerprint of their store; not one that was validated on alone."""
        if self.parts:
            return {part.fingerprint: part for part in self.parts}
        # The store validated on comes last, where it is another.
        name, faces = self.dataset or "its own", self.faces.get("train", 0)
        return {
            fingerprint: PartInfo(dataset=name, fingerprint=fingerprint, faces=faces)
            for fingerprint in self.fingerprints[:1]
        }


@dataclass(frozen=True, kw_only=True)
class TeacherInfo(JsonRecord):
    """A model whose soft labels and features a network was trained on: what it is, and on what `terms` it may be used,
    as whoever trained said (None: not said)."""

    name: str
    kind: ModelKind
    architecture: str | None = None
    file: str | None = None
    weights_sha256: str
    declared_sha256: str
    terms: str | None = None


@dataclass(frozen=True, kw_only=True)
class DeclaredInfo(JsonRecord):
    """The declaration of an imported model as `model.json` has it; the module `imported.spec` reads it whole.

    `by_default` is None where an earlier version did not record what was declared and what was default; `from_files`
    is what the model's own files said.
    """

    score: str | None = None
    size: tuple[int, int] | None = None
    crop: tuple[float, float, float, float] | None = None
    divisor: float | None = None
    by_default: tuple[str, ...] | None = None
    from_files: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SourceInfo(JsonRecord):
    """The file that an imported model came from; what else its format tells are unknown keys."""

    file: str | None = None
    sha256: str | None = None
    architecture: str | None = None
    library: str | None = None
    unwrapped: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ModelInfo(JsonRecord):
    """The content of `model.json`.

    Models trained here have `input_size` in pixels, `dilated`, `mean` and `std` by channel, `training`, `data`, the
    `validation` of the kept `epoch`, `teachers` if they had any, and what they were `computed` in; `head` says how
    the last layer was trained again. Imported ones have `declaration`, `weights` (the name of the file), `maps`,
    `source`, `outputs` (their number), and by their kind `heads`, `assumed` (what of an architecture its weights do
    not tell), `precision` (what it is computed in; None in files of before it was kept: as the device is fastest),
    `rows`, `empty` (rows without a score, which were left out) and `decisions` (whether all scores are 0 or 1).
    `task` is what is classified and `classes` are its two; files of before it could be another than gender say
    gender. `training_faces` records the file of hashes of the training faces (`core.classifiers.training_hashes`),
    None where there is none.
    """

    format: int = FORMAT
    kind: ModelKind = ModelKind.TRAINED_HERE
    architecture: str = "resnet50"
    classes: tuple[str, ...] = GENDER.classes
    task: Task = GENDER
    dilated: bool | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    input_size: int | None = None
    template: str | None = None
    epoch: int | None = None
    validation: ValidationInfo | None = None
    training: TrainingInfo | None = None
    computed: ComputedInfo | None = None
    data: DataInfo | None = None
    teachers: tuple[TeacherInfo, ...] = ()
    head: str | None = None
    declaration: DeclaredInfo | None = None
    weights: str | None = None
    outputs: int | None = None
    heads: tuple[str, ...] = ()
    assumed: Mapping[str, str] = field(default_factory=dict)
    precision: str | None = None
    empty: int | None = None
    maps: MapsInfo | None = None
    rows: int | None = None
    decisions: bool = False
    source: SourceInfo | None = None
    training_faces: FileRecord | None = None
    weights_sha256: str | None = None

    FORMAT: ClassVar = FORMAT
    READS: ClassVar = (1, WITH_TASK)
    CLOSED: ClassVar = True
    SEALED_FROM: ClassVar = 2
    ALWAYS: ClassVar = ("format", "architecture", "classes")

    def for_task(self, task: Task) -> ModelInfo:
        """The same model with another task, in the format that tells it."""
        return replace(self, format=FORMAT if task.is_gender else WITH_TASK, classes=task.classes, task=task)

    @classmethod
    def required(cls, content: Mapping[str, object]) -> tuple[str, ...]:
        """The keys that a file of its kind must have."""
        if not _imported(content):
            return ("format", "architecture", "classes", "input_size", "dilated", "mean", "std", "weights_sha256")
        return (
            "format", "architecture", "classes", "declaration", "weights", "weights_sha256", "maps", "outputs",
            "source",
        )  # fmt: skip

    @classmethod
    def mend(cls, content: object) -> str:
        """What to do with a broken `model.json`."""
        imported = (
            isinstance(content, Mapping) and content.get("kind", ModelKind.TRAINED_HERE) != ModelKind.TRAINED_HERE
        )
        return f"restore it or {'import it again' if imported else 'train again'}"

    @property
    def trained_here(self) -> bool:
        """Whether `python -m train` made the model; all others are imported."""
        return self.kind.trained_here

    @property
    def declared_sha256(self) -> str:
        """SHA-256 of what this says of the network's input and outputs: with other words, equal weights answer
        otherwise."""
        content = self.to_json()
        keys = ("kind", "architecture", "classes", "dilated", "mean", "std", "input_size", "outputs", "heads")
        selected = {key: content.get(key) for key in keys} | (
            {} if self.task.is_gender else {"of": self.task.attribute}
        )
        declaration = dict(content.get("declaration") or {})
        for who_said_it in ("by_default", "from_files"):
            declaration.pop(who_said_it, None)
        text = json.dumps(selected | {"declaration": declaration}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def _imported(content: object) -> bool:
    """Whether this content of a `model.json` says that it is of an imported model."""
    return isinstance(content, Mapping) and content.get("kind", ModelKind.TRAINED_HERE) != ModelKind.TRAINED_HERE


def model_info(path: Path) -> ModelInfo:
    """The checked content of `model.json`. Raises `LookwhereError` naming what is missing."""
    file = path / "model.json"
    if not file.is_file():
        raise LookwhereError(
            f"{path}: no model.json, so no model; `python -m train` makes one, models/ lists those shipped"
        )
    info = ModelInfo.from_json(file)
    check_info(info, str(file), ModelInfo.mend({"kind": info.kind}))
    return info


def input_enlargement(info: ModelInfo) -> float | None:
    """How many input pixels a model makes of one pixel of the aligned face, from its `model.json`; None where that is
    1 or less, or the model takes no images.

    Above 1 the face is enlarged: the input has more pixels than detail. The larger of the two axes counts.
    """
    declared = info.declaration
    size = (info.input_size or SIDE,) * 2 if info.trained_here else declared and declared.size
    if not size:
        return None
    (height, width), (left, top, right, bottom) = size, (declared and declared.crop) or (0, 0, SIDE, SIDE)
    factor = max(height / (bottom - top), width / (right - left))
    return factor if factor > 1 else None


def list_models(root: Path = MODELS) -> list[str]:
    """Names of the folders under `root` that hold a model or a training run, sorted."""
    if not root.is_dir():
        return []
    # A hidden folder is unfinished work, as of an import that was killed.
    folders = (p for p in root.iterdir() if not p.name.startswith("."))
    return sorted(p.name for p in folders if (p / "model.json").is_file() or (p / "training/status.json").is_file())
