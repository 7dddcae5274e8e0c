"""Validation accuracy by group: an ethnicity has a colour, and men's lines are dotted, whatever groups are called."""

from __future__ import annotations

import pandas as pd

from core.present.figures import charts


def test_colour_and_dash_follow_the_columns_and_not_what_they_are_called() -> None:
    names = {"val_female_A": "eine", "val_male_A": "zwei women", "val_female_B_C": "drei men", "val_loss": "loss men"}
    metrics = pd.DataFrame({"epoch": [1], "size": [64], "dilated": [False], **{name: [0.5] for name in names}})
    curves = charts.training_curve(metrics, names, True, None).curves
    assert [curve.name for curve in curves] == [*names.values()]
    assert [curve.style.dash for curve in curves] == ["solid", "dot", "solid", "solid"]
    colours = [curve.style.colour for curve in curves]
    assert colours[0] == colours[1] and len(set(colours)) == 3
