"""The same data and seed give the same split on any machine, and the same audit on this one, to the bit."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from core.audit.run import run_audit
from core.classifiers.folder import load_model, save_model
from core.classifiers.info import ModelInfo
from core.classifiers.resnet import GenderResNet
from core.data.splits import Subset, assign_splits
from tests.helpers.made_store import make_store
from tests.helpers.small_network import small_network


def faces(count: int = 500) -> pd.DataFrame:
    n = np.arange(count)
    identity = [f"p{i // 3}" if i % 5 == 0 else pd.NA for i in n]
    return pd.DataFrame(
        {
            "face_id": [f"face-{i:04}" for i in n],
            "gender": np.where(n % 2, "male", "female"),
            "ethnicity": np.array(["White", "Black", "Asian"])[n // 2 % 3],
            "identity": pd.array(identity, dtype="string"),
            "cluster": n - (n % 17 == 0),
        }
    )


def digest(values: pd.Series) -> str:
    return hashlib.sha256(",".join(values).encode()).hexdigest()[:16]


@pytest.mark.parametrize(("seed", "split"), [(0, "fd1381041aa13910"), (1, "e5d628d761cf81f0")])
def test_a_split_is_the_same_on_every_machine(seed: int, split: str) -> None:
    """Written down once: another machine, or another version, must give these."""
    table = faces()
    assert digest(assign_splits(table, seed)) == split
    turned = table.iloc[::-1].reset_index(drop=True)
    assert digest(assign_splits(turned, seed).iloc[::-1]) == split, "whatever the order of rows"
    samples = [set(Subset("gender", 60).choose(rows, seed)["face_id"]) for rows in (table, turned)]
    assert samples[0] == samples[1]


def test_the_same_audit_is_the_same_to_the_bit(tmp_path: Path) -> None:
    """Another process's memory or batch order is not at hand here; two runs of one process must agree whole."""
    store = make_store(tmp_path / "store", faces=36)
    torch.manual_seed(0)
    with small_network():
        save_model(tmp_path / "m", GenderResNet(), ModelInfo(input_size=64))
        for name in ("one", "two"):
            run_audit(store, load_model(tmp_path / "m"), ("all",), name=name)
    folders = tuple(tmp_path / "m/audits" / name for name in ("one", "two"))
    for name in ("faces.parquet", "averages.npz"):
        assert len({(folder / name).read_bytes() for folder in folders}) == 1, name
    first, second = (json.loads((folder / "audit.json").read_text()) for folder in folders)
    for timed in ("seconds", "faces_per_second", "digest"):
        first.pop(timed), second.pop(timed)
    assert first == second
