"""Tables of very many columns are read in a time that grows with their number."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from core.data.columns import OWN
from core.data.own_columns import with_columns
from core.data.readers import choose_reader
from core.data.readers.label_table import header_of, place_columns, read_table
from core.data.sources import open_source
from core.errors import LookwhereError
from tests.helpers.datasets_made import jpeg

WIDE = 20_000


@pytest.mark.parametrize("name", ["c{}", "c"], ids=["each of its own", "all of one name"])
def test_a_header_of_many_columns_takes_a_time_that_grows_with_them(name: str) -> None:
    """Each looked for among all, 20,000 took most of a minute."""
    header = ["file", "score", *(name.format(n) for n in range(WIDE))]
    data = f"{','.join(header)}\na.jpg,0.2{',1' * WIDE}\n".encode()
    began = time.process_time()
    names, written = header_of(data, "wide.csv")
    assert written == header and names == list(dict.fromkeys(header))
    places = place_columns(header, {"file": ()}, "wide.csv", own=True)
    assert len(places) == WIDE + 2 and places["file"] == [0]
    table = read_table(data, "wide.csv", {"file": (), "score": ()})
    assert table.to_dict("records") == [{"file": "a.jpg", "score": "0.2"}]
    assert time.process_time() - began < 10


def test_own_columns_of_one_name_are_numbered_in_their_order() -> None:
    places = place_columns(["file", "hat", "scarf", "hat", "hat"], {"file": ()}, "t.csv", own=["hat"])
    assert places == {"file": [0], f"{OWN}hat": [1], f"{OWN}hat 2": [3], f"{OWN}hat 3": [4]}


def test_a_header_beyond_what_is_read_is_refused_at_once() -> None:
    """300,000 columns took over 8 seconds of processor."""
    data = f"{','.join(f'c{n}' for n in range(300_000))}\n{',1' * 300_000}\n".encode()
    began = time.process_time()
    for read in (lambda: read_table(data, "wide.csv", {"file": ()}), lambda: header_of(data, "wide.csv")):
        with pytest.raises(LookwhereError, match=r"wide\.csv: its header names about \d+,\d+ columns, and 50,000 are"):
            read()
    assert time.process_time() - began < 2


def test_a_cell_longer_than_any_name_makes_no_group(tmp_path: Path) -> None:
    """A quote that is never closed makes one cell of many rows: ten million letters would be a group's name."""
    for name in "abcdef":
        (tmp_path / f"{name}.jpg").write_bytes(jpeg())
    long = "x," * 200_000
    rows = [
        "a.jpg,f,A,red,1",
        f'b.jpg,m,"{long}",red,1',
        "c.jpg,m,B,blue,1",
        "d.jpg,f,A,red,1",
        f'e.jpg,f,A,red,"{long}"',
    ]
    header = "file,gender,ethnicity,hat,scarf\n"
    (tmp_path / "labels.csv").write_text(header + "\n".join([*rows, "f.jpg,m,B,blue,2"]) + "\n")
    source = open_source(tmp_path)
    reading = with_columns(choose_reader(source, None).read(source, None))
    assert list(reading.faces["path"]) == ["a.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg"]
    assert list(reading.rejects["reason"]) == [
        "ethnicity of over 255 letters, which is no name; is a quote missing in the table?"
    ]
    assert [column.name for column in reading.columns] == ["hat"]
    assert "column scarf is left out: it has a value of over 255 letters" in reading.remarks
    assert max(map(len, reading.remarks)) < 2000
