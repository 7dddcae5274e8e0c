"""Where pictures lie: a folder, a tar (compressed or not) or a zip, read alike."""

from __future__ import annotations

import hashlib
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from PIL import Image, ImageOps

from core.errors import LookwhereError

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
#: Larger pictures are refused before they are decoded: a bomb of 30,000 × 30,000 would need 2.7 GB.
MAXIMUM_PIXELS = 100_000_000
HEAD_BYTES = 65_536
DAMAGE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError)


class Source:
    """Named byte strings. `names` are relative, with `/`, in the order in which `iterate` reads them."""

    #: The reader that is asked first.
    meant: str | None = None

    def __init__(self, path: Path, sizes: dict[str, int]) -> None:
        self.path = path
        self._sizes = sizes
        self._heads: dict[str, bytes] = {}
        self._pictures: list[str] | None = None

    @property
    def names(self) -> list[str]:
        return list(self._sizes)

    def __len__(self) -> int:
        return len(self._sizes)

    def files(self, *suffixes: str) -> list[str]:
        """Names that end so, whatever their case; hidden files and what a Mac adds to archives left out."""
        return [name for name in self.names if name.lower().endswith(suffixes) and not _hidden(name)]

    def pictures(self) -> list[str]:
        """Names of the pictures, as `files` lists them; kept, as every reader asks for them."""
        if self._pictures is None:
            self._pictures = self.files(*PICTURE_SUFFIXES)
        return self._pictures

    def iterate(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield `(name, bytes)` of the wanted names in storage order. Raises `LookwhereError` on a damaged archive."""
        raise NotImplementedError

    def read(self, name: str) -> bytes:
        """One file whole. Raises `KeyError` for an unknown name, `LookwhereError` on a damaged archive."""
        for _, data in self.iterate([name]):
            return data
        raise KeyError(name)

    def head(self, name: str) -> bytes:
        """The first bytes of a file, enough for the first lines of a table; kept, as every reader asks for them."""
        if name not in self._heads:
            self._heads[name] = self._head(name)
        return self._heads[name]

    def _head(self, name: str) -> bytes:
        return self.read(name)[:HEAD_BYTES]

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


def open_source(path: str | Path) -> Source:
    """The source at `path`: a folder, `.tar`, `.tar.gz`, `.tgz`, `.tar.bz2`, `.tar.xz`, `.zip` or `.rec`.

    A CSV or Parquet stands for the folder in which it lies, or for the pictures inside it.

    Raises `LookwhereError` where there is nothing, or nothing that can be read.
    """
    path = Path(path)
    if not path.exists():
        raise LookwhereError(f"{path}: no such file or folder; give the data set's folder or archive with --data")
    if path.suffix == ".rec" or (path / "train.rec").is_file():
        from core.datasets.insightface import RecordSource

        return RecordSource(path if path.suffix == ".rec" else path / "train.rec")
    if path.is_dir():
        from core.datasets.tablesource import open_shards

        return open_shards(FolderSource(path))
    if path.stat().st_size == 0:
        raise LookwhereError(f"{path}: the file is empty; download it again")
    if path.suffix.lower() in (".csv", ".parquet"):
        from core.datasets.tablesource import open_table

        return open_table(path)
    suffixes = "".join(path.suffixes[-2:]).lower()
    if suffixes.endswith(".zip"):
        return ZipSource(path)
    if any(suffixes.endswith(end) for end in (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")):
        return TarSource(path)
    raise LookwhereError(
        f"{path}: neither a folder nor .tar, .tar.gz, .tgz, .zip, .rec, .csv or .parquet; give one of these with --data"
    )


def decode(data: bytes) -> Image.Image:
    """Bytes → upright RGB picture. Raises `ValueError` with a short reason where that cannot be done."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > MAXIMUM_PIXELS:
                raise ValueError(f"{picture.width} × {picture.height} pixels are too many")
            return ImageOps.exif_transpose(picture).convert("RGB")
    except ValueError:
        raise
    except Exception as error:  # Pillow meets broken files with TypeError, struct.error and more
        raise ValueError("not a readable picture") from error
