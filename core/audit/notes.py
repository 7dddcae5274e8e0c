"""What an audit's manifest notes of itself, as codes with values; they are put into words when shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.json_record import JsonRecord, Share
from core.wording import capital


class NoteCode(StrEnum):
    """What is noted; the values of each code are fields of `Note`."""

    CLASSES_SWAPPED = "classes_swapped"  # accuracy, n
    ONE_CLASS = "one_class"  # share, predicted
    EQUAL_CERTAINTY = "equal_certainty"
    AVERAGES_NOT_WANTED = "averages_not_wanted"
    AVERAGES_KEPT_ELSEWHERE = "averages_kept_elsewhere"
    AVERAGES_KEPT_BEFORE = "averages_kept_before"
    AVERAGES_OF_OTHER_LABELS = "averages_of_other_labels"
    AVERAGES_WITHOUT_IMAGES = "averages_without_images"
    FILES_NOT_RECORDED = "files_not_recorded"
    WORDS = "words"  # text: what an earlier version stored instead of a code


@dataclass(frozen=True, kw_only=True)
class Note(JsonRecord):
    """One note: `accuracy` and `share` are of 0–1, `n` counts faces, `predicted` is a class."""

    code: NoteCode
    accuracy: Share | None = None
    n: int | None = None
    share: Share | None = None
    predicted: str | None = None
    text: str | None = None

    @classmethod
    def required(cls, content: Mapping[str, object]) -> tuple[str, ...]:
        """The code and the values that its words have."""
        return "code", *VALUES.get(content.get("code"), ())

    @classmethod
    def _from(cls, content: object, where: str) -> Note:
        if isinstance(content, str):
            return cls(code=NoteCode.WORDS, text=content)
        return super()._from(content, where)

    def to_json(self) -> dict | str:  # type: ignore[override]
        """Words of an earlier version stay words."""
        return self.text if self.code is NoteCode.WORDS else super().to_json()


#: Which values a code has.
VALUES = {
    NoteCode.CLASSES_SWAPPED: ("accuracy", "n"),
    NoteCode.ONE_CLASS: ("share", "predicted"),
    NoteCode.WORDS: ("text",),
}
_BARE_PERCENT = re.compile(r"(?<=\d)%")


def note_words(note: Note) -> str:
    """The note as part of a sentence, without a capital and a full stop."""
    match note.code:
        case NoteCode.CLASSES_SWAPPED:
            return (
                f"only {_percent(note.accuracy)} of {note.n:,} faces are correct, less than by tossing a coin; classes "
                f"swapped? The other way round it would be {_percent(1 - note.accuracy)}: check which output means "
                "which"
            )
        case NoteCode.ONE_CLASS:
            return (
                f"{_percent(note.share)} of all faces are called {note.predicted}: is the model trained, are its input "
                "and score declared correctly, and is the score of one class, not of whichever was predicted?"
            )
        case NoteCode.EQUAL_CERTAINTY:
            return (
                "the scores are mere decisions, each class with one certainty: ROC, calibration, likely mislabels and "
                "orders by certainty would say nothing, and are left out"
            )
        case NoteCode.AVERAGES_NOT_WANTED:
            return "left out when the audit was made"
        case NoteCode.AVERAGES_KEPT_ELSEWHERE:
            return "another audit of these faces, or of some, keeps them, and averages of both could be subtracted"
        case NoteCode.AVERAGES_KEPT_BEFORE:
            return (
                "an audit that is gone kept others of some of these faces, and averages of both could be subtracted; "
                "where nobody was shown those, delete `.averages.json` in the folder of models and audit again"
            )
        case NoteCode.AVERAGES_OF_OTHER_LABELS:
            return "labels were reviewed, and the average faces kept are those of the labels before"
        case NoteCode.AVERAGES_WITHOUT_IMAGES:
            return "a table of labels and predictions was audited, without any image"
        case NoteCode.FILES_NOT_RECORDED:
            return (
                "its version recorded nothing of the audit's files, so a change of them is not told: "
                "`python -m core verify` names them, and `--record` records them as they are"
            )
        case NoteCode.WORDS:
            return _BARE_PERCENT.sub(" %", note.text.strip())


def note_sentence(note: Note) -> str:
    """The note as a sentence of its own; empty where an earlier version stored empty words."""
    words = note_words(note)
    return capital(words) + ("" if words.endswith((".", "?", "!")) or not words else ".")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
