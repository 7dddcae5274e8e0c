"""Archives of very many entries are listed in a time and memory that grow with their number alone: the short form of
`python -m benchmarks.large_inputs`."""

from __future__ import annotations

import io
import tarfile
import time
import tracemalloc
from pathlib import Path

import pytest

from benchmarks.large_inputs import JPEG, main, one_plain_name, tar_of_links, write_tar, write_zip
from core.data.readers import choose_reader, manifest
from core.data.readers.label_table import columns_of
from core.data.sources import archives, base, links, open_source
from core.data.sources.names import distinct_names
from core.errors import LookwhereError

CSV = b"path,gender\na.jpg,female\n"


def test_names_that_become_one_are_told_apart_in_a_time_that_grows_with_their_number() -> None:
    """Counted from the first each, 4,096 took 1.5 seconds, and ten times as many a hundred times as long."""
    began = time.process_time()
    names = distinct_names(one_plain_name(20_000))
    assert time.process_time() - began < 10
    assert len(names) == 20_000
    assert len(set(names.values())) == 20_000
    assert distinct_names(["a/x.jpg", "a\\x.jpg", "a/x~2.jpg", "a\\\\x"]) == {
        "a/x.jpg": "a/x.jpg", "a/x~2.jpg": "a\\x.jpg", "a/x~2~2.jpg": "a/x~2.jpg", "a//x": "a\\\\x"
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_a_listing_takes_a_kilobyte_an_entry(tmp_path: Path, kind: str) -> None:
    names = [f"{n:05}.jpg" for n in range(20_000)]
    (write_tar if kind == "tar" else write_zip)(tmp_path / f"many.{kind}", names, JPEG)
    tracemalloc.start()
    source = open_source(tmp_path / f"many.{kind}")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert source.images() == names
    assert peak < 1_500 * len(names)


def test_of_tables_without_end_a_tar_is_gone_through_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "MAXIMUM_HEADS", 40)
    monkeypatch.setattr(archives, "MAXIMUM_HEADS", 40)
    write_tar(tmp_path / "many.tar", (*(f"{n:04}.csv" for n in range(60)), "a.jpg"), CSV)
    times, opened = [], archives._opened
    monkeypatch.setattr(archives, "_opened", lambda *a, **k: times.append(a) or opened(*a, **k))
    source = open_source(tmp_path / "many.tar")
    with pytest.raises(LookwhereError, match="no reader knows"):
        choose_reader(source)
    assert [columns_of(source, f"{n:04}.csv") for n in range(40)] == [["path", "gender"]] * 40
    assert len(times) <= 2
    with pytest.raises(LookwhereError, match="over 40 tables in it; give the one with the labels"):
        source.head("0050.csv")


def test_of_many_tables_none_is_taken_for_the_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "MAXIMUM_TABLES", 3)
    write_tar(tmp_path / "set.tar", ("1.csv", "2.csv", "3.csv", "4.csv", "a.jpg"), CSV)
    assert "there are 4 tables at its root" in str(manifest.Manifest().why_not(open_source(tmp_path / "set.tar")))
    write_tar(tmp_path / "set.tar", ("1.csv", "2.csv", "3.csv", "4.csv", "manifest.csv", "a.jpg"), CSV)
    assert manifest.Manifest().why_not(open_source(tmp_path / "set.tar")) is None


def test_links_that_lead_to_nothing_in_ever_more_ways_are_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "MAXIMUM_NAMES", 20_000)
    tar_of_links(tmp_path / "links.tar")
    with pytest.raises(LookwhereError, match="its links make over 20,000 names"):
        open_source(tmp_path / "links.tar")


def test_a_chain_of_linked_folders_ends(tmp_path: Path) -> None:
    """1,500 within each other were a traceback: the recursion's depth."""
    with tarfile.open(tmp_path / "chain.tar", "w") as archive:
        for n in range(1_500):
            link = tarfile.TarInfo(f"{n}/x")
            link.type, link.linkname = tarfile.SYMTYPE, f"../{n + 1}"
            archive.addfile(link)
        file = tarfile.TarInfo("1500/a.jpg")
        file.size = len(JPEG)
        archive.addfile(file, io.BytesIO(JPEG))
    source = open_source(tmp_path / "chain.tar")
    assert source.refused[links.RING] > 1_000
    assert "1499/x/a.jpg" in source.names


def packed(name: str, content: bytes, **headers: str) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo(name)
        member.size, member.pax_headers = len(content), headers
        archive.addfile(member, io.BytesIO(content))
    return data.getvalue()


@pytest.mark.parametrize("name", ["in\0ner/q.tar", "y" * 300 + ".tar"])
def test_an_archive_inside_another_may_have_a_name_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    (tmp_path / "outer.tar").write_bytes(packed("q.tar", packed("a.jpg", JPEG), path=name))
    source = open_source(tmp_path / "outer.tar")
    assert [data for _, data in source.iterate(source.images())] == [JPEG]


def test_archives_inside_another_whose_names_are_in_each_others_way(tmp_path: Path) -> None:
    inner = packed("a.jpg", JPEG)
    with tarfile.open(tmp_path / "outer.tar", "w") as archive:
        for name in ("x.tar", "x.tar/y.tar", "z.tar/y.tar", "z.tar"):
            member = tarfile.TarInfo(name)
            member.size = len(inner)
            archive.addfile(member, io.BytesIO(inner))
    source = open_source(tmp_path / "outer.tar")
    assert [data for _, data in source.iterate(source.images())] == [JPEG] * 4


def test_a_damaged_archive_inside_another_is_told_by_the_name_that_a_person_knows(tmp_path: Path) -> None:
    (tmp_path / "outer.tar").write_bytes(packed("inner.zip", b"PK\3\4"))
    with pytest.raises(LookwhereError, match=r"outer\.tar: inner\.zip in it: the archive is damaged"):
        open_source(tmp_path / "outer.tar")


def test_each_input_of_the_bench_ends_with_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(500, ("zip", "table")) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == ["images in a ZIP", "predictions and labels in a CSV"]
    assert main(500, ("nonsense",)) == 2
