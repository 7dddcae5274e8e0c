"""The aligned store: built whole, resumed, never rebuilt, and refused where it is not what it says."""

from __future__ import annotations

import errno
import json
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from core.data import build_store as store_building
from core.data.build_store import build_store
from core.data.file_array import FileArray
from core.data.measured import FILE as MEASURED
from core.data.readers import READERS
from core.data.sources import open_source
from core.data.splits import assign_splits
from core.data.store import FILES, AlignedStore, average_face
from core.data.store_info import BorderInfo, DecidedBy
from core.errors import LookwhereError
from core.json_record import sealed

FEW = 20


def build(folder: Path, path: Path, **options: object) -> AlignedStore:
    """In batches of eight, so that twenty faces are three of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_building, "BATCH", 8)
        return build_store(open_source(folder), READERS["utkface"], path, **options)


def files(path: Path) -> set[str]:
    return {file.name for file in path.iterdir()}


def assert_same(store: AlignedStore, expected: AlignedStore) -> None:
    np.testing.assert_array_equal(store.images, expected.images)
    pd.testing.assert_frame_equal(store.faces, expected.faces)
    pd.testing.assert_frame_equal(store.rejects, expected.rejects)
    pd.testing.assert_frame_equal(store.measured, expected.measured)
    assert store.measured.notna().any().all()
    assert store.manifest == expected.manifest


class Progress:
    """Counts the ticks of each stage, and interrupts at a given one."""

    def __init__(self, stage: str = "", at: int = 0) -> None:
        self.stop, self.totals, self.ticks = (stage, at), {}, Counter()

    def __call__(self, stage: str, total: int) -> Callable[[], None]:
        self.totals[stage] = total

        def tick() -> None:
            self.ticks[stage] += 1
            if self.stop == (stage, self.ticks[stage]):
                raise KeyboardInterrupt

        return tick


@pytest.fixture(scope="module")
def few(real_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty of the real chips."""
    folder = tmp_path_factory.mktemp("few")
    for file in sorted(real_folder.iterdir())[:: 120 // FEW][:FEW]:
        shutil.copy(file, folder)
    return folder


@pytest.fixture(scope="module")
def whole(few: Path, tmp_path_factory: pytest.TempPathFactory) -> AlignedStore:
    """The twenty, aligned in one go."""
    return build(few, tmp_path_factory.mktemp("whole") / "store")


def test_a_store_of_real_faces_is_complete(real_store: AlignedStore, real_folder: Path) -> None:
    faces, manifest = real_store.faces, real_store.manifest
    assert files(real_store.path) == {*FILES, MEASURED, "store.json"}
    assert manifest.read == 120 == len(faces) + len(real_store.rejects)
    assert manifest.faces == len(faces) >= 110
    assert (manifest.dataset, manifest.template) == ("utkface", "arcface-112")
    smallest = manifest.border.smallest
    assert 40 < smallest < 75
    assert manifest.border == BorderInfo(percent=30, decided=DecidedBy.READER, median_side=200, smallest=smallest)
    assert manifest.source_fingerprint == open_source(real_folder).fingerprint()
    assert sum(manifest.rejects.values()) == len(real_store.rejects)

    assert real_store.images.dtype == np.uint8
    assert isinstance(real_store.images, FileArray)
    assert faces["row"].is_unique
    assert set(faces["path"]) <= files(real_folder)
    assert all(real_store.images[row].std() > 10 for row in faces["row"])
    assert set(faces["split"]) == {"train", "val", "test"}


def test_a_row_shows_the_face_its_path_names(real_store: AlignedStore, real_folder: Path) -> None:
    """The middle of a chip and of its aligned face have about the same colour; a wrong row would not correlate."""
    chips = [np.asarray(Image.open(real_folder / path)) for path in real_store.faces["path"]]
    middle = np.stack(chips)[:, 60:140, 60:140].mean(axis=(1, 2))
    brightness = real_store.images[real_store.faces["row"]][:, 30:90, 30:90].mean(axis=(1, 2))
    assert np.corrcoef(middle.ravel(), brightness.ravel())[0, 1] > 0.95


def test_a_finished_store_is_not_rebuilt(real_store: AlignedStore, real_folder: Path, tmp_path: Path) -> None:
    """Neither from the folder it was made of nor from a zip of the same pictures."""
    with zipfile.ZipFile(tmp_path / "same.zip", "w") as archive:
        for file in real_folder.iterdir():
            archive.write(file, file.name)
    before = {file: file.stat().st_mtime_ns for file in real_store.path.iterdir()}
    for leftover in ("unfinished.json", "state.partial.npy"):  # by a process that was killed at its very end
        (real_store.path / leftover).write_bytes(b"")
    for source in (real_folder, tmp_path / "same.zip"):
        progress = Progress()
        assert_same(build(source, real_store.path, progress=progress), real_store)
        assert progress.totals == {}
    assert {file: file.stat().st_mtime_ns for file in real_store.path.iterdir()} == before
    assert_same(AlignedStore.open(str(real_store.path)), real_store)


def test_the_seed_is_the_splits(whole: AlignedStore, few: Path, tmp_path: Path) -> None:
    second_store = build(few, tmp_path / "store", seed=1)
    np.testing.assert_array_equal(second_store.images, whole.images)
    assert second_store.faces["split"].equals(assign_splits(second_store.faces, 1))
    assert not second_store.faces["split"].equals(whole.faces["split"])


@pytest.mark.parametrize(("stage", "at"), [("reading", 5), ("aligning", 1), ("aligning", 11), ("aligning", FEW)])
def test_an_interrupted_build_resumes_to_the_same_store(
    whole: AlignedStore, few: Path, tmp_path: Path, stage: str, at: int
) -> None:
    with pytest.raises(KeyboardInterrupt):
        build(few, tmp_path, progress=Progress(stage, at))
    assert "store.json" not in files(tmp_path)
    with pytest.raises(LookwhereError, match="no finished store here"):
        AlignedStore.open(tmp_path)

    progress = Progress()
    resumed = build(few, tmp_path, progress=progress)
    assert progress.ticks == progress.totals == {"reading": FEW, "aligning": FEW, "measuring": FEW}
    assert files(tmp_path) == {*FILES, MEASURED, "store.json"}
    assert_same(resumed, whole)


def test_a_resumed_build_leaves_what_was_aligned_alone(few: Path, tmp_path: Path) -> None:
    """Eleven ticks are two batches of eight: sixteen faces, marked here, are still marked after the resume."""
    with pytest.raises(KeyboardInterrupt):
        build(few, tmp_path, progress=Progress("aligning", 11))
    images = np.load(tmp_path / "faces.npy", mmap_mode="r+")
    done = np.flatnonzero(np.load(tmp_path / "state.partial.npy"))
    assert len(done) == 16
    images[done, 0, 0] = (1, 2, 3)
    images.flush()
    marked = (build(few, tmp_path).images[:, 0, 0] == (1, 2, 3)).all(axis=1)
    assert np.flatnonzero(marked).tolist() == done.tolist()


def test_a_folder_of_another_store_is_refused(whole: AlignedStore, few: Path, tmp_path: Path) -> None:
    fewer = Path(shutil.copytree(few, tmp_path / "fewer"))
    next(fewer.iterdir()).unlink()
    with pytest.raises(LookwhereError, match=r"another data set or setting .names or sizes of.*--out"):
        build(fewer, whole.path)
    with pytest.raises(LookwhereError, match=r"another data set or setting .seed is 0, not 1"):
        build(few, whole.path, seed=1)

    with pytest.raises(KeyboardInterrupt):
        build(few, tmp_path, progress=Progress("aligning", 1))
    with pytest.raises(LookwhereError, match="seed is 0, not 7"):
        build(few, tmp_path, seed=7)


def test_a_full_disk_is_told_before_a_byte(few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=FEW * 112 * 112 * 3 - 1))
    with pytest.raises(LookwhereError, match=r"0\.0 GB needed, 0\.0 GB free; choose another disk"):
        build(few, tmp_path)
    assert files(tmp_path) == set()


def test_a_disk_full_since_is_told_on_resuming(few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`faces.npy` is sparse: its size says nothing of the room that the faces to come will need."""
    with pytest.raises(KeyboardInterrupt):
        build(few, tmp_path, progress=Progress("aligning", 1))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=100_000))
    with pytest.raises(LookwhereError, match="choose another disk"):
        build(few, tmp_path)
    assert "store.json" not in files(tmp_path)


def test_a_write_that_fails_leaves_a_build_to_resume(
    whole: AlignedStore, few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pq, "write_table", full)
        with pytest.raises(LookwhereError, match=r"cannot write .No space left on device.*it resumes"):
            build(few, tmp_path)
    assert not files(tmp_path) & {"store.json", "faces.parquet", "faces.parquet.partial"}
    assert_same(build(few, tmp_path), whole)


def outdate(path: Path) -> None:
    manifest = json.loads((path / "store.json").read_text())
    (path / "store.json").write_text(json.dumps(manifest | {"format": 0}))


def tamper(path: Path) -> None:
    table = pd.read_parquet(path / "faces.parquet")
    table.loc[3, "ethnicity"] = "Indian"
    table.to_parquet(path / "faces.parquet")


def miscount(path: Path) -> None:
    manifest = json.loads((path / "store.json").read_text())
    (path / "store.json").write_text(json.dumps(sealed(manifest | {"faces": 7})))


def cut(name: str) -> Callable[[Path], None]:
    return lambda path: (path / name).write_bytes((path / name).read_bytes()[:-200])


def images_of(*shape: int) -> Callable[[Path], None]:
    return lambda path: np.save(path / "faces.npy", np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (outdate, r"store\.json: format 0, this version reads 3; delete the folder"),
        (miscount, r"store\.json: counts 7 faces, and faces\.parquet has 64; align again"),
        (tamper, r"faces\.parquet: changed since it was written"),
        (cut("faces.npy"), "damaged"),
        (cut("faces.parquet"), "damaged"),
        (cut("store.json"), r"store\.json: not valid JSON .*; delete the folder and align again"),
        (lambda path: (path / "rejects.parquet").unlink(), "damaged .*rejects"),
        (images_of(64, 56, 56, 3), r"faces\.npy: shape .64, 56"),
        (images_of(63, 112, 112, 3), r"faces\.npy: shape .63, 112"),
        (lambda path: (path / "store.json").unlink(), "no finished store here; make it with"),
    ],
)
def test_a_store_that_is_not_as_written_is_refused(made_store: AlignedStore, damage: Callable, reason: str) -> None:
    damage(made_store.path)
    with pytest.raises(LookwhereError, match=reason) as caught:
        AlignedStore.open(made_store.path)
    assert str(caught.value).startswith(str(made_store.path))


def test_split_gives_the_faces_of_the_named_splits(made_store: AlignedStore) -> None:
    assert made_store.split("val", "test")["split"].value_counts().to_dict() == {"val": 16, "test": 12}
    assert made_store.split("val").index.tolist() == list(range(16))
    with pytest.raises(LookwhereError, match="no face in split holdout"):
        made_store.split("holdout")


def test_average_face_is_the_mean_of_the_given_rows(made_store: AlignedStore) -> None:
    women = made_store.faces[made_store.faces["gender"] == "female"]
    mean = made_store.images[::2].astype(float).mean(axis=0)
    np.testing.assert_allclose(np.asarray(average_face(made_store, women)), mean, atol=0.5)
