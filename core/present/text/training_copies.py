"""Training faces among the audited ones, in words."""

from __future__ import annotations

from collections.abc import Sequence

from core.audit.manifest import AuditManifest
from core.audit.training_copies import TrainingCopies
from core.present.text.credits import data_set_words
from core.wording import percent

HASHES = "hashes, which the model carries, tell equal images alone"


def training_copies_words(manifest: AuditManifest) -> str | None:
    """What came of looking the audited faces up among training faces, in a sentence; None where nobody looked."""
    copies = manifest.training_copies
    if copies is None:
        return None
    if copies.near_copies is None:
        return _by_hashes(manifest)
    among = _among(copies)
    single = copies.found == 1
    if not copies.found:
        return f"None of the {manifest.faces:,} faces is a copy or near-copy of the {among}.{_unknown(copies)}"
    kind = "is a copy or near-copy" if single else "are copies or near-copies"
    if copies.left_out:
        faces = f"{copies.found:,} further face{'' if single else 's'}"
        comma = "" if copies.training_faces is None else ","
        return f"{faces} {kind} of the {among}{comma} and left out.{_unknown(copies)}"
    faces = f"{copies.found:,} of the {manifest.faces:,} faces"
    return f"{faces} {kind} of the {among}{_without(manifest)}{_unknown(copies)}"


def _among(copies: TrainingCopies) -> str:
    """The faces that the audited ones were compared with: training faces, or more of whom these are a part."""
    if copies.training_faces is None:
        return f"{copies.compared:,} training faces ({_and(copies.datasets)})"
    return f"{copies.compared:,} faces of {_and(copies.datasets)}, {copies.training_faces:,} of which were trained on"


def _unknown(copies: TrainingCopies) -> str:
    """What was not looked up among the training faces, in a sentence; empty where all was."""
    text = ""
    if copies.by_hashes:
        text += f" Near-copies of those of {_and(copies.by_hashes)} are not known: {HASHES}."
    if copies.not_asked:
        text += f" Those of {_and(copies.not_asked)}, which the model was trained on too, were not looked through."
    return text


def _by_hashes(manifest: AuditManifest) -> str:
    """The same where only the model's own hashes of its training faces were asked."""
    copies = manifest.training_copies
    among = f"{copies.compared:,} training faces ({_and(copies.datasets)})"
    rest = f" Near-copies are not known: {HASHES}."
    if not copies.copies:
        return f"None of the {manifest.faces:,} faces is a copy of the {among}.{rest}"
    kind = "is a copy" if copies.copies == 1 else "are copies"
    return f"{copies.copies:,} of the {manifest.faces:,} faces {kind} of the {among}{_without(manifest)}{rest}"


def _without(manifest: AuditManifest) -> str:
    """The end of the sentence: the accuracy without the faces found, which no filter of the page narrows."""
    copies = manifest.training_copies
    if copies.accuracy_without is None or manifest.accuracy is None:
        return "."
    single = copies.found == 1
    without, whole = percent(copies.accuracy_without), percent(manifest.accuracy)
    is_now = f"stays {whole}" if without == whole else f"is {without} instead of {whole}"
    return f"; without {'it' if single else 'them'} the accuracy over all ages {is_now}."


def _and(names: Sequence[str]) -> str:
    words = [data_set_words(name) for name in names]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
