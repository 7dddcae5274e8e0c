"""Whose word the labels of faces are, in words: of gender and ethnicity where they are recorded, else of others."""

from __future__ import annotations

from collections.abc import Collection

from core.data.columns import Column
from core.wording import capital


def labels_are(recorded: Collection[str], columns: Collection[Column] = ()) -> tuple[str, bool]:
    """«Gender and ethnicity are the data set's labels», and whether that is said of several.

    `recorded` are those of gender and ethnicity that a face has. Columns of the data set's own are labels too, unless
    they were measured on the images.
    """
    names = [name for name in ("gender", "ethnicity") if name in recorded]
    if any(not column.measured for column in columns):
        if not names:
            return "All labels here are the data set's own", True
        return f"{capital(', '.join(names))} and other labels are the data set's", True
    if not names:
        return "The labels are the data set's", True
    if len(names) == 1:
        return f"{capital(names[0])} is the data set's label", False
    return f"{capital(' and '.join(names))} are the data set's labels", True


def perceived_words(recorded: Collection[str], columns: Collection[Column] = (), mark: str = "") -> str:
    """What labels are, in two lines for every page; `mark` goes round the one word that must not be missed."""
    are, several = labels_are(recorded, columns)
    perceived = f"{mark}perceived{mark}"
    if several:
        return (
            f"{are}, as a rule {perceived} ones that annotators gave: they need not be what the people pictured would "
            "say."
        )
    return (
        f"{are}, as a rule a {perceived} one that annotators gave: it need not be what the people pictured would say."
    )


def not_identity_words(recorded: Collection[str], columns: Collection[Column] = ()) -> str:
    """The same for a summary and the report: who saw it, and what it is not."""
    are, several = labels_are(recorded, columns)
    if several:
        return f"{are}, as a rule those that annotators perceived in an image. They are not identity."
    return f"{are}, as a rule the one that annotators perceived in an image. It is not identity."
