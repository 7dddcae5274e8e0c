"""Folders on object storage (`s3://…`, or what else `fsspec` knows): files are fetched and checked, and pushed back.

A folder's manifest (`store.json`, `audit.json`, `model.json`) is what makes it whole, there as on a disk: it is written
last, and taken away before a file that it records is replaced. So a push that breaks off leaves nothing that opens, and
the same push goes on. What is fetched lies in a mirror, under `$LOOKWHERE_CACHE` or `~/.cache/lookwhere`; work is done
there, as in any folder. Nothing is fetched or pushed but what an address names.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import LookwhereError
from core.files import read_bounded, sha256, write_json
from core.integrity import damage, recorded_files
from core.json_record import LARGEST, parsed, read_object
from core.locks import alone

STORE, AUDIT, MODEL = "store.json", "audit.json", "model.json"
#: `Path` makes one slash of the two after the scheme; a drive of one letter is none.
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/+(.*)")
#: What helps where a folder there is not whole.
AGAIN = "push it again"
#: What a mirror knows of the files it fetched or pushed.
_SYNCED = ".synced.json"
#: Files of a folder that stay on this machine.
_LOCAL = re.compile(r"\..*|.*\.partial.*|unfinished\.json|look\.png")


def is_remote(path: str | Path) -> bool:
    """Whether this is an address, and no folder of this machine."""
    return _ADDRESS.fullmatch(str(path)) is not None and not Path(path).exists()


def mirror(path: str | Path) -> Path:
    """Where on this machine what is at an address lies, or will; a folder of this machine itself."""
    return _mirror(path) if is_remote(path) else Path(path)


def fetched(path: str | Path, manifest: str) -> Path:
    """The folder on this machine: an address's mirror, brought up to date and checked; another one as it is.

    Raises `LookwhereError` where the address cannot be reached, holds no `manifest`, or a file is not as it records.
    """
    if not is_remote(path):
        return Path(path)
    place = _Place.from_path(path)
    with alone(place.folder, "fetching into", wait=True), _told(place):
        listing = place.listed()
        if manifest not in listing:
            raise LookwhereError(f"{place.url}: no {manifest} there, so nothing that is whole")
        place.fetch(listing, manifest)
    return place.folder


def fetched_audits(models: str | Path) -> None:
    """Bring the mirrors of all finished audits under an address of models up to date."""
    if is_remote(models):
        place = _Place.from_path(models)
        with _told(place):
            manifests = place.system.glob(f"{place.root}/*/audits/*/{AUDIT}")
        for file in manifests:
            fetched(f"{place.url}/{file.removeprefix(place.root).strip('/').removesuffix(f'/{AUDIT}')}", AUDIT)


def fetched_models(models: str | Path) -> Path:
    """A folder of models on this machine: of an address the mirror, its models and their finished audits up to date.

    Models that are not there any longer are taken from the mirror. Raises `LookwhereError` where the address cannot be
    reached or holds no model.
    """
    if not is_remote(models):
        return Path(models)
    place = _Place.from_path(models)
    with _told(place):
        place.system.invalidate_cache()
        manifests = place.system.glob(f"{place.root}/*/{MODEL}")
    names = [file.removesuffix(f"/{MODEL}").rpartition("/")[2] for file in manifests]
    if not names:
        raise LookwhereError(f"{place.url}: no model there, that is, no folder with a {MODEL}")
    for name in names:
        fetched(f"{place.url}/{name}", MODEL)
    for file in place.folder.glob(f"*/{MODEL}"):
        if file.parent.name not in names:
            file.unlink()
    fetched_audits(models)
    return place.folder


def there(path: str | Path, manifest: str) -> bool:
    """Whether a whole folder is there: its manifest is."""
    if not is_remote(path):
        return (Path(path) / manifest).is_file()
    place = _Place.from_path(path)
    with _told(place):
        return manifest in place.listed()


def push(path: str | Path, manifest: str) -> None:
    """Bring the folder at an address up to date with its mirror: the manifest last. Nothing for another folder.

    Raises `LookwhereError` where the mirror holds no finished folder, or the address cannot be written.
    """
    if not is_remote(path):
        return
    place = _Place.from_path(path)
    if not (place.folder / manifest).is_file():
        raise LookwhereError(f"{place.folder}: no {manifest}, so nothing is pushed to {place.url}")
    with alone(place.folder, "pushing", wait=True), _told(place):
        place.push(manifest)


@dataclass(frozen=True)
class _Place:
    """An address: its file system, `root` as that calls it, and its mirror `folder`."""

    url: str
    system: Any
    root: str
    folder: Path

    @classmethod
    def from_path(cls, path: str | Path) -> _Place:
        url = _url(path)
        try:
            import fsspec

            system, root = fsspec.url_to_fs(url)
        except ImportError as error:  # fsspec itself, or what it needs for this scheme
            raise LookwhereError(
                f"{url}: this needs fsspec and what it takes for such addresses ({error}); install it with: "
                'pip install "lookwhere[remote]"'
            ) from error
        except (ValueError, OSError) as error:
            raise LookwhereError(f"{url}: no such address can be opened ({error})") from error
        return cls(url, system, root.rstrip("/"), _mirror(path))

    def listed(self) -> dict[str, list]:
        """The files right there, by name: size, and what the storage tells one content from another by."""
        self.system.invalidate_cache()
        try:
            entries = self.system.ls(self.root, detail=True)
        except FileNotFoundError:
            return {}
        files = [entry for entry in entries if entry["type"] == "file"]
        names = [entry["name"].rpartition("/")[2] for entry in files]
        # A storage may hold the folder itself as an entry without a name.
        return {name: [entry["size"], _mark(entry)] for name, entry in zip(names, files, strict=True) if name}

    def fetch(self, listing: Mapping[str, list], manifest: str) -> None:
        """Fetch what differs, the manifest last, and hold it against what the manifest records."""
        synced = self.synced()
        local = {name for name in listing if not _LOCAL.fullmatch(name)}
        stale = [n for n in local if synced.get(n, [None])[:2] != listing[n] or not (self.folder / n).is_file()]
        gone = {file.name for file in self.kept()} - local
        if not stale and not gone:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in (manifest, *gone):
            (self.folder / name).unlink(missing_ok=True)
        for name in sorted({*stale, manifest}, key=lambda name: (name == manifest, name)):
            partial = self.folder / f".{name}.partial"
            self.system.get_file(f"{self.root}/{name}", str(partial))
            if name == manifest:
                self._check(parsed(read_bounded(partial, LARGEST)), manifest)
            partial.replace(self.folder / name)
            synced[name] = [*listing[name], sha256(self.folder / name)]
        write_json(self.folder / _SYNCED, {name: synced[name] for name in local})

    def _check(self, content: object, manifest: str) -> None:
        for name, record in recorded_files(content, f"{self.url}/{manifest}", AGAIN).items():
            if damage(self.folder / name, record):
                raise LookwhereError(f"{self.url}/{name}: not as the manifest beside it records; {AGAIN}")

    def push(self, manifest: str) -> None:
        """Push what differs. The old manifest goes before anything that it records, the new one comes last."""
        listing, synced = self.listed(), self.synced()
        digests = {file.name: sha256(file) for file in self.kept()}
        same = {name for name, digest in digests.items() if synced.get(name) == [*listing.get(name, [None]), digest]}
        own = self.folder / manifest
        recorded = {*recorded_files(read_object(own), str(own), "make this folder anew"), manifest}
        if manifest in listing and (recorded & digests.keys()) - same:
            self.system.rm_file(f"{self.root}/{manifest}")
            same.discard(manifest)
        if not listing:
            self.system.makedirs(self.root, exist_ok=True)
        for name in sorted(digests.keys() - same, key=lambda name: (name == manifest, name.endswith(".json"), name)):
            self.system.put_file(str(self.folder / name), f"{self.root}/{name}")
        pushed = self.listed()
        for name in digests:
            if name not in pushed or pushed[name][0] != (self.folder / name).stat().st_size:
                raise LookwhereError(f"{self.url}/{name}: not there as it was pushed; run the same command again")
        write_json(self.folder / _SYNCED, {name: [*pushed[name], digest] for name, digest in digests.items()})

    def kept(self) -> list[Path]:
        """The mirror's files that are there and here."""
        return [file for file in self.folder.glob("*") if file.is_file() and not _LOCAL.fullmatch(file.name)]

    def synced(self) -> dict[str, list]:
        """What was fetched or pushed last, by name: size, mark and SHA-256."""
        with contextlib.suppress(OSError, ValueError):
            return read_object(self.folder / _SYNCED)
        return {}


def _mark(entry: Mapping[str, Any]) -> str:
    """What the storage tells one content from another by: a tag, or when it was written."""
    for key in ("ETag", "etag", "md5Hash", "mtime", "created", "LastModified"):
        if entry.get(key) is not None:
            return str(entry[key])
    return ""


def _url(path: str | Path) -> str:
    scheme, rest = _ADDRESS.fullmatch(str(path)).groups()
    return f"{scheme}://{rest.strip('/')}"


def _mirror(path: str | Path) -> Path:
    """A folder that keeps the address's own last names, so that a model's audits lie in its folder."""
    cache = Path(os.environ.get("LOOKWHERE_CACHE") or Path.home() / ".cache" / "lookwhere")
    scheme, _, rest = _url(path).partition("://")
    parts = [part for part in rest.split("/") if part]
    if any(part in (".", "..") or part.startswith(".") for part in parts):
        raise LookwhereError(f"{_url(path)}: an address of plain names is needed")
    return cache.joinpath("mirror", scheme, *parts)


@contextlib.contextmanager
def _told(place: _Place) -> Iterator[None]:
    """Raises `LookwhereError` for whatever a storage's client raises."""
    try:
        yield
    except LookwhereError:
        raise
    except Exception as error:
        what = (str(error) or type(error).__name__)[:200]
        raise LookwhereError(f"{place.url}: cannot be read or written ({what}); the same command goes on") from error
