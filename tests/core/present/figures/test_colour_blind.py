"""Colours that stand beside each other in a chart are told apart with any kind of colour vision, by computation."""

from __future__ import annotations

import itertools
import tomllib

import numpy as np
import pytest

from core.present.figures.styles import COLOURS, GENDER_COLOURS, GROUP_COLOURS
from tests.helpers.chart_cases import INTERVALS, Case
from tests.helpers.shipped import ROOT

#: Machado, Oliveira & Fernandes 2009 (IEEE TVCG 15:1291), severity 1.0, on linear RGB.
VISIONS = {
    "any": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
#: The sRGB primaries as CIE XYZ over the white of D65.
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])


def linear(colour: str) -> np.ndarray:
    """Linear RGB of #RRGGBB or #RGB."""
    if len(colour) == 4:
        colour = "#" + "".join(2 * digit for digit in colour[1:])
    value = np.array([int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(colour: str, vision: str) -> np.ndarray:
    """CIE L*a*b* as someone of this vision sees it."""
    t = TO_XYZ @ np.clip(VISIONS[vision] @ linear(colour), 0, 1) / WHITE
    x, y, z = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def apart(first: str, second: str, vision: str) -> float:
    """ΔE of 1976: 2.3 is just noticeable."""
    return float(np.linalg.norm(lab(first, vision) - lab(second, vision)))


@pytest.mark.parametrize("vision", VISIONS)
def test_genders_and_groups_are_told_apart(vision: str) -> None:
    assert apart(*GENDER_COLOURS.values(), vision) > 60
    for first, second in itertools.combinations(GROUP_COLOURS, 2):
        assert apart(first, second, vision) > 15, (first, second)


@pytest.mark.parametrize("vision", VISIONS)
def test_the_first_four_series_are_told_apart(vision: str) -> None:
    assert min(apart(first, second, vision) for first, second in itertools.combinations(COLOURS[:4], 2)) > 15


def test_red_and_green_of_one_lightness_would_be_noticed() -> None:
    assert apart("#C05050", "#7A7A28", "any") > 40 > 15 > apart("#C05050", "#7A7A28", "deuteranopia")


def contrast(first: str, second: str) -> float:
    """Contrast of two colours by WCAG 2.2, 1 to 21."""
    low, high = sorted(float((TO_XYZ @ linear(colour))[1]) for colour in (first, second))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("case", INTERVALS, ids=lambda case: case.name)
def test_marks_and_their_intervals_are_seen_on_the_light_and_the_dark_ground(case: Case, scheme: str) -> None:
    theme = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))["theme"]
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21, abs=0.01)
    for series in case.build(**case.tables).series:
        for colour in {series.style.colour, series.style.interval_colour or series.style.colour}:
            # Okabe & Ito's orange has 2.2 on white.
            assert contrast(colour, theme[scheme]["backgroundColor"]) > 2, (series.name, colour)
