"""Images whose colours mean what the scale says, from one map to sheets of many."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from core.analysis.comparison.board import open_board
from core.present.figures.board import looks, looks_sheet
from core.present.figures.raster import (
    colour_bar,
    data_uri,
    enlarge,
    overlay,
    paint,
    placeholder,
    png,
    shared_limit,
    sheet,
    show_face,
)
from core.task import GENDERS
from tests.helpers.shipped import ROOT

SIDE = 28


def flat(value: float) -> np.ndarray:
    return np.full((7, 7), value)


def colours(image: Image.Image) -> set[tuple[int, int, int]]:
    return set(map(tuple, np.asarray(image).reshape(-1, 3).tolist()))


@pytest.mark.parametrize("signed", [False, True])
def test_the_ends_of_the_scale_are_its_limits(signed: bool) -> None:
    bar = np.asarray(colour_bar(signed))[0].tolist()
    low, high = (-2.5 if signed else 0.0), 2.5
    assert colours(paint(flat(low), 2.5, signed, SIDE)) == {tuple(bar[0])}
    assert colours(paint(flat(high), 2.5, signed, SIDE)) == {tuple(bar[-1])}
    assert colours(paint(flat(99.0), 2.5, signed, SIDE)) == {tuple(bar[-1])}
    assert colours(paint(flat(-99.0), 2.5, signed, SIDE)) == {tuple(bar[0])}


def test_strength_runs_from_dark_to_light() -> None:
    grey = np.asarray(colour_bar().convert("L"))[0].astype(int)
    assert grey[0] < 10
    assert grey[-1] > 230
    assert (np.diff(grey) >= -1).all()


def test_a_signed_zero_is_the_white_middle_and_the_signs_differ() -> None:
    (middle,) = colours(paint(flat(0.0), 1.0, True, SIDE))
    assert min(middle) > 225
    bar = np.asarray(colour_bar(True))[0].astype(int)
    assert bar.sum(axis=1).argmax() in range(120, 137)
    negative, positive = (np.array(next(iter(colours(paint(flat(v), 1.0, True, SIDE))))) for v in (-0.6, 0.6))
    assert negative[2] > negative[0] + 50
    assert positive[0] > positive[2] + 50


def test_a_map_of_nothing_is_painted_too() -> None:
    dark = tuple(np.asarray(colour_bar())[0, 0].tolist())
    assert colours(paint(flat(0.0), 0.0, False, SIDE)) == {dark}


def test_enlarging_keeps_places_and_strength() -> None:
    mean = np.zeros((7, 7))
    mean[1, 5] = 3.0
    fine = enlarge(mean, 70)
    assert fine.shape == (70, 70)
    row, column = np.unravel_index(fine.argmax(), fine.shape)
    assert 10 <= row < 20
    assert 50 <= column < 60
    assert fine.max() == pytest.approx(3.0, rel=0.15)
    assert fine.mean() == pytest.approx(mean.mean(), rel=0.02)
    np.testing.assert_allclose(enlarge(flat(0.7), 50), 0.7, rtol=1e-6)


def test_one_limit_for_all_maps() -> None:
    assert shared_limit([flat(1.0), None, flat(-3.0), flat(2.0)]) == 3.0
    assert shared_limit([None, None]) > 0
    assert shared_limit([]) > 0


@pytest.fixture
def face() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)


@pytest.mark.parametrize("signed", [False, True])
def test_overlay_runs_from_the_face_to_the_map(face: np.ndarray, signed: bool) -> None:
    mean = np.random.default_rng(1).normal(size=(7, 7))
    arguments = {"signed": signed, "side": 56}
    only_face, between, only_map = (
        np.asarray(overlay(face, mean, 1.0, opacity, **arguments)).astype(int) for opacity in (0.0, 0.5, 1.0)
    )
    np.testing.assert_array_equal(only_face, np.asarray(show_face(face, 56)))
    np.testing.assert_array_equal(only_map, np.asarray(paint(mean, 1.0, signed, 56)))
    assert (between >= np.minimum(only_face, only_map) - 1).all()
    assert (between <= np.maximum(only_face, only_map) + 1).all()
    assert (between != only_face).any()
    assert (between != only_map).any()


def test_a_face_is_shown_as_it_is(face: np.ndarray) -> None:
    np.testing.assert_array_equal(np.asarray(show_face(face, 112)), face)


def test_images_are_encoded_whole(face: np.ndarray) -> None:
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png(show_face(face, 112))))), face)
    kind, content = data_uri(show_face(face, 112)).split(",")
    assert kind == "data:image/webp;base64"
    assert Image.open(io.BytesIO(base64.b64decode(content))).size == (112, 112)


def test_a_placeholder_says_something() -> None:
    assert len(colours(placeholder("n = 7\ntoo few", 140))) > 2


def test_a_sheet_holds_every_panel_whole() -> None:
    tints = [(200, 10, 10), (10, 200, 10), (10, 10, 200), (200, 200, 10), (10, 200, 200)]
    panels = [(Image.new("RGB", (60, 60), tint), f"n = {n}") for n, tint in enumerate(tints)]
    rows = [("Black women", panels[:3]), ("White men", panels[3:])]
    page = sheet("Where it looks", rows)
    assert page.width >= 3 * 60
    assert page.height >= 2 * 60
    pixels = np.asarray(page)
    for tint in tints:
        assert (pixels == tint).all(axis=-1).sum() == 60 * 60
    taller = sheet("Where it looks", [*rows, rows[0]])
    assert taller.height >= page.height + 60
    assert taller.width == page.width


def test_the_board_s_maps_have_one_scale_and_go_into_one_sheet() -> None:
    models = open_board(ROOT / "docs/board")
    rows, limit = looks(models, "fairface", None, SIDE)
    maps = [model.maps.of("fairface", gender, None) for model in models for gender in GENDERS]
    assert len(rows) == len(models) >= 7 and all(len(row.panels) == 2 for row in rows)
    assert limit == shared_limit(maps)
    page = looks_sheet(rows, limit, "A note.")
    assert [title for title, _ in page.rows] == [f"{row.title} ({row.method})" for row in rows]
