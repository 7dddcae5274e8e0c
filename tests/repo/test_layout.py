"""The plan of the house: imports point one way, files stay short, no face and no machine's path is tracked."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.shipped import ROOT

LONGEST = 400
#: `25_0_2_20170116174525125.jpg`: age, gender, ethnicity and date in the name, as UTKFace has them.
FACE_FILE = re.compile(r"(^|/)\d{1,3}_\d_(\d_)?\d{8,}[^/]*\.(jpe?g|png|webp|bmp)", re.IGNORECASE)
MACHINE_PATH = re.compile(r"(?<![\w.:/$}-])/(?:home|Users|root|work|mnt)/\w|\b[A-Z]:\\Users\\")
TEXT = {"", ".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".json", ".csv", ".sh", ".html", ".css", ".svg"}


def sources(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


def scripts() -> list[Path]:
    return [*ROOT.glob("*.py"), *sources("pages")]


def imported(file: Path) -> set[str]:
    """Full names of all that a file imports, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def packages(file: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(file)}


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so nothing is tracked")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_the_contracts_of_pyproject_hold() -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


def test_core_and_train_know_nothing_of_the_app_and_only_main_parses() -> None:
    for file in sources("core", "train"):
        forbidden = {"app", "pages", "streamlit", "ui"}
        if file.is_relative_to(ROOT / "core"):
            parses = file.name == "__main__.py" or file.parent.name == "commands"
            forbidden |= {"train"} | (set() if parses else {"argparse", "click", "tyro"})
        assert not packages(file) & forbidden, file


def test_nothing_imports_a_page_and_the_app_does_not_train() -> None:
    for file in [*scripts(), *sources("ui")]:
        assert not packages(file) & {"app", "pages", "train"}, file


def test_what_the_app_imports_of_core_needs_no_torch_and_not_what_is_slow() -> None:
    """Each of `slow` takes a new server longer to import than its first page to draw."""
    found = {name for file in [*scripts(), *sources("ui")] for name in imported(file) if name.startswith("core.")}
    modules = sorted(name for name in found if (ROOT / name.replace(".", "/")).with_suffix(".py").is_file())
    assert "core.analysis.maps.group_means" in modules
    slow = {"torch", "scipy.stats", "scipy.optimize", "scipy.sparse", "statsmodels", "matplotlib", "sklearn"}
    code = f"import sys, importlib; [importlib.import_module(m) for m in {modules}]; print({slow} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == ["set()"], done.stderr


def test_no_file_is_longer_than_400_lines() -> None:
    files = [*ROOT.glob("*.py"), *sources("core", "train", "ui", "pages", "lookwhere", "tests", "benchmarks")]
    lines = {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8").count("\n") for file in files}
    assert "core/data/faces.py" in lines
    assert {name: n for name, n in lines.items() if n > LONGEST} == {}


def test_no_test_module_imports_another() -> None:
    """What tests share lies in `tests/helpers`; code that a test runs as a process counts too."""
    other = re.compile(r"\b(?:from|import) tests[.](?!helpers\b)")
    for file in sources("tests"):
        names = {name for name in imported(file) if name.startswith("tests.")}
        assert {name for name in names if not name.startswith("tests.helpers")} == set(), file
        assert not other.search(file.read_text(encoding="utf-8")), file


def test_the_tests_mirror_the_code_folder_by_folder() -> None:
    """The tests of `core/data` lie in `tests/core/data`; what crosses rooms has folders of its own."""
    crossing = {"browser", "repo", "shipped", "whole"}
    folders = {file.parent.relative_to(ROOT / "tests") for file in sources("tests") if file.name.startswith("test_")}
    assert folders
    for folder in folders:
        assert folder.as_posix() in crossing or (ROOT / folder).is_dir(), folder


def test_no_face_of_utkface_is_tracked(tracked: list[str]) -> None:
    assert FACE_FILE.search("pictures/25_0_2_20170116174525125.jpg.chip.jpg")
    assert FACE_FILE.search("61_1_20170109150557335.jpg")
    assert [name for name in tracked if FACE_FILE.search(name)] == []


def test_no_path_of_one_machine_is_tracked(tracked: list[str]) -> None:
    for home in ("home", "Users", "root"):
        assert MACHINE_PATH.search(f"open('/{home}/me/faces.tar')")
    assert not MACHINE_PATH.search("https://example.org/home/page")
    found = {}
    for name in tracked:
        if Path(name).suffix in TEXT:
            text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
            found |= {f"{name}: {hit.group()}": hit for hit in MACHINE_PATH.finditer(text)}
    assert sorted(found) == []
