"""The report's accuracies: overall, by gender, ethnicity, both and age."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.analysis.accuracy.by_group import accuracy_by
from core.analysis.accuracy.groupings import accuracy_of_groups, grouping_words
from core.data.columns import Column
from core.data.faces import ethnicity_known, gender_known, genders_in
from core.data.filters import Filter
from core.present.card import Section, Table, Text, section
from core.present.figures.charts import accuracy_dots
from core.present.report.blocks import Chart, interval_words
from core.present.report.group_statistics import statistic_blocks
from core.present.text.sentences import (
    EXPLORATORY_WHY,
    NO_AGE,
    NO_ETHNICITY,
    NO_GENDER,
    accuracy_sentence,
    row_name,
    some_gender_words,
)
from core.privacy import MINIMUM_FACES
from core.wording import capital, percent

#: Rows of a table or chart; a data set may name hundreds of ethnicities.
ROWS = 80
COLUMNS = ("group", "faces", "correct", "incorrect", "accuracy", "95 % interval")


def one_gender(faces: pd.DataFrame) -> str | None:
    """What to say where only one gender is labelled, or none, or some faces have none."""
    if not gender_known(faces):
        return NO_GENDER
    sentences = [] if len(genders_in(faces)) > 1 else ["All faces here have one labelled gender: there is no other."]
    if (missing := some_gender_words(faces)) is not None:
        sentences.append(missing)
    return " ".join(sentences) or None


def accuracy_section(
    faces: pd.DataFrame,
    filter: Filter,
    minimum: int = MINIMUM_FACES,
    by: Sequence[str] = (),
    columns: Sequence[Column] = (),
) -> Section:
    """Overall, by gender, ethnicity, both and age, each a table; both and age also drawn; none of under `minimum`.

    The declared comparison comes first, and before other tables that of the groups by `by`, columns of the audit.
    """
    overall = accuracy_by(faces, []).iloc[0]
    blocks: list = [Text(accuracy_sentence(faces, filter))]
    blocks += [] if filter.primary else [Text(EXPLORATORY_WHY)]
    blocks.append(_table([("All faces", overall)], "Overall", minimum))
    if by:
        table = accuracy_of_groups(faces, list(by), columns)
        title = f"By {grouping_words(by, columns)}"
        blocks.append(_table([(capital(row["group"]), row) for _, row in table.iterrows()], title, minimum))
    if note := one_gender(faces):
        blocks.append(Text(note))
    if gender_known(faces):
        blocks.append(_by(faces, ["gender"], "By gender", minimum))
    if not ethnicity_known(faces):
        blocks.append(Text(NO_ETHNICITY))
    elif not gender_known(faces):
        table = accuracy_by(faces, ["ethnicity"])
        names = [capital(row_name(row)) for _, row in table.iterrows()]
        blocks += [_by(faces, ["ethnicity"], "By ethnicity", minimum)]
        blocks.append(_chart(table, names, overall, "ethnicity", minimum))
    else:
        crossed = accuracy_by(faces, ["gender", "ethnicity"])
        blocks += [
            _by(faces, ["ethnicity"], "By ethnicity", minimum),
            _by(faces, ["gender", "ethnicity"], "By gender × ethnicity", minimum),
        ]
        names = [capital(row_name(row)) for _, row in crossed.iterrows()]
        blocks.append(_chart(crossed, names, overall, "gender × ethnicity", minimum))
    if not faces["age"].notna().any():
        return section("accuracy", "Accuracy by group", [*blocks, Text(NO_AGE), *statistic_blocks(faces, filter)])
    banded = accuracy_by(faces, ["age band"])
    rows = [(_band(row), row) for _, row in banded.iterrows()]
    blocks += [_table(rows, "By age", minimum), _chart(banded, [name for name, _ in rows], overall, "age", minimum)]
    return section("accuracy", "Accuracy by group", [*blocks, *statistic_blocks(faces, filter)])


def _band(row: pd.Series) -> str:
    return "Age unknown" if row["age band"] == "unknown" else f"{row['age band']} years"


def _by(faces: pd.DataFrame, by: list[str], title: str, minimum: int) -> Table:
    return _table([(capital(row_name(row)), row) for _, row in accuracy_by(faces, by).iterrows()], title, minimum)


def _table(rows: Sequence[tuple[str, pd.Series]], title: str, minimum: int) -> Table:
    cells = []
    for name, row in rows[:ROWS]:
        if row["n"] < minimum:
            cells.append((name, f"{row['n']:,}", "–", "–", f"too few (under {minimum})", "–"))
            continue
        numbers = (f"{int(row[key]):,}" for key in ("n", "correct", "errors"))
        cells.append((name, *numbers, percent(row["accuracy"]), interval_words(row["low"], row["high"])))
    more = f"; the first {ROWS} of {len(rows)} groups" if len(rows) > ROWS else ""
    return Table(COLUMNS, tuple(cells), "lrrrrr", f"{title}, Wilson intervals{more}")


def _chart(table: pd.DataFrame, names: Sequence[str], overall: pd.Series, by: str, minimum: int) -> Chart | None:
    enough = (table["n"] >= minimum).to_numpy()
    rows = table[enough].head(ROWS)
    if not len(rows):
        return None
    labels = [name for name, keep in zip(names, enough, strict=True) if keep][: len(rows)]
    note = "Dots are accuracies, lines Wilson 95 % intervals; the dotted line is the accuracy over all faces shown."
    genders = list(rows["gender"]) if "gender" in rows else None
    return Chart.from_chart(accuracy_dots(rows, labels, genders, float(overall["accuracy"]), f"Accuracy by {by}", note))
