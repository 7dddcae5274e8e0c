"""`store.json` as a record: older stores open, damage is told with the mend."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.data.store import AlignedStore
from core.data.store_info import StoreInfo
from core.errors import LookwhereError
from tests.helpers.former import write_former
from tests.helpers.made_store import make_store

#: Before disagreements and the data set's own splits were kept.
OLD = {
    "format": 2, "dataset": "d", "source_fingerprint": "0", "seed": 1, "template": "arcface-112", "detector": "none",
    "padding": 0, "subset": {"balance": "gender", "limit": 4, "by": None}, "data_fingerprint": "1", "read": 9,
    "repaired": [{"file": "a.jpg", "repair": "age 300 left out"}], "repairs": {"age 300 left out": 1},
    "rejects": {"no face found": 2}, "near_copy_clusters": 1, "faces": 6,
}  # fmt: skip


def test_an_older_store_is_read_and_written_as_it_was() -> None:
    info = StoreInfo.from_json(OLD)
    assert list(info.to_json().items()) == list(OLD.items())
    assert (info.disagreements, info.own_splits, info.repaired[0].file) == (None, False, "a.jpg")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rejects": {"no face found": "two"}}, "rejects.no face found must be a whole number"),
        ({"seed": None}, "seed must be a whole number, not None"),
        ({"repaired": [{"file": "a"}]}, r"lacks repaired\[0\].repair"),
        ({"format": 1}, "format 1, this version reads 3"),
    ],
)
def test_damage_is_told_with_the_file_and_the_mend(change: dict, says: str, tmp_path: Path) -> None:
    file = make_store(tmp_path / "store").path / "store.json"
    write_former(file, json.loads(file.read_text()) | change)
    with pytest.raises(LookwhereError, match=rf"store\.json: {says}.*; delete the folder and align again"):
        AlignedStore.open(tmp_path / "store")


@pytest.mark.parametrize("key", ["dataset", "data_fingerprint", "faces"])
def test_what_every_store_has_is_asked_for(key: str, tmp_path: Path) -> None:
    file = make_store(tmp_path / "store").path / "store.json"
    content = json.loads(file.read_text())
    del content[key]
    write_former(file, content)
    with pytest.raises(LookwhereError, match=f"lacks {key}; delete the folder and align again"):
        AlignedStore.open(tmp_path / "store")
