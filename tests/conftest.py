"""Fixtures: real faces where UTKFace is at hand, and small made stores everywhere."""

from __future__ import annotations

import functools
import gc
import itertools
import os
import shutil
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import local_script_runner

from core.audit.folder import Audit, open_audit
from core.data import build_store as store_building
from core.data.readers import READERS
from core.data.sources import open_source
from core.data.store import AlignedStore
from core.training.record import Status, append_metrics, write_status
from tests.helpers.chromium import chromium, served
from tests.helpers.made_store import make_store
from tests.helpers.made_study import made_study
from tests.helpers.shipped import AUDIT, ROOT, shipped_or_skip
from ui.shell import visitor

# Modules and tests are hundreds of thousands of objects. Garbage collection went through them again and again, which
# took a third of the time of collecting the tests and of running pages; now it sees only what a test makes.
gc.disable()

#: Words in the paths of tests that take longest; these begin first, so that no process is left alone with one of them.
LONGEST = ("browser", "train", "whole")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two processes a core, for a third of a process's time is waiting: for a browser, a lock, a job, the disk."""
    return 2 * (os.cpu_count() or 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, of each kind in turn, so that browsers do not all run at once; the order within a file
    stays."""
    files: dict[str, list[Path]] = {word: [] for word in LONGEST}
    for path in dict.fromkeys(item.path for item in items):
        for word in LONGEST:
            if word in path.relative_to(ROOT).as_posix():
                files[word].append(path)
                break
    turns = (path for turn in itertools.zip_longest(*files.values()) for path in turn if path is not None)
    place = {path: n for n, path in enumerate(turns)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


def pytest_collection_finish() -> None:
    """What was imported lives to the end."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def packages_are_scanned_once() -> Iterator[None]:
    """AppTest reads the metadata of all installed packages for each app it makes: half of the time of a page's test."""
    with pytest.MonkeyPatch.context() as patch:
        scan = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield


@pytest.fixture(scope="session", autouse=True)
def visitors_sit_at_this_machine() -> Iterator[None]:
    """AppTest's requests have no header, so that they could be anybody's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(visitor, "request_headers", lambda: {"Host": "localhost"})
        yield


@pytest.fixture(scope="session", autouse=True)
def pages_are_waited_for_asleep() -> Iterator[None]:
    """AppTest looks every millisecond whether a page's script has ended, and takes the interpreter from it each time: a
    third of the processor time of a page's test. Here it sleeps until the script's thread has ended."""
    with pytest.MonkeyPatch.context() as patch:
        look = local_script_runner.require_widgets_deltas

        def wait(runner: local_script_runner.LocalScriptRunner, timeout: float = 3) -> None:
            runner._script_thread.join(timeout)
            look(runner, 1)  # it stops a script that has not ended, and says so

        patch.setattr(local_script_runner, "require_widgets_deltas", wait)
        yield


def build_once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], object]) -> Path:
    """A folder for the whole run: the first process that needs it builds it, all others wait and take it as it is."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, finished = base / "shared" / name, base / "shared" / f"{name}.finished"
    folder.parent.mkdir(exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            build(folder)
            finished.touch()
    return folder


ARCHIVE = Path(os.environ.get("UTKFACE", ROOT.parent / "shared/data/UTKFace.tar.gz"))
REAL_FACES = 120


@pytest.fixture(scope="session")
def utkface_archive() -> Path:
    """The real archive. Without it the test is skipped on a user's machine, and fails in CI."""
    if ARCHIVE.is_file():
        return ARCHIVE
    if os.environ.get("CI"):
        pytest.fail(f"{ARCHIVE} is missing, and CI must not skip the tests that need it")
    pytest.skip(f"needs UTKFace: put UTKFace.tar.gz at {ARCHIVE} or name it in $UTKFACE")


@pytest.fixture(scope="session")
def real_folder(utkface_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 120 real chips, spread over the whole archive; outside the project, gone after the run."""

    def extract(folder: Path) -> None:
        folder.mkdir()
        with tarfile.open(utkface_archive) as archive:
            members = [m for m in archive if m.isfile() and m.name.count("_") == 3]
            for member in members[:: len(members) // REAL_FACES][:REAL_FACES]:
                (folder / Path(member.name).name).write_bytes(archive.extractfile(member).read())

    return build_once(tmp_path_factory, "utkface", extract)


@pytest.fixture
def made_store(tmp_path: Path) -> AlignedStore:
    """64 noise faces, splits of every kind."""
    return make_store(tmp_path / "store")


@pytest.fixture(scope="session")
def real_store(real_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> AlignedStore:
    """The 120 real chips, copied faces dropped, aligned as `python -m core align` does it. Do not change it."""

    def align(folder: Path) -> None:
        store_building.build_store(open_source(real_folder), READERS["utkface"], folder)

    return AlignedStore.open(build_once(tmp_path_factory, "aligned", align))


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Audit]:
    """A models folder with one untrained network, audited on 480 noise faces, and its audit. Do not change it."""

    def build(folder: Path) -> None:
        training = made_study(folder, 480).models / "made/training"
        training.mkdir()
        append_metrics(training, {"epoch": 1, "size": 32, "dilated": True, "learning_rate": 1e-3, "train_loss": 0.7,
                                  "train_accuracy": 0.5, "val_loss": 0.7, "val_accuracy": 0.5,
                                  "worst_group_accuracy": 0.4, "worst_group": "female Black",
                                  "val_female_Black": 0.4, "val_male_White": 0.6, "images_per_second": 10.0,
                                  "seconds": 1.0})  # fmt: skip
        write_status(training, Status("running", 1, 3, 2, 4, 10.0, 65.0, 0.7, time.time()))

    models = build_once(tmp_path_factory, "study", build) / "models"
    return models, open_audit(models / "made/audits/made-all")


@pytest.fixture(scope="session")
def shipped_audit() -> Audit:
    """The audit of the shipped study. Do not change it."""
    shipped_or_skip()
    return open_audit(AUDIT)


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """A real chromium."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="session")
def address(shipped_audit: Audit, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the app serves the shipped study."""
    with served(tmp_path_factory.mktemp("app") / "streamlit.log") as url:
        yield url
