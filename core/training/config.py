"""What a training run is told: dataclasses, checked when made. A YAML file and flags fill them (`python -m train`)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Literal

from core.errors import LARGEST, LookwhereError
from core.template import SIDE
from core.training.groups import GROUPS


def _check(good: bool, message: str) -> None:
    if not good:
        raise LookwhereError(message)


def _numbers(settings: object, part: str = "") -> None:
    """Raise unless every number of settings is one that can be computed with."""
    for number_field in fields(settings):
        value = getattr(settings, number_field.name)
        for number in value if isinstance(value, tuple) else (value,):
            what = "--" + part + f"{number_field.name.replace('_', '-')} {number}"
            _check(not isinstance(number, float) or math.isfinite(number), f"{what}: must be a finite number")
            _check(not isinstance(number, int) or abs(number) <= LARGEST, f"{what[:80]}: must be at most {LARGEST:,}")


@dataclass(frozen=True)
class Stage:
    """Some epochs at one image size."""

    size: int = SIDE
    """Side of the images in pixels; above the store's 112 only with `enlarge`."""
    epochs: int = 1
    """How many epochs."""
    dilated: bool = False
    """Dilate the last stage: 7×7 maps at 112 px instead of 4×4."""
    strength: float = 1.0
    """Factor on the augmentation's amplitudes and probabilities, 0 to 1."""

    def __post_init__(self) -> None:
        _check(32 <= self.size <= 512, f"stage size {self.size}: must be 32 to 512 pixels")
        _check(self.epochs >= 1, f"stage epochs {self.epochs}: must be at least 1")
        _check(0 <= self.strength <= 1, f"stage strength {self.strength}: must be 0 to 1")


@dataclass(frozen=True)
class Augmentation:
    """Random changes of a training image; amplitudes at strength 1. No mixup or CutMix: they spoil attribution."""

    flip: float = 0.5
    """Probability of a left-right flip (not scaled by strength)."""
    crop: float = 0.5
    """Smallest area share of a random resized crop."""
    aspect: float = 0.15
    """Largest stretch of the crop's sides, as a share."""
    rotation: float = 12.0
    """Largest rotation in degrees, either way."""
    brightness: float = 0.35
    """Largest relative change of brightness."""
    contrast: float = 0.35
    """Largest relative change of contrast."""
    grey: float = 0.15
    """Probability of a grey image."""
    erase: float = 0.25
    """Probability that a rectangle of 2–12 % of the area is erased."""

    def __post_init__(self) -> None:
        for name in ("flip", "grey", "erase"):
            _check(0 <= getattr(self, name) <= 1, f"augmentation {name} {getattr(self, name)}: must be 0 to 1")
        _check(0.1 <= self.crop <= 1, f"augmentation crop {self.crop}: must be 0.1 to 1")


@dataclass(frozen=True)
class Optimiser:
    """AdamW with OneCycle by default; SGD with ReduceLROnPlateau is the original study's protocol."""

    name: Literal["adamw", "sgd"] = "adamw"
    """The optimiser."""
    lr: float = 1e-3
    """Peak (OneCycle) or first (plateau) learning rate."""
    weight_decay: float = 0.05
    """Weight decay, off norms and biases."""
    momentum: float = 0.9
    """SGD's momentum."""
    schedule: Literal["onecycle", "plateau"] = "onecycle"
    """One cosine cycle over the whole run, or a division when the validation measure stalls."""
    warmup: float = 0.1
    """Share of the run in which OneCycle's rate rises."""
    final: float = 0.001
    """OneCycle's last rate as a share of the peak."""
    factor: float = 0.1
    """Plateau: the rate is multiplied by this."""
    patience: int = 3
    """Plateau: after this many epochs without a better validation measure."""
    renew: bool = False
    """Plateau: begin with the first rate again at each new image size, where accuracy falls for a while anyway."""
    clip: float = 1.0
    """Largest gradient norm; 0 is no limit."""

    def __post_init__(self) -> None:
        _numbers(self, "optimiser.")
        _check(self.lr > 0, f"--optimiser.lr {self.lr}: must be above 0")
        _check(0 < self.warmup < 1, f"--optimiser.warmup {self.warmup}: must lie between 0 and 1")
        _check(0 < self.factor < 1, f"--optimiser.factor {self.factor}: must lie between 0 and 1")
        _check(self.patience >= 1, f"--optimiser.patience {self.patience}: must be at least 1")


@dataclass(frozen=True)
class TrainConfig:
    """A training run."""

    target: str = "gender"
    """What is classified: gender, or a column of the data with two values, such as Eyeglasses or smiling."""
    stages: tuple[Stage, ...] = (Stage(),)
    """Sizes in turn; raise them in small steps while the rate is high."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    """Random changes of the images."""
    optimiser: Optimiser = field(default_factory=Optimiser)
    """Optimiser and learning rate."""
    batch: int = 64
    """Images a step, over all processes."""
    label_smoothing: float = 0.05
    """Smoothing of the labels, at most 0.05."""
    age_weight: float = 0.0
    """Weight of an auxiliary loss, the age band from the same features; its head is thrown away. 0 is none."""
    teacher: tuple[str, ...] = ()
    """Models that teach, imported or trained here: names under --models, or folders. Their soft labels are those of the
    clean aligned face (the mean of several teachers' log-odds), computed once and kept beside the run."""
    teacher_weight: float = 0.5
    """Share of the soft labels in the loss, 0 to 1; the rest is the label's."""
    teacher_where: Literal["right", "always"] = "right"
    """Faces whose soft label is used: those where the teachers say the label, or always. A teacher that fails a group
    would else teach that."""
    teacher_temperature: float = 2.0
    """Temperature of the soft labels, 1 and more: softer ones tell more of how sure a teacher is."""
    teacher_features: float = 0.0
    """Weight of the match with the teachers' features, by a linear projection that is thrown away; 0 is none."""
    teacher_outputs: tuple[str, ...] = ()
    """Of each teacher, the output of its ONNX file that holds its features; empty for what it has by itself: the
    averaged last maps of a network, or of a graph with exact maps."""
    teacher_terms: tuple[str, ...] = ()
    """On what terms each teacher may be used, for model.json and the card."""
    ema: float = 0.998
    """Decay a step of the weights' moving average, which is what is validated and kept; 0 is none."""
    norm_batches: int = 30
    """Batches from which batch-norm statistics of the averaged weights are estimated anew each epoch."""
    balance: Literal["none", "class", "group", "gender"] = "none"
    """Draw faces so that the two classes of what is classified, or classes × --groups, are equally frequent; or
    genders, whatever is classified."""
    groups: tuple[str, ...] = GROUPS
    """Columns of the data whose levels make the groups of --balance group, of --choose worst-group and of the record,
    crossed with what is classified; up to three."""
    weights: tuple[float, ...] = ()
    """How often faces of each data set of --train are drawn, in their order, relative to their number; by default all
    alike."""
    splits: tuple[Literal["own", "train", "all"], ...] = ()
    """Which faces of each data set of --train are trained on, in their order: train, its train split; all; or own, the
    default: its train split where the data set itself names splits, else all. Who tests on the rest says train."""
    epoch_images: int | None = None
    """An epoch is so many images, a multiple of the batch, instead of all training faces once: runs on different
    numbers of faces then see equally many, in equally many steps. Faces are gone through in turn, one epoch going on
    where the last ended."""
    limit: int | None = None
    """Train on at most this many faces, as many of each class of `balance`; people are taken or left whole."""
    exclude: tuple[str, ...] = ()
    """Groups left out of training and of validation, as "female Black", or as the metrics name a group; "as many as
    female Black" leaves out as many random faces of that gender and of other groups instead."""
    choose: Literal["overall", "worst-group"] = "overall"
    """The validation accuracy by which an epoch is kept, and plateau judges."""
    keep_every: bool = False
    """Also keep each epoch's weights, under training/epochs/: one run then serves every rule of choosing."""
    enlarge: bool = False
    """Allow stages larger than the aligned faces. These are then enlarged, which costs time and adds no detail."""
    init: str | None = None
    """Start from a .safetensors file or a model's folder, or 'imagenet' (torchvision's weights, fetched once)."""
    seed: int = 0
    """Seed of weights, order and augmentation."""

    def __post_init__(self) -> None:
        _numbers(self)
        _check(len(self.stages) > 0, "stages: at least one is needed")
        _check(self.batch >= 2, f"--batch {self.batch}: must be at least 2")
        _check(0 <= self.label_smoothing <= 0.05, f"--label-smoothing {self.label_smoothing}: must be 0 to 0.05")
        _check(0 <= self.ema < 1, f"--ema {self.ema}: must be 0 up to (not with) 1")
        _check(self.limit is None or self.limit >= 1, f"--limit {self.limit}: must be at least 1")
        _check(all(w > 0 for w in self.weights), f"--weights {self.weights}: each must be above 0")
        _check(0 <= self.teacher_weight <= 1, f"--teacher-weight {self.teacher_weight}: must be 0 to 1")
        _check(self.teacher_temperature >= 1, f"--teacher-temperature {self.teacher_temperature}: must be at least 1")
        _check(self.teacher_features >= 0, f"--teacher-features {self.teacher_features}: must not be negative")
        for name in ("teacher_terms", "teacher_outputs"):
            count, flag = len(getattr(self, name)), name.replace("_", "-")
            _check(
                count in (0, len(self.teacher)),
                f"--{flag}: {count} for {len(self.teacher)} teachers; say those of each",
            )
        _check(
            self.epoch_images is None or (self.epoch_images >= 1 and self.epoch_images % self.batch == 0),
            f"--epoch-images {self.epoch_images}: must be a multiple of --batch {self.batch}",
        )
        _check(self.age_weight >= 0, f"--age-weight {self.age_weight}: must not be negative")

    @property
    def epochs(self) -> int:
        """Epochs of all stages."""
        return sum(stage.epochs for stage in self.stages)

    def check_sizes(self, side: int, store: object) -> None:
        """Raise `LookwhereError` for a stage larger than the store's faces (`side` pixels), unless `enlarge` is set."""
        large = [stage.size for stage in self.stages if stage.size > side]
        _check(
            self.enlarge or not large,
            f"stage size {', '.join(map(str, large))}: the faces of {store} have {side} pixels a side and would be "
            f"enlarged, which adds no detail; choose {side} or less, or say `enlarge: true` (--enlarge)",
        )

    def stage_at(self, epoch: int) -> Stage:
        """The stage of an epoch counted from 0."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage
            epoch -= stage.epochs
        return self.stages[-1]
