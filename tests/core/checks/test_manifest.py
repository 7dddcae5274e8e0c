"""The manifest of checks as a record: older ones are read, damage is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.checks.manifest import ChecksManifest
from core.checks.results import Checks, Part
from core.checks.run import kept_parts
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
    for change in (
        {"sample": 61}, {"seed": 1}, {"draws": 3}, {"weights_sha256": "2"}, {"minimum_faces": 25}, {"norm_faces": 64},
        {"fills": ("grey", "blur")}, {"controls": ("another order",)},
    ):  # fmt: skip
        assert not manifest.same_sample(replace(manifest, **change))
    assert manifest.same_sample(replace(manifest, norm_faces=None)), "what one does not say is not compared"


def test_parts_of_another_precision_are_told_and_none_is_lost(tmp_path: Path) -> None:
    checks = Checks(tmp_path, ChecksManifest.from_json(OLD), {"randomised": Part([], {}, {})})
    assert list(kept_parts(checks, checks.manifest)) == ["randomised"]
    with pytest.raises(LookwhereError, match=r"checks\.json: its checks were computed in bfloat16, not in float32"):
        kept_parts(checks, replace(checks.manifest, precision="float32"))
    assert kept_parts(checks, replace(checks.manifest, seed=1, precision="float32")) == {}
    assert kept_parts(None, checks.manifest) == {}


def test_versions_are_those_of_all_parts() -> None:
    earlier = replace(ChecksManifest.from_json(OLD), versions={"torch": "2.7, 2.8", "scipy": "1"})
    now = replace(earlier, versions={"torch": "2.8", "scipy": "2", "numpy": "3"})
    assert now.versions_with(earlier) == {"torch": "2.7, 2.8", "scipy": "1, 2", "numpy": "3"}
    assert earlier.versions_with(earlier) == earlier.versions


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
