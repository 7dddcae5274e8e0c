"""Pictures whose colours mean what the scale says, and charts that carry the numbers they were given."""

from __future__ import annotations

import base64
import io

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from PIL import Image

from core.figures.charts import accuracy_dots, calibration_curves, confusion_matrix, roc_curves, training_curve
from core.figures.pictures import (
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
from core.statistics import accuracy_by, calibration, confusion, roc

SIDE = 28


def flat(value: float) -> np.ndarray:
    return np.full((7, 7), value)


def colours(picture: Image.Image) -> set[tuple[int, int, int]]:
    return set(map(tuple, np.asarray(picture).reshape(-1, 3).tolist()))


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


def test_pictures_are_encoded_whole(face: np.ndarray) -> None:
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png(show_face(face, 112))))), face)
    kind, content = data_uri(show_face(face, 112)).split(",")
    assert kind == "data:image/webp;base64"
    assert Image.open(io.BytesIO(base64.b64decode(content))).size == (112, 112)


def test_a_placeholder_says_something() -> None:
    assert len(colours(placeholder("n = 7\ntoo few", 140))) > 2


@pytest.mark.parametrize("signed", [False, True])
def test_a_sheet_holds_every_panel_whole(signed: bool) -> None:
    tints = [(200, 10, 10), (10, 200, 10), (10, 10, 200), (200, 200, 10), (10, 200, 200)]
    panels = [(Image.new("RGB", (60, 60), tint), f"n = {n}") for n, tint in enumerate(tints)]
    rows = [("Black women", panels[:3]), ("White men", panels[3:])]
    page = sheet("Where it looks", rows, "a note", signed)
    assert page.width >= 3 * 60
    assert page.height >= 2 * 60
    pixels = np.asarray(page)
    for tint in tints:
        assert (pixels == tint).all(axis=-1).sum() == 60 * 60
    taller = sheet("Where it looks", [*rows, rows[0]], "a note", signed)
    assert taller.height >= page.height + 60
    assert taller.width == page.width


def made_faces(count: int = 400) -> pd.DataFrame:
    draw = np.random.default_rng(0)
    gender = draw.choice(["female", "male"], count)
    margin = draw.normal(0, 1, count) + np.where(gender == "male", 1, -1)
    return pd.DataFrame(
        {
            "gender": gender,
            "ethnicity": draw.choice(["White", "Black"], count),
            "age": draw.integers(0, 90, count),
            "logit_female": np.zeros(count),
            "logit_male": margin,
            "p_male": 1 / (1 + np.exp(-margin)),
        }
    )


def points(figure: go.Figure) -> pd.DataFrame:
    rows = []
    for trace in figure.data:
        for n, (x, y) in enumerate(zip(trace.x, trace.y, strict=True)):
            rows.append((y, x, x - trace.error_x.arrayminus[n], x + trace.error_x.array[n], trace.name))
    return pd.DataFrame(rows, columns=["label", "x", "low", "high", "trace"])


def test_accuracy_dots_carry_every_group_with_interval_and_n() -> None:
    table = accuracy_by(made_faces(), ["gender", "ethnicity"])
    names = [f"{row.ethnicity} {row.gender}" for row in table.itertuples()]
    figure = accuracy_dots(table, names, table["gender"].tolist(), overall=0.8)
    drawn = points(figure)
    assert len(drawn) == len(table) == 4
    for name, row in zip(names, table.to_dict("records"), strict=True):
        found = drawn[drawn["label"].str.startswith(name)].iloc[0]
        assert f"n = {row['n']:,}" in found["label"]
        np.testing.assert_allclose(found[["x", "low", "high"]].tolist(), [row["accuracy"], row["low"], row["high"]])
        assert found["trace"] == {"female": "women", "male": "men"}[row["gender"]]
    assert [shape.x0 for shape in figure.layout.shapes] == [0.8]
    low, high = figure.layout.xaxis.range
    assert low <= table["low"].min()
    assert high >= 1
    assert list(figure.layout.yaxis.categoryarray) == [
        next(label for label in drawn["label"] if label.startswith(name)) for name in names
    ]


def test_roc_curves_are_the_ones_given() -> None:
    curves = {name: roc(part) for name, part in made_faces().groupby("ethnicity")}
    drawn = {trace.name: trace for trace in roc_curves(curves).data if trace.name}
    assert len(drawn) == 2
    for name, curve in curves.items():
        trace = next(trace for label, trace in drawn.items() if label.startswith(name))
        assert f"{curve.auc.value:.3f}" in trace.name
        np.testing.assert_allclose(trace.x, curve.false_positive)
        np.testing.assert_allclose(trace.y, curve.true_positive)


def test_calibration_curves_carry_bins_and_intervals() -> None:
    table = calibration(made_faces())
    (trace,) = [trace for trace in calibration_curves({"everyone": table}).data if trace.name == "everyone"]
    np.testing.assert_allclose(trace.x, table["p"])
    np.testing.assert_allclose(trace.y, table["share"])
    np.testing.assert_allclose(np.add(trace.y, trace.error_y.array), table["high"])
    np.testing.assert_allclose(np.subtract(trace.y, trace.error_y.arrayminus), table["low"])
    np.testing.assert_array_equal(np.ravel(trace.customdata), table["n"])


def test_the_confusion_matrix_shows_counts_and_row_shares() -> None:
    faces = made_faces(2400)
    table = confusion(faces)
    (trace,) = confusion_matrix(table).data
    np.testing.assert_allclose(trace.z, table.to_numpy() / table.to_numpy().sum(axis=1, keepdims=True))
    for counts, shares, texts in zip(table.to_numpy(), trace.z, trace.text, strict=True):
        for count, share, text in zip(counts, shares, texts, strict=True):
            assert f"{count:,}" in text
            assert f"{share:.1%}" in text
    assert ("female" in trace.x[0], "women" in trace.y[0]) == (True, True)


def test_the_training_curve_carries_the_epochs_and_marks_the_kept_one() -> None:
    metrics = pd.DataFrame(
        {
            "epoch": [1, 2, 3, 4],
            "size": [64, 64, 112, 112],
            "dilated": [False, False, False, True],
            "val_accuracy": [0.7, 0.8, 0.85, 0.84],
            "train_accuracy": [0.72, 0.83, 0.9, 0.95],
        }
    )
    figure = training_curve(metrics, {"val_accuracy": "validation", "train_accuracy": "training"}, True, best=3)
    drawn = {trace.name: trace for trace in figure.data}
    for name, column in (("validation", "val_accuracy"), ("training", "train_accuracy")):
        assert list(drawn[name].x) == [1, 2, 3, 4]
        np.testing.assert_allclose(drawn[name].y, metrics[column])
    assert [shape.x0 for shape in figure.layout.shapes if shape.x0 == shape.x1] == [3]
    bands = [(shape.x0, shape.x1) for shape in figure.layout.shapes if shape.x0 != shape.x1]
    assert bands == [(0.5, 2.5), (2.5, 3.5), (3.5, 4.5)]
    assert ["64" in a.text for a in figure.layout.annotations] == [True, False, False]


def test_empty_tables_make_empty_charts() -> None:
    none = made_faces().iloc[:0]
    metrics = pd.DataFrame({"epoch": [], "size": [], "dilated": [], "loss": []})
    for figure in (
        accuracy_dots(accuracy_by(none, ["gender"]), []),
        roc_curves({}),
        calibration_curves({"nobody": calibration(none)}),
        confusion_matrix(confusion(none)),
        training_curve(metrics, {"loss": "loss"}, False, None, log=True),
    ):
        assert isinstance(figure.to_json(), str)
