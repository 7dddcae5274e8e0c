"""CelebA: the original layout (`list_attr_celeba.txt`, runs of spaces) and Kaggle's (comma CSVs).

`Male` is the label. Splits are those of `list_eval_partition`, people those of `identity_CelebA.txt`; both may be
missing. There is no ethnicity, and `Young` is no age.
"""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from core.data.readers.base import Reader, Reading, Refusal
from core.data.readers.labels import (
    ReadLog,
    columns_of,
    find_files,
    image_table,
    join_images,
    known,
    read_table,
    text,
)
from core.data.sources.base import Source
from core.errors import LookwhereError

GENDER = {"1": "male", "-1": "female", "0": "female"}
SPLIT = {"0": "train", "1": "val", "2": "test"}
ATTRIBUTES = r"list_attr_celeba\.(txt|csv)"
PARTITION = r"list_eval_partition\.(txt|csv)"
IDENTITY = r"identity_celeba\.(txt|csv)"
PACKED = r"img_align_celeba[^/]*\.(zip|7z(\.\d+)?|rar)"


class CelebA(Reader):
    name = "celeba"
    title = "CelebA (original or Kaggle layout)"
    expects = "list_attr_celeba.txt or .csv and img_align_celeba/; list_eval_partition and identity_CelebA if at hand"

    def why_not(self, source: Source) -> Refusal | None:
        lists = find_files(source, ATTRIBUTES)
        packed = find_files(source, PACKED)
        folder = any("img_align_celeba" in name.lower() for name in source.images()[:1])
        if not lists:
            return (
                Refusal("list_attr_celeba.txt is missing", "CelebA")
                if packed or folder
                else Refusal("no list_attr_celeba.txt or .csv in it")
            )
        columns = _columns(source, lists[0])
        if "male" not in columns:
            return Refusal(f"column Male is missing in {lists[0]}", "CelebA")
        if lists[0].lower().endswith(".csv") and "image_id" not in columns:
            return Refusal(f"column image_id is missing in {lists[0]}", "CelebA")
        if source.images():
            return None
        if packed:
            return Refusal(f"its images are still packed in {packed[0]}: unpack it there", "CelebA")
        return Refusal("there is no image in it", "CelebA")

    def read(self, source: Source, labels: Path | None = None) -> Reading:
        """Raises `LookwhereError` where a list cannot be read."""
        notes = ReadLog()
        attributes = find_files(source, ATTRIBUTES)[0]
        rows = _attributes(source, attributes, notes)
        images = image_table(source).assign(key=lambda table: table["stem"].str.lower())
        outside = ~images["path"].str.contains("(?i)(?:^|/)img_align_celeba")
        images = images.assign(outside=outside).sort_values("outside", kind="stable")
        faces = join_images(rows, images, notes, attributes)
        faces = (
            known(faces, "male", GENDER, notes).rename(columns={"male": "gender"}).assign(face_id=lambda t: t["key"])
        )
        for partition in find_files(source, PARTITION)[:1]:
            faces = faces.assign(split=faces["key"].map(_pairs(source, partition, notes)))
            lacking = faces["split"].isna()
            notes.reject(faces.loc[lacking, "path"], f"no row in {partition}")
            faces = known(faces[~lacking], "split", SPLIT, notes)
        for identity in find_files(source, IDENTITY)[:1]:
            faces = faces.assign(identity=faces["key"].map(_pairs(source, identity, notes)))
            notes.repair(faces.loc[faces["identity"].isna(), "path"], f"no row in {identity}: person not known")
            if "split" in faces:
                notes.people(faces, "split", "person in more than one split")
        return notes.reading(faces)


def _columns(source: Source, name: str) -> list[str]:
    """Columns in lower case: of a CSV its first line, of the original list its line of names."""
    if name.lower().endswith(".csv"):
        return columns_of(source, name)
    return [word for line in text(source.head(name), name).splitlines()[:2] for word in line.lower().split()]


def _attributes(source: Source, name: str, notes: ReadLog) -> pd.DataFrame:
    """`name`, `key` (its stem) and `male`, as written; a count line that is wrong is noted."""
    if name.lower().endswith(".csv"):
        table = read_table(source.read(name), name)[["image_id", "male"]].set_axis(["name", "male"], axis=1)
    else:
        lines = io.StringIO(text(source.read(name), name))
        first = lines.readline().split()
        counted = len(first) == 1 and first[0].isdigit()
        columns = [word.lower() for word in (lines.readline().split() if counted else first)]
        columns = columns[1:] if columns[:1] == ["image_id"] else columns
        table = _spaced(lines, name, ["name", *columns])[["name", "male"]]
        if counted and int(first[0]) != len(table):
            notes.disagree([f"{name}: {first[0]} and {len(table)}"], "the count in the first line and the rows differ")
    return table.assign(key=_stem(table["name"]))


def _pairs(source: Source, name: str, notes: ReadLog) -> pd.Series:
    """The second column of a list by the stem of its first; of two rows for one image the first counts."""
    data = source.read(name)
    if name.lower().endswith(".csv"):
        table = read_table(data, name).iloc[:, :2].set_axis(["name", "value"], axis=1)
    else:
        table = _spaced(io.StringIO(text(data, name)), name, ["name", "value"])
    table = table.assign(key=_stem(table["name"]))
    again = table["key"].duplicated()
    notes.disagree(table.loc[again, "name"], f"second row in {name}; the first counts")
    return table[~again].set_index("key")["value"]


def _spaced(lines: io.StringIO, name: str, columns: list[str]) -> pd.DataFrame:
    try:
        return pd.read_csv(lines, sep=r"\s+", header=None, names=columns, dtype="str", index_col=False)
    except (ValueError, pd.errors.ParserError) as error:
        raise LookwhereError(f"{name}: not a list of {len(columns)} columns ({str(error).splitlines()[0]})") from error


def _stem(file: pd.Series) -> pd.Series:
    return file.str.replace(r"\.[^.]*$", "", regex=True).str.lower()
