"""Apparent skin tone beside an audit that is published: counts by group, third and outcome, and no face's own.

An audit tells each face's outcome. So counts that split one outcome of a group may not put all of it into one part, or
the part of each of these faces would be known (`core.privacy.outcome_told`). So faces are counted once, too: of two
models that differ in one face's outcome, or of a review that changes one label, the counts subtracted are that face's
part.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from core.analysis.accuracy.explained import explain
from core.audit.folder import Audit, open_audit
from core.audit.kept_averages import KeptAverages, audits_near, counted_before, outermost, remember_counted
from core.audit.measures import lay_published, with_all_measures
from core.audit.releases import same_ids, sketch
from core.data.faces import ADULT_AGE, AGE_CHOICES, person_codes
from core.data.filters import Filter, group_name
from core.data.measured import thirds_within
from core.data.measures import BY_NAME, SKIN_TONE
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.files import write_json
from core.json_record import JsonRecord
from core.locks import alone
from core.privacy import outcome_told, told_parts

FILE = "skin_tone.json"
#: The ages that groups are counted in, each apart, so that no two counts can be subtracted.
ADULTS, CHILDREN, UNKNOWN = "adults", "children", "age unknown"
#: Thirds over all audited faces, and within the group.
OVER_ALL, WITHIN = "all faces", "the group"


@dataclass(frozen=True, kw_only=True)
class PartCount(JsonRecord):
    """Faces in the thirds `levels`, and how many of them are misclassified; None where that is not told."""

    levels: tuple[str, ...]
    n: int
    incorrect: int | None


@dataclass(frozen=True, kw_only=True)
class GroupCounts(JsonRecord):
    """A group's faces by third, of all audited faces or of the group itself (`thirds`)."""

    group: str
    gender: str
    ethnicity: str
    ages: str
    thirds: str
    parts: tuple[PartCount, ...]


@dataclass(frozen=True, kw_only=True)
class SkinTone(JsonRecord):
    """The content of `skin_tone.json`.

    `edges` are those of thirds over all audited faces, in degrees of the individual typology angle; `measured` faces
    have one, `grey` have none. `explained` are rows of `core.analysis.accuracy.explained.Explained.table` of apparent
    skin tone by filter: «adults», «all».
    """

    format: int = 1
    unit: str
    edges: tuple[float, ...]
    measured: int
    grey: int
    counts: tuple[GroupCounts, ...]
    explained: Mapping[str, tuple[Mapping[str, object], ...]]

    FORMAT: ClassVar = 1
    CLOSED: ClassVar = True
    SEALED_FROM: ClassVar = 1
    MEND: ClassVar = "delete it and run `python -m core measure` again"
    ALWAYS: ClassVar = ("format", "unit")


def lay_beside(audit: Audit, store: AlignedStore) -> str | None:
    """Write a store's measures beside its audit: by face without apparent skin tone, which is counted.

    Returns why apparent skin tone is not told beside it; None where it is. Raises `LookwhereError` where the store is
    not the audit's, or nothing was measured there.
    """
    lay_published(audit, store)
    skin_tone, file, models = counted(with_all_measures(audit, store)), audit.path / FILE, audit.path.parents[2]
    if skin_tone is None:
        file.unlink(missing_ok=True)
        return "no face has one"
    own = _counted_of(audit, store)
    # One at a time, as averages are kept: two that look before either writes would both be told.
    with alone(outermost(models) / "averages", "keeping", wait=True):
        earlier = _elsewhere(audit, own.sha256, models)
        if earlier is not None or counted_before(models, own):
            file.unlink(missing_ok=True)
            what = f"{earlier} has" if earlier else "another audit had"
            return f"{what} counts of some of the same faces, and the two subtracted could tell one face's"
        write_json(file, skin_tone.to_json())
        remember_counted(models, own)
    return None


def _counted_of(audit: Audit, store: AlignedStore) -> KeptAverages:
    """Of which faces, groups and outcomes an audit's counts are, and by which minimum."""
    stored = store.faces.set_index(store.faces["face_id"].astype(str)).loc[audit.faces["face_id"].astype(str)]
    group = audit.faces.groupby(["gender", "ethnicity"], observed=True, dropna=False).ngroup().to_numpy()
    pictures = sketch(stored.reset_index(drop=True), group)
    fingerprint = audit.manifest.data_fingerprint
    return KeptAverages(data_fingerprint=fingerprint, pictures=pictures, sha256=_digest(audit))


def _digest(audit: Audit) -> str:
    """SHA-256 of what counts are made by: audits with the same tell the same."""
    table = audit.faces[["face_id", "gender", "ethnicity", "age", "correct"]].astype(str).sort_values("face_id")
    return hashlib.sha256(f"{audit.minimum_faces}\n{table.to_csv(index=False)}".encode()).hexdigest()


def _elsewhere(audit: Audit, digest: str, models: Path) -> Path | None:
    """Another audit that has counts of some of the same faces, by other groups or outcomes."""
    for folder in audits_near(models):
        if folder.resolve() == audit.path.resolve() or not (folder / FILE).is_file():
            continue
        try:
            second = open_audit(folder)
        except LookwhereError:  # a damaged one does not count
            continue
        if second.manifest.data_fingerprint == audit.manifest.data_fingerprint:
            shared = audit.faces["face_id"].isin(second.faces["face_id"]).any()
        else:
            shared = same_ids(audit.faces, second.faces) > 0
        if shared and _digest(second) != digest:
            return folder
    return None


def read_skin_tone(audit: Audit) -> SkinTone | None:
    """What is told of apparent skin tone beside an audit; None where nothing is. Raises `LookwhereError` if damaged."""
    file = audit.path / FILE
    if not file.is_file():
        return None
    skin_tone = SkinTone.from_json(file)
    if (wrong := _contradiction(skin_tone, audit)) is not None:
        raise LookwhereError(f"{file}: {wrong}; {SkinTone.MEND}")
    return skin_tone


def _contradiction(skin_tone: SkinTone, audit: Audit) -> str | None:
    """What of the counts cannot be of the audit's faces, in words; None where all can."""
    faces = audit.faces
    if skin_tone.measured + skin_tone.grey != len(faces):
        return f"it counts {skin_tone.measured + skin_tone.grey:,} faces, and audit.json {len(faces):,}"
    if any(high <= low for low, high in itertools.pairwise(skin_tone.edges)):
        return "its edges do not rise"
    groups = faces.assign(ages=_ages(faces)).groupby(["gender", "ethnicity", "ages"], observed=True)
    sizes, errors = groups.size(), (~faces["correct"].astype(bool)).groupby([groups.ngroup()]).sum()
    numbers = {key: number for number, key in enumerate(sizes.index)}
    met: set[tuple[str, ...]] = set()
    for counts in skin_tone.counts:
        key = (counts.gender, counts.ethnicity, counts.ages)
        wrong = [part.incorrect or 0 for part in counts.parts]
        if key not in numbers or counts.thirds not in (OVER_ALL, WITHIN) or (*key, counts.thirds) in met:
            return f"it counts {counts.group[:100]!r}, which is no group of the audit, or twice"
        met.add((*key, counts.thirds))
        if counts.group != group_name(counts.gender, counts.ethnicity, counts.ages == CHILDREN):
            return f"it calls a group {counts.group[:100]!r} that is none"
        too_many = any((part.incorrect or 0) > part.n for part in counts.parts)
        if too_many or total(counts).n > sizes[key] or sum(wrong) > errors[numbers[key]]:
            return f"it counts more faces of {counts.group} than the audit has"
    names = {group_name(gender, ethnicity, False) for gender, ethnicity, _ in sizes.index}
    texts = {"factor": SKIN_TONE, "words": BY_NAME[SKIN_TONE].words}
    for row in itertools.chain.from_iterable(skin_tone.explained.values()):
        numbers_only = all(isinstance(v, int | float | None) for k, v in row.items() if k not in (*texts, "group"))
        numbers_only &= all(isinstance(row.get(key), int | float) for key in ("n", "gap", "explained", "low", "high"))
        if row.get("group") not in names or not numbers_only or any(row.get(k) != v for k, v in texts.items()):
            return f"it explains the gap of {str(row.get('group'))[:100]!r}, which is no group, or by another factor"
    return None


def counted(audit: Audit) -> SkinTone | None:
    """What may be told of an audit whose faces have their apparent skin tone in memory (`with_all_measures`)."""
    column = next((candidate for candidate in audit.columns if candidate.name == SKIN_TONE), None)
    if column is None or len(column.edges) < 2:
        return None
    faces = audit.faces
    values = faces[column.value_name].to_numpy(dtype=np.float64)
    ages = _ages(faces)
    over_all = faces[SKIN_TONE].cat.codes.to_numpy(dtype=np.int64)
    key = faces.assign(ages=ages).groupby(["gender", "ethnicity", "ages"], observed=True)
    group_thirds = thirds_within(values, key.ngroup().to_numpy(), audit.minimum_faces).astype(np.int64)
    counts = []
    for (gender, ethnicity, age), rows in key.indices.items():
        name = group_name(gender, ethnicity, age == CHILDREN)
        head = {"group": name, "gender": gender, "ethnicity": ethnicity, "ages": age}
        for thirds, codes in ((OVER_ALL, over_all), (WITHIN, group_thirds)):
            parts = _parts(faces.iloc[rows], codes[rows], column.levels, audit.minimum_faces)
            if parts:
                counts.append(GroupCounts(**head, thirds=thirds, parts=parts))
    return SkinTone(
        unit=BY_NAME[SKIN_TONE].unit,
        edges=column.edges,
        measured=int(np.isfinite(values).sum()),
        grey=int(np.isnan(values).sum()),
        counts=tuple(counts),
        explained={choice: _explained(audit, choice) for choice in AGE_CHOICES},
    )


def _ages(faces: pd.DataFrame) -> np.ndarray:
    """Which of the ages that groups are counted in each face is of, (N,)."""
    years = faces["age"].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.select([np.isnan(years), years >= ADULT_AGE], [UNKNOWN, ADULTS], CHILDREN)


def _parts(faces: pd.DataFrame, codes: np.ndarray, levels: tuple[str, ...], minimum: int) -> tuple[PartCount, ...]:
    persons, wrong = person_codes(faces), ~faces["correct"].to_numpy(dtype=bool)
    parts = told_parts(codes, persons, minimum)
    place = np.full(len(codes), -1)
    for number, part in enumerate(parts):
        place[np.isin(codes, part)] = number
    outcome_published = bool(parts) and outcome_told(place, wrong, persons, minimum)
    return tuple(
        PartCount(
            levels=tuple(levels[code] for code in part),
            n=int((place == number).sum()),
            incorrect=int(wrong[place == number].sum()) if outcome_published else None,
        )
        for number, part in enumerate(parts)
    )


def _explained(audit: Audit, ages: str) -> tuple[Mapping[str, object], ...]:
    """Rows of apparent skin tone alone, of groups whose errors are of enough people."""
    faces = audit.passing(Filter.of_ages(audit.faces, ages))
    column = tuple(candidate for candidate in audit.columns if candidate.name == SKIN_TONE)
    try:
        table = explain(faces.assign(age=pd.array([pd.NA] * len(faces), dtype="Int16")), column).table
    except LookwhereError:
        return ()
    rows = table.replace({np.nan: None}).to_dict("records")
    return tuple({key: _plain(value) for key, value in row.items()} for row in rows)


def _plain(value: object) -> object:
    value = value.item() if isinstance(value, np.generic) else value
    return round(value, 6) if isinstance(value, float) else value


def total(counts: GroupCounts) -> PartCount:
    """All told parts of a group together."""
    wrong = [part.incorrect for part in counts.parts]
    levels = tuple(level for part in counts.parts for level in part.levels)
    incorrect = None if None in wrong else sum(count or 0 for count in wrong)
    return PartCount(levels=levels, n=sum(part.n for part in counts.parts), incorrect=incorrect)
