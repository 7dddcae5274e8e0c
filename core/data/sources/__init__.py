"""Where images lie: a folder, a tar (compressed or not) or a zip, read alike."""

from __future__ import annotations

from pathlib import Path

from core.data.sources.base import Source
from core.data.sources.files import FolderSource, TarSource, ZipSource
from core.errors import LookwhereError


def open_source(path: str | Path) -> Source:
    """The source at `path`: a folder, `.tar`, `.tar.gz`, `.tgz`, `.tar.bz2`, `.tar.xz`, `.zip` or `.rec`.

    A CSV, TSV, JSON lines or Parquet stands for the folder in which it lies, or for the images inside it.

    Raises `LookwhereError` where there is nothing, or nothing that can be read.
    """
    path = Path(path)
    if not path.exists():
        raise LookwhereError(f"{path}: no such file or folder; give the data set's folder or archive with --data")
    if path.suffix == ".rec" or (path / "train.rec").is_file():
        from core.data.sources.recordio import RecordSource

        return RecordSource(path if path.suffix == ".rec" else path / "train.rec")
    if path.is_dir():
        from core.data.sources.tables import open_shards

        return open_shards(FolderSource(path))
    if path.stat().st_size == 0:
        raise LookwhereError(f"{path}: the file is empty; download it again")
    if path.suffix.lower() in (".csv", ".tsv", ".jsonl", ".parquet"):
        from core.data.sources.tables import open_table

        return open_table(path)
    suffixes = "".join(path.suffixes[-2:]).lower()
    if suffixes.endswith(".zip"):
        return ZipSource(path)
    if any(suffixes.endswith(end) for end in (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")):
        return TarSource(path)
    raise LookwhereError(
        f"{path}: neither a folder nor .tar, .tar.gz, .tgz, .zip, .rec, .csv or .parquet; give one of these with --data"
    )
