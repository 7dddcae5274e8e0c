"""What the paths of a data set's Parquet files say: the split of each, and whether they are one data set or several.

Names are those of the Hugging Face hub: `train-00000-of-00002-HASH.parquet`, `data/train-00000-of-00002.parquet`,
`CONFIG/train/0000.parquet`, `validation.parquet` (https://huggingface.co/docs/datasets/repository_structure).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: The hub's words for its splits, in ours.
WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
#: A shard named for its split alone, with a hash or without.
SHARD = r"(?P<split>[a-z]+)-\d+-of-\d+(?:-[0-9a-f]+)?\.parquet"


def splits_of(paths: Iterable[str]) -> list[str] | None:
    """The split of each file, or None where they do not all name one.

    A file's own name counts first, then its folders from the nearest on. A single split counts only where files are
    numbered shards of it: `train.parquet` alone is a name like any other.
    """
    paths = list(paths)
    splits = [_placed(path)[0] for path in paths]
    known_splits = [split for split in splits if split is not None]
    if not paths or len(known_splits) < len(splits):
        return None
    numbered = all(re.fullmatch(SHARD, path.rpartition("/")[2].lower()) for path in paths)
    return known_splits if numbered or len(set(known_splits)) > 1 else None


def configurations(paths: Iterable[str]) -> list[str]:
    """Folders that hold shards of the same names for the same splits, as the hub's configurations do; none or several.

    They are one data set several times, as FairFace with either margin.
    """
    folders: dict[tuple[str, str], set[str]] = {}
    for path in paths:
        split, above = _placed(path)
        if split is not None:
            shard = re.sub(r"(-of-\d+)-[0-9a-f]+(\.parquet)$", r"\1\2", path.rpartition("/")[2].lower())
            folders.setdefault((split, shard), set()).add(above)
    return sorted({above for places in folders.values() if len(places) > 1 for above in places})


def _placed(path: str) -> tuple[str | None, str]:
    """The split that a path names, and the folder above the part that names it."""
    parts = path.removesuffix(".parquet").split("/")
    for n in range(len(parts) - 1, -1, -1):
        splits = {WORDS[word] for word in re.split(r"[^a-z]+", parts[n].lower()) if word in WORDS}
        if len(splits) == 1:
            return splits.pop(), "/".join(parts[:n])
    return None, ""
