"""Hashes of a model's training faces: an audit asks them whether a photograph was trained on, and sees none of them.

Two hashes a face are kept beside the weights, 8 bytes each: of the image file (its SHA-256) and of the aligned pixels,
which stay the same where the file was written anew without loss, renamed, or stripped of what it says of itself. Both
are SHA-256 over a salt of the training set's own, shortened to 64 bits.

No image can be had from them. What is hashed is a whole file, or 37,632 pixel values: to find it one must guess all of
it, to the last bit, and 64 bits do not hold an image, whatever is computed from them. Two models' files cannot be
joined by the people whom they have in common, since their salts differ. What remains is what the hashes are for: who
has a photograph can ask whether it was trained on. Who must not answer that, deletes the file.

Near-copies cannot be found so, and no perceptual hash is kept. Such a hash must be alike where images are alike, so
it gives the image away by degrees, and a salt that has to lie beside it hides nothing. Measured on UTKFace with 64
signs of random projections of the aligned face's detail (`python -m benchmarks.perceptual_hash`): a linear fit has that
detail back from them with a correlation of 0.69 (median), 0.41 from the average face alone. Nor would they do: of 20
test faces that were then known to be near-copies of training faces (24 are today) they find 4 at up to four unequal
bits, and call 2 others so; at eight bits 16, and 299 others. Hashed once more, only equal codes would meet, and none of
the 20 has one. So near-copies are looked up where the training store itself is at hand (`core.audit.training_copies`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.classifiers.info import ModelInfo
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.files import read_npz
from core.integrity import FileRecord, damage, record_files
from core.locks import put_in_place

FILE = "training-faces.npz"
#: Of the hash's 32 bytes so many are kept: of a million faces and a million asked about, one in 18 million such
#: questions would find a pair by chance.
BYTES = 8
SALT_BYTES = 16


@dataclass(frozen=True)
class TrainingHashes:
    """Salted hashes of `count` training faces: `files` and `aligned`, sorted uint64 (N,) without repeats.

    `files` may have fewer than `count`, since a store need not know its images' files.
    """

    salt: bytes
    files: np.ndarray
    aligned: np.ndarray
    count: int

    @classmethod
    def from_stores(cls, stores: Sequence[AlignedStore], tables: Sequence[pd.DataFrame]) -> TrainingHashes:
        """The hashes of faces, a table of them for each store. The same faces give the same hashes."""
        pixels = [_pixel_digests(store, faces) for store, faces in zip(stores, tables, strict=True)]
        digests = sorted(digest for part in pixels for digest in part)
        # Of the set, not drawn: training stays reproducible to the byte, and nobody knows it without the photographs.
        salt = hashlib.sha256(b"training faces\n" + b"".join(digests)).digest()[:SALT_BYTES]
        files = [digest for faces in tables for digest in _file_digests(faces) if digest is not None]
        return cls(salt, _sorted(salt, b"file", files), _sorted(salt, b"aligned", digests), len(digests))

    def among(self, store: AlignedStore, faces: pd.DataFrame) -> np.ndarray:
        """Which of `faces` of `store` were trained on, by file or by aligned pixels: bool (N,)."""
        trained = np.zeros(len(faces), dtype=bool)
        for part, digests, hashes in (
            (b"file", _file_digests(faces), self.files),
            (b"aligned", _pixel_digests(store, faces), self.aligned),
        ):
            there = np.array([digest is not None for digest in digests], dtype=bool)
            own_hashes = _salted(self.salt, part, [digest for digest in digests if digest is not None])
            trained[there] |= np.isin(own_hashes, hashes)
        return trained

    def save(self, folder: Path) -> FileRecord:
        """Write them beside a model's weights; returns what `model.json` records of the file."""
        with put_in_place(folder / FILE) as partial, partial.open("wb") as out:
            np.savez(
                out,
                salt=np.frombuffer(self.salt, dtype=np.uint8),
                files=self.files,
                aligned=self.aligned,
                count=np.int64(self.count),
            )
        return record_files(folder, (FILE,))[FILE]


def open_hashes(folder: Path, info: ModelInfo) -> TrainingHashes | None:
    """The hashes of a model folder; None where the model has none, or its file was taken away.

    Raises `LookwhereError` where the file is not the one that `model.json` records.
    """
    if info.training_faces is None or not (folder / FILE).exists():
        return None
    if (wrong := damage(folder / FILE, info.training_faces)) is not None:
        raise LookwhereError(f"{folder / FILE}: {wrong}; restore it, or make it again with `python -m core hashes`")
    try:
        arrays = read_npz(folder / FILE)
        return TrainingHashes(arrays["salt"].tobytes(), arrays["files"], arrays["aligned"], int(arrays["count"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LookwhereError(f"{folder / FILE}: damaged ({error}); restore it, or delete it") from error


def _file_digests(faces: pd.DataFrame) -> list[bytes | None]:
    """SHA-256 of each image file, None where the store does not know it."""
    if "sha256" not in faces:
        return [None] * len(faces)
    return [bytes.fromhex(value) if isinstance(value, str) and value else None for value in faces["sha256"]]


def _pixel_digests(store: AlignedStore, faces: pd.DataFrame) -> list[bytes]:
    """SHA-256 of each aligned face's pixels."""
    return [hashlib.sha256(store.images[row].tobytes()).digest() for row in faces["row"].to_numpy()]


def _salted(salt: bytes, part: bytes, digests: Sequence[bytes]) -> np.ndarray:
    """Salted and shortened, uint64 (N,)."""
    short = (hashlib.sha256(salt + part + digest).digest()[:BYTES] for digest in digests)
    return np.frombuffer(b"".join(short), dtype="<u8")


def _sorted(salt: bytes, part: bytes, digests: Sequence[bytes]) -> np.ndarray:
    # Sorted, so that their order tells nothing of who is beside whom in the data set.
    return np.unique(_salted(salt, part, digests))
