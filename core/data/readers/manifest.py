"""A data set of the user's own: a CSV or Parquet with `path` and `gender`, and perhaps more.

`ethnicity`, `age`, `identity` and `split` are read where they are there. The file is `manifest.csv` or
`manifest.parquet` (or the only table at the root with these columns) in a folder, tar or zip, or it is given itself;
paths are relative to where it lies, and may not lead out of it. A Parquet with the column `image` needs no `path`.
"""

from __future__ import annotations

import io
import posixpath
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from core.data.readers.base import Reader, Reading, Refusal
from core.data.readers.labels import (
    GENDER_WORDS,
    SPLIT_WORDS,
    ReadLog,
    columns_of,
    join_images,
    known,
    read_table,
    years,
)
from core.data.sources.base import Source
from core.data.sources.files import FolderSource
from core.data.sources.shards import splits_of
from core.data.sources.tables import DAMAGE, ManifestSource, ParquetSource, string_table
from core.errors import LookwhereError

NEEDED = ("path", "gender")
COLUMNS = (*NEEDED, "ethnicity", "age", "identity", "split")
OUTSIDE = r"^(?:/|\.\.(?:/|$)|~|[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]*:/)"
#: Paths that `normpath` would write otherwise.
ROUNDABOUT = r"(?:^|/)\.{1,2}(?:/|$)|//"


class Manifest(Reader):
    name = "manifest"
    title = "A manifest of your own"
    expects = (
        "manifest.csv or .parquet: path, gender[, ethnicity, age, identity, split]; or a Parquet with image, gender"
    )

    def why_not(self, source: Source) -> Refusal | None:
        if isinstance(source, ParquetSource):
            missing = {"gender"} - set(source.columns())
            return Refusal(f"column gender is missing in {_first(source)}", "images in a Parquet") if missing else None
        file, refusal = _find(source)
        return refusal if file is None else None

    def read(self, source: Source, labels: Path | None = None) -> Reading:
        """Raises `LookwhereError` where the table cannot be read."""
        notes = ReadLog()
        if isinstance(source, ParquetSource):
            faces = _with_split_of_shards(source.labels(COLUMNS[1:]))
        else:
            file, _ = _find(source)
            rows = _table(source, file)
            faces = join_images(_located(rows, notes, file), _images(source, file, rows), notes, file)
        faces = known(faces, "gender", GENDER_WORDS, notes)
        if "age" in faces:
            age = years(faces["age"])
            bad = age.isna() & faces["age"].notna()
            notes.repair(faces.loc[bad, "path"], "age " + faces["age"][bad] + " is no number of years: not known")
            faces = faces.assign(age=age)
        if "split" in faces and faces["split"].isna().all():
            faces = faces.drop(columns="split")
        if "split" in faces:
            faces = known(faces, "split", SPLIT_WORDS, notes)
        if "identity" in faces:
            for column in {"gender", "ethnicity", "split"} & set(faces):
                notes.people(faces, column, f"person of more than one {column}")
        return notes.reading(faces.assign(face_id=faces.get("key", faces["path"])))


def _first(source: ParquetSource) -> str:
    return next(iter(source.rows))


def _find(source: Source) -> tuple[str | None, Refusal | None]:
    """The manifest's name; or None, and why there is none."""
    if isinstance(source, ManifestSource):
        missing = [column for column in NEEDED if column not in _columns(source, source.manifest)]
        if missing:
            return None, Refusal(f"column {', '.join(missing)} is missing in {source.manifest}", "a manifest")
        return source.manifest, None
    tables = _at_root(source, source.files(".csv", ".parquet"))
    missing = {name: [column for column in NEEDED if column not in _columns(source, name)] for name in tables}
    named = [name for name in tables if posixpath.basename(name).lower() in ("manifest.csv", "manifest.parquet")]
    fit = [name for name in (named or tables) if not missing[name]]
    if len(fit) == 1:
        return fit[0], None
    if fit:
        return None, Refusal(f"there are {len(fit)}: {', '.join(fit[:3])}; give one of them itself", "a manifest")
    near = named or [name for name in tables if "path" not in missing[name]]
    if near:
        return None, Refusal(f"column {', '.join(missing[near[0]])} is missing in {near[0]}", "a manifest")
    return None, Refusal("no manifest.csv or .parquet, nor a single table with path and gender, at its root")


def _at_root(source: Source, names: list[str]) -> list[str]:
    """Those at the root, or right inside the one folder that holds everything."""
    tops = {name.removeprefix("./").partition("/")[0] for name in source.files("")} if names else set()
    deepest = 1 if len(tops) == 1 else 0
    return [name for name in names if name.removeprefix("./").count("/") <= deepest]


def _parquet(source: Source, name: str) -> pq.ParquetFile:
    """Raises `LookwhereError` where it cannot be read."""
    try:
        return pq.ParquetFile(source.path / name if isinstance(source, FolderSource) else io.BytesIO(source.read(name)))
    except DAMAGE as error:
        raise LookwhereError(f"{name}: not a readable Parquet ({str(error).splitlines()[0]})") from error


def _columns(source: Source, name: str) -> list[str]:
    if not name.lower().endswith(".parquet"):
        return columns_of(source, name)
    try:
        return [column.lower() for column in _parquet(source, name).schema_arrow.names]
    except LookwhereError:
        return []


def _table(source: Source, file: str) -> pd.DataFrame:
    """The known columns as strings, with `name` (the path as written), and `key` (as `_images` writes it)."""
    if file.lower().endswith(".parquet"):
        table = string_table(_parquet(source, file), COLUMNS, file)
        source.tie(file, table.to_csv().encode("utf-8", "surrogateescape"))
    else:
        table = read_table(source.read(file), file)
        table = table[[column for column in COLUMNS if column in table]]
    key = table["path"].str.replace("\\", "/")
    roundabout = key.str.contains(ROUNDABOUT).fillna(False).astype(bool)
    key[roundabout] = key[roundabout].map(posixpath.normpath)
    return table.rename(columns={"path": "name"}).assign(key=key)


def _located(rows: pd.DataFrame, notes: ReadLog, file: str) -> pd.DataFrame:
    """The rows whose path lies inside the folder; the others are rejected and never opened."""
    empty = rows["key"].isna()
    notes.reject(f"{file}, row " + (rows.index[empty] + 2).astype("str"), "names no path")
    outside = rows["key"].str.match(OUTSIDE).fillna(False).astype(bool)
    notes.reject(rows.loc[outside, "name"], "path leads outside the folder")
    return rows[~empty & ~outside]


def _images(source: Source, file: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Every file that the manifest names, and every image: `path`, and `key` relative to the manifest's folder."""
    path = pd.Series(source.names, dtype="str")
    base = posixpath.dirname(file.removeprefix("./"))
    key = path.str.removeprefix("./").str.removeprefix(f"{base}/" if base else "").str.replace("\\", "/")
    wanted = key.isin(rows["key"]) | path.isin(source.images())
    return pd.DataFrame({"path": path, "key": key})[wanted]


def _with_split_of_shards(faces: pd.DataFrame) -> pd.DataFrame:
    """Where no column names the split but the files do, as `train-00000-of-00002.parquet` does, that is the split."""
    files = faces["file"].unique()
    if "split" in faces or (splits := splits_of(files)) is None:
        return faces
    return faces.assign(split=faces["file"].map(dict(zip(files, splits, strict=True))))
