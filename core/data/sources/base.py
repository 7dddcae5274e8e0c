"""What every image source offers, whatever holds the files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


HEAD_BYTES = 65_536


class Source:
    """Named byte strings. `names` are relative, with `/`, in the order in which `iterate` reads them."""

    #: The reader that is asked first.
    preferred_reader: str | None = None

    def __init__(self, path: Path, sizes: dict[str, int]) -> None:
        self.path = path
        self._sizes = sizes
        self._heads: dict[str, bytes] = {}
        self._images: list[str] | None = None
        #: SHA-256 of each file that was read whole, and of labels that readers name: a store is tied to them.
        self.read_whole: dict[str, str] = {}

    @property
    def names(self) -> list[str]:
        return list(self._sizes)

    def __len__(self) -> int:
        return len(self._sizes)

    def files(self, *suffixes: str) -> list[str]:
        """Names that end so, whatever their case; hidden files and what a Mac adds to archives left out."""
        return [name for name in self.names if name.lower().endswith(suffixes) and not _hidden(name)]

    def images(self) -> list[str]:
        """Names of the images, as `files` lists them; kept, as every reader asks for them."""
        if self._images is None:
            self._images = self.files(*IMAGE_SUFFIXES)
        return self._images

    def iterate(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield `(name, bytes)` of the wanted names in storage order. Raises `LookwhereError` on a damaged archive."""
        raise NotImplementedError

    def read(self, name: str) -> bytes:
        """One file whole. Raises `KeyError` for an unknown name, `LookwhereError` on a damaged archive."""
        for _, data in self.iterate([name]):
            self.tie(name, data)
            return data
        raise KeyError(name)

    def tie(self, name: str, data: bytes) -> None:
        """Note the content of a label file, or of labels that lie elsewhere than in a file of their own."""
        self.read_whole[name] = hashlib.sha256(data).hexdigest()

    def head(self, name: str) -> bytes:
        """The first bytes of a file, enough for the first lines of a table; kept, as every reader asks for them."""
        if name not in self._heads:
            self._heads[name] = self._head(name)
        return self._heads[name]

    def _head(self, name: str) -> bytes:
        for _, data in self.iterate([name]):
            return data[:HEAD_BYTES]
        raise KeyError(name)

    def problem(self, name: str) -> str | None:
        """What was found wrong with a file that `iterate` gave as empty bytes, or None."""
        return None

    def fingerprint(self) -> str:
        """SHA-256 over the sorted names and sizes: tells one source from another without reading it all."""
        lines = "\n".join(f"{name}\t{size}" for name, size in sorted(self._sizes.items()))
        return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def _hidden(name: str) -> bool:
    plain = name.removeprefix("./")
    return plain.startswith((".", "__MACOSX/")) or "/." in plain or "/__MACOSX/" in plain
