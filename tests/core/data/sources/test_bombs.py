"""Archives that unfold to far more than they take, or whose headers have numbers that are none: told in a line."""

from __future__ import annotations

import bz2
import gzip
import io
import struct
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from core.data.sources import archives, open_source
from core.errors import LookwhereError

NAME = "30_0_0_20170101000000001.jpg"


def tar_of(content: bytes = b"x", **pax: str) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo(NAME)
        member.size, member.pax_headers = len(content), pax
        archive.addfile(member, io.BytesIO(content))
    return data.getvalue()


@pytest.mark.parametrize(
    "pax",
    [
        {"size": "9" * 20},
        {"size": "-5"},
        {"size": "nan"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9", "GNU.sparse.name": "a.jpg"},
        {"GNU.sparse.map": "0,x", "GNU.sparse.size": "9"},
        {"GNU.sparse.size": "9" * 30, "GNU.sparse.numblocks": "1"},
    ],
)
def test_numbers_of_a_tar_that_are_none_are_told_in_a_line(tmp_path: Path, pax: dict[str, str]) -> None:
    (tmp_path / "a.tar").write_bytes(tar_of(b"\xff\xd8\xff\xe0" * 200, **pax))
    try:
        assert open_source(tmp_path / "a.tar").images()
    except LookwhereError as error:
        assert str(error).startswith((f"{tmp_path}/a.tar: the archive is damaged", f"{tmp_path}/a.tar: unfolds to"))
        assert len(str(error).splitlines()) == 1


def overlapping(file: Path, count: int, size: int) -> None:
    """A ZIP whose directory names one member's bytes `count` times."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("00000.jpg", bytes(size))
    data = file.read_bytes()
    end = data.rfind(b"PK\5\6")
    start = struct.unpack("<I", data[end + 16 : end + 20])[0]
    entries = b"".join(data[start:end].replace(b"00000", f"{n:05}".encode()) for n in range(count))
    tail = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, count, count, len(entries), start, 0)
    file.write_bytes(data[:start] + entries + tail)


def test_a_zip_whose_members_lie_over_each_other_is_refused_before_any_is_unpacked(tmp_path: Path) -> None:
    overlapping(tmp_path / "a.zip", 200, 50_000_000)
    began = time.process_time()
    with pytest.raises(LookwhereError, match=r"a\.zip: unfolds to 10\.0 GB and more, and takes 0\.\d MB"):
        open_source(tmp_path / "a.zip")
    assert time.process_time() - began < 5


def test_a_tar_with_a_member_beyond_all_measure_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """Its header alone is told from: to pass over the member all of it would be unfolded."""
    member = tarfile.TarInfo("films/a.mp4")
    member.size = 1 << 44
    head = tar_of()[:1024] + member.tobuf(tarfile.GNU_FORMAT)
    for name, pack in (("a.tar.gz", gzip.compress), ("a.tar.bz2", bz2.compress)):
        (tmp_path / name).write_bytes(pack(head + bytes(1 << 20)))
        with pytest.raises(LookwhereError, match=rf"{name}: unfolds to 17,592\.2 GB and more"):
            open_source(tmp_path / name)


def test_zeros_without_end_after_the_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAXIMUM_PADDING", 3 << 20)
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(tar_of() + bytes(6 << 20)))
    with pytest.raises(LookwhereError, match="over 3 MB of nothing follow after its end"):
        open_source(tmp_path / "a.tar.gz")
    (tmp_path / "b.tar.gz").write_bytes(gzip.compress(tar_of() + bytes(1 << 20)))
    assert open_source(tmp_path / "b.tar.gz").images() == [NAME]
