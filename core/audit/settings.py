"""How much accuracy by group depends on what an import declares of the input: the audit's own uncertainty.

A model's authors rarely say how they shrank faces, and each way is somebody's. The same faces go through the same
network once for each admissible setting of one thing, all else as declared.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import pandas as pd

from core.audit.tried_settings import Setting, Tried
from core.classifiers.classifier import WithoutMaps
from core.classifiers.folder import Model
from core.classifiers.imported.own_template import on_our_template
from core.classifiers.imported.spec import InputOutputSpec, Resize, from_dict
from core.data.realignment import realigned
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.progress import Progress
from core.template import TEMPLATE
from core.wording import percent

#: What is varied: how the crop becomes the input, where it lies, the order of the colours, and whether each face is
#: laid by its own landmarks on the model's own template, or by its eyes alone.
Varied = Literal["resize", "crop", "channels", "alignment"]
OWN, EYES = "each face to the declared template", "by the eyes alone"
#: A crop is made wider or tighter by these shares of its sides, and moved by that share.
WIDER, MOVED = (-0.1, 0.1), 0.05
BATCH = 64


def admissible(declared: InputOutputSpec, varied: tuple[Varied, ...]) -> list[tuple[Setting, InputOutputSpec]]:
    """The declared setting, then one for each other value of what is `varied`.

    Raises `LookwhereError` where nothing can be varied: an input of the crop's own pixels is not resized.
    """
    specs = [(Setting("resize", f"{declared.resize} (declared)"), declared)]
    left, top, right, bottom = declared.crop
    height, width = declared.size
    for dimension in dict.fromkeys(varied):
        if dimension == "resize" and (bottom - top, right - left) != (height, width):
            shrinks = height <= bottom - top and width <= right - left
            resizings = [how for how in get_args(Resize) if how != declared.resize and (shrinks or how != "area")]
            specs += [(Setting("resize", how), replace(declared, resize=how)) for how in resizings]
        elif dimension == "channels" and declared.channels != "grey":
            swapped = "bgr" if declared.channels == "rgb" else "rgb"
            specs.append((Setting("channels", swapped), replace(declared, channels=swapped)))
        elif dimension == "crop":
            specs += _crops(declared)
        elif dimension == "alignment":
            ways = (OWN, EYES) if declared.template is not None else (EYES,)
            specs += [(Setting("alignment", way), declared) for way in ways]
    if len(specs) == 1:
        raise LookwhereError(
            f"nothing of {', '.join(varied)} can be varied for an input of {width}×{height} pixels, "
            f"{declared.channels}: faces that are not resized have one way alone"
        )
    return specs


def _crops(declared: InputOutputSpec) -> list[tuple[Setting, InputOutputSpec]]:
    left, top, right, bottom = declared.crop
    wide, high = right - left, bottom - top
    boxes = {f"{percent(abs(share), 0)} {'wider' if share > 0 else 'tighter'}": (share / 2,) * 4 for share in WIDER}
    boxes |= {
        f"{percent(MOVED, 0)} {word}": (0.0, -down, 0.0, down) for word, down in (("up", -MOVED), ("down", MOVED))
    }
    specs = []
    for name, (a, b, c, d) in boxes.items():
        crop = (left - a * wide, top - b * high, right + c * wide, bottom + d * high)
        try:
            varied = replace(declared, crop=crop)
            specs.append((Setting("crop", name), varied.for_images()))
        except LookwhereError:  # it would reach beyond what can be mirrored, or `area` would enlarge
            continue
    return specs


def _aim(setting: Setting, declared: InputOutputSpec) -> np.ndarray | None:
    """Where on our template each face's landmarks are brought to, (5, 2) or the eyes' (2, 2); None where nowhere."""
    if setting.varied != "alignment":
        return None
    own = TEMPLATE if declared.template is None else on_our_template(declared.template, declared.crop, declared.size)
    return own if setting.value == OWN else own[:2]


def try_settings(
    model: Model,
    store: AlignedStore,
    faces: pd.DataFrame,
    varied: tuple[Varied, ...] = ("resize",),
    progress: Progress | None = None,
) -> Tried:
    """Put `faces` of the store through the model under each admissible setting.

    Raises `LookwhereError` where the model has no declared input, or there is no face.
    """
    if model.classify is None or model.info.declaration is None:
        raise LookwhereError(f"{model.path}: no input was declared of it, so there is nothing to vary")
    if faces.empty:
        raise LookwhereError(f"{store.path}: none of its faces is asked for; give another --split or --ages all")
    settings = admissible(from_dict(model.info.declaration.to_json(), f"{model.path}/model.json"), varied)
    classify = model.classify.classifier if isinstance(model.classify, WithoutMaps) else model.classify
    fed = [classify.fed(spec) for _, spec in settings]
    aims = [_aim(setting, spec) for setting, spec in settings]
    rows = faces["row"].to_numpy()
    if any(aim is not None for aim in aims) and not np.ptp(store.landmarks[rows], axis=0).any():
        raise LookwhereError(f"{store.path}: no landmarks were looked for in its faces, so alignment cannot be varied")
    tick = progress("trying", len(faces)) if progress else (lambda n: None)
    truly = model.info.task.is_positive(faces)
    right = np.empty((len(settings), len(faces)), dtype=bool)
    sure = np.zeros(len(settings))
    for low in range(0, len(faces), BATCH):
        part = slice(low, low + BATCH)
        images = store.images[rows[part]]
        for n, (classifier, aim) in enumerate(zip(fed, aims, strict=True)):
            realigned_images = images if aim is None else realigned(images, store.landmarks[rows[part]], aim)
            logits = classifier.logits(realigned_images).astype(np.float64)
            margin = logits[:, 1] - logits[:, 0]
            right[n, part] = (margin >= 0) == truly[part]
            sure[n] += np.tanh(np.abs(margin) / 2).sum()
        tick(len(images))
    return Tried(tuple(setting for setting, _ in settings), faces, right, sure / len(faces))
