"""The list of labels to review."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum

import numpy as np
import pandas as pd

from core.analysis.accuracy.counts import columns_of, group_rows
from core.analysis.accuracy.label_noise import likely_mislabels
from core.audit.folder import Audit
from core.data.filters import Filter

#: Columns of the list beside the label and the prediction.
LISTED = ("face_id", "path", "age", "ethnicity")


class Listing(StrEnum):
    """Whose labels are listed for a person; the values are what a person chooses by."""

    SUSPECTED = "suspected labels"
    ERRORS = "all incorrect predictions"
    CORRECT = "as many correct ones, drawn at random"


def doubted_errors(audit: Audit) -> np.ndarray:
    """Boolean (N,): errors whose labels the model's own confidence doubts."""
    return likely_mislabels(audit.faces) & ~audit.faces["correct"].to_numpy(dtype=bool)


def rows_to_review(audit: Audit, filter: Filter, listing: Listing = Listing.SUSPECTED, seed: int = 0) -> np.ndarray:
    """Rows of the audit's faces inside a filter, whatever its outcome, that a person is to look at, int64 (M,).

    Errors are listed surest first. Of correct ones as many are drawn as errors are suspected: a review of errors alone
    can only raise the accuracy.
    """
    inside = filter.narrowed(outcome="all").mask(audit.faces)
    wrong = ~audit.faces["correct"].to_numpy(dtype=bool)
    doubted = inside & doubted_errors(audit)
    if listing is Listing.CORRECT:
        right = np.flatnonzero(inside & ~wrong)
        sampled = np.random.default_rng(seed).permutation(len(right))[: int(doubted.sum())]
        return right[np.sort(sampled)]
    rows = np.flatnonzero(doubted if listing is Listing.SUSPECTED else inside & wrong)
    return rows[np.argsort(-np.abs(audit.task.margin(audit.faces.iloc[rows])), kind="stable")]


def suspects(audit: Audit) -> pd.DataFrame:
    """The faces that a reviewer looks at first: errors whose labels the model's own confidence doubts, surest first.

    Columns `face_id`, `path`, `ethnicity`, `age`, the label, `predicted`, the probability, and `decision`, empty.
    """
    return review_list(audit, rows_to_review(audit, Filter()), {})


def review_list(audit: Audit, rows: np.ndarray, decisions: dict[str, str]) -> pd.DataFrame:
    """The list that a person fills in, of the faces at `rows`; `decisions` by face id are filled in already."""
    task, faces = audit.task, audit.faces.iloc[rows]
    listed = [*LISTED, *([] if task.attribute in LISTED else [task.attribute]), "predicted", task.probability]
    verdicts = [decisions.get(str(face), "") for face in faces["face_id"]]
    return faces[listed].assign(decision=verdicts).reset_index(drop=True)


def suspected_by_group(
    audit: Audit, filter: Filter, agreed: Collection[str] | None = None, by: Sequence[str] = ()
) -> pd.DataFrame:
    """A row a group of the faces inside a filter, all of them first: group, n, errors, suspected, share (of its errors
    that are suspected), agreed (of the suspected, those that are among the face ids `agreed`; only where these are
    given). Groups are of the columns `by`, without any of those that are known and differ (`columns_of`).

    Where a model is wrong of a group and sure of it, its errors there are called suspected: a high share says that a
    person must look, not that the labels are wrong.
    """
    inside = filter.narrowed(outcome="all").mask(audit.faces)
    faces, doubted = audit.faces[inside], doubted_errors(audit)[inside]
    wrong = ~faces["correct"].to_numpy(dtype=bool)
    member, names = group_rows(faces, list(by) or columns_of(faces), audit.columns)
    parts = [("all faces", np.ones(len(faces), dtype=bool))]
    parts += [(name, member == place) for place, name in enumerate(names["group"])] if len(names) > 1 else []
    shared = None if agreed is None else faces["face_id"].isin(list(agreed)).to_numpy() & doubted
    rows = []
    for name, part in parts:
        errors, suspected = int((wrong & part).sum()), int((doubted & part).sum())
        row = {"group": name, "n": int(part.sum()), "errors": errors, "suspected": suspected}
        row["share"] = suspected / errors if errors else np.nan
        rows.append(row | ({} if shared is None else {"agreed": int((shared & part).sum())}))
    return pd.DataFrame(rows)
