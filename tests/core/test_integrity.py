"""What a manifest records of the files beside it: nothing elsewhere is looked at, and nothing without end is read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.audit.folder import open_audit
from core.checks.verification import verify_folders
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.files import write_json
from core.integrity import FileRecord, check_files, damage, record_files
from core.json_record import read_object
from tests.helpers.made_audit import made_audit
from tests.helpers.made_store import make_store

NAMES = ("../secret", "/dev/zero", "a/b", "..", ".", "", "a\\b", "a\0b")


def recording(file: Path, files: dict) -> None:
    """The manifest, as other hands than ours write it: without a digest."""
    content = read_object(file) | {"files": files}
    write_json(file, {key: value for key, value in content.items() if key != "digest"})


@pytest.mark.parametrize("name", NAMES)
def test_a_manifest_that_names_files_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    files = {name: {"bytes": 0, "sha256": "0" * 64}}
    audit = made_audit(60, path=tmp_path / "models/m/audits/a").path
    store = make_store(tmp_path / "store", faces=24).path
    recording(audit / "audit.json", files)
    recording(store / "store.json", files)
    for opens in (lambda: open_audit(audit), lambda: AlignedStore.open(store)):
        with pytest.raises(LookwhereError, match="which is no file of its folder"):
            opens()
    for folder in (audit, store):
        assert "which is no file of its folder" in verify_folders(folder)[0].damage


def test_a_device_and_a_pipe_are_told_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "zero").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("zero", "pipe", "folder"):
        record = FileRecord(bytes=(tmp_path / name).stat().st_size, sha256="0" * 64)
        assert damage(tmp_path / name, record) == "no file"
        with pytest.raises(LookwhereError, match=f"{name}: no file; mend it"):
            check_files(tmp_path, {name: record}, "mend it")
    (tmp_path / "file").write_bytes(b"a file")
    check_files(tmp_path, record_files(tmp_path, ["file"]), "")
