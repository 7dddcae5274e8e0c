"""Tested differences of maps on a page: computed once for its inputs, drawn with the surviving cells outlined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.analysis.maps.differences import MapDifference, difference_of, incorrect_less_correct
from core.analysis.maps.group_means import Group
from core.analysis.strata import AGE, adjustable, equal_ages
from core.audit.drawn import drawn
from core.audit.folder import Audit
from core.data.filters import Filter
from core.errors import LookwhereError
from core.present.figures import raster
from core.present.figures.differences import painted
from core.present.text import escape
from core.present.text.sentences import hottest_place
from core.wording import capital
from ui.shell import downloads
from ui.shell.cache import kept
from ui.widgets import controls, layout, terms

SIDE = 336
STYLE = """
<style>
.lw-tests {display: flex; flex-wrap: wrap; gap: 1rem 1.4rem}
.lw-tests figure {flex: 1 1 15rem; max-width: 24rem; margin: 0}
.lw-tests img {width: 100%; aspect-ratio: 1; border-radius: .3rem; display: block}
.lw-tests figcaption {font-size: .85rem; margin-top: .35rem; line-height: 1.4}
.lw-tests figcaption span {opacity: .75}
</style>
"""
AGES = ("made equal", "as they are")
EQUAL_AGES = (
    "Maps depend on age, and groups differ in it. So faces are compared with those of the other group that are about "
    "as old (single years for infants, five for adults), and these are averaged. «As they are» compares all faces: "
    "a difference can then be one of age alone."
)
NO_AGES = "Not adjusted for age: ages are not known, or the groups share too few. What differs can be due to age alone."
ADJUST = (
    "Compares only faces of the same gender (ethnicity …) with each other and averages over these, weighted "
    "by how many pairs each holds. What is left is not due to a different mix of them."
)
METHOD = (
    "The line runs round cells beyond chance; **hatched** ones are not. Faces of either group are drawn anew "
    "2,000 times, and a cell must differ, in units of its own standard error, more than the *most different* cell"
    " strays from what was found in 95 % of the draws; with no difference at all, one image in 20 would have any "
    "cell outlined. g is the difference in standard deviations of single faces (Hedges)."
)
SHAPE = (
    "**Why not the maps above.** Faces of one {kind} that are predicted incorrectly were given the other class: the "
    "sign of their evidence differs *by construction*, and incorrect predictions are less certain. So each face's "
    "evidence for the class it was given is divided by its own strength, and faces of equal certainty (|margin|) are "
    "compared."
)


TESTING = "Testing the difference …"
_difference_of = kept(entries=128, spinner=TESTING)(difference_of)
_incorrect_less_correct = kept(entries=64, spinner=TESTING)(incorrect_less_correct)


@dataclass(frozen=True)
class MapControls:
    """How maps are averaged and drawn: `count` groups, target, normalisation, and the overlay's opacity."""

    count: int
    target: str
    normalisation: str
    opacity: float

    @property
    def signed(self) -> bool:
        """Whether the maps have a sign, female against male."""
        return self.target == "margin"


Found = MapDifference | LookwhereError


def _choose_adjustment(audit: Audit, groups: list[tuple[str, Group]]) -> tuple[str, ...]:
    """Draw the choice of what to adjust for: ages, and what else varies within the groups and is shared by each with
    the first."""
    audit = drawn(audit, *(group.filter for _, group in groups))
    masks = [group.filter.mask(audit.faces) for _, group in groups]
    apart = [mask for mask in masks[1:] if not (masks[0] & mask).any()]
    offered = [adjustable(audit.faces, masks[0], mask) for mask in apart]
    names = [name for name in (offered[0] if offered else []) if all(name in more for more in offered)]
    names = [name for name in names if name != "age band"]
    ages: tuple[str, ...] = ()
    left, right = st.columns([1, 2]) if names else (st.container(), None)
    if apart and all(equal_ages(audit.faces, masks[0], mask) for mask in apart):
        age_choice = controls.segments("Ages", AGES, default=AGES[0], key="ages_as", place=left, help=EQUAL_AGES)
        ages = (AGE,) if age_choice == AGES[0] else ()
    elif apart:
        terms.caption(NO_AGES, place=left)
    if not names:
        return ages
    names_by_column = {column.name: column.said for column in audit.columns}
    columns = controls.pills(
        "Adjust for",
        names,
        selection_mode="multi",
        key="adjust",
        place=right,
        help=ADJUST,
        format_func=lambda name: names_by_column.get(name, name),
    )
    return (*ages, *columns)


def show_differences(audit: Audit, groups: list[tuple[str, Group]], controls: MapControls) -> dict[str, Found]:
    """Draw each further group's tested difference to the first, and for correct against incorrect their shapes.

    Groups too small to be shown come last: they are told how many faces a test needs.
    """
    large = [(letter, group) for letter, group in groups if group.map is not None]
    if not large or len(groups) < 2:
        return {}
    terms.subheader("Difference of the average maps")
    compared = large + [(letter, group) for letter, group in groups if group.map is None]
    adjust = _choose_adjustment(audit, compared)
    differences = _compute(audit, compared, controls.target, controls.normalisation, adjust)
    _draw(compared[0][0], differences)
    _shapes(audit, compared, adjust)
    return differences


def _compute(
    audit: Audit, groups: list[tuple[str, Group]], target: str, norm: str, adjust: tuple[str, ...]
) -> dict[str, Found]:
    """Each further group's tested difference to the first, by its letter; or why the two cannot be compared."""
    first, differences = groups[0][1].filter, {}
    for letter, group in groups[1:]:
        try:
            differences[letter] = _difference_of(audit, first, group.filter, target, norm, adjust)
        except LookwhereError as error:
            differences[letter] = error
    return differences


def verdict(differences: dict[str, Found]) -> str:
    """One sentence on the first two groups, for the head of the page; empty where they cannot be compared."""
    first = next(iter(differences.values()), None)
    return first.verdict if isinstance(first, MapDifference) else ""


def _figure(difference: MapDifference, limit: float, name: str, colours: str) -> str:
    """HTML of one tested difference: outlined image, how to read its colours, n, cells, largest g and where, p."""
    people = "" if difference.people_a is None else f" of {difference.people_a:,} and {difference.people_b:,} people"
    numbers = f"n = {difference.n_a:,} and {difference.n_b:,}{people}"
    if sum(difference.left_out):
        numbers += f"; {sum(difference.left_out):,} without a counterpart left out"
    if difference.abstained:
        result = difference.verdict
    else:
        g = f"{difference.effect[difference.largest]:+.2f}".replace("-", "−")
        size = np.where(difference.significant if difference.differs else True, difference.effect, 0)
        cells = (
            f"{int(difference.significant.sum())} of {difference.significant.size} cells"
            if difference.differs
            else "No cell"
        )
        place = hottest_place(size, difference.placement)
        result = f"{cells} beyond chance (family-wise {difference.p_words}); largest g = {g} ({place})."
    image = raster.data_uri(painted(difference, limit, SIDE))
    return (
        f"<figure><img src='{image}' alt='{escape.in_html(f'Difference of average maps, {name}')}'><figcaption>"
        f"<b>{escape.in_html(name)}</b>: {escape.in_html(colours)}<br>{escape.in_html(result)}<br>"
        f"<span>{escape.in_html(numbers)}</span></figcaption></figure>"
    )


def _row(figures: list[str]) -> None:
    """Figures beside each other, below each other on a telephone."""
    st.html(f"{layout.STYLE}{STYLE}<div class='lw-tests'>{''.join(figures)}</div>")


def limit_of(differences: list[MapDifference]) -> float:
    """One scale for all differences shown."""
    return raster.shared_limit([d.difference for d in differences if np.isfinite(d.difference).all()])


def _draw(letter: str, differences: dict[str, Found]) -> None:
    """The group `letter` against each further one, with the verdicts; no image of under 11 faces."""
    there = {partner: d for partner, d in differences.items() if isinstance(d, MapDifference)}
    for partner, error in differences.items():
        if partner not in there:
            terms.caption(escape.sentence(f"{letter} − {partner} is not shown: {error}."))
    for d in there.values():
        layout.sentence(d.verdict)
    there = {partner: d for partner, d in there.items() if np.isfinite(d.difference).all()}
    if not there:
        return
    limit = limit_of(list(there.values()))
    _row(
        [
            _figure(d, limit, f"{letter} − {partner}", f"red where {letter} has more, blue where {partner} has more")
            for partner, d in there.items()
        ]
    )
    terms.caption(
        f"Scale ±{limit:.3g}, shared. {METHOD}" + (" Each image is tested by itself." if len(there) > 1 else "")
    )


def _shapes(audit: Audit, groups: list[tuple[str, Group]], adjust: tuple[str, ...]) -> None:
    """Where correct and incorrect predictions of one group are compared: their shapes, matched on |margin|."""
    first = groups[0][1].filter
    for letter, group in groups[1:]:
        if {first.outcome, group.filter.outcome} == {"correct", "incorrect"} and (
            first.narrowed(outcome="all") == group.filter.narrowed(outcome="all")
        ):
            _shape(audit, first.narrowed(outcome="all"), f"{groups[0][0]} and {letter}", adjust)


def _shape(audit: Audit, filter: Filter, letters: str, adjust: tuple[str, ...]) -> None:
    one_gender = audit.task.is_gender and len(filter.gender) == 1
    # Gender and decision together say who is right, so nobody would have a counterpart; few have one in margin and age.
    adjust = tuple(name for name in adjust if name not in ("gender", AGE))
    terms.subheader(escape.markdown(f"Incorrect against correct by shape: {filter.describe()}"))
    terms.markdown(SHAPE.format(kind=audit.task.kind))
    decisions = (False, True) if one_gender else (True,)
    compared = [_incorrect_less_correct(audit, filter, same_decision=same, adjust=adjust) for same in decisions]
    limit = limit_of(compared)
    colours = "red where incorrect predictions lean more on the place, blue where correct ones do"
    titles = (
        ["Same group, the other class", "Same class, other faces"]
        if one_gender
        else ["Incorrect − correct, class by class"]
    )
    _row([_figure(d, limit, title, colours) for d, title in zip(compared, titles, strict=True)])
    downloads.image_sheet(
        lambda: raster.Sheet(
            [("", [(painted(d, limit, SIDE), title) for d, title in zip(compared, titles, strict=True)])],
            [(True, f"−{limit:.3g}", f"{limit:.3g}")],
            f"{capital(colours)}. Outlined cells are beyond chance.",
        ),
        f"shapes {letters}",
        f"incorrect against correct predictions by shape, {filter.describe()}",
    )
    same = compared[-1]
    if one_gender:
        first, second = map(escape.markdown, audit.task.labels)
        incorrect, same_class = map(escape.markdown, same.names)
        terms.caption(
            f"Left: {incorrect}, less the correct ones of the same group. They were given opposite classes, so "
            f"this also holds whatever tells evidence for «{first}» from evidence for «{second}». "
            f"Right: less {same_class}, who were given the same class: what differs here is not due to the class. "
            f"{letters} above; scale ±{limit:.3g} of a map's root mean square."
        )
    else:
        terms.caption(f"Faces given the same class are compared. Scale ±{limit:.3g} of a map's root mean square.")
    if same.abstained:
        return
    head = (
        "incorrect predictions look at other places than correct ones of the same class."
        if same.differs
        else "incorrect predictions look where correct ones of the same class do, as far as this test can tell."
    )
    terms.markdown(f"**At equal certainty, {head}** {escape.markdown(same.verdict)}")
