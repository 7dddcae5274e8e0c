"""Image files in a folder."""

from __future__ import annotations

import errno
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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
        # By folder, then by name: no name holds a NUL, which comes before all other signs.
        self._raw = distinct_names(sorted(files, key=lambda name: name.replace("/", "\0")))
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
    walk = _Walk(root, refused)
    waiting = [("", walk.top())]
    while waiting:
        prefix, folder = waiting.pop()
        while folder.entries:
            entry = folder.entries.pop()  # it keeps what is asked of its file, five times the memory of the name
            if LOCK.fullmatch(entry.name):
                continue
            try:
                size = entry.stat().st_size if entry.is_file() else None
                inner = walk.inner(entry, folder) if size is None else None
            except OSError as error:
                refused[RING if error.errno == errno.ELOOP else "folders that cannot be opened"] += 1
                continue
            if size is not None:
                yield prefix + entry.name, size
            elif inner is not None:
                waiting.append((f"{prefix}{entry.name}/", inner))


@dataclass(frozen=True)
class _Folder:
    """A folder's entries, and the identities of itself and of the folders it was reached through."""

    entries: list[os.DirEntry]
    way: frozenset[tuple[int, int]]


@dataclass
class _Walk:
    """What is followed below `root`; what is not is counted in `refused`."""

    root: Path
    refused: Counter[str]
    links: int = 0

    def top(self) -> _Folder:
        """Raises `LookwhereError` where the root cannot be opened."""
        root = self.root
        try:
            way = {_identity(folder.stat()) for folder in (root, *root.resolve().parents)}
            return _Folder(list(os.scandir(root)), frozenset(way))
        except OSError as error:
            raise LookwhereError(
                f"{root}: cannot be opened ({error.strerror or error}); mend its permissions"
            ) from error

    def inner(self, entry: os.DirEntry, folder: _Folder) -> _Folder | None:
        """A folder in `folder`; None of what is none or is not followed. Raises `OSError`, and `LookwhereError` where
        links seem to have no end."""
        if not entry.is_dir():
            self.refused[NOTHING] += entry.is_symlink()
            return None
        identity = _identity(entry.stat())
        if entry.is_symlink():
            self.links += 1
            if identity in folder.way:
                self.refused[RING] += 1
                return None
            if self.links > MAXIMUM_LINKS:
                raise LookwhereError(f"{self.root}: over {MAXIMUM_LINKS:,} linked folders; do its links go round?")
        entries = list(os.scandir(entry.path))
        if _is_store(entries):
            self.refused[STORES] += 1
            return None
        return _Folder(entries, folder.way | {identity})


def _is_store(inside: list[os.DirEntry]) -> bool:
    names = {entry.name for entry in inside}
    return "faces.npy" in names and not names.isdisjoint(("store.json", "unfinished.json"))


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
