"""Names are the same whatever made the archive: Windows, a Mac, or a disk on which they are no text."""

from __future__ import annotations

import io
import os
import tarfile
import unicodedata
import zipfile
from pathlib import Path

import pytest

from core import __main__ as command
from core.data.readers import choose_reader
from core.data.sources import open_source
from core.data.sources.names import distinct_names, plain_name
from tests.helpers.datasets_made import jpeg


def zipped(path: Path, files: dict[str, bytes], system: int = 0) -> Path:
    """A ZIP whose names are stored as they are given, even where `zipfile` would mend them."""
    with zipfile.ZipFile(path, "w") as archive:
        for n, (name, data) in enumerate(files.items()):
            entry = zipfile.ZipInfo(f"{n:@>{len(name.encode('utf-8', 'surrogateescape'))}}")
            entry.create_system = system
            archive.writestr(entry, data)
    content = path.read_bytes()
    for n, name in enumerate(files):
        raw = name.encode("utf-8", "surrogateescape")
        content = content.replace(f"{n:@>{len(raw)}}".encode(), raw)
    path.write_bytes(content)
    return path


def test_backslashes_part_names_wherever_they_come_from(tmp_path: Path) -> None:
    files = {"UTKFace\\1.jpg": b"1", "UTKFace\\sub\\2.jpg": b"2", "empty\\": b""}
    zipped(tmp_path / "a.zip", files)
    (tmp_path / "folder").mkdir()
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, data in list(files.items())[:2]:
            (tmp_path / "folder" / name).write_bytes(data)
            archive.add(tmp_path / "folder" / name, name)
    for name in ("a.zip", "a.tar", "folder"):
        source = open_source(tmp_path / name)
        assert dict(source.iterate(source.names)) == {"UTKFace/1.jpg": b"1", "UTKFace/sub/2.jpg": b"2"}


def test_what_a_mac_adds_is_left_out_behind_backslashes_too(tmp_path: Path) -> None:
    mac = {"__MACOSX\\set\\._1.jpg": b"\0\5\x16\7", "set\\.DS_Store": b"", "set\\1.jpg": b"1"}
    source = open_source(zipped(tmp_path / "a.zip", mac))
    assert source.images() == ["set/1.jpg"]
    assert source.not_read() == {}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_mac_zips_utf_8_without_saying_so(tmp_path: Path, form: str) -> None:
    name = unicodedata.normalize(form, "Zoë/Núñez ×.jpg")
    source = open_source(zipped(tmp_path / "a.zip", {name: b"1"}, system=3))
    assert source.names == [unicodedata.normalize("NFC", name)]
    assert source.read(source.names[0]) == b"1"


def test_a_name_of_an_old_dos_zip_stays(tmp_path: Path) -> None:
    source = open_source(zipped(tmp_path / "a.zip", {"caf\udc82.jpg": b"1"}))
    assert source.names == ["café.jpg"]  # 0x82 in code page 437


@pytest.mark.parametrize("kind", ["folder", ".tar", ".zip"])
def test_letters_of_two_parts_in_names_meet_those_of_one_in_a_table(tmp_path: Path, kind: str) -> None:
    stored = {
        unicodedata.normalize("NFD", "Zoë.jpg"): jpeg(40),
        "manifest.csv": "path,gender\nZoë.jpg,female\n".encode(),
    }
    if kind == "folder":
        (tmp_path / "set").mkdir()
        for name, data in stored.items():
            (tmp_path / "set" / name).write_bytes(data)
        source = open_source(tmp_path / "set")
    elif kind == ".zip":
        source = open_source(zipped(tmp_path / "set.zip", stored))
    else:
        with tarfile.open(tmp_path / "set.tar", "w") as archive:
            for name, data in stored.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
        source = open_source(tmp_path / "set.tar")
    reading = choose_reader(source).read(source)
    assert reading.faces["path"].tolist() == ["Zoë.jpg"]
    assert reading.rejects.empty


def test_a_name_that_is_no_utf_8_is_read_and_told_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = b"caf\xe9"
    folder = os.fsencode(tmp_path) + b"/" + raw
    Path(os.fsdecode(folder)).mkdir()
    names = (b"1_0_0_20170101.jpg", b"2_1_0_20170102.jpg", b"\xff\xfe.jpg")
    for name in names:
        Path(os.fsdecode(folder + b"/" + name)).write_bytes(jpeg(40))
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        archive.add(os.fsdecode(folder), os.fsdecode(raw))
    for place in (tmp_path / "a.tar", Path(os.fsdecode(folder))):
        assert command.main(["datasets", "--check", str(place)]) == 0
        output = capsys.readouterr().out
        assert "2 labelled faces, 1 rejected" in output
        assert "ÿþ.jpg" in output
    source = open_source(tmp_path / "a.tar")
    assert source.names[0].startswith("café/")
    assert dict(source.iterate(source.names)) == dict.fromkeys(source.names, jpeg(40))


def test_a_zip_with_a_name_that_is_not_what_it_says_is_refused_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("ü.jpg", b"1")
    data = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(data.replace("ü".encode(), b"\xff\xfe"))
    assert command.main(["datasets", "--check", str(tmp_path / "a.zip")]) == 2
    assert "a name in it is called UTF-8 and is not; unpack it" in capsys.readouterr().err


def test_names_that_become_one_are_told_apart() -> None:
    two = ["é.jpg", "e\u0301.jpg", "a\\b", "a/b", "\udce9.jpg"]
    names = distinct_names(two)
    assert list(names.values()) == two
    assert list(names) == ["é.jpg", "é~2.jpg", "a/b", "a/b~2", "é~3.jpg"]


def test_ordinary_names_stay_as_they_are() -> None:
    for name in ("a/b.jpg", "./a.jpg", "ü ×.jpg", "", "日本/顔.png"):
        assert plain_name(name) == name
