"""Measured again with other values: thirds would be cut anew, and averages of both releases could be subtracted."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.audit.average_setting import AverageSetting, KeepAverages
from core.audit.folder import Audit, open_audit
from core.audit.kept_averages import FILE as REMEMBERED
from core.audit.measures import lay_published
from core.audit.notes import NoteCode
from core.audit.run import run_audit
from core.data.measured import FILE, write_measured
from core.data.store import AlignedStore
from core.errors import LookwhereError
from tests.helpers.made_store import make_store
from tests.helpers.made_study import Brightness
from tests.helpers.releases_made import made_model

N = 240


def measured(store: AlignedStore, **values: np.ndarray) -> AlignedStore:
    write_measured(store.path, pd.DataFrame({"face_id": store.faces["face_id"], **values}))
    return AlignedStore.open(store.path)


@pytest.fixture
def store(tmp_path: Path) -> AlignedStore:
    made = make_store(tmp_path / "store", faces=N, columns={"age": 30, "split": "test"})
    return measured(made, image_lightness=np.linspace(20, 80, N))


def audited(store: AlignedStore, tmp_path: Path, name: str = "all") -> Audit:
    model = made_model(tmp_path, "m", Brightness(None))
    return run_audit(store, model, ("all",), name=name, averages=AverageSetting(KeepAverages.AUTO))


def cells(audit: Audit) -> np.ndarray:
    return open_audit(audit.path).picture_cells


def test_what_lies_beside_an_audit_with_averages_is_not_cut_anew(store: AlignedStore, tmp_path: Path) -> None:
    audit, first = audited(store, tmp_path), {"image_lightness": np.linspace(20, 80, N)}
    assert len(audit.averages.cells)
    lay_published(audit, store)  # the same again
    eyes = np.linspace(10, 90, N)
    lay_published(audit, measured(store, **first, image_eye_distance=eyes))  # what was not shown before
    shown = cells(audit)
    content = (audit.path / FILE).read_bytes()
    moved = eyes.copy()
    moved[[79, 80, 81]] = moved[[81, 79, 80]]  # one face changes its third
    roll = np.linspace(-20, 20, N)
    for values in (
        first | {"image_eye_distance": moved},
        {"image_lightness": moved, "image_eye_distance": eyes},
        first | {"image_eye_distance": eyes, "image_roll": roll},  # would divide before what divided last
    ):
        with pytest.raises(LookwhereError, match=r"measured\.parquet: measures of other values lie beside this audit"):
            lay_published(audit, measured(store, **values))
    assert (audit.path / FILE).read_bytes() == content and np.array_equal(cells(audit), shown)
    # Taken away, they were shown all the same.
    (audit.path / FILE).unlink()
    with pytest.raises(LookwhereError, match="measures of other values"):
        lay_published(audit, measured(store, **first, image_eye_distance=moved))
    lay_published(audit, measured(store, **first, image_eye_distance=eyes))


def test_an_audit_made_again_by_other_thirds_keeps_no_averages(store: AlignedStore, tmp_path: Path) -> None:
    audit = audited(store, tmp_path)
    shutil.rmtree(audit.path)
    again = audited(store, tmp_path)
    assert len(again.averages.cells) == len(audit.averages.cells)
    shutil.rmtree(again.path)
    otherwise = audited(measured(store, image_lightness=np.roll(np.linspace(20, 80, N), 1)), tmp_path)
    assert otherwise.manifest.averages.code is NoteCode.AVERAGES_KEPT_BEFORE and not len(otherwise.averages.cells)
    assert (cells(otherwise) == -1).all()
    shutil.rmtree(otherwise.path)
    (tmp_path / "models" / REMEMBERED).unlink()
    assert len(audited(store, tmp_path).averages.cells)
