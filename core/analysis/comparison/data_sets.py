"""One model on several data sets: accuracy by group at home, where it was trained, and abroad."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from core.analysis.accuracy.by_group import right_calls
from core.analysis.intervals import newcombe_at, wilson
from core.audit.folder import Audit
from core.audit.manifest import AuditManifest
from core.audit.releases import same_pictures
from core.classifiers.info import ModelInfo
from core.data.faces import UNRECORDED, counts_of
from core.data.filters import Filter
from core.data.store_names import OF_ANYBODY
from core.estimate import Estimate
from core.task import GENDERS

PAIR = ["gender", "ethnicity"]


class Seen(StrEnum):
    """Whether the model was trained on an audit's data set."""

    HOME = "at home"
    ABROAD = "abroad"
    NOT_COMPARED = "not compared"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class DataSetAudit:
    """An audit of one of several data sets, and whether its data set is that of the training."""

    audit: Audit
    seen: Seen

    @property
    def name(self) -> str:
        """The audit's name, by which the tables tell data sets apart."""
        return self.audit.name


@dataclass(frozen=True)
class GroupDrop:
    """A group's accuracy in a second data set less that in the first, `difference`, whose interval holds for all groups
    compared at once; `first` and `second` are rows of `accuracy_by`."""

    gender: str
    ethnicity: str
    first: Mapping[str, Any]
    second: Mapping[str, Any]
    difference: Estimate


def seen_in_training(audit: Audit, info: ModelInfo | None) -> Seen:
    """Whether the audited data set is one the model was trained on, by its labels or as most of its faces are copies of
    training faces; unknown of a model that says no data.

    Other labels alone do not make other data: where nobody looked the images up, these were not compared.
    """
    fingerprints = info.data.trained_on if info is not None and info.data else {}
    if not fingerprints or audit.manifest.data_fingerprint is None:
        return Seen.UNKNOWN
    copies = audit.manifest.training_copies
    copied = copies is not None and 2 * copies.copies > audit.manifest.faces
    if copied or audit.manifest.data_fingerprint in fingerprints:
        return Seen.HOME
    return Seen.NOT_COMPARED if copies is None else Seen.ABROAD


def of_other_data(audit: Audit, candidates: Sequence[Audit], info: ModelInfo | None) -> list[DataSetAudit]:
    """The audit, and those of `candidates` that are of further data sets, one each; that of the training first.

    The same images with other labels or columns are one data set.
    """
    by_data = [audit]
    for candidate in candidates:
        if not any(same_pictures(data_set.manifest, candidate.manifest) for data_set in by_data):
            by_data.append(candidate)
    audits = [DataSetAudit(data_set, seen_in_training(data_set, info)) for data_set in by_data]
    return sorted(audits, key=lambda one: one.seen != Seen.HOME)


def perhaps_the_same(audits: Sequence[DataSetAudit]) -> list[tuple[DataSetAudit, DataSetAudit]]:
    """Pairs that count as two data sets though their images may be the same: one keeps no sketch of its images, and
    their names do not tell them apart."""

    def may_be(first: AuditManifest, second: AuditManifest) -> bool:
        sketched = bool(first.pictures and second.pictures)
        named = not {first.dataset, second.dataset} & {*OF_ANYBODY} and first.dataset != second.dataset
        return not sketched and not named

    return [pair for pair in itertools.combinations(audits, 2) if may_be(*(one.audit.manifest for one in pair))]


def accuracy_by_data_set(audits: Sequence[DataSetAudit], filter: Filter, threshold: float = 0.5) -> pd.DataFrame:
    """Accuracy with Wilson intervals of all faces, by gender, and by gender × ethnicity where a name occurs twice, when
    the positive class is said from this probability on.

    A row a data set and group: `audit, seen, gender, ethnicity` (empty for all), `n, correct, errors, accuracy, low,
    high`. Rows are ordered by group, then by data set. Groups that a data set has no face of are absent.
    """
    rows = [
        (_order(gender, ethnicity), place, data_set.name, data_set.seen.value, gender, ethnicity, n, correct)
        for place, data_set in enumerate(audits)
        for gender, ethnicity, n, correct in _counts(data_set.audit.counted(filter, threshold), threshold)
    ]
    times = Counter((gender, ethnicity) for *_, gender, ethnicity, _, _ in rows)
    rows = sorted(row for row in rows if not row[5] or times[row[4:6]] > 1)
    table = pd.DataFrame([row[2:] for row in rows], columns=["audit", "seen", *PAIR, "n", "correct"])
    table = table.astype(dict.fromkeys(PAIR, "string") | dict.fromkeys(("n", "correct"), np.int64))
    table["errors"] = table["n"] - table["correct"]
    table["accuracy"] = table["correct"] / table["n"]
    table["low"], table["high"] = wilson(table["correct"], table["n"])
    return table


def _counts(faces: pd.DataFrame, threshold: float) -> list[tuple[str, str, int, int]]:
    """Gender and ethnicity, empty for all, how many faces and how many of them right: of all, by gender where there is
    more than one, and by both, or by the one that is recorded. What is not recorded makes no group."""
    if not len(faces):
        return []
    each = counts_of(faces)
    right = right_calls(faces, threshold) * each
    (gender, genders), (ethnicity, ethnicities) = (pd.factorize(faces[column], sort=True) for column in PAIR)
    several = sum(name in GENDERS for name in genders) > 1
    crossed = several or any(name != UNRECORDED for name in genders)
    groups = [("", "", np.ones(len(faces), dtype=bool))]
    groups += [(name, "", gender == place) for place, name in enumerate(genders) if several]
    groups += [
        (name if crossed else "", other, (ethnicity == e) & ((gender == g) | (not crossed)))
        for g, name in enumerate(genders if crossed else [""])
        for e, other in enumerate(ethnicities)
    ]
    return [
        (str(name), str(other), int(each[inside].sum()), int(right[inside].sum()))
        for name, other, inside in groups
        if UNRECORDED not in (name, other) and inside.any()
    ]


def _order(gender: str, ethnicity: str) -> tuple[bool, str]:
    return ethnicity != "", f"{ethnicity} {gender}"


def group_drops(table: pd.DataFrame, first: str, second: str, least: int = 30) -> list[GroupDrop]:
    """Accuracy on the data set of the audit `second` less that on `first`, a group of gender × ethnicity each.

    `table` is that of `accuracy_by_data_set`. Groups of fewer than `least` faces in either are left out. Intervals are
    Newcombe's at Bonferroni's level for all groups together. The surest drop comes first: that with the lowest upper
    bound.
    """
    rows: dict[str, dict[tuple[str, str], dict]] = {first: {}, second: {}}
    for row in table.to_dict("records"):
        if row["audit"] in rows and row["ethnicity"] and row["n"] >= least:
            rows[row["audit"]][row["gender"], row["ethnicity"]] = row
    pairs = [(row, rows[second][group]) for group, row in rows[first].items() if group in rows[second]]
    z = float(ndtri(1 - 0.025 / max(len(pairs), 1)))
    drops = [
        GroupDrop(a["gender"], a["ethnicity"], a, b, newcombe_at(b["correct"], b["n"], a["correct"], a["n"], z))
        for a, b in pairs
    ]
    return sorted(drops, key=lambda drop: drop.difference.high)


def overall_drop(table: pd.DataFrame, first: str, second: str) -> Estimate:
    """Accuracy over all faces on the data set of `second` less that on `first`, with Newcombe's 95 % interval.

    NaN where a data set has no face.
    """
    everyone = table[(table["gender"] == "") & (table["ethnicity"] == "")]
    rows = [everyone[everyone["audit"] == name] for name in (first, second)]
    if any(row.empty for row in rows):
        return Estimate(np.nan, np.nan, np.nan)
    a, b = (row.iloc[0] for row in rows)
    return newcombe_at(b["correct"], b["n"], a["correct"], a["n"], float(ndtri(0.975)))
