"""Error clusters: clusters of the maps of incorrect predictions, by shape, where there are any beyond chance.

k-means divides the maps: each face's evidence for the class it was given over the other, divided by its own strength.
The number of clusters has the largest mean silhouette (Rousseeuw 1987, J Comput Appl Math 20:53). The test for any is
p of a silhouette as large in one cloud of the same mean and covariance, searched the same way (as SigClust: Liu et al.
2008, JASA 103:1281). A cluster's stability is its mean Jaccard index with its nearest one in bootstrap samples (Hennig
2007, Comput Stat Data Anal 52:258).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.analysis.clustering import COUNTS, DRAWS, FOUND, LEVEL, SMALLEST, divide, stability, structure
from core.analysis.intervals import holm
from core.analysis.maps.shapes import oriented_shapes
from core.audit.drawn import drawn_rows
from core.audit.folder import Audit
from core.data.faces import AGE_BANDS, UNRECORDED, age_band, gender_known
from core.data.filters import Filter, group_name
from core.errors import LookwhereError
from core.explain.placement import Placement
from core.explain.regions import REGIONS, by_region
from core.privacy import MINIMUM_FACES, showable
from core.task import GENDERS

#: Below the first a cluster dissolves in new samples, from the second on it is stable (Hennig 2007).
DISSOLVED, STABLE = 0.6, 0.75


@dataclass(frozen=True)
class ErrorCluster:
    """One error cluster: `rows` (n,) of the audit's faces, the most typical first; `stability` its mean Jaccard index.

    `map` float64 (h, w) is the mean shape, positive where it speaks for the class the model chose. `regions` has each
    region's `share` of the mean shape's positive evidence, and `share_all`, that of all incorrect predictions' mean.
    `who` has the groups in it by falling n: `group`, `n`, `share`, `share_all`, `ratio`, `p` (Fisher's exact test, Holm
    over all clusters and groups). `margin` is the median |margin|. Everything but n and stability is None where it is
    not shown.
    """

    rows: np.ndarray
    stability: float
    map: np.ndarray | None = None
    regions: pd.DataFrame | None = None
    who: pd.DataFrame | None = None
    margin: float | None = None
    placement: Placement | None = None

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
        """Groups that it holds more of than all incorrect predictions do, beyond chance, the furthest first."""
        if self.who is None:
            raise LookwhereError(f"who is in an error cluster of {self.n} faces is not shown")
        conspicuous = self.who[(self.who["p"] <= level) & (self.who["ratio"] > 1)]
        return conspicuous.sort_values("ratio", ascending=False, kind="stable")


@dataclass(frozen=True)
class ErrorClusters:
    """The clusters of `n` incorrect predictions inside `wanted`, none where n is too small.

    The outcome of `wanted` does not count. `search` has, for each number of clusters, the mean silhouette beside that
    of clouds without clusters, and `p` (`structure`). `asked` is True where the number was given and not found. `flat`
    faces, whose map says nothing, are left out of `n`.
    """

    wanted: Filter
    n: int
    flat: int
    asked: bool
    search: pd.DataFrame | None
    p: float
    clusters: tuple[ErrorCluster, ...]
    minimum: int = MINIMUM_FACES

    @property
    def verdict(self) -> str:
        """In words, to stand after the number of incorrect predictions: «their maps fall into 2 clusters …»."""
        if self.search is None:
            return f"error clusters are looked for from {SMALLEST} on"
        k = len(self.clusters)
        row = self.search.loc[k if k > 1 else self.search["silhouette"].idxmax()]
        numbers = (
            f"silhouette {row['silhouette']:.2f} against {row['null']:.2f} without clusters, p\u00a0=\u00a0{self.p:.2f}"
        )
        # What is refused is one Gaussian cloud: a single skewed one is refused too, so it is no word on chance.
        clustered = self.p <= FOUND + 1e-9
        beyond = "further" if clustered else "no further"
        beyond += " apart than parts of one even cloud" + ("; parts of a skewed one can be as far" if clustered else "")
        if self.asked and k == 1:
            return f"their maps are taken as one cluster, as asked ({numbers})"
        if self.asked:
            return f"their maps are cut into {k} clusters, as asked, {beyond} ({numbers} over all numbers of clusters)"
        if k == 1:
            return f"their maps are of one cluster, whose parts are {beyond} ({numbers})"
        return f"their maps fall into {k} clusters, {beyond} ({numbers}), {apart(row['silhouette'])}"


def apart(silhouette: float) -> str:
    """A mean silhouette in words, by Kaufman & Rousseeuw 1990, table 4."""
    words = ((0.25, "which shade into each other"), (0.5, "weakly set apart"), (0.7, "set apart"))
    return next((text for limit, text in words if silhouette <= limit), "clearly set apart")


def find_error_clusters(
    audit: Audit, filter: Filter, count: int | None = None, seed: int = 0, draws: int = DRAWS
) -> ErrorClusters:
    """Clusters of the incorrect predictions inside a filter: `count` of them, or as many as are found, perhaps one.

    Clusters under 11 faces are counted and not shown. Where those faces are under 11 together, the smallest other
    cluster is not shown either: the average of all incorrect predictions less those shown would be theirs. Raises
    `LookwhereError` for an audit without maps, or a count that is neither 1 nor among `COUNTS`.
    """
    if count is not None and count not in (1, *COUNTS):
        raise LookwhereError(f"the number of clusters must be 1 to {COUNTS[-1]}, not {count}")
    if not audit.has_maps:
        raise LookwhereError(f"{audit.name}: an audit of predictions only, without maps to cluster")
    wrong = filter.narrowed(outcome="incorrect")
    places = drawn_rows(audit, [wrong], seed)
    if places is not None:
        audit = audit.of_rows(places)
    rows = np.flatnonzero(wrong.mask(audit.faces))
    shapes = oriented_shapes(audit)[rows].astype(np.float64)
    has_shape = shapes.any(axis=(1, 2))
    rows, shapes, flat = rows[has_shape], shapes[has_shape], int((~has_shape).sum())
    if len(rows) < SMALLEST:
        return ErrorClusters(filter, len(rows), flat, count is not None, None, np.nan, (), audit.minimum_faces)
    x = shapes.reshape(len(rows), -1)
    search, p = structure(x, seed, draws)
    k = count or (int(search["silhouette"].idxmax()) if p <= FOUND + 1e-9 else 1)
    labels = divide(x, k, seed)
    firm = stability(x, labels, seed)
    showable_clusters = showable(np.bincount(labels, minlength=k), audit.minimum_faces)
    tables = composition(audit.faces.iloc[rows], labels, np.flatnonzero(showable_clusters))
    energy = _positive(shapes.mean(axis=0), audit.placement)
    first, second = audit.task.logits
    certain = np.abs(audit.faces[first] - audit.faces[second]).to_numpy(dtype=np.float64)[rows]
    clusters = []
    for cluster in range(k):
        inside = np.flatnonzero(labels == cluster)
        mean = shapes[inside].mean(axis=0)
        inside = inside[np.argsort(-(x[inside] @ mean.ravel()), kind="stable")]
        if not showable_clusters[cluster]:
            clusters.append(ErrorCluster(rows[inside], float(firm[cluster])))
            continue
        table = pd.DataFrame({"region": REGIONS, "share": _positive(mean, audit.placement), "share_all": energy})
        median = float(np.median(certain[inside]))
        clusters.append(
            ErrorCluster(rows[inside], float(firm[cluster]), mean, table, tables[cluster], median, audit.placement)
        )
    if places is not None:  # rows are told as the whole audit's
        clusters = [replace(part, rows=places[part.rows]) for part in clusters]
    return ErrorClusters(filter, len(rows), flat, count is not None, search, p, tuple(clusters), audit.minimum_faces)


def _positive(mean: np.ndarray, placement: Placement | None) -> np.ndarray:
    """Each region's share of a map's positive part, float64 (R,); NaN where it has none."""
    part = by_region(np.maximum(mean, 0), placement)
    return part / part.sum() if part.sum() > 0 else np.full_like(part, np.nan)


def composition(faces: pd.DataFrame, labels: np.ndarray, numbers: np.ndarray) -> dict[int, pd.DataFrame]:
    """Who is in the clusters `numbers`: `Kind.who` of each. The faces count singly, also those of one person."""
    from scipy.stats import fisher_exact

    groups = _groups(faces)
    tables = {}
    for kind in numbers:
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
    known = gender_known(faces)
    genders = GENDERS if known else (UNRECORDED,)
    members = {group_name(g): gender == g for g in genders if known}
    if set(ethnicity) != {UNRECORDED}:
        members |= {group_name(g, e): (gender == g) & (ethnicity == e) for e in sorted(set(ethnicity)) for g in genders}
    members |= {f"{name} years": band == n for n, name in enumerate(AGE_BANDS)}
    return {name: member for name, member in members.items() if member.any()}
