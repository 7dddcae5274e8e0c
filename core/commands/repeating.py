"""The command `repeated`: the original study's figures and claims beside those of its repetition on open data."""

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
