"""What a training balances and watches: the classes of its task, crossed with the columns that are chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lightning_fabric import Fabric

from core.classifiers.info import ModelInfo, TrainingInfo, model_info
from core.data.columns import Column, Kind
from core.data.store import AlignedStore
from core.data.targets import task_for
from core.errors import LookwhereError
from core.present.card import write_card
from core.present.text.training import balanced_words, metrics_groups, trained_group
from core.training import loop
from core.training.augment import Sampling, epoch_order
from core.training.balanced_head import balanced_weights
from core.training.config import Stage, TrainConfig
from core.training.face_sets import FaceSets
from core.training.groups import asked_groups, training_groups
from core.training.loop import train
from core.training.record import read_metrics
from tests.helpers.made_store import make_store

GLASSES = Column(name="Eyeglasses", kind=Kind.YES_NO, levels=("no", "yes"))
CAMERA = Column(name="camera", kind=Kind.CATEGORY, levels=("front", "side"))
TASK = task_for(GLASSES)


def labels(faces: int) -> dict[str, object]:
    """One in four with glasses; every third by the camera at the side."""
    n = np.arange(faces)
    return {
        "Eyeglasses": GLASSES.levelled(np.where(n // 2 % 4 == 0, "yes", "no")),
        "camera": CAMERA.levelled(np.where(n % 3 == 0, "side", "front")),
    }


@pytest.fixture
def store(tmp_path: Path) -> AlignedStore:
    made_store = make_store(tmp_path / "store", faces=96)
    manifest = replace(made_store.manifest, columns=(GLASSES, CAMERA))
    return replace(made_store, faces=made_store.faces.assign(**labels(96)), manifest=manifest)


def many() -> pd.DataFrame:
    return pd.DataFrame({"gender": ["female", "male"] * 1500, "ethnicity": "White"}).assign(**labels(3000))


def test_balance_is_of_what_is_classified_and_of_the_columns_chosen() -> None:
    faces = many()
    epoch_faces = faces.iloc[epoch_order(faces, Sampling("class", seed=0, task=TASK), epoch=0)]
    assert (epoch_faces["Eyeglasses"] == "yes").mean() == pytest.approx(0.5, abs=0.04)
    epoch_faces = faces.iloc[epoch_order(faces, Sampling("group", seed=0, task=TASK, groups=("camera",)), epoch=0)]
    counts = epoch_faces.groupby(["Eyeglasses", "camera"], observed=True).size()
    assert counts.to_numpy() == pytest.approx([750] * 4, abs=95)
    epoch_faces = faces.iloc[epoch_order(faces, Sampling("gender", seed=0, task=TASK), epoch=0)]
    assert (epoch_faces["Eyeglasses"] == "yes").mean() == pytest.approx(0.25, abs=0.04), "gender is another thing"
    weights = balanced_weights(faces, TASK, ("camera",))
    sums = pd.Series(weights).groupby([faces["Eyeglasses"], faces["camera"]], observed=True).sum()
    assert sums.to_numpy() == pytest.approx([750] * 4)


def test_groups_of_another_attribute_are_called_by_its_classes() -> None:
    faces = many()
    member, groups = training_groups(faces, TASK, ("gender", "ethnicity"))
    assert [group.words for group in groups] == [
        "White women without glasses", "White men without glasses", "White women with glasses",
        "White men with glasses",
    ]  # fmt: skip
    mine = (faces["gender"] == "male") & (faces["Eyeglasses"] == "yes")
    assert (member == 3).tolist() == mine.tolist()
    _, groups = training_groups(faces, TASK, ("camera",))
    assert groups[-1].words == "faces with glasses, camera: side"
    _, groups = training_groups(faces)
    assert [(group.key, group.column, group.words) for group in groups] == [
        ("female White", "val_female_White", "White women"), ("male White", "val_male_White", "White men"),
    ]  # fmt: skip
    assert trained_group("female White") == "White women" and trained_group(groups[0].words) == "White women"


def test_a_column_that_is_not_there_is_named() -> None:
    assert asked_groups((GLASSES, CAMERA), ("Gender", "CAMERA", "gender")) == ("gender", "camera")
    with pytest.raises(
        LookwhereError, match="--groups light: no such column; there are gender, ethnicity, age_band, E"
    ):
        asked_groups((GLASSES,), ("light",))
    with pytest.raises(LookwhereError, match="one to 3 columns are crossed, not 4"):
        asked_groups((GLASSES, CAMERA), ("gender", "ethnicity", "age_band", "camera"))


def test_metrics_record_and_card_speak_of_the_attribute(
    store: AlignedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SMALLEST_GROUP", 2)
    config = TrainConfig(
        target="eyeglasses", stages=(Stage(32, 1),), batch=8, norm_batches=1, balance="group", groups=("Camera",),
        choose="worst-group", limit=24, exclude=("male Asian",),
    )  # fmt: skip
    folder = tmp_path / "models/glasses"
    train(store, folder, config, fabric=Fabric(accelerator="cpu", devices=1, precision="32-true"))
    metrics = read_metrics(folder / "training")
    names = {f"faces {with_} glasses, camera: {place}" for with_ in ("with", "without") for place in CAMERA.levels}
    assert len(metrics_groups(metrics)) > 1 and {*metrics_groups(metrics).values()} <= names
    assert metrics["worst_group"].iloc[0] in names
    assert not [column for column in metrics if "female" in column or "male" in column]
    info = model_info(folder)
    assert {group.group for group in info.data.train_groups} == names
    group_sizes = [group.faces for group in info.data.train_groups]
    assert len(set(group_sizes)) == 1 and 4 <= sum(group_sizes) <= 24, "as many of each class × camera"
    write_card(folder)
    card = (folder / "CARD.md").read_text()
    assert "Faces were drawn so that classes of glasses × levels of camera are equally frequent." in card
    assert "Left out of training: Asian men." in card
    assert "| Faces with glasses, camera: side |" in card
    assert f"weakest {metrics['worst_group'].iloc[0]}," in card


def test_the_models_of_before_say_what_they_said() -> None:
    info = ModelInfo(training=TrainingInfo(balance="group"))
    assert balanced_words(info) == "Faces were drawn so that genders × ethnicities are equally frequent."
    assert balanced_words(ModelInfo(training=TrainingInfo(balance="gender"))).startswith("Faces were drawn so that gen")
    assert balanced_words(ModelInfo(training=TrainingInfo(balance="none"))) == "Faces were not rebalanced."


def test_a_group_of_another_attribute_can_be_left_out(store: AlignedStore) -> None:
    sets = FaceSets.from_store(store)
    narrowed = sets.without(["faces with glasses, camera: side"], 0, TASK, ("camera",))
    for role in ("train", "val"):
        gone = (sets.faces[role]["Eyeglasses"] == "yes") & (sets.faces[role]["camera"] == "side")
        assert list(narrowed.faces[role]["face_id"]) == list(sets.faces[role]["face_id"][~gone])
