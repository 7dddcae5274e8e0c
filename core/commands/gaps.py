"""The command `gaps`: how large gaps between groups are, which are more than chance, and what goes with them."""

from __future__ import annotations

from pathlib import Path

from core.commands.audits import Ages, faces_within
from core.commands.output import printed
from core.commands.reviews import and_reviewed, opened_audit
from core.errors import LookwhereError
from core.places import MODELS


def gaps(
    model: str,
    audit: str,
    ages: Ages = "adults",
    by: tuple[str, ...] | None = None,
    terms: tuple[str, ...] = (),
    reviewed: Path | None = None,
    data: Path | None = None,
    models: Path = MODELS,
    json: bool = False,
) -> str:
    """Print gaps with simultaneous intervals, tests, age against ethnicity, fairness measures, and label noise.

    Example: python -m core gaps --model resnet50-utkface --audit utkface-test
    Or: python -m core gaps --model resnet50-utkface --audit utkface-test --terms image_sharpness image_yaw

    Args:
        model: The model's name, a folder under models/.
        audit: The audit's name, a folder under models/MODEL/audits/.
        ages: adults (18 years and older), or all. Where no age is known, all.
        by: What groups are made by, up to three crossed, as of `show`; then without what is of gender and ethnicity.
        terms: Up to three measures or columns of the audit as further terms of the regression, as on the page.
        reviewed: A list with face_id and decision (keep, flip, leave out), by which labels are counted here.
        data: The aligned store that was audited, whose faces then tell which images are one photograph.
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.analysis.accuracy.groupings import grouping
    from core.analysis.accuracy.measured_terms import terms_of
    from core.audit.copies import with_copies_of
    from core.present.records.analysis import gaps_record
    from core.present.text.gaps_report import gaps_report
    from core.present.text.label_noise import noise_report
    from core.present.text.measured_terms import terms_report

    if terms and by is not None:
        raise LookwhereError("--terms are of the regression on gender and ethnicity, which --by leaves out: give one")
    opened = with_copies_of(opened_audit(models, model, audit, reviewed), data)
    columns = None if by is None else grouping(by, opened.columns)
    filter = faces_within(opened.faces, ages, opened.path)
    further = terms_of(opened, filter, terms) if terms else None
    return printed(
        "gaps",
        json,
        lambda: (
            and_reviewed(opened, gaps_report(opened, filter, by=columns))
            + ("" if further is None else f"\n\n{terms_report(further)}")
            + ("" if columns else f"\n\n{noise_report(opened, filter, models=models)}")
        ),
        lambda: gaps_record(opened, filter, models, by=columns, further=further),
    )
