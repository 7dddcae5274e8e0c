"""Tables of gaps as page and report show them: made once, from the results of `core.analysis.accuracy`.

Each is a frame whose columns are named as a reader sees them; p and intervals are in words, other numbers are numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from core.analysis.accuracy.by_group import LARGE_GROUP
from core.analysis.accuracy.fairness import Fairness
from core.analysis.accuracy.regression import Regression
from core.task import GENDER, Task
from core.wording import bounds, capital, p_words, span


def rates_of(task: Task) -> dict[str, str]:
    """What the rates behind the fairness measures are, in words: «called male», «men called male», «women called
    male»."""
    called = f"called {task.said(task.positive)}"
    negative, positive = (words.many for words in task.nouns)
    return {"selection_rate": called, "tpr": f"{positive} {called}", "fpr": f"{negative} {called}"}


def too_few_classes(task: Task) -> str:
    """Which groups have faces enough for a fairness measure: «ethnicities have 50 women and 50 men»."""
    negative, positive = (words.many for words in task.nouns)
    kind = "ethnicities" if task.is_gender else "groups"
    return f"{kind} have {LARGE_GROUP} {negative} and {LARGE_GROUP} {positive}"


def p_column(values: Sequence[float]) -> list[str]:
    """p in a column that says so: «0.031», «< 0.0001»."""
    return [p_words(p, with_name=False) for p in values]


def comparison_table(tests: pd.DataFrame, brief: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Two-group tests of `pairs_of`, in their order: `points` is the first's accuracy less the second's.

    `brief`: what groups are called here, where not by their names.
    """
    brief = brief or {}
    first, second = ([brief.get(name, name) for name in tests[side]] for side in ("first", "second"))
    # A level that stands alone is written as it is.
    first = [
        name if full.endswith(f": {name}") else capital(name) for full, name in zip(tests["first"], first, strict=True)
    ]
    return pd.DataFrame(
        {
            "comparison": [f"{a} – {b}" for a, b in zip(first, second, strict=True)],
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


def measure_table(fairness: Fairness) -> pd.DataFrame:
    """Fairness measures with their intervals, and the groups that they are of."""
    intervals = [bounds(low, high, ".3f") for low, high in fairness.measures[["low", "high"]].to_numpy()]
    table = fairness.measures.assign(**{"95 % interval": intervals})
    return table[["measure", "value", "95 % interval", "groups"]]


def rate_table(fairness: Fairness, task: Task = GENDER) -> pd.DataFrame:
    """The rates by group that the measures compare, shares of 0–1."""
    rates = rates_of(task)
    return fairness.groups[[fairness.by, "n", *rates]].rename(columns={"n": "faces", **rates})
