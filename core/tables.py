"""Plain-text tables for the commands."""

from __future__ import annotations

import pandas as pd

from core.align import NO_FACE
from core.faces import SPLITS
from core.store import AlignedStore


def by_group(faces: pd.DataFrame, by: str) -> pd.DataFrame:
    """Counts of gender × ethnicity by the column `by`, with totals."""
    table = pd.crosstab([faces["gender"], faces["ethnicity"]], faces[by], margins=True, margins_name="all")
    return table[[column for column in (*SPLITS, "all") if column in table]] if by == "split" else table


def not_found_by_group(store: AlignedStore) -> pd.DataFrame:
    """Faces tried, not found, and the share not found, by gender × ethnicity and in all."""
    keys = ["gender", "ethnicity"]
    lost = store.rejects[store.rejects["reason"] == NO_FACE]
    table = pd.DataFrame({"aligned": store.faces.groupby(keys).size(), "not found": lost.groupby(keys).size()})
    table = table.fillna(0).astype(int)
    table.loc[("all", ""), :] = table.sum()
    table = table.astype(int)
    table["share not found"] = (table["not found"] / table.sum(axis=1)).map("{:.2%}".format)
    return table


def store_report(store: AlignedStore) -> str:
    """What was read, repaired, rejected and why, and the faces by group and split."""
    manifest = store.manifest
    lines = [f"{store.path}: {manifest['faces']} aligned faces of {manifest['read']} files ({manifest['dataset']})"]
    lines += [f"  repaired  {entry['file']}: {entry['repair']}" for entry in manifest["repaired"]]
    lines += [f"  rejected  {count:6}  {reason}" for reason, count in manifest["rejects"].items()]
    lines.append(f"  near-copies: {manifest['near_copy_clusters']} clusters, each kept inside one split")
    lines += ["", "Faces by split", by_group(store.faces, "split").to_string()]
    lines += ["", "Faces not found", not_found_by_group(store).to_string()]
    return "\n".join(lines)
