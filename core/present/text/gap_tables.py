"""Tables of gaps as page and report show them: made once, from the results of `core.analysis.accuracy`.

Each is a frame whose columns are named as a reader sees them; p and intervals are in words, other numbers are numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.analysis.accuracy.fairness import Fairness
from core.analysis.accuracy.regression import Regression
from core.wording import bounds, capital, p_words, span

#: What the rates behind the fairness measures are, in words.
RATES = {"selection_rate": "called male", "tpr": "men called male", "fpr": "women called male"}


def p_column(values: Sequence[float]) -> list[str]:
    """p in a column that says so: «0.031», «< 0.0001»."""
    return [p_words(p, named=False) for p in values]


def comparison_table(tests: pd.DataFrame) -> pd.DataFrame:
    """Two-group tests of `pairs_of`, in their order: `points` is the first's accuracy less the second's."""
    return pd.DataFrame(
        {
            "comparison": [f"{capital(a)} – {b}" for a, b in zip(tests["first"], tests["second"], strict=True)],
            # Adding 0 makes of −0.0 a 0.0.
            "points": (100 * tests["difference"]).round(1) + 0.0,
            "95 % interval": [span(*bounds) for bounds in tests[["low", "high"]].to_numpy()],
            "p (Holm)": p_column(tests["p_holm"]),
            "verdict": tests["verdict"],
            "p": p_column(tests["p"]),
            "test": tests["test"],
        }
    )


def term_table(fit: Regression) -> pd.DataFrame:
    """The tests of a regression's terms."""
    tests = fit.tests
    return pd.DataFrame(
        {
            "term": tests["term"],
            "χ²": tests["statistic"],
            "df": tests["df"],
            "p": p_column(tests["p"]),
            "p (Holm)": p_column(tests["p_holm"]),
            "test": tests["test"],
        }
    )


def measure_table(found: Fairness) -> pd.DataFrame:
    """Fairness measures with their intervals, and the groups that they are of."""
    intervals = [bounds(low, high, ".3f") for low, high in found.measures[["low", "high"]].to_numpy()]
    table = found.measures.assign(**{"95 % interval": intervals})
    return table[["measure", "value", "95 % interval", "groups"]]


def rate_table(found: Fairness) -> pd.DataFrame:
    """The rates by ethnicity that the measures compare, shares of 0–1."""
    return found.groups[["ethnicity", "n", *RATES]].rename(columns={"n": "faces", **RATES})
