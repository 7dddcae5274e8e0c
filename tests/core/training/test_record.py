"""What a run writes for others has digests: a byte that changed since is told, and files of before open as they did."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from core.checks.verification import verify_folders
from core.errors import LookwhereError
from core.training.record import (
    Status,
    append_metrics,
    metrics_are_sealed,
    read_metrics,
    read_status,
    seal_metrics,
    write_status,
)
from tests.helpers.shipped import ROOT

ROW = {"epoch": 1, "size": 64, "val_accuracy": 0.5, "worst_group": "female, «B»", "images_per_second": 9, "seconds": 2}


def test_every_changed_byte_of_a_run_is_told(tmp_path: Path) -> None:
    for epoch in (1, 2, 3, 2):
        append_metrics(tmp_path, ROW | {"epoch": epoch})
    write_status(tmp_path, Status("running", 0, 2, 1, 4, 10.0, 5.0, 0.7, updated=1.0))
    assert read_metrics(tmp_path)["epoch"].tolist() == [1, 2]
    assert read_metrics(tmp_path).columns.tolist() == list(ROW)
    draw = random.Random(1)
    for name, read in (("metrics.csv", read_metrics), ("status.json", read_status)):
        file = tmp_path / name
        good = file.read_bytes()
        content = str(read(tmp_path))
        for place in range(0, len(good), 3):
            file.write_bytes(good[:place] + bytes([good[place] ^ 1 << draw.randrange(8)]) + good[place + 1 :])
            try:
                assert str(read(tmp_path)) == content, f"{name}, byte {place}"  # white space between keys
            except LookwhereError as error:
                assert name in str(error)
        file.write_bytes(good)


def test_metrics_of_before_open_and_are_sealed_once_asked(tmp_path: Path) -> None:
    model = tmp_path / "m"
    (model / "training").mkdir(parents=True)
    old = "epoch,val_accuracy,seconds\n1,0.50,3\n2,0.6,3.0\n"
    (model / "training/metrics.csv").write_text(old)
    shipped = json.loads((ROOT / "models/experiments/claims/experiment.json").read_text())
    (model / "experiment.json").write_text(json.dumps({k: v for k, v in shipped.items() if k != "digest"}))
    before = read_metrics(model / "training")
    assert [(verified.file.name, verified.recorded) for verified in verify_folders(model)] == [
        ("experiment.json", False), ("metrics.csv", False)]  # fmt: skip
    verify_folders(model, record=True)
    assert all(verified.recorded and verified.damage is None for verified in verify_folders(model))
    assert metrics_are_sealed(model / "training")
    assert read_metrics(model / "training").equals(before)
    lines = (model / "training/metrics.csv").read_text().splitlines()
    assert [line.rpartition(",")[0] for line in lines] == old.splitlines(), "nothing but the digests is added"
    seal_metrics(model / "training")
    assert (model / "training/metrics.csv").read_text().splitlines() == lines
    (model / "training/metrics.csv").write_text("\n".join(lines).replace("0.6", "0.7"))
    content = json.loads((model / "experiment.json").read_text())
    (model / "experiment.json").write_text(json.dumps(content | {"title": "Another"}))
    reasons = [verified.damage for verified in verify_folders(model)]
    assert [why.partition("; ")[0] for why in reasons] == ["changed since it was written"] * 2


@pytest.mark.parametrize("head", ["epoch,seconds,digesu", "epocx,seconds", "epoch,seconds,more"])
def test_a_table_of_other_columns_is_none(head: str, tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(f"{head}\n1,2,3\n"[: None if head.count(",") == 2 else -3])
    with pytest.raises(LookwhereError, match=r"metrics\.csv: not a table of epochs"):
        read_metrics(tmp_path)


GOOD = "epoch,val_loss,val_accuracy,worst_group,seconds\n1,nan,0.5,male A,3\n2,inf,0.6,male A,3\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (GOOD.replace("0.6", "=cmd()"), "val_accuracy has values that are no numbers"),
        (GOOD.replace("0.6", "9" * 400), "val_accuracy has (values|shares) that are no.*"),
        (GOOD.replace("0.6", "-1"), "val_accuracy has shares that are not of 0 to 1"),
        (GOOD.replace("0.6", "inf"), "val_accuracy has shares that are not of 0 to 1"),
        (GOOD.replace("\n2,", "\n1,"), "its epochs are not counted"),
        (GOOD.replace("\n2,", "\n,"), "its epochs are not counted"),
        (GOOD.replace("\n2,", "\n-2,"), "its epochs are not counted"),
        (GOOD.replace("\n2,", "\nx,"), "epoch has values that are no numbers"),
        (GOOD.replace("val_loss", "val_accuracy"), "the column val_accuracy is there twice"),
    ],
)
def test_epochs_that_no_training_writes_are_told(content: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(GOOD)
    assert len(read_metrics(tmp_path, ("val_accuracy", "worst_group"))) == 2
    (tmp_path / "metrics.csv").write_text(content)
    with pytest.raises(LookwhereError, match=rf"metrics\.csv: not a table of epochs \({says}\); restore it"):
        read_metrics(tmp_path)


def test_a_column_that_is_needed_and_missing_is_told(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(GOOD)
    with pytest.raises(LookwhereError, match=r"metrics\.csv: .*no learning_rate, size"):
        read_metrics(tmp_path, ("val_loss", "learning_rate", "size"))


BEAT = {"state": "running", "epoch": 1, "epochs": 3, "step": 4, "steps": 9, "images_per_second": 3.5, "eta": 5.0,
        "loss": 0.5, "updated": 1e9}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        *({"updated": updated} for updated in (-1e30, 1e30, float("nan"))),
        *({"eta": eta} for eta in (-1, 1e300, float("inf"))),
        *({"epoch": -1}, {"step": 10**400}),
    ],
)
def test_a_heartbeat_of_no_time_is_told(change: dict, tmp_path: Path) -> None:
    (tmp_path / "status.json").write_text(json.dumps(BEAT))
    assert read_status(tmp_path).eta == 5
    (tmp_path / "status.json").write_text(json.dumps(BEAT | change))
    with pytest.raises(LookwhereError, match=rf"status\.json: .*{next(iter(change))}.*delete it"):
        read_status(tmp_path)
