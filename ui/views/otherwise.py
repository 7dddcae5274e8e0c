"""The faces of the page «Accuracy breakdown» that are labelled otherwise than with one of the two classes."""

from __future__ import annotations

from core.analysis.accuracy.otherwise import labelled_otherwise, usual_sureness
from core.audit.folder import Audit
from core.data.filters import Filter
from core.present.text import escape
from core.present.text.otherwise import otherwise_sentence
from core.task import GENDERS
from core.wording import percent, with_interval
from ui.shell import downloads
from ui.widgets import layout, terms


def show_otherwise(audit: Audit, filter: Filter) -> None:
    """What the model calls them, and how surely; nothing where the filter leaves none."""
    sentence = otherwise_sentence(audit, filter)
    if sentence is None:
        return
    terms.subheader("Labelled otherwise")
    terms.markdown(escape.markdown(sentence))
    table, positive = labelled_otherwise(audit, filter), audit.task.label(audit.task.positive)
    labels = table[["label", "n"]].rename(columns={"n": "faces"})
    if "accuracy" in table:
        rates = zip(table["accuracy"], table["accuracy_low"], table["accuracy_high"], strict=True)
        labels["correct"] = [with_interval(*rate) for rate in rates]
    rates = zip(table["share"], table["low"], table["high"], strict=True)
    labels[f"called {positive}"] = [with_interval(*rate) for rate in rates]
    labels["median probability of what it is called"] = [percent(value) for value in table["sureness"]]
    layout.table(labels)
    terms.caption(
        f"Of the faces labelled {' or '.join(GENDERS)} that median is {percent(usual_sureness(audit, filter))}."
    )
    downloads.table(table, "labelled otherwise", "faces labelled otherwise")
