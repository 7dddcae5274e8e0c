"""No name of a class or of an ethnicity, no side of the template and no grid of maps stands where it is not at home.

At home are they in `core/task.py`, `core/template.py`, the readers, and the texts that speak of gender as such. What
is left elsewhere is counted here, file by file, with its reason.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

from tests.helpers.shipped import ROOT

HOME = ("core/task.py", "core/template.py", "core/data/readers/", "core/wording.py", "core/present/text/")
CODE = ("core", "ui", "pages", "lookwhere", "train")
#: Names of the two genders, of their columns, and of ethnicities.
WORDS = re.compile(
    r"(?<![a-z])(?:fe)?male(?![a-z])|(?<![A-Za-z])(?:White|Black|Asian|Indian|Others|Caucasian|African-American)(?![a-z])"
)
ANY = re.compile(rf"male|112|7, 7|{WORDS.pattern}")
SIDES = (112, (7, 7))
#: What stays, and why: a number may fall, and none may rise.
LEFT: dict[str, tuple[int, str]] = {
    "core/analysis/findings/causes.py": (1, "the rule of a claim names the group of the experiment that was run"),
    "core/analysis/original_study.py": (16, "the original study's published figures, by its own groups"),
    "core/classifiers/imported/spec.py": (2, "fields that declarations of models have on disk"),
    "core/commands/declared_outputs.py": (6, "the help of the options --female and --male of import and table"),
    "core/commands/tables.py": (6, "the options --female and --male of table, as those of import"),
    "core/commands/models.py": (6, "the options --female and --male of import, which people have in their scripts"),
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
        elif isinstance(node, ast.Tuple):
            count += [getattr(part, "value", None) for part in node.elts] == [7, 7]
        elif isinstance(node, ast.Name | ast.Attribute | ast.arg | ast.keyword):
            name = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "arg", None)
            count += name is not None and bool(re.fullmatch(r"(?:logit_|p_|head_)?(?:fe)?male", name))
    return count


@cache
def found() -> Counter[str]:
    """The count of each file that has any, away from home."""
    counts: Counter[str] = Counter()
    for folder in CODE:
        for file in sorted((ROOT / folder).rglob("*.py")):
            name = file.relative_to(ROOT).as_posix()
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
    file.write_text('"""male"""\nx = f"called {1} female", (7, 7), 112, "Asian faces", "females"\ny = p_male\n')
    assert names_in(file) == 5
