"""Maps as data and as images: one scale for all, tested cells outlined, and why a map is missing."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.analysis.comparison.paired import MapPair
from core.analysis.maps.differences import MapDifference
from core.analysis.maps.error_clusters import ErrorCluster
from core.data.store import AlignedStore, average_face
from core.errors import LookwhereError
from core.present.figures import alignment, charts, comparison, findings, raster, styles
from core.present.figures.chart_data import MapChart, MapPanel, Scale, check_interval
from core.present.figures.differences import (
    difference_maps,
    difference_panel,
    map_sheet,
    outlined,
    painted,
    panel_image,
    panel_images,
)
from core.present.figures.diversity import arm_maps
from core.present.figures.evidence import margin_title, towards
from core.present.figures.plotly_charts import figure_of
from core.present.figures.plotly_maps import map_figure
from core.present.figures.single_faces import error_cluster_sheet
from core.present.report.blocks import PageImages, data_uri
from core.wording import signed_points
from tests.helpers.made_audit import made_audit, of_glasses

SIDE = 56
FIRST, SECOND = np.array([[1.0, -2.0], [0.5, 0.25]]), np.array([[0.1, 0.2], [-4.0, 3.0]])
MASK = np.array([[True, False], [False, True]])


def difference(values: np.ndarray, significant: np.ndarray, abstained: str | None = None) -> MapDifference:
    none = np.full(values.shape, np.nan)
    return MapDifference(
        ("a", "b"), values, none, none, none, significant, none, 40, 50, None, None, (0, 0), 100, 0.05, 0, abstained
    )


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"))


def test_differences_share_one_scale_and_outline_what_survives() -> None:
    chart = difference_maps(
        [
            difference(FIRST, MASK),
            difference(SECOND, ~MASK),
            difference(SECOND, MASK, "too few"),
            difference(FIRST * np.nan, MASK),
        ],
        ["first", "second", "untested", "few"],
        ["A", "B", "C", "D"],
        "red where more",
    )
    assert chart.scales == (Scale(4.0, True, "−4", "4", "red where more"),)
    assert [(panel.caption, panel.alt) for panel in chart.panels] == [
        ("first", "A"), ("second", "B"), ("untested", "C"), ("few", "D"),
    ]  # fmt: skip
    np.testing.assert_array_equal(chart.panels[0].values, FIRST)
    np.testing.assert_array_equal(chart.panels[1].values, SECOND)
    np.testing.assert_array_equal(chart.panels[0].outlined, MASK)
    np.testing.assert_array_equal(chart.panels[1].outlined, ~MASK)
    assert chart.panels[2].outlined is None
    assert (chart.panels[3].values, chart.panels[3].why) == (None, "too few faces")
    expected = [
        outlined(raster.paint(FIRST, 4.0, True, SIDE), MASK),
        outlined(raster.paint(SECOND, 4.0, True, SIDE), ~MASK),
        raster.paint(SECOND, 4.0, True, SIDE),
        raster.placeholder("too few faces", SIDE),
    ]
    for image, expected_image in zip(panel_images(chart, SIDE), expected, strict=True):
        np.testing.assert_array_equal(pixels(image), pixels(expected_image))
    alone = panel_image(difference_panel(difference(FIRST, MASK)), chart.scales[0], SIDE)
    np.testing.assert_array_equal(pixels(alone), pixels(painted(difference(FIRST, MASK), 4.0, SIDE)))


def test_page_report_and_print_draw_one_chart_of_maps() -> None:
    own = SimpleNamespace(difference=SECOND - FIRST, significant=MASK, n_a=34, n_b=1200, placement=None)
    chart = findings.mean_shapes(SimpleNamespace(common=FIRST, wrong=SECOND, own=own))
    assert [panel.caption for panel in chart.panels] == [
        "correct, mean of 1,200",
        "incorrect, mean of 34",
        "the incorrect ones' own; outlined: beyond chance",
    ]
    for panel, values in zip(chart.panels, (FIRST, SECOND, SECOND - FIRST), strict=True):
        np.testing.assert_array_equal(panel.values, values)
    assert chart.panels[0].outlined is None and chart.panels[1].outlined is None
    np.testing.assert_array_equal(chart.panels[2].outlined, MASK)
    assert chart.scales[0].limit == 4.0
    page = panel_images(chart, SIDE)
    block = PageImages.from_chart(chart, SIDE)
    assert [image[0] for image in block.images] == [data_uri(page_image) for page_image in page]
    assert [image[1:] for image in block.images] == [(panel.alt, panel.caption) for panel in chart.panels]
    assert (block.scale.low, block.scale.high) == ("−4 against the choice", "4 for it")
    sheet = map_sheet(chart, SIDE)
    assert sheet.scales == [(True, "−4 against the choice", "4 for it")]
    assert sheet.note == chart.note
    ((_, panels),) = sheet.rows
    for page_image, (printed, caption), panel in zip(page, panels, chart.panels, strict=True):
        np.testing.assert_array_equal(pixels(printed), pixels(page_image))
        assert caption == panel.caption


def test_each_panel_has_the_scale_that_it_names() -> None:
    scales = (Scale(1.0, True, "", ""), Scale(4.0, False, "", ""))
    panels = (MapPanel(FIRST, "", ""), MapPanel(FIRST, "", "", scale=1))
    signed, strength = panel_images(MapChart(panels, scales), SIDE)
    np.testing.assert_array_equal(pixels(signed), pixels(raster.paint(FIRST, 1.0, True, SIDE)))
    np.testing.assert_array_equal(pixels(strength), pixels(raster.paint(FIRST, 4.0, False, SIDE)))


def test_in_a_notebook_each_panel_keeps_its_cells_its_scale_and_its_outlines() -> None:
    panels = (
        MapPanel(FIRST, "first", "", MASK),
        MapPanel(None, "second", "", why="too few faces"),
        MapPanel(SECOND, "third", "", scale=1),
    )
    figure = map_figure(MapChart(panels, (Scale(2.0, True, "", ""), Scale(4.0, False, "", ""))))
    assert [note.text for note in figure.layout.annotations] == ["first", "second: too few faces", "third"]
    first, third = figure.data
    np.testing.assert_array_equal(first.z, FIRST)
    np.testing.assert_array_equal(third.z, SECOND)
    assert (first.coloraxis, third.coloraxis) == ("coloraxis", "coloraxis2")
    signed, strength = figure.layout.coloraxis, figure.layout.coloraxis2
    assert (signed.cmin, signed.cmax, strength.cmin, strength.cmax) == (-2, 2, 0, 4)
    assert figure.layout.yaxis.autorange == "reversed"
    side = 112 / len(FIRST)
    np.testing.assert_allclose(first.x, np.arange(len(FIRST) + 1) * side)
    cells = {(shape.y0 / side, shape.x0 / side) for shape in figure.layout.shapes}
    assert cells == {(0, 0), (1, 1)} == {tuple(cell) for cell in np.argwhere(MASK).tolist()}


def test_panels_that_cannot_be_drawn_are_refused() -> None:
    with pytest.raises(LookwhereError, match="must say why"):
        MapPanel(None, "", "a map")
    with pytest.raises(LookwhereError, match="not finite"):
        MapPanel(np.array([[np.nan]]), "", "a map")
    with pytest.raises(LookwhereError, match=r"\(2, 2\) with cells of \(1, 2\)"):
        MapPanel(FIRST, "", "a map", MASK[:1])


def test_kinds_are_taken_away_on_one_scale() -> None:
    kinds = [
        ("kind 1", ErrorCluster(np.arange(30), 0.9, FIRST)),
        ("kind 2", ErrorCluster(np.arange(1200), 0.8, SECOND)),
    ]
    sheet = error_cluster_sheet(kinds, 4.0)
    assert [(label, panel[0][1]) for label, panel in sheet.rows] == [
        ("kind 1", "mean shape, n = 30"), ("kind 2", "mean shape, n = 1,200"),
    ]  # fmt: skip
    assert sheet.scales == [(True, "−4 against", "4 for the choice")]
    for (_, ((image, _),)), (_, kind) in zip(sheet.rows, kinds, strict=True):
        np.testing.assert_array_equal(pixels(image), pixels(raster.paint(kind.map, 4.0, True)))


def test_paired_maps_stand_in_order_and_say_what_is_missing() -> None:
    face = np.full((112, 112, 3), 90, dtype=np.uint8)
    p = np.where(MASK, 0.01, 0.9)
    pairs = [MapPair(FIRST, SECOND, SECOND - FIRST, p), MapPair(FIRST, FIRST, None, None), None]
    panels = comparison.paired_panels(face, pairs, (4.0, 6.0), True, SIDE)
    expected = [
        raster.show_face(face, SIDE),
        raster.paint(FIRST, 4.0, True, SIDE),
        raster.paint(SECOND, 4.0, True, SIDE),
        outlined(raster.paint(SECOND - FIRST, 6.0, True, SIDE), MASK),
        raster.paint(FIRST, 4.0, True, SIDE),
        raster.placeholder("not tested:\nunder 30 faces\nor people", SIDE),
        raster.placeholder("no map:\ntoo few faces", SIDE),
        raster.placeholder("no map:\ntoo few faces", SIDE),
    ]
    assert len(panels) == len(expected)
    for actual_panel, expected_panel in zip(panels, expected, strict=True):
        np.testing.assert_array_equal(pixels(actual_panel), pixels(expected_panel))
    none = comparison.paired_panels(None, [replace(pairs[0], p=np.ones((2, 2)))], (4.0, 6.0), True, SIDE)
    np.testing.assert_array_equal(pixels(none[0]), pixels(raster.placeholder("no average face\nstored", SIDE)))
    np.testing.assert_array_equal(pixels(none[3]), pixels(raster.paint(SECOND - FIRST, 6.0, True, SIDE)))


def test_the_alignment_sheet_has_averages_then_single_faces_with_their_points(made_store: AlignedStore) -> None:
    page = np.asarray(alignment.alignment_sheet(made_store, sample=8))
    groups = [faces for _, faces in made_store.faces.groupby(["gender", "ethnicity"]) if len(faces) >= 11]
    averages = [np.asarray(average_face(made_store, faces)) for faces in groups]
    assert averages
    size = averages[0].shape[0]
    tiles = np.lib.stride_tricks.sliding_window_view(page[:, :, 0], (1, size))[:, :, 0]
    for mean in averages:
        assert (tiles == mean[0, :, 0]).all(axis=2).any(), "an average is in the sheet, pixel by pixel"
    red = (page == (255, 64, 64)).all(axis=2).sum()
    assert 8 * 5 * 4 <= red <= 8 * 5 * 16, "five points on each of eight faces"
    fewer = np.asarray(alignment.alignment_sheet(made_store, sample=4))
    assert (fewer == (255, 64, 64)).all(axis=2).sum() == pytest.approx(red / 2, rel=0.1)


def test_the_typeface_grows_with_its_size() -> None:
    small, large = (raster.font(size).getlength("Lookwhere") for size in (10, 30))
    assert large == pytest.approx(3 * small, rel=0.15)


def test_names_and_colours_of_series() -> None:
    series = charts.gender_series(["male", "", "female", "male"], both="both")
    assert [(entry.name, entry.style.colour) for entry in series] == [
        ("men", styles.GENDER_COLOURS["male"]), ("both", styles.COLOURS[0]), ("women", styles.GENDER_COLOURS["female"]),
    ]  # fmt: skip
    assert [entry.legend for entry in charts.gender_series([""])] == [False]
    assert styles.of_gender("female").report == "female"
    assert styles.of_gender("unknown") == styles.OWN
    assert [styles.cycled(["a", "b"], n) for n in range(3)] == ["a", "b", "a"]
    assert (towards(0.1), towards(0.0), towards(-0.1)) == ("towards female", "towards female", "towards male")
    assert margin_title() == "mean margin, logit female − logit male"
    glasses = of_glasses(made_audit(20)).task
    assert margin_title(glasses) == "mean margin, logit no glasses − logit glasses"
    assert towards(-0.1, glasses) == "towards glasses"


def test_scales_hold_every_bound() -> None:
    assert charts.accuracy_range(pd.Series([0.9, 0.8, np.nan])) == {
        "low": pytest.approx(0.77),
        "high": 1.005,
        "step": 0.05,
    }
    assert charts.accuracy_range(pd.Series([0.01]))["low"] == 0
    assert charts.accuracy_range(pd.Series([], dtype=float))["low"] == pytest.approx(0.47)
    for least in np.linspace(0, 1, 101):
        scale = charts.accuracy_range(pd.Series([least]))
        marks = (1 - scale["low"]) / scale["step"]
        assert (1 / scale["step"]).is_integer() and 1.5 <= marks <= 5
    # Half of «100 %» is 17 pixels: of a narrow chart with a legend of two lines Plotly left that mark out.
    assert figure_of(charts.roc_curves({})).layout.margin.r >= 20


def test_points_are_rounded_shares() -> None:
    assert signed_points(-0.0004) == "+0.0"
    assert signed_points(-0.0123) == "−1.2"
    assert findings.points_interval(0.007, -0.009, 0.023) == "+0.7 [−0.9 to +2.3]"


def test_an_interval_is_checked_to_rounding() -> None:
    check_interval("a", 0.3, 0.1 + 0.2, 0.4)
    check_interval("a", np.nan, 0.1, 0.2)
    check_interval("a", 0.5, np.nan, np.nan)
    with pytest.raises(LookwhereError, match=r"a: 0\.3 with an interval from 0\.31 to 0\.4"):
        check_interval("a", 0.3, 0.31, 0.4)


def test_arms_maps_are_shapes_on_one_scale_and_one_of_too_few_faces_says_so() -> None:
    chart = arm_maps({"one": 3 * FIRST, "other": FIRST, "none": None}, "Black women")
    first, second, none = chart.panels
    np.testing.assert_allclose(first.values, second.values)
    assert np.sqrt((first.values**2).mean()) == pytest.approx(1)
    assert none.values is None and none.why and len(chart.scales) == 1
