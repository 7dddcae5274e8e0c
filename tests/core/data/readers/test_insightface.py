"""MS1MV2 and other InsightFace packs, made byte for byte by the tests' own writer."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data.build_store import build_store
from core.data.faces import UNRECORDED
from core.data.readers import choose_reader
from core.data.readers.insightface import InsightFace, image_keys
from core.data.sources import open_source
from core.data.sources.recordio import RecordSource
from core.errors import LookwhereError
from tests.helpers.recordio_writer import image_record, insightface_pack, write_pack

LABELS = "identity,gender,ethnicity\n3,female,African-American\n5,M,Caucasian\n9,woman,\n"


def picture(value: int, kind: str = "JPEG", size: int = 112) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.full((size, size, 3), value, dtype=np.uint8)).save(out, kind)
    return out.getvalue()


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """Three people with labels, one (7) without; 8 pictures."""
    people = {
        3: [picture(10), picture(20), picture(30)],
        5: [picture(200), picture(210)],
        7: [picture(90)],
        9: [picture(50), picture(60, "PNG")],
    }
    insightface_pack(tmp_path / "faces_emore", people)
    (tmp_path / "faces_emore/identities.csv").write_text(LABELS)
    return tmp_path / "faces_emore"


@pytest.mark.parametrize("form", ["folder", "rec file"])
def test_a_pack_is_recognised_and_joined_with_its_labels(pack: Path, form: str) -> None:
    source = open_source(pack if form == "folder" else pack / "train.rec")
    assert isinstance(source, RecordSource)
    reader = choose_reader(source)
    assert (reader.name, reader.aligned) == ("insightface", True)
    reading = reader.read(source)
    assert reading.faces["path"].tolist() == ["1", "2", "3", "4", "5", "7", "8"]
    assert reading.faces["gender"].tolist() == ["female"] * 3 + ["male"] * 2 + ["female"] * 2
    assert reading.faces["ethnicity"].tolist() == ["African-American"] * 3 + ["Caucasian"] * 2 + [UNRECORDED] * 2
    assert reading.faces["identity"].tolist() == ["3", "3", "3", "5", "5", "9", "9"]
    offset = int(source.records.offsets[source.records.keys == 6][0])
    assert reading.rejects.to_numpy().tolist() == [[f"record 6 at offset {offset}", "identity not in identities.csv"]]


@pytest.mark.parametrize("labels", ["in the header", "behind the header"])
def test_a_pack_of_another_writer_without_header_record_where_key_0_is_a_picture(tmp_path: Path, labels: str) -> None:
    wrap = (lambda n: float(n)) if labels == "in the header" else (lambda n: [float(n), 1.0])
    records = [(key, image_record(wrap(identity), picture(key))) for key, identity in enumerate([3, 5, 9])]
    write_pack(tmp_path / "pack", records)
    (tmp_path / "pack/identities.csv").write_text(LABELS)
    source = open_source(tmp_path / "pack")
    assert image_keys(source.records).tolist() == [0, 1, 2]
    assert InsightFace().read(source).faces["gender"].tolist() == ["female", "male", "female"]


def test_pictures_are_taken_as_aligned_and_people_never_cross_splits(pack: Path, tmp_path: Path) -> None:
    store = build_store(open_source(pack), InsightFace(), tmp_path / "store")
    assert store.manifest.detector == "none, aligned already"
    assert len(store.faces) == 7
    assert [int(store.images[row].mean().round(-1)) for row in store.faces["row"]] == [10, 20, 30, 200, 210, 50, 60]
    assert store.faces.groupby("identity")["split"].nunique().max() == 1


def test_a_damaged_record_is_counted_with_key_and_offset_and_the_rest_is_read(pack: Path, tmp_path: Path) -> None:
    source = open_source(pack)
    offset = int(source.records.offsets[source.records.keys == 2][0])
    body = bytearray((pack / "train.rec").read_bytes())
    body[offset + 40 : offset + 60] = bytes(20)  # the JPEG's tables are gone, the frame stands
    body[int(source.records.offsets[source.records.keys == 4][0])] ^= 0xFF
    (pack / "train.rec").write_bytes(body)
    store = build_store(open_source(pack), InsightFace(), tmp_path / "store")
    assert store.manifest.rejects["damaged record"] == 1
    assert any(file.startswith("record 4 at offset ") for file in store.rejects["file"])
    assert "2" not in store.faces["face_id"].tolist()
    assert len(store.faces) + len(store.rejects) == 8


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (None, "identities.csv: missing"),
        ("who,gender\n3,female\n", "no column identity; it needs .* and has who, gender"),
        ("identity,gender\n3,femle\n", "line 2: gender 'femle'"),
        ("identity,gender\nthree,female\n", "line 2: identity 'three'"),
        ("identity,gender\n3,female\n3,male\n", "identity 3 occurs twice"),
    ],
)
def test_bad_labels_are_told_by_file_and_line(pack: Path, labels: str | None, says: str) -> None:
    file = pack / "identities.csv"
    file.unlink()
    if labels is not None:
        file.write_text(labels)
    with pytest.raises(LookwhereError, match=says):
        InsightFace().read(open_source(pack))
