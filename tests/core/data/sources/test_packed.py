"""Archives in folders and in archives are read as if they were unpacked; what is not read is refused in a line."""

from __future__ import annotations

import io
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data.readers import choose_reader
from core.data.sources import open_source, packed
from core.data.sources.tables import ParquetSource
from core.errors import LookwhereError
from tests.helpers.data_set_trees import celeba
from tests.helpers.datasets_made import jpeg, tree

FILES = {"faces/1.jpg": jpeg(8, 1), "faces/sub/2.jpg": jpeg(8, 2)}


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def zstandard(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


def written(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("set/faces.zip", zipped(FILES)),
        ("set/faces.tar.gz", tarred(FILES)),
        ("set.zip", zipped({"faces.tar.gz": tarred(FILES)})),
        ("set.tar", tarred({"deep/faces.zip": zipped(FILES)}, "w")),
        ("set.tar.bz2", tarred({"a.zip": zipped({"b.tar.xz": tarred(FILES, "w:xz")})}, "w:bz2")),
        ("set.tar.zst", zstandard(tarred(FILES, "w"))),
        ("no-suffix", zipped(FILES)),
        ("a.download", tarred(FILES)),
    ],
)
def test_archives_are_opened_wherever_they_lie(tmp_path: Path, name: str, data: bytes) -> None:
    path = written(tmp_path / name, data)
    source = open_source(path.parent if name.startswith("set/") else path)
    read = dict(source.iterate(source.names))
    assert {name.removeprefix("deep/"): data for name, data in read.items()} == FILES
    assert [name for name, _ in source.iterate(source.names)] == source.names == source.images()
    assert source.head(source.names[1]) == source.read(source.names[1]) == FILES["faces/sub/2.jpg"]
    assert source.not_read() == {}
    with pytest.raises(KeyError):
        source.read("faces/3.jpg")


def test_archives_beside_each_other_are_unpacked_beside_each_other(tmp_path: Path) -> None:
    """An archive of one folder gives it, any other a folder of its own name, as desktops do."""
    tree(
        tmp_path / "set",
        {
            "labels.csv": "a,b\n",
            "one.zip": zipped({"one/1.jpg": jpeg(8, 1)}),
            "two.tar.gz": tarred({"1.jpg": jpeg(8, 2), "2.jpg": jpeg(8, 3)}),
            "more/three.zip": zipped({"x/1.jpg": jpeg(8, 4)}),
        },
    )
    source = open_source(tmp_path / "set")
    greys = {"more/x/1.jpg": 4, "one/1.jpg": 1, "two/1.jpg": 2, "two/2.jpg": 3}
    assert dict(source.iterate(source.images())) == {name: jpeg(8, grey) for name, grey in greys.items()}
    assert source.not_read() == {".csv": 1}
    tree(tmp_path / "unpacked", {"labels.csv": "a,b\n"} | dict(source.iterate(source.images())))
    assert source.fingerprint() == open_source(tmp_path / "unpacked").fingerprint()


def test_where_images_lie_unpacked_archives_beside_them_are_counted_and_not_read_twice(tmp_path: Path) -> None:
    tree(tmp_path / "set", {"faces/1.jpg": jpeg(), "faces.zip": zipped(FILES)})
    source = open_source(tmp_path / "set")
    assert source.names == ["faces/1.jpg", "faces.zip"]
    assert source.not_read() == {".zip": 1}


def test_celebas_images_are_read_out_of_their_zip(tmp_path: Path) -> None:
    celeba(tmp_path / "set")
    images = {str(file.relative_to(tmp_path / "set")): file for file in (tmp_path / "set").rglob("*.jpg")}
    written(tmp_path / "set/img_align_celeba.zip", zipped({name: file.read_bytes() for name, file in images.items()}))
    unpacked = choose_reader(open_source(tmp_path / "set")).read(open_source(tmp_path / "set"))
    for file in images.values():
        file.unlink()
    source = open_source(tmp_path / "set")
    assert choose_reader(source).read(source).faces.equals(unpacked.faces)


def test_a_manifest_and_its_images_may_be_packed_together_and_again(tmp_path: Path) -> None:
    files = {"manifest.csv": b"path,gender\n1.jpg,female\n", "1.jpg": jpeg()}
    path = written(tmp_path / "set.zip", zipped({"inner.tar": tarred(files, "w")}))
    source = open_source(path)
    assert choose_reader(source).read(source).faces["path"].tolist() == ["1.jpg"]


def shard(grey: int) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"image": [jpeg(8, grey)], "gender": ["male"]}), out)
    return out.getvalue()


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_parquet_files_with_images_may_be_packed(tmp_path: Path, pack) -> None:
    files = {f"data/train-0000{n}-of-00002.parquet": shard(n) for n in range(2)}
    path = written(tmp_path / ("set.zip" if pack is zipped else "set.tar.gz"), pack(files))
    source = open_source(path)
    assert isinstance(source, ParquetSource)
    reading = choose_reader(source).read(source)
    assert reading.faces["split"].tolist() == ["train", "train"]
    assert [data for _, data in source.iterate(source.names)] == [jpeg(8, 0), jpeg(8, 1)]


def test_what_was_taken_out_of_an_archive_goes_with_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    path = written(tmp_path / "set.zip", zipped({"faces.tar.gz": tarred(FILES)}))
    source = open_source(path)
    assert list((tmp_path / "temporary").iterdir())
    del source
    assert list((tmp_path / "temporary").iterdir()) == []


def test_an_archive_too_large_for_the_disk_is_not_taken_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "set.zip", zipped({"faces.tar.gz": tarred(FILES)}))
    monkeypatch.setattr(packed, "SPARE_BYTES", 1 << 60)
    with pytest.raises(LookwhereError, match=r"set\.zip: faces\.tar\.gz in it unpacks to .* unpack it and give"):
        open_source(path)


def test_archives_in_archives_without_end_are_followed_three_deep(tmp_path: Path) -> None:
    data = zipped(FILES)
    for _ in range(6):
        data = zipped({"again.zip": data})
    source = open_source(written(tmp_path / "set.zip", data))
    assert source.images() == []
    assert source.not_read() == {".zip": 1}


@pytest.mark.parametrize(
    ("name", "begins", "message"),
    [("a.7z", b"7z\xbc\xaf\x27\x1c", "a 7z archive"), ("a.rar", b"Rar!\x1a\x07", "a RAR archive"), ("a.dat", b"?", "")],
)
def test_an_archive_of_another_kind_is_refused_with_the_mend(
    tmp_path: Path, name: str, begins: bytes, message: str
) -> None:
    path = written(tmp_path / name, begins + bytes(99))
    with pytest.raises(LookwhereError, match=f"{name}: neither a folder nor .*{message}; unpack it") as error:
        open_source(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_zstandard_tar_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    files = {f"{n}.jpg": bytes((n * k) % 251 for k in range(9_000)) for n in range(60)}
    whole = zstandard(tarred(files, "w"))
    source = open_source(written(tmp_path / "whole.tar.zst", whole))
    assert dict(source.iterate(source.names)) == files
    with pytest.raises(LookwhereError, match="damaged or cut short"):
        open_source(written(tmp_path / "cut.tar.zst", whole[: int(len(whole) * share)]))


def test_a_zip_in_a_method_that_is_unknown_here_or_with_a_password_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped({"1.jpg": jpeg(), "note": b"?"}))
    for at in (data.index(b"PK\x03\x04") + 6, data.index(b"PK\x01\x02") + 8):
        data[at] |= 1
    source = open_source(written(tmp_path / "locked.zip", bytes(data)))
    with pytest.raises(LookwhereError, match=r"locked\.zip: .*password.*; unpack it and give the folder"):
        source.read("1.jpg")


def test_gnu_tars_with_long_names_are_read(tmp_path: Path) -> None:
    tree(tmp_path / "set", {f"faces/{'x' * 200}/ü.jpg": jpeg(), "faces/empty.txt": b""})
    for form in ("gnu", "pax", "oldgnu"):
        subprocess.run(["tar", f"--format={form}", "-cf", tmp_path / f"{form}.tar", "-C", tmp_path, "set"], check=True)
        source = open_source(tmp_path / f"{form}.tar")
        assert dict(source.iterate(source.images())) == {f"set/faces/{'x' * 200}/ü.jpg": jpeg()}
