"""A store goes with its columns: what was asked for otherwise is told, and older stores open as before."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data import build_store as store_building
from core.data.own_columns import ColumnChoice
from core.data.store import AlignedStore
from core.data.ties import OtherStoreError
from core.errors import LookwhereError
from core.present.text.tables import store_report
from tests.helpers import data_set_trees as trees
from tests.helpers.datasets_made import jpeg
from tests.helpers.former import write_former
from tests.helpers.made_store import mend_in_place, store_of

COLUMNS_SET = "path,gender,glasses,skin\n" + "".join(
    f"{n}.jpg,{'fm'[n % 2]},{('yes', 'no')[n // 2 % 2]},{('I', 'II', 'III')[n % 3]}\n" for n in range(12)
)


@pytest.fixture
def columned(tmp_path: Path) -> Path:
    return trees.manifest(tmp_path / "set", COLUMNS_SET, pictures=[f"{n}.jpg" for n in range(12)])


def test_columns_come_back_from_a_store_in_order(columned: Path, tmp_path: Path) -> None:
    store = store_of(columned, tmp_path / "store")
    again = AlignedStore.open(tmp_path / "store")
    assert [(column.name, column.levels) for column in again.columns] == [
        ("glasses", ("no", "yes")), ("skin", ("I", "II", "III")),
    ]  # fmt: skip
    pd.testing.assert_frame_equal(again.faces, store.faces)
    by_id = again.faces.set_index("face_id")
    assert by_id.loc["4.jpg", ["glasses", "skin"]].tolist() == ["yes", "II"]
    assert "columns to group by: 2" in store_report(again)


def test_columns_asked_for_otherwise_are_told(columned: Path, tmp_path: Path) -> None:
    store_of(columned, tmp_path / "store", columns=ColumnChoice.from_words(["glasses", "skin=skin_tone"]))
    assert len(store_of(columned, tmp_path / "store").columns) == 2, "nobody asked for others"
    for choice, message in (
        (["glasses"], "columns are glasses, skin_tone, not glasses"),
        (["none"], "columns are glasses, skin_tone, not none"),
        (["glasses", "skin=skin_tone", "levels.yaml"], "column skin_tone had other levels"),
        (["glasses", "skin=skin_tone", "values.yaml"], "some faces have other levels now"),
    ):
        (tmp_path / "levels.yaml").write_text("skin: {levels: [III, II, I]}")
        (tmp_path / "values.yaml").write_text("glasses: {values: {'yes': 'no', 'no': 'yes'}}")
        words = [str(tmp_path / word) if word.endswith("yaml") else word for word in choice]
        with pytest.raises(OtherStoreError, match=message):
            store_of(columned, tmp_path / "store", columns=ColumnChoice.from_words(words))


def test_a_column_mended_in_place_is_told_by_its_file(columned: Path, tmp_path: Path) -> None:
    store_of(columned, tmp_path / "store")
    mend_in_place(columned / "manifest.csv", "0.jpg,f,yes,I", "0.jpg,f,yes,V")
    with pytest.raises(OtherStoreError, match=r"label file manifest\.csv has changed since"):
        store_of(columned, tmp_path / "store")


def test_a_store_of_before_columns_were_kept_opens_as_before(columned: Path, tmp_path: Path) -> None:
    """One of labels inside a Parquet, whose further columns were not read then."""
    (tmp_path / "hub").mkdir()
    table = {"image": [jpeg(8, n) for n in range(4)], "gender": list("fmfm"), "glasses": ["yes", "no", "no", "yes"]}
    pq.write_table(pa.table(table), tmp_path / "hub/faces.parquet")
    for data, name in ((tmp_path / "hub", "hub store"), (columned, "own store")):
        store_of(data, tmp_path / name)
        file = tmp_path / name / "store.json"
        content = json.loads(file.read_text())
        content["label_files"] = {key: value for key, value in content["label_files"].items() if "further" not in key}
        write_former(file, {key: value for key, value in content.items() if not key.startswith("columns")})
        store = store_of(data, tmp_path / name)
        assert store.columns == () and "columns to group by" not in store_report(store)
        with pytest.raises(OtherStoreError, match="an earlier version, which kept no columns"):
            store_of(data, tmp_path / name, columns=ColumnChoice.from_words(["glasses"]))


def test_work_begun_with_other_columns_is_not_gone_on_with(
    columned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_building, "write_parquet", _stops)
    with pytest.raises(LookwhereError, match="it resumes"):
        store_of(columned, tmp_path / "store", columns=ColumnChoice.from_words(["glasses"]))
    monkeypatch.undo()
    with pytest.raises(OtherStoreError, match="columns are glasses, not glasses, skin"):
        store_of(columned, tmp_path / "store")
    assert len(store_of(columned, tmp_path / "store", columns=ColumnChoice.from_words(["glasses"])).columns) == 1


def _stops(*_: object) -> None:
    raise OSError(28, "No space left on device")
