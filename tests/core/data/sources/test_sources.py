"""Folders, tars and zips read alike; damage is told in one line."""

from __future__ import annotations

import io
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.data.sources import open_source
from core.data.sources.base import Source
from core.errors import LookwhereError

NOISE = random.Random(0)
#: Storage order is not sorted order; the long name needs an extended header in a tar.
FILES = {name: NOISE.randbytes(9_000) for name in ("b/2.jpg", "a/1.jpg", "c.jpg", "a/ü ×.jpg", f"d/{'x' * 120}.jpg")}


def write_tar(path: Path, files: list[tuple[str, bytes]], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def pack(folder: Path, kind: str) -> Path:
    """`FILES` as a folder or as an archive with the suffix `kind`, with a folder entry among the files."""
    if kind == "folder":
        for name, data in FILES.items():
            (folder / "set" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "set" / name).write_bytes(data)
        return folder / "set"
    path = folder / f"set{kind}"
    if kind == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.mkdir("a")
            for name, data in FILES.items():
                archive.writestr(name, data)
        return path
    compression = {".tgz": "gz"}.get(kind, kind.rpartition(".")[2])
    return write_tar(path, list(FILES.items()), f"w:{compression}" if compression != "tar" else "w")


KINDS = ["folder", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip"]


@pytest.fixture(params=KINDS)
def packed(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    return open_source(pack(tmp_path, request.param))


def test_every_packaging_gives_the_same_names_and_bytes(packed: Source) -> None:
    assert set(packed.names) == set(FILES)
    assert len(packed) == len(FILES)
    assert dict(packed.iterate(packed.names)) == FILES


def test_iterate_reads_in_storage_order_whatever_the_order_asked_for(packed: Source) -> None:
    stored = sorted(FILES) if packed.path.is_dir() else list(FILES)
    assert packed.names == stored
    order = ["c.jpg", "a/1.jpg", "b/2.jpg"]
    assert [name for name, _ in packed.iterate(order)] == [name for name in stored if name in order]
    assert list(packed.iterate(["not/there.jpg"])) == []


def test_fingerprint_is_of_the_names_and_sizes_not_of_the_packaging(tmp_path: Path) -> None:
    sources = [open_source(pack(tmp_path, kind)) for kind in KINDS]
    assert len({source.fingerprint() for source in sources}) == 1
    (tmp_path / "set" / "c.jpg").write_bytes(b"shorter")
    assert open_source(tmp_path / "set").fingerprint() != sources[0].fingerprint()


def test_the_last_of_two_members_of_one_name_counts(tmp_path: Path) -> None:
    files = [("a.jpg", b"old"), ("b.jpg", b"b"), ("a.jpg", b"newer")]
    tar = open_source(write_tar(tmp_path / "twice.tar", files))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        for name, data in files:
            archive.writestr(name, data)
    zipped = open_source(tmp_path / "twice.zip")
    assert list(tar.iterate(tar.names)) == [("b.jpg", b"b"), ("a.jpg", b"newer")]
    assert dict(zipped.iterate(zipped.names)) == {"a.jpg": b"newer", "b.jpg": b"b"}
    assert tar.fingerprint() == zipped.fingerprint()


def assert_refused(path: Path, action: Callable[[], object], reason: str) -> None:
    """The error is one line, begins with the file, and gives the reason."""
    with pytest.raises(LookwhereError, match=reason) as caught:
        action()
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_an_archive_cut_in_half_is_refused(tmp_path: Path, kind: str) -> None:
    path = pack(tmp_path, kind)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert_refused(path, lambda: open_source(path), "damaged or cut short .*download it again")


@pytest.mark.parametrize("kind", KINDS[1:])
def test_an_archive_that_is_none_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"set{kind}"
    path.write_bytes(b"<html>404</html>" * 99)
    assert_refused(path, lambda: open_source(path), "damaged or cut short")


@pytest.mark.parametrize("kind", [".tar.gz", ".tar.bz2", ".tar.xz", ".zip"])
def test_flipped_bytes_are_never_read_as_pictures(tmp_path: Path, kind: str) -> None:
    path = pack(tmp_path, kind)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 100] = bytes(byte ^ 0x5A for byte in data[middle : middle + 100])
    path.write_bytes(data)
    assert_refused(path, lambda: list(open_source(path).iterate(FILES)), "damaged or cut short")


@pytest.mark.parametrize("beyond", [0, 100, 511])
def test_a_tar_cut_at_a_header_does_not_pass_for_a_shorter_one(tmp_path: Path, beyond: int) -> None:
    path = pack(tmp_path, ".tar")
    with tarfile.open(path) as archive:
        third = archive.getmembers()[2].offset
    path.write_bytes(path.read_bytes()[: third + beyond])
    assert_refused(path, lambda: open_source(path), "no end mark")


def test_a_packing_method_unknown_here_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path, ".zip")
    data = path.read_bytes()
    entry = data.rindex(b"PK\x01\x02")
    path.write_bytes(data[: entry + 10] + b"\x63" + data[entry + 11 :])
    source = open_source(path)
    assert_refused(path, lambda: list(source.iterate(source.names)), "not supported; unpack it")


def test_a_file_gone_since_the_listing_is_named(tmp_path: Path) -> None:
    source = open_source(pack(tmp_path, "folder"))
    (tmp_path / "set" / "c.jpg").unlink()
    assert_refused(tmp_path / "set" / "c.jpg", lambda: list(source.iterate(source.names)), "cannot be read")


def test_missing_empty_and_foreign_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.tar.gz").touch()
    (tmp_path / "faces.rar").write_bytes(b"Rar!")
    for name, reason in [("none", "no such file"), ("empty.tar.gz", "empty"), ("faces.rar", "neither a folder nor")]:
        assert_refused(tmp_path / name, lambda name=name: open_source(tmp_path / name), reason)
