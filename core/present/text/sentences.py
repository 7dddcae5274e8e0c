"""The one computed sentence at the top of each page, in words and numbers with their interval."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.analysis.accuracy.by_group import accuracy_by
from core.analysis.accuracy.extremes import Extremes, extremes
from core.analysis.intervals import wilson
from core.analysis.maps.group_means import Group
from core.audit.folder import Audit
from core.audit.notes import note_words
from core.data.faces import UNRECORDED, counts_of, gender_known, gender_missing
from core.data.filters import Filter, group_name
from core.explain.placement import Placement
from core.explain.regions import cell_words
from core.privacy import MINIMUM_FACES
from core.task import GENDER, Task
from core.wording import points, with_interval

#: What stands by every result that is not of the declared primary analysis.
EXPLORATORY = "(Exploratory.)"
#: Stands behind the title of groups by other columns than the declared ones.
NOT_DECLARED = "(exploratory: the declared analysis is of gender × ethnicity)"
EXPLORATORY_WHY = (
    "Exploratory: the declared analysis is of all adults, at equal ages, by gender × ethnicity. Other choices were not "
    "corrected for having been looked through."
)

NO_GENDER = "This data set records no gender: no group is made by it."
NO_ETHNICITY = "This data set records no ethnicity: no group is made by it."
NO_AGE = "This data set records no ages: nothing can be said by age, and children cannot be left out."


def some_gender_words(faces: pd.DataFrame) -> str | None:
    """Where the gender of some faces is recorded and that of others is not, a sentence that counts these; else None."""
    missing, n = gender_missing(faces), int(counts_of(faces).sum())
    if not 0 < missing < n:
        return None
    are = "face has" if missing == 1 else "faces have"
    they = "it stands apart and is" if missing == 1 else "they stand apart and are"
    return f"{missing:,} of the {n:,} {are} no gender recorded: where groups are by gender {they} compared with none."


def no_groups_words(faces: pd.DataFrame) -> str:
    """Why neither gender nor ethnicity nor age makes two groups of these faces, in words."""
    if gender_known(faces):
        return "One gender, no ethnicity and no ages: there are no groups to compare."
    return "No gender is recorded, and neither ethnicity nor age makes two groups: groups are of other columns alone."


def pair_names(table: pd.DataFrame, ethnicity: tuple[str, ...] = ()) -> list[str]:
    """The groups of rows by gender and ethnicity, of all ethnicities or of `ethnicity` where a row has none.

    Where no row has a recorded one, that is not said of each.
    """
    recorded = bool(set(table["ethnicity"]) - {"", UNRECORDED})
    return [
        group_name(gender, (own if recorded else "") or ethnicity)
        for gender, own in zip(table["gender"], table["ethnicity"], strict=True)
    ]


def error_rate(row: pd.Series) -> str:
    """A table row's error rate with its Wilson interval."""
    low, high = wilson(row["errors"], row["n"])
    return with_interval(row["errors"] / row["n"], float(low), float(high))


def pair_rate(right: int, wrong: int) -> str:
    """«93.9 % [91.1–95.9] of 381 right»."""
    low, high = wilson(right, right + wrong)
    return f"{with_interval(right / (right + wrong), float(low), float(high))} of {right + wrong:,} correct"


def row_name(row: pd.Series) -> str:
    """The group of an `accuracy_by` row in words."""
    return group_name(row.get("gender", ()), row.get("ethnicity", ()))


def scope(filter: Filter, begins: bool = True) -> str:
    """«Among adults», «Among women, under 18», «Among adults with glasses: yes», «Over all ages»; in lower case where
    it does not begin a sentence."""
    if filter == Filter():
        return "Over all ages" if begins else "over all ages"
    adults = filter.narrowed(columns=()).primary
    who = filter.of_levels("adults") if adults else filter.describe()
    return f"{'Among' if begins else 'among'} {who}"


def accuracy_sentence(faces: pd.DataFrame, filter: Filter, threshold: float = 0.5, pair: Extremes | None = None) -> str:
    """How far the surely worst group lies below the surely best, in points, at equal ages where ages are known.

    Of gender × ethnicity in groups of any size (`extremes`; `pair` where it was computed already), with an interval
    that holds for all pairs at once, and how many groups may be as low. Of adults and the threshold of one half this is
    the declared primary analysis; else the sentence says «exploratory».
    """
    if not len(faces):
        return "No face passes this filter."
    pair = pair or extremes(faces, threshold)
    if pair is None:
        overall = accuracy_by(faces, [], threshold).iloc[0]
        rate = with_interval(overall["accuracy"], overall["low"], overall["high"])
        n = f"{counts_of(faces).sum():,}"
        return f"{scope(filter)}, {rate} of {n} predictions are correct; there are no two groups to compare."
    text = f"{scope(filter)}, {'at equal ages, ' if pair.at_equal_ages else ''}"
    if not pair.told_apart:
        text += "no two groups are told apart beyond chance: "
    text += f"accuracy for {pair.worst['group']} lies {points(pair.difference)} below that for {pair.best['group']}"
    if not pair.told_apart:
        text += f", the surest of {pair.pairs} pairs." if pair.pairs > 1 else "."
    else:
        text += f"; {as_low_words(pair)}." if pair.groups > 2 else "."
    return text if filter.primary and threshold == 0.5 else f"{text} {EXPLORATORY}"


def as_low_words(pair: Extremes) -> str:
    """«5 of the other 8 groups may be as low»."""
    if not pair.as_low:
        return f"none of the other {pair.groups - 2} groups is as low" if pair.groups > 3 else "the third is not as low"
    return f"{len(pair.as_low)} of the other {pair.groups - 2} groups may be as low"


def heatmap_sentence(groups: list[Group], target: str, kind: str = "Grad-CAM", task: Task = GENDER) -> str:
    """Where the first two groups' mean maps are centred, and how alike they are (Pearson r over the cells)."""
    averages = [g for g in groups if g.map is not None]
    if not averages:
        minimum = max((g.minimum for g in groups), default=MINIMUM_FACES)
        why = "a single face could be seen through it"
        return f"None of the chosen groups has {minimum} faces, so no average is shown: {why}."
    parts = [f"{g.name} ({g.n:,} faces) on the {hottest_place(g.map, g.placement)}" for g in averages[:2]]
    text = f"The {target_words(target, kind, task)} is centred for " + ", for ".join(parts)
    if len(averages) >= 2:
        a, b = averages[0].map.ravel(), averages[1].map.ravel()
        alike = np.corrcoef(a, b)[0, 1] if a.std() > 0 and b.std() > 0 else np.nan
        strength = averages[0].map.sum() / averages[1].map.sum() if averages[1].map.sum() else np.nan
        if np.isfinite(alike):
            text += f"; the two maps correlate at r = {f'{alike:.2f}'.replace('-', '−')} over their cells"
        if target != "margin" and np.isfinite(strength):
            text += f", and the first is {strength:.2f} × as strong"
    return text + "."


def target_words(target: str, kind: str = "Grad-CAM", task: Task = GENDER) -> str:
    """A target as the pages name it; `kind` is what the audit's maps are called (`Audit.map_words`)."""
    first, second = task.labels
    return {
        "true": f"average {kind} for the labelled {task.kind}",
        "predicted": f"average {kind} for the predicted {task.kind}",
        "margin": f"average margin map ({first} less {second} evidence)",
        **{name: f"average {kind} for «{task.label(name)}»" for name in task.classes},
    }[target]


def hottest_place(mean: np.ndarray, placement: Placement | None = None) -> str:
    """Words for the strongest cell of an average map (h, w): the face's region that holds most of it.

    Without left and right, which are not interpreted of averages.
    """
    row, column = np.unravel_index(np.abs(mean).argmax(), mean.shape)
    return cell_words(mean.shape, int(row), int(column), placement, sides=False)


#: What a person does where cells are too small.
LARGER_CELLS = "Fewer columns in --cells leave larger cells."


def cells_words(audit: Audit) -> str:
    """Of how many faces there is an average, where averages tell the audit's own columns apart too."""
    held = int(audit.averages.cells["n"].sum()) if len(audit.averages.cells) else 0
    return (
        f"Average faces tell {' × '.join(audit.manifest.cells)} apart too: {held:,} of {audit.manifest.faces:,} faces "
        f"are in one, as cells of under {audit.minimum_faces} people take part in none. {LARGER_CELLS}"
    )


def no_average_words(audit: Audit) -> str:
    """Why an audit has no average face at all."""
    if (why := audit.manifest.averages) is not None:
        return f"No average face is stored: {note_words(why)}."
    if audit.manifest.cells:
        return f"No average face is stored. {cells_words(audit)}"
    return f"No average face is stored: no group has {audit.minimum_faces} faces."
