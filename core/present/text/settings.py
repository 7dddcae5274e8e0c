"""How accuracy by group depends on the declared input, as a command prints it."""

from __future__ import annotations

import numpy as np

from core.audit.folder import Audit
from core.audit.tried_settings import Tried, kept_settings
from core.data.filters import group_name
from core.task import BOTH_GENDERS
from core.wording import in_points, percent


def settings_report(sweep: Tried, title: str) -> str:
    """Accuracy and sureness under each setting, and for each group the least and the most."""
    lines = [title, "", "                                accuracy   sureness   women − men, points"]
    gaps = sweep.gender_gaps()
    for setting, right, sure, gap in zip(sweep.settings, sweep.right, sweep.sureness, gaps, strict=True):
        name = f"{setting.varied} {setting.value}"
        apart = "–" if np.isnan(gap) else in_points(gap)
        lines.append(f"  {name:30}{percent(right.mean()):>8}   {sure:8.3f}   {apart:>8}")
    lines += ["", "                           n  declared   least to most"]
    for row in sweep.by_group().to_dict("records"):
        where = f"({row['least at']}; {row['most at']})"
        span = f"{100 * (row['most'] - row['least']):.1f} points"
        lines.append(
            f"  {row['gender']:8}{row['ethnicity']:14}{row['n']:5,}  {percent(row['declared']):>8}   "
            f"{percent(row['least'])} to {percent(row['most'])}, {span} {where}"
        )
    lines.append(f"  {_gender(gaps)}")
    return "\n".join(lines)


def _gender(gaps: np.ndarray) -> str:
    if np.isnan(gaps).any():
        return f"{BOTH_GENDERS} are not both among these faces"
    points = np.round(100 * gaps, 1)
    turned = ": the sign depends on the setting" if points.min() < 0 < points.max() else ""
    return (
        f"women − men: declared {in_points(gaps[0])} points, {in_points(gaps.min())} to {in_points(gaps.max())}{turned}"
    )


def kept_words(audit: Audit) -> str | None:
    """How much accuracies move over the settings tried on an audit's faces: its own uncertainty, in two to four
    sentences; None where none were kept."""
    if (record := kept_settings(audit)) is None:
        return None
    varied = list(dict.fromkeys(setting.varied for setting in record.settings))
    rates = [setting.accuracy for setting in record.settings]
    who = "adults" if record.adults else "faces"
    text = (
        f"How this model is fed is declared, not known: over {len(record.settings)} admissible settings "
        f"({', '.join(varied)}) accuracy of {record.faces:,} {who} lies between {percent(min(rates))} and "
        f"{percent(max(rates))}."
    )
    gaps = [setting.women_less_men for setting in record.settings]
    if None not in gaps:
        turned = (
            ": its sign depends on the setting" if round(100 * min(gaps), 1) < 0 < round(100 * max(gaps), 1) else ""
        )
        text += f" Women less men lies between {in_points(min(gaps))} and {in_points(max(gaps))} points{turned}."
    if record.groups:
        most = max(record.groups, key=lambda group: group.most - group.least)
        text += (
            f" Most moved are {group_name(most.gender, most.ethnicity)} (n = {most.n:,}), by "
            f"{100 * (most.most - most.least):.1f} points: {percent(most.least)} ({most.least_at}) to "
            f"{percent(most.most)} ({most.most_at})."
        )
    return text + " No interval over faces holds this."
