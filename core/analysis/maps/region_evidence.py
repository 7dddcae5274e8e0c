"""Evidence by region: which region of the face a group's mean margin comes from, with nothing left over.

margin = logit_female − logit_male = Σ_regions evidence + (b_f − b_m), for each face and so for each mean; in the
difference of two groups the bias cancels. Positive evidence speaks for «female». Intervals are percentile bootstraps
(Efron & Tibshirani 1993, ch. 13), 95 %, each region by itself; people are drawn as a whole where `identity` is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.analysis.bootstrap import DRAWS, bootstrap_interval, bootstrap_means, paired_means
from core.audit.drawn import drawn
from core.audit.folder import Audit, head_bias, margin_evidence, margins, need_additive
from core.data.faces import person_codes
from core.data.filters import OUTCOMES, Filter
from core.explain.maps import target_maps
from core.explain.regions import REGIONS, area_shares, by_region, even_shares
from core.privacy import MINIMUM_FACES

#: float16 maps and a bfloat16 network leave about 1e-4 a face; more means that maps and logits do not belong together.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class EvidenceByRegion:
    """A group's mean margin by region.

    `table`: a row a region with `region`, `evidence` (mean contribution to the margin), `low`, `high`, `area` (share of
    the image); `margin` is the mean of the logits' difference, `residual` what is left of it after Σ evidence +
    `bias` (rounding). All are NaN under 11 faces. `people` counts what is drawn as a whole: identities, else faces.
    """

    filter: Filter
    n: int
    people: int
    table: pd.DataFrame
    bias: float
    margin: float
    residual: float
    minimum: int = MINIMUM_FACES

    @property
    def too_small(self) -> bool:
        """True where the group has under `minimum` faces (the audit's), so that nothing averaged is shown."""
        return self.n < self.minimum


@dataclass(frozen=True)
class Waterfall:
    """From group A's mean margin by regions to group B's.

    `table`: a row a region with `region`, `difference` (B − A), `low`, `high`, `a`, `b` (each group's evidence) and
    `area`; `ends`: rows `a`, `b` and `b − a` with the mean margin, `low`, `high`; `residual` is the difference of the
    margins less that of the regions (rounding; the bias cancels). All are NaN where a group has under 11 faces.
    """

    a: Filter
    b: Filter
    n_a: int
    n_b: int
    table: pd.DataFrame
    ends: pd.DataFrame
    residual: float
    minimum: int = MINIMUM_FACES

    @property
    def too_small(self) -> bool:
        """True where either group has under `minimum` faces, so that nothing averaged is shown."""
        return min(self.n_a, self.n_b) < self.minimum


def evidence_by_region(audit: Audit, filter: Filter, draws: int = DRAWS, seed: int = 0) -> EvidenceByRegion:
    """The mean margin of the faces that pass a filter, by region; `draws` bootstrap samples."""
    audit = drawn(audit, filter, seed=seed)
    mask = filter.mask(audit.faces)
    values, margin = margin_evidence(audit)[mask], margins(audit)[mask]
    people, bias = person_codes(audit.faces)[mask], head_bias(audit)
    enough = len(values) >= audit.minimum_faces
    evidence = values.mean(axis=0) if enough else np.full(len(REGIONS), np.nan)
    low, high = bootstrap_interval(bootstrap_means(values, people, draws, seed)) if enough else (evidence, evidence)
    table = pd.DataFrame(
        {"region": REGIONS, "evidence": evidence, "low": low, "high": high, "area": area_shares()},
    )
    mean = float(margin.mean()) if enough else np.nan
    residual = mean - float(evidence.sum()) - bias
    return EvidenceByRegion(
        filter, len(values), len(np.unique(people)), table, bias, mean, residual, audit.minimum_faces
    )


def waterfall(audit: Audit, a: Filter, b: Filter, draws: int = DRAWS, seed: int = 0) -> Waterfall:
    """What moves group A's mean margin to group B's, by region. Groups may share faces or people."""
    need_additive(audit)
    audit = drawn(audit, a, b, seed=seed)
    masks = np.stack([side.mask(audit.faces) for side in (a, b)])
    n_a, n_b = (int(mask.sum()) for mask in masks)
    values = np.column_stack([margin_evidence(audit), margins(audit)])
    if min(n_a, n_b) >= audit.minimum_faces:
        mean_a, mean_b = (values[mask].mean(axis=0) for mask in masks)
        drawn_a, drawn_b = paired_means(values, masks, person_codes(audit.faces), draws, seed)
        bounds = [bootstrap_interval(replicates) for replicates in (drawn_a, drawn_b, drawn_b - drawn_a)]
    else:
        mean_a = mean_b = np.full(len(REGIONS) + 1, np.nan)
        bounds = [(mean_a, mean_a)] * 3
    difference, (low, high) = mean_b - mean_a, bounds[2]
    table = pd.DataFrame(
        {
            "region": REGIONS,
            "difference": difference[:-1],
            "low": low[:-1],
            "high": high[:-1],
            "a": mean_a[:-1],
            "b": mean_b[:-1],
            "area": area_shares(),
        }
    )
    ends = pd.DataFrame(
        {
            "margin": [mean_a[-1], mean_b[-1], difference[-1]],
            "low": [lows[-1] for lows, _ in bounds],
            "high": [highs[-1] for _, highs in bounds],
        },
        index=["a", "b", "b − a"],
    )
    return Waterfall(a, b, n_a, n_b, table, ends, float(difference[-1] - difference[:-1].sum()), audit.minimum_faces)


def proportional_energy(
    audit: Audit, filter: Filter, target: str = "predicted", draws: int = DRAWS, seed: int = 0
) -> pd.DataFrame:
    """Where the positive evidence lies: the mean over faces of each face's own share, so each face counts alike.

    Columns `region`, `share`, `low`, `high`, `area` (an even map's share), `density` (share / area) and `n`, the
    faces that count: those without any positive evidence have no share. NaN where n is under 11. For «margin» the map
    is turned to the predicted class, so positive speaks for the decision. The share inside a region is Score-CAM's
    energy (Wang et al. 2020, https://arxiv.org/abs/1910.01279). Raises `LookwhereError` for an unknown target.
    """
    audit.need_maps()
    audit = drawn(audit, filter, seed=seed)
    mask = filter.mask(audit.faces)
    evidence, predicted = audit.evidence[mask].astype(np.float64), audit.called[mask]
    maps = target_maps(evidence, target, audit.truth[mask], predicted, audit.task)
    if target == "margin":
        maps = maps * np.where(predicted == 0, 1.0, -1.0)[:, None, None]
    energy = by_region(np.maximum(maps, 0), audit.placement)
    total = energy.sum(axis=1)
    some = total > 0
    shares, area = energy[some] / total[some, None], even_shares(maps.shape, audit.placement)
    enough = len(shares) >= audit.minimum_faces
    share = shares.mean(axis=0) if enough else np.full(len(REGIONS), np.nan)
    people = person_codes(audit.faces)[mask][some]
    low, high = bootstrap_interval(bootstrap_means(shares, people, draws, seed)) if enough else (share, share)
    columns = {"region": REGIONS, "share": share, "low": low, "high": high, "area": area, "density": share / area}
    return pd.DataFrame(columns | {"n": len(shares)})


def additivity(audit: Audit, filter: Filter | None = None) -> pd.DataFrame:
    """Does the evidence by region add up? Σ regions + bias against the mean margin, by gender × ethnicity × outcome, of
    the faces inside a filter.

    Columns `gender, ethnicity, outcome, n, evidence` (Σ regions + bias), `margin, difference`; a row a group with a
    face. Under 11 faces the two means are NaN; the difference, a rounding error, tells nothing of a face and stays.
    """
    audit = drawn(audit, filter or Filter())
    faces = audit.faces
    values = pd.DataFrame(
        {
            "gender": faces["gender"].to_numpy(),
            "ethnicity": faces["ethnicity"].to_numpy(),
            "evidence": margin_evidence(audit).sum(axis=1) + head_bias(audit),
            "margin": margins(audit),
        }
    )
    right = faces["correct"].to_numpy(dtype=bool)
    inside = (filter or Filter()).mask(faces)
    masks = {"all": inside, "correct": inside & right, "incorrect": inside & ~right}
    parts = []
    for outcome in OUTCOMES:
        groups = values[masks[outcome]].groupby(["gender", "ethnicity"], observed=True, dropna=False)
        part = groups.agg(n=("margin", "size"), evidence=("evidence", "mean"), margin=("margin", "mean")).reset_index()
        parts.append(part.assign(outcome=outcome))
    table = pd.concat(parts, ignore_index=True)
    table["difference"] = table["evidence"] - table["margin"]
    table.loc[table["n"] < audit.minimum_faces, ["evidence", "margin"]] = np.nan
    return table[["gender", "ethnicity", "outcome", "n", "evidence", "margin", "difference"]]
