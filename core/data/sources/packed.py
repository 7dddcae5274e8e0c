"""Archives inside a folder or an archive: a data set as it was downloaded, read without unpacking it by hand."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from core.data.sources.base import Source
from core.data.sources.files import FolderSource
from core.data.sources.tables import ParquetSource, open_shards
from core.errors import LookwhereError

#: How an archive's name ends that is looked into; a `.parquet` inside an archive may hold images too.
ARCHIVES = (
    ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst",
)  # fmt: skip
#: An archive in an archive in an archive: some hold themselves.
MAXIMUM_DEPTH = 3
#: Disk left free by what is taken out of an archive to be read.
SPARE_BYTES = 1 << 30


def unfold(source: Source, open_inner: Callable[[Path, int], Source], depth: int) -> Source:
    """The images inside the source's archives, where it has such and no image outside them; else the source.

    `open_inner` opens a file, `depth` says how many archives lie around it. Raises `LookwhereError` where one is
    damaged, or too large to be taken out of another.
    """
    archives = source.files(*ARCHIVES) if depth < MAXIMUM_DEPTH else []
    if not archives or source.images():
        return source
    members = _Members(source)
    return PackedSource(source, {name: _opened(source, name, members, open_inner, depth) for name in archives}, members)


def _opened(
    source: Source, name: str, members: _Members, open_inner: Callable[[Path, int], Source], depth: int
) -> Source:
    """An archive inside a source. Raises `LookwhereError` naming both where it is damaged."""
    file = members.file(name)
    try:
        return open_inner(file, depth + 1)
    except LookwhereError as error:
        raise LookwhereError(str(error).replace(str(file), f"{source.path}: {name} in it")) from error


def unfold_shards(source: Source) -> Source:
    """The images inside an archive's Parquet files, where it has such and no image of its own; else the source.

    Raises `LookwhereError` where one is damaged, or too large to be taken out.
    """
    shards = source.files(".parquet")
    if not shards or source.images():
        return source
    members = _Members(source)
    for name in shards:
        members.file(name)
    shard_source = open_shards(FolderSource(Path(members.folder.name)), source.path)
    if not isinstance(shard_source, ParquetSource):
        return source
    shard_source.kept_open = members
    return shard_source


class _Members:
    """Members of an archive as files: in a temporary folder that goes with this object; a folder's where they lie."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.folder: tempfile.TemporaryDirectory | None = None
        self.count = 0

    def file(self, name: str) -> Path:
        if isinstance(self.source, FolderSource):
            return self.source.place(name)
        if self.folder is None:
            self.folder = tempfile.TemporaryDirectory(prefix="lookwhere-", ignore_cleanup_errors=True)
        free = shutil.disk_usage(self.folder.name).free - SPARE_BYTES
        if self.source.size(name) > free:
            raise LookwhereError(
                f"{self.source.path}: {name} in it unpacks to {self.source.size(name) / 1e9:.1f} GB, and "
                f"{tempfile.gettempdir()} has {max(free, 0) / 1e9:.1f} GB; unpack it and give the folder"
            )
        self.count += 1
        file = self._place(Path(self.folder.name), name)
        self.source.copy(name, file)
        return file

    def _place(self, folder: Path, name: str) -> Path:
        """Where a member goes: by its name, or where that is taken, too long or none of a file, by its number."""
        parts = [part for part in name.split("/") if part not in ("", ".", "..")]
        file = folder.joinpath(*parts) if parts and "\0" not in name else folder
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            if not file.exists():
                file.touch()
                return file
        except OSError:
            pass
        numbered = folder / f"~{self.count}"
        numbered.mkdir()
        return numbered / f"file{''.join(Path(parts[-1].replace(chr(0), '')).suffixes[-2:])[-20:] if parts else ''}"


class PackedSource(Source):
    """A source and the archives in it, each as if it were unpacked where it lies.

    An archive of one folder gives that folder; any other gives a folder of its own name, unless nothing lies beside it.
    """

    def __init__(self, outer: Source, inner: dict[str, Source], members: _Members) -> None:
        self._members = members
        self._outer = outer
        self._inner: list[tuple[Source, dict[str, str]]] = []
        alone = len(inner) == 1 and len(outer.files("")) == 1
        sizes = {name: outer.size(name) for name in outer.names if name not in inner}
        self._place: dict[str, tuple[Source, str]] = {name: (outer, name) for name in sizes}
        for archive, source in inner.items():
            folder, _, file = archive.rpartition("/")
            before = "" if alone else f"{folder}/" if folder else ""
            tops = {name.removeprefix("./").partition("/")[0] for name in source.files("")}
            whole = alone or (len(tops) == 1 and all("/" in name.removeprefix("./") for name in source.files("")))
            names = {name: before + name.removeprefix("./") for name in source.names}
            if not whole or any(name in sizes for name in names.values()):
                stem = file.partition(".")[0]
                names = {name: f"{before}{stem}/{name.removeprefix('./')}" for name in source.names}
            names = {name: inner_name for name, inner_name in names.items() if inner_name not in sizes}
            self._inner.append((source, names))
            for name, inner_name in names.items():
                sizes[inner_name] = source.size(name)
                self._place[inner_name] = (source, name)
        super().__init__(outer.path, sizes)
        self.refused = sum((source.refused for source in (outer, *inner.values())), Counter())

    def _images_by_content(self, names: list[str]) -> set[str]:
        images = set()
        for source in (self._outer, *(source for source, _ in self._inner)):
            inside = {self._place[name][1]: name for name in names if self._place[name][0] is source}
            images |= {inside[name] for name in source._images_by_content(list(inside))} if inside else set()
        return images

    def _first_bytes(self, name: str, count: int | None) -> bytes:
        source, inside = self._place[name]
        return source._first_bytes(inside, count)

    def iterate(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        selected = self._place.keys() & set(names)
        for source, inner_names in ((self._outer, None), *self._inner):
            inside = {self._place[name][1] for name in selected if self._place[name][0] is source}
            for name, data in source.iterate(inside) if inside else ():
                yield (name if inner_names is None else inner_names[name]), data
