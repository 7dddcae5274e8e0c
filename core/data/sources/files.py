"""Image files in a folder, a ZIP or a tar."""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.data.sources.base import HEAD_BYTES, Source
from core.errors import LookwhereError

DAMAGE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError)


class FolderSource(Source):
    def __init__(self, path: Path) -> None:
        files = sorted(file for file in path.rglob("*") if file.is_file())
        super().__init__(path, {file.relative_to(path).as_posix(): file.stat().st_size for file in files})

    def _head(self, name: str) -> bytes:
        try:
            with (self.path / name).open("rb") as file:
                return file.read(HEAD_BYTES)
        except OSError:
            return b""

    def iterate(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        wanted = set(names)
        for name in self._sizes:
            if name in wanted:
                try:
                    data = (self.path / name).read_bytes()
                except OSError as error:
                    raise LookwhereError(
                        f"{self.path / name}: cannot be read ({error.strerror or error}); mend it or take it away"
                    ) from error
                yield name, data


class ZipSource(Source):
    def __init__(self, path: Path) -> None:
        try:
            with zipfile.ZipFile(path) as archive:
                entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        except DAMAGE as error:
            raise _damaged(path, error) from error
        super().__init__(path, {entry.filename: entry.file_size for entry in entries})

    def iterate(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        wanted = set(names)
        with zipfile.ZipFile(self.path) as archive:
            for name in self._sizes:
                if name in wanted:
                    try:
                        yield name, archive.read(name)
                    except DAMAGE as error:
                        raise _damaged(self.path, error) from error
                    except RuntimeError as error:  # encrypted, or packed by a method unknown here
                        raise LookwhereError(f"{self.path}: {error}; unpack it and give the folder") from error


class TarSource(Source):
    """A tar is a stream: `iterate` goes through it once, whatever the order in which names are asked for.

    Of several members of one name the last counts, as on unpacking.
    """

    def __init__(self, path: Path) -> None:
        sizes: dict[str, int] = {}
        self._places: dict[str, int] = {}
        for member in self._members(path):
            if member.isfile():
                sizes.pop(member.name, None)
                sizes[member.name] = member.size
                self._places[member.name] = member.offset_data
        super().__init__(path, sizes)

    @staticmethod
    def _members(path: Path) -> Iterator[tarfile.TarInfo]:
        try:
            with tarfile.open(path, "r:*") as archive:
                yield from archive
                _check_end(archive)
        except DAMAGE as error:
            raise _damaged(path, error) from error

    def iterate(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        wanted = set(names)
        try:
            with tarfile.open(self.path, "r|*") as archive:
                for member in archive:
                    if member.name in wanted and self._places.get(member.name) == member.offset_data:
                        yield member.name, archive.extractfile(member).read()
        except DAMAGE as error:
            raise _damaged(self.path, error) from error


def _check_end(archive: tarfile.TarFile) -> None:
    """Raise unless the archive ends with its end mark: at a broken header `tarfile` stops as if all were well.

    Reading on to the very end also makes gzip, bz2 and xz compare their checksums.
    """
    archive.fileobj.seek(archive.offset)
    if archive.fileobj.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
        raise tarfile.ReadError("no end mark where the last readable member ends")
    while archive.fileobj.read(1 << 20):
        pass


def _damaged(path: Path, error: Exception) -> LookwhereError:
    reason = str(error).partition("\n")[0].rstrip(": ") or type(error).__name__
    return LookwhereError(f"{path}: the archive is damaged or cut short ({reason}); download it again")
