"""The recipes of docs/extend.md, followed to the letter in a copy of the project: what they add appears and passes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.audit.folder import open_audit
from core.data.readers import READERS
from core.present.text.evidence import evidence_report
from core.present.text.tables import audit_report
from tests.helpers.datasets_made import tree
from tests.helpers.made_study import Study, audited_models, made_study
from tests.helpers.shipped import MODEL, ROOT, shipped_or_skip
from tests.helpers.small_network import small_network

RECIPES = ROOT / "docs/extend.md"
COPIED = ("benchmarks", "core", "train", "ui", "pages", "lookwhere", "tests", ".streamlit", "docs")
#: The recipes in Python: the battery that each names, and the word by which it finds what was added.
BATTERIES = {
    "A reader": ("tests/core/data/readers/test_recognition.py", "two-folders"),
    "A statistic": ("tests/core/analysis/accuracy/test_group_statistics.py", "certainty"),
    "A page": ("tests/ui/views/test_battery.py", "children"),
    "An attribution method": ("tests/core/explain/test_methods.py", "gradient-rms"),
    "A check": ("tests/core/checks/test_definitions.py", "mirror"),
}
#: The first line of a part of a recipe: its file, and below which line of it where the file is there already.
PLACE = re.compile(r"^# (?P<file>[\w/]+\.py)(?:, after: (?P<line>.+))?\n", re.MULTILINE)


def section(recipe: str) -> str:
    """The text under the heading that begins so."""
    text = RECIPES.read_text(encoding="utf-8")
    return next(part for part in re.split(r"^## ", text, flags=re.MULTILINE) if part.startswith(recipe))


def blocks(recipe: str, language: str) -> list[str]:
    """The fenced blocks of a recipe."""
    return re.findall(rf"^```{language}\n(.*?)^```$", section(recipe), flags=re.MULTILINE | re.DOTALL)


def follow(recipe: str, project: Path) -> None:
    """Write the recipe's new files, and put its lines below those that it names."""
    (block,) = blocks(recipe, "python")
    places = list(PLACE.finditer(block))
    ends = [place.start() for place in places[1:]] + [len(block)]
    assert places[0].start() == 0
    for place, end in zip(places, ends, strict=True):
        file, part = project / place["file"], block[place.end() : end].rstrip("\n") + "\n"
        if place["line"] is None:
            assert not file.exists(), f"{file} is no new file"
            file.write_text(part, encoding="utf-8")
            continue
        lines = file.read_text(encoding="utf-8").splitlines()
        (number,) = [n for n, line in enumerate(lines) if line.strip() == place["line"]]
        indent = lines[number][: len(lines[number]) - len(lines[number].lstrip())]
        if lines[number].endswith(("(", "[", "{")):
            indent += "    "
        added = [indent + line if line else line for line in part.rstrip("\n").split("\n")]
        file.write_text("\n".join([*lines[: number + 1], *added, *lines[number + 1 :]]) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project without the shipped study, in which all recipes in Python have been followed."""
    copy = tmp_path_factory.mktemp("extended") / "project"
    for folder in COPIED:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("*.png"))
    for file in ("app.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / file, copy / file)
    shutil.copy(ROOT / "ui/shell/icon.png", copy / "ui/shell/icon.png")
    for recipe in BATTERIES:
        follow(recipe, copy)
    return copy


def run(project: Path, *arguments: object) -> str:
    """What `python ARGUMENTS` prints in the copy; it must succeed."""
    mine = {"LOOKWHERE_MODELS": str(MODEL.parent)}
    mine |= {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    # What a process compiles, the next one takes, on machines too where Python may not write beside the project.
    mine |= {"COLUMNS": "200", "PYTHONDONTWRITEBYTECODE": ""}
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, env=mine)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """One network, audited on 96 faces. A test may add an audit or checks to it, and changes nothing else."""
    with small_network():
        return made_study(tmp_path_factory.mktemp("study"), 96)


#: Runs what its argument says, a list of [name, words of a command]; prints for each what it printed, or its traceback.
#: One process imports torch and the project once for all of them. What a network computes is not looked at.
TRIED = """
import io, json, sys, traceback
from contextlib import redirect_stdout
from pathlib import Path
import pytest
from core.__main__ import main
from tests.helpers.pages import page, text
from tests.helpers.small_network import small_network
printed, small = {}, small_network()
small.__enter__()
for name, words in json.loads(sys.argv[1]):
    with redirect_stdout(io.StringIO()) as output:
        try:
            if words[0] == "page":
                with pytest.MonkeyPatch.context() as changed:
                    print(text(page(Path(words[1]), words[2], changed)))
            elif main(words):
                raise RuntimeError(f"{words} did not end well")
        except BaseException:
            printed[name] = {"failed": traceback.format_exc()}
        else:
            printed[name] = {"printed": output.getvalue()}
print(json.dumps(printed))
"""


@pytest.fixture(scope="module")
def printed(project: Path, study: Study, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """What a command printed in the copy, by its name here; the test that asks fails where the command did."""
    folder = tmp_path_factory.mktemp("tried")
    tree(folder / "data", ["faces_of_women/a.jpg", "faces_of_men/b.jpg", "faces_of_men/c.jpg"])
    model = ("--model", "made", "--models", study.models)
    which, data = (*model, "--audit", "made-all"), ("--data", study.store.path)
    commands = {
        "reader": ("datasets", "--check", folder / "data", "--json"),
        "show": ("show", *which),
        "report": ("report", *which, "--out", study.models / "report.html"),
        "page": ("page", study.models, "accuracy"),
        "check": ("check", *which, *data, "--parts", "mirror", "--sample", "60"),
        "audit": ("audit", *model, *data, "--name", "rms", "--maps", "gradient-rms", "--split", "all"),
    }
    words = json.dumps([(name, [str(word) for word in command]) for name, command in commands.items()])
    (project / "tried.py").write_text(TRIED, encoding="utf-8")
    ended = json.loads(run(project, "tried.py", words).splitlines()[-1])
    (project / "tried.py").unlink()

    def output(name: str) -> str:
        assert "printed" in ended[name], f"{commands[name]}: {ended[name]['failed']}"
        return ended[name]["printed"]

    return output


@pytest.mark.parametrize("recipe", BATTERIES)
def test_the_recipe_names_the_battery_that_finds_what_it_adds(recipe: str) -> None:
    file, word = BATTERIES[recipe]
    assert f"`python -m pytest {file} -k {word}`" in section(recipe)


def test_the_batteries_find_what_was_added_and_are_content(project: Path) -> None:
    shipped_or_skip()
    files, words = zip(*BATTERIES.values(), strict=True)
    printed = run(project, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", *files, "-k", " or ".join(words))
    assert "SKIPPED" not in printed, printed
    passed = [line for line in printed.splitlines() if line.startswith("PASSED")]
    for file, word in BATTERIES.values():
        assert any(file in line and word in line for line in passed), (file, word, printed)


def test_what_the_recipes_write_keeps_to_the_house(project: Path) -> None:
    """Ruff and the import contract are content."""
    run(project, "-m", "ruff", "check", "--no-cache", "core", "ui", "pages", "tests")
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_reader_is_listed_and_reads_a_tree(printed: Callable[[str], str]) -> None:
    assert "two-folders" not in READERS
    checked = json.loads(printed("reader"))
    assert checked["reader"] == "two-folders" and "3" in json.dumps(checked)


def test_a_statistic_stands_in_show_report_and_page(printed: Callable[[str], str], study: Study) -> None:
    p_male = study.audit.faces["p_male"]
    assert "mean certainty" not in audit_report(study.audit).lower()
    expected = f"{p_male.where(p_male > 0.5, 1 - p_male).mean():.1%}"
    shown = [line for line in printed("show").splitlines() if "mean certainty" in line.lower()]
    assert any(expected.replace("%", " %") in line for line in shown), (expected, shown)
    assert printed("report")
    assert "Mean certainty" in (study.models / "report.html").read_text(encoding="utf-8")
    assert "Mean certainty" in printed("page")


def test_a_method_makes_an_audit(printed: Callable[[str], str], study: Study) -> None:
    assert printed("audit")
    made = open_audit(study.models / "made/audits/rms")
    assert made.map_method == "gradient RMS" and made.evidence is not None


def test_a_check_is_run(printed: Callable[[str], str]) -> None:
    checked = printed("check")
    assert re.search(r"^Mirror image: (passes|fails)\. The map of the mirrored face .*rank correlation", checked, re.M)
    assert "-- mirror: mirror, n = " in checked


def test_a_region_keeps_the_partition_and_has_its_part_of_the_evidence(project: Path, tmp_path: Path) -> None:
    audited_models(tmp_path / "models", 600)
    which = ("--model", "made", "--audit", "all", "--ages", "all", "--models", tmp_path / "models")
    name = re.search(r"^python -m core (\S+) --model", section("A region"), re.MULTILINE)[1]
    assert "bridge" not in evidence_report(open_audit(tmp_path / "models/made/audits/all"))
    file = project / "core/explain/regions.json"
    before = file.read_text(encoding="utf-8")
    content = json.loads(before)
    place = [entry["name"] for entry in content["regions"]].index("nose")
    content["regions"][place : place + 1] = json.loads(blocks("A region", "json")[0])
    try:
        file.write_text(json.dumps(content), encoding="utf-8")
        assert "bridge" in run(project, "-m", "core", name, *which)
        printed = run(
            project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/core/explain/test_regions.py",
            "-k", "not no_holes and not from_top_to_bottom and not real_store",
        )  # fmt: skip
    finally:
        file.write_text(before, encoding="utf-8")
    assert "passed" in printed
