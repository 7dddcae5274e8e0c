"""Audits that share some faces are brought to these, row by row; what is not known to be one face is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.audit.catalogue import common_faces, may_share_faces, share_ids
from core.audit.folder import Audit
from core.errors import LookwhereError
from tests.helpers.made_audit import made_audit, made_faces, of_glasses, with_manifest


def audit_of(rows: list[int], seed: int = 0, **more: object) -> Audit:
    faces = made_faces(40).iloc[rows].reset_index(drop=True)
    return made_audit(faces=faces, correct=np.arange(len(rows)) % 3 > 0, shape=(2, 2), seed=seed, **more)


def test_common_faces_keep_each_models_own_rows() -> None:
    a, b, c = audit_of(list(range(40))), audit_of([30, 5, 7, 2], 1), audit_of([2, 30, 39, 5], 2)
    common = common_faces([a, b, c])
    assert common.count == 3
    assert common.left_out == (37, 1, 1)
    names = [list(audit.faces["face_id"]) for audit in common.audits]
    assert names[0] == names[1] == names[2] == ["face-00002", "face-00005", "face-00030"]
    for whole, part in zip((a, b, c), common.audits, strict=True):
        places = [list(whole.faces["face_id"]).index(name) for name in names[0]]
        np.testing.assert_array_equal(part.evidence, whole.evidence[places])
        assert list(part.faces["correct"]) == list(whole.faces["correct"].iloc[places])
        np.testing.assert_array_equal(part.maps("true", "raw"), whole.maps("true", "raw")[places])
    assert common_faces([a, a]).audits[1] is a, "nothing is copied where nothing is left out"


def test_what_is_not_known_to_be_one_face_is_refused() -> None:
    a = audit_of([1, 2, 3])
    with pytest.raises(LookwhereError, match="no face in common"):
        common_faces([a, audit_of([4, 5])])
    second_audit = audit_of([1, 2])
    second_audit.faces["gender"] = second_audit.faces["gender"].to_numpy()[::-1]
    with pytest.raises(LookwhereError, match=r"label the same faces differently \(gender\)"):
        common_faces([a, second_audit])
    with pytest.raises(LookwhereError, match="other data, splits, ethnicity names or attribute"):
        common_faces([a, with_manifest(audit_of([1, 2]), dataset="elsewhere")])


def test_audits_of_another_attribute_share_no_face_and_its_labels_are_compared_too() -> None:
    a = audit_of([1, 2, 3])
    with pytest.raises(LookwhereError, match="attribute"):
        common_faces([a, of_glasses(a)])
    of_glasses_audit = of_glasses(audit_of([1, 2, 3], 1))
    assert common_faces([of_glasses(a), of_glasses_audit]).count == 3
    relabelled = replace(of_glasses_audit, faces=of_glasses_audit.faces.assign(Eyeglasses=["yes"] * 3))
    with pytest.raises(LookwhereError, match=r"label the same faces differently \(Eyeglasses\)"):
        common_faces([of_glasses(a), relabelled])


def test_manifests_say_who_may_share_faces() -> None:
    a = with_manifest(audit_of([1, 2, 3]), data_fingerprint="f")

    def may(**more: object) -> bool:
        return may_share_faces(a.manifest, with_manifest(a, **more).manifest)

    assert may()
    assert may(faces=2), "a table without a face or two"
    assert may(data_fingerprint="g"), "another release: the faces decide"
    assert not may(splits=["val"])
    assert may(splits=["val", "test"])
    assert may(splits=["train"], chosen="all")
    assert not may(dataset="other")
    assert not may(names={"A": "B"})


def test_ids_are_shared_by_half_of_the_fewer(tmp_path: Path) -> None:
    for name, rows in (("a", range(20)), ("half", [0, 1, 30, 31]), ("less", [0, 30, 31, 32])):
        audit_of(list(rows), path=tmp_path / name / "audits/made")
    folders = [tmp_path / name / "audits/made" for name in ("a", "half", "less")]
    assert share_ids(folders[0], folders[1])
    assert not share_ids(folders[2], folders[0])
