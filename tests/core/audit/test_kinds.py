"""Audits of models that are not ours: without maps, with maps that do not add up, with the classes swapped."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.analysis.findings import all_findings
from core.analysis.maps.group_means import group, study_grid
from core.analysis.maps.region_evidence import evidence_by_region, proportional_energy, waterfall
from core.analysis.maps.shapes import oriented_shapes
from core.audit.folder import Audit, open_audit
from core.audit.notes import NoteCode
from core.audit.run import run_audit
from core.checks.run import run_checks
from core.classifiers.folder import Model
from core.classifiers.info import ModelInfo, ModelKind
from core.data.filters import Filter
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.present.text.tables import audit_report
from core.verdicts import Verdict
from tests.helpers.made_store import make_store
from tests.helpers.made_study import Brightness


def audited(tmp_path: Path, classify: Brightness) -> tuple[Audit, Model, AlignedStore]:
    store = make_store(tmp_path / "store", faces=240)
    model = Model(
        "theirs", tmp_path / "theirs", None, ModelInfo(kind=ModelKind.ONNX, weights_sha256="1" * 64), classify
    )
    return run_audit(store, model, None), model, store


def test_without_maps_there_is_accuracy_and_average_faces_and_no_map(tmp_path: Path) -> None:
    audit, model, store = audited(tmp_path, Brightness(None))
    again = open_audit(audit.path)
    assert not again.has_maps and not again.additive and again.map_method == "none"
    assert again.manifest.map_shape is None and again.manifest.maps is None
    assert again.faces["correct"].all() and len(again.faces) == 240
    women = group(again, Filter(gender=("female",)))
    assert women.map is None and women.n == 120
    assert women.face is not None and women.face.mean() < group(again, Filter(gender=("male",))).face.mean()
    assert study_grid(again, Filter())["correct"].iloc[0].map is None
    assert "no maps" in audit_report(again)
    for work in (
        lambda: again.maps("true", "raw"),
        lambda: evidence_by_region(again, Filter()),
        lambda: proportional_energy(again, Filter()),
        lambda: oriented_shapes(again),
    ):
        with pytest.raises(LookwhereError, match="only predictions were audited"):
            work()
    with pytest.raises(LookwhereError, match="only predictions were audited"):
        run_checks(again, model, store)


def test_claims_on_maps_cannot_be_told_without_maps(tmp_path: Path) -> None:
    audit, _, _ = audited(tmp_path, Brightness(None))
    verdicts = {f.key: (f.verdict, f.sentence) for f in all_findings(audit, Filter())}
    assert verdicts["2"][0] == verdicts["3"][0] == Verdict.CANNOT_TELL
    assert "no maps" in verdicts["2"][1]


def test_maps_that_do_not_add_up_give_shares_and_no_budget(tmp_path: Path) -> None:
    audit, _, _ = audited(tmp_path, Brightness("occlusion"))
    assert audit.has_maps and not audit.additive and audit.map_method == "occlusion"
    for work in (lambda: evidence_by_region(audit, Filter()), lambda: waterfall(audit, Filter(), Filter())):
        with pytest.raises(LookwhereError, match="occlusion do not add up"):
            work()
    shares = proportional_energy(audit, Filter()).set_index("region")["share"]
    assert shares.sum() == pytest.approx(1)
    assert "7×7 by occlusion" in audit_report(audit)


def test_swapped_classes_are_asked_about(tmp_path: Path) -> None:
    audit, _, _ = audited(tmp_path, Brightness(None, sign=-1))
    assert audit.manifest.accuracy == 0
    assert audit.manifest.warnings[0].code is NoteCode.CLASSES_SWAPPED
    assert "WARNING: only 0.0 %" in audit_report(audit)
