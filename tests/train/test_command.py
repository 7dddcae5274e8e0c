"""`python -m train`: flags over file over defaults, one line on bad input, Ctrl-C and back again."""

from __future__ import annotations

import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.training import loop
from core.training.config import Stage, TrainConfig
from core.training.config_file import load_config
from core.training.record import Status, read_metrics, read_status, write_status
from tests.helpers.shipped import ROOT
from tests.helpers.small_network import NARROW, small_network
from train.__main__ import Bar, Interrupt, main, parse, worst_words

SHIPPED = sorted((ROOT / "train/configs").glob("*.yaml"))
PLACE = ["--data", "store", "--name", "made"]


@pytest.fixture(scope="module", autouse=True)
def network_is_small() -> Iterator[None]:
    with small_network(NARROW):
        yield


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.yaml"


@pytest.fixture
def models(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "models"
    shutil.rmtree(tmp_path / "models", ignore_errors=True)


@pytest.fixture
def signals() -> Iterator[None]:
    """Gives the signals back to whoever had them."""
    before = {kind: signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)}
    yield
    for kind, handler in before.items():
        signal.signal(kind, handler)


def error_line(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a refused command says: exit code 2, nothing on stdout, one line on stderr."""
    assert main([*PLACE, *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err


def test_flags_win_over_the_file_and_the_file_over_the_defaults(file: Path) -> None:
    file.write_text(
        "batch: 32\nema: 0.9\noptimiser: {lr: 1e-2, name: sgd}\nstages: [{size: 48, epochs: 2}, {size: 64}]\n"
    )
    for config in (["--config", str(file)], [f"--config={file}"]):
        command = parse([*PLACE, *config, "--batch", "16", "--optimiser.lr", "0.5", "--stages.1.epochs", "3"])
        assert (command.data, command.name, command.config) == (Path("store"), "made", file)
        assert command.settings.batch == 16
        assert command.settings.ema == 0.9
        assert (command.settings.optimiser.name, command.settings.optimiser.lr) == ("sgd", 0.5)
        assert command.settings.stages == (Stage(size=48, epochs=2), Stage(size=64, epochs=3))
        assert command.settings.seed == TrainConfig().seed
    assert load_config(file).optimiser.lr == 0.01
    assert parse(PLACE).settings == TrainConfig()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("batsh: 8", ["batsh", "batch"]),
        ("optimiser: {speed: 1}", ["optimiser", "speed"]),
        ("stages: [{size: 64}, {sise: 64}]", ["stages", "sise"]),
        ("batch: 8.5", ["batch", "int", "8.5"]),
        ("batch: true", ["batch", "int", "True"]),
        ("batch: [8]", ["batch", "int"]),
        ("ema: much", ["ema", "float", "much"]),
        ("init: 5", ["init", "str", "5"]),
        ("stages: 64", ["stages", "list"]),
        ("stages: [64]", ["stages", "64"]),
        ("optimiser: fast", ["optimiser", "fast"]),
        ("optimiser: {name: rmsprop}", ["optimiser", "name", "adamw", "rmsprop"]),
        ("balance: age", ["balance", "gender", "age"]),
        ("batch: 1", ["batch", "at least 2"]),
        ("stages: [{size: 8}]", ["stages", "size", "32"]),
        ("- batch", ["batch"]),
        ("batch: [", ["YAML"]),
    ],
)
def test_bad_settings_are_one_line_naming_file_and_field(
    file: Path, capsys: pytest.CaptureFixture[str], text: str, words: list[str]
) -> None:
    file.write_text(text)
    line = error_line(capsys, "--config", str(file))
    for word in (str(file), *words):
        assert word in line


def test_unreadable_files_are_one_line(file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert str(file) in error_line(capsys, "--config", str(file))
    file.write_bytes(b"batch: \xff\xfe")
    assert str(file) in error_line(capsys, "--config", str(file))
    assert str(tmp_path) in error_line(capsys, "--config", str(tmp_path))


def test_bad_flags_end_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--batch 1" in error_line(capsys, "--batch", "1")
    for flags in (["--batch", "many"], ["--optimiser.name", "rmsprop"], ["--speed", "1"]):
        with pytest.raises(SystemExit) as ended:
            main([*PLACE, *flags])
        assert ended.value.code == 2
        assert flags[0] in capsys.readouterr().err


def test_missing_store_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert str(tmp_path / "none") in error_line(capsys, "--data", str(tmp_path / "none"))


def test_help_shows_an_example_and_every_kind_of_flag(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the module itself, as `python -m train` runs it."""
    monkeypatch.setattr(sys, "argv", ["train", "--help"])
    monkeypatch.delitem(sys.modules, "train.__main__")  # it is run, not imported
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("train", run_name="__main__", alter_sys=True)
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for word in ("python -m train --data", "--resume", "--batch", "--stages.0.size", "--optimiser.lr"):
        assert word in text


@pytest.mark.parametrize("shipped", SHIPPED, ids=lambda path: path.name)
def test_shipped_settings_load(shipped: Path) -> None:
    config = load_config(shipped)
    assert config != TrainConfig()
    assert config == parse([*PLACE, "--config", str(shipped)]).settings


def test_settings_are_shipped() -> None:
    assert "utkface.yaml" in [path.name for path in SHIPPED]


@pytest.mark.parametrize("left", ["metrics.csv", "checkpoint.safetensors"])
def test_existing_run_is_not_overwritten(
    made_store: AlignedStore, models: Path, capsys: pytest.CaptureFixture[str], left: str
) -> None:
    (models / "made/training").mkdir(parents=True)
    (models / "made/training" / left).write_text("epoch\n1\n")
    line = error_line(capsys, "--data", str(made_store.path), "--models", str(models))
    assert str(models / "made") in line
    assert "--resume" in line
    assert (models / "made/training" / left).read_text() == "epoch\n1\n"


def test_a_run_whose_checkpoint_is_gone_or_damaged_is_told_what_helps(
    made_store: AlignedStore, models: Path, signals: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """With and without --resume, neither names the other in a circle."""
    training, words = (
        models / "made/training",
        ["--data", str(made_store.path), "--models", str(models), "--batch", "8"],
    )
    training.mkdir(parents=True)
    (training / "metrics.csv").write_text("epoch\n1\n2\n")
    assert "no checkpoint to go on from: delete it, or choose another --name" in error_line(capsys, *words)
    (training / "checkpoint.safetensors").write_bytes(b"damaged")
    assert f"restore it, or delete {models}/made and train again" in error_line(capsys, *words, "--resume")
    shutil.rmtree(models / "made")


@pytest.mark.parametrize(
    ("rows", "state", "resumed"),
    [(1, "running", False), (1, None, False), (0, "failed", False), (0, None, True), (2, "failed", True),
     (1, "finished", True)],
)  # fmt: skip
def test_a_run_killed_before_its_first_checkpoint_begins_anew_with_resume(
    made_store: AlignedStore, models: Path, signals: None, monkeypatch: pytest.MonkeyPatch, rows: int,
    state: str | None, resumed: bool,
) -> None:  # fmt: skip
    """Neither an empty folder nor one that was taken from elsewhere does: there resuming says what is missing."""
    training = models / "made/training"
    training.mkdir(parents=True)
    if rows:
        (training / "metrics.csv").write_text("epoch\n" + "".join(f"{n + 1}\n" for n in range(rows)))
    if state:
        write_status(training, Status(state, 0, 1, 0, 4, 1.0, None, None, 0.0))
    asked = []

    def train(*_: object, resume: bool, **__: object) -> Status:
        asked.append(resume)
        return Status("stopped", 0, 1, 0, 4, 1.0, None, None, 0.0)

    monkeypatch.setattr(loop, "train", train)
    words = ["--data", str(made_store.path), "--name", "made", "--models", str(models), "--resume"]
    assert main([*words, "--precision", "32-true"]) == 0
    (training / "checkpoint.safetensors").write_text("")
    assert main([*words, "--precision", "32-true"]) == 0
    assert asked == [resumed, True]


def test_first_signal_asks_the_second_ends(signals: None, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in (signal.SIGINT, signal.SIGTERM):
        stop = Interrupt()
        assert not stop()
        os.kill(os.getpid(), kind)
        assert stop()
        assert "stopping after this step" in capsys.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), kind)
            time.sleep(1)


def wait_for(path: Path, process: subprocess.Popen, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, f"no {path} after {seconds} s"
        time.sleep(0.05)


def test_ctrl_c_stops_cleanly_and_resume_finishes(
    made_store: AlignedStore, models: Path, file: Path, signals: None, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("stages: [{size: 32, epochs: 5}]\nbatch: 6\nema: 0\n")
    command = ["--data", str(made_store.path), "--name", "made", "--models", str(models), "--config", str(file)]
    command += ["--precision", "32-true"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.helpers.small_train", *command],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        wait_for(models / "made/training/metrics.csv", process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, err
    assert "stopping after this step" in err
    assert "Traceback" not in err
    assert f"{models / 'made'}: stopped" in out
    status = read_status(models / "made/training")
    assert (status.state, status.epochs) == ("stopped", 5)
    assert status.epoch < 5
    assert (models / "made/training/checkpoint.safetensors").is_file()

    assert main([*command, "--resume", "--batch", "5"]) == 2
    assert "another batch" in capsys.readouterr().err
    assert main([*command, "--resume"]) == 0
    out = capsys.readouterr().out
    assert f"{models / 'made'}: finished" in out
    assert "epoch   5/5  32 px" in out
    assert read_status(models / "made/training").state == "finished"
    assert read_metrics(models / "made/training")["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert not list(models.rglob("*.partial"))


def test_settings_out_of_bounds_name_the_file(file: Path) -> None:
    file.write_text("augmentation: {crop: 0.01}\n")
    with pytest.raises(LookwhereError, match=r"settings\.yaml: augmentation: augmentation crop 0.01"):
        load_config(file)


class LateSignal(Bar):
    """Ctrl-C when the last epoch has just ended."""

    def __call__(self, status, row) -> None:
        super().__call__(status, row)
        if row is not None:
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_too_late_to_stop_anything_is_success(
    made_store: AlignedStore, models: Path, signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.__main__.Bar", LateSignal)
    flags = ["--models", str(models), "--batch", "36", "--ema", "0", "--stages.0.size", "32"]
    assert main([*PLACE, "--data", str(made_store.path), *flags]) == 0
    assert read_status(models / "made/training").state == "finished"


def test_a_run_without_a_large_group_names_no_worst_one() -> None:
    words = worst_words({"worst_group": "", "worst_group_accuracy": float("nan")})
    assert "no group" in words and "nan" not in words
    assert worst_words({"worst_group": "male White", "worst_group_accuracy": 0.5}) == "worst male White 50.00 %"
