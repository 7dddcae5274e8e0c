"""The study, repeated, as plain values."""

from __future__ import annotations

from core.analysis.findings.repeated import Repeated, hiding_by_model, seven_figures
from core.present.records.values import filter_record
from core.present.text.repeated import headline, outcome, plain_claims, protocol


def repeated_record(study: Repeated) -> dict:
    """By data set: the protocol, the seven figures (shares of 0–1) and the claims' verdicts by network."""
    tests = {}
    for test in study.tests:
        table = seven_figures(study, test)
        tests[test] = {
            "filter": filter_record(study.adults(test)),
            "sentence": headline(study, test, table),
            "outcome": outcome(table),
            "protocol": [dict(zip(("step", "original", "ours"), row, strict=True)) for row in protocol(study, test)],
            "figures": table,
            "claims": plain_claims(study, test),
            "hiding_measured": hiding_by_model(study, test),
        }
    return {
        "experiment": study.experiment.name,
        "title": study.experiment.title,
        "config": study.experiment.config,
        "models": study.experiment.arm(study.arm).models,
        "tests": tests,
    }
