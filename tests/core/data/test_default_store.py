"""Data of one's own are aligned into a folder of their name; two do not collide, and earlier stores are found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.__main__ import main
from core.data import default_store as places
from core.data.default_store import default_store, folder_name, free_folder
from core.data.readers import READERS, choose_reader
from core.data.readers.manifest_table import TEMPLATE
from core.data.sources import open_source
from core.data.store_names import store_to_name
from core.files import write_json
from tests.helpers.datasets_made import jpeg
from tests.helpers.shipped import ROOT


def own(folder: Path, side: int = 64) -> Path:
    """A data set of somebody's own: the template, and the pictures that it names."""
    (folder / "images").mkdir(parents=True)
    (folder / "faces.csv").write_text(TEMPLATE + "\n")
    for n, line in enumerate(TEMPLATE.splitlines()[1:]):
        (folder / line.split(",")[0]).write_bytes(jpeg(side, grey=90 + 30 * n))
    return folder


def test_the_template_is_read_as_it_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", "--template"]) == 0
    assert capsys.readouterr().out == TEMPLATE + "\n"
    source = open_source(own(tmp_path / "mine"))
    reading = choose_reader(source).read(source)
    assert reading.faces["gender"].tolist() == ["female", "female", "male"]
    assert reading.faces["ethnicity"].tolist() == ["group A", "group A", "group B"]
    assert reading.faces["age"].fillna(-1).tolist() == [34, 35, -1]
    assert reading.faces["identity"].tolist() == ["anna", "anna", "bo"]
    assert "split" not in reading.faces
    assert len(reading.rejects) == 0
    assert main(["datasets", "--template", "--check", str(tmp_path)]) == 2
    assert "--template goes alone" in capsys.readouterr().err


def test_two_sets_of_ones_own_have_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "STORES", tmp_path / "aligned")
    first, second = (open_source(own(tmp_path / name)) for name in ("clinic-a", "clinic b"))
    assert default_store(first, READERS["manifest"]) == tmp_path / "aligned/clinic-a"
    assert default_store(second, READERS["manifest"]) == tmp_path / "aligned/clinic-b"
    assert default_store(first, READERS["utkface"]) == tmp_path / "aligned/utkface", "a layout with a name of its own"
    (tmp_path / "aligned/clinic-a").mkdir(parents=True)
    assert free_folder(tmp_path / "elsewhere/clinic-a", tmp_path / "aligned/x") == tmp_path / "aligned/clinic-a-2"


def test_a_store_that_an_earlier_version_made_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "STORES", tmp_path / "aligned")
    first, second = (open_source(own(tmp_path / name, side)) for name, side in (("a", 64), ("b", 96)))
    former = tmp_path / "aligned/manifest"
    former.mkdir(parents=True)
    write_json(former / "store.json", {"broken": True})
    assert default_store(first, READERS["manifest"]) == tmp_path / "aligned/a"
    monkeypatch.setattr(places, "_source_of", lambda file: first.fingerprint())
    assert default_store(first, READERS["manifest"]) == former
    assert default_store(second, READERS["manifest"]) == tmp_path / "aligned/b"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("x/my set", "my-set"), ("x/faces.tar.gz", "faces"), ("x/2024.faces.zip", "2024.faces"), ("mine/f.csv", "mine"),
        ("x/données ✓", "données"), ("x/✓✓", ""), ("x/all.parquet", "all"), ("x/...", ""),
    ],
)  # fmt: skip
def test_a_folders_name(path: str, name: str, tmp_path: Path) -> None:
    assert folder_name(tmp_path / path) == name


def test_readme_writes_the_template_into_the_folder_that_it_then_checks() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    template_folder = re.search(r"core datasets --template > (\S+)/faces\.csv`", readme)
    checked = re.search(r"core datasets --check (\S+)", readme)
    assert template_folder and checked and template_folder[1] == checked[1]


def test_commands_name_no_folder_by_a_layout_that_anybody_may_have() -> None:
    assert store_to_name("utkface") == "data/aligned/utkface"
    assert store_to_name("manifest") == "data/aligned/FOLDER", "the folder is called as the data are"
    assert store_to_name("a b") == "'data/aligned/a b'"
