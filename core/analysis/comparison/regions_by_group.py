"""Evidence by region of every group of any columns: a table beside the two groups that a page compares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.analysis.accuracy.counts import group_rows
from core.audit.drawn import drawn
from core.audit.folder import Audit, head_bias, margin_evidence, margins
from core.data.filters import Filter
from core.data.splits import person_numbers
from core.explain.maps import target_maps
from core.explain.regions import REGIONS, by_region
from core.privacy import enough_people


def regions_by_group(audit: Audit, filter: Filter, by: Sequence[str]) -> pd.DataFrame:
    """A row a group that occurs among the faces inside a filter, crossed by up to three columns: group, n, then a
    column a region, and of additive maps `bias` and `margin`.

    Of maps that add up to the logits a region's value is its mean contribution to the margin, and all of a row's but
    the margin sum to that; of others it is its mean share of each face's positive evidence for the predicted class.
    NaN where a group is under the audit's least number of people, and where the faces that are in no group with a
    value are: what all faces have less what is shown would be theirs. Raises `LookwhereError` where there are no maps.
    """
    audit.need_maps()
    whole, audit = audit, drawn(audit, filter)
    mask = filter.mask(audit.faces)
    faces = audit.faces[mask]
    member, names = group_rows(faces, list(by), audit.columns)
    if audit.additive:
        values = np.column_stack([margin_evidence(audit)[mask], margins(audit)[mask]])
    else:
        evidence, called = audit.evidence[mask].astype(np.float64), audit.called[mask]
        positive = by_region(np.maximum(target_maps(evidence, "predicted", audit.truth[mask], called, audit.task), 0),
                             audit.placement)  # fmt: skip
        with np.errstate(invalid="ignore", divide="ignore"):
            values = positive / positive.sum(axis=1, keepdims=True)
    person = person_numbers(audit.faces)[mask]
    enough = np.array([enough_people(person[member == row], audit.minimum_faces) for row in range(len(names))])
    rest = ~enough[member] if len(names) else np.zeros(0, dtype=bool)
    if rest.any() and not enough_people(person[rest], audit.minimum_faces) and enough.any():
        # The smallest group that could be shown hides with them, so that they are not what is left of all.
        sizes = np.where(enough, np.bincount(member, minlength=len(names)), np.iinfo(np.int64).max)
        enough[int(sizes.argmin())] = False
    rows = []
    for place, name in enumerate(names["group"]):
        inside = member == place
        mean = np.full(values.shape[1], np.nan)
        if enough[place]:
            complete = values[inside][~np.isnan(values[inside]).any(axis=1)]
            mean = complete.mean(axis=0) if len(complete) else mean
        rows.append((name, int(inside.sum()), *mean))
    if whole is not audit:  # means are of faces drawn, counts are of all
        member_of_all, all_names = group_rows(whole.passing(filter), list(by), whole.columns)
        sizes = dict(zip(all_names["group"], np.bincount(member_of_all, minlength=len(all_names)), strict=True))
        rows = [(name, int(sizes[name]), *rest) for name, _, *rest in rows]
    more = ("margin",) if audit.additive else ()
    table = pd.DataFrame(rows, columns=["group", "n", *REGIONS, *more])
    if audit.additive:
        table.insert(len(table.columns) - 1, "bias", np.where(table["margin"].notna(), head_bias(audit), np.nan))
    return table
