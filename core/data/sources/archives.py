"""Image files in a ZIP or a tar, read where they lie: nothing is unpacked to a disk."""

from __future__ import annotations

import lzma
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from core.data.image_kinds import BEGINNING_BYTES, IMAGE_SUFFIXES, is_image
from core.data.sources.base import HEAD_BYTES, MAXIMUM_HEADS, NO_IMAGE_SUFFIXES, Source, too_large
from core.data.sources.links import Link, Links, follow
from core.data.sources.names import distinct_names, plain_name
from core.data.sources.zstandard import ZstandardFile
from core.errors import LookwhereError

DAMAGE = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError,
    # What the libraries do with numbers of a header that are none, or beyond any file.
    ValueError, ArithmeticError, IndexError, struct.error,
)  # fmt: skip
#: Of a tar's header for long names: such of a gigabyte would be read whole.
MAXIMUM_HEADER_BYTES = 1 << 20
#: Bytes that an archive may unfold to: so many, and so many times what it takes itself, where images take hardly twice
#: that. Without a bound a file of a megabyte keeps one busy for days.
MAXIMUM_FREE, MAXIMUM_RATIO = 1 << 32, 200
#: Zeros after a tar's end: whole records, of a megabyte at the most.
MAXIMUM_PADDING = 1 << 26
#: The path in a symbolic link of a ZIP.
MAXIMUM_LINK_BYTES = 4_096
#: How the names of tables end whose first lines a tar's listing keeps: each further look would go through the tar.
TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".txt")


class ArchiveSource(Source):
    """What ZIP and tar share: further names that links give to files."""

    def __init__(self, path: Path, sizes: dict[str, int], links: dict[str, Link]) -> None:
        """`sizes` of the files in storage order. Raises `LookwhereError` where links add too many names."""
        try:
            followed: Links = follow(sizes, links)
        except LookwhereError as error:
            raise LookwhereError(f"{path}: {error}") from error
        self._others: dict[str, list[str]] = {}
        for name, file in followed.names.items():
            self._others.setdefault(file, []).append(name)
        ordered = sizes
        if followed.names:
            ordered = {name: size for file, size in sizes.items() for name in self._names_of(file)}
        super().__init__(path, ordered)
        self._file = followed.names
        self.refused = followed.refused

    def _names_of(self, file: str) -> list[str]:
        return [file, *self._others.get(file, [])]

    def _names_by_file(self, names: Iterable[str]) -> dict[str, list[str]]:
        """For each file that some of `names` are of, these in storage order; names that there are not are left out."""
        selected = self._sizes.keys() & set(names)
        files = {self._file.get(name, name) for name in selected}
        return {file: [name for name in self._names_of(file) if name in selected] for file in files}


class ZipSource(ArchiveSource):
    def __init__(self, path: Path) -> None:
        """Raises `LookwhereError` where the archive is damaged."""
        with _told(path):
            self._archive = zipfile.ZipFile(path)
        entries: dict[str, zipfile.ZipInfo] = {}
        for entry in self._archive.infolist():
            raw = _name(entry)
            entries.pop(raw, None)
            entries[raw] = entry
        self._entries: dict[str, zipfile.ZipInfo] = {}
        links: dict[str, Link] = {}
        for name, raw in distinct_names(entries).items():
            entry = entries[raw]
            if stat.S_ISLNK(entry.external_attr >> 16):
                target = self._unpacked(entry, path, MAXIMUM_LINK_BYTES).decode("utf-8", "surrogateescape")
                links[name] = Link(plain_name(target))
            elif not name.endswith("/"):
                self._entries[name] = entry
        sizes = {name: entry.file_size for name, entry in self._entries.items()}
        # What is too large for an image is not read as one.
        _check_unfolded(path, sum(size for size in sizes.values() if not too_large(size)))
        super().__init__(path, sizes, links)

    def _unpacked(self, entry: zipfile.ZipInfo, path: Path, count: int | None) -> bytes:
        """The first `count` bytes, or all that its header says there are."""
        with _told(path), self._archive.open(entry) as file:
            return file.read(entry.file_size if count is None else count)

    def _images_by_content(self, names: list[str]) -> set[str]:
        images = set()
        for name in names:
            try:
                if is_image(self._first_bytes(name, BEGINNING_BYTES)):
                    images.add(name)
            except LookwhereError:
                continue  # what cannot be unpacked is no image, and is counted as not read
        return images

    def _first_bytes(self, name: str, count: int | None) -> bytes:
        return self._unpacked(self._entries[self._file.get(name, name)], self.path, count)

    def copy(self, name: str, file: Path) -> None:
        with _told(self.path), self._archive.open(self._entries[self._file.get(name, name)]) as member:
            _copy(member, file)

    def iterate(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        names_by_file = self._names_by_file(names)
        for file, entry in self._entries.items():
            if file in names_by_file:
                data = b"" if too_large(entry.file_size) else self._unpacked(entry, self.path, None)
                yield from ((name, data) for name in names_by_file[file])


def _name(entry: zipfile.ZipInfo) -> str:
    """A name as it was meant: a Mac writes UTF-8 and does not say so, and then `zipfile` takes it for code page 437."""
    name = entry.orig_filename.partition("\0")[0]
    if entry.flag_bits & 0x800 or name.isascii():
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


@dataclass(frozen=True)
class _Listing:
    """What a tar's members are, by name as they are written: sizes and places of files, links, which files are images
    by their content, where their names do not tell, and the first lines of tables."""

    sizes: dict[str, int] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)
    heads: dict[str, bytes] = field(default_factory=dict)

    def add(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """List the next member in place of an earlier one of its name."""
        name = member.name
        if member.isfile():
            self._add_file(archive, member)
        elif member.issym() or member.islnk():
            self.sizes.pop(name, None)
            self.links[name] = Link(member.linkname, from_top=member.islnk())

    def _add_file(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        name = member.name
        for listed in (self.sizes, self.links, self.heads):
            listed.pop(name, None)
        if name.lower().endswith(TABLE_SUFFIXES) and len(self.heads) < MAXIMUM_HEADS:
            self.heads[name] = archive.extractfile(member).read(HEAD_BYTES)
        self.sizes[name], self.places[name] = member.size, member.offset_data
        if not name.lower().endswith((*IMAGE_SUFFIXES, *NO_IMAGE_SUFFIXES)):
            beginning = archive.extractfile(member).read(BEGINNING_BYTES)
            (self.images.add if is_image(beginning) else self.images.discard)(name)


class TarSource(ArchiveSource):
    """A tar is a stream: `iterate` goes through it once, whatever the order in which names are asked for.

    Of several members of one name the last counts, as on unpacking.
    """

    def __init__(self, path: Path) -> None:
        """Raises `LookwhereError` where the archive is damaged or cut short."""
        listing = _Listing()
        with _told(path), _opened(path) as archive:
            for member in archive:
                archive.members = []  # else it keeps all that it went past, a kilobyte each
                _check_unfolded(path, archive.offset)
                listing.add(archive, member)
            _check_end(archive)
        raw = distinct_names(listing.sizes)
        plain = {old: new for new, old in raw.items()}
        self._places = {name: listing.places[old] for name, old in raw.items()}
        self._content = {plain[old] for old in listing.images if old in plain}
        links = {plain_name(name): Link(plain_name(link.target), link.from_top) for name, link in listing.links.items()}
        super().__init__(path, {name: listing.sizes[old] for name, old in raw.items()}, links)
        self._heads = {plain[old]: head for old, head in listing.heads.items() if old in plain}

    def _images_by_content(self, names: list[str]) -> set[str]:
        return {name for name in names if self._file.get(name, name) in self._content}

    def _first_bytes(self, name: str, count: int | None) -> bytes:
        for _, data in self._members({self._file.get(name, name)}, count):
            return data
        raise KeyError(name)

    def copy(self, name: str, file: Path) -> None:
        place = self._places[self._file.get(name, name)]
        with _told(self.path), _opened(self.path) as archive:
            for member in archive:
                if member.offset_data == place:
                    _copy(archive.extractfile(member), file)
                    return

    def iterate(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        names_by_file = self._names_by_file(names)
        for file, data in self._members(names_by_file, None, images=True):
            yield from ((name, data) for name in names_by_file[file])

    def _members(self, files: Iterable[str], count: int | None, images: bool = False) -> Iterator[tuple[str, bytes]]:
        """The first `count` bytes, or all, of files; of `images` that are too large none."""
        places = {self._places[file]: file for file in files}
        with _told(self.path), _opened(self.path, once=images) as archive:
            for member in archive if places else ():
                archive.members = []
                file = places.pop(member.offset_data, None)
                if file is not None:
                    large = images and too_large(member.size)
                    yield file, b"" if large else archive.extractfile(member).read(-1 if count is None else count)
                if not places:
                    return


class _Member(tarfile.TarInfo):
    """A member whose headers are of a size that can be read."""

    def _proc_member(self, tarfile_: tarfile.TarFile) -> tarfile.TarInfo:
        headers = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE,
                   tarfile.SOLARIS_XHDTYPE)  # fmt: skip
        if self.type in headers and self.size > MAXIMUM_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {self.size / 1e6:,.0f} MB")
        return super()._proc_member(tarfile_)


@contextmanager
def _opened(path: Path, once: bool = False) -> Iterator[tarfile.TarFile]:
    """A tar, whatever it is compressed with; `once` where it is read from end to end, which is faster."""
    if path.suffix.lower() in (".zst", ".tzst"):
        with ZstandardFile(path) as stream, tarfile.open(fileobj=stream, mode="r:", tarinfo=_Member) as archive:
            yield archive
    else:
        with tarfile.open(path, "r|*" if once else "r:*", tarinfo=_Member) as archive:
            yield archive


def _check_unfolded(path: Path, size: int) -> None:
    """Raise `LookwhereError` where the archive unfolds to `size` bytes, beyond what its own allow."""
    own = path.stat().st_size
    if size > MAXIMUM_FREE + MAXIMUM_RATIO * own:
        raise LookwhereError(
            f"{path}: unfolds to {size / 1e9:,.1f} GB and more, and takes {own / 1e6:,.1f} MB: over {MAXIMUM_RATIO:,} "
            "times as much is no archive of images; unpack it and give the folder"
        )


def _check_end(archive: tarfile.TarFile) -> None:
    """Raise unless the archive ends with its end mark: at a broken header `tarfile` stops as if all were well.

    Reading on to the very end also makes gzip, bz2 and xz compare their checksums.
    """
    archive.fileobj.seek(archive.offset)
    if archive.fileobj.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
        raise tarfile.ReadError("no end mark where the last readable member ends")
    # Padding after it is of zeros.
    while rest := archive.fileobj.read(1 << 20):
        if archive.fileobj.tell() > archive.offset + MAXIMUM_PADDING:
            raise RuntimeError(f"over {MAXIMUM_PADDING // 2**20} MB of nothing follow after its end")
        if rest.strip(tarfile.NUL):
            raise RuntimeError("more follows after its end, as where archives were joined (tar -xif unpacks such)")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What a damaged archive makes `tarfile` and `zipfile` raise, as one line."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise LookwhereError(
            f"{path}: a name in it is called UTF-8 and is not; unpack it and give the folder"
        ) from error
    except DAMAGE as error:
        reason = str(error).partition("\n")[0].rstrip(": ")[:200] or type(error).__name__
        raise LookwhereError(f"{path}: the archive is damaged or cut short ({reason}); download it again") from error
    except RuntimeError as error:  # encrypted, or packed by a method unknown here
        raise LookwhereError(f"{path}: {error}; unpack it and give the folder") from error


def _copy(member: IO[bytes], file: Path) -> None:
    with file.open("wb") as out:
        shutil.copyfileobj(member, out, 1 << 20)
