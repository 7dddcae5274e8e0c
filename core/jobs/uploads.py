"""Files that a visitor gives: kept beside the jobs that read them, within bounds, under names of ours."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from core.errors import LookwhereError
from core.files import write_bytes

#: Where they lie in the folder of jobs.
FOLDER = "uploads"
#: Bytes of one file (as `maxUploadSize` in .streamlit/config.toml) and of all together.
MAXIMUM_BYTES, MAXIMUM_TOTAL = 50 * 2**20, 2 * 2**30


def keep_upload(jobs: Path, name: str, content: bytes, suffixes: tuple[str, ...]) -> Path:
    """Keep a file and return its real path; the same content is kept once, and its name is only read for its ending.

    Raises `LookwhereError` where its name ends in none of `suffixes`, it is empty or too large, or there is no room.
    """
    lower = name.lower()
    suffix = max((ending for ending in suffixes if lower.endswith(ending)), key=len, default=None)
    short_name = re.sub(r"[^\w. -]", "�", name[-60:])
    if suffix is None:
        raise LookwhereError(f"{short_name}: ends in none of {', '.join(suffixes)}; give a file of these kinds")
    if not content:
        raise LookwhereError(f"{short_name}: the file is empty; choose it again")
    if len(content) > MAXIMUM_BYTES:
        raise LookwhereError(f"{short_name}: over {MAXIMUM_BYTES // 2**20} MB; put it into a folder open to this page")
    stem = re.sub(r"[^a-z0-9]+", "-", lower.removesuffix(suffix)).strip("-")[:30] or "upload"
    folder = jobs / FOLDER / hashlib.sha256(content).hexdigest()[:16]
    file = folder / f"{stem}{suffix}"
    if not file.is_file():
        if used_bytes(jobs) + len(content) > MAXIMUM_TOTAL:
            raise LookwhereError(f"{jobs / FOLDER}: {MAXIMUM_TOTAL // 2**30} GB of uploads; delete some")
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes(file, content)
    return file.resolve()


def used_bytes(jobs: Path) -> int:
    """Bytes of all uploads that are kept."""
    return sum(file.stat().st_size for file in (jobs / FOLDER).glob("*/*") if file.is_file())
