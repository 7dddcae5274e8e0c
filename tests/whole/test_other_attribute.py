"""Another attribute than gender, the whole way on small made faces in CelebA's layout: align, train, audit, pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import core.__main__
import train.__main__
from core.audit.folder import Audit, open_audit
from core.audit.reviewed import read_decisions, reviewed_audit
from core.classifiers.info import model_info
from core.data.readers import READERS
from tests.helpers.pages import headline, page, text
from tests.helpers.small_network import NARROW, small_network
from ui.shell.navigation import PAGES

FACES = 112
ATTRIBUTES = ("5_o_Clock_Shadow", "Bald", "Eyeglasses", "Male", "Smiling", "Wearing_Hat", "Young")
CONFIG = "stages: [{size: 32, epochs: 1, dilated: true}]\nbatch: 24\nnorm_batches: 1\n"
SHOWN = [entry.file for entry in PAGES if entry.file not in ("runs", "board")]


@pytest.fixture(scope="module", autouse=True)
def network_is_small() -> Iterator[None]:
    with small_network(NARROW):
        yield


def celeba(folder: Path) -> Path:
    """Squares of colour in CelebA's layout: brighter with glasses, but for one in nine; every other person is a man."""
    draw = np.random.default_rng(0)
    images = folder / "img_align_celeba"
    images.mkdir(parents=True)
    lines, parts = [str(FACES), " ".join(ATTRIBUTES)], []
    for n in range(FACES):
        has = {"Male": n % 2, "Eyeglasses": n // 2 % 2, "Smiling": n // 4 % 2}
        values = [2 * has.get(name, int(draw.integers(0, 2))) - 1 for name in ATTRIBUTES]
        name = f"{n + 1:06}.jpg"
        lines.append(f"{name} {' '.join(map(str, values))}")
        parts.append(f"{name} {(0, 0, 1, 2)[n // 4 % 4]}")
        squares = draw.integers(0, 130, (8, 8, 3)) + 120 * (has["Eyeglasses"] != (n % 9 == 0))
        Image.fromarray(squares.astype(np.uint8)).resize((178, 218), Image.Resampling.NEAREST).save(images / name)
    (folder / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    (folder / "list_eval_partition.txt").write_text("\n".join(parts) + "\n")
    return folder


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """A network trained on glasses and audited, by the commands."""
    root = tmp_path_factory.mktemp("glasses")
    (root / "tiny.yaml").write_text(CONFIG)
    data = ["--data", "data/aligned/celeba"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        # These squares are no faces that a detector would find.
        patch.setattr(READERS["celeba"], "aligned", True, raising=False)
        assert core.__main__.main(["align", "--data", str(celeba(root / "celeba"))]) == 0
        trained = [*data, "--name", "glasses", "--config", "tiny.yaml", "--target", "eyeglasses"]
        assert train.__main__.main(trained) == 0
        assert core.__main__.main(["audit", "--model", "glasses", *data, "--split", "train", "val", "test"]) == 0
    return open_audit(root / "models/glasses/audits/celeba-train-val-test")


def test_what_is_classified_is_kept_and_read(audit: Audit) -> None:
    assert (audit.task.attribute, audit.task.classes, audit.task.name) == ("Eyeglasses", ("no", "yes"), "glasses")
    assert model_info(audit.path.parents[1]).task == audit.task
    assert {"logit_no", "logit_yes", "p_yes"} <= set(audit.faces) and "p_male" not in audit.faces
    right = audit.faces["predicted"].to_numpy() == audit.faces["Eyeglasses"].to_numpy(dtype=object)
    assert (audit.faces["correct"].to_numpy() == right).all()
    assert set(audit.faces["predicted"]) <= {"no", "yes"}
    card = (audit.path.parents[1] / "CARD.md").read_text()
    assert "«no glasses» or «glasses»" in card and "female or male" not in card


@pytest.mark.parametrize("command", ["show", "gaps", "evidence", "findings"])
def test_commands_read_the_task_from_the_audit(
    command: str, audit: Audit, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(audit.path.parents[3])
    assert core.__main__.main([command, "--model", "glasses", "--audit", audit.name]) == 0
    printed = capsys.readouterr().out
    assert {
        "show": "Classified is glasses: «no glasses» or «glasses».",
        "gaps": "Fairness: no two groups have 50 faces without glasses and 50 faces with glasses",
        "evidence": "mean margin (logit no glasses − logit glasses)",
        "findings": "This audit is of another attribute, glasses; the study's claims are of gender.",
    }[command] in printed
    assert "p(male)" not in printed and "«male»" not in printed


@pytest.mark.parametrize("name", SHOWN)
def test_every_page_speaks_of_glasses(name: str, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(audit.path.parents[2], name, monkeypatch)
    assert not app.exception, [one.value for one in app.exception]
    assert not app.error, [one.value for one in app.error]
    said = text(app)
    assert name == "checks" or headline(app)
    assert "«male»" not in said and "«female»" not in said
    expected = {
        "accuracy": "How well p(glasses) ranks faces with glasses above faces without glasses",
        "about": "The logit for «no glasses» less that for «glasses»",
        "findings": "This audit is of another attribute, glasses; the study",
        "evidence": "A margin above 0 speaks for no glasses, below 0 for glasses",
        "heatmaps": "average Grad-CAM for the predicted class",
    }
    assert expected.get(name, "") in said


def test_the_report_speaks_of_glasses(audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(audit.path.parents[3])
    line = ["report", "--model", "glasses", "--audit", audit.name, "--out", str(tmp_path / "report.html")]
    assert core.__main__.main(line) == 0
    said = (tmp_path / "report.html").read_text()
    assert "This audit is of another attribute, glasses" in said
    assert "Classified is glasses" in said
    assert "p(glasses)" in said
    for words in ("«male»", "«female»", "p(male)", "logit male", "female or male"):
        assert words not in said, words


def test_reviewed_labels_are_those_of_glasses(audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = audit.faces.loc[~audit.faces["correct"], "face_id"]
    (tmp_path / "reviewed.csv").write_text("face_id,decision\n" + "".join(f"{face},flip\n" for face in wrong))
    again = reviewed_audit(audit, read_decisions(tmp_path / "reviewed.csv"), "reviewed")
    assert again.faces["correct"].all() and again.task == audit.task
    assert (again.faces["gender"] == audit.faces["gender"]).all()
    assert set(again.faces["Eyeglasses"]) == {"no", "yes"}
