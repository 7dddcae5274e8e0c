"""Who gets no answer from the models of a board, where each abstains on what it is least sure of."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.analysis.accuracy.abstention import ABSTAINED, certainty, cutoff_for
from core.analysis.comparison.board import LEVEL, BoardModel
from core.analysis.intervals import clopper_pearson
from core.data.filters import Filter

NAMES = [
    "model", "n", "answered", "accuracy_of_all", "accuracy", "least", "least_share", "least_low", "least_high",
    "most", "most_share", "most_low", "most_high", "told_apart",
]  # fmt: skip


def answers(models: list[BoardModel], data: str, filter: Filter) -> pd.DataFrame:
    """A row a model that abstains on the tenth of the faces it is least sure of: `n`, the share `answered`,
    `accuracy_of_all` and `accuracy` of the answered, the groups that are surely answered `least` and `most` with their
    shares and intervals, and whether they are `told_apart`.

    Intervals hold for all groups of a model at once (95 %): Clopper & Pearson's exact ones at Šidák's level. `least`
    has the lowest upper bound, `most` the highest lower one. Models that are equally sure of every face have no row.
    """
    rows = []
    for model in models:
        if data not in model.audits:
            continue
        faces = model.audits[data].passing(filter)
        sure = certainty(faces)
        answered = sure >= cutoff_for(sure, ABSTAINED)
        if answered.all():
            continue
        groups = (
            faces.assign(kept=answered).groupby(["gender", "ethnicity"], observed=True)["kept"].agg(["size", "sum"])
        )
        low, high = clopper_pearson(
            groups["sum"].to_numpy(dtype=float), groups["size"].to_numpy(dtype=float), LEVEL ** (1 / len(groups))
        )
        share = (groups["sum"] / groups["size"]).to_numpy()
        least, most = int(np.argmin(high)), int(np.argmax(low))
        correct = faces["correct"].to_numpy(dtype=bool)
        ends = [
            (" ".join(groups.index[place]), share[place], low[place], high[place]) for place in (least, most)
        ]  # fmt: skip
        rows.append(
            (model.title, len(faces), answered.mean(), correct.mean(), correct[answered].mean(), *ends[0], *ends[1],
             bool(high[least] < low[most]))
        )  # fmt: skip
    return pd.DataFrame(rows, columns=NAMES)
