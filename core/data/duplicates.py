"""Copies and near-copies of images: hashes, pairs, clusters."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd
from PIL import Image, ImageOps

from core.data.images import decode
from core.data.sources.base import Source

#: Perceptual hashes at most this many bits apart are one image re-encoded; at 6, chaining joins strangers.
NEAR_COPY_BITS = 4
#: Hashes that share a band, up to which many such buckets are compared at once.
SMALL_BUCKET = 64


LABELS = ["gender", "ethnicity", "age"]
#: Columns of perceptual hashes: the image's, and its mirror image's.
HASHES = ("phash", "mirrored")


def hash_images(source: Source, paths: Iterable[str], tick: Callable[[], object] = lambda: None) -> pd.DataFrame:
    """SHA-256 and 64-bit perceptual hashes of each image: `path, sha256, phash, mirrored (uint64), problem`.

    `mirrored` is the hash of its mirror image. `problem` is empty, or says why the image cannot be decoded (then both
    hashes are 0).
    """
    rows = []
    for path, data in source.iterate(paths):
        hashes, problem = (0, 0), ""
        try:
            hashes = perceptual_hashes(decode(data))
        except ValueError as error:
            problem = source.why_empty(path) or str(error)
        rows.append((path, hashlib.sha256(data).hexdigest(), *hashes, problem))
        tick()
    columns = ["path", "sha256", "phash", "mirrored", "problem"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(HASHES, "uint64"))


def perceptual_hashes(image: Image.Image) -> tuple[int, int]:
    """`imagehash.phash` of an image and of its mirror image, of 64 bits each."""
    import imagehash

    # What the library itself hashes; reduced once for both.
    small = image.convert("L").resize((32, 32), Image.Resampling.LANCZOS)
    first, second = (int(str(imagehash.phash(way)), 16) for way in (small, ImageOps.mirror(small)))
    return first, second


def near_clusters(faces: pd.DataFrame) -> np.ndarray:
    """`cluster` of images with near hashes, as they are or with one of them mirrored, int64 (N,).

    `faces` has `phash` and, where mirror images are looked for, `mirrored`.
    """
    hashes = np.concatenate([faces[name].to_numpy() for name in HASHES if name in faces])
    return cluster(len(faces), near_pairs(hashes) % max(len(faces), 1))


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
    """Index pairs (P, 2), i < j, of 64-bit hashes at most `bits` apart, enough of them to join all that there are.

    A chain of pairs leads from each hash to each of its near-copies, so `cluster` of them is that of all pairs. P grows
    with the hashes, where all pairs grow with their square: of 8,000 frames of one shot they are 32 million.

    Two hashes that differ in `bits` places agree wholly on one of `bits + 1` bands (the pigeonhole principle), so only
    hashes that share a band are compared; those of one cluster already are not compared again.
    """
    value, first, place = np.unique(phash, return_index=True, return_inverse=True)
    later = np.setdiff1d(np.arange(len(phash)), first)
    parts = [np.stack([first[place[later]], later], axis=1)]
    joined = np.arange(len(value))
    edges = np.linspace(0, 64, bits + 2).astype(int)
    for low, high in itertools.pairwise(edges):
        band = (value >> np.uint64(low)) & np.uint64((1 << int(high - low)) - 1)
        pairs = np.concatenate([np.empty((0, 2), dtype=np.int64), *_near_in_band(value, band, joined, bits)])
        joined = cluster(len(value), np.concatenate([np.stack([joined, np.arange(len(value))], axis=1), pairs]))
        parts.append(first[pairs])
    return np.unique(np.sort(np.concatenate(parts), axis=1), axis=0)


def _near_in_band(value: np.ndarray, band: np.ndarray, joined: np.ndarray, bits: int) -> Iterator[np.ndarray]:
    """Pairs of positions that join the near ones of equal `band`; those of one cluster, by `joined`, are passed over.

    Small buckets are gone through together, at each lag the positions that many places apart in sorted order; large
    ones one at a time.
    """
    order = np.argsort(band, kind="stable")
    _, start, size = np.unique(band[order], return_index=True, return_counts=True)
    for n in np.flatnonzero(size > SMALL_BUCKET):
        members = order[start[n] : start[n] + size[n]]
        if (joined[members] != joined[members[0]]).any():
            yield from _spanning(value, members, bits)
    # How many of its bucket come after each position; so many lags stay inside.
    after = np.repeat(start + size, size) - np.arange(len(order)) - 1
    at = np.flatnonzero(np.repeat(size <= SMALL_BUCKET, size))
    for lag in range(1, SMALL_BUCKET):
        at = at[after[at] >= lag]
        first, second = order[at], order[at + lag]
        near = (joined[first] != joined[second]) & (np.bitwise_count(value[first] ^ value[second]) <= bits)
        yield np.stack([first[near], second[near]], axis=1)


def _spanning(value: np.ndarray, members: np.ndarray, bits: int) -> Iterator[np.ndarray]:
    """Pairs that join the near ones among `members`: whoever was reached looks for those who were not yet."""
    rest = members
    reached: list[int] = []
    while len(rest):
        if not reached:
            reached.append(int(rest[0]))
            rest = rest[1:]
        face = reached.pop()
        near = np.bitwise_count(value[rest] ^ value[face]) <= bits
        if near.any():
            met, rest = rest[near], rest[~near]
            reached += met.tolist()
            yield np.stack([np.full(len(met), face), met], axis=1)


def near_otherwise(phash: np.ndarray, label: np.ndarray, group: np.ndarray, bits: int = NEAR_COPY_BITS) -> np.ndarray:
    """Which hashes are at most `bits` from one of another `label`, bool (N,).

    `group` is their `cluster`: near ones are in one, so only clusters of several labels are looked into.
    """
    code = pd.factorize(label)[0]
    disagrees = np.zeros(len(phash), dtype=bool)
    mixed = pd.Series(code).groupby(group).transform("nunique").to_numpy() > 1
    rows = np.flatnonzero(mixed)
    for members in pd.Series(rows).groupby(group[rows]).agg(list):
        inside = np.array(members)
        value, place = np.unique(phash[inside], return_inverse=True)
        labels = np.unique(np.stack([place, code[inside]], axis=1), axis=0)
        near = np.zeros(len(labels), dtype=bool)
        for n, (at, own) in enumerate(labels):
            other_places = labels[labels[:, 1] != own, 0]
            near[n] = (np.bitwise_count(value[other_places] ^ value[at]) <= bits).any()
        flagged = {(int(at), int(own)) for at, own in labels[near]}
        disagrees[inside] = [pair in flagged for pair in zip(place.tolist(), code[inside].tolist(), strict=True)]
    return disagrees


def cluster(count: int, pairs: np.ndarray) -> np.ndarray:
    """Connected components of `pairs` over `count` faces: int64 (N,), each cluster named by its first member."""
    first, second = pairs[:, 0], pairs[:, 1]
    label = np.arange(count, dtype=np.int64)
    # Each round every cluster that touches one named lower joins one such, so at most half are left.
    while len(apart := np.flatnonzero(label[first] != label[second])):
        first, second = label[first[apart]], label[second[apart]]
        label[np.maximum(first, second)] = np.minimum(first, second)
        while ((root := label[label]) != label).any():
            label = root
    return label
