"""Files that hold images and are not opened here: what they are, and the way out, in one line."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from core.data.readers import choose_reader
from core.data.sources import open_source
from core.errors import LookwhereError
from tests.helpers.datasets_made import tree

KINDS = {
    "faces.7z": "unpack it",
    "faces.rar": "unpack it",
    "faces.tar.lz4": "unpack it",
    "faces.zip.001": "join the parts",
    "faces.7z.002": "join the parts",
    "faces.z01": "join the parts",
    "faces.part1.rar": "join the parts",
    "faces.tar.gz.partaa": "join the parts",
    "data-00000-of-00001.arrow": "to_parquet",
    "train.tfrecord-00000-of-00010": "TensorFlow's records",
    "train-00000-of-00001.tfrecord": "TensorFlow's records",
    "data.mdb": "an LMDB",
    "faces.npz": "arrays of numbers",
    "imdb.mat": "arrays of numbers",
    "faces.mp4": "a video",
}


@pytest.mark.parametrize("name", KINDS)
def test_a_folder_of_them_is_told_with_the_way_out(tmp_path: Path, name: str) -> None:
    tree(tmp_path, {f"inside/{name}": b"\1" * 100, "README.md": "faces", "state.json": "{}"})
    with pytest.raises(LookwhereError, match=rf"no image in it, but inside/{name}, .*{KINDS[name]}") as caught:
        choose_reader(open_source(tmp_path))
    assert "\n" not in str(caught.value) and "no reader knows" not in str(caught.value)


@pytest.mark.parametrize("name", [name for name in KINDS if "unpack" not in KINDS[name]])
def test_one_given_itself_is_told_alike(tmp_path: Path, name: str) -> None:
    tree(tmp_path, {name: b"\1" * 100})
    with pytest.raises(LookwhereError, match=rf"{name}: .*{KINDS[name]}"):
        open_source(tmp_path / name)


def test_beside_images_they_say_nothing(tmp_path: Path) -> None:
    tree(tmp_path, {"female/1.jpg": "", "male/2.jpg": "", "faces.npz": "", "more.7z": ""})
    assert choose_reader(open_source(tmp_path)).name == "class-folders"


def test_archives_joined_in_one_file_lose_nothing_in_silence(tmp_path: Path) -> None:
    joined = b""
    for n in (1, 2):
        tree(tmp_path, [f"female/{n}.jpg"])
        with tarfile.open(tmp_path / f"{n}.tar", "w") as archive:
            archive.add(tmp_path / f"female/{n}.jpg", f"female/{n}.jpg")
        joined += (tmp_path / f"{n}.tar").read_bytes()
    (tmp_path / "both.tar").write_bytes(joined)
    with pytest.raises(LookwhereError, match=r"more follows after its end, as where archives were joined .*unpack it"):
        open_source(tmp_path / "both.tar")
