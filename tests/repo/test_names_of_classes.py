"""No name of a class or of an ethnicity, no side of the template and no grid of maps stands where it is not at home.

At home are they in `core/task.py`, `core/template.py`, the readers and `core/wording.py`. What is left elsewhere, texts
that speak of gender as such among it, is counted here, file by file, with its reason.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.helpers.shipped import ROOT

HOME = ("core/task.py", "core/template.py", "core/data/readers/", "core/wording.py")
CODE = ("core", "ui", "pages", "lookwhere", "train")
#: Names of the two genders, of their faces, of their columns, and of ethnicities; the side as a sentence may tell it.
WORDS = re.compile(
    r"(?<![a-z])(?:(?:fe)?males?|[Ww]om[ae]n|[Mm][ae]n|[Gg]irls?|[Bb]oys?)(?![a-z])"
    r"|(?<![A-Za-z])(?:White|Black|Asian|Indian|Others|other-ethnicity|Caucasian|African-American)(?![a-z])"
    r"|(?<![\d#])112(?!\d)"
)
ANY = re.compile(rf"112|7, 7|men|man|{WORDS.pattern}")
#: Parts of a variable's or a column's name that tell a gender.
NAMES = frozenset(("female", "male", "females", "males", "woman", "women", "man", "men"))
SIDES = (112, (7, 7))
#: What stays, and why: a number may fall, and none may rise.
LEFT: dict[str, tuple[int, str]] = {
    "core/analysis/accuracy/equal_ages.py": (7, "women against men at equal ages, which finding 1a is of"),
    "core/analysis/accuracy/regression.py": (2, "the name of a term of the regression on gender, in JSON"),
    "core/analysis/comparison/board.py": (6, "the board is of gender classifiers, and has a column women − men"),
    "core/analysis/comparison/recipe.py": (1, "women less men of a recipe, asked where gender is the task"),
    "core/analysis/findings/accuracy.py": (24, "the original study's claims on women and men, of gender audits alone"),
    "core/analysis/findings/causes.py": (6, "the rule of a claim names the group of the experiment that was run"),
    "core/analysis/findings/diversity.py": (4, "a claim on women and men, of gender audits alone"),
    "core/analysis/original_study.py": (16, "the original study's published figures, by its own groups"),
    "core/audit/tried_settings.py": (7, "accuracy of women less that of men, kept on disk beside audits"),
    "core/classifiers/imported/spec.py": (2, "fields that declarations of models have on disk"),
    "core/commands/declared_outputs.py": (6, "the help of the options --female and --male of import and table"),
    "core/commands/tables.py": (6, "the options --female and --male of table, as those of import"),
    "core/commands/importing.py": (6, "the options --female and --male of import, which people have in their scripts"),
    "core/present/records/data.py": (2, "the settings' column women − men, in JSON"),
    "core/present/records/recipe.py": (4, "women less men of a recipe, where gender is the task, in JSON"),
    "core/present/text/board.py": (4, "the board's column women − men"),
    "core/present/text/diversity.py": (2, "the experiment on gender data sets says which way its maps' sign goes"),
    "core/present/text/findings.py": (2, "what the project's own networks say of women less men"),
    "core/present/text/method.py": (6, "women less men of a recipe, where gender is the task"),
    "core/present/text/original_study.py": (8, "what the original study was of, and its groups"),
    "core/present/text/repeated.py": (21, "the original study repeated, by its own groups"),
    "core/present/text/settings.py": (7, "the settings' column women − men"),
    "core/present/text/plain_findings.py": (7, "the original study's claim on women and men, of gender audits alone"),
    "core/present/text/unanswered.py": (6, "the original study's claim on women and men, of gender audits alone"),
    "ui/views/board.py": (6, "the board's column women − men"),
}


def names_in(file: Path) -> int:
    """How many words of classes and ethnicities, sides and grids the code of a file has; docstrings do not count."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    count = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in told:
            if isinstance(node.value, str):
                count += len(WORDS.findall(node.value))
            elif node.value in SIDES and not isinstance(node.value, bool):
                count += id(node) not in inside
        elif isinstance(node, ast.Tuple | ast.List):
            count += [getattr(part, "value", None) for part in node.elts] == [7, 7]
        elif isinstance(node, ast.Name | ast.Attribute | ast.arg | ast.keyword):
            name = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "arg", None)
            count += name is not None and not NAMES.isdisjoint(name.lower().split("_"))
    return count


@cache
def found(root: Path = ROOT) -> Counter[str]:
    """The count of each file that has any, away from home."""
    counts: Counter[str] = Counter()
    for folder in CODE:
        for file in sorted((root / folder).rglob("*.py")):
            name = file.relative_to(root).as_posix()
            # Most files have none, and are not worth a parse.
            if name.startswith(HOME) or not ANY.search(file.read_text(encoding="utf-8")):
                continue
            if n := names_in(file):
                counts[name] = n
    return counts


def test_no_name_of_a_class_or_side_of_the_template_is_new_where_it_is_not_at_home() -> None:
    more = {name: n for name, n in found().items() if n > LEFT.get(name, (0, ""))[0]}
    assert not more, f"ask the task (core/task.py) or the template (core/template.py) instead: {more}"


def test_what_is_allowed_is_still_there() -> None:
    assert {name: n for name, (n, _) in LEFT.items()} == dict(found()), "less is left: lower the number"
    assert all(reason for _, reason in LEFT.values())


def test_a_name_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(
        '"""male"""\nx = f"called {1} female", (7, 7), 112, "Asian faces", "females", "the 112-pixel square"\n'
    )
    assert names_in(file) == 6


@pytest.mark.parametrize(
    "planted",
    [
        'x = "Women are misjudged"', 'x = "50 men"', 'x = f"{1} girls"', 'x = y.p_male', 'x = men_called', 'x(women=1)',
        'x = "other-ethnicity faces"', 'x = "112 pixels"', "x = [7, 7]",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["core/present/text/gaps.py", "ui/views/overview.py", "train/__main__.py"])
def test_a_planted_name_is_seen_in_a_file_of_today(name: str, planted: str, tmp_path: Path) -> None:
    told = (ROOT / name).read_text(encoding="utf-8")
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text(f"{told}\n{planted}\n", encoding="utf-8")
    assert found(tmp_path) == {name: 1}


def test_what_is_no_name_is_not_taken_for_one(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text('x = "womenfolk", "#112233", "1124", "specimen", "Asians", "manifest", (7, 8)\ny = human.name\n')
    assert names_in(file) == 0
