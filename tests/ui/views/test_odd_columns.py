"""Every page with own columns whose names and levels are markup of some kind: what is shown is the name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.data.columns import Column, Kind
from core.files import write_json
from core.present.text import escape
from tests.helpers import made_audit as making
from tests.helpers import made_columns
from tests.helpers.made_study import MODEL_INFO
from tests.helpers.pages import page, shown_raw
from ui.shell.navigation import PAGES, Needs

LEVELS = ("<i>x</i>", "[link](http://example.org)", ":red[White]", "$x^2$ and $y$", "=1+1", "\\input{a}", "a|b")
COLUMNS = (
    Column(name="<b>cam</b>|=1+1", kind=Kind.CATEGORY, levels=LEVELS, words="<b>cam</b>|=1+1"),
    Column(name="*hat*", kind=Kind.YES_NO, levels=("no", "yes"), words="*hat* $a$ and $b$ :smile:"),
)
DRAWN = [entry.file for entry in PAGES if Needs.AUDIT <= entry.needs <= Needs.MAPS]
SAID = (*LEVELS, *(column.said for column in COLUMNS))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model audited on faces with such columns."""
    root = tmp_path_factory.mktemp("odd-columns")
    images = np.random.default_rng(0).integers(0, 220, (700, 112, 112, 3), dtype=np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "MADE_COLUMNS", COLUMNS)
        patch.setattr(made_columns, "MADE_COLUMNS", COLUMNS)
        faces = making.made_faces(700)
        path = root / "made/audits/all"
        making.made_audit(faces=faces, errors=0.4, shape=(2, 2), images=images, path=path, own=True)
    write_json(root / "made/model.json", MODEL_INFO)
    return root


@pytest.mark.parametrize("name", DRAWN)
def test_a_page_shows_names_of_columns_and_levels_as_they_are(
    name: str, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page(models, name, monkeypatch)
    assert not app.exception and not app.error, [element.value for element in (*app.exception, *app.error)]
    for said in SAID:
        assert not shown_raw(app, said), said


def test_the_names_are_seen(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test of pages that never name a column would be worth nothing; labels of controls are Markdown too."""
    app = page(models, "accuracy", monkeypatch)
    labels = [element.proto.label for kind in ("button_group", "multiselect", "selectbox") for element in app.get(kind)]
    for column in COLUMNS:
        safe = escape.markdown(f"x {column.said}")[2:]
        assert [label for label in labels if safe.lower() in label.lower()], labels
        assert not [label for label in labels if column.said.lower() in label.lower().replace(safe.lower(), "")]
