"""Where the models of the board look, as images on one scale: a row a model, a map a gender."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from core.analysis.comparison.board import BoardModel
from core.explain.regions import label_image
from core.present.figures import raster
from core.present.figures.raster import Sheet
from core.task import GENDER, GENDERS
from core.wording import capital

SIDE = 176
#: The ends of the scale in words.
AGAINST, FOR = "against the label", "for the label"


@dataclass(frozen=True)
class LookRow:
    """A model's maps: `panels` has the image and the caption of each gender that has one."""

    title: str
    method: str
    panels: list[tuple[Image.Image, str]]


def looks(models: list[BoardModel], data: str, ethnicity: str | None, side: int = SIDE) -> tuple[list[LookRow], float]:
    """A row a model that has maps of this data set, and the limit of their one scale."""
    means = {
        (model.title, gender): model.maps.of(data, gender, ethnicity)
        for model in models
        if model.maps is not None
        for gender in GENDERS
    }
    limit, rows = raster.shared_limit(list(means.values())), []
    for model in models:
        panels = []
        for gender in GENDERS:
            mean = means.get((model.title, gender))
            if mean is not None:
                n = model.maps.faces(data, gender, ethnicity)
                words = capital(GENDER.nouns[GENDER.index(gender)].many)
                panels.append((_with_regions(raster.paint(mean, limit, True, side)), f"{words}, n = {n:,}"))
        if panels:
            rows.append(LookRow(model.title, model.maps.method_words, panels))
    return rows, limit


def looks_sheet(rows: list[LookRow], limit: float, note: str) -> Sheet:
    """The same to take away."""
    scale = (True, f"−{limit:.1f} {AGAINST}", f"{limit:.1f} {FOR}")
    return Sheet([(f"{row.title} ({row.method})", row.panels) for row in rows], [scale], note)


def _with_regions(image: Image.Image) -> Image.Image:
    """The face's regions as thin lines over a map, since there is no average face under it."""
    labels = label_image(image.width, 1)
    edge = np.zeros(labels.shape, dtype=bool)
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edge[1:] |= labels[1:] != labels[:-1]
    mask = Image.fromarray((edge * 150).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.4))
    overlay = image.copy()
    overlay.paste(Image.new("RGB", image.size, (60, 60, 66)), mask=mask)
    return overlay
