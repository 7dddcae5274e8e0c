"""The page «Accuracy breakdown» of an audit with faces that are labelled otherwise, and of one without."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.data.otherwise import write_otherwise
from core.files import write_json
from tests.helpers.made_audit import made_audit, made_faces
from tests.helpers.made_experiment import INFO
from tests.helpers.pages import page, text


@pytest.mark.parametrize("apart", [True, False])
def test_faces_labelled_otherwise_are_told_where_there_are_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, apart: bool
) -> None:
    path = tmp_path / "made/audits/all"
    counts = {"otherwise": {"nonbinary": 30}} if apart else {}
    audit = made_audit(faces=made_faces(200, ages=(20, 60)), errors=0.1, shape=None, path=path, manifest=counts)
    write_json(tmp_path / "made/model.json", INFO)
    if apart:
        write_otherwise(path, audit.faces.head(30).drop(columns="correct").assign(gender="nonbinary"))
    app = page(tmp_path, "accuracy", monkeypatch)
    assert not app.exception
    sentence = "30 faces are labelled otherwise (30 nonbinary) and in no accuracy, gap or average"
    assert (sentence in text(app)) is apart
    assert any(table.value.get("faces", [0])[0] == 30 for table in app.dataframe) is apart
