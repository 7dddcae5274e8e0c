"""Where a data set is aligned into where nobody says: a folder called as the data set's, so that two do not collide."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

from core.data.readers import Reader
from core.data.sources.base import Source
from core.data.store_info import StoreInfo
from core.data.store_names import OF_ANYBODY, STORES
from core.errors import LookwhereError

#: Endings of files that lie in a data set's folder and do not name it.
INSIDE = (".csv", ".tsv", ".jsonl", ".json", ".rec")


def default_store(source: Source, reader: Reader) -> Path:
    """The folder of a data set's store: `data/aligned/` and the name of its layout, or of its folder where anybody's
    data may have that layout.

    A store that an earlier version aligned into the folder of the layout is found there again.
    """
    if reader.name not in OF_ANYBODY:
        return STORES / reader.name
    former = STORES / reader.name / "store.json"
    if former.is_file() and _source_of(former) == source.fingerprint():
        return former.parent
    return STORES / (folder_name(source.path) or reader.name)


def folder_name(data: Path) -> str:
    """The name of a data set's folder or archive, fit for one folder; empty where nothing of it is."""
    data = data.resolve()
    name = (data.parent if data.suffix.lower() in INSIDE else data).name
    for ending in (".gz", ".zip", ".tar", ".tgz", ".parquet"):
        name = name.removesuffix(ending)
    return re.sub(r"[^\w.-]+", "-", name).strip(".-_")[:60]


def free_folder(data: Path, occupied: Path) -> Path:
    """A folder for a further store: called as the data set is, or with a number."""
    name = folder_name(data) or occupied.name
    names = itertools.chain([name], (f"{name}-{n}" for n in itertools.count(2)))
    return next(STORES / name for name in names if STORES / name != occupied and not (STORES / name).exists())


def _source_of(file: Path) -> str | None:
    try:
        return StoreInfo.from_json(file).source_fingerprint
    except LookwhereError:
        return None
