"""A manifest of the user's own: CSV or Parquet, in a folder, tar or zip, or given itself."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pandas as pd
import pytest

from core.data.faces import UNRECORDED
from core.data.plan import plan
from core.data.readers import Reading, choose_reader
from core.data.sources import open_source
from core.errors import LookwhereError
from tests.helpers.data_set_trees import (
    MANIFEST as FULL,
)
from tests.helpers.data_set_trees import (
    manifest,
)
from tests.helpers.datasets_made import disagreements, labels_of, packed, read, rejects, repaired, tree


def one(folder: Path, *cells: str, columns: str = "path,gender") -> Reading:
    return read("manifest", manifest(folder, f"{columns}\na/1.jpg,{','.join(cells)}\n", pictures=["a/1.jpg"]))


@pytest.mark.parametrize("kind", ["folder", ".tar.gz", ".zip"])
@pytest.mark.parametrize("name", ["manifest.csv", "Manifest.CSV", "mine.csv", "top/manifest.csv"])
def test_every_column_is_read_in_every_packaging(tmp_path: Path, kind: str, name: str) -> None:
    source = open_source(packed(manifest(tmp_path / "set", name=name), kind))
    assert choose_reader(source).name == "manifest"
    reading = read("manifest", source.path)
    assert labels_of(reading, "gender", "ethnicity", "age", "identity", "split") == {
        "a/1.jpg": ("female", "Sámi", 34, "p1", "train"),
        "b/2.png": ("male", UNRECORDED, None, "p2", "test"),
    }
    assert set(reading.faces["path"]) <= set(source.names)
    assert rejects(reading) == repaired(reading) == disagreements(reading) == {}


@pytest.mark.parametrize("name", ["manifest.parquet", "faces.parquet"])
@pytest.mark.parametrize("kind", ["folder", ".zip", "itself"])
def test_a_parquet_with_typed_columns_is_read_alike(tmp_path: Path, name: str, kind: str) -> None:
    table = pd.DataFrame(
        {
            "Path": ["a/1.jpg", "b/2.png"],
            "gender": pd.Categorical(["female", "male"]),
            "age": [34.0, None],
            "identity": [7, 8],
            "other": [[1], [2]],
        }
    )
    folder = tree(tmp_path / "set", ["a/1.jpg", "b/2.png"])
    table.to_parquet(folder / name)
    path = folder / name if kind == "itself" else packed(folder, kind)
    assert choose_reader(open_source(path)).name == "manifest"
    assert labels_of(read("manifest", path), "gender", "age", "identity") == {
        "a/1.jpg": ("female", 34, "7"),
        "b/2.png": ("male", None, "8"),
    }


def test_two_manifests_of_one_folder_are_two_data_sets(tmp_path: Path) -> None:
    manifest(tmp_path, name="one.csv")
    manifest(tmp_path, FULL.replace("34", "35"), name="two.csv")
    first, second = (open_source(tmp_path / name) for name in ("one.csv", "two.csv"))
    assert choose_reader(first).name == choose_reader(second).name == "manifest"
    assert first.fingerprint() != second.fingerprint()
    assert [labels_of(choose_reader(s).read(s), "age")["a/1.jpg"] for s in (first, second)] == [34, 35]
    with pytest.raises(
        LookwhereError, match=r"\(not manifest: looks like a manifest, but there are 2: one.csv, two.csv"
    ):
        choose_reader(open_source(tmp_path))


def test_a_manifest_given_itself_counts_before_what_the_pictures_names_say(tmp_path: Path) -> None:
    name = "1_0_0_20170112213500903.jpg"
    tree(tmp_path, [name])
    tree(tmp_path, {"mine.csv": f"path,gender\n{name},female\n"})
    assert choose_reader(open_source(tmp_path)).name == "utkface"
    source = open_source(tmp_path / "mine.csv")
    assert choose_reader(source).name == "manifest"
    assert choose_reader(source).read(source).faces["gender"].tolist() == ["female"]


@pytest.mark.parametrize(
    ("word", "gender"),
    [(f"{word}", gender) for gender, words in (("female", "female F woman Women girl"), ("male", "MALE m Man men Boys"))
     for word in words.split()],
)  # fmt: skip
def test_words_for_gender(tmp_path: Path, word: str, gender: str) -> None:
    assert labels_of(one(tmp_path, f" {word} "), "gender") == {"a/1.jpg": gender}


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("0", "gender '0' is not known; write female or male"),
        ("nan", "gender 'nan' is not known; write female or male"),
        ("", "no gender"),
    ],
)
def test_other_genders_are_rejected_with_the_value_never_guessed(tmp_path: Path, word: str, reason: str) -> None:
    reading = one(tmp_path, word)
    assert rejects(reading) == {"a/1.jpg": reason}
    assert reading.faces.empty


@pytest.mark.parametrize(
    ("cell", "age"), [("34", 34), ("34.9", 34), ("", None), ("old", None), ("-1", None), ("131", None)]
)
def test_ages_that_are_none_are_counted(tmp_path: Path, cell: str, age: int | None) -> None:
    reading = one(tmp_path, "female", cell, columns="path,gender,age")
    assert labels_of(reading, "age") == {"a/1.jpg": age}
    repairs = {} if age or not cell else {"a/1.jpg": f"age {cell} is no number of years: not known"}
    assert repaired(reading) == repairs


@pytest.mark.parametrize(
    ("cell", "split"),
    [
        ("train", "train"),
        ("Val", "val"),
        ("valid", "val"),
        ("validation", "val"),
        ("test", "test"),
        ("TRAINING", "train"),
    ],
)
def test_words_for_splits(tmp_path: Path, cell: str, split: str) -> None:
    assert labels_of(one(tmp_path, "female", cell, columns="path,gender,split"), "split") == {"a/1.jpg": split}


def test_unknown_splits_are_rejected_and_an_empty_column_is_none(tmp_path: Path) -> None:
    content = "path,gender,split\na/1.jpg,female,train\nb/2.png,male,holdout\nc.jpg,male,\n"
    reading = read("manifest", manifest(tmp_path, content, pictures=["a/1.jpg", "b/2.png", "c.jpg"]))
    assert rejects(reading) == {
        "b/2.png": "split 'holdout' is not known; write train, val or test",
        "c.jpg": "no split",
    }
    assert "split" not in one(tmp_path / "other", "female", "", columns="path,gender,split").faces


OUTSIDE = ["../x.jpg", "a/../../x.jpg", "/etc/x.jpg", "..\\x.jpg", "C:\\x.jpg", "~/x.jpg", "https://example.org/x.jpg"]


@pytest.mark.parametrize("path", OUTSIDE)
def test_paths_outside_the_root_are_refused(tmp_path: Path, path: str) -> None:
    tree(tmp_path, ["x.jpg"])
    reading = read("manifest", manifest(tmp_path / "set", f"path,gender\n{path},female\na/1.jpg,male\nb/2.png,male\n"))
    assert rejects(reading) == {path: "path leads outside the folder; write paths relative to manifest.csv"}
    assert len(reading.faces) == 2


@pytest.mark.parametrize("path", ["./a/1.jpg", "a\\1.jpg", "b/../a/1.jpg", "a//1.jpg", " a/1.jpg "])
def test_roundabout_paths_are_found(tmp_path: Path, path: str) -> None:
    reading = read("manifest", manifest(tmp_path, f"path,gender\n{path},female\n", pictures=["a/1.jpg"]))
    assert labels_of(reading, "path") == {"a/1.jpg": "a/1.jpg"}


def test_missing_pictures_unlisted_pictures_and_second_rows_are_rejected(tmp_path: Path) -> None:
    content = "path,gender\na/1.jpg,female\na/1.jpg,F\nc.jpg,male\n,male\nodd.tif,male\n"
    reading = read("manifest", manifest(tmp_path, content, pictures=["a/1.jpg", "b/2.png", "b/._2.png", "odd.tif"]))
    assert rejects(reading) == {
        "a/1.jpg": "second row for one image in manifest.csv",
        "b/2.png": "no row in manifest.csv",
        "c.jpg": "in manifest.csv, but the image is missing",
        "manifest.csv, row 5": "names no path",
    }
    assert labels_of(reading, "gender") == {"a/1.jpg": "female", "odd.tif": "male"}


@pytest.mark.parametrize("column", ["gender", "ethnicity", "split"])
def test_people_with_two_labels_are_listed(tmp_path: Path, column: str) -> None:
    second = {"gender": "female", "ethnicity": "X", "split": "train"} | {
        column: {"gender": "male", "ethnicity": "Y", "split": "test"}[column]
    }
    content = f"path,identity,gender,ethnicity,split\na/1.jpg,p,female,X,train\nb/2.png,p,{','.join(second.values())}\n"
    disagreed = disagreements(read("manifest", manifest(tmp_path, content)))
    assert list(disagreed.values()) == [f"person of more than one {column}"]
    assert next(iter(disagreed)).startswith("person p: ")


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_what_spreadsheets_save_is_read(tmp_path: Path, separator: str, encoding: str) -> None:
    content = FULL.replace(",", separator).replace("\n", "\r\n").encode(encoding)
    reading = read("manifest", tree(manifest(tmp_path), {"manifest.csv": content}))
    assert labels_of(reading, "ethnicity") == {"a/1.jpg": "Sámi", "b/2.png": UNRECORDED}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        (
            "manifest.csv",
            "path,age\n",
            "looks like a manifest, but column gender is missing in manifest.csv; it has path",
        ),
        (
            "manifest.csv",
            "a,b\n",
            "looks like a manifest, but column path, gender is missing in manifest.csv; it has",
        ),
        ("mine.csv", "path,x\n", "looks like a manifest, but column gender is missing in mine.csv; it has path, x"),
    ],
)
def test_near_misses_come_first(tmp_path: Path, name: str, content: str, says: str) -> None:
    folder = manifest(tmp_path, content, name)
    # A table that is given itself is no other data set, so what the other readers say is left out.
    for path, before in ((folder, r"knows this data set \(not manifest: "), (folder / name, rf"{folder.name}: ")):
        with pytest.raises(LookwhereError, match=before + says):
            choose_reader(open_source(path))


def test_tables_deeper_down_and_tables_of_other_things_are_no_manifests(tmp_path: Path) -> None:
    folder = manifest(tmp_path, name="deep/down/manifest.csv", pictures=["1.jpg"])
    tree(folder, {"prices.csv": "item,price\n"})
    with pytest.raises(LookwhereError, match=r"not manifest: no manifest.csv or .parquet, nor a single table"):
        choose_reader(open_source(folder))


GROUPS = ["Sámi", unicodedata.normalize("NFD", "Sámi"), "sámi ", "Sámi", "NA", "None"]


def test_groups_that_differ_in_case_blanks_or_unicode_form_are_one_and_words_like_na_are_names(tmp_path: Path) -> None:
    rows = "".join(
        f"{n}.jpg,f,{group},{person}\n" for n, (group, person) in enumerate(zip(GROUPS, "aabbNN", strict=True))
    )
    pictures = [f"{n}.jpg" for n in range(len(GROUPS))]
    content = "path,gender,ethnicity,identity\n" + rows.replace(",N\n", ",Null\n")
    reading = read("manifest", manifest(tmp_path, content, pictures=pictures))
    assert list(labels_of(reading, "ethnicity").values()) == ["Sámi"] * 4 + ["NA", "None"]
    assert list(labels_of(reading, "identity").values()) == ["a", "a", "b", "b", "Null", "Null"]
    assert sorted(repaired(reading)) == ["1.jpg", "2.jpg"]
    assert disagreements(reading) == {"person Null: NA, None": "person of more than one ethnicity"}


@pytest.mark.parametrize(
    ("head", "columns_read"),
    [("file_name,sex,race,person_id,age_group,partition", 6), ("Image Path;SEX;Race;subject;Age-Range;subset", 6)],
)
def test_other_names_of_columns_are_read_and_told(tmp_path: Path, head: str, columns_read: int) -> None:
    separator = ";" if ";" in head else ","
    row = separator.join(["a/1.jpg", "f", "White", "p", "20-29", "test"])
    reading = read(
        "manifest", manifest(tmp_path, f"{head}{separator}glasses\n{row}{separator}1\n", pictures=["a/1.jpg"])
    )
    assert labels_of(reading, "gender", "ethnicity", "identity", "age", "split") == {
        "a/1.jpg": ("female", "White", "p", 20, "test")
    }
    assert sum(" is read as " in remark for remark in reading.remarks) == columns_read
    assert reading.own.to_dict("list") == {"glasses": ["1"]}
    assert "age: 1 of 1 are ranges, such as 20-29: the lower bound is kept" in reading.remarks


@pytest.mark.parametrize("name", ["manifest.tsv", "manifest.jsonl", "faces.tsv", "labels.jsonl"])
@pytest.mark.parametrize("itself", [True, False])
def test_tabs_and_json_lines_are_manifests_too(tmp_path: Path, name: str, itself: bool) -> None:
    content = "file\tgender\tage\ta\n1.jpg\tf\t34\tx\n2.jpg\tm\t\tx\n"
    if name.endswith("jsonl"):
        content = (
            '{"file": "1.jpg", "gender": "f", "age": 34, "a": [1]}\n\n{"file": "2.jpg", "gender": "m", "age": null}\n'
        )
    folder = manifest(tmp_path, content, name, pictures=["1.jpg", "2.jpg"])
    source = open_source(folder / name if itself else folder)
    reading = choose_reader(source).read(source)
    assert labels_of(reading, "gender", "age") == {"1.jpg": ("female", 34), "2.jpg": ("male", None)}
    if name.endswith("jsonl"):
        assert f"{name}: not used: a" in reading.remarks and reading.own.empty
    else:
        assert reading.own.to_dict("list") == {"a": ["x", "x"]}


@pytest.mark.parametrize(
    ("path_in_table", "there"),
    [
        ("A/1.JPG", "a/1.jpg"),
        (unicodedata.normalize("NFC", "Zoë/1.jpg"), unicodedata.normalize("NFD", "Zoë/1.jpg")),
        (unicodedata.normalize("NFD", "Zoë/1.jpg"), unicodedata.normalize("NFC", "Zoë/1.jpg")),
    ],
)
def test_paths_that_differ_in_case_or_unicode_form_are_found_and_counted(
    tmp_path: Path, path_in_table: str, there: str
) -> None:
    folder = manifest(tmp_path, f"path,gender\n{path_in_table},f\n", pictures=[there])
    reading = read("manifest", folder)
    there = unicodedata.normalize("NFC", there)  # as sources give every name
    assert reading.faces["path"].tolist() == [there]
    repair = {path_in_table: "found under a path that differs in letters' case or Unicode form"}
    assert repaired(reading) == ({} if path_in_table == there else repair)
    assert rejects(reading) == {}


def test_an_absolute_path_into_the_folder_itself_is_found(tmp_path: Path) -> None:
    folder = manifest(tmp_path, f"path,gender\n{tmp_path}/a/1.jpg,f\n", pictures=["a/1.jpg"])
    assert labels_of(read("manifest", folder), "path") == {"a/1.jpg": "a/1.jpg"}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{n}.jpg,f", "the image is missing; one of this name lies in a/ (0.jpg)"),
        ("a/{n},f", "the image is missing; there is one with the suffix .jpg (a/0)"),
        ("a/{n}.png,f", "the image is missing; there is one with the suffix .jpg (a/0.png)"),
        (
            "/faces/of/a/{n}.jpg,f",
            "path leads outside the folder; write paths relative to manifest.csv (/faces",
        ),
        ("a/{n}.jpg,0", "gender '0' is not known; write female or male (a/0.jpg)"),
    ],
)
def test_where_no_row_is_taken_the_reason_an_example_and_the_mend_are_told(tmp_path: Path, row: str, says: str) -> None:
    pictures = [f"a/{n}.jpg" for n in range(3)]
    content = "path,gender\n" + "".join(row.format(n=n) + "\n" for n in range(3))
    source = open_source(manifest(tmp_path, content, pictures=pictures))
    with pytest.raises(LookwhereError) as error:
        plan(source, choose_reader(source))
    assert "no labelled face in it: 3 of " in str(error.value)
    assert says in str(error.value)
    assert "manifest expects manifest.csv" in str(error.value)


def test_of_several_tables_the_one_with_our_own_names_of_columns_is_the_manifest(tmp_path: Path) -> None:
    tree(manifest(tmp_path, name="labels.csv"), {"predictions.csv": "file,gender\na/1.jpg,male\n"})
    assert labels_of(read("manifest", tmp_path), "gender") == {"a/1.jpg": "female", "b/2.png": "male"}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"manifest.csv": b"PK\x03\x04\0\0"}, "but manifest.csv: not a text file"),
        ({"manifest.csv": ""}, "but manifest.csv: the table is empty"),
        ({"manifest.jsonl": "[1]\n"}, "but manifest.jsonl, row 1: not a JSON object"),
        (
            {"manifest.csv": "1.jpg,female\n"},
            "but column path, gender is missing in manifest.csv; it has 1",
        ),
        ({"manifest.xlsx": b"PK"}, "but manifest.xlsx is a spreadsheet: save it as CSV"),
        ({"age_gender.csv": "img_name,gender,pixels\n1.jpg,0,1 2\n"}, "but the images of .* are in its column pixels"),
    ],
)
def test_tables_that_cannot_be_read_are_told_with_the_mend(tmp_path: Path, files: dict, says: str) -> None:
    with pytest.raises(LookwhereError, match=rf"\(not manifest: looks like a manifest, {says}"):
        choose_reader(open_source(tree(tree(tmp_path, ["1.jpg"]), files)))


def test_a_table_without_an_image_and_a_spreadsheet_are_told(tmp_path: Path) -> None:
    tree(tmp_path, {"mine.csv": "path,gender\n1.jpg,f\n", "mine.xlsx": b"PK"})
    with pytest.raises(LookwhereError, match=r"a manifest, but there is no image beside mine\.csv"):
        choose_reader(open_source(tmp_path / "mine.csv"))
    with pytest.raises(LookwhereError, match=r"mine\.xlsx: a spreadsheet; save it as CSV"):
        open_source(tmp_path / "mine.xlsx")
