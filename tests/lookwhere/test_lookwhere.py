"""The package for notebooks: arrays in, results out, the numbers of an audit, and errors that help."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

import lookwhere
from core.analysis.accuracy.by_group import accuracy_by
from core.analysis.accuracy.counts import group_counts
from core.analysis.accuracy.simultaneous import gap_of, simultaneous_intervals
from core.audit.folder import Audit
from core.data.filters import Filter
from core.errors import LookwhereError
from lookwhere.results import Result
from tests.helpers.made_audit import made_audit
from tests.helpers.made_store import make_store
from tests.helpers.shipped import AUDIT, MODEL, shipped_or_skip

WOMEN, MEN = Filter(gender=("female",)), Filter(gender=("male",))


@pytest.fixture(scope="module")
def audit() -> Audit:
    shipped_or_skip()
    return lookwhere.open_audit(AUDIT)


def made(n: int = 600, seed: int = 0) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    draw = np.random.default_rng(seed)
    groups = pd.DataFrame({"site": draw.choice(["north", "south"], n), "year": draw.choice([9, 10], n)})
    truth = draw.choice(["yes", "no"], n)
    said = np.where(draw.random(n) < 0.1, np.where(truth == "yes", "no", "yes"), truth)
    return truth, said, groups


def test_every_public_name_is_there_and_unknown_ones_are_refused() -> None:
    names = set(lookwhere.__all__)
    assert names == set(lookwhere._MODULE_OF)
    assert names <= set(dir(lookwhere))
    for name in names:
        assert getattr(lookwhere, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'acuracy'; there are"):
        _ = lookwhere.acuracy


def test_an_audit_and_its_columns_as_arrays_give_the_same(audit: Audit) -> None:
    faces = audit.faces
    of_audit = lookwhere.accuracy_by_group(audit)
    said = np.where(faces["p_male"] >= 0.5, "male", "female")
    of_arrays = lookwhere.accuracy_by_group(
        faces["gender"], said, groups=faces[["gender", "ethnicity"]], persons=faces["identity"]
    )
    columns = [name for name in of_audit.table if name != "group"]
    pd.testing.assert_frame_equal(
        of_audit.table[columns], of_arrays.table[columns], check_dtype=False, check_column_type=False
    )
    assert of_arrays.overall == of_audit.overall
    assert of_arrays.largest_gap.difference == of_audit.largest_gap.difference
    groups = group_counts(faces, ["gender", "ethnicity"])
    bands = simultaneous_intervals(groups).table.sort_values(["gender", "ethnicity"])
    np.testing.assert_array_equal(of_audit.table["all_low"], bands["low"])
    assert of_audit.largest_gap.corrected == gap_of(groups).corrected
    plain = accuracy_by(faces, ["gender", "ethnicity"])
    np.testing.assert_allclose(of_audit.table[["n", "low", "high"]], plain[["n", "low", "high"]])


def test_by_within_and_threshold_of_an_audit(audit: Audit) -> None:
    adults = lookwhere.accuracy_by_group(audit, by=["age band"], within=Filter(age_from=18))
    assert adults.n == 3327
    assert adults.table["age band"].tolist() == ["18–29 years", "30–44 years", "45–59 years", "60+ years"]
    strict = lookwhere.accuracy_by_group(audit, by=["gender"], threshold=0.9, positive="male")
    rates = strict.table.set_index("gender")
    assert rates.loc["male", "accuracy"] == pytest.approx(rates.loc["male", "true_positive_rate"])
    assert rates.loc["female", "accuracy"] == pytest.approx(1 - rates.loc["female", "false_positive_rate"])
    with pytest.raises(LookwhereError, match="'glasses': no such column; there are gender, ethnicity, age band"):
        lookwhere.accuracy_by_group(audit, by=["glasses"])
    with pytest.raises(LookwhereError, match="give `by` instead of `groups`"):
        lookwhere.accuracy_by_group(audit, groups=[1])


def test_groups_as_array_dict_and_table() -> None:
    truth, said, groups = made()
    one = lookwhere.accuracy_by_group(truth, said, groups=groups["site"].to_numpy())
    assert one.table["group"].tolist() == ["north", "south"]
    named = lookwhere.accuracy_by_group(list(truth), list(said), groups={"site": list(groups["site"])})
    crossed = lookwhere.accuracy_by_group(truth, said, groups=groups)
    assert named.table["site"].tolist() == ["north", "south"]
    assert crossed.table["group"].tolist() == ["north · 9", "north · 10", "south · 9", "south · 10"]
    for row in crossed.table.itertuples():
        inside = (groups["site"] == row.site) & (groups["year"].astype(str) == row.year)
        assert (row.n, row.correct) == (inside.sum(), (truth == said)[inside].sum())
        assert row.all_low < row.low < row.accuracy < row.high < row.all_high
    swapped = lookwhere.accuracy_by_group(truth == "yes", said == "yes", groups=groups)
    pd.testing.assert_frame_equal(swapped.table, crossed.table)


def test_the_rates_are_fairlearns() -> None:
    fairlearn = pytest.importorskip("fairlearn.metrics")
    truth, said, groups = made()
    found = lookwhere.accuracy_by_group(truth, said, groups=groups["site"], positive="yes").table.set_index("group")
    metrics = {
        "selection_rate": fairlearn.selection_rate,
        "true_positive_rate": fairlearn.true_positive_rate,
        "false_positive_rate": fairlearn.false_positive_rate,
    }
    frame = fairlearn.MetricFrame(
        metrics=metrics, y_true=truth == "yes", y_pred=said == "yes", sensitive_features=groups["site"]
    )
    np.testing.assert_allclose(found[list(metrics)], frame.by_group[list(metrics)])


def test_small_and_unknown_groups_are_listed_and_not_compared() -> None:
    truth, said, groups = made(200)
    site = groups["site"].copy()
    site[:60], site[60:90] = None, "east"
    found = lookwhere.accuracy_by_group(truth, said, groups=site)
    assert found.table.set_index("group").loc["east", ["all_low", "all_high"]].notna().all()
    found = lookwhere.accuracy_by_group(truth, said, groups=site, smallest=50)
    left = found.table.set_index("group")["left_out"].to_dict()
    assert left["east"] == "under 50 faces"
    assert left["not known"] == "not known"
    assert found.table.set_index("group").loc["not known", "n"] == 60
    assert found.table.loc[found.table["left_out"] != "", "all_low"].isna().all()
    with pytest.raises(LookwhereError, match="smaller `smallest`"):
        lookwhere.accuracy_by_group(truth[:40], said[:40], groups=site[:40].fillna("x"), smallest=50).plot()
    assert "no two groups" in lookwhere.accuracy_by_group([], [], groups=[]).sentence


def test_people_are_resampled_whole() -> None:
    truth, said, groups = made(600)
    alone = lookwhere.accuracy_by_group(truth, said, groups=groups["site"])
    twice = [np.concatenate([x, x]) for x in (truth, said, groups["site"].to_numpy())]
    persons = np.concatenate([np.arange(600)] * 2)
    people = lookwhere.accuracy_by_group(twice[0], twice[1], groups=twice[2], persons=persons)
    assert people.table["people"].tolist() == alone.table["n"].tolist()
    np.testing.assert_allclose(people.table["low"], alone.table["low"], atol=2e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y_pred": ["yes"] * 3}, "y_pred: 3 values for 600 labels"),
        ({"y_pred": [0.25] * 600}, "scores, not labels"),
        ({"y_pred": [1, 0] * 300}, "none of the labels of y_true: 0, 1 beside 'no', 'yes'"),
        ({"y_pred": [None] * 600}, "y_pred: 600 of 600 values are missing"),
        ({"y_pred": np.zeros((600, 2))}, r"not an array of shape \(600, 2\)"),
        ({"groups": {"site": [1]}}, "groups site: 1 values for 600 labels"),
        ({"groups": {}}, "no column in it"),
        ({"persons": [1]}, "persons: 1 values"),
        ({"positive": "maybe"}, "positive 'maybe': must be one of two labels; there are 'no', 'yes'"),
        ({"by": ["gender"]}, "are for an audit"),
        ({"groups": None}, "give y_true, y_pred and groups="),
    ],
)
def test_what_does_not_do_is_told(change: dict, message: str) -> None:
    truth, said, groups = made()
    given = {"y_pred": said, "groups": groups["site"], **change}
    with pytest.raises(LookwhereError, match=message):
        lookwhere.accuracy_by_group(truth, given.pop("y_pred"), **given)


def results(audit: Audit) -> list[Result]:
    return [
        lookwhere.accuracy_by_group(audit),
        lookwhere.group_means(audit, [WOMEN, MEN], target="margin"),
        lookwhere.compare_maps(audit, WOMEN, MEN, permutations=50),
        lookwhere.evidence_by_region(audit, [WOMEN, MEN], draws=50),
        lookwhere.findings(audit),
    ]


def test_every_result_is_frozen_and_has_a_sentence_a_table_a_figure_and_short_html(audit: Audit) -> None:
    for result in results(audit):
        name = type(result).__name__
        assert result.sentence.endswith("."), name
        assert result.sentence in repr(result)
        assert len(result.to_frame()) > 1, name
        figure = result.plot()
        assert isinstance(figure, go.Figure)
        assert len(figure.data) > 0, name
        html = result._repr_html_()
        assert html.startswith("<p>")
        assert len(html) < 20_000, name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(result, dataclasses.fields(result)[0].name, None)


def test_a_table_handed_out_is_a_copy(audit: Audit) -> None:
    result = lookwhere.accuracy_by_group(audit)
    table = result.to_frame()
    table["n"] = 0
    assert result.table["n"].sum() == 4029


def test_names_from_data_are_no_markup() -> None:
    truth, said, _ = made(200)
    html = lookwhere.accuracy_by_group(truth, said, groups=["<script>x</script>", "b"] * 100)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_findings_have_a_figure_each_and_say_which(audit: Audit) -> None:
    found = lookwhere.findings(audit)
    assert found.to_frame()["key"].tolist() == ["1a", "1b", "2", "3", "4", "5"]
    assert {len(found.plot(key).data) > 0 for key in found.to_frame()["key"]} == {True}
    with pytest.raises(LookwhereError, match="no figure of claim 9; there are figures of 1a, 1b, 2, 3, 4, 5"):
        found.plot("9")


def test_a_group_of_few_has_no_map_and_says_so(audit: Audit) -> None:
    few = lookwhere.group_means(audit, Filter(gender=("female",), age_from=116))
    assert few.groups[0].n < 11
    assert few.groups[0].map is None
    assert "under 11 faces" in few.sentence
    assert few.plot().layout.annotations[0].text.endswith("too few faces")


def test_an_audits_own_columns_make_groups_too() -> None:
    audit = made_audit(600, own=True, errors=0.2, shape=None)
    table = lookwhere.accuracy_by_group(audit, by=["skin_tone", "gender"]).table
    assert table["n"].sum() == 600
    row = table[(table["skin_tone"] == "VI") & (table["gender"] == "male")].iloc[0]
    inside = audit.faces[(audit.faces["skin_tone"] == "VI") & (audit.faces["gender"] == "male")]
    assert (row["n"], row["correct"], row["group"]) == (len(inside), inside["correct"].sum(), "men, skin tone: VI")
    assert "skin_tone not recorded" in set(
        lookwhere.accuracy_by_group(audit, by=["skin_tone"], smallest=1).table["left_out"]
    )


def labels(n: int) -> pd.DataFrame:
    return pd.DataFrame({"gender": ["f", "Male"] * (n // 2), "age": [20, 130] * (n // 2)})


def test_a_store_from_arrays_is_a_store(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (40, 112, 112, 3), dtype=np.uint8)
    images[1] = images[0]
    store = lookwhere.store_from_arrays(tmp_path / "store", images, labels(40))
    again = lookwhere.open_store(tmp_path / "store")
    np.testing.assert_array_equal(again.images, images)
    assert again.faces["gender"].tolist() == ["female", "male"] * 20
    assert again.faces["cluster"].nunique() == 39
    assert set(again.faces["split"]) == {"test"}
    assert store.manifest.near_copy_clusters == 1
    assert again.faces["identity"].isna().all()


def test_further_columns_of_arrays_are_kept(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (20, 112, 112, 3), dtype=np.uint8)
    table = labels(20).assign(glasses=[True, False, None, True] * 5, blur=np.arange(20) / 4, hat=1)
    store = lookwhere.store_from_arrays(tmp_path / "store", images, table)
    assert [(column.name, column.kind.value) for column in store.columns] == [("glasses", "yes/no"), ("blur", "number")]
    assert store.faces["glasses"].tolist()[:2] == ["yes", "no"] and store.faces["glasses"].isna().sum() == 5
    assert store.manifest.remarks == ("column hat is left out: it says '1' of every face; --columns hat keeps it",)


@pytest.mark.parametrize(
    ("images", "table", "message"),
    [
        (np.zeros((4, 112, 112, 3)), labels(4), "expected uint8"),
        (np.zeros((4, 64, 64, 3), np.uint8), labels(4), r"not uint8 \(4, 64, 64, 3\)"),
        (np.zeros((4, 112, 112, 3), np.uint8), labels(6), "6 rows for 4 images"),
        (np.zeros((4, 112, 112, 3), np.uint8), labels(4)[["age"]], "no gender"),
        (np.zeros((4, 112, 112, 3), np.uint8), labels(4).assign(gender="x"), "gender 'x' is not known"),
    ],
)
def test_arrays_that_make_no_store_leave_nothing(
    images: np.ndarray, table: pd.DataFrame, message: str, tmp_path: Path
) -> None:
    with pytest.raises(LookwhereError, match=message):
        lookwhere.store_from_arrays(tmp_path / "store", images, table)
    assert not (tmp_path / "store").exists()


def test_predictions_are_imported_audited_and_reported(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", faces=240)
    scores = pd.DataFrame({"file": store.faces["path"], "p": np.where(store.faces["gender"] == "male", 0.9, 0.2)})
    scores.to_csv(tmp_path / "scores.csv", index=False)
    model = lookwhere.import_model(
        tmp_path / "scores.csv",
        "theirs",
        models=tmp_path / "models",
        score="probability",
        of="male",
        score_column=("p",),
    )
    audit = lookwhere.run_audit(store, model, ("all",))
    assert lookwhere.accuracy_by_group(audit).overall.value == 1
    assert lookwhere.run_audit(store, tmp_path / "models/theirs", ("all",)).path == audit.path
    with pytest.raises(LookwhereError, match="only predictions were audited"):
        lookwhere.group_means(audit)
    file = lookwhere.write_report(audit, tmp_path / "report.html")
    assert "theirs" in file.read_text()


def test_checks_of_the_shipped_audit_are_opened_as_a_result(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks that lie beside the audit, without a run of the network."""
    from core.checks import run
    from core.checks.results import open_checks

    asked = {}

    def finished(audit: Audit, model: object, store: object, **settings: object) -> object:
        asked.update(settings)
        return open_checks(audit)

    monkeypatch.setattr(run, "run_checks", finished)
    found = lookwhere.run_checks(audit, MODEL, None, sample=60, parts=("occlusion",))
    assert asked["parts"] == ("occlusion",)
    assert "methods" not in asked
    assert found.to_frame()["verdict"].str.contains("passes|fails").any()
    assert len(found.plot().data) == 2
    assert found.sentence.startswith("For all faces")
