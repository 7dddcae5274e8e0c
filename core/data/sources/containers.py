"""Files that hold images and are not opened here, each with the way out of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

PACKED = "an archive of a kind that is not opened here: unpack it, and give the folder"
_EACH = "write each image as a file, with a manifest of path,gender"
#: How a name ends, and what such a file is.
_KINDS = (
    (r"\.(?:zip|7z|rar|tar(?:\.\w+)?|tgz)\.?(?:\d{3}|part\w+)|\.part\d+\.rar|\.z\d\d|\.r\d\d",
     "a part of a split archive: join the parts, unpack the whole, and give the folder"),
    (r"\.(?:7z|rar|cab|dmg|iso|lz4|br|z|arj|lzh|ace)", PACKED),
    (r"\.arrow", "what save_to_disk of Hugging Face's datasets writes: load_from_disk(…).to_parquet(…) makes a Parquet "
     "of it, which is read"),
    (r"\.tfrecords?(?:-\d+-of-\d+)?", f"TensorFlow's records: {_EACH}"),
    (r"(?:^|/)(?:data|lock)\.mdb|\.lmdb", f"an LMDB: {_EACH}"),
    (r"\.(?:npy|npz|mat|h5|hdf5|pkl|pickle|pt|pth)", f"images as arrays of numbers: {_EACH}"),
    (r"\.(?:mp4|avi|mov|mkv|webm)", "a video: write its frames as image files"),
    (r"\.(?:xlsx?|ods|numbers)", "a spreadsheet: save it as CSV"),
)  # fmt: skip


def container(name: str) -> str | None:
    """What a file holds that is not opened here, and the way out of it; None of any other."""
    return next((what for ending, what in _KINDS if re.search(rf"(?:{ending})$", name, re.IGNORECASE)), None)


def in_containers(names: Iterable[str]) -> str | None:
    """Of files without an image among them, those in which images may be, told in a line; None where there are none."""
    containers = [(name, what) for name in names if (what := container(name)) is not None]
    if not containers:
        return None
    name, what = containers[0]
    more = f" and {len(containers) - 1:,} more" if len(containers) > 1 else ""
    return f"there is no image in it, but {name}{more}, {what}"
