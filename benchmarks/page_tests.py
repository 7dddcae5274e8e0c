"""What each page tests of an audit, timed after one run that warms it up: asked is at most one second for 4,000 faces.

On a busy machine the processor's seconds are the ones to read; `OMP_NUM_THREADS=1` keeps it from counting what waits.

python -m benchmarks.page_tests
python -m benchmarks.page_tests --model resnet50-utkface --audit utkface-test
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tyro

from core.analysis.accuracy.person_or_image import person_or_image
from core.analysis.accuracy.slices import find_slices
from core.analysis.comparison import arm_estimates, arm_table, claim_contrast, experiment_for
from core.analysis.comparison.paired import paired_by_group, paired_map_difference
from core.analysis.findings import all_findings
from core.analysis.maps.differences import difference_of, incorrect_less_correct
from core.analysis.maps.region_evidence import evidence_by_region, proportional_energy, waterfall
from core.audit.catalogue import align_audits
from core.audit.folder import open_audit
from core.checks.results import open_checks
from core.data.filters import Filter
from core.present.text.gaps_report import gaps_report
from core.present.text.label_noise import noise_report


def main(model: str = "resnet50-utkface", audit: str = "utkface-test", models: Path = Path("models")) -> None:
    """Print seconds for each page.

    Args:
        model: The model's name, a folder under models/.
        audit: The audit's name, a folder under models/MODEL/audits/.
        models: Where model folders lie.
    """
    opened = open_audit(models / model / "audits" / audit)
    checks, experiment = open_checks(opened), experiment_for(models, opened)
    women, men, everyone = Filter(gender=("female",)), Filter(gender=("male",)), Filter()

    def compare() -> None:
        claim = experiment.claims[0]
        pair = align_audits([experiment.audits(arm)[0] for arm in (claim.start, claim.end)])
        paired_by_group(*pair)
        for mask in (np.ones(len(opened.faces), dtype=bool), women.mask(opened.faces)):
            paired_map_difference(*pair, mask, "true")
        claim_contrast(experiment, claim, everyone)
        arm_estimates(experiment, everyone)
        arm_table(experiment, everyone)

    def heatmaps() -> None:
        difference_of(opened, women, men, "predicted", "raw")
        incorrect_less_correct(opened, women)
        incorrect_less_correct(opened, women, same_decision=True)

    def evidence() -> None:
        waterfall(opened, women, men)
        for group in (women, men):
            evidence_by_region(opened, group)
            proportional_energy(opened, group)

    pages: dict[str, Callable] = {
        "findings": lambda: all_findings(opened, everyone, checks, experiment),
        "gaps": lambda: (gaps_report(opened, everyone), noise_report(opened, everyone)),
        "image": lambda: (person_or_image(opened, everyone), find_slices(opened.faces, opened.columns)),
        "heatmaps": heatmaps,
        "evidence": evidence,
    }
    if experiment is not None:
        pages["compare"] = compare
    print(f"{model}, {audit}: {len(opened.faces):,} faces")
    for name, work in pages.items():
        work()
        began, used = time.perf_counter(), time.process_time()
        work()
        began, used = time.perf_counter() - began, time.process_time() - used
        print(f"{name:9} {began:.2f} s, {used:.2f} s of the processor", flush=True)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
