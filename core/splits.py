"""Copies and near-copies of a picture, and splits that neither they nor a person can cross."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from core.datasets import Source, decode
from core.errors import LookwhereError

#: Perceptual hashes at most this many bits apart are one picture re-encoded; at 6, chaining joins strangers.
NEAR_COPY_BITS = 4
SHARES = {"train": 0.7, "val": 0.1, "test": 0.2}
LABELS = ["gender", "ethnicity", "age"]


def hash_pictures(source: Source, paths: Iterable[str], tick: Callable[[], object] = lambda: None) -> pd.DataFrame:
    """SHA-256 and 64-bit perceptual hash of each picture: `path, sha256, phash (uint64), problem`.

    `problem` is empty, or says why the picture cannot be decoded (then `phash` is 0).
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
    """Keep one of each set of byte-equal pictures; none of a set whose labels disagree.

    `faces` has `path, sha256` and the labels. Returns the kept rows in their order, and rejects (`file, reason`).
    """
    copies = faces.groupby("sha256", sort=False)
    agree = np.ones(len(faces), dtype=bool)
    for label in LABELS:
        agree &= (copies[label].transform("nunique", dropna=False) <= 1).to_numpy()
    first = ~faces["sha256"].duplicated().to_numpy()
    reason = np.where(agree, "exact copy of another picture", "exact copies with different labels")
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


def near_disagreements(faces: pd.DataFrame, pairs: np.ndarray) -> pd.DataFrame:
    """Near-copies labelled as different genders, as disagreements (`file, what`), a row a face.

    `pairs` are those of `near_pairs` over the rows of `faces`. Such faces are kept: which label is wrong is not known.
    """
    gender = faces["gender"].to_numpy()
    differ = np.unique(pairs[gender[pairs[:, 0]] != gender[pairs[:, 1]]])
    files = faces["path"].to_numpy()[differ]
    return pd.DataFrame({"file": files, "what": "gender: a near-copy is labelled otherwise; both are kept"}, dtype=str)


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


def assign_splits(faces: pd.DataFrame, seed: int = 0, shares: dict[str, float] | None = None) -> pd.Series:
    """`train`, `val` or `test` for each face, stratified by gender × ethnicity.

    Faces of one cluster or one identity stay together. A unit's place is decided by SHA-256 of the seed and its first
    face's id, so the split is the same on every machine and independent of the order of rows.
    """
    shares = shares or SHARES
    unit = _units(faces)
    ordered = faces.assign(unit=unit).sort_values("face_id")
    heads = ordered.groupby("unit").agg(
        face_id=("face_id", "first"),
        gender=("gender", "first"),
        ethnicity=("ethnicity", "first"),
        size=("unit", "size"),
    )
    heads["rank"] = _lots(heads["face_id"], seed)
    heads = heads.sort_values("rank")
    size = heads.groupby(["gender", "ethnicity"], dropna=False)["size"]
    middle = (size.cumsum() - heads["size"] / 2) / size.transform("sum")
    bounds = np.cumsum(list(shares.values()))
    place = np.minimum(np.searchsorted(bounds, middle, side="right"), len(shares) - 1)
    heads["split"] = np.array(list(shares))[place]
    return pd.Series(heads["split"].reindex(unit).to_numpy(), index=faces.index, dtype="string")


def _lots(names: pd.Series, seed: int) -> np.ndarray:
    """A number drawn for each name, uint64 (N,): the head of SHA-256 of seed and name, whatever the others are."""
    digests = (hashlib.sha256(f"{seed}:{name}".encode()).digest() for name in names)
    return np.fromiter((int.from_bytes(digest[:8], "big") for digest in digests), dtype=np.uint64, count=len(names))


@dataclass(frozen=True)
class Subset:
    """A part of a data set: at most `limit` faces, the classes of `balance` equally many; people are never split."""

    balance: Literal["none", "gender", "group"] = "none"
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise LookwhereError(f"--limit {self.limit}: must be at least 1")

    def choose(self, faces: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
        """The chosen rows in their order, the same on every machine for a seed.

        People (faces of no known identity count as one each) are taken in the order of lots until the class is full;
        one who would overfill it is passed over. Without a limit each class gets as many as the smallest has.
        """
        keys = {"none": [], "gender": ["gender"], "group": ["gender", "ethnicity"]}[self.balance]
        code = (
            faces.groupby(keys, dropna=False, observed=True).ngroup().to_numpy() if keys else np.zeros(len(faces), int)
        )
        sizes = np.bincount(code)
        quota = sizes.min()
        if self.limit is not None:
            quota = min(self.limit // len(sizes), sizes.min() if keys else sizes[0])
        person = faces["identity"].astype("string").fillna("face " + faces["face_id"].astype("string"))
        units = pd.DataFrame({"code": code, "person": person}).groupby(["code", "person"], sort=False)
        people = units.size().rename("size").reset_index()
        people["lot"] = _lots(people["person"], seed)
        people = people.sort_values(["code", "lot"])
        taken = np.zeros(len(people), dtype=bool)
        for _, rows in people.groupby("code").indices.items():
            taken[rows] = _fill(people["size"].to_numpy()[rows], int(quota))
        chosen = pd.MultiIndex.from_frame(people.loc[taken, ["code", "person"]])
        mask = pd.MultiIndex.from_arrays([code, person]).isin(chosen)
        return faces[mask].reset_index(drop=True)


def _fill(sizes: np.ndarray, quota: int) -> np.ndarray:
    """Which of the units, taken in turn, fit into the quota; a unit too large for what is left is passed over."""
    taken, left = np.zeros(len(sizes), dtype=bool), quota
    for n, size in enumerate(sizes.tolist()):
        if size <= left:
            taken[n], left = True, left - size
            if left == 0:
                break
    return taken


def _units(faces: pd.DataFrame) -> np.ndarray:
    """Faces joined by a shared cluster or a shared identity, transitively."""
    codes = [pd.factorize(faces["cluster"])[0], pd.factorize(faces["identity"], use_na_sentinel=True)[0]]
    pairs = []
    for code in codes:
        known = np.flatnonzero(code >= 0)
        first = pd.Series(known).groupby(code[known]).transform("first").to_numpy()
        pairs.append(np.stack([first, known], axis=1))
    return cluster(len(faces), np.concatenate(pairs))
