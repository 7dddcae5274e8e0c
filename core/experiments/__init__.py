"""Experiments: arms of several seeds, audited on the same faces, and contrasts between arms with a verdict."""

from core.experiments.contrasts import (
    MATTERS,
    Contrast,
    Effect,
    arm_estimates,
    arm_table,
    claim_contrast,
    contrast,
    verdict,
)
from core.experiments.folder import (
    Arm,
    Claim,
    Expectation,
    Experiment,
    Measure,
    experiment_for,
    list_experiments,
    open_experiment,
    parse_group,
)
from core.experiments.report import experiment_report

__all__ = [
    "MATTERS",
    "Arm",
    "Claim",
    "Contrast",
    "Effect",
    "Expectation",
    "Experiment",
    "Measure",
    "arm_estimates",
    "arm_table",
    "claim_contrast",
    "contrast",
    "experiment_for",
    "experiment_report",
    "list_experiments",
    "open_experiment",
    "parse_group",
    "verdict",
]
