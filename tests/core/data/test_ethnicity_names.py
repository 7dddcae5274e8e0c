"""The file of an ethnicity mapping: every word is taken as it is written."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.data.ethnicity_names import read_names, rename
from core.errors import LookwhereError


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("1: light\n2: dark\n", {"1": "light", "2": "dark"}),
        ("No: Norwegian\noff: on\n", {"No": "Norwegian", "off": "on"}),
        ("'1': 2\nnull: ~\n1.0: 2026-01-01\n", {"1": "2", "null": "~", "1.0": "2026-01-01"}),
        ("\ufeffSámi: Sami # a comment\n", {"Sámi": "Sami"}),
        ("0x1F: 1_000\nyes: 'no'\n", {"0x1F": "1_000", "yes": "no"}),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_words_are_taken_as_written(tmp_path: Path, content: str, names: dict[str, str], encoding: str) -> None:
    (tmp_path / "names.yaml").write_bytes(content.encode(encoding))
    assert read_names(tmp_path / "names.yaml") == names


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "expected lines of «name: new name»"),
        ("- a\n- b\n", "expected lines of «name: new name»"),
        ("a: b\nc:\n", "line 2: expected «name: new name», a single name on either side"),
        ("a: [b]\n", "line 1: expected «name: new name»"),
        ("a: b\na: c\n", "line 2: a is there twice"),
        ("a: b: c\n", "not a readable YAML file"),
    ],
)
def test_what_is_no_mapping_is_told_with_its_line(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "names.yaml").write_text(content)
    with pytest.raises(LookwhereError, match=f"names.yaml[:,] {says}"):
        read_names(tmp_path / "names.yaml")


def test_names_are_found_whatever_their_case_and_unknown_ones_are_told() -> None:
    faces = pd.DataFrame({"ethnicity": ["1", "Sámi", "No"]})
    renamed = rename(faces, {"sa\u0301mi": "Sami", "1": "light"})
    assert renamed["ethnicity"].tolist() == ["light", "Sami", "No"]
    with pytest.raises(LookwhereError, match="no face is 2; there are 1, No, Sámi"):
        rename(faces, {"2": "dark"})
