"""Stores of before are measured as alignment would have, and what was found elsewhere has no measure of the source."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core import __main__ as command
from core.data.measured import FILE, read_measured, write_measured
from core.data.measures import FROM_SOURCE
from core.data.measuring import measure_again, measure_store
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.locks import alone

FEW = 6


@pytest.fixture
def before(real_store: AlignedStore, tmp_path: Path) -> AlignedStore:
    """A store whose images were aligned before anything was measured."""
    shutil.copytree(real_store.path, tmp_path / "store")
    (tmp_path / "store" / FILE).unlink()
    return AlignedStore.open(tmp_path / "store")


def test_squares_are_measured_as_at_alignment(before: AlignedStore, real_store: AlignedStore) -> None:
    measures = measure_store(before).measured
    assert list(measures) == [name for name in real_store.measured if name not in FROM_SOURCE]
    pd.testing.assert_frame_equal(measures, real_store.measured[list(measures)])


def test_faces_are_found_again_and_those_elsewhere_are_counted(
    before: AlignedStore, real_store: AlignedStore, real_folder: Path
) -> None:
    """Of one of six faces the store has other landmarks: as of another crop."""
    store = measure_store(before)
    landmarks = np.load(store.path / "landmarks.npy")
    landmarks[store.faces["row"].iloc[2]] += 5
    store = AlignedStore(store.path, store.images, landmarks, store.faces, store.rejects, store.manifest)
    only = set(store.faces["face_id"][:FEW])
    assert measure_again(store, real_folder, "utkface", only) == 1
    measures, expected = AlignedStore.open(store.path).measured, real_store.measured
    assert list(measures) == list(expected)
    same = [0, 1, 3, 4, 5]
    np.testing.assert_allclose(
        measures.iloc[same][list(FROM_SOURCE)], expected.iloc[same][list(FROM_SOURCE)], atol=0.01
    )
    assert measures.loc[[2], list(FROM_SOURCE)].isna().all(axis=None)
    assert measures.loc[FEW:, list(FROM_SOURCE)].isna().all(axis=None)


def test_what_was_measured_of_other_faces_stays_and_a_second_process_is_told(
    before: AlignedStore, real_store: AlignedStore, real_folder: Path
) -> None:
    """Measured for the faces of one audit and then for those of another, the store has both."""
    store, ids = measure_store(before), list(before.faces["face_id"])
    with alone(store.path, "measuring"), pytest.raises(LookwhereError, match="another process is measuring it now"):
        measure_again(store, real_folder, "utkface", set(ids[:2]))
    measure_again(store, real_folder, "utkface", set(ids[:2]))
    measure_again(store, real_folder, "utkface", set(ids[2:4]))
    measured = AlignedStore.open(store.path).measured[list(FROM_SOURCE)]
    np.testing.assert_allclose(measured.iloc[:4], real_store.measured[list(FROM_SOURCE)].iloc[:4], atol=0.01)
    assert measured.iloc[4:].isna().all(axis=None)


def test_another_data_set_is_refused(before: AlignedStore, tmp_path: Path) -> None:
    with pytest.raises(LookwhereError, match="nothing was measured"):
        measure_again(before, tmp_path)
    second_folder = tmp_path / "other"
    second_folder.mkdir()
    shutil.copy(Path(__file__), second_folder / "20_0_1_20170101000000000.jpg.chip.jpg")
    with pytest.raises(LookwhereError, match="lacks 1 of the store's images"):
        measure_again(measure_store(before), second_folder, "utkface", {before.faces["face_id"].iloc[0]})


def test_the_command_measures_once_and_says_what_it_lacks(
    made_store: AlignedStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """Noise faces whose detector is «none» have no turn of the head either."""
    for _ in range(2):
        assert command.main(["measure", "--data", str(made_store.path)]) == 0
        out = capsys.readouterr().out
        assert f"{made_store.path}: 64 faces measured" in out
        assert "apparent skin tone in the image (degrees of ITA)" in out and "never published by face" in out
        assert "not measured: eye distance in the source image, tilt of the head, turn of the head" in out
    assert command.main(["measure", "--data", str(made_store.path), "--model", "m"]) == 2
    assert "--model and --audit go together" in capsys.readouterr().err


def test_a_measure_changed_since_it_was_written_is_told(before: AlignedStore) -> None:
    """A file of before it kept a digest is read as it is; many of its bytes could be turned over without a word."""
    measure_store(before)
    file, faces = before.path / FILE, before.faces
    intact, expected = pq.read_table(file), read_measured(before.path, faces)
    assert intact.schema.metadata[b"sha256"]
    for column in ("face_id", "image_lightness"):
        place = intact.column_names.index(column)
        values = intact[column].to_pandas().copy()
        values.iloc[[0, 1]] = values.iloc[[1, 0]]
        changed = intact.set_column(place, column, pa.array(values, type=intact.schema.field(column).type))
        pq.write_table(changed, file)
        message = "not of the faces beside it" if column == "face_id" else "changed since it was written"
        with pytest.raises(LookwhereError, match=rf"measured\.parquet: {message}; delete measured\.parquet and run"):
            read_measured(before.path, faces)
    damaged = intact.schema.metadata | {
        b"pandas": intact.schema.metadata[b"pandas"].replace(b"numpy_type", b"numpy_typ\xe5")
    }
    pq.write_table(intact.replace_schema_metadata(damaged), file)
    pd.testing.assert_frame_equal(read_measured(before.path, faces), expected)
    pq.write_table(changed.replace_schema_metadata(None), file)
    assert read_measured(before.path, faces)["image_lightness"].iloc[0] == pytest.approx(values.iloc[0])
    write_measured(before.path, intact.to_pandas())
    pd.testing.assert_frame_equal(read_measured(before.path, faces), expected)
