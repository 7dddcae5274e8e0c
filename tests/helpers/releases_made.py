"""Releases of one made data set: with one person, and without."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from core import files
from core.classifiers.folder import Model
from core.classifiers.info import ModelInfo, ModelKind
from core.data.faces import fingerprint
from core.data.store import AlignedStore
from tests.helpers.former import write_former
from tests.helpers.made_store import make_store
from tests.helpers.made_study import Brightness


def made_model(tmp_path: Path, name: str, classify: Brightness) -> Model:
    return Model(
        name, tmp_path / "models" / name, None, ModelInfo(kind=ModelKind.ONNX, weights_sha256=name * 8), classify
    )


def store_with_one_marked(tmp_path: Path) -> AlignedStore:
    """24 women of one group, all of one age, and as many men; one woman is marked."""
    store = make_store(tmp_path / "store", faces=144)
    table = store.faces.assign(age=pd.array([30] * 144, dtype="Int16"), split="test")
    table["ethnicity"] = np.where(table.index < 48, "White", table["ethnicity"])
    files.write_parquet(tmp_path / "store/faces.parquet", table)
    manifest = replace(store.manifest, data_fingerprint=fingerprint(table)).to_json()
    write_former(tmp_path / "store/store.json", manifest)
    images = np.load(tmp_path / "store/faces.npy", mmap_mode="r+")
    images[0, 0, 0, 0] = 255
    images.flush()
    return AlignedStore.open(store.path)


def release(store: AlignedStore, folder: Path, *, without: int = 0, only: str = "", **changed: object) -> AlignedStore:
    """The store with its pictures' hashes, less its first faces, and of `only` one ethnicity where one is named."""
    folder = Path(shutil.copytree(store.path, folder))
    hashes = [hashlib.sha256(face_id.encode()).hexdigest() for face_id in store.faces["face_id"]]
    table = store.faces.assign(sha256=hashes).iloc[without:].assign(**changed)
    table = table[table["ethnicity"] == only] if only else table
    files.write_parquet(folder / "faces.parquet", table)
    counts = {"faces": len(table), "near_copy_clusters": int((table["cluster"].value_counts() > 1).sum())}
    manifest = replace(store.manifest, data_fingerprint=fingerprint(table), files={}, **counts).to_json()
    write_former(folder / "store.json", manifest)
    return AlignedStore.open(folder)
