"""Who gets no answer, in words: the page's sentence, and a table for the terminal and the documents."""

from __future__ import annotations

from core.analysis.accuracy.abstention import Abstention
from core.present.text.columns import in_sentence
from core.wording import number, percent, span, with_interval

#: What an interval of each kind holds for.
HOW = (
    "Intervals of the shares, and those of the accuracies, hold for all groups at once (95 %), the cutoff taken as "
    "given; those of error ratios are of each group alone."
)
#: What the columns of the table are called on the page. Files keep the names that the analysis gives them.
HEADS = {
    "n": "faces",
    "share": "share answered",
    "share_low": "share, low",
    "share_high": "share, high",
    "low": "accuracy, low",
    "high": "accuracy, high",
    "error_ratio": "error ratio",
    "ratio_low": "ratio, low",
    "ratio_high": "ratio, high",
}


def abstention_sentence(abstention: Abstention) -> str:
    """«Without an answer are 10.0 % of 3,327 faces …: answered are 95 % of … and 86 % of …»."""
    table = abstention.table
    head = (
        f"Without an answer are {percent(1 - abstention.share)} of {abstention.n:,} faces, those the model is least "
        "sure of"
    )
    rest = f"{_rate(abstention)}, {percent(abstention.accuracy_of_all)} of all"
    if len(table) < 2:
        return f"{head}: accuracy of the answered is {rest}."
    if abstention.equal:
        return f"{head} in each group: accuracy of the answered is {rest}."
    most, least = table.iloc[-1], table.iloc[0]
    apart = "" if least["share_high"] < most["share_low"] else ", which are not told apart beyond chance"
    return (
        f"{head}: answered are {percent(most['share'], 0)} of {in_sentence(most['group'])} and "
        f"{percent(least['share'], 0)} of {in_sentence(least['group'])}{apart}; accuracy of the answered is {rest}."
    )


def _rate(abstention: Abstention) -> str:
    return with_interval(abstention.accuracy.value, abstention.accuracy.low, abstention.accuracy.high)


def abstention_lines(abstention: Abstention) -> list[str]:
    """A line a group, those answered least first."""
    lines = []
    width = max([26, *(len(name) + 1 for name in abstention.table["group"])])
    for row in abstention.table.to_dict("records"):
        accuracy = "no face answered"
        if row["answered"]:
            ratio, low, high = (number(row[name], ".1f") for name in ("error_ratio", "ratio_low", "ratio_high"))
            rate = f"{percent(row['accuracy'])} [{span(row['low'], row['high'])}]"
            accuracy = f"accuracy {rate}  errors × {ratio} [{low}–{high}]"
        lines.append(
            f"  {row['group']:{width}}{row['n']:6,}  answered from {percent(row['cutoff'])} on: "
            f"{percent(row['share'])} [{span(row['share_low'], row['share_high'])}]  {accuracy}"
        )
    return lines


def abstention_report(one_cutoff: Abstention, equal: Abstention, scope: str) -> str:
    """One cutoff for all, then its counterpart: the same share of each group."""
    return "\n".join(
        [
            f"{scope}, exploratory",
            "",
            "One cutoff for all",
            f"  {abstention_sentence(one_cutoff)}",
            *abstention_lines(one_cutoff),
            "",
            "The same share of each group, by cutoffs of their own",
            f"  {abstention_sentence(equal)}",
            *abstention_lines(equal),
            "",
            "«errors ×»: the group's error rate over that of all other answered faces.",
            HOW,
        ]
    )
