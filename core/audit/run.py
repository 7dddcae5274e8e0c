"""Store × model → audit folder: one forward pass a face, in shards: memory stays flat and a stop loses little."""

from __future__ import annotations

import contextlib
import hashlib
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from core.audit.audited_faces import classed, default_name, faces_of
from core.audit.average_setting import USUAL_AVERAGES, AverageSetting, KeepAverages, same_averages
from core.audit.averages import Averages, CellRule, Share, average_faces
from core.audit.doubts import doubts
from core.audit.float32_check import with_float32_check
from core.audit.folder import Audit, open_audit
from core.audit.given import Given, given_of
from core.audit.identity import IDENTITY, same_audit
from core.audit.kept_averages import KeptAverages, audits_near, kept_before, outermost, remember
from core.audit.manifest import ALL, UNSEEN, AuditManifest
from core.audit.measures import digests, published_measures
from core.audit.notes import Note, NoteCode
from core.audit.otherwise import call_otherwise
from core.audit.placing import placed_maps, with_placement
from core.audit.releases import keeps_averages_of, sketch
from core.audit.shards import (
    LEFT_OUT,
    ShardOutputs,
    joined,
    read_ahead,
    seconds_of,
    shard_file,
    shard_files,
    write_shard,
)
from core.audit.training_copies import LookUp, look_up
from core.classifiers.faster import faster
from core.classifiers.folder import Model
from core.classifiers.info import MapsInfo, ModelKind, input_enlargement
from core.classifiers.speed import TRIED, Speed
from core.classifiers.training_hashes import TrainingHashes, open_hashes
from core.data.columns import find_column
from core.data.ethnicity_names import rename
from core.data.faces import SPLITS
from core.data.measured import write_measured
from core.data.otherwise import FILE as OTHERWISE
from core.data.otherwise import label_counts, write_otherwise
from core.data.store import AlignedStore
from core.data.table_store import TableStore
from core.errors import LookwhereError
from core.files import plain_name, write_json
from core.integrity import record_files
from core.json_record import read_object
from core.locks import alone
from core.privacy import MINIMUM_FACES, asked_minimum
from core.process_group import meet, stopping, summed, told_by_first
from core.progress import Progress
from core.ranks import ALONE, Ranks
from core.shards import ShardManifest, drop
from core.task import carrying

SHARD = 2048
BATCH = 64
PACKAGES = ("torch", "torchvision", "numpy", "facenet-pytorch")
#: What else computes the outputs or maps of an imported model.
MORE_PACKAGES = {ModelKind.ONNX: ("onnxruntime",), ModelKind.TORCH: ("timm", "grad-cam")}


@dataclass(frozen=True)
class Job:
    """An audit to be made into the folder `path`: of which `faces` of the store, in order, and with what model.

    `manifest` has what is known before any face is looked at; `predictions` are imported ones, None for a model that
    is run itself. `copies` is what came of looking the faces up in stores that were named; None where none was, and
    the train split of the same data is then looked up at the end. `keep` says whether average faces are stored, and
    `batch` how many faces go through the network at once.
    """

    store: AlignedStore
    model: Model
    faces: pd.DataFrame
    predictions: Given | None
    copies: LookUp | None
    manifest: AuditManifest
    path: Path
    keep: KeepAverages
    batch: int
    progress: Progress | None

    @property
    def work(self) -> Path:
        """The folder of unfinished work."""
        return self.path.with_name(f".{self.path.name}.unfinished")


def run_audit(
    store: AlignedStore,
    model: Model,
    splits: tuple[str, ...] | None = ("test",),
    *,
    name: str | None = None,
    names: dict[str, str] | None = None,
    maps: str | None = None,
    batch: int = BATCH,
    averages: AverageSetting = USUAL_AVERAGES,
    training: Sequence[AlignedStore] = (),
    speed: Speed = Speed.PLAIN,
    progress: Progress | None = None,
) -> Audit:
    """Audit faces into `models/<model>/audits/<name>/`; resumes interrupted work, opens a finished one.

    `splits` None means test, or every face of data that the model never saw; `("all",)` means every split.
    `names` merges or renames ethnicities, so that data sets can be compared; the manifest keeps it. `maps` names an
    attribution method (`core.explain.methods`), by default the model's own.
    `averages` says which average faces are stored; the manifest keeps their least number of faces and their columns.
    `training` are stores that the model was trained on: faces that are copies or near-copies of theirs are left out and
    counted. `speed` is how the network computes; a faster way than `PLAIN` is tried on the first faces and kept in the
    manifest.
    `progress(stage, total)` returns a function to call with a count of faces. Raises `LookwhereError` where the folder
    holds an audit of other data, another model or another method, or cannot be written, and where the method cannot be
    used on the model, or maps at the speed asked for are too far from those in float32.

    Of a model whose predictions only are there, faces without one are left out; `not_predicted` counts them.
    """
    minimum = asked_minimum(averages.minimum_faces)
    if name is not None:
        plain_name(name)
    if maps is not None:
        model = model.explained_by(maps)
    faces, label = faces_of(splits, store, model)
    scope = UNSEEN if splits is None and label == ALL else label
    copies = None
    if training:
        copies = look_up(store, faces, model.info, training, progress, open_hashes(model.path, model.info))
        faces = faces[~copies.found].reset_index(drop=True)
        if faces.empty:
            raise LookwhereError(f"{store.path}: all faces in {label} are copies of training faces; audit others")
    faces, no_class = classed(faces, model, store, label)
    if names:
        faces = rename(faces, names)
    faces, predictions = given_of(model, store, faces)
    if faces.empty:
        raise LookwhereError(
            f"{model.path}: none of its predictions is of a face in {label}; import predictions of these, or give "
            "another --split"
        )
    way = None
    if speed is not Speed.PLAIN:
        fast, way = faster(model.classify, speed, store.images[faces["row"].to_numpy()[:TRIED]])
        model = replace(model, classify=fast)
    planned = replace(
        _planned(store, model, faces),
        names=names or {},
        # «all» of unseen data and «test» would else be told apart by nothing: both count as test faces.
        chosen=scope,
        minimum_faces=minimum,
        cells=tuple(find_column(store.columns, cell, "averages by").name for cell in averages.cells),
        no_class=no_class,
        speed=way,
    ).for_task(model.info.task)
    path = model.path / "audits" / (name or default_name(store, label, model.path))
    job = Job(store, model, faces, predictions, copies, planned, path, averages.keep, batch, progress)
    if (path / "audit.json").is_file():
        return _finished(job)
    ranks = Ranks.here()
    with alone(path, "making") if ranks.first else contextlib.nullcontext():
        if told_by_first(ranks, (path / "audit.json").is_file()):
            return _finished(job)
        return _made(job, ranks)


def _planned(store: AlignedStore, model: Model, faces: pd.DataFrame) -> AuditManifest:
    """The manifest of an audit of these faces, as far as data and model say it before any face is looked at."""
    return AuditManifest(
        model=model.name,
        weights_sha256=model.info.weights_sha256,
        dataset=store.manifest.dataset,
        data_fingerprint=store.manifest.data_fingerprint,
        splits=tuple(split for split in SPLITS if (faces["split"] == split).any()),
        aligned=store.manifest.alignment,
        copies_by=store.manifest.copies_by,
        declared_sha256=model.info.declared_sha256,
        face_ids_sha256=hashlib.sha256("\n".join(faces["face_id"]).encode()).hexdigest(),
        pictures=sketch(faces),
        kind=model.info.kind,
        faces=len(faces),
        columns=store.columns,
        map_shape=None,
        maps=MapsInfo.from_json(model.classify.maps) if model.classify and model.classify.maps else None,
    )


def _finished(job: Job) -> Audit:
    """The audit that is there already. Raises `LookwhereError` where it is not the one asked for."""
    audit = open_audit(job.path)
    same_audit(job.manifest, audit.manifest, job.path)
    same_averages(job.keep, audit)
    audit = with_placement(audit, job.model, job.store, job.faces)
    return with_float32_check(audit, job.model, job.store, job.faces)


def _made(job: Job, ranks: Ranks) -> Audit:
    """The audit, computed, and opened by the first of several processes and then by the others.

    Raises `LookwhereError` where its folder holds something else, or cannot be written."""
    path = job.path
    if path.exists():
        raise LookwhereError(f"{path}: holds no finished audit; delete it, or choose another --name")
    hashes = open_hashes(job.model.path, job.model.info)  # before any work: a damaged file is told at once
    try:
        if ranks.first:
            _prepare(job)
        meet(ranks)
        forward_shards(job, ranks)
        meet(ranks)
        seconds = seconds_of(job.work)
        # One at a time: two that end at once would each find that no other keeps averages.
        keeping = alone(outermost(job.model.path.parent) / "averages", "keeping", wait=True)
        with keeping if ranks.first else contextlib.nullcontext():
            without = told_by_first(ranks, _without_averages(job) if ranks.first else None)
            if ranks.first:
                audit = _finish(job, seconds, without, ranks, hashes)
                meet(ranks)
                return audit
        _averaged(job, without, ranks)
        meet(ranks)
        return open_audit(path)
    except OSError as error:
        raise LookwhereError(
            f"{path}: cannot write ({error.strerror or error}); mend that, the same command resumes"
        ) from error


def _prepare(job: Job) -> None:
    """An empty work folder, or that of an interrupted run of this very audit."""
    identity, file = _identity(job), job.work / "identity.json"
    # Work of before the minimum was kept was begun with 11, of before the task with gender, of before cells with none.
    with contextlib.suppress(OSError, ValueError):  # work whose own file is damaged is begun anew
        if {"minimum_faces": MINIMUM_FACES, "task": None, "cells": None} | read_object(file) == identity:
            return
    shutil.rmtree(job.work, ignore_errors=True)
    job.work.mkdir(parents=True)
    write_json(file, identity)


def _identity(job: Job) -> dict[str, object]:
    """What the work on an audit is of; each shard keeps its digest."""
    manifest, classify = job.manifest.to_json(), job.model.classify
    identity = {key: manifest.get(key) for key in IDENTITY} | {"shard": SHARD}
    speed = {"speed": job.manifest.speed.how} if job.manifest.speed else {}
    return identity | {"precision": classify.precision if classify else None} | speed


def forward_shards(job: Job, ranks: Ranks = ALONE) -> None:
    """Write the shards that are not there yet, of several processes each its own."""
    faces, work, identity = job.faces, job.work, _identity(job)
    tick = job.progress("auditing", len(faces)) if job.progress else (lambda n: None)
    with stopping(ranks) as stop, ThreadPoolExecutor(1) as beside:
        for number in ranks.mine(-(-len(faces) // SHARD)):
            start = number * SHARD
            shard = faces.iloc[start : start + SHARD]
            manifest = ShardManifest.from_items(identity, number, shard["face_id"])
            if manifest.is_done(shard_file(work, number)):
                tick(len(shard))
                continue
            outputs = _outputs(job, start, shard["row"].to_numpy(), beside, tick)
            write_shard(work, manifest, shard, job.manifest.task, outputs, ranks)
            stop.between()


def _outputs(
    job: Job, start: int, rows: np.ndarray, beside: ThreadPoolExecutor, tick: Callable[[int], object]
) -> ShardOutputs:
    """Logits and maps of the images at `rows` of the store, the audit's faces from `start` on."""
    began = time.perf_counter()
    logits: list[np.ndarray] = []
    maps: list[np.ndarray] = []
    if job.predictions is not None:
        logits.append(job.predictions.logits[start : start + len(rows)])
        tick(len(rows))
    else:
        batches = [rows[low : low + job.batch] for low in range(0, len(rows), job.batch)]
        for images in read_ahead(job.store.images, batches, beside):
            logit, evidence = job.model.classify(images)
            logits.append(logit)
            if evidence is not None:
                maps.append(evidence.astype(np.float16))
            tick(len(images))
    stacked, seconds = np.concatenate(maps) if maps else None, time.perf_counter() - began
    return ShardOutputs(np.concatenate(logits), stacked, seconds)


def _averaged(job: Job, without: Note | None, ranks: Ranks) -> tuple[Averages, pd.DataFrame]:
    """Average faces, of several processes each its part of the images, and the labels and predictions of all faces."""
    meet(ranks)  # the shards are joined
    task, faces, further = job.manifest.task, job.faces, job.manifest.cells
    columns = ["split", "gender", "ethnicity", "age", "predicted", "correct", task.attribute, *task.logits]
    labels = carrying(pd.read_parquet(job.work / "faces.parquet", columns=list(dict.fromkeys(columns))), task)
    tick = job.progress("averaging", len(faces)) if job.progress and not without else None
    rows, least = faces["row"].to_numpy()[: 0 if without else len(faces)], job.manifest.minimum_faces
    labels = labels.assign(**{name: faces[name].to_numpy() for name in (*further, "identity", "cluster")})  # people
    averages = average_faces(
        job.store.images,
        rows,
        labels[: len(rows)],
        CellRule(least, further),
        Share(ranks.slice(len(rows)), lambda sums: summed(ranks, sums)),
        tick=tick,
    )
    return averages, labels


def _without_averages(job: Job) -> Note | None:
    """Why no average face is to be stored, or None."""
    if isinstance(job.store, TableStore):
        return Note(code=NoteCode.AVERAGES_WITHOUT_IMAGES)
    if job.keep is KeepAverages.NO:
        return Note(code=NoteCode.AVERAGES_NOT_WANTED)
    folders = audits_near(job.model.path.parent)
    if job.keep is KeepAverages.AUTO and any(keeps_averages_of(f, job.manifest, job.faces) for f in folders):
        return Note(code=NoteCode.AVERAGES_KEPT_ELSEWHERE)
    return None


def _finish(job: Job, seconds: float, without: Note | None, ranks: Ranks, hashes: TrainingHashes | None) -> Audit:
    """Join the shards, average the images, write the manifest, and move the folder into its place.

    `without` says why no average face is stored; None where some are. `hashes` are the model's training faces'.
    """
    work, faces, classify = job.work, job.faces, job.model.classify
    job.store.check_unchanged()
    shards = shard_files(work)
    schema = joined(shards, work / "faces.parquet")
    averages, labels = _averaged(job, without, ranks)
    pictures, models = sketch(faces, averages.place(labels)), job.model.path.parent
    measures = published_measures(job.manifest, faces, job.store)
    kept_averages = KeptAverages.from_averages(averages, replace(job.manifest, pictures=pictures))
    kept_averages = replace(kept_averages, measures=digests(measures))
    if job.keep is KeepAverages.AUTO and len(averages.cells) and kept_before(models, kept_averages):
        without, averages = Note(code=NoteCode.AVERAGES_KEPT_BEFORE), averages.none()
    averages.save(work / "averages.npz")
    accuracy = float(labels["correct"].mean())
    packages = (*PACKAGES, *MORE_PACKAGES.get(job.model.info.kind, ()))
    if job.manifest.speed and job.manifest.speed.how is Speed.OPENVINO:
        packages = (*packages, "openvino")
    shape = schema.metadata.get(b"map_shape")
    factor = input_enlargement(job.model.info)
    copies = job.copies or look_up(job.store, faces, job.model.info, progress=job.progress, hashes=hashes)
    apart = call_otherwise(job.store, job.model, job.manifest, LEFT_OUT)
    write_otherwise(work, apart)
    manifest = replace(
        job.manifest,
        maps=placed_maps(job.manifest.maps, job.model, job.store, faces),
        accuracy=round(accuracy, 6),
        map_shape=tuple(int(n) for n in shape.split(b",")) if shape else None,
        head_bias=tuple(classify.head_bias) if classify and classify.head_bias else None,
        rejects=job.store.rejects["reason"].value_counts().to_dict(),
        disagreements=job.store.manifest.disagreements,
        precision=classify.precision if classify else None,
        seconds=round(seconds, 2),
        faces_per_second=round(len(faces) / max(seconds, 1e-6), 2),
        versions={name: version(name) for name in packages} | {"python": platform.python_version()},
        not_predicted=job.predictions.lost if job.predictions else 0,
        predictions_unused=job.predictions.unused if job.predictions else None,
        training_copies=copies and copies.with_accuracy(labels["correct"]),
        enlarged=round(factor, 4) if factor else None,
        averages=without,
        pictures=() if without else pictures,
        warnings=doubts(labels, accuracy),
        otherwise=label_counts(apart),
        files=record_files(work, ("faces.parquet", "averages.npz", *((OTHERWISE,) if len(apart) else ()))),
    )
    drop(shards)
    (work / "identity.json").unlink()
    if measures is not None:
        write_measured(work, measures)
    write_json(work / "audit.json", manifest.to_json())
    if len(averages.cells):
        remember(models, kept_averages)
    work.replace(job.path)
    return with_float32_check(open_audit(job.path), job.model, job.store, faces)
