"""Diversity of training: verdicts on planted effects, numbers by pandas alone, and what is said of unrecorded faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.analysis.comparison.experiment import Measure
from core.analysis.findings import diversity
from core.analysis.findings.diversity import Diversity, by_arm, for_whom, map_agreement, mean_map, open_diversity
from core.audit.folder import open_audit
from core.data.filters import Filter
from core.errors import LookwhereError
from core.present.text import diversity as words
from core.verdicts import Verdict
from tests.helpers.made_experiment import make_diversity


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Diversity:
    """Black women fare worse where LFW alone is trained on, and alike in all other arms."""
    models = tmp_path_factory.mktemp("diverse")
    make_diversity(models)
    return open_diversity(models)


def test_a_planted_rise_is_supported_and_no_fall_cannot_be_told(study: Diversity) -> None:
    rise, missing = diversity.questions(study, "fairface")
    assert (rise.key, rise.verdict, missing.key) == ("D1", Verdict.SUPPORTED, "D2")
    assert rise.p_holm < 0.05 and rise.p_holm >= rise.p
    assert "it is not for want of faces that LFW alone falls behind" in rise.sentence
    # The made networks do not differ with and without Black women, but 400 women of unrecorded ethnicity stayed.
    assert missing.verdict == Verdict.CANNOT_TELL
    assert "400 training faces of women whose ethnicity is not recorded stayed" in missing.sentence
    headline = words.headline(study, "fairface", [rise, missing])
    assert headline.startswith(
        "Diversity of training narrows the gap. Adult faces of made: from LFW alone to all data sets"
    )


def test_numbers_are_those_of_the_predictions(study: Diversity) -> None:
    means = by_arm(study, "fairface").set_index(["arm", "measure", "gender", "ethnicity"])["mean"]
    changes = for_whom(study, "fairface").set_index(["gender", "ethnicity"])
    rates = {}
    for arm in ("lfw", "everyone"):
        by_seed = []
        for seed in range(3):
            faces = open_audit(study.experiment.path / f"{arm}-s{seed}/audits/fairface").faces
            faces = faces[faces["age"] >= 18]
            own = faces[(faces["gender"] == "female") & (faces["ethnicity"] == "Black")]
            by_seed.append(own["correct"].mean())
        rates[arm] = np.mean(by_seed)
        assert means[arm, Measure.GROUP, "female", "Black"] == pytest.approx(rates[arm])
    row = changes.loc[("female", "Black")]
    assert row["n"] == len(own)
    assert row["change"] == pytest.approx(rates["everyone"] - rates["lfw"])
    assert row["low"] < row["change"] < row["high"] and row["both_low"] < row["change"] < row["both_high"]


def test_without_a_difference_the_gap_is_not_said_to_close(tmp_path: Path) -> None:
    make_diversity(tmp_path, n=600, error_rates={"lfw": 0.3, "everyone": 0.3, "as-few-as-lfw": 0.3}, unrecorded=0)
    study = open_diversity(tmp_path)
    rise, missing = diversity.questions(study, "fairface")
    assert rise.verdict != Verdict.SUPPORTED
    assert "what is left of the gap" in rise.sentence and "cannot be told from «more faces»" in rise.sentence
    assert "not recorded" not in missing.sentence


def test_a_gap_that_widens_is_not_told_as_one_that_stays(tmp_path: Path) -> None:
    make_diversity(tmp_path, n=1200, error_rates={"lfw": 0.1, "everyone": 0.5}, unrecorded=0)
    study = open_diversity(tmp_path)
    results = diversity.questions(study, "fairface")
    assert results[0].verdict == Verdict.NOT_SUPPORTED
    assert words.headline(study, "fairface", results).startswith(
        "Diversity of training does not narrow the gap: with these networks it is wider, in both intervals."
    )


def test_a_planted_fall_in_the_treated_arm_alone_is_found(tmp_path: Path) -> None:
    make_diversity(tmp_path, n=1200, error_rates={"without-black-women": 0.5})
    missing = diversity.questions(open_diversity(tmp_path), "fairface")[1]
    assert missing.verdict in (Verdict.SUPPORTED, Verdict.IN_PART)
    assert "So a fall is a lower bound" in missing.sentence


def test_maps_of_arms_and_of_seeds_are_compared_over_cells(study: Diversity) -> None:
    table = map_agreement(study, "fairface").set_index("arm")
    assert "everyone" not in table.index and set(table["pairs"]) == {9} and set(table["pairs_within"]) == {6}
    first, second = (mean_map(study, "fairface", "everyone", seed, Filter(age_from=18)) for seed in (0, 1))
    audit = open_audit(study.experiment.path / "everyone-s0/audits/fairface")
    adults = (audit.faces["age"] >= 18).to_numpy()
    evidence = np.asarray(audit.evidence[adults], dtype=float)
    np.testing.assert_allclose(first, (evidence[:, 1] - evidence[:, 0]).mean(axis=0))
    assert -1 <= np.corrcoef(first.ravel(), second.ravel())[0, 1] <= 1
    assert mean_map(study, "fairface", "everyone", 0, Filter(age_from=18, age_to=19, gender=("female",))) is None


def test_where_nobody_has_run_it_the_command_is_given(tmp_path: Path) -> None:
    with pytest.raises(LookwhereError, match=r"nobody has run it yet\. .*train/plans/diversity\.yaml"):
        open_diversity(tmp_path)


def test_the_report_has_both_questions_of_every_data_set(study: Diversity) -> None:
    report = words.diversity_report(study)
    assert report.count("D1  Diversity of training narrows the gap.") == 2
    assert "(1,000 faces, 1,280 images seen)" in report
    assert "of which other faces are trained on: beside the question" in " ".join(report.split())
