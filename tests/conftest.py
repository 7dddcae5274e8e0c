"""Fixtures: real faces where UTKFace is at hand, and small made stores everywhere."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import files
from core import store as stores
from core.align import TEMPLATE
from core.datasets import READERS, open_source
from core.faces import fingerprint
from core.store import AlignedStore

ROOT = Path(__file__).parent.parent
ARCHIVE = Path(os.environ.get("UTKFACE", ROOT.parent / "shared/data/UTKFace.tar.gz"))
REAL_FACES = 120


@pytest.fixture(scope="session")
def utkface_archive() -> Path:
    """The real archive. Without it the test is skipped on a user's machine, and fails in CI."""
    if ARCHIVE.is_file():
        return ARCHIVE
    if os.environ.get("CI"):
        pytest.fail(f"{ARCHIVE} is missing, and CI must not skip the tests that need it")
    pytest.skip(f"needs UTKFace: put UTKFace.tar.gz at {ARCHIVE} or name it in $UTKFACE")


@pytest.fixture(scope="session")
def real_folder(utkface_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 120 real chips, spread over the whole archive; outside the project, gone after the run."""
    folder = tmp_path_factory.mktemp("utkface")
    with tarfile.open(utkface_archive) as archive:
        members = [m for m in archive if m.isfile() and m.name.count("_") == 3]
        for member in members[:: len(members) // REAL_FACES][:REAL_FACES]:
            (folder / Path(member.name).name).write_bytes(archive.extractfile(member).read())
    return folder


def make_store(path: Path, faces: int = 64, seed: int = 0) -> AlignedStore:
    """A finished store of noise pictures, brighter for male than for female, with groups of every kind."""
    draw = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "face_id": [f"face-{n:05}" for n in range(faces)],
            "path": [f"pictures/{n:05}.jpg" for n in range(faces)],
            "gender": np.where(np.arange(faces) % 2, "male", "female"),
            "ethnicity": np.array(["White", "Black", "Asian"])[np.arange(faces) // 2 % 3],
            "age": pd.array(draw.integers(0, 90, faces), dtype="Int16"),
            "identity": pd.array([pd.NA] * faces, dtype="string"),
            "cluster": np.arange(faces),
            "split": np.array(["train", "train", "val", "test"])[np.arange(faces) // 6 % 4],
            "row": np.arange(faces),
        }
    )
    images = draw.integers(0, 120, (faces, 112, 112, 3), dtype=np.uint8)
    images[table["gender"] == "male"] += 100
    path.mkdir(parents=True)
    np.save(path / "faces.npy", images)
    np.save(path / "landmarks.npy", np.tile(TEMPLATE.astype(np.float32), (faces, 1, 1)))
    files.write_parquet(path / "faces.parquet", table)
    files.write_parquet(path / "rejects.parquet", pd.DataFrame({"file": ["x.jpg"], "reason": ["no face found"]}))
    files.write_json(
        path / "store.json",
        {
            "format": stores.FORMAT,
            "dataset": "made",
            "source_fingerprint": "0" * 64,
            "seed": 0,
            "template": "arcface-112",
            "detector": "none",
            "padding": 0,
            "data_fingerprint": fingerprint(table),
            "read": faces + 1,
            "repaired": [],
            "repairs": {},
            "rejects": {"no face found": 1},
            "near_copy_clusters": 0,
            "faces": faces,
        },
    )
    return AlignedStore.open(path)


@pytest.fixture
def made_store(tmp_path: Path) -> AlignedStore:
    """64 noise faces, splits of every kind."""
    return make_store(tmp_path / "store")


@pytest.fixture(scope="session")
def real_store(real_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> AlignedStore:
    """The 120 real chips, copied faces dropped, aligned as `python -m core align` does it. Do not change it."""
    path = tmp_path_factory.mktemp("aligned") / "utkface"
    return stores.build_store(open_source(real_folder), READERS["utkface"], path)
