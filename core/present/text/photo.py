"""Sentences of the page «Try a photo»."""

from __future__ import annotations

from core.photo.certainty import CertaintyRank
from core.photo.prediction import Prediction
from core.task import GENDER, Task
from core.wording import counted, signed

#: A face of fewer pixels is blurred on the template; with less than half of them the model sees little of it.
BLURRED = 2.0
#: From this share of a crop on, it is said that it lies beyond the image's edge.
BEYOND = 0.05


def share(value: float) -> str:
    """«83 %», «all», «none», and neither 0 nor 100 % of what is some or not all."""
    if value in (0.0, 1.0):
        return "all" if value else "none"
    if value < 0.01:
        return "under 1 %"
    return "over 99 %" if value > 0.99 else f"{100 * value:.0f} %"


def probability(value: float) -> str:
    """«97.1 %»; «over 99.9 %» rather than 100 %, which no softmax says."""
    return "over 99.9 %" if value > 0.9995 else f"{100 * value:.1f} %"


def guess(reading: Prediction) -> str:
    """«female at 97.1 % (margin +3.52)»."""
    label = reading.task.label(reading.predicted)
    return f"{label} at {probability(reading.probability)} (margin {signed(reading.margin)})"


def place_words(place: CertaintyRank, task: Task = GENDER) -> str:
    """«more certain than 83 % of the 1,867 audited faces it rightly called female, and than 97 % of the 120 it wrongly
    called female»; what has under 11 faces is left out."""
    called = task.label(place.predicted)
    parts = []
    if place.above_right is not None:
        parts.append(f"{share(place.above_right)} of the {place.right:,} audited faces it correctly called")
    if place.above_wrong is not None:
        faces = "it" if parts else "audited faces it"
        parts.append(f"{share(place.above_wrong)} of the {place.wrong:,} {faces} incorrectly called")
    if not parts:
        return f"the audit has too few faces called {called} to compare with"
    return "more certain than " + ", and than ".join(f"{part} {called}" for part in parts)


def near_words(place: CertaintyRank, task: Task = GENDER) -> str:
    """How often the model was wrong about as certain faces; empty under 11 of them."""
    if place.near_wrong is None:
        return ""
    rate = f"{100 * place.near_wrong / place.near:.1f} % [{100 * place.near_low:.1f}–{100 * place.near_high:.1f}]"
    called = task.label(place.predicted)
    return f"Of the {place.near:,} audited faces called {called} about as certainly, {rate} were incorrect."


def crop_notes(enlarged: float, outside: float) -> list[str]:
    """What should make one trust a crop less."""
    notes = []
    if enlarged > BLURRED:
        notes.append(f"enlarged {enlarged:.1f} × and so blurred")
    if outside >= BEYOND:
        notes.append(f"{100 * outside:.0f} % of the crop lies beyond the image and is its mirror image")
    return notes


def headline(images: list[tuple[str, list[Prediction]]], refused: int, place: CertaintyRank | None) -> str:
    """What the model says of uploaded images, (name, readings) each; `place` is that of a single face."""
    faces = [(name, n, reading) for name, readings in images for n, reading in enumerate(readings, 1)]
    if not faces:
        if not images:
            return "The file cannot be read as an image." if refused == 1 else f"None of {refused} files can be read."
        return f"No face was found in {counted(len(images), 'image')}."
    if len(faces) == 1:
        name, _, reading = faces[0]
        text = f"The model's guess for the face in {name} is {guess(reading)}"
        return f"{text}: {place_words(place, reading.task)}." if place is not None else f"{text}."
    task = faces[0][2].task
    counts = [sum(r.predicted == answer for _, _, r in faces) for answer in task.classes]
    name, n, least = min(faces, key=lambda face: abs(face[2].margin))
    split = " and ".join(f"{label} for {c}" for label, c in zip(task.labels, counts, strict=True) if c)
    where = f"face {n} of {name}" if len(images) > 1 else f"face {n}"
    return (
        f"{counted(len(faces), 'face')} in {counted(len(images), 'image')}: the model's guess is {split}, least "
        f"certain for {where}, {guess(least)}."
    )


def invitation(model: str, n: int | None, wrong: int | None, adults: bool = False) -> str:
    """Before any image: how often the model was wrong on the audited faces, if there are any.

    `adults` says that they are the adults alone among them.
    """
    ask = "Give it an image of your own to see what it says of one face, and where it looks."
    if not n:
        return f"{model} has not been audited. {ask}"
    faces = "faces of adults" if adults else "faces"
    return f"{model} gave {100 * wrong / n:.1f} % of {n:,} audited {faces} the incorrect label. {ask}"
