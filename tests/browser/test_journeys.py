"""Two strangers' journeys in a real chromium, from an empty `models/` on; the researcher's is in `test_runs`.

The auditor brings a table of somebody else's predictions and reads its gaps; the teacher opens the shipped study on a
telephone, taps for what a word means, and tries a photo. Each says how long it took.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from core.audit.run import run_audit
from core.classifiers.folder import load_model
from core.classifiers.imported import declare, import_model
from core.classifiers.imported.import_options import PredictionTable
from core.present.text.glossary import glossary
from tests.helpers.chromium import boxes, served, visit, wait, wait_for_figure
from tests.helpers.made_store import make_store
from tests.helpers.shipped import AUDIT, MODEL, shipped_or_skip

pytestmark = pytest.mark.browser
CUT = "document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder of models."""
    path = tmp_path_factory.mktemp("journeys") / "models"
    path.mkdir()
    return path


@pytest.fixture(scope="module")
def address(models: Path) -> Iterator[str]:
    """Where the app answers that reads this folder."""
    with served(models.parent / "app.log", LOOKWHERE_MODELS=str(models)) as url:
        yield url


def said(page) -> str:
    return page.get_by_test_id("stMain").inner_text()


def test_an_auditor_brings_predictions_of_somebody_elses(browser, address: str, models: Path, tmp_path: Path) -> None:
    start = time.monotonic()
    page, errors = visit(browser, f"{address}/overview", first="text=python -m core align")
    assert "for whom" in said(page).lower(), "an empty folder too says what this is"
    store = make_store(tmp_path / "store", faces=60)
    faces = store.faces
    scores = (faces["gender"] == "male") * 0.8 + 0.1
    scores[::7] = 1 - scores[::7]
    pd.DataFrame({"file": faces["path"], "p": scores}).to_csv(tmp_path / "scores.csv", index=False)
    folder = import_model(
        tmp_path / "scores.csv",
        "theirs",
        declare(score="probability", of="male"),
        models=models,
        table=PredictionTable(score_columns=("p",)),
    )
    run_audit(store, load_model(folder), ("all",), name="all")
    page.wait_for_selector(".lw-headline", timeout=60_000)  # without a reload
    wait(page)
    right = 1 - len(faces.iloc[::7]) / len(faces)
    page.goto(f"{address}/accuracy?model=theirs&audit=all&adults=false")
    wait(page)
    page.goto(f"{address}/overview?model=theirs&audit=all&adults=false")
    wait(page)
    wait_for_figure(page, f"{100 * right:.1f} %")
    page.goto(f"{address}/heatmaps?model=theirs&audit=all")
    page.get_by_text("were imported").first.wait_for(timeout=60_000)
    assert boxes(page) == errors == []
    page.close()
    print(f"the auditor took {time.monotonic() - start:.0f} s")


def test_a_teacher_reads_it_on_a_telephone(browser, address: str, models: Path) -> None:
    shipped_or_skip()
    start = time.monotonic()
    (models / MODEL.name).mkdir()
    for file in [path for path in MODEL.iterdir() if path.is_file()]:
        shutil.copy(file, models / MODEL.name)
    shutil.copytree(AUDIT, models / MODEL.name / "audits" / AUDIT.name)
    page, errors = visit(browser, f"{address}/?model={MODEL.name}&audit={AUDIT.name}", 390)
    assert "guesses the gender label of a face" in said(page)
    help_mark = page.locator(".lw-help").first
    assert glossary()["accuracy"] not in said(page)
    help_mark.click()
    assert page.get_by_text(glossary()["accuracy"]).is_visible()
    box = help_mark.locator("> span").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    for name in ("about", "heatmaps", "photo"):
        page.goto(f"{address}/{name}?model={MODEL.name}&audit={AUDIT.name}")
        wait(page)
        assert not page.evaluate(CUT), name
    page.get_by_test_id("stMain").locator("button").first.wait_for()
    assert "portrait" in said(page).lower()
    assert boxes(page) == errors == []
    page.close()
    print(f"the teacher took {time.monotonic() - start:.0f} s")
