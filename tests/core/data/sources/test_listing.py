"""What looks like an image is listed or counted; what is too large for the memory is not unpacked."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core import __main__ as command
from core.data.image_kinds import IMAGE_SUFFIXES
from core.data.plan import plan
from core.data.readers import READERS, choose_reader
from core.data.sources import base, open_source
from core.data.sources.base import Source
from core.errors import LookwhereError
from core.present.records.data import reading_record
from tests.helpers.data_set_trees import celeba, fairface, manifest, vggface2
from tests.helpers.datasets_made import jpeg, packed, tree
from tests.helpers.hostile import HEIC, drawn, saved
from tests.helpers.shipped import ROOT

KINDS = ("folder", ".zip", ".tar.gz")


@pytest.mark.parametrize("kind", KINDS)
def test_every_suffix_that_is_decoded_is_listed_in_either_case(tmp_path: Path, kind: str) -> None:
    names = [f"{n}{suffix}" for n, suffix in enumerate(IMAGE_SUFFIXES)]
    names += [f"upper{suffix.upper()}" for suffix in IMAGE_SUFFIXES]
    source = open_source(packed(tree(tmp_path / "set", names), kind))
    assert sorted(name.removeprefix("./") for name in source.images()) == sorted(names)
    assert source.not_read() == {}


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_without_a_suffix_or_with_another_is_known_by_its_content(tmp_path: Path, kind: str) -> None:
    contents = {
        "subject01.happy": saved(drawn(), "GIF"),
        "subject01": saved(drawn(), "PNG"),
        "photo.heic_": HEIC,
        "scan.dat": saved(drawn(), "TIFF"),
        "face.img": saved(drawn(), "PPM"),
    }
    further_files = {
        "notes": "P. Smith",
        "data.bin": b"\0" * 90,
        "empty": b"",
        "clip.mp4": jpeg(),
        "a.psd": b"8BPS" + bytes(9),
    }
    source = open_source(packed(tree(tmp_path / "set", contents | further_files), kind))
    assert sorted(name.removeprefix("./") for name in source.images()) == sorted(contents)
    assert source.not_read() == {"without a suffix": 2, ".bin": 1, ".mp4": 1, ".psd": 1}


def test_hidden_images_are_counted_and_what_a_mac_adds_is_not(tmp_path: Path) -> None:
    names = [".cache/1.jpg", "a/.2.jpg", "a/3.jpg", "a/._3.jpg", "__MACOSX/a/._3.jpg", ".DS_Store", "a/.notes"]
    source = open_source(tree(tmp_path / "set", names))
    assert source.images() == ["a/3.jpg"]
    assert source.not_read() == {"hidden images": 2}


def morph_like(folder: Path) -> Path:
    return tree(folder, ["AA_M/012345_00M19.jpg"])


TREES: dict[str, Callable[[Path], object]] = {
    "celeba": celeba,
    "fairface": fairface,
    "kaggle-gender": lambda folder: tree(folder, ["Training/male/1.jpg", "Validation/female/2.jpg"]),
    "manifest": manifest,
    "morph": morph_like,
    "utkface": lambda folder: tree(folder, ["1_0_0_20170101.jpg", "2_1_0_20170102.jpg"]),
    "utkface-wild": lambda folder: tree(folder, ["part1/1_0_0_20170101.jpg", "part1/2_1_0_20170102.jpg"]),
    "vggface2": vggface2,
}


@pytest.mark.parametrize("name", TREES)
def test_no_reader_passes_an_image_over(tmp_path: Path, name: str) -> None:
    """Whatever an image is called, it is a face, or it is rejected by its name."""
    TREES[name](tmp_path / "set")
    called = open_source(tmp_path / "set").images()[0]
    stem = called.rpartition(".")[0]
    for suffix in (".jfif", ".TIF", "", ".scan"):
        (tmp_path / "set" / called).rename(tmp_path / "set" / f"{stem}{suffix}")
        called = f"{stem}{suffix}"
        source = open_source(tmp_path / "set")
        reading = READERS[name].read(source)
        reported = {*reading.faces["path"], *reading.rejects["file"]}
        assert called in reported
        assert {*source.images()} <= reported


def test_check_and_align_say_what_was_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["1_0_0_20170101.jpg", "2_1_0_20170102.gif"]
    tree(tree(tmp_path / "set", names), {"a.mp4": b"x", "b.mp4": b"x", "read me.txt": b"x", "c.psd": b"8BPS"})
    assert command.main(["datasets", "--check", str(tmp_path / "set")]) == 0
    output = capsys.readouterr().out
    assert "2 labelled faces, 0 rejected" in output
    assert "files not read: 4 (2 .mp4, 1 .psd, 1 .txt)" in output
    source = open_source(tmp_path / "set")
    reader = choose_reader(source)
    record = reading_record(reader.read(source), reader, source)
    assert record["not_read"] == {".mp4": 2, ".psd": 1, ".txt": 1}


def test_a_table_that_was_read_is_not_called_unread(tmp_path: Path) -> None:
    manifest(tmp_path / "set")
    tree(tmp_path / "set", {"other.csv": "a,b\n"})
    source = open_source(tmp_path / "set")
    choose_reader(source).read(source)
    assert source.not_read() == {".csv": 1}


def large_and_small(folder: Path, kind: str, large: int) -> Source:
    """`large.jpg` of zeros, and a small image with a label each."""
    names = {"1_0_0_20170101.jpg": bytes(large), "2_1_0_20170102.jpg": jpeg(40)}
    return open_source(packed(tree(folder / "set", names), kind))


@pytest.mark.parametrize("kind", [*KINDS, "manifest"])
def test_an_image_too_large_for_the_memory_is_rejected_without_unpacking_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(base, "MAXIMUM_IMAGE_BYTES", 2 << 20)
    if kind == "manifest":
        tree(tmp_path / "set", {"manifest.csv": "path,gender\n1_0_0_20170101.jpg,male\n2_1_0_20170102.jpg,female\n"})
        large_and_small(tmp_path, "folder", 3 << 20)
        source = open_source(tmp_path / "set/manifest.csv")
    else:
        source = large_and_small(tmp_path, kind, 3 << 20)
    large = next(name for name in source.images() if "1_0_0" in name)
    assert dict(source.iterate(source.images()))[large] == b""
    assert source.problem(large) == f"{large} (over 2 MB for one image)"
    work = plan(source, choose_reader(source))
    assert len(work.faces) == 1
    assert work.rejects.to_numpy().tolist() == [[large, "over 2 MB for one image"]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_too_large_for_the_memory_is_refused_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(base, "MAXIMUM_TABLE_BYTES", 1 << 20)
    rows = "path,gender\n" + "1.jpg,male\n" * 200_000
    source = open_source(packed(tree(tmp_path / "set", {"manifest.csv": rows, "1.jpg": jpeg()}), kind))
    with pytest.raises(LookwhereError, match=r"manifest\.csv unpacks to 0\.0 GB, and tables of up to 0\.0 GB are read"):
        choose_reader(source).read(source)


def test_a_header_of_a_tar_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("path")
    entry.type, entry.size = tarfile.XHDTYPE, 4 << 20
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("empty"))
        archive.addfile(entry, io.BytesIO(bytes(4 << 20)))
    with pytest.raises(LookwhereError, match=r"a\.tar: the archive is damaged .*a header of 4 MB"):
        open_source(tmp_path / "a.tar")


def test_an_image_in_a_parquet_too_large_for_the_memory_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MAXIMUM_IMAGE_BYTES", 2 << 20)
    images = [bytes(3 << 20), jpeg(40)]
    pq.write_table(pa.table({"image": images, "gender": ["male", "female"]}), tmp_path / "a.parquet")
    source = open_source(tmp_path / "a.parquet")
    work = plan(source, choose_reader(source))
    assert work.rejects.to_numpy().tolist() == [["a.parquet/0", "over 2 MB for one image"]]


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="peak memory is read from /proc")
def test_memory_stays_bounded_whatever_a_small_archive_holds(tmp_path: Path) -> None:
    """An image of 320 MB in a ZIP of 1.4 MB: listed, planned and rejected with a fraction of the memory it takes."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("2_1_0_20170102.jpg", jpeg(40))
        with archive.open("1_0_0_20170101.jpg", "w") as file:
            for _ in range(320):
                file.write(bytes(1 << 20))
    code = (
        "import sys\nfrom core.data.plan import plan\nfrom core.data.readers import choose_reader\n"
        "from core.data.sources import open_source\n"
        "def peak(): return int(next(l for l in open('/proc/self/status') if l.startswith('VmHWM')).split()[1])\n"
        "before, source = peak(), open_source(sys.argv[1])\nwork = plan(source, choose_reader(source))\n"
        "assert (len(work.faces), len(work.rejects)) == (1, 1)\nprint(peak() - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "a.zip"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) / 1024 < 200


def test_what_labels_name_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    source = open_source(tree(tmp_path, {".1.jpg": "", "2.bin": "", "3.bin": "", "4.jpg": ""}))
    assert source.not_read() == {".bin": 2, "hidden images": 1}
    assert source.not_read([".1.jpg", "2.bin"]) == {".bin": 1}


@pytest.mark.parametrize("of", ["store.json", "unfinished.json"])
def test_a_store_inside_the_data_set_is_no_part_of_it(tmp_path: Path, of: str) -> None:
    tree(tmp_path, ["female/1.jpg", "male/2.jpg"])
    before = open_source(tmp_path).fingerprint()
    tree(tmp_path, {f"aligned/mine/{of}": "{}", "aligned/mine/faces.npy": "", "aligned/mine/look.png": ""})
    tree(tmp_path, {"aligned/.mine.lock": ""})
    source = open_source(tmp_path)
    assert source.fingerprint() == before
    assert source.images() == ["female/1.jpg", "male/2.jpg"]
    assert source.not_read() == {"aligned stores": 1}
    tree(tmp_path, {"other/faces.npy": ""})  # an array of somebody else's
    assert "other/faces.npy" in open_source(tmp_path).names
