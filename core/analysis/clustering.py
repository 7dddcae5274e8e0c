"""k-means, silhouettes, and tests of whether a cloud of points has clusters at all."""

from __future__ import annotations

import numpy as np
import pandas as pd

#: How many kinds are looked for.
COUNTS = (2, 3, 4, 5, 6)


#: Fewer incorrect predictions are not divided.
SMALLEST = 30


#: Draws of the null: p is 0.01 at least. The cost of a test is quadratic in the faces, so it is of 300 at most.
DRAWS, TESTED = 99, 300


#: Vectors and rounds by which the null is fitted.
FITTED, ROUNDS = 4000, 12


RESAMPLES = 50


#: Starts of k-means.
STARTS = 10


LEVEL = 0.05
#: Clusters are said only where none of `DRAWS` clouds is as clustered: a p near 0.05 moves across it with the seed.
FOUND = 1 / (DRAWS + 1)


def k_means(x: np.ndarray, k: int, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Lloyd's algorithm on each of B samples (B, n, d) at once: labels int64 (B, n) and inertia (B,).

    From the best of four starts by k-means++ (Arthur & Vassilvitskii 2007) after two rounds. As good as scikit-learn's
    (a test compares), which spends the time of a hundred such small samples on its checks.
    """
    begun = [_begin(x, k, draw) for _ in range(4)]
    best = np.argmin([cost for _, cost in begun], axis=0)
    centres = np.stack([at for at, _ in begun])[best, np.arange(len(x))]
    labels = np.full(x.shape[:2], -1)
    moving = np.arange(len(x))
    for _ in range(50):
        part = x if len(moving) == len(x) else x[moving]
        now, centres[moving] = _round(part, centres[moving])
        changed = (now != labels[moving]).any(axis=1)
        labels[moving] = now
        moving = moving[changed]
        if not len(moving):
            break
    return labels, _inertia(x, centres, labels)


def _begin(x: np.ndarray, k: int, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Centres (B, k, d) by k-means++ and two rounds, with their inertia (B,)."""
    each = np.arange(len(x))
    centres = np.empty((len(x), k, x.shape[2]), dtype=x.dtype)
    near = np.ones(x.shape[:2], dtype=x.dtype)
    squares = (x**2).sum(axis=2)
    for j in range(k):
        # The first centre is any face, a further one is drawn by squared distance to the nearest so far.
        reach = near.cumsum(axis=1)
        picked = (reach >= (1 - draw.random((len(x), 1))) * reach[:, -1:]).argmax(axis=1)
        centres[:, j] = x[each, picked]
        apart = squares + squares[each, picked][:, None] - 2 * (x @ centres[:, j, :, None])[..., 0]
        near = np.maximum(apart if j == 0 else np.minimum(near, apart), 0)
    _, centres = _round(x, centres)
    labels, after = _round(x, centres)
    return after, _inertia(x, centres, labels)


def _round(x: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest centre of each face, (B, n), and the centres' new places; one without a face stays."""
    labels = ((centres**2).sum(axis=2)[:, None] - 2 * (x @ centres.transpose(0, 2, 1))).argmin(axis=2)
    member = (labels[:, None] == np.arange(centres.shape[1])[:, None]).astype(x.dtype)
    sizes = member.sum(axis=2)[..., None]
    return labels, np.where(sizes > 0, (member @ x) / np.maximum(sizes, 1), centres)


def _inertia(x: np.ndarray, centres: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return ((x - np.take_along_axis(centres, labels[..., None], axis=1)) ** 2).sum(axis=(1, 2))


def divide(x: np.ndarray, k: int, seed: int = 0) -> np.ndarray:
    """Clusters of vectors (n, d), int64 (n,), numbered by falling size; the best of `STARTS` starts."""
    labels, inertia = k_means(np.repeat(x[None], STARTS, axis=0), k, np.random.default_rng(seed))
    best = labels[inertia.argmin()]
    order = np.argsort(-np.bincount(best, minlength=k), kind="stable")
    return np.argsort(order)[best]


def distances(x: np.ndarray) -> np.ndarray:
    """Euclidean distances (…, n, n) of vectors (…, n, d)."""
    squares = (x**2).sum(axis=-1)
    squared = squares[..., :, None] + squares[..., None, :] - 2 * (x @ np.swapaxes(x, -1, -2))
    return np.sqrt(np.maximum(squared, 0, out=squared), out=squared)


def silhouette(apart: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Mean silhouette (…) of labels (…, n) from distances (…, n, n); 0 for a cluster of one face, as Rousseeuw has it.

    As scikit-learn has it (a test compares), for many samples at once.
    """
    member = np.eye(k, dtype=apart.dtype)[labels]
    sizes = member.sum(axis=-2, keepdims=True)
    sums = apart @ member
    mine, size = (sums * member).sum(axis=-1), (sizes * member).sum(axis=-1)
    own = mine / np.maximum(size - 1, 1)
    nearest = np.where((member > 0) | (sizes == 0), np.inf, sums / np.maximum(sizes, 1)).min(axis=-1)
    # Where all faces are in one cluster or are copies of one another, nothing is apart.
    largest = np.maximum(np.maximum(own, nearest), 1e-30)
    value = np.where(np.isfinite(nearest), (nearest - own) / largest, 0.0)
    return np.where(size == 1, 0.0, value).mean(axis=-1)


def structure(x: np.ndarray, seed: int = 0, draws: int = DRAWS) -> tuple[pd.DataFrame, float]:
    """Are there clusters among vectors (n, d) of root mean square 1? A row for each of `COUNTS`, and p.

    Columns `silhouette` and `null`, its mean in clouds without clusters (`clouds`). p is of a largest silhouette as
    large as this; of more than `TESTED` vectors so many are drawn. p ≤ 0.05 says that one cloud does not do; a skewed
    or curved one without clusters can also bring it about. It is conservative, since the covariance of a sample is
    longer than its population's, and two clusters of few faces are seldom told from one long cloud.
    """
    draw = np.random.default_rng(seed)
    if len(x) > TESTED:
        x = x[np.sort(draw.choice(len(x), TESTED, replace=False))]
    samples = np.concatenate([x[None], clouds(x, draws, draw)]).astype(np.float32)
    apart = distances(samples)
    # The first sample is the observed one: it is searched as the others are.
    silhouettes = np.stack([silhouette(apart, k_means(samples, k, draw)[0], k) for k in COUNTS], axis=1)
    largest = silhouettes.max(axis=1)
    own = [float(silhouette(apart[0], divide(x, k, seed), k)) for k in COUNTS]
    table = pd.DataFrame({"silhouette": own, "null": silhouettes[1:].mean(axis=0)}, index=COUNTS)
    return table, float((largest >= largest[0]).mean())


def clouds(x: np.ndarray, draws: int, draw: np.random.Generator) -> np.ndarray:
    """Samples (draws, n, d) as large as `x` of one Gaussian brought to root mean square 1: a cloud without clusters.

    The Gaussian is such that its directions have the mean and covariance of `x`. That of `x` itself would not do: its
    directions vary otherwise, and data without clusters would be found clustered in 4 of 10 cases (n = 300).
    """
    mean, covariance = x.mean(axis=0), np.cov(x.T)
    middle, spread = mean, covariance
    fixed = draw.normal(size=(FITTED, x.shape[1]))
    for _ in range(ROUNDS):
        sample = _directions(middle, spread, fixed)
        middle, spread = middle + mean - sample.mean(axis=0), spread + covariance - np.cov(sample.T)
    return _directions(middle, spread, draw.normal(size=(draws, *x.shape)))


def _directions(mean: np.ndarray, covariance: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Standard normal (…, d) → Gaussian of this mean and covariance → root mean square 1."""
    values, axes = np.linalg.eigh(covariance)
    points = mean + (normal * np.sqrt(np.maximum(values, 0))) @ axes.T
    return points / np.sqrt((points**2).mean(axis=-1, keepdims=True))


def stability(x: np.ndarray, labels: np.ndarray, seed: int = 0, resamples: int = RESAMPLES) -> np.ndarray:
    """The mean Jaccard index (K,) of each cluster with the nearest one of a bootstrap sample, among the faces drawn."""
    k = int(labels.max()) + 1
    if k == 1:
        return np.ones(1)
    draw = np.random.default_rng(seed)
    picked = draw.integers(0, len(x), (resamples, len(x)))
    again, _ = k_means(x.astype(np.float32)[picked], k, draw)
    total, samples_with = np.zeros(k), np.zeros(k)
    for rows, assigned in zip(picked, again, strict=True):
        rows, first = np.unique(rows, return_index=True)
        both = np.zeros((k, k))
        np.add.at(both, (labels[rows], assigned[first]), 1)
        size = both.sum(axis=1, keepdims=True)
        total += (both / np.maximum(size + both.sum(axis=0) - both, 1)).max(axis=1)
        samples_with += size[:, 0] > 0
    return total / np.maximum(samples_with, 1)
