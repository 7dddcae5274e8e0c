"""The command `review`: labels that may be wrong, listed for a person and counted as that person decides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.commands.output import printed
from core.errors import LookwhereError
from core.places import MODELS, audit_folder

if TYPE_CHECKING:
    from core.audit.folder import Audit


def opened_audit(models: Path, model: str, audit: str, reviewed: Path | None = None) -> Audit:
    """The audit, or with a list of `--reviewed` labels the same counted by them, in memory."""
    from core.audit.folder import open_audit
    from core.audit.reviewed import read_decisions, recounted

    opened = open_audit(audit_folder(models, model, audit))
    return opened if reviewed is None else recounted(opened, read_decisions(reviewed))


def and_reviewed(audit: Audit, text: str) -> str:
    """What a command prints, and under it that labels were reviewed, where they were."""
    from core.present.text.reviews import review_words

    sentence = review_words(audit.manifest)
    return text if sentence is None else f"{text}\n\n{sentence}"


def review(
    model: str,
    audit: str,
    out: Path | None = None,
    reviewed: Path | None = None,
    name: str | None = None,
    models: Path = MODELS,
    json: bool = False,
) -> str:
    """List the labels that may be wrong, or count an audit anew by a reviewed list; no network runs.

    Example: python -m core review --model resnet50-utkface --audit utkface-test --out suspects.csv
    Then write keep, flip or leave out in the column decision, and:
    python -m core review --model resnet50-utkface --audit utkface-test --reviewed suspects.csv
    Without an audit of its own, show, gaps, findings, evidence, abstain, image, slices and report take --reviewed too.

    Args:
        model: The model's name, a folder under models/.
        audit: The audit's name, a folder under models/MODEL/audits/.
        out: Write the list of suspected labels to this CSV.
        reviewed: A list with face_id and decision; makes an audit of the labels as they then are.
        name: Name of that audit. By default the old one's with «-reviewed».
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.analysis.accuracy.suspects import suspects
    from core.audit.folder import open_audit
    from core.audit.reviewed import read_decisions, reviewed_audit
    from core.files import write_bytes
    from core.locks import alone
    from core.present.export.tables import csv
    from core.present.records.reviews import review_record, suspects_record
    from core.present.text.reviews import review_report, suspects_report

    if (out is None) == (reviewed is None):
        raise LookwhereError("give either --out FILE, to write the list, or --reviewed FILE, to count by it")
    opened = open_audit(audit_folder(models, model, audit))
    if reviewed is not None:
        new_audit = reviewed_audit(opened, read_decisions(reviewed), name or f"{audit}-reviewed")
        return printed(
            "review", json, lambda: review_report(opened, new_audit), lambda: review_record(opened, new_audit)
        )
    if name is not None:
        raise LookwhereError("--name is for the audit that --reviewed makes")
    if out.exists():
        raise LookwhereError(f"{out}: is there already, perhaps with decisions in it; give another --out")
    suspected = suspects(opened)
    with alone(out, "writing"):
        write_bytes(out, csv(suspected))
    return printed(
        "review", json, lambda: suspects_report(opened, suspected, out), lambda: suspects_record(suspected, out)
    )
