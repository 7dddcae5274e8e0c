"""The detector beside the library's: the same faces, averages, and suppression; and the benchmark of both."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from facenet_pytorch.models.utils import detect_face as library
from PIL import Image, ImageOps

from benchmarks.alignment import rows
from core.data.cascade import Sums, of_nested, suppressed
from core.data.detection import detect, load_detector
from core.data.frame import GREY
from tests.helpers.portrait import PORTRAIT


@pytest.fixture(scope="module")
def head() -> Image.Image:
    """A face, cut just beyond hair and chin."""
    with Image.open(PORTRAIT) as image:
        return image.convert("RGB").crop((150, 40, 370, 330))


def test_suppression_keeps_images_apart_where_boxes_reach_beyond_the_edge() -> None:
    """Boxes (0, 0, 10, 10) of image 0 and (−9, −9, 1, 1) of image 1. The library moves the second by its largest
    coordinate plus one, 11, to (2, 2, 12, 12): 64 of 136 pixels are both's, over the threshold of 0.3."""
    boxes = np.array([[0.0, 0, 10, 10], [-9, -9, 1, 1]])
    scores = np.array([0.9, 0.8])
    tensors = torch.from_numpy(boxes), torch.from_numpy(scores)
    assert library.batched_nms(*tensors, torch.tensor([0, 1]), 0.3).tolist() == [0]
    assert suppressed(boxes, scores, np.array([0, 1]), 0.3).tolist() == [0, 1]
    assert suppressed(boxes + np.array([[0], [11]]), scores, np.array([2, 2]), 0.3).tolist() == [0]
    assert suppressed(boxes[:0], scores[:0], np.zeros(0, int), 0.3).tolist() == []


def test_of_nested_boxes_as_sure_as_each_other_the_last_is_kept() -> None:
    """Five boxes a pixel apart, three of certainty 1; and one of a quarter of their area that lies in none."""
    boxes = np.array([[float(n), n, n + 50, n + 50] for n in range(5)] + [[200.0, 200, 225, 225]])
    assert of_nested(boxes, np.array([1.0, 0.9, 1.0, 1.0, 0.8, 0.7]), 0.7).tolist() == [3, 5]
    # A box of 10 pixels a side wholly in the first is its part, whatever share of the first it is.
    inside = np.array([[0.0, 0, 50, 50], [20, 20, 30, 30]])
    assert of_nested(inside, np.array([0.8, 0.9]), 0.7).tolist() == [1]


@pytest.mark.parametrize("border", [0, 60])
def test_faces_are_those_of_the_library(head: Image.Image, border: int) -> None:
    """To a thousandth of a pixel, on a face alone, two of them, a part of one that reaches the edge, and none."""
    pair = Image.new("RGB", head.size, (150, 140, 130))
    for at in ((10, 30), (120, 150)):
        pair.paste(head.resize((90, 118)), at)
    edge = head.crop((40, 30, 40 + head.width, 30 + head.height))
    images = [head, pair, edge, Image.new("RGB", head.size, (9, 90, 30))]
    detector = load_detector()
    detections = detect(detector, np.stack([np.asarray(image) for image in images]), border)
    assert [len(faces) for faces in detections] == [1, 2, 1, 0]
    for image, faces in zip(images[:3], detections, strict=False):
        boxes, certainty, points = detector.detect(ImageOps.expand(image, border, GREY), landmarks=True)
        np.testing.assert_allclose(faces.boxes, boxes.astype(float), atol=1e-3)
        np.testing.assert_allclose(faces.certainty, certainty.astype(float), atol=1e-5)
        np.testing.assert_allclose(faces.points, points.astype(float), atol=1e-3)


def test_sums_average_as_adaptive_pooling_does() -> None:
    """Larger and smaller, and across the border's edge, against torch on the image with its border."""
    draw = np.random.default_rng(3)
    images = draw.integers(0, 256, (5, 23, 31, 3), dtype=np.uint8)
    sums = Sums(images, border=7)
    whole = torch.from_numpy(np.pad(images, ((0, 0), (7, 7), (7, 7), (0, 0)), constant_values=GREY[0]))
    whole = (whole.permute(0, 3, 1, 2).double() - 127.5) / 128
    for size in ((11, 13), (40, 50)):
        right = F.adaptive_avg_pool2d(whole, size).permute(0, 2, 3, 1)
        np.testing.assert_allclose(sums.scaled(*size), right, atol=1e-6)
    squares = np.array([[0, 0, 45, 37], [3, 5, 12, 9], [20, 30, 45, 37]])
    for crop, n, (x, y, far_x, far_y) in zip(
        sums.crops(np.array([4, 0, 2]), squares, 24), (4, 0, 2), squares, strict=True
    ):
        right = F.adaptive_avg_pool2d(whole[n, :, y:far_y, x:far_x], 24).permute(1, 2, 0)
        np.testing.assert_allclose(crop, right, atol=1e-6)


def test_the_benchmark_compares_ours_with_the_library() -> None:
    """One batch of the portraits that come with Lookwhere: all found both ways, the landmarks the same."""
    (row,) = rows(seconds=0)
    assert row["images"] == 8
    assert row["found, align"] == row["found, same way"] == 1
    assert row["align, off, largest px"] < 0.01
    assert row["align, times detect"] > 0.8
