"""What a page's help says of the audited faces and the training faces."""

from __future__ import annotations

import pytest

from core.classifiers.info import DataInfo
from tests.helpers.made_audit import made_manifest
from ui.widgets.help_texts import overlap


@pytest.mark.parametrize(
    ("fingerprint", "splits", "says"),
    [
        ("a", ["test"], "another split of the same data"),
        ("a", ["train", "test"], "trained on those of its train split"),
        ("b", ["test"], "nobody has looked up"),
    ],
)
def test_no_overlap_is_denied_that_was_not_looked_up(fingerprint: str, splits: list[str], says: str) -> None:
    data = DataInfo.from_json({"fingerprint": "a", "fingerprints": ["a"]})
    assert says in overlap(data, made_manifest(data_fingerprint=fingerprint, splits=splits))
