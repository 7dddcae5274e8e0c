"""Tables that name images and their labels: which columns they may have, and their rows joined with the images."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Collection, Iterable, Mapping

import pandas as pd
import pyarrow.parquet as pq

from core.data.columns import OWN
from core.data.faces import UNRECORDED
from core.data.readers.ages import with_ages
from core.data.readers.base import Reading
from core.data.readers.gender_columns import doubt_predicted, flag_of, instead_of_gender, with_flag
from core.data.readers.json_table import json_objects, keys_in
from core.data.readers.label_table import Columns, header_of, place_columns, read_table
from core.data.readers.labels import ALL_GENDER_WORDS, SPLIT_WORDS, join_images, known
from core.data.readers.read_log import ReadLog
from core.data.readers.spelling import folded
from core.data.sources.base import Source
from core.data.sources.files import FolderSource
from core.data.sources.image_column import unfit_images
from core.data.sources.shards import splits_of
from core.data.sources.tables import DAMAGE, ParquetSource, open_parquet, single_valued, string_table, tie_table
from core.errors import LookwhereError

#: What a table must have; where another column is classified, gender may be missing.
NEEDED = ("path", "gender")
#: What is read, and the other names by which it goes.
COLUMNS: Columns = {
    "path": (
        "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "image_name", "image_file",
        "image_file_name", "img", "img_path", "img_name", "image_filename", "picture", "image_id",
    ),
    "gender": ("sex",),
    "ethnicity": ("race", "ethnic_group"),
    "age": ("age_group", "age_range", "age_band"),
    "identity": ("person", "person_id", "identity_id", "subject", "subject_id"),
    "split": ("partition", "subset"),
}  # fmt: skip
#: A table to be filled in: only path and gender are needed, and what is not known is left empty.
TEMPLATE = """path,gender,ethnicity,age,identity,split
images/anna-1.jpg,female,group A,34,anna,
images/anna-2.jpg,female,group A,35,anna,
images/bo.jpg,male,group B,,bo,"""
SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
JSON = (".jsonl", ".json")
OUTSIDE = r"^(?:/|\.\.(?:/|$)|~|[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]*:/)"
#: Said of a row without gender where another column is classified.
NO_GENDER_IN_ROW = f"no gender: {UNRECORDED}"
#: Paths that `normpath` would write otherwise.
ROUNDABOUT = r"(?:^|/)\.{1,2}(?:/|$)|//"


def columns_at(source: Source, name: str) -> tuple[list[str], list[str]]:
    """The columns of a table as `COLUMNS` names them, and as they are written.

    Raises `LookwhereError` where it cannot be read.
    """
    if name.lower().endswith(".parquet"):
        headers = list(_parquet(source, name).schema_arrow.names)
    elif name.lower().endswith(JSON):
        headers = keys_in(source.head(name), name)
    else:
        places, headers = header_of(source.head(name), name, COLUMNS)
        return with_gender(places, headers, source.target), headers
    return with_gender(place_columns(headers, COLUMNS, name), headers, source.target), headers


def with_gender(places: Iterable[str], headers: list[str], target: str | None) -> list[str]:
    """The columns that are read, gender among them where another column says yes or no of one."""
    columns = list(places)
    by_flag = "gender" not in columns and "path" in columns and flag_of(headers, target) is not None
    return [*columns, "gender"] if by_flag else columns


def needed(source: Source) -> tuple[str, ...]:
    """The columns that a table of the source must have."""
    return NEEDED if source.target is None else NEEDED[:1]


def without_gender(source: Source, name: str) -> str:
    """What to do with a table, or with Parquet files of images, that has no column of genders; nothing where it cannot
    be read."""
    try:
        packed = isinstance(source, ParquetSource)
        return instead_of_gender(rows_of_parquet(source, ReadLog()) if packed else _table(source, name, ReadLog()))
    except LookwhereError:
        return instead_of_gender(pd.DataFrame())


def columns_of_images(source: ParquetSource) -> Columns:
    """`COLUMNS` of Parquet files with images: the only label that has genders as its names is that, as in what the hub
    makes of folders `female` and `male`."""
    labels = [
        column
        for column, names in source.class_names().items()
        if names and all(name.strip().lower() in ALL_GENDER_WORDS for name in names.values())
    ]
    return {**COLUMNS, "gender": (*COLUMNS["gender"], *labels)} if len(labels) == 1 else COLUMNS


def columns_in(
    headers: list[str], single: Collection[str], origin: str, log: ReadLog, uses: Columns = COLUMNS
) -> dict[str, str]:
    """The columns to read of a Parquet: our name, and that in the file; of its own those of `single` values."""
    places = place_columns(headers, uses, origin, log, own=True)
    header_of = {column: headers[positions[0]] for column, positions in places.items()}
    packed = [name for column, name in header_of.items() if column.startswith(OWN) and name not in single]
    if packed:
        log.unused(origin, packed)
    return {column: name for column, name in header_of.items() if name not in packed}


def rows_of_parquet(source: ParquetSource, log: ReadLog) -> pd.DataFrame:
    """The rows of Parquet files that hold the images, `path` and perhaps `face_id` a row.

    A face is called by the column that names its file, or by the path beside its image's bytes, where every row has one
    of its own.
    """
    columns = columns_in(source.columns(), source.single_valued(), source.path.name, log, columns_of_images(source))
    faces = _with_split_of_shards(
        source.labels({"name" if ours == "path" else ours: name for ours, name in columns.items()})
    )
    faces = with_flag(faces, log, source.path.name, source.target)
    for names in (faces.get("name"), faces["image_path"]):
        if names is not None and names.notna().all() and (names != "").all() and names.is_unique:
            return faces.assign(face_id=names)
    return faces


def rows_with_images(source: Source, file: str, log: ReadLog, inside_folder: bool = False) -> pd.DataFrame:
    """The rows of a table joined with the images that they name, `path` and `key` (relative to the table) a row.

    An image that no row names is rejected; `inside_folder` leaves those alone that do not lie in the table's folder.
    Raises `LookwhereError` where the table cannot be read.
    """
    rows = _located(_table(source, file, log), log, file)
    images = _images(source, file, rows)
    if inside_folder and (base := posixpath.dirname(file)):
        images = images[images["path"].str.startswith(f"{base}/")]
    return join_images(_respelled(rows, images, log), images, log, file, hints=True)


def labelled(faces: pd.DataFrame, log: ReadLog, target: str | None = None) -> Reading:
    """The reading of rows that have their image: genders, ages and splits in our words, one spelling a name.

    Faces are called by `face_id`, or else by `key`, or else by `path`. Gender is not recorded where there is no column
    `gender`, or where `target`, another column, is classified and a row's gender is empty.
    """
    if target is not None and "gender" in faces and faces["gender"].isna().all():
        faces = faces.drop(columns="gender")
    doubt_predicted(faces, log)
    if "gender" in faces:
        words: Mapping[str, str] = ALL_GENDER_WORDS
        if target is not None:
            empty = faces["gender"].isna()
            log.repair(faces.loc[empty, "path"], NO_GENDER_IN_ROW)
            faces, words = faces.assign(gender=faces["gender"].fillna(UNRECORDED)), {**words, UNRECORDED: UNRECORDED}
        faces = known(faces, "gender", words, log)
    if "age" in faces:
        faces = with_ages(faces, log)
    if "split" in faces and faces["split"].isna().all():
        faces = faces.drop(columns="split")
    if "split" in faces:
        faces = known(faces, "split", SPLIT_WORDS, log)
    for column in {"ethnicity", "identity"} & set(faces):
        faces = faces.assign(**{column: log.one_spelling(faces[column], faces["path"], column)})
    if "identity" in faces:
        for column in {"gender", "ethnicity", "split"} & set(faces):
            log.people(faces, column, f"person of more than one {column}")
    return log.reading(faces.assign(face_id=faces.get("face_id", faces.get("key", faces["path"]))))


def _with_split_of_shards(faces: pd.DataFrame) -> pd.DataFrame:
    """Where no column names the split but the files do, as `train-00000-of-00002.parquet` does, that is the split."""
    files = faces["file"].unique()
    if "split" in faces or (splits := splits_of(files)) is None:
        return faces
    return faces.assign(split=faces["file"].map(dict(zip(files, splits, strict=True))))


def held_instead(source: Source, name: str) -> str | None:
    """What the column `image` of a Parquet holds that is neither names nor bytes of files, in words; None of others."""
    return unfit_images(_parquet(source, name).schema_arrow) if name.lower().endswith(".parquet") else None


def _parquet(source: Source, name: str) -> pq.ParquetFile:
    """Raises `LookwhereError` where it cannot be read."""
    try:
        return open_parquet(source.path / name if isinstance(source, FolderSource) else source.read(name))
    except DAMAGE as error:
        raise LookwhereError(f"{name}: not a readable Parquet ({str(error).splitlines()[0]})") from error


def _json_table(data: bytes, origin: str, log: ReadLog) -> pd.DataFrame:
    """JSON as `read_table` gives a CSV; a value that is a list or an object counts as missing, which is told."""
    objects = json_objects(data, origin)
    keys = list(dict.fromkeys(key for _, content in objects for key in content))
    places = place_columns(keys, COLUMNS, origin, log, own=True)

    def word(value: object) -> str | None:
        if value is None or isinstance(value, list | dict):
            return None
        return (value if isinstance(value, str) else json.dumps(value)).strip() or None

    index = pd.Index([number - 2 for number, _ in objects])
    cells = {
        column: [word(content.get(keys[positions[0]])) for _, content in objects]
        for column, positions in places.items()
    }
    for column, positions in places.items():
        held = [content.get(keys[positions[0]]) for _, content in objects]
        packed = sum(isinstance(value, list | dict) for value in held)
        if packed and any(cells[column]):
            rows = f"{packed:,} row{'s' if packed > 1 else ''}"
            log.remark(f"{origin}: {keys[positions[0]]} holds lists or objects in {rows}, which count as missing")
    if empty := [column for column, cell in cells.items() if column.startswith(OWN) and not any(cell)]:
        log.unused(origin, [keys[places[column][0]] for column in empty])
    filled = {column: cell for column, cell in cells.items() if column not in empty}
    return pd.DataFrame({column: pd.Series(cell, index=index, dtype="str") for column, cell in filled.items()})


def _table(source: Source, file: str, log: ReadLog) -> pd.DataFrame:
    """The known columns as strings, with `name` (the path as written), and `key` (as `_images` writes it)."""
    if file.lower().endswith(".parquet"):
        parquet = _parquet(source, file)
        names = columns_in(parquet.schema_arrow.names, single_valued(parquet.schema_arrow), file, log)
        table = string_table(parquet, names, file)
        tie_table(source, file, table)
    elif file.lower().endswith(JSON):
        table = _json_table(source.read(file), file, log)
    else:
        table = read_table(source.read(file), file, COLUMNS, log, own=True)
    table = with_flag(table, log, file, source.target)
    key = table["path"].str.replace("\\", "/")
    inside = f"{source.path.resolve().as_posix()}/{posixpath.dirname(file)}".rstrip("/") + "/"
    key = key.str.removeprefix(inside)
    roundabout = key.str.contains(ROUNDABOUT).fillna(False).astype(bool)
    key[roundabout] = key[roundabout].map(posixpath.normpath)
    return table.rename(columns={"path": "name"}).assign(key=key)


def _located(rows: pd.DataFrame, log: ReadLog, file: str) -> pd.DataFrame:
    """The rows whose path lies inside the folder; the others are rejected and never opened."""
    empty = rows["key"].isna()
    log.reject(f"{file}, row " + (rows.index[empty] + 2).astype("str"), "names no path")
    outside = rows["key"].str.match(OUTSIDE).fillna(False).astype(bool)
    log.reject(rows.loc[outside, "name"], f"path leads outside the folder; write paths relative to {file}")
    return rows[~empty & ~outside]


def _images(source: Source, file: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Every file that the manifest names, and every image: `path`, and `key` relative to the manifest's folder."""
    path = pd.Series(source.names, dtype="str")
    base = posixpath.dirname(file.removeprefix("./"))
    key = path.str.removeprefix("./").str.removeprefix(f"{base}/" if base else "").str.replace("\\", "/")
    listed, image = key.isin(rows["key"]), path.isin(source.images())
    # Spelling is asked for where it matters: it takes a text a name.
    if (rest := ~listed & ~image & (path != file)).any():
        listed[rest] = key[rest].map(folded).isin(set(map(folded, rows["key"])))
    return pd.DataFrame({"path": path, "key": key})[listed & (path != file) | image]


def _respelled(rows: pd.DataFrame, images: pd.DataFrame, log: ReadLog) -> pd.DataFrame:
    """Rows whose path differs from one image's in letters' case or Unicode form alone, by that image's own name."""
    lost = ~rows["key"].isin(images["key"])
    if not lost.any():
        return rows
    free = images.loc[~images["key"].isin(rows["key"]), "key"]
    by_spelling = pd.Series(free.to_numpy(), index=free.map(folded).to_numpy(), dtype="str")
    by_spelling = by_spelling[~by_spelling.index.duplicated(keep=False)]
    if by_spelling.empty:
        return rows
    spellings = rows.loc[lost, "key"].map(folded).map(by_spelling).dropna()
    log.repair(rows.loc[spellings.index, "name"], "found under a path that differs in letters' case or Unicode form")
    return rows.assign(key=spellings.reindex(rows.index).fillna(rows["key"]).astype("str"))
