"""The board as Markdown: other people's classifiers on the same faces, each number from its audit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.analysis.comparison.board import (
    ABROAD,
    DATA_SETS,
    EVIDENT,
    HOME,
    BoardModel,
    accuracy_table,
    paired_with,
    seen,
    summary,
)
from core.analysis.comparison.board_answers import answers
from core.data.filters import Filter, group_name
from core.present.text.sentences import hottest_place
from core.task import GENDER, GENDERS
from core.wording import capital, in_points, lower_first, number, p_words, percent, span, with_interval

CAUTION = (
    "Each model sees the same aligned faces, cropped and resized as its declaration says; its own pipeline may find, "
    "crop and shrink them a little otherwise (`python -m core settings` says what that decides). What these models "
    "learnt, mostly nobody knows. Labels are those of the data sets; gender is perceived gender, in two classes."
)
SEEN_RULE = (
    "A model has evidently seen UTKFace where its accuracy there, less that on FairFace, lies more than "
    f"{100 * EVIDENT:g} points above the other models' median difference, with its whole 95 % interval (Newcombe). "
    "These faces, or others of that data set, were then probably among those that it learnt; without the mark nobody "
    "knows. Ours learnt other faces of UTKFace, and not those of its test split."
)


def seen_sentence(table: pd.DataFrame) -> str:
    """Which models have evidently seen the data at home."""
    names = table.loc[table["evidently_seen"], "model"].tolist()
    if not names:
        return "By this rule no model has evidently seen UTKFace."
    verb = "has" if len(names) == 1 else "have"
    return f"**{' and '.join(names)}** {verb} evidently seen UTKFace, and its accuracy there says little of new faces."


ANSWERS_RULE = (
    "Each model answers nine in ten of these adults: those it is surest of, whoever they are. Shares answered have "
    "intervals that hold for all groups of a model at once (95 %, exact ones at Šidák's level); least is the group "
    "with the lowest upper bound, most the one with the highest lower bound, named where they are told apart."
)
MAPS_RULE = (
    "A map is the mean, over adults of a group, of the evidence for the labelled gender less that for the other; all "
    "groups of a gender count alike. Each is divided by the mean magnitude of its cells, so that all are on one scale: "
    "2 is twice what an average cell has. Red speaks for the label, blue against it. Of others' models a few adults of "
    "each group were looked at, drawn with a fixed seed. Methods differ: exact maps (closed form) and Grad-CAM say "
    "where evidence is centred, occlusion what hiding a place takes away. Compare places between methods, not amounts."
)


def maps_table(models: list[BoardModel], data: str) -> pd.DataFrame:
    """A row a model with maps: `model`, `maps` by which method, `cells`, and for each gender where the strongest cell
    lies, with its value over the average cell's, and over how many faces."""
    rows = []
    for model in models:
        means = {gender: model.maps and model.maps.of(data, gender) for gender in GENDERS}
        if any(mean_map is not None for mean_map in means.values()):
            shape = next(mean_map.shape for mean_map in means.values() if mean_map is not None)
            row = {"model": model.title, "maps": model.maps.method_words, "cells": "×".join(map(str, shape))}
            for gender, mean in means.items():
                words = GENDER.nouns[GENDER.index(gender)].many
                row[words] = "–" if mean is None else _strongest(mean, model.maps.faces(data, gender))
            rows.append(row)
    return pd.DataFrame(rows)


def _strongest(mean: np.ndarray, n: int) -> str:
    value = mean.flat[np.abs(mean).argmax()]
    return f"{hottest_place(mean)}, {number(value, '.1f')} × (n = {n:,})"


def _maps(models: list[BoardModel]) -> list[str]:
    lines = []
    for data, name in DATA_SETS.items():
        table = maps_table(models, data)
        if len(table):
            lines += [f"The strongest cell of each map on {name}:", ""]
            lines += [*_table(list(table.columns), table.astype(str).to_numpy().tolist()), ""]
    return ["## Where each looks", "", MAPS_RULE, "", *lines] if lines else []


def board_markdown(models: list[BoardModel], reference: BoardModel, filter: Filter) -> str:
    """The whole page, as `docs/board.md` has it."""
    lines = [
        "# The board",
        "",
        f"Ready-made classifiers on the faces of two data sets, {filter.describe()}. `python -m core board` writes "
        "this page from the audits in `docs/board/audits`; the declarations beside them say where each fact about an "
        f"input comes from. {CAUTION}",
        "",
    ]
    for data, name in DATA_SETS.items():
        lines += [f"## {name}", "", *_summary(summary(models, data, filter)), ""]
        lines += _by_group(accuracy_table(models, data, filter), name)
        lines += _paired(paired_with(models, reference, data, filter), reference)
        lines += _answers(answers(models, data, filter), name)
    table = seen(models, filter)
    lines += ["## Who has seen the test faces?", "", SEEN_RULE + " " + seen_sentence(table), "", *_seen(table), ""]
    lines += _maps(models)
    lines += ["## Where the models come from", "", *sources(models), ""]
    return "\n".join(lines)


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    numbers = ["---", *["---:"] * (len(head) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (head, numbers, *rows)]


def _group(words: str) -> str:
    gender, _, ethnicity = words.partition(" ")
    return capital(group_name(gender, ethnicity))


def _summary(table: pd.DataFrame) -> list[str]:
    rows = [
        [
            row["model"],
            f"{row['n']:,}",
            f"{percent(row['accuracy'])} [{100 * row['low']:.1f}–{100 * row['high']:.1f}]",
            f"{_group(row['worst'])} {percent(row['worst_accuracy'])}" if row["told_apart"] else "not sure",
            f"{_group(row['best'])} {percent(row['best_accuracy'])}" if row["told_apart"] else "not sure",
            in_points(row["gap"]) if row["told_apart"] else "not sure",
            in_points(row["women_less_men"]),
        ]
        for row in table.sort_values("accuracy", ascending=False).to_dict("records")
    ]
    return _table(
        ["model", "faces", "accuracy", "worst group", "best group", "gap, points", "women − men, points"], rows
    )


def _by_group(table: pd.DataFrame, name: str) -> list[str]:
    models = list(dict.fromkeys(table["model"]))
    cells = {
        (row["gender"], row["ethnicity"], row["model"]): f"{100 * row['accuracy']:.0f} [{100 * row['low']:.0f}–"
        f"{100 * row['high']:.0f}]"
        for row in table.to_dict("records")
    }
    groups = table.drop_duplicates(["gender", "ethnicity"])
    rows = [
        [f"{capital(group_name(g, e))} ({n:,})", *(cells.get((g, e, model), "–") for model in models)]
        for g, e, n in zip(groups["gender"], groups["ethnicity"], groups["n"], strict=True)
    ]
    head = f"Accuracy by group on {name}, %, with intervals that hold for all groups of a model at once (95 %):"
    return [head, "", *_table(["group (faces)", *models], rows), ""]


def _paired(table: pd.DataFrame, reference: BoardModel) -> list[str]:
    rows = [
        [
            row["model"],
            f"{row['only_model']:,} / {row['only_reference']:,}",
            f"{in_points(row['difference'])} [{span(row['low'], row['high'])}]",
            p_words(row["p_holm"], with_name=False),
        ]
        for row in table.to_dict("records")
    ]
    head = (
        f"Against {reference.title} on the same faces (McNemar's exact test, Holm's correction over the models): faces "
        "that one alone has right, and accuracy less ours."
    )
    return [head, "", *_table(["model", "it alone / ours alone", "points", "p, corrected"], rows), ""]


def answers_table(table: pd.DataFrame) -> pd.DataFrame:
    """`core.analysis.comparison.board_answers.answers` in words, the most accurate of the answered first."""
    rows = [
        {
            "model": row["model"],
            "accuracy of all": percent(row["accuracy_of_all"]),
            "of the answered": percent(row["accuracy"]),
            **{
                head: words if row["told_apart"] else "not sure"
                for end in ("least", "most")
                for head, words in (
                    (f"answered {end}", _group(row[end])),
                    (f"{end}, share", with_interval(*(row[f"{end}_{part}"] for part in ("share", "low", "high")))),
                )
            },
        }
        for row in table.sort_values("accuracy", ascending=False).to_dict("records")
    ]
    return pd.DataFrame(rows)


def _answers(table: pd.DataFrame, name: str) -> list[str]:
    words = answers_table(table)
    if not len(words):
        return []
    head = f"Who gets no answer on {name}: {lower_first(ANSWERS_RULE)}"
    return [head, "", *_table(list(words.columns), words.to_numpy().tolist()), ""]


def _seen(table: pd.DataFrame) -> list[str]:
    rows = [
        [
            row["model"],
            percent(row["home"]),
            percent(row["abroad"]),
            f"{in_points(row['difference'])} [{span(row['low'], row['high'])}]",
            "–" if np.isnan(row["others"]) else in_points(row["others"]),
            "seen" if row["evidently_seen"] else "",
        ]
        for row in table.to_dict("records")
    ]
    names = DATA_SETS[HOME], DATA_SETS[ABROAD]
    return _table(["model", *names, "difference, points", "others' median", ""], rows)


def sources(models: list[BoardModel]) -> list[str]:
    """Lines of Markdown: where each model comes from, its terms, and where the facts of its declaration do."""
    lines = []
    for model in models:
        if "from" in model.about:
            facts = "".join(f"\n  - {fact}" for fact in model.about.get("facts", ()))
            origin = f"{model.about['from']}. Terms: {model.about['terms']}."
            lines.append(f"- **{model.title}** (`{model.about['file']}`): {origin}{facts}")
    return lines
