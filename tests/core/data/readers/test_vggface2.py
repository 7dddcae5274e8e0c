"""VGGFace2's identity_meta.csv, and other trees of a folder a person."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from core.data.faces import UNRECORDED
from core.data.readers import READERS, choose_reader
from core.data.sources import open_source
from core.errors import LookwhereError
from tests.helpers.data_set_trees import (
    VGGFACE2_META as META,
)
from tests.helpers.data_set_trees import (
    vggface2,
)
from tests.helpers.datasets_made import disagreements, labels_of, read, rejects, repaired, tree

GENDERS = {
    "n000001/0001_01": "male",
    "n000002/0001_01": "female",
    "n000002/0002_01": "female",
    "n000003/0001_01": "male",
    "n000004/0001_01": "female",
    "n000005/0001_01": "female",
}


@pytest.mark.parametrize("above", ["", "VGG-Face2/data/"])
def test_names_with_commas_and_quotes_and_spaces_after_commas(tmp_path: Path, above: str) -> None:
    assert choose_reader(open_source(vggface2(tmp_path, above=above))).name == "vggface2"
    reading = read("vggface2", tmp_path)
    assert labels_of(reading, "gender") == GENDERS
    assert labels_of(reading, "identity") == {name: name[:7] for name in GENDERS}
    assert set(reading.faces["ethnicity"]) == {UNRECORDED}
    assert reading.faces["age"].isna().all()
    assert rejects(reading) == repaired(reading) == disagreements(reading) == {}


def test_flag_1_is_train_and_0_is_test(tmp_path: Path) -> None:
    split = labels_of(read("vggface2", vggface2(tmp_path)), "split")
    assert {name[:7]: split[name] for name in split} == {
        "n000001": "test",
        "n000002": "train",
        "n000003": "train",
        "n000004": "test",
        "n000005": "train",
    }


def test_the_flag_counts_where_the_folder_says_otherwise(tmp_path: Path) -> None:
    reading = read("vggface2", vggface2(tmp_path, above="train/"))
    assert disagreements(reading) == {
        f"train/n00000{n}/0001_01.jpg": "split: Flag test, folder train; the Flag counts" for n in (1, 4)
    }


def test_many_pictures_are_not_compared_one_by_one() -> None:
    assert READERS["vggface2"].find_copies is False


def test_labels_can_lie_elsewhere(tmp_path: Path) -> None:
    source = open_source(vggface2(tmp_path / "set", meta=None))
    reader = choose_reader(source)
    assert reader.name == "vggface2"
    with pytest.raises(LookwhereError, match=r"no identity_meta.csv in it, .* with --labels"):
        reader.read(source)
    tree(tmp_path, {"meta.csv": META})
    assert labels_of(reader.read(source, tmp_path / "meta.csv"), "gender") == GENDERS
    with pytest.raises(LookwhereError, match=r"none.csv: cannot be read \(No such file"):
        reader.read(source, tmp_path / "none.csv")


def test_strangers_loose_pictures_odd_lines_and_second_pictures_are_rejected(tmp_path: Path) -> None:
    meta = META.replace("n000002, ", "n000002 ").replace('"Élan_Vital",10,1,F', '"Élan_Vital",10,1,x') + "\n"
    tree(vggface2(tmp_path, meta), ["cover.jpg", "n000009/0001_01.jpg", "more/n000001/0001_01.jpg", "n000001/._1.jpg"])
    reading = read("vggface2", tmp_path)
    assert rejects(reading) == {
        "identity_meta.csv, line 3": "line cannot be read",
        "cover.jpg": "in no person's folder",
        "n000002/0001_01.jpg": "person not in identity_meta.csv",
        "n000002/0002_01.jpg": "person not in identity_meta.csv",
        "n000009/0001_01.jpg": "person not in identity_meta.csv",
        "n000005/0001_01.jpg": "gender 'x' is not known; write female or male",
        "n000001/0001_01.jpg": "same name as another image",
    }
    assert sorted(reading.faces["identity"]) == ["n000001", "n000003", "n000004"]


@pytest.mark.parametrize("inside", [True, False], ids=["identities.csv inside", "--labels"])
def test_any_tree_of_a_folder_a_person(tmp_path: Path, inside: bool) -> None:
    labels = "identity,gender,ethnicity\nAda L,woman,White\n007,M,\n"
    folder = tree(tmp_path / "set", ["Ada L/1.jpg", "Ada L/2.jpg", "007/1.jpg", "8/1.jpg"])
    file = tmp_path / ("set/identities.csv" if inside else "mine.csv")
    file.write_text(labels)
    source = open_source(folder)
    reader = choose_reader(source, None if inside else "vggface2")
    reading = reader.read(source, None if inside else file)
    assert labels_of(reading, "gender", "ethnicity", "identity") == {
        "Ada L/1": ("female", "White", "Ada L"),
        "Ada L/2": ("female", "White", "Ada L"),
        "007/1": ("male", UNRECORDED, "007"),
    }
    assert "split" not in reading.faces
    assert rejects(reading) == {"8/1.jpg": f"person not in {file.name}"}


def test_folders_without_labels_are_not_recognised_unasked(tmp_path: Path) -> None:
    source = open_source(tree(tmp_path, ["Ada/1.jpg", "Bob/1.jpg"]))
    with pytest.raises(LookwhereError, match="not vggface2: images do not lie in folders n000001"):
        choose_reader(source)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (
            "identity,age\nn000001,m\n",
            "no column gender; it needs .* and has identity, age",
        ),
        ("identity,gender\nn000001,m\nN000001,f\n", "identity N000001 occurs twice"),
        (META + "n000001, again, 1, 1, m\n", "identity n000001 occurs twice"),
    ],
)
def test_bad_labels_are_told(tmp_path: Path, labels: str, says: str) -> None:
    with pytest.raises(LookwhereError, match=f"identity_meta.csv: {says}"):
        read("vggface2", vggface2(tmp_path, labels))


def test_near_miss_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(LookwhereError, match=r"\(not vggface2: looks like VGGFace2, but there is no image in it"):
        choose_reader(open_source(tree(tmp_path, {"identity_meta.csv": META})))


@pytest.mark.parametrize("separator", [";", "\t"])
def test_the_list_of_people_saved_by_a_spreadsheet(tmp_path: Path, separator: str) -> None:
    people = [("n000001", "Lama, Dalai", "0", "m"), ("n000002", '"A ""Fine"" Frenzy"', "1", "f")]
    rows = [separator.join([person, name, "9", flag, gender]) for person, name, flag, gender in people]
    head = separator.join(["Class_ID", "Name", "Sample_Num", "Flag", "Gender"])
    content = "\r\n".join([head, *rows]).encode("utf-16")
    reading = read("vggface2", tree(tree(tmp_path, ["n000001/1.jpg", "n000002/1.jpg"]), {"identity_meta.csv": content}))
    assert labels_of(reading, "gender", "split") == {"n000001/1": ("male", "test"), "n000002/1": ("female", "train")}


def test_people_called_null_and_folders_in_another_unicode_form(tmp_path: Path) -> None:
    folders = [unicodedata.normalize("NFD", "Zoë K"), "Null", "NA"]
    tree(tmp_path, [f"{folder}/1.jpg" for folder in folders])
    reading = read(
        "vggface2", tree(tmp_path, {"identities.csv": "person;sex;race\nZoë K;f;NA\nNull;m;\nNA;woman;None\n"})
    )
    assert labels_of(reading, "gender", "ethnicity") == {
        "Zoë K/1": ("female", "NA"),
        "Null/1": ("male", UNRECORDED),
        "NA/1": ("female", "None"),
    }


def test_a_spreadsheet_may_have_taken_the_zeros_of_peoples_numbers(tmp_path: Path) -> None:
    folder = tree(tmp_path / "set", ["0007/a.jpg", "0008/a.jpg", "010/a.jpg", "0010/a.jpg"])
    tree(tmp_path, {"people.csv": "identity,gender\n7,f\n0008,m\n10,m\n"})
    reading = read("vggface2", folder, tmp_path / "people.csv")
    assert labels_of(reading, "gender") == {"7/a": "female", "0008/a": "male"}
    assert repaired(reading) == {"0007/a.jpg": "its person is called without the first zeros in people.csv"}
    # Which of 010 and 0010 is 10 nobody can say.
    assert set(rejects(reading)) == {"010/a.jpg", "0010/a.jpg"}


def test_a_line_without_its_number_of_samples_and_names_with_odd_letters_are_read(tmp_path: Path) -> None:
    folder = tree(tmp_path, ["n000001/1.jpg", "n000002/1.jpg"])
    meta = "Class_ID, Name, Sample_Num, Flag, Gender\nn000001, A\u2028B, , 1, m\nn000002, C,, 0, f\n"
    tree(folder, {"identity_meta.csv": meta})
    reading = read("vggface2", folder)
    assert labels_of(reading, "gender") == {"n000001/1": "male", "n000002/1": "female"}
    assert rejects(reading) == {}
