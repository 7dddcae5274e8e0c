"""Tables without gender: refused with what could be classified, and read where a target is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.data.build_store import build_store
from core.data.faces import UNRECORDED
from core.data.readers import choose_reader
from core.data.sources import open_source
from core.errors import LookwhereError
from tests.helpers.data_set_trees import manifest


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        ("path,smiling,camera", ["1.jpg,yes,a", "2.jpg,No,b", "3.jpg,no,c"], "--target, one of smiling"),
        ("path,hat,smiling", ["1.jpg,1,no", "2.jpg,0,yes", "3.jpg,1,yes"], "--target, one of hat, smiling"),
        (
            "path,camera",
            ["1.jpg,a", "2.jpg,b", "3.jpg,c"],
            "unless --target names a column of two values, and it has none",
        ),
    ],
)
def test_without_gender_it_is_said_what_can_be_classified(
    tmp_path: Path, header: str, row: list[str], message: str
) -> None:
    folder = manifest(tmp_path, "\n".join([header, *row]), pictures=["1.jpg", "2.jpg", "3.jpg"])
    for path in (folder, folder / "manifest.csv"):
        with pytest.raises(LookwhereError, match=message):
            choose_reader(open_source(path))


def test_with_a_target_gender_may_be_missing_or_empty(tmp_path: Path) -> None:
    for n, content in enumerate(
        ("path,smiling\n1.jpg,yes\n2.jpg,no\n", "path,gender,smiling\n1.jpg,,yes\n2.jpg,,no\n")
    ):
        folder = manifest(tmp_path / str(n), content, pictures=["1.jpg", "2.jpg"])
        for path in (folder, folder / "manifest.csv"):
            source = open_source(path, "smiling")
            reading = choose_reader(source).read(source)
            assert reading.faces["gender"].tolist() == [UNRECORDED] * 2 and reading.rejects.empty
            assert reading.own["smiling"].tolist() == ["yes", "no"]
        # Gender is what is classified anyway, so asking for it asks for its column.
        with pytest.raises(LookwhereError, match="gender is missing" if n == 0 else "no gender"):
            source = open_source(folder / "manifest.csv", "Gender")
            build_store(source, choose_reader(source), tmp_path / f"store-{n}")


def test_a_target_that_cannot_be_classified_is_refused_before_anything_is_aligned(tmp_path: Path) -> None:
    folder = manifest(tmp_path, "path,camera\n1.jpg,a\n2.jpg,b\n3.jpg,c\n", pictures=["1.jpg", "2.jpg", "3.jpg"])
    for target, why in (("camera", "has 3 levels, a, b, c"), ("smiling", "no such column")):
        source = open_source(folder, target)
        with pytest.raises(LookwhereError, match=f"--target {target}: {why}"):
            build_store(source, choose_reader(source), tmp_path / "store")
    assert not (tmp_path / "store").exists()
