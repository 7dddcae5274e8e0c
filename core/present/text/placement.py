"""Where the cells of maps lie, and the mirror test of it, in words."""

from __future__ import annotations

from core.audit.folder import Audit
from core.classifiers.info import MapsInfo, ModelKind
from core.explain.method import Needs
from core.template import SIDE
from core.wording import percent

UNMEASURED = (
    "Where the maps' cells lie was not measured; they are drawn as tiles. The same audit command, given again, "
    "measures it."
)
NO_GRADIENTS = (
    "Where the maps' cells lie was not measured, as an ONNX file gives no gradients; they are drawn as tiles, and may "
    "lie up to half a cell further left and up."
)
#: After an import, where there are no faces yet.
TESTED = "An audit tests that with faces and their mirror images."


#: True of any audit's average maps, for where several audits are beside each other.
_SIDES = "Left–right differences of average maps are not interpreted, as they can be the network's own"
UNEVEN_SIDES = f"{_SIDES}."
SIDES = f"{_SIDES}: "


def sides_words(audit: Audit) -> str:
    """Why left–right differences of an audit's average maps say nothing of a group; empty without maps.

    A network looks more to one side, whoever is seen.
    """
    if not audit.has_maps:
        return ""
    if (test := audit.manifest.maps and audit.manifest.maps.mirror) is None:
        return SIDES + "how evenly it looks at both sides was not measured."
    return (
        SIDES + f"over {test.faces} faces and their mirror images, its mean map is {percent(test.placed)} off its own "
        "mirror image."
    )


def placement_words(maps: MapsInfo) -> str:
    """Where cells lie and what the mirror test found, as sentences; empty where nothing was measured."""
    if maps.placement is None:
        return ""
    lie = maps.placement.placement()
    words = (
        "Cells lie as even tiles do, to a quarter of a cell, as measured with the network."
        if lie.as_tiles
        else f"Cells are drawn, and given to regions, by their measured centres, up to {lie.farthest():.0f} of {SIDE} "
        "pixels from even tiles."
    )
    if (test := maps.mirror) is not None:
        words += (
            f" Mirror test: the mean map of {test.faces} faces and their mirror images is {percent(test.placed)} "
            "off its own mirror image"
            + (", " if lie.as_tiles else f" ({percent(test.tiles)} if drawn as tiles), ")
            + "so left–right differences of averages can be the network's own and are not interpreted."
        )
    return words


def audit_placement(audit: Audit) -> str:
    """The same of an audit; says so where nothing was measured. Empty of methods that hide tiles, and without maps."""
    if not audit.has_maps or audit.method.needs is Needs.OUTPUTS:
        return ""
    maps = audit.manifest.maps
    if maps and maps.placement:
        return placement_words(maps)
    return NO_GRADIENTS if audit.manifest.kind is ModelKind.ONNX else UNMEASURED
