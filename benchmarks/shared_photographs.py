"""Which photographs made anew escape the search across data sets, and how near strangers of two data sets come.

    python -m benchmarks.shared_photographs --data lfw-balanced.zip UTKFace.tar.gz \\
        --stores data/aligned/lfw data/aligned/utkface data/aligned/kaggle-gender-folders

Photographs of `--data` are made anew as editing and encoding make them, and aligned anew: the landmarks of a copy are
not quite those of the original. Beside that stands what the hash of the whole image finds, as within one data set. Each
pair of faces of two of `--stores` is compared. The pairs nearest to the bound are listed, to be looked at: those above
it are to be one photograph each, those below it may be strangers.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path

import numpy as np
import tyro
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from benchmarks.alignment import read
from core.data.alignment import FaceAligner
from core.data.duplicates import NEAR_COPY_BITS, perceptual_hashes
from core.data.shared_images import CANDIDATE, NEAR, NEAR_MIRRORED, coarse_detail, fine_agreement
from core.data.store import AlignedStore

BLOCK = 1024


@dataclass
class Options:
    """Photographs to make anew, and stores to compare with each other."""

    data: tuple[Path, ...] = ()
    """Data sets of which photographs are made anew."""
    stores: tuple[Path, ...] = ()
    """Aligned stores of different data sets; 100 million pairs take half a minute of processor."""
    sample: int = 50
    """Photographs of each data set."""
    listed: int = 20
    """Pairs of two stores that are listed, the nearest first."""
    seed: int = 0
    """Seed of the photographs that are taken."""


def encoded(picture: Image.Image, quality: int) -> Image.Image:
    """The picture after a JPEG of this quality."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return Image.open(out).convert("RGB")


def smaller(picture: Image.Image, part: float) -> Image.Image:
    """The picture with this part of its width and height."""
    return picture.resize((round(picture.width * part), round(picture.height * part)), Image.Resampling.LANCZOS)


def cropped(picture: Image.Image, part: float) -> Image.Image:
    """The picture without this part of it at each side."""
    across, down = round(part * picture.width), round(part * picture.height)
    return picture.crop((across, down, picture.width - across, picture.height - down))


WAYS = {
    "as it is": lambda picture: picture,
    "JPEG, quality 30": lambda picture: encoded(picture, 30),
    "JPEG, quality 10": lambda picture: encoded(picture, 10),
    "half the size": lambda picture: smaller(picture, 0.5),
    "a third of the size": lambda picture: smaller(picture, 1 / 3),
    "grey": lambda picture: ImageOps.grayscale(picture).convert("RGB"),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.4),
    "darker": lambda picture: ImageEnhance.Brightness(picture).enhance(0.55),
    "more contrast": lambda picture: ImageEnhance.Contrast(picture).enhance(1.6),
    "blurred": lambda picture: picture.filter(ImageFilter.GaussianBlur(2)),
    "sharpened": lambda picture: picture.filter(ImageFilter.UnsharpMask(3, 150)),
    "equalised": ImageOps.equalize,
    "cropped": lambda picture: cropped(picture, 0.12),
    "with a border": lambda picture: ImageOps.expand(picture, picture.width // 4, "white"),
    "turned by 3 degrees": lambda picture: picture.rotate(3, Image.Resampling.BICUBIC),
    "turned by 7 degrees": lambda picture: picture.rotate(7, Image.Resampling.BICUBIC),
    "mirrored": ImageOps.mirror,
}


def is_found(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Whether pairs of aligned faces count as one photograph, bool (P,)."""
    detail, result = coarse_detail(second), np.zeros(len(first), dtype=bool)
    for way, bound in ((first, NEAR), (first[:, :, ::-1], NEAR_MIRRORED)):
        coarse = (coarse_detail(way) * detail).sum(axis=1)
        result |= (coarse >= CANDIDATE) & (fine_agreement(way, second) >= bound)
    return result


def found_by_way(path: Path, options: Options) -> dict[str, float]:
    """The share of copies that is found, by how they were made; a copy in which no face is found escapes too."""
    data = read(path, options.sample, options.seed)
    aligner = FaceAligner(**data.options)
    originals = aligner.align(data.images)
    photographs = [image for image, found in zip(data.images, originals.found, strict=True) if found]
    shares = {}
    for name, way in WAYS.items():
        copies = aligner.align([way(photograph.convert("RGB")) for photograph in photographs])
        shares[name] = float((copies.found & is_found(originals.faces[originals.found], copies.faces)).mean())
    return shares


def hashed_by_way(path: Path, options: Options) -> dict[str, float]:
    """The share of copies whose hash of the whole image is near that of the original or of its mirror image."""
    photographs = [image.convert("RGB") for image in read(path, options.sample, options.seed).images]
    originals = [perceptual_hashes(photograph) for photograph in photographs]
    shares = {}
    for name, way in WAYS.items():
        copies = [perceptual_hashes(way(photograph))[0] for photograph in photographs]
        near = [
            min((copy ^ original).bit_count() for original in both) <= NEAR_COPY_BITS
            for copy, both in zip(copies, originals, strict=True)
        ]
        shares[name] = float(np.mean(near))
    return shares


def nearest_pairs(first: AlignedStore, second: AlignedStore, listed: int) -> list[tuple[float, float, str, str, str]]:
    """The pairs of faces of two stores that are most alike: fine and coarse agreement, how, and both files."""
    rows, partners = first.faces["row"].to_numpy(), second.faces["row"].to_numpy()
    details = [coarse_detail(second.images[partners[n : n + BLOCK]]) for n in range(0, len(partners), BLOCK)]
    pairs: list[tuple[float, float, str, str, str]] = []
    for start in range(0, len(rows), BLOCK):
        images = first.images[rows[start : start + BLOCK]]
        mirrored = images[:, :, ::-1]
        ways = [("plain", images, coarse_detail(images)), ("mirrored", mirrored, coarse_detail(mirrored))]
        for (how, way, detail), (n, other_detail) in product(ways, enumerate(details)):
            coarse = detail @ other_detail.T
            for a, b in candidates(coarse):
                fine = fine_agreement(way[a], second.images[partners[n * BLOCK + b]])
                files = first.faces["path"].iloc[start + a], second.faces["path"].iloc[n * BLOCK + b]
                values = fine.tolist(), coarse[a, b].tolist(), [how] * len(a), *files
                pairs = sorted([*pairs, *zip(*values, strict=True)], reverse=True)[:listed]
    return pairs


def candidates(coarse: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The places, row and column, of coarse agreements (n, m) from which on a pair is looked at closely, in blocks."""
    mine, theirs = np.nonzero(coarse >= CANDIDATE)
    for low in range(0, len(mine), BLOCK):
        yield mine[low : low + BLOCK], theirs[low : low + BLOCK]


def main(options: Options) -> None:
    """Print the shares of copies found, and the nearest pairs of each two stores."""
    for title, count in (("found by the aligned face", found_by_way), ("found by the hash", hashed_by_way)):
        shares = {path.name: count(path, options) for path in options.data}
        if shares:
            print(f"{title:28}", *(f"{name:>24.24}" for name in shares))
            for way in WAYS:
                print(f"{way:28}", *(f"{share[way]:24.1%}" for share in shares.values()))
            print(f"{'all':28}", *(f"{np.mean(list(share.values())):24.1%}" for share in shares.values()))
    for first, second in combinations([AlignedStore.open(path) for path in options.stores], 2):
        compared = len(first.faces) * len(second.faces)
        print(
            f"\n{first.path.name} and {second.path.name}: {compared:,} pairs, "
            f"found from {NEAR} on, mirrored {NEAR_MIRRORED}"
        )
        for fine, coarse, how, file, partner in nearest_pairs(first, second, options.listed):
            print(f"  {fine:.3f} {coarse:.2f} {how:8} {file}  {partner}")


if __name__ == "__main__":
    main(tyro.cli(Options))
