"""Leaving groups out of training and validation, keeping each epoch's weights, resuming runs older than a setting."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file

from core.classifiers.folder import load_model
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.training import resume
from core.training.config import Stage, TrainConfig
from core.training.config_file import from_yaml
from core.training.face_sets import FaceSets
from core.training.loop import train
from core.training.record import read_metrics
from train.__main__ import parse

SMALL = TrainConfig(stages=(Stage(size=32, epochs=2),), batch=8, ema=0.0)


def run(store: AlignedStore, folder: Path, **more: object):
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    return train(store, folder, more.pop("config", SMALL), fabric=fabric, **more)


def groups(faces) -> set[str]:
    return set(faces["gender"] + " " + faces["ethnicity"])


def test_a_group_is_left_out_of_training_and_of_validation_and_no_other(made_store: AlignedStore) -> None:
    whole, narrowed = FaceSets.from_store(made_store), FaceSets.from_store(made_store).without(["female Black"])
    for role in ("train", "val"):
        assert groups(whole.faces[role]) - groups(narrowed.faces[role]) == {"female Black"}
        other_groups = whole.faces[role][
            (whole.faces[role]["gender"] + whole.faces[role]["ethnicity"]) != "femaleBlack"
        ]
        assert list(narrowed.faces[role]["face_id"]) == list(other_groups["face_id"])


def test_a_group_that_is_not_there_is_refused(made_store: AlignedStore) -> None:
    with pytest.raises(LookwhereError, match="'female Martian': no training face; there are female Asian"):
        FaceSets.from_store(made_store).without(["female Martian"])
    with pytest.raises(LookwhereError, match="leaves no train face"):
        sets = FaceSets.from_store(made_store)
        sets.without(sorted(groups(sets.faces["train"])))


def test_as_many_random_faces_of_the_gender_are_left_out(made_store: AlignedStore) -> None:
    whole = FaceSets.from_store(made_store)
    narrowed = whole.without(["as many as female Black"], seed=3)
    for role in ("train", "val"):
        before, after = (sets.faces[role].groupby(["gender", "ethnicity"]).size() for sets in (whole, narrowed))
        assert before.sum() - after.sum() == before["female", "Black"] > 0
        assert after["female", "Black"] == before["female", "Black"]
        assert after.loc[["male"]].equals(before.loc[["male"]])
    again, of_another_seed = (
        set(whole.without(["as many as female Black"], seed=n).faces["train"]["face_id"]) for n in (3, 4)
    )
    assert again == set(narrowed.faces["train"]["face_id"]) != of_another_seed
    with pytest.raises(LookwhereError, match="no training face"):
        whole.without(["as many as female Martian"])


def test_the_model_says_which_groups_it_saw(made_store: AlignedStore, tmp_path: Path) -> None:
    run(made_store, tmp_path / "made", config=replace(SMALL, exclude=("female Black",)))
    info = json.loads((tmp_path / "made/model.json").read_text())
    train_groups = {f"{row['gender']} {row['ethnicity']}" for row in info["data"]["train_groups"]}
    assert "female Black" not in train_groups
    assert "male Black" in train_groups
    assert info["training"]["exclude"] == ["female Black"]
    assert not any("val_female_Black" in column for column in read_metrics(tmp_path / "made/training"))


def test_each_epoch_is_kept_and_the_best_is_one_of_them(made_store: AlignedStore, tmp_path: Path) -> None:
    run(made_store, tmp_path / "made", config=replace(SMALL, keep_every=True))
    epoch_models = {f.name: load_model(f) for f in sorted((tmp_path / "made/training/epochs").iterdir())}
    assert list(epoch_models) == ["001", "002"]
    assert [model.info.epoch for model in epoch_models.values()] == [1, 2]
    best = load_model(tmp_path / "made")
    same = epoch_models[f"{best.info.epoch:03}"]
    assert best.info.weights_sha256 == same.info.weights_sha256
    assert not torch.equal(epoch_models["001"].network.fc.weight, epoch_models["002"].network.fc.weight)


def test_a_checkpoint_older_than_a_setting_resumes_as_if_it_had_its_default(
    made_store: AlignedStore, tmp_path: Path
) -> None:
    run(made_store, tmp_path / "old", stop_after=1)
    file = tmp_path / "old/training/checkpoint.safetensors"
    tensors, meta = resume.load_checkpoint(file)
    for young in ("exclude", "keep_every"):
        del meta["config"][young]
    resume.save_checkpoint(file, tensors, meta)
    run(made_store, tmp_path / "old", resume=True)
    run(made_store, tmp_path / "new")
    old, new = (load_file(tmp_path / name / "model.safetensors") for name in ("old", "new"))
    assert all(torch.equal(old[key], new[key]) for key in new)


def test_another_exclusion_is_another_run(made_store: AlignedStore, tmp_path: Path) -> None:
    run(made_store, tmp_path / "made", stop_after=1)
    with pytest.raises(LookwhereError, match="another exclude"):
        run(made_store, tmp_path / "made", resume=True, config=replace(SMALL, exclude=("male Asian",)))


def test_groups_are_named_in_yaml_and_by_flag(tmp_path: Path) -> None:
    config = from_yaml(TrainConfig, {"exclude": ["female Black"]}, "file")
    assert config.exclude == ("female Black",)
    with pytest.raises(LookwhereError, match="exclude must be str"):
        from_yaml(TrainConfig, {"exclude": [3]}, "file")
    command = parse(["--data", "store", "--name", "x", "--exclude", "female Black", "male Asian"])
    assert command.settings.exclude == ("female Black", "male Asian")
