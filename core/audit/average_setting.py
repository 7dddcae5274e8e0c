"""Which average faces an audit stores, if any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.audit.folder import Audit
from core.errors import LookwhereError


class KeepAverages(StrEnum):
    """Whether an audit stores average faces.

    Their cells are split by each model's own decision, and a face may be taken out of the data: averages of two audits
    of nearly the same faces could be subtracted to a single one. `AUTO` stores them unless another audit of some of
    these faces, of this model or one beside it, has averages, or had others before it was deleted.
    """

    AUTO = "auto"
    YES = "yes"
    NO = "no"


@dataclass(frozen=True)
class AverageSetting:
    """Whether average faces are stored, of how many faces at least, and by what besides gender, ethnicity and age.

    `minimum_faces`, 11 or more, is by default `core.privacy.asked_minimum`. `cells` are columns of the store whose
    levels the averages tell apart too.
    """

    keep: KeepAverages = KeepAverages.YES
    minimum_faces: int | None = None
    cells: Sequence[str] = ()


#: What an audit stores unless it is told otherwise.
USUAL_AVERAGES = AverageSetting()


def same_averages(keep: KeepAverages, audit: Audit) -> None:
    """Raises `LookwhereError` where a finished audit stores average faces and none were asked for, or the reverse."""
    stores = len(audit.averages.cells) > 0
    if (keep is KeepAverages.NO and stores) or (keep is KeepAverages.YES and audit.manifest.averages is not None):
        raise LookwhereError(
            f"{audit.path}: holds an audit {'with' if stores else 'without'} average faces; choose another --name or "
            "delete it"
        )
