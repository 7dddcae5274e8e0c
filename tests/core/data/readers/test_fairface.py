"""FairFace: both margins, ranges of age, and what a spreadsheet makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.data.faces import UNRECORDED
from core.data.readers import Reading, choose_reader
from core.data.readers.ages import band_of_date
from core.data.readers.fairface import BANDS
from core.data.sources import open_source
from core.errors import LookwhereError
from tests.helpers.data_set_trees import (
    FAIRFACE_HEADER as HEADER,
)
from tests.helpers.data_set_trees import (
    FAIRFACE_MARGIN as MARGIN,
)
from tests.helpers.data_set_trees import (
    FAIRFACE_TRAIN as TRAIN,
)
from tests.helpers.data_set_trees import (
    FAIRFACE_VAL as VAL,
)
from tests.helpers.data_set_trees import (
    fairface,
)
from tests.helpers.datasets_made import disagreements, jpeg, labels_of, read, rejects, repaired, tree


def one(folder: Path, line: str) -> Reading:
    return read("fairface", fairface(folder, (line,), ()))


def test_labels_splits_and_ids(tmp_path: Path) -> None:
    reading = read("fairface", fairface(tmp_path))
    assert labels_of(reading, "path", "gender", "ethnicity", "age", "split") == {
        "train-1": (f"{MARGIN}train/1.jpg", "male", "East Asian", 50, "train"),
        "train-2": (f"{MARGIN}train/2.jpg", "female", "Indian", 30, "train"),
        "val-1": (f"{MARGIN}val/1.jpg", "male", "East Asian", 3, "val"),
    }
    assert rejects(reading) == repaired(reading) == disagreements(reading) == {}
    assert reading.faces["identity"].isna().all()


@pytest.mark.parametrize(
    ("race", "name"),
    [
        *((race, race) for race in ("East Asian", "Indian", "Black", "White", "Middle Eastern", "Southeast Asian")),
        ("Latino_Hispanic", "Latino or Hispanic"),
        ("middle_eastern", "Middle Eastern"),
    ],
)
def test_races_are_spelt_out(tmp_path: Path, race: str, name: str) -> None:
    assert labels_of(one(tmp_path, f"train/1.jpg,20-29,Male,{race},True"), "ethnicity") == {"train-1": name}


@pytest.mark.parametrize(
    ("band", "age"),
    [
        *((f"{low}-{low + 9}", low) for low in range(10, 70, 10)),
        ("0-2", 0),
        ("3-9", 3),
        ("more than 70", 70),
        ("70+", 70),
        ("10–19", 10),
    ],
)
def test_age_is_the_lower_bound_of_the_range(tmp_path: Path, band: str, age: int) -> None:
    reading = one(tmp_path, f"train/1.jpg,{band},Male,White,True")
    assert labels_of(reading, "age") == {"train-1": age}
    assert repaired(reading) == {}


DATES = {
    "3-9": ["3-Sep", "Sep-3", "03-Sep", "9-Mar", "Mar-09", "Sep-03", "2003-09-01 00:00:00", "2003-09-01", "2009-03-01",
            "2024-03-09", "2024-09-03T00:00:00", "9/3/2024", "3/9/2024", "1-Sep-03", "3-Sep-24", "September 3"],
    "10-19": ["Oct-19", "19-Oct", "2019-10-01 00:00:00", "2024-10-19", "10/19/2024", "19.10.2024", "1-Oct-2019"],
}  # fmt: skip
STRANGE = ["4-Sep", "2009-01-03", "2003-09-04", "45360", "9-3", "2-Jan", "Oct-09", "19-Sep", "", "old", "20-30", "2019"]


@pytest.mark.parametrize(("band", "date"), [(band, date) for band, dates in DATES.items() for date in dates])
def test_a_range_made_a_date_by_a_spreadsheet_is_known_again(band: str, date: str) -> None:
    assert band_of_date(date) == band


@pytest.mark.parametrize("word", STRANGE)
def test_what_no_range_became_is_not_guessed(word: str) -> None:
    assert band_of_date(word) is None


def test_repaired_dates_are_listed_and_other_ages_rejected(tmp_path: Path) -> None:
    ages = ["3-Sep", "2019-10-01 00:00:00", "4-Sep", ""]
    lines = tuple(f"train/{n}.jpg,{age},Male,White,True" for n, age in enumerate(ages))
    reading = read("fairface", fairface(tmp_path, lines, ()))
    assert labels_of(reading, "age") == {"train-0": 3, "train-1": 10}
    assert repaired(reading) == {
        f"{MARGIN}train/0.jpg": "age 3-Sep read as 3-9, made a date by a spreadsheet",
        f"{MARGIN}train/1.jpg": "age 2019-10-01 00:00:00 read as 10-19, made a date by a spreadsheet",
    }
    assert rejects(reading) == {
        f"{MARGIN}train/2.jpg": f"age range 4-Sep is not known; write one of {', '.join(BANDS)}",
        f"{MARGIN}train/3.jpg": "no age range",
    }


def test_the_wide_margin_is_taken_where_both_are_there(tmp_path: Path) -> None:
    wide = "fairface-img-margin125-trainval/"
    fairface(tmp_path)
    fairface(tmp_path, margin=wide)
    reading = read("fairface", tmp_path)
    assert sorted(reading.faces["path"]) == [f"{wide}train/1.jpg", f"{wide}train/2.jpg", f"{wide}val/1.jpg"]
    assert set(rejects(reading).values()) == {"at hand with the wider margin too"}
    assert choose_reader(open_source(tmp_path)).name == "fairface"


def test_missing_pictures_rows_labels_and_second_rows_are_told(tmp_path: Path) -> None:
    lines = (*TRAIN, "train/2.jpg,20-29,Female,White,True", "train/4.jpg,20-29,Other,Black,True")
    fairface(tmp_path, (*lines, "train/5.jpg,20-29,Male,Martian,True", "train/9.jpg,20-29,,Black,True"))
    (tmp_path / MARGIN / "train/1.jpg").unlink()
    tree(tmp_path, [f"{MARGIN}train/6.jpg", "examples/1.jpg", f"{MARGIN}train/._2.jpg"])
    reading = read("fairface", tmp_path)
    assert rejects(reading) == {
        "examples/1.jpg": "not in train/ or val/",
        "train/1.jpg": "in the label CSVs, but the image is missing",
        "train/2.jpg": "second row for one image in the label CSVs",
        f"{MARGIN}train/4.jpg": "gender 'Other' is not known; write female or male",
        f"{MARGIN}train/9.jpg": "no gender",
        f"{MARGIN}train/6.jpg": "no row in the label CSVs",
    }
    assert repaired(reading) == {f"{MARGIN}train/5.jpg": "race is none of FairFace's seven: not recorded"}
    assert labels_of(reading, "ethnicity")["train-5"] == UNRECORDED
    assert labels_of(reading, "gender")["train-2"] == "female"


def test_a_row_in_the_other_splits_csv_is_listed_and_the_folder_counts(tmp_path: Path) -> None:
    reading = read("fairface", fairface(tmp_path, (*TRAIN, "val/7.jpg,20-29,Male,White,True")))
    assert labels_of(reading, "split")["val-7"] == "val"
    assert disagreements(reading) == {
        f"{MARGIN}val/7.jpg": "split: folder and name of the CSV differ; the folder's counts"
    }


def test_one_split_alone_and_names_in_capitals_are_read(tmp_path: Path) -> None:
    tree(tmp_path, {"FAIRFACE_LABEL_VAL.CSV": HEADER + VAL[0], "Val/1.JPG": jpeg()})
    assert choose_reader(open_source(tmp_path)).name == "fairface"
    assert labels_of(read("fairface", tmp_path), "gender", "split") == {"val-1": ("male", "val")}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (
            {"fairface_label_val.csv": "file,age,gender\n", "val/1.jpg": ""},
            "but column race is missing in fairface_label",
        ),
        ({"fairface_label_val.csv": HEADER, "1.jpg": ""}, "but there is no image in train/ or val/"),
        ({f"{MARGIN}val/1.jpg": ""}, "but fairface_label_train.csv and fairface_label_val.csv are missing"),
    ],
    ids=["column race missing", "no folders", "no CSV"],
)
def test_near_misses_come_first(tmp_path: Path, files: dict[str, str], says: str) -> None:
    with pytest.raises(LookwhereError, match=rf"knows this data set \(not fairface: looks like FairFace, {says}"):
        choose_reader(open_source(tree(tmp_path, files)))


@pytest.mark.parametrize("race", ["Latino-Hispanic", "latino/hispanic", "Latino _Hispanic"])
def test_races_are_known_whatever_stands_between_their_words(tmp_path: Path, race: str) -> None:
    assert (
        labels_of(one(tmp_path, f"train/1.jpg,20-29,Male,{race},True"), "ethnicity")["train-1"] == "Latino or Hispanic"
    )


def test_a_row_that_names_no_file_is_counted(tmp_path: Path) -> None:
    assert rejects(one(tmp_path, ",20-29,Male,White,True"))["fairface_label_train.csv, row 2"] == "names no file"
