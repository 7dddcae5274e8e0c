"""RecordIO: round trips against a writer after MXNet's, damage named by key and offset, speed."""

from __future__ import annotations

import struct
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.sources.recordio import MAGIC, RecordError, RecordFile, parse_record
from core.errors import LookwhereError
from tests.helpers.hostile import drawn, saved
from tests.helpers.recordio_writer import image_record, insightface_pack, write_pack

MAGIC_BYTES = struct.pack("<I", MAGIC)
#: Data in which the magic is likely, on and off the 4-byte grid.
DATA = st.lists(st.one_of(st.binary(max_size=9), st.just(MAGIC_BYTES)), max_size=8).map(b"".join)


@given(st.dictionaries(st.integers(0, 10**9), DATA, min_size=1, max_size=12))
@settings(max_examples=150, deadline=None)
def test_any_record_comes_back_as_it_was_written(records: dict[int, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = RecordFile(write_pack(Path(folder), records.items()))
        assert {key: file.read(key) for key in records} == records
        assert dict(file.read_many(reversed(list(records)))) == records
        assert all(key in file for key in records)


def test_a_magic_inside_the_data_splits_the_record_and_is_put_back(tmp_path: Path) -> None:
    data = b"abcd" + MAGIC_BYTES + b"efgh" + MAGIC_BYTES + b"i"
    rec = write_pack(tmp_path, [(5, data)])
    kinds = [word >> 29 for word in struct.unpack("<II4sII4sII1s3x", rec.read_bytes())[1::3]]
    assert kinds == [1, 2, 3]
    assert RecordFile(rec).read(5) == data


def test_both_label_kinds_and_the_picture_behind_them() -> None:
    single = parse_record(image_record(7.0, b"\xff\xd8\xffrest"))
    assert (single.flag, single.labels.tolist(), single.payload) == (0, [7.0], b"\xff\xd8\xffrest")
    several = parse_record(image_record([3.0, 0.5], b"\x89PNG\r\n\x1a\nrest"))
    assert (several.flag, several.labels.tolist()) == (2, [3.0, 0.5])
    assert single.is_image
    assert several.is_image
    assert not parse_record(image_record([4.0, 6.0])).is_image


def test_a_pack_may_hold_images_of_other_kinds(tmp_path: Path) -> None:
    payloads = [saved(drawn(), kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")]
    file = RecordFile(insightface_pack(tmp_path, {7: [*payloads, b"text"]}))
    images = file.headers(np.arange(1, 8))["image"].tolist()
    assert images == [True] * 6 + [False]
    assert [parse_record(file.read(key)).is_image for key in range(1, 8)] == images


def test_key_0_of_an_insightface_pack_is_a_header_and_not_at_offset_0(tmp_path: Path) -> None:
    file = RecordFile(insightface_pack(tmp_path, {10: [b"\xff\xd8\xffa", b"\xff\xd8\xffb"], 11: [b"\xff\xd8\xffc"]}))
    assert file.offsets[file.keys == 0][0] > 0
    assert parse_record(file.read(0)).labels.tolist() == [4.0, 6.0]
    assert parse_record(file.read(4)).labels.tolist() == [1.0, 3.0]


def test_headers_without_pictures_equal_the_parsed_ones(tmp_path: Path) -> None:
    pictures = [b"\xff\xd8\xff" + bytes(range(n)) for n in (40, 41, 42, 43)]
    records = [(n, image_record(float(n) if n % 2 else [float(n), 9.0], p)) for n, p in enumerate(pictures)]
    table = RecordFile(write_pack(tmp_path, records)).headers(np.array([3, 0, 2, 1]))
    assert table["label"].tolist() == [3.0, 0.0, 2.0, 1.0]
    assert table["flag"].tolist() == [0, 2, 2, 0]
    assert table["good"].all()


@pytest.mark.parametrize("damage", ["magic", "length", "cut"])
def test_a_damaged_record_is_named_and_the_rest_still_reads(tmp_path: Path, damage: str) -> None:
    rec = write_pack(tmp_path, [(n, image_record(float(n), b"\xff\xd8\xff" + bytes(100))) for n in range(5)])
    file = RecordFile(rec)
    offset = int(file.offsets[4 if damage == "cut" else 2])
    body = bytearray(rec.read_bytes())
    if damage == "magic":
        body[offset] ^= 0xFF
    elif damage == "length":
        body[offset + 4 : offset + 8] = struct.pack("<I", (1 << 29) - 1)
    else:
        del body[offset + 50 :]
    rec.write_bytes(body)
    read = dict(RecordFile(rec).read_many(range(5)))
    errors = {key: value for key, value in read.items() if isinstance(value, RecordError)}
    key = 4 if damage == "cut" else 2
    assert list(errors) == [key]
    assert f"record {key} at offset {offset}" in str(errors[key])
    assert all(parse_record(read[n]).labels[0] == n for n in range(5) if n != key)
    table = RecordFile(rec).headers(np.arange(5))
    assert table.loc[~table["good"], "key"].tolist() in ([key], [])


def test_a_part_out_of_turn_is_damage(tmp_path: Path) -> None:
    rec = write_pack(tmp_path, [(1, b"abcd" + MAGIC_BYTES + b"efgh")])
    body = bytearray(rec.read_bytes())
    body[4:8] = struct.pack("<I", 3 << 29 | 4)
    rec.write_bytes(body)
    with pytest.raises(RecordError, match="part of kind 3"):
        RecordFile(rec).read(1)


def test_bad_files_are_told_by_name(tmp_path: Path) -> None:
    rec = write_pack(tmp_path, [(1, b"data")])
    with pytest.raises(KeyError):
        RecordFile(rec).read(2)
    (tmp_path / "train.idx").write_text("one\ttwo\n")
    with pytest.raises(LookwhereError, match=r"train\.idx"):
        RecordFile(rec)
    (tmp_path / "train.idx").write_text("1\t0\n1\t8\n")
    with pytest.raises(LookwhereError, match="key 1 occurs twice"):
        RecordFile(rec)
    (tmp_path / "train.idx").unlink()
    with pytest.raises(LookwhereError, match=r"train\.idx: missing"):
        RecordFile(rec)
    rec.write_bytes(b"")
    with pytest.raises(LookwhereError, match=r"train\.rec"):
        RecordFile(rec)


@pytest.mark.parametrize("what", ["read(15)", "headers(np.arange(1, 20))", "read_many([15])"])
def test_a_pack_cut_while_it_is_read_is_told(tmp_path: Path, what: str) -> None:
    """In a process of its own: to read a map beyond its file's end would end this one."""
    rec = write_pack(tmp_path, [(key, image_record(1.0, bytes(9000))) for key in range(1, 20)])
    lines = f"""
        import numpy as np
        from pathlib import Path
        from core.data.sources.recordio import RecordFile
        from core.errors import LookwhereError
        rec = Path({str(rec)!r})
        file = RecordFile(rec)
        with rec.open("r+b") as held:
            held.truncate(5000)
        try:
            print(list(file.{what}))
        except LookwhereError as error:
            print(error)
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(lines)], capture_output=True, text=True)
    assert ended.returncode == 0, ended
    assert ended.stdout == f"{rec}: cut while it was read; put it back whole and run again\n"


def test_reading_is_quick(tmp_path: Path) -> None:
    picture = b"\xff\xd8\xff" + bytes(6_000)
    file = RecordFile(write_pack(tmp_path, ((n, image_record(float(n), picture)) for n in range(4_000))))
    best = 0.0
    for _ in range(3):
        began = time.perf_counter()
        total = sum(len(data) for _, data in file.read_many(range(4_000)))
        best = max(best, 4_000 / (time.perf_counter() - began))
    assert total == 4_000 * (24 + len(picture))
    assert best > 25_000, f"{best:,.0f} records/s; 50,000 are expected of an idle core"
