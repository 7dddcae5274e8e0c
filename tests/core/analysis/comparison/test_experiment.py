"""Experiments: planted effects are found, planted nulls are not, damaged folders are told in one line."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from core.analysis.accuracy.by_group import accuracy_by
from core.analysis.bootstrap import Resampling
from core.analysis.comparison import (
    MATTERS,
    Expectation,
    Experiment,
    Measure,
    arm_contrast,
    arm_estimates,
    arm_table,
    claim_contrast,
    list_experiments,
    open_experiment,
    verdict,
)
from core.analysis.comparison import experiment as experiment_module
from core.analysis.comparison.contrasts import t_interval
from core.analysis.comparison.paired import group_mask, mcnemar
from core.classifiers.info import list_models
from core.data.faces import ADULT_AGE
from core.data.filters import Filter
from core.errors import LookwhereError
from core.estimate import Estimate
from core.present.text import experiments
from core.present.text.experiments import experiment_report
from core.verdicts import Verdict
from core.wording import signed_points
from tests.helpers.made_audit import made_audit, made_faces
from tests.helpers.made_experiment import LOSS, make_experiment


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    return open_experiment(make_experiment(tmp_path_factory.mktemp("models")))


def test_an_experiment_is_listed_and_is_a_folder_of_models(experiment: Experiment) -> None:
    models = experiment.path.parent.parent
    assert list_experiments(models) == ["claims"]
    assert list_models(models) == []
    assert list_models(experiment.path) == sorted(
        f"{a}-s{k}" for a in ("everyone", "without", "again") for k in range(3)
    )
    assert [arm.name for arm in experiment.arms] == ["everyone", "without", "again"]
    assert experiment.claims[0].measure == "group"
    assert experiment.claims[2].measure == "worst group"


def test_a_planted_effect_is_supported(experiment: Experiment) -> None:
    contrast = claim_contrast(experiment, experiment.claims[0])
    assert contrast.verdict == Verdict.SUPPORTED
    assert contrast.effects["group less others"].verdict == Verdict.SUPPORTED
    assert contrast.effects["others"].verdict == Verdict.NOT_SUPPORTED
    effect = contrast.effects["group"]
    assert effect.seeds.high < 0
    assert effect.both.low < -LOSS * 0.92 < effect.both.high
    assert contrast.group == "Black women"


def test_a_planted_effect_is_not_what_the_other_direction_claims(experiment: Experiment) -> None:
    contrast = arm_contrast(experiment, ("everyone", "without"), "female Black", expect=Expectation.HIGHER)
    assert contrast.verdict == Verdict.NOT_SUPPORTED


def test_no_effect_is_not_supported(experiment: Experiment) -> None:
    contrast = claim_contrast(experiment, experiment.claims[1])
    assert contrast.effects["group"].both.low < 0 < contrast.effects["group"].both.high
    assert contrast.verdict in (Verdict.NOT_SUPPORTED, Verdict.CANNOT_TELL)
    everyone = arm_contrast(experiment, ("everyone", "again"), measure=Measure.OVERALL)
    assert everyone.verdict == Verdict.NOT_SUPPORTED
    same = arm_contrast(experiment, ("everyone", "everyone"), "female Black")
    assert same.effects["group"].by_seed == (0, 0, 0)
    assert same.given == (False, False, False)
    assert np.isnan(same.effects["group"].seeds.value)
    assert same.verdict == Verdict.CANNOT_TELL


def test_seeds_that_differ_by_luck_cannot_tell(tmp_path: Path) -> None:
    experiment = open_experiment(make_experiment(tmp_path, 600, between=0.1, seed=2))
    contrast = arm_contrast(experiment, ("everyone", "again"), "female Black")
    assert contrast.verdict == Verdict.CANNOT_TELL
    assert contrast.effects["group"].seeds.high - contrast.effects["group"].seeds.low > 0.2


def test_one_seed_and_few_faces_cannot_tell(tmp_path: Path) -> None:
    single = open_experiment(make_experiment(tmp_path / "one", 600, seeds=1))
    contrast = claim_contrast(single, single.claims[0])
    assert np.isnan([contrast.effects["group"].seeds.low, contrast.effects["group"].both.low]).all()
    assert contrast.verdict == Verdict.CANNOT_TELL
    few = open_experiment(make_experiment(tmp_path / "few", 120))
    contrast = claim_contrast(few, few.claims[0])
    assert contrast.n == 20
    assert contrast.verdict == Verdict.CANNOT_TELL


@pytest.mark.parametrize(
    ("seeds", "both", "expect", "words"),
    [
        ((-0.08, -0.01), (-0.07, -0.02), Expectation.LOWER, Verdict.SUPPORTED),
        ((-0.08, -0.01), (-0.07, 0.001), Expectation.LOWER, Verdict.CANNOT_TELL),
        ((-0.08, -0.01), (-0.07, -0.02), Expectation.CHANGE, Verdict.SUPPORTED),
        ((-0.08, -0.01), (-0.07, -0.02), Expectation.HIGHER, Verdict.NOT_SUPPORTED),
        ((-0.01, 0.08), (-0.01, 0.01), Expectation.LOWER, Verdict.NOT_SUPPORTED),
        ((-0.01, 0.08), (-0.01, 0.01), Expectation.CHANGE, Verdict.CANNOT_TELL),
        ((-0.019, 0.019), (-0.01, 0.01), Expectation.CHANGE, Verdict.NOT_SUPPORTED),
        ((-MATTERS, 0.01), (-0.01, 0.01), Expectation.LOWER, Verdict.CANNOT_TELL),
        ((np.nan, np.nan), (-0.07, -0.02), Expectation.LOWER, Verdict.CANNOT_TELL),
    ],
)
def test_the_verdicts_rule(seeds: tuple, both: tuple, expect: Expectation, words: Verdict) -> None:
    assert verdict(Estimate(np.mean(seeds), *seeds), Estimate(np.mean(both), *both), expect) == words


def test_the_numbers_are_those_of_the_faces(experiment: Experiment) -> None:
    filter = Filter(age_from=ADULT_AGE)
    contrast = arm_contrast(experiment, ("everyone", "without"), "female Black", filter)
    keep = filter.mask(experiment.audits("everyone")[0].faces)
    inside = keep & group_mask(experiment.audits("everyone")[0].faces, "female", "Black")
    pairs = list(zip(experiment.audits("everyone"), experiment.audits("without"), strict=True))
    for k, (a, b) in enumerate(pairs):
        change = b.faces["correct"].to_numpy(dtype=float) - a.faces["correct"]
        group, rest = change[inside].mean(), change[keep & ~inside].mean()
        assert contrast.effects["group"].by_seed[k] == pytest.approx(group)
        assert contrast.effects["others"].by_seed[k] == pytest.approx(rest)
        assert contrast.effects["group less others"].by_seed[k] == pytest.approx(group - rest)
        assert contrast.effects["overall"].by_seed[k] == pytest.approx(change[keep].mean())
        assert contrast.paired[k] == mcnemar(a.faces["correct"][inside], b.faces["correct"][inside])
        tables = [accuracy_by(audit.faces[keep], ["gender", "ethnicity"]) for audit in (a, b)]
        large = [table.loc[table["n"] >= 50, "accuracy"] for table in tables]
        assert contrast.effects["worst group"].by_seed[k] == pytest.approx(large[1].min() - large[0].min())
        wider = np.ptp(large[1]) - np.ptp(large[0])
        assert contrast.effects["largest gap"].by_seed[k] == pytest.approx(wider)
    low, high = ttest_1samp(contrast.effects["group"].by_seed, 0).confidence_interval(0.95)
    assert (contrast.effects["group"].seeds.low, contrast.effects["group"].seeds.high) == pytest.approx((low, high))


def test_the_second_interval_is_the_two_level_bootstrap_by_brute_force(experiment: Experiment) -> None:
    contrast = (
        arm_contrast(experiment, ("everyone", "without"), "female Black", resampling=Resampling(4000))
        .effects["group"]
        .both
    )
    stacked = [
        np.stack([a.faces["correct"] for a in experiment.audits(arm)], axis=1) for arm in ("everyone", "without")
    ]
    inside = group_mask(experiment.audits("everyone")[0].faces, "female", "Black")
    change = (stacked[1].astype(float) - stacked[0])[inside]
    draw, means = np.random.default_rng(9), []
    for _ in range(4000):
        rows, seeds = draw.integers(0, len(change), len(change)), draw.integers(0, 3, 3)
        means.append(change[rows][:, seeds].mean())
    np.testing.assert_allclose([contrast.low, contrast.high], np.quantile(means, [0.025, 0.975]), atol=0.006)


def test_both_intervals_cover_what_was_planted() -> None:
    draw, inside, wide = np.random.default_rng(0), 0, []
    for _ in range(1000):
        mean = t_interval(draw.normal(0.1, 0.03, 3))
        inside += mean.low <= 0.1 <= mean.high
        wide.append(mean.high - mean.low)
    assert 930 <= inside <= 970
    assert np.mean(wide) > 4 * 0.03, "two degrees of freedom are wide, and honest"


def test_people_are_resampled_as_a_whole(tmp_path: Path) -> None:
    experiment = open_experiment(make_experiment(tmp_path, 600, persons=40))
    contrast = claim_contrast(experiment, experiment.claims[0], resampling=Resampling(300))
    assert contrast.verdict == Verdict.SUPPORTED
    assert len(arm_estimates(experiment, samples=300)) == 3 * 9


def test_arms_by_seed_and_their_means(experiment: Experiment) -> None:
    table, means = arm_table(experiment), arm_estimates(experiment)
    assert len(table) == 9 * (1 + 6 + 2)
    assert set(table["measure"]) == {"overall", "group", "worst group", "largest gap"}
    for arm in ("everyone", "without"):
        for k, audit in enumerate(experiment.audits(arm)):
            rows = table[(table["arm"] == arm) & (table["seed"] == k)].set_index("measure")
            assert rows.loc["overall", "accuracy"] == pytest.approx(audit.faces["correct"].mean())
            crossed = accuracy_by(audit.faces, ["gender", "ethnicity"])
            assert rows.loc["worst group", "accuracy"] == pytest.approx(crossed["accuracy"].min())
            assert sorted(rows.loc["group", "accuracy"]) == pytest.approx(sorted(crossed["accuracy"]))
    worst = table[(table["arm"] == "without") & (table["measure"] == "worst group")]
    assert set(zip(worst["gender"], worst["ethnicity"], strict=True)) == {("female", "Black")}
    for row in means[means["measure"] == "overall"].itertuples():
        values = table[(table["arm"] == row.arm) & (table["measure"] == "overall")]["accuracy"]
        assert row.mean == pytest.approx(values.mean())
        assert row.low <= row.mean <= row.high
        assert row.both_low <= row.mean <= row.both_high


def test_the_report_says_every_verdict_and_number(experiment: Experiment) -> None:
    text = experiment_report(experiment)
    contrast = claim_contrast(experiment, experiment.claims[0])
    assert f"verdict on «group», expected lower: {Verdict.SUPPORTED.upper()}" in text
    for value in contrast.effects["group less others"].by_seed:
        assert signed_points(value) in text
    for _, row in arm_table(experiment).iterrows():
        assert f"{100 * row['accuracy']:.1f}" in text
    assert experiment_report(experiment) == text
    arm = replace(experiment.arms[0], models=experiment.arms[0].models[:1])
    assert experiment_report(replace(experiment, arms=(arm,), claims=())).splitlines()[2].endswith(", 1 seed")
    assert "18 and older" in experiment_report(experiment, Filter(age_from=ADULT_AGE))


def test_no_accuracy_and_no_gap_of_the_report_lies_outside_0_and_100_percent(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Student's interval of few seeds knows no bounds: here it is made to reach over both."""
    means = arm_estimates(experiment).assign(mean=0.97, low=-0.02, high=1.05, both_low=0.9, both_high=1.01)
    monkeypatch.setattr(experiments, "arm_estimates", lambda *_: means)
    text = experiment_report(replace(experiment, claims=()))
    assert text.count("mean 97.0 [0.0 to 100.0] [90.0 to 100.0]") == len(means)


def test_what_a_filter_leaves_out_is_told(experiment: Experiment) -> None:
    with pytest.raises(LookwhereError, match="none of Black women passes"):
        arm_contrast(experiment, ("everyone", "without"), "female Black", Filter(("male",)))
    with pytest.raises(LookwhereError, match="no face passes"):
        arm_table(experiment, Filter(ethnicity=("Martian",)))
    with pytest.raises(LookwhereError, match="no «largest gap»"):
        arm_contrast(experiment, ("everyone", "without"), filter=Filter(("male",), ("White",)), measure=Measure.GAP)
    with pytest.raises(LookwhereError, match="outcome"):
        arm_table(experiment, Filter(outcome="correct"))
    with pytest.raises(LookwhereError, match="no arm 'nobody'; there are everyone"):
        experiment.audits("nobody")


def broken(content: dict, how: str) -> str:
    if how == "no JSON":
        return "{"
    if how == "a list":
        return "[]"
    if how == "format":
        content["format"] = 2
    elif how == "no arms":
        content["arms"] = []
    elif how == "no key":
        del content["audit"]
    elif how == "an arm twice":
        content["arms"][1]["name"] = "everyone"
    elif how == "an arm of words":
        content["arms"][0] = "everyone"
    elif how == "no audit":
        content["arms"][0]["models"][0] = "nobody-s0"
    elif how == "no models":
        content["arms"][0]["models"] = []
    elif how == "no such arm":
        content["contrasts"][0]["to"] = "nobody"
    elif how == "seeds":
        content["arms"][1]["models"].pop()
    elif how.startswith("the audit is"):
        content["audit"] = {"the audit is a number": 7, "the audit is an object": {"a": 1}}[how]
    elif how in SHAPES:
        place, key, value = SHAPES[how]
        (content if place is None else content[place][0])[key] = value
    elif how == "expect":
        content["contrasts"][0]["expect"] = "miracles"
    return json.dumps(content)


#: What is no text or no list of texts: the object's list (None: itself), key and value.
SHAPES: dict[str, tuple[str | None, str, object]] = {
    f"{place} {key} {value!r}": (place, key, value)
    for place, keys in (
        (None, ("config", "validation", "audits", "only")),
        ("arms", ("name", "title", "models")),
        ("contrasts", ("name", "from", "to", "group", "question")),
    )
    for key in keys
    for value in (7, [1], {"a": 1}, *([None] if key != "group" else []), *(["everyone"] if key == "models" else []))
}
HOW = [*SHAPES, "no JSON", "a list", "format", "no arms", "no key", "an arm twice", "an arm of words", "no audit",
       "no models", "no such arm", "seeds", "expect", "the audit is a number", "the audit is an object"]  # fmt: skip


@pytest.mark.parametrize("how", HOW)
def test_a_damaged_experiment_is_told_in_one_line(how: str, experiment: Experiment, tmp_path: Path) -> None:
    (tmp_path / "claims").mkdir()
    for model in experiment.path.glob("*-s*"):
        (tmp_path / "claims" / model.name).symlink_to(model)
    content = json.loads((experiment.path / "experiment.json").read_text())
    (tmp_path / "claims/experiment.json").write_text(broken(content, how))
    with pytest.raises(LookwhereError) as error:
        open_experiment(tmp_path / "claims")
    assert str(tmp_path / "claims/experiment.json") in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_experiment_is_told(tmp_path: Path) -> None:
    assert list_experiments(tmp_path) == []
    with pytest.raises(LookwhereError, match=r"experiment\.json: missing"):
        open_experiment(tmp_path)


def test_arms_that_left_out_different_copies_are_compared_on_the_faces_of_all(tmp_path: Path) -> None:
    path, faces = make_experiment(tmp_path, n=300, seeds=1), made_faces(300, 0)
    for arm, rows in (("without", slice(5, None)), ("again", slice(None, 290))):
        folder = path / f"{arm}-s0/audits/made-test"
        shutil.rmtree(folder)
        some = faces.iloc[rows].reset_index(drop=True)
        made_audit(faces=some, correct=np.arange(len(some)) % 7 > 0, path=folder)
    experiment = open_experiment(path)
    ids = [list(experiment.audits(arm.name)[0].faces["face_id"]) for arm in experiment.arms]
    assert ids[0] == ids[1] == ids[2] == list(faces["face_id"][5:290])
    assert claim_contrast(experiment, experiment.claims[0]).n == int(
        ((faces["gender"] == "female") & (faces["ethnicity"] == "Black"))[5:290].sum()
    )


def test_an_audit_is_opened_once_however_often_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = open_experiment(make_experiment(tmp_path, n=200))
    calls: list[Path] = []
    real = experiment_module.open_audit
    monkeypatch.setattr(experiment_module, "open_audit", lambda path: calls.append(path) or real(path))
    for _ in range(3):
        for arm in experiment.arms:
            experiment.on(experiment.audit).audits(arm.name)
            experiment.audits(arm.name)
    assert len(calls) == len(set(calls)) == sum(len(arm.models) for arm in experiment.arms)
