"""What a claim, a check of the maps and a test of two groups may come out as; a member's value is what is printed."""

from __future__ import annotations

from enum import StrEnum


class Tone(StrEnum):
    """How a verdict is coloured, by the page and the report alike."""

    GOOD = "good"
    MIXED = "mixed"
    BAD = "bad"
    OPEN = "open"


class Verdict(StrEnum):
    """Of a claim that was put to data: of a finding, and of an experiment's contrast."""

    SUPPORTED = "supported"
    #: So far as the test goes, but not at all ages, or for a reason other than the claimed one.
    IN_PART = "supported in part"
    NOT_SUPPORTED = "not supported"
    CANNOT_TELL = "cannot tell here"

    @property
    def tone(self) -> Tone:
        return {
            Verdict.SUPPORTED: Tone.GOOD,
            Verdict.IN_PART: Tone.MIXED,
            Verdict.NOT_SUPPORTED: Tone.BAD,
            Verdict.CANNOT_TELL: Tone.OPEN,
        }[self]


class CheckVerdict(StrEnum):
    """Of a check of an audit's maps."""

    PASSES = "passes"
    PASSES_IN_PART = "passes in part"
    FAILS = "fails"
    #: Neither that it holds nor that it does not is sure.
    CANNOT_TELL = "cannot tell"

    @classmethod
    def from_parts(cls, whole: bool, part: bool, surely_not: bool = True) -> CheckVerdict:
        """PASSES where the whole of what is asked holds, PASSES_IN_PART where a part of it does; else FAILS where it
        surely does not, and CANNOT_TELL where intervals leave both open."""
        if whole or part:
            return cls.PASSES if whole else cls.PASSES_IN_PART
        return cls.FAILS if surely_not else cls.CANNOT_TELL

    @property
    def tone(self) -> Tone:
        return {
            CheckVerdict.PASSES: Tone.GOOD,
            CheckVerdict.PASSES_IN_PART: Tone.MIXED,
            CheckVerdict.FAILS: Tone.BAD,
            CheckVerdict.CANNOT_TELL: Tone.OPEN,
        }[self]


class TestVerdict(StrEnum):
    """Of a test of two groups' accuracies at 5 %, by itself and over its family."""

    __test__ = False  # pytest: no class of tests

    DIFFER = "differ"
    NOT_AFTER_HOLM = "not after Holm"
    NO_DIFFERENCE_SEEN = "no difference seen"
