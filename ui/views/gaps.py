"""The parts of the page «Gaps and tests»: what is computed is kept by its inputs, and each part says what it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from core.analysis.accuracy import fairness as fair
from core.analysis.accuracy.by_group import GROUP_COLUMNS
from core.analysis.accuracy.counts import group_counts
from core.analysis.accuracy.label_noise import Consensus, consensus, label_noise
from core.analysis.accuracy.pairwise import pairs_of
from core.analysis.accuracy.power import power_table
from core.analysis.accuracy.regression import FIRTH, Regression, Term, regression
from core.analysis.accuracy.repeated import repeated_photographs
from core.analysis.accuracy.simultaneous import LargestGap, SimultaneousIntervals, gap_of, simultaneous_intervals
from core.analysis.comparison.catalogue import same_face_audits
from core.audit.folder import Audit, open_audit
from core.data.faces import UNRECORDED, genders_in
from core.data.filters import Filter
from core.errors import LookwhereError
from core.present.figures import gaps as charts
from core.present.text import escape
from core.present.text.gap_tables import (
    comparison_table,
    measure_table,
    p_column,
    rate_table,
    rates_of,
    term_table,
    too_few_classes,
)
from core.present.text.gaps import (
    FIRST_LEFT_OUT,
    LONG_LEFT_OUT,
    NAMED_LEFT_OUT,
    counted_words,
    differ_words,
    left_out_words,
)
from core.present.text.label_noise import CIRCULAR, DECISIONS, UNSEEN, consensus_words, repeated_table, repeated_words
from core.present.text.sentences import scope
from core.task import BOTH_GENDERS
from core.wording import capital, in_points, p_words, percent, span
from ui.shell import downloads
from ui.shell import open_audit as open_audit_shell
from ui.shell.cache import kept
from ui.shell.extremes import extremes_of
from ui.shell.page import Page
from ui.shell.visitor import for_visitor
from ui.views.wrong_labels import show_tipping_points
from ui.widgets import controls, help_texts, layout, terms
from ui.widgets.group_columns import choose_columns, short_names

GROUPINGS = {
    "gender × ethnicity": ("gender", "ethnicity"),
    "ethnicity": ("ethnicity",),
    "gender": ("gender",),
    "age": ("age band",),
}
BANDS = "accuracy by group, with intervals of each alone and of all at once"
EQUAL_AGES = "accuracy as it is and at equal ages"
MISLABELS_ARE = (
    "Likely mislabels: the model is surer of the other {kind} than it is, on average, of faces that carry that label "
    "(confident learning)."
)
FAMILIES = {"all pairs": "pairs", "each against the rest": "rest"}


def groupings(faces: pd.DataFrame) -> list[str]:
    """The groupings that make more than one group of these faces."""
    ethnicities, genders = set(faces["ethnicity"].unique()), len(genders_in(faces))
    names = ["gender × ethnicity"] if ethnicities - {UNRECORDED} and len(ethnicities) * genders > 1 else []
    names += ["ethnicity"] if len(ethnicities) > 1 and genders > 1 else []
    names += ["gender"] if genders > 1 else []
    return names + (["age"] if len(faces["age"].dropna().unique()) > 1 else [])


@dataclass(frozen=True)
class GroupGaps:
    """A grouping's intervals, its surest gap, the tests of each family, the groups in none, `short_names` of all."""

    intervals: SimultaneousIntervals
    largest: LargestGap | None
    tests: dict[str, pd.DataFrame]
    not_tested: pd.DataFrame
    names: tuple[dict[str, str], str | None]


@kept(entries=64)
def group_gaps(audit: Audit, filter: Filter, by: tuple[str, ...], threshold: float = 0.5) -> GroupGaps:
    """The faces of a filter by some of their columns."""
    label_columns = set(by) <= set(GROUP_COLUMNS)
    faces, columns = audit.counted(filter, threshold) if label_columns else audit.passing(filter), list(by)
    groups = group_counts(faces, columns, threshold, columns=audit.columns)
    every = group_counts(faces, columns, threshold, smallest=1, columns=audit.columns)
    tests = {name: pairs_of(groups, family) for name, family in FAMILIES.items()}
    names = short_names(audit, filter, by)
    return GroupGaps(simultaneous_intervals(every), gap_of(every), tests, groups.left_out, names)


@kept(entries=64)
def _regression(audit: Audit, filter: Filter, threshold: float) -> Regression | str:
    """The regression, or why there is none."""
    try:
        return regression(audit.counted(filter, threshold), threshold)
    except LookwhereError as error:
        return capital(str(error)) + "."


@kept(entries=64)
def _fairness(audit: Audit, filter: Filter, threshold: float) -> fair.Fairness | None:
    return fair.fairness(audit.passing(filter), threshold)


_noise = kept(entries=64)(label_noise)
_repeated = kept(entries=64)(repeated_photographs)


@kept(entries=8, spinner="Reading the other models' audits …")
def _consensus(audit: Audit, manifests: tuple[Path, ...]) -> Consensus | None:
    return consensus([audit, *(open_audit(manifest.parent) for manifest in manifests)])


def choose_grouping(p: Page) -> tuple[str, ...]:
    """Draw the choice of a grouping: its columns. Stops the page where the faces are of one group only."""
    if across := choose_columns(p.audit, p.filter):
        return across
    choices = groupings(p.faces)
    if not choices:
        p.headline(f"{scope(p.filter)}, there is one group only (n = {p.number:,}), so there is no gap to speak of.")
        st.stop()
    if len(choices) == 1:
        return GROUPINGS[choices[0]]
    return GROUPINGS[controls.segments("Groups by", choices, default=choices[0], key="by")]


def say_counted(p: Page, by: tuple[str, ...]) -> None:
    """Under the headline, that its gap is as counted, beside the one that Overview opens with."""
    if by != GROUPINGS["gender × ethnicity"]:
        return
    if (why := counted_words(extremes_of(p.audit, p.filter, p.threshold))) is not None:
        p.caption(escape.markdown(why))


def show_simultaneous(result: GroupGaps) -> None:
    """The surest gap in figures, then each group with its two intervals."""
    bands, gap, (brief, order) = result.intervals, result.largest, result.names
    terms.subheader("All groups at once")
    if gap is not None:
        places = st.columns(3)
        pair = "as counted, " + " – ".join(brief.get(row["group"], row["group"]) for row in (gap.best, gap.worst))
        layout.metric(places[0], "Gap", f"{in_points(gap.difference.value)} points", pair, help=_SUREST)
        layout.metric(
            places[1], "Less the bias of choosing", f"{in_points(gap.corrected)} points",
            f"bias {in_points(gap.bias)} points", help=_BIAS,
        )  # fmt: skip
        layout.metric(
            places[2], "Simultaneous 95 % interval", span(gap.difference.low, gap.difference.high),
            f"{span(gap.plain.low, gap.plain.high)} had the pair been named beforehand", help=_SIMULTANEOUS,
        )  # fmt: skip
    if len(bands.table):
        downloads.chart(charts.simultaneous_dots(bands.table), "simultaneous", BANDS)
        terms.caption(
            "Thick: the Wilson 95 % interval of a group alone. Thin, grey: intervals that hold for all "
            f"{len(bands.table)} groups together in 95 of 100 test sets ({bands.resampled} resampled). "
            "Compare groups chosen by looking with the thin ones."
        )
    if order is not None:
        terms.caption(escape.markdown(order))
    _left_out(bands.left_out, "group", brief)
    downloads.table(bands.table, "simultaneous", BANDS)


_SUREST = (
    "The worst group is the one with the lowest upper bound, the best the one with the highest lower bound, of "
    "intervals that hold for all groups at once: groups of any size. Where the two are not told apart, nothing is "
    "sure, and the pair is the one whose difference is surest."
)
_BIAS = (
    "The best group is partly best, and the worst partly worst, by luck. Resampling the faces says by how much that "
    "widens the gap. Where groups do not differ in truth it sees only about half of it: a cautious correction."
)
_SIMULTANEOUS = (
    "Holds for every pair of groups together, so for a pair that was chosen by looking too "
    "(resampled largest studentised difference, never narrower than Tukey's)."
)


def _left_out(table: pd.DataFrame, column: str, brief: Mapping[str, str]) -> None:
    table = table.assign(**{column: table[column].replace(brief)})
    words = left_out_words(table, column)
    many = len(table) > FIRST_LEFT_OUT and (len(table) > NAMED_LEFT_OUT or len(words) > LONG_LEFT_OUT)
    if len(table):
        terms.caption(escape.markdown(left_out_words(table, column, FIRST_LEFT_OUT) if many else words))
    if many:
        with st.expander(f"All {len(table):,} that are left out"):
            _table(table.rename(columns={"n": "faces", "why": "why left out"}))


def _table(table: pd.DataFrame, **formats: str) -> None:
    """A table of at most ten rows in sight; numbers as `formats` say."""
    layout.table(table, formats, height=min(38 + 35 * len(table), 388))


def show_tests(result: GroupGaps) -> None:
    """The two-group tests as a table, the clearest first."""
    terms.subheader("Which groups differ")
    family = controls.segments("Compare", list(FAMILIES), default="all pairs", key="family")
    table, brief = result.tests[family], result.names[0]
    if table.empty:
        st.info("Two groups of 50 faces are needed for a test.")
        _left_out(result.not_tested, "group", brief)
        return
    layout.sentence(f"{differ_words(table, 'comparisons')}.")
    _table(comparison_table(table, brief), points=".1f")
    terms.caption(
        f"Accuracy of the first less that of the second. One family: the {len(table)} tests of this table. Intervals "
        "are of each pair alone (Newcombe). Score test, or Fisher's exact where fewer than 5 errors are expected. «No "
        "difference seen» is not «no difference»."
    )
    _left_out(result.not_tested, "group", brief)
    downloads.table(table, "tests", f"tests of differences of accuracy, {family}")


def show_age(audit: Audit, filter: Filter, threshold: float = 0.5) -> None:
    """Regression on gender × ethnicity and age; accuracy at equal ages."""
    terms.subheader("Age against ethnicity")
    fit = _regression(audit, filter, threshold)
    if isinstance(fit, str):
        st.info(help_texts.NO_AGE if not audit.faces["age"].notna().any() else fit)
        return
    terms.markdown(_age_words(fit))
    downloads.chart(charts.age_dots(fit.standardised), "equal-ages", EQUAL_AGES)
    terms.caption(
        "Hollow: accuracy as it is. Filled: what a logistic regression expects of the group if it had the ages of all "
        "faces shown. Where the two part, age was part of the difference."
    )
    if (fit.standardised["unseen"] > 0).any():
        part = fit.standardised[fit.standardised["unseen"] > 0]
        text = "; ".join(f"{g}, {percent(u)}" for g, u in zip(part["group"], part["unseen"], strict=True))
        terms.caption(
            escape.markdown(f"Extrapolated, for want of a face of the group, at a share of these ages: {text}.")
        )
    if fit.separated:
        groups = escape.markdown(", ".join(fit.separated))
        st.warning(
            f"Predictions are all correct or all incorrect for {groups}: no maximum likelihood "
            f"exists, so {FIRTH} is used, which keeps odds ratios finite."
        )
    _table(term_table(fit), **{"χ²": ".1f"})
    without_age = f" {fit.without_age:,} faces without an age are left out." if fit.without_age else ""
    terms.caption(
        f"Each term given all others that do not contain it; {fit.n:,} faces, {fit.estimator}; standard errors: "
        f"{fit.errors}. Ages go in by bands ({', '.join(fit.bands)}), and may act differently on {BOTH_GENDERS}."
        f"{without_age}"
    )
    with st.expander("Odds ratios of being correct"):
        table = fit.odds_ratios.assign(p=p_column(fit.odds_ratios["p"])).rename(columns={"odds_ratio": "odds ratio"})
        _table(table, **{"odds ratio": ".2f", "low": ".2f", "high": ".2f"})
        terms.caption("An odds ratio under 1 means less often correct. 95 % intervals (Wald), without correction.")
    downloads.table(fit.tests, "terms", "tests of the regression's terms")
    downloads.table(fit.odds_ratios, "odds-ratios", "odds ratios of being correct")
    downloads.table(fit.standardised, "equal-ages", EQUAL_AGES)


def _age_words(fit: Regression) -> str:
    """What is left of the differences between ethnicities at equal ages."""
    ethnic = [term for term in (Term.ETHNICITY, Term.GENDER_ETHNICITY) if not np.isnan(fit.p(term))]
    raw, equal = (fit.standardised[c].max() - fit.standardised[c].min() for c in ("accuracy", "standardised"))
    text = f"The widest gap is {in_points(raw)} points as it is and **{in_points(equal)} at equal ages**. "
    if not ethnic:
        return text + f"Gender at equal ages: {p_words(fit.p(Term.GENDER))}."
    names = ", ".join(f"{term} {p_words(fit.p(term))}" for term in ethnic)
    corrected = fit.tests.set_index("term")["p_holm"]
    ethnicity_stays = any(corrected.get(term, 1.0) < 0.05 for term in ethnic)
    verdict = "age alone does not explain the differences" if ethnicity_stays else "beyond age no difference is seen"
    return text + f"Between ethnicities {verdict} ({names})."


def show_power(audit: Audit, faces: pd.DataFrame, by: tuple[str, ...], threshold: float = 0.5) -> None:
    """Faces needed to see a difference, and the difference that can be seen."""
    terms.subheader("How many faces it would take")
    points = controls.slider("Difference to be seen, in points", 1, 10, 2, key="points")
    groups = group_counts(faces, list(by), threshold, columns=audit.columns).table
    tests = max(1, len(groups) * (len(groups) - 1) // 2)
    table = power_table(groups, points / 100, tests)
    rows = pd.DataFrame(
        {
            "group": [capital(name) for name in table["group"]],
            "faces": table["n"],
            "needed": table["needed"],
            f"needed among {tests} tests": table["needed, all tests"],
            "points seen now": (100 * table["smallest difference seen"]).round(1),
        }
    )
    _table(rows, **{"points seen now": ".1f"})
    terms.caption(
        f"«Needed»: faces in this group, and as many in another that is {points} points worse, to find the difference "
        "in 8 of 10 test sets at the 5 % level, and at 5 % shared by all pairs. «Points seen now»: the smallest "
        "difference to the best other group that today's faces would show as often."
    )
    downloads.table(table, "faces-needed", f"faces needed to see a difference of {points} points")


def show_fairness(audit: Audit, filter: Filter, threshold: float = 0.5) -> None:
    """Demographic parity and equalized odds."""
    terms.subheader("Fairness measures")
    fairness = _fairness(audit, filter, threshold)
    task = audit.task
    called, positives_called, negatives_called = rates_of(task).values()
    if fairness is None:
        none = task.is_gender and set(audit.faces["ethnicity"].unique()) == {UNRECORDED}
        st.info(help_texts.NO_ETHNICITY if none else f"These are given where two {too_few_classes(task)} each.")
        return
    left, right = st.columns(2)
    with left:
        _table(measure_table(fairness), value=".3f")
    with right:
        layout.share_table(rate_table(fairness, task), list(rates_of(task).values()))
    terms.caption(
        f"As fairlearn defines them, with «{task.label(task.positive)}» as the positive class: demographic parity "
        f"compares the share {called} (which differs with the share of {task.nouns[1].many} in the data too), "
        f"equalized odds the worse of {positives_called} (TPR) and {negatives_called} (FPR). "
        "Difference 0 and ratio 1 mean parity. An extreme over groups is never below its "
        "parity value and is too large on average: read the interval, not the value."
    )
    _left_out(fairness.left_out, fairness.by, {})
    downloads.table(fairness.measures, "fairness", "fairness measures")
    downloads.table(fairness.groups[[fairness.by, "n", *rates_of(task)]], "rates", f"rates by {fairness.by}")


def _copies(audit: Audit, filter: Filter) -> None:
    """What copies of one photograph say of the labels."""
    repeats = _repeated(audit, filter)
    terms.markdown("**Label error, where it can be seen**")
    layout.sentence(repeated_words(repeats, audit.task))
    if len(repeats.table) > 1 and repeats.by_face:
        with st.expander("By ethnicity"):
            layout.share_table(*repeated_table(repeats))


NEAR_COPIES_ARE = "Near-copies: faces whose aligned images show one photograph with another one here."
NEAR_HASHES_ARE = (
    "Near-copies: faces whose images have nearly the hash of another one here; hashes also join different people "
    "before one backdrop."
)


def show_label_noise(audit: Audit, filter: Filter, threshold: float = 0.5, by: tuple[str, ...] = ()) -> None:
    """Where the errors sit, the gap without those places, and the wrong labels that gaps of groups of `by` need."""
    terms.subheader("Label noise and leaks")
    noise = _noise(audit, filter, threshold)
    left, right = st.columns(2)
    with left:
        terms.markdown("**Where the errors sit**")
        if noise.shares.empty:
            st.info("Neither near-copies nor likely mislabels can be told from the decisions of a table.")
        else:
            downloads.chart(charts.noise_shares(noise), "noise", "where the errors sit")
    with right:
        terms.markdown("**The largest gap without them**")
        if any(variant.gap is not None for variant in noise.variants):
            downloads.chart(charts.gap_variants(noise), "gap-variants", "the largest gap without them")
        else:
            st.info("There are no two groups.")
    copies = (NEAR_COPIES_ARE if audit.manifest.copies_by else NEAR_HASHES_ARE) if noise.searched else UNSEEN
    terms.caption(copies + ("" if noise.decisions else f" {MISLABELS_ARE.format(kind=audit.task.kind)}"))
    terms.caption(DECISIONS if noise.decisions else CIRCULAR)
    if noise.unaged:
        terms.caption(f"{noise.unaged:,} faces have no known age and are in no count of children.")
    show_tipping_points(audit, filter, threshold, by)
    if noise.searched:
        _copies(audit, filter)
    if not noise.decisions:
        _agreement(audit)
    table = pd.concat([v.groups.assign(faces=v.without) for v in noise.variants], ignore_index=True)
    if len(table):
        wide = table.pivot_table(index="group", columns="faces", values="accuracy", sort=False).reset_index()
        names = [v.without for v in noise.variants if v.without in wide]
        with st.expander("Accuracy of every group without them"):
            layout.share_table(wide[["group", *names]].assign(group=[capital(g) for g in wide["group"]]), names)
        table = table[["faces", "group", "n", "correct", "accuracy"]]
        kinds = " and ".join(v.removed for v in noise.variants[1:-1]) or "nothing"
        downloads.table(table, "noise", f"accuracy of every group without {kinds}")


def _agreement(audit: Audit) -> None:
    try:
        paths = same_face_audits(open_audit_shell.MODELS, audit)
        agreement = _consensus(audit, tuple(path / "audit.json" for path in paths))
        words = consensus_words(agreement, [path.parent.parent.name for path in paths])
    except LookwhereError as error:
        words = capital(for_visitor(error)) + "."
    terms.caption(escape.markdown(words))
