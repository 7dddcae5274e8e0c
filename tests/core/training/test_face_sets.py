"""Balanced subsets, and training on one data set while validating on another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lightning_fabric import Fabric

from core.classifiers.info import model_info
from core.data.splits import Subset
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.files import write_json
from core.task import GENDER
from core.training.augment import Sampling, epoch_order
from core.training.config import Stage, TrainConfig
from core.training.face_sets import FaceSets
from core.training.loop import train
from tests.helpers.made_store import make_store


def people(count: int, seed: int = 0) -> pd.DataFrame:
    """Faces of people with 1–9 pictures each, three men to one woman."""
    draw = np.random.default_rng(seed)
    person = np.repeat(np.arange(count), draw.integers(1, 10, count))
    return pd.DataFrame(
        {
            "face_id": [f"f{n}" for n in range(len(person))],
            "gender": np.where(person % 4, "male", "female"),
            "ethnicity": np.where(person % 3, "White", "Black"),
            "identity": pd.array(person, dtype="Int64").astype("string"),
        }
    )


def test_a_balanced_subset_has_equal_genders_and_whole_people() -> None:
    faces = people(400)
    subset = Subset("gender", 600).choose(faces)
    assert subset["gender"].value_counts().to_dict() == {"female": 300, "male": 300}
    whole = faces.groupby("identity").size()
    assert (subset.groupby("identity").size() == whole.reindex(subset["identity"].unique()).sort_index()).all()


def test_a_subset_is_the_same_for_a_seed_whatever_the_order_of_rows() -> None:
    faces = people(200)
    first = set(Subset("gender", 200).choose(faces, seed=3)["face_id"])
    assert set(Subset("gender", 200).choose(faces.sample(frac=1, random_state=1), seed=3)["face_id"]) == first
    assert set(Subset("gender", 200).choose(faces, seed=4)["face_id"]) != first


def test_without_a_limit_every_class_gets_what_the_smallest_has() -> None:
    faces = people(300)
    group_sizes = Subset("group").choose(faces).groupby(["gender", "ethnicity"]).size()
    smallest = faces.groupby(["gender", "ethnicity"]).size().min()
    assert group_sizes.max() <= smallest
    assert group_sizes.min() > smallest - 9, "at most one person's images are missing"


def test_limit_alone_keeps_the_natural_mixture() -> None:
    subset = Subset("none", 500).choose(people(400))
    assert len(subset) == 500
    assert 0.6 < (subset["gender"] == "male").mean() < 0.9
    with pytest.raises(LookwhereError, match="--limit 0"):
        Subset("none", 0)


def named(store: AlignedStore, **manifest: object) -> AlignedStore:
    write_json(store.path / "store.json", replace(store.manifest, **manifest).to_json())
    return AlignedStore.open(store.path)


def test_training_on_one_data_set_and_validating_on_another(tmp_path: Path) -> None:
    train_set = named(make_store(tmp_path / "a", faces=48), dataset="first")
    val_set = named(make_store(tmp_path / "b", faces=40, seed=1), dataset="second", own_splits=True)
    sets = FaceSets.across(train_set, val_set)
    assert len(sets.faces["train"]) == 48, "it names no splits, so all of it is for training"
    assert len(sets.faces["val"]) == (val_set.faces["split"] == "val").sum(), "it names splits, so its own is taken"
    config = TrainConfig(stages=(Stage(32, 1),), batch=8, norm_batches=1, balance="gender", limit=24)
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    assert train(sets, tmp_path / "models/x", config, fabric=fabric).state == "finished"
    data = model_info(tmp_path / "models/x").data
    assert (data.dataset, data.validation_dataset) == ("first", "second")
    assert data.faces == {"train": 24, "val": len(sets.faces["val"])}
    assert sum(row.faces for row in data.train_groups if row.gender == "female") == 12
    assert len(data.fingerprints) == 2


def test_the_same_faces_for_both_are_refused(tmp_path: Path) -> None:
    store = make_store(tmp_path / "a", faces=48)
    with pytest.raises(LookwhereError, match="the same faces"):
        FaceSets.across(store, store)


def test_faces_of_one_gender_are_no_training_set(tmp_path: Path) -> None:
    sets = FaceSets.from_store(make_store(tmp_path / "store", columns={"gender": "female"}))
    with pytest.raises(LookwhereError, match="all 36 training faces are labelled with one gender, female: a model"):
        sets.labelled(GENDER)
    both = FaceSets.from_store(make_store(tmp_path / "both"))
    assert both.labelled(both.task("Gender")) is both


def two_and_one(folder: Path) -> tuple[list[AlignedStore], AlignedStore]:
    """Two data sets to train on, whose people bear the same numbers, and one to validate on."""
    columns = {"identity": "7"}
    training = [
        named(make_store(folder / name, faces=faces, seed=seed, columns=columns), dataset=name)
        for seed, (name, faces) in enumerate([("first", 24), ("second", 40)])
    ]
    return training, named(make_store(folder / "third", faces=40, seed=5), dataset="third", own_splits=True)


def test_training_on_several_data_sets(tmp_path: Path) -> None:
    training, val = two_and_one(tmp_path)
    sets = FaceSets.across(training, val)
    faces = sets.faces["train"]
    assert len(faces) == 64
    assert faces["face_id"].is_unique
    assert set(faces["identity"]) == {"0:7", "1:7"}, "two data sets that number their people alike share none"
    places = np.array([40, 3, 63, 24])
    expected = [(1, 16), (0, 3), (1, 39), (1, 0)]
    for image, (store, place) in zip(sets.images("train", places), expected, strict=True):
        row = training[store].faces["row"].iloc[place]
        assert np.array_equal(image, training[store].images[row])
    config = TrainConfig(stages=(Stage(32, 1),), batch=8, norm_batches=1, weights=(3.0, 1.0))
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    assert train(sets, tmp_path / "models/x", config, fabric=fabric).state == "finished"
    data = model_info(tmp_path / "models/x").data
    assert data.dataset == "first + second"
    assert [(part.dataset, part.faces) for part in data.parts] == [("first", 24), ("second", 40)]
    assert len(data.fingerprints) == 3


def test_all_faces_of_a_data_set_that_names_splits_may_be_validated_on(tmp_path: Path) -> None:
    training, val = two_and_one(tmp_path)
    assert len(FaceSets.across(training[0], val).faces["val"]) < 40
    assert len(FaceSets.across(training[0], val, all_of_val=True).faces["val"]) == 40


def test_the_same_data_set_twice_and_weights_of_others_are_refused(tmp_path: Path) -> None:
    training, val = two_and_one(tmp_path)
    with pytest.raises(LookwhereError, match="name each data set once"):
        FaceSets.across([training[0], training[0]], val)
    with pytest.raises(LookwhereError, match="--weights has 3 numbers for 2 data sets to train on: first, second"):
        FaceSets.across(training, val).check_weights((1, 2, 3))
    with pytest.raises(LookwhereError, match="--weights has 1 numbers for 1"):
        FaceSets.across(training[0], val).check_weights((2,))


def test_weights_say_how_often_a_data_set_is_drawn() -> None:
    faces = pd.DataFrame({"gender": ["female", "male"] * 500, "ethnicity": "White", "store": [0] * 400 + [1] * 600})
    for balance in ("none", "gender"):
        epoch_faces = faces.iloc[epoch_order(faces, Sampling(balance, seed=0, weights=(3.0, 1.0)), epoch=0)]
        assert abs((epoch_faces["store"] == 0).mean() - 1200 / 1800) < 0.06
        assert abs((epoch_faces["gender"] == "male").mean() - 0.5) < 0.06


def test_validation_faces_that_are_trained_on_are_left_out(tmp_path: Path) -> None:
    training, val = two_and_one(tmp_path)
    images = np.array(val.images)
    images[5] = training[1].images[8]
    sets = FaceSets.across(training, replace(val, images=images), all_of_val=True).apart()
    assert sets.copies == 1
    assert 5 not in set(sets.faces["val"]["row"])
    assert len(sets.faces["val"]) == 39
    assert sets.provenance().validation_copies == 1
    assert FaceSets.from_store(training[1]).apart().copies is None, "the splits of one data set are apart"
