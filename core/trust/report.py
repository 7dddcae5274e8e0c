"""What the checks say, good or bad, in words and numbers. Needs no torch."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.trust.folder import Checks
from core.verdicts import CheckVerdict

#: Words for the controls, as they stand after «than».
THAN = {
    "random order": "a random order",
    "centred Gaussian": "a centred Gaussian",
    "average face": "the average face's map",
}
#: Words for a check's kinds: what is done, and whether an own area below the control's is the better.
DONE = {
    "deletion": ("Deleting what it marks lowers the {score} faster than", True),
    "insertion": ("Inserting what it marks raises the {score} faster than", False),
    "most relevant first": ("Imputing what it marks most lowers the {score} further than", True),
    "least relevant first": ("Imputing what it marks least spares the {score} better than", False),
}
#: (part, kind, title) of the checks by an order of pixels.
ORDERINGS = (
    ("deletion", "deletion", "Deletion"),
    ("deletion", "insertion", "Insertion"),
    ("road", "most relevant first", "ROAD, most relevant first"),
    ("road", "least relevant first", "ROAD, least relevant first"),
)


def number(value: float, digits: int = 2) -> str:
    """«0.12», «−0.12», «–» for none."""
    if value is None or not np.isfinite(value):
        return "–"
    return f"{value:.{digits}f}".replace("-", "−")


def interval(value: float, low: float, high: float, digits: int = 2) -> str:
    """«0.12 [0.08 to 0.16]»."""
    return f"{number(value, digits)} [{number(low, digits)} to {number(high, digits)}]"


def of(row: pd.Series | dict, name: str = "mean", digits: int = 2) -> str:
    """A table's column with its interval; the first of a row is `mean, low, high`, others carry their name."""
    ends = ("low", "high") if name in ("mean", "area") else (f"{name}_low", f"{name}_high")
    return interval(row[name], row[ends[0]], row[ends[1]], digits)


def listed(names: list[str]) -> str:
    """«a», «a and b», «a, b and c»."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""


def joined(good: list[str], bad: list[str]) -> str:
    """«a and b, but not than c»; the caller has said what is more or less."""
    return listed(good) + (f", but not than {_or(bad)}" if bad else "")


def _or(names: list[str]) -> str:
    return listed(names).replace(" and ", " or ")


def randomised(checks: Checks, group: str) -> tuple[CheckVerdict, str] | None:
    """Verdict and sentence of the randomised weights; None where the group has none.

    The map depends on the weights where the fully random network's map is less like the real one than two faces' real
    maps are like each other, by both intervals, for signed maps and for magnitudes.
    """
    rows = _rows(checks, "randomised", "similarity", group)
    if rows.empty:
        return None
    rows = rows.set_index(["stage", "measure"])
    last = [stage for stage, _ in rows.index if stage != "another face"][-1]
    passed = [
        rows.loc[(last, m), "high"] < rows.loc[("another face", m), "low"] for m in ("rank", "rank of magnitudes")
    ]
    verdict = CheckVerdict.of(all(passed), any(passed))
    mean, other = rows.loc[(last, "rank")], rows.loc[("another face", "rank")]
    does = "changes the map" if passed[0] else "leaves the map about as it was"
    return verdict, (
        f"Randomising all weights {does}: rank correlation with the real one {of(mean)}, where real maps of two "
        f"different faces have {of(other)}; of magnitudes alone {of(rows.loc[(last, 'rank of magnitudes')])} and "
        f"{of(rows.loc[('another face', 'rank of magnitudes')])}."
    )


def ordering(
    checks: Checks, part: str, kind: str, group: str, score: str = "margin"
) -> tuple[CheckVerdict, str] | None:
    """Verdict and sentence of one kind of deletion, insertion or ROAD against the three controls."""
    rows = _rows(checks, part, "areas", group)
    if rows.empty:
        return None
    rows = rows[(rows["kind"] == kind) & (rows["score"] == score) & rows["less"].notna()]
    words, below = DONE[kind]
    sign = 1 if below else -1
    bounds = {r["order"]: sorted((sign * r["less_low"], sign * r["less_high"])) for r in rows.to_dict("records")}
    good = [THAN[order] for order, (_, high) in bounds.items() if high < 0]
    even = [THAN[order] for order, (low, high) in bounds.items() if low <= 0 <= high]
    worse = [THAN[order] for order, (low, _) in bounds.items() if low > 0]
    verdict = CheckVerdict.of(len(good) == len(bounds), bool(good))
    head = words.format(score=score)
    text = head + " " + joined(good, even + worse) if good else f"{_deny(head)} {_or(even + worse)}"
    if worse:
        text += f" (it is worse than {listed(worse)})"
    return verdict, text + "."


def _deny(head: str) -> str:
    """«lowers the margin faster than» → «does not lower the margin faster than»."""
    for verb in ("lower", "raise", "spare"):
        head = head.replace(f" {verb}s ", f" does not {verb} ")
    return head


def occlusion(checks: Checks, group: str, fill: str) -> tuple[CheckVerdict, str] | None:
    """Verdict and sentence of hidden regions: agreement of what is lost with the evidence budget, over regions.

    It passes where the agreement is above that of the same holes made elsewhere, by both intervals, in the regions'
    means and in single faces; in part where one of the two is, or the means agree better than not at all.
    """
    rows = _rows(checks, "occlusion", "agreement", group)
    if rows.empty:
        return None
    found = rows[rows["fill"] == fill].set_index("kind")
    means, faces = found.loc["means"], found.loc["each face"]
    above = [bool(row["agreement_low"] > max(0.0, row["control_high"])) for row in (means, faces)]
    verdict = CheckVerdict.of(all(above), any(above) or means["agreement_low"] > 0)
    does = {
        CheckVerdict.PASSES: "costs what the map's evidence says",
        CheckVerdict.PASSES_IN_PART: "costs only in part what the map's evidence says",
        CheckVerdict.FAILS: "does not cost what the map's evidence says",
    }[verdict]
    return verdict, (
        f"Hiding a region ({fill}) {does}: rank agreement over regions {of(means, 'agreement')}, against "
        f"{of(means, 'control')} for the same holes elsewhere; by unit of area "
        f"{of(found.loc['means by area'], 'agreement')}; in single faces {of(faces, 'agreement')} on average, against "
        f"{of(faces, 'control')}. {_largest(checks, group, fill)}"
    )


def _largest(checks: Checks, group: str, fill: str) -> str:
    """Where most is lost and where most evidence is, with the other number beside each."""
    rows = _rows(checks, "occlusion", "regions", group)
    rows = rows[rows["fill"] == fill]
    lost, said = rows.loc[rows["drop"].idxmax()], rows.loc[rows["evidence"].idxmax()]
    if lost["region"] == said["region"]:
        return (
            f"Both are largest at the {lost['region']}: {of(lost, 'drop')} logits are lost, evidence "
            f"{of(lost, 'evidence')}."
        )
    return (
        f"Most is lost at the {lost['region']}, {of(lost, 'drop')} logits where the evidence is "
        f"{of(lost, 'evidence')}; most evidence is at the {said['region']}, {of(said, 'evidence')} where "
        f"{of(said, 'drop')} are lost."
    )


def compared(checks: Checks, group: str) -> str | None:
    """A sentence on the methods of the library; None where there are none."""
    rows = checks.table("methods", group)
    if rows.empty or rows["mean"].isna().all():
        return None
    rows = rows.sort_values("mean", ascending=False, kind="stable").dropna(subset="mean")
    same = list(rows.loc[rows["mean"] > 0.999, "method"])
    rest = rows[rows["mean"] <= 0.999]
    text = f"{listed(same)} rank{'s' if len(same) == 1 else ''} the cells as the closed form does" if same else ""
    if len(rest):
        ends = [rest.iloc[0]] if len(rest) == 1 else [rest.iloc[0], rest.iloc[-1]]
        words = " and least ".join(f"{r['method']} at {of(r)}" for r in ends)
        text += ("; of the others" if text else "Of the methods compared") + f", the nearest is {words}"
    return text + "."


def sentence(checks: Checks, group: str, fill: str = "blur") -> str:
    """The page's first sentence: what the checks found for a group, whatever it is."""
    parts = []
    rows = _rows(checks, "randomised", "similarity", group)
    if not rows.empty:
        rows = rows[rows["measure"] == "rank"]
        last, other = rows[rows["stage"] != "another face"].iloc[-1], rows[rows["stage"] == "another face"].iloc[0]
        does = "changes" if last["high"] < other["low"] else "hardly changes"
        parts.append(
            f"randomising the weights {does} the map (rank correlation {of(last)}; two faces' real maps "
            f"{number(other['mean'])})"
        )
    found = ordering(checks, "deletion", "deletion", group)
    if found:
        text = found[1][:1].lower() + found[1][1:].rstrip(".")
        parts.append(text.replace("what it marks", "what the map marks"))
    found = occlusion(checks, group, fill)
    if found:
        rows = _rows(checks, "occlusion", "agreement", group)
        row = rows[(rows["fill"] == fill) & (rows["kind"] == "means")].iloc[0]
        does = found[1].partition(")")[2].partition(":")[0].replace("the map's", "its").strip()
        regions = _rows(checks, "occlusion", "regions", group)
        regions = regions[regions["fill"] == fill].set_index("region")
        lost, said = regions["drop"].idxmax(), regions["evidence"].idxmax()
        where = (
            f"both largest at the {lost}" if lost == said else f"most lost at the {lost}, most evidence at the {said}"
        )
        parts.append(f"hiding a region {does} (rank agreement {of(row, 'agreement')}; {where})")
    if not parts:
        return f"Nothing is published for {group}: fewer than 11 faces of the sample are in it."
    text = "; ".join(parts) + "."
    return f"For {group}, {text}"


def _rows(checks: Checks, part: str, table: str, group: str) -> pd.DataFrame:
    return checks.parts[part].rows(table, group) if part in checks.parts else pd.DataFrame()


def verdicts(checks: Checks, group: str, fill: str = "blur") -> list[tuple[str, CheckVerdict, str]]:
    """(check, verdict, sentence) of each check that the group has."""
    found = [("Randomised weights", randomised(checks, group))]
    for part, kind, title in ORDERINGS:
        found.append((title, ordering(checks, part, kind, group)))
    found.append((f"Hidden regions, {fill}", occlusion(checks, group, fill)))
    return [(name, *result) for name, result in found if result is not None]


def trust_report(checks: Checks, group: str | None = None) -> str:
    """Every number that the page shows, of one group or of all, as text."""
    manifest = checks.manifest
    lines = [
        f"Checks of {checks.path.name} ({manifest['model']}), sample {manifest['sample']}, seed {manifest['seed']}, "
        f"{manifest['precision']}, {manifest['seconds']:.0f} s" + ("" if manifest["finished"] else "; NOT FINISHED")
    ]
    for name in checks.groups if group is None else [group]:
        lines += ["", f"== {name} ==", sentence(checks, name), ""]
        lines += [f"{check}: {verdict}. {text}" for check, verdict, text in verdicts(checks, name)]
        if text := compared(checks, name):
            lines.append(f"Methods: {text}")
        for part, table in (
            ("randomised", "similarity"),
            ("deletion", "areas"),
            ("road", "areas"),
            ("occlusion", "regions"),
            ("occlusion", "agreement"),
        ):
            rows = _rows(checks, part, table, name)
            if len(rows):
                lines += ["", f"-- {part}: {table}, n = {checks.parts[part].n(name)} --", _text(rows)]
            if len(rows) and part in ("deletion", "road"):
                lines += ["", f"-- {part}: curves, mean by order --", _curves(checks, part, name)]
        rows = checks.table("methods", name)
        if len(rows):
            lines += ["", "-- methods --", _text(rows)]
    return "\n".join(lines)


def _text(rows: pd.DataFrame) -> str:
    return rows.drop(columns="group").to_string(index=False, float_format=lambda x: f"{x:.4f}", na_rep="–")


def _curves(checks: Checks, part: str, group: str) -> str:
    """The points of the page's curves: a line a score, kind and order."""
    found = checks.parts[part]
    curves, x = found.array("curves", group), found.array("x", group)
    areas = found.rows("areas", group)
    names = [list(dict.fromkeys(areas[column])) for column in ("score", "kind", "order")]
    rows = {
        " · ".join(axis[i] for axis, i in zip(names, place, strict=True)): curves[place[0], 0, place[1], place[2]]
        for place in np.ndindex(*(len(axis) for axis in names))
    }
    table = pd.DataFrame(rows, index=[f"{share:.1f}" for share in x]).T
    return table.to_string(float_format=lambda v: f"{v:.3f}")
