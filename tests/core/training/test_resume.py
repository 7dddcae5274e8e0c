"""Whole training runs on a small made store: an exact folder, honest states, and a resume exact to the last bit."""

from __future__ import annotations

import dataclasses
import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from core.classifiers.folder import load_model
from core.classifiers.preprocessing import normalise
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.training import clock, loop
from core.training.config import Optimiser, Stage, TrainConfig
from core.training.loop import Run, train
from core.training.optimisation import learning_rate
from core.training.record import Status, read_metrics, read_status
from core.training.resume import load_checkpoint
from tests.helpers.made_store import make_store

CHECKPOINT = Path("training/checkpoint.safetensors")
TRAINING_FILES = ["training/checkpoint.safetensors", "training/metrics.csv", "training/status.json"]
GROUPS = [f"{gender}_{ethnicity}" for gender in ("female", "male") for ethnicity in ("Asian", "Black", "White")]
#: Two stages, a dilated second one, and everything that has a state of its own. 36 training faces: 4 steps an epoch.
WHOLE = TrainConfig(
    stages=(Stage(size=32, epochs=1), Stage(size=40, epochs=1, dilated=True)),
    batch=8,
    age_weight=0.2,
    norm_batches=2,
    choose="worst-group",
)


def fabric(precision: str = "32-true") -> Fabric:
    return Fabric(accelerator="cpu", devices=1, precision=precision)


def stop_before(step: int) -> Callable[[], bool]:
    """Asks to stop when it is asked for the `step`-th time, counted from 0."""
    stop_calls = itertools.count()
    return lambda: next(stop_calls) >= step


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def counters(folder: Path) -> dict:
    with safe_open(folder / CHECKPOINT, framework="pt") as opened:
        return json.loads(opened.metadata()["meta"])


def assert_same_run(folder_a: Path, folder_b: Path) -> None:
    """Weights, moving average, optimiser, counters, kept model and metrics, all equal to the last bit."""
    mine, theirs = load_file(folder_a / CHECKPOINT), load_file(folder_b / CHECKPOINT)
    assert mine.keys() == theirs.keys()
    assert {name.split(".")[0] for name in mine} == {"model", "average", "optimiser"}
    assert [name for name in mine if not torch.equal(mine[name], theirs[name])] == []
    assert counters(folder_a) == counters(folder_b)
    assert json.loads((folder_a / "model.json").read_text()) == json.loads((folder_b / "model.json").read_text())
    clocks = ["seconds", "images_per_second"]
    tables = [read_metrics(folder / "training").drop(columns=clocks) for folder in (folder_a, folder_b)]
    assert tables[0].to_csv() == tables[1].to_csv()


@pytest.fixture(autouse=True, scope="module")
def small_groups() -> Iterator[None]:
    """The made store has 2 or 3 validation faces a group."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "SMALLEST_GROUP", 2)
        patch.setattr(clock, "HEARTBEAT_SECONDS", 0.0)
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where this module's folders lie; checkpoints are large, so nothing of it is left."""
    path = tmp_path_factory.mktemp("training")
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def store(place: Path) -> AlignedStore:
    return make_store(place / "store")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "made"
    shutil.rmtree(tmp_path / "made", ignore_errors=True)


@pytest.fixture(scope="module")
def beats() -> list[tuple[Status, dict | None, str]]:
    """What the whole run reported, with the state on disk at that moment."""
    return []


@pytest.fixture(scope="module")
def whole(store: AlignedStore, place: Path, beats: list) -> Path:
    """Both epochs in one go; to be read only."""

    def report(status: Status, row: dict | None) -> None:
        beats.append((status, row, read_status(place / "whole/training").state))

    train(store, place / "whole", WHOLE, fabric=fabric(), report=report)
    return place / "whole"


@pytest.fixture(scope="module")
def half(store: AlignedStore, place: Path) -> Path:
    """Stopped after the first epoch; to be read only."""
    status = train(store, place / "half", WHOLE, fabric=fabric(), stop_after=1)
    assert (status.state, status.epoch, status.step) == ("stopped", 1, 0)
    assert len(read_metrics(place / "half/training")) == 1
    return place / "half"


def test_run_leaves_exactly_these_files(whole: Path) -> None:
    assert files(whole) == ["model.json", "model.safetensors", "training-faces.npz", *TRAINING_FILES]


def test_metrics_have_a_row_an_epoch(whole: Path) -> None:
    table = read_metrics(whole / "training")
    first = ["epoch", "size", "dilated", "learning_rate", "train_loss", "train_accuracy", "val_loss", "val_accuracy"]
    worst = ["worst_group_accuracy", "worst_group"]
    assert list(table) == [*first, *worst, *[f"val_{group}" for group in GROUPS], "images_per_second", "seconds"]
    assert table[["epoch", "size", "dilated"]].to_numpy().tolist() == [[1, 32, False], [2, 40, True]]
    assert table["learning_rate"].tolist() == pytest.approx([learning_rate(n, 8, WHOLE) for n in (0, 4)], rel=1e-5)
    assert table["worst_group_accuracy"].tolist() == table[[f"val_{group}" for group in GROUPS]].min(axis=1).tolist()


def test_kept_model_belongs_to_the_last_geometry(whole: Path, store: AlignedStore) -> None:
    model = load_model(whole)
    assert (model.info.input_size, model.info.dilated, model.info.epoch) == (40, True, 2)
    assert model.info.training.stages[1].to_json() == dataclasses.asdict(WHOLE.stages[1])
    data = model.info.data
    assert data.fingerprint == store.manifest.data_fingerprint
    assert data.faces == {"train": 36, "val": 16}
    assert [group.faces for group in data.train_groups] == [6] * 6
    average = load_file(whole / CHECKPOINT)
    assert torch.equal(model.network.fc.weight, average["average.fc.weight"].half().float())


def test_age_head_is_trained_and_thrown_away(whole: Path) -> None:
    assert not [name for name in load_file(whole / "model.safetensors") if "age" in name]
    tensors = load_file(whole / CHECKPOINT)
    assert tensors["model.age.weight"].shape == (7, 2048)
    assert not [name for name in tensors if name.startswith("average.age")]


def test_states_go_from_running_to_finished(whole: Path, beats: list) -> None:
    states = [status.state for status, _, _ in beats]
    assert states == ["running"] * (len(states) - 1) + ["finished"]
    assert [on_disk for *_, on_disk in beats] == states
    assert [(s.epoch, s.step) for s, row, _ in beats if row is None] == [
        *[(0, n) for n in (1, 2, 3, 4)],
        *[(1, n) for n in (1, 2, 3, 4)],
        (2, 0),
    ]
    assert [row["epoch"] for _, row, _ in beats if row is not None] == [1, 2]
    first = next(status for status, *_ in beats if (status.epoch, status.step) == (0, 1))
    # three steps of 32² left and four of 40², dilated: (3 + 4 · 1.3 · 1600/1024) · 8 pictures
    assert first.eta * first.images_per_second == pytest.approx(89, rel=0.01)
    last = read_status(whole / "training")
    assert (last.state, last.epoch, last.epochs, last.steps, last.eta) == ("finished", 2, 2, 4, None)
    assert not last.alive


def test_validation_equals_a_slow_one_face_by_face(whole: Path, store: AlignedStore) -> None:
    run = Run(store, whole, WHOLE, fabric())
    run.load()
    run.average.set_dilation(True)
    metrics = run.validate(WHOLE.stages[1])
    run.average.eval()
    losses, right = [], {}
    for face in store.split("val").itertuples():
        label = int(face.gender == "male")
        with torch.no_grad():
            logits = run.average(normalise(store.images[[face.row]], size=40))[0]
        losses.append(F.cross_entropy(logits, torch.tensor(label)).item())
        right.setdefault(f"{face.gender}_{face.ethnicity}", []).append(int(logits.argmax()) == label)
    assert sorted(right) == GROUPS
    assert {group: metrics[f"val_{group}"] for group in GROUPS} == {g: sum(r) / len(r) for g, r in right.items()}
    assert metrics["val_loss"] == pytest.approx(sum(losses) / 16, abs=1e-4)
    assert metrics["val_accuracy"] == sum(map(sum, right.values())) / 16


def test_resume_after_an_epoch_is_bit_identical(whole: Path, half: Path, store: AlignedStore, folder: Path) -> None:
    shutil.copytree(half, folder)
    assert train(store, folder, WHOLE, fabric=fabric(), resume=True).state == "finished"
    assert_same_run(whole, folder)


def test_resume_within_an_epoch_is_bit_identical(whole: Path, half: Path, store: AlignedStore, folder: Path) -> None:
    shutil.copytree(half, folder)
    status = train(store, folder, WHOLE, fabric=fabric(), resume=True, stop=stop_before(3))
    assert (status.state, status.epoch, status.step) == ("stopped", 1, 3)
    assert read_status(folder / "training") == status
    assert (counters(folder)["epoch"], counters(folder)["step"]) == (1, 3)
    assert train(store, folder, WHOLE, fabric=fabric(), resume=True).state == "finished"
    assert_same_run(whole, folder)


def test_resume_within_the_first_epoch_in_bf16_with_sgd(store: AlignedStore, folder: Path, place: Path) -> None:
    sgd = Optimiser(name="sgd", lr=0.05, schedule="plateau")
    config = TrainConfig(stages=(Stage(size=32),), batch=8, norm_batches=1, balance="group", optimiser=sgd)
    train(store, place / "one-go", config, fabric=fabric("bf16-mixed"))
    train(store, folder, config, fabric=fabric("bf16-mixed"), stop=stop_before(2))
    assert files(folder) == ["training/checkpoint.safetensors", "training/status.json"]
    train(store, folder, config, fabric=fabric("bf16-mixed"), resume=True)
    assert_same_run(place / "one-go", folder)


def test_stop_after_epochs_already_run_trains_no_further(half: Path, store: AlignedStore) -> None:
    before = counters(half)
    assert train(store, half, WHOLE, fabric=fabric(), resume=True, stop_after=1).epoch == 1
    assert counters(half) == before


def test_resume_is_refused_with_other_settings_or_data(half: Path, store: AlignedStore, tmp_path: Path) -> None:
    untouched = {name: (half / name).stat().st_mtime_ns for name in files(half)}
    changed_config = dataclasses.replace(WHOLE, optimiser=Optimiser(lr=2e-3), seed=1)
    with pytest.raises(LookwhereError, match="another optimiser, seed; ") as caught:
        train(store, half, changed_config, fabric=fabric(), resume=True)
    assert str(half / CHECKPOINT) in str(caught.value)
    with pytest.raises(LookwhereError, match="other data"):
        train(make_store(tmp_path / "other", seed=1), half, WHOLE, fabric=fabric(), resume=True)
    assert {name: (half / name).stat().st_mtime_ns for name in files(half)} == untouched


def test_resume_is_refused_with_other_images_or_other_faces_of_the_same_data(half: Path, store: AlignedStore) -> None:
    """A checkpoint of before this was kept says nothing of it, and goes on."""
    realigned = dataclasses.replace(store, manifest=dataclasses.replace(store.manifest, padding=60))
    message = r"train faces that were aligned otherwise .border before detection 60, not 0.; resume with the same store"
    with pytest.raises(LookwhereError, match=message):
        train(realigned, half, WHOLE, fabric=fabric(), resume=True)
    mixed = dataclasses.replace(store, faces=store.faces.iloc[::-1].reset_index(drop=True))
    with pytest.raises(LookwhereError, match="other faces of the same data, or in another order"):
        train(mixed, half, WHOLE, fabric=fabric(), resume=True)
    meta = {key: value for key, value in counters(half).items() if key not in ("faces", "alignments")}
    save_file(load_file(half / CHECKPOINT), half / CHECKPOINT, {"meta": json.dumps(meta)})
    assert train(realigned, half, WHOLE, fabric=fabric(), resume=True, stop_after=1).state == "stopped"


def test_resume_is_refused_without_a_sound_checkpoint(store: AlignedStore, folder: Path) -> None:
    with pytest.raises(LookwhereError, match="nothing to resume") as caught:
        train(store, folder, WHOLE, fabric=fabric(), resume=True)
    assert str(folder / CHECKPOINT) in str(caught.value)
    for spoil in (lambda f: f.write_bytes(b"garbage"), lambda f: save_file({"a": torch.zeros(1)}, f)):
        spoil(folder / CHECKPOINT)
        with pytest.raises(LookwhereError, match="damaged") as caught:
            train(store, folder, WHOLE, fabric=fabric(), resume=True)
        assert str(folder / CHECKPOINT) in str(caught.value)


def test_a_checkpoint_of_which_one_number_changed_is_told(whole: Path, tmp_path: Path) -> None:
    """One of before it kept a digest goes on."""
    for name in ("bn1.bias", "counters"):
        file = Path(shutil.copy(whole / CHECKPOINT, tmp_path / f"{name}.safetensors"))
        tensors, meta = load_checkpoint(file)
        with safe_open(file, framework="pt") as opened:
            texts = opened.metadata()
        if name == "counters":
            texts["meta"] = json.dumps(meta | {"epoch": 7})
        else:
            tensors[f"average.{name}"][0] += 1e-6
        save_file(tensors, file, texts)
        with pytest.raises(LookwhereError, match=rf"{name}\.safetensors: the checkpoint is damaged .*SHA-256"):
            load_checkpoint(file)
        save_file(tensors, file, {"meta": texts["meta"]})
        assert load_checkpoint(file)[1]["epoch"] == json.loads(texts["meta"])["epoch"]


def test_what_it_was_computed_in_is_kept_and_resuming_otherwise_is_refused(
    store: AlignedStore, folder: Path, place: Path
) -> None:
    """A checkpoint of before this was kept says nothing of it, and goes on."""
    train(store, folder, WHOLE, fabric=fabric("bf16-mixed"), stop_after=1)
    computed = {"precision": "bf16-mixed", "device": "cpu", "processes": 1}
    assert json.loads((folder / "model.json").read_text())["computed"] == counters(folder)["computed"] == computed
    with pytest.raises(LookwhereError, match="computed with precision bf16-mixed, not 32-true; go on as it began"):
        train(store, folder, WHOLE, fabric=fabric(), resume=True)
    meta = counters(folder)
    del meta["computed"]
    save_file(load_file(folder / CHECKPOINT), folder / CHECKPOINT, {"meta": json.dumps(meta)})
    assert train(store, folder, WHOLE, fabric=fabric(), resume=True).state == "finished"
