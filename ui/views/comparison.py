"""What the page that compares models says and draws: its sentence, map rows, arms over seeds, effects."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core.analysis.accuracy.groupings import grouping_words
from core.analysis.comparison import MATTERS, Contrast, Effect, Expectation, Experiment, Measure
from core.analysis.comparison.paired import SMALLEST_TESTED, named
from core.data.filters import Filter
from core.present.figures import comparison as figures
from core.present.text import escape
from core.present.text.comparison import pair_sentence
from core.present.text.placement import UNEVEN_SIDES
from core.present.text.sentences import scope
from core.wording import capital, points_words, signed_bounds, signed_points
from ui.shell import downloads
from ui.views import compared_maps, comparison_choice
from ui.widgets import controls, help_texts, layout, terms
from ui.widgets.group_columns import cell_names, choose_columns, short_names
from ui.widgets.map_target import choose_target

MEASURED = {
    Measure.GROUP: "the accuracy of {}",
    Measure.OTHERS: "the accuracy of all but {}",
    Measure.EXTRA: "the accuracy of {}, less that of all others,",
    Measure.OVERALL: "the overall accuracy",
    Measure.WORST: "the accuracy of the worst group",
    Measure.GAP: "the largest gap of accuracy",
}
EXPECTED = {
    Expectation.LOWER: "that it falls",
    Expectation.HIGHER: "that it rises",
    Expectation.CHANGE: "that it changes",
}


def sentence(
    choice: comparison_choice.Choice, tables: dict[str, pd.DataFrame], contrast: Contrast | None, filter: Filter
) -> str:
    """What changed, for whom: of a claim over all its seeds, else of the first pair."""
    if contrast is not None:
        effect, other_groups = contrast.effects[contrast.measure], contrast.effects.get(Measure.OTHERS)
        of = MEASURED[contrast.measure].format(contrast.group)
        text = f"{scope(filter)}, {choice.claim.name} changes {of} by {_seeds(effect)} over {len(effect.by_seed)} seeds"
        if contrast.measure == Measure.GROUP and other_groups is not None:
            text += f", and of all other faces by {_seeds(other_groups)}"
        text += f". The claim is {EXPECTED[contrast.expect]}: {contrast.verdict}."
        if choice.claim.finding:
            text += f" It is part of what claim {choice.claim.finding} is tested by; Findings has the whole verdict."
        return text
    (label, table), *_ = tables.items()
    return pair_sentence(choice.models[0].label, label, table, filter)


def _seeds(effect: Effect) -> str:
    return points_words(effect.seeds.value, effect.seeds.low, effect.seeds.high)


def show_differences(choice: comparison_choice.Choice, tables: dict[str, pd.DataFrame]) -> None:
    """Each group's paired difference of accuracy between the first model and each other one."""
    first, *partners = choice.models
    terms.subheader("Whom the change helped, and whom it harmed")
    named_pair = " and ".join(
        f"**{letter}**: {escape.markdown(partner.label)}"
        for letter, partner in zip(comparison_choice.LETTERS[1:], partners, strict=False)
    )
    terms.markdown(f"{named_pair}, compared with **A**: {escape.markdown(first.label)}")
    downloads.chart(
        figures.difference_dots(tables), "differences", "paired differences of accuracy by group", key="differences"
    )
    terms.caption(
        "The same faces under both models. To the right: correct more often than under A. Bars are Newcombe's paired "
        "95 % intervals; a filled dot differs by McNemar's exact test at 5 %, corrected by Holm for all rows."
    )


def show_where_it_looks(
    choice: comparison_choice.Choice, table: pd.DataFrame, contrast: Contrast | None, filter: Filter
) -> None:
    """The mean maps of chosen groups under each model, where the models' maps can be compared."""
    terms.subheader("Where it looks now")
    if not compared_maps.same_method(choice):
        return
    columns = st.columns([1.2, 1.4, 2.4])
    target = choose_target(choice.models[0].open().task, key="of", index=0, place=columns[0])
    scaling = controls.segments(
        "Maps",
        ["shape", "strength"],
        default="shape",
        key="maps",
        place=columns[1],
        help="**shape**: each face's map is divided by its own strength first, since two networks' logits have scales "
        "of their own. **strength**: the maps as they are.",
    )
    names = [named(row.gender, row.ethnicity) for row in table.itertuples()]
    group_choice = controls.multiselect(
        "Groups", names, key="shown", place=columns[2], placeholder="chosen for you", max_selections=4
    )
    groups = group_choice or automatic_groups(table, contrast)
    compared_maps.show_maps(choice, table, groups, filter, target, scaling == "shape")
    terms.caption(f"{help_texts.reading(comparison_choice.methods(choice))} {UNEVEN_SIDES}")


def show_all_seeds(choice: comparison_choice.Choice, contrast: Contrast | None, filter: Filter) -> None:
    """Where an experiment is open: its arms over all seeds, and the effects of its claim."""
    if choice.experiment is None:
        return
    terms.subheader("Over all seeds")
    _show_arms(choice.experiment, contrast, filter)
    terms.caption(
        f"{escape.markdown(choice.experiment.title)}. A dot is one seed; bars are Student's 95 % intervals over the "
        "seeds, wide because seeds are few. The worst group and the gap are among groups of 50 and more faces; an "
        "extreme of several groups is biased outward, in each arm alike."
    )
    if contrast is not None:
        layout.table(effects_table(contrast))
        downloads.table(effects_table(contrast), "effects", "effects over all seeds")
        terms.caption(
            "Differences in points, each seed with its own partner. «Seeds and faces» draws both anew. **Supported**: "
            f"both intervals lie beyond 0. **Not supported**: neither holds {100 * MATTERS:.0f} points or more. "
            "Otherwise one cannot tell here."
        )


def show_all_groups(choice: comparison_choice.Choice, tables: dict[str, pd.DataFrame], filter: Filter) -> None:
    """All groups as one table, and those of columns that are chosen as another."""
    terms.subheader("All groups as a table")
    whole = _whole_table(tables)
    _show_table(whole)
    downloads.table(whole, "paired", "paired comparison of all groups")
    _show_across(choice, filter)


def automatic_groups(table: pd.DataFrame, contrast: Contrast | None) -> list[str]:
    """The claimed group, or else the one most changed of those large enough to test, and all faces."""
    large = table.iloc[1:][lambda groups: groups["n"] >= SMALLEST_TESTED]
    names = [named(r.gender, r.ethnicity) for r in large.itertuples()]
    if contrast is not None and contrast.group in names:
        first = [contrast.group]
    else:
        first = [names[int(large["difference"].abs().argmax())]] if names else []
    return [*first, "all faces"]


def _show_arms(experiment: Experiment, contrast: Contrast | None, filter: Filter) -> None:
    """The arms over their seeds: overall, the claimed group, the worst group, the largest gap."""
    table, means = comparison_choice.arms(experiment, filter)
    titles = {arm.name: arm.name.replace("-", " ") for arm in experiment.arms}
    measures = [("Overall accuracy", Measure.OVERALL, None)]
    if contrast is not None and contrast.group != "all faces":
        measures.append((f"Accuracy of {contrast.group}", Measure.GROUP, contrast.group))
    measures += [("Worst group's accuracy", Measure.WORST, None), ("Largest gap", Measure.GAP, None)]
    columns = st.columns(2)
    for n, (title, measure, group) in enumerate(w for w in measures if (means["measure"] == w[1]).any()):
        parts_of = [_rows(frame, measure, group) for frame in (table, means)]
        if not len(parts_of[0]):
            continue
        with columns[n % 2]:
            terms.markdown(f"**{escape.markdown(title)}**")
            downloads.chart(figures.arm_dots(*parts_of, titles), f"arms-{measure}", title, key=f"arms_{measure}")


def _rows(frame: pd.DataFrame, measure: str, group: str | None) -> pd.DataFrame:
    keep = frame["measure"] == measure
    if group is not None:
        names = [named(g, e) for g, e in zip(frame["gender"], frame["ethnicity"], strict=True)]
        keep &= np.array(names) == group
    return frame[keep]


def _show_across(choice: comparison_choice.Choice, filter: Filter) -> None:
    """The paired comparison of every group of up to three columns that are chosen; nothing where none is chosen."""
    audit = comparison_choice.first_audit(choice)
    if not (by := choose_columns(audit, filter)):
        return
    whole = _whole_table(comparison_choice.tables_across(choice, filter, by))
    brief, order = short_names(audit, filter, by)
    brief_names = dict(zip(map(capital, brief), cell_names(brief, brief), strict=True))
    _show_table(whole.assign(group=[brief_names.get(name, name) for name in whole["group"]]))
    if order is not None:
        terms.caption(escape.markdown(order))
    downloads.table(whole, "paired-across", f"paired comparison, {grouping_words(by, audit.columns)}")


def _whole_table(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """All `paired_by_group` or `paired_across` tables as one, groups in words; the model is named where there are
    several."""
    whole = pd.concat([t.assign(model=label) for label, t in tables.items()], ignore_index=True)
    if "group" not in whole:
        whole.insert(0, "group", [named(r.gender, r.ethnicity) for r in whole.itertuples()])
        whole = whole.drop(columns=["gender", "ethnicity"])
    whole["group"] = [capital(name) for name in whole["group"]]
    if len(tables) > 1:
        whole.insert(1, "model", whole.pop("model"))
    else:
        del whole["model"]
    return whole


def _show_table(whole: pd.DataFrame) -> None:
    """`whole_table` on the page: words for its columns."""
    ps = {"p": "p (McNemar)", "mid_p": "mid-p", "p_holm": "p (Holm)"}
    columns = {
        "both": "both correct",
        "only_a": "only A correct",
        "only_b": "only B correct",
        "accuracy_a": "accuracy A",
    }
    rows = whole.rename(columns=columns | {"accuracy_b": "accuracy B"} | ps)
    differences = dict.fromkeys(("difference", "low", "high"), "points")
    layout.share_table(rows, ["accuracy A", "accuracy B"], differences)


def effects_table(contrast: Contrast) -> pd.DataFrame:
    """The contrast's measures as a table, in points."""
    rows = [
        {
            "measure": contrast.group if kind == Measure.GROUP else kind,
            "by seed": ", ".join(map(signed_points, effect.by_seed)),
            "mean [over seeds]": points_words(effect.seeds.value, effect.seeds.low, effect.seeds.high),
            "[seeds and faces]": signed_bounds(effect.both.low, effect.both.high),
            "a difference": effect.verdict,
        }
        for kind, effect in contrast.effects.items()
    ]
    return pd.DataFrame(rows)
