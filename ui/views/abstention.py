"""Who gets no answer: the part of «Accuracy breakdown» on a model that abstains from what it is least sure of."""

from __future__ import annotations

import streamlit as st

from core.analysis.accuracy.abstention import Abstention, AbstentionRule, abstention
from core.audit.doubts import mere_decisions
from core.audit.folder import Audit
from core.data.filters import Filter
from core.present.text import escape
from core.present.text.abstention import HEADS, HOW, abstention_sentence
from ui.shell import downloads
from ui.shell.cache import kept
from ui.shell.page import Page
from ui.widgets import controls, layout, terms
from ui.widgets.group_columns import cell_names, short_names

SHARES = ["cutoff", "share", "share_low", "share_high", "accuracy", "low", "high"]


@kept(entries=64)
def _abstention(
    audit: Audit, filter: Filter, share: float, threshold: float, equal: bool, by: tuple[str, ...]
) -> Abstention:
    faces = audit.passing(filter.narrowed(outcome="all"))
    return abstention(faces, AbstentionRule(share, equal=equal), by or None, threshold, audit.columns)


def show_abstention(p: Page, threshold: float, by: tuple[str, ...] = ()) -> None:
    """Share answered, accuracy and error ratio of each group, by one cutoff for all or by the groups' own.

    Groups are of the columns `by`, without any of gender, ethnicity and age. Nothing where all decisions are equally
    certain.
    """
    if mere_decisions(p.audit.faces):
        return
    terms.subheader("Who gets no answer")
    left, right = st.columns([2, 1])
    share = controls.slider("Without an answer, in percent of the faces", 0, 50, 10, key="abstain", place=left)
    equal = controls.toggle(
        "The same share of each group", key="equal", place=right, help="Each group then has a cutoff of its own."
    )
    abstention = _abstention(p.audit, p.filter, share / 100, threshold, equal, by)
    layout.sentence(abstention_sentence(abstention))
    ratios = dict.fromkeys((HEADS[name] for name in ("error_ratio", "ratio_low", "ratio_high")), ".1f")
    rows = abstention.table.drop(columns=["gender", "ethnicity"])
    brief, order = short_names(p.audit, p.filter, by) if by else ({}, None)
    rows = rows.assign(group=cell_names(rows["group"], brief)).rename(columns=HEADS)
    layout.share_table(rows, [HEADS.get(name, name) for name in SHARES], ratios)
    if order is not None:
        terms.caption(escape.markdown(order))
    terms.caption(
        "Exploratory. «cutoff»: the least certainty that is answered, the likelier class's probability. «error ratio»: "
        f"the group's error rate over that of all other answered faces. {HOW} This slider moves this part only."
    )
    downloads.table(abstention.table, "abstention", "who gets no answer: shares answered and accuracies by group")
