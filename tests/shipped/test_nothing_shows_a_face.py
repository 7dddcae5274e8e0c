"""What ships under models/ is scanned: no image, no array fine enough for a face but averages of eleven and more."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.audit.disclosure import of_common_faces
from core.checks.verification import averages_in
from core.privacy import MINIMUM_FACES, MOST_CELLS, MOST_OF_ONE
from tests.helpers.shipped import ROOT, shipped_or_skip

MODELS = ROOT / "models"
#: Averages, and eight portraits whose licence allows it (core/photo/london/ATTRIBUTION.md).
IMAGES = {"averages.npz": {"means", "differences"}, "portraits.npz": {"crop"}}
#: Kinds of file that hold no image.
KINDS = {".json", ".csv", ".md", ".npz", ".parquet", ".safetensors"}


@pytest.fixture(autouse=True)
def _shipped() -> None:
    shipped_or_skip()


def test_averages_are_of_eleven_people_and_no_two_audits_keep_any_of_the_same_faces() -> None:
    stored = averages_in(MODELS)
    assert len(stored) >= 2 and not of_common_faces(stored)
    assert min(one.fewest_people for one in stored) == MINIMUM_FACES
    assert max(one.most_of_one for one in stored) <= MOST_OF_ONE


def test_no_other_file_could_hold_a_face() -> None:
    files = [file for file in MODELS.rglob("*") if file.is_file() and not file.name.startswith(".")]
    assert {file.suffix for file in files} == KINDS
    for file in files:
        if file.suffix == ".npz":
            with np.load(file, allow_pickle=False) as arrays:
                fine = {name for name in arrays.files if sum(side > MOST_CELLS for side in arrays[name].shape[1:]) >= 2}
            assert fine <= IMAGES.get(file.name, set()), file
        elif file.suffix == ".parquet":
            for field in pq.read_schema(file):
                assert not pa.types.is_binary(field.type) and not pa.types.is_large_binary(field.type), (file, field)
                if pa.types.is_nested(field.type):
                    assert field.name == "evidence" and field.type.list_size <= 2 * MOST_CELLS**2, file
