"""Audits of reviewed labels: what a person decided is counted, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core import __main__ as command
from core.analysis.accuracy.suspects import suspects
from core.audit.folder import Audit, open_audit
from core.audit.reviewed import FLIP, KEEP, LEAVE_OUT, decided, read_decisions, reviewed_audit
from core.errors import LookwhereError
from core.present.export.tables import csv
from core.present.text.reviews import review_words
from tests.helpers.made_audit import made_audit


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    images = np.zeros((240, 112, 112, 3), dtype=np.uint8)
    return made_audit(240, errors=0.2, images=images, path=tmp_path / "models/made/audits/made-test")


def written(folder: Path, text: str) -> Path:
    file = folder / "reviewed.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_flipped_labels_change_class_and_left_out_faces_are_gone(audit: Audit, tmp_path: Path) -> None:
    wrong = audit.faces.index[~audit.faces["correct"]][:3]
    flipped, unreviewed, confirmed = audit.faces["face_id"][wrong]
    right = audit.faces["face_id"][audit.faces.index[audit.faces["correct"]][0]]
    # A face may be named by its image's path, and words may be written in several ways.
    path = audit.faces["path"][wrong[1]]
    file = written(tmp_path, f"face_id;decision\n{flipped};Flip\n{path};drop\n{confirmed};\n{right};wrong\n")
    after = reviewed_audit(audit, read_decisions(file), "made-test-reviewed")
    before = audit.faces.set_index("face_id")
    now = after.faces.set_index("face_id")
    assert unreviewed not in now.index and len(now) == 239
    opposite = {"female": "male", "male": "female"}
    for face, correct in ((flipped, True), (right, False)):
        assert now.loc[face, "gender"] == opposite[before.loc[face, "gender"]]
        assert now.loc[face, "correct"] == correct
    same = now.index.difference([flipped, right])
    columns = ["gender", "predicted", "correct", "p_male", "age", "ethnicity"]
    assert now.loc[same, columns].equals(before.loc[same, columns])
    rows = audit.faces["face_id"].isin(now.index).to_numpy()
    np.testing.assert_array_equal(after.evidence, audit.evidence[rows])
    assert after.manifest.accuracy == pytest.approx(now["correct"].mean(), abs=1e-6)


def test_no_average_face_is_kept_and_the_audit_says_that_labels_were_reviewed(audit: Audit, tmp_path: Path) -> None:
    assert len(audit.averages.cells)
    face = audit.faces["face_id"].iloc[0]
    after = reviewed_audit(audit, read_decisions(written(tmp_path, f"face_id,decision\n{face},flip\n")), "again")
    assert len(after.averages.cells) == 0
    assert review_words(after.manifest) == (
        "Labels were reviewed: of 1 listed in reviewed.csv, 1 was given the other class and 0 were left out; the audit "
        "with the data set's labels is made-test."
    )
    assert open_audit(audit.path).manifest.review is None and review_words(audit.manifest) is None
    with pytest.raises(LookwhereError, match="is there already"):
        reviewed_audit(audit, read_decisions(tmp_path / "reviewed.csv"), "again")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("face_id\nface-00001\n", "no column decision"),
        ("face_id,decision\nface-00001,perhaps\n", "line 2: decision 'perhaps'; write keep, flip or leave out"),
        ("face_id,decision\nface-00001,flip\nface-00001,keep\n", "line 3: face-00001 is decided twice"),
        ("face_id,decision\n,flip\n", "line 2: names no face"),
        ("face_id,decision\nelsewhere,flip\n", "1 of 1 faces are not in"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused_with_its_line(
    audit: Audit, tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(LookwhereError, match=message):
        decided(audit, read_decisions(written(tmp_path, text)))


def test_a_list_of_every_face_to_leave_out_is_refused(audit: Audit, tmp_path: Path) -> None:
    lines = "".join(f"{face},leave out\n" for face in audit.faces["face_id"])
    with pytest.raises(LookwhereError, match="leaves out every face"):
        reviewed_audit(audit, read_decisions(written(tmp_path, f"face_id,decision\n{lines}")), "none")
    assert {KEEP, FLIP, LEAVE_OUT} == {"keep", "flip", "leave out"}


def test_the_command_writes_a_list_once_and_counts_by_it(
    audit: Audit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["review", "--model", "made", "--audit", "made-test", "--models", str(tmp_path / "models")]
    file = tmp_path / "suspects.csv"
    assert command.main([*arguments, "--out", str(file)]) == 0
    assert command.main([*arguments, "--out", str(file)]) == 2  # decisions in it are not lost
    file.write_text(file.read_text().replace(",\n", ",flip\n"), encoding="utf-8")
    assert command.main([*arguments, "--reviewed", str(file)]) == 0
    output = capsys.readouterr().out
    assert "Labels were reviewed" in output
    after = open_audit(tmp_path / "models/made/audits/made-test-reviewed")
    assert after.faces["correct"].mean() > audit.faces["correct"].mean()
    assert command.main(arguments) == 2


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_a_name_that_a_spreadsheet_would_run_is_none_in_the_list_and_is_known_again(
    audit: Audit, tmp_path: Path, start: str
) -> None:
    """The list is made to be opened in a spreadsheet, and names of faces come from whoever made the data set."""
    audit.faces["face_id"] = start + "HYPERLINK(1)" + audit.faces["face_id"].astype(str)
    audit.faces["path"] = start + audit.faces["path"].astype(str)
    listed = suspects(audit).assign(decision=FLIP)
    text = csv(listed).decode()
    assert len(listed) and not any(part.lstrip('"').startswith(start) for part in text.replace("\n", ",").split(","))
    decision = decided(audit, read_decisions(written(tmp_path, text)))
    assert list(audit.faces["face_id"][decision == FLIP].sort_values()) == sorted(listed["face_id"])
    face = listed["face_id"].iloc[0]
    both = f"face_id,decision\n{face},keep\n'{face},flip\n"
    with pytest.raises(LookwhereError, match="is decided twice, and differently"):
        decided(audit, read_decisions(written(tmp_path, both)))
