"""What is installed is pinned to the bit, listed whole, and its licences are told."""

from __future__ import annotations

import importlib.util
import json
import re
from types import ModuleType

import pytest
from packaging.utils import canonicalize_name

from tests.helpers.shipped import ROOT

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def bill() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bill", ROOT / "packaging/bill.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pinned(file: str) -> dict[str, str]:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return {canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in lines if "==" in line}


def test_every_package_is_locked_with_its_hashes(bill: ModuleType) -> None:
    entries = re.split(r"\n(?=\S)", LOCK.strip())
    for entry in entries:
        head, *hashes = re.split(r" \\\n", entry)
        assert re.fullmatch(r"[\w.\-]+==[\w.\-+!]+", head), head
        assert hashes, head
        assert all(re.fullmatch(r" {4}--hash=sha256:[0-9a-f]{64}", one) for one in hashes), head
    assert len(entries) == len(bill.locked()) > 60
    assert pinned("requirements.txt").items() <= bill.locked().items(), "run make lock"


def test_the_lock_names_no_place_of_its_own() -> None:
    assert not re.search(r"https?:|--index|--find-links|file:", LOCK)
    assert "--require-hashes -r requirements.lock" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_bill_and_licences_are_of_what_is_locked(bill: ModuleType) -> None:
    pins = bill.locked()
    written = json.loads(bill.BILL.read_text(encoding="utf-8"))
    assert (written["bomFormat"], written["specVersion"]) == ("CycloneDX", "1.6")
    libraries = {c["name"]: c["version"] for c in written["components"] if c["type"] == "library"}
    assert libraries == pins, "run python packaging/bill.py"
    refs = {component["bom-ref"] for component in written["components"]} | {"pkg:pypi/lookwhere@0.1.0"}
    assert {ref for one in written["dependencies"] for ref in (one["ref"], *one["dependsOn"])} <= refs
    weights = next(c for c in written["components"] if c["name"] == "resnet50-utkface")
    info = json.loads((ROOT / "models/resnet50-utkface/model.json").read_text())
    assert weights["hashes"][0]["content"] == info["weights_sha256"]
    page = bill.LICENCES.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| (\d+) \| (.+) \|$", page.split(bill.BEGIN)[1], re.MULTILINE)
    names = [name for _, count, listed in rows for name in listed.split(", ")]
    assert sorted(names) == sorted(pins)
    assert all(int(count) == len(listed.split(", ")) for _, count, listed in rows)
    told = {name: words for words, _, listed in rows for name in listed.split(", ")}
    assert all(
        c["licenses"][0]["license"]["name"] == told[c["name"]] for c in written["components"] if c["name"] in told
    )


def test_what_packages_say_of_themselves_is_what_is_written(bill: ModuleType) -> None:
    """Where exactly the locked packages are installed: the others are left to `packaging/bill.py` itself."""
    pins = bill.locked()
    try:
        packages = bill.installed(pins)
    except SystemExit as other:
        pytest.skip(str(other))
    for file, content in bill.written(packages, pins).items():
        assert file.read_text(encoding="utf-8") == content, "run python packaging/bill.py"


def test_a_package_of_another_version_or_without_a_licence_is_told(bill: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"numpy: .* is installed, 0\.0\.1 is locked"):
        bill.installed({"numpy": "0.0.1"})
    silent = type("Silent", (), {"metadata": type("M", (dict,), {"get_all": lambda *_: None})()})()
    with pytest.raises(SystemExit, match="nobody: says no licence"):
        bill.licence("nobody", silent)
