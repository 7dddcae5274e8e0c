"""Columns of the faces table: levels, bands, filters, and what stores and audits keep of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.analysis.accuracy.counts import group_rows
from core.audit.folder import open_audit
from core.audit.manifest import AuditManifest
from core.data.columns import Column, Kind, find_column, number_column, reserved, restored, shown_level
from core.data.filters import Filter
from core.errors import LookwhereError
from core.present.text.columns import brief_names, order_words, tick_names
from core.present.text.sentences import scope
from tests.helpers.made_audit import made_audit, made_faces, with_manifest, write_audit
from tests.helpers.made_columns import MADE_COLUMNS

GLASSES, CAMERA, SKIN_TONE, DISTANCE = MADE_COLUMNS


@pytest.mark.parametrize("column", MADE_COLUMNS, ids=lambda column: column.name)
def test_a_column_comes_back_from_json(column: Column) -> None:
    assert Column.from_json(column.to_json()) == column


def test_levels_have_the_columns_order_and_strange_ones_are_missing() -> None:
    levels = SKIN_TONE.levelled(["VI", "I", None, "VII"])
    assert list(levels.categories) == list(SKIN_TONE.levels)
    assert levels.codes.tolist() == [5, 0, -1, -1]
    assert levels.ordered and not CAMERA.levelled([]).ordered
    assert [shown_level(level) for level in levels] == ["VI", "I", "not recorded", "not recorded"]


def test_a_value_on_an_edge_is_in_the_band_above() -> None:
    bands = DISTANCE.banded([1.49, 1.5, 3.0, np.nan, -2.0])
    assert bands.codes.tolist() == [0, 1, 2, -1, 0]
    with pytest.raises(ValueError, match="no number"):
        GLASSES.banded([1.0])


def test_a_number_is_banded_in_thirds_at_readable_edges() -> None:
    column = number_column("blur", np.linspace(0, 99, 100), words="blur of the image")
    assert column.edges == (33.0, 66.0)
    assert column.levels == ("under 33", "33 to 66", "66 and more")
    assert column.said == "blur of the image" and column.value_name == "blur_value"
    assert np.bincount(column.banded(np.linspace(0, 99, 100)).codes).tolist() == [33, 33, 34]


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        ([0.0] * 90 + [1.0, 2.0] * 5, (1.0,)),
        ([-0.002, 0.001, 0.004] * 5, (0.001, 0.004)),
        ([1e9, 2e9, 3e9, 4e9], (2e9, 3e9)),
        ([5.0, 5.0, 6.0], (6.0,)),
    ],
)
def test_bands_of_strange_numbers_are_told_apart(values: list[float], edges: tuple[float, ...]) -> None:
    column = number_column("x", values)
    assert column.edges == pytest.approx(edges)
    assert set(column.banded(values)) == set(column.levels)


def test_a_number_that_never_varies_makes_no_bands() -> None:
    with pytest.raises(LookwhereError, match="x: all its values are the same"):
        number_column("x", [1.0, 1.0, np.nan])


@pytest.mark.parametrize(
    "content",
    [
        {"levels": ["a", "a"]},
        {"levels": []},
        {"kind": "number", "levels": ["a", "b"]},
        {"kind": "number", "levels": ["a", "b", "c"], "edges": [2.0, 1.0]},
        {"kind": "colour"},
    ],
)
def test_a_column_that_cannot_be_is_refused_with_its_file(content: dict) -> None:
    with pytest.raises(LookwhereError, match=r"store\.json"):
        Column.from_json({"name": "x", "kind": "category", "levels": ["a"]} | content, "store.json")


@pytest.mark.parametrize(
    ("name", "is_reserved"),
    [
        *((name, True) for name in ("correct", "P_male", "image_lightness", "Face ID", "age band")),
        *((name, False) for name in ("skin_tone", "imagery", "place", "Größe")),
    ],
)
def test_names_that_tables_use_are_reserved(name: str, is_reserved: bool) -> None:
    assert reserved(name) is is_reserved


def test_a_column_is_found_by_nearly_its_name_or_what_there_is_is_told() -> None:
    assert find_column(MADE_COLUMNS, "Skin-tone") is SKIN_TONE
    two = (GLASSES, Column(name="Glasses", kind=Kind.CATEGORY, levels=("a",)))
    assert find_column(two, "Glasses") is two[1]
    with pytest.raises(LookwhereError, match="by hat: no such column; there are gender, glasses, camera, skin"):
        find_column(MADE_COLUMNS, "hat", also=("gender",))
    with pytest.raises(LookwhereError, match="GLASSES"):
        find_column(two, "GLASSES")


def test_an_audit_keeps_levels_in_order_through_its_file(tmp_path: Path) -> None:
    made_audit(200, own=True, path=tmp_path / "made/audits/all")
    opened = open_audit(tmp_path / "made/audits/all")
    assert opened.columns == MADE_COLUMNS
    again = made_audit(200, own=True).faces
    for column in MADE_COLUMNS:
        assert list(opened.faces[column.name].cat.categories) == list(column.levels)
        pd.testing.assert_series_equal(opened.faces[column.name], again[column.name])
    pd.testing.assert_series_equal(opened.faces["distance_value"], again["distance_value"])
    assert again["glasses"].isna().any()


def test_an_audit_without_columns_opens_as_before(tmp_path: Path) -> None:
    audit = made_audit(20, path=tmp_path / "made/audits/all")
    assert audit.columns == ()
    assert "columns" not in AuditManifest.from_json(audit.manifest.to_json()).to_json()


def test_faces_that_lack_a_column_are_told(tmp_path: Path) -> None:
    audit = made_audit(20, own=True)
    audit = with_manifest(audit, columns=[*audit.manifest.to_json()["columns"], {
        "name": "hat", "kind": "category", "levels": ["top"]}])  # fmt: skip
    with pytest.raises(LookwhereError, match=r"faces\.parquet: no column hat"):
        write_audit(tmp_path / "made/audits/all", audit)
    with pytest.raises(LookwhereError, match="t: column glasses has the level 'maybe'"):
        restored(pd.DataFrame({"glasses": ["yes", "maybe"]}), [GLASSES], "t")


def test_a_filter_takes_levels_of_any_column() -> None:
    audit = made_audit(400, own=True)
    faces = audit.faces
    phone, near = CAMERA.levels[1], DISTANCE.levels[0]
    filter = Filter(gender=("female",), columns=(("distance", (near,)), ("camera", (phone, CAMERA.levels[0]))))
    passing = faces[filter.mask(faces)]
    assert 20 < len(passing) < 60
    assert set(passing["camera"]) == {phone, CAMERA.levels[0]} and (passing["distance_value"] < 1.5).all()
    assert filter.columns[0][0] == "camera"
    assert filter == Filter(gender=("female",), columns=tuple(reversed(filter.columns)))
    assert hash(filter) and not Filter(age_from=18, columns=(("glasses", ("yes",)),)).primary
    assert filter.describe() == f"women with camera: {phone} or {CAMERA.levels[0]} and distance: under 1.5"
    filter = Filter(columns=(("image_sharpness", ("blurriest third",)),))
    assert filter.describe() == "faces with sharpness of the image: blurriest third"
    spoken = Filter(columns=(("skin_tone", ("I",)),))
    assert (
        spoken.describe() == "faces with skin_tone: I" and spoken.describe(audit.columns) == "faces with skin tone: I"
    )
    assert spoken.spoken(audit.columns).narrowed(age_to=18).describe() == "faces with skin tone: I, under 18"
    assert spoken.spoken(audit.columns) == spoken
    assert scope(spoken.narrowed(age_from=18)) == "Among adults with skin_tone: I"
    assert scope(spoken) == "Among faces with skin_tone: I" and scope(Filter(age_from=18)) == "Among adults"
    with pytest.raises(LookwhereError, match="no column 'hat'"):
        Filter(columns=(("hat", ("x",)),)).mask(faces)


def test_no_average_of_a_column_is_made_of_cells_without_it() -> None:
    images = np.zeros((200, 8, 8, 3), dtype=np.uint8)
    audit = made_audit(200, own=True, images=images)
    assert audit.averages.mean(Filter())[1] > 0
    assert audit.averages.mean(Filter(columns=(("glasses", ("yes",)),))) == (None, 0)


def test_names_beside_a_chart_are_two_lines_different_and_as_they_are_written() -> None:
    long = "a name that goes on for so long that nothing of it but the beginning can stand there"
    table = pd.DataFrame({"group": ["camera: iPhone", f"camera: {long} 1", f"camera: {long} 2"], "gender": "",
                          "ethnicity": "", "camera": ["iPhone", f"{long} 1", f"{long} 2"], "n": 3})  # fmt: skip
    names = tick_names(table)
    assert names[0] == "iPhone" and len(set(names)) == 3 and max(map(len, names)) <= 48
    assert names[1].endswith("stand there 1") and names[2].endswith("stand there 2"), "the end tells"
    crossed = table.assign(gender="female", group=["women, camera: iPhone", "women, camera: b", "women, camera: c"])
    assert tick_names(crossed)[0] == "Women, camera: iPhone"


def test_a_group_by_age_and_own_columns_is_named_from_its_parts() -> None:
    faces = made_faces(600, ages=(5, 70))
    camera = Column(name="camera", kind=Kind.CATEGORY, levels=("a, 3–9 years", "b"), words="the camera, as noted")
    level = np.array(camera.levels, dtype=object)[np.arange(600) // 4 % 2]
    faces = faces.assign(camera=camera.levelled(level), correct=True)
    names = group_rows(faces, ["gender", "age band", "camera"], [camera])[1]
    girls = "girls, 3–9 years, the camera, as noted: a, 3–9 years"
    assert girls in set(names["group"])
    assert brief_names(names.assign(n=0))[girls] == "girls, 3–9 years, a, 3–9 years"


def test_long_names_of_crossed_columns_are_told_by_their_levels_so_that_no_two_look_alike() -> None:
    column_words = ("glasses", "tone, as labelled", "sharpness of the image")
    levels = [("no", "under 28", "blurriest third"), ("no", "under 28", "sharpest third"), ("yes", "a: b, c", "no")]
    whole = [", ".join(f"{name}: {level}" for name, level in zip(column_words, of, strict=True)) for of in levels]
    table = pd.DataFrame(levels, columns=["glasses", "tone", "image_sharpness"]).assign(n=3)
    table.insert(0, "group", whole)
    table.insert(1, "gender", "")
    table.insert(2, "ethnicity", "")
    assert tick_names(table)[:2] == ["No, under 28, blurriest third", "No, under 28, sharpest third"]
    assert order_words(table).endswith("in the order of glasses, tone, image_sharpness.")
    headed = table.assign(gender="female", ethnicity="Black", group=[f"Black women, {name}" for name in whole])
    assert brief_names(headed)[headed["group"][0]] == "Black women, no, under 28, blurriest third"
    assert tick_names(headed)[1] == "Black women, no, under 28, sharpest third"
    # A level may read like the name of a column, so that no parse of the sentence could tell them apart.
    like = table.assign(tone=["x, sharpness of the image: y", "b", "c"], group=[f"{name} and more" for name in whole])
    assert brief_names(like)[like["group"][0]] == "no, x, sharpness of the image: y, blurriest third"
    short = table.assign(group=["glasses: no", "glasses: yes", "glasses: not recorded"])
    assert brief_names(short)["glasses: no"] == "glasses: no" and order_words(short) is None
