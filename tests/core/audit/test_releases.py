"""Whether two audits are of the same faces, where one of them records no gender."""

from __future__ import annotations

from core.audit.releases import same_ids
from core.data.faces import UNRECORDED
from tests.helpers.made_audit import made_faces


def test_equal_ids_are_equal_faces_though_one_table_has_no_gender() -> None:
    faces = made_faces(100)
    without = faces.assign(gender=UNRECORDED)
    assert same_ids(faces, faces) == same_ids(faces, without) == same_ids(without, without) == 100
    swapped = faces.assign(gender=faces["gender"].map({"female": "male", "male": "female"}))
    assert same_ids(faces, swapped) == 0
