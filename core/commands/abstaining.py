"""The command `abstain`: who gets no answer where a model abstains from what it is least sure of."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from core.commands.output import printed
from core.commands.reviews import and_reviewed, opened_audit
from core.errors import LookwhereError
from core.places import MODELS


def abstain(
    model: str,
    audit: str,
    share: float = 0.1,
    cutoff: float | None = None,
    ages: Literal["adults", "all"] = "adults",
    by: tuple[str, ...] = (),
    reviewed: Path | None = None,
    models: Path = MODELS,
    json: bool = False,
) -> str:
    """Print who gets no answer where the model abstains: share answered, accuracy and error ratio of each group.

    With one cutoff for all, and with cutoffs of the groups' own that leave the same share of each without an answer.
    Example: python -m core abstain --model resnet50-utkface --audit utkface-test --share 0.1

    Args:
        model: The model's name, a folder under models/.
        audit: The audit's name, a folder under models/MODEL/audits/.
        share: The share of faces without an answer, those of which the model is least sure: 0 up to, not at, 1.
        cutoff: Instead of a share: how sure the model must be to answer, the likelier class's probability, 0.5 to 1.
        ages: adults (18 years and older), or all. Where no age is known, all.
        by: What groups are made by, up to three crossed, as of `show`; by default gender and ethnicity where they are
            recorded.
        reviewed: A list with face_id and decision (keep, flip, leave out), by which labels are counted here.
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.analysis.accuracy.abstention import AbstentionRule, abstention, certainty
    from core.analysis.accuracy.counts import columns_of
    from core.analysis.accuracy.groupings import grouping
    from core.data.filters import Filter
    from core.present.records.analysis import abstention_record
    from core.present.text.abstention import abstention_report

    if cutoff is not None and not 0.5 <= cutoff <= 1:
        raise LookwhereError(f"--cutoff {cutoff:g}: the likelier class has a probability of 0.5 to 1")
    opened = opened_audit(models, model, audit, reviewed)
    filter = Filter.of_ages(opened.faces, ages)
    faces = opened.faces[filter.mask(opened.faces)]
    if faces.empty:
        raise LookwhereError(f"{opened.path}: none of its faces is known to be an adult; give --ages all")
    columns = grouping(by, opened.columns) or columns_of(faces)
    if cutoff is not None and not (certainty(faces) >= cutoff).any():
        raise LookwhereError(f"--cutoff {cutoff:g}: the model is nowhere so sure; give a lower one")
    one_cutoff, equal_shares = (
        abstention(faces, AbstentionRule(share, cutoff, equal), columns, columns=opened.columns)
        for equal in (False, True)
    )
    scope = f"{model}, audit {audit}, {filter.describe()}"
    return printed(
        "abstain",
        json,
        lambda: and_reviewed(opened, abstention_report(one_cutoff, equal_shares, scope)),
        lambda: abstention_record(opened, filter, columns, one_cutoff, equal_shares),
    )
