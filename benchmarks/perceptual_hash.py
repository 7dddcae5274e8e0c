"""Why a model carries no perceptual hash of its training faces: what such a hash gives away, and what it misses.

python -m benchmarks.perceptual_hash --data data/aligned/utkface
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

from core.data.shared_images import coarse_detail, shared_images
from core.data.store import AlignedStore

BLOCK = 1024
SHOWN = 2000


@dataclass
class Options:
    """Signs of random projections of the aligned faces' coarse detail, as a perceptual hash would keep them."""

    data: Path
    """The aligned store; its train and test split are compared."""
    bits: int = 64
    """Bits a face."""
    seed: int = 0
    """Seed of the projections, which would be the salt."""


def details(store: AlignedStore, rows: np.ndarray) -> np.ndarray:
    """Coarse detail of faces, unit rows float32 (N, 784)."""
    return np.concatenate([coarse_detail(store.images[rows[n : n + BLOCK]]) for n in range(0, len(rows), BLOCK)])


def quantiles(values: np.ndarray, digits: int = 2) -> str:
    """Median and the middle nine tenths."""
    low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
    return f"{middle:.{digits}f} [{low:.{digits}f} to {high:.{digits}f}]"


def main(options: Options) -> None:
    """Print what comes of it."""
    store = AlignedStore.open(options.data)
    train, test = store.split("train"), store.split("test")
    theirs, mine = (details(store, part["row"].to_numpy()) for part in (train, test))
    draw = np.random.default_rng(options.seed).standard_normal((theirs.shape[1], options.bits)).astype(np.float32)
    codes, test_codes = theirs @ draw > 0, mine @ draw > 0
    signs = np.where(codes, 1.0, -1.0)
    fit = np.linalg.lstsq(signs[SHOWN:], theirs[SHOWN:], rcond=None)[0]
    mean = theirs[SHOWN:].mean(axis=0)
    for name, guess in (("hash", signs[:SHOWN] @ fit), ("average face", np.broadcast_to(mean, theirs[:SHOWN].shape))):
        guess = guess / np.linalg.norm(guess, axis=1, keepdims=True)
        print(f"detail had back from the {name}: correlation {quantiles((guess * theirs[:SHOWN]).sum(axis=1))}")
    near = shared_images(store, test, store, train).any
    nearest = np.empty(len(mine), dtype=int)
    for start in range(0, len(mine), BLOCK):
        part = test_codes[start : start + BLOCK]
        unequal = part.astype(np.float32) @ (~codes).T + (~part).astype(np.float32) @ codes.T
        nearest[start : start + BLOCK] = unequal.min(axis=1)
    print(f"bits from the nearest training face, {near.sum()} near-copies: {quantiles(nearest[near], 0)}")
    print(f"the same, {(~near).sum():,} other faces: {quantiles(nearest[~near], 0)}")
    for most in (0, 2, 4, 8):
        share, false = (nearest[near] <= most).mean(), (nearest[~near] <= most).sum()
        print(f"at up to {most} bits: {100 * share:.0f} % of the near-copies found, {false:,} others called so")


if __name__ == "__main__":
    main(tyro.cli(Options))
