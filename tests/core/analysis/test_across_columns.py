"""Evidence by region and paired accuracy of groups by any columns: the numbers of each group by itself."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.comparison.paired import paired_across, paired_by_group
from core.analysis.comparison.regions_by_group import regions_by_group
from core.analysis.maps.region_evidence import evidence_by_region
from core.data.filters import Filter
from core.explain.regions import REGIONS
from tests.helpers.made_audit import made_audit


def test_evidence_of_each_group_is_that_of_its_filter_and_adds_up() -> None:
    audit = made_audit(600, errors=0.2, own=True, bias=(0.2, -0.1))
    table = regions_by_group(audit, Filter(), ("glasses", "gender")).set_index("group")
    for level, gender, name in (("no", "female", "women, glasses: no"), ("yes", "male", "men, glasses: yes")):
        filter = Filter((gender,), columns=(("glasses", (level,)),))
        alone = evidence_by_region(audit, filter, draws=2)
        row = table.loc[name]
        assert row["n"] == alone.n
        np.testing.assert_allclose(row[list(REGIONS)].astype(float), alone.table["evidence"], atol=1e-12)
        assert row[list(REGIONS)].sum() + row["bias"] == pytest.approx(row["margin"], abs=2e-3)
    assert table["n"].sum() == 600


def test_small_groups_show_nothing_and_no_group_gives_them_away() -> None:
    audit = made_audit(600, errors=0.2, own=True)
    level = np.where(np.arange(600) < 5, "yes", "no")
    faces = audit.faces.assign(glasses=audit.columns[0].levelled(level))
    audit = made_audit(600, errors=0.2, own=True)
    object.__setattr__(audit, "faces", faces)
    table = regions_by_group(audit, Filter(), ("glasses",))
    assert list(table["n"]) == [595, 5]
    assert table[list(REGIONS)].isna().all(axis=None), "all faces less the 595 would be the five"


def test_shares_of_maps_that_do_not_add_up_sum_to_one() -> None:
    audit = made_audit(400, errors=0.2, own=True, additive=False)
    table = regions_by_group(audit, Filter(), ("gender", "ethnicity"))
    assert "margin" not in table and len(table) == 6
    np.testing.assert_allclose(table[list(REGIONS)].sum(axis=1), 1.0, atol=1e-9)


def test_paired_rows_across_are_those_of_gender_and_ethnicity_and_of_any_column() -> None:
    a, b = (made_audit(600, errors=errors, own=True, noise=1.0) for errors in (0.3, 0.1))
    by_group, across = paired_by_group(a, b), paired_across(a, b, ("gender", "ethnicity"))
    numbers = ["n", "both", "only_a", "only_b", "difference", "low", "high", "p", "p_holm"]
    rows = [sorted(map(tuple, table[numbers].round(9).to_numpy())) for table in (across, by_group)]
    assert rows[0] == rows[1], "in whatever order"
    assert across["n"].iloc[0] == 600
    own = paired_across(a, b, ("camera",), Filter(("male",)), a.columns)
    inside = (a.faces["gender"] == "male") & (a.faces["camera"] == a.columns[1].levels[1])
    row = own[own["group"] == f"camera: {a.columns[1].levels[1]}"].iloc[0]
    right = (a.faces["correct"] & ~b.faces["correct"])[inside]
    assert (row["n"], row["only_a"]) == (inside.sum(), right.sum())
