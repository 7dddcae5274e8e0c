"""Teachers: what other models say of the training faces, computed once, kept with a digest, and learnt from.

A teacher sees the clean, aligned face; the network that learns sees it flipped, cropped and coloured anew each time,
and has to say the same. Its soft labels and features are of the face, not of the view.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor

from core.classifiers.features import Reading, reading
from core.classifiers.folder import Model, load_model
from core.classifiers.info import TeacherInfo, model_info
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.files import read_npz
from core.locks import put_in_place
from core.places import MODELS
from core.progress import Progress, ProgressBars
from core.task import Task
from core.training.config import TrainConfig
from core.training.face_sets import FaceSets

#: The folder beside the runs that holds what teachers said, which runs of other seeds on the same faces read too.
CACHE = ".teachers"
BATCH = 64
#: Log-odds beyond this are as good as sure; a probability of 0 or 1 has none.
SUREST = 10.0


@dataclass(frozen=True)
class Lessons:
    """What teachers say of the training faces.

    `odds` float32 (N,): log-odds of the positive class, the mean over teachers. `trusted` float32 (N,): 1 where soft
    labels are used, else 0. `features` float32 (N, F): standardised over the training faces, those of several teachers
    beside each other; F is 0 where none are asked for.
    """

    odds: Tensor
    trusted: Tensor
    features: Tensor
    config: TrainConfig

    def label_loss(self, places: Tensor, logits: Tensor, label: Tensor) -> Tensor:
        """The mean over faces of (1 − w) × cross-entropy of the label + w × T² × cross-entropy of the soft label, both
        at temperature T in the second (Hinton, Vinyals and Dean 2015, https://arxiv.org/abs/1503.02531).

        logits float32 (B, 2), label int64 (B,); w is the teachers' weight where they are trusted, else 0.
        """
        warm = self.config.teacher_temperature
        hard = F.cross_entropy(logits, label, label_smoothing=self.config.label_smoothing, reduction="none")
        positive = torch.sigmoid(self.odds[places].to(logits.device) / warm)
        soft = F.cross_entropy(logits / warm, torch.stack([1 - positive, positive], dim=1), reduction="none")
        weight = self.config.teacher_weight * self.trusted[places].to(logits.device)
        return ((1 - weight) * hard + weight * warm**2 * soft).mean()

    def feature_loss(self, places: Tensor, matched: Tensor) -> Tensor:
        """1 less the cosine between what the projection makes of our features, (B, F), and the teachers' features."""
        theirs = self.features[places].to(matched.device)
        return 1 - F.cosine_similarity(matched.float(), theirs, dim=1).mean()


def teacher_infos(config: TrainConfig, runs: Path) -> tuple[TeacherInfo, ...]:
    """What `model.json` records of the teachers. Raises `LookwhereError` where one is missing."""
    infos = []
    for place, name in enumerate(config.teacher):
        folder = find_teacher(name, runs)
        info = model_info(folder)
        infos.append(
            TeacherInfo(
                name=folder.name,
                kind=info.kind,
                architecture=(info.source and info.source.architecture) or info.architecture,
                file=info.source.file if info.source else None,
                weights_sha256=info.weights_sha256 or "",
                declared_sha256=info.declared_sha256,
                terms=config.teacher_terms[place] if config.teacher_terms else None,
            )
        )
    return tuple(infos)


def find_teacher(name: str, runs: Path) -> Path:
    """A teacher's folder: a path, or a name beside the run or among the models. Raises `LookwhereError`."""
    folders = [Path(name), runs / name, MODELS / name]
    for folder in folders:
        if (folder / "model.json").is_file():
            return folder.resolve()
    raise LookwhereError(
        f"--teacher {name}: no model in {', '.join(map(str, dict.fromkeys(folders)))}; "
        "`python -m core import` brings one"
    )


def lessons(sets: FaceSets, config: TrainConfig, task: Task, runs: Path, fabric: Fabric) -> Lessons | None:
    """What the teachers say of the training faces; None where the config names none.

    Computed by the first process, kept under `runs` and read by the others and by later runs on the same faces. Raises
    `LookwhereError` where a teacher is missing, classifies something else, or has no features and they are asked for.
    """
    if not config.teacher:
        return None
    outputs = []
    for name, output in zip(config.teacher, config.teacher_outputs or [""] * len(config.teacher), strict=True):
        model = load_model(find_teacher(name, runs))
        if (model.info.task.attribute, model.info.task.classes) != (task.attribute, task.classes):
            raise LookwhereError(
                f"{model.path}: classifies {model.info.task.name}, not {task.name}; it cannot teach it"
            )
        outputs.append(_said(model, sets, config.teacher_features > 0, output, runs, fabric))
    odds = np.mean([np.clip(logits[:, 1] - logits[:, 0], -SUREST, SUREST) for logits, _ in outputs], axis=0)
    right = (odds > 0) == np.asarray(task.is_positive(sets.faces["train"]), dtype=bool)
    trusted = np.ones(len(odds)) if config.teacher_where == "always" else right
    features = [
        _standardised(of_teacher) for _, of_teacher in outputs if of_teacher is not None and of_teacher.shape[1]
    ]
    if config.teacher_features > 0 and not features:
        raise LookwhereError(
            f"--teacher-features {config.teacher_features}: of {', '.join(config.teacher)} none has features "
            "that can be told; set it to 0"
        )
    return Lessons(
        torch.from_numpy(odds.astype(np.float32)),
        torch.from_numpy(trusted.astype(np.float32)),
        torch.from_numpy(np.concatenate(features, axis=1) if features else np.empty((len(odds), 0), np.float32)),
        config,
    )


def _standardised(features: np.ndarray) -> np.ndarray:
    """Each feature with mean 0 and deviation 1 over the faces, float32 (N, F); one that never changes stays 0."""
    values = features.astype(np.float32)
    values -= values.mean(axis=0)
    deviation = values.std(axis=0)
    return np.divide(values, deviation, out=np.zeros_like(values), where=deviation > 1e-6)


def _said(
    model: Model, sets: FaceSets, features: bool, output: str, runs: Path, fabric: Fabric
) -> tuple[np.ndarray, np.ndarray | None]:
    """A teacher's logits (N, 2) and features (N, F) of the training faces, store by store in their order."""
    faces = sets.faces["train"]
    store_of = faces["store"].to_numpy() if "store" in faces else np.zeros(len(faces), dtype=np.int64)
    logits, features_of_faces = np.empty((len(faces), 2), np.float32), None
    bars = ProgressBars() if fabric.is_global_zero else None
    try:
        for number, store in enumerate(sets.stores["train"]):
            inside = store_of == number
            file = runs / CACHE / f"{_key(model, store, faces[inside], (features, output))[:24]}.npz"
            if fabric.is_global_zero and not file.is_file():
                read = reading(model, features, output)
                _compute(read, model, store, faces.loc[inside, "row"].to_numpy(), file, bars)
            if fabric.world_size > 1:
                fabric.barrier()
            part, more = _read(file)
            logits[inside] = part
            if more is not None:
                features_of_faces = (
                    np.empty((len(faces), more.shape[1]), np.float16)
                    if features_of_faces is None
                    else features_of_faces
                )
                features_of_faces[inside] = more
    finally:
        if bars is not None:
            bars.close()
    return logits, features_of_faces


def _key(model: Model, store: AlignedStore, faces: pd.DataFrame, what: tuple[bool, str]) -> str:
    """What the outputs depend on: the teacher and its input, the faces in their order and how they were aligned."""
    parts = [model.info.weights_sha256, model.info.declared_sha256, store.manifest.data_fingerprint]
    parts += [json.dumps(store.manifest.alignment, sort_keys=True, default=str), str(what)]
    parts += map(str, faces["row"])
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def _compute(
    read: Reading, model: Model, store: AlignedStore, rows: np.ndarray, file: Path, progress: Progress | None
) -> None:
    """Run the teacher over faces and keep what it says, whole or not at all."""
    logits, batches = [], []
    tick = progress(f"{model.path.name} teaches {store.manifest.dataset}", len(rows)) if progress else lambda _: None
    for start in range(0, len(rows), BATCH):
        some, more = read(store.images[rows[start : start + BATCH]])
        logits.append(some)
        if more is not None:
            batches.append(more.astype(np.float16))
        tick(len(some))
    arrays = {"logits": np.concatenate(logits), "features": np.concatenate(batches) if batches else np.empty((0, 0))}
    file.parent.mkdir(parents=True, exist_ok=True)
    with put_in_place(file) as partial, partial.open("wb") as out:
        np.savez(out, digest=np.array(_digest(arrays)), **arrays)


def _read(file: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Raises `LookwhereError` where the file is missing, damaged, or was changed since it was written."""
    try:
        stored = read_npz(file, sys.maxsize)
        arrays, digest = {name: stored[name] for name in ("logits", "features")}, str(stored["digest"])
    except (OSError, ValueError, KeyError) as error:
        raise LookwhereError(f"{file}: not readable ({error}); delete it, and the teacher is asked again") from error
    if digest != _digest(arrays):
        raise LookwhereError(f"{file}: changed since it was written; delete it, and the teacher is asked again")
    return arrays["logits"], arrays["features"] if arrays["features"].size else None


def _digest(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name, values in arrays.items():
        digest.update(f"{name} {values.dtype} {values.shape}\n".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def check_teachers(then: Sequence[dict], now: Sequence[TeacherInfo], file: Path) -> None:
    """Raise `LookwhereError` where a run's teachers are not those that it began with."""
    if [teacher.get("weights_sha256") for teacher in then] != [teacher.weights_sha256 for teacher in now] or [
        teacher.get("declared_sha256") for teacher in then
    ] != [teacher.declared_sha256 for teacher in now]:
        raise LookwhereError(f"{file}: began with other teachers; give the same models, or start anew")
