"""Regions partition the template, their weights add up, and they lie where a real store's landmarks are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.explain import regions
from core.explain.regions import (
    LANDMARKS,
    REGIONS,
    area_shares,
    by_region,
    cell_words,
    check_positions,
    label_image,
    load_regions,
    weights,
)
from core.template import TEMPLATE

SIZES = st.integers(1, 40)


@settings(max_examples=60, deadline=None)
@given(SIZES, SIZES)
def test_weights_partition_every_cell_of_any_map(height: int, width: int) -> None:
    shares = weights((height, width))
    assert shares.shape == (len(REGIONS), height, width)
    assert shares.dtype == np.float64
    assert shares.min() >= 0
    np.testing.assert_allclose(shares.sum(axis=0), 1, rtol=0, atol=1e-12)
    np.testing.assert_allclose(shares.mean(axis=(1, 2)), area_shares(), rtol=0, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(SIZES, SIZES, st.integers(0, 2**32 - 1))
def test_regions_of_a_map_add_up_to_its_mean(height: int, width: int, seed: int) -> None:
    maps = np.random.default_rng(seed).normal(0, 5, (3, height, width))
    np.testing.assert_allclose(by_region(maps).sum(axis=-1), maps.mean(axis=(1, 2)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(7, 7), (3, 5)])
def test_a_cells_weights_are_the_shares_of_random_points_in_it(shape: tuple[int, int]) -> None:
    """Monte Carlo with a point-in-polygon test of its own (winding numbers), 40,000 points."""
    random, count = np.random.default_rng(1), 40_000
    points = random.uniform(-0.5, 111.5, (count, 2))
    label = np.full(count, len(REGIONS) - 1)
    for index, polygons in reversed(list(enumerate(load_regions().values()))):
        for polygon in polygons:
            label[winding(points, polygon) != 0] = index
    cell = ((points + 0.5) / 112 * shape[::-1]).astype(int)
    for row in range(shape[0]):
        for column in range(shape[1]):
            here = label[(cell[:, 0] == column) & (cell[:, 1] == row)]
            shares = np.bincount(here, minlength=len(REGIONS)) / len(here)
            assert np.abs(shares - weights(shape)[:, row, column]).max() < 5 * 0.5 / np.sqrt(len(here))


def winding(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """How often a polygon's edge turns about each point: the sum of the angles that its edges are seen under."""
    arms = polygon[None] - points[:, None]
    after = np.roll(arms, -1, axis=1)
    turn = np.arctan2(arms[..., 0] * after[..., 1] - arms[..., 1] * after[..., 0], (arms * after).sum(axis=-1))
    return np.round(turn.sum(axis=1) / (2 * np.pi)).astype(int)


def test_areas_do_not_hang_on_the_sampling() -> None:
    finer = np.bincount(label_image(112, 16).ravel(), minlength=len(REGIONS)) / (112 * 16) ** 2
    np.testing.assert_allclose(area_shares(), finer, rtol=0, atol=5e-4)


def test_label_image_at_any_side_is_the_same_picture() -> None:
    small, large = label_image(112, 1), label_image(336, 1)
    assert small.shape == (112, 112)
    np.testing.assert_array_equal(small, large[1::3, 1::3])
    assert set(np.unique(small)) == set(range(len(REGIONS)))


def clipped_area(polygon: np.ndarray, left: float, top: float, right: float, bottom: float) -> float:
    """Area of a polygon inside a box: cut by each side in turn (Sutherland and Hodgman 1974), then the shoelace."""
    points = [tuple(point) for point in polygon]
    for axis, bound, keep_above in ((0, left, True), (0, right, False), (1, top, True), (1, bottom, False)):
        clipped_points = []
        for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
            a, b = ((x0, x1), (y0, y1))[axis]
            if (a >= bound) == keep_above or a == bound:
                clipped_points.append((x0, y0))
            if (a - bound) * (b - bound) < 0:
                t = (bound - a) / (b - a)
                clipped_points.append((x0 + t * (x1 - x0), y0 + t * (y1 - y0)))
        points = clipped_points
    x, y = np.array(points).reshape(-1, 2).T
    return abs(float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())) / 2


@pytest.mark.parametrize("side", [4, 7, 14])
def test_a_cell_is_called_by_the_region_that_holds_most_of_it(side: int) -> None:
    """Every cell, against areas cut exactly from the polygons of regions.json; ours are sampled, so 1 % may pass."""
    entries = json.loads(regions.FILE.read_text(encoding="utf-8"))["regions"]
    edge, middle = 112 / side, (side - 1) / 2
    area = np.zeros((len(entries), side, side))
    for index, entry in enumerate(entries):
        for row, column in np.ndindex(side, side):
            box = (column * edge - 0.5, row * edge - 0.5, (column + 1) * edge - 0.5, (row + 1) * edge - 0.5)
            area[index, row, column] = sum(clipped_area(np.array(p, float), *box) for p in entry["polygons"])
    area[-1] = edge**2 - area[:-1].sum(axis=0)
    # The polygons do not overlap, so each cell's areas add up without a rule of who wins.
    assert area.min() > -1e-6
    beside = area[:-1].sum(axis=2)
    for row, column in np.ndindex(side, side):
        words = cell_words((side, side), row, column)
        half = "" if column == middle else "left" if column < middle else "right"
        spoken = {}
        for index, entry in enumerate(entries):
            name = entry["name"]
            if not half:
                spoken[name] = index
            elif "one" in entry:
                spoken[f"{half} {entry['one']}"] = index
            elif index < len(entries) - 1:
                spoken[f"{half} side of the {name}"] = index
            else:
                height = entries[int(beside[:, row].argmax())]["name"]
                spoken[f"{name} {half} of the {height}"] = index
        assert words in spoken, (row, column, words)
        assert area[spoken[words], row, column] >= area[:, row, column].max() - 0.01 * edge**2, (row, column, words)


def test_a_region_of_two_parts_names_one_of_them() -> None:
    entries = json.loads(regions.FILE.read_text(encoding="utf-8"))["regions"]
    assert [e["name"] for e in entries if "one" in e] == [e["name"] for e in entries if len(e["polygons"]) == 2]


def test_earlier_regions_win_and_the_rest_is_surround(monkeypatch: pytest.MonkeyPatch) -> None:
    square, larger = np.array([[0, 0], [10, 0], [10, 10], [0, 10]]), np.array([[5, 0], [20, 0], [20, 10], [5, 10]])
    monkeypatch.setattr(regions, "_polygons", lambda: ([square.astype(float)], [larger.astype(float)]))
    region_numbers = regions.region_at(np.array([[7.0, 5.0], [2.0, 5.0], [15.0, 5.0], [50.0, 50.0], [-3.0, 200.0]]))
    assert region_numbers.tolist() == [0, 0, 1, len(REGIONS) - 1, len(REGIONS) - 1]


def test_the_face_has_no_holes_and_each_region_hangs_together() -> None:
    """No sliver of `surround` inside the face; a region is in one part, or in a left and a right one."""
    labels = label_image(112, 4)
    parts = {name: ndimage.label(labels == index)[1] for index, name in enumerate(REGIONS)}
    assert parts == dict.fromkeys(REGIONS, 1) | dict.fromkeys(("brows", "eyes", "cheeks", "surround"), 2)
    outside, _ = ndimage.label(labels == REGIONS.index("surround"))
    assert set(np.unique(outside)) - {0} == {outside[200, 0], outside[200, -1]}


def test_regions_are_those_of_a_face_from_top_to_bottom() -> None:
    assert REGIONS == ("forehead", "brows", "eyes", "nose", "cheeks", "mouth", "jaw", "surround")
    labels = label_image(112, 1)
    height = {name: np.nonzero(labels == index)[0].mean() for index, name in enumerate(REGIONS)}
    order = ["forehead", "brows", "eyes", "nose", "mouth", "jaw"]
    assert sorted(order, key=height.get) == order


def test_left_and_right_are_mirror_images() -> None:
    for name, polygons in load_regions().items():
        points = np.concatenate(polygons) if polygons else np.empty((0, 2))
        assert {(112 - x, y) for x, y in points} == {(x, y) for x, y in points}, name


def test_the_templates_points_lie_in_their_regions() -> None:
    table = check_positions(np.stack([TEMPLATE, np.full((5, 2), np.nan)]))
    assert (table["region"] == table["expected"]).all()
    assert (table["share"] == 1).all()
    assert (table["n"] == 1).all()
    assert table["landmark"].tolist() == list(LANDMARKS)


def test_positions_off_the_template_are_found_out() -> None:
    table = check_positions((TEMPLATE + np.array([0, 15]))[None])
    assert (table["region"] != table["expected"]).all()
    assert (table["share"] == 0).all()
    half = check_positions(np.stack([TEMPLATE, TEMPLATE + np.array([0, 30])]))
    assert (half["share"] == 0.5).all()
    with pytest.raises(LookwhereError, match="no landmarks"):
        check_positions(np.full((3, 5, 2), np.nan))


def test_the_regions_lie_where_the_landmarks_of_a_real_store_are(real_store: AlignedStore) -> None:
    table = check_positions(real_store.landmarks)
    assert (table["n"] >= 100).all()
    assert (table["region"] == table["expected"]).all(), table
    assert (table["share"] >= 0.97).all(), table


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("regions"),
        lambda content: content["regions"][0].update(polygons=[[[0, 0], [1, 1]]]),
        lambda content: content["regions"][0].update(polygons=[]),
        lambda content: content["regions"][-1].update(polygons=[[[0, 0], [1, 1], [0, 1]]]),
        lambda content: content["regions"][1].update(name="forehead"),
    ],
)
def test_a_damaged_file_is_named(change, tmp_path: Path) -> None:
    content = json.loads(regions.FILE.read_text(encoding="utf-8"))
    change(content)
    file = tmp_path / "regions.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(LookwhereError, match=r"regions\.json"):
        load_regions(file)
