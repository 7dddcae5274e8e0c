"""Evidence by region in words: the report of the command, and sentences of the page."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.analysis.maps.region_evidence import TOLERANCE, Waterfall, additivity
from core.audit.drawn import drawn_words
from core.audit.folder import Audit, head_bias
from core.data.filters import Filter
from core.explain.regions import REGIONS
from core.present.text.sentences import pair_names
from core.wording import bounds, number, signed, signed_interval


def evidence_report(audit: Audit, filter: Filter | None = None) -> str:
    """The additivity table of the faces inside a filter, the largest difference, and whether it is within 1e-3."""
    filter = filter or Filter()
    table = additivity(audit, filter)
    n, names = int(filter.mask(audit.faces).sum()), pair_names(table)
    wide = max([28, *(len(name) + 2 for name in names)])
    source = "the manifest" if audit.manifest.head_bias is not None else "logits less maps, mean over faces"
    logits = " − ".join(f"logit {label}" for label in audit.task.labels)
    lines = [
        f"{audit.path}: Σ regions + bias against mean margin ({logits}), {n:,} faces ({filter.describe()})",
        f"bias {signed(head_bias(audit), 4)} ({source}); regions {', '.join(REGIONS)}",
        "",
        f"{'group':{wide}}{'predictions':13}{'n':>7}{'Σ regions + bias':>19}{'mean margin':>14}{'difference':>13}",
    ]
    for name, row in zip(names, table.to_dict("records"), strict=True):
        few = row["n"] < audit.minimum_faces
        means = [f"under {audit.minimum_faces}", "–"] if few else [signed(row[k], 4) for k in ("evidence", "margin")]
        lines.append(
            f"{name:{wide}}{row['outcome']:13}{row['n']:7,}"
            f"{means[0]:>19}{means[1]:>14}{number(row['difference'], '+.1e'):>13}"
        )
    if (sample := drawn_words(audit, filter)) is not None:
        lines += ["", sample]
    largest = float(table["difference"].abs().max()) if len(table) else np.nan
    verdict = "within" if largest <= TOLERANCE else "NOT within"
    return "\n".join([*lines, "", f"largest difference {largest:.1e}: {verdict} {TOLERANCE:g}"])


def shares_sentence(groups: list[tuple[str, pd.DataFrame]]) -> str:
    """Where each group's positive evidence is densest, from tables of `proportional_energy`."""
    parts = []
    for name, table in groups:
        if not np.isfinite(table["density"]).any():
            continue
        row = table.loc[table["density"].idxmax()]
        ends = bounds(row["low"] / row["area"], row["high"] / row["area"])
        parts.append(f"the {row['region']} of {name} ({number(row['density'], '.1f')} × [{ends}])")
    if not parts:
        return "No evidence is shared out: no group has enough faces for an average."
    return f"Positive evidence for the model's choice is densest, against a uniform map, on {', on '.join(parts)}."


def waterfall_sentence(waterfall: Waterfall) -> str:
    """How far the mean margin moves from A to B, and the region with the largest part of it."""
    a, b = waterfall.a.describe(), waterfall.b.describe()
    if waterfall.too_small:
        few = [f"{name}: {n:,}" for name, n in ((a, waterfall.n_a), (b, waterfall.n_b)) if n < waterfall.minimum]
        sizes = "; ".join(dict.fromkeys(few))
        return f"No evidence by region is shown: averages need {waterfall.minimum} faces ({sizes})."
    total, low, high = waterfall.ends.loc["b − a"]
    row = waterfall.table.loc[waterfall.table["difference"].abs().idxmax()]
    part = signed_interval(row["difference"], row["low"], row["high"])
    place = f"centred on the {row['region']}, {100 * row['area']:.0f} % of the image"
    a, b = (f"{name}," if "," in name else name for name in (a, b))
    text = f"From {a} to {b} the mean margin moves by {signed_interval(total, low, high)}"
    if low <= 0 <= high:
        return f"{text}, which chance alone could do; the largest of its parts, {part}, is {place}."
    if row["difference"] * total < 0:
        return f"{text}; the largest part, {part}, goes against it and is {place}."
    return f"{text}; the largest part, {part}, is {place}."
