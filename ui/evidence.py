"""The evidence page: cached budgets of two groups, and what it draws of them."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.audit.folder import Audit
from core.budget import (
    Budget,
    Waterfall,
    budget,
    proportional_energy,
    shares_sentence,
    signed,
    signed_interval,
    waterfall,
)
from core.faces import MINIMUM_FACES, Filter
from core.figures import evidence as figures
from core.figures.pictures import Sheet
from core.sentences import capital
from ui import parts, takeaway

SIDE = 448
TARGETS = (
    "Which map's positive part is shared out. **predicted**: evidence for the model's choice. **true**: for the "
    "labelled gender. **female**, **male**: for that class in every face. **margin**: female less male evidence, "
    "turned to the model's choice."
)
READING = (
    "Evidence is *centred on* a region: a map's cell sees more of the face than its own square. Chin and long hair lie "
    "outside the aligned crop, so they are in no region; where a picture ends above the brows, the crop is filled up "
    "with its mirror image, and «forehead» then holds a mirrored part. A margin above 0 speaks for female, below 0 for "
    "male; for wrong predictions the sign is opposite by construction, so compare right with right."
)


def stamp(audit: Audit) -> tuple[str, float]:
    """What a cached result hangs on besides the filter: which audit, written when."""
    return str(audit.path), (audit.path / "audit.json").stat().st_mtime


@st.cache_data(max_entries=64, show_spinner=False)
def _waterfall(_audit: Audit, key: tuple[str, float], a: Filter, b: Filter) -> Waterfall:
    return waterfall(_audit, a, b)


@st.cache_data(max_entries=64, show_spinner=False)
def _budget(_audit: Audit, key: tuple[str, float], wanted: Filter) -> Budget:
    return budget(_audit, wanted)


@st.cache_data(max_entries=64, show_spinner=False)
def _energy(_audit: Audit, key: tuple[str, float], wanted: Filter, target: str) -> pd.DataFrame:
    return proportional_energy(_audit, wanted, target)


def cached_waterfall(audit: Audit, a: Filter, b: Filter) -> Waterfall:
    """`core.budget.waterfall`, kept by its inputs."""
    return _waterfall(audit, stamp(audit), a, b)


def shares_lede(audit: Audit, groups: list[tuple[str, Filter]]) -> str:
    """`core.budget.shares_sentence` of the groups, for maps that do not add up."""
    return shares_sentence([(w.describe(), _energy(audit, stamp(audit), w, "predicted")) for _, w in groups])


def show_regions(audit: Audit, within: Filter) -> None:
    """The regions over the average face of the filter, else over that of all faces; with their areas."""
    face, n = audit.averages.mean(within)
    name = within.describe()
    if face is None:
        face, n = audit.averages.mean(Filter())
        name = "all faces"
    if face is None:
        st.info(f"No average face is stored: no group has {MINIMUM_FACES} faces.")
        return
    picture = figures.regions_picture(face, SIDE)
    caption = f"average of {n:,}: {name}"
    st.html(parts.STYLE + parts.figures([(picture, caption, "The regions over an average face")]))
    takeaway.picture(lambda: Sheet([("", [(picture, caption)])]), "regions", "the regions over an average face")


def show_waterfall(audit: Audit, found: Waterfall) -> None:
    """From A's mean margin to B's, or why there is none."""
    a, b = capital(found.a.describe()), capital(found.b.describe())
    st.subheader("From group A to group B")
    if found.too_small:
        few_faces([(a, found.n_a), (b, found.n_b)])
        return
    title = f"mean margin by region, from {found.a.describe()} to {found.b.describe()}"
    takeaway.chart(figures.waterfall_chart(found, f"A: {a}", f"B: {b}"), "waterfall", title, key="waterfall")
    total, low, high = found.ends.loc["b − a"]
    st.caption(
        f"The bars between add up to the whole way, {signed_interval(total, low, high)}; the last layer's bias "
        f"cancels, and rounding leaves {abs(found.residual):.6f}. Whiskers are 95 % bootstrap intervals of "
        "each bar's length, each for itself, so the largest of many small bars is overstated; a large "
        "region collects more than a small one of equal strength."
    )
    takeaway.table(found.table, "waterfall", title)


def show_budgets(audit: Audit, groups: list[tuple[str, Filter]]) -> None:
    """The groups' own budgets side by side."""
    st.subheader("Budget of each group")
    found = [(f"{letter}: {capital(w.describe())}", _budget(audit, stamp(audit), w)) for letter, w in groups]
    few_faces([(name, b.n) for name, b in found if b.too_small])
    shown = [(name, b) for name, b in found if not b.too_small]
    if not shown:
        return
    takeaway.chart(figures.budget_bars(shown), "budgets", "contributions to the mean margin by region", key="budgets")
    sums = "; ".join(
        f"{name}: regions {signed(b.table['evidence'].sum())}, bias {signed(b.bias)}, mean margin {signed(b.margin)}"
        for name, b in shown
    )
    st.caption(f"{sums}. Whiskers are 95 % bootstrap intervals.")
    table = pd.concat([b.table.assign(group=name, n=b.n, bias=b.bias, margin=b.margin) for name, b in shown])
    takeaway.table(table, "budgets", "contributions to the mean margin by region")


def show_energy(audit: Audit, groups: list[tuple[str, Filter]], target: str) -> None:
    """The share of positive evidence by region beside a uniform map's."""
    tables = [(f"{letter}: {capital(w.describe())}", _energy(audit, stamp(audit), w, target)) for letter, w in groups]
    few_faces([(name, int(t["n"].iloc[0])) for name, t in tables if t["n"].iloc[0] < MINIMUM_FACES])
    shown = [(name, table) for name, table in tables if table["n"].iloc[0] >= MINIMUM_FACES]
    if not shown:
        return
    takeaway.chart(figures.energy_dots(shown), "energy", "share of positive evidence by region", key="energy")
    st.caption(
        "Each face's positive evidence is shared out by region and the shares are averaged, so each face counts alike "
        "and strength is left out. The grey stroke is a uniform map's share, the region's area: a dot to its right has "
        "more evidence than its size explains. n counts faces with any positive evidence."
    )
    table = pd.concat([t.assign(group=name, target=target) for name, t in shown])
    takeaway.table(table, "energy", "share of positive evidence by region")


def few_faces(groups: list[tuple[str, int]]) -> None:
    """Say which groups have under 11 faces."""
    for name, n in groups:
        if n < MINIMUM_FACES:
            why = "no face" if n == 0 else f"only {n} face{'s' if n > 1 else ''}"
            st.info(f"{name}: {why}. Averages need {MINIMUM_FACES}, or a single face could be seen through them.")
