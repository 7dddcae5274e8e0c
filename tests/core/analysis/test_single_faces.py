"""The browser of faces: orders against brute force, similarity, records, and which store goes with an audit."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.analysis import single_faces
from core.audit import images as audit_images
from core.audit.folder import Audit
from core.classifiers.info import DataInfo, ModelInfo
from core.data.faces import fingerprint
from core.data.file_array import FileArray
from core.data.filters import Filter
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.explain.maps import TARGETS
from core.files import write_json, write_parquet
from core.present.text import faces as faces_text
from core.privacy import MINIMUM_FACES
from tests.helpers.former import write_former
from tests.helpers.made_audit import made_audit, made_manifest
from tests.helpers.made_store import make_store

COUNT = 40


def made(**manifest: object) -> Audit:
    """Faces of one ethnicity with additive random maps, near-copies in pairs, and five persons of two faces each."""
    place = np.arange(COUNT)
    columns = {"cluster": place // 2, "identity": [f"p{k // 2}" if k < 10 else pd.NA for k in place]}
    return made_audit(COUNT, ethnicities=("White",), columns=columns, bias=(0.0625, -0.0625), manifest=manifest)


@pytest.fixture
def audit() -> Audit:
    return made()


def turned(audit: Audit, row: int) -> np.ndarray:
    """One face's evidence for its predicted class less the other, by hand."""
    female, male = audit.evidence[row].astype(np.float64)
    return (female - male) if audit.faces["predicted"].iloc[row] == "female" else (male - female)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))


def test_orders_are_those_of_python_sorting(audit: Audit) -> None:
    rows = np.flatnonzero(Filter(age_from=18).mask(audit.faces))
    faces = audit.faces.to_dict("records")

    def margin(row: int) -> float:
        return faces[row]["logit_female"] - faces[row]["logit_male"]

    wrong = sorted((r for r in rows if not faces[r]["correct"]), key=lambda r: -abs(margin(r)))
    right = sorted((r for r in rows if faces[r]["correct"]), key=lambda r: abs(margin(r)))
    assert wrong
    assert right
    assert list(single_faces.ordered(audit, rows, single_faces.FaceOrder.WRONG)[0]) == wrong + right
    by_margin = sorted(rows, key=lambda r: abs(margin(r)))
    assert list(single_faces.ordered(audit, rows, single_faces.FaceOrder.NEAR)[0]) == by_margin
    assert list(single_faces.ordered(audit, rows, single_faces.FaceOrder.SURE)[0]) == by_margin[::-1]


def test_equal_margins_keep_the_audits_order(audit: Audit) -> None:
    audit.faces["logit_male"] = 0.0
    audit.faces["logit_female"] = np.where(audit.faces.index % 2, 1.0, -1.0)
    rows = np.arange(len(audit.faces))
    for order in (single_faces.FaceOrder.NEAR, single_faces.FaceOrder.SURE):
        assert list(single_faces.ordered(audit, rows, order)[0]) == list(rows)


def test_similarity_is_the_cosine_of_maps_turned_to_the_prediction(audit: Audit) -> None:
    rows = np.arange(5, 30)
    got, values = single_faces.ordered(audit, rows, single_faces.FaceOrder.LIKE_FACE, 7)
    expected = {row: cosine(turned(audit, row), turned(audit, 7)) for row in rows}
    assert got[0] == 7
    assert values == pytest.approx([expected[row] for row in got], abs=1e-6)
    assert list(got) == sorted(rows, key=lambda r: -expected[r])
    # Of the group's mean, each face weighs alike: its map is divided by its root mean square first.
    mean = np.mean([turned(audit, r) / np.sqrt((turned(audit, r) ** 2).mean()) for r in rows], axis=0)
    got, values = single_faces.ordered(audit, rows, single_faces.FaceOrder.LIKE_GROUP)
    assert values == pytest.approx([cosine(turned(audit, row), mean) for row in got], abs=1e-6)
    assert (np.diff(values) <= 0).all()


def test_a_map_of_zeros_is_like_nothing(audit: Audit) -> None:
    audit.evidence[3] = 0
    rows = np.arange(len(audit.faces))
    order, values = single_faces.ordered(audit, rows, single_faces.FaceOrder.LIKE_FACE, 7)
    assert values[list(order).index(3)] == 0
    assert (single_faces.ordered(audit, rows, single_faces.FaceOrder.LIKE_FACE, 3)[1] == 0).all()


def test_orders_that_cannot_be_are_refused(audit: Audit) -> None:
    rows = np.arange(4)
    with pytest.raises(LookwhereError, match="no face is chosen"):
        single_faces.ordered(audit, rows, single_faces.FaceOrder.LIKE_FACE)
    bare = replace(audit, evidence=None)
    with pytest.raises(LookwhereError, match="no maps"):
        single_faces.ordered(bare, rows, single_faces.FaceOrder.LIKE_GROUP)
    assert len(single_faces.ordered(bare, rows, single_faces.FaceOrder.WRONG)[0]) == 4


def test_a_record_adds_up_and_names_copies_and_the_same_person(audit: Audit) -> None:
    record = single_faces.face_record(audit, 4)
    face = audit.faces.iloc[4]
    assert list(record.copies) == list(record.person) == [5]
    assert record.margin == pytest.approx(face["logit_female"] - face["logit_male"])
    assert record.regions.sum() + record.bias == pytest.approx(record.margin, abs=1e-9)
    assert record.bias == 0.125
    assert abs(record.rest) < 1e-9
    same = audit.faces[(audit.faces["correct"] == face["correct"]) & (audit.faces.index != 4)]
    weaker = (same["logit_female"] - same["logit_male"]).abs() < abs(record.margin)
    assert record.surer == pytest.approx(weaker.mean())
    likes = sorted((r for r in range(40) if r != 4), key=lambda r: -cosine(turned(audit, r), turned(audit, 4)))
    assert list(record.similar) == likes[: single_faces.SIMILAR]
    assert list(single_faces.face_record(audit, 20).person) == []
    assert faces_text.facts(single_faces.face_record(audit, 20))["Identity"] == "not recorded"


def test_a_record_holds_its_image_and_the_map_of_each_target(audit: Audit, tmp_path: Path) -> None:
    placed = stored(tmp_path)[1]
    images, _ = audit_images.open_images(placed, tmp_path)
    record = single_faces.face_record(placed, 4, images)
    np.testing.assert_array_equal(record.image, images.face(4))
    assert single_faces.face_record(audit, 4).image is None
    record = single_faces.face_record(audit, 4)
    assert list(record.maps) == list(TARGETS)
    for target, face_map in record.maps.items():
        np.testing.assert_array_equal(face_map, audit.maps(target, "raw")[4])
    assert single_faces.face_record(replace(audit, evidence=None), 4).maps == {}


def test_a_record_without_a_bias_in_the_manifest_finds_it_in_logits_and_maps() -> None:
    audit = made(head_bias=None)
    record = single_faces.face_record(audit, 4)
    assert record.bias == pytest.approx(0.125, abs=1e-9)
    assert abs(record.rest) < 1e-9


def test_a_record_of_maps_that_do_not_add_up_has_no_bias() -> None:
    audit = made(maps={"method": "occlusion", "additive": False, "layer": None})
    record = single_faces.face_record(audit, 4)
    assert np.isnan(record.bias)
    assert np.isnan(record.rest)
    assert record.regions is not None


def test_a_record_of_predictions_only_has_no_evidence(audit: Audit) -> None:
    record = single_faces.face_record(replace(audit, evidence=None), 4)
    assert record.regions is None
    assert list(record.copies) == [5]
    assert not len(record.similar)


def test_facts_tell_renamed_ethnicities_and_unknown_ages() -> None:
    audit = made(names={"Caucasian": "White"})
    audit.faces.loc[0, "age"] = pd.NA
    facts = faces_text.facts(single_faces.face_record(audit, 0))
    assert "Caucasian → White" in facts["Labelled"]
    assert facts["Age"] == "not recorded"
    assert facts["File"] == "images/00000.jpg"


def stored(root: Path, name: str = "made", faces: int = 64) -> tuple[AlignedStore, Audit]:
    """A store of shuffled rows, and an audit of part of it in another order with renamed ethnicities."""
    store = make_store(root / name, faces)
    order = np.random.default_rng(3).permutation(faces)
    table = store.faces.assign(row=order)
    write_parquet(root / name / "faces.parquet", table)
    audit = made(data_fingerprint=store.manifest.data_fingerprint)
    audit = replace(audit, faces=audit.faces.iloc[::-1].reset_index(drop=True), evidence=audit.evidence[::-1])
    return AlignedStore.open(root / name), audit


def test_pictures_are_joined_by_face_id(tmp_path: Path) -> None:
    store, audit = stored(tmp_path)
    shots, looked = audit_images.open_images(audit, tmp_path)
    assert looked == []
    assert isinstance(shots.images, FileArray)
    rows = store.faces.set_index("face_id")["row"]
    for row in (0, 7, 39):
        assert np.array_equal(shots.face(row), store.images[rows[audit.faces["face_id"].iloc[row]]])
    _, first = np.unique(shots.people, return_index=True)
    members = first[:MINIMUM_FACES]  # of a person each
    mean = np.mean([shots.face(row).astype(float) for row in members], axis=0)
    assert np.array_equal(shots.average(members), mean.round().astype(np.uint8))
    assert shots.average(members[:-1]) is None


def test_a_store_in_another_folder_is_found_by_its_fingerprint(tmp_path: Path) -> None:
    _, audit = stored(tmp_path, "elsewhere")
    assert audit_images.open_images(audit, tmp_path)[0].path == tmp_path / "elsewhere"


def test_why_no_store_fits_is_told(tmp_path: Path) -> None:
    _, audit = stored(tmp_path)
    second_audit = replace(audit, manifest=replace(audit.manifest, data_fingerprint="f" * 64))
    shots, looked = audit_images.open_images(second_audit, tmp_path)
    assert shots is None
    assert len(looked) == 1
    assert "other data than was audited" in looked[0]
    assert "ffffffffffff" in looked[0]
    assert "seed 0" in looked[0]
    assert "no such folder" in audit_images.open_images(audit, tmp_path / "nowhere")[1][0]
    unfinished = tmp_path / "half/made"
    unfinished.mkdir(parents=True)
    assert "no store.json" in audit_images.open_images(audit, tmp_path / "half")[1][0]
    write_json(unfinished / "unfinished.json", {})
    assert "resumes" in audit_images.open_images(audit, tmp_path / "half")[1][0]
    nameless = replace(audit, manifest=made_manifest())
    assert "no data fingerprint" in audit_images.open_images(nameless, tmp_path)[1][0]


def test_a_damaged_or_changed_store_is_not_used(tmp_path: Path) -> None:
    store, audit = stored(tmp_path / "good")
    for name, damage in {
        "json": lambda p: (p / "store.json").write_text("{"),
        "list": lambda p: (p / "store.json").write_text("[]"),
        "faces": lambda p: (p / "faces.npy").write_bytes(b"broken"),
        "table": lambda p: (p / "faces.parquet").write_bytes(b"broken"),
        "gone": lambda p: (p / "faces.npy").unlink(),
        "short": lambda p: np.save(p / "faces.npy", store.images[:5]),
    }.items():
        shutil.copytree(tmp_path / "good", tmp_path / name)
        damage(tmp_path / name / "made")
        shots, looked = audit_images.open_images(audit, tmp_path / name)
        assert shots is None, name
        assert "align again" in looked[0], name
    shutil.copytree(tmp_path / "good", tmp_path / "changed")
    file = tmp_path / "changed/made/faces.parquet"
    write_parquet(file, pd.read_parquet(file).assign(ethnicity="White"))
    assert "changed since" in audit_images.open_images(audit, tmp_path / "changed")[1][0]
    # A table with fewer faces is told too, even if its manifest agrees with it.
    shutil.copytree(tmp_path / "good", tmp_path / "fewer")
    table = pd.read_parquet(tmp_path / "good/made/faces.parquet").iloc[5:]
    write_parquet(tmp_path / "fewer/made/faces.parquet", table)
    content = replace(store.manifest, data_fingerprint=fingerprint(table)).to_json()
    write_former(tmp_path / "fewer/made/store.json", content)
    less = replace(audit, manifest=replace(audit.manifest, data_fingerprint=fingerprint(table)))
    assert "lacks 5 of the audited faces" in audit_images.open_images(less, tmp_path / "fewer")[1][0]


def test_the_command_says_what_is_known() -> None:
    manifest = made_manifest(dataset="utkface", data_fingerprint="abc")
    trained = ModelInfo(data=DataInfo(fingerprint="xyz+abc", split_seed=3))
    command = audit_images.align_command(manifest, trained)
    assert command == "python -m core align --data PATH --dataset utkface --seed 3"
    info = ModelInfo(data=DataInfo(fingerprint="xyz", split_seed=3))
    assert audit_images.align_command(manifest, info, Path("my stores/utkface")) == (
        "python -m core align --data PATH --dataset utkface --out 'my stores/utkface'"
    )
    assert audit_images.align_command(manifest, None) == "python -m core align --data PATH --dataset utkface"


def test_the_sentence_counts_the_filters_faces(audit: Audit) -> None:
    filter = Filter(("female",), outcome="correct")
    audit.faces.loc[:20, "p_male"] = np.where(audit.faces["predicted"][:21] == "male", 0.95, 0.05)
    faces = audit.faces[audit.faces["gender"] == "female"]
    wrong = faces[~faces["correct"]]
    sure = (wrong[["p_male"]].assign(other=1 - wrong["p_male"]).max(axis=1) >= 0.9).sum()
    assert 0 < sure < len(wrong)
    sentence = faces_text.faces_sentence(audit, filter, "kinds follow")
    assert sentence.startswith(f"Women: {len(wrong)} of {len(faces)} are predicted incorrectly")
    assert f"{sure} of them with 90 % certainty or more; kinds follow." in sentence
    assert faces_text.faces_sentence(audit, Filter(("female",), ("Martian",))) == "No face passes this filter."
