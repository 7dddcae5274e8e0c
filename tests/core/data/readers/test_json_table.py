"""Labels in JSON: an object a line, or one list of objects."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.data.readers import choose_reader
from core.data.sources import open_source
from core.data.sources.base import HEAD_BYTES
from core.errors import LookwhereError
from tests.helpers.datasets_made import labels_of, tree

ROWS = [{"path": "1.jpg", "gender": "f"}, {"path": "2.jpg", "gender": "m", "age": 30}]


def genders(path: Path) -> dict:
    source = open_source(path)
    return labels_of(choose_reader(source).read(source), "gender")


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ["manifest.json", "manifest.jsonl", "faces.jsonl"])
@pytest.mark.parametrize("itself", [True, False])
def test_one_list_of_objects_is_read_as_lines_are(tmp_path: Path, name: str, indent: int | None, itself: bool) -> None:
    folder = tree(tree(tmp_path, ["1.jpg", "2.jpg"]), {name: "\ufeff " + json.dumps(ROWS, indent=indent)})
    assert genders(folder / name if itself else folder) == {"1.jpg": "female", "2.jpg": "male"}


@pytest.mark.parametrize("letter", ["\u2028", "\u2029", "\x85", "\x0b", "\x1c"])
def test_a_letter_that_ends_a_line_elsewhere_may_stand_inside_a_text(tmp_path: Path, letter: str) -> None:
    lines = [json.dumps(row | {"note": f"a{letter}b"}, ensure_ascii=False) for row in ROWS]
    tree(tree(tmp_path, ["1.jpg", "2.jpg"]), {"manifest.jsonl": "\r\n".join(lines) + "\r\n"})
    assert genders(tmp_path) == {"1.jpg": "female", "2.jpg": "male"}


@pytest.mark.parametrize("listed", [True, False])
def test_the_first_object_may_leave_out_what_it_does_not_know(tmp_path: Path, listed: bool) -> None:
    rows = [{"path": "1.jpg"}, ROWS[1]]
    content = json.dumps(rows) if listed else "".join(json.dumps(row) + "\n" for row in rows)
    tree(tree(tmp_path, ["1.jpg", "2.jpg"]), {"manifest.jsonl": content})
    source = open_source(tmp_path)
    reading = choose_reader(source).read(source)
    assert labels_of(reading, "gender") == {"2.jpg": "male"}
    assert reading.rejects.to_numpy().tolist() == [["1.jpg", "no gender"]]


def test_the_columns_of_a_long_list_are_known_from_its_beginning(tmp_path: Path) -> None:
    rows = [{"path": f"{n}.jpg", "gender": "f", "note": "x" * 1_000} for n in range(HEAD_BYTES // 1_000 + 20)]
    tree(tree(tmp_path, ["1.jpg", "2.jpg"]), {"manifest.json": json.dumps(rows)})
    assert genders(tmp_path) == {"1.jpg": "female", "2.jpg": "female"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[]", "row 1: not a JSON object"),
        ("[1, 2]", "row 1: not a JSON object"),
        ('{\n"path": "1.jpg",\n"gender": "f"}', "row 1: not a JSON object; write an object a line, or one list"),
        ('{"path": "1.jpg", "gender": "f"}\n[1]\n{}', "row 2: not a JSON object"),
    ],
)
def test_what_is_no_table_is_told_with_its_row(tmp_path: Path, content: str, says: str) -> None:
    tree(tree(tmp_path, ["1.jpg"]), {"manifest.jsonl": content})
    with pytest.raises(LookwhereError, match=rf"manifest\.jsonl, {says}"):
        genders(tmp_path)


@pytest.mark.parametrize("content", ['[{"path": "1.jpg", "gender": "f"}, 7]', '[{"path": "1.jpg", "gender": "f"}, {'])
def test_a_list_that_is_cut_or_holds_something_else_is_refused(tmp_path: Path, content: str) -> None:
    tree(tree(tmp_path, ["1.jpg"]), {"manifest.json": content})
    with pytest.raises(
        LookwhereError, match=r"manifest\.json(?:, row 2: not a JSON object|: not a list of JSON objects)"
    ):
        genders(tmp_path)


def test_labels_beside_each_image_and_spreadsheets_are_told(tmp_path: Path) -> None:
    tree(tmp_path / "shard", {f"{n:04}.{kind}": "{}" for n in range(3) for kind in ("jpg", "json")})
    with pytest.raises(LookwhereError, match=r"labels lie in a \.json beside each image: write them into one manifest"):
        genders(tmp_path / "shard")
    tree(tmp_path / "sheet", {"1.jpg": "", "labels.xlsx": b"PK"})
    with pytest.raises(LookwhereError, match=r"a manifest, but labels\.xlsx is a spreadsheet: save it as CSV"):
        genders(tmp_path / "sheet")


def test_lists_in_a_column_that_has_words_too_are_told(tmp_path: Path) -> None:
    rows = [ROWS[0] | {"tags": ["a", "b"]}, ROWS[1] | {"tags": "a"}]
    tree(tree(tmp_path, ["1.jpg", "2.jpg"]), {"manifest.json": json.dumps(rows)})
    source = open_source(tmp_path)
    reading = choose_reader(source).read(source)
    assert reading.own["tags"].dropna().tolist() == ["a"]
    assert "manifest.json: tags holds lists or objects in 1 row, which count as missing" in reading.remarks
