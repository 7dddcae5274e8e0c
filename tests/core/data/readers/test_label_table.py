"""The one reader of label tables: encodings, separators, headers, and rows that do not fit."""

from __future__ import annotations

import pandas as pd
import pytest

from core.data.readers.label_table import header_of, read_table, text
from core.data.readers.read_log import ReadLog
from core.data.sources.base import HEAD_BYTES
from core.errors import LookwhereError

USES = {"path": ("file",), "gender": ("sex",), "ethnicity": ("race",)}
ROWS = [["path", "gender", "ethnicity"], ["a/1.jpg", "female", "Sámi"], ["a/2.jpg", "male", ""]]


def cells(content: str | bytes, log: ReadLog | None = None, uses: dict | None = USES) -> list[list]:
    data = content.encode() if isinstance(content, str) else content
    table = read_table(data, "t.csv", uses, log)
    return table.astype(object).where(table.notna(), None).to_numpy().tolist()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", ", ", " ; "])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_whatever_a_spreadsheet_saves_is_the_same_table(separator: str, end: str, encoding: str) -> None:
    data = end.join(separator.join(row) for row in ROWS).encode(encoding)
    log = ReadLog()
    assert cells(data, log) == [["a/1.jpg", "female", "Sámi"], ["a/2.jpg", "male", None]]
    remarks = ["t.csv: not UTF-8, so it is read as Windows-1252 (Western European); look at its names"]
    assert log.remarks == (remarks if encoding == "cp1252" else [])


def test_windows_quotation_marks_and_bytes_that_are_no_letters() -> None:
    assert text("„Łódź“ … €".encode("cp1252", "replace"), "t").startswith("„")
    assert text(b"\x81\xe9", "t") == "\x81é"
    with pytest.raises(LookwhereError, match="t: not a text file"):
        text(b"PK\x03\x04\0\0\0\0\x08\0", "t")


@pytest.mark.parametrize("word", ["NA", "N/A", "None", "null", "nan", "NaN", "-", "?", "#N/A", "NULL", "n/a", "<NA>"])
def test_only_an_empty_cell_is_missing(word: str) -> None:
    assert cells(f"path,gender,ethnicity\n1.jpg,f,{word}\n2.jpg,f,\n3.jpg,f, \u00a0\n") == [
        ["1.jpg", "f", word],
        ["2.jpg", "f", None],
        ["3.jpg", "f", None],
    ]


def test_the_index_is_the_line_less_two_whatever_lies_between() -> None:
    content = 'path,gender,ethnicity\n# a comment\n\n1.jpg,f,"two\nlines"\n,,\n#2.jpg,m,\n3.jpg,m\n'
    table = read_table(content.encode(), "t.csv", USES)
    assert (table.index + 2).tolist() == [4, 7, 8]
    assert table["path"].tolist() == ["1.jpg", "#2.jpg", "3.jpg"]


@pytest.mark.parametrize(
    "head",
    [
        "sep=;\npath;gender",
        "# made by hand\n# in 2026\npath;gender",
        "#path;gender",
        "# path ; gender",
        "\n\nPath ; GENDER",
    ],
)
def test_headers_as_they_come(head: str) -> None:
    assert cells(f"{head}\n1,5.jpg;f\n") == [["1,5.jpg", "f"]]


def test_lines_above_the_header_are_told() -> None:
    log = ReadLog()
    assert cells("Faces of the museum,,\n\npath,gender,\n1.jpg,f,\n", log) == [["1.jpg", "f"]]
    assert log.remarks == ["t.csv: 1 line above the header are passed over"]


def test_other_names_of_columns_and_columns_not_used_are_told() -> None:
    log = ReadLog()
    content = ",File,Sex,RACE,service test,Unnamed: 5,\n0,1.jpg,f,White,True,x,\n"
    assert cells(content, log) == [["1.jpg", "f", "White"]]
    assert log.remarks == [
        "t.csv: column File is read as path",
        "t.csv: column Sex is read as gender",
        "t.csv: column RACE is read as ethnicity",
        "t.csv: not used: service test",
    ]


def test_our_own_name_of_a_column_counts_before_another() -> None:
    log = ReadLog()
    assert cells("file,path,gender\nx,1.jpg,f\n", log) == [["1.jpg", "f"]]
    assert log.remarks == ["t.csv: not used: file"]


def test_two_columns_of_one_name_must_say_the_same() -> None:
    assert cells("path,gender,Gender\n1.jpg,f,f\n") == [["1.jpg", "f"]]
    with pytest.raises(LookwhereError, match=r"two columns are called gender and differ \(row 3: 'f' and 'm'\)"):
        cells("path,gender,Gender\n1.jpg,f,f\n2.jpg,f,m\n")
    assert cells("path,gender,x,x\n1.jpg,f,1,2\n") == [["1.jpg", "f"]]


def test_rows_with_too_many_fields_are_counted_and_the_rest_is_read() -> None:
    log = ReadLog()
    assert cells("path,gender\n1.jpg,f\na,b.jpg,f\n2.jpg,m,,\n", log) == [["1.jpg", "f"], ["2.jpg", "m"]]
    why = "more fields than there are columns; quote names with commas, and write decimal points"
    assert log.table("reason").to_numpy().tolist() == [["t.csv, row 3", why]]
    with pytest.raises(LookwhereError, match=r"t\.csv, row 3: 3 fields in 2 columns: more fields"):
        cells("path,gender\n1.jpg,f\na,b.jpg,f\n")


@pytest.mark.parametrize("first", [0, 1])
def test_numbers_of_rows_without_a_column_of_their_own_are_passed_over(first: int) -> None:
    assert cells(f'"path","gender"\n"{first}","1.jpg","f"\n"{first + 1}","2.jpg","m"\n') == [
        ["1.jpg", "f"],
        ["2.jpg", "m"],
    ]


@pytest.mark.parametrize(
    "content",
    [
        'path,gender\n1.jpg,"f\n2.jpg,m\n3.jpg,f\n',
        'path,gender\n"1.jpg,f\n2.jpg,m\n"3.jpg",f\n',
        'path,gender\n1.jpg,"f',
    ],
)
def test_a_quotation_mark_that_is_never_closed_swallows_no_rows(content: str) -> None:
    with pytest.raises(LookwhereError, match=r"t\.csv, row 2: a quotation mark opens there and is not closed"):
        cells(content, ReadLog())


def test_quoted_separators_and_marks_inside_names() -> None:
    assert cells('path,gender\n"a,b.jpg",f\n12" x.jpg,m\n"say ""hi"".jpg",f\n') == [
        ["a,b.jpg", "f"],
        ['12" x.jpg', "m"],
        ['say "hi".jpg', "f"],
    ]


def test_a_header_is_found_in_the_first_bytes_of_a_long_table() -> None:
    row = "ä.jpg,f\n".encode()
    data = b"\xef\xbb\xbfpath,gender\n" + row * HEAD_BYTES
    assert header_of(data[:HEAD_BYTES], "t.csv", USES) == (["path", "gender"], ["path", "gender"])
    assert header_of(data[: HEAD_BYTES - 1] + b"\xc3", "t.csv", USES)[0] == ["path", "gender"]


@pytest.mark.parametrize("content", ["", "\n\n", " , ,\n"])
def test_an_empty_table_is_told(content: str) -> None:
    with pytest.raises(LookwhereError, match=r"t\.csv: the table is empty"):
        cells(content)


def test_without_wanted_columns_all_are_read_in_lower_case() -> None:
    table = read_table(b"File;Score A\n1.jpg;0,93\n", "t.csv")
    assert list(table) == ["file", "score a"]
    assert table.to_numpy().tolist() == [["1.jpg", "0,93"]]


def test_a_field_may_be_longer_than_csv_takes_by_default() -> None:
    assert cells(f"path,gender,note\n1.jpg,f,{'x' * 200_000}\n2.jpg,m,\n") == [["1.jpg", "f"], ["2.jpg", "m"]]


@pytest.mark.parametrize("head", ["imagePath,personId", "Image-Path,PERSON ID", "imagepath,Person_Id"])
def test_names_of_columns_are_one_whatever_stands_between_their_words(head: str) -> None:
    uses = {"path": ("image_path",), "identity": ("person_id",)}
    assert cells(f"{head}\n1.jpg,7\n", uses=uses) == [["1.jpg", "7"]]


def test_bytes_that_are_letters_in_no_known_encoding_are_told() -> None:
    log = ReadLog()
    read_table("path,gender,race\n1.jpg,f,日本人\n".encode("shift_jis"), "t.csv", USES, log)
    assert "in which some of its bytes are no letters; save it as UTF-8" in log.remarks[0]


def test_a_spreadsheet_that_is_called_a_csv_is_told_as_one() -> None:
    with pytest.raises(LookwhereError, match=r"t: not a text file but a spreadsheet or an archive; save it as CSV"):
        text(b"PK\x03\x04\x14\0\x06\0\0\0", "t")


def test_images_that_no_row_names_are_the_last_reason_whatever_the_words() -> None:
    """Where all rows are rejected, so are all images: the more numerous reason says nothing of what is amiss."""
    log = ReadLog()
    log.reject_unlisted([f"{n}.jpg" for n in range(5)], "labels.csv")
    log.reject(["0.jpg", "1.jpg"], "no row in words of a gender")
    log.reject(["2.jpg"], "gender 'x' is not known")
    reasons = log.reading(pd.DataFrame(columns=["face_id", "path", "gender"], dtype="str")).main_reasons()
    assert reasons == (
        "2 of 8 rejected: no row in words of a gender (0.jpg); 1 of 8 rejected: gender 'x' is not known (2.jpg)"
    )
