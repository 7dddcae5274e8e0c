"""Kinds of wrong: clusters of the maps of wrong predictions, by shape, where there are any beyond chance.

k-means of each wrong face's evidence for the class it was given over the other, divided by its own strength. How many
kinds: the largest mean silhouette (Rousseeuw 1987, J Comput Appl Math 20:53). Whether any: p of a silhouette as large
in one cloud of the same mean and covariance, searched alike (as SigClust: Liu et al. 2008, JASA 103:1281). How firm:
each kind's mean Jaccard index with its nearest one in bootstrap samples (Hennig 2007, Comput Stat Data Anal 52:258).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.audit.folder import Audit
from core.data.faces import AGE_BANDS, UNRECORDED, age_band
from core.data.filters import Filter, group_name
from core.differences import oriented_shapes
from core.errors import LookwhereError
from core.explain.regions import REGIONS, by_region
from core.privacy import showable
from core.statistics import holm
from core.task import GENDERS

#: How many kinds are looked for.
COUNTS = (2, 3, 4, 5, 6)
#: Fewer wrong predictions are not divided.
SMALLEST = 30
#: Draws of the null: p is 0.01 at least. The cost of a test is quadratic in the faces, so it is of 300 at most.
DRAWS, TESTED = 99, 300
#: Vectors and rounds by which the null is fitted.
FITTED, ROUNDS = 4000, 12
RESAMPLES = 50
#: Starts of k-means.
STARTS = 10
LEVEL = 0.05
#: Below it a kind dissolves in new samples, from the second on it is stable (Hennig 2007).
DISSOLVED, STABLE = 0.6, 0.75


@dataclass(frozen=True)
class Kind:
    """One kind of wrong: `rows` (n,) of the audit's faces, the most typical first; `stability` its mean Jaccard index.

    `map` float64 (h, w) is the mean shape, positive where it speaks for the class the model chose. `regions`: each
    region's `share` of the mean shape's positive evidence beside its `share_all` in all wrong ones' mean. `who`: the
    groups in it by falling n: `group`, `n`, `share`, `share_all`, `ratio`, `p` (Fisher's exact test, Holm over all
    kinds and groups). `margin` is the median |margin|. Everything but n and stability is None where it is not shown.
    """

    rows: np.ndarray
    stability: float
    map: np.ndarray | None = None
    regions: pd.DataFrame | None = None
    who: pd.DataFrame | None = None
    margin: float | None = None

    @property
    def n(self) -> int:
        """Its number of faces."""
        return len(self.rows)

    @property
    def firmness(self) -> str:
        """The stability in words."""
        if self.stability >= STABLE:
            return "stable"
        return "a tendency" if self.stability >= DISSOLVED else "dissolves in new samples"

    def over(self, level: float = LEVEL) -> pd.DataFrame:
        """Groups that it holds more of than all wrong predictions do, beyond chance, the furthest first."""
        if self.who is None:
            raise LookwhereError(f"who is in a kind of {self.n} faces is not shown")
        found = self.who[(self.who["p"] <= level) & (self.who["ratio"] > 1)]
        return found.sort_values("ratio", ascending=False, kind="stable")


@dataclass(frozen=True)
class Kinds:
    """The kinds of `n` wrong predictions inside `wanted`, whose own outcome does not count; none where n is too small.

    `search`: for each number of kinds the mean silhouette beside that of clouds without kinds, and `p` (`structure`).
    `asked`: the number was given, not found. `flat` faces whose map says nothing are left out of `n`.
    """

    wanted: Filter
    n: int
    flat: int
    asked: bool
    search: pd.DataFrame | None
    p: float
    kinds: tuple[Kind, ...]

    @property
    def verdict(self) -> str:
        """In words, to stand after the number of wrong predictions: «their maps fall into 2 kinds …»."""
        if self.search is None:
            return f"kinds of wrong are looked for from {SMALLEST} on"
        k = len(self.kinds)
        row = self.search.loc[k if k > 1 else self.search["silhouette"].idxmax()]
        numbers = (
            f"silhouette {row['silhouette']:.2f} against {row['null']:.2f} without clusters, p\u00a0=\u00a0{self.p:.2f}"
        )
        beyond = "beyond chance" if self.p <= LEVEL else "without clusters beyond chance"
        if self.asked and k == 1:
            return f"their maps are taken as one kind, as asked ({numbers})"
        if self.asked:
            return f"their maps are cut into {k} kinds, as asked, {beyond} ({numbers} over all numbers of kinds)"
        if k == 1:
            return f"their maps are of one kind, {beyond} ({numbers})"
        return f"their maps fall into {k} kinds, {beyond} ({numbers}), {apart(row['silhouette'])}"


def apart(silhouette: float) -> str:
    """A mean silhouette in words, by Kaufman & Rousseeuw 1990, table 4."""
    words = ((0.25, "which shade into each other"), (0.5, "weakly set apart"), (0.7, "set apart"))
    return next((text for limit, text in words if silhouette <= limit), "clearly set apart")


def kinds(audit: Audit, wanted: Filter, count: int | None = None, seed: int = 0, draws: int = DRAWS) -> Kinds:
    """The kinds of wrong predictions inside a filter: `count` of them, or as many as are found, which may be one.

    Kinds under 11 faces are counted and not shown; where those faces are under 11 together, the smallest other kind is
    not shown either: all wrong ones' average less those shown would be theirs. Raises `LookwhereError` for an audit
    without maps or a count that is neither 1 nor among `COUNTS`.
    """
    if count is not None and count not in (1, *COUNTS):
        raise LookwhereError(f"the number of kinds must be 1 to {COUNTS[-1]}, not {count}")
    if not audit.has_maps:
        raise LookwhereError(f"{audit.name}: an audit of predictions only, without maps to cluster")
    rows = np.flatnonzero(wanted.narrowed(outcome="incorrect").mask(audit.faces))
    shapes = oriented_shapes(audit)[rows].astype(np.float64)
    told = shapes.any(axis=(1, 2))
    rows, shapes, flat = rows[told], shapes[told], int((~told).sum())
    if len(rows) < SMALLEST:
        return Kinds(wanted, len(rows), flat, count is not None, None, np.nan, ())
    x = shapes.reshape(len(rows), -1)
    search, p = structure(x, seed, draws)
    k = count or (int(search["silhouette"].idxmax()) if p <= LEVEL else 1)
    labels = divide(x, k, seed)
    firm = stability(x, labels, seed)
    shown = showable(np.bincount(labels, minlength=k))
    tables = composition(audit.faces.iloc[rows], labels, np.flatnonzero(shown))
    energy = _positive(shapes.mean(axis=0))
    certain = np.abs(audit.faces["logit_female"] - audit.faces["logit_male"]).to_numpy(dtype=np.float64)[rows]
    found = []
    for kind in range(k):
        inside = np.flatnonzero(labels == kind)
        mean = shapes[inside].mean(axis=0)
        inside = inside[np.argsort(-(x[inside] @ mean.ravel()), kind="stable")]
        if not shown[kind]:
            found.append(Kind(rows[inside], float(firm[kind])))
            continue
        table = pd.DataFrame({"region": REGIONS, "share": _positive(mean), "share_all": energy})
        median = float(np.median(certain[inside]))
        found.append(Kind(rows[inside], float(firm[kind]), mean, table, tables[kind], median))
    return Kinds(wanted, len(rows), flat, count is not None, search, p, tuple(found))


def _positive(mean: np.ndarray) -> np.ndarray:
    """Each region's share of a map's positive part, float64 (R,); NaN where it has none."""
    part = by_region(np.maximum(mean, 0))
    return part / part.sum() if part.sum() > 0 else np.full_like(part, np.nan)


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
    found = squares[..., :, None] + squares[..., None, :] - 2 * (x @ np.swapaxes(x, -1, -2))
    return np.sqrt(np.maximum(found, 0, out=found), out=found)


def silhouette(apart: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Mean silhouette (…) of labels (…, n) from distances (…, n, n); 0 for a cluster of one face, as Rousseeuw has it.

    As scikit-learn has it (a test compares), for many samples at once.
    """
    member = np.eye(k, dtype=apart.dtype)[labels]
    sizes = member.sum(axis=-2, keepdims=True)
    sums = apart @ member
    mine, size = (sums * member).sum(axis=-1), (sizes * member).sum(axis=-1)
    own = mine / np.maximum(size - 1, 1)
    others = np.where((member > 0) | (sizes == 0), np.inf, sums / np.maximum(sizes, 1)).min(axis=-1)
    # Where all faces are in one cluster or are copies of one another, nothing is apart.
    largest = np.maximum(np.maximum(own, others), 1e-30)
    value = np.where(np.isfinite(others), (others - own) / largest, 0.0)
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
    found = np.stack([silhouette(apart, k_means(samples, k, draw)[0], k) for k in COUNTS], axis=1)
    largest = found.max(axis=1)
    own = [float(silhouette(apart[0], divide(x, k, seed), k)) for k in COUNTS]
    table = pd.DataFrame({"silhouette": own, "null": found[1:].mean(axis=0)}, index=COUNTS)
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
        seen = _directions(middle, spread, fixed)
        middle, spread = middle + mean - seen.mean(axis=0), spread + covariance - np.cov(seen.T)
    return _directions(middle, spread, draw.normal(size=(draws, *x.shape)))


def _directions(mean: np.ndarray, covariance: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Standard normal (…, d) → Gaussian of this mean and covariance → root mean square 1."""
    values, axes = np.linalg.eigh(covariance)
    drawn = mean + (normal * np.sqrt(np.maximum(values, 0))) @ axes.T
    return drawn / np.sqrt((drawn**2).mean(axis=-1, keepdims=True))


def stability(x: np.ndarray, labels: np.ndarray, seed: int = 0, resamples: int = RESAMPLES) -> np.ndarray:
    """The mean Jaccard index (K,) of each cluster with the nearest one of a bootstrap sample, among the faces drawn."""
    k = int(labels.max()) + 1
    if k == 1:
        return np.ones(1)
    draw = np.random.default_rng(seed)
    picked = draw.integers(0, len(x), (resamples, len(x)))
    again, _ = k_means(x.astype(np.float32)[picked], k, draw)
    total, seen = np.zeros(k), np.zeros(k)
    for rows, found in zip(picked, again, strict=True):
        rows, first = np.unique(rows, return_index=True)
        both = np.zeros((k, k))
        np.add.at(both, (labels[rows], found[first]), 1)
        size = both.sum(axis=1, keepdims=True)
        total += (both / np.maximum(size + both.sum(axis=0) - both, 1)).max(axis=1)
        seen += size[:, 0] > 0
    return total / np.maximum(seen, 1)


def composition(faces: pd.DataFrame, labels: np.ndarray, wanted: np.ndarray) -> dict[int, pd.DataFrame]:
    """Who is in the clusters `wanted`: `Kind.who` of each. The faces count singly, also those of one person."""
    from scipy.stats import fisher_exact

    groups = _groups(faces)
    tables = {}
    for kind in wanted:
        inside = labels == kind
        rows = []
        for name, member in groups.items():
            n, all_n = int((member & inside).sum()), int(member.sum())
            counts = [[n, int(inside.sum()) - n], [all_n - n, int((~inside).sum()) - all_n + n]]
            share, share_all = n / inside.sum(), all_n / len(labels)
            p = 1.0 if inside.all() else float(fisher_exact(counts).pvalue)
            rows.append((name, n, share, share_all, share / share_all, p))
        tables[int(kind)] = pd.DataFrame(rows, columns=["group", "n", "share", "share_all", "ratio", "p"])
    if tables:
        adjusted = np.split(holm(np.concatenate([t["p"] for t in tables.values()])), len(tables))
        for (kind, table), p in zip(list(tables.items()), adjusted, strict=True):
            tables[kind] = table.assign(p=p).sort_values("n", ascending=False, kind="stable", ignore_index=True)
    return tables


def _groups(faces: pd.DataFrame) -> dict[str, np.ndarray]:
    """Each group's members, bool (n,): genders, gender × ethnicity and age bands, where they occur."""
    gender, ethnicity = faces["gender"].to_numpy(), faces["ethnicity"].astype(str).to_numpy()
    band = age_band(faces["age"])
    found = {group_name(g): gender == g for g in GENDERS}
    if set(ethnicity) != {UNRECORDED}:
        found |= {group_name(g, e): (gender == g) & (ethnicity == e) for e in sorted(set(ethnicity)) for g in GENDERS}
    found |= {f"{name} years": band == n for n, name in enumerate(AGE_BANDS)}
    return {name: member for name, member in found.items() if member.any()}
