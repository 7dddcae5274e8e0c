"""What is declared of an imported model: checked, applied to pictures and to outputs, and never guessed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, softmax

from core.classifiers.imported.outputs import classes_doubt, doubt, to_logits
from core.classifiers.imported.prepared import prepare
from core.classifiers.imported.spec import InputOutputSpec, declare, from_dict
from core.classifiers.preprocessing import normalise
from core.errors import LookwhereError
from core.privacy import coarse

WHOLE = {"score": "logits", "female": 0, "male": 1, "size": [112, 112], "mean": [0.5] * 3, "std": [0.25] * 3}


def pictures(count: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 112, 112, 3), dtype=np.uint8)


def test_a_whole_picture_is_scaled_as_our_own_network_has_it() -> None:
    images = pictures()
    ours = normalise(images, size=112, mean=[0.5] * 3, std=[0.25] * 3).numpy()
    np.testing.assert_allclose(prepare(images, from_dict(WHOLE)), ours, atol=1e-6)


def test_resizing_is_antialiased_and_near_torchs_own() -> None:
    images = pictures()
    ours = prepare(images, from_dict(WHOLE | {"size": 56}))
    raw = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    theirs = torch.nn.functional.interpolate(raw, (56, 56), mode="bilinear", antialias=True).numpy()
    # Pillow rounds to whole grey levels twice, once an axis.
    assert np.abs(ours * 0.25 * 255 + 0.5 * 255 - theirs).max() <= 1.01


def test_a_crop_takes_its_own_pixels_and_mirrors_what_lies_beyond() -> None:
    images = pictures()
    plain = {"mean": [0, 0, 0], "std": [1, 1, 1], "divisor": 1}
    inside = prepare(images, from_dict(WHOLE | plain | {"size": [30, 20], "crop": [10, 40, 30, 70]}))
    np.testing.assert_array_equal(inside, images[:, 40:70, 10:30].transpose(0, 3, 1, 2))
    beyond = prepare(images, from_dict(WHOLE | plain | {"size": [16, 112], "crop": [0, 104, 112, 120]}))
    np.testing.assert_array_equal(beyond[:, :, :8], images[:, 104:].transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(beyond[:, :, 8:], images[:, :103:-1].transpose(0, 3, 1, 2))


def test_layout_channels_and_divisor() -> None:
    images = pictures()
    plain = WHOLE | {"mean": [1, 2, 3], "std": [2, 2, 2], "divisor": 1}
    expected = (images.astype(np.float32) - [1, 2, 3]) / 2
    np.testing.assert_allclose(prepare(images, from_dict(plain | {"layout": "nhwc"})), expected, rtol=1e-6)
    swapped = prepare(images, from_dict(plain | {"channels": "bgr"}))
    backwards = (images[..., ::-1].astype(np.float32) - [1, 2, 3]) / 2
    np.testing.assert_allclose(swapped, backwards.transpose(0, 3, 1, 2), rtol=1e-6)
    grey = prepare(images, from_dict(plain | {"channels": "grey", "mean": [0], "std": [1]}))
    assert grey.shape == (3, 1, 112, 112)
    np.testing.assert_allclose(grey[:, 0], images @ np.array([0.299, 0.587, 0.114]), rtol=1e-5)


def test_no_picture_gives_an_empty_batch() -> None:
    assert prepare(pictures(0), from_dict(WHOLE | {"size": [64, 64]})).shape == (0, 3, 64, 64)


@given(z=st.floats(-12, 12), of=st.sampled_from(["female", "male"]))
def test_one_output_keeps_its_probability(z: float, of: str) -> None:
    for score, value in (("logit", z), ("probability", expit(z))):
        logits = to_logits(np.array([[value]]), InputOutputSpec(score=score, of=of))
        p = softmax(logits.astype(np.float64), axis=1)[0, 0 if of == "female" else 1]
        assert p == pytest.approx(expit(z), abs=1e-5)


def test_outputs_a_class_are_picked_by_index_and_probabilities_keep_their_ratio() -> None:
    raw = np.random.default_rng(0).normal(size=(5, 4))
    logits = to_logits(raw, InputOutputSpec(score="logits", female=3, male=1))
    np.testing.assert_allclose(logits, raw[:, [3, 1]], rtol=1e-6)
    logs = to_logits(softmax(raw, axis=1), InputOutputSpec(score="probabilities", female=3, male=1))
    np.testing.assert_allclose(logs[:, 0] - logs[:, 1], raw[:, 3] - raw[:, 1], rtol=1e-4)
    sure = to_logits(np.array([[1.0, 0.0]]), InputOutputSpec(score="probabilities", female=0, male=1))
    assert np.isfinite(sure).all() and sure[0, 0] > sure[0, 1]


@pytest.mark.parametrize(
    ("outputs", "content", "words"),
    [
        ([[2.0, -1.0]], {"score": "probabilities", "female": 0, "male": 1}, "are these logits"),
        ([[0.1, 0.9]], {"score": "logit", "of": "male"}, "is one output, the model gave 2"),
        ([[0.1]], {"score": "logits", "female": 0, "male": 1}, "the model gave 1"),
        ([[float("nan"), 0.0]], {"score": "logits", "female": 0, "male": 1}, "not finite"),
    ],
)
def test_outputs_that_cannot_be_what_was_declared_are_refused(outputs: list, content: dict, words: str) -> None:
    with pytest.raises(LookwhereError, match=words):
        to_logits(np.array(outputs), from_dict(content))


def test_logits_that_look_like_probabilities_are_doubted() -> None:
    raw = np.random.default_rng(0).normal(size=(60, 2)) * 3
    declared = InputOutputSpec(score="logits", female=0, male=1)
    assert doubt(raw, declared) is None
    assert "are these probabilities" in doubt(softmax(raw, axis=1), declared)
    assert doubt(softmax(raw, axis=1)[:20], declared) is None
    sigmoids = expit(raw)  # of two labels apart: they do not add up to 1
    assert "are these probabilities?" in doubt(sigmoids, declared)
    assert "are these probabilities?" in doubt(np.concatenate([sigmoids, raw * 30 + 40], axis=1), declared)
    assert doubt(np.concatenate([raw, sigmoids], axis=1), declared) is None
    assert "is this a probability?" in doubt(expit(raw[:, :1]), InputOutputSpec(score="logit", of="male"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "score not declared"),
        ({"score": "guess"}, "score must be one of"),
        ({"score": "logits"}, "two different output indices"),
        ({"score": "logits", "female": 1, "male": 1}, "two different output indices"),
        ({"score": None}, "score not declared; it is one of logits, .* Score says what the outputs are"),
        ({"score": "logit"}, "of not declared; score logit is a single output, of female or male. Of says the class"),
        ({"score": "logits", "male": 1}, "female not declared; .* Female says which output is female, counted from 0"),
        ({"score": "logit", "of": "man"}, "must be one of female, male"),
        (WHOLE | {"femal": 1}, "unknown femal"),
        (WHOLE | {"size": "112"}, "size must be a list of numbers, .* such as `size: .224, 224.`"),
        (WHOLE | {"std": [1e308] * 3}, "std and divisor: expected numbers of 0.001 to 65,536"),
        (WHOLE | {"std": [0.2, 0.2, 1e-9]}, "std and divisor: expected numbers of"),
        (WHOLE | {"std": [0, 1, 1]}, "must be above 0"),
        (WHOLE | {"std": [float("nan")] * 3}, "std must be a number, not nan"),
        (WHOLE | {"divisor": 1e300}, "std and divisor: expected numbers of"),
        (WHOLE | {"divisor": 1, "mean": [1e308] * 3}, "mean: expected numbers of at most 65,536"),
        (WHOLE | {"size": [112.5, 112]}, "size must be a whole number"),
        (WHOLE | {"size": [4, 4]}, "8 to 2,048 pixels"),
        (WHOLE | {"mean": [0.5]}, "expected 3 numbers"),
        (WHOLE | {"std": [0.5, 0.5, 0]}, "above 0"),
        (WHOLE | {"crop": [50, 0, 20, 112]}, "left < right"),
        (WHOLE | {"crop": [0, 0, 500, 112]}, "left < right"),
        (WHOLE | {"crop": [50, 50, 51, 51]}, "16 pixels of the template a side are the least"),
        (WHOLE | {"layout": 3}, "layout must be a word"),
        (WHOLE | {"layer": ["x" * 100_000] * 1000}, "layer must be a word"),
        (WHOLE | {"mean": [0.5, 0.5, float("nan")]}, "mean must be a number"),
        (WHOLE | {"mean": [124, 116, 104.5]}, "mean 124, 116, 104.5: are these for pixels of 0–255. declare divisor 1"),
        (WHOLE | {"mean": [124, 116, 104], "divisor": 255}, "declare divisor 1"),
        ({"score": "logit", "of": "male", "female": 0}, "score logit is one output, and `of` says whose"),
        ({"score": "probability", "of": "male", "male": 1}, "score probability is one output"),
        ({"score": "label", "of": "male"}, "a label names the gender itself"),
        ({"score": "percentage"}, "Declare it in the YAML file, such as `of: male`, or by --of"),
        (WHOLE | {"resize": "nearest"}, "resize must be one of pillow-bilinear"),
        (WHOLE | {"pooling": "median"}, "pooling must be one of avg, max"),
        (WHOLE | {"bn_eps": 2}, "bn_eps: expected a number above 0 and under 1"),
        (WHOLE | {"of": "male"}, "of: is for one logit or probability"),
        (WHOLE | {"by_default": ["mean"]}, "by_default must be one of channels, divisor, layout, crop, resize"),
        (WHOLE | {"by_default": "crop"}, "by_default must be a list of words"),
    ],
)
def test_a_wrong_declaration_is_refused_in_one_line(content: dict, words: str) -> None:
    with pytest.raises(LookwhereError, match=words) as error:
        from_dict(content, "theirs.yaml")
    assert (
        "\n" not in str(error.value)
        and len(str(error.value)) < 400
        and " None" not in str(error.value)
        and str(error.value).startswith("theirs.yaml: ")
    )


def test_flags_win_over_the_file_and_what_is_set_survives_json(tmp_path: Path) -> None:
    file = tmp_path / "theirs.yaml"
    file.write_text("score: logits\nfemale: 0\nmale: 1\nsize: 64\nmean: [0, 0, 0]\nstd: [1, 1, 1]\n")
    spec = declare(file, female=2, size=None)
    assert (spec.female, spec.male, spec.size) == (2, 1, (64, 64))
    assert from_dict(spec.as_dict()) == spec
    file.write_text("just words")
    with pytest.raises(LookwhereError, match="expected lines"):
        declare(file)
    file.write_text("[" * 3000)
    with pytest.raises(LookwhereError, match="not a readable YAML"):
        declare(file)
    file.write_text("a: [")
    with pytest.raises(LookwhereError, match="not a readable YAML"):
        declare(file)
    with pytest.raises(LookwhereError, match="size, mean, std not declared"):
        from_dict({"score": "logits", "female": 0, "male": 1}).for_images()


def test_what_nobody_declared_is_kept_and_survives_json(tmp_path: Path) -> None:
    assert from_dict(WHOLE).by_default == ("channels", "divisor", "layout", "crop", "resize")
    spec = from_dict(WHOLE | {"channels": "rgb", "crop": [0, 0, 112, 112], "divisor": None})
    assert spec.by_default == ("divisor", "layout", "resize")
    assert from_dict(json.loads(json.dumps(spec.as_dict()))) == spec
    full = from_dict(
        WHOLE | {"channels": "rgb", "crop": [0, 0, 112, 112], "divisor": 255, "layout": "nchw", "resize": "area"}
    )
    assert full.by_default == () and from_dict(json.loads(json.dumps(full.as_dict()))) == full
    copied = tmp_path / "copied.yaml"
    copied.write_text(json.dumps(spec.as_dict()))  # which is YAML too
    assert declare(copied) == spec
    assert declare(copied, layout="nhwc", resize="area").by_default == ("divisor",)
    copied.write_text(json.dumps(spec.as_dict() | {"by_default": [["crop"]]}))
    with pytest.raises(LookwhereError, match=r"copied\.yaml: by_default must be a list of words"):
        declare(copied)


def test_maps_finer_than_privacy_allows_are_refused() -> None:
    fine = np.zeros((2, 2, 14, 14), dtype=np.float32)
    assert coarse(fine) is fine
    for shape in ((15, 14), (7, 112)):
        with pytest.raises(LookwhereError, match=f"maps of {shape[0]}×{shape[1]} cells .* 14×14 are the most"):
            coarse(np.zeros((1, 2, *shape)))


def test_swapped_classes_are_asked_about_only_where_chance_is_out() -> None:
    assert classes_doubt(0.06, 500)
    assert not classes_doubt(0.94, 500)
    assert not classes_doubt(0.4, 10)
    assert not classes_doubt(0.0, 0)
