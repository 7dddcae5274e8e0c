"""Image files in a folder."""

from __future__ import annotations

import errno
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.data.image_kinds import BEGINNING_BYTES, is_image
from core.data.sources.base import Source, too_large
from core.data.sources.links import NOTHING, RING
from core.data.sources.names import distinct_names
from core.errors import LookwhereError

#: Linked folders followed below one folder: such that link to each other make ever more names.
MAXIMUM_LINKS = 100_000
#: A store that was aligned into the data set's folder, or is being aligned there, is no part of the data set.
STORES = "aligned stores"
#: What keeps a second process off one (`core.locks`).
LOCK = re.compile(r"\..+\.lock")


class FolderSource(Source):
    """The files of a folder and of its sub-folders, linked ones too, wherever they lie; a ring of links ends."""

    def __init__(self, path: Path) -> None:
        """Raises `LookwhereError` where the folder cannot be opened."""
        refused: Counter[str] = Counter()
        files = dict(_files(path, refused))
        self._raw = distinct_names(sorted(files, key=lambda name: name.split("/")))
        super().__init__(path, {name: files[raw] for name, raw in self._raw.items()})
        self.refused = refused

    def place(self, name: str) -> Path:
        """Where a file lies."""
        return self.path / self._raw[name]

    def _images_by_content(self, names: list[str]) -> set[str]:
        return {name for name in names if is_image(self._first_bytes(name, BEGINNING_BYTES))}

    def _first_bytes(self, name: str, count: int | None) -> bytes:
        if count is None:
            return self._bytes(name)
        try:
            with self.place(name).open("rb") as file:
                return file.read(count)
        except OSError:
            return b""

    def iterate(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        selected = set(names)
        for name, size in self._sizes.items():
            if name in selected:
                yield name, b"" if too_large(size) else self._bytes(name)

    def _bytes(self, name: str) -> bytes:
        try:
            return self.place(name).read_bytes()
        except OSError as error:
            raise LookwhereError(
                f"{self.path / name}: cannot be read ({error.strerror or error}); mend it or take it away"
            ) from error


def _files(root: Path, refused: Counter[str]) -> Iterator[tuple[str, int]]:
    """Path relative to `root` and size of each file below it; what is not followed is counted in `refused`."""
    try:
        here = root.stat()
        above = {_identity(folder.stat()) for folder in root.resolve().parents} | {_identity(here)}
        waiting = [("", frozenset(above), list(os.scandir(root)))]
    except OSError as error:
        raise LookwhereError(f"{root}: cannot be opened ({error.strerror or error}); mend its permissions") from error
    links = 0
    while waiting:
        prefix, above_here, entries = waiting.pop()
        for entry in entries:
            try:
                if LOCK.fullmatch(entry.name):
                    continue
                if entry.is_file():
                    yield prefix + entry.name, entry.stat().st_size
                    continue
                if not entry.is_dir():
                    refused[NOTHING] += entry.is_symlink()
                    continue
                identity = _identity(entry.stat())
                if entry.is_symlink():
                    links += 1
                    if identity in above_here:
                        refused[RING] += 1
                        continue
                    if links > MAXIMUM_LINKS:
                        raise LookwhereError(f"{root}: over {MAXIMUM_LINKS:,} linked folders; do its links go round?")
                inside = list(os.scandir(entry.path))
            except OSError as error:
                refused[RING if error.errno == errno.ELOOP else "folders that cannot be opened"] += 1
                continue
            if _is_store(inside):
                refused[STORES] += 1
                continue
            waiting.append((f"{prefix}{entry.name}/", above_here | {identity}, inside))


def _is_store(inside: list[os.DirEntry]) -> bool:
    names = {entry.name for entry in inside}
    return "faces.npy" in names and not names.isdisjoint(("store.json", "unfinished.json"))


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
