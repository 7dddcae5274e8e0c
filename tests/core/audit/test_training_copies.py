"""Training faces among the audited ones: counted in the split of one data set, left out across data sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.audit.manifest import AuditManifest
from core.audit.run import run_audit
from core.audit.training_copies import TrainingCopies, look_up
from core.classifiers.folder import Model, load_model, save_model
from core.classifiers.info import DataInfo, ModelInfo
from core.classifiers.resnet import GenderResNet
from core.classifiers.training_hashes import TrainingHashes
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.present.text.training_copies import training_copies_words
from core.training.face_sets import FaceSets
from tests.helpers.made_store import make_store


@pytest.fixture
def small_model(tmp_path: Path) -> Model:
    torch.manual_seed(0)
    save_model(tmp_path / "models" / "made", GenderResNet(dilated=True), ModelInfo(input_size=112))
    return load_model(tmp_path / "models" / "made")


def trained_on(*stores: AlignedStore) -> ModelInfo:
    prints = "+".join(store.manifest.data_fingerprint for store in stores)
    return ModelInfo(input_size=112, data=DataInfo(dataset="made", fingerprint=prints))


@pytest.fixture
def own(tmp_path: Path) -> AlignedStore:
    """A data set whose third test face is a training photograph a little brighter."""
    store = make_store(tmp_path / "own", faces=48)
    images, faces = np.array(store.images), store.faces
    test, train = (faces.loc[faces["split"] == split, "row"].to_numpy() for split in ("test", "train"))
    images[test[2]] = np.clip(images[train[5]].astype(int) + 6, 0, 255)
    return replace(store, images=images)


def test_a_test_split_is_looked_up_among_its_own_training_faces(own: AlignedStore) -> None:
    copies = look_up(own, own.split("test"), trained_on(own))
    assert copies is not None
    assert np.flatnonzero(copies.found).tolist() == [2]
    assert (copies.record.near_copies, copies.record.copies, copies.record.left_out) == (1, 0, False)
    assert copies.record.compared == (own.faces["split"] == "train").sum()
    correct = own.split("test")["face_id"].isin(own.split("test")["face_id"][:3])
    assert copies.with_accuracy(correct).accuracy_without == round(2 / (len(correct) - 1), 6)


def test_nothing_is_said_where_nobody_can_look(own: AlignedStore, tmp_path: Path) -> None:
    assert look_up(own, own.faces, trained_on(own)) is None, "the training faces themselves are audited"
    assert look_up(own, own.split("test"), ModelInfo(input_size=112)) is None, "an imported model tells no data"
    assert look_up(make_store(tmp_path / "x", seed=3), own.split("test"), trained_on(own)) is None


def test_copies_across_data_sets_are_left_out_and_counted(
    own: AlignedStore, small_model: Model, tmp_path: Path
) -> None:
    elsewhere = make_store(tmp_path / "elsewhere", faces=40, seed=9)
    images = np.array(elsewhere.images)
    images[[4, 7]] = own.images[[1, 2]]
    elsewhere = replace(elsewhere, images=images)
    model = replace(small_model, info=replace(small_model.info, data=trained_on(own).data))
    audit = run_audit(elsewhere, model, None, name="abroad", training=(own,))
    assert audit.manifest.faces == len(audit.faces) == 38
    assert not set(audit.faces["face_id"]) & set(elsewhere.faces["face_id"].iloc[[4, 7]])
    assert training_copies_words(audit.manifest) == (
        f"2 further faces are copies or near-copies of the 48 training faces ({own.manifest.dataset}) and left out."
    )
    twins = replace(elsewhere, images=np.array(own.images[:40]), path=tmp_path / "twins")
    with pytest.raises(LookwhereError, match="twins: all faces in all are copies of training faces"):
        run_audit(twins, model, None, name="twins", training=(own,))
    with pytest.raises(LookwhereError, match="face ids"):
        run_audit(elsewhere, model, None, name="abroad")


def test_data_that_the_model_was_not_trained_on_is_refused(own: AlignedStore, tmp_path: Path) -> None:
    other_store = make_store(tmp_path / "others", faces=40, seed=2)
    with pytest.raises(LookwhereError, match="others: not data that the model was trained on"):
        look_up(own, own.split("test"), trained_on(own), (other_store,))
    with pytest.raises(LookwhereError, match="the audited faces themselves"):
        look_up(own, own.faces, trained_on(own), (own,))


def several(*trained: AlignedStore, validated: AlignedStore) -> tuple[ModelInfo, TrainingHashes]:
    """What a model says that was trained on the train splits of stores, and its hashes."""
    splits = ["train"] * len(trained) if len(trained) > 1 else []
    sets = FaceSets.across(trained, validated, splits=splits)
    return ModelInfo(input_size=112, data=sets.provenance()), sets.training_hashes()


@pytest.fixture
def both(own: AlignedStore, tmp_path: Path) -> tuple[AlignedStore, AlignedStore, AlignedStore]:
    """Two data sets to train on and one to validate on. The first two test faces of `own` are a training face of the
    other and the same a little brighter, the first face of the third is a training face of `own`."""
    second, third = make_store(tmp_path / "more", faces=60, seed=5), make_store(tmp_path / "third", faces=40, seed=6)
    images, test = np.array(own.images), own.split("test")["row"].to_numpy()
    trained = second.images[second.split("train")["row"].to_numpy()[3]]
    images[test[0]], images[test[1]] = trained, np.clip(trained.astype(int) + 6, 0, 255)
    validation = np.array(third.images)
    validation[third.faces["row"].iloc[0]] = own.images[own.split("train")["row"].iloc[0]]
    return replace(own, images=images), second, replace(third, images=validation)


def test_of_several_data_sets_copies_of_all_are_told_and_near_copies_of_the_audited_one(
    both: tuple[AlignedStore, AlignedStore, AlignedStore],
) -> None:
    own, second, third = both
    info, hashes = several(own, second, validated=third)
    copies = look_up(own, own.split("test"), info, hashes=hashes)
    assert copies is not None and np.flatnonzero(copies.found).tolist() == [0, 2], "the brighter one is not known"
    record, trained = copies.record, len(own.split("train")) + len(second.split("train"))
    assert (record.copies, record.near_copies, record.compared) == (1, 1, trained)
    dataset = own.manifest.dataset
    assert (record.datasets, record.by_hashes) == ((f"{dataset} own", f"{dataset} more"), (f"{dataset} more",))
    manifest = AuditManifest(
        model="m", dataset="made", splits=("test",), faces=9, map_shape=None, accuracy=0.5, training_copies=record
    )
    assert training_copies_words(manifest) == (
        f"2 of the 9 faces are copies or near-copies of the {trained} training faces ({dataset} own and {dataset} "
        f"more). Near-copies of those of {dataset} more are not known: hashes, which the model carries, tell equal "
        "images alone."
    )
    alone = look_up(own, own.split("test"), info)
    assert alone is not None and alone.record.compared == len(own.split("train"))
    words = training_copies_words(replace(manifest, training_copies=alone.record)) or ""
    assert words.endswith(f" Those of {dataset} more, which the model was trained on too, were not looked through.")


def test_of_named_data_sets_those_faces_alone_are_compared_with_that_were_trained_on(
    both: tuple[AlignedStore, AlignedStore, AlignedStore],
) -> None:
    own, second, third = both
    info, hashes = several(own, second, validated=third)
    copies = look_up(own, own.split("test"), info, (own, second), hashes=hashes)
    assert copies is not None and np.flatnonzero(copies.found).tolist() == [0, 1, 2] and copies.record.left_out
    assert copies.record.compared == len(own.split("train")) + len(second.split("train"))
    part = look_up(own, own.split("test"), info, (own,), hashes=hashes)
    assert part is not None and part.record.not_asked == (f"{own.manifest.dataset} more",)


def test_a_data_set_that_was_validated_on_has_no_training_faces(
    both: tuple[AlignedStore, AlignedStore, AlignedStore],
) -> None:
    own, _, third = both
    info, hashes = several(own, validated=third)
    assert look_up(third, third.split("test"), info) is None
    copies = look_up(third, third.faces, info, hashes=hashes)
    assert copies is not None and np.flatnonzero(copies.found).tolist() == [0] and copies.record.near_copies is None
    assert copies.record.compared == hashes.count == len(own.faces), "a data set without splits is trained on whole"
    with pytest.raises(LookwhereError, match="not data that the model was trained on"):
        look_up(own, own.faces, info, (third,), hashes=hashes)
    every = look_up(own, own.split("test"), info, hashes=hashes)
    assert every is not None and every.found.all(), "the audited faces were trained on themselves"


def test_of_the_audited_store_itself_its_train_split_is_compared_with(own: AlignedStore) -> None:
    images = np.array(own.images)
    test, train = own.split("test"), own.split("train")
    images[test["row"].iloc[0]] = images[train["row"].iloc[1]]
    copies = look_up(replace(own, images=images, path=own.path / "other"), test, trained_on(own), (own,))
    assert copies is not None and copies.found[0] and copies.record.left_out
    assert copies.record.compared == len(train)


def test_the_sentence_gives_both_accuracies() -> None:
    record = TrainingCopies(
        datasets=("made",), compared=1000, copies=1, near_copies=2, left_out=False, accuracy_without=0.9
    )
    manifest = AuditManifest(
        model="m", dataset="made", splits=("test",), faces=500, map_shape=None, accuracy=0.91, training_copies=record
    )
    assert training_copies_words(manifest) == (
        "3 of the 500 faces are copies or near-copies of the 1,000 training faces (made); without them the accuracy "
        "over all ages is 90.0 % instead of 91.0 %."
    )
    same = replace(manifest, accuracy=0.9004)
    assert (training_copies_words(same) or "").endswith("without them the accuracy over all ages stays 90.0 %.")
    none = replace(manifest, training_copies=replace(record, copies=0, near_copies=0, accuracy_without=None))
    assert training_copies_words(none) == (
        "None of the 500 faces is a copy or near-copy of the 1,000 training faces (made)."
    )


def test_data_sets_are_called_by_their_own_names() -> None:
    names = ("lfw", "utkface", "all-age-faces")
    record = TrainingCopies(datasets=names, compared=90, copies=0, near_copies=0, left_out=True)
    manifest = AuditManifest(model="m", dataset="x", splits=(), faces=9, map_shape=None, training_copies=record)
    words = training_copies_words(manifest)
    assert words is not None and words.endswith("of the 90 training faces (LFW, UTKFace and All-Age-Faces).")
    own = replace(manifest, training_copies=replace(record, datasets=("manifest",)))
    assert (training_copies_words(own) or "").endswith("of the 90 training faces (a data set of one's own).")


def test_faces_that_were_not_trained_on_are_not_called_training_faces(
    both: tuple[AlignedStore, AlignedStore, AlignedStore],
) -> None:
    """Which of a store's faces were trained on is not known without hashes: how many, the model's record says."""
    own, second, third = both
    info, _ = several(own, second, validated=third)
    trained, every = len(own.split("train")) + len(second.split("train")), len(own.faces) + len(second.faces)
    looked = look_up(third, third.faces, info, (own, second))
    assert looked is not None and (looked.record.compared, looked.record.training_faces) == (every, trained)
    manifest = AuditManifest(
        model="m", dataset="made", splits=("test",), faces=39, map_shape=None, training_copies=looked.record
    )
    dataset = own.manifest.dataset
    among = f"{every} faces of {dataset} own and {dataset} more, {trained} of which were trained on"
    assert training_copies_words(manifest) == f"1 further face is a copy or near-copy of the {among}, and left out."
    none = replace(manifest, training_copies=replace(looked.record, copies=0, near_copies=0))
    assert training_copies_words(none) == f"None of the 39 faces is a copy or near-copy of the {among}."


def test_where_all_faces_were_trained_on_they_are_called_so(
    both: tuple[AlignedStore, AlignedStore, AlignedStore],
) -> None:
    own, _, third = both
    info, _ = several(own, validated=third)
    looked = look_up(third, third.faces, info, (own,))
    assert looked is not None and (looked.record.compared, looked.record.training_faces) == (len(own.faces), None)
