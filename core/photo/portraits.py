"""Portraits to try without a photo of one's own, and what a model says of them, kept beside its weights.

The Face Research Lab London Set's portraits may be shown (`core/photo/london/ATTRIBUTION.md`). Reading what was kept
needs no torch, so the first answer does not wait for a network.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.classifiers.classifier import Classifier
from core.classifiers.info import model_info
from core.errors import LookwhereError
from core.explain.placement import Placement
from core.files import read_npz
from core.json_record import parsed
from core.locks import put_in_place
from core.photo.faces import Face
from core.photo.prediction import Prediction, head_bias, read_faces
from core.task import GENDER, Task
from core.template import SIDE
from core.wording import capital

FOLDER = Path(__file__).parent / "london"
#: Beside a model's weights: what it says of the portraits.
FILE = "portraits.npz"
CREDIT = "Face Research Lab London Set (DeBruine and Jones 2017), CC BY 4.0; labels are self-reported"
_FACE = ("box", "points", "probability", "crop", "landmarks", "enlarged", "outside")


@dataclass(frozen=True)
class Portrait:
    """One portrait: its number in the set, and what the pictured person reported."""

    id: str
    age: int
    gender: str
    ethnicity: str

    @property
    def file(self) -> Path:
        """The image, a JPEG."""
        return FOLDER / f"{self.id}.jpg"

    @property
    def words(self) -> str:
        """«East Asian woman, 24»."""
        return f"{' '.join(map(capital, self.ethnicity.split()))} {GENDER.of(self.gender).one}, {self.age}"


@dataclass(frozen=True)
class Drawn:
    """What a model says of a portrait: the face found, the prediction, how its maps are made, and their bias."""

    face: Face
    prediction: Prediction
    maps: Mapping[str, object]
    bias: float | None


def portraits() -> list[Portrait]:
    """All portraits that come with Lookwhere."""
    return [Portrait(**entry) for entry in json.loads((FOLDER / "portraits.json").read_text(encoding="utf-8"))]


def drawn(folder: Path, weights: str | None) -> dict[str, Drawn]:
    """What the model in `folder` says of each portrait, by id; empty where nothing of these `weights` was kept.

    `weights` is their SHA-256. A damaged file counts as none, since all in it can be computed again.
    """
    try:
        content = read_npz(folder / FILE)
        about = parsed(str(content["about"]))
        if weights is None or about["weights_sha256"] != weights:
            return {}
        task = model_info(folder).task if (folder / "model.json").is_file() else GENDER
        return {id: _drawn(content, n, about, task) for n, id in enumerate(about["ids"])}
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return {}


def draw(folder: Path, classify: Classifier, weights: str) -> dict[str, Drawn]:
    """Find and classify the face of each portrait, and keep it as `portraits.npz` in the model's folder.

    Raises `LookwhereError` where a portrait shows no face or several, or a logit is no number.
    """
    from core.photo.detection import Finder
    from core.photo.uploads import read_upload

    finder, faces, every_portrait = Finder(), [], portraits()
    for portrait in every_portrait:
        faces_found = finder.find(read_upload(portrait.file.read_bytes(), portrait.file.name).picture).faces
        if len(faces_found) != 1:
            raise LookwhereError(f"{portrait.file}: {len(faces_found)} faces found, not one")
        faces.append(faces_found[0])
    predictions = read_faces(classify, [face.crop for face in faces])
    about = {
        "weights_sha256": weights,
        "ids": [portrait.id for portrait in every_portrait],
        "maps": dict(classify.maps or {}),
        "bias": head_bias(classify),
        "placement": (lie := predictions[0].placement) and [lie.rows, lie.columns],
    }
    arrays = {name: np.stack([np.asarray(getattr(face, name)) for face in faces]) for name in _FACE}
    arrays["logits"] = np.stack([prediction.logits for prediction in predictions])
    if predictions[0].evidence is not None:
        arrays["evidence"] = np.stack(
            [prediction.evidence for prediction in predictions if prediction.evidence is not None]
        )
    with put_in_place(folder / FILE) as partial, partial.open("wb") as out:
        np.savez_compressed(out, about=np.array(json.dumps(about)), **arrays)
    return drawn(folder, weights)


def _drawn(content: Mapping[str, np.ndarray], n: int, about: Mapping[str, object], task: Task) -> Drawn:
    single = {name: float(content[name][n]) for name in ("probability", "enlarged", "outside")}
    arrays = {name: content[name][n] for name in ("box", "points", "crop", "landmarks")}
    if arrays["crop"].shape != (SIDE, SIDE, 3) or arrays["points"].shape != (5, 2):
        raise ValueError("not the shapes of a face")
    evidence = content["evidence"][n] if "evidence" in content else None
    maps, bias = about["maps"], about["bias"]
    if not isinstance(maps, dict) or not isinstance(bias, float | None):
        raise TypeError("maps or bias are of another type")
    lie = about.get("placement") and Placement(*map(tuple, about["placement"]))
    return Drawn(Face(**arrays, **single), Prediction(content["logits"][n], evidence, lie, task), maps, bias)
