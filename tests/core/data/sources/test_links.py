"""Links in folders, tars and zips are followed inside them, rings end, and what leads out is counted."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from core.data.readers import choose_reader
from core.data.sources import links, open_source
from core.data.sources.base import Source
from core.data.sources.links import NOTHING, OUT, RING
from core.errors import LookwhereError
from tests.helpers.datasets_made import tree

FILES = {"all/1.jpg": b"one", "all/more/2.jpg": b"two!"}
#: Name and target of symbolic links, to files and folders, through each other and upwards.
LINKS = {
    "chosen/1.jpg": "../all/1.jpg",
    "again/1.jpg": "../chosen/1.jpg",
    "folder": "all",
    "deep/folder": "../folder/more",
    "through.jpg": "folder/more/2.jpg",
}
NAMES = {
    **FILES,
    "chosen/1.jpg": b"one",
    "again/1.jpg": b"one",
    "folder/1.jpg": b"one",
    "folder/more/2.jpg": b"two!",
    "deep/folder/2.jpg": b"two!",
    "through.jpg": b"two!",
}


def linked(folder: Path, kind: str, links: dict[str, str], files: dict[str, bytes] = FILES) -> Source:
    """`files`, and symbolic links to them, as a folder or an archive; links first, as they may come in a tar."""
    if kind == "folder":
        for name, data in files.items():
            (folder / "set" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "set" / name).write_bytes(data)
        for name, target in links.items():
            (folder / "set" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "set" / name).symlink_to(target)
        return open_source(folder / "set")
    path = folder / f"set{kind}"
    if kind == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, target in links.items():
                entry = zipfile.ZipInfo(name)
                entry.create_system = 3
                entry.external_attr = (stat.S_IFLNK | 0o777) << 16
                archive.writestr(entry, target)
            for name, data in files.items():
                archive.writestr(name, data)
        return open_source(path)
    with tarfile.open(path, "w:gz" if kind.endswith("gz") else "w") as archive:
        for name, target in links.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return open_source(path)


KINDS = ("folder", ".zip", ".tar", ".tar.gz")


@pytest.mark.parametrize("kind", KINDS)
def test_links_to_files_and_folders_are_further_names(tmp_path: Path, kind: str) -> None:
    source = linked(tmp_path, kind, LINKS)
    assert dict(source.iterate(source.names)) == NAMES
    assert [name for name, _ in source.iterate(NAMES)] == source.names
    assert list(source.iterate(["through.jpg"])) == [("through.jpg", b"two!")]
    assert source.read("folder/more/2.jpg") == source.head("through.jpg") == b"two!"
    assert sorted(source.images()) == sorted(NAMES)
    assert source.refused == {}


def test_a_linked_folder_is_one_data_set_however_it_is_packed(tmp_path: Path) -> None:
    assert len({linked(tmp_path, kind, LINKS).fingerprint() for kind in KINDS}) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_ring_of_links_ends(tmp_path: Path, kind: str) -> None:
    rings = {"all/up": "..", "all/here": ".", "a/b": "../c", "c/a": "../a", "all/more/top": "../../all"}
    source = linked(tmp_path, kind, rings)
    assert set(FILES) <= set(source.names)
    assert len(source) < 20
    assert source.refused[RING] >= 3


@pytest.mark.parametrize("kind", [".zip", ".tar"])
def test_links_that_lead_nowhere_or_out_are_counted_and_not_followed(tmp_path: Path, kind: str) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    links = {
        "absolute.jpg": str(tmp_path / "secret.jpg"),
        "up.jpg": "../secret.jpg",
        "all/up.jpg": "../../secret.jpg",
        "lost.jpg": "all/9.jpg",
        "self.jpg": "self.jpg",
    }
    source = linked(tmp_path, kind, links)
    assert dict(source.iterate([*FILES, *links])) == FILES
    assert source.refused == {OUT: 3, NOTHING: 1, RING: 1}
    assert source.not_read() == {OUT: 3, NOTHING: 1, RING: 1}


def test_in_a_folder_a_link_to_another_disk_is_followed_and_a_dead_one_is_counted(tmp_path: Path) -> None:
    (tmp_path / "disk/people").mkdir(parents=True)
    (tmp_path / "disk/people/1.jpg").write_bytes(b"one")
    links = {"mine": str(tmp_path / "disk/people"), "1.jpg": str(tmp_path / "disk/people/1.jpg"), "dead.jpg": "gone"}
    source = linked(tmp_path, "folder", links, {"a.jpg": b"a"})
    assert dict(source.iterate(source.names)) == {"1.jpg": b"one", "a.jpg": b"a", "mine/1.jpg": b"one"}
    assert source.not_read() == {NOTHING: 1}


def test_the_second_name_of_a_file_in_a_tar_is_a_hard_link(tmp_path: Path) -> None:
    """GNU tar and `tarfile` write the second name of one file so."""
    root = tmp_path / "set"
    (root / "b").mkdir(parents=True)
    (root / "a.jpg").write_bytes(b"one")
    os.link(root / "a.jpg", root / "b/a.jpg")
    for arcname in ("set", "."):
        with tarfile.open(tmp_path / "set.tar", "w") as archive:
            archive.add(root, arcname)
            assert sum(member.islnk() for member in archive.getmembers()) == 1
        source = open_source(tmp_path / "set.tar")
        assert sorted(dict(source.iterate(source.names)).values()) == [b"one", b"one"]


def test_of_a_file_and_a_link_of_one_name_the_last_counts(tmp_path: Path) -> None:
    source = linked(tmp_path, ".tar", {"a.jpg": "b.jpg"}, {"a.jpg": b"own", "b.jpg": b"b"})
    assert dict(source.iterate(source.names)) == {"a.jpg": b"own", "b.jpg": b"b"}


@pytest.mark.parametrize("kind", [".zip", ".tar"])
def test_links_that_multiply_are_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Ten links in each of eight folders to the next: 100 million names of one file."""
    monkeypatch.setattr(links, "MAXIMUM_NAMES", 1_000)
    bomb = {f"{depth}/{n}": f"../{depth + 1}" for depth in range(8) for n in range(10)}
    with pytest.raises(LookwhereError, match="its links make over 1,000 names; unpack it") as error:
        linked(tmp_path, kind, bomb, {"8/1.jpg": b"1"})
    assert str(error.value).startswith(str(tmp_path))


def test_a_link_to_itself_goes_round_and_is_no_folder(tmp_path: Path) -> None:
    tree(tmp_path, ["female/1.jpg"])
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    assert open_source(tmp_path).not_read() == {RING: 1}


@pytest.mark.parametrize("kind", [".zip", ".tar"])
def test_where_all_images_lie_behind_links_that_are_not_followed_that_is_told(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"set{kind}"
    if kind == ".tar":
        member = tarfile.TarInfo("images")
        member.type, member.linkname = tarfile.SYMTYPE, "../elsewhere"
        with tarfile.open(path, "w") as archive:
            archive.addfile(member)
    else:
        entry = zipfile.ZipInfo("images")
        entry.create_system, entry.external_attr = 3, 0o120777 << 16
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(entry, "../elsewhere")
    with pytest.raises(LookwhereError, match=f"no image in it; not followed: 1 {OUT}; give the folder"):
        choose_reader(open_source(path))
