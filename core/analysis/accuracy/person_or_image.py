"""What goes with each group's gap, of the person and of the image: all that an audit and what lies beside it tell."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import ndtri

from core.analysis.accuracy.counts import columns_of, group_rows
from core.analysis.accuracy.explained import LEVEL, TOGETHER, Explained, explain
from core.analysis.accuracy.skin_tone import ADULTS, UNKNOWN, WITHIN, SkinTone, read_skin_tone
from core.analysis.intervals import Z95
from core.audit.folder import Audit
from core.data.columns import Column
from core.data.faces import ADULT_AGE
from core.data.filters import Filter, group_name
from core.data.measured import IN_GROUP, thirds_within
from core.data.measures import BY_NAME, SKIN_TONE

#: What «all measures together» are where apparent skin tone is not known by face.
BUT_SKIN_TONE = "all measures but skin tone together"
#: Columns of `PersonOrImage.thirds`.
THIRDS = ["factor", "words", "group", "level", "n", "incorrect"]


@dataclass(frozen=True)
class PersonOrImage:
    """`explained` for each measure and age; `thirds`: a measure, group and third of that group a row (factor, words,
    group, level, n, incorrect, NaN where that is not told). `skin_tone` says where apparent skin tone is from: «faces»
    (the aligned store), «counts» (beside the audit), or empty where it is not known for these faces. `has_ages`:
    whether any age of the audit is known; what is told beside it is of adults then, and of all faces without.
    """

    explained: Explained
    thirds: pd.DataFrame
    skin_tone: str
    has_ages: bool = True

    def of(self, group: str) -> pd.DataFrame:
        """The rows of `explained` of a group."""
        return self.explained.table[self.explained.table["group"] == group]


def person_or_image(audit: Audit, filter: Filter) -> PersonOrImage:
    """The faces of a filter, whatever their outcome. Raises `LookwhereError` as `explain` does."""
    filter = filter.narrowed(outcome="all")
    faces = audit.passing(filter).reset_index(drop=True)
    has_ages = bool(audit.faces["age"].notna().any())
    explained, thirds = explain(faces, audit.columns), _thirds(faces, audit.columns, audit.minimum_faces)
    if any(column.name == SKIN_TONE for column in audit.columns):
        return PersonOrImage(explained, thirds, "faces", has_ages)
    beside = read_skin_tone(audit)
    if beside is None:
        return PersonOrImage(explained, thirds, "", has_ages)
    published_thirds = _told_thirds(beside, filter, has_ages)
    ages = {Filter(age_from=ADULT_AGE): "adults", Filter(): "all"}.get(filter)
    rows = pd.DataFrame([dict(row) for row in beside.explained.get(ages or "", ())])
    if rows.empty:
        source = "counts" if len(published_thirds) else ""
        return PersonOrImage(explained, pd.concat([published_thirds, thirds], ignore_index=True), source, has_ages)
    numbers = rows.columns.difference(["factor", "words", "group", "measured", "sure"])
    rows[numbers] = rows[numbers].astype(float)
    rows = rows.reindex(columns=explained.table.columns)
    table = _sure(pd.concat([rows.astype({"n": int}), explained.table], ignore_index=True))
    table[0].loc[table[0]["factor"] == TOGETHER, "words"] = BUT_SKIN_TONE  # which is not known by face
    explained = replace(explained, table=table[0], critical=table[1], factors=(SKIN_TONE, *explained.factors))
    return PersonOrImage(explained, pd.concat([published_thirds, thirds], ignore_index=True), "counts", has_ages)


def _sure(table: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """The table with `sure` of all its rows at once, and the z of that."""
    z = float(-ndtri((1 - LEVEL ** (1 / len(table))) / 2))
    error = (table["high"] - table["low"]) / (2 * Z95)
    return table.assign(sure=(table["explained"].abs() > z * error) & (error > 0)), z


def _thirds(faces: pd.DataFrame, columns: tuple[Column, ...], minimum: int) -> pd.DataFrame:
    """Faces and errors by group and third of the group among these faces, of each measure that makes thirds."""
    code, names = group_rows(faces, columns_of(faces))
    words, wrong, rows = list(names["group"]), ~faces["correct"].to_numpy(dtype=bool), []
    for column in columns:
        has_thirds = f"{column.name}{IN_GROUP}" in faces
        if not has_thirds or column.value_name is None:
            continue
        level = thirds_within(faces[column.value_name].to_numpy(dtype=np.float64), code, minimum).astype(np.int64)
        measured, levels = level >= 0, BY_NAME[column.name].levels
        place = code[measured] * len(levels) + level[measured]
        n = np.bincount(place, minlength=len(words) * len(levels))
        k = np.bincount(place, weights=wrong[measured], minlength=len(n))
        for cell in np.flatnonzero(n):
            group, third = divmod(int(cell), len(levels))
            rows.append((column.name, BY_NAME[column.name].words, words[group], levels[third], int(n[cell]), k[cell]))
    return pd.DataFrame(rows, columns=THIRDS)


def _told_thirds(beside: SkinTone, filter: Filter, has_ages: bool) -> pd.DataFrame:
    """Thirds of adults within their group, or of all faces where no age is known, as they are told beside the audit;
    none where other faces are looked at."""
    counted, ages = (Filter(age_from=ADULT_AGE), ADULTS) if has_ages else (Filter(), UNKNOWN)
    if filter.narrowed(gender=(), ethnicity=()) != counted:
        return pd.DataFrame(columns=THIRDS)
    rows = [
        (SKIN_TONE, BY_NAME[SKIN_TONE].words, group_name(group.gender, group.ethnicity), " and ".join(part.levels),
         part.n, np.nan if part.incorrect is None else float(part.incorrect))
        for group in beside.counts
        if group.thirds == WITHIN and group.ages == ages
        and (not filter.gender or group.gender in filter.gender)
        and (not filter.ethnicity or group.ethnicity in filter.ethnicity)
        for part in group.parts
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=THIRDS)


def main_part(parts: PersonOrImage) -> pd.Series | None:
    """The measure of the image and group whose part is largest among those surely other than none; None of none."""
    table = parts.explained.table
    sure = table[table["sure"] & table["measured"] & (table["factor"] != TOGETHER)]
    return None if sure.empty else sure.loc[sure["explained"].abs().idxmax()]
