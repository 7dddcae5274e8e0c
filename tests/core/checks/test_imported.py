"""The checks of a model that was imported: what asks for logits alone, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.audit.run import run_audit
from core.checks import deletion
from core.checks.results import HIDING
from core.checks.run import run_checks
from core.classifiers.folder import Model
from core.classifiers.info import ModelInfo, ModelKind
from core.errors import LookwhereError
from core.explain.hiding import Occlusion
from core.present.text import checks as check_text
from tests.helpers.made_store import make_store


class LowerHalf:
    """An imported model: the brighter the lower half of the face, the more it is male; the map says so."""

    head_bias, placement, precision = None, None, "float32"
    maps = {"method": "occlusion", "additive": False, "layer": None}  # noqa: RUF012
    method = Occlusion()

    def logits(self, images: np.ndarray) -> np.ndarray:
        assert images.dtype == np.uint8 and images.shape[1:] == (112, 112, 3)
        z = (images[:, 56:].mean(axis=(1, 2, 3)) - 110) / 10
        return np.stack([-z, z], axis=1).astype(np.float32)

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logits = self.logits(images)
        evidence = np.zeros((len(images), 2, 4, 4), dtype=np.float32)
        evidence[:, :, 2:] = 2 * logits[:, :, None, None]
        return logits, evidence


def test_an_imported_model_is_asked_for_logits_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regions that it does not read cost nothing, those that it reads cost something; what opens layers is refused."""
    monkeypatch.setattr(deletion, "REMOVED", np.array([0.1]))
    monkeypatch.setattr(deletion, "RANDOM_ORDERS", 2)
    store = make_store(tmp_path / "store", faces=240)
    info = ModelInfo(kind=ModelKind.ONNX, weights_sha256="1" * 64)
    model = Model("theirs", tmp_path / "models/theirs", None, info, LowerHalf())
    audit = run_audit(store, model, ("all",), name="own")
    checks = run_checks(audit, model, store, sample=60)
    assert set(checks.parts) == {"deletion", "road", "occlusion", HIDING} and checks.manifest.finished
    assert checks.manifest.precision == "float32"
    rows = checks.rows("occlusion", "regions", checks.groups[0]).set_index(["fill", "region"])["drop"]
    assert rows["grey"]["forehead"] == rows["blur"]["forehead"] == 0
    assert rows["grey"]["mouth"] > 0
    costs = checks.parts[HIDING].tables["costs"]
    assert costs["cost"].abs().max() > 0
    report = check_text.checks_report(checks)
    assert "-- deletion: areas" in report and "randomised" not in report
    for part in ("randomised", "methods"):
        with pytest.raises(LookwhereError, match=f"--parts {part}: .*on an imported model these checks cannot be run"):
            run_checks(audit, model, store, sample=60, parts=(part,))
