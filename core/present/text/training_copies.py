"""Training faces among the audited ones, in words."""

from __future__ import annotations

from core.audit.manifest import AuditManifest
from core.wording import percent


def training_copies_words(manifest: AuditManifest) -> str | None:
    """What came of looking the audited faces up among training faces, in a sentence; None where nobody looked."""
    copies = manifest.training_copies
    if copies is None:
        return None
    among = f"{copies.compared:,} training faces ({' and '.join(copies.datasets)})"
    one = copies.found == 1
    if not copies.found:
        return f"None of the {manifest.faces:,} faces is a copy or near-copy of the {among}."
    kind = "is a copy or near-copy" if one else "are copies or near-copies"
    if copies.left_out:
        return f"{copies.found:,} further face{'' if one else 's'} {kind} of the {among} and left out."
    text = f"{copies.found:,} of the {manifest.faces:,} faces {kind} of the {among}"
    if copies.accuracy_without is None or manifest.accuracy is None:
        return text + "."
    without, whole = percent(copies.accuracy_without), percent(manifest.accuracy)
    is_now = f"stays {whole}" if without == whole else f"is {without} instead of {whole}"
    return f"{text}; without {'it' if one else 'them'} the accuracy {is_now}."
