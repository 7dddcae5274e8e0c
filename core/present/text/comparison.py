"""Models on the same faces, in words: the sentence of a pair, its table as text, and many models on many audits."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.analysis.accuracy.groupings import grouping_words
from core.analysis.comparison.paired import FAMILY_WISE, named
from core.audit.catalogue import CommonFaces
from core.audit.folder import Audit
from core.data.filters import Filter
from core.present.text.sentences import NOT_DECLARED, scope
from core.wording import (
    NONE,
    capital,
    in_points,
    number,
    percent,
    points_words,
    signed_bounds,
    signed_points,
    span,
    with_interval,
)

LETTERS = "ABCD"


def pair_sentence(first: str, second: str, table: pd.DataFrame, filter: Filter) -> str:
    """How a model differs from the first, over all faces and for whom most; `table` is `paired_by_group`'s."""
    whole, groups = table.iloc[0], table.iloc[1:]
    text = f"{scope(filter)}, {second} differs from {first} by {_row(whole)} in accuracy"
    sure = groups[groups["p_holm"] <= FAMILY_WISE]
    if not len(groups):
        return f"{text}."
    if not len(sure):
        return f"{text}; no single group differs by more than chance could do (McNemar with Holm's correction)."
    most = sure.loc[sure["difference"].abs().idxmax()]
    name, further = named(most.gender, most.ethnicity), len(sure) - 1
    more = (
        f", and {further} more group{'s' if further > 1 else ''} beyond chance" if further else ", alone beyond chance"
    )
    return f"{text}; most changed are {name}, {_row(most)}{more}."


def plain_sentence(first: str, second: str, table: pd.DataFrame) -> str:
    """The same for who reads no statistics: of how many faces which model alone is right."""
    row = table.iloc[0]
    text = (
        f"Of the same {row['n']:,} faces {first} is right for {percent(row['accuracy_a'])} and {second} for "
        f"{percent(row['accuracy_b'])}: {row['only_b']:,} faces are right only with {second}, {row['only_a']:,} only "
        f"with {first}."
    )
    if row["p"] > FAMILY_WISE:
        return f"{text} So small a difference can be chance."
    better = second if row["difference"] > 0 else first
    return f"{text} That is more than chance would do, so on these faces {better} is the better one over all."


def _row(row: pd.Series) -> str:
    return points_words(row["difference"], row["low"], row["high"])


def common_words(common: CommonFaces) -> str:
    """On how many faces the audits are compared, and how many of each are left out."""
    text = f"Compared on the {common.count:,} faces that all of them have"
    if not any(common.left_out):
        return f"{text}; none is left out."
    counts = ", ".join(f"{n:,} of {letter}" for letter, n in zip(LETTERS, common.left_out, strict=False))
    return f"{text}; left out are {counts}."


def audit_label(audit: Audit) -> str:
    """«resnet50-utkface/utkface-test», as commands name it."""
    return f"{audit.manifest.model}/{audit.name}"


def comparison_report(
    common: CommonFaces,
    tables: Sequence[pd.DataFrame],
    filter: Filter,
    by: Sequence[str] = (),
    across: Sequence[pd.DataFrame | None] = (),
) -> str:
    """Every number of a comparison as text: each model against the first, group by group; then the groups of the
    columns `by`, of which `across` has a table of `paired_across` a model."""
    first, *partners = common.audits
    lines = [common_words(common), *(f"{LETTERS[n]}: {audit_label(a)}" for n, a in enumerate(common.audits))]
    for n, (letter, partner, table) in enumerate(zip(LETTERS[1:], partners, tables, strict=False)):
        lines += ["", pair_sentence(audit_label(first), audit_label(partner), table, filter)]
        names = [
            named(gender, ethnicity) for gender, ethnicity in zip(table["gender"], table["ethnicity"], strict=True)
        ]
        lines += _rows(names, table, letter)
        if by and (further := across[n]) is not None:
            lines += ["", f"By {grouping_words(by, first.columns)} {NOT_DECLARED}"]
            lines += _rows(further["group"], further, letter)
    return "\n".join(lines)


def _rows(names: Sequence[str], table: pd.DataFrame, letter: str) -> list[str]:
    """The lines of a table of paired groups under their head; long names widen the first column."""
    width = max([24, *(len(name) + 2 for name in names)])
    lines = [
        f"  {'':{width}}{'n':>7}  {'A':>7}  {letter:>7}  {letter} − A in points      only A  only {letter}  p (Holm)"
    ]
    for name, row in zip(names, table.to_dict("records"), strict=True):
        difference = f"{signed_points(row['difference'])} {signed_bounds(row['low'], row['high'])}"
        lines.append(
            f"  {capital(name):{width}}{row['n']:7,}  {percent(row['accuracy_a']):>7}  "
            f"{percent(row['accuracy_b']):>7}  {difference:24}{row['only_a']:7,}  {row['only_b']:6,}  "
            f"{number(row['p_holm'], '.2g')}"
        )
    return lines


#: Of the table of all audits: why its worst group may be another than Overview's.
AUDITS_ARE = (
    "Groups are by gender and ethnicity, as counted and not at equal ages; the worst is «not sure» where no two groups "
    "are told apart."
)


def shown_audits(table: pd.DataFrame) -> pd.DataFrame:
    """`audits_table` in words, a text a cell; what is classified has a column where that is not one thing."""

    def gap(row: dict) -> str:
        return f"{in_points(row['gap'])} points [{span(row['gap_low'], row['gap_high'])}]" if row["worst"] else NONE

    def worst(row: dict) -> str:
        if not row["worst"]:
            return NONE
        return f"{capital(row['worst'])} {percent(row['worst_accuracy'])}" if row["gap_low"] > 0 else "not sure"

    rows = [
        {
            "model": row["model"],
            "audit": row["audit"],
            "classified": row["task"],
            "faces": f"{row['faces']:,}",
            "accuracy": with_interval(row["accuracy"], row["low"], row["high"]) if row["faces"] else NONE,
            "worst group": worst(row),
            "gap to the best": gap(row),
        }
        for row in table.to_dict("records")
    ]
    columns = ["model", "audit", "classified", "faces", "accuracy", "worst group", "gap to the best"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame if len(set(table["task"])) > 1 else frame.drop(columns="classified")


def audits_report(table: pd.DataFrame) -> str:
    """`audits_table` as text."""
    frame = shown_audits(table)
    widths = [max(len(str(value)) for value in [name, *frame[name]]) for name in frame]
    lines = [
        "  ".join(f"{value:{width}}" for value, width in zip(row, widths, strict=True)).rstrip()
        for row in [list(frame.columns), *frame.to_numpy().tolist()]
    ]
    return "\n".join([*lines, "", AUDITS_ARE])
