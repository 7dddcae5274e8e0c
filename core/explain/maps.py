"""Grad-CAM in closed form, from the signed evidence maps that an audit stores.

For global average pooling and one linear layer, E_c = Σ_k W_ck A_k decomposes the logit (logit_c = mean(E_c) + b_c),
and Grad-CAM_c = ReLU(E_c) / (h·w), without a backward pass. So class, ReLU and scaling are choices made afterwards.
"""

from __future__ import annotations

import numpy as np

from core.errors import LookwhereError
from core.task import GENDER, Task


def targets_of(task: Task) -> tuple[str, ...]:
    """What a map can explain: the true or the predicted class, each class of the task, or the margin.

    The margin is the evidence for the first class less that for the second: its sign is fixed, so groups can be
    compared by it.
    """
    return ("true", "predicted", *task.classes, "margin")


#: What maps of gender explain.
TARGETS = targets_of(GENDER)
#: `raw`: the mean of the maps. `scaled`: each map scaled to 0–1 first, as the original study did; it erases strength.
NORMALISATIONS = ("raw", "scaled")


def target_maps(
    evidence: np.ndarray, target: str, true: np.ndarray, predicted: np.ndarray, task: Task = GENDER
) -> np.ndarray:
    """Signed maps (N, h, w) of one target from evidence (N, 2, h, w); `true`, `predicted` are class indices (N,).

    Raises `LookwhereError` for an unknown target.
    """
    if target in ("true", "predicted"):
        which = true if target == "true" else predicted
        return np.take_along_axis(evidence, np.asarray(which)[:, None, None, None], axis=1)[:, 0]
    if target == "margin":
        return evidence[:, 0] - evidence[:, 1]
    if target in task.classes:
        return evidence[:, task.index(target)]
    raise LookwhereError(f"target must be one of {', '.join(targets_of(task))}, not {target!r}")


def check_display(target: str, normalisation: str, task: Task = GENDER) -> None:
    """Raises `LookwhereError` for an unknown target or normalisation."""
    if normalisation not in NORMALISATIONS:
        raise LookwhereError(f"normalisation must be one of {', '.join(NORMALISATIONS)}, not {normalisation!r}")
    if target not in targets_of(task):
        raise LookwhereError(f"target must be one of {', '.join(targets_of(task))}, not {target!r}")


def grad_cam(signed: np.ndarray) -> np.ndarray:
    """Grad-CAM ReLU(E) / (h·w) of signed maps (…, h, w), as pytorch-grad-cam has it before its scaling to 0–1.

    Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391.
    """
    return np.maximum(signed, 0) / (signed.shape[-1] * signed.shape[-2])


def scale_each(maps: np.ndarray) -> np.ndarray:
    """Each map (…, h, w) to 0–1 by its own least and largest value, as pytorch-grad-cam's `scale_cam_image`."""
    low = maps.min(axis=(-2, -1), keepdims=True)
    shifted = maps - low
    return shifted / (1e-7 + shifted.max(axis=(-2, -1), keepdims=True))


def display_maps(
    evidence: np.ndarray,
    target: str,
    normalisation: str,
    true: np.ndarray,
    predicted: np.ndarray,
    task: Task = GENDER,
) -> np.ndarray:
    """The maps (N, h, w) whose mean a page shows: Grad-CAM of the target, or the signed margin map.

    The margin map keeps its sign (positive speaks for the first class); scaled, it is divided by its largest magnitude.
    Raises `LookwhereError` for an unknown target or normalisation.
    """
    check_display(target, normalisation, task)
    signed = target_maps(evidence, target, true, predicted, task)
    if target == "margin":
        maps = signed / (signed.shape[-1] * signed.shape[-2])
        if normalisation == "scaled":
            maps = maps / (1e-7 + np.abs(maps).max(axis=(-2, -1), keepdims=True))
        return maps
    maps = grad_cam(signed)
    return scale_each(maps) if normalisation == "scaled" else maps


#: Kinds of maps that are added up: of the negative class (0), of the positive class (1) or of their margin, each raw
#: and scaled. Every mean map follows from their sums: that of the true or the predicted class is the sum over the faces
#: of one class plus that over the faces of the other.
SUMMED_AS = tuple(f"{which}, {normalisation}" for normalisation in NORMALISATIONS for which in ("0", "1", "margin"))
#: Scaled maps are added up in whole numbers of this: then, as of the raw maps, sums are exact in any order.
STEP = 2.0**-24


def added_up(evidence: np.ndarray, kind: str, starts: np.ndarray) -> np.ndarray:
    """Sums float64 (R, h, w) of display maps over runs of faces that begin at `starts`.

    `evidence` is float32 (N, 2, h, w), made of half-precision values; `kind` is one of `SUMMED_AS`. Raw maps are not
    yet divided by their h·w cells: the values are multiples of 2**-24, so that sums of up to 2**29 have no rounding,
    and are the same however faces are split up.
    """
    which, normalisation = kind.split(", ")
    if which == "margin":
        maps = evidence[:, 0] - evidence[:, 1]
        if normalisation == "scaled":
            maps = maps / (maps.shape[-1] * maps.shape[-2])
            maps = maps / (1e-7 + np.abs(maps).max(axis=(-2, -1), keepdims=True))
    else:
        maps = np.maximum(evidence[:, int(which)], 0)
        if normalisation == "scaled":
            maps = scale_each(maps / (maps.shape[-1] * maps.shape[-2]))
    exact = maps.astype(np.float64)
    if normalisation == "scaled":
        exact = np.rint(exact / STEP) * STEP
    return np.add.reduceat(exact, starts, axis=0)


def mean_of(total: np.ndarray, n: int, normalisation: str) -> np.ndarray:
    """The mean display map (h, w) of n faces whose maps were `added_up` to a total."""
    return total / n / (1 if normalisation == "scaled" else total.size)
