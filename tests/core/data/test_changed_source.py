"""A data set, a table or a store that changes while it is read is told by name, and nothing is kept of it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.classifiers import imported
from core.classifiers.imported import declare, import_model
from core.data import build_store as building
from core.data.store import AlignedStore
from core.errors import LookwhereError
from tests.helpers.made_store import make_store, store_of


def pictures(folder: Path) -> Path:
    draw = np.random.default_rng(0)
    folder.mkdir()
    for n in range(6):
        image = Image.fromarray(draw.integers(0, 255, (112, 112, 3), dtype=np.uint8))
        image.save(folder / f"{30 + n}_{n % 2}_0_2017010100000000{n}.png")
    return folder


@pytest.mark.parametrize("gone", [False, True])
def test_an_image_that_changes_after_it_was_planned_is_told(
    gone: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pictures(tmp_path / "pics")
    file, reserve = sorted(folder.iterdir())[3], building.reserve
    good = file.read_bytes()

    def change(path: Path, count: int) -> None:
        reserve(path, count)
        file.unlink() if gone else file.write_bytes(good[:-20] + bytes(20))

    monkeypatch.setattr(building, "reserve", change)
    with pytest.raises(LookwhereError, match=r"33_1_0_20170101000000003\.png"):
        store_of(folder, tmp_path / "store")
    assert not (tmp_path / "store/store.json").exists()
    monkeypatch.setattr(building, "reserve", reserve)
    file.write_bytes(good)
    store = store_of(folder, tmp_path / "store")
    whole = store_of(folder, tmp_path / "whole")
    assert isinstance(store, AlignedStore)
    np.testing.assert_array_equal(store.images, whole.images)


def test_a_table_that_changes_while_it_is_imported_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, hashed = tmp_path / "s.csv", imported.sha256
    file.write_text("file,score\na.jpg,0.2\nb.jpg,0.8\n")

    def change(path: Path) -> str:
        digest = hashed(path)
        if path == file:
            file.write_text("file,score\na.jpg,0.8\nb.jpg,0.2\n")
        return digest

    monkeypatch.setattr(imported, "sha256", change)
    with pytest.raises(LookwhereError, match=r"s\.csv: changed while it was read"):
        import_model(file, "it", declare(None, score="probability", of="male"), models=tmp_path / "models")
    assert not list((tmp_path / "models").iterdir())


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("name", ["faces.npy", "landmarks.npy"])
def test_a_store_written_over_where_it_lies_is_told_before_anything_is_kept(
    name: str, recorded: bool, tmp_path: Path
) -> None:
    """A new time of change alone is nothing, where the file's hash is known; neither is another file in its place."""
    store = store_of(pictures(tmp_path / "pics"), tmp_path / "s") if recorded else make_store(tmp_path / "s")
    store.check_unchanged()
    file = store.path / name
    good = file.read_bytes()
    if recorded:
        os.utime(file, ns=(1, 1))
        store.check_unchanged()
    with file.open("r+b") as stream:
        stream.seek(-4, os.SEEK_END)
        stream.write(b"over")
    with pytest.raises(LookwhereError, match=rf"s/{name}: changed while it was read; align again"):
        store.check_unchanged()
    file.rename(file.with_name("aside"))
    store.check_unchanged()
    file.write_bytes(good)
    store.check_unchanged()


def test_a_store_inside_the_data_sets_folder_is_found_again(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "pics")
    first = store_of(folder, folder / "aligned/mine")
    again = store_of(folder, folder / "aligned/mine")
    np.testing.assert_array_equal(first.images, again.images)
    with pytest.raises(
        LookwhereError, match="pics: is the folder of the data set itself; choose another one with --out"
    ):
        store_of(folder, folder)
    assert not (folder / "store.json").exists()
