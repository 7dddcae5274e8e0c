"""The study's claims on made audits of known truth: what is planted is found, what is not is not, verdicts by rule."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from core.analysis.accuracy.regression import Term, Together, regression
from core.analysis.comparison import open_experiment
from core.analysis.findings import Finding
from core.analysis.findings.accuracy import accuracy_findings
from core.analysis.findings.base import as_family
from core.analysis.findings.causes import cause_findings
from core.analysis.findings.maps import where_right_looks, whether_wrong_has_a_pattern
from core.audit.folder import Audit
from core.checks.hidden_costs import CLAIMED, RIVALS, Way
from core.checks.results import HIDING, Part
from core.data.faces import ADULT_AGE, UNRECORDED
from core.data.filters import Filter
from core.explain.regions import REGIONS, weights
from core.present.text.experiments import experiment_report
from core.present.text.findings import findings_report, findings_sentence
from core.verdicts import Verdict
from tests.helpers.made_audit import made_audit
from tests.helpers.made_experiment import make_experiment

SHAPE = (7, 7)
EVERYONE = Filter()


def made(n: int = 2000, errors: dict | None = None, **planted: object) -> Audit:
    """Faces with an error rate by (gender, ethnicity), whose evidence for the decision lies on regions."""
    planted = {"correct_on": ("nose", "mouth"), "incorrect_on": ("nose", "mouth")} | planted
    return made_audit(n, ethnicities=("A", "B"), ages=(18, 60), errors=errors or {}, noise=0.5, **planted)


def hiding(less: dict[str, tuple[float, float]], n: int = 100, high_of_first: float | None = None) -> SimpleNamespace:
    """Checks that hid the regions of all correct predictions: nose and mouth less each other region, low and high.

    `high_of_first`: the high bound of the first region under the last fill alone.
    """
    group, at = "all faces, predicted correctly", [(way, fill) for way in Way for fill in ("grey", "average face")]
    costs = [
        {"group": group, "way": way, "fill": fill, "hidden": name, "cost": 0.05, "low": 0.04, "high": 0.06}
        for way, fill in at for name in (CLAIMED, *RIVALS)
    ]  # fmt: skip
    rows = [
        {"group": group, "way": way, "fill": fill, "rival": name, "less": sum(less.get(name, (0.01, 0.03))) / 2,
         "low": less.get(name, (0.01, 0.03))[0], "high": less.get(name, (0.01, 0.03))[1]}
        for way, fill in at for name in RIVALS
    ]  # fmt: skip
    if high_of_first is not None:
        rows[-len(RIVALS)]["high"] = high_of_first
    tables = {"costs": pd.DataFrame(costs), "less": pd.DataFrame(rows)}
    return SimpleNamespace(parts={HIDING: Part([(group, n)], tables, {})})


def test_a_gap_by_gender_is_found_and_none_by_ethnicity_is_not_claimed() -> None:
    findings = {
        f.key: f for f in accuracy_findings(made(6000, {("female", "A"): 0.12, ("female", "B"): 0.12}), EVERYONE)
    }
    assert findings["1a"].verdict == Verdict.SUPPORTED
    assert findings["1b"].verdict != Verdict.SUPPORTED
    rates = findings["1a"].numbers.set_index("group")["accuracy"]
    assert f"{100 * rates['women']:.1f} %" in findings["1a"].sentence
    assert {"women, 30–44 years", "men, 45–59 years"} <= set(rates.index)


def test_men_who_fare_worse_do_not_support_that_women_do() -> None:
    finding = accuracy_findings(made(6000, {("male", "A"): 0.15, ("male", "B"): 0.15}), EVERYONE)[0]
    assert finding.verdict == Verdict.NOT_SUPPORTED


def test_a_gap_by_ethnicity_is_found_at_equal_ages() -> None:
    audit = made(6000, {("female", "B"): 0.15, ("male", "B"): 0.15})
    findings = {f.key: f for f in accuracy_findings(audit, EVERYONE)}
    assert findings["1b"].verdict == Verdict.SUPPORTED
    worst = findings["1b"].result.pairs.iloc[0]
    assert worst["worst"] in ("B women", "B men") and 0.05 < worst["low"] < worst["difference"] < 0.2


def test_ethnicity_in_one_gender_only_is_a_difference_between_ethnicities() -> None:
    """Opposite gaps of women and men cancel in ethnicity's main effect; the hypothesis leaves out both terms."""
    audit = made(4000, {("female", "B"): 0.12, ("male", "A"): 0.12})
    finding = accuracy_findings(audit, EVERYONE)[1]
    assert finding.verdict == Verdict.SUPPORTED
    fit = regression(audit.faces)
    assert fit.p(Term.ETHNICITY) > 0.05 > 1e-6 > fit.p(Together.ETHNICITY)


def test_a_gap_whose_sign_changes_with_age_is_supported_in_part_and_both_ages_are_named() -> None:
    audit = made(8000, {("male", "A"): 0.02, ("male", "B"): 0.02})
    faces = audit.faces
    draw, women = np.random.default_rng(5), (faces["gender"] == "female").to_numpy()
    rate = np.where(faces["age"] < 30, 0.0, 0.25)
    wrong = np.where(women, draw.random(len(faces)) < rate, ~faces["correct"])
    faces["correct"], faces["p_male"] = ~wrong, np.where(wrong == women, 0.9, 0.1)
    finding = accuracy_findings(audit, EVERYONE)[0]
    assert finding.verdict == Verdict.IN_PART
    young, old = finding.result.reversed_at
    assert young == "18–29 years" and old != young
    rows = finding.result.by_age.set_index("band")["difference"]
    assert rows[young] > 0 > rows[old] == rows.min()
    assert f"at {young} and " in finding.sentence and "The sign changes with age" in finding.sentence


def test_the_power_is_told_and_a_verdict_out_of_reach_is_called_so() -> None:
    few, many = (accuracy_findings(made(n, {}), EVERYONE)[1] for n in (1200, 40_000))
    assert few.result.reach < 0.05 < 0.9 < many.result.reach
    assert "out of reach" in few.sentence and "out of reach" not in many.sentence
    assert few.result.power[1] < 0.5 < 0.9 < many.result.power[0]


def test_claims_are_corrected_together_and_a_verdict_by_test_must_outlast_it() -> None:
    claims = [
        Finding(key, "x", Verdict.SUPPORTED, "s.", "r", p=p, by_test=key != "5")
        for key, p in zip(("1a", "1b", "3", "4", "5"), (0.001, 0.02, np.nan, 0.009, 0.03), strict=True)
    ]
    findings = {f.key: f for f in as_family(claims)}
    assert [findings[key].p_holm for key in ("1a", "4", "1b", "5")] == pytest.approx([0.005, 0.036, 0.06, 0.06])
    assert [findings[key].verdict for key in ("1a", "4")] == [Verdict.SUPPORTED] * 2
    assert findings["1b"].verdict == Verdict.CANNOT_TELL
    assert findings["5"].verdict == Verdict.SUPPORTED, "intervals decided it"
    assert findings["3"].sentence == "s." and "over the 5 claims: p = 0.005." in findings["1a"].sentence


def test_equal_groups_of_many_faces_are_not_supported_and_of_few_cannot_be_told() -> None:
    many = accuracy_findings(made(40_000, {}), EVERYONE)
    assert [f.verdict for f in many] == [Verdict.NOT_SUPPORTED, Verdict.NOT_SUPPORTED]
    few = accuracy_findings(made(400, {}), EVERYONE)
    assert [f.verdict for f in few] == [Verdict.CANNOT_TELL, Verdict.CANNOT_TELL]


def test_too_few_faces_or_no_ethnicity_are_told_in_words() -> None:
    tiny = accuracy_findings(made(60), EVERYONE)
    assert [f.verdict for f in tiny] == [Verdict.CANNOT_TELL, Verdict.CANNOT_TELL]
    assert "not 50 faces" in tiny[0].sentence
    audit = made(600)
    audit.faces["ethnicity"] = "not recorded"
    assert "records no ethnicity" in accuracy_findings(audit, EVERYONE)[1].sentence


def test_what_hiding_costs_decides_and_the_map_does_not() -> None:
    nose, eyes = made(), made(correct_on=("eyes",))
    for audit in (nose, eyes):
        finding = where_right_looks(audit, EVERYONE, hiding({}))
        assert finding.verdict == Verdict.SUPPORTED and finding.result.hidden == 100
        assert where_right_looks(audit, EVERYONE, hiding({"eyes": (-0.03, -0.01)})).verdict == Verdict.NOT_SUPPORTED
        assert where_right_looks(audit, EVERYONE, hiding({"eyes": (-0.03, 0.01)})).verdict == Verdict.CANNOT_TELL
    assert "Hidden in 100 of these faces, nose and mouth cost" in finding.sentence
    assert finding.numbers.set_index("region").loc["eyes", "less_low"] == 0.01
    assert where_right_looks(nose, EVERYONE, None).verdict == Verdict.CANNOT_TELL


def test_one_fill_under_which_a_region_does_not_cost_more_leaves_it_open() -> None:
    first = {RIVALS[0]: (-0.03, -0.01)}
    assert where_right_looks(made(), EVERYONE, hiding(first)).verdict == Verdict.NOT_SUPPORTED
    finding = where_right_looks(made(), EVERYONE, hiding(first, high_of_first=0.001))
    assert finding.verdict == Verdict.CANNOT_TELL
    # Three of its four intervals lie below, which the sentence must not deny.
    assert "Of the 4 intervals beside each other region" in finding.sentence
    assert f"cost less than {RIVALS[0]} in 3 of them" in finding.sentence
    assert f"cost more than {', '.join(RIVALS[1:-1])} and {RIVALS[-1]} in all" in finding.sentence
    unsure = where_right_looks(made(), EVERYONE, hiding({"eyes": (-0.03, 0.01)}))
    assert "are not told apart from eyes in any" in unsure.sentence


def test_a_filter_whose_regions_were_not_hidden_is_not_told_of_others() -> None:
    finding = where_right_looks(made(), Filter(gender=("female",)), hiding({}))
    assert finding.verdict == Verdict.CANNOT_TELL and finding.result.hidden == 0
    assert "in no group of these faces, but of «all faces, predicted correctly»" in finding.sentence
    few = where_right_looks(made(), EVERYONE, hiding({}, n=20))
    assert few.verdict == Verdict.CANNOT_TELL and "20 of these faces only" in few.sentence


def test_density_is_said_for_moved_regions_too() -> None:
    result = where_right_looks(made(), EVERYONE, None).result
    assert result.moved[0] < result.density.value <= result.moved[1] + 1e-9


def test_only_right_predictions_count_and_density_is_of_the_chosen_class() -> None:
    audit = made(incorrect_on=("eyes",), errors={("female", "A"): 0.4})
    finding = where_right_looks(audit, EVERYONE, None)
    right = audit.faces["correct"].to_numpy()
    assert finding.result.n == right.sum()
    table = finding.numbers.set_index("region")
    assert table["density"]["nose"] > table["density"]["eyes"]
    predicted = audit.called
    energy = np.maximum(audit.evidence[np.arange(len(right)), predicted].astype(float), 0)[right]
    nose = (energy * weights(SHAPE)[REGIONS.index("nose")]).sum(axis=(1, 2)) / energy.sum(axis=(1, 2))
    assert table["share"]["nose"] == pytest.approx(nose.mean(), rel=1e-6)


WRONG = {("female", "A"): 0.1, ("male", "B"): 0.1}


def test_wrong_predictions_with_the_common_map_have_no_pattern_of_their_own() -> None:
    finding = whether_wrong_has_a_pattern(made(3000, WRONG), EVERYONE)
    assert finding.verdict == Verdict.SUPPORTED and not finding.by_test
    assert finding.result.pattern.shown.low < 1 < finding.result.pattern.shown.high
    assert "of the same decision, ethnicity, age and |margin|" in finding.sentence
    values = finding.numbers.set_index("measure")["value"]
    assert values["cells of 49 beyond chance"] == 0
    assert values["strength of the own pattern"] == finding.result.pattern.strength.value


def test_what_is_not_recorded_is_not_said_to_be_alike() -> None:
    audit = made(3000, WRONG)
    faces = audit.faces.assign(ethnicity=UNRECORDED, age=pd.array([pd.NA] * 3000, dtype="Int16"))
    bare = replace(audit, faces=faces)
    assert "of the same decision and |margin|" in whether_wrong_has_a_pattern(bare, EVERYONE).sentence
    assert ". As they are (no age is known here) women less men is " in accuracy_findings(bare, EVERYONE)[0].sentence
    aged = replace(audit, faces=audit.faces.assign(ethnicity=UNRECORDED))
    assert ". At equal ages women less men is " in accuracy_findings(aged, EVERYONE)[0].sentence
    assert "age band" not in accuracy_findings(aged, EVERYONE)[0].numbers


def test_wrong_predictions_that_look_elsewhere_have_one() -> None:
    finding = whether_wrong_has_a_pattern(made(3000, WRONG, incorrect_on=("eyes",)), EVERYONE)
    assert finding.verdict == Verdict.NOT_SUPPORTED and finding.by_test
    assert finding.result.pattern.strength.low > 0.25
    assert as_family([finding])[0].verdict == Verdict.NOT_SUPPORTED


def test_wrong_predictions_of_noise_alone_support_it() -> None:
    finding = whether_wrong_has_a_pattern(made(4000, WRONG, incorrect_on=None), EVERYONE)
    assert finding.verdict == Verdict.SUPPORTED
    assert finding.result.pattern.shown.high < 0.5
    values = finding.numbers.set_index("measure")["value"]
    assert values["dispersion of the incorrect ones"] > 0.9 > values["dispersion of the correct ones"]


def test_right_predictions_none_of_which_is_alike_tell_nothing() -> None:
    audit = made(2000, WRONG)
    audit.faces.loc[audit.faces["correct"], "logit_female"] += np.where(
        audit.faces.loc[audit.faces["correct"], "predicted"] == "female", 50, -50
    )
    finding = whether_wrong_has_a_pattern(audit, EVERYONE)
    assert finding.verdict == Verdict.CANNOT_TELL and finding.result is None
    assert finding.sentence == "0 incorrect predictions have correct ones like them: a test needs 30."


def test_faces_of_unknown_age_are_matched_among_themselves() -> None:
    audit = made(3000, WRONG)
    audit.faces["age"] = pd.array([pd.NA] * len(audit.faces), dtype="Int16")
    assert whether_wrong_has_a_pattern(audit, EVERYONE).result.pattern.own.n_a > 100


def test_noise_everywhere_cannot_tell_and_neither_can_few_wrong_ones() -> None:
    noise = made(3000, correct_on=(), incorrect_on=None)
    assert whether_wrong_has_a_pattern(noise, EVERYONE).verdict == Verdict.CANNOT_TELL
    few = made(300, dict.fromkeys((("female", "A"), ("male", "A"), ("female", "B"), ("male", "B")), 0.03))
    finding = whether_wrong_has_a_pattern(few, EVERYONE)
    assert finding.verdict == Verdict.CANNOT_TELL
    assert "a test needs 30" in finding.sentence


def test_without_an_experiment_no_cause_is_claimed() -> None:
    findings = cause_findings(None, EVERYONE)
    assert [f.key for f in findings] == ["4", "5"]
    assert all(f.verdict == Verdict.CANNOT_TELL and "No experiment" in f.sentence for f in findings)


def of_causes(tmp_path: Path, control: str = "") -> list[Finding]:
    """Findings on a made experiment in which Black women lose 20 points, with another arm as control."""
    path = make_experiment(tmp_path, 1800)
    file = path / "experiment.json"
    content = json.loads(file.read_text())
    first = content["contrasts"][0] | {"finding": "4", "measure": "group less others"}
    content["contrasts"] = [first]
    if control:
        content["contrasts"].insert(0, first | {"name": "as many others left out", "to": control, "control": True})
    file.write_text(json.dumps(content))
    return cause_findings(open_experiment(path), Filter())


def test_a_missing_group_is_a_cause_in_part_without_control_arms_and_wholly_with_one(tmp_path: Path) -> None:
    alone = of_causes(tmp_path / "alone")[0]
    assert alone.verdict == Verdict.IN_PART and alone.by_test
    assert "No control arm was trained" in alone.sentence
    effects = alone.result.contrasts[0][1].effects
    assert effects["own threshold"].both.high < 0
    assert effects["area under the curve"].levels[1] < effects["area under the curve"].levels[0]
    beside = of_causes(tmp_path / "beside", "again")[0]
    assert beside.verdict == Verdict.SUPPORTED
    assert "control arm" not in beside.sentence
    same = of_causes(tmp_path / "same", "without")[0]
    assert same.verdict == Verdict.IN_PART
    assert "not fall further than in each control arm" in same.sentence


def test_pairs_that_were_given_no_treatment_do_not_count(tmp_path: Path) -> None:
    """Two of three pairs are one network: whatever the third shows, two built-in zeros are no evidence of no effect."""
    path = make_experiment(tmp_path, 900)
    content = json.loads((path / "experiment.json").read_text())
    content["arms"][2]["models"] = ["everyone-s0", "again-s1", "everyone-s2"]
    content["contrasts"] = [
        {"name": "another choice", "from": "everyone", "to": "again", "expect": "higher", "finding": "5"}
    ]
    (path / "experiment.json").write_text(json.dumps(content))
    finding = cause_findings(open_experiment(path), Filter())[1]
    contrast = finding.result.contrasts[0][1]
    assert contrast.given == (False, True, False)
    assert finding.verdict == Verdict.CANNOT_TELL and np.isnan(finding.p)
    assert contrast.effects["worst group"].seeds.value == contrast.effects["worst group"].by_seed[1]
    assert "over the 1 of 3 pairs that differ at all" in finding.sentence
    assert "in seeds 0 and 2 both arms are one network" in finding.sentence
    assert "1 of 3 pairs differ at all and count" in experiment_report(open_experiment(path))


def test_the_filter_is_kept() -> None:
    audit = made(3000, {("female", "A"): 0.2, ("female", "B"): 0.2})
    young = audit.faces["age"] < 30
    audit.faces.loc[young & (audit.faces["gender"] == "female"), "correct"] = True
    audit.faces.loc[young, "predicted"] = audit.faces["gender"]
    audit.faces.loc[young, "p_male"] = (audit.faces["gender"] == "male").astype(float)
    finding = accuracy_findings(audit, Filter(age_from=ADULT_AGE, age_to=30))[0]
    assert finding.verdict != Verdict.SUPPORTED
    assert accuracy_findings(audit, Filter(age_from=30))[0].verdict == Verdict.SUPPORTED


def test_the_sentence_counts_verdicts_and_the_report_holds_every_number() -> None:
    few = [Finding("1a", "x", Verdict.SUPPORTED, "s", "r"), Finding("2", "y", Verdict.NOT_SUPPORTED, "t", "r"),
           Finding("3", "z", Verdict.SUPPORTED, "u", "r")]  # fmt: skip
    assert findings_sentence(few) == (
        "Of the original study's 3 claims, 2 are supported here (1a, 3), 1 is not supported (2)."
    )
    finding = where_right_looks(made(), EVERYONE, None)
    text = findings_report([finding], "made")
    for value in finding.numbers[["share", "density", "low", "high"]].to_numpy().ravel():
        assert f"{value:.4f}".rstrip("0").rstrip(".") in text
