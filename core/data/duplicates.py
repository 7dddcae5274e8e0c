"""Copies and near-copies of images: hashes, pairs, clusters."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from core.data.images import decode
from core.data.sources.base import Source

#: Perceptual hashes at most this many bits apart are one image re-encoded; at 6, chaining joins strangers.
NEAR_COPY_BITS = 4


LABELS = ["gender", "ethnicity", "age"]


def hash_images(source: Source, paths: Iterable[str], tick: Callable[[], object] = lambda: None) -> pd.DataFrame:
    """SHA-256 and 64-bit perceptual hash of each image: `path, sha256, phash (uint64), problem`.

    `problem` is empty, or says why the image cannot be decoded (then `phash` is 0).
    """
    import imagehash

    rows = []
    for path, data in source.iterate(paths):
        phash, problem = 0, ""
        try:
            phash = int(str(imagehash.phash(decode(data))), 16)
        except ValueError as error:
            problem = str(error)
        rows.append((path, hashlib.sha256(data).hexdigest(), phash, problem))
        tick()
    return pd.DataFrame(rows, columns=["path", "sha256", "phash", "problem"]).astype({"phash": "uint64"})


def drop_copies(faces: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep one of each set of byte-equal images; none of a set whose labels disagree.

    `faces` has `path, sha256` and the labels. Returns the kept rows in their order, and rejects (`file, reason`).
    """
    copies = faces.groupby("sha256", sort=False)
    agree = np.ones(len(faces), dtype=bool)
    for label in LABELS:
        agree &= (copies[label].transform("nunique", dropna=False) <= 1).to_numpy()
    first = ~faces["sha256"].duplicated().to_numpy()
    reason = np.where(agree, "exact copy of another image", "exact copies with different labels")
    drop = ~(agree & first)
    rejects = pd.DataFrame({"file": faces["path"].to_numpy()[drop], "reason": reason[drop]}, dtype=str)
    return faces[~drop].reset_index(drop=True), rejects


def near_pairs(phash: np.ndarray, bits: int = NEAR_COPY_BITS) -> np.ndarray:
    """Index pairs (P, 2), i < j, of 64-bit hashes at most `bits` apart.

    Two hashes that differ in `bits` places agree wholly on one of `bits + 1` bands (the pigeonhole principle), so only
    hashes that share a band are compared.
    """
    found = [np.empty((0, 2), dtype=np.int64)]
    edges = np.linspace(0, 64, bits + 2).astype(int)
    for low, high in itertools.pairwise(edges):
        band = (phash >> np.uint64(low)) & np.uint64((1 << int(high - low)) - 1)
        for pairs in _pairs_of_equals(band):
            apart = np.bitwise_count(phash[pairs[:, 0]] ^ phash[pairs[:, 1]])
            found.append(pairs[apart <= bits])
    return np.unique(np.concatenate(found), axis=0)


def _pairs_of_equals(key: np.ndarray) -> Iterator[np.ndarray]:
    """All pairs of positions with equal keys: at each lag, positions that many places apart in sorted order."""
    order = np.argsort(key, kind="stable")
    ranked = key[order]
    lag = 1
    while lag < len(key):
        same = np.flatnonzero(ranked[lag:] == ranked[:-lag])
        if len(same) == 0:
            return
        yield np.sort(np.stack([order[same], order[same + lag]], axis=1), axis=1)
        lag += 1


def cluster(count: int, pairs: np.ndarray) -> np.ndarray:
    """Connected components of `pairs` over `count` faces: int64 (N,), each cluster named by its first member."""
    graph = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, label = connected_components(graph, directed=False)
    first = np.full(label.max(initial=-1) + 1, count, dtype=np.int64)
    np.minimum.at(first, label, np.arange(count))
    return first[label]
