"""The open model on several data sets, beside each other: at home, where it was trained, and abroad."""

from __future__ import annotations

from core.analysis.comparison.data_sets import DataSetAudit, accuracy_by_data_set, of_other_data
from core.audit.folder import list_audits, read_manifest
from core.audit.releases import same_pictures
from core.present.figures.comparison import data_set_dots
from core.present.text import escape
from core.present.text.data_sets import (
    abroad_sentence,
    data_set_names,
    group_label,
    perhaps_the_same_words,
    shown_sentence,
    without_columns,
)
from ui.shell import downloads
from ui.shell.open_audit import audit_of
from ui.shell.page import Page
from ui.shell.sections import closed_section
from ui.widgets import layout, terms

HEADING = "The same model on other data sets"
#: More data sets than these are not told apart in one chart.
MOST = 4
CAUTION = (
    "The data sets differ in the ages, cameras and annotators of their faces too, so what makes the difference, this "
    "does not say. Groups are put beside each other where both data sets call them alike. Intervals are Wilson's, 95 %."
)


def show_data_sets(p: Page) -> None:
    """Accuracy on each data set that the open model was audited on; nothing where it is only one."""
    audits = _audits(p)
    if len(audits) < 2:
        return
    terms.subheader(HEADING)
    filter = p.filter
    if without := [named_audit for named_audit in audits if not filter.applies_to(named_audit.audit.faces)]:
        terms.caption(escape.markdown(without_columns(without, filter, p.audit.columns)))
        audits = [named_audit for named_audit in audits if named_audit not in without]
    if len(audits) < 2:
        return
    table = accuracy_by_data_set(audits, filter, p.threshold)
    for second in audits[1:]:
        layout.sentence(abroad_sentence(table, audits[0], second, filter))
    if table.empty:
        return
    downloads.rows(data_set_dots(table, data_set_names(audits)), "data-sets", "accuracy by data set")
    rows = table.assign(group=[group_label(g, e) for g, e in zip(table["gender"], table["ethnicity"], strict=True)])
    shown, shares = (
        rows[["group", "audit", "seen", "n", "correct", "accuracy", "low", "high"]],
        ["accuracy", "low", "high"],
    )
    closed_section("As a table", lambda: layout.share_table(shown, shares), key="data_sets_table")
    downloads.table(table, "data-sets", "accuracy by data set and group, with Wilson 95 % intervals")
    terms.caption(f"{escape.markdown(shown_sentence(audits, filter))} {CAUTION}")
    if (words := perhaps_the_same_words(audits)) is not None:
        terms.caption(escape.markdown(words))


def _audits(p: Page) -> list[DataSetAudit]:
    """The open audit and those of the model on other data sets, without opening audits of the same one."""
    own, folder = p.audit, p.opened.folder / "audits"
    manifests, paths = [own.manifest], []
    for name in list_audits(p.opened.folder):
        manifest = read_manifest(folder / name)
        if len(manifests) < MOST and not any(same_pictures(earlier, manifest) for earlier in manifests):
            manifests.append(manifest)
            paths.append(audit_of(folder / name / "audit.json"))
    return of_other_data(own, paths, p.opened.info())
