"""Diversity of training, as plain values."""

from __future__ import annotations

from core.analysis.findings.diversity import Diversity, by_arm, for_whom, map_agreement, questions
from core.present.records.values import filter_record
from core.present.text.diversity import arms_table, headline, map_filters


def diversity_record(study: Diversity) -> dict:
    """What each arm was trained on; by data set: both questions, accuracies by arm, changes by group, maps."""
    tests = {}
    for test in study.tests:
        findings = questions(study, test)
        tests[test] = {
            "filter": filter_record(study.adults(test)),
            "sentence": headline(study, test, findings),
            "questions": [
                {
                    "key": finding.key,
                    "claim": finding.claim,
                    "verdict": finding.verdict,
                    "sentence": finding.sentence,
                    "p_holm": finding.p_holm,
                    "numbers": finding.numbers,
                }
                for finding in findings
            ],
            "accuracies": by_arm(study, test),
            "changes": for_whom(study, test),
            "maps": {title: map_agreement(study, test, filter) for title, filter in map_filters(study, test).items()},
        }
    return {
        "experiment": study.experiment.name,
        "title": study.experiment.title,
        "config": study.experiment.config,
        "arms": arms_table(study),
        "tests": tests,
    }
