"""An aligned store as one image: average faces by group, and single faces with the landmarks found."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from core.data.faces import UNRECORDED
from core.data.filters import group_name
from core.data.splits import person_numbers
from core.data.store import AlignedStore, average_face
from core.errors import LookwhereError
from core.present.figures.raster import sheet, show_face
from core.privacy import asked_minimum, enough_people
from core.template import SIDE


def alignment_sheet(store: AlignedStore, sample: int = 24, seed: int = 0) -> Image.Image:
    """Averages with n and sharpness in rows of five, then `sample` faces drawn at random, five points on each.

    Raises `LookwhereError` where there is neither.
    """
    panels, minimum = [], asked_minimum()
    for (gender, ethnicity), faces in store.faces.groupby(["gender", "ethnicity"]):
        ethnicity = () if (gender, ethnicity) == (UNRECORDED, UNRECORDED) else ethnicity
        if enough_people(person_numbers(faces), minimum):
            mean = average_face(store, faces)
            words = f"{group_name(gender, ethnicity)}\nn = {len(faces):,}, sharp {sharpness(np.asarray(mean)):.1f}"
            panels.append((show_face(np.asarray(mean), SIDE), words))
    rows = [("averages", panels[n : n + 5]) for n in range(0, len(panels), 5)]
    places = np.random.default_rng(seed).choice(len(store.faces), min(sample, len(store.faces)), replace=False)
    singles = [(_with_points(store, int(n)), str(store.faces["age"].iloc[n])) for n in places]
    rows += [("landmarks", singles[n : n + 8]) for n in range(0, len(singles), 8)]
    if not rows:
        raise LookwhereError(
            f"{store.path}: no group has the {minimum} people of an average; ask for --faces to see some"
        )
    return sheet(f"{store.manifest.dataset}: {len(store.faces):,} aligned faces", rows)


def _with_points(store: AlignedStore, place: int) -> Image.Image:
    face = store.faces.iloc[place]
    image = Image.fromarray(store.images[face["row"]])
    draw = ImageDraw.Draw(image)
    for x, y in store.landmarks[face["row"]]:
        draw.ellipse((x - 1.5, y - 1.5, x + 1.5, y + 1.5), fill=(255, 64, 64))
    return image


def sharpness(average: np.ndarray) -> float:
    """Mean squared Laplacian of the grey average face (112, 112, 3) over rows and columns 20–100.

    High where eyes, nose and mouth of the averaged faces coincide; compare only averages of equally many faces.
    """
    grey = average.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    return float((laplacian[19:99, 19:99] ** 2).mean())
