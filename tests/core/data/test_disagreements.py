"""Labels that two places of a data set give differently reach the store, its report, the audit and the card."""

from __future__ import annotations

import copy
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.__main__ import main
from core.audit.run import run_audit
from core.classifiers.folder import Model
from core.classifiers.info import ModelInfo, ModelKind
from core.data.build_store import build_store
from core.data.duplicates import cluster, near_pairs
from core.data.filters import Filter
from core.data.plan import plan
from core.data.readers import READERS, Reader
from core.data.sources import open_source
from core.data.splits import near_disagreements
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.present.card import card_sections, markdown
from core.present.report.reproduction import data_section
from core.present.text.tables import store_report
from tests.helpers.datasets_made import tree
from tests.helpers.former import write_former
from tests.helpers.made_store import make_store

CSV = "id_num,picture_num,dob,doa,race,gender,facial_hair,age,age_diff,glasses,photo\n"
NEAR = "gender: a near-copy is labelled otherwise; both are kept"


def picture(seed: int, quality: int = 90) -> bytes:
    """Coarse noise, so that hashes of two seeds lie far apart and those of two qualities do not."""
    grid = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(grid).resize((112, 112), Image.Resampling.BICUBIC).save(out, "JPEG", quality=quality)
    return out.getvalue()


def aligned(name: str) -> Reader:
    """A reader as it is, but for pictures that need no detector."""
    reader = copy.copy(READERS[name])
    reader.aligned = True
    return reader


def morph(folder: Path) -> Path:
    """Six photos; of one the file name says another gender than the CSV, of another a younger age."""
    rows = [(n, "F" if n == 3 else "M", 40 if n == 4 else 34) for n in range(6)]
    lines = [
        f"{100 + n},0,03/05/1970,11/27/2004,B,{gender},,{age},,,A/000{100 + n}_00M34.JPG\n" for n, gender, age in rows
    ]
    photos = {f"A/000{100 + n}_00M34.JPG": picture(n) for n in range(6)}
    return tree(folder, {"morph_2008_nonCommercial.csv": CSV + "".join(lines), **photos})


@pytest.fixture
def store(tmp_path: Path) -> AlignedStore:
    return build_store(open_source(morph(tmp_path / "set")), aligned("morph"), tmp_path / "store")


SAID = {
    "A/000103_00M34.JPG": "gender: CSV female, file name male; the CSV's counts",
    "A/000104_00M34.JPG": "age: CSV and file name differ; the CSV's counts",
}


def test_what_a_reader_finds_is_counted_in_the_manifest_and_listed_beside_it(store: AlignedStore) -> None:
    assert dict(store.disagreements.to_numpy().tolist()) == SAID
    manifest = json.loads((store.path / "store.json").read_text())
    assert manifest["disagreements"] == dict.fromkeys(SAID.values(), 1)
    assert dict(pd.read_parquet(store.path / "disagreements.parquet").to_numpy().tolist()) == SAID
    assert len(store.faces) == 6, "a disagreement rejects no face"
    again = AlignedStore.open(store.path)
    pd.testing.assert_frame_equal(again.disagreements, store.disagreements)


def test_align_and_look_print_them(store: AlignedStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["look", "--data", str(store.path), "--faces", "2"]) == 0
    for text in (store_report(store), capsys.readouterr().out):
        assert str(store.path / "disagreements.parquet") in text
        for file, what in SAID.items():
            assert f"1  {what}\n" in text
            assert file in text


def test_a_store_without_one_says_so_and_one_of_before_opens_and_says_that(tmp_path: Path) -> None:
    rows = {f"{20 + n}_{n % 2}_0_2017000{n}.jpg.chip.jpg": picture(n) for n in range(4)}
    store = build_store(open_source(tree(tmp_path / "set", rows)), aligned("utkface"), tmp_path / "store")
    assert store.manifest.disagreements == {}
    assert "label disagreements: none found" in store_report(store)

    content = json.loads((store.path / "store.json").read_text())
    del content["disagreements"]
    write_former(store.path / "store.json", content)
    (store.path / "disagreements.parquet").unlink()
    old = AlignedStore.open(store.path)
    assert old.disagreements.empty
    assert "label disagreements: not recorded" in store_report(old)
    assert "none found" not in store_report(old)


def test_a_lost_list_is_damage(store: AlignedStore) -> None:
    (store.path / "disagreements.parquet").unlink()
    with pytest.raises(LookwhereError, match=rf"{store.path}/disagreements\.parquet: missing.*align again"):
        AlignedStore.open(store.path)


def test_near_copies_of_two_genders_are_told_and_kept(tmp_path: Path) -> None:
    """UTKFace's kind of disagreement: one picture twice, encoded anew, called 0 here and 1 there."""
    names = {
        "20_0_0_20170001.jpg.chip.jpg": picture(1),
        "20_1_0_20170002.jpg.chip.jpg": picture(1, quality=60),
        "30_0_0_20170003.jpg.chip.jpg": picture(2),
        "30_0_0_20170004.jpg.chip.jpg": picture(2, quality=60),
        "40_1_0_20170005.jpg.chip.jpg": picture(3),
    }
    work = plan(open_source(tree(tmp_path, names)), READERS["utkface"])
    assert len(work.faces) == 5
    assert (work.faces["cluster"].value_counts() > 1).sum() == 2
    assert dict(work.disagreements.to_numpy().tolist()) == dict.fromkeys(list(names)[:2], NEAR)


def test_a_face_in_several_pairs_is_listed_once() -> None:
    """Against every pair looked at one by one; hashes 0, 1, 3 are near each other, the last is far from all."""
    hashes = np.array([0, 1, 3, 2**63 - 1], dtype=np.uint64)
    faces = pd.DataFrame({"path": list("abcd"), "gender": ["male", "female", "female", "male"], "phash": hashes})
    faces["cluster"] = cluster(4, near_pairs(hashes))
    disagreements = near_disagreements(faces)
    assert disagreements["file"].tolist() == ["a", "b", "c"]
    assert near_disagreements(faces.assign(gender="male")).empty
    assert near_disagreements(faces.assign(cluster=range(4))).empty


class Fair:
    """Half female, half male, for whatever it is shown; no maps."""

    maps = head_bias = None
    precision = "float32"

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, None]:
        z = np.where(np.arange(len(images)) % 2, 1.0, -1.0).astype(np.float32)
        return np.stack([-z, z], axis=1), None


def test_audit_card_and_report_repeat_them(store: AlignedStore, tmp_path: Path) -> None:
    info = ModelInfo(kind=ModelKind.ONNX, weights_sha256="1" * 64)
    model = Model("theirs", tmp_path / "theirs", None, info, Fair())
    audit = run_audit(store, model, ("all",))
    assert audit.manifest.disagreements == store.manifest.disagreements
    card = markdown("m", card_sections("m", model.info, [audit]))
    (table,) = [b for b in data_section(audit, Filter(), 6).blocks if "disagree" in getattr(b, "caption", "")]
    for what in SAID.values():
        assert f"| {what} | 1 |" in card
        assert (what, "1") in table.rows

    old = run_audit(make_store(tmp_path / "old"), model, ("all",), name="old")
    assert old.manifest.disagreements is None, "the store says nothing of them"
    assert "disagree" not in markdown("m", card_sections("m", model.info, [old]))
