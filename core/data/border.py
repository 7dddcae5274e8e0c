"""How wide a border images get before their faces are looked for, decided from a sample of the images themselves.

Faces that reach an image's edge get misplaced landmarks: docs/border.md has the measurements. A border mends that, and
makes detection slower. So the sample is looked at without one and with one, and the landmarks are compared.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from PIL import Image

from core.data.alignment import shrunk
from core.data.detection import (
    BORDERS,
    MARGIN,
    SURE,
    Detection,
    look,
    main_face,
    reaches_edge,
    sides,
    weights,
)
from core.data.images import decode
from core.data.readers.base import Reader
from core.data.sources.base import Source
from core.data.store_info import BorderInfo, DecidedBy
from core.errors import LookwhereError

if TYPE_CHECKING:
    from core.data.cascade import Detector

#: A sixteenth of the images is looked at, but no more and no less than so many.
SAMPLE = (12, 64)
#: Landmarks this far apart on the mean, in distances of the eyes, lie elsewhere. The detector's own unsteadiness on
#: faces amid an image is 0.03, and 1 face in 100 exceeds a tenth.
ELSEWHERE = 0.1
#: The widest border that can be asked for, in percent.
LARGEST = 200
#: Where more of the sample than this need it, all images get a border at once; two looks at each were slower.
MOST = 1 / 3


def given_border(reader: Reader, by_hand: float | None) -> BorderInfo | None:
    """The border that was asked for, or that the reader names; None where the images are to decide it.

    Raises `LookwhereError` where `by_hand`, in percent, is no border, or no face is looked for.
    """
    if by_hand is None:
        return None if reader.border is None else BorderInfo(percent=reader.border, decided=DecidedBy.READER)
    if reader.aligned:
        raise LookwhereError(f"--border {by_hand:g}: {reader.name} is aligned, no face is looked for; leave it out")
    if not 0 <= by_hand <= LARGEST:
        raise LookwhereError(f"--border {by_hand:g}: it is in percent of an image's shorter side, from 0 to {LARGEST}")
    return BorderInfo(percent=by_hand, decided=DecidedBy.HAND)


def sampled(source: Source, faces: pd.DataFrame) -> list[Image.Image]:
    """The readable images of evenly spread rows of a faces table: a sixteenth of them, as far as `SAMPLE` allows."""
    size = min(len(faces), max(SAMPLE[0], min(len(faces) // 16, SAMPLE[1])))
    names = faces["path"].iloc[np.linspace(0, len(faces) - 1, size).round().astype(int)]
    images = []
    for _, data in source.iterate(names):
        with contextlib.suppress(ValueError):
            images.append(shrunk(decode(data)))
    return images


def decide_border(images: list[Image.Image], detector: Detector, setting: BorderInfo | None = None) -> BorderInfo:
    """No border, or one of 30 % of an image's shorter side, by what it does to the landmarks of a sample of images.

    A border that the `setting` names is taken as it is, with the sample's sizes.
    """
    side = round(median(min(image.size) for image in images)) if images else None
    if setting is not None:
        bordered = look(detector, images, setting.percent / 100)
        return replace(setting, median_side=side, smallest=smallest_needed(bordered, images))
    none, some, more = BORDERS
    without, bordered = look(detector, images, none), look(detector, images, some)
    needing = _count_elsewhere(without, bordered, images)
    decision, detections, alternative = none, without, bordered
    if needing > MOST * len(images):
        decision, detections, alternative = some, bordered, look(detector, images, more)
    detections = [
        last if reaches_edge(first, image.size, decision) and not isinstance(last, Exception) and last else first
        for first, last, image in zip(detections, alternative, images, strict=True)
    ]
    return BorderInfo(
        percent=round(100 * decision),
        decided=DecidedBy.IMAGES,
        sample=len(images),
        needing=needing,
        missed_without=_missed(without),
        missed_with=_missed(bordered),
        unsteady=_count_elsewhere(detections, alternative, images),
        median_side=side,
        smallest=smallest_needed(detections, images),
    )


def smallest_needed(looks: list[Detection | Exception], images: list[Image.Image]) -> float | None:
    """How large faces are that need be looked for, in percent of the images' shorter sides, by a sample of looks.

    Nine in ten of the main faces are so much larger that smaller ones can be left out (`core.data.detection.decided`),
    and no sure face is smaller. None where there is no face.
    """
    main, sure = [], []
    for faces, image in zip(looks, images, strict=True):
        if isinstance(faces, Detection) and faces:
            side, own = min(image.size), main_face(faces, image.size)
            main.append(min(np.sqrt(weights(faces, image.size)[own]), sides(faces)[own] / MARGIN) / side)
            sure += (sides(faces)[faces.certainty >= SURE] / side).tolist()
    return math.floor(1000 * min([np.quantile(main, 1 / 10), *sure])) / 10 if main else None


def _missed(looks: list[Detection | Exception]) -> int:
    return sum(isinstance(faces, Exception) or not faces for faces in looks)


def _count_elsewhere(
    first: list[Detection | Exception], second: list[Detection | Exception], images: list[Image.Image]
) -> int:
    return sum(_elsewhere(*triple) for triple in zip(first, second, images, strict=True))


def _elsewhere(first: Detection | Exception, second: Detection | Exception, image: Image.Image) -> bool:
    """Whether the main face's landmarks differ between two looks; or only the second look finds one."""
    if isinstance(second, Exception) or not second:
        return False
    if isinstance(first, Exception) or not first:
        return True
    a, b = (faces.points[main_face(faces, image.size)] for faces in (first, second))
    return bool(np.linalg.norm(a - b, axis=1).mean() > ELSEWHERE * np.linalg.norm(b[0] - b[1]))
