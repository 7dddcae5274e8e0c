"""Alignment by several processes that meet by gloo, one of them killed: the store that one process makes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data import align_batch, align_shards, alignment
from core.data.store import AlignedStore
from core.ranks import Ranks
from tests.helpers.made_store import store_of
from tests.helpers.processes import REFUSED, in_processes

IMAGES, SHARD, BATCH = 50, 4, 2


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of noise images: two are equal, one cannot be read."""
    monkeypatch.setattr(align_shards, "SHARD", SHARD)
    monkeypatch.setattr(align_shards, "HASHED", 8)
    for module in (align_batch, align_shards):
        monkeypatch.setattr(module, "BATCH", BATCH)
    draw, folder = np.random.default_rng(0), tmp_path / "data"
    folder.mkdir()
    lines = ["path,gender,ethnicity,age"]
    for n in range(IMAGES):
        Image.fromarray(draw.integers(0, 255, (24, 24, 3), dtype=np.uint8)).save(folder / f"{n:03}.png")
        lines.append(f"{n:03}.png,{('female', 'male')[n % 2]},White,{20 + n % 3}")
    (folder / "007.png").write_bytes((folder / "004.png").read_bytes())
    (folder / "009.png").write_bytes(b"no image")
    (folder / "faces.csv").write_text("\n".join(lines) + "\n")
    return folder


def aligned(data: Path, store: Path, killed: tuple[int, int] | None = None) -> object:
    """Work for `in_processes`: aligns, and writes how many images this process aligned; `killed` is (rank, images)."""

    def work(ranks: Ranks) -> None:
        seen, whole = 0, alignment.Resizer.align

        def align(self: alignment.Resizer, images: list) -> alignment.Alignment:
            nonlocal seen
            seen += len(images)
            if killed and ranks.rank == killed[0] and seen > killed[1]:
                os.kill(os.getpid(), signal.SIGKILL)
            return whole(self, images)

        alignment.Resizer.align = align  # this process ends with the work
        store_of(data, store)
        (store.parent / f"seen-{ranks.rank}").write_text(str(seen))

    return work


def seen_by(folder: Path) -> list[int]:
    return [int(file.read_text()) for file in sorted(folder.glob("seen-*"))]


def assert_same(store_path: Path, expected_path: Path) -> None:
    """The same files, byte by byte."""
    assert sorted(file.name for file in store_path.iterdir()) == sorted(file.name for file in expected_path.iterdir())
    for file in store_path.iterdir():
        assert file.read_bytes() == (expected_path / file.name).read_bytes(), file.name


@pytest.mark.parametrize("world", [2, 4])
def test_processes_make_the_store_that_one_makes(data: Path, tmp_path: Path, world: int) -> None:
    store_of(data, tmp_path / "alone")
    assert in_processes(world, aligned(data, tmp_path / "store")) == [0] * world
    store = AlignedStore.open(tmp_path / "store")
    aligned_counts = seen_by(tmp_path)
    assert len(store.faces) <= sum(aligned_counts) <= IMAGES - 1
    assert max(aligned_counts) - min(aligned_counts) <= SHARD
    assert_same(tmp_path / "store", tmp_path / "alone")


def test_of_a_killed_process_its_shard_alone_is_done_again(data: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    codes = in_processes(4, aligned(data, store, killed=(1, SHARD + 1)))
    assert (codes[1], set(codes)) == (-signal.SIGKILL, {-signal.SIGKILL, REFUSED})
    assert not (store / "store.json").exists()
    there = {int(file.stem[-5:]) for file in store.glob("aligned-*.npz")}
    missing = set(range(12)) - there
    assert missing == {5, 9}  # it was killed within its second of three
    assert in_processes(4, aligned(data, store)) == [0] * 4
    # What is left is shared out anew.
    assert sum(seen_by(tmp_path)) == 2 * SHARD
    store_of(data, tmp_path / "alone")
    assert_same(store, tmp_path / "alone")


def test_one_process_goes_on_with_what_four_left_and_the_reverse(data: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    in_processes(4, aligned(data, store, killed=(1, 1)))
    shard = sorted(store.glob("aligned-*.npz"))[0]
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(bytes(content))
    assert in_processes(1, aligned(data, store)) == [0]
    assert seen_by(tmp_path) == [4 * SHARD]  # three shards of the killed one, and that with another bit
    store_of(data, tmp_path / "alone")
    assert_same(store, tmp_path / "alone")
