"""`torchrun` itself: an audit by two processes, one of which is killed, and the same command again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch

from core.audit import run
from core.audit.folder import list_audits, open_audit
from core.audit.run import run_audit
from core.classifiers.folder import load_model, save_model
from core.classifiers.info import ModelInfo
from core.classifiers.resnet import GenderResNet
from core.shards import shard_manifest
from tests.helpers.made_store import make_store
from tests.helpers.shipped import ROOT
from tests.helpers.small_command import SHARD
from tests.helpers.small_network import small_network

FACES = 48


def audited(folder: Path, killed: str = "") -> subprocess.CompletedProcess:
    """The command, by two processes."""
    words = [
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "tests.helpers.small_command",
        "audit",
        "--model",
        "made",
        "--split",
        "all",
    ]
    words += ["--data", str(folder / "store"), "--models", str(folder / "models"), "--batch", "8", "--name", "made"]
    settings = os.environ | {"KILLED": killed, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "torch.distributed.run", *words]
    return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=500, cwd=folder)


def test_torchrun_shares_an_audit_out_and_goes_on_after_a_kill(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(run, "SHARD", SHARD)
    store, model_folder = make_store(tmp_path / "store", FACES), tmp_path / "models" / "made"
    with small_network():
        torch.manual_seed(0)
        save_model(model_folder, GenderResNet().eval(), ModelInfo(input_size=32, epoch=1))
        alone = run_audit(store, load_model(model_folder), ("all",), name="alone", batch=8)
    first = audited(tmp_path, killed="1")
    assert first.returncode != 0
    assert list_audits(model_folder) == ["alone"]
    shards = sorted((model_folder / "audits/.made.unfinished").glob("shard-*.parquet"))
    finished_shards = {
        shard_manifest(file).number: (shard_manifest(file).rank, file.stat().st_mtime_ns) for file in shards
    }
    assert finished_shards[1][0] == 1  # shards 0, 2 and 4 are the first process's, 1, 3 and 5 the second's
    assert not {3, 5} & finished_shards.keys()
    again = audited(tmp_path)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("48 faces") == 1, again.stdout  # the first process alone prints
    several = open_audit(model_folder / "audits" / "made")
    assert (several.path / "faces.parquet").read_bytes() == (alone.path / "faces.parquet").read_bytes()
