"""Image folders of Hugging Face's datasets library: `metadata.csv` or `metadata.jsonl` in each folder of images.

`file_name` is relative to where the table lies; `gender` and perhaps more are read as of a manifest. Without a column
for it, folders called train, validation or test are the splits, where there is more than one.
https://huggingface.co/docs/datasets/image_dataset#imagefolder
"""

from __future__ import annotations

import posixpath
from pathlib import Path

import pandas as pd

from core.data.readers.base import Reader, Reading, Refusal
from core.data.readers.labels import SPLIT_WORDS, find_files, rows_differ
from core.data.readers.manifest_table import columns_at, labelled, needed, rows_with_images, without_gender
from core.data.readers.read_log import ReadLog
from core.data.sources.base import Source
from core.data.sources.tables import ManifestSource, ParquetSource
from core.errors import LookwhereError

TABLES = r"metadata\.(?:csv|jsonl|parquet)"


class ImageFolder(Reader):
    name = "image-folder"
    title = "A Hugging Face image folder with metadata"
    expects = "metadata.csv or metadata.jsonl (file_name, gender[, ethnicity, age, …]) in each folder of images"

    def why_not(self, source: Source) -> Refusal | None:
        if isinstance(source, ManifestSource | ParquetSource):
            return Refusal("a table is given itself, not a folder of images")
        tables = find_files(source, TABLES)
        if find_files(source, r"manifest\.\w+"):
            return Refusal("there is a manifest in it")
        if not tables:
            return Refusal("no metadata.csv or metadata.jsonl in it")
        for table in tables:
            try:
                places, headers = columns_at(source, table)
            except LookwhereError as error:
                return Refusal(str(error), "a Hugging Face image folder")
            missing = [column for column in needed(source) if column not in places]
            if missing:
                lacking = ", ".join("file_name" if column == "path" else column for column in missing)
                has = f"; it has {', '.join(headers[:12])}" if headers else ""
                has += without_gender(source, table) if missing == ["gender"] else ""
                return Refusal(f"column {lacking} is missing in {table}{has}", "a Hugging Face image folder")
        return None if source.images() else Refusal("there is no image in it", "a Hugging Face image folder")

    def read(self, source: Source, labels: Path | None = None) -> Reading:
        """Raises `LookwhereError` where a table cannot be read."""
        log, parts = ReadLog(), []
        for table in find_files(source, TABLES):
            parts.append(rows_with_images(source, table, log, inside_folder=True))
        faces = pd.concat(parts, ignore_index=True)
        contradicted = rows_differ(faces.assign(key=faces["path"]), "gender")
        log.reject(faces.loc[contradicted, "path"], "metadata of two folders name several genders for this image")
        faces = faces[~contradicted & ~faces["path"].duplicated()].reset_index(drop=True)
        bases = {posixpath.dirname(table) for table in find_files(source, TABLES)}
        if "" not in bases:
            path = pd.Series(source.images(), dtype="str")
            log.reject(path[~path.str.startswith(tuple(f"{base}/" for base in bases))], "no metadata in its folder")
        if "split" not in faces:
            split = faces["path"].map(_split).astype("str")
            faces = faces.assign(split=split) if split.notna().all() and len(set(split)) > 1 else faces
        return labelled(faces.assign(face_id=faces["path"]), log, source.target)


def _split(path: str) -> str | None:
    """The split that the nearest folder names, of those that name one."""
    folders = path.lower().split("/")[-2::-1]
    return next((SPLIT_WORDS[folder] for folder in folders if folder in SPLIT_WORDS), None)
