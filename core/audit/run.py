"""Store × model → audit folder: one forward pass a face, in shards: memory stays flat and a stop loses little."""

from __future__ import annotations

import json
import platform
import shutil
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.audit.averages import average_faces
from core.audit.folder import FORMAT, NOT_PREDICTED, Audit, open_audit
from core.checkpoint import Model, kind_of
from core.errors import LookwhereError
from core.faces import GENDERS, SPLITS
from core.files import write_json
from core.imports.declaration import classes_doubt
from core.store import AlignedStore, Progress

SHARD = 2048
BATCH = 64
#: Columns of the store that say where a picture lies on one machine, or are not needed again.
LEFT_OUT = ["row", "sha256"]
PACKAGES = ("torch", "torchvision", "numpy", "facenet-pytorch")
#: What else computes the outputs or maps of a brought model.
MORE_PACKAGES = {"onnx": ("onnxruntime",), "torch": ("timm", "grad-cam")}


def run_audit(
    store: AlignedStore,
    model: Model,
    splits: tuple[str, ...] | None = ("test",),
    *,
    name: str | None = None,
    names: dict[str, str] | None = None,
    batch: int = BATCH,
    averages: bool = True,
    progress: Progress | None = None,
) -> Audit:
    """Audit faces into `models/<model>/audits/<name>/`; resumes interrupted work, opens a finished one.

    `splits` None means test, or every face of data that the model never saw; `("all",)` means every split.
    `names` merges or renames ethnicities, so that data sets can be compared; the manifest keeps it. `averages` False
    stores no average face: they are most of an audit's size, and of the same faces they are the same for every model.
    `progress(stage, total)` returns a function to call with a count of faces. Raises `LookwhereError` where the folder
    holds an audit of other data or another model, or cannot be written.

    Of a model whose predictions only are there, faces without one are left out, counted among the manifest's `rejects`.
    """
    faces, label = _which(splits, store, model)
    if names:
        faces = rename(faces, names)
    faces, given = _given(model, store, faces)
    splits = tuple(split for split in SPLITS if (faces["split"] == split).any())
    name = name or f"{store.manifest['dataset']}-{label}"
    path = model.path / "audits" / name
    identity = {
        "format": FORMAT,
        "model": model.name,
        "weights_sha256": model.info["weights_sha256"],
        "dataset": store.manifest["dataset"],
        "data_fingerprint": store.manifest["data_fingerprint"],
        "splits": list(splits),
        "names": names or {},
    }
    if (path / "audit.json").is_file():
        audit = open_audit(path)
        _same(identity, audit.manifest, path)
        return audit
    if path.exists():
        raise LookwhereError(f"{path}: holds no finished audit; delete it, or choose another --name")
    work = path.with_name(f".{name}.unfinished")
    try:
        _prepare(work, identity | {"shard": SHARD})
        seconds = forward_shards(store, model, faces, work, batch, progress, given)
        return _finish(store, faces, work, path, identity, seconds, model, averages, progress, given)
    except OSError as error:
        raise LookwhereError(
            f"{path}: cannot write ({error.strerror or error}); mend that, the same command resumes"
        ) from error


def rename(faces: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """The faces with ethnicities replaced by `names`. Raises `LookwhereError` for a name that no face has."""
    unknown = sorted(set(names) - set(faces["ethnicity"]))
    if unknown:
        there = ", ".join(sorted(faces["ethnicity"].astype(str).unique()))
        raise LookwhereError(f"--names: no face is {', '.join(unknown)}; there are {there}")
    return faces.assign(ethnicity=faces["ethnicity"].astype("string").replace(names))


def _which(splits: tuple[str, ...] | None, store: AlignedStore, model: Model) -> tuple[pd.DataFrame, str]:
    """The faces to audit, and a word for them. To a model that never saw the data, every face is a test face."""
    seen = model.info.get("data", {}).get("fingerprint", "").split("+")
    if splits is None and store.manifest["data_fingerprint"] not in seen:
        return store.faces.assign(split="test"), "all"
    if splits is not None and "all" in splits:
        return store.faces, "all"
    splits = splits or ("test",)
    return store.split(*splits), "-".join(splits)


def _same(identity: dict, found: dict, path: Path) -> None:
    for key, value in identity.items():
        if found.get(key, {} if key == "names" else None) != value:
            raise LookwhereError(
                f"{path}: holds an audit with another {key.replace('_', ' ')}; choose another --name or delete it"
            )


def _prepare(work: Path, identity: dict) -> None:
    """An empty work folder, or that of an interrupted run of this very audit."""
    file = work / "identity.json"
    if file.is_file() and json.loads(file.read_text()) == identity:
        return
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    write_json(file, identity)


@dataclass(frozen=True)
class Given:
    """Predictions that were brought: logits float32 (N, 2) of the faces to audit, and how many faces have none."""

    logits: np.ndarray
    lost: int


def _given(model: Model, store: AlignedStore, faces: pd.DataFrame) -> tuple[pd.DataFrame, Given | None]:
    """The faces to audit and their brought predictions, where the model is nothing else."""
    if model.classify is not None:
        return faces, None
    from core.imports.predictions import scores_for

    # Of all the faces: a base name that occurs in another split too must not pass for unique.
    logits, found = scores_for(model.path, model.info, store.faces)
    place = pd.Index(store.faces["face_id"][found]).get_indexer(faces["face_id"])
    return faces[place >= 0].reset_index(drop=True), Given(logits[place[place >= 0]], int((place < 0).sum()))


def forward_shards(
    store: AlignedStore,
    model: Model,
    faces: pd.DataFrame,
    work: Path,
    batch: int,
    progress: Progress | None,
    given: Given | None = None,
) -> float:
    """Write the shards that are not there yet; returns seconds of computing, over all runs."""
    tick = progress("auditing", len(faces)) if progress else (lambda n: None)
    for start in range(0, len(faces), SHARD):
        shard = faces.iloc[start : start + SHARD]
        file = work / f"shard-{start // SHARD:05}.parquet"
        if file.is_file():
            tick(len(shard))
            continue
        began = time.perf_counter()
        logits, maps = [], []
        for low in range(0, len(shard), batch):
            rows = shard["row"].to_numpy()[low : low + batch]
            if given is None:
                logit, evidence = model.classify(store.images[rows])
            else:
                logit, evidence = given.logits[start + low : start + low + len(rows)], None
            logits.append(logit)
            if evidence is not None:
                maps.append(evidence.astype(np.float16))
            tick(len(rows))
        stacked = np.concatenate(maps) if maps else None
        _write_shard(file, shard, np.concatenate(logits), stacked, time.perf_counter() - began)
    files = sorted(work.glob("shard-*.parquet"))
    return sum(float(pq.read_schema(file).metadata[b"seconds"]) for file in files)


def _write_shard(file: Path, faces: pd.DataFrame, logits: np.ndarray, maps: np.ndarray | None, seconds: float) -> None:
    if not np.isfinite(logits).all() or (maps is not None and not np.isfinite(maps).all()):
        raise LookwhereError("the network gave values that are not finite; are these the right weights?")
    predicted = np.array(GENDERS)[logits.argmax(axis=1)]
    table = faces.drop(columns=LEFT_OUT, errors="ignore").assign(
        logit_female=logits[:, 0],
        logit_male=logits[:, 1],
        p_male=(1 / (1 + np.exp(logits[:, 0].astype(np.float64) - logits[:, 1]))).astype(np.float32),
        predicted=predicted,
        correct=predicted == faces["gender"].to_numpy(),
    )
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    meta = {**(arrow.schema.metadata or {}), b"seconds": str(seconds).encode()}
    if maps is not None:
        width = int(np.prod(maps.shape[1:]))
        flat = pa.FixedSizeListArray.from_arrays(pa.array(maps.reshape(-1)), width)
        arrow = arrow.append_column("evidence", flat)
        meta[b"map_shape"] = f"{maps.shape[2]},{maps.shape[3]}".encode()
    partial = file.with_name(file.name + ".partial")
    pq.write_table(arrow.replace_schema_metadata(meta), partial, compression="zstd")
    partial.replace(file)


def _finish(store, faces, work, path, identity, seconds, model, averages, progress, given) -> Audit:
    """Join the shards, average the pictures, write the manifest, and move the folder into its place."""
    shards = sorted(work.glob("shard-*.parquet"))
    schema = pq.read_schema(shards[0])
    with pq.ParquetWriter(
        work / "faces.parquet", schema.remove_metadata(), compression="zstd", compression_level=9
    ) as out:
        for shard in shards:
            out.write_table(pq.read_table(shard).replace_schema_metadata(None))
    columns = ["split", "gender", "ethnicity", "age", "predicted", "correct"]
    labels = pd.read_parquet(work / "faces.parquet", columns=columns)
    tick = progress("averaging", len(faces)) if progress and averages else None
    shown = len(faces) if averages else 0
    average_faces(store.images, faces["row"].to_numpy()[:shown], labels[:shown], tick=tick).save(work / "averages.npz")
    rejects = store.rejects["reason"].value_counts().to_dict()
    if given is not None and given.lost:
        rejects[NOT_PREDICTED] = given.lost
    accuracy = float(labels["correct"].mean())
    packages = (*PACKAGES, *MORE_PACKAGES.get(kind_of(model.info), ()))
    shape = schema.metadata.get(b"map_shape")
    manifest = identity | {
        "kind": kind_of(model.info),
        "faces": len(faces),
        "accuracy": round(accuracy, 6),
        "map_shape": [int(n) for n in shape.split(b",")] if shape else None,
        "maps": model.classify.maps if model.classify else None,
        "head_bias": model.classify.head_bias if model.classify else None,
        "rejects": rejects,
        "precision": model.classify.precision if model.classify else None,
        "seconds": round(seconds, 2),
        "faces_per_second": round(len(faces) / max(seconds, 1e-6), 2),
        "versions": {name: version(name) for name in packages} | {"python": platform.python_version()},
    }
    if doubt := classes_doubt(accuracy, len(faces)):
        manifest["warnings"] = [doubt]
    for shard in shards:
        shard.unlink()
    (work / "identity.json").unlink()
    write_json(work / "audit.json", manifest)
    work.replace(path)
    return open_audit(path)
