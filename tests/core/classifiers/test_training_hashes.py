"""Hashes of training faces: copies are told by file or pixels, nothing else is; what lies on disk holds no image."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.audit.run import run_audit
from core.audit.training_copies import look_up
from core.classifiers.folder import load_model, save_model
from core.classifiers.info import DataInfo, ModelInfo, PartInfo, TrainingInfo, model_info
from core.classifiers.resnet import GenderResNet
from core.classifiers.training_hashes import FILE, TrainingHashes, open_hashes
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.files import write_json
from core.present.text.training_copies import training_copies_words
from core.training.face_sets import FaceSets
from core.training.hashing import add_hashes
from tests.helpers.made_store import make_store
from tests.helpers.small_network import NARROW, small_network
from tests.helpers.unmeasured import cells_on_tiles, decisions_uncounted


@pytest.fixture(scope="module", autouse=True)
def network_is_small() -> Iterator[None]:
    with small_network(NARROW), cells_on_tiles(), decisions_uncounted():
        yield


def digest(n: int) -> str:
    """SHA-256 of a file that is not there."""
    return hashlib.sha256(str(n).encode()).hexdigest()


@pytest.fixture
def own(tmp_path: Path) -> AlignedStore:
    """What is trained on: the files of its images are known."""
    return make_store(tmp_path / "own", faces=48, columns={"sha256": [digest(n) for n in range(48)]})


def trained_on(store: AlignedStore, faces: int, **more: object) -> ModelInfo:
    data = DataInfo(dataset="made", fingerprint=store.manifest.data_fingerprint, faces={"train": faces}, **more)
    return ModelInfo(input_size=112, data=data)


def model_in(folder: Path, info: ModelInfo) -> Path:
    torch.manual_seed(0)
    save_model(folder, GenderResNet(dilated=True), info)
    return folder


def named_in(folder: Path, info: ModelInfo) -> Path:
    """A model folder of which `model.json` alone is there: no hash needs the weights."""
    folder.mkdir()
    grey = (0.5, 0.5, 0.5)
    write_json(folder / "model.json", replace(info, dilated=False, mean=grey, std=grey, weights_sha256="0").to_json())
    return folder


def test_a_copy_is_told_by_its_file_or_by_its_pixels(own: AlignedStore, tmp_path: Path) -> None:
    train = own.split("train")
    hashes = TrainingHashes.from_stores([own], [train])
    second_store = make_store(tmp_path / "other", faces=24, seed=5, columns={"sha256": [None] * 24})
    images, faces = np.array(second_store.images), second_store.faces.copy()
    images[3] = own.images[train["row"].iloc[7]]  # written anew without loss: another file, or none known
    images[4] = own.images[train["row"].iloc[8]]
    images[4, 0, 0, 0] ^= 1  # the least change there is
    faces.loc[9, "sha256"] = train["sha256"].iloc[2]  # the file itself, aligned a little otherwise
    faces.loc[10, "sha256"] = own.split("test")["sha256"].iloc[0]  # of the data set, but not trained on
    second_store = replace(second_store, images=images)
    assert np.flatnonzero(hashes.among(second_store, faces)).tolist() == [3, 9]
    assert np.flatnonzero(hashes.among(own, own.faces)).tolist() == train["row"].tolist()


def test_what_is_kept_are_short_hashes_of_a_salt_of_their_own(own: AlignedStore, tmp_path: Path) -> None:
    train = own.split("train")
    hashes, again = (TrainingHashes.from_stores([own], [train]) for _ in range(2))
    fewer = TrainingHashes.from_stores([own], [train.iloc[:-1]])
    assert hashes.salt == again.salt
    np.testing.assert_array_equal(hashes.aligned, again.aligned)
    assert hashes.salt != fewer.salt
    assert not np.isin(hashes.files, fewer.files).any(), "two models' hashes cannot be joined"
    record = hashes.save(tmp_path)
    content = (tmp_path / FILE).read_bytes()
    assert record.bytes == len(content) < 16 * len(train) + 2048
    for row in train["row"]:
        assert own.images[row].tobytes()[:16] not in content
        assert bytes.fromhex(digest(row))[:8] not in content


def test_hashes_of_several_stores_are_those_of_each(own: AlignedStore, tmp_path: Path) -> None:
    second = make_store(tmp_path / "second", faces=24, seed=7)
    sets = FaceSets.across((own, second), make_store(tmp_path / "val", faces=12, seed=8))
    hashes = sets.training_hashes()
    assert hashes.count == len(sets.faces["train"]) == 72
    assert hashes.among(own, own.faces).all()
    assert hashes.among(second, second.faces).all()
    assert not hashes.among(sets.stores["val"][0], sets.faces["val"]).any()


def test_an_audit_of_other_data_counts_training_images(own: AlignedStore, tmp_path: Path) -> None:
    train = own.split("train")
    folder = model_in(tmp_path / "models" / "made", trained_on(own, len(train)))
    assert open_hashes(folder, model_info(folder)) is None
    elsewhere = make_store(tmp_path / "elsewhere", faces=30, seed=9)
    images = np.array(elsewhere.images)
    images[[2, 5, 11]] = own.images[train["row"].iloc[[0, 1, 2]]]
    elsewhere = replace(elsewhere, images=images)
    assert look_up(elsewhere, elsewhere.faces, model_info(folder)) is None, "nobody can know"
    assert add_hashes(folder, [own]).count == len(train)
    audit = run_audit(elsewhere, load_model(folder), None, name="abroad")
    copies = audit.manifest.training_copies
    assert copies is not None
    assert (copies.compared, copies.copies, copies.near_copies, copies.left_out) == (len(train), 3, None, False)
    rest = audit.faces.drop(index=[2, 5, 11])["correct"].mean()
    assert copies.accuracy_without == pytest.approx(rest, abs=1e-6)
    words = training_copies_words(audit.manifest) or ""
    assert words.startswith(f"3 of the 30 faces are copies of the {len(train)} training faces (made); without them")
    assert "Near-copies are not known" in words


def test_training_faces_that_are_audited_themselves_are_said_to_be_so(own: AlignedStore) -> None:
    train = own.split("train")
    hashes = TrainingHashes.from_stores([own], [train])
    overlap = look_up(own, train, trained_on(own, len(train)), hashes=hashes)
    assert overlap is not None
    assert overlap.record.copies == len(train)
    assert overlap.with_accuracy(train["gender"] == "male").accuracy_without is None, "none is left without them"


def test_hashes_are_added_only_from_the_faces_that_were_trained_on(own: AlignedStore, tmp_path: Path) -> None:
    train = own.split("train")
    folder = named_in(tmp_path / "made", trained_on(own, len(train) - 1))
    with pytest.raises(LookwhereError, match="the model was trained on 23"):
        add_hashes(folder, [own])
    with pytest.raises(LookwhereError, match="not data that made was trained on"):
        add_hashes(folder, [make_store(tmp_path / "x", seed=3)])
    women = train[(train["gender"] == "female") & (train["ethnicity"] == "Black")]
    info = trained_on(own, len(train) - len(women))
    info = replace(info, training=TrainingInfo(exclude=("female Black",)))
    hashes = add_hashes(named_in(tmp_path / "without", info), [own])
    assert hashes.among(own, own.faces).sum() == len(train) - len(women)
    parts = (PartInfo(dataset="a", fingerprint=own.manifest.data_fingerprint, faces=48),)
    parts += (PartInfo(dataset="b", fingerprint="f" * 64, faces=9),)
    info = replace(trained_on(own, 57), data=replace(trained_on(own, 57).data, parts=parts))
    with pytest.raises(LookwhereError, match="was trained on b too"):
        add_hashes(named_in(tmp_path / "two", info), [own])
    with pytest.raises(LookwhereError, match="what it was trained on is not known"):
        add_hashes(named_in(tmp_path / "none", ModelInfo(input_size=112)), [own])


def test_another_file_of_hashes_is_refused(own: AlignedStore, tmp_path: Path) -> None:
    train = own.split("train")
    folder = named_in(tmp_path / "made", trained_on(own, len(train)))
    add_hashes(folder, [own])
    assert open_hashes(folder, model_info(folder)).count == len(train)
    TrainingHashes.from_stores([own], [train.iloc[:-2]]).save(folder)
    with pytest.raises(LookwhereError, match=r"training-faces\.npz.*python -m core hashes"):
        open_hashes(folder, model_info(folder))
    (folder / FILE).unlink()
    assert open_hashes(folder, model_info(folder)) is None, "who must not tell who was trained on deletes the file"


def test_an_audit_needs_no_hashes_and_tells_damaged_ones_before_any_work(own: AlignedStore, tmp_path: Path) -> None:
    folder = model_in(tmp_path / "models" / "made", trained_on(own, len(own.split("train"))))
    add_hashes(folder, [own])
    elsewhere = make_store(tmp_path / "elsewhere", faces=24, seed=9)
    (folder / FILE).write_bytes(b"x")
    with pytest.raises(LookwhereError, match=r"training-faces\.npz"):
        run_audit(elsewhere, load_model(folder), None, name="abroad")
    assert not list((folder / "audits").iterdir())
    (folder / FILE).unlink()
    assert run_audit(elsewhere, load_model(folder), None, name="abroad").manifest.training_copies is None
