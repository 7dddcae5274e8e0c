"""The checks of an audit's maps, in the order in which they are run and shown: the one list of them.

The run, the report, the page, the card and the text report derive from `CHECKS`; what measures a check's part is in
`core.checks.run.MEASUREMENTS`.
"""

from core.checks.definitions.base import Category, Check, CheckResult, Direction, View
from core.checks.definitions.deletion import Deletion, Insertion
from core.checks.definitions.method_agreement import MethodAgreement
from core.checks.definitions.parameter_randomisation import ParameterRandomisation
from core.checks.definitions.region_occlusion import RegionOcclusion
from core.checks.definitions.road import RoadLeRF, RoadMoRF
from core.checks.results import HIDING
from core.checks.stored_words import Fill, Score

CHECKS: tuple[Check, ...] = (
    ParameterRandomisation(),
    Deletion(),
    Insertion(),
    RoadMoRF(),
    RoadLeRF(),
    RegionOcclusion(),
    MethodAgreement(),
)
#: What a run stores, in order; of `methods` one part a method, named `methods/GradCAM` and so on.
PARTS: tuple[str, ...] = tuple(dict.fromkeys(check.part for check in CHECKS))
#: Those and what no check of a map reads: what hiding parts of the face costs.
ALL_PARTS: tuple[str, ...] = (*PARTS, HIDING)
#: Those for which a run opens the layers of a ResNet-50 of ours; the others ask any model that gives logits.
NETWORK_PARTS: tuple[str, ...] = tuple(dict.fromkeys(check.part for check in CHECKS if check.opens_network))

__all__ = [
    "ALL_PARTS",
    "CHECKS",
    "NETWORK_PARTS",
    "PARTS",
    "Category",
    "Check",
    "CheckResult",
    "Direction",
    "Fill",
    "Score",
    "View",
    "checks_of",
]


def checks_of(part: str) -> list[Check]:
    """The checks that read a part."""
    return [check for check in CHECKS if check.part == part]
