"""What the declared input decides: accuracies under each setting, worked out again from audits made one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.audit.average_setting import AverageSetting, KeepAverages
from core.audit.run import run_audit
from core.audit.settings import admissible, try_settings
from core.audit.tried_settings import FILE, Setting, Tried, keep, kept_settings
from core.classifiers.folder import load_model
from core.classifiers.imported import declare, import_model
from core.classifiers.imported.own_template import NAMED, crop_of, points_of
from core.data.realignment import realigned
from core.errors import LookwhereError
from core.present.text.settings import kept_words, settings_report
from core.template import SIDE, TEMPLATE
from tests.helpers.made_store import make_store
from tests.helpers.onnx_made import DECLARED, small_onnx


def test_each_setting_is_the_audit_of_a_model_imported_with_it(tmp_path: Path) -> None:
    store, file = make_store(tmp_path / "store", faces=90), small_onnx(tmp_path / "small.onnx")
    model = load_model(import_model(file, "small", DECLARED, models=tmp_path / "models"))
    trials = try_settings(model, store, store.faces, ("resize", "channels", "crop"))
    assert len(trials.settings) == 1 + 6 + 1 + 4
    for n, name, change in (
        (0, "bilinear (declared)", {}),
        (1, "pillow-bilinear", {"resize": "pillow-bilinear"}),
        (7, "bgr", {"channels": "bgr"}),
        (8, "10 % tighter", {"crop": (5.6, 5.6, 106.4, 106.4)}),
        (10, "5 % up", {"crop": (0, -5.6, 112, 106.4)}),
    ):
        assert trials.settings[n].value == name
        second_model = load_model(import_model(file, f"m{n}", replace(DECLARED, **change), models=tmp_path / "models"))
        audit = run_audit(store, second_model, ("all",), maps="none", averages=AverageSetting(KeepAverages.NO))
        np.testing.assert_array_equal(trials.right[n], audit.faces["correct"])
        assert trials.sureness[n] == pytest.approx(np.abs(2 * audit.faces["p_male"] - 1).mean(), abs=1e-5)
    assert trials.right.min(axis=0).sum() < trials.right[0].sum()  # settings matter for these faces


def test_least_and_most_by_group_and_a_sign_that_turns() -> None:
    faces = pd.DataFrame({"gender": ["female"] * 4 + ["male"] * 4, "ethnicity": ["A", "A", "B", "B"] * 2})
    right = np.array([[1, 1, 1, 0, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0, 1, 1]], dtype=bool)
    trials = Tried((Setting("resize", "a (declared)"), Setting("resize", "b")), faces, right, np.array([0.5, 0.25]))
    table = trials.by_group().set_index(["gender", "ethnicity"])
    assert tuple(table.loc["male", "A"][["n", "declared", "least", "most"]]) == (2, 1.0, 0.0, 1.0)
    assert tuple(table.loc["female", "B"][["least at", "most at"]]) == ("a (declared)", "b")
    np.testing.assert_allclose(trials.gender_gaps(), [-0.25, 0.5])
    text = settings_report(trials, "these")
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


def test_a_named_template_is_the_crop_that_it_is_of_ours() -> None:
    spec = declare(None, score="logits", female=0, male=1, size=[112, 96], mean=[0.5] * 3, std=[0.5] * 3,
                    template="sphereface")  # fmt: skip
    assert spec.crop == pytest.approx((8, 0, 104, 112))
    assert "crop" not in spec.by_default
    # Twice as large, with the eyes' middle 10 pixels further right: half as wide a crop, moved back.
    points = 2 * (TEMPLATE + 0.5) - 0.5 - (56, 40) + (10, 0)
    assert crop_of(points_of(points.tolist(), (112, 112)), (112, 112)) == pytest.approx((23, 20, 79, 76))
    assert crop_of(points_of("FFHQ", (256, 256)), (256, 256)) == crop_of(points_of("ffhq", (512, 512)), (512, 512))
    for name, (size, points) in NAMED.items():
        left, top, right, bottom = crop_of(points_of(name, size), size)
        assert (right - left) / size[1] == pytest.approx((bottom - top) / size[0], abs=1e-3)
        scale = size[1] / (right - left)
        laid = (TEMPLATE + 0.5 - (left, top)) * scale - 0.5
        assert np.linalg.norm(laid - points, axis=1).max() < 0.07 * scale * np.ptp(TEMPLATE[:, 0]), name


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("dlib", "none of arcface, sphereface, ffhq"),
        ([1, 2, 3], "ten numbers"),
        ("sphereface", "not alike"),
        (TEMPLATE[:, ::-1].tolist(), "x before y"),
        ((SIDE - TEMPLATE).tolist(), "not left eye"),
    ],
)
def test_what_is_no_template_is_refused(template: object, message: str) -> None:
    with pytest.raises(LookwhereError, match=message):
        declare(None, score="logits", female=0, male=1, size=112, mean=[0.5] * 3, std=[0.5] * 3, template=template)


def test_realigned_faces_are_where_their_landmarks_say() -> None:
    draw = np.random.default_rng(0)
    faces = np.zeros((2, SIDE, SIDE, 3), dtype=np.uint8)
    faces[0] = draw.integers(0, 255, (SIDE, SIDE, 3))
    points = np.stack([TEMPLATE, TEMPLATE + np.array([3, -2])])
    for x, y in points[1].round().astype(int):
        faces[1, y - 1 : y + 2, x - 1 : x + 2] = 200
    realigned_faces = realigned(faces, points, TEMPLATE)
    np.testing.assert_array_equal(realigned_faces[0], faces[0])  # on the template already
    np.testing.assert_array_equal(realigned_faces[1, 10:-10, 10:-10], faces[1, 8:-12, 13:-7])
    # By the eyes alone, mouth and nose do not count.
    turned = points.copy()
    turned[1, 2:] += 20
    np.testing.assert_array_equal(realigned(faces, turned, TEMPLATE[:2])[1], realigned(faces, points, TEMPLATE[:2])[1])
    unknown = np.full((2, 5, 2), np.nan)
    np.testing.assert_array_equal(realigned(faces, unknown, TEMPLATE), faces)


def test_alignment_is_tried_and_kept_beside_the_audit(tmp_path: Path) -> None:
    store, file = make_store(tmp_path / "store", faces=90), small_onnx(tmp_path / "small.onnx")
    spec = replace(
        DECLARED,
        template=points_of("ffhq", DECLARED.size),
        crop=crop_of(points_of("ffhq", DECLARED.size), DECLARED.size),
    )
    model = load_model(import_model(file, "small", spec, models=tmp_path / "models"))
    audit = run_audit(store, model, ("all",), maps="none", averages=AverageSetting(KeepAverages.NO))
    with pytest.raises(LookwhereError, match="no landmarks were looked for"):
        try_settings(model, store, store.faces, ("alignment",))
    draw = np.random.default_rng(1)
    store = replace(store, landmarks=(TEMPLATE + draw.normal(0, 3, (90, 5, 2))).astype(np.float32))
    trials = try_settings(model, store, store.faces, ("alignment",))
    assert [setting.value for setting in trials.settings[1:]] == [
        "each face to the declared template",
        "by the eyes alone",
    ]
    np.testing.assert_array_equal(trials.right[0], audit.faces["correct"])
    # The second is the audit of faces that were laid so beforehand.
    left, top, right, bottom = spec.crop
    scale = np.array([(right - left) / spec.size[1], (bottom - top) / spec.size[0]])
    aim = (np.array(spec.template).reshape(5, 2) + 0.5) * scale + (left, top) - 0.5
    laid = realigned(store.images[store.faces["row"]], store.landmarks, aim)
    logits = model.classify.fed(spec).logits(laid)
    np.testing.assert_array_equal(trials.right[1], (logits[:, 1] >= logits[:, 0]) == (store.faces["gender"] == "male"))
    assert kept_words(audit) is None
    keep(trials, audit, adults=False)
    words = kept_words(audit)
    assert words.startswith("How this model is fed is declared, not known: over 3 admissible settings")
    assert "accuracy of 90 faces lies between" in words
    assert kept_settings(audit).groups[0].n == (trials.by_group()["n"]).iloc[0]
    (audit.path / FILE).write_text((audit.path / FILE).read_text().replace(audit.manifest.face_ids_sha256, "0" * 64))
    assert kept_words(audit) is None  # of another audit of this name
