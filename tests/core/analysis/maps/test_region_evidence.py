"""The budget adds up, its intervals cover, people are drawn whole, and small groups are not shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from core.analysis.bootstrap import bootstrap_means, paired_means
from core.analysis.maps.region_evidence import TOLERANCE, additivity, evidence_by_region, proportional_energy, waterfall
from core.audit.folder import Audit, head_bias, margin_evidence, margins, open_audit
from core.data.faces import person_codes
from core.data.filters import Filter
from core.errors import LookwhereError
from core.explain.regions import REGIONS, area_shares, weights
from core.present.figures import evidence as figures
from core.present.text.evidence import evidence_report, waterfall_sentence
from tests.helpers.made_audit import made_audit, made_manifest
from tests.helpers.shipped import AUDIT, shipped_or_skip

WOMEN, MEN = Filter(gender=("female",)), Filter(gender=("male",))


def made(n: int = 120, shape: tuple[int, int] = (7, 7), seed: int = 0, **more: object) -> Audit:
    """An audit of float64 maps that add up exactly; b = (0.3, −0.2) is in the manifest where a test puts it there."""
    more = {"manifest": {"head_bias": None}} | more
    return made_audit(n, seed, shape=shape, noise=2.0, bias=(0.3, -0.2), dtype=np.float64, **more)


@pytest.fixture(scope="module")
def shipped() -> Audit:
    shipped_or_skip()
    return open_audit(AUDIT)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 16), st.integers(1, 16), st.integers(0, 1000), st.booleans())
def test_made_arrays_add_up_to_1e9_in_every_group(height: int, width: int, seed: int, additive: bool) -> None:
    audit = made(120, (height, width), seed, manifest={"head_bias": [0.3, -0.2] if additive else None})
    assert head_bias(audit) == pytest.approx(0.5, abs=1e-9)
    assert additivity(audit)["difference"].abs().max() < 1e-9
    for filter in (Filter(), WOMEN, Filter(outcome="incorrect"), Filter(ethnicity=("Asian",), age_from=30)):
        mask = filter.mask(audit.faces)
        evidence = evidence_by_region(audit, filter, draws=5)
        assert evidence.n == mask.sum()
        if not evidence.too_small:
            assert evidence.margin == pytest.approx(margins(audit)[mask].mean(), abs=1e-12)
            assert abs(evidence.residual) < 1e-9
            assert evidence.table["evidence"].sum() + evidence.bias == pytest.approx(evidence.margin, abs=1e-9)


def test_a_region_gets_what_a_loop_over_cells_gives_it() -> None:
    audit = made(12, (3, 5))
    expected = np.zeros((12, len(REGIONS)))
    for face in range(12):
        for region in range(len(REGIONS)):
            for row in range(3):
                for column in range(5):
                    cell = audit.evidence[face, 0, row, column] - audit.evidence[face, 1, row, column]
                    expected[face, region] += weights((3, 5))[region, row, column] * cell / 15
    np.testing.assert_allclose(margin_evidence(audit), expected, rtol=0, atol=1e-12)


def test_a_planted_region_is_found() -> None:
    """Two units more margin at the mouth for men, nowhere else: the waterfall has it there, and only there."""
    audit, size, index = made(400, (112, 112), seed=3), 112 * 112, REGIONS.index("mouth")
    mouth = weights((112, 112))[index] == 1
    audit.evidence[1::2, 0, mouth] += 2 * size / mouth.sum()
    audit.faces.loc[1::2, "logit_female"] += 2.0
    steps = waterfall(audit, WOMEN, MEN)
    row = steps.table.set_index("region").loc["mouth"]
    assert row["low"] < 2 < row["high"]
    assert row["high"] - row["low"] < 0.2
    smaller = steps.table.drop(index)["difference"].abs()
    assert smaller.max() < 0.05
    assert "centred on the mouth" in waterfall_sentence(steps)


@pytest.mark.parametrize("groups", [(WOMEN, MEN), (Filter(), MEN), (WOMEN, Filter(ethnicity=("Black",)))])
def test_the_way_from_a_to_b_leaves_nothing_over(groups: tuple[Filter, Filter]) -> None:
    audit = made(240)
    steps, (a, b) = waterfall(audit, *groups), (margins(audit)[w.mask(audit.faces)] for w in groups)
    assert steps.ends.loc["a", "margin"] == pytest.approx(a.mean(), abs=1e-12)
    assert steps.ends.loc["b", "margin"] == pytest.approx(b.mean(), abs=1e-12)
    assert a.mean() + steps.table["difference"].sum() == pytest.approx(b.mean(), abs=1e-9)
    assert abs(steps.residual) < 1e-9
    np.testing.assert_allclose(steps.table["b"] - steps.table["a"], steps.table["difference"], atol=1e-12)


@pytest.mark.parametrize("nested", [False, True])
def test_a_waterfalls_intervals_agree_with_the_budgets_and_the_formula(nested: bool) -> None:
    """Nested groups too: men move both ends, so the difference is surer than two samples apart would have it."""
    audit = made(2000, seed=5)
    steps = waterfall(audit, Filter() if nested else WOMEN, MEN, draws=4000)
    values, men = margins(audit), MEN.mask(audit.faces)
    alone = values[men].std(ddof=1) / np.sqrt(men.sum()), values[~men].std(ddof=1) / np.sqrt((~men).sum())
    # all − men = share of women × (women − men)
    error = np.hypot(*alone) * ((~men).mean() if nested else 1)
    half = (steps.ends["high"] - steps.ends["low"]) / 2 / stats.norm.ppf(0.975)
    assert half["b − a"] == pytest.approx(error, rel=0.06)
    assert half["b"] == pytest.approx(alone[0], rel=0.06)
    own = evidence_by_region(audit, MEN, draws=4000).table
    widths = steps.table.assign(width=lambda t: t["high"] - t["low"])
    if not nested:
        apart = evidence_by_region(audit, WOMEN, draws=4000).table
        width = np.hypot(own["high"] - own["low"], apart["high"] - apart["low"])
        np.testing.assert_allclose(widths["width"], width, rtol=0.1)


def test_intervals_are_those_of_scipys_bootstrap() -> None:
    audit = made(60, seed=8)
    values = margin_evidence(audit)
    table = evidence_by_region(audit, Filter(), draws=20_000).table
    reference = stats.bootstrap((values,), np.mean, axis=0, n_resamples=20_000, method="percentile", rng=1)
    spread = table["high"] - table["low"]
    np.testing.assert_array_less((table["low"] - reference.confidence_interval.low).abs() / spread, 0.02)
    np.testing.assert_array_less((table["high"] - reference.confidence_interval.high).abs() / spread, 0.02)


def covered(faces_each: int, whole: bool, repeats: int = 400, people: int = 80) -> int:
    """How often the interval of a mean holds the true one, 0: people differ, their faces hardly."""
    hits = 0
    for repeat in range(repeats):
        draw = np.random.default_rng(repeat)
        person = np.repeat(np.arange(people), faces_each)
        values = draw.normal(0, 1, people)[person] + draw.normal(0, 0.3, len(person))
        unit = person if whole else np.arange(len(person))
        low, high = np.percentile(bootstrap_means(values[:, None], unit, 400, repeat)[:, 0], [2.5, 97.5])
        hits += low <= 0 <= high
    return hits


def test_intervals_cover_at_95_percent_when_people_are_drawn_whole() -> None:
    # 99.9 % binomial bounds; with 80 people the percentile bootstrap falls short of 95 % by about half a point.
    low, high = stats.binom.interval(0.999, 400, 0.945)
    assert low <= covered(1, whole=True) <= high
    assert low <= covered(4, whole=True) <= high
    assert covered(4, whole=False) < low, "faces drawn singly must be found too sure, or the test shows nothing"


def test_people_are_drawn_whole() -> None:
    """With +1 and −1 for each person's two faces, no sample of whole people moves; the faces drawn singly do."""
    values, people = np.tile([1.0, -1.0], 50)[:, None], np.repeat(np.arange(50), 2)
    assert np.abs(bootstrap_means(values, people, 200, 0)).max() == 0
    assert bootstrap_means(values, np.arange(100), 200, 0).std() > 0.05
    audit = made(200, columns={"identity": [f"p{k % 50}" for k in range(200)]})
    assert evidence_by_region(audit, Filter(), draws=10).people == 50
    assert evidence_by_region(made(200), Filter(), draws=10).people == 200


def test_a_person_in_both_groups_moves_both() -> None:
    """Each person has a face in A and a like one in B: the difference is known exactly, the means are not."""
    person = np.repeat(np.arange(60), 2)
    values = np.random.default_rng(0).normal(size=60)[person, None] + np.tile([0.0, 1.0], 60)[:, None]
    masks = np.stack([np.arange(120) % 2 == 0, np.arange(120) % 2 == 1])
    a, b = paired_means(values, masks, person, 300, 0)
    np.testing.assert_allclose(b - a, 1, atol=1e-12)
    assert a.std() > 0.05


def test_unknown_identities_are_people_of_their_own() -> None:
    faces = pd.DataFrame({"identity": pd.array(["x", pd.NA, "y", "x", pd.NA], dtype="string")})
    codes = person_codes(faces)
    assert codes[0] == codes[3]
    assert len(np.unique(codes)) == 4
    assert len(person_codes(faces.iloc[:0])) == 0


def test_a_seed_gives_the_same_intervals_and_another_one_others() -> None:
    audit = made()
    pd.testing.assert_frame_equal(evidence_by_region(audit, WOMEN).table, evidence_by_region(audit, WOMEN).table)
    assert not evidence_by_region(audit, WOMEN, seed=1).table.equals(evidence_by_region(audit, WOMEN).table)
    pd.testing.assert_frame_equal(waterfall(audit, WOMEN, MEN).table, waterfall(audit, WOMEN, MEN).table)


@pytest.mark.parametrize("target", ["true", "predicted", "female", "male", "margin"])
def test_energy_is_the_mean_of_each_faces_own_share(target: str) -> None:
    audit, expected = made(40, (4, 4), seed=2), []
    for n, face in enumerate(audit.faces.itertuples()):
        female, male = audit.evidence[n]
        explained_class = {"true": face.gender, "predicted": face.predicted}.get(target, target)
        difference = female - male if face.predicted == "female" else male - female
        positive = np.maximum(
            difference if target == "margin" else {"female": female, "male": male}[explained_class], 0
        )
        expected.append([(weights((4, 4))[r] * positive).sum() / positive.sum() for r in range(len(REGIONS))])
    table = proportional_energy(audit, Filter(), target)
    np.testing.assert_allclose(table["share"], np.mean(expected, axis=0), atol=1e-12)
    assert table["share"].sum() == pytest.approx(1, abs=1e-12)
    assert ((table["low"] < table["share"]) & (table["share"] < table["high"])).all()


def test_a_uniform_map_has_its_areas_and_faces_without_evidence_do_not_count() -> None:
    audit = made(40)
    audit.evidence[:, 0], audit.evidence[:, 1] = 3.0, -1.0
    audit.evidence[:15, 0] = -2.0
    table = proportional_energy(audit, Filter(), "female")
    assert (table["n"] == 25).all()
    np.testing.assert_allclose(table["share"], area_shares(), atol=1e-12)
    np.testing.assert_allclose(table["density"], 1, atol=1e-12)
    assert proportional_energy(audit, Filter(), "male")["share"].isna().all()
    with pytest.raises(LookwhereError, match="target"):
        proportional_energy(audit, Filter(), "neither")


@pytest.mark.parametrize("n", [0, 1, 10, 11])
def test_under_eleven_faces_nothing_but_n_is_told(n: int) -> None:
    audit = made(200)
    audit.faces["ethnicity"] = np.where(np.arange(200) < n, "Rare", "White")
    rare, is_shown = Filter(ethnicity=("Rare",)), n >= 11
    own, way, energy = evidence_by_region(audit, rare), waterfall(audit, rare, WOMEN), proportional_energy(audit, rare)
    assert own.n == way.n_a == n
    assert own.too_small is way.too_small is not is_shown
    assert own.table["evidence"].notna().all() == is_shown
    assert np.isfinite([own.margin, own.residual]).all() == is_shown
    for table, columns in ((way.table, ["difference", "low", "high", "a", "b"]), (energy, ["share", "low", "high"])):
        assert table[columns].notna().to_numpy().any() == is_shown
    assert way.ends.notna().to_numpy().any() == is_shown
    assert ("No evidence by region is shown" in waterfall_sentence(way)) is not is_shown
    table = additivity(audit)
    few = table[table["n"] < 11]
    assert few[["evidence", "margin"]].isna().all(axis=None)
    assert few["difference"].notna().all()


def test_no_face_at_all() -> None:
    audit = made(40)
    nobody = Audit("made", Path("made"), audit.faces.iloc[:0], audit.evidence[:0], audit.averages, made_manifest())
    assert evidence_by_region(nobody, Filter()).n == 0
    assert len(additivity(nobody)) == 0
    assert np.isnan(head_bias(nobody))


def test_every_group_of_the_shipped_audit_adds_up(shipped: Audit) -> None:
    table = additivity(shipped)
    groups = shipped.faces.groupby(["gender", "ethnicity"], observed=True)
    outcomes = shipped.faces.groupby(["gender", "ethnicity", "correct"], observed=True)
    assert len(table) == groups.ngroups + outcomes.ngroups
    assert table.loc[table["outcome"] == "all", "n"].sum() == len(shipped.faces)
    assert table["difference"].abs().max() <= TOLERANCE
    report = evidence_report(shipped)
    assert f"within {TOLERANCE:g}" in report
    assert "NOT" not in report
    # The same from the logits alone, by pandas.
    margin = shipped.faces["logit_female"].astype(float) - shipped.faces["logit_male"].astype(float)
    means = margin.groupby([shipped.faces["gender"], shipped.faces["ethnicity"]]).mean()
    mine = table[table["outcome"] == "all"].set_index(["gender", "ethnicity"])["evidence"]
    assert (mine - means).abs().max() <= TOLERANCE


def test_maps_of_another_model_are_found_out(shipped: Audit) -> None:
    faces = shipped.faces.assign(logit_female=shipped.faces["logit_female"].to_numpy()[::-1])
    wrong = Audit(shipped.name, shipped.path, faces, shipped.evidence, shipped.averages, shipped.manifest)
    assert "NOT within" in evidence_report(wrong)


def test_the_waterfall_chart_ends_where_group_b_is(shipped: Audit) -> None:
    for a, b in ((WOMEN, MEN), (WOMEN.narrowed(ethnicity=("White",)), WOMEN.narrowed(ethnicity=("Black",)))):
        found = waterfall(shipped, a, b, draws=200)
        chart = figures.waterfall_chart(found, "A", "B")
        steps = {row.name: row.marks[0] for row in chart.rows[1:-1]}
        at = found.ends.loc["a", "margin"]
        for region in REGIONS:
            assert steps[region].base == pytest.approx(at, abs=1e-9)
            at += steps[region].value
        assert at == pytest.approx(found.ends.loc["b", "margin"], abs=TOLERANCE)
        assert all(mark.low <= mark.value <= mark.high for row in chart.rows for mark in row.marks)
        assert [row.marks[0].value for row in (chart.rows[0], chart.rows[-1])] == list(found.ends["margin"][:2])


def test_the_regions_are_drawn_over_a_face() -> None:
    face = np.full((112, 112, 3), 128, dtype=np.uint8)
    picture = np.asarray(figures.regions_image(face, 224))
    assert picture.shape == (224, 224, 3)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > len(REGIONS)
