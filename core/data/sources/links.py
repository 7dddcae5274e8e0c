"""Links inside an archive, followed without unpacking it."""

from __future__ import annotations

import bisect
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from core.errors import LookwhereError

OUT = "links that lead out of the archive"
NOTHING = "links to nothing"
RING = "links that go round"
#: Links followed on the way to one file, as in Linux.
MAXIMUM_HOPS = 40
#: Names that links may add, links to nothing counted too: ten folders of links into each other, nested, would make
#: billions.
MAXIMUM_NAMES = 5_000_000


@dataclass(frozen=True)
class Link:
    """`target` as written: from the link's own folder, or from the archive's top where `from_top` (hard links)."""

    target: str
    from_top: bool = False


@dataclass
class Links:
    """`names`: each further name of a file, and the file's own; `refused`: links not followed, counted by why."""

    names: dict[str, str] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)


def follow(files: Iterable[str], links: dict[str, Link]) -> Links:
    """Where an archive's links lead, of files and of folders. Raises `LookwhereError` where they add too many names."""
    return _Follower(files, links).follow() if links else Links()


class _Follower:
    def __init__(self, files: Iterable[str], links: dict[str, Link]) -> None:
        self.file_at = {posixpath.normpath(name): name for name in files}
        self.link_at = {posixpath.normpath(name): link for name, link in links.items()}
        self.links, self.result, self.looked = links, Links(), 0
        self.ends: dict[str, str] = {}  # a link is come to from every folder that leads to its own
        self.files_sorted, self.links_sorted = sorted(self.file_at), sorted(self.link_at)

    def follow(self) -> Links:
        for name in self.links:
            self._add(name, self._end(posixpath.normpath(name)), (posixpath.dirname(posixpath.normpath(name)),))
        return self.result

    def _add(self, name: str, end: str, above: tuple[str, ...]) -> None:
        """Give `name` to the file, or to all in the folder, at `end`; `above` are folders on the way to it."""
        self._count()
        if end in self.file_at:
            self._name(name, self.file_at[end])
        elif end in (OUT, NOTHING, RING):
            self.result.refused[end] += 1
        elif (
            not end
            or len(above) > 2 * MAXIMUM_HOPS
            or any(folder == end or folder.startswith(f"{end}/") for folder in above)
        ):
            self.result.refused[RING] += 1
        else:
            start = len(end) + 1
            for file in _under(self.files_sorted, end):
                self._count()
                self._name(f"{name}/{file[start:]}", self.file_at[file])
            for link in _under(self.links_sorted, end):
                self._add(f"{name}/{link[start:]}", self._end(link), (*above, end, posixpath.dirname(link)))

    def _name(self, name: str, file: str) -> None:
        self.result.names[name] = file

    def _count(self) -> None:
        self.looked += 1
        if self.looked > MAXIMUM_NAMES:
            raise LookwhereError(f"its links make over {MAXIMUM_NAMES:,} names; unpack it and give the folder")

    def _end(self, path: str) -> str:
        """The file or folder at which a path ends, links followed; or why it ends at none."""
        if path not in self.ends:
            self.ends[path] = self._followed(path)
        return self.ends[path]

    def _followed(self, path: str) -> str:
        ahead, done, hops = path.split("/")[::-1], list[str](), 0
        while ahead:
            part = ahead.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if not done:
                    return OUT
                done.pop()
                continue
            done.append(part)
            link = self.link_at.get("/".join(done))
            if link is not None:
                hops += 1
                if hops > MAXIMUM_HOPS:
                    return RING
                if link.target.startswith("/"):
                    return OUT
                done = [] if link.from_top else done[:-1]
                ahead += link.target.split("/")[::-1]
        end = "/".join(done)
        if end in self.file_at or any(True for _ in _under(self.files_sorted, end)):
            return end
        return end if any(True for _ in _under(self.links_sorted, end)) else NOTHING


def _under(names: list[str], folder: str) -> Iterator[str]:
    """Of sorted names those inside a folder; all of them inside «»."""
    start = f"{folder}/" if folder else ""
    for n in range(bisect.bisect_left(names, start), len(names)):
        if not names[n].startswith(start):
            return
        yield names[n]
