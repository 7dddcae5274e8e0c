"""The evidence page: cached evidence by region of two groups, and what it draws of them."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.analysis.accuracy.groupings import grouping_words
from core.analysis.comparison.regions_by_group import regions_by_group
from core.analysis.maps.region_evidence import Waterfall, evidence_by_region, proportional_energy, waterfall
from core.audit.drawn import drawn_words
from core.audit.folder import Audit
from core.data.filters import Filter
from core.present.figures import evidence as figures
from core.present.figures.raster import Sheet
from core.present.text import escape
from core.present.text.evidence import shares_sentence, waterfall_sentence
from core.present.text.sentences import no_average_words
from core.wording import capital, signed, signed_interval
from ui.shell import downloads
from ui.shell.cache import kept
from ui.shell.open_audit import NOT_ADDITIVE
from ui.shell.page import Page
from ui.widgets import layout, terms
from ui.widgets.group_columns import cell_names, choose_columns, short_names
from ui.widgets.map_target import choose_target, shares_help

SIDE = 448
READING = (
    "Chin and long hair lie outside the aligned crop, so they are in no region; where an image ends above the brows, "
    "the crop is filled up with its mirror image, and «forehead» then holds a mirrored part. A margin above 0 speaks "
    "for {first}, below 0 for {second}; for incorrect predictions the sign is opposite by construction, so "
    "compare correct with correct."
)


_waterfall = kept(entries=64)(waterfall)
_evidence_by_region = kept(entries=64)(evidence_by_region)
_energy = kept(entries=64)(proportional_energy)
_by_group = kept(entries=64)(regions_by_group)


def between(audit: Audit, groups: list[tuple[str, Filter]]) -> Waterfall | None:
    """The way from the first group's mean margin to the second's; None without two, or where maps do not add up."""
    if len(groups) < 2 or not audit.additive:
        return None
    return _waterfall(audit, groups[0][1], groups[1][1])


def sentence(audit: Audit, groups: list[tuple[str, Filter]], waterfall: Waterfall | None) -> str:
    """The page's headline: of the way between the groups, or of their shares where maps do not add up."""
    if len(groups) < 2:
        return "Choose two groups that the filter bar leaves in."
    if waterfall:
        return waterfall_sentence(waterfall)
    return shares_sentence([(w.describe(), _energy(audit, w, "predicted")) for _, w in groups])


def add_notes(p: Page, groups: list[tuple[str, Filter]]) -> None:
    """Under the headline, whether faces were drawn, and why there is no way between groups where maps do not add up."""
    if (sample := drawn_words(p.audit, *(filter for _, filter in groups))) is not None:
        p.caption(sample)
    if len(groups) == 2 and not p.audit.additive:
        p.info(
            NOT_ADDITIVE.format(method=escape.markdown(p.audit.map_method), unit=escape.markdown(p.audit.map_units)),
            icon=":material/info:",
        )


def show_regions_and_waterfall(audit: Audit, filter: Filter, waterfall: Waterfall | None) -> None:
    """The regions over an average face, and beside them the way between the groups."""
    left, right = st.columns([1, 2.2])
    with left:
        terms.subheader("The regions")
        _show_regions(audit, filter)
    with right:
        if waterfall:
            _show_waterfall(audit, waterfall)
    first, second = map(escape.markdown, audit.task.labels)
    terms.caption(f"{audit.method.reading} {READING.format(first=first, second=second)}")


def show_groups(audit: Audit, groups: list[tuple[str, Filter]]) -> None:
    """The groups' own evidence by region, where it adds up, and their shares of positive evidence."""
    if not groups:
        return
    if audit.additive:
        _show_group_evidence(audit, groups)
    terms.subheader("Share of positive evidence")
    target = choose_target(audit.task, help=shares_help(audit.task))
    _show_energy(audit, groups, target)


def show_across(audit: Audit, filter: Filter) -> None:
    """Every group of up to three columns that are chosen, in one table; nothing where none is chosen."""
    if not (by := choose_columns(audit, filter)):
        return
    table = _by_group(audit, filter, by)
    brief, order = short_names(audit, filter, by)
    rows = table.assign(group=cell_names(table["group"], brief))
    numbers = [name for name in table.columns if name not in ("group", "n")]
    layout.table(rows, dict.fromkeys(numbers, ".3f"))
    unit = (
        "Mean contribution of each region to the margin; regions and bias add up to it."
        if audit.additive
        else "Mean share of each face's positive evidence for the predicted class."
    )
    terms.caption(f"{unit} Without a value: groups under {audit.minimum_faces} people, and what would show them.")
    if order is not None:
        terms.caption(escape.markdown(order))
    downloads.table(table, "regions-by-group", f"evidence by region, {grouping_words(by, audit.columns)}")


def _show_regions(audit: Audit, filter: Filter) -> None:
    """The regions over the average face of the filter, else over that of all faces; with their areas."""
    face, n = audit.averages.mean(filter)
    name = filter.describe()
    if face is None:
        face, n = audit.averages.mean(Filter())
        name = "all faces"
    if face is None:
        st.info(escape.sentence(no_average_words(audit)))
        return
    image = figures.regions_image(face, SIDE)
    caption = f"average of {n:,}: {name}"
    st.html(layout.STYLE + layout.image_row([(image, caption, "The regions over an average face")]))
    downloads.image_sheet(lambda: Sheet([("", [(image, caption)])]), "regions", "the regions over an average face")


def _show_waterfall(audit: Audit, waterfall: Waterfall) -> None:
    """From A's mean margin to B's, or why there is none."""
    a, b = capital(waterfall.a.describe()), capital(waterfall.b.describe())
    terms.subheader("From group A to group B")
    if waterfall.too_small:
        _few_faces([(a, waterfall.n_a), (b, waterfall.n_b)], audit)
        return
    title = f"mean margin by region, from {waterfall.a.describe()} to {waterfall.b.describe()}"
    downloads.chart(
        figures.waterfall_chart(waterfall, f"A: {a}", f"B: {b}", task=audit.task), "waterfall", title, key="waterfall"
    )
    total, low, high = waterfall.ends.loc["b − a"]
    terms.caption(
        f"The bars between add up to the whole way, {signed_interval(total, low, high)}; the last layer's bias "
        f"cancels, and rounding leaves {abs(waterfall.residual):.6f}. Whiskers are 95 % bootstrap intervals of "
        "each bar's length, each for itself, so the largest of many small bars is overstated; a large "
        "region collects more than a small one of equal strength."
    )
    downloads.table(waterfall.table, "waterfall", title)


def _show_group_evidence(audit: Audit, groups: list[tuple[str, Filter]]) -> None:
    """The groups' evidence by region side by side."""
    terms.subheader("Evidence by region of each group")
    by_group = [(f"{letter}: {capital(w.describe())}", _evidence_by_region(audit, w)) for letter, w in groups]
    _few_faces([(name, b.n) for name, b in by_group if b.too_small], audit)
    large = [(name, b) for name, b in by_group if not b.too_small]
    if not large:
        return
    downloads.chart(
        figures.region_evidence_bars(large), "budgets", "contributions to the mean margin by region", key="budgets"
    )
    sums = "; ".join(
        f"{name}: regions {signed(b.table['evidence'].sum())}, bias {signed(b.bias)}, mean margin {signed(b.margin)}"
        for name, b in large
    )
    terms.caption(f"{escape.markdown(sums)}. Whiskers are 95 % bootstrap intervals.")
    table = pd.concat([b.table.assign(group=name, n=b.n, bias=b.bias, margin=b.margin) for name, b in large])
    downloads.table(table, "budgets", "contributions to the mean margin by region")


def _show_energy(audit: Audit, groups: list[tuple[str, Filter]], target: str) -> None:
    """The share of positive evidence by region beside a uniform map's."""
    tables = [(f"{letter}: {capital(w.describe())}", _energy(audit, w, target)) for letter, w in groups]
    _few_faces([(name, int(t["n"].iloc[0])) for name, t in tables if t["n"].iloc[0] < audit.minimum_faces], audit)
    large = [(name, table) for name, table in tables if table["n"].iloc[0] >= audit.minimum_faces]
    if not large:
        return
    downloads.chart(figures.energy_dots(large), "energy", "share of positive evidence by region", key="energy")
    terms.caption(
        "Each face's positive evidence is shared out by region and the shares are averaged, so each face counts alike "
        "and strength is left out. The grey stroke is a uniform map's share, the region's area: a dot to its right has "
        "more evidence than its size explains. n counts faces with any positive evidence."
    )
    table = pd.concat([t.assign(group=name, target=target) for name, t in large])
    downloads.table(table, "energy", "share of positive evidence by region")


def _few_faces(groups: list[tuple[str, int]], audit: Audit) -> None:
    """Say which groups have too few faces for an average."""
    minimum = audit.minimum_faces
    for name, n in groups:
        if n < minimum:
            why = "no face" if n == 0 else f"only {n} face{'s' if n > 1 else ''}"
            st.info(
                f"{escape.markdown(name)}: {why}. Averages need {minimum}, or a single face could be seen through them."
            )
