"""How accuracy by group depends on the declared input, as a command prints it."""

from __future__ import annotations

import numpy as np

from core.audit.tried_settings import Tried
from core.wording import in_points, percent


def settings_report(tried: Tried, title: str) -> str:
    """Accuracy and sureness under each setting, and for each group the least and the most."""
    lines = [title, "", "                                accuracy   sureness   women − men, points"]
    gaps = tried.gender_gaps()
    for setting, right, sure, gap in zip(tried.settings, tried.right, tried.sureness, gaps, strict=True):
        name = f"{setting.varied} {setting.value}"
        apart = "–" if np.isnan(gap) else in_points(gap)
        lines.append(f"  {name:30}{percent(right.mean()):>8}   {sure:8.3f}   {apart:>8}")
    lines += ["", "                           n  declared   least to most"]
    for row in tried.by_group().to_dict("records"):
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
        return "women and men are not both among these faces"
    shown = np.round(100 * gaps, 1)
    turned = ": the sign depends on the setting" if shown.min() < 0 < shown.max() else ""
    return (
        f"women − men: declared {in_points(gaps[0])} points, {in_points(gaps.min())} to {in_points(gaps.max())}{turned}"
    )
