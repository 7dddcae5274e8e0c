"""Error clusters on the page «Faces»: how many, a card for each, and downloads. Each holds similar maps of errors."""

from __future__ import annotations

from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from core.analysis.clustering import COUNTS
from core.analysis.maps.error_clusters import ErrorCluster, ErrorClusters, find_error_clusters
from core.audit.drawn import drawn_words
from core.audit.folder import Audit
from core.audit.images import AuditImages
from core.data.filters import Filter
from core.present.figures import raster
from core.present.figures.single_faces import error_cluster_sheet
from core.present.text import escape
from core.task import Task
from core.wording import capital, number, percent
from ui.shell import downloads
from ui.shell.cache import kept
from ui.widgets import controls, layout, terms

FOUND = "as found"
OPACITY = 0.6
STYLE = """
<style>
.lw-kind h4 {margin: 0 0 .3rem 0; padding: 0; font-size: 1.02rem; font-weight: 600}
.lw-kind p {margin: .3rem 0; font-size: .85rem; line-height: 1.4}
.lw-link a {color: inherit}
</style>
"""
KINDS_HELP = (
    "k-means of the errors' maps, each turned to the {kind} the model chose and divided by its own strength. The "
    "number is that of the largest mean silhouette; p compares it with clouds of the same mean and covariance that "
    "have no clusters. Above 0.05 all are called one cluster: the test errs on that side. A number you choose cuts "
    "them all the same."
)
KINDS_READING = (
    "A map is the mean shape of a cluster's maps: red speaks for the {kind} the model chose, blue against it. "
    "Stability is the mean Jaccard index of a cluster in 50 bootstrap samples (0.75 and more: stable; under 0.6: it "
    "dissolves). Groups are named where a cluster holds more of them than all incorrect predictions do, beyond chance "
    "(Fisher's exact test, Holm over all clusters and groups). {opposite}"
)
OPPOSITE = (
    "{faces} were given opposite {kinds}, and evidence for these lies in different places also where the model is "
    "correct: filter one {kind} to see clusters within it."
)


def _reading(task: Task) -> str:
    """How a cluster's map is to be read."""
    first, second = (words.many for words in task.nouns)
    misjudged = f"{capital(first)} and {second} {'who' if task.is_gender else 'that'} are misjudged"
    return KINDS_READING.format(
        kind=task.kind, opposite=OPPOSITE.format(faces=escape.markdown(misjudged), kinds=task.kinds, kind=task.kind)
    )


_error_clusters = kept(entries=64, spinner="Looking for error clusters …")(find_error_clusters)


def choose_error_clusters(audit: Audit, filter: Filter) -> ErrorClusters | None:
    """Draw the choice of a number of kinds; None for an audit without maps."""
    terms.subheader("Error clusters", help=KINDS_HELP.format(kind=audit.task.kind))
    if filter.outcome != "all":
        terms.caption("Of all incorrect predictions inside the filter: its choice of «Prediction» does not count here.")
    if not audit.has_maps:
        st.info("Only predictions were audited: without maps there are no clusters of maps, nor orders by similarity.")
        return None
    count = controls.segments("Number of clusters", [FOUND, *map(str, COUNTS)], default=FOUND, key="kinds")
    all_outcomes = filter.narrowed(outcome="all")
    if (sample := drawn_words(audit, all_outcomes.narrowed(outcome="incorrect"))) is not None:
        terms.caption(sample)
    return _error_clusters(audit, all_outcomes, None if count == FOUND else int(count))


def show_error_clusters(clustering: ErrorClusters | None, shots: AuditImages | None, task: Task) -> None:
    """A card a kind, with what may be shown of it."""
    if clustering is None:
        return
    if not clustering.clusters:
        st.info(escape.markdown(f"{clustering.n} incorrect predictions: {clustering.verdict}."))
        return
    silhouettes = ", ".join(
        f"{k}: {number(row.silhouette)} ({number(row.null)})" for k, row in clustering.search.iterrows()
    )
    terms.caption(f"Silhouette by the number of clusters, in brackets that of clouds without clusters: {silhouettes}.")
    kinds = [kind for kind in clustering.clusters if kind.map is not None]
    limit = raster.shared_limit([kind.map for kind in kinds])
    with st.grid("auto" if len(clustering.clusters) > 1 else 2, min_column_width=300, gap="small"):
        for n, kind in enumerate(clustering.clusters, 1):
            with st.container(border=True, gap="xsmall"):
                st.html(
                    layout.STYLE + STYLE + _kind(n, kind, len(clustering.clusters), limit, shots, clustering.minimum)
                )
    st.html(layout.STYLE + _decision_scale(limit))
    terms.caption(_reading(task))
    if kinds:
        _offer_downloads(clustering, limit)


def _kind(n: int, kind: ErrorCluster, count: int, limit: float, shots: AuditImages | None, minimum: int) -> str:
    title = f"Cluster {n}: {kind.n:,} faces" if count > 1 else f"All {kind.n:,} incorrect predictions"
    firm = f"<p>Stability {number(kind.stability)}: {kind.firmness}.</p>" if count > 1 else ""
    if kind.map is None:
        why = f"Counted only: an average needs {minimum}" + (
            " faces, and the other clusters' would give it away together with that of all." if kind.n >= minimum
            else " faces, or a single one could be seen through it."
        )  # fmt: skip
        return f"<div class='lw-kind'><h4>{title}</h4><p>{why}</p></div>"
    panels = [
        (
            raster.paint(kind.map, limit, True, placement=kind.placement),
            "mean shape of their maps",
            f"Mean map of cluster {n}",
        )
    ]
    face = shots.average(kind.rows) if shots else None
    if face is not None:
        mean = f"average of {kind.n:,} faces"
        panels.insert(0, (raster.show_face(face), mean, f"Average face of cluster {n}"))
        panels.append(
            (
                raster.overlay(face, kind.map, limit, OPACITY, True, placement=kind.placement),
                "overlay",
                f"Overlay of cluster {n}",
            )
        )
    top = kind.regions.sort_values("share", ascending=False).head(3)
    compared = count > 1
    regions = ", ".join(
        f"{row.region} {percent(row.share, 0)}" + (f" ({percent(row.share_all, 0)})" if compared else "")
        for row in top.itertuples()
    )
    text = f"<p>Most evidence: {regions}{'; in brackets, in all wrong ones' if compared else ''}.</p>"
    over = kind.over()
    if len(over):
        groups = ", ".join(
            f"{escape.in_html(row.group)} {percent(row.share, 0)} ({percent(row.share_all, 0)})"
            for row in over.itertuples()
        )
        text += f"<p>More than among all incorrect: {groups}.</p>"
    elif compared:
        text += "<p>No group is in it more than among all incorrect, beyond chance.</p>"
    text += f"<p>Median |margin| {number(kind.margin)}.</p>"
    if shots and compared:
        query = [(k, v) for k in st.query_params for v in st.query_params.get_all(k) if k not in _SHEET]
        link = escape.in_html(urlencode([*query, ("kind", n)]))
        text += f"<p class='lw-link'><a href='?{link}' target='_self'>List these faces</a></p>"
    images = layout.image_row(panels, "18rem")
    return f"<div class='lw-kind'><h4>{title}</h4>{firm}{images}{text}</div>"


_SHEET = ("kind", "sheet", "face", "outcome")


def _decision_scale(limit: float) -> str:
    bar = raster.data_uri(raster.colour_bar(True), quality=95)
    return (
        f"<div class='lw-scale'><span>against the model's choice −{limit:.3g}</span>"
        f"<img src='{bar}' alt='colour scale'><span>{limit:.3g} for it</span>"
        "<span style='opacity:.7'>in units of each map's root mean square</span></div>"
    )


def _offer_downloads(clustering: ErrorClusters, limit: float) -> None:
    """Mean maps and tables of the kinds that are shown; no face."""
    named_kinds = [(f"cluster {n}", kind) for n, kind in enumerate(clustering.clusters, 1) if kind.map is not None]
    downloads.image_sheet(lambda: error_cluster_sheet(named_kinds, limit), "kinds", "mean maps of the error clusters")
    for which, title in (
        ("who", "who is in each error cluster"),
        ("regions", "evidence by region of each error cluster"),
    ):
        frame = pd.concat([getattr(kind, which).assign(kind=name, faces=kind.n) for name, kind in named_kinds])
        downloads.table(frame, f"kinds-{which}", title)
    downloads.table(
        clustering.search.rename_axis("kinds").reset_index().assign(p=clustering.p), "kinds-search", "silhouettes"
    )
