"""What every image source offers, whatever holds the files."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.data.image_kinds import IMAGE_SUFFIXES
from core.data.sources.names import is_added_by_mac, is_hidden
from core.errors import LookwhereError

HEAD_BYTES = 65_536
#: Files whose first lines are kept: of a million tables nobody can say which has the labels.
MAXIMUM_HEADS = 1_000
#: Of one image: 100 million pixels as they come from a camera. A larger file is not read, so that no file and no member
#: of an archive, packed to a thousandth of its size, fills the memory.
MAXIMUM_IMAGE_BYTES = 256 * 1024 * 1024
#: Of a table that is read whole.
MAXIMUM_TABLE_BYTES = 512 * 1024 * 1024
#: What ends so is no image whatever it contains, and is not looked into.
NO_IMAGE_SUFFIXES = (
    ".csv", ".tsv", ".txt", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".html", ".htm", ".md", ".log", ".pts", ".py",
    ".ipynb", ".mat", ".npy", ".npz", ".pkl", ".h5", ".hdf5", ".parquet", ".arrow", ".rec", ".idx", ".lst", ".pt",
    ".pth", ".onnx", ".safetensors", ".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".tzst",
    ".7z", ".rar", ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".mp4", ".avi", ".mov", ".mkv", ".webm", ".wav", ".mp3",
)  # fmt: skip


class Source:
    """Named byte strings. `names` are relative, with `/`, in the order in which `iterate` reads them."""

    #: The reader that is asked first.
    preferred_reader: str | None = None
    #: The column that is to be classified, where one was asked for: then a data set need not label gender.
    target: str | None = None

    def __init__(self, path: Path, sizes: dict[str, int]) -> None:
        self.path = path
        self._sizes = sizes
        self._heads: dict[str, bytes] = {}
        self._images: list[str] | None = None
        #: SHA-256 of each file that was read whole, and of labels that readers name: a store is tied to them.
        self.read_whole: dict[str, str] = {}
        #: What could not be followed or opened while the files were listed, counted by kind.
        self.refused: Counter[str] = Counter()

    @property
    def names(self) -> list[str]:
        return list(self._sizes)

    def __len__(self) -> int:
        return len(self._sizes)

    def size(self, name: str) -> int:
        """Bytes of a file as its header says, or 0 where that is not known before it is read."""
        return self._sizes.get(name, 0)

    def copy(self, name: str, file: Path) -> None:
        """Write a member of an archive to a file, a piece at a time. Raises `LookwhereError` on a damaged archive."""
        raise NotImplementedError

    def files(self, *suffixes: str) -> list[str]:
        """Names that end so, whatever their case; hidden files and what a Mac adds to archives left out."""
        return [name for name in self.names if name.lower().endswith(suffixes) and not is_hidden(name)]

    def images(self) -> list[str]:
        """Names of the images: by their suffix, or by their content where the suffix says nothing. Kept, as every
        reader asks for them."""
        if self._images is None:
            visible = self.files("")
            by_suffix = {name for name in visible if name.lower().endswith(IMAGE_SUFFIXES)}
            unnamed = [
                name for name in visible if name not in by_suffix and not name.lower().endswith(NO_IMAGE_SUFFIXES)
            ]
            by_suffix |= self._images_by_content(unnamed) if unnamed else set()
            self._images = [name for name in visible if name in by_suffix]
        return self._images

    def _images_by_content(self, names: list[str]) -> set[str]:
        """Those of `names` that begin as an image does."""
        return set()

    def not_read(self, image_files: Iterable[str] = ()) -> dict[str, int]:
        """Files that are no image known here and were not read as a table, counted by kind, the most frequent first.

        So that nothing is passed over in silence. A kind is a suffix, or says what it is. Ask once labels are read:
        `named` are the files that these are of, whatever they are called.
        """
        images = {*self.images(), *image_files}
        kinds = self.refused.copy()
        for name in self.names:
            if name in images or name in self.read_whole or is_added_by_mac(name):
                continue
            if is_hidden(name):
                kinds["hidden images"] += name.lower().endswith(IMAGE_SUFFIXES)
                continue
            suffix = name.rpartition("/")[2].rpartition(".")[2]
            kinds[f".{suffix.lower()}" if "." in name.rpartition("/")[2] else "without a suffix"] += 1
        return {kind: count for kind, count in kinds.most_common() if count}

    def iterate(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield `(name, bytes)` of the wanted names in storage order.

        A file over `MAXIMUM_IMAGE_BYTES` comes as empty bytes, and `problem` says why. Raises `LookwhereError` on a
        damaged archive.
        """
        raise NotImplementedError

    def read(self, name: str) -> bytes:
        """One file whole. Raises `KeyError` for an unknown name, `LookwhereError` on a damaged archive and for a file
        over `MAXIMUM_TABLE_BYTES`."""
        if self.size(name) > MAXIMUM_TABLE_BYTES:
            size, most = (f"{bytes_ / 1e9:.1f} GB" for bytes_ in (self.size(name), MAXIMUM_TABLE_BYTES))
            raise LookwhereError(f"{self.path}: {name} unpacks to {size}, and tables of up to {most} are read")
        data = self._first_bytes(name, None)
        self.tie(name, data)
        return data

    def tie(self, name: str, data: bytes) -> None:
        """Note the content of a label file, or of labels that lie elsewhere than in a file of their own."""
        self.read_whole[name] = hashlib.sha256(data).hexdigest()

    def head(self, name: str) -> bytes:
        """The first bytes of a file, enough for the first lines of a table; kept, as every reader asks for them.

        Raises `LookwhereError` after `MAXIMUM_HEADS`.
        """
        if name not in self._heads:
            if len(self._heads) >= MAXIMUM_HEADS:
                raise LookwhereError(f"{self.path}: over {MAXIMUM_HEADS:,} tables in it; give the one with the labels")
            self._heads[name] = self._first_bytes(name, HEAD_BYTES)
        return self._heads[name]

    def _first_bytes(self, name: str, count: int | None) -> bytes:
        """The first `count` bytes of a file, or all of them."""
        for _, data in self.iterate([name]):
            return data[:count]
        raise KeyError(name)

    def problem(self, name: str) -> str | None:
        """What was found wrong with a file that `iterate` gave as empty bytes, or None."""
        reason = self.why_empty(name)
        return f"{name} ({reason})" if reason else None

    def why_empty(self, name: str) -> str | None:
        """Why `iterate` gives empty bytes for a file that has some, or None."""
        return too_large(self.size(name))

    def fingerprint(self) -> str:
        """SHA-256 over the sorted names and sizes: tells one source from another without reading it all."""
        lines = "\n".join(f"{name}\t{size}" for name, size in sorted(self._sizes.items()))
        return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def too_large(size: int) -> str | None:
    """Why a file of `size` bytes is not read as an image; None where it is."""
    if size <= MAXIMUM_IMAGE_BYTES:
        return None
    return f"over {MAXIMUM_IMAGE_BYTES // 2**20} MB for one image"
