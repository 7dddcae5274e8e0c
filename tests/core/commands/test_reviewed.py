"""Commands count by a reviewed list, in memory: as the audit that `review` makes of it, and nothing is written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core import __main__ as command
from core.audit.catalogue import same_faces
from core.audit.folder import open_audit
from core.audit.reviewed import read_decisions, recounted, reviewed_audit
from tests.helpers.made_audit import made_audit
from tests.helpers.shipped import AUDIT, MODEL


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder of models with an audit and another model's of the same faces, and a list that flips and leaves out."""
    root = tmp_path_factory.mktemp("reviewed")
    path = root / "models/made/audits/made-test"
    audit = made_audit(240, errors=0.3, path=path)
    shutil.copytree(path, root / "models/other/audits/made-test")
    for model in ("made", "other"):
        shutil.copy(MODEL / "model.json", root / "models" / model)
    wrong = audit.faces.loc[~audit.faces["correct"], "face_id"]
    lines = [f"{face},{'leave out' if n % 3 == 0 else 'flip'}" for n, face in enumerate(wrong)]
    (root / "labels.csv").write_text("\n".join(["face_id,decision", *lines[: len(lines) // 2]]) + "\n")
    return root / "models", root / "labels.csv"


def test_what_is_counted_in_memory_is_the_audit_that_review_writes(study: tuple[Path, Path]) -> None:
    models, labels = study
    audit, decisions = open_audit(models / "made/audits/made-test"), read_decisions(labels)
    there = sorted(path.name for path in audit.path.parent.iterdir())
    in_memory = recounted(audit, decisions)
    assert sorted(path.name for path in audit.path.parent.iterdir()) == there
    on_disk = reviewed_audit(audit, decisions, "written")
    shutil.rmtree(on_disk.path)
    assert in_memory.faces.astype(object).equals(on_disk.faces.astype(object))
    assert in_memory.manifest.accuracy == on_disk.manifest.accuracy > audit.manifest.accuracy
    assert in_memory.manifest.review == on_disk.manifest.review
    assert (in_memory.evidence == on_disk.evidence).all()
    assert same_faces(in_memory.manifest) != same_faces(audit.manifest), "other labels are not compared face by face"


@pytest.mark.parametrize("name", ["show", "gaps", "findings", "evidence", "abstain", "slices", "report"])
def test_commands_take_a_reviewed_list(
    name: str, study: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models, labels = study
    line = [name, "--model", "made", "--audit", "made-test", "--models", str(models)]
    line += ["--out", str(tmp_path / "report.html")] if name == "report" else []
    line += ["--ages", "all"] if name == "slices" else []  # adults alone are too few
    assert command.main([*line, "--reviewed", str(labels)]) == 0
    report = capsys.readouterr().out
    report = (tmp_path / "report.html").read_text() if name == "report" else report
    assert "Labels were reviewed: of " in report
    assert not (models / "made/audits/made-test-reviewed").exists()


def test_the_person_or_the_image_is_of_reviewed_labels_and_no_counts_of_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["image", "--model", MODEL.name, "--audit", AUDIT.name, "--models", str(MODEL.parent), "--json"]
    assert command.main(line) == 0
    before = json.loads(capsys.readouterr().out)
    faces = open_audit(AUDIT).faces
    wrong = faces.loc[~faces["correct"] & (faces["gender"] == "female") & (faces["ethnicity"] == "Black"), "face_id"]
    (tmp_path / "labels.csv").write_text("face_id,decision\n" + "".join(f"{face},leave out\n" for face in wrong))
    assert command.main([*line, "--reviewed", str(tmp_path / "labels.csv")]) == 0
    after = json.loads(capsys.readouterr().out)
    assert before["skin_tone"] == "counts" and after["skin_tone"] is None, "they are of the labels before"
    gap = {group["group"]: group["gap"] for group in after["parts"]}
    assert gap["Black women"] > 0 > {group["group"]: group["gap"] for group in before["parts"]}["Black women"]
