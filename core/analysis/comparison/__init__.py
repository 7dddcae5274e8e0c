"""Experiments: arms of several seeds, audited on the same faces, and contrasts between arms with a verdict."""

from core.analysis.comparison.contrasts import (
    MATTERS,
    Contrast,
    Effect,
    arm_contrast,
    arm_estimates,
    arm_groups,
    arm_measure,
    arm_table,
    claim_contrast,
    group_changes,
    verdict,
)
from core.analysis.comparison.experiment import (
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

__all__ = [
    "MATTERS",
    "Arm",
    "Claim",
    "Contrast",
    "Effect",
    "Expectation",
    "Experiment",
    "Measure",
    "arm_contrast",
    "arm_estimates",
    "arm_groups",
    "arm_measure",
    "arm_table",
    "claim_contrast",
    "experiment_for",
    "group_changes",
    "list_experiments",
    "open_experiment",
    "parse_group",
    "verdict",
]
