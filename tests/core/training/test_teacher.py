"""What a teacher says of training faces is computed once, kept with a digest, and learnt from; tiny networks."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from safetensors.torch import load_file

from core.classifiers.features import reading
from core.classifiers.folder import load_model, save_model
from core.classifiers.imported import import_model
from core.classifiers.imported.import_options import NetworkOptions
from core.classifiers.info import ModelInfo, TrainingInfo, model_info
from core.classifiers.resnet import GenderResNet
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.present.card.details import protocol
from core.ranks import Ranks
from core.task import GENDER
from core.training import teacher
from core.training.config import Stage, TrainConfig
from core.training.face_sets import FaceSets
from core.training.loop import Run, train
from core.training.processes import make_fabric
from core.training.record import read_metrics
from core.training.teacher import Lessons, find_teacher, lessons
from tests.helpers.onnx_made import DECLARED, small_onnx
from tests.helpers.processes import in_processes

CONFIG = TrainConfig(
    stages=(Stage(size=32, epochs=2),),
    batch=8,
    ema=0.0,
    teacher=("small",),
    teacher_features=0.5,
    teacher_where="always",
    teacher_terms=("CC0, for these tests",),
)


def fabric() -> Fabric:
    return Fabric(accelerator="cpu", devices=1, precision="32-true")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder of models with an imported ONNX file of six features, `small`."""
    import_model(small_onnx(tmp_path / "file.onnx"), "small", DECLARED, models=tmp_path / "models")
    return tmp_path / "models"


def taught(store: AlignedStore, models: Path, **changes: object) -> Lessons:
    config = dataclasses.replace(CONFIG, **changes)
    teacher_lessons = lessons(FaceSets.from_store(store), config, GENDER, models, fabric())
    assert teacher_lessons is not None
    return teacher_lessons


def test_what_is_learnt_is_what_the_teacher_says_of_the_clean_faces(made_store: AlignedStore, models: Path) -> None:
    teacher_lessons, faces = taught(made_store, models), made_store.split("train")
    classify = load_model(models / "small").classify
    logits = classify.logits(made_store.images[faces["row"].to_numpy()])
    np.testing.assert_allclose(teacher_lessons.odds.numpy(), np.clip(logits[:, 1] - logits[:, 0], -10, 10), rtol=1e-5)
    assert teacher_lessons.features.shape == (36, 6)
    moving = teacher_lessons.features.std(dim=0, correction=0) > 0
    torch.testing.assert_close(teacher_lessons.features.mean(dim=0), torch.zeros(6), atol=1e-4, rtol=0)
    torch.testing.assert_close(
        teacher_lessons.features[:, moving].std(dim=0, correction=0), torch.ones(int(moving.sum()))
    )


def test_features_of_each_kind_give_the_logits_by_its_last_layer(made_store: AlignedStore, models: Path) -> None:
    """Of the ONNX file z = W p + b for its averaged p; of a network of ours its own head."""
    import onnx
    from onnx import numpy_helper

    images = made_store.images[np.arange(5)]
    model = load_model(models / "small")
    logits, pooled = reading(model, True)(images)
    initialisers = {t.name: numpy_helper.to_array(t) for t in onnx.load(models / "small/model.onnx").graph.initializer}
    np.testing.assert_allclose(pooled @ initialisers["w"].T + initialisers["b"], logits, atol=1e-4)
    info = ModelInfo(input_size=32, training=TrainingInfo())
    save_model(models / "own", GenderResNet().eval(), info)
    own = load_model(models / "own")
    logits, pooled = reading(own, True)(images)
    weight, bias = own.network.fc.weight.numpy(), own.network.fc.bias.numpy()
    np.testing.assert_allclose(pooled @ weight.T + bias, logits, atol=1e-3)
    assert reading(own, False)(images)[1] is None


def test_an_output_of_the_file_is_read_as_features_by_its_name(made_store: AlignedStore, models: Path) -> None:
    teacher_lessons = taught(made_store, models, teacher_outputs=("z",))
    assert teacher_lessons.features.shape == (36, 2)
    torch.testing.assert_close(teacher_lessons.odds, taught(made_store, models).odds)
    with pytest.raises(LookwhereError, match="no output nowhere; there are z"):
        taught(made_store, models, teacher_outputs=("nowhere",))


def test_maps_by_gradients_of_an_onnx_file_do_not_hinder_its_teaching(
    made_store: AlignedStore, models: Path, tmp_path: Path
) -> None:
    import_model(tmp_path / "file.onnx", "graded", DECLARED, models=models, network=NetworkOptions(maps="gradcam"))
    by_name = taught(made_store, models, teacher=("graded",), teacher_outputs=("z",))
    exact = taught(made_store, models, teacher_outputs=("z",))
    torch.testing.assert_close(by_name.odds, exact.odds)
    torch.testing.assert_close(by_name.features, exact.features)
    with pytest.raises(LookwhereError, match="of graded none has features"):
        taught(made_store, models, teacher=("graded",))


def test_the_loss_by_hand() -> None:
    config = dataclasses.replace(CONFIG, teacher_weight=0.25, teacher_temperature=2.0, label_smoothing=0.0)
    teacher_lessons = Lessons(torch.tensor([2.0, -1.0, 4.0]), torch.tensor([1.0, 0.0, 1.0]), torch.eye(3), config)
    places, logits, label = torch.tensor([2, 1]), torch.tensor([[0.0, 1.0], [0.5, -0.5]]), torch.tensor([1, 0])
    hard = [-F.log_softmax(logits[n], 0)[label[n]].item() for n in (0, 1)]
    q = 1 / (1 + np.exp(-2.0))  # face 2: log-odds 4 at temperature 2
    warm = F.log_softmax(logits[0] / 2, 0)
    soft = -(q * warm[1] + (1 - q) * warm[0]).item()
    expected = ((0.75 * hard[0] + 0.25 * 4 * soft) + hard[1]) / 2  # face 1 is not trusted: its label alone
    assert teacher_lessons.label_loss(places, logits, label).item() == pytest.approx(expected, rel=1e-5)
    matched = torch.tensor([[0.0, 0.0, 3.0], [1.0, 0.0, 0.0]])
    assert teacher_lessons.feature_loss(places, matched).item() == pytest.approx((0 + 1) / 2)


def test_where_a_teacher_errs_by_the_label_the_label_alone_counts(made_store: AlignedStore, models: Path) -> None:
    found = taught(made_store, models, teacher_where="right")
    right = (found.odds.numpy() > 0) == (made_store.split("train")["gender"] == "male").to_numpy()
    assert 0 < right.sum() < len(right)
    np.testing.assert_array_equal(found.trusted.numpy(), right)


def test_it_is_computed_once_and_a_changed_file_is_told(
    made_store: AlignedStore, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = taught(made_store, models)
    [file] = (models / ".teachers").iterdir()

    def refuse(*_: object) -> None:
        raise AssertionError("asked again")

    monkeypatch.setattr(teacher, "_compute", refuse)
    again = taught(made_store, models)
    assert torch.equal(first.odds, again.odds) and torch.equal(first.features, again.features)
    with np.load(file) as kept:
        arrays = dict(kept)
    arrays["logits"][0] += 1
    np.savez(file, **arrays)
    with pytest.raises(LookwhereError, match="changed since it was written; delete it"):
        taught(made_store, models)
    file.write_bytes(b"no archive")
    with pytest.raises(LookwhereError, match="not readable"):
        taught(made_store, models)


def test_a_run_stopped_goes_on_exactly_and_the_card_names_the_teacher(made_store: AlignedStore, models: Path) -> None:
    whole, broken = models / "whole", models / "broken"
    train(made_store, whole, CONFIG, fabric=fabric())
    asked = itertools.count()
    train(made_store, broken, CONFIG, fabric=fabric(), stop=lambda: next(asked) >= 5)
    train(made_store, broken, CONFIG, fabric=fabric(), resume=True)
    one, other = (load_file(folder / "training/checkpoint.safetensors") for folder in (whole, broken))
    assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)
    assert any("projection" in key for key in one)
    assert not any("projection" in key for key in load_file(whole / "model.safetensors"))
    assert len(read_metrics(whole / "training")) == 2
    [teacher_info], protocol_text = model_info(whole).teachers, protocol(model_info(whole))[0].text
    assert teacher_info.weights_sha256 == model_info(models / "small").weights_sha256
    assert (
        f"small (file.onnx, SHA-256 of its weights {teacher_info.weights_sha256[:16]}…, terms: CC0, for these tests)"
        in protocol_text
    )
    assert "soft labels of every face (weight 0.5, temperature 2.0)" in protocol_text
    assert "thrown away (weight 0.5)" in protocol_text


def test_another_teacher_of_the_same_name_is_refused_at_resume(made_store: AlignedStore, models: Path) -> None:
    train(made_store, models / "made", CONFIG, fabric=fabric(), stop_after=1)
    file = models / "small/model.json"
    model_record = json.loads(file.read_text())
    source = small_onnx(models / "other.onnx", seed=5)
    (models / "small").rename(models / "former")
    import_model(source, "small", DECLARED, models=models)
    assert json.loads(file.read_text())["weights_sha256"] != model_record["weights_sha256"]
    with pytest.raises(LookwhereError, match="began with other teachers"):
        train(made_store, models / "made", CONFIG, fabric=fabric(), resume=True)


def test_a_teacher_helps_where_labels_are_few(made_store: AlignedStore, models: Path) -> None:
    """With soft labels alone the network learns the teacher's decisions, whatever the labels say."""
    config = dataclasses.replace(CONFIG, stages=(Stage(size=32, epochs=4, strength=0.2),), teacher_weight=1.0)
    run = Run(made_store, models / "made", config, fabric())
    before = run.lessons.label_loss(*_batch(run)).item()
    train(made_store, models / "made", config, fabric=fabric())
    after = Run(made_store, models / "made", config, fabric())
    after.load()
    assert after.lessons.label_loss(*_batch(after)).item() < before


def _batch(run: Run) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    places, pixels = run.batch(np.arange(8), 0, run.config.stages[0])
    with torch.no_grad():
        return places, run.model(pixels)[0].float(), run.labels["train"][places]


def test_what_cannot_teach_is_told(made_store: AlignedStore, models: Path, tmp_path: Path) -> None:
    with pytest.raises(LookwhereError, match="--teacher nobody: no model in"):
        find_teacher("nobody", models)
    with pytest.raises(LookwhereError, match="--teacher-terms: 1 for 0 teachers"):
        dataclasses.replace(CONFIG, teacher=())
    import_model(tmp_path / "file.onnx", "mapless", DECLARED, models=models, network=NetworkOptions(maps="occlusion"))
    with pytest.raises(LookwhereError, match="of mapless none has features"):
        taught(made_store, models, teacher=("mapless",))
    both = taught(made_store, models, teacher=("mapless", "small"), teacher_terms=())
    assert both.features.shape == (36, 6)


def test_two_processes_learn_from_what_the_first_computed(made_store: AlignedStore, models: Path) -> None:
    def work(ranks: Ranks) -> None:
        fabric = make_fabric(1, "32-true")
        fabric.launch()
        run = Run(made_store, models / "made", CONFIG, fabric)
        np.save(models.parent / f"said-{ranks.rank}.npy", run.lessons.odds.numpy())

    assert in_processes(2, work) == [0, 0]
    odds_by_rank = [np.load(models.parent / f"said-{rank}.npy") for rank in (0, 1)]
    np.testing.assert_array_equal(*odds_by_rank)
    np.testing.assert_array_equal(odds_by_rank[0], taught(made_store, models).odds.numpy())
