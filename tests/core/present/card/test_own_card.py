"""A card that git has is not rewritten with somebody's own audits; theirs is written beside it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from core.files import write_json
from core.present.card import write_card
from tests.helpers.made_audit import made_audit, made_faces
from tests.helpers.made_experiment import INFO


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    model = tmp_path / "models/made"
    add(model, "shipped")
    write_json(model / "model.json", INFO)
    return model


def add(model: Path, name: str) -> None:
    made_audit(faces=made_faces(60), correct=np.arange(60) % 5 > 0, shape=None, path=model / "audits" / name)


def test_private_results_stay_out_of_a_tracked_card(model: Path) -> None:
    write_card(model)
    git(model.parent, "init", "-q")
    git(model.parent, "add", "-A")
    card = (model / "CARD.md").read_text()
    write_card(model)
    assert not (model / "CARD.own.md").exists(), "all audits are the project's"
    add(model, "my-clinic")
    write_card(model)
    assert (model / "CARD.md").read_text() == card
    own = (model / "CARD.own.md").read_text()
    assert "my-clinic" in own and "shipped" in own and "my-clinic" not in card
    git(model.parent, "add", "-A")
    write_card(model)
    assert "my-clinic" in (model / "CARD.md").read_text(), "now it is the project's"


def test_a_card_of_ones_own_has_all_of_it(model: Path) -> None:
    add(model, "my-clinic")
    write_card(model)
    assert "my-clinic" in (model / "CARD.md").read_text(), "without a repository"
    git(model.parent, "init", "-q")
    write_card(model)
    assert not (model / "CARD.own.md").exists(), "git does not have the card"
