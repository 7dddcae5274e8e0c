"""Real samples of the data sets, where they are at hand: each is read by its own reader, with the published counts."""

from __future__ import annotations

from pathlib import Path

from core.data.readers import Reading, choose_reader
from core.data.sources import open_source
from tests.helpers.datasets_made import rejects, tree
from tests.helpers.real_samples import SAMPLES, at_hand


def sample(name: str, reader: str, labels: Path | None = None) -> Reading:
    source = open_source(at_hand(name))
    assert choose_reader(source).name == reader
    return choose_reader(source).read(source, labels)


def counts(reading: Reading, *columns: str) -> dict:
    return reading.faces.value_counts(list(columns)).to_dict()


def test_fairface() -> None:
    reading = sample("FairFace-val-1000.zip", "fairface")
    assert counts(reading, "gender") == {("female",): 433, ("male",): 567}
    by_group = counts(reading, "gender", "ethnicity")
    assert len(by_group) == 14
    assert (min(by_group.values()), max(by_group.values())) == (37, 113)
    assert (by_group["female", "Middle Eastern"], by_group["male", "White"]) == (37, 113)
    assert len(reading.rejects) == 0
    assert set(reading.own["service_test"]) == {"True", "False"}


def test_kaggle_gender_folders() -> None:
    reading = sample("kaggle-gender-folders.zip", "class-folders")
    split = {"train": (1747, 1744), "val": (100, 100), "test": (100, 100)}
    assert counts(reading, "split", "gender") == {
        (name, gender): n for name, pair in split.items() for gender, n in zip(("female", "male"), pair, strict=True)
    }
    assert len(reading.rejects) == 0


def test_lfw() -> None:
    reading = sample("lfw-balanced.zip", "lfw")
    both = [name for name, reason in rejects(reading).items() if reason.startswith("named in both")]
    assert "lfw/Erika_Reyes_0001.jpg" in both
    assert len(both) == len(reading.rejects) == 4
    # The four stand in both lists, so that 2,965 women are 2,961.
    assert counts(reading, "gender") == {("female",): 2961, ("male",): 2963}
    assert reading.faces["identity"].nunique() == 3172


def test_all_age_faces() -> None:
    reading = sample("aaf-val-small.zip", "all-age-faces")
    assert len(reading.faces) == 6685
    assert set(reading.faces["split"]) == {"val"}
    assert (reading.faces["age"].min(), reading.faces["age"].max()) == (2, 80)
    assert len(reading.rejects) == len(reading.disagreements) == 0


def test_london() -> None:
    reading = sample("london-cc-by.zip", "london")
    assert counts(reading, "ethnicity") == {
        ("White",): 69,
        ("Black",): 13,
        ("West Asian",): 10,
        ("East Asian",): 9,
        ("East Asian and White",): 1,
    }
    assert reading.faces["identity"].nunique() == len(reading.faces) == 102


def test_celeba() -> None:
    assert len(sample("small/celeba_mini", "celeba").faces) == 10


def test_celeba_as_kaggle_has_it_with_a_column_without_name(tmp_path: Path) -> None:
    original = sample("small/celeba_mini", "celeba").faces
    table = (SAMPLES / "small/celeba_mini/list_attr_celeba_first2000.csv").read_bytes()
    images = {f"img_align_celeba/{face}.jpg": b"" for face in original["face_id"]}
    source = open_source(tree(tmp_path, {"list_attr_celeba.csv": table} | images))
    reading = choose_reader(source).read(source)
    assert reading.faces[["face_id", "gender"]].equals(original[["face_id", "gender"]])


def test_vggface2() -> None:
    reading = sample("small/vggface2", "vggface2")
    assert reading.faces["identity"].nunique() == 3
    assert len(reading.faces) + len(reading.rejects) == 64
    assert set(reading.rejects["reason"]) == {"same name as another image"}


def test_recordio_of_another_writer(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("identity;gender\n0;man\n1;woman\n")
    reading = sample("small/recordio_tiny", "insightface", labels)
    assert counts(reading, "gender") == {("female",): 4, ("male",): 4}
