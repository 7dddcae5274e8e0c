"""A manifest without gender, ethnicity and age, the whole way: align, train, audit, commands, report, pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import core.__main__
import train.__main__
from core.audit.folder import Audit, open_audit
from core.data.faces import UNRECORDED
from core.data.readers import READERS
from core.data.store import AlignedStore
from tests.helpers.pages import headline, page, text
from tests.helpers.small_network import NARROW, small_network
from ui.shell.navigation import PAGES

FACES = 96
CONFIG = "stages: [{size: 32, epochs: 1, dilated: true}]\nbatch: 24\nnorm_batches: 1\n"
SHOWN = [entry.file for entry in PAGES if entry.file not in ("runs", "board")]
#: What would be said of genders, ethnicities or ages that nobody recorded.
OF_PEOPLE = re.compile(r"\b(?:women|men|girls|boys|female|male)\b|not recorded(?:, )?not recorded", re.IGNORECASE)


@pytest.fixture(scope="module", autouse=True)
def network_is_small() -> Iterator[None]:
    with small_network(NARROW):
        yield


def manifest(folder: Path) -> Path:
    """Squares of colour and their table: brighter where they smile, but for one in nine."""
    draw = np.random.default_rng(0)
    folder.mkdir(parents=True)
    lines = ["path,smiling,camera"]
    for n in range(FACES):
        smiles = n // 2 % 2
        squares = draw.integers(0, 130, (8, 8, 3)) + 120 * (smiles != (n % 9 == 0))
        name = f"{n:03}.png"
        Image.fromarray(squares.astype(np.uint8)).resize((112, 112), Image.Resampling.NEAREST).save(folder / name)
        lines.append(f"{name},{('no', 'yes')[smiles]},{('phone', 'webcam', 'scanner')[n % 3]}")
    (folder / "faces.csv").write_text("\n".join(lines) + "\n")
    return folder / "faces.csv"


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """A network trained on smiling and audited, by the commands."""
    root = tmp_path_factory.mktemp("smiling")
    (root / "tiny.yaml").write_text(CONFIG)
    table = str(manifest(root / "own"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        # These squares are no faces that a detector would find.
        patch.setattr(READERS["manifest"], "aligned", True, raising=False)
        assert core.__main__.main(["align", "--data", table, "--target", "smiling"]) == 0
        trained = ["--data", table, "--name", "smiles", "--config", "tiny.yaml", "--target", "smiling"]
        assert train.__main__.main(trained) == 0
        again = ["audit", "--model", "smiles", "--data", table, "--split", "train", "val", "test"]
        assert core.__main__.main(again) == 0
    return open_audit(root / "models/smiles/audits/own-train-val-test")


def test_gender_is_not_recorded_and_no_face_is_lost(audit: Audit) -> None:
    store = AlignedStore.open(audit.path.parents[3] / "data/aligned/own")
    assert len(store.faces) == FACES and set(store.faces["gender"]) == {UNRECORDED}
    assert len(audit.faces) == FACES and audit.task.attribute == "smiling"
    assert (audit.faces["correct"] == (audit.faces["predicted"] == audit.faces["smiling"].astype(str))).all()
    card = (audit.path.parents[1] / "CARD.md").read_text()
    assert "two classes (not smiling, smiling)" in card and "records no gender" in card
    assert not OF_PEOPLE.search(card), OF_PEOPLE.search(card)


def test_without_a_target_it_is_refused_with_what_there_is(
    audit: Audit, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(audit.path.parents[3])
    for command in (["datasets", "--check", "own/faces.csv"], ["align", "--data", "own/faces.csv", "--out", "again"]):
        assert core.__main__.main(command) == 2
        said = capsys.readouterr().err
        assert "column gender is missing in faces.csv; it has path, smiling, camera" in said
        assert "name what is with --target, one of smiling" in said
    assert core.__main__.main(["datasets", "--check", "own/faces.csv", "--target", "camera"]) == 2
    assert "has 3 levels, phone, scanner, webcam" in capsys.readouterr().err
    assert train.__main__.main(["--data", "data/aligned/own", "--name", "none", "--config", "tiny.yaml"]) == 2
    said = capsys.readouterr().err
    assert "its gender is not recorded" in said and "--target COLUMN" in said and "two values are smiling" in said
    assert core.__main__.main(["datasets", "--check", "own/faces.csv", "--target", "smiling"]) == 0
    said = capsys.readouterr().out
    assert "gender: not recorded" in said and re.search(rf"^all +{FACES}$", said, re.MULTILINE)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("show", "Classified is smiling: «not smiling» or «smiling»."),
        ("show --by camera", "camera: scanner"),
        ("gaps", "No gender is recorded, and neither ethnicity nor age makes two groups"),
        ("gaps --by camera", "camera: scanner"),
        ("findings", "This audit is of another attribute, smiling; the study's claims are of gender."),
        ("evidence", "mean margin (logit not smiling − logit smiling)"),
    ],
)
def test_commands_say_nothing_of_genders(
    command: str, expected: str, audit: Audit, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(audit.path.parents[3])
    name, *options = command.split()
    line = [name, "--model", "smiles", "--audit", audit.name, *options]
    assert core.__main__.main(line) == 0
    printed = capsys.readouterr().out
    assert expected in printed
    assert not OF_PEOPLE.search(printed.replace("the declared analysis is of gender", "")), printed
    assert core.__main__.main([*line, "--json"]) == 0
    json.loads(capsys.readouterr().out)


def test_two_models_are_compared(
    audit: Audit, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(audit.path.parents[3])
    config = ["--config", "tiny.yaml", "--target", "smiling", "--seed", "1"]
    assert train.__main__.main(["--data", "data/aligned/own", "--name", "second", *config]) == 0
    again = ["audit", "--model", "second", "--data", "data/aligned/own", "--split", "train", "val", "test"]
    assert core.__main__.main(again) == 0
    capsys.readouterr()
    assert core.__main__.main(["compare", "smiles/own-train-val-test", "second/own-train-val-test"]) == 0
    printed = capsys.readouterr().out
    assert "ll faces" in printed and not OF_PEOPLE.search(printed), printed


def test_the_report_says_what_is_not_recorded(audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(audit.path.parents[3])
    line = ["report", "--model", "smiles", "--audit", audit.name, "--out", str(tmp_path / "report.html")]
    assert core.__main__.main([*line, "--by", "camera"]) == 0
    said = re.sub(
        r"<(style|script)\b.*?</\1>|<[^>]*>|data:[^\"']*", " ", (tmp_path / "report.html").read_text(), flags=re.S
    )
    assert "This data set records no gender: no group is made by it." in said
    assert not OF_PEOPLE.search(said), said[OF_PEOPLE.search(said).start() - 200 :][:400]


@pytest.mark.parametrize("name", SHOWN)
def test_every_page_leaves_gender_out(name: str, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(audit.path.parents[2], name, monkeypatch)
    assert not app.exception, [one.value for one in app.exception]
    assert not app.error, [one.value for one in app.error]
    assert name == "checks" or headline(app)
    said = text(app)
    if name not in ("about", "photo"):  # what these say of gender is of no face of the audit
        found = OF_PEOPLE.search(said)
        assert not found, said[max(found.start() - 200, 0) :][:400]
    assert not [one for one in app.get("button_group") if one.proto.label == "Gender"]
    assert not [one for one in app.selectbox if one.label == "Gender"]
    expected = {
        "image": "neither gender nor ethnicity nor age makes two groups",
        "evidence": "ot smiling",  # the two classes are compared, as all faces are no two groups
        "accuracy": "the model is least sure of: accuracy of the answered is",
    }
    assert expected.get(name, "").lower() in (said + (headline(app) if name != "checks" else "")).lower()
    charts = "".join(one.proto.spec for one in app.get("plotly_chart"))
    assert UNRECORDED not in charts
