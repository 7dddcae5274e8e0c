"""The other half of the page «The study, repeated»: whether diversity of training closes the gap, and for whom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from core.analysis.comparison.experiment import FOLDER
from core.analysis.findings.diversity import (
    ALL,
    NAME,
    Diversity,
    by_arm,
    for_whom,
    map_agreement,
    mean_map,
    open_diversity,
    questions,
)
from core.data.filters import Filter
from core.errors import LookwhereError
from core.present.figures.differences import map_sheet, panel_images
from core.present.figures.diversity import arm_maps
from core.present.text import diversity as words
from core.present.text import escape
from ui.shell import downloads
from ui.shell import open_audit as open_audit_shell
from ui.shell.cache import kept
from ui.shell.page import Page
from ui.shell.visitor import for_visitor
from ui.views.findings import show_finding
from ui.widgets import controls, layout, terms

COMMAND = "python -m core diversity"
#: Maps beside each other; more would be too small on a telephone.
IN_A_ROW = 4


def _open(file: Path) -> Diversity:
    return open_diversity(file.parents[2])


_opened = kept(entries=2, spinner="Opening the audits …", shared=True)(_open)
_questions = kept(entries=4, spinner="Putting the questions to the networks …")(questions)
_by_arm = kept(entries=4, spinner="Counting …")(by_arm)
_for_whom = kept(entries=4, spinner="Counting …")(for_whom)


def _maps(study: Diversity, test: str, filter: Filter) -> tuple[dict[str, np.ndarray | None], pd.DataFrame]:
    """The mean over seeds of each arm's mean map, and how alike they are."""
    maps = {}
    tested = study.experiment.on(test)
    for arm in tested.arms:
        if not tested.audits(arm.name)[0].has_maps:
            continue
        by_seed = [mean_map(study, test, arm.name, seed, filter) for seed in range(len(arm.models))]
        maps[arm.name] = None if any(map is None for map in by_seed) else np.mean(by_seed, axis=0)
    return maps, map_agreement(study, test, filter)


_mean_maps = kept(entries=4, spinner="Averaging maps …")(_maps)


def show(p: Page) -> None:
    """The whole of it; how it comes about where nobody has run it."""
    try:
        study = _opened(Path(open_audit_shell.MODELS) / FOLDER / NAME / "experiment.json")
    except LookwhereError as error:
        p.headline(f"{words.QUESTION} Nobody has run it yet.")
        p.info(escape.sentence(for_visitor(error)))
        return
    titles = {test: words.test_title(study, test) for test in study.tests}
    test = controls.selectbox("Tested on", list(titles), key="diversity_test", format_func=titles.__getitem__)
    questions = _questions(study, test)
    tested = study.experiment.on(test)
    audits = [audit.path for arm in tested.arms for audit in tested.audits(arm.name)]
    p.set_scope(study.adults(test).describe(), audits)
    p.headline(escape.markdown(words.headline(study, test, questions)))
    p.caption(words.CAUTION)
    _show_arms(study)
    for question in questions:
        show_finding(question)
    _show_groups(study, test)
    _show_maps(study, test)
    st.code(COMMAND, language="bash", wrap_lines=True)


def _show_arms(study: Diversity) -> None:
    terms.subheader("What each network was trained on")
    table = words.arms_table(study)
    layout.table(table)
    downloads.table(table, "diversity-arms", "the arms and their training faces")
    terms.caption(
        "Every network sees equally many images, whatever the number of its faces. The rule, and what was changed in "
        "it and when: docs/rules.md, «Diversity of training»."
    )


def _show_groups(study: Diversity, test: str) -> None:
    terms.subheader("For whom")
    changes, means = _for_whom(study, test), _by_arm(study, test)
    layout.table(words.change_table(changes))
    downloads.table(changes, "diversity-changes", "each group's change from one data set to all")
    terms.caption(words.FOR_WHOM)
    with st.expander("Every arm, every group"):
        layout.table(words.group_table(study, means))
        downloads.table(means, "diversity-accuracies", "accuracies by arm and group, with both intervals")
        terms.caption(words.INTERVALS)


def _show_maps(study: Diversity, test: str) -> None:
    tested = study.experiment.on(test)
    if not tested.audits(ALL)[0].has_maps:
        return
    terms.subheader("Where the networks look")
    filters = words.map_filters(study, test)
    whose = controls.segments("Whose maps", list(filters), key="diversity_maps", default=next(iter(filters)))
    maps, agreement = _mean_maps(study, test, filters[whose])
    chart = arm_maps(maps, whose)
    panels = zip(panel_images(chart), chart.panels, strict=True)
    images = [(image, part.caption, part.alt) for image, part in panels]
    for start in range(0, len(images), IN_A_ROW):
        st.html(layout.STYLE + layout.image_row(images[start : start + IN_A_ROW], widest="14rem"))
    downloads.image_sheet(lambda: map_sheet(chart), "diversity-maps", f"mean maps by arm, {whose}")
    of_how_many = "" if len(maps) == len(tested.arms) else f" Maps are kept of {len(maps)} of {len(tested.arms)} arms."
    terms.caption(f"{chart.note} Means over seeds.{of_how_many}")
    layout.table(words.agreement_table(agreement))
    downloads.table(agreement, "diversity-map-agreement", f"how alike mean maps are, {whose}")
    terms.caption(words.MAPS)
