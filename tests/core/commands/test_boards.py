"""`core board --files` makes the audits that are missing, in the board's own folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.audit.folder import open_audit
from core.commands import boards
from core.errors import LookwhereError
from core.files import sha256
from tests.helpers.made_store import make_store
from tests.helpers.onnx_made import SIZE, small_onnx

DECLARATION = """about: {{title: Small, file: small.onnx, sha256: {digest}}}
size: {size}
mean: [0.5, 0.5, 0.5]
std: [0.25, 0.25, 0.25]
resize: bilinear
score: logits
female: 0
male: 1
"""


def test_a_board_s_audits_are_made_beside_its_declarations(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    file = small_onnx(tmp_path / "files/small.onnx")
    folder = tmp_path / "board"
    folder.mkdir()
    (folder / "small.yaml").write_text(DECLARATION.format(digest=sha256(file), size=SIZE))
    store = make_store(tmp_path / "store", 48).path
    boards._make(folder, (file.parent,), {"fairface": store}, map_faces=0)
    audit = open_audit(folder / "audits/small/fairface")
    assert len(audit.faces) == 48 and not audit.has_maps and not len(audit.averages.cells)
    modified = (audit.path / "audit.json").stat().st_mtime_ns
    boards._make(folder, (file.parent,), {"fairface": store}, map_faces=0)
    assert (audit.path / "audit.json").stat().st_mtime_ns == modified, "what is there is not made again"


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_without_our_models_audits_is_told(tmp_path: Path, there: bool) -> None:
    """It was a traceback, also where the folder of models is a file."""
    models = tmp_path / "models"
    models.mkdir() if there else models.write_text("x")
    with pytest.raises(LookwhereError, match=r"models/resnet50-utkface: no audit .* there"):
        boards.board(models=models, out=tmp_path / "board.md")
    assert not (tmp_path / "board.md").exists()
