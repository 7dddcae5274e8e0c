"""A stranger's journey in a real chromium, from an empty `models/` on: photos, a CSV and a model of one's own.

All from the page «Runs»: photos are seen and aligned, the model is imported and audited on them, the pages are read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from core.data.store import AlignedStore
from core.jobs.job import JobState, list_jobs
from core.photo.portraits import portraits
from tests.helpers.chromium import boxes, served, visit, wait, wait_for_figure
from tests.helpers.onnx_made import DECLARED, small_onnx

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Place:
    """Where the app answers, and the folders it works in; `models` is empty at first."""

    address: str
    root: Path

    @property
    def jobs(self) -> Path:
        """The folder of jobs."""
        return self.root / "jobs"


def photos(folder: Path) -> None:
    """Twelve photos and their table: the eight portraits, and four of them mirrored and darker."""
    folder.mkdir(parents=True)
    lines = ["path,gender,ethnicity,age,identity"]
    for n, portrait in enumerate([*portraits(), *portraits()[:4]]):
        with Image.open(portrait.file) as image:
            image = image.convert("RGB")
            image = image if n < 8 else ImageOps.mirror(image).point(lambda value: int(value * 0.6))
            image.save(folder / f"{n:02}.jpg", quality=90)
        lines.append(f"{n:02}.jpg,{portrait.gender},{portrait.ethnicity},{portrait.age},{n}")
    (folder / "faces.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The app without any model, with a folder of photos and an ONNX file."""
    root = tmp_path_factory.mktemp("runs")
    photos(root / "data/my-photos")
    (root / "models").mkdir()
    (root / "data/my-model").mkdir()
    small_onnx(root / "data/my-model/mine.onnx")
    variables = {
        "LOOKWHERE_MODELS": root / "models",
        "LOOKWHERE_JOBS": root / "jobs",
        "LOOKWHERE_STORES": root / "aligned",
        "LOOKWHERE_DATA_ROOTS": root / "data",
    }
    with served(root / "app.log", **{name: str(path) for name, path in variables.items()}) as url:
        yield Place(url, root)


def press(page, name: str) -> None:
    page.get_by_test_id("stMain").get_by_role("button", name=name, exact=True).click()


def choose_form(page, name: str) -> None:
    main = page.get_by_test_id("stMain")
    main.get_by_role("radio", name=name).or_(main.get_by_role("button", name=name, exact=True)).first.click()
    wait(page)


def choose(page, label: str, value: str) -> None:
    """Choose a value of a selectbox."""
    from playwright.sync_api import TimeoutError

    option = page.get_by_role("option", name=value, exact=True)
    for _ in range(4):
        page.get_by_test_id("stMain").get_by_role("combobox", name=label).click()
        try:
            option.click(timeout=10_000)
            break
        except TimeoutError:  # a run of the page that ended meanwhile has closed the list
            page.keyboard.press("Escape")
    wait(page)


def fill(page, kind: str, **values: object) -> None:
    """Write into text boxes («textbox») or numbers («spinbutton»), by their labels, «_» for a blank."""
    for label, value in values.items():
        field = page.get_by_test_id("stMain").get_by_role(kind, name=label.replace("_", " "), exact=True)
        field.fill(str(value))
        field.press("Tab")
        wait(page)


def until_done(page, place: Place, title: str, seconds: float = 150) -> None:
    """Returns once the page says that the job has finished."""
    page.get_by_text(f"{title} finished").first.wait_for(timeout=seconds * 1000)
    assert all(job.state is JobState.FINISHED for job in list_jobs(place.jobs).jobs)


def test_photos_of_ones_own_are_seen_aligned_and_audited_from_the_page(browser, place: Place) -> None:
    start = time.monotonic()
    page, errors = visit(browser, f"{place.address}/overview", first="text=Without a shell")
    page.goto(f"{place.address}/runs")
    wait(page)
    assert "Nothing was started yet" in page.locator('[data-testid="stMain"]').inner_text()
    choose(page, "Data set", "data/my-photos/faces.csv")
    press(page, "Start")
    until_done(page, place, "See a data set: faces.csv")
    page_text = page.get_by_test_id("stMain").inner_text()
    assert "manifest" in page_text and "12" in page_text

    choose_form(page, "Align")
    press(page, "Start")
    page.get_by_text("Align: my-photos").first.wait_for()
    page.reload()  # the job goes on
    wait(page)
    until_done(page, place, "Align: my-photos")
    assert len(AlignedStore.open(place.root / "aligned/my-photos").faces) == 12

    choose_form(page, "Import")
    choose(page, "File", "data/my-model/mine.onnx")
    choose(page, "Score", "logits")
    fill(page, "spinbutton", Output_that_is_female=0, Output_that_is_male=1)
    numbers = {name.capitalize(): " ".join(map(str, getattr(DECLARED, name))) for name in ("size", "mean", "std")}
    fill(page, "textbox", Name="mine", **numbers)
    press(page, "Start")
    until_done(page, place, "Import: mine")

    choose_form(page, "Audit")
    choose(page, "Aligned store", "aligned/my-photos")
    fill(page, "textbox", Name="my-photos")
    press(page, "Start")
    until_done(page, place, "Audit: my-photos")
    page.get_by_role("link", name="Open the audit").click()
    page.wait_for_url("**/overview?*audit=my-photos*")
    wait(page)
    manifest = json.loads((place.root / "models/mine/audits/my-photos/audit.json").read_text())
    assert (manifest["faces"], manifest["precision"]) == (12, "float32")
    wait_for_figure(page, "12")
    for name in ("accuracy", "heatmaps"):
        page.goto(f"{place.address}/{name}?model=mine&audit=my-photos")
        wait(page)
        assert page.locator(".lw-headline").inner_text()
    assert boxes(page) == errors == []
    page.close()
    print(f"the researcher took {time.monotonic() - start:.0f} s")
