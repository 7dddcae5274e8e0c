"""Made studies: models folders with untrained networks that were audited on a made store, for pages and checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from core.audit.folder import Audit
from core.audit.run import run_audit
from core.classifiers.folder import load_model, save_model
from core.classifiers.info import ModelInfo, TrainingInfo
from core.classifiers.resnet import GenderResNet
from core.data.store import AlignedStore
from core.explain.hiding import Occlusion
from core.files import write_json
from tests.helpers.made_audit import made_audit, made_faces
from tests.helpers.made_experiment import INFO as MODEL_INFO
from tests.helpers.made_store import make_store

INFO = ModelInfo(input_size=112, epoch=1, training=TrainingInfo(choose="overall", seed=0, age_weight=0.0))


@dataclass(frozen=True)
class Study:
    """`stores`: folder of the one store, «made»; `models`: folder of the models; one audit a model, by its order."""

    stores: Path
    models: Path
    store: AlignedStore
    audits: list[Audit]

    @property
    def audit(self) -> Audit:
        """The audit of the first model."""
        return self.audits[0]


def made_study(
    root: Path,
    faces: int = 240,
    *,
    names: tuple[str, ...] = ("made",),
    input_size: int = 32,
    dilated: bool = True,
    splits: tuple[str, ...] | None = ("train", "val", "test"),
    audit: str = "made-all",
    columns: Mapping[str, object] | None = None,
) -> Study:
    """Untrained networks `names`, each of another seed, audited on noise faces some of whose `columns` are replaced."""
    store = make_store(root / "stores/made", faces, columns=columns)
    audits = []
    for seed, name in enumerate(names):
        torch.manual_seed(seed)
        network = GenderResNet(dilated=dilated).eval()
        save_model(root / "models" / name, network, replace(INFO, input_size=input_size))
        audits.append(run_audit(store, load_model(root / "models" / name), splits, name=audit, batch=96))
    return Study(root / "stores", root / "models", store, audits)


def audited_models(
    models: Path, n: int, names: tuple[str, ...] = ("made",), columns: Mapping[str, object] | None = None
) -> list[Audit]:
    """Model folders without weights, audited on the same `n` noise faces: for pages that run no model."""
    images = np.random.default_rng(0).integers(0, 220, (n, 112, 112, 3), dtype=np.uint8)
    audits = []
    for seed, name in enumerate(names):
        path = models / name / "audits/all"
        faces = made_faces(n, columns=columns)
        audits.append(made_audit(faces=faces, seed=seed, errors=0.4, shape=(2, 2), images=images, path=path))
        write_json(models / name / "model.json", MODEL_INFO)
    return audits


class Brightness:
    """A classifier to which brighter faces are male, as `make_store` makes them.

    `maps` names the method of its maps, whose left half holds all of the evidence; None gives none at all. A `sign` of
    −1 swaps the classes.
    """

    head_bias = None
    precision = "float32"
    placement = None
    method = Occlusion()

    def __init__(self, maps: str | None, sign: float = 1.0) -> None:
        self.maps = {"method": maps, "additive": False, "layer": None} if maps else None
        self.sign = sign

    def logits(self, images: np.ndarray) -> np.ndarray:
        return self(images)[0]

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        z = self.sign * (images.mean(axis=(1, 2, 3)).astype(np.float32) - 110) / 10
        logits = np.stack([-z, z], axis=1) / 2
        if self.maps is None:
            return logits, None
        evidence = np.zeros((len(images), 2, 7, 7), dtype=np.float32)
        evidence[:, :, :, :3] = logits[:, :, None, None]
        return logits, evidence
