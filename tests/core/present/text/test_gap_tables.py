"""Tables of gaps by hand, and that the report's are these."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from core.analysis.accuracy.counts import group_counts
from core.analysis.accuracy.fairness import fairness
from core.analysis.accuracy.pairwise import pairs_of
from core.analysis.accuracy.regression import regression
from core.audit.folder import Audit, open_audit
from core.data.filters import Filter
from core.present.card import Table
from core.present.report.blocks import frame_table
from core.present.report.gaps import gaps_section
from core.present.text import gap_tables
from core.present.text.columns import in_sentence, order_words
from core.present.text.gap_tables import comparison_table
from core.verdicts import TestVerdict as Outcome
from tests.helpers.shipped import AUDIT, shipped_or_skip

TESTS = pd.DataFrame(
    {
        "first": ["black women", "white men"],
        "second": ["white men", "asian men"],
        "difference": [-0.0512, -0.0001],
        "low": [-0.09, -0.02],
        "high": [-0.01, 0.03],
        "p": [0.00001, 0.4],
        "p_holm": [0.004, np.nan],
        "verdict": [Outcome.DIFFER, next(outcome for outcome in Outcome if outcome is not Outcome.DIFFER)],
        "test": ["score", "Fisher"],
    }
)


@pytest.fixture(scope="module")
def audit() -> Audit:
    shipped_or_skip()
    return open_audit(AUDIT)


def test_comparisons_by_hand() -> None:
    table = gap_tables.comparison_table(TESTS)
    assert table.drop(columns="verdict").to_dict("records") == [
        {"comparison": "Black women – white men", "points": -5.1, "95 % interval": "−9.0 to −1.0", "p (Holm)": "0.004",
         "p": "< 0.0001", "test": "score"},
        {"comparison": "White men – asian men", "points": 0.0, "95 % interval": "−2.0 to 3.0", "p (Holm)": "not known",
         "p": "0.400", "test": "Fisher"},
    ]  # fmt: skip
    assert f"{table['points'].iloc[1]:.1f}" == "0.0"
    assert list(table["verdict"]) == list(TESTS["verdict"])
    assert gap_tables.comparison_table(TESTS.iloc[:0]).empty
    brief = gap_tables.comparison_table(TESTS, {"black women": "b", "white men": "w"})
    assert list(brief["comparison"]) == ["B – w", "W – asian men"]


def test_terms_measures_and_rates_by_hand() -> None:
    terms = pd.DataFrame(
        {"term": ["gender"], "statistic": [12.34], "df": [1], "p": [0.0005], "p_holm": [0.001], "test": ["Wald"]}
    )
    assert gap_tables.term_table(SimpleNamespace(tests=terms)).to_dict("records") == [
        {"term": "gender", "χ²": 12.34, "df": 1, "p": "0.0005", "p (Holm)": "0.001", "test": "Wald"}
    ]
    measures = pd.DataFrame({"measure": ["m"], "value": [0.2], "low": [0.1], "high": [0.45], "groups": ["a, b"]})
    groups = pd.DataFrame({"ethnicity": ["a"], "n": [1200], "selection_rate": [0.5], "tpr": [0.9], "fpr": [0.05]})
    results = SimpleNamespace(measures=measures, groups=groups, by="ethnicity")
    assert gap_tables.measure_table(results).to_dict("records") == [
        {"measure": "m", "value": 0.2, "95 % interval": "0.100–0.450", "groups": "a, b"}
    ]
    assert gap_tables.rate_table(results).to_dict("records") == [
        {"ethnicity": "a", "faces": 1200, "called male": 0.5, "men called male": 0.9, "women called male": 0.05}
    ]
    table = frame_table(gap_tables.rate_table(results), "lrrrr", "c", {"faces": ",", "called male": "%"})
    assert table == Table(
        ("ethnicity", "faces", "called male", "men called male", "women called male"),
        (("a", "1,200", "50.0 %", "0.9", "0.05"),),
        "lrrrr",
        "c",
    )


def test_the_reports_tables_are_these(audit: Audit) -> None:
    adults = Filter(age_from=18)
    faces = audit.faces[adults.mask(audit.faces)]
    tables = {block.columns: block for block in gaps_section(faces, adults).blocks if isinstance(block, Table)}
    rest = gap_tables.comparison_table(pairs_of(group_counts(faces, ["gender", "ethnicity"]), "rest"))
    table = tables["comparison", "points", "95 % interval", "p (Holm)", "verdict"]
    assert [(row[0], float(row[1].replace("−", "-")), *row[2:]) for row in table.rows] == [
        tuple(row) for row in rest[list(table.columns)].itertuples(index=False)
    ]
    terms = gap_tables.term_table(regression(faces))
    assert [row[0] for row in tables["term", "χ²", "df", "p", "p (Holm)"].rows] == list(terms["term"])
    assert [row[3:] for row in tables["term", "χ²", "df", "p", "p (Holm)"].rows] == [
        tuple(row) for row in terms[["p", "p (Holm)"]].itertuples(index=False)
    ]
    measures = gap_tables.measure_table(fairness(faces))
    rows = tables["measure", "value", "95 % interval", "groups"].rows
    assert [(a, f"{float(b):.3f}", c, d) for a, b, c, d in rows] == [
        (a, f"{b:.3f}", c, d) for a, b, c, d in measures.itertuples(index=False)
    ]


def test_groups_by_a_column_are_named_as_written_and_quoted_in_sentences() -> None:
    assert in_sentence("Black women") == "Black women" and in_sentence("glasses: yes") == "«glasses: yes»"
    first, second = "place: exclaim!", "women, place: a"
    tests = pd.DataFrame(
        [
            (first, second, 0.1, 0.0, 0.2, 0.01, "differ", 0.01, "score"),
            (second, first, -0.1, -0.2, 0.0, 0.01, "differ", 0.01, "score"),
        ],
        columns=["first", "second", "difference", "low", "high", "p_holm", "verdict", "p", "test"],
    )
    brief = {first: "exclaim!", second: "women, a"}
    assert list(comparison_table(tests, brief)["comparison"]) == ["exclaim! – women, a", "Women, a – exclaim!"]
    names = [f"place: {'long ' * 12}{n}" for n in "ab"]
    table = pd.DataFrame({"group": names, "gender": "", "ethnicity": "", "place": ["a", "b"], "n": 1})
    assert order_words(table) == "Groups are named by their levels of place alone."
