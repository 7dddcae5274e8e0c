"""Manifests changed by whoever made their digest anew: what they say must be true of the files beside them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from core.analysis.accuracy.skin_tone import read_skin_tone
from core.audit.folder import open_audit
from core.checks.results import open_checks
from core.classifiers.info import model_info
from core.data.store import FILES as STORE_FILES
from core.data.store import AlignedStore
from core.data.store_info import FORMAT
from core.errors import LookwhereError
from core.integrity import record_files
from core.json_record import sealed
from tests.helpers.made_store import make_store

SHIPPED = Path("models/resnet50-utkface")


def reseal(file: Path, change: Callable[[dict], object]) -> None:
    """Change a JSON file and make its digest anew, as an attacker can."""
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(sealed(content)))


def put(*path: object) -> Callable[[dict], None]:
    """Put the last of `path` where the others lead."""

    def change(content: dict) -> None:
        for key in path[:-2]:
            content = content[key]
        content[path[-2]] = path[-1]

    return change


@pytest.fixture
def audit(tmp_path: Path) -> Path:
    """A copy of the shipped audit with checks and counts of skin tone."""
    return Path(shutil.copytree(SHIPPED / "audits/utkface-test", tmp_path / "m/audits/utkface-test"))


AUDIT_LIES = {
    "accuracy": put("accuracy", 0.5),
    "splits": put("splits", ["train", "test"]),
    "cells": put("cells", ["glasses"]),
    "dataset": put("dataset", ""),
    "model": put("model", "x" * 60_000),
    "data's line ends": put("dataset", "a\nb"),
    "placement": put("maps", "placement", "rows", [104.0, 88.0, 72.0, 56.0, 40.0, 24.0, 8.0]),
    "few centres": put("maps", "placement", "rows", [8.0, 24.0]),
    "mirror": put("maps", "mirror", "placed", -4.0),
    "an unknown key": put("zzz", 5),
    "seconds": put("seconds", -1.0),
    "a note": put("warnings", [{"code": "classes_swapped", "accuracy": 0.1, "n": 10**9}]),
    "a class": put("warnings", [{"code": "one_class", "share": 0.99, "predicted": "<b>dog</b>"}]),
    "copies": put(
        "training_copies", {"datasets": ["a"], "compared": 5, "copies": 10**6, "near_copies": 0, "left_out": False}
    ),
    "a bias of 5": put("head_bias", [5.0, -5.0]),
    "a small bias that the maps do not leave": put("head_bias", [0.1, -0.0061264]),
    "no finite bias": put("head_bias", [1e308, 1e308]),
    "a column twice": put("columns", [{"name": "split", "kind": "category", "levels": ["test"]}] * 2),
    "review": put("review", {"of": "a", "file": "b", "sha256": "c", "listed": 1, "flipped": 10**6, "left_out": 0}),
}


@pytest.mark.parametrize("lie", AUDIT_LIES)
def test_an_audit_that_says_what_its_faces_do_not_is_refused(audit: Path, lie: str) -> None:
    open_audit(audit)
    reseal(audit / "audit.json", AUDIT_LIES[lie])
    with pytest.raises(LookwhereError, match=r"audit\.json: .*; delete this audit and run it again") as error:
        open_audit(audit)
    assert len(str(error.value)) < 1000 and "\n" not in str(error.value)


def write_faces(audit: Path, name: str, values: Callable[[pa.ChunkedArray], pa.Array]) -> None:
    """Another column in `faces.parquet`, and the manifest's record of the file made anew."""
    table = pq.read_table(audit / "faces.parquet")
    place = table.column_names.index(name)
    pq.write_table(table.set_column(place, name, values(table[name])), audit / "faces.parquet")
    records = {key: record.to_json() for key, record in record_files(audit, ("faces.parquet", "averages.npz")).items()}
    reseal(audit / "audit.json", put("files", records))


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("correct", pc.invert),
        ("p_male", lambda p: pc.add(p, 1)),
        ("predicted", lambda words: pa.array(["<b>dog</b>"] * len(words))),
    ],
)
def test_faces_that_contradict_themselves_are_refused(audit: Path, column: str, values: Callable) -> None:
    write_faces(audit, column, values)
    with pytest.raises(LookwhereError, match=r"audit\.json: faces\.parquet"):
        open_audit(audit)


@pytest.mark.parametrize("lie", ["no n", "n of 0", "an age of no band", "a cell twice", "another shape"])
def test_averages_of_cells_that_cannot_be_are_refused(audit: Path, lie: str) -> None:
    with np.load(audit / "averages.npz") as content:
        arrays = dict(content)
    if lie == "no n":
        del arrays["cell_n"]
    elif lie == "n of 0":
        arrays["cell_n"][0] = 0
    elif lie == "an age of no band":
        arrays["cell_age_from"][0] = 7
    elif lie == "a cell twice":
        arrays |= {key: np.concatenate([values[:1], values]) for key, values in arrays.items()}
    else:
        arrays["differences"] = arrays["differences"][:5]
    np.savez_compressed(audit / "averages.npz", **arrays)
    records = {key: record.to_json() for key, record in record_files(audit, ("faces.parquet", "averages.npz")).items()}
    reseal(audit / "audit.json", put("files", records))
    with pytest.raises(LookwhereError, match=r"averages\.npz: damaged .*; delete this audit and run it again"):
        open_audit(audit)


def table_lie(part: str, table: str, column: str, value: object) -> Callable[[dict], None]:
    """The first row's value of a column in a table of `checks.json`."""

    def change(content: dict) -> None:
        stored = content["parts"][part]["tables"][table]
        stored["rows"][0][stored["columns"].index(column)] = value

    return change


CHECKS_LIES = {
    "a group of more than were sampled": put("parts", "road", "groups", 0, ["all faces", 10**6]),
    "a negative group": put("parts", "road", "groups", 0, ["all faces", -5]),
    "a group twice": lambda content: content["parts"]["hiding"]["groups"].append(
        content["parts"]["hiding"]["groups"][0]
    ),
    "a group that is none": table_lie("randomised", "similarity", "group", "<script>"),
    "a stage that is none": table_lie("randomised", "similarity", "stage", "layer9"),
    "a correlation of 7": table_lie("randomised", "similarity", "mean", 7.0),
    "text for a number": table_lie("occlusion", "regions", "drop", "<b>1</b>"),
    "an interval turned round": table_lie("road", "areas", "low", 1e9),
    "an order that is none": table_lie("deletion", "areas", "order", "zzz"),
    "a kind of agreement that is none": table_lie("occlusion", "agreement", "kind", "zzz"),
    "no rows": put("parts", "randomised", "tables", "similarity", "rows", []),
    "a column less": lambda content: content["parts"]["hiding"]["tables"]["costs"].update(
        columns=["group"], rows=[["x"]]
    ),
    "more faces in a method": table_lie("methods/GradCAM", "methods", "n", 10**6),
    "a key of the manifest": put("manifest", "zzz", 1),
    "seconds in words": put("parts", "road", "seconds", "long"),
}


@pytest.mark.parametrize("lie", CHECKS_LIES)
def test_checks_with_rows_that_cannot_be_are_refused(audit: Path, lie: str) -> None:
    opened = open_audit(audit)
    assert open_checks(opened) is not None
    reseal(audit / "checks.json", CHECKS_LIES[lie])
    with pytest.raises(LookwhereError, match=r"checks\.json: .*; delete checks\.json and run") as error:
        open_checks(opened)
    assert len(str(error.value)) < 1000


ARRAY_LIES = {
    "no curves": lambda arrays: arrays.pop("road:curves"),
    "no maps of a method": lambda arrays: arrays.pop("methods/GradCAM:maps"),
    "other curves": lambda arrays: arrays.update({"deletion:curves": arrays["deletion:curves"] + 0.5}),
    "curves of two groups changed about": lambda arrays: arrays.update(
        {"deletion:curves": arrays["deletion:curves"][::-1]}
    ),
    "a mean beyond its interval": lambda arrays: arrays["road:curves"].__setitem__(
        np.s_[:, :, 1], arrays["road:curves"][:, :, 2]
    ),
    "x that falls": lambda arrays: arrays.update({"road:x": arrays["road:x"][:, ::-1]}),
    "maps without an end": lambda arrays: arrays["randomised:maps"].__setitem__((0, 0, 0, 0), np.inf),
    "no number": lambda arrays: arrays["hiding:patches"].__setitem__(0, np.nan),
    "maps of another shape": lambda arrays: arrays.update({"randomised:maps": arrays["randomised:maps"][..., :5]}),
    "maps of too few axes": lambda arrays: arrays.update({"randomised:maps": arrays["randomised:maps"][:, 0]}),
    "a method's map of 900": lambda arrays: arrays.update(
        {"methods/GradCAM:maps": arrays["methods/GradCAM:maps"] * 999}
    ),
    "words": lambda arrays: arrays.update({"hiding:patches": np.full((5, 3, 8, 8), "<b>")}),
    "a group less": lambda arrays: arrays.update({"hiding:patches": arrays["hiding:patches"][1:]}),
    "no group at all": lambda arrays: arrays.update({"hiding:patches": np.float32(3)}),
}


@pytest.mark.parametrize("lie", ARRAY_LIES)
def test_checks_whose_arrays_are_not_of_their_tables_are_refused(audit: Path, lie: str) -> None:
    opened = open_audit(audit)
    with np.load(audit / "checks.npz") as content:
        arrays = dict(content)
    ARRAY_LIES[lie](arrays)
    np.savez_compressed(audit / "checks.npz", **arrays)
    record = record_files(audit, ["checks.npz"])["checks.npz"].to_json()
    reseal(audit / "checks.json", put("arrays", record))
    with pytest.raises(LookwhereError, match=r"checks\.npz: .*; delete checks\.json and run") as error:
        open_checks(opened)
    assert len(str(error.value)) < 1000


SKIN_LIES = {
    "faces": put("measured", 7),
    "edges": put("edges", [5.0, 4.0]),
    "a group": put("counts", 0, "group", "<script>"),
    "an ethnicity": put("counts", 0, "ethnicity", "zzz"),
    "too many": put("counts", 0, "parts", [{"levels": ["dark"], "n": 10**6, "incorrect": 5}]),
    "more errors than faces": put("counts", 0, "parts", [{"levels": ["dark"], "n": 12, "incorrect": 13}]),
    "words": lambda content: content["explained"]["adults"][0].update(words="<b>"),
    "a row without numbers": lambda content: content["explained"]["adults"][0].pop("n"),
    "an unknown key": put("zzz", 5),
}


@pytest.mark.parametrize("lie", SKIN_LIES)
def test_counts_of_skin_tone_of_other_faces_are_refused(audit: Path, lie: str) -> None:
    opened = open_audit(audit)
    assert read_skin_tone(opened) is not None
    reseal(audit / "skin_tone.json", SKIN_LIES[lie])
    with pytest.raises(LookwhereError, match=r"skin_tone\.json: .*; delete it and run `python -m core measure`"):
        read_skin_tone(opened)


MODEL_LIES = {
    "an unknown key": put("zzz", 5),
    "a validation": put("validation", "val_male_White", 17.0),
    "a validation in words": put("validation", "val_male_White", "<b>"),
    "an epoch": put("epoch", 10**6),
    "training faces": put("data", "train_groups", 0, "faces", 10**9),
    "a data set's name": put("data", "dataset", "x" * 60_000),
    "channels": put("mean", [0.5, 0.5]),
}


@pytest.mark.parametrize("lie", MODEL_LIES)
def test_a_model_that_contradicts_itself_is_refused(tmp_path: Path, lie: str) -> None:
    shutil.copy(SHIPPED / "model.json", tmp_path)
    model_info(tmp_path)
    reseal(tmp_path / "model.json", MODEL_LIES[lie])
    with pytest.raises(LookwhereError, match=r"model\.json: .*; restore it or train again"):
        model_info(tmp_path)


@pytest.mark.parametrize(
    "lie",
    [
        put("near_copy_clusters", 3),
        put("rejects", {"no face found": 900}),
        put("zzz", 1),
    ],
)
def test_a_store_that_counts_otherwise_than_its_tables_is_refused(tmp_path: Path, lie: Callable) -> None:
    store = make_store(tmp_path / "store", faces=40)
    files = {name: record.to_json() for name, record in record_files(store.path, STORE_FILES).items()}
    reseal(store.path / "store.json", lambda content: content.update(format=FORMAT, files=files))
    AlignedStore.open(store.path)
    reseal(store.path / "store.json", lie)
    with pytest.raises(LookwhereError, match=r"store\.json: .*; delete the folder and align again"):
        AlignedStore.open(store.path)
