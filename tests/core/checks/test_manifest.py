"""The manifest of checks as a record: older ones are read, damage is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.checks.manifest import ChecksManifest
from core.errors import LookwhereError

#: Before the minimum group size was a parameter.
OLD = {
    "model": "m", "weights_sha256": "0", "data_fingerprint": "1", "sample": 60, "seed": 0, "draws": 2,
    "norm_faces": 128, "controls": ["random order"], "fills": ["grey"], "precision": "bfloat16",
    "versions": {"torch": "2"}, "finished": True, "seconds": 4.5,
}  # fmt: skip


def test_an_older_manifest_is_read_and_written_as_it_was() -> None:
    manifest = ChecksManifest.from_json(OLD)
    assert list(manifest.to_json().items()) == list(OLD.items())
    assert manifest.minimum_faces == 11


def test_parts_are_of_the_same_sample_where_faces_network_and_draws_are() -> None:
    manifest = ChecksManifest.from_json(OLD)
    assert manifest.same_sample(replace(manifest, seconds=9.0, finished=False, versions={}))
    for change in ({"sample": 61}, {"seed": 1}, {"draws": 3}, {"weights_sha256": "2"}, {"minimum_faces": 25}):
        assert not manifest.same_sample(replace(manifest, **change))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({k: v for k, v in OLD.items() if k != "seed"}, "lacks seed"),
        (OLD | {"sample": "many"}, "sample must be a whole number, not 'many'"),
        (OLD | {"finished": None}, "finished must be true or false, not None"),
        ([], "expected an object"),
    ],
)
def test_damage_is_told_with_the_file_and_the_mend(content: object, says: str) -> None:
    with pytest.raises(LookwhereError, match=rf"^a/checks\.json: {says}.*; delete checks\.json and run"):
        ChecksManifest.from_json(content, "a/checks.json")
