"""What `checks.json` of earlier versions says is read in today's words."""

from __future__ import annotations

import pytest

from core.checks.results import current_name
from core.data.filters import Filter


@pytest.mark.parametrize(("former", "outcome"), [("right", "correct"), ("wrong", "incorrect")])
def test_a_groups_former_name_is_the_one_that_its_filter_has_now(former: str, outcome: str) -> None:
    assert current_name(f"all faces, predicted {former}") == Filter(outcome=outcome).describe()
    assert current_name(f"women, 18 and older, predicted {former}") == f"women, 18 and older, predicted {outcome}ly"
