"""MORPH-II in its three editions, and every trap that its CSV is known for."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.data.faces import UNRECORDED
from core.data.readers import Reading, choose_reader
from core.data.sources import open_source
from core.errors import LookwhereError
from tests.helpers.data_set_trees import (
    MORPH_CSV as CSV,
)
from tests.helpers.data_set_trees import (
    MORPH_HEADER as HEADER,
)
from tests.helpers.data_set_trees import (
    morph_row as row,
)
from tests.helpers.datasets_made import disagreements, labels_of, packed, read, rejects, repaired, tree


def morph(folder: Path, *rows: str, pictures: list[str] | None = None, csv: str = CSV, header: str = HEADER) -> Reading:
    names = [f"Album2/{line.strip().rpartition('/')[2]}" for line in rows] if pictures is None else pictures
    tree(folder, list(dict.fromkeys(names)))
    tree(folder, {csv: header + "".join(rows)})
    return read("morph", folder)


@pytest.mark.parametrize("race", ["B African-American", "W Caucasian", "H Hispanic", "A Asian", "O Other"])
def test_race_letters_are_spelt_out(tmp_path: Path, race: str) -> None:
    letter, _, name = race.partition(" ")
    reading = morph(tmp_path, row("320711_00M34.JPG", 320711, letter))
    columns = ("path", "gender", "ethnicity", "age", "identity")
    assert labels_of(reading, *columns) == {
        "320711_00M34": ("Album2/320711_00M34.JPG", "male", name, 34, "320711"),
    }
    assert rejects(reading) == repaired(reading) == disagreements(reading) == {}
    assert "split" not in reading.faces


@pytest.mark.parametrize("csv", [CSV, CSV.upper(), "Morph_2008_NonCommercial.CSV", f"a/b/{CSV}", f"./{CSV}"])
@pytest.mark.parametrize("kind", ["folder", ".tar.gz", ".zip"])
def test_casing_and_depth_of_the_csv_vary(tmp_path: Path, csv: str, kind: str) -> None:
    folder = tmp_path / "set"
    morph(folder, row("320711_00M34.JPG", 320711), csv=csv)
    source = open_source(packed(folder, kind))
    assert choose_reader(source).name == "morph"
    assert labels_of(read("morph", source.path), "gender") == {"320711_00M34": "male"}


@pytest.mark.parametrize(
    "picture",
    [
        "Album2/320/320711_00M34.JPG",
        "Album2/320711_00m34.jpg",
        "MORPH/album2/320711_00M34.JPG",
        "Album2/320711_00M34.png",
    ],
    ids=["nested by three digits", "other casing", "deeper", "other format"],
)
def test_photos_are_found_where_they_lie(tmp_path: Path, picture: str) -> None:
    reading = morph(tmp_path, row("320711_00M34.JPG", 320711), pictures=[picture])
    assert reading.faces["path"].tolist() == [picture]
    assert rejects(reading) == {}


def test_leading_zeros_of_id_num_are_lost_and_people_stay_whole(tmp_path: Path) -> None:
    reading = morph(tmp_path, row("009055_00M34.JPG", 9055), row("009055_01M36.JPG", 9055, age="36"))
    assert labels_of(reading, "identity") == {"009055_00M34": "9055", "009055_01M36": "9055"}
    assert disagreements(reading) == {}


@pytest.mark.parametrize("name", ["307021_00F28.JPG", "322863_00M23.JPG", "282949_00M38.JPG"])
def test_gender_of_the_csv_counts_where_the_file_name_disagrees(tmp_path: Path, name: str) -> None:
    gender, age = ("M" if name[9] == "F" else "F"), name[10:12]
    reading = morph(tmp_path, row(name, int(name[:6]), gender=gender, age=age))
    difference = {"M": "CSV male, file name female", "F": "CSV female, file name male"}[gender]
    assert labels_of(reading, "gender") == {name[:-4]: {"M": "male", "F": "female"}[gender]}
    assert disagreements(reading) == {f"Album2/{name}": f"gender: {difference}; the CSV's counts"}


@pytest.mark.parametrize(
    ("further_files", "messages"),
    [
        ({"gender": "F"}, ("person 7: female, male", "person of more than one gender")),
        ({"race": "W"}, ("person 7: African-American, Caucasian", "person of more than one race")),
        ({"dob": "04/05/1970"}, ("person 7: 1970-03-05, 1970-04-05", "person of more than one birth date")),
    ],
    ids=["two genders", "two races", "two birth dates"],
)
def test_people_with_two_labels_are_listed_and_each_row_keeps_its_own(
    tmp_path: Path, further_files: dict[str, str], messages: tuple[str, str]
) -> None:
    second = f"000007_01{further_files.get('gender', 'M')}34.JPG"
    reading = morph(tmp_path, row("000007_00M34.JPG", 7), row(second, 7, **further_files), row("000008_00M34.JPG", 8))
    assert disagreements(reading) == dict([messages])
    assert len(reading.faces) == 3
    assert labels_of(reading, "gender")[second[:-4]] == ("female" if "gender" in further_files else "male")
    assert labels_of(reading, "ethnicity")[second[:-4]] == (
        "Caucasian" if "race" in further_files else "African-American"
    )


def test_one_birth_date_written_in_two_ways_is_one(tmp_path: Path) -> None:
    rows = (row("000007_00M34.JPG", 7, dob="03/05/1970"), row("000007_01M34.JPG", 7, dob="3/5/1970"))
    assert disagreements(morph(tmp_path, *rows)) == {}


def test_photo_missing_and_file_without_a_row_are_rejected(tmp_path: Path) -> None:
    rows = (row("000001_00M34.JPG", 1), row("000002_00M34.JPG", 2))
    pictures = ["Album2/000001_00M34.JPG", "Album2/000003_00M34.JPG", "Album2/000/000001_00M34.JPG"]
    reading = morph(tmp_path, *rows, pictures=pictures)
    assert rejects(reading) == {
        "Album2/000002_00M34.JPG": f"in {CSV}, but the image is missing",
        "Album2/000003_00M34.JPG": f"no row in {CSV}",
        "Album2/000001_00M34.JPG": "same name as another image",
    }
    assert reading.faces["path"].tolist() == ["Album2/000/000001_00M34.JPG"]


def test_unknown_gender_and_a_second_row_are_rejected(tmp_path: Path) -> None:
    names = [f"00000{n}_00M34.JPG" for n in range(1, 5)]
    reading = morph(
        tmp_path, row(names[0], 1, gender="X"), row(names[1], 2, gender=""), row(names[2], 3), row(names[2], 3, "W")
    )
    assert rejects(reading) == {
        f"Album2/{names[0]}": "gender 'X' is not known; write m or f",
        f"Album2/{names[1]}": "no gender",
        f"Album2/{names[2]}": f"second row for one image in {CSV}",
    }
    assert labels_of(reading, "ethnicity") == {"000003_00M34": "African-American"}


def test_rows_without_photo_or_id_are_rejected(tmp_path: Path) -> None:
    no_id = row("000002_00M34.JPG", 2).removeprefix("2")
    pictures = [f"Album2/00000{n}_00M34.JPG" for n in (1, 2)]
    reading = morph(tmp_path, row("000001_00M34.JPG", 1), no_id, "3,0,,,B,M,,30,,,\n", pictures=pictures)
    assert rejects(reading) == {f"{CSV}, row 4": "names no photo", "Album2/000002_00M34.JPG": "id_num is no number"}
    assert list(labels_of(reading, "gender")) == ["000001_00M34"]


def test_unknown_race_is_not_recorded_and_said(tmp_path: Path) -> None:
    reading = morph(tmp_path, row("000001_00M34.JPG", 1, race="U"), row("000002_00M34.JPG", 2, race=""))
    assert set(reading.faces["ethnicity"]) == {UNRECORDED}
    assert set(repaired(reading).values()) == {"race is none of B, W, H, A, O: not recorded"}


def test_age_is_the_csvs_else_the_file_names(tmp_path: Path) -> None:
    rows = (
        row("000001_00M34.JPG", 1, age="35"),
        row("000002_00M34.JPG", 2, age=""),
        row("000003_00M16.JPG", 3, age="16"),
    )
    reading = morph(tmp_path, *rows)
    assert labels_of(reading, "age") == {"000001_00M34": 35, "000002_00M34": 34, "000003_00M16": 16}
    assert repaired(reading) == {"Album2/000002_00M34.JPG": "age taken from the file name"}
    assert disagreements(reading) == {"Album2/000001_00M34.JPG": "age: CSV and file name differ; the CSV's counts"}


def test_a_csv_without_age_and_dates_is_read(tmp_path: Path) -> None:
    header, line = "ID_NUM, race, gender, photo\n", "12, W, F, Album2\\000012_00F41.JPG\n"
    reading = morph(tmp_path, line, header=header, pictures=["Album2/000012_00F41.JPG"])
    assert labels_of(reading, "gender", "ethnicity", "age") == {"000012_00F41": ("female", "Caucasian", 41)}
    assert repaired(reading) == {}


def test_the_folder_edition(tmp_path: Path) -> None:
    names = ["AA_M/012345_00M19.JPG", "AA_F/012346_1F20.jpg", "C_M/012347_02M77.JPG", "x/c_f/012348_00F16.JPG"]
    strays = ["C_F/012349_00M30.JPG", "C_F/portrait.jpg", "H_M/012350_00M30.JPG", "AA_M/012347_03M77.JPG"]
    source = open_source(tree(tmp_path, names + strays))
    assert choose_reader(source).name == "morph"
    reading = read("morph", tmp_path)
    assert labels_of(reading, "gender", "ethnicity", "age", "identity") == {
        "012345_00M19": ("male", "African-American", 19, "12345"),
        "012346_1F20": ("female", "African-American", 20, "12346"),
        "012347_02M77": ("male", "Caucasian", 77, "12347"),
        "012347_03M77": ("male", "African-American", 77, "12347"),
        "012348_00F16": ("female", "Caucasian", 16, "12348"),
        "012349_00M30": ("female", "Caucasian", 30, "12349"),
    }
    assert rejects(reading) == {
        "C_F/portrait.jpg": "name lacks a label field",
        "H_M/012350_00M30.JPG": "in none of the folders that give a label",
    }
    assert disagreements(reading) == {
        "C_F/012349_00M30.JPG": "gender: folder female, file name male; the folder's counts",
        "person 12347: African-American, Caucasian": "person of more than one race",
    }


def test_the_kaggle_edition_takes_age_from_the_name_and_splits_from_folders(tmp_path: Path) -> None:
    images = "Dataset/Images/"
    names = ["Train/00013_00M19.JPG", "Validation/00014_00F20.JPG", "Test/00015_00M21.JPG", "Test/00013_01M25.JPG"]
    tree(tmp_path, [images + name for name in names])
    tree(tmp_path, {"Dataset/Index/Train.csv": "filepath,age,gender\n00013_00M19.JPG,0.0491,1\n"})
    assert choose_reader(open_source(tmp_path)).name == "morph"
    reading = read("morph", tmp_path)
    assert labels_of(reading, "gender", "ethnicity", "age", "identity", "split") == {
        "00013_00M19": ("male", UNRECORDED, 19, "13", "train"),
        "00014_00F20": ("female", UNRECORDED, 20, "14", "val"),
        "00015_00M21": ("male", UNRECORDED, 21, "15", "test"),
        "00013_01M25": ("male", UNRECORDED, 25, "13", "test"),
    }
    assert disagreements(reading) == {"person 13: test, train": "person in more than one split"}
    assert rejects(reading) == {}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (
            {CSV: HEADER.replace("photo", "file"), "Album2/000001_00M34.JPG": ""},
            "but column photo is missing in " + CSV,
        ),
        ({CSV: HEADER}, "but there is no image beside its CSV"),
        ({"Album2/000001_00M34.JPG": ""}, r"but its CSV \(morph_2008_nonCommercial.csv\) is missing"),
    ],
    ids=["column photo missing", "no image", "no CSV"],
)
def test_near_misses_come_first(tmp_path: Path, files: dict[str, str], says: str) -> None:
    with pytest.raises(LookwhereError, match=rf"knows this data set \(not morph: looks like MORPH, {says}"):
        choose_reader(open_source(tree(tmp_path, files)))


@pytest.mark.parametrize(("word", "gender"), [("Male", "male"), ("FEMALE", "female"), ("m", "male"), ("F", "female")])
def test_genders_may_be_spelt_out(tmp_path: Path, word: str, gender: str) -> None:
    assert labels_of(morph(tmp_path, row("000001_00M34.JPG", 1, gender=word)), "gender") == {"000001_00M34": gender}
