"""What an image says, of made images whose right value is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.data.measured import (
    FILE,
    measure,
    publishable,
    read_measured,
    thirds_within,
    with_measures,
    write_measured,
)
from core.data.measures import (
    BY_NAME,
    FROM_SOURCE,
    MEASURES,
    NOSE_DEPTH,
    SKIN_PATCHES,
    SKIN_TONE,
    lab,
    of_source,
    of_squares,
    turn,
)
from core.data.store import AlignedStore
from core.errors import LookwhereError
from tests.helpers.made_audit import made_faces

#: sRGB and its CIELAB under D65 (Lindbloom's calculator, to two decimals).
COLOURS = {
    (255, 255, 255): (100.00, 0.00, 0.00),
    (0, 0, 0): (0.00, 0.00, 0.00),
    (119, 119, 119): (50.03, 0.00, 0.00),
    (255, 0, 0): (53.24, 80.09, 67.20),
    (255, 255, 0): (97.14, -21.55, 94.48),
    (0, 0, 255): (32.30, 79.19, -107.86),
}


def plain(*colours: tuple[int, int, int]) -> np.ndarray:
    return np.stack([np.broadcast_to(np.uint8(colour), (112, 112, 3)) for colour in colours])


def test_cielab_of_known_colours() -> None:
    np.testing.assert_allclose(lab(np.uint8(list(COLOURS))), list(COLOURS.values()), atol=0.02)


def test_lightness_contrast_and_colour_of_plain_and_halved_squares() -> None:
    halved = np.zeros((1, 112, 112, 3), dtype=np.uint8)
    halved[:, :, 56:] = 255
    measures = of_squares(np.concatenate([plain((119, 119, 119), (255, 0, 0)), halved]))
    np.testing.assert_allclose(measures["image_lightness"], [50.03, 53.24, 50.0], atol=0.02)
    np.testing.assert_allclose(measures["image_contrast"], [0, 0, 50.0], atol=0.02)
    np.testing.assert_allclose(measures["image_colour"], [0, np.hypot(80.09, 67.20), 0], atol=0.02)


def test_sharpness_of_a_chequerboard_by_hand() -> None:
    """Beside 10 lie four 0 and the reverse: the Laplacian is ±40 everywhere, its variance 1,600; of a ramp it is 0."""
    board = 10 * (np.indices((112, 112)).sum(axis=0) % 2)
    ramp = np.broadcast_to(np.arange(112), (112, 112))
    images = np.repeat(np.stack([board, ramp])[..., None], 3, axis=3).astype(np.uint8)
    np.testing.assert_allclose(of_squares(images)["image_sharpness"], [1600, 0], atol=0.01)


@pytest.mark.parametrize(
    ("colour", "degrees"),
    [((255, 0, 0), 2.76), ((255, 255, 0), 26.52), ((0, 0, 255), -170.68)],
)
def test_skin_tone_is_the_angle_of_lightness_over_yellow_in_the_patches_alone(colour: tuple, degrees: float) -> None:
    """arctan((53.24 − 50) / 67.20) = 2.76° and so on; what lies beside the patches counts for nothing."""
    image = np.random.default_rng(0).integers(0, 256, (1, 112, 112, 3), dtype=np.uint8)
    for left, top, right, bottom in SKIN_PATCHES:
        image[:, top:bottom, left:right] = colour
    image[:, 66, 32:40] = 255  # a highlight of 8 pixels does not move a median
    assert of_squares(image)[SKIN_TONE][0] == pytest.approx(degrees, abs=0.05)


def test_a_grey_image_has_no_skin_tone() -> None:
    grey = np.random.default_rng(0).integers(60, 200, (1, 112, 112, 1), dtype=np.uint8).repeat(3, axis=3)
    measures = of_squares(grey).iloc[0]
    assert np.isnan(measures[SKIN_TONE])
    assert measures["image_colour"] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("degrees", [0.0, 12.0, -35.0, 60.0])
def test_turn_of_a_head_that_is_turned_tilted_and_enlarged(degrees: float) -> None:
    """Eyes half a distance from the middle, the nose NOSE_DEPTH before them; seen from afar, turned, then tilted."""
    head = np.array([[-0.5, 0, 0], [0.5, 0, 0], [0, 0.6, NOSE_DEPTH], [-0.4, 1, 0.1], [0.4, 1, 0.1]])
    yaw, roll = np.radians(degrees), np.radians(20)
    projected = np.stack([head[:, 0] * np.cos(yaw) + head[:, 2] * np.sin(yaw), head[:, 1]], axis=1)
    tilt = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    assert turn((40 * projected @ tilt.T + 50)[None])[0] == pytest.approx(abs(degrees), abs=1e-6)


def test_source_measures_by_hand() -> None:
    """Eyes 30 and 40 pixels apart are 50, here of a source twice as large; a square half beyond the left edge."""
    points = np.array([[10, 10], [40, 50], [20, 40], [12, 60], [40, 60]], dtype=float)
    shift = np.array([[1.0, 0, 56], [0, 1, 0]])
    measures = dict(zip(FROM_SOURCE, of_source(points, shift, (112, 112), 0.99, 2.0), strict=True))
    assert measures["image_eye_distance"] == pytest.approx(100)
    assert measures["image_roll"] == pytest.approx(np.degrees(np.arctan2(40, 30)))
    assert measures["image_detector_score"] == pytest.approx(0.99)
    assert measures["image_filled"] == pytest.approx(0.5)


def test_a_square_inside_its_image_is_not_filled() -> None:
    points, matrix = np.arange(10.0).reshape(5, 2), np.array([[1.0, 0, 0], [0, 1, 0]])
    assert of_source(points, matrix, (112, 112), 1.0, 1.0)[3] == 0
    assert of_source(points, matrix, (56, 112), 1.0, 1.0)[3] == pytest.approx(0.5)


def test_the_table_is_kept_beside_its_faces_and_published_without_skin_tone(made_store: AlignedStore) -> None:
    table = measure(made_store.images, made_store.faces, made_store.landmarks)
    write_measured(made_store.path, table)
    measures = made_store.measured
    assert list(measures) == [m.name for m in MEASURES if not m.source]
    np.testing.assert_allclose(measures, table[list(measures)], rtol=1e-5, atol=1e-4)
    assert SKIN_TONE in measures
    assert SKIN_TONE not in publishable(table)
    assert len(publishable(table).columns) == len(table.columns) - 1


def test_a_store_of_before_has_nothing_measured(made_store: AlignedStore) -> None:
    assert made_store.measured is None


def test_measures_of_other_faces_or_damaged_are_told(made_store: AlignedStore) -> None:
    table = pd.DataFrame({"face_id": made_store.faces["face_id"][::-1], "image_lightness": 50.0})
    write_measured(made_store.path, table)
    with pytest.raises(LookwhereError, match=r"not of the faces beside it; delete measured\.parquet and run"):
        read_measured(made_store.path, made_store.faces)
    Path(made_store.path / FILE).write_bytes(b"cut")
    with pytest.raises(LookwhereError, match="damaged"):
        read_measured(made_store.path, made_store.faces)


def test_thirds_of_an_audit_over_all_faces_and_within_each_group() -> None:
    """Women's values are 0–299 and men's 1,000–1,299: over all, women have the lowest third; within, a third."""
    faces = made_faces(600, ethnicities=("White",))
    value = np.arange(600) // 2 + 1000 * (faces["gender"] == "male").to_numpy()
    joined, columns = with_measures(faces, pd.DataFrame({"image_sharpness": value.astype(float)}))
    assert [column.name for column in columns] == ["image_sharpness", "image_sharpness_in_group"]
    assert all(column.measured and column.levels == BY_NAME["image_sharpness"].levels for column in columns)
    assert (joined.loc[joined["image_sharpness"] == "blurriest third", "gender"] == "female").all()
    thirds_by_gender = joined.groupby("gender")["image_sharpness_in_group"].value_counts()
    assert set(thirds_by_gender) == {100}
    assert joined["image_sharpness_value"].tolist() == value.tolist()


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        ([50.0] * 40, []),
        ([np.nan] * 40, []),
        ([0.9] * 2 + [1.0] * 38, [("under 1", "1 and more")]),  # no thirds where most values are one
    ],
)
def test_a_measure_that_is_alike_makes_no_thirds(values: list[float], levels: list) -> None:
    columns = with_measures(made_faces(40), pd.DataFrame({"image_detector_score": values}))[1]
    assert [column.levels for column in columns] == levels


def test_grey_is_a_level_and_grey_alone_is_none() -> None:
    table = pd.DataFrame({"image_colour": np.where(np.arange(40) < 4, 0.1, 20.0)})
    joined, (column,) = with_measures(made_faces(40), table)
    assert column.levels == ("grey", "colour")
    assert joined["image_colour"].value_counts().to_dict() == {"colour": 36, "grey": 4}
    assert with_measures(made_faces(40), table * 0)[1] == ()


def test_too_few_of_a_group_have_no_thirds_of_it() -> None:
    values, group = np.arange(30.0), np.repeat([0, 1], [20, 10])
    assert np.bincount(thirds_within(values, group)[:20]).tolist() == [7, 6, 7]
    assert set(thirds_within(values, group)[20:]) == {-1}


def test_a_black_square_coincident_eyes_and_none_at_all() -> None:
    assert of_squares(np.zeros((1, 112, 112, 3), dtype=np.uint8)).iloc[0].fillna(-1).tolist() == [-1, 0, 0, 0, 0]
    assert np.isnan(turn(np.zeros((1, 5, 2)))).all()
    assert of_squares(np.zeros((0, 112, 112, 3), dtype=np.uint8)).empty
