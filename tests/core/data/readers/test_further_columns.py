"""What each data set says of faces beyond gender, ethnicity, age and person: readers keep it, a row a face."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data.own_columns import ColumnChoice, with_columns
from core.data.readers import Reading
from tests.helpers import data_set_trees as trees
from tests.helpers.datasets_made import jpeg, read, tree
from tests.helpers.recordio_writer import insightface_pack


def own(reading: Reading, column: str) -> dict[str, str | None]:
    """What is said of each face, by its id."""
    assert len(reading.own) == len(reading.faces)
    levels = reading.own[column].astype("object")
    return dict(zip(reading.faces["face_id"], levels.where(levels.notna(), None), strict=True))


@pytest.mark.parametrize("layout", [trees.celeba, trees.celeba_of_kaggle])
def test_celeba_keeps_its_other_39_attributes(layout: object, tmp_path: Path) -> None:
    layout(tmp_path)
    reading = read("celeba", tmp_path)
    assert list(reading.own) == [name for name in trees.CELEBA_ATTRIBUTES if name != "Male"]
    assert set(own(reading, "More_3").values()) <= {"1", "-1"}


def test_an_attribute_of_celeba_is_yes_or_no(tmp_path: Path) -> None:
    trees.celeba(tmp_path)
    names = (tmp_path / "list_attr_celeba.txt").read_text().replace("Attribute_15", "Eyeglasses").splitlines()
    for line, value in zip((2, 3, 4, 5), ("-1", "1", "1", "-1"), strict=True):
        cells = names[line].split()
        cells[1 + 15] = value
        names[line] = "  ".join(cells)
    (tmp_path / "list_attr_celeba.txt").write_text("\n".join(names))
    chosen_reading = with_columns(read("celeba", tmp_path), ColumnChoice.from_words(["eyeglasses"]))
    assert [(column.name, column.kind.value) for column in chosen_reading.columns] == [("Eyeglasses", "yes/no")]
    assert chosen_reading.faces["Eyeglasses"].tolist() == ["no", "yes", "yes", "no"]


def test_morph_keeps_glasses_and_facial_hair(tmp_path: Path) -> None:
    rows = "".join(
        trees.morph_row(f"00010{n}_00M34.JPG", 100 + n).replace(",,34,,,", f",{hair},34,,{glasses},")
        for n, (hair, glasses) in enumerate([("NHR", "No"), ("M", ""), ("", "Yes")])
    )
    tree(tmp_path, [f"Album2/00010{n}_00M34.JPG" for n in range(3)])
    tree(tmp_path, {trees.MORPH_CSV: trees.MORPH_HEADER + rows})
    reading = read("morph", tmp_path)
    assert list(reading.own) == ["facial_hair", "glasses"]
    assert list(own(reading, "glasses").values()) == ["No", None, "Yes"]
    assert list(own(reading, "facial_hair").values()) == ["NHR", "M", None]


def test_fairface_keeps_its_mark_of_the_service_test(tmp_path: Path) -> None:
    trees.fairface(tmp_path)
    assert own(read("fairface", tmp_path), "service_test") == {"train-1": "True", "train-2": "False", "val-1": "False"}


def test_london_keeps_what_its_table_says_more(tmp_path: Path) -> None:
    trees.london(tmp_path)
    (tmp_path / "london_info.csv").write_text(
        "face_id,face_age,face_gender,face_eth,glasses\n001,24,female,white,no\n002,30,male,white,yes\n"
    )
    assert own(read("london", tmp_path), "glasses") == {"001_03": "no", "002_03": "yes"}


def test_a_table_of_people_gives_columns_to_all_their_faces(tmp_path: Path) -> None:
    tree(tmp_path, ["p1/1.jpg", "p1/2.jpg", "p2/1.jpg"])
    tree(tmp_path, {"identities.csv": "identity,gender,Skin Type\np2,m,IV\np1,f,II\n"})
    assert own(read("vggface2", tmp_path), "Skin Type") == {"p1/1": "II", "p1/2": "II", "p2/1": "IV"}


def test_a_pack_has_the_columns_of_its_people(tmp_path: Path) -> None:
    insightface_pack(tmp_path, {n: [jpeg(112, 10 * n + k) for k in range(2)] for n in range(3)})
    tree(tmp_path, {"identities.csv": "identity,gender,glasses\n0,F,yes\n1,M,\n2,F,no\n"})
    glasses = list(own(read("insightface", tmp_path / "train.rec"), "glasses").values())
    assert sorted(glasses, key=str) == [None, None, "no", "no", "yes", "yes"]


def test_columns_stay_with_their_face_whatever_the_order_of_rows(tmp_path: Path) -> None:
    content = "path,gender,camera,camera\nb.jpg,f,B,1\nlost.jpg,f,L,2\na.jpg,m,A,3\nb.jpg,f,again,4\nc.jpg,robot,C,5\n"
    trees.manifest(tmp_path, content, pictures=["a.jpg", "b.jpg", "c.jpg"])
    reading = read("manifest", tmp_path)
    assert own(reading, "camera") == {"a.jpg": "A", "b.jpg": "B"}
    assert own(reading, "camera 2") == {"a.jpg": "3", "b.jpg": "1"}
    assert "manifest.csv: there is another column camera, which is called camera 2" in reading.remarks


def test_a_parquet_of_images_keeps_numbers_dates_and_words_and_names_lists(tmp_path: Path) -> None:
    table = pa.table(
        {
            "image": [jpeg(8, n) for n in range(3)],
            "gender": ["f", "m", "f"],
            "depth": [0.5, np.nan, 2.0],
            "day": pd.to_datetime(["2020-01-01", "2021-01-01", None]),
            "camera": pd.Categorical(["a", "b", "a"]),
            "box": [[1], [2], [3]],
            "raw": [b"x", b"y", b"z"],
        }
    )
    pq.write_table(table, tmp_path / "faces.parquet")
    reading = read("manifest", tmp_path)
    assert list(reading.own) == ["depth", "day", "camera"]
    assert list(own(reading, "depth").values()) == ["0.5", None, "2"]
    assert list(own(reading, "camera").values()) == ["a", "b", "a"]
    assert any(remark.endswith(": not used: box, raw") for remark in reading.remarks)
