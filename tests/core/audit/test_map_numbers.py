"""What `audit.json` says of maps is held against the maps and logits beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.audit.folder import Audit, open_audit
from core.errors import LookwhereError
from tests.helpers.former import write_former
from tests.helpers.made_audit import made_audit


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    return made_audit(60, errors=0.1, bias=(0.5, -0.5), path=tmp_path / "m/audits/a", correct_on=["nose"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"map_shape": [-7, -7]}, r"map_shape\[0\] must be a whole number"),
        ({"map_shape": [1, 49]}, "map_shape 1×49 is none"),
        ({"head_bias": [-0.5, 0.5]}, "do not add up to the logits"),
        ({"head_bias": [9.0, -9.0]}, "do not add up to the logits"),
    ],
)
def test_numbers_that_do_not_go_with_the_maps_are_told_with_the_file(change: dict, words: str, audit: Audit) -> None:
    assert open_audit(audit.path).map_shape == (7, 7)
    content = json.loads((audit.path / "audit.json").read_text())
    write_former(audit.path / "audit.json", content | change)
    with pytest.raises(LookwhereError, match=rf"audit\.json: .*{words}.*; delete this audit and run it again"):
        open_audit(audit.path)
