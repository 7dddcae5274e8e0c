"""CelebA: the original layout (`list_attr_celeba.txt`, runs of spaces) and Kaggle's (comma CSVs).

`Male` is the label, and the other attributes are columns to group by. Splits are those of `list_eval_partition`, people
those of `identity_CelebA.txt`; both may be missing. There is no ethnicity, and `Young` is a column and no age.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from core.data.readers.base import Reader, Reading, Refusal
from core.data.readers.label_table import Columns, columns_of, lines_of, read_table, text
from core.data.readers.labels import SPLIT_WORDS, find_files, image_table, join_images, known
from core.data.readers.read_log import ReadLog
from core.data.sources.base import Source

GENDER = {"1": "male", "-1": "female", "0": "female", "1.0": "male", "-1.0": "female", "0.0": "female"}
GENDER |= {"true": "male", "false": "female"}
SPLIT = {"0": "train", "1": "val", "2": "test"} | SPLIT_WORDS
ATTRIBUTES = r"(?:list_attr_celeba(?:[_-]?hq)?|celebamask-hq-attribute-anno)\.(txt|csv)"
PARTITION = r"list_eval_partition\.(txt|csv)"
IDENTITY = r"identity_celeba\.(txt|csv)"
USES: Columns = {"image_id": ("image", "file", "filename", "img"), "male": ()}
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
        for column, name in (("male", "Male"), ("image_id", "image_id")):
            if column not in columns:
                return Refusal(f"column {name} is missing in {lists[0]}", "CelebA")
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
        faces = known(faces, "male", GENDER, notes, "write 1 for male, and -1 or 0 for female")
        faces = faces.rename(columns={"male": "gender"}).assign(face_id=lambda t: t["key"])
        for partition in find_files(source, PARTITION)[:1]:
            faces = faces.assign(split=faces["key"].map(_pairs(source, partition, notes)))
            lacking = faces["split"].isna()
            notes.reject_unlisted(faces.loc[lacking, "path"], partition)
            faces = known(faces[~lacking], "split", SPLIT, notes, "write 0, 1 or 2")
        for identity in find_files(source, IDENTITY)[:1]:
            faces = faces.assign(identity=faces["key"].map(_pairs(source, identity, notes)))
            notes.repair(faces.loc[faces["identity"].isna(), "path"], f"no row in {identity}: person not known")
            if "split" in faces:
                notes.people(faces, "split", "person in more than one split")
        return notes.reading(faces)


def _columns(source: Source, name: str) -> list[str]:
    """`image_id` and `male`, as far as there: of a CSV by its first line, of the original list by its line of names."""
    if _is_csv(source, name):
        columns = columns_of(source, name, USES)
        return [*columns, "image_id"] if columns and _first_unnamed(source, name) else columns
    lines = _filled(text(source.head(name), name))[:2]
    return ["image_id", *(word for line in lines for word in re.split(r"[\s,;]+", line.lower()))]


def _filled(content: str) -> list[str]:
    return [line for line in lines_of(content) if line.strip()]


def _is_csv(source: Source, name: str) -> bool:
    """Whether a list has separators, whatever it is called: one was made a table and kept its name."""
    line = text(source.head(name), name).partition("\n")[0]
    return name.lower().endswith(".csv") or any(mark in line for mark in ",;|")


def _first_unnamed(source: Source, name: str) -> bool:
    """Whether the first column has no name and holds those of images, as in Kaggle's edition with an index."""
    first = read_table(source.head(name), name, log=ReadLog()).iloc[:, :1]
    return first.columns[0] in ("", "unnamed: 0") and first.iloc[:, 0].str.contains(r"\.\w+$").any()


def _attributes(source: Source, name: str, notes: ReadLog) -> pd.DataFrame:
    """`name`, `key` (its stem), `male` and the other attributes, as written; a count line that is wrong is noted."""
    data = source.read(name)
    if _is_csv(source, name):
        if "image_id" in columns_of(source, name, USES):
            table = read_table(data, name, USES, notes, own=True).rename(columns={"image_id": "name"})
        else:
            table = read_table(data, name, {"name": ("", "unnamed: 0"), "male": ()}, notes, own=True)
        return table.assign(key=_stem(table["name"]))
    lines = lines_of(text(data, name, notes))
    filled = [n for n, line in enumerate(lines) if line.strip()]
    first = lines[filled[0]].split() if filled else []
    has_count = len(first) == 1 and first[0].isdigit()
    header = next(iter(filled[int(has_count) :]), 0)
    columns = re.split(r"[\s,;]+", "".join(lines[header : header + 1]))
    columns = [word for word in columns if word and word.lower() != "image_id"]
    # Its rows stay in their lines, which the log names.
    body = "\n".join([*[""] * header, "name " + " ".join(columns), *lines[header + 1 :]])
    table = read_table(body.encode(), name, {"name": (), "male": ()}, notes, spaced=True, own=True)
    if has_count and int(first[0]) != len(table):
        notes.disagree([f"{name}: {first[0]} and {len(table)}"], "the count in the first line and the rows differ")
    return table.assign(key=_stem(table["name"]))


def _pairs(source: Source, name: str, notes: ReadLog) -> pd.Series:
    """The second column of a list by the stem of its first; of two rows for one image the first counts."""
    data = source.read(name)
    if _is_csv(source, name):
        table = read_table(data, name, log=notes).iloc[:, :2].set_axis(["name", "value"], axis=1)
    else:
        body = "name value\n" + text(data, name, notes)
        table = read_table(body.encode(), name, {"name": (), "value": ()}, notes, spaced=True)
    table = table.assign(key=_stem(table["name"]))
    again = table["key"].duplicated()
    notes.disagree(table.loc[again, "name"], f"second row in {name}; the first counts")
    return table[~again].set_index("key")["value"]


def _stem(file: pd.Series) -> pd.Series:
    return file.str.replace(r"\.[^.]*$", "", regex=True).str.lower()
