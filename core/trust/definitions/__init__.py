"""The checks of an audit's maps, in the order in which they are run and shown: the one list of them.

The run, the report, the page, the card and the text report derive from `CHECKS`; what measures a check's part is in
`core.trust.run.MEASUREMENTS`.
"""

from core.trust.definitions.agreement import MethodAgreement
from core.trust.definitions.base import Category, Check, CheckResult, Direction, Fill, Score, View
from core.trust.definitions.deletion import Deletion, Insertion
from core.trust.definitions.occlusion import RegionOcclusion
from core.trust.definitions.randomisation import ParameterRandomisation
from core.trust.definitions.road import RoadLeastRelevantFirst, RoadMostRelevantFirst

CHECKS: tuple[Check, ...] = (
    ParameterRandomisation(),
    Deletion(),
    Insertion(),
    RoadMostRelevantFirst(),
    RoadLeastRelevantFirst(),
    RegionOcclusion(),
    MethodAgreement(),
)
#: What a run stores, in order; of `methods` one part a method, named `methods/GradCAM` and so on.
PARTS: tuple[str, ...] = tuple(dict.fromkeys(check.part for check in CHECKS))

__all__ = ["CHECKS", "PARTS", "Category", "Check", "CheckResult", "Direction", "Fill", "Score", "View", "checks_of"]


def checks_of(part: str) -> list[Check]:
    """The checks that read a part."""
    return [check for check in CHECKS if check.part == part]
