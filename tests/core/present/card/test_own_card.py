"""A card that git has is not rewritten with somebody's own audits; theirs is written beside it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from core.files import write_json
from core.json_record import read_object
from core.present.card import write_card
from core.present.card.own_audits import SHIPPED
from tests.helpers.made_audit import made_audit, made_faces
from tests.helpers.made_experiment import INFO
from tests.helpers.shipped import ROOT


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True, text=True).stdout


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


def test_without_git_the_list_of_what_came_with_the_project_decides(model: Path) -> None:
    write_card(model)
    card = (model / "CARD.md").read_text()
    write_json(model.parent / SHIPPED, {"made": ["shipped"], "experiments/x": []})
    write_card(model)
    assert not (model / "CARD.own.md").exists(), "all audits are the project's"
    add(model, "my-clinic")
    write_card(model)
    assert (model / "CARD.md").read_text() == card and "my-clinic" in (model / "CARD.own.md").read_text()
    write_json(model.parent / SHIPPED, {"another": []})
    write_card(model)
    assert "my-clinic" in (model / "CARD.md").read_text(), "a model of one's own among those of the project"


def test_the_list_names_every_model_and_audit_that_git_has() -> None:
    files = git(ROOT, "ls-files", "models").splitlines()
    shipped: dict[str, list[str]] = {}
    for file in sorted(path for path in map(Path, files) if path.name in ("model.json", "audit.json")):
        if file.name == "model.json":
            shipped.setdefault(file.parent.relative_to("models").as_posix(), [])
        else:
            shipped.setdefault(file.parents[2].relative_to("models").as_posix(), []).append(file.parent.name)
    assert read_object(ROOT / "models" / SHIPPED) == shipped, json.dumps(shipped)


def test_a_card_of_ones_own_has_all_of_it(model: Path) -> None:
    add(model, "my-clinic")
    write_card(model)
    assert "my-clinic" in (model / "CARD.md").read_text(), "without a repository"
    git(model.parent, "init", "-q")
    write_card(model)
    assert not (model / "CARD.own.md").exists(), "git does not have the card"
