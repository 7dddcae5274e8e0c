"""What an audit was computed in and how it was made faster, in words."""

from __future__ import annotations

from core.audit.manifest import AuditManifest
from core.classifiers.speed import FasterWay, Speed

#: What each faster way is.
WAYS = {Speed.FOLDED: "with batch norms folded into convolutions", Speed.OPENVINO: "by OpenVINO"}


def speed_words(way: FasterWay) -> str:
    """«with batch norms folded into convolutions; on 64 faces maps correlate 0.99990 with float32 …»."""
    agreed = [f"{way.decisions} decisions of {way.faces} faces are others than in float32"]
    if way.map_correlation is not None:
        agreed.insert(0, f"maps correlate {way.map_correlation:.5f} with those in float32")
    return f"{WAYS[way.how]}; {', '.join(agreed)}"


def precision_words(manifest: AuditManifest) -> str | None:
    """«computed in bfloat16, which turned 3 of 4,029 decisions …»; None where nothing is computed or it is not known.

    Of less than float32 it says how many decisions are others there, or that nobody counted.
    """
    if manifest.precision is None:
        return None
    words = f"computed in {manifest.precision}"
    if manifest.precision == "float32":
        return words
    check = manifest.float32_check
    if check is None:
        return f"{words}; how many decisions are others in float32, nobody has counted"
    least = "" if check.complete else "at least "
    if check.beyond is None:
        return f"{words}; {check.decisions:,} of {manifest.faces:,} decisions are others in float32"
    return (
        f"{words}; {least}{check.decisions:,} of {manifest.faces:,} decisions are others in float32, counted among the "
        f"{check.faces:,} faces nearest to even, whose margins change by at most {check.margin:.2g} logits; all others "
        f"lie {check.beyond:.2g} and more from even"
    )
