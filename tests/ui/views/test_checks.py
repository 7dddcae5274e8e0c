"""The page «Explanation checks»: with checks, without, and with a group too small for some of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import ui.views.faces
from core.audit.folder import open_audit
from core.checks import deletion
from core.checks.definitions import PARTS, Fill, View
from core.checks.run import run_checks
from core.classifiers.folder import load_model
from core.data.store import AlignedStore
from core.present.text.checks import sentence
from tests.helpers.pages import page, text
from ui.views.checks import _breakable


@pytest.fixture(scope="module")
def checked(study, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, object]:
    """A copy of the made study, checked on a small sample."""
    models = study[0]
    root = tmp_path_factory.mktemp("checked") / "models"
    shutil.copytree(models, root)
    store = AlignedStore.open(models.parent / "stores/made")
    copy = open_audit(root / "made/audits/made-all")
    with pytest.MonkeyPatch.context() as patch:  # fewer steps of what is slow, see test_trust.py
        patch.setattr(deletion, "REMOVED", np.array([0.1, 0.2]))
        patch.setattr(deletion, "RANDOM_ORDERS", 2)
        patch.setattr(deletion, "FRACTIONS", np.linspace(0, 1, 5))
        checks = run_checks(
            copy, load_model(root / "made"), store, sample=60, draws=1, methods=("GradCAM", "FEM"), parts=PARTS
        )
    return root, checks


def test_without_checks_the_page_says_which_command_makes_them(study, monkeypatch) -> None:
    app = page(study[0], "checks", monkeypatch)
    assert not app.exception
    line = "python -m core check --model made --audit made-all --data"
    assert f"{line} data/aligned/made" in [block.value for block in app.get("code")]
    monkeypatch.setattr(ui.views.faces, "STORES", study[0].parent / "stores")
    app = page(study[0], "checks", monkeypatch)
    store = study[0].parent / "stores/made"
    assert f"{line} {store}" in [block.value for block in app.get("code")], "the store that was audited"


@pytest.mark.parametrize("query", [{}, {"trust_score": "probability", "trust_fill": "grey", "trust_area": "true"}])
def test_the_page_opens_with_what_was_found(query: dict, checked, monkeypatch: pytest.MonkeyPatch) -> None:
    root, checks = checked
    app = page(root, "checks", monkeypatch, **query)
    assert not app.exception
    assert not app.error
    page_text = text(app)
    assert "lw-headline" in page_text
    assert sentence(checks, View("all faces", fill=Fill(query.get("trust_fill", "blur"))))[:60] in page_text.replace(
        "&#x27;", "'"
    )
    assert len(app.get("plotly_chart")) == 9
    assert page_text.count("<figure>") == 7 + 2


def test_each_group_can_be_chosen_and_small_ones_are_told(checked, monkeypatch: pytest.MonkeyPatch) -> None:
    root, checks = checked
    for group in checks.groups:
        app = page(root, "checks", monkeypatch, trust_group=group)
        assert not app.exception
        assert not app.error
        missing = sum(part.n(group) == 0 for name, part in checks.parts.items() if not name.startswith("methods"))
        missing += not len(checks.table("methods", group))
        assert text(app).count("Too few faces") == missing


def test_names_of_methods_break_where_a_word_of_them_begins() -> None:
    """At 390 px «GradCAMElementWise» was broken before its last letters."""
    assert _breakable("GradCAMElementWise") == "Grad<wbr>CAM<wbr>Element<wbr>Wise"
    assert _breakable("KPCA_CAM") == "KPCA_CAM"
    assert _breakable("a<b") == "a&lt;b"
