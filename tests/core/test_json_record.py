"""Typed records of JSON files: what is read is what is written, and damage is told with file, key and mend."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import LookwhereError
from core.jobs.job import Job
from core.json_record import Correlation, JsonRecord, Positive, Share, Signed, parsed
from tests.helpers.shipped import ROOT

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_subnormal=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, kw_only=True)
class Part(JsonRecord):
    name: str
    share: float = 0.5
    mean: float | None = None
    accuracy: float | None = None
    correct: Share | None = None


@dataclass(frozen=True, kw_only=True)
class Thing(JsonRecord):
    format: int = 3
    title: str
    size: tuple[int, int] | None = None
    colour: Colour = Colour.RED
    done: bool = False
    part: Part | None = None
    parts: tuple[Part, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    anything: object = None

    FORMAT: ClassVar = 3
    MEND: ClassVar = "make it again"
    ALWAYS: ClassVar = ("format", "colour")


@dataclass(frozen=True, kw_only=True)
class Drawn(JsonRecord):
    begin: Signed
    seed: int = 0


WHOLE = {
    "format": 3, "title": "a", "size": [1, 2], "colour": "blue", "done": True, "part": {"name": "p", "share": 1},
    "parts": [{"name": "q", "more": [1]}], "counts": {"x": 4}, "anything": {"deep": [None]}, "unknown": {"kept": 1.5},
}  # fmt: skip


def told(content: object, tmp_path: Path) -> str:
    file = tmp_path / "thing.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(LookwhereError) as caught:
        Thing.from_json(file)
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert message.endswith("; make it again")
    assert "\n" not in message
    return message


def test_what_is_read_is_what_is_written_in_its_order() -> None:
    for content in (
        WHOLE,
        dict(reversed(WHOLE.items())),
        {"title": "b", "format": 3},
        {"format": 3, "title": "", "size": None},
    ):
        assert list(Thing.from_json(content).to_json().items()) == list(content.items())


@given(st.dictionaries(st.text().filter(lambda key: key not in Thing.__dataclass_fields__), JSON, max_size=4))
def test_keys_that_nobody_knows_are_kept(unknown: dict) -> None:
    content = {"format": 3, "title": "t"} | unknown
    thing = Thing.from_json(content)
    assert thing.to_json() == content
    assert replace(thing, done=True).to_json() == content | {"done": True}


def test_values_have_the_types_of_their_fields() -> None:
    thing = Thing.from_json(WHOLE)
    assert (thing.size, thing.colour, thing.done) == ((1, 2), Colour.BLUE, True)
    assert (thing.part.share, thing.parts[0].name, thing.counts) == (1, "q", {"x": 4})
    assert thing.parts[0].unknown_keys == {"more": [1]}


def test_a_number_that_is_not_known_may_be_nan() -> None:
    assert Part.from_json({"name": "p", "mean": math.nan}).mean is None


def test_what_a_number_may_be_is_told_by_its_type_and_not_by_its_keys_name() -> None:
    """`seed` is a count here, and `accuracy` any number, for the classes say so."""
    assert Drawn.from_json({"begin": -3}).begin == -3
    assert Part.from_json({"name": "p", "accuracy": 1.5, "correct": 1}).accuracy == 1.5
    with pytest.raises(LookwhereError, match=r"^Drawn: seed must be a whole number of 0 to 2e\+19, not -3$"):
        Drawn.from_json({"begin": 1, "seed": -3})
    with pytest.raises(LookwhereError, match=r"^Drawn: begin must be a whole number to ±2e\+19, not -1000"):
        Drawn.from_json({"begin": -(10**30)})


def test_every_accuracy_seed_and_exit_code_of_the_project_has_its_type() -> None:
    files = [file for file in (ROOT / "core").rglob("*.py") if "(JsonRecord)" in file.read_text(encoding="utf-8")]
    modules = [
        importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
        for file in files
    ]
    records = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, JsonRecord) and value is not JsonRecord
    }
    expected = {"accuracy": Share, "share": Share, "seed": Signed, "code": Signed}
    assert len(records) > 20
    for record in records:
        for name, kind in get_type_hints(record, include_extras=True).items():
            bare = {int, float} & {kind, *(() if get_origin(kind) is Annotated else get_args(kind))}
            word = next((word for word in expected if word in name.split("_")), None)
            assert word is None or not bare, f"{record.__name__}.{name} is no {expected[word]}"


def test_the_exit_code_of_a_job_that_a_signal_ended_is_below_0() -> None:
    job = {"format": 1, "id": "a", "program": "core", "arguments": [], "directory": "/", "title": "t", "queued": 1.0}
    assert Job.from_json(job | {"state": "interrupted", "code": -15}).code == -15


def test_a_new_record_writes_what_always_stands_there_and_what_is_no_default() -> None:
    assert Thing(title="t").to_json() == {"format": 3, "title": "t", "colour": "red"}
    assert Thing(title="t", parts=(Part(name="p"),)).to_json()["parts"] == [{"name": "p"}]


def test_the_order_of_keys_makes_no_other_record() -> None:
    assert Thing.from_json(WHOLE) == Thing.from_json(dict(reversed(WHOLE.items())))
    assert Thing.from_json(WHOLE) != Thing.from_json(WHOLE | {"unknown": 2})


#: As a line shows 10**400.
HUGE = f"1{17 * '0'}...{19 * '0'}"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"title": 4}, "title must be a text, not 4"),
        ({"size": [1]}, "size must be a list of 2, not [1]"),
        ({"size": [1, "2"]}, "size[1] must be a whole number, not '2'"),
        ({"size": [1, True]}, "size[1] must be a whole number, not True"),
        ({"size": 7}, "size must be a list, not 7"),
        ({"colour": "green"}, "colour must be one of red, blue, not 'green'"),
        ({"colour": None}, "colour must be one of red, blue, not None"),
        ({"done": "yes"}, "done must be true or false, not 'yes'"),
        ({"part": {"name": "p", "share": "half"}}, "part.share must be a number, not 'half'"),
        (
            {"part": {"name": "p", "share": 10**400}},
            f"part.share must be a finite number, not 1{17 * '0'}...{19 * '0'}",
        ),
        ({"part": {}}, "lacks part.name"),
        ({"parts": [{"name": "p"}, 3]}, "parts[1] must be an object, not 3"),
        ({"counts": {"x": 1.5}}, "counts.x must be a whole number, not 1.5"),
        ({"counts": {"x": -1}}, "counts.x must be a whole number of 0 to 2e+19, not -1"),
        ({"size": [1, 10**30]}, f"size[1] must be a whole number of 0 to 2e+19, not {10**30}"),
        ({"part": {"name": "p", "share": math.nan}}, "part.share must be a finite number, not nan"),
        ({"part": {"name": "p", "correct": -1}}, "part.correct must be a share of 0 to 1, not -1"),
        ({"part": {"name": "p", "correct": 1.5}}, "part.correct must be a share of 0 to 1, not 1.5"),
        ({"part": {"name": "p", "correct": "all"}}, "part.correct must be a number, not 'all'"),
        ({"part": {"name": "p", "correct": True}}, "part.correct must be a number, not True"),
        ({"part": {"name": "p", "mean": math.inf}}, "part.mean must be a finite number, not inf"),
        ({"part": {"name": "p", "share": -math.inf}}, "part.share must be a finite number, not -inf"),
        ({"counts": []}, "counts must be an object, not []"),
        ({"format": 4}, "format 4, this version reads 3"),
    ],
)
def test_a_wrong_type_is_told_with_its_key_and_the_mend(change: dict, says: str, tmp_path: Path) -> None:
    assert f": {says}; make it again" in told(WHOLE | change, tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "not valid JSON"),
        ("", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "format None, this version reads 3"),
        ("null", "format None, this version reads 3"),
        ({"format": 3}, "lacks title"),
        ({"title": "t"}, "format None"),
    ],
)
def test_nonsense_is_told_in_one_line(content: object, says: str, tmp_path: Path) -> None:
    assert says in told(content, tmp_path)


def test_a_file_that_is_no_text_or_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "thing.json").write_bytes(b"\xff\xfe{}")
    for file in (tmp_path / "thing.json", tmp_path / "nowhere.json", tmp_path):
        with pytest.raises(LookwhereError, match="; make it again") as caught:
            Thing.from_json(file)
        assert str(file) in str(caught.value)


def test_a_part_without_a_file_names_what_it_is() -> None:
    with pytest.raises(LookwhereError, match=r"^Part: lacks name$"):
        Part.from_json({})


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": "\\ud800"}', '{"\\uDFFF": 1}', '"\\udc00\\ud83d"'])
def test_json_that_cannot_be_read_or_written_is_a_value_error(text: str, tmp_path: Path) -> None:
    """Half a sign can be shown on no page; 100,000 lists within each other are a `RecursionError` to Python."""
    with pytest.raises(ValueError):
        parsed(text)
    assert "thing.json: not valid JSON" in told(text, tmp_path)


def test_a_whole_sign_of_two_halves_is_text() -> None:
    assert parsed('"\\ud83d\\ude00 \\\\ud800"') == "\U0001f600 \\ud800"


@dataclass(frozen=True, kw_only=True)
class Manifest(JsonRecord):
    title: str
    seconds: Positive = 0.0
    likeness: Correlation | None = None

    CLOSED: ClassVar = True
    MEND: ClassVar = "make it again"


def test_a_manifest_with_keys_that_its_format_has_not_is_told() -> None:
    assert Manifest.from_json({"title": "a"}).title == "a"
    with pytest.raises(LookwhereError, match=r"m\.json: has '<b>' in it, which this version does not know; make it"):
        Manifest.from_json({"title": "a", "<b>": 1}, "m.json")
    with pytest.raises(LookwhereError) as error:
        Manifest.from_json({"title": "a", "x" * 10_000: 1}, "m.json")
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(("key", "value"), [("seconds", -1.0), ("likeness", 1.5), ("likeness", -2), ("seconds", 1e400)])
def test_times_and_correlations_are_within_their_bounds(key: str, value: float) -> None:
    with pytest.raises(LookwhereError, match=key):
        Manifest.from_json({"title": "a", key: value}, "m.json")
