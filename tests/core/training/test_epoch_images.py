"""An epoch of so many images: equal numbers of images and steps whatever the number of faces, exact after a stop."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file

from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.training.augment import Sampling, epoch_order
from core.training.config import Stage, TrainConfig
from core.training.face_sets import FaceSets
from core.training.loop import Run, train
from core.training.record import read_metrics
from tests.helpers.made_store import make_store

#: 36 training faces, 24 images an epoch: the second epoch ends one order of the faces and begins the next.
CONFIG = TrainConfig(stages=(Stage(size=32, epochs=3),), batch=8, epoch_images=24, ema=0.0)


def fabric() -> Fabric:
    return Fabric(accelerator="cpu", devices=1, precision="32-true")


@pytest.mark.parametrize("images", [8, 24, 36, 100])
def test_epochs_are_pieces_of_whole_orders_one_after_another(made_store: AlignedStore, images: int) -> None:
    faces = made_store.split("train")
    whole = np.concatenate([epoch_order(faces, Sampling("none", seed=5), n) for n in range(12)])
    pieces = [epoch_order(faces, Sampling("none", seed=5, images=images), n) for n in range(4)]
    assert [len(piece) for piece in pieces] == [images] * 4
    np.testing.assert_array_equal(np.concatenate(pieces), whole[: 4 * images])
    draws_by_face = np.bincount(np.concatenate(pieces), minlength=len(faces))
    assert draws_by_face.max() - draws_by_face.min() <= 1


def test_arms_of_other_sizes_take_the_same_number_of_steps(made_store: AlignedStore, tmp_path: Path) -> None:
    few = dataclasses.replace(CONFIG, limit=12)
    runs = [Run(made_store, tmp_path, config, fabric()) for config in (CONFIG, few)]
    assert [len(run.faces["train"]) for run in runs] == [36, 12]
    assert [run.steps_per_epoch for run in runs] == [3, 3]


def test_a_stop_in_the_middle_of_an_epoch_goes_on_exactly(made_store: AlignedStore, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train(made_store, whole, CONFIG, fabric=fabric())
    stop_calls = itertools.count()
    status = train(made_store, broken, CONFIG, fabric=fabric(), stop=lambda: next(stop_calls) >= 4)
    assert (status.epoch, status.step, status.steps) == (1, 1, 3)
    train(made_store, broken, CONFIG, fabric=fabric(), resume=True)
    expected, resumed = (load_file(folder / "training/checkpoint.safetensors") for folder in (whole, broken))
    assert expected.keys() == resumed.keys() and all(torch.equal(expected[key], resumed[key]) for key in expected)
    assert len(read_metrics(broken / "training")) == 3


def test_a_number_that_is_no_multiple_of_the_batch_is_refused() -> None:
    with pytest.raises(LookwhereError, match="--epoch-images 20: must be a multiple of --batch 8"):
        dataclasses.replace(CONFIG, epoch_images=20)


def test_of_each_data_set_the_split_that_is_said_is_trained_on(made_store: AlignedStore, tmp_path: Path) -> None:
    second_store, val = make_store(tmp_path / "other", faces=40, seed=1), make_store(tmp_path / "val", faces=40, seed=2)

    def count(*splits: str) -> list[int]:
        sets = FaceSets.across((made_store, second_store), val, splits=splits)
        return sets.faces["train"]["store"].value_counts().sort_index().tolist()

    assert count() == count("all", "own") == [len(made_store.faces), 40]
    assert count("train", "all") == [len(made_store.split("train")), 40]
    sets = FaceSets.across((made_store, second_store), val, splits=("train", "all"))
    assert set(sets.faces["train"].query("store == 0")["split"]) == {"train"}
    with pytest.raises(LookwhereError, match="--splits: 1 for 2 data sets"):
        count("train")
