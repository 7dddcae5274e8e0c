"""What the documentation points to is there: links, files, commands, and the floors drawn from the import contract."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from core.__main__ import COMMANDS
from tests.helpers.shipped import ROOT
from ui.shell.navigation import PAGES as PAGES_OF_THE_APP

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)")
#: `core/data/store.py`, `docs/reproduce.md`: a path below one of our folders, in code or in prose.
NAMED = re.compile(r"`((?:core|ui|pages|train|lookwhere|tests|docs|notebooks|packaging|benchmarks)/[\w./-]+)`")
MODULE = re.compile(r"`((?:core|ui|train|lookwhere)(?:\.(?!(?:pth|rec|idx)`)[a-z_]+)+)(?:\.[A-Z_]\w*)*`")
COMMAND = re.compile(r"\b(?:python -m core|lookwhere)[ ]+([a-z]+)\b(?=[ `\n]+(?:-|PATH|`|\n|$)|\s+[\w./]+\.onnx)")
RUN = re.compile(r"python -m ((?:train|benchmarks)(?:\.\w+)?)")
#: Files that a recipe makes and a copy of the project has.
MADE = set(re.findall(r"^# ([\w/]+\.py)$", (ROOT / "docs/extend.md").read_text(encoding="utf-8"), re.MULTILINE))


def missing(pattern: re.Pattern[str], text: str, there: object) -> list[str]:
    return [name for name in pattern.findall(text) if not there(name)]


def is_module(name: str) -> bool:
    """Whether a dotted name is a module, or something that a module's text defines."""
    path = ROOT / name.replace(".", "/")
    if path.is_dir() or path.with_suffix(".py").is_file():
        return True
    file = path.parent.with_suffix(".py")
    file = file if file.is_file() else path.parent / "__init__.py"
    return file.is_file() and re.search(rf"\b{path.name}\b", file.read_text(encoding="utf-8")) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_files_modules_and_commands_of_a_page_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert missing(LINK, text, lambda name: (page.parent / name).exists()) == []
    assert missing(NAMED, text, lambda name: (ROOT / name).exists() or name in MADE) == []
    assert missing(MODULE, text, is_module) == []
    assert missing(COMMAND, text, {*COMMANDS, "train", "app"}.__contains__) == []
    assert missing(RUN, text, is_module) == []


def test_a_page_of_the_app_is_named_by_its_title() -> None:
    """In the documentation and in the code, a page «…» is one of the app's, or the recipe's."""
    titles = {entry.title for entry in PAGES_OF_THE_APP} | {"Children and adults"}
    files = [*PAGES, *(file for room in ("core", "ui", "pages", "train") for file in (ROOT / room).rglob("*.py"))]
    named = {
        (str(file.relative_to(ROOT)), title)
        for file in files
        for title in re.findall(r"\bpages? «([^»]+)»", " ".join(file.read_text(encoding="utf-8").split()))
    }
    assert ("docs/extend.md", "Accuracy breakdown") in named
    assert {(file, title) for file, title in named if title not in titles} == set()


def test_what_is_missing_is_found() -> None:
    text = "[a](no.md) [b](https://x.org/no.md) `core/no.py` `core.no.thing` `core.errors.LookwhereError`"
    assert missing(LINK, text, lambda name: (ROOT / name).exists()) == ["no.md"]
    assert missing(NAMED, text, lambda name: (ROOT / name).exists()) == ["core/no.py"]
    assert missing(MODULE, text, is_module) == ["core.no.thing"]
    assert COMMAND.findall("`python -m core frobnicate --model x` lookwhere is a package") == ["frobnicate"]


def test_the_floors_are_those_of_the_import_contract(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for name in ("docs/floors.py", "docs/architecture.md", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run([sys.executable, tmp_path / "docs/floors.py"], check=True)
    drawn = (tmp_path / "docs/architecture.md").read_text(encoding="utf-8")
    assert drawn == (ROOT / "docs/architecture.md").read_text(encoding="utf-8"), "run python docs/floors.py"
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    for layers in (one["layers"] for one in contracts if one["type"] == "layers"):
        for floor in layers:
            assert floor == "core" or all(room in drawn for room in re.split(r"\s*[|:]\s*", floor)), floor


def test_every_room_has_its_line() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rooms = {f"{file.parent.relative_to(ROOT).as_posix()}/" for file in ROOT.glob("core/*/__init__.py")}
    rooms |= {f"{file.parent.relative_to(ROOT).as_posix()}/" for file in ROOT.glob("ui/*/__init__.py")}
    assert len(rooms) > 12
    assert rooms - set(re.findall(r"^\| `([\w/]+/)` \|", text, re.MULTILINE)) == set()
    ground = next(line for line in text.splitlines() if line.startswith("| ground floor"))
    files = {file.stem for file in (ROOT / "core").glob("[a-z]*.py")}
    assert {name for name in files if name not in ground} == set()
