"""Every page of the list passes the battery, and so does one that is added by its three things."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ui.shell.downloads
import ui.shell.navigation
import ui.shell.page
import ui.views.accuracy
from core.analysis.accuracy.by_group import accuracy_by
from core.audit.run import run_audit
from core.checks import deletion
from core.checks.definitions import PARTS
from core.checks.run import run_checks
from core.classifiers.folder import load_model, save_model
from core.classifiers.imported import from_dict, import_model
from core.classifiers.resnet import GenderResNet
from core.data.faces import UNRECORDED
from core.data.filters import Filter
from core.present.figures import charts
from core.training.record import append_metrics
from tests.helpers.made_study import INFO, made_study
from tests.helpers.page_battery import BATTERY, Studies, open_page
from tests.helpers.small_network import small_network
from ui.shell.navigation import PAGES, Needs, PageEntry


@pytest.fixture(scope="module")
def _small() -> Iterator[None]:
    with small_network():
        yield


@pytest.fixture(scope="module")
def studies(_small: None, tmp_path_factory: pytest.TempPathFactory) -> Studies:
    root = tmp_path_factory.mktemp("studies")
    whole = made_study(root / "whole", names=("first", "second"), audit="all")
    with pytest.MonkeyPatch.context() as changed:  # fewer steps of what is slow
        changed.setattr(deletion, "REMOVED", np.array([0.3, 0.7]))
        changed.setattr(deletion, "RANDOM_ORDERS", 2)
        changed.setattr(deletion, "FRACTIONS", np.linspace(0, 1, 5))
        first = load_model(whole.models / "first")
        run_checks(whole.audit, first, whole.store, sample=40, draws=1, methods=("GradCAM",), parts=PARTS)
    (whole.models / "first/training").mkdir()
    append_metrics(whole.models / "first/training", {
        "epoch": 1, "size": 32, "dilated": True, "learning_rate": 1e-3, "train_loss": 0.7, "train_accuracy": 0.5,
        "val_loss": 0.7, "val_accuracy": 0.5, "worst_group_accuracy": 0.4, "worst_group": "female Black",
        "val_female_Black": 0.4, "images_per_second": 10.0, "seconds": 1.0})  # fmt: skip
    faces = whole.store.faces
    scores = (faces["gender"] == "male") * 0.8 + 0.1
    scores[::9] = 1 - scores[::9]
    pd.DataFrame({"file": faces["path"], "score": scores}).to_csv(root / "scores.csv", index=False)
    declared = from_dict({"score": "probability", "of": "male"})
    import_model(root / "scores.csv", "scores", declared, models=root / "predictions")
    run_audit(whole.store, load_model(root / "predictions/scores"), ("all",), name="all")
    bare = made_study(root / "bare", 120, columns={"ethnicity": UNRECORDED, "age": pd.NA})
    save_model(root / "unaudited/first", GenderResNet(), INFO)
    (root / "nothing").mkdir()
    no_face = {"gender": "female", "ethnicity": "Asian", "split": "test", "age": ["0", "3"]}
    assert not Filter(("female",), ("Asian",), 0, 3, split=("test",)).mask(whole.audit.faces).any()
    return Studies(whole.models, root / "predictions", bare.models, root / "unaudited", root / "nothing", no_face)


@pytest.mark.parametrize("check", BATTERY, ids=lambda check: check.__name__)
@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.file)
def test_a_page_passes(entry: PageEntry, check, studies: Studies) -> None:
    check(entry, studies)


# A page costs three things: its file, a view, a line of the list.

PAGE = '''"""How often the model is right about children and about adults."""

from {views}.children import by_age, children_sentence, show_children
from {page} import page

with page(outcome=False) as p:
    table = by_age(p.faces)
    p.headline(children_sentence(table))
    show_children(table)
'''
VIEW = '''"""The page «Children and adults»."""

import pandas as pd

import {downloads} as downloads
from {charts} import accuracy_dots
from {statistics} import accuracy_by


def by_age(faces: pd.DataFrame) -> pd.DataFrame:
    """Accuracy by age band; no row where no age is recorded."""
    return accuracy_by(faces.dropna(subset="age"), ["age band"])


def children_sentence(table: pd.DataFrame) -> str:
    """The page's headline."""
    if table.empty:
        return "No age is recorded of these faces."
    first, last = table.iloc[0], table.iloc[-1]
    return f"Right about {{first['accuracy']:.1%}} of the youngest and {{last['accuracy']:.1%}} of the oldest faces."


def show_children(table: pd.DataFrame) -> None:
    """A dot an age band, and the table to download."""
    if len(table):
        chart = accuracy_dots(table, list(table["age band"]), None, table["accuracy"].mean())
        downloads.chart(chart, "children", "accuracy by age")
        downloads.table(table, "children", "accuracy by age")
'''
LINE = PageEntry(
    file="children",
    title="Children and adults",
    icon="child_care",
    section="For whom",
    description="how often the model is right about each",
)


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PageEntry:
    """The page's three things, written where pages and views are looked for."""
    views = sys.modules[ui.views.accuracy.__name__.rpartition(".")[0]]
    shutil.copytree(ui.shell.navigation.PAGES_FOLDER, tmp_path / "pages")
    (tmp_path / "views").mkdir()
    (tmp_path / "pages/children.py").write_text(PAGE.format(views=views.__name__, page=ui.shell.page.__name__))
    modules = {
        "downloads": ui.shell.downloads.__name__,
        "charts": charts.__name__,
        "statistics": accuracy_by.__module__,
    }
    (tmp_path / "views/children.py").write_text(VIEW.format(**modules))
    monkeypatch.setattr(views, "__path__", [*views.__path__, str(tmp_path / "views")])
    monkeypatch.setattr(ui.shell.navigation, "PAGES_FOLDER", tmp_path / "pages")
    monkeypatch.setattr(ui.shell.navigation, "PAGES", (*PAGES, LINE))
    yield LINE
    sys.modules.pop(f"{views.__name__}.children", None)


def test_a_page_added_by_its_three_things_is_in_the_navigation_and_passes(
    added: PageEntry, studies: Studies, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared: dict[str, list] = {}
    real = ui.shell.navigation.st.navigation
    monkeypatch.setattr(
        ui.shell.navigation.st, "navigation", lambda pages, **more: (declared.update(pages), real(pages, **more))[1]
    )
    for check in BATTERY:
        check(added, studies)
    before = [one.title for one in PAGES if one.section == "For whom"]
    assert [one.title for one in declared["For whom"]] == [*before, added.title]
    assert f"| {added.title} | {added.description} |" in ui.shell.navigation.readme_table()
    items = open_page(added, studies.whole).session_state["downloads"].items
    assert set(items) == {"figure children", "table children"}


def test_the_battery_finds_a_page_that_does_not_keep_to_it(added: PageEntry, studies: Studies, tmp_path: Path) -> None:
    """A page without a headline, one that fails, and one that draws a chart past the downloads."""
    file = tmp_path / "pages/children.py"
    good = file.read_text()
    for bad in (
        good.replace("    p.headline(children_sentence(table))\n", ""),
        good + "    raise ValueError\n",
        good + "    import streamlit as st\n\n    st.plotly_chart({})\n",
    ):
        assert bad != good
        file.write_text(bad)
        with pytest.raises(AssertionError):
            BATTERY[0](added, studies)
    assert added.needs is Needs.AUDIT
