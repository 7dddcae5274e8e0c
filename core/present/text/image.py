"""The person or the image, and slices that hold, in words: shared by the page and the commands."""

from __future__ import annotations

import pandas as pd

from core.analysis.accuracy.explained import TOGETHER
from core.analysis.accuracy.person_or_image import PersonOrImage, main_part
from core.analysis.accuracy.slices import Slices
from core.audit.folder import Audit
from core.data.filters import Filter
from core.data.measures import BY_NAME, SKIN_TONE
from core.present.text.sentences import scope
from core.wording import capital, in_points, number, p_words, percent, points_words, signed_points

CAUTION = (
    "To explain is not to cause: a measure may go with errors because both go with something else. Apparent skin tone "
    "is of the person and of the image: light, camera and exposure make it as the face does."
)
HOW = (
    "The gap is a group's accuracy less that of all other faces. «Goes with it» is the part that the group owes to "
    "having other values of the measure than all faces have, by a logistic regression within groups whose slopes "
    "differ by true class; «left» is the rest. Intervals are 95 %, each by itself."
)
#: Where apparent skin tone is from.
TOLD = {
    "faces": "Apparent skin tone is read from the aligned store here; what is published has none by face.",
    "counts": (
        "Apparent skin tone is told as counts by group alone, never by face: of all adults, and in the parts of a gap "
        "of all ages too. For other faces the command «image» takes the aligned store."
    ),
}
#: The same of counts where no age is recorded.
TOLD_OF_ALL = (
    "Apparent skin tone is told as counts by group alone, never by face: of all faces, as no ages are recorded. For a "
    "part of them the command «image» takes the aligned store."
)
#: The column of p of «within groups the measure makes no difference».
WITHIN = "p within groups"
OVERLAP = (
    "Slices overlap: one may hold because it shares faces with another. None is proof of a cause, and what did not "
    "hold is not thereby alike."
)


def image_sentence(decomposition: PersonOrImage, filter: Filter) -> str:
    """The page's headline: the largest part that is surely there, and what is left of that gap."""
    row, rows = main_part(decomposition), len(decomposition.explained.table)
    if row is None:
        return (
            f"{scope(filter)}, no measure of the image goes with more of any group's gap than chance may give over the "
            f"{rows} parts looked at."
        )
    return (
        f"{scope(filter)}, {row['words']} goes with {points_words(row['explained'], row['low'], row['high'])} of the "
        f"gap of {row['group']} to all others ({signed_points(row['gap'])}); "
        f"{points_words(row['left'], row['left_low'], row['left_high'])} are left."
    )


def skin_tone_words(decomposition: PersonOrImage) -> str:
    """Where apparent skin tone is from, or that it is not there; `measure_command` counts it then."""
    if decomposition.skin_tone == "counts" and not decomposition.has_ages:
        return TOLD_OF_ALL
    whose = "adults" if decomposition.has_ages else "faces"
    return TOLD.get(
        decomposition.skin_tone, f"Apparent skin tone is not known for these faces. This counts it, for all {whose}:"
    )


def measure_command(audit: Audit) -> str:
    """The command that lays the measures beside an audit."""
    return f"python -m core measure --data STORE --model {audit.path.parent.parent.name} --audit {audit.path.name}"


def thirds_words(row: dict) -> str:
    """«17 of 117 (14.5 %)»; «117 faces» where errors are not told."""
    if pd.isna(row["incorrect"]):
        return f"{row['n']:,} faces"
    return f"{int(row['incorrect']):,} of {row['n']:,} ({percent(row['incorrect'] / row['n'])})"


def thirds_table(decomposition: PersonOrImage, factor: str) -> pd.DataFrame:
    """A group a row, its thirds in columns: how many were misclassified of how many."""
    part = decomposition.thirds[decomposition.thirds["factor"] == factor]
    if part.empty:
        return pd.DataFrame()
    part = part.assign(told=[thirds_words(row) for row in part.to_dict("records")])
    wide = part.set_index(["group", "level"])["told"].unstack()  # noqa: PD010 - each is there once
    levels = [level for level in BY_NAME[factor].levels if level in wide]
    rest = [level for level in wide if level not in levels]
    wide = wide[[*levels, *rest]].reindex(part["group"].drop_duplicates()).fillna("–").reset_index()
    return wide.assign(group=[capital(name) for name in wide["group"]]).rename_axis(columns=None)


def parts_table(decomposition: PersonOrImage) -> pd.DataFrame:
    """A factor a row, a group a column: the part of each group's gap in points, with * where it is surely there."""
    table = decomposition.explained.table
    cells = [
        "–" if pd.isna(row["explained"]) else signed_points(row["explained"]) + (" *" if row["sure"] else "")
        for row in table.to_dict("records")
    ]
    wide = table.assign(told=cells).set_index(["words", "group"])["told"].unstack()  # noqa: PD010 - each is there once
    wide = wide.loc[list(table["words"].drop_duplicates()), list(decomposition.explained.groups)].reset_index()
    corrected = decomposition.explained.terms.set_index("words")["p_holm"]
    wide.insert(
        1, WITHIN, ["–" if pd.isna(corrected[w]) else p_words(corrected[w], with_name=False) for w in wide["words"]]
    )
    return wide.rename(columns={"words": "goes with"}).rename_axis(columns=None)


def image_report(audit: Audit, filter: Filter, decomposition: PersonOrImage) -> str:
    """All of it as plain text."""
    lines = [image_sentence(decomposition, filter), CAUTION, skin_tone_words(decomposition)]
    if decomposition.skin_tone not in TOLD:
        lines.append(f"  {measure_command(audit)}")
    for group in decomposition.explained.groups:
        rows = decomposition.of(group).to_dict("records")
        lines += ["", f"{capital(group)}: gap {_interval(rows[-1], 'gap', 'gap_low', 'gap_high')}"]
        for row in rows:
            if pd.isna(row["explained"]):
                lines.append(f"  {row['words']:52}cannot be told from the groups")
                continue
            part, remainder = (
                _interval(row, "explained", "low", "high"),
                _interval(row, "left", "left_low", "left_high"),
            )
            lines.append(f"  {row['words']:52}{part:32}left {remainder}{'  *' if row['sure'] else ''}")
    lines += ["", "Within groups, p of no difference (Holm's correction over the measures)"]
    for row in decomposition.explained.terms.dropna(subset="p").to_dict("records"):
        lines.append(f"  {row['words']:52}{p_words(row['p_holm'])}")
    lines += ["", f"* surely other than none: over all {len(decomposition.explained.table)} parts at once", HOW]
    if decomposition.explained.left_out:
        lines.append(f"Left out, under 50 faces: {', '.join(decomposition.explained.left_out)}.")
    for factor in decomposition.thirds["factor"].drop_duplicates():
        table = thirds_table(decomposition, factor)
        lines += ["", f"Misclassified, by thirds of the group of {BY_NAME[factor].words}", table.to_string(index=False)]
    return "\n".join(lines)


def _interval(row: dict, value: str, low: str, high: str) -> str:
    return points_words(row[value], row[low], row[high])


def slices_sentence(slices: Slices, filter: Filter) -> str:
    """What was found: the surest slice, or nothing."""
    if not slices.searched:
        return f"{scope(filter)}, no slice has 30 faces in either half, so none was searched."
    survivors = slices.held
    where = f"over all {slices.searched:,} slices searched"
    if survivors.empty:
        return (
            f"{scope(filter)}, nothing was found: of {slices.searched:,} slices searched on one half of the faces, "
            f"{len(slices.taken)} were tested on the other and none is surely less accurate than all other faces."
        )
    row, more = survivors.iloc[0], len(survivors) - 1
    also = f" {more} more {'slice holds' if more == 1 else 'slices hold'}." if more else ""
    return (
        f"{scope(filter)}, the slice «{row['slice']}» is less often right than all other faces: "
        f"{percent(row['accuracy'])} of {row['n']:,} against {percent(row['others'])}, at least "
        f"{in_points(row['low'])} points less {where}.{also}"
    )


def slices_table(slices: Slices, holds: bool = True) -> pd.DataFrame:
    """The slices that hold, or those that were tested and do not, in words and figures."""
    rows = slices.taken[slices.taken["holds"].to_numpy(dtype=bool) == holds]
    return pd.DataFrame(
        {
            "slice": [capital(name) for name in rows["slice"]],
            "n": rows["n"].astype(int),
            "incorrect": rows["incorrect"].astype(int),
            "accuracy": rows["accuracy"].astype(float),
            "others": rows["others"].astype(float),
            "points less": (100 * rows["less"].astype(float)).round(1),
            "at least": (100 * rows["low"].astype(float)).round(1),
            "p": [p_words(float(p), with_name=False) for p in rows["p"]],
        }
    )


def slices_report(slices: Slices, filter: Filter) -> str:
    """The search as plain text."""
    by = "people" if slices.by_person else "faces"
    lines = [
        slices_sentence(slices, filter),
        f"  {slices.first:,} faces searched and {slices.second:,} tested, split by {by}; crossed: "
        f"{', '.join(slices.columns)}",
    ]
    for holds, title in ((True, "Hold on the other half"), (False, "Tested, and do not hold")):
        table = slices_table(slices, holds)
        if len(table):
            signs = dict.fromkeys(("points less", "at least"), lambda value: number(value, ".1f"))
            lines += ["", title, table.round(3).to_string(index=False, formatters=signs)]
    return "\n".join([*lines, "", OVERLAP])


def has_skin_tone(decomposition: PersonOrImage) -> bool:
    """Whether a part of a gap is told of apparent skin tone."""
    return SKIN_TONE in set(decomposition.explained.table["factor"])


def untold_words(decomposition: PersonOrImage) -> str:
    """What has no part of any gap, and why; empty where all have one."""
    table = decomposition.explained.table
    untold = table.groupby("words", sort=False)["explained"].apply(lambda parts: bool(parts.isna().all()))
    names = [name for name, none in untold.items() if none]
    if not names:
        return ""
    return f" {' and '.join(names)}: cannot be told from the groups, which have too few faces of each level."


def together_words(decomposition: PersonOrImage, group: str) -> str:
    """What all measures go with at once, of a group; empty where it is not told."""
    rows = decomposition.of(group)
    row = rows[rows["factor"] == TOGETHER]
    if row.empty or pd.isna(row["explained"].iloc[0]):
        return ""
    part = row.iloc[0]
    return f"{capital(part['words'])} go with {points_words(part['explained'], part['low'], part['high'])} of it."
