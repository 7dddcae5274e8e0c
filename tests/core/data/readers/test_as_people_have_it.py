"""Labels as people have them: rows that contradict each other, words of other languages, columns of one class, and
tables that are no labels."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pandas as pd
import pytest

from core.data.readers import choose_reader
from core.data.readers.label_rows import read_rows
from core.data.sources import open_source
from core.errors import LookwhereError
from tests.helpers.data_set_trees import celeba, manifest
from tests.helpers.datasets_made import disagreements, jpeg, labels_of, read, rejects, tree

DATE = "20170112213500903"


def test_an_image_that_rows_call_by_two_genders_has_none_of_them(tmp_path: Path) -> None:
    rows = "a.jpg,female,20\na.jpg,M,20\nb.jpg,male,30\nb.jpg,M,31\nc.jpg,Male,40\nc.jpg,man,40\n"
    reading = read("manifest", manifest(tmp_path, f"path,gender,age\n{rows}", pictures=["a.jpg", "b.jpg", "c.jpg"]))
    assert labels_of(reading, "gender", "age") == {"b.jpg": ("male", 30), "c.jpg": ("male", 40)}
    counts = reading.rejects.groupby(["file", "reason"]).size().to_dict()
    assert counts == {
        ("a.jpg", "rows of manifest.csv name several genders for this image"): 2,
        ("b.jpg", "second row for one image in manifest.csv"): 1,
        ("c.jpg", "second row for one image in manifest.csv"): 1,
    }
    assert disagreements(reading) == {"b.jpg": "age: rows of manifest.csv for this image differ; the first counts"}


def test_so_it_is_in_a_table_without_images_and_in_celebas_list(tmp_path: Path) -> None:
    (tmp_path / "faces.csv").write_text("file,gender\na,female\na,male\nb,male\nb,M\n")
    reading, _ = read_rows(tmp_path / "faces.csv")
    assert labels_of(reading, "gender") == {"b": "male"}
    assert rejects(reading) == {
        "a": "rows of faces.csv name several genders for this face",
        "b": "second row for one face in faces.csv",
    }
    files = celeba(tmp_path / "celeba")
    name = next(name for name in files if "attr" in name)
    tree(tmp_path / "celeba", {name: files[name] + "000001.jpg" + " 1" * 40 + "\n000001.jpg" + " -1" * 40 + "\n"})
    reading = read("celeba", tmp_path / "celeba")
    assert "000001" not in labels_of(reading, "gender")
    assert "name several genders for this image" in rejects(reading)["000001.jpg"]


@pytest.mark.parametrize("letter", ["H", "v"])
def test_m_beside_h_may_mean_a_woman(tmp_path: Path, letter: str) -> None:
    reading = read("manifest", manifest(tmp_path, f"path,sex\na/1.jpg,{letter}\nb/2.png,M\n"))
    assert reading.faces.empty
    assert "where it may mean mujer or mulher, a woman; write female or male" in rejects(reading)["b/2.png"]
    with_f = read("manifest", manifest(tmp_path / "f", "path,sex\n1.jpg,H\n2.png,M\n3.png,F\n",
                                       pictures=["1.jpg", "2.png", "3.png"]))  # fmt: skip
    assert labels_of(with_f, "gender") == {"2.png": "male", "3.png": "female"}


@pytest.mark.parametrize(
    ("women", "men"),
    [("mujer", "Hombre"), ("Femmes", "hommes"), ("Frauen", unicodedata.normalize("NFD", "Männer")), ("女", "男"),
     ("女性", "男性"), ("женщины", "мужчины"), ("donna", "uomo"), ("mulheres", "homens"), ("Kadın", "ERKEK")],
)  # fmt: skip
def test_folders_and_cells_in_other_languages(tmp_path: Path, women: str, men: str) -> None:
    folder = tree(tmp_path / "folders", [f"Valid/{women}/1.jpg", f"TEST/{men}/1.jpg"])
    reader = choose_reader(open_source(folder))
    assert reader.name == "class-folders"
    reading = reader.read(open_source(folder))
    assert sorted(reading.faces[["gender", "split"]].itertuples(index=False, name=None)) == [
        ("female", "val"),
        ("male", "test"),
    ]
    table = read("manifest", manifest(tmp_path / "table", f"path,gender\na/1.jpg,{women}\nb/2.png,{men}\n"))
    assert labels_of(table, "gender") == {"a/1.jpg": "female", "b/2.png": "male"}


@pytest.mark.parametrize(
    ("column", "cells", "genders", "message"),
    [
        ("Male", "1 -1 1 -1", "male female male female", "column Male is read as gender, 1 as male"),
        (
            "is_male",
            "True False True False",
            "male female male female",
            "column is_male is read as gender, true as male",
        ),
        ("Female", "1.0 0.0 1 0", "female male female male", "column Female is read as gender, 1 as female"),
        ("is-woman", "yes no YES no", "female male female male", "column is-woman is read as gender, yes as female"),
    ],
)
def test_a_column_of_one_class_says_the_gender(
    tmp_path: Path, column: str, cells: str, genders: str, message: str
) -> None:
    names = [f"{n}.jpg" for n in range(4)]
    rows = "".join(f"{name},{cell},1\n" for name, cell in zip(names, cells.split(), strict=True))
    folder = manifest(tmp_path, f"image_id,{column},Smiling\n{rows}", pictures=names)
    source = open_source(folder)
    reading = choose_reader(source).read(source)
    assert labels_of(reading, "gender") == dict(zip(names, genders.split(), strict=True))
    assert list(reading.own) == ["Smiling"]
    assert any(remark.startswith("manifest.csv: column ") and remark.endswith(message) for remark in reading.remarks)
    # Where it is what is classified, it stays a column.
    source = open_source(folder, target=column)
    reading = choose_reader(source).read(source)
    assert set(reading.faces["gender"]) == {"not recorded"}
    assert column in reading.own


def test_a_minus_beside_a_zero_is_no_answer(tmp_path: Path) -> None:
    names = ["1.jpg", "2.jpg", "3.jpg"]
    reading = read("manifest", manifest(tmp_path, "path,Male\n1.jpg,1\n2.jpg,0\n3.jpg,-1\n", pictures=names))
    assert labels_of(reading, "gender") == {"1.jpg": "male", "2.jpg": "female"}
    assert rejects(reading) == {"3.jpg": "gender '-1' is not known; write female or male"}


def test_numbers_without_names_are_never_a_gender(tmp_path: Path) -> None:
    for values in ("0 1", "1 2", "-1 1"):
        rows = "".join(f"{n}.jpg,{value}\n" for n, value in enumerate(values.split()))
        folder = manifest(tmp_path / values, f"path,gender\n{rows}", pictures=["0.jpg", "1.jpg"])
        reading = read("manifest", folder)
        assert reading.faces.empty
        assert all(reason.endswith("is not known; write female or male") for reason in rejects(reading).values())


@pytest.mark.parametrize("column", ["label", "Gender (M/F)", "class"])
def test_a_column_of_genders_by_another_name_is_named(tmp_path: Path, column: str) -> None:
    with pytest.raises(LookwhereError) as error:
        choose_reader(open_source(manifest(tmp_path, f"file,{column}\na/1.jpg,Man\nb/2.png,Woman\n")))
    assert f"; {column} names genders: call the labelled one gender" in str(error.value)


def test_what_a_model_said_is_no_label(tmp_path: Path) -> None:
    folder = manifest(tmp_path, "path,gender,confidence\na/1.jpg,male,0.9\nb/2.png,male,0.8\n", name="predictions.csv")
    with pytest.raises(LookwhereError, match=r"predictions.csv is called after what a model said; if its genders are"):
        choose_reader(open_source(folder))
    source = open_source(folder / "predictions.csv")
    reading = choose_reader(source).read(source)
    assert len(reading.faces) == 2
    assert (
        "gender stands beside confidence: did a model give these genders? Labels are what people say" in reading.remarks
    )
    assert read("manifest", manifest(tmp_path / "plain")).remarks == ()


def test_a_table_called_manifest_counts_before_names_of_images(tmp_path: Path) -> None:
    name = f"20_0_1_{DATE}.jpg"
    tree(tmp_path, [name])
    assert choose_reader(open_source(tmp_path)).name == "utkface"
    tree(tmp_path, {"manifest.csv": "path,note\n"})
    assert choose_reader(open_source(tmp_path)).name == "utkface"
    tree(tmp_path, {"manifest.csv": f"path,gender\n{name},female\n"})
    source = open_source(tmp_path)
    reader = choose_reader(source)
    assert reader.name == "manifest"
    assert reader.read(source).faces["gender"].tolist() == ["female"]


@pytest.mark.parametrize(
    "content",
    [
        {"path": {"0": "a/1.jpg", "1": "b/2.png"}, "gender": {"0": "male", "1": "female"}},
        {"path": ["a/1.jpg", "b/2.png"], "gender": ["male", "female"]},
        {"a/1.jpg": {"gender": "male"}, "b/2.png": {"gender": "female"}},
        {"annotations": [{"path": "a/1.jpg", "gender": "male"}]},
    ],
)
def test_json_of_another_shape_is_told_with_the_shape_to_write(tmp_path: Path, content: dict) -> None:
    folder = manifest(tmp_path, json.dumps(content), name="manifest.json")
    with pytest.raises(LookwhereError, match=r"one list of objects \(pandas: to_json\(orient='records'\)\)"):
        choose_reader(open_source(folder))


@pytest.mark.parametrize("column", ["jpg", "img", "image_bytes", "Picture"])
def test_plain_bytes_in_a_column_called_as_images_are(tmp_path: Path, column: str) -> None:
    table = pd.DataFrame({column: [jpeg(), jpeg(grey=7)], "gender": ["female", "male"], "hash": [b"1", b"2"]})
    table.to_parquet(tmp_path / "faces.parquet")
    source = open_source(tmp_path)
    reading = choose_reader(source).read(source)
    assert labels_of(reading, "gender") == {"faces.parquet/0": "female", "faces.parquet/1": "male"}
    assert [data for _, data in source.iterate(["faces.parquet/0"])] == [jpeg()]


def test_labels_beside_each_image_are_told_of_whatever_their_suffix(tmp_path: Path) -> None:
    tree(tmp_path, {"000.jpg": jpeg(), "000.cls": "1", "001.jpg": jpeg(grey=7), "001.cls": "0"})
    with pytest.raises(LookwhereError, match=r"its labels lie in a .cls beside each image"):
        choose_reader(open_source(tmp_path))


@pytest.mark.parametrize("suffix", [".jpg.jpg", ".chip.jpg", ".jpg.chip.jpg.jpg", ".JPG.png"])
def test_utkface_names_with_a_suffix_more(tmp_path: Path, suffix: str) -> None:
    reading = read("utkface", tree(tmp_path, [f"30_1_3_{DATE}{suffix}"]))
    assert labels_of(reading, "gender", "ethnicity", "age") == {f"30_1_3_{DATE}": ("female", "Indian", 30)}


def test_utkface_in_folders_of_splits_keeps_them_and_other_genders_are_told(tmp_path: Path) -> None:
    names = [f"train_set/male/20_0_0_{DATE}.jpg", f"test_set/male/30_1_0_{DATE}.jpg"]
    reading = read("utkface", tree(tmp_path, names))
    assert sorted(labels_of(reading, "split").values()) == ["test", "train"]
    assert disagreements(reading) == {names[1]: "gender: folder male, file name female; the file name's counts"}
    assert "split" not in read("utkface", tree(tmp_path / "one", [f"train/20_0_0_{DATE}.jpg"])).faces


def test_two_images_that_differ_in_their_suffix_are_two_faces(tmp_path: Path) -> None:
    reading = read("class-folders", tree(tmp_path, ["female/1.jpg", "female/1.png", "male/2.jpg"]))
    assert sorted(reading.faces["face_id"]) == ["female/1.jpg", "female/1.png", "male/2"]
    assert rejects(reading) == {}


@pytest.mark.parametrize("word", ["dev", "eval", "holdout"])
def test_splits_that_may_be_either_are_refused_with_the_words_to_write(tmp_path: Path, word: str) -> None:
    reading = read("manifest", manifest(tmp_path, f"path,gender,split\na/1.jpg,male,{word}\nb/2.png,male,test_set\n"))
    assert rejects(reading) == {"a/1.jpg": f"split {word!r} is not known; write train, val or test"}
    assert labels_of(reading, "split") == {"b/2.png": "test"}


def test_folders_that_say_more_than_gender_are_named(tmp_path: Path) -> None:
    reading = read("class-folders", tree(tmp_path, ["train/Asian/women/1.jpg", "test/White/men/1.jpg"]))
    assert reading.remarks == (
        "folders Asian, White are not used: a manifest.csv with a column for them groups faces by them",
    )


def test_celebas_list_with_blank_lines_short_rows_and_words_for_splits(tmp_path: Path) -> None:
    tree(tmp_path, {f"img_align_celeba/{n}.jpg": jpeg(grey=n) for n in range(1, 4)})
    rows = "\n\n3\nMale  Young\n\n1.jpg  1 1\n2.jpg -1\n3.jpg   -1  1\n"
    tree(tmp_path, {"list_attr_celeba.txt": rows, "list_eval_partition.txt": "1.jpg train\n3.jpg test\n"})
    reading = read("celeba", tmp_path)
    assert labels_of(reading, "gender", "split") == {"1": ("male", "train"), "3": ("female", "test")}
    assert "fewer fields than there are columns" in rejects(reading)["list_attr_celeba.txt, row 7"]


def test_metadata_of_two_folders_that_contradict_each_other(tmp_path: Path) -> None:
    tree(tmp_path, ["a/1.jpg", "a/2.jpg"])
    tree(tmp_path, {"metadata.csv": "file_name,gender\na/1.jpg,male\na/2.jpg,male\n"})
    tree(tmp_path, {"a/metadata.csv": "file_name,gender\n1.jpg,female\n2.jpg,M\n"})
    reading = read("image-folder", tmp_path)
    assert labels_of(reading, "gender") == {"a/2.jpg": "male"}
    assert rejects(reading) == {"a/1.jpg": "metadata of two folders name several genders for this image"}


def test_numbers_of_age_bands_are_asked_about(tmp_path: Path) -> None:
    names = [f"{n}.jpg" for n in range(20)]
    for column, high in (("age", 9), ("age_group", 9), ("age", 30)):
        rows = "".join(f"{name},male,{n % high}\n" for n, name in enumerate(names))
        folder = manifest(tmp_path / f"{column}{high}", f"path,gender,{column}\n{rows}", pictures=names)
        asked = "age: none is above 8: if these are numbers of bands, write the bands themselves"
        assert (asked in read("manifest", folder).remarks) == (high == 9)


def test_celebamask_hqs_own_list(tmp_path: Path) -> None:
    tree(tmp_path, {f"CelebA-HQ-img/{n}.jpg": jpeg(grey=n) for n in range(2)})
    tree(tmp_path, {"CelebAMask-HQ-attribute-anno.txt": "2\nMale Young\n0.jpg  1 1\n1.jpg  -1 1\n"})
    source = open_source(tmp_path)
    assert choose_reader(source).name == "celeba"
    assert labels_of(choose_reader(source).read(source), "gender") == {"0": "male", "1": "female"}
