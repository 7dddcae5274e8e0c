"""Decisions that are others in float32 are counted among the faces nearest to even, and told with the audit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.audit import float32_check as counting
from core.audit import run
from core.audit.average_setting import AverageSetting, KeepAverages
from core.audit.float32_check import float32_check
from core.audit.folder import open_audit
from core.audit.manifest import AuditManifest
from core.audit.run import run_audit
from core.classifiers.folder import Model, load_model
from core.classifiers.imported import import_model
from core.classifiers.imported.import_options import NetworkOptions
from core.classifiers.info import model_info
from core.classifiers.speed import Float32Check
from core.errors import LookwhereError
from core.present.card import write_card
from core.present.text.speed import precision_words
from core.present.text.tables import audit_report
from tests.helpers.former import write_former
from tests.helpers.made_store import make_store
from tests.helpers.torch_made import declared, made
from ui.widgets.help_texts import model_summary

NETWORK = "torchvision:squeezenet1_1"
NO_AVERAGES = AverageSetting(KeepAverages.NO)
MANIFEST = AuditManifest(model="m", dataset="d", splits=("test",), faces=4_029, map_shape=None)


@pytest.fixture(autouse=True)
def decisions_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere in this folder they are not (`decisions_uncounted`)."""
    monkeypatch.setattr(run, "with_float32_check", counting.with_float32_check)


class Exact:
    """A model whose margin of a face is the value of its first pixel less 100, a tenth."""

    def __init__(self) -> None:
        self.seen = 0

    def logits(self, images: np.ndarray) -> np.ndarray:
        self.seen += len(images)
        margin = (images[:, 0, 0, 0].astype(np.float32) - 100) / 10
        return np.stack([np.zeros_like(margin), margin], axis=1)


def test_the_faces_nearest_to_even_are_computed_again_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "NEAREST", 3)
    monkeypatch.setattr(counting, "BATCH", 2)
    images = np.zeros((10, 2, 2, 3), dtype=np.uint8)
    rows = np.array([9, 4, 2, 7, 5])
    images[rows, 0, 0, 0] = [150, 99, 101, 103, 40]  # exact margins 5, −0.1, 0.1, 0.3, −6
    margins = np.array([5.1, 0.05, -0.02, 0.4, -6.0], dtype=np.float32)  # the second and third are turned
    exact = Exact()
    check = float32_check(exact, images, rows, np.stack([np.ones(5), 1 + margins], axis=1))
    assert (check.faces, check.decisions, exact.seen) == (3, 2, 3)
    assert check.margin == pytest.approx(0.15, abs=1e-6) and check.beyond == pytest.approx(5.1)
    assert check.complete
    assert not replace(check, margin=5.2).complete
    monkeypatch.setattr(counting, "NEAREST", 256)
    assert float32_check(exact, images, rows, np.stack([np.ones(5), 1 + margins], axis=1)).beyond is None


def test_what_is_known_of_a_precision_in_words() -> None:
    assert precision_words(MANIFEST) is None
    assert precision_words(replace(MANIFEST, precision="float32")) == "computed in float32"
    lower = replace(MANIFEST, precision="bfloat16")
    assert precision_words(lower).endswith("how many decisions are others in float32, nobody has counted")
    check = Float32Check(faces=256, decisions=4, margin=0.19, beyond=0.46)
    words = precision_words(replace(lower, float32_check=check))
    assert "; 4 of 4,029 decisions are others in float32, counted among the 256 faces nearest to even" in words
    assert "at most 0.19 logits; all others lie 0.46 and more" in words
    few = precision_words(replace(lower, float32_check=replace(check, margin=0.5)))
    assert "; at least 4 of 4,029 decisions" in few


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A network that is computed in bfloat16."""
    from safetensors.torch import save_file

    models = tmp_path_factory.mktemp("float32") / "models"
    file = models.parent / "weights.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in made(NETWORK).state_dict().items()}, file)
    network = NetworkOptions(NETWORK, precision="bfloat16")
    return load_model(import_model(file, "fast", declared(), models=models, network=network))


@pytest.mark.parametrize("maps", [None, "none"])
def test_an_audit_counts_them_and_says_so_on_card_and_page(fast: Model, maps: str | None, tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", faces=40)
    audit = run_audit(store, fast, ("all",), maps=maps, name=f"maps-{maps}", averages=NO_AVERAGES)
    exact = fast.classify.computed(None).logits(np.array(store.images))
    called = np.where(exact[:, 1] >= exact[:, 0], "male", "female")
    check = audit.manifest.float32_check
    assert check.decisions == int((called != audit.faces["predicted"].to_numpy()).sum())
    assert (check.faces, check.beyond) == (40, None) and check.margin > 0
    words = f"computed in bfloat16; {check.decisions} of 40 decisions are others in float32"
    assert words in audit_report(audit)
    write_card(fast.path)
    assert words in (fast.path / "CARD.md").read_text(encoding="utf-8")
    assert f"- C{words[1:]}." in model_summary(model_info(fast.path), audit.manifest, ())

    stored = audit.manifest.to_json()
    write_former(audit.path / "audit.json", {key: value for key, value in stored.items() if key != "float32_check"})
    before = open_audit(audit.path)
    assert "nobody has counted" in audit_report(before)
    again = run_audit(store, fast, ("all",), maps=maps, name=f"maps-{maps}", averages=NO_AVERAGES)
    assert again.manifest.float32_check == check, "an audit of before is counted when it is asked for again"


def test_a_count_beyond_the_faces_is_refused(fast: Model, tmp_path: Path) -> None:
    audit = run_audit(make_store(tmp_path / "store", faces=20), fast, ("all",), name="odd", averages=NO_AVERAGES)
    odd = replace(audit.manifest, float32_check=Float32Check(faces=20, decisions=21, margin=0.1))
    write_former(audit.path / "audit.json", odd.to_json())
    with pytest.raises(LookwhereError, match="more decisions are others in float32"):
        open_audit(audit.path)
