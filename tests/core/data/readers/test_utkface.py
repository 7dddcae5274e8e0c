"""UTKFace: labels from file names, made and real."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.data.readers import choose_reader
from core.data.readers.utkface import UTKFace
from core.data.sources import open_source
from core.errors import LookwhereError
from tests.helpers.datasets_made import labels_of, rejects, repaired, tree
from tests.helpers.datasets_made import read as read_by

DATE = "20170112213500903"
MISSPELT = ("24_0_1_20170116220224657 .jpg.chip.jpg", "55_0_0_20170116232725357jpg.chip.jpg")
UNLABELLED = ("61_1_20170109142408075.jpg.chip.jpg", "61_1_20170109150557335.jpg.chip.jpg")

#: Labelled pictures of the published archive before copies are dropped: 20,690 whose names parse as they are
#: (docs: counts by gender and race), and the two misspelt ones, a White and a Black man.
PUBLISHED = {
    "male": {"White": 4797 + 1, "Black": 2037 + 1, "Asian": 1369, "Indian": 1968, "Others": 650},
    "female": {"White": 4026, "Black": 1933, "Asian": 1613, "Indian": 1474, "Others": 823},
}


def made(folder: Path, *names: str) -> Path:
    """A folder of empty files: the reader looks at names alone."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def read(folder: Path) -> tuple[pd.DataFrame, dict[str, str], dict[str, str]]:
    reading = UTKFace().read(open_source(folder))
    rejects, repaired = (dict(table.to_numpy().tolist()) for table in (reading.rejects, reading.repaired))
    return reading.faces, rejects, repaired


def test_both_genders_and_all_five_races_are_spelt_out(tmp_path: Path) -> None:
    made(tmp_path, *(f"{20 + race}_{gender}_{race}_{DATE}.jpg.chip.jpg" for gender in (0, 1) for race in range(5)))
    faces, rejects, repaired = read(tmp_path)
    labels = set(zip(faces["age"], faces["gender"], faces["ethnicity"], strict=True))
    races = ["White", "Black", "Asian", "Indian", "Others"]
    assert labels == {(20 + n, gender, races[n]) for gender in ("male", "female") for n in range(5)}
    assert rejects == repaired == {}


def test_one_row_in_full(tmp_path: Path) -> None:
    faces, _, _ = read(made(tmp_path, f"UTKFace/116_1_3_{DATE}.jpg.chip.jpg"))
    row = faces.iloc[0].to_dict()
    assert pd.isna(row.pop("identity"))
    assert row == {
        "face_id": f"116_1_3_{DATE}",
        "path": f"UTKFace/116_1_3_{DATE}.jpg.chip.jpg",
        "gender": "female",
        "ethnicity": "Indian",
        "age": 116,
    }
    assert str(faces["age"].dtype) == "Int16"


def test_names_that_lack_a_field_are_rejected(tmp_path: Path) -> None:
    faces, rejects, repaired = read(made(tmp_path, *UNLABELLED))
    assert faces.empty
    assert rejects == dict.fromkeys(UNLABELLED, "name lacks a label field")
    assert repaired == {}


def test_misspelt_suffixes_are_repaired_and_said(tmp_path: Path) -> None:
    faces, rejects, repaired = read(made(tmp_path, *MISSPELT))
    assert faces[["face_id", "gender", "ethnicity", "age"]].to_numpy().tolist() == [
        ["24_0_1_20170116220224657", "male", "Black", 24],
        ["55_0_0_20170116232725357", "male", "White", 55],
    ]
    assert set(faces["path"]) == set(MISSPELT)
    assert repaired == dict.fromkeys(MISSPELT, "suffix misspelt, labels good")
    assert rejects == {}


@pytest.mark.parametrize(
    "stem", ["117_0_0_", "999_1_2_", "30_2_0_", "30_0_5_", "-1_0_0_", "_0_0_", "30_0_0_x", "30_0_"]
)
def test_labels_out_of_range_are_rejected(tmp_path: Path, stem: str) -> None:
    name = f"{stem}{DATE}.jpg.chip.jpg"
    faces, rejects, _ = read(made(tmp_path, name))
    assert faces.empty
    assert list(rejects) == [name]


def test_plain_and_in_the_wild_names_are_read_and_need_no_repair(tmp_path: Path) -> None:
    names = (f"part1/1_0_0_{DATE}.jpg", f"part2/1_0_0_{int(DATE) + 1}.PNG", f"1_0_0_{int(DATE) + 2}.JPG.chip.jpg")
    faces, rejects, repaired = read(made(tmp_path, *names))
    assert set(faces["path"]) == set(names)
    assert rejects == repaired == {}


def test_a_second_picture_of_one_name_is_rejected(tmp_path: Path) -> None:
    faces, rejects, _ = read(made(tmp_path, f"part1/1_0_0_{DATE}.jpg", f"part2/1_0_0_{DATE}.jpg"))
    assert faces["path"].tolist() == [f"part1/1_0_0_{DATE}.jpg"]
    assert rejects == {f"part2/1_0_0_{DATE}.jpg": "same name as another image"}


def test_hidden_files_and_other_files_are_no_pictures(tmp_path: Path) -> None:
    good = f"UTKFace/1_0_0_{DATE}.jpg.chip.jpg"
    made(tmp_path, good, f"UTKFace/._1_0_0_{DATE}.jpg.chip.jpg", ".DS_Store", "readme.txt", f"2_0_0_{DATE}.txt")
    faces, rejects, _ = read(tmp_path)
    assert faces["path"].tolist() == [good]
    assert rejects == {}


def test_rows_come_sorted_by_id_whatever_the_folder(tmp_path: Path) -> None:
    faces, _, _ = read(made(tmp_path, f"a/9_0_0_{DATE}.jpg", f"b/10_0_0_{DATE}.jpg", f"c/100_0_0_{DATE}.jpg"))
    assert faces["age"].tolist() == [100, 10, 9]
    assert faces.index.tolist() == [0, 1, 2]


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    made(tmp_path, "notes.txt", f"._1_0_0_{DATE}.jpg")
    with pytest.raises(LookwhereError, match=r"no reader knows this data set .*not utkface: no image in it"):
        choose_reader(open_source(tmp_path))


def test_a_folder_of_other_pictures_is_refused(tmp_path: Path) -> None:
    source = open_source(made(tmp_path, "holiday.jpg", "cat_1.png", f"30_0_0_{DATE}.jpg"))
    reason = r"only 1 of 3 image names read \[age\]"
    with pytest.raises(LookwhereError, match=rf"not utkface: {reason}.*python -m core datasets"):
        choose_reader(source)
    with pytest.raises(LookwhereError, match=rf"not utkface: {reason}.*it expects images named"):
        choose_reader(source, "utkface")


def test_half_the_names_are_enough(tmp_path: Path) -> None:
    source = open_source(made(tmp_path, "cover.jpg", f"30_0_0_{DATE}.jpg"))
    assert choose_reader(source).name == choose_reader(source, "utkface").name == "utkface"


def test_an_unknown_reader_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(LookwhereError, match=r"--dataset utk: no such reader; there are .*utkface"):
        choose_reader(open_source(made(tmp_path, f"30_0_0_{DATE}.jpg")), "utk")


def test_the_published_archive(utkface_archive: Path) -> None:
    source = open_source(utkface_archive)
    assert choose_reader(source).name == "utkface"
    reading = UTKFace().read(source)
    faces = reading.faces

    counts = pd.crosstab(faces["gender"], faces["ethnicity"])
    assert {gender: counts.loc[gender].to_dict() for gender in PUBLISHED} == PUBLISHED
    assert len(faces) == 20_692
    assert faces["face_id"].is_unique
    assert (faces["age"].min(), faces["age"].max()) == (1, 116)

    assert sorted(Path(file).name for file in reading.rejects["file"]) == list(UNLABELLED)
    assert sorted(Path(file).name for file in reading.repaired["file"]) == list(MISSPELT)
    assert len(faces) + len(reading.rejects) == 20_694


def test_labels_out_of_range_are_told_as_such_and_a_browsers_second_copy_keeps_its_labels(tmp_path: Path) -> None:
    out = ["117_0_0_20170116205845440.jpg.chip.jpg", "20_3_1_20170116205845441.jpg", "20_0_5_20170116205845439.jpg"]
    tree(
        tmp_path,
        [
            *out,
            "20_1_1_20170116205845442 (1).jpg.chip.jpg",
            "20_1_20170116205845443.jpg",
            *(f"2{n}_1_1_2017011620584544{n}.jpg" for n in range(5, 9)),
        ],
    )
    reading = read_by("utkface", tmp_path)
    reason = "a label in its name is out of range: age is 0 to 116, gender 0 or 1, race 0 to 4"
    assert rejects(reading) == {**dict.fromkeys(out, reason), "20_1_20170116205845443.jpg": "name lacks a label field"}
    assert repaired(reading) == {"20_1_1_20170116205845442 (1).jpg.chip.jpg": "suffix misspelt, labels good"}
    assert labels_of(reading, "gender", "ethnicity")["20_1_1_20170116205845442"] == ("female", "Black")
