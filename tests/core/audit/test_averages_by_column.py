"""Average faces by a further column (`audit --cells`): under the same rule of 11 people, complements too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.audit.average_setting import AverageSetting
from core.audit.averages import Averages, CellRule, assign_cells, average_faces
from core.audit.run import run_audit
from core.classifiers.folder import Model
from core.classifiers.info import ModelInfo
from core.data.columns import Column, Kind
from core.data.filters import Filter
from core.data.store import AlignedStore
from core.data.store_info import StoreInfo
from core.errors import LookwhereError
from core.files import write_json, write_parquet
from tests.helpers.made_audit import made_audit
from tests.helpers.made_store import make_store
from tests.helpers.made_study import Brightness

INFO = ModelInfo(weights_sha256="1" * 64, input_size=112, mean=(0.5,) * 3, std=(0.25,) * 3)
GLASSES = Column(name="glasses", kind=Kind.YES_NO, levels=("no", "yes"))


@pytest.fixture(scope="module")
def faces() -> pd.DataFrame:
    return made_audit(3000, own=True, errors=0.2, shape=None, ages=(18, 60)).faces


def test_an_average_by_a_column_is_that_of_its_faces(faces: pd.DataFrame) -> None:
    images = np.random.default_rng(0).integers(0, 255, (len(faces), 2, 2, 3), dtype=np.uint8)
    averages = average_faces(images, np.arange(len(faces)), faces, CellRule(further=["glasses"]))
    cells, place = assign_cells(faces, further=["glasses"])
    assert set(cells["glasses"]) == {"no", "yes", "not recorded"}
    for filter in (Filter(columns=(("glasses", ("yes",)),)), Filter(gender=("male",), columns=(("glasses", ("no",)),))):
        mean, n = averages.mean(filter)
        inside = filter.mask(faces) & (place >= 0)
        assert n == inside.sum() > 400
        np.testing.assert_allclose(mean, images[inside].mean(axis=0), atol=1.01)
    assert averages.mean(Filter(columns=(("camera", ("📱 phone",)),))) == (None, 0)


def test_every_cell_has_11_people_and_is_of_one_level(faces: pd.DataFrame) -> None:
    for further in (["camera"], ["glasses", "skin_tone"]):
        cells, place = assign_cells(faces, further=further)
        assert cells["n"].min() >= 11
        for n, cell in cells.iterrows():
            inside = faces[place == n]
            assert len(inside) == cell["n"]
            for name in further:
                assert set(inside[name].astype("object").fillna("not recorded")) == {cell[name]}


def test_cells_of_columns_come_back_and_too_small_ones_are_taken_out(faces: pd.DataFrame, tmp_path: Path) -> None:
    images = np.zeros((len(faces), 1, 1, 3), dtype=np.uint8)
    averages = average_faces(images, np.arange(len(faces)), faces, CellRule(further=["glasses"]))
    averages.save(tmp_path / "averages.npz")
    again = Averages.load(tmp_path / "averages.npz")
    pd.testing.assert_frame_equal(again.cells, averages.cells, check_dtype=False)
    assert again.of_at_least(11, faces) is again
    larger = again.of_at_least(40, faces)
    assert 0 < len(larger.cells) < len(again.cells) and larger.cells["n"].min() >= 40


def with_glasses(store: AlignedStore) -> AlignedStore:
    """The store again, its faces with glasses or without."""
    level = np.array(["yes", "no"])[np.arange(len(store.faces)) // 2 % 2]
    write_parquet(store.path / "faces.parquet", store.faces.assign(glasses=GLASSES.levelled(level)))
    content = store.manifest.to_json() | {"columns": [GLASSES.to_json()]}
    write_json(store.path / "store.json", StoreInfo.from_json(content).to_json())
    return AlignedStore.open(store.path)


def test_an_audit_keeps_columns_and_averages_by_them(tmp_path: Path) -> None:
    store = with_glasses(make_store(tmp_path / "aligned/made", 240, columns={"split": "test", "age": 30}))
    model = Model("m", tmp_path / "models/m", None, INFO, Brightness(None))
    audit = run_audit(store, model, ("all",), averages=AverageSetting(cells=["Glasses"]))
    assert audit.columns == (GLASSES,) and audit.manifest.cells == ("glasses",)
    assert audit.faces["glasses"].tolist() == store.faces["glasses"].tolist()
    yes, no, all_of_them = (
        audit.averages.mean(Filter(columns=(("glasses", levels),)))[1] for levels in (("yes",), ("no",), ("yes", "no"))
    )
    assert yes > 0 and no > 0 and yes + no == all_of_them
    assert run_audit(store, model, ("all",), averages=AverageSetting(cells=["glasses"])).manifest == audit.manifest
    with pytest.raises(LookwhereError, match="another cells"):
        run_audit(store, model, ("all",))
    with pytest.raises(LookwhereError, match="averages by hat: no such column; there are glasses"):
        run_audit(store, model, ("all",), averages=AverageSetting(cells=["hat"]), name="other")
