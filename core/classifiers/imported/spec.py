"""What whoever imports a model declares of it: its input, and what its outputs mean. Nothing of this is guessed.

An image comes aligned to the ArcFace template (`core.data.alignment`), 112×112, RGB; the model's input is
`(pixel / divisor − mean) / std` of the declared crop at the declared size.
"""

from __future__ import annotations

import dataclasses
import reprlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from core.classifiers.imported.keys import lacking, meaning
from core.classifiers.imported.own_template import crop_of, points_of
from core.data.columns import Column, Kind
from core.data.targets import task_for
from core.errors import LookwhereError
from core.task import GENDER, Task
from core.template import SIDE
from core.yaml_file import read_yaml

#: The two options by which outputs of gender are declared.
BOTH = " and ".join(GENDER.classes)
Layout = Literal["nchw", "nhwc"]
Channels = Literal["rgb", "bgr", "grey"]
#: `logits`, `probabilities`: an output a class, told apart by `female` and `male`, or `indices`; `logit` and
#: `probability`: one output, for the class `of`. The others are of tables alone: probabilities of 0–100, and the words
#: for a class.
Score = Literal["logits", "probabilities", "logit", "probability", "percentages", "percentage", "label"]
OF_TABLES = ("percentages", "percentage", "label")
ONE_OUTPUT = ("logit", "probability", "percentage")
YES_NO = ("no", "yes")
#: What is several numbers.
SEVERAL = ("size", "mean", "std", "crop", "template", "indices")
#: How the crop becomes the input, see `core.classifiers.resizing`.
Resize = Literal["pillow-bilinear", "pillow-bicubic", "pillow-lanczos", "bilinear", "corners", "area", "antialias"]
#: Other names of these.
RESIZES = {"pillow": "pillow-bilinear", "cv2": "bilinear", "opencv": "bilinear", "torch": "bilinear", "dlib": "corners"}
#: How a network pools before its head, in timm's words.
Pooling = Literal["avg", "max", "avgmax", "catavgmax", "token", "map"]
#: What a state dict cannot tell of its architecture; left out, it is as the library has it.
OF_ARCHITECTURES = ("pooling", "bn_eps", "activation")
#: What is taken where it is not declared; all else is asked for.
DEFAULTED = ("channels", "divisor", "layout", "crop", "resize")
#: Means and deviations beyond this are of pixels of 0–255, and none of what a division by 255 leaves.
LARGEST_MEAN = 2.0
#: What mean, std and divisor may be: pixels are of 0–255, of 16 bits at the most.
SMALLEST_SCALE, LARGEST_SCALE = 1e-3, 65536.0
#: The least side of a crop in template pixels, about half the distance of the eyes: less is no face.
LEAST_CROP = 16
#: How far beyond the template a crop may reach, in template pixels: what lies there is mirrored.
REACH = SIDE - 1


@dataclass(frozen=True)
class InputOutputSpec:
    """Input and outputs of an imported model.

    `size` (height, width) in pixels; `crop` (left, top, right, bottom) in pixels of the template, all of which is
    (0, 0, 112, 112), and follows from `template` where that is given: ten numbers, the five points to which the model's
    own pipeline aligns faces (`own_template`). `mean` and `std` a channel, in the units that `divisor` leaves.
    `female`, `male` are indices into the outputs' last axis; `of` is the class of a single output. Where another
    attribute than gender is classified, `target` names the column of the data, `classes` its two values, the positive
    one last, and `indices` are theirs instead of `female` and `male`. `output` names an ONNX output, `layer` a module
    to explain. `pooling`, `bn_eps` and `activation` (timm's name) are of architectures whose state dicts do not tell.
    `by_default` names those of `DEFAULTED` that nobody declared, `from_files` what the model's own files said instead.
    Raises `LookwhereError` for what cannot be.
    """

    score: Score
    size: tuple[int, int] | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    divisor: float = 255.0
    layout: Layout = "nchw"
    channels: Channels = "rgb"
    crop: tuple[float, float, float, float] = (0.0, 0.0, float(SIDE), float(SIDE))
    template: tuple[float, ...] | None = None
    resize: Resize = "pillow-bilinear"
    female: int | None = None
    male: int | None = None
    of: str | None = None
    target: str = GENDER.attribute
    classes: tuple[str, ...] = GENDER.classes
    indices: tuple[int, ...] | None = None
    output: str | None = None
    layer: str | None = None
    pooling: Pooling | None = None
    bn_eps: float | None = None
    activation: str | None = None
    by_default: tuple[str, ...] = ()
    from_files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        kinds = {"score": Score, "layout": Layout, "channels": Channels, "resize": Resize}
        for name, kind in kinds.items():
            _one_of(name, getattr(self, name), get_args(kind))
        if self.pooling is not None:
            _one_of("pooling", self.pooling, get_args(Pooling))
        if self.bn_eps is not None and not 0 < self.bn_eps < 1:
            raise LookwhereError(f"bn_eps: expected a number above 0 and under 1, not {self.bn_eps:g}")
        if self.size is not None and (len(self.size) != 2 or min(self.size) < 8 or max(self.size) > 2048):
            raise LookwhereError(f"size: expected height and width of 8 to 2,048 pixels, not {self.size}")
        for name in ("mean", "std"):
            values = getattr(self, name)
            if values and len(values) != self.depth:
                raise LookwhereError(f"{name}: expected {self.depth} numbers for {self.channels}, not {len(values)}")
        if any(value <= 0 for value in self.std) or self.divisor <= 0:
            raise LookwhereError("std and divisor must be above 0: pixels are divided by them")
        if not all(SMALLEST_SCALE <= value <= LARGEST_SCALE for value in (*self.std, self.divisor)):
            raise LookwhereError(
                f"std and divisor: expected numbers of {SMALLEST_SCALE:g} to {LARGEST_SCALE:,.0f}, by which pixels of "
                "0–255 are divided"
            )
        if any(abs(value) > LARGEST_SCALE for value in self.mean):
            raise LookwhereError(f"mean: expected numbers of at most {LARGEST_SCALE:,.0f}, which pixels of 0–255 lose")
        if self.divisor == 255 and any(abs(value) > LARGEST_MEAN for value in self.mean):
            means = ", ".join(f"{value:g}" for value in self.mean)
            raise LookwhereError(f"mean {means}: are these for pixels of 0–255? declare divisor 1")
        left, top, right, bottom = self.crop
        if not (-REACH <= left < right <= SIDE + REACH and -REACH <= top < bottom <= SIDE + REACH):
            raise LookwhereError(
                f"crop: expected left < right and top < bottom within a template's width, not {self.crop}"
            )
        if min(right - left, bottom - top) < LEAST_CROP:
            raise LookwhereError(f"crop: {LEAST_CROP} pixels of the template a side are the least, not {self.crop}")
        for name in self.by_default:
            _one_of("by_default", name, DEFAULTED)
        self._check_outputs()

    def _check_outputs(self) -> None:
        self.task()
        if self.target != GENDER.attribute:
            self._check_indices()
            return
        if self.indices is not None:
            raise LookwhereError(f"indices: are of another --target; of gender {BOTH} say which is which")
        if self.score in ONE_OUTPUT:
            self._check_of()
            if self.by_name != (None, None):
                raise LookwhereError(
                    f"{BOTH}: score {self.score} is one output, and `of` says whose; leave them out, or "
                    "declare logits or probabilities"
                )
        elif self.score == "label":
            if (self.of, *self.by_name) != (None, None, None):
                raise LookwhereError(f"of, {BOTH}: a label names the gender itself; leave them out")
        elif self.of is not None:
            raise LookwhereError(
                f"of: is for one logit or probability; of {self.score} {BOTH} say which is which, leave it out"
            )
        elif None in self.by_name:
            missing = [name for name, place in zip(GENDER.classes, self.by_name, strict=True) if place is None]
            raise LookwhereError(lacking(missing, f"; {self.score} need two different output indices"))
        elif len(set(self.by_name)) < 2 or min(self.by_name) < 0:
            raise LookwhereError(f"{BOTH}: {self.score} need two different output indices, counted from 0")

    def _check_of(self) -> None:
        if self.of is None:
            why = f"; score {self.score} is a single output, of {' or '.join(self.classes)}"
            raise LookwhereError(lacking(["of"], why, [self.classes[1]]))
        _one_of("of", self.of, self.classes)

    def _check_indices(self) -> None:
        """The same of another attribute than gender."""
        if self.by_name != (None, None):
            raise LookwhereError(f"{BOTH}: are of gender; of {self.target} give indices, one a class")
        if self.score in ONE_OUTPUT:
            self._check_of()
        elif self.of is not None:
            raise LookwhereError(f"of: is for one logit or probability, not for {self.score}; leave it out")
        several = self.score not in (*ONE_OUTPUT, "label")
        has_indices = self.indices is not None
        if several != has_indices or (has_indices and (len(set(self.indices)) != 2 or min(self.indices) < 0)):
            need = "needs two different output indices, one a class, counted from 0" if several else "takes no indices"
            raise LookwhereError(f"indices: {self.score} {need}")

    def task(self) -> Task:
        """What is classified. Raises `LookwhereError` where these are no two classes."""
        if len(self.classes) != 2 or len(set(self.classes)) != 2:
            raise LookwhereError(f"classes: expected two different ones, the positive last, not {self.classes}")
        if self.target == GENDER.attribute:
            if self.classes != GENDER.classes:
                raise LookwhereError("classes: say with --target which column of the data they are of")
            return GENDER
        if self.classes == GENDER.classes:
            raise LookwhereError(f"target {self.target}: give its two classes too, the positive one last")
        kind = Kind.YES_NO if self.classes == YES_NO else Kind.CATEGORY
        return task_for(Column(name=self.target, kind=kind, levels=self.classes))

    @property
    def by_name(self) -> tuple[int | None, int | None]:
        """The outputs that are declared by the names of the genders, in their order; None where they are not."""
        first, second = (getattr(self, name) for name in GENDER.classes)
        return first, second

    @property
    def pair(self) -> tuple[int, int]:
        """The outputs of both classes, in their order. Asked only where there is one a class."""
        first, second = self.indices if self.indices is not None else self.by_name
        return first, second

    @property
    def sign(self) -> float:
        """1 where the one output speaks for the first class, −1 for the second."""
        return 1.0 if self.of == self.classes[0] else -1.0

    @property
    def depth(self) -> int:
        """Channels of the input."""
        return 1 if self.channels == "grey" else 3

    def for_images(self) -> InputOutputSpec:
        """This declaration, if it says enough to put an image in. Raises `LookwhereError` naming what it lacks."""
        missing = [name for name in ("size", "mean", "std") if not getattr(self, name)]
        if missing:
            raise LookwhereError(lacking(missing))
        if self.score in OF_TABLES:
            raise LookwhereError(
                f"score {self.score} is for tables of predictions; declare what the model's outputs are"
            )
        left, top, right, bottom = self.crop
        if self.resize == "area" and (self.size[0] > bottom - top or self.size[1] > right - left):
            raise LookwhereError("resize area: for shrinking alone, and the input is larger than the crop")
        return self

    def doubt(self) -> str | None:
        """Why this scale of pixels is probably none that was meant; None where it may be.

        It is asked at an import, and not when a model is opened that was imported before.
        """
        if self.divisor == 255 and "divisor" in self.by_default and any(value > LARGEST_MEAN for value in self.std):
            stds = ", ".join(f"{value:g}" for value in self.std)
            return f"std {stds}: is this for pixels of 0–255, which would be divided twice? declare divisor 1"
        if self.divisor == 1 and self.std and max(self.std) < 1 and 0 < max(map(abs, self.mean)) < 1:
            means, stds = (", ".join(f"{value:g}" for value in values) for values in (self.mean, self.std))
            return f"mean {means} and std {stds}: are these for pixels of 0–1? leave divisor 1 out"
        return None

    def as_probabilities(self) -> InputOutputSpec:
        """What is declared of a table once percentages are divided by 100 and labels are 1 for the positive class."""
        if self.score == "label":
            return replace(self, score="probability", of=self.classes[1])
        kinds: dict[str, Score] = {"percentage": "probability", "percentages": "probabilities"}
        return replace(self, score=kinds.get(self.score, self.score))

    def for_scores(self) -> InputOutputSpec:
        """This declaration, if it is of scores alone. Raises `LookwhereError` naming what is of images."""
        of_images = ("size", "mean", "std", "output", "layer", *OF_ARCHITECTURES)
        declared = [name for name in of_images if getattr(self, name)]
        declared += [name for name in DEFAULTED if name not in self.by_default and self._changed(name)]
        if declared:
            raise LookwhereError(
                f"{', '.join(declared)} said of predictions alone, where no image is put in; leave that out"
            )
        return self

    def _changed(self, name: str) -> bool:
        # One made without `from_dict` says nothing of what was declared.
        return bool(self.by_default) or getattr(self, name) != getattr(InputOutputSpec, name)

    def as_dict(self) -> dict:
        """As JSON keeps it, what is not set left out, and that gender is what is classified."""
        unsaid = ("target", "classes") if self.target == GENDER.attribute else ()
        return {
            key: value
            for key, value in dataclasses.asdict(self).items()
            if (value not in (None, ()) and key not in unsaid) or key == "by_default"
        }


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise LookwhereError(f"{name} must be one of {', '.join(allowed)}, not {reprlib.repr(value)}{meaning(name)}")


def declare(file: Path | None = None, beside: dict | None = None, **flags: object) -> InputOutputSpec:
    """A declaration from a YAML file and flags; a flag that is not None wins.

    `beside` is what the model's own files say, which holds where neither the YAML file nor a flag says otherwise.

    What the file has under `about` is for its readers, as where the facts come from, and no part of the declaration.
    Raises `LookwhereError` where the file is no mapping, or names or values do not fit.
    """
    content: dict = {}
    if file is not None:
        read = read_yaml(file)
        if not isinstance(read, dict):
            raise LookwhereError(f"{file}: expected lines of «key: value»")
        content = read
        content.pop("about", None)
    flag_values = {key: value for key, value in flags.items() if value is not None}
    if isinstance(content.get("by_default"), list):  # copied from a model.json
        content["by_default"] = [name for name in content["by_default"] if name not in list(flag_values)]
    content |= flag_values
    from_beside = {key: value for key, value in (beside or {}).items() if key not in content}
    if from_beside:
        content |= from_beside | {"from_files": sorted(from_beside)}
    return from_dict(content, str(file) if file else "flags")


def from_dict(content: dict, origin: str = "declaration") -> InputOutputSpec:
    """A declaration from plain values. What nobody declared is in its `by_default`, unless the values have that too, as
    `model.json` does. Raises `LookwhereError` naming `origin`.
    """
    keys = {field.name for field in dataclasses.fields(InputOutputSpec)}
    strange = [str(key) for key in content if key not in keys]
    if strange:
        there = ", ".join(sorted(keys - {"by_default", "from_files"}))
        raise LookwhereError(f"{origin}: unknown {', '.join(strange)}; there are {there}")
    if content.get("score") is None:
        kinds = f"; it is one of {', '.join(get_args(Score))}"
        raise LookwhereError(f"{origin}: {lacking(['score'], kinds)}")
    content = _with_crop(content, origin)
    try:
        values = {key: _typed(key, value) for key, value in content.items() if value is not None}
        values.setdefault("by_default", tuple(name for name in DEFAULTED if name not in values))
        return InputOutputSpec(**values)
    except (TypeError, ValueError) as error:
        raise LookwhereError(f"{origin}: {error}") from error
    except LookwhereError as error:
        raise LookwhereError(f"{origin}: {error}") from error


def _with_crop(content: dict, origin: str) -> dict:
    """Values with the crop that follows from a declared template. Raises `LookwhereError` where another is given."""
    if content.get("template") is None:
        return content
    try:
        size = _typed("size", content["size"]) if content.get("size") is not None else None
        template = points_of(content["template"], size)
        crop = crop_of(template, size)
    except (LookwhereError, TypeError, ValueError) as error:
        raise LookwhereError(f"{origin}: {error}") from error
    own_crop = content.get("crop")
    # A model.json has both, and there they are one.
    if own_crop is not None and (
        len(own_crop) != 4 or max(abs(a - b) for a, b in zip(own_crop, crop, strict=True)) > 0.01
    ):
        raise LookwhereError(f"{origin}: crop and template say where the input lies; give one of them")
    return content | {"template": template, "crop": crop}


def _typed(key: str, value: object) -> object:
    """Numbers and tuples of the kind that a field has. Raises `ValueError`."""
    whole, several = key in ("size", *GENDER.classes, "indices"), key in SEVERAL
    if several:
        if key == "size" and isinstance(value, int):
            value = [value, value]
        if not isinstance(value, list | tuple):
            raise ValueError(f"{key} must be a list of numbers, not {reprlib.repr(value)}{meaning(key)}")
        return tuple(_number(key, item, whole) for item in value)
    if key in ("by_default", "classes", "from_files"):
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise ValueError(f"{key} must be a list of words, not {reprlib.repr(value)}{_quotes(value)}{meaning(key)}")
        return tuple(value)
    if whole or key in ("divisor", "bn_eps"):
        return _number(key, value, whole)
    if not isinstance(value, str):
        raise ValueError(f"{key} must be a word, not {reprlib.repr(value)}{_quotes(value)}{meaning(key)}")
    return RESIZES.get(value, value) if key == "resize" else value


def _quotes(value: object) -> str:
    """YAML reads yes and no as true and false."""
    several = value if isinstance(value, list | tuple) else [value]
    return "; put yes and no into quotes" if any(isinstance(item, bool) for item in several) else ""


def _number(key: str, value: object, whole: bool) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not np.isfinite(value):
        kind = "a whole number" if whole else "a number"
        raise ValueError(f"{key} must be {kind}, not {reprlib.repr(value)}{meaning(key)}")
    return value if whole else float(value)
