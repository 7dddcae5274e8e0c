"""Training faces among the audited ones, in words."""

from __future__ import annotations

from core.audit.manifest import AuditManifest
from core.wording import percent


def training_copies_words(manifest: AuditManifest) -> str | None:
    """What came of looking the audited faces up among training faces, in a sentence; None where nobody looked."""
    copies = manifest.training_copies
    if copies is None:
        return None
    if copies.near_copies is None:
        return _by_hashes(manifest)
    among = f"{copies.compared:,} training faces ({' and '.join(copies.datasets)})"
    one = copies.found == 1
    if not copies.found:
        return f"None of the {manifest.faces:,} faces is a copy or near-copy of the {among}."
    kind = "is a copy or near-copy" if one else "are copies or near-copies"
    if copies.left_out:
        return f"{copies.found:,} further face{'' if one else 's'} {kind} of the {among} and left out."
    text = f"{copies.found:,} of the {manifest.faces:,} faces {kind} of the {among}"
    return text + _without(manifest)


def _by_hashes(manifest: AuditManifest) -> str:
    """The same where only the model's own hashes of its training faces were asked."""
    copies = manifest.training_copies
    among = f"{copies.compared:,} training faces ({' and '.join(copies.datasets)})"
    rest = " Near-copies are not known: hashes, which the model carries, tell equal images alone."
    if not copies.copies:
        return f"None of the {manifest.faces:,} faces is a copy of the {among}.{rest}"
    kind = "is a copy" if copies.copies == 1 else "are copies"
    return f"{copies.copies:,} of the {manifest.faces:,} faces {kind} of the {among}{_without(manifest)}{rest}"


def _without(manifest: AuditManifest) -> str:
    """The end of the sentence: the accuracy without the faces found."""
    copies = manifest.training_copies
    if copies.accuracy_without is None or manifest.accuracy is None:
        return "."
    one = copies.found == 1
    without, whole = percent(copies.accuracy_without), percent(manifest.accuracy)
    is_now = f"stays {whole}" if without == whole else f"is {without} instead of {whole}"
    return f"; without {'it' if one else 'them'} the accuracy {is_now}."
