"""Mean maps of groups, their tested differences, and evidence by region of the face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.analysis.maps import region_evidence
from core.analysis.maps.differences import MapDifference, difference_of
from core.analysis.maps.group_means import Group, group, intersectional
from core.analysis.maps.region_evidence import EvidenceByRegion
from core.analysis.maps.sides import PERMUTATIONS, Resampling
from core.audit.folder import Audit
from core.data.filters import Filter
from core.present.figures.chart_data import MapChart, MapPanel, Scale
from core.present.figures.differences import difference_maps
from core.present.figures.evidence import region_evidence_bars
from core.present.figures.plotly_charts import figure_of
from core.present.figures.plotly_maps import map_figure
from core.present.figures.raster import shared_limit
from core.wording import signed
from lookwhere.results import Result

Filters = Filter | Sequence[Filter] | None


def _filters(audit: Audit, filters: Filters) -> list[Filter]:
    """The filters as a list; without any, each gender × ethnicity that occurs."""
    if isinstance(filters, Filter):
        return [filters]
    if filters is not None:
        return list(filters)
    return [Filter(gender=(g,) if g else (), ethnicity=(e,) if e else ()) for g, e in intersectional(audit, Filter())]


@dataclass(frozen=True, repr=False, eq=False)
class GroupMeans(Result):
    """Mean maps float64 (h, w) and average faces of groups, in logits; None in a group of under 11 faces."""

    groups: tuple[Group, ...]
    target: str
    signed: bool

    @property
    def sentence(self) -> str:
        with_map = sum(group.map is not None for group in self.groups)
        few = len(self.groups) - with_map
        text = f"Mean maps («{self.target}») of {with_map} groups"
        return text + (f"; {few} have under {max(g.minimum for g in self.groups)} faces, or no maps." if few else ".")

    def to_frame(self) -> pd.DataFrame:
        """A row a group: n, correct, accuracy, the map's mean and largest cell, and faces in the average face."""
        rows = [
            {
                "group": group.name,
                "n": group.n,
                "correct": group.correct,
                "accuracy": group.correct / group.n if group.n else np.nan,
                "map_mean": np.nan if group.map is None else float(group.map.mean()),
                "map_largest": np.nan if group.map is None else float(group.map.max()),
                "faces_averaged": group.face_n,
            }
            for group in self.groups
        ]
        return pd.DataFrame(rows)

    def plot(self) -> go.Figure:
        """The mean maps side by side on one scale."""
        limit = shared_limit([group.map for group in self.groups])
        panels = [
            MapPanel(
                group.map,
                f"{group.name}, n = {group.n:,}",
                f"Mean map of {group.name}",
                why="too few faces",
                placement=group.placement,
            )
            for group in self.groups
        ]
        low = f"−{limit:.3g}" if self.signed else "0"
        return map_figure(MapChart(tuple(panels), (Scale(limit, self.signed, low, f"{limit:.3g}"),)))


def group_means(
    audit: Audit, wanted: Filters = None, *, target: str = "true", normalisation: str = "raw"
) -> GroupMeans:
    """Mean map and average face of each group: of one `Filter`, of several, or of each gender × ethnicity.

    `target`: evidence for the `true` (labelled) or `predicted` class, for `female`, `male`, or their `margin`.
    `normalisation`: `raw` in logits, or what `core.explain.maps.display_maps` knows. Raises `LookwhereError` for
    others, and where the audit has no maps.
    """
    audit.need_maps()
    groups = tuple(group(audit, filter, target, normalisation) for filter in _filters(audit, wanted))
    signed = target == "margin" or any((mean.map < 0).any() for mean in groups if mean.map is not None)
    return GroupMeans(groups, target, signed)


@dataclass(frozen=True, repr=False, eq=False)
class MapComparison(Result):
    """The difference of two groups' mean maps with its test; all of it in `difference`."""

    difference: MapDifference

    @property
    def sentence(self) -> str:
        return self.difference.verdict

    def to_frame(self) -> pd.DataFrame:
        """A row a cell of the map: row, column, difference, error, effect (Hedges' g), p (family-wise), significant."""
        comparison = self.difference
        rows, columns = np.indices(comparison.difference.shape).reshape(2, -1)
        values = {
            key: getattr(comparison, key).ravel() for key in ("difference", "error", "effect", "p", "significant")
        }
        return pd.DataFrame({"row": rows, "column": columns, **values})

    def plot(self) -> go.Figure:
        """The difference, first group less second; cells beyond chance are outlined."""
        comparison = self.difference
        title = f"{comparison.names[0]} − {comparison.names[1]}"
        return map_figure(difference_maps([comparison], [title], [f"Difference of mean maps, {title}"], ""))


def compare_maps(
    audit: Audit,
    a: Filter,
    b: Filter,
    *,
    target: str = "true",
    normalisation: str = "raw",
    adjust: Sequence[str] | None = None,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> MapComparison:
    """Mean map of group `a` less that of `b`, tested over all cells at once (`core.analysis.maps.differences`).

    By default groups are compared at equal ages, where ages are known; the sentence says so. `adjust` names what to
    compare within instead: age, age band, gender, ethnicity; `()` compares the faces as they are. Raises
    `LookwhereError` where a face is in both groups, or the audit has no maps.
    """
    comparison = difference_of(
        audit,
        a,
        b,
        target,
        normalisation,
        adjust=None if adjust is None else tuple(adjust),
        resampling=Resampling(permutations, seed=seed),
    )
    return MapComparison(comparison)


@dataclass(frozen=True, repr=False, eq=False)
class RegionEvidence(Result):
    """Each group's mean margin (logit female − logit male) by region of the face, with nothing left over."""

    groups: tuple[EvidenceByRegion, ...]

    @property
    def sentence(self) -> str:
        parts = [
            f"{group.filter.describe()} (n = {group.n:,}): "
            + (
                "too few faces"
                if group.too_small
                else f"mean margin {signed(group.margin)}, most on the {_most(group)}"
            )
            for group in self.groups
        ]
        return "; ".join(parts) + "."

    def to_frame(self) -> pd.DataFrame:
        """A row a group and region: group, n, region, evidence, low, high (bootstrap 95 %), area."""
        parts = [group.table.assign(group=group.filter.describe(), n=group.n) for group in self.groups]
        table = pd.concat(parts, ignore_index=True)
        return table[["group", "n", *(name for name in table if name not in ("group", "n"))]]

    def plot(self) -> go.Figure:
        """Signed contributions by region, groups side by side."""
        return figure_of(region_evidence_bars([(group.filter.describe(), group) for group in self.groups]))


def _most(evidence: EvidenceByRegion) -> str:
    return str(evidence.table.loc[evidence.table["evidence"].abs().idxmax(), "region"])


def evidence_by_region(audit: Audit, wanted: Filters = None, *, draws: int = 2000, seed: int = 0) -> RegionEvidence:
    """The mean margin of one group, of several, or of each gender × ethnicity, divided among regions of the face.

    Raises `LookwhereError` where the audit's maps do not add up to the logits.
    """
    return RegionEvidence(
        tuple(region_evidence.evidence_by_region(audit, filter, draws, seed) for filter in _filters(audit, wanted))
    )
