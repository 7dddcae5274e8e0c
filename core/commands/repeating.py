"""The commands `repeated` and `diversity`: the original study on open data, and training on more data sets than one."""

from __future__ import annotations

from pathlib import Path

from core.commands.output import printed
from core.places import MODELS


def repeated(models: Path = MODELS, json: bool = False) -> str:
    """Print the study, repeated: its protocol, the original's seven figures beside ours, and claims 1 to 3 by network.

    Adults, by data set tested on, from the audits under models/experiments/repeated.
    Example: python -m core repeated

    Args:
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.analysis.findings.repeated import open_repeated
    from core.present.records.repeated import repeated_record
    from core.present.text.repeated import repeated_report

    study = open_repeated(models)
    return printed("repeated", json, lambda: repeated_report(study), lambda: repeated_record(study))


def diversity(models: Path = MODELS, json: bool = False) -> str:
    """Print whether diversity of training closes the gap, for whom, and how alike the networks' maps are.

    Networks trained on one data set, on several, and on all but a group, by the rule in docs/rules.md; adults, by data
    set tested on, from the audits under models/experiments/diversity.
    Example: python -m core diversity

    Args:
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.analysis.findings.diversity import open_diversity
    from core.present.records.diversity import diversity_record
    from core.present.text.diversity import diversity_report

    study = open_diversity(models)
    return printed("diversity", json, lambda: diversity_report(study), lambda: diversity_record(study))
