"""Kinds of wrong: k-means and silhouettes against scikit-learn, the null at its rate, planted kinds, what is shown."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, fisher_exact
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score
from statsmodels.stats.multitest import multipletests

from core.analysis import clustering
from core.analysis.clustering import COUNTS, SMALLEST, structure
from core.analysis.maps import error_clusters
from core.analysis.maps.error_clusters import find_error_clusters
from core.analysis.maps.shapes import oriented_shapes
from core.audit.folder import Audit, open_audit
from core.data.faces import AGE_BANDS, AGE_EDGES
from core.data.filters import Filter
from core.errors import LookwhereError
from core.explain.regions import by_region
from core.privacy import MINIMUM_FACES, showable
from tests.helpers.made_audit import made_audit, made_faces
from tests.helpers.shipped import AUDIT, shipped_or_skip

CORNERS = ((1, 1), (5, 5), (1, 5), (5, 1))


def smooth(draw: np.random.Generator, n: int) -> np.ndarray:
    """Smooth noise maps (n, 7, 7): box-filtered, so that neighbours correlate."""
    noise = draw.normal(size=(n, 9, 9))
    return sum(noise[:, a : a + 7, b : b + 7] for a in range(3) for b in range(3)) / 3


def blob(centre: tuple[int, int], height: float) -> np.ndarray:
    y, x = np.mgrid[:7, :7]
    return height * np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / 3)


def unit(maps: np.ndarray) -> np.ndarray:
    x = maps.reshape(len(maps), -1)
    return x / np.sqrt((x**2).mean(axis=1, keepdims=True))


def planted(per_kind: list[int], seed: int = 0, height: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Maps (n, 7, 7) around a corner a kind, and each one's kind."""
    draw = np.random.default_rng(seed)
    kind = np.repeat(np.arange(len(per_kind)), per_kind)
    centres = np.stack([blob(corner, height) for corner in CORNERS[: len(per_kind)]])
    return centres[kind] + 0.5 * smooth(draw, len(kind)), kind


def audited(maps: np.ndarray, kind: np.ndarray, right: int = 30) -> Audit:
    """An audit whose wrong faces, of either gender, have these maps for the class chosen; kind 0 is all women."""
    n = len(maps)
    audit = made_audit(n + right, ethnicities=("White",))
    draw = np.random.default_rng(9)
    gender = np.where(draw.random(n + right) < 0.5, "female", "male")
    gender[:n][kind == 0] = "female"
    predicted = gender.copy()
    predicted[:n] = np.where(gender[:n] == "female", "male", "female")
    faces = audit.faces.assign(gender=gender, predicted=predicted, correct=predicted == gender)
    evidence = audit.evidence.astype(np.float32)
    strength = np.exp(draw.normal(size=n))[:, None, None]  # a kind's shape counts, not its strength
    for row in range(n):
        predicted_class = 0 if predicted[row] == "female" else 1
        evidence[row, 1 - predicted_class] = 0
        evidence[row, predicted_class] = maps[row] * strength[row]
    shuffled = draw.permutation(n + right)
    return replace(audit, faces=faces.iloc[shuffled].reset_index(drop=True), evidence=evidence[shuffled])


def kind_of(audit: Audit, kind: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The planted kind of the audit's faces at rows, by their id."""
    return kind[audit.faces["face_id"].iloc[rows].str.removeprefix("face-").astype(int)]


def test_k_means_is_as_good_as_scikit_learns() -> None:
    draw = np.random.default_rng(0)
    for k in COUNTS:
        x = unit(blob((3, 3), 1.5) + smooth(draw, 80))
        theirs = KMeans(k, n_init=10, random_state=0).fit(x)
        labels, inertia = clustering.k_means(np.repeat(x[None], 10, axis=0), k, np.random.default_rng(1))
        assert inertia.min() <= theirs.inertia_ * 1.01
        own = sum(((x[labels[0] == j] - x[labels[0] == j].mean(axis=0)) ** 2).sum() for j in range(k))
        assert inertia[0] == pytest.approx(own)


def test_silhouettes_are_scikit_learns() -> None:
    draw = np.random.default_rng(0)
    x = np.stack([unit(smooth(draw, 60)) for _ in range(4)])
    apart = clustering.distances(x)
    for k in COUNTS:
        labels, _ = clustering.k_means(x, k, draw)
        theirs = [silhouette_score(cloud, label) for cloud, label in zip(x, labels, strict=True)]
        assert clustering.silhouette(apart, labels, k) == pytest.approx(theirs)
    alone = np.array([0] + [1] * 59)
    assert clustering.silhouette(apart[0], alone, 2) == pytest.approx(silhouette_score(x[0], alone))
    assert clustering.silhouette(np.zeros((5, 5)), np.array([0, 0, 1, 1, 1]), 2) == 0, "copies are not apart"


def test_clouds_have_the_mean_and_covariance_of_the_data() -> None:
    draw = np.random.default_rng(0)
    x = unit(blob((3, 3), 1.5) + smooth(draw, 200))
    clouds = clustering.clouds(x, 60, draw)
    assert clouds.shape == (60, *x.shape)
    assert (clouds**2).mean(axis=-1) == pytest.approx(1)
    points = clouds.reshape(-1, x.shape[1])
    covariance = np.cov(x.T)
    assert np.abs(points.mean(axis=0) - x.mean(axis=0)).max() < 0.1
    assert np.abs(np.cov(points.T) - covariance).max() < 0.1 * covariance.max()


def test_without_clusters_kinds_are_found_no_more_often_than_claimed() -> None:
    """Gaussian maps with a mean, brought to equal strength: p ≤ 0.05 in at most 5 % of data sets, up to chance.

    Drawn from the mean and covariance of the shapes themselves, the null would be refused in 4 of 10 of these.
    """
    p = []
    for seed in range(24):
        draw = np.random.default_rng(seed)
        p.append(structure(unit(blob((3, 3), 1.5) + smooth(draw, 300)), seed, draws=19)[1])
    assert sum(np.array(p) <= 0.05) <= binom.ppf(0.99, len(p), 0.05)
    assert len(set(p)) > 5, "p must vary"


@pytest.mark.parametrize("sizes", [[90, 70], [60, 50, 40], [50, 45, 40, 35]])
def test_planted_kinds_are_found(sizes: list[int]) -> None:
    maps, kind = planted(sizes)
    audit = audited(maps, kind)
    clustering = find_error_clusters(audit, Filter(outcome="correct"))
    assert clustering.n == sum(sizes), "the filter's outcome does not count"
    assert clustering.p <= 0.01
    assert sorted(k.n for k in clustering.clusters) == pytest.approx(sorted(sizes), abs=3)
    rows = np.concatenate([k.rows for k in clustering.clusters])
    labels = np.repeat(np.arange(len(clustering.clusters)), [k.n for k in clustering.clusters])
    assert adjusted_rand_score(kind_of(audit, kind, rows), labels) > 0.95
    assert all(k.stability > 0.9 and k.firmness == "stable" for k in clustering.clusters)
    assert f"fall into {len(sizes)} clusters, further apart than parts of one even cloud; " in clustering.verdict


def test_one_cloud_is_called_one_kind_and_is_cut_only_when_asked() -> None:
    maps = blob((3, 3), 1.5) + smooth(np.random.default_rng(4), 80)
    audit = audited(maps, np.ones(80))
    clustering = find_error_clusters(audit, Filter())
    assert clustering.p > 0.05
    assert len(clustering.clusters) == 1
    assert "of one cluster, whose parts are no further apart than parts of one even cloud (" in clustering.verdict
    in_three = find_error_clusters(audit, Filter(), 3)
    assert len(in_three.clusters) == 3
    assert in_three.p == clustering.p
    assert "cut into 3 clusters, as asked, no further apart than parts of one even cloud (" in in_three.verdict


def test_what_is_told_of_a_kind_is_its_faces() -> None:
    maps, kind = planted([60, 50])
    audit = audited(maps, kind)
    clustering = find_error_clusters(audit, Filter())
    shapes = oriented_shapes(audit)
    wrong = audit.faces[~audit.faces["correct"]]
    everyone = np.maximum(shapes[wrong.index].mean(axis=0), 0)
    for cluster in clustering.clusters:
        mean = shapes[cluster.rows].mean(axis=0, dtype=np.float64)
        assert cluster.map == pytest.approx(mean, abs=1e-5)
        similarity = (shapes[cluster.rows] * mean).sum(axis=(1, 2))
        assert (np.diff(similarity) <= 1e-4).all(), "the most typical comes first"
        share = by_region(np.maximum(mean, 0))
        assert cluster.regions["share"].to_numpy() == pytest.approx(share / share.sum(), abs=1e-5)
        assert cluster.regions["share_all"].sum() == pytest.approx(1)
        assert cluster.regions["share_all"].to_numpy() == pytest.approx(
            by_region(everyone) / by_region(everyone).sum(), abs=1e-5
        )
        faces = audit.faces.iloc[cluster.rows]
        women = cluster.who.set_index("group").loc["women"]
        assert women["n"] == (faces["gender"] == "female").sum()
        assert women["share_all"] == pytest.approx((wrong["gender"] == "female").mean())
        margins = (faces["logit_female"] - faces["logit_male"]).abs()
        assert cluster.margin == pytest.approx(margins.median())
    women = [cluster for cluster in clustering.clusters if (kind_of(audit, kind, cluster.rows) == 0).all()]
    assert len(women) == 1
    assert "women" in set(women[0].over()["group"])
    assert "men" not in set(women[0].over()["group"])


def test_who_is_tested_by_fisher_and_holm() -> None:
    faces = made_faces(120, balanced=False, ethnicities=("White", "Black"))
    women, years = (faces["gender"] == "female").to_numpy(), faces["age"].to_numpy(dtype=int)
    labels = np.where(women, 0, np.arange(120) % 3)
    tables = error_clusters.composition(faces, labels, np.array([0, 2]))
    black = (faces["ethnicity"] == "Black").to_numpy()
    groups = {"women": women, "men": ~women}
    groups |= {f"{e} {g}": m & k for e, k in (("Black", black), ("White", ~black)) for g, m in list(groups.items())[:2]}
    edges = (*AGE_EDGES, 200)
    bands = zip(AGE_BANDS, edges, edges[1:], strict=False)
    groups |= {f"{name} years": (years >= low) & (years < high) for name, low, high in bands}
    groups = {name: member for name, member in groups.items() if member.any()}
    raw, got = [], []
    for kind, table in tables.items():
        inside = labels == kind
        by_name = table.set_index("group")
        assert set(by_name.index) == set(groups)
        for name, member in groups.items():
            assert by_name.loc[name, "n"] == (member & inside).sum()
            assert by_name.loc[name, "share_all"] == pytest.approx(member.mean())
            raw.append(fisher_exact(pd.crosstab(member, inside)).pvalue)
            got.append(by_name.loc[name, "p"])
    assert got == pytest.approx(multipletests(raw, method="holm")[1])
    assert min(got) < 0.05 < max(got)


def test_kinds_of_few_faces_are_hidden_and_cannot_be_had_by_subtraction() -> None:
    assert list(showable([40, 30, 12, 4])) == [True, True, False, False]
    assert list(showable([40, 30, 6, 5])) == [True, True, False, False]
    assert list(showable([40, 30, 20])) == [True, True, True]
    assert list(showable([40, 3])) == [False, False]
    assert list(showable([3, 4])) == [False, False]
    for sizes in itertools.combinations_with_replacement(range(1, 25), 3):
        may_show = showable(np.array(sizes))
        hidden = np.array(sizes)[~may_show].sum()
        assert hidden == 0 or hidden >= MINIMUM_FACES or not may_show.any()
        assert (np.array(sizes)[may_show] >= MINIMUM_FACES).all()


def test_a_kind_under_eleven_faces_is_counted_and_nothing_of_it_is_kept() -> None:
    maps, kind = planted([60, 40, 5], height=5)
    clustering = find_error_clusters(audited(maps, kind), Filter(), 3)
    assert [k.n for k in clustering.clusters] == [60, 40, 5]
    assert [k.map is None for k in clustering.clusters] == [False, True, True], (
        "all less the others are the five's mean"
    )
    for hidden in clustering.clusters[1:]:
        assert hidden.who is hidden.regions is hidden.margin is None
        with pytest.raises(LookwhereError, match="not shown"):
            hidden.over()


def test_too_few_wrong_predictions_flat_maps_and_no_maps() -> None:
    maps, kind = planted([40, 40])
    audit = audited(maps, kind)
    few = audited(maps[: SMALLEST - 1], kind[: SMALLEST - 1])
    clustering = find_error_clusters(few, Filter())
    assert clustering.clusters == ()
    assert str(SMALLEST) in clustering.verdict
    row = int(np.flatnonzero(~audit.faces["correct"])[0])
    audit.evidence[row] = 0
    clustering = find_error_clusters(audit, Filter())
    assert (clustering.n, clustering.flat) == (79, 1)
    with pytest.raises(LookwhereError, match="without maps"):
        find_error_clusters(replace(audit, evidence=None), Filter())
    with pytest.raises(LookwhereError, match="1 to 6"):
        find_error_clusters(audit, Filter(), 7)


def test_the_same_seed_gives_the_same_kinds() -> None:
    maps, kind = planted([50, 40], height=1.0)
    audit = audited(maps, kind)
    first, again = find_error_clusters(audit, Filter(), 2, seed=5), find_error_clusters(audit, Filter(), 2, seed=5)
    assert first.p == again.p
    pd.testing.assert_frame_equal(first.search, again.search)
    for a, b in zip(first.clusters, again.clusters, strict=True):
        assert np.array_equal(a.rows, b.rows)
        assert a.stability == b.stability


def test_the_shipped_study_in_a_second() -> None:
    shipped_or_skip()
    audit = open_audit(AUDIT)
    find_error_clusters(audit, Filter(("male",)), 2, draws=3)  # the libraries are loaded once
    start = time.process_time()
    clustering = find_error_clusters(audit, Filter())
    # Of the processor's time, and with room for a slow machine.
    assert time.process_time() - start < 3
    assert clustering.n == int((~audit.faces["correct"]).sum())
    assert sum(k.n for k in clustering.clusters) == clustering.n
    assert list(clustering.search.index) == list(COUNTS)
