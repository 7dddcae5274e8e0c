"""The page «The study, repeated»: protocol, seven figures, claims and images of the experiment that we ship."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from core.analysis.comparison.experiment import FOLDER
from core.analysis.findings.repeated import NAME, Repeated, open_repeated, seven_figures
from core.audit.folder import open_audit
from core.data.filters import Filter
from core.errors import LookwhereError
from core.present.figures.comparison import study_dots
from core.present.text import escape
from core.present.text import repeated as words
from core.present.text.credits import data_set_title
from core.verdicts import Verdict
from core.wording import capital
from ui.shell import downloads
from ui.shell import open_audit as open_audit_shell
from ui.shell.cache import kept
from ui.shell.page import Page
from ui.shell.visitor import for_visitor
from ui.views.findings import ICONS
from ui.views.overview import show_study_grid
from ui.widgets import controls, layout, terms

COMMAND = "python -m core repeated"
REPEATED, DIVERSITY = "The study, repeated", "Diversity of training"


def open_or_say(p: Page) -> Repeated:
    """The repetition under the folder of models. Stops the page with how it comes about where there is none."""
    try:
        return _opened(Path(open_audit_shell.MODELS) / FOLDER / NAME / "experiment.json")
    except LookwhereError as error:
        p.headline("There is no repetition of the study here.")
        p.info(escape.sentence(for_visitor(error)))
        st.stop()


def _open(file: Path) -> Repeated:
    return open_repeated(file.parents[2])


_opened = kept(entries=2, spinner="Opening the audits …", shared=True)(_open)
figures_of = kept(entries=8, spinner="Counting …")(seven_figures)
_hiding = kept(entries=8, spinner="Opening the checks …")(words.hiding_words)
_claims = kept(entries=8, spinner="Putting the claims to each network …")(words.plain_claims)


def choose_part() -> str:
    """What the page shows: the repetition itself, or what training on more data sets does."""
    return controls.segments("Show", [REPEATED, DIVERSITY], key="part", default=REPEATED)


def choose_test(study: Repeated) -> str:
    """Which of the data sets tested on is shown."""
    titles = {test: words.test_title(study, test) for test in study.tests}
    return controls.selectbox("Tested on", list(titles), key="test", format_func=titles.__getitem__)


def audits_of(study: Repeated, test: str) -> list[Path]:
    """Folders of the audits that the page is of."""
    return [audit.path for audit in study.experiment.on(test).audits(study.arm)]


def show_protocol(study: Repeated, test: str) -> None:
    """Three boxes, one after the other: what is trained on, validated on, tested on; the original's and ours."""
    terms.subheader("Three data sets")
    steps = words.protocol(study, test)
    for number, (place, (name, original, ours)) in enumerate(zip(st.columns(len(steps)), steps, strict=True), 1):
        with place, st.container(border=True):
            terms.markdown(f"**{number} · {name}**" + (" →" if number < len(steps) else ""))
            terms.markdown(escape.markdown(capital(ours)))
            terms.caption(f"Original: {escape.markdown(original)}")
    terms.caption(
        f"{capital(words.networks(study))} of one recipe, a ResNet-50 from random weights each; settings in "
        f"`{study.experiment.config}`. {words.copies_words(study, test)}"
    )


def show_figures(study: Repeated, table: pd.DataFrame) -> None:
    """The seven figures beside the original's, as a chart and a table."""
    terms.subheader("The seven figures")
    layout.sentence(words.outcome(table))
    downloads.chart(study_dots(table), "seven-figures", "the original study's figures and ours")
    seeds = {f"network {n + 1}": [row[n] if n < len(row) else None for row in table["by_seed"]]
             for n in range(study.seeds)}  # fmt: skip
    flat = table.drop(columns="by_seed").assign(**seeds)
    shares = ["original", "mean", "spread", "low", "high", *seeds]
    layout.share_table(flat, shares)
    downloads.table(flat, "seven-figures", "the original study's figures and ours, with intervals and spread")
    terms.caption(f"{words.interval_words(study)} «Spread» is the standard deviation over networks.")
    st.code(COMMAND, language="bash", wrap_lines=True)


def show_claims(study: Repeated, test: str) -> None:
    """Claims 1 to 3, put to each network."""
    terms.subheader("Its claims")
    table = _claims(study, test)
    for key, rows in table.groupby("key", sort=False):
        with st.container(border=True):
            claim = rows["claim"].iloc[0]
            terms.markdown(f"**{escape.markdown(f'{key} · {claim}')}**")
            shown = rows["plain"].where(rows["plain"].notna(), rows["sentence"])
            for text, alike in rows.groupby(shown, sort=False):
                with st.container(horizontal=True):
                    for row in alike.itertuples():
                        verdict = Verdict(row.verdict)
                        badge = f"Network {row.seed + 1}: {verdict}"
                        st.badge(badge, icon=ICONS[verdict], color=layout.COLOURS[verdict.tone])
                layout.sentence(text)
            with st.expander("The numbers, by network"):
                for row in rows.itertuples():
                    terms.caption(f"Network {row.seed + 1}: {escape.sentence(row.sentence)}")
    if hidden := _hiding(study, test):
        terms.caption(hidden)
    downloads.table(table, "claims", "the claims' verdicts by network")
    terms.caption(
        "Each verdict is of one network. Claims 4 and 5, of causes, need networks that were trained otherwise: "
        "*Findings* has them for the model that comes with Lookwhere."
    )


def show_pictures(study: Repeated) -> None:
    """The original's twelve pairs of average face and average map, of the first network."""
    if study.experiment.pictures is None:
        return
    audit = open_audit(study.experiment.pictures)
    faces = f"the {audit.split_words} of {data_set_title(audit.manifest.dataset)}"
    terms.caption(
        f"The images that follow are of other faces than the figures above: of the first network alone, on {faces}. "
        "These faces are in no other audit that keeps averages, so no face can be had by subtraction."
    )
    show_study_grid(audit, Filter.of_ages(audit.faces, "adults"))


def show_sources(study: Repeated) -> None:
    """Who made the data sets."""
    with st.expander("Whose faces these are"):
        terms.markdown("\n".join(f"- {escape.markdown(line)}" for line in words.credits_of(study)))
