"""YAML files of a person are read within bounds, and what is beyond them is one line that names the file."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from core.classifiers.imported.spec import declare
from core.errors import LookwhereError
from core.training.config_file import load_config
from core.yaml_file import read_yaml
from train.experiments import PLAN, Plan

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
BEYOND = {
    "aliases": BOMB,
    "merges": "base: &base {size: 3}\nother:\n  <<: *base\n",
    "digits": "seed: " + "9" * 5000,
    "hexadecimal": "seed: 0x" + "f" * 5000,
    "by sixty": "seed: 1" + ":59" * 2000,
    "deep": "[" * 5000,
    "deep mappings": "".join(" " * n + "a:\n" for n in range(200)),
    "long": "about: " + "x" * 20_000,
    "large": "# " + "x" * 1_100_000,
    "half a sign": 'about: "\\ud800"',
    "two": "--- a\n--- b\n",
    "tag": "!!python/object/apply:os.system [true]",
    "a tag of another kind": "about: !!bool x\n",
    "a tag of no time": "about: !!timestamp x\n",
    "a key with a tag of another kind": "!!bool x: 1\n",
    "bytes": "\udcff",
    "twice": "about: one\nabout: two\n",
    "twice within a list": "about: [{a: 1, b: 2, a: 3}]\n",
}


@pytest.mark.parametrize("kind", BEYOND)
def test_what_unfolds_or_runs_on_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "c.yaml"
    file.write_bytes(BEYOND[kind].encode("utf-8", "surrogateescape"))
    began = time.process_time()
    for read in (read_yaml, load_config, declare, Plan.read):
        with pytest.raises(LookwhereError, match=r"c\.yaml: not a readable YAML file") as refusal:
            read(file)
        assert "\n" not in str(refusal.value)
        assert len(str(refusal.value)) < 600
    assert time.process_time() - began < 2


def test_what_a_person_writes_is_read(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("a: [1, 2.5, 1e-3, yes, null]\nb: {c: 'text & more * x', long: " + "7" * 30 + "}\n")
    assert read_yaml(file) == {"a": [1, 2.5, "1e-3", True, None], "b": {"c": "text & more * x", "long": int("7" * 30)}}
    assert Plan.read(PLAN).content["name"] == "claims"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: claims", "name: ../claims"),
        ("seeds: [", "seeds: ['../x', "),
        ("  - name: ", "  - name: ../"),
        ("name: claims", "name: 5"),
    ],
)
def test_a_plan_names_no_folder_outside_its_own(tmp_path: Path, old: str, new: str) -> None:
    file = tmp_path / "plan.yaml"
    text = PLAN.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(LookwhereError, match=r"plan\.yaml"):
        Plan.read(file)


def test_a_file_without_an_end_is_not_read_to_it() -> None:
    """It has no size either; a process that read it on took all memory of the machine."""
    for read in (read_yaml, load_config, declare, Plan.read):
        with pytest.raises(LookwhereError, match="/dev/zero: not a readable YAML file"):
            read(Path("/dev/zero"))


@pytest.mark.parametrize(
    ("content", "key", "lines"),
    [
        ("seed: 1\n\nepochs: 2\nseed: 3\n", "seed", (4, 1)),
        ("a:\n  - {b: 1}\n  - c: 1\n    'c': 2\n", "c", (4, 3)),
        ("yes: 1\ntrue: 2\n", "true", (2, 1)),
    ],
)
def test_a_key_that_stands_twice_is_told_with_its_lines(
    tmp_path: Path, content: str, key: str, lines: tuple[int, int]
) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(content)
    with pytest.raises(LookwhereError) as told:
        read_yaml(file)
    second, first = lines
    assert f"line {second}: the key {key!r} is there twice, first in line {first}" in str(told.value)


def test_equal_keys_of_two_mappings_and_words_as_written_are_read(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("a: {b: 1}\nc: {b: 2}\n1: x\n'1': y\n")
    assert read_yaml(file) == {"a": {"b": 1}, "c": {"b": 2}, 1: "x", "1": "y"}
    file.write_text("yes: 1\ntrue: 2\n")
    assert read_yaml(file, as_written=True) == {"yes": "1", "true": "2"}
    file.write_text("")
    assert read_yaml(file) is None
