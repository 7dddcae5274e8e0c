"""What a model gets of a face, as a picture: scaling undone, colours in their order, the values as they go in."""

from __future__ import annotations

import numpy as np
import pytest

from core.classifiers.imported import from_dict
from core.classifiers.imported.prepared import seen_input
from core.errors import LookwhereError

SPEC = {"score": "logit", "of": "male", "size": [112, 112], "mean": [0.5, 0.25, 0.0], "std": [0.5, 1.0, 0.25]}


def face() -> np.ndarray:
    image = np.zeros((112, 112, 3), np.uint8)
    image[:, :56] = (200, 100, 50)
    return image


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("channels", ["rgb", "bgr"])
def test_the_picture_is_the_face_and_the_values_are_those_that_go_in(layout: str, channels: str) -> None:
    model_input = seen_input(face(), from_dict({**SPEC, "layout": layout, "channels": channels}))
    assert model_input.shape == ((1, 3, 112, 112) if layout == "nchw" else (1, 112, 112, 3))
    np.testing.assert_array_equal(model_input.picture, face())
    first, _, last = (200, 100, 50) if channels == "rgb" else (50, 100, 200)
    values = [(first / 255 - 0.5) / 0.5, -1.0, (100 / 255 - 0.25) / 1.0, -0.25, (last / 255) / 0.25, 0.0]
    assert model_input.low == pytest.approx(min(values), abs=1e-6)
    assert model_input.high == pytest.approx(max(values), abs=1e-6)
    assert model_input.mean == pytest.approx(np.mean(values), abs=1e-5)


def test_grey_and_a_crop_are_seen() -> None:
    grey = {**SPEC, "mean": [0.5], "std": [0.5], "channels": "grey", "size": [28, 28], "crop": [0, 0, 48, 48]}
    model_input = seen_input(face(), from_dict(grey))
    assert model_input.shape == (1, 1, 28, 28)
    assert model_input.picture.shape == (28, 28, 3)
    assert np.unique(model_input.picture).tolist() == [round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)]
    with pytest.raises(LookwhereError, match="mean, std not declared"):
        seen_input(face(), from_dict({"score": "logit", "of": "male", "size": [28, 28]}))
