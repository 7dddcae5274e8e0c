"""`torchrun`: an audit by two processes, one of which is killed, and the same command again, by torchrun itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from core.audit import run
from core.audit.folder import list_audits, open_audit
from core.audit.run import run_audit
from core.classifiers.folder import load_model, save_model
from core.classifiers.info import ModelInfo
from core.classifiers.resnet import GenderResNet
from core.ranks import Ranks
from core.shards import shard_manifest
from tests.helpers.made_store import make_store
from tests.helpers.processes import REFUSED, in_processes
from tests.helpers.shipped import ROOT
from tests.helpers.small_command import SHARD, small_command
from tests.helpers.small_network import small_network

FACES = 48


def words(folder: Path) -> list[str]:
    """What follows `python -m core`."""
    of_model = ["audit", "--model", "made", "--models", str(folder / "models"), "--name", "made"]
    return [*of_model, "--data", str(folder / "store"), "--split", "all", "--batch", "8"]


def audited(folder: Path) -> subprocess.CompletedProcess:
    """The command, by two processes that torchrun starts."""
    module = ["-m", "tests.helpers.small_command", *words(folder)]
    settings = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *module]
    return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=500, cwd=folder)


def launched(folder: Path, killed: str) -> int:
    """The exit code of torchrun's launcher whose two processes are forks, which need not import torch anew; one is
    killed.
    """
    config = LaunchConfig(
        1, 1, 2, run_id="made", rdzv_backend="c10d", rdzv_endpoint="127.0.0.1:0", max_restarts=0,
        monitor_interval=0.1, start_method="fork",
    )  # fmt: skip

    def work(_: Ranks) -> None:
        for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
            del os.environ[name]  # the launcher is no process of an audit
        os.environ["KILLED"] = killed
        elastic_launch(config, small_command)(words(folder))

    return in_processes(1, work)[0]


def test_torchrun_shares_an_audit_out_and_goes_on_after_a_kill(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(run, "SHARD", SHARD)
    store, model_folder = make_store(tmp_path / "store", FACES), tmp_path / "models" / "made"
    with small_network():
        torch.manual_seed(0)
        save_model(model_folder, GenderResNet().eval(), ModelInfo(input_size=32, epoch=1))
        alone = run_audit(store, load_model(model_folder), ("all",), name="alone", batch=8)
    assert launched(tmp_path, killed="1") not in (0, REFUSED)
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
