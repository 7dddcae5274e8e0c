"""One network trained by two processes that meet by gloo, one of them killed: what goes on is exact."""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from core.data.store import AlignedStore
from core.ranks import Ranks
from core.training import augment
from core.training.config import Optimiser, Stage, TrainConfig
from core.training.loop import Run, train
from core.training.processes import make_fabric
from core.training.record import read_metrics, read_status
from tests.helpers.processes import REFUSED, in_processes

#: 36 training faces: 4 steps an epoch. A plateau, which each process would find for itself if it could.
CONFIG = TrainConfig(
    stages=(Stage(size=32, epochs=2),),
    batch=8,
    norm_batches=2,
    optimiser=Optimiser(name="sgd", lr=0.05, schedule="plateau", patience=1, factor=0.5),
)


def trained(
    store: AlignedStore, folder: Path, *, resume: bool = False, killed: int | None = None, **changes: object
) -> Callable[[Ranks], None]:
    """Work for `in_processes`: trains, and keeps each process's last weights; at step `killed` the second one dies."""

    def work(ranks: Ranks) -> None:
        steps, whole = 0, Run.train_step

        def step(self: Run, *arguments: object) -> None:
            nonlocal steps
            steps += 1
            if ranks.rank == 1 and steps == killed:
                os.kill(os.getpid(), signal.SIGKILL)
            whole(self, *arguments)
            if self.epoch == 1 and self.step == 3:
                weights = torch.cat([weight.detach().flatten() for weight in self.network.parameters()])
                np.save(folder.parent / f"last-{ranks.rank}.npy", weights.numpy())

        Run.train_step = step  # this process ends with the work
        config = dataclasses.replace(CONFIG, **changes)
        fabric = make_fabric(1, "32-true")
        fabric.launch()
        train(store, folder, config, fabric=fabric, resume=resume)

    return work


def test_of_two_processes_one_is_killed_and_the_run_goes_on_exactly(made_store: AlignedStore, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole" / "made", tmp_path / "broken" / "made"
    assert in_processes(2, trained(made_store, whole)) == [0, 0]
    assert in_processes(2, trained(made_store, broken, killed=6)) == [REFUSED, -signal.SIGKILL]
    assert read_status(broken / "training").state == "failed"
    assert in_processes(2, trained(made_store, broken, resume=True)) == [0, 0]
    last = [np.load(tmp_path / name / f"last-{rank}.npy") for name in ("whole", "broken") for rank in (0, 1)]
    for one in last[1:]:
        np.testing.assert_array_equal(one, last[0])
    for file in ("model.safetensors", "training/checkpoint.safetensors"):
        one, other = load_file(whole / file), load_file(broken / file)
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)
    rows = [
        read_metrics(folder / "training").drop(columns=["images_per_second", "seconds"]) for folder in (whole, broken)
    ]
    pd.testing.assert_frame_equal(*rows)


def test_a_batch_that_does_not_share_out_evenly_is_refused(made_store: AlignedStore, tmp_path: Path) -> None:
    assert in_processes(2, trained(made_store, tmp_path / "made", batch=7)) == [REFUSED] * 2
    assert not (tmp_path / "made" / "model.json").exists()


def test_very_many_faces_are_drawn_by_their_chances(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment, "MOST_DRAWN", 1000)
    faces = pd.DataFrame({"gender": np.where(np.arange(20_000) % 10, "male", "female"), "ethnicity": "White"})
    order = augment.epoch_order(faces, augment.Sampling("gender", seed=0), epoch=1)
    assert order.shape == (20_000,)
    assert np.array_equal(order, augment.epoch_order(faces, augment.Sampling("gender", seed=0), epoch=1))
    share = (faces["gender"].to_numpy()[order] == "female").mean()
    assert share == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(20_000))
    assert 0.5 < len(np.unique(order[faces["gender"].to_numpy()[order] == "male"])) / 18_000 * 2 < 0.9


def test_fabric_is_made_of_the_processes_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert make_fabric(1, "32-true").world_size == 1
    for name, value in {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}.items():
        monkeypatch.setenv(name, value)
    strategy = make_fabric(1, "32-true").strategy
    assert (strategy.num_nodes, strategy.num_processes) == (2, 4)
