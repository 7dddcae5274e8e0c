"""Forms of an import: files named `.pth.tar`, no maps, and the precision that a network computes in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.audit.average_setting import AverageSetting, KeepAverages
from core.audit.folder import open_audit
from core.audit.run import run_audit
from core.classifiers.folder import Model, load_model
from core.classifiers.imported import import_model
from core.classifiers.imported.import_options import NetworkOptions
from core.errors import LookwhereError
from core.photo.prediction import read_faces
from core.present.card import write_card
from core.present.text.tables import audit_report
from tests.helpers.former import write_former
from tests.helpers.made_store import make_store
from tests.helpers.torch_made import declared, made

NETWORK = "torchvision:squeezenet1_1"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the training script of torchvision's examples saves it."""
    file = tmp_path_factory.mktemp("forms") / "model_best.pth.tar"
    state = {f"module.{name}": tensor for name, tensor in made(NETWORK).state_dict().items()}
    torch.save({"epoch": 3, "arch": "squeezenet1_1", "state_dict": state, "best_acc1": torch.tensor(91.2)}, file)
    return file


def imported(checkpoint: Path, models: Path, name: str = "theirs", **given: object) -> Model:
    return load_model(
        import_model(checkpoint, name, declared(), models=models, network=NetworkOptions(NETWORK, **given))
    )


def test_a_checkpoint_named_pth_tar_is_a_state_dict_and_a_tar_archive_is_none(checkpoint: Path, tmp_path: Path) -> None:
    model = imported(checkpoint, tmp_path)
    assert model.info.source.file == "model_best.pth.tar" and "state_dict" in model.info.source.unwrapped
    faces = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), dtype=np.uint8)
    with torch.no_grad():
        pixels = (
            torch.from_numpy(faces).permute(0, 3, 1, 2) / 255
            - torch.tensor(model.classify.spec.mean)[None, :, None, None]
        ) / torch.tensor(model.classify.spec.std)[None, :, None, None]
        expected = made(NETWORK)(pixels).numpy()[:, ::-1]
    np.testing.assert_allclose(model.classify.logits(faces), expected, atol=1e-4)
    (tmp_path / "images.tar").write_bytes(b"\0" * 1024)
    with pytest.raises(LookwhereError, match="not a model that can be imported"):
        import_model(tmp_path / "images.tar", "other", declared(), models=tmp_path, network=NetworkOptions(NETWORK))
    (tmp_path / "images.pth.tar").write_bytes(b"train/\0" * 100)
    with pytest.raises(LookwhereError, match="no file of PyTorch's"):
        import_model(tmp_path / "images.pth.tar", "other", declared(), models=tmp_path, network=NetworkOptions(NETWORK))


def test_no_maps_at_import_or_at_an_audit(checkpoint: Path, tmp_path: Path) -> None:
    plain, without = imported(checkpoint, tmp_path), imported(checkpoint, tmp_path, "without", maps="none")
    assert without.info.maps is None and without.classify.maps is None
    store = make_store(tmp_path / "store", faces=30)
    audits = [
        run_audit(store, model, ("all",), maps=maps, name="none", averages=AverageSetting(KeepAverages.NO))
        for model, maps in ((without, None), (plain, "none"))
    ]
    for audit in audits:
        assert not audit.has_maps and "no maps, computed in float32" in audit_report(audit)
    np.testing.assert_array_equal(audits[0].faces["logit_male"], audits[1].faces["logit_male"])
    assert read_faces(without.classify, list(np.array(store.images[:2])))[0].evidence is None
    assert without.explained_by("occlusion").classify.maps["method"] == "occlusion"
    with pytest.raises(LookwhereError, match="with maps by none, not by occlusion"):
        run_audit(store, plain, ("all",), maps="occlusion", name="none", averages=AverageSetting(KeepAverages.NO))
    with pytest.raises(LookwhereError, match="--maps none asks for none"):
        import_model(
            checkpoint, "x", declared(layer="features"), models=tmp_path, network=NetworkOptions(NETWORK, maps="none")
        )


def test_float32_is_computed_unless_asked_and_card_and_audit_say_so(checkpoint: Path, tmp_path: Path) -> None:
    by_default, fast = imported(checkpoint, tmp_path), imported(checkpoint, tmp_path, "fast", precision="bfloat16")
    assert (by_default.classify.precision, fast.classify.precision) == ("float32", "bfloat16")
    faces = np.random.default_rng(0).integers(0, 256, (4, 112, 112, 3), dtype=np.uint8)
    in_float32, in_bfloat16 = by_default.classify.logits(faces), fast.classify.logits(faces)
    assert 0 < np.abs(in_float32 - in_bfloat16).max() < 0.1 * np.abs(in_float32).max()
    for model, words in ((by_default, "It is computed in float32."), (fast, "bfloat16, which turns the decision")):
        write_card(model.path)
        assert words in (model.path / "CARD.md").read_text(encoding="utf-8")
    audit = run_audit(
        make_store(tmp_path / "store", faces=20), fast, ("all",), averages=AverageSetting(KeepAverages.NO)
    )
    assert open_audit(audit.path).manifest.precision == "bfloat16"
    assert "computed in bfloat16" in audit_report(audit)

    before = fast.info.to_json()
    del before["precision"]  # as earlier versions wrote it: what the device is fastest in
    write_former(fast.path / "model.json", before)
    assert load_model(fast.path).info.precision is None


def test_a_precision_is_for_networks_alone(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("file,score\na.jpg,0.5\n")
    with pytest.raises(LookwhereError, match="predictions alone are computed no more; leave --precision out"):
        import_model(
            tmp_path / "scores.csv", "x", declared(), models=tmp_path, network=NetworkOptions(precision="float32")
        )
