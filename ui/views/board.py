"""The page «The board»: other people's classifiers on the same faces, from the audits that the project ships."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.analysis.comparison.board import (
    DATA_SETS,
    BoardModel,
    accuracy_table,
    open_board,
    paired_with,
    seen,
    summary,
)
from core.analysis.comparison.board_answers import answers
from core.data.faces import ADULT_AGE
from core.data.filters import Filter, group_name
from core.errors import LookwhereError
from core.places import MODELS
from core.present.figures import raster
from core.present.figures.board import AGAINST, FOR, looks, looks_sheet
from core.present.text import escape
from core.present.text.board import (
    ANSWERS_RULE,
    CAUTION,
    MAPS_RULE,
    SEEN_RULE,
    answers_table,
    maps_table,
    seen_sentence,
    sources,
)
from core.wording import capital, percent
from ui.shell import downloads
from ui.shell.cache import kept
from ui.shell.page import Page
from ui.shell.visitor import for_visitor
from ui.widgets import controls, layout, terms

__all__ = ["ADULTS", "CAUTION"]
ADULTS = Filter(age_from=ADULT_AGE)
ALL_ALIKE = "all groups alike"
#: Heads of the tables in words; downloads keep the columns' names.
HEADS = {
    "worst_accuracy": "worst, accuracy", "best_accuracy": "best, accuracy", "women_less_men": "women − men",
    "told_apart": "told apart", "only_model": "it alone correct", "only_reference": "ours alone correct",
    "p_holm": "p, corrected", "evidently_seen": "evidently seen",
}  # fmt: skip
MAPS_STYLE = """<style>
.lw-looks {display: grid; grid-template-columns: repeat(auto-fill, minmax(min(16rem, 100%), 1fr)); gap: 1rem}
.lw-looks span {opacity: .7; font-size: .8rem}
</style>"""
FOLDER = Path(__file__).parents[2] / "docs/board"
#: Our model and its audits of the board's data sets.
OURS, AUDITS = "resnet50-utkface", {"fairface": "fairface-val-1000", "utkface": "utkface-test"}


def open_or_say(p: Page) -> list[BoardModel]:
    """The board's models. Stops the page with how they come about where there are none."""
    own = tuple((data, MODELS / OURS / "audits" / name) for data, name in AUDITS.items())
    files = [*FOLDER.glob("*.yaml"), *FOLDER.glob("maps/*.json"), *FOLDER.glob("audits/*/*/audit.json")]
    files += [path / "audit.json" for _, path in own]
    try:
        return _opened(FOLDER, own, sorted(file for file in files if file.is_file()))
    except LookwhereError as error:
        p.headline("There is no board here.")
        p.info(escape.sentence(for_visitor(error)))
        st.stop()


@kept(entries=1, spinner="Opening the audits …", shared=True)
def _opened(folder: Path, own: tuple[tuple[str, Path], ...], files: list[Path]) -> list[BoardModel]:
    """The board that these files were read from: it is opened again where one of them changed."""
    there = any((path / "audit.json").is_file() for _, path in own)
    return open_board(folder, {OURS: dict(own)} if there else {})


def choose_data(models: list[BoardModel]) -> str:
    """Which of the data sets is shown."""
    names = [data for data in DATA_SETS if any(data in model.audits for model in models)]
    return controls.selectbox("Faces of", names, key="data", format_func=lambda data: DATA_SETS[data])


def headline(models: list[BoardModel], data: str, filter: Filter) -> str:
    """For whom most of the models are right least often."""
    table = summary(models, data, filter)
    worst = table.loc[table["told_apart"], "worst"].value_counts()
    head = f"Of {len(table)} models on adult faces of {DATA_SETS[data]}, "
    if len(worst):
        gender, _, ethnicity = str(worst.index[0]).partition(" ")
        head += (
            f"{worst.iloc[0]} are surely right less often for {group_name(gender, ethnicity)} than for their best group"
        )
    else:
        head += "none tells two groups apart beyond chance"
    return f"{head}; accuracy is {percent(table['accuracy'].min())} to {percent(table['accuracy'].max())}."


def show_summary(models: list[BoardModel], data: str, filter: Filter) -> None:
    """A row a model: accuracy, worst and best group, gap, women less men."""
    table = summary(models, data, filter).sort_values("accuracy", ascending=False)
    rows = table.assign(worst=_named(table["worst"]), best=_named(table["best"])).rename(columns=HEADS)
    shares = ["accuracy", "low", "high", "worst, accuracy", "best, accuracy"]
    layout.share_table(rows, shares, dict.fromkeys(("gap", "women − men"), "points"))
    downloads.table(table, "board", "the board: each model's accuracy, worst and best group")
    terms.caption(
        "Intervals are Wilson's, 95 %. Worst is the group with the lowest upper bound, best the one with the highest "
        "lower bound, of intervals that hold for all groups of a model at once; where «told apart» is not ticked, "
        "nothing is sure of them."
    )


def show_groups(models: list[BoardModel], data: str, filter: Filter) -> None:
    """Accuracy of each group under each model."""
    terms.subheader("Accuracy by group")
    table = accuracy_table(models, data, filter)
    table = table.assign(group=[capital(group_name(g, e)) for g, e in zip(table.gender, table.ethnicity, strict=True)])
    wide = table.pivot(index="group", columns="model", values="accuracy").reset_index()
    names = sorted((name for name in wide.columns if name != "group"), key=lambda name: name != OURS)
    layout.share_table(wide[["group", *names]], names)
    with st.expander("With intervals"):
        layout.share_table(table[["model", "group", "n", "accuracy", "low", "high"]], ["accuracy", "low", "high"])
    downloads.table(table, "board-groups", "the board: accuracy by model and group, simultaneous 95 % intervals")
    terms.caption("The intervals hold for all groups of a model at once (95 %): exact ones at Šidák's level.")


def show_pairs(models: list[BoardModel], data: str, filter: Filter) -> None:
    """Each model against ours on the same faces."""
    reference = next((model for model in models if model.name == OURS and data in model.audits), None)
    if reference is None:
        return
    terms.subheader(f"Against {reference.title}, on the same faces")
    table = paired_with(models, reference, data, filter)
    forms = dict.fromkeys(("difference", "low", "high"), "points") | {HEADS["p_holm"]: "p"}
    layout.share_table(table.rename(columns=HEADS), [], forms)
    downloads.table(table, "board-pairs", "the board: McNemar's test of each model against ours")
    terms.caption("Accuracy less ours; McNemar's exact test, corrected over the models (Holm).")


def show_answers(models: list[BoardModel], data: str, filter: Filter) -> None:
    """Who gets no answer, where each model abstains on what it is least sure of."""
    terms.subheader("Who gets no answer")
    table = answers(models, data, filter)
    layout.table(answers_table(table))
    downloads.table(table, "board-answers", "the board: shares answered by group where each model abstains on a tenth")
    terms.caption(ANSWERS_RULE)


def show_maps(models: list[BoardModel], data: str) -> None:
    """Where each model looks, on one scale: a pair of maps a model, which wrap on a narrow window."""
    groups = sorted({g.ethnicity for model in models if model.maps for g in model.maps.groups.get(data, [])})
    if not groups:
        return
    terms.subheader("Where each looks")
    names = {ALL_ALIKE: None, **{name: name for name in groups}}
    board_model = names[controls.selectbox("Maps of", list(names), key="looks")]
    rows, limit = looks(models, data, board_model)
    cards = "".join(
        f"<div><b>{escape.in_html(row.title)}</b> <span>{escape.in_html(row.method)}</span>"
        + layout.image_row([(image, words, f"{row.title}: average map, {words}") for image, words in row.panels])
        + "</div>"
        for row in rows
    )
    bar = raster.data_uri(raster.colour_bar(True), quality=95)
    ends = f"<span>{AGAINST} −{limit:.1f}</span><img src='{bar}' alt='colour scale'><span>{limit:.1f} {FOR}</span>"
    st.html(f"{layout.STYLE}{MAPS_STYLE}<div class='lw-looks'>{cards}</div><div class='lw-scale'>{ends}</div>")
    downloads.image_sheet(lambda: looks_sheet(rows, limit, MAPS_RULE), "board-maps", "where each model looks")
    table = maps_table(models, data)
    downloads.table(table, "board-maps", "the board: the strongest cell of each model's mean map")
    terms.caption(MAPS_RULE)


def show_seen(models: list[BoardModel], filter: Filter) -> None:
    """Who has evidently seen the faces of the data set at home."""
    terms.subheader("Who has seen the test faces?")
    table = seen(models, filter)
    terms.markdown(seen_sentence(table))
    differences = dict.fromkeys(("difference", "low", "high", "others"), "points")
    layout.share_table(table.rename(columns=HEADS), ["home", "abroad"], differences)
    terms.caption(SEEN_RULE)


def show_sources(models: list[BoardModel]) -> None:
    """Where the models come from, and the facts of their declarations."""
    with st.expander("Where the models come from"):
        terms.markdown("\n".join(sources(models)))


def _named(groups: object) -> list[str]:
    parts = [str(words).partition(" ") for words in groups]
    return [capital(group_name(gender, ethnicity)) for gender, _, ethnicity in parts]
