"""What the declared input decides: accuracies under each setting, worked out again from audits made one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.audit.run import KeepAverages, run_audit
from core.audit.settings import admissible, try_settings
from core.audit.tried_settings import Setting, Tried
from core.classifiers.folder import load_model
from core.classifiers.imported import declare, import_model
from core.errors import LookwhereError
from core.present.text.settings import settings_report
from tests.helpers.made_store import make_store
from tests.helpers.onnx_made import DECLARED, small_onnx


def test_each_setting_is_the_audit_of_a_model_imported_with_it(tmp_path: Path) -> None:
    store, file = make_store(tmp_path / "store", faces=90), small_onnx(tmp_path / "small.onnx")
    model = load_model(import_model(file, "small", DECLARED, models=tmp_path / "models"))
    tried = try_settings(model, store, store.faces, ("resize", "channels", "crop"))
    assert len(tried.settings) == 1 + 6 + 1 + 4
    for n, name, change in (
        (0, "bilinear (declared)", {}),
        (1, "pillow-bilinear", {"resize": "pillow-bilinear"}),
        (7, "bgr", {"channels": "bgr"}),
        (8, "10% tighter", {"crop": (5.6, 5.6, 106.4, 106.4)}),
        (10, "5% up", {"crop": (0, -5.6, 112, 106.4)}),
    ):
        assert tried.settings[n].value == name
        other = load_model(import_model(file, f"m{n}", replace(DECLARED, **change), models=tmp_path / "models"))
        audit = run_audit(store, other, ("all",), maps="none", averages=KeepAverages.NO)
        np.testing.assert_array_equal(tried.right[n], audit.faces["correct"])
        assert tried.sureness[n] == pytest.approx(np.abs(2 * audit.faces["p_male"] - 1).mean(), abs=1e-5)
    assert tried.right.min(axis=0).sum() < tried.right[0].sum()  # settings matter for these faces


def test_least_and_most_by_group_and_a_sign_that_turns() -> None:
    faces = pd.DataFrame({"gender": ["female"] * 4 + ["male"] * 4, "ethnicity": ["A", "A", "B", "B"] * 2})
    right = np.array([[1, 1, 1, 0, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0, 1, 1]], dtype=bool)
    tried = Tried((Setting("resize", "a (declared)"), Setting("resize", "b")), faces, right, np.array([0.5, 0.25]))
    table = tried.by_group().set_index(["gender", "ethnicity"])
    assert tuple(table.loc["male", "A"][["n", "declared", "least", "most"]]) == (2, 1.0, 0.0, 1.0)
    assert tuple(table.loc["female", "B"][["least at", "most at"]]) == ("a (declared)", "b")
    np.testing.assert_allclose(tried.gender_gaps(), [-0.25, 0.5])
    text = settings_report(tried, "these")
    assert "women − men: declared −25.0 points, −25.0 to 50.0: the sign depends on the setting" in text


def test_what_cannot_be_varied_is_not(tmp_path: Path) -> None:
    whole = replace(DECLARED, size=(112, 112))
    with pytest.raises(LookwhereError, match="nothing of resize can be varied"):
        admissible(whole, ("resize",))
    large = admissible(replace(DECLARED, size=(224, 224)), ("resize",))
    assert "area" not in [setting.value for setting, _ in large]
    grey = declare(None, score="logits", female=0, male=1, size=112, mean=[0.5], std=[0.5], channels="grey")
    with pytest.raises(LookwhereError, match="112×112 pixels, grey"):
        admissible(grey, ("channels", "resize"))
    store = make_store(tmp_path / "store", faces=20)
    pd.DataFrame({"file": store.faces["path"], "score": 0.5}).to_csv(tmp_path / "s.csv", index=False)
    scores = declare(None, score="probability", of="male")
    model = load_model(import_model(tmp_path / "s.csv", "scores", scores, models=tmp_path))
    with pytest.raises(LookwhereError, match="no input was declared"):
        try_settings(model, store, store.faces)
