"""Bits flipped in files of a store, an audit, its checks and its model: whoever opens them is told which file it is."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.__main__ import main
from core.audit.folder import open_audit
from core.checks.results import open_checks, settle
from core.checks.run import run_checks
from core.classifiers.folder import load_model
from core.classifiers.info import model_info
from core.data.array_store import store_from_arrays
from core.data.store import AlignedStore
from core.errors import LookwhereError
from tests.helpers.made_study import made_study

FLIPS = 12


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `store` and `model`; the model has an audit with checks. Nothing in them is to be changed."""
    root = tmp_path_factory.mktemp("verified")
    study = made_study(root, 96)
    run_checks(
        study.audit,
        load_model(study.models / "made"),
        study.store,
        sample=60,
        draws=1,
        methods=(),
        parts=("randomised",),
    )
    images = np.random.default_rng(0).integers(0, 255, (6, 112, 112, 3), dtype=np.uint8)
    store_from_arrays(root / "store", images, pd.DataFrame({"gender": ["f", "m"] * 3}))
    return root


AUDIT = "models/made/audits/made-all"


def read_store(root: Path) -> object:
    store = AlignedStore.open(root / "store")
    return store.images.tobytes(), store.landmarks.tobytes(), store.faces.to_csv(), store.manifest.to_json()


def read_audit(root: Path) -> object:
    audit = open_audit(root / AUDIT)
    return audit.faces.to_csv(), audit.evidence.tobytes(), audit.averages.means.tobytes(), audit.manifest.to_json()


def read_all_checks(root: Path) -> object:
    checks = open_checks(open_audit(root / AUDIT))
    tables = [table.to_csv() for part in checks.parts.values() for table in part.tables.values()]
    arrays = [array.tobytes() for part in checks.parts.values() for array in part.arrays.values()]
    return checks.manifest.to_json(), tables, arrays


def read_model(root: Path) -> object:
    return model_info(root / "models/made").to_json()


READ = {
    "store/faces.npy": read_store,
    "store/landmarks.npy": read_store,
    "store/faces.parquet": read_store,
    "store/rejects.parquet": read_store,
    "store/store.json": read_store,
    f"{AUDIT}/faces.parquet": read_audit,
    f"{AUDIT}/averages.npz": read_audit,
    f"{AUDIT}/audit.json": read_audit,
    f"{AUDIT}/checks.json": read_all_checks,
    f"{AUDIT}/checks.npz": read_all_checks,
    "models/made/model.json": read_model,
}


@pytest.mark.parametrize("name", READ)
def test_a_flipped_bit_is_told_with_the_files_name_or_changes_nothing(name: str, whole: Path, tmp_path: Path) -> None:
    file, read = tmp_path / name, READ[name]
    shutil.copytree(whole / name.split("/", maxsplit=1)[0], tmp_path / name.split("/", maxsplit=1)[0])
    good, expected, draw, told = file.read_bytes(), read(tmp_path), random.Random(1), 0
    for _ in range(FLIPS):
        content = bytearray(good)
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        file.write_bytes(content)
        try:
            assert read(tmp_path) == expected
        except LookwhereError as error:
            assert str(file) in str(error)
            told += 1
    assert told > FLIPS // 2


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"x"], ids=["cut", "longer"])
def test_a_file_of_another_length_is_told_before_it_is_mapped(
    change: Callable[[bytes], bytes], whole: Path, tmp_path: Path
) -> None:
    shutil.copytree(whole / "store", tmp_path / "store")
    file = tmp_path / "store/faces.npy"
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(LookwhereError, match=r"faces\.npy: [\d,]+ bytes where [\d,]+ were written; delete the folder"):
        AlignedStore.open(tmp_path / "store")


def test_the_command_reads_everything_and_names_what_is_damaged(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(whole / "models", tmp_path / "models")
    assert main(["verify", str(tmp_path / "models"), "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert len(files) == 7 and all(entry["recorded"] for entry in files)
    for name in ("averages.npz", "checks.npz"):
        with (tmp_path / AUDIT / name).open("r+b") as file:
            file.write(b"?")
    assert main(["verify", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert f"{AUDIT}/averages.npz: changed since it was written" in said
    assert f"{AUDIT}/checks.npz: changed since it was written" in said
    assert main(["verify", str(tmp_path / "nowhere")]) == 2
    assert "no store, model or audit in it" in capsys.readouterr().err


def test_folders_of_before_are_given_records_once(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(whole / "models", tmp_path / "models")
    shutil.copytree(whole / "stores/made", tmp_path / "old-store")  # the helper writes stores as they were before
    before = read_audit(tmp_path)[:3], AlignedStore.open(tmp_path / "old-store").faces.to_csv()
    assert main(["verify", str(tmp_path)]) == 0
    assert "files have no record" in capsys.readouterr().out
    assert main(["verify", str(tmp_path), "--record"]) == 0
    assert main(["verify", str(tmp_path)]) == 0
    assert "no record" not in capsys.readouterr().out.splitlines()[-1]
    assert (read_audit(tmp_path)[:3], AlignedStore.open(tmp_path / "old-store").faces.to_csv()) == before
    (tmp_path / "old-store/landmarks.npy").write_bytes(b"lost")
    with pytest.raises(LookwhereError, match=r"landmarks\.npy"):
        AlignedStore.open(tmp_path / "old-store")


def test_checks_interrupted_between_their_two_files_are_settled(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole / "models", tmp_path / "models")
    folder = tmp_path / AUDIT
    new = (folder / "checks.json").read_text()
    (folder / "checks.json").rename(folder / "checks.json.partial")
    (folder / "checks.json").write_text("{}")
    settle(folder)
    assert (folder / "checks.json").read_text() == new
    (folder / "checks.json.partial").write_text("{")
    settle(folder)
    assert (folder / "checks.json").read_text() == new
