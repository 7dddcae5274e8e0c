"""Where work started from a page may read: folders that were named for it, and nothing that leads out of them."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from core.errors import LookwhereError

#: Folders, separated as in $PATH; by default `data/` of the folder one is in.
VARIABLE = "LOOKWHERE_DATA_ROOTS"
#: What a data set or a store that is offered ends in, where it is a file.
DATA_FILES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".zip", ".rec", ".csv", ".tsv", ".parquet",
              ".jsonl")  # fmt: skip
#: Files that stand for all that lies in their folder.
OF_THEIR_FOLDER = (".rec", ".csv", ".tsv", ".jsonl", ".json", ".parquet")
#: Entries of a folder looked at for links that lead out, and for data sets to offer.
MAXIMUM_ENTRIES, OFFERED = 5_000_000, 200


def data_roots(folder: Path | None = None) -> tuple[Path, ...]:
    """The real paths of `$LOOKWHERE_DATA_ROOTS` that are folders, by default of `folder/data`."""
    return tuple(path for path in named_roots(folder) if path.is_dir())


def named_roots(folder: Path | None = None) -> tuple[Path, ...]:
    """The same whether they are there or not."""
    names = os.environ.get(VARIABLE, "").split(os.pathsep)
    folders = [Path(name).expanduser() for name in names if name.strip()] or [(folder or Path()) / "data"]
    return tuple(dict.fromkeys(path.resolve() for path in folders))


def confined(text: str, roots: Sequence[Path], what: str = "path") -> Path:
    """The real path of what `text` names, absolute or from one of the `roots` (real paths).

    Raises `LookwhereError`, calling it `what`, where there is no such file or folder, it or a link below it leads out
    of every root, or it is neither file nor folder.
    """
    short = reprlib.repr(text)
    if not text.strip() or "\0" in text or len(text) > 4096:
        raise LookwhereError(f"{what} {short}: no path; give a file or a folder")
    if not roots:
        raise LookwhereError(f"{what} {short}: no folder is open to this page; name some in {VARIABLE}")
    for candidate in _candidates(Path(text.strip()), roots):
        if not _inside(candidate, roots):
            raise LookwhereError(f"{what} {short}: not in {_names(roots)}; name its folder in {VARIABLE}")
        if candidate.is_dir():
            _check_links(candidate, roots, what)
            return candidate
        if candidate.is_file():
            if candidate.name.lower().endswith(OF_THEIR_FOLDER):
                _check_links(candidate.parent, roots, what)
            return candidate
        if candidate.exists():
            raise LookwhereError(f"{what} {short}: neither a file nor a folder; give one of these")
    raise LookwhereError(f"{what} {short}: no such file or folder in {_names(roots)}; look at its spelling")


def _candidates(path: Path, roots: Sequence[Path]) -> Iterator[Path]:
    """The real paths that may be meant: those that exist, else the first."""
    places = [path] if path.is_absolute() else [root / path for root in roots]
    try:
        real = [place.resolve() for place in places]
        yield from [place for place in real if place.exists()] or real[:1]
    except (OSError, RuntimeError):  # a ring of links, a name too long
        return


def _inside(path: Path, roots: Iterable[Path]) -> bool:
    return any(path.is_relative_to(root) for root in roots)


def _check_links(folder: Path, roots: Sequence[Path], what: str) -> None:
    """Raise `LookwhereError` for a link in the folder, or in one linked from it, that leads out of every root."""
    waiting, visited, entries = [folder], {folder}, 0
    while waiting:
        here = waiting.pop()
        try:
            inside = list(os.scandir(here))
        except OSError:  # the reader counts it
            continue
        entries += len(inside)
        if entries > MAXIMUM_ENTRIES:
            raise LookwhereError(f"{what} {folder}: over {MAXIMUM_ENTRIES:,} files; start it from a shell")
        for entry in inside:
            path = _followed(entry, roots, what)
            if path is not None and path not in visited and path.is_dir():
                visited.add(path)
                waiting.append(path)


def _followed(entry: os.DirEntry, roots: Sequence[Path], what: str) -> Path | None:
    """An entry's path, and where a link leads; None for one that goes round, which the reader counts.

    Raises `LookwhereError` for a link that leads out of every root.
    """
    if not entry.is_symlink():
        return Path(entry.path)
    try:
        path = Path(entry.path).resolve()
    except (OSError, RuntimeError):
        return None
    if not _inside(path, roots):
        raise LookwhereError(
            f"{what} {entry.path}: a link that leads out of {_names(roots)}; take it away, or name the "
            f"folder it leads to in {VARIABLE}"
        )
    return path


def _names(roots: Sequence[Path]) -> str:
    return ", ".join(map(str, roots[:4])) + (" …" if len(roots) > 4 else "")


def offered(roots: Sequence[Path], endings: tuple[str, ...] = DATA_FILES) -> list[Path]:
    """What in the roots, and one folder further down, may be a data set: folders, files of these endings; sorted."""
    paths: list[Path] = []
    for root in roots:
        for entry in _entries(root, endings):
            paths.append(entry)
            if entry.is_dir() and not (entry / "store.json").is_file():
                paths += [inside for inside in _entries(entry, endings) if inside.is_file() or _holds_a_store(inside)]
    return sorted(dict.fromkeys(paths))[:OFFERED]


def stores(roots: Sequence[Path]) -> list[Path]:
    """The aligned stores among what is offered."""
    return [path for path in offered(roots) if _holds_a_store(path)]


def _holds_a_store(path: Path) -> bool:
    return (path / "store.json").is_file()


def _entries(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    """Folders and data files in a folder, without hidden ones and links."""
    try:
        with os.scandir(folder) as inside:
            entries = [entry for entry in inside if not entry.name.startswith(".") and not entry.is_symlink()]
            return [Path(e.path) for e in entries[:10_000] if e.is_dir() or e.name.lower().endswith(endings)]
    except OSError:
        return []
