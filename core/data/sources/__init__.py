"""Where images lie: a folder, a tar (compressed or not) or a zip, and archives inside these, read alike."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

from core.data.columns import loose
from core.data.image_kinds import looks_like
from core.data.sources.archives import TarSource, ZipSource
from core.data.sources.base import Source
from core.data.sources.containers import PACKED, container
from core.data.sources.files import FolderSource
from core.data.sources.packed import ARCHIVES, unfold, unfold_shards
from core.data.sources.tables import open_shards, open_table
from core.errors import LookwhereError
from core.task import GENDER


def open_source(path: str | Path, target: str | None = None) -> Source:
    """The source at `path`: a folder, `.tar` (also `.gz`, `.bz2`, `.xz`, `.zst`), `.zip` or `.rec`.

    `target` is the column that is to be classified instead of gender; a data set may then label no gender.

    Where a folder or an archive has no image but archives inside, these are read in its place. A CSV, TSV, JSON
    or Parquet stands for the folder in which it lies, or for the images inside it.

    Raises `LookwhereError` where there is nothing, or nothing that can be read.
    """
    source = _open(Path(path))
    # Gender is what is classified anyway, and a data set without it labels nothing then.
    source.target = None if target is None or loose(target) == GENDER.attribute else target
    return source


def _open(path: Path) -> Source:
    """The source at `path`, whatever is to be classified."""
    if not path.exists():
        raise LookwhereError(f"{path}: no such file or folder; give the data set's folder or archive with --data")
    if path.suffix == ".rec" or (path / "train.rec").is_file():
        from core.data.sources.recordio import RecordSource

        return RecordSource(path if path.suffix == ".rec" else path / "train.rec")
    if path.is_dir():
        source = open_shards(FolderSource(path))
        return unfold(source, _open_archive, 0) if isinstance(source, FolderSource) else source
    if path.stat().st_size == 0:
        raise LookwhereError(f"{path}: the file is empty; download it again")
    if path.suffix.lower() in (".csv", ".tsv", ".jsonl", ".json", ".parquet"):
        return open_table(path)
    if path.suffix.lower() in (".xlsx", ".xls", ".ods", ".numbers"):
        raise LookwhereError(f"{path}: a spreadsheet; save it as CSV and give that with --data")
    if (what := container(path.name)) not in (None, PACKED):  # of an archive its content says more
        raise LookwhereError(f"{path}: {what}")
    return _open_archive(path, 0)


def _open_archive(path: Path, depth: int) -> Source:
    """A zip or tar, by its name or else by its content, and the archives in it; `depth` is the number around it."""
    name = path.name.lower()
    if name.endswith(".zip") or (not name.endswith(ARCHIVES) and zipfile.is_zipfile(path)):
        source: Source = ZipSource(path)
    elif name.endswith(ARCHIVES) or _is_tar(path):
        source = TarSource(path)
    else:
        with path.open("rb") as file:
            kind = looks_like(file.read(64))
        raise LookwhereError(
            f"{path}: neither a folder nor .tar (.gz, .bz2, .xz, .zst), .tgz, .zip, .rec, .csv or .parquet"
            f"{f' but {kind}' if kind else ''}; unpack it, or give one of these with --data"
        )
    return unfold(unfold_shards(source), _open_archive, depth)


def _is_tar(path: Path) -> bool:
    try:
        return tarfile.is_tarfile(path)
    except (OSError, EOFError):
        return False
