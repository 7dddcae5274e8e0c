"""Colours and styles of charts, by what they stand for; each renderer turns a style into its own means."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.data.faces import UNRECORDED
from core.task import GENDER, GENDERS

#: Okabe & Ito's colours, told apart with any kind of colour vision.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195", "#6B6B6B"]
GENDER_COLOURS = dict(zip(GENDERS, ("#D55E00", "#0072B2"), strict=True))
#: Groups must not look like genders, which are blue and orange.
GROUP_COLOURS = [COLOURS[2], COLOURS[6], COLOURS[3], COLOURS[4]]
GREY, DARK_GREY, LINE_GREY = "#8A9494", "#7A7A85", "#888"


@dataclass(frozen=True)
class Style:
    """How the marks, bars or curves of one series look. Sizes are CSS pixels.

    `symbol` and `dash`: None leaves the choice to the renderer, which in print tells series apart by it.
    `thickness`, `cap`, `interval_colour`: the line of an interval, its ends, and its colour where not the mark's.
    `report`: the class in the report's style sheet (own, thin, female, male); «thin» draws the interval alone.
    """

    colour: str
    symbol: str | None = None
    size: int = 11
    edge: float = 0.0
    opacity: float = 1.0
    thickness: float = 2.0
    cap: int = 0
    interval_colour: str | None = None
    width: float = 2.0
    dash: str | None = None
    pattern: str = ""
    report: str = "own"

    def but(self, **changes: object) -> Style:
        """A copy with some fields changed."""
        return replace(self, **changes)


OWN = Style(COLOURS[0])
#: Rows of faces whose gender is not recorded, beside those of a gender.
NO_GENDER = f"{GENDER.name} {UNRECORDED}"
#: By gender, and "" where rows are of both.
BY_GENDER = {gender: Style(colour, report=gender) for gender, colour in GENDER_COLOURS.items()} | {
    "": OWN,
    NO_GENDER: Style(DARK_GREY, report="unknown"),
}
#: An interval that is drawn without its value, behind a thicker one.
THIN = Style(GREY, "line-ew-open", size=12, edge=1.5, thickness=1.5, interval_colour=GREY, report="thin")
#: A stroke across the row: a value to compare with that is another one in each row.
STROKE = Style(GREY, "line-ns-open", edge=3)
#: By class, in the order of the logits, whatever is classified: evidence for one or the other.
BY_CLASS = tuple(BY_GENDER[gender] for gender in GENDERS)
GENDER_NOUNS = {gender: GENDER.of(gender).many for gender in GENDERS}


def of_gender(gender: str) -> Style:
    """The style of a gender's marks; of both genders' for any other word."""
    return BY_GENDER.get(gender, OWN)


def cycled(colours: list[str], index: int) -> str:
    """The colour at `index`, starting again where they end."""
    return colours[index % len(colours)]
