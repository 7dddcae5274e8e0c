"""The page «About»: what this is, how to read it, where it comes from, and what its words mean."""

from __future__ import annotations

import streamlit as st

from core.analysis.original_study import MORPH_ACCURACY
from core.present.text import escape
from core.present.text.glossary import glossary
from core.present.text.original_study import STUDY, STUDY_FIGURES
from core.privacy import MINIMUM_FACES
from core.task import GENDER
from core.wording import percent
from ui.shell import downloads
from ui.shell.page import Page
from ui.widgets import help_texts, layout, terms

READING = f"""
- A heatmap is the mean over the faces of a group. Bright places speak for the class it explains, on average; the
  colour scale under it says how much, and panels that share a scale can be compared.
- It says where in the image the evidence lies, not why the model weighs it so. *Explanation checks* tests
  whether the maps follow what the model does.
- A cell covers several pixels, and sees beyond its edge. Evidence on the nose is centred there, not confined to it.
- Two heatmaps look different by chance too. *Heatmap comparison* says which cells differ beyond it.
- A group of fewer than {MINIMUM_FACES} people has no average face and no map, and a page says so.
"""
NOT = """
- A heatmap does not show what a person looks like, nor why a group is misclassified.
- A difference between groups is of these faces, these labels and this network. Another data set, or the same
  recipe trained once more, can give another one.
- No accuracy makes it right to decide anything about a person by the gender that a model guesses.
"""


def show_about(p: Page) -> None:
    """The whole page; the words alone depend on what the open model classifies."""
    p.headline(help_texts.WHAT_THIS_IS)
    terms.subheader("How to read an average heatmap")
    terms.markdown(READING)
    terms.subheader("How not to read it")
    terms.markdown(NOT)
    terms.subheader("The original study")
    terms.markdown(STUDY)
    terms.markdown(STUDY_FIGURES)
    rows = MORPH_ACCURACY.assign(accuracy=MORPH_ACCURACY["accuracy"].map(lambda share: percent(share, 0)))
    for column in ("gender", "ethnicity"):
        rows[column] = rows[column].replace("", "all")
    layout.table(rows)
    downloads.table(MORPH_ACCURACY, "original-study", "the original study's accuracies on MORPH")
    terms.subheader("Words")
    info = p.opened.info() if p.opened.model else None
    meanings = glossary(info.task if info else GENDER)
    lines = [f"- **{escape.markdown(term)}**: {escape.markdown(words)}" for term, words in meanings.items()]
    st.markdown("\n".join(lines))
