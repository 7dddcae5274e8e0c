"""How faces were found, in words: the border before detection, small images, images with several faces."""

from __future__ import annotations

from core.data.filters import group_name
from core.data.store import AlignedStore
from core.data.store_info import BorderInfo, DecidedBy
from core.template import SIDE

#: More of the sample than this share, and at least so many images, are a warning: 1 in 100 is the detector's own.
UNSTEADY_SHARE, UNSTEADY_IMAGES = 0.05, 3
#: Pixels a side; aligned faces have nearly twice as many.
SMALL = 64


def border_lines(border: BorderInfo | None) -> list[str]:
    """What border images got before detection and why; warnings where landmarks depend on it, or images are small."""
    if border is None:
        return []
    width = f"{border.percent:g} % of an image's shorter side" if border.percent else "none"
    small = []
    if border.median_side is not None and border.median_side < SMALL:
        small = [
            f"  WARNING: images are small: half of them have a side of {border.median_side} pixels or less. Aligned "
            f"faces have {SIDE}: they are enlarged, and faces may be missed"
        ]
    if border.decided is not DecidedBy.IMAGES:
        by = "as was asked" if border.decided is DecidedBy.HAND else "as this data set's reader has it"
        return [f"  border before detection: {width}, {by}", *small]
    n, unsteady = border.sample or 0, border.unsteady or 0
    lines = [
        f"  border before detection: {width}, decided from {n} images: without one, {border.needing or 0} of them have "
        "landmarks elsewhere or no face",
        f"            no face found in {border.missed_without or 0} without, in {border.missed_with or 0} with 30 %; "
        "images whose face reaches the edge get a wider one",
    ]
    if unsteady >= UNSTEADY_IMAGES and unsteady > UNSTEADY_SHARE * n:
        lines.append(
            f"  WARNING: landmarks depend on the border: those of {unsteady} of {n} images lie elsewhere with a wider "
            "one, by a tenth of the eyes' distance or more; see them with `core look`, or set it with --border"
        )
    return lines + small


def several_lines(store: AlignedStore) -> list[str]:
    """How many images show several faces, in all and by group; which of them was taken."""
    counts = store.manifest.several_faces
    if counts is None:
        return []
    border = store.manifest.border
    bound = []
    if border is not None and border.smallest:
        bound = [
            f"            faces under {border.smallest:g} % of an image's shorter side were looked for only where one "
            "of them could be the one taken"
        ]
    if not counts:
        return ["  images with several faces: none", *bound]
    aligned = store.faces.groupby(["gender", "ethnicity"], observed=True).size()
    shares = (
        f"{group_name(group.gender, group.ethnicity)} {group.n:,} of {aligned[group.gender, group.ethnicity]:,}"
        for group in counts
    )
    total = sum(group.n for group in counts)
    return [
        f"  images with several faces: {total:,} of {len(store.faces):,}; the label is taken to be of the face that is "
        "large, sure and near the centre",
        f"            {', '.join(shares)}",
        *bound,
    ]
