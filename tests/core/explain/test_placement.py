"""Where cells lie: drawing, regions, words and regridding by their true centres, and the mirror test."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core.explain.grids import regrid, resample, same_places
from core.explain.mirror import mirror_mismatch, mirror_test
from core.explain.placement import Placement, enlarged, placed
from core.explain.regions import REGIONS, by_region, cell_words, even_shares, label_image, weights
from core.present.figures.differences import outlined
from core.present.figures.raster import enlarge, overlay, paint
from core.template import SIDE

#: As four columns of a network of stride 28 lie that begins at the first pixel, and seven of stride 16.
CORNER = Placement((0.5, 28.5, 56.5, 84.5), (0.5, 28.5, 56.5, 84.5))
FINE = Placement(*2 * (tuple(5.2 + 16 * n for n in range(7)),))


def seen(image: np.ndarray, at: Placement, spread: float = 10) -> np.ndarray:
    """What cells see of an image (112, 112): Gaussian fields about their centres, cut off at the border."""
    steps = np.arange(SIDE) + 0.5
    down, across = (
        np.exp(-((steps - np.array(centres)[:, None]) ** 2) / (2 * spread**2)) for centres in (at.rows, at.columns)
    )
    return down @ image @ across.T


def spot(x: float, y: float, radius: float = 9) -> np.ndarray:
    """A bright disc on black."""
    across, down = np.meshgrid(np.arange(SIDE) + 0.5, np.arange(SIDE) + 0.5)
    return ((across - x) ** 2 + (down - y) ** 2 < radius**2) * 1.0


def peak(maps: np.ndarray, placement: Placement | None) -> np.ndarray:
    """(x, y) of the centre of a drawn map."""
    fine = enlarge(maps, SIDE, placement).astype(float)
    steps = np.arange(SIDE) + 0.5
    return np.array([fine.sum(axis=0) @ steps, fine.sum(axis=1) @ steps]) / fine.sum()


def test_cells_partition_the_square_halfway_between_centres() -> None:
    down, across = CORNER.edges
    np.testing.assert_array_equal(down, [0, 14.5, 42.5, 70.5, 112])
    np.testing.assert_array_equal(down, across)
    np.testing.assert_allclose(Placement.tiles((7, 4)).edges[0], np.arange(8) * 16)
    np.testing.assert_allclose(weights((4, 4), CORNER).sum(axis=0), 1)
    assert Placement.tiles((3, 5)).as_tiles and not CORNER.as_tiles
    assert CORNER.farthest() == pytest.approx(13.5)
    assert placed((2, 7, 7), CORNER) == Placement.tiles((7, 7)), "a map of another grid is not of these cells"


@pytest.mark.parametrize("at", [CORNER, FINE])
@pytest.mark.parametrize(("x", "y"), [(40, 50), (56, 56), (50, 36)])
def test_a_spot_is_drawn_where_it_is(at: Placement, x: float, y: float) -> None:
    maps = seen(spot(x, y), at, 14)
    np.testing.assert_allclose(peak(maps, at), [x, y], atol=5)
    if at is CORNER:
        assert np.linalg.norm(peak(maps, None) - [x, y]) > 10, "as tiles it lies too far right and down"


def test_tiles_are_drawn_as_ever() -> None:
    maps = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    ever = np.asarray(Image.fromarray(maps).resize((90, 90), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(enlarge(maps, 90), ever)
    np.testing.assert_array_equal(enlarge(maps, 90, Placement.tiles((7, 5))), ever)
    np.testing.assert_allclose(enlarged(maps, None, 90), ever, atol=1e-5)


def test_beyond_the_outermost_centres_a_map_is_as_it_is_there() -> None:
    maps = np.arange(16.0).reshape(4, 4)
    fine = enlarged(maps, CORNER, SIDE)
    np.testing.assert_allclose(fine[0, 84:], maps[0, -1])
    np.testing.assert_allclose(fine[28, 0], maps[1, 0], atol=0.2)


def test_pictures_and_outlines_follow_the_cells() -> None:
    maps = np.zeros((4, 4))
    maps[1, 1] = 1
    painted = np.asarray(paint(maps, 1.0, False, SIDE, CORNER)).sum(axis=2)
    assert np.unravel_index(painted.argmax(), painted.shape) == (28, 28)
    face = np.zeros((SIDE, SIDE, 3), np.uint8)
    np.testing.assert_array_equal(
        np.asarray(overlay(face, maps, 1.0, 1.0, placement=CORNER, side=SIDE)),
        np.asarray(paint(maps, 1.0, False, SIDE, CORNER)),
    )
    grey = Image.new("RGB", (SIDE, SIDE), (128, 128, 128))
    hatched = (np.asarray(outlined(grey, maps > 0, CORNER)) != 128).any(axis=2)
    inside = hatched[20:37, 20:37]
    assert not inside.any(), "the cell reaches from 14.5 to 42.5"
    assert hatched[10:19, 20:37].any() and hatched[39:47, 20:37].any()


def test_evidence_goes_to_the_region_under_the_cell() -> None:
    maps = np.random.default_rng(1).normal(size=(5, 2, 4, 4))
    np.testing.assert_allclose(by_region(maps, CORNER).sum(axis=-1), maps.mean(axis=(-2, -1)))
    nose = np.zeros((4, 4))
    nose[2, 2] = 1  # its centre is at (56.5, 56.5): between the eyes and the nose's tip
    tiles, true = (dict(zip(REGIONS, by_region(nose, at) * 16, strict=True)) for at in (None, CORNER))
    assert true["nose"] > tiles["nose"] + 0.1 and tiles["mouth"] + tiles["cheeks"] > true["mouth"] + true["cheeks"]
    np.testing.assert_allclose(even_shares((4, 4), CORNER), by_region(np.ones((4, 4)), CORNER))
    brute = np.stack([(label_image(SIDE, 4)[58:170, 58:170] == r).mean() for r in range(len(REGIONS))])
    np.testing.assert_allclose(weights((4, 4), CORNER)[:, 1, 1], brute, atol=1e-9)  # 14.5 to 42.5, four to a pixel


def test_words_of_a_cell_are_of_its_place() -> None:
    assert cell_words((4, 4), 2, 2, CORNER) == "nose" and "cheek" in cell_words((4, 4), 2, 2)
    assert cell_words((7, 7), 3, 2, FINE) == "left eye" and cell_words((7, 7), 3, 4, FINE) == "right eye"


def test_maps_are_carried_to_other_cells_by_area() -> None:
    maps = np.random.default_rng(2).normal(size=(3, 7, 7))
    found = resample(maps, CORNER, FINE)
    np.testing.assert_allclose(found.sum(axis=(1, 2)), maps.sum(axis=(1, 2)))
    fine = np.linspace(0, SIDE, 11201)
    which = [
        np.searchsorted(edges[1:-1], (fine[1:] + fine[:-1]) / 2, side="right")
        for edges in (FINE.edges[0], CORNER.edges[0])
    ]
    shares = np.zeros((4, 7))
    np.add.at(shares, (which[1], which[0]), 1 / np.bincount(which[0])[which[0]])
    np.testing.assert_allclose(found, shares @ maps @ shares.T, atol=0.02)
    assert resample(maps, FINE, FINE) is maps
    assert same_places(FINE, Placement(*2 * (tuple(5.9 + 16 * n for n in range(7)),))) and not same_places(
        FINE, Placement.tiles((7, 7))
    )


def test_the_same_place_seen_by_two_grids_is_one_place_after_resampling() -> None:
    picture = spot(40, 60)
    both = [resample(seen(picture, at)[None], CORNER, at)[0] for at in (FINE, CORNER)]
    apart = peak(both[0], CORNER) - peak(both[1], CORNER)
    wrong = peak(resample(seen(picture, FINE)[None], Placement.tiles((4, 4)))[0], None) - peak(both[1], None)
    assert np.abs(apart).max() < 6 < 9 < np.abs(wrong).max()


def test_a_crop_is_carried_from_its_cells_centres() -> None:
    maps = np.zeros((1, 4, 4))
    maps[0, 0, 0] = 1
    crop = (0.0, 28.0, 84.0, 112.0)
    lie = Placement((28.4, 49.4, 70.4, 91.4), (0.4, 21.4, 42.4, 63.4))
    found, tiles = regrid(maps, crop, lie), regrid(maps, crop)
    np.testing.assert_allclose([found.mean(), tiles.mean()], 1 / 16)
    assert found[0, :, 0].sum() == found.sum(), "the first cell ends at 10.9, the first tile of five at 22.4"
    assert found[0, 1, 0] == found.sum() and tiles[0, 1, 0] < tiles.sum()
    assert regrid(maps, (0.0, 0.0, 112.0, 112.0), lie) is maps


@pytest.mark.parametrize("at", [CORNER, FINE, Placement.tiles((7, 7))])
def test_over_faces_and_mirror_images_a_true_placement_is_symmetric(at: Placement) -> None:
    draw = np.random.default_rng(3)
    images = np.stack([spot(*draw.uniform(10, 102, 2))[..., None].repeat(3, axis=2) for _ in range(40)])

    def explain(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        maps = np.stack([seen(face[..., 0], at, 16) for face in faces])
        return np.zeros((len(faces), 2)), np.stack([maps, -maps], axis=1)

    mirrored = mirror_test(explain, images.astype(np.uint8), at)
    assert mirrored.n == 40 and mirrored.placed < 0.05
    if at is CORNER:
        assert mirrored.tiles > 2 * mirrored.placed, "at the wrong place it is not"
    assert mirrored.placed == pytest.approx(mirror_mismatch(mirrored.strength, at))


def test_the_mismatch_of_a_map_on_one_side_is_1_and_of_none_unknown() -> None:
    maps = np.zeros((7, 7))
    assert np.isnan(mirror_mismatch(maps))
    maps[:, :3] = 1
    assert 0.8 < mirror_mismatch(maps) <= 1
    assert mirror_mismatch(maps + maps[:, ::-1]) == pytest.approx(0, abs=1e-6)
