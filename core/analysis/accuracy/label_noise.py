"""Label noise and leaks: how many errors sit in near-copies, small children and likely mislabels, and what they do."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.analysis.accuracy.by_group import right_calls
from core.analysis.accuracy.counts import columns_of, group_counts
from core.analysis.accuracy.simultaneous import LargestGap, gap_of
from core.analysis.intervals import wilson
from core.audit.doubts import mere_decisions
from core.audit.folder import Audit, need_one_task
from core.data.faces import ADULT_AGE
from core.data.filters import Filter
from core.errors import LookwhereError
from core.task import task_of

#: Ages under which errors are counted: the edges of the bands up to adults.
CHILDREN = (3, 10, ADULT_AGE)
NEAR_COPIES, MISLABELS = "near-copies", "likely mislabels"


@dataclass(frozen=True)
class Variant:
    """Accuracy of the faces kept when what is named by `removed` (empty: nothing) is left out.

    `gap` is None where there are no two groups.
    """

    removed: str
    n: int
    correct: int
    groups: pd.DataFrame
    gap: LargestGap | None

    @property
    def without(self) -> str:
        """In words: «all faces», «without near-copies»."""
        return f"without {self.removed}" if self.removed else "all faces"


@dataclass(frozen=True)
class LabelNoise:
    """`shares`: where, faces, errors, share_faces, share_errors, low, high (Wilson, of the errors), times; `variants`
    with everything first and all leaks removed last. `n` faces, `errors` of them wrong; `unaged` of unknown age.
    With `decisions` the scores are nothing else, and no mislabel is told by them; without `searched` there was no image
    to tell near-copies by."""

    n: int
    errors: int
    unaged: int
    shares: pd.DataFrame
    variants: tuple[Variant, ...]
    decisions: bool = False
    searched: bool = True


@dataclass(frozen=True)
class Consensus:
    """`audits` models on the same `faces` faces: `wrong` for all of them, and `likely` mislabels for all of them; mean
    `errors` of one model. `face_ids` of the likely ones, for cleaning labels."""

    audits: int
    faces: int
    errors: float
    wrong: int
    likely: int
    face_ids: tuple[str, ...]


def likely_mislabels(faces: pd.DataFrame) -> np.ndarray:
    """Bool (N,): labels that confident learning doubts (Northcutt, Jiang & Chuang 2021, JAIR 70:1373).

    The other class's probability reaches its mean among the faces labelled with it, and either the label's own does
    not, or is the smaller one. Give all of an audit's faces: means of a filtered part would be others. None is doubted
    where only one class occurs.
    """
    task = task_of(faces)
    positive, p = task.is_positive(faces), task.p(faces).astype(np.float64)
    if positive.all() or not positive.any():
        return np.zeros(len(faces), dtype=bool)
    mean_positive, mean_negative = p[positive].mean(), 1 - p[~positive].mean()
    own, opposite = np.where(positive, p, 1 - p), np.where(positive, 1 - p, p)
    reach_own = np.where(positive, mean_positive, mean_negative)
    reach_other = np.where(positive, mean_negative, mean_positive)
    return (opposite >= reach_other) & ((own < reach_own) | (opposite > own))


def label_noise(
    audit: Audit, filter: Filter | None = None, threshold: float = 0.5, draws: int = 2000, seed: int = 0
) -> LabelNoise:
    """Shares of the errors in near-copy clusters, children and likely mislabels, and the gap without each and all.

    A near-copy is a face whose `cluster` holds another audited one (exact copies were dropped at alignment); without
    near-copies the first face of each cluster stays. Of a table without images no near-copy is told.
    """
    mask = (filter or Filter()).narrowed(outcome="all").mask(audit.faces)
    task = task_of(audit.faces)
    needed = ["gender", "ethnicity", "age", "identity", "cluster", task.attribute, task.probability]
    faces = audit.faces.loc[mask, list(dict.fromkeys(needed))]
    wrong = ~right_calls(faces, threshold)
    age = pd.array(faces["age"], dtype="Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    near = audit.faces["cluster"].duplicated(keep=False).to_numpy()[mask]
    doubted = likely_mislabels(audit.faces)[mask]
    searched = not audit.manifest.of_table
    places = {NEAR_COPIES: near} if searched else {}
    if np.isfinite(age).any():
        places |= {f"children under {years}": age < years for years in CHILDREN if (age < years).any()}
    decisions = mere_decisions(audit.faces)
    if not decisions:
        places[MISLABELS] = doubted
    rows = []
    for name, inside in places.items():
        low, high = wilson(int((inside & wrong).sum()), int(wrong.sum()))
        rows.append(
            {"where": name, "faces": int(inside.sum()), "errors": int((inside & wrong).sum()),
             "share_faces": inside.mean() if len(faces) else np.nan,
             "share_errors": wrong[inside].sum() / wrong.sum() if wrong.any() else np.nan,
             "low": float(low), "high": float(high)}
        )  # fmt: skip
    columns = ["where", "faces", "errors", "share_faces", "share_errors", "low", "high"]
    shares = pd.DataFrame(rows, columns=columns)
    shares["times"] = shares["share_errors"] / shares["share_faces"].where(shares["share_faces"] > 0)
    repeated = faces["cluster"].duplicated().to_numpy()
    drop = {"": np.zeros(len(faces), dtype=bool)}
    if np.isfinite(age).any() and (age < ADULT_AGE).any():
        drop["children"] = ~(age >= ADULT_AGE)
    drop |= {name: out for name, out in ((NEAR_COPIES, repeated), (MISLABELS, doubted)) if name in places}
    drop["all of these"] = np.logical_or.reduce(list(drop.values()))
    by = columns_of(faces)
    # Often nothing is a near-copy, or all that is left out is one kind: the same faces are judged once.
    judged: dict[bytes, Variant] = {}
    variants = []
    for name, out in drop.items():
        key = out.tobytes()
        if key not in judged:
            judged[key] = _variant(name, faces[~out], by, threshold, draws, seed)
        variants.append(replace(judged[key], removed=name))
    return LabelNoise(
        len(faces), int(wrong.sum()), int(np.isnan(age).sum()), shares, tuple(variants), decisions, searched
    )


def _variant(name: str, faces: pd.DataFrame, by: list[str], threshold: float, draws: int, seed: int) -> Variant:
    right = right_calls(faces, threshold)
    groups = group_counts(faces, by, threshold, smallest=1)
    table, gap = groups.table, gap_of(groups, draws, seed)
    return Variant(name, len(faces), int(right.sum()), table, gap)


def consensus(audits: list[Audit]) -> Consensus | None:
    """Errors that several models make, and make confidently (by `likely_mislabels`), on the faces they share.

    Less circular than one model's word: models trained apart share the data set's labels and gaps, but not their
    accidents. None of fewer than two audits, and where the first has mere decisions; raises `LookwhereError` where they
    share no face or differ in a label.
    """
    if len(audits) < 2 or mere_decisions(audits[0].faces):
        return None
    need_one_task(audits)
    tables = []
    for audit in audits:
        table = audit.faces[["face_id", "predicted"]].assign(
            truth=task_of(audit.faces).truth(audit.faces), doubted=likely_mislabels(audit.faces)
        )
        tables.append(table.set_index("face_id"))
    shared = tables[0].index
    for table in tables[1:]:
        shared = shared.intersection(table.index)
    if shared.empty:
        raise LookwhereError("these audits share no face; compare audits of one data set and split")
    tables = [table.loc[shared] for table in tables]
    if any((table["truth"] != tables[0]["truth"]).any() for table in tables):
        raise LookwhereError("these audits label the same faces differently; compare audits of one data set")
    wrong = np.stack([(table["truth"] != table["predicted"]).to_numpy() for table in tables])
    doubted = np.stack([table["doubted"].to_numpy() for table in tables]).all(axis=0) & wrong.all(axis=0)
    return Consensus(
        len(audits), len(shared), float(wrong.sum(axis=1).mean()), int(wrong.all(axis=0).sum()), int(doubted.sum()),
        tuple(shared[doubted]),
    )  # fmt: skip
