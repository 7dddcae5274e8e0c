"""`store.json` as a record: older stores open, damage is told with the mend."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.__main__ import main
from core.audit.manifest import AuditManifest
from core.audit.notes import NoteCode
from core.checks.verification import verify_folders
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


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """`store.json` of a store whose files are recorded, in the present format."""
    make_store(tmp_path / "store")
    verify_folders(tmp_path / "store", record=True)
    return tmp_path / "store/store.json"


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (("digest", "files"), r"store\.json: changed since it was written; delete the folder"),
        (("digest",), r"store\.json: changed since it was written; delete the folder"),
        (("files",), r"faces\.npy: changed since it was written .*; delete the folder"),
    ],
)
def test_one_set_back_to_a_format_without_digests_is_told(left: tuple[str, ...], told: str, recorded: Path) -> None:
    content = json.loads(recorded.read_text())
    assert AlignedStore.open(recorded.parent).unrecorded is None
    back = {key: value for key, value in content.items() if key not in ("digest", "files") or key in left}
    recorded.write_text(json.dumps(back | {"format": 2}))
    turn_an_image(recorded.parent / "faces.npy")
    with pytest.raises(LookwhereError, match=told):
        AlignedStore.open(recorded.parent)


def turn_an_image(file: Path) -> None:
    images = np.load(file)
    images[0] = 255 - images[0]
    np.save(file, images)


@pytest.mark.parametrize("format", [2, 3])
def test_where_no_file_is_recorded_a_command_says_that_a_change_is_not_told(
    format: int, recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing can tell a store set back without its digest from one of before, so each is told of."""
    content = json.loads(recorded.read_text())
    rest = {key: value for key, value in content.items() if key not in ("digest", "files")}
    recorded.write_text(json.dumps(rest | {"format": format}))
    turn_an_image(recorded.parent / "faces.npy")
    assert main(["look", "--data", str(recorded.parent), "--out", str(recorded.parent.parent / "look.png")]) == 0
    assert "nothing is recorded of its files" in capsys.readouterr().err
    assert main(["verify", str(recorded.parent)]) == 0
    assert "5 files have no record" in capsys.readouterr().out
    assert main(["verify", str(recorded.parent), "--record"]) == 0
    assert AlignedStore.open(recorded.parent).unrecorded is None


def test_an_audit_of_before_files_were_recorded_notes_it_itself() -> None:
    content = {"model": "m", "dataset": "d", "splits": ["test"], "faces": 1, "map_shape": None}
    notes = [AuditManifest.from_json({"format": format, **content}).notes for format in (1, 2)]
    assert [[note.code for note in each] for each in notes] == [[NoteCode.FILES_NOT_RECORDED], []]
