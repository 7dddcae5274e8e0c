"""A stranger's journey in a real chromium: photos and a CSV, seen, aligned and audited from the page «Runs»."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from core.data.store import AlignedStore
from core.jobs.job import JobState, list_jobs
from core.photo.portraits import portraits
from tests.helpers.chromium import boxes, served, visit, wait, wait_for_figure
from tests.helpers.shipped import AUDIT, MODEL, shipped_or_skip

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Place:
    """Where the app answers, and the folders it works in."""

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
    for n, one in enumerate([*portraits(), *portraits()[:4]]):
        with Image.open(one.file) as image:
            image = image.convert("RGB")
            image = image if n < 8 else ImageOps.mirror(image).point(lambda value: int(value * 0.6))
            image.save(folder / f"{n:02}.jpg", quality=90)
        lines.append(f"{n:02}.jpg,{one.gender},{one.ethnicity},{one.age},{n}")
    (folder / "faces.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The app on a copy of the shipped model, with a folder of photos."""
    shipped_or_skip()
    root = tmp_path_factory.mktemp("runs")
    photos(root / "data/my-photos")
    (root / "models" / MODEL.name).mkdir(parents=True)
    for file in [one for one in MODEL.iterdir() if one.is_file()]:
        shutil.copy(file, root / "models" / MODEL.name)
    shutil.copytree(AUDIT, root / "models" / MODEL.name / "audits" / AUDIT.name)
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
    page.get_by_test_id("stMain").get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=value, exact=True).click()
    wait(page)


def until_done(page, place: Place, title: str, seconds: float = 150) -> None:
    """Returns once the page says that the job has finished."""
    page.get_by_text(f"{title} finished").first.wait_for(timeout=seconds * 1000)
    assert all(job.state is JobState.FINISHED for job in list_jobs(place.jobs).jobs)


def test_photos_of_ones_own_are_seen_aligned_and_audited_from_the_page(browser, place: Place) -> None:
    page, errors = visit(browser, f"{place.address}/runs")
    assert "Nothing was started yet" in page.locator('[data-testid="stMain"]').inner_text()
    choose(page, "Data set", "data/my-photos/faces.csv")
    press(page, "Start")
    until_done(page, place, "See a data set: faces.csv")
    said = page.get_by_test_id("stMain").inner_text()
    assert "manifest" in said and "12" in said

    choose_form(page, "Align")
    press(page, "Start")
    page.get_by_text("Align: my-photos").first.wait_for()
    page.reload()  # the job goes on
    wait(page)
    until_done(page, place, "Align: my-photos")
    assert len(AlignedStore.open(place.root / "aligned/my-photos").faces) == 12

    choose_form(page, "Audit")
    page.get_by_test_id("stMain").get_by_role("textbox", name="Name").fill("my-photos")
    choose(page, "Data", "aligned/my-photos")
    press(page, "Start")
    until_done(page, place, "Audit: my-photos")
    page.get_by_role("link", name="Open the audit").click()
    page.wait_for_url("**/overview?*audit=my-photos*")
    wait(page)
    manifest = json.loads((place.root / "models" / MODEL.name / "audits/my-photos/audit.json").read_text())
    assert manifest["faces"] == 12
    wait_for_figure(page, "12")
    assert boxes(page) == errors == []
    page.close()
