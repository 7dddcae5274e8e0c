"""Who may start work and what it may read: localhost or a password, folders that were named, nothing that leads out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.errors import LookwhereError
from core.jobs import password, roots, uploads
from core.jobs.permission import permission

HERE = {"Host": "localhost:8501"}
HASH = password.hash_password("correct horse battery")


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1", "[::1]", "LOCALHOST"])
@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:8501", "[::1]:8501", "LocalHost"])
def test_it_is_on_for_who_sits_at_the_machine(address: str, host: str) -> None:
    answer = permission(address, {"Host": host}, {})
    assert answer.allowed and not answer.password


@pytest.mark.parametrize("address", ["0.0.0.0", "", None, "::", "192.168.1.7", "example.org", "127.0.0.1.evil.org"])
def test_a_server_on_a_network_starts_nothing_without_both_switches(address: str | None) -> None:
    for environment in ({}, {"LOOKWHERE_ALLOW_JOBS": "1"}, {password.VARIABLE: HASH}):
        answer = permission(address, HERE, environment)
        assert not answer.allowed
        assert "this server answers at" in answer.why
    both = permission(address, {}, {"LOOKWHERE_ALLOW_JOBS": "1", password.VARIABLE: HASH})
    assert both.allowed and both.password


def test_another_server_in_between_and_another_name_do_not_count_as_here() -> None:
    for name in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-Ip"):
        assert not permission("127.0.0.1", HERE | {name: "10.0.0.1"}, {}).allowed
    for host in ("evil.example", "evil.example:8501", "", "localhost.evil.example", "[::2]:80"):
        assert not permission("127.0.0.1", {"Host": host}, {}).allowed
    assert not permission("127.0.0.1", {}, {}).allowed


def test_it_can_be_switched_off_and_a_password_is_asked_for_here_too() -> None:
    assert not permission("127.0.0.1", HERE, {"LOOKWHERE_ALLOW_JOBS": "0", password.VARIABLE: HASH}).allowed
    assert permission("127.0.0.1", HERE, {password.VARIABLE: HASH}).password


def test_a_password_is_known_by_its_hash_alone() -> None:
    assert password.matches("correct horse battery", HASH)
    assert not password.matches("correct horse batterz", HASH)
    assert not password.matches("", HASH)
    assert not password.matches("x" * 100_000, HASH)
    assert "correct" not in HASH
    assert password.hash_password("correct horse battery") != HASH, "salted"
    for broken in ("", "correct horse battery", "scrypt:AA==:AA==", "scrypt:a", "scrypt:é:é", HASH[:-4]):
        with pytest.raises(LookwhereError, match=r"no hash of a password; make one with: python -m core jobs"):
            password.matches("correct horse battery", broken)
    with pytest.raises(LookwhereError, match="10 to 200 letters"):
        password.hash_password("short")


def test_wrong_tries_of_everybody_are_counted_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(password.time, "monotonic", lambda: now)
    tries = password.Tries(most=3, seconds=60)
    for _ in range(3):
        assert tries.allowed()
        tries.note_wrong()
    assert not tries.allowed()
    now = 61.0
    assert tries.allowed()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a data set, beside a folder that is not open."""
    for name in ("open/set/female", "closed/set", "open-too"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "open/set/female/a.jpg").write_bytes(b"x")
    (tmp_path / "open/faces.csv").write_text("file\n")
    (tmp_path / "closed/set/b.jpg").write_bytes(b"x")
    return (tmp_path / "open").resolve()


def test_paths_of_the_roots_are_taken_by_their_real_path(root: Path) -> None:
    assert roots.confined("set", [root]) == root / "set"
    assert roots.confined(str(root / "set/../faces.csv"), [root]) == root / "faces.csv"
    (root / "link").symlink_to(root / "set")
    assert roots.confined("link", [root]) == root / "set"
    assert roots.confined(" faces.csv ", [root]) == root / "faces.csv"


@pytest.mark.parametrize(
    "text",
    ["../closed/set", "/etc/passwd", "set/../../closed", "../open-too", "/", "~", "none", "", " ", "a\0b", "x" * 5000],
)
def test_what_leads_out_of_the_roots_is_refused(root: Path, text: str) -> None:
    with pytest.raises(LookwhereError, match="--data "):
        roots.confined(text, [root], "--data")


def test_links_that_lead_out_are_refused_also_below_the_folder(root: Path) -> None:
    out = root.parent / "closed/set"
    (root / "way-out").symlink_to(out)
    with pytest.raises(LookwhereError, match=r"not in .*open; name its folder in LOOKWHERE_DATA_ROOTS"):
        roots.confined("way-out", [root])
    (root / "set/female/b.jpg").symlink_to(out / "b.jpg")
    with pytest.raises(LookwhereError, match=r"female/b\.jpg: a link that leads out"):
        roots.confined("set", [root])
    assert roots.confined("set", [root, out]) == root / "set"
    (root / "set/female/b.jpg").unlink()
    (root / "other").mkdir()
    (root / "other/deep").symlink_to("/")
    (root / "set/hop").symlink_to(root / "other")  # a link to a folder within, where a link leads out
    with pytest.raises(LookwhereError, match="other/deep: a link that leads out"):
        roots.confined("set", [root])


def test_rings_pipes_and_no_root_at_all_are_told(root: Path) -> None:
    (root / "set/ring").symlink_to(root / "set")
    (root / "set/round").symlink_to(root / "set/round")
    assert roots.confined("set", [root]) == root / "set"
    os.mkfifo(root / "pipe")
    with pytest.raises(LookwhereError, match="neither a file nor a folder"):
        roots.confined("pipe", [root])
    with pytest.raises(LookwhereError, match="no folder is open to this page; name some in LOOKWHERE_DATA_ROOTS"):
        roots.confined("set", [])


def test_roots_are_read_from_the_environment(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(roots.VARIABLE, os.pathsep.join([str(root), "", str(root / "none"), str(root)]))
    assert roots.data_roots() == (root,)
    monkeypatch.delenv(roots.VARIABLE)
    (root / "data").mkdir()
    assert roots.data_roots(root) == (root / "data",)
    assert roots.data_roots(root / "set") == ()


def test_what_is_offered_are_data_sets_and_stores(root: Path) -> None:
    (root / "aligned/mine").mkdir(parents=True)
    (root / "aligned/mine/store.json").write_text("{}")
    (root / ".hidden").mkdir()
    (root / "notes.txt").write_text("x")
    (root / "way-out").symlink_to("/")
    names = [str(path.relative_to(root)) for path in roots.offered([root])]
    assert names == ["aligned", "aligned/mine", "faces.csv", "set"]
    assert roots.stores([root]) == [root / "aligned/mine"]


def test_an_upload_lies_under_a_name_of_ours_and_is_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = (".zip", ".tar.gz")
    file = uploads.keep_upload(tmp_path, "../../My Faces\n<b>.TAR.GZ", b"abc", kinds)
    assert file.parent.parent == (tmp_path / uploads.FOLDER).resolve()
    assert file.name == "my-faces-b.tar.gz"
    assert uploads.keep_upload(tmp_path, "My Faces b.tar.gz", b"abc", kinds) == file
    assert uploads.used_bytes(tmp_path) == 3
    for name, content, words in (("a.exe", b"x", "ends in none"), ("a.zip", b"", "empty")):
        with pytest.raises(LookwhereError, match=words):
            uploads.keep_upload(tmp_path, name, content, kinds)
    monkeypatch.setattr(uploads, "MAXIMUM_TOTAL", 4)
    with pytest.raises(LookwhereError, match="delete some"):
        uploads.keep_upload(tmp_path, "b.zip", b"de", kinds)
    monkeypatch.setattr(uploads, "MAXIMUM_BYTES", 1)
    with pytest.raises(LookwhereError, match="over"):
        uploads.keep_upload(tmp_path, "b.zip", b"de", kinds)
