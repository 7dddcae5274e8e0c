"""One reader a data set, a registry of them, and the recognition of a data set by its contents."""

from __future__ import annotations

from core.data.readers.all_age_faces import AllAgeFaces
from core.data.readers.base import Reader, Reading
from core.data.readers.celeba import CelebA
from core.data.readers.class_folders import ClassFolders
from core.data.readers.fairface import FairFace
from core.data.readers.image_folder import ImageFolder
from core.data.readers.insightface import InsightFace
from core.data.readers.kaggle import KaggleGender
from core.data.readers.lfw import LFW
from core.data.readers.london import London
from core.data.readers.manifest import Manifest
from core.data.readers.morph import Morph
from core.data.readers.utkface import UTKFace
from core.data.readers.utkface_wild import UTKFaceWild
from core.data.readers.vggface2 import VGGFace2
from core.data.sources.base import Source
from core.data.sources.containers import in_containers
from core.errors import LookwhereError

READERS: dict[str, Reader] = {
    reader.name: reader
    for reader in (
        InsightFace(),
        CelebA(),
        FairFace(),
        Morph(),
        KaggleGender(),
        VGGFace2(),
        UTKFaceWild(),
        UTKFace(),
        LFW(),
        AllAgeFaces(),
        London(),
        ImageFolder(),
        Manifest(),
        ClassFolders(),
    )
}


def choose_reader(source: Source, name: str | None = None) -> Reader:
    """The reader called `name`, or the first that recognises the source.

    Raises `LookwhereError` with each reader's reason where none does, the near misses (`Refusal.looks_like`) first.
    """
    if name is not None:
        if name not in READERS:
            raise LookwhereError(f"--dataset {name}: no such reader; there are {', '.join(READERS)}")
        refusal = READERS[name].why_not_by_name(source)
        if refusal:
            raise LookwhereError(f"{source.path}: not {name}: {refusal}; it expects {READERS[name].expects}")
        return READERS[name]
    refusals = []
    preferred = source.preferred_reader or (Manifest.name if READERS[Manifest.name].called_so(source) else None)
    for reader in sorted(READERS.values(), key=lambda reader: reader.name != preferred):
        refusal = reader.why_not(source)
        if refusal is None:
            return reader
        if reader.name == preferred and refusal.looks_like:
            # A table that was given itself is no other data set.
            raise LookwhereError(f"{source.path}: {refusal}; it expects {reader.expects}")
        refusals.append((reader.name, refusal))
    instead = None if source.images() else in_containers(source.files("")) or _not_followed(source)
    if instead is not None and not any(refusal.looks_like for _, refusal in refusals):
        raise LookwhereError(f"{source.path}: {instead}")
    nearest_first = sorted(refusals, key=lambda named: not named[1].looks_like)
    reasons = "; ".join(f"not {name}: {refusal}" for name, refusal in nearest_first)
    raise LookwhereError(
        f"{source.path}: no reader knows this data set ({reasons}); see `python -m core datasets`, "
        "or write a manifest.csv with path,gender beside the images"
    )


def _not_followed(source: Source) -> str | None:
    """Of a source without an image, why files may be missing from it."""
    if not source.refused:
        return None
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in source.refused.most_common())
    return f"there is no image in it; not followed: {kinds}; give the folder where the images lie"


__all__ = [
    "READERS",
    "Reader",
    "Reading",
    "Source",
    "choose_reader",
]
