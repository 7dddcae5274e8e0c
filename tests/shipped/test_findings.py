"""The findings and the experiment that we ship: whole, without weights, and the docs say what the commands print."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.accuracy.regression import Together, regression
from core.analysis.comparison import Experiment, experiment_for
from core.analysis.comparison.catalogue import same_face_audits
from core.analysis.findings import Finding, all_findings
from core.analysis.maps.region_evidence import TOLERANCE, additivity
from core.audit.folder import Audit, open_audit
from core.checks.definitions import ALL_PARTS
from core.checks.results import Checks, open_checks
from core.classifiers.info import model_info
from core.data.faces import ADULT_AGE
from core.data.filters import Filter
from core.present.text.experiments import experiment_report
from core.present.text.findings import findings_report, seeds_words
from core.privacy import MINIMUM_FACES
from core.training.record import read_metrics
from tests.helpers.documents import assert_same, blocks
from tests.helpers.shipped import AUDIT, MODEL, ROOT, shipped_or_skip

ADULTS = Filter(age_from=ADULT_AGE)


@pytest.fixture(scope="module")
def audit() -> Audit:
    shipped_or_skip()
    return open_audit(AUDIT)


@pytest.fixture(scope="module")
def experiment(audit: Audit) -> Experiment:
    found = experiment_for(MODEL.parent, audit)
    assert found is not None, "the shipped experiment is of the shipped study's faces"
    return found


@pytest.fixture(scope="module")
def checks(audit: Audit) -> Checks:
    found = open_checks(audit)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def findings(audit: Audit, checks: Checks, experiment: Experiment) -> list[Finding]:
    return all_findings(audit, ADULTS, checks, experiment)


def test_every_arm_has_three_seeds_audits_and_metrics_but_no_weights(experiment: Experiment) -> None:
    assert not list(experiment.path.rglob("*.safetensors"))
    for arm in experiment.arms:
        audits = experiment.audits(arm.name)
        assert len(audits) >= 3
        assert len({audit.manifest.weights_sha256 for audit in audits}) == len(audits)
        for name, one in zip(arm.models, audits, strict=True):
            info = model_info(experiment.path / name)
            assert info.weights_sha256 == one.manifest.weights_sha256
            assert len(read_metrics(experiment.path / name / "training")) == 8
            assert len(one.averages.cells) == 0
            # A network's maps take a quarter of a megabyte: only the pair that «Compare models» opens with has them.
            assert (one.manifest.map_shape is not None) == (name in ("everyone-s0", "without-black-women-s0"))
            if one.manifest.map_shape is not None:
                assert additivity(one)["difference"].abs().max() < TOLERANCE


def test_seeds_are_paired_and_only_what_an_arm_names_differs(experiment: Experiment) -> None:
    arms = {arm.name: [model_info(experiment.path / m) for m in arm.models] for arm in experiment.arms}
    for whole, without in zip(arms["everyone"], arms["without-black-women"], strict=True):
        one, other = whole.training.to_json(), without.training.to_json()
        assert {key for key in one if one[key] != other[key]} == {"exclude"}
        assert other["exclude"] == ["female Black"]
        assert not any(row.gender == "female" and row.ethnicity == "Black" for row in without.data.train_groups)
    for whole, by_worst in zip(arms["everyone"], arms["rate-by-worst-group"], strict=True):
        one, other = whole.training.to_json(), by_worst.training.to_json()
        assert {key for key in one if one[key] != other[key]} == {"choose"}


def test_the_checks_are_whole_and_publish_no_small_group(checks: Checks) -> None:
    names = {name.partition("/")[0] for name in checks.parts}
    assert names == set(ALL_PARTS)
    assert checks.manifest.finished
    assert min(n for part in checks.parts.values() for _, n in part.groups) >= MINIMUM_FACES


def test_evidence_adds_up_for_every_group(audit: Audit) -> None:
    table = additivity(audit)
    assert len(table) >= 20
    assert table["difference"].abs().max() < TOLERANCE


def test_each_claim_has_a_verdict_and_causes_are_answered_by_the_experiment(findings: list[Finding]) -> None:
    assert [f.key for f in findings] == ["1a", "1b", "2", "3", "4", "5"]
    assert all(len(f.numbers) for f in findings)


def test_the_consensus_is_of_the_experiments_first_arm(audit: Audit, experiment: Experiment) -> None:
    paths = same_face_audits(MODEL.parent, audit)
    assert {path.parent.parent.name for path in paths} >= set(experiment.arms[0].models)


@pytest.mark.parametrize(("within", "statistic", "fits"), [(ADULTS, 29.88, 0.032), (Filter(), 31.50, 0.0049)])
def test_the_joint_test_of_ethnicity_has_the_value_that_r_gives(
    audit: Audit, within: Filter, statistic: float, fits: float
) -> None:
    """Anova of R's glm, with and without ethnicity and gender × ethnicity; and the deviance of the fit."""
    fit = regression(audit.faces[within.mask(audit.faces)])
    row = fit.together.set_index("terms").loc[Together.ETHNICITY]
    assert (row["statistic"], row["df"]) == (pytest.approx(statistic, abs=0.005), 8)
    assert fit.p(Together.FIT) == pytest.approx(fits, rel=0.02)


def test_women_are_ahead_of_men_at_18_and_behind_at_60(findings: list[Finding]) -> None:
    rows = findings[0].result.by_age.set_index("band")[["difference", "low", "high"]]
    assert list(100 * rows.loc["18–29 years"]) == pytest.approx([1.9, -0.1, 4.2], abs=0.06)
    assert list(100 * rows.loc["60+ years"]) == pytest.approx([-15.8, -22.7, -9.8], abs=0.06)


def test_the_docs_say_what_the_commands_print(audit: Audit, findings: list[Finding], experiment: Experiment) -> None:
    documented = list(blocks((ROOT / "docs/findings.md").read_text()))
    assert len(documented) == 2
    title = f"{MODEL.name}, audit {AUDIT.name}, {ADULTS.describe()}"
    assert_same(findings_report(findings, title, seeds_words(experiment, ADULTS, audit)), documented[0])
    assert_same(experiment_report(experiment, ADULTS), documented[1])


def test_all_that_a_page_tests_takes_a_second(audit: Audit, checks: Checks, experiment: Experiment) -> None:
    import time

    best = np.inf
    for _ in range(3):  # the first run also imports; other work on the machine only ever adds
        began = time.process_time()
        all_findings(audit, ADULTS, checks, experiment)
        best = min(best, time.process_time() - began)
    assert best < 2.0, "one second on a machine of its own; CI machines are slower"
