"""What a run decides at an epoch's end, its rates and averages, worked out by hand; that it learns; how it fails."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file

from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.training import loop
from core.training.config import Augmentation, Optimiser, Stage, TrainConfig
from core.training.loop import Run, train
from core.training.optimisation import learning_rate
from core.training.record import STALE_SECONDS, Status, append_metrics, read_metrics, read_status, write_status

SMALL = TrainConfig(stages=(Stage(size=32, epochs=1), Stage(size=40, epochs=1)), batch=8, ema=0.0)


def fabric() -> Fabric:
    return Fabric(accelerator="cpu", devices=1, precision="32-true")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "made"
    shutil.rmtree(tmp_path / "made", ignore_errors=True)


def made_run(store: AlignedStore, folder: Path, **changes: object) -> Run:
    """A run at the end of its first epoch, whose network says «female» to every face."""
    run = Run(store, folder, dataclasses.replace(SMALL, **changes), fabric())
    (folder / "training").mkdir(parents=True, exist_ok=True)
    run.running = {"loss": 1.0, "right": 1.0, "seen": 2, "seconds": 4.0}
    with torch.no_grad():
        run.network.fc.weight.zero_()
        run.network.fc.bias.copy_(torch.tensor([1.0, 0.0]))
    return run


def finish(run: Run, epoch: int = 0) -> dict:
    run.epoch = epoch
    return run.finish_epoch(None, run.config.stage_at(epoch), run.rate(0))


def without_most_men(store: AlignedStore) -> AlignedStore:
    """Validation faces: 3 White, 3 Black and 2 Asian women, and 2 Asian men."""
    faces = store.faces
    keep = (faces["split"] != "val") | (faces["gender"] == "female") | (faces["ethnicity"] == "Asian")
    return dataclasses.replace(store, faces=faces[keep].reset_index(drop=True))


def test_onecycle_by_hand() -> None:
    """101 steps, a tenth of them rising: step 10 is the peak, step 55 is half-way down, step 100 the last."""
    config = TrainConfig(optimiser=Optimiser(lr=2.0, warmup=0.1, final=0.001))
    rates = [learning_rate(step, 101, config) for step in range(101)]
    assert rates[0] == pytest.approx(0.08)
    assert rates[5] == pytest.approx(2 * (0.04 + 0.96 / 2))
    assert rates[10] == pytest.approx(2.0)
    assert rates[55] == pytest.approx(2 * (0.001 + 0.999 / 2))
    assert rates[100] == pytest.approx(0.002)
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)


@pytest.mark.parametrize("total", [1, 2, 3])
def test_onecycle_of_a_tiny_run_is_sound(total: int) -> None:
    rates = [learning_rate(step, total, TrainConfig()) for step in range(total)]
    assert all(0 < rate <= 1e-3 for rate in rates)


def test_plateau_lowers_the_rate_after_patience_bad_epochs(made_store: AlignedStore, folder: Path) -> None:
    """All epochs score alike: the first is the best so far, each later one is bad."""
    plateau = Optimiser(name="sgd", lr=0.1, schedule="plateau", patience=2, factor=0.5)
    run = made_run(made_store, folder, stages=(Stage(size=32, epochs=6),), optimiser=plateau)
    for epoch in range(6):
        finish(run, epoch)
    assert run.rate(0) == pytest.approx(0.025)
    rates = read_metrics(folder / "training")["learning_rate"].tolist()
    assert rates == pytest.approx([0.1, 0.1, 0.1, 0.05, 0.05, 0.025])
    run.plateau["best"] = 0.3  # below the 0.5 that this network always scores
    finish(run, 5)
    assert run.plateau == {"best": 0.5, "bad": 0, "scale": 0.25}


def test_with_renew_the_first_rate_comes_back_at_a_new_size(made_store: AlignedStore, folder: Path) -> None:
    stages = (Stage(size=32, epochs=3), Stage(size=64, epochs=2))
    for renew, expected in ((True, [0.1, 0.1, 0.05, 0.1, 0.1]), (False, [0.1, 0.1, 0.05, 0.025, 0.0125])):
        plateau = Optimiser(name="sgd", lr=0.1, schedule="plateau", patience=1, factor=0.5, renew=renew)
        run = made_run(made_store, folder / str(renew), stages=stages, optimiser=plateau)
        for epoch in range(5):
            finish(run, epoch)
        rates = read_metrics(folder / str(renew) / "training")["learning_rate"].tolist()
        assert rates == pytest.approx(expected), renew


@pytest.mark.parametrize(
    ("smallest", "score", "worst"), [(2, 0.0, "male Asian"), (3, 1.0, "female Black"), (4, 0.8, None)]
)
def test_worst_group_counts_only_large_enough_groups(
    made_store: AlignedStore, folder: Path, monkeypatch: pytest.MonkeyPatch, smallest: int, score: float, worst: str
) -> None:
    """«Female» to all: 8 of 10 right, Asian men (2) all wrong. Where no group is large enough the whole counts."""
    monkeypatch.setattr(loop, "SMALLEST_GROUP", smallest)
    run = made_run(without_most_men(made_store), folder, choose="worst-group")
    row = finish(run)
    assert run.best == {"score": score, "epoch": 1, "geometry": [32, False]}
    assert row["val_accuracy"] == 0.8
    assert (row["val_male_Asian"], row["val_female_White"]) == (0.0, 1.0)

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    stored = json.loads((folder / "model.json").read_text(), parse_constant=refuse)["validation"]
    assert stored["val_accuracy"] == 0.8
    if worst:
        assert (row["worst_group"], row["worst_group_accuracy"]) == (worst, score)
        assert (stored["worst_group"], stored["worst_group_accuracy"]) == (worst, score)
    else:
        assert math.isnan(row["worst_group_accuracy"])
        assert "worst_group_accuracy" not in stored
    again = made_run(made_store, folder, choose="overall")
    finish(again)
    assert again.best["score"] == 0.5


def test_best_is_kept_within_a_geometry_and_forgotten_with_it(made_store: AlignedStore, folder: Path) -> None:
    run = made_run(made_store, folder)
    run.best = {"score": 0.9, "epoch": 1, "geometry": [32, False]}
    finish(run, epoch=0)
    assert run.best["score"] == 0.9
    assert not (folder / "model.json").exists()
    finish(run, epoch=1)
    assert run.best == {"score": 0.5, "epoch": 2, "geometry": [40, False]}
    assert json.loads((folder / "model.json").read_text())["input_size"] == 40


def test_moving_average_by_hand(made_store: AlignedStore, folder: Path) -> None:
    """Decay min(ema, (1 + t) / (10 + t)): a tenth of the old at step 0, and ema itself from step 8 on where it is ½."""
    run = made_run(made_store, folder, ema=0.5)
    bias = run.average.fc.bias
    for step, decay in ((0, 0.1), (2, 0.25), (8, 0.5), (900, 0.5)):
        bias.copy_(torch.tensor([3.0, -2.0]))
        run.step = step
        run.move_average()
        torch.testing.assert_close(bias, decay * torch.tensor([3.0, -2.0]) + (1 - decay) * torch.tensor([1.0, 0.0]))


def test_it_learns_and_without_average_keeps_the_weights_themselves(made_store: AlignedStore, folder: Path) -> None:
    config = dataclasses.replace(SMALL, stages=(Stage(size=32, epochs=3, strength=0.3),))
    train(made_store, folder, config, fabric=fabric())
    accuracy = read_metrics(folder / "training")["train_accuracy"]
    assert accuracy.iloc[-1] > 0.8
    tensors = load_file(folder / "training/checkpoint.safetensors")
    own = {name.removeprefix("model.network."): t for name, t in tensors.items() if name.startswith("model.")}
    average = {name.removeprefix("average."): t for name, t in tensors.items() if name.startswith("average.")}
    assert own.keys() == average.keys()
    assert [name for name in own if not torch.equal(own[name], average[name])] == []


def test_stop_before_the_first_step_can_be_resumed(made_store: AlignedStore, folder: Path) -> None:
    for resume in (False, True):
        status = train(made_store, folder, SMALL, fabric=fabric(), resume=resume, stop=lambda: True)
        assert (status.state, status.epoch, status.step) == ("stopped", 0, 0)


def test_loss_that_is_not_finite_fails_the_run(made_store: AlignedStore, folder: Path) -> None:
    config = dataclasses.replace(SMALL, optimiser=Optimiser(lr=1e38))
    with pytest.raises(LookwhereError, match=r"not finite at epoch 1, step \d; lower --optimiser.lr"):
        train(made_store, folder, config, fabric=fabric())
    status = read_status(folder / "training")
    assert status.state == "failed"
    assert "not finite" in status.message
    assert [p.name for p in (folder / "training").iterdir()] == ["status.json"]


def test_batch_larger_than_the_training_set_is_refused(made_store: AlignedStore, folder: Path) -> None:
    with pytest.raises(LookwhereError, match="36 training faces are fewer than --batch 37"):
        train(made_store, folder, dataclasses.replace(SMALL, batch=37), fabric=fabric())
    assert not (folder / "model.json").exists()
    assert np.float64(5e-324) * 1 > 0, "denormal numbers are flushed in the caller's process"


def test_weight_decay_spares_one_dimensional_weights_of_both_heads(made_store: AlignedStore, folder: Path) -> None:
    run = made_run(made_store, folder, age_weight=0.1, optimiser=Optimiser(weight_decay=0.03))
    groups = {group["weight_decay"]: [p.ndim for p in group["params"]] for group in run.optimiser.param_groups}
    assert groups.keys() == {0.03, 0.0}
    assert set(groups[0.03]) == {2, 4}
    assert set(groups[0.0]) == {1}
    assert len(groups[0.03]) + len(groups[0.0]) == len(list(run.model.parameters()))


def test_metrics_of_an_epoch_run_again_are_replaced(tmp_path: Path) -> None:
    for epoch, score in ((1, 0.1), (2, 0.2), (3, 0.3), (2, 0.25)):
        append_metrics(tmp_path, {"epoch": epoch, "val_accuracy": score})
    assert read_metrics(tmp_path).to_numpy().tolist() == [[1, 0.1], [2, 0.25]]
    assert read_metrics(tmp_path / "nowhere").empty


def test_status_tells_a_silent_run_and_a_broken_file(tmp_path: Path) -> None:
    assert read_status(tmp_path) is None
    status = Status("running", 0, 2, 1, 4, 10.0, 5.0, 0.7, updated=time.time())
    write_status(tmp_path, status)
    assert read_status(tmp_path) == status
    assert status.alive
    assert not dataclasses.replace(status, updated=status.updated - STALE_SECONDS - 1).alive
    assert not dataclasses.replace(status, state="stopped").alive
    for text in ("{", "[]", '{"state": "running"}'):
        (tmp_path / "status.json").write_text(text)
        with pytest.raises(LookwhereError, match=r"status\.json"):
            read_status(tmp_path)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Stage(size=16), "size 16"),
        (lambda: Stage(epochs=0), "epochs 0"),
        (lambda: Stage(strength=1.5), "strength 1.5"),
        (lambda: Augmentation(erase=2), "erase 2"),
        (lambda: Augmentation(crop=0), "crop 0"),
        (lambda: Optimiser(lr=0), "lr 0"),
        (lambda: Optimiser(patience=0), "patience 0"),
        (lambda: TrainConfig(stages=()), "stages"),
        (lambda: TrainConfig(batch=1), "batch 1"),
        (lambda: TrainConfig(label_smoothing=0.1), "label-smoothing 0.1"),
        (lambda: TrainConfig(ema=1.0), "ema 1.0"),
    ],
)
def test_settings_out_of_bounds_are_named(make: object, words: str) -> None:
    with pytest.raises(LookwhereError, match=words):
        make()
