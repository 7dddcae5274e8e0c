"""A manifest whose gender is empty in some rows, where another column is classified: from the table to the pages."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import core.__main__
import train.__main__
from core.analysis.accuracy.extremes import extremes
from core.audit.folder import Audit, open_audit
from core.data.faces import UNRECORDED
from core.data.readers import READERS
from core.data.store import AlignedStore
from lookwhere import accuracy_by_group
from tests.helpers.pages import headline, page, text
from tests.helpers.small_network import NARROW, small_network
from ui.shell.navigation import PAGES, Needs

#: Of five rows in turn the third names no gender.
GENDERS, FACES = ("female", "male", "", "female", "male"), 240
WITHOUT = FACES // len(GENDERS)
CONFIG = "stages: [{size: 32, epochs: 1, dilated: true}]\nbatch: 24\nnorm_batches: 1\n"
TOLD = f"{WITHOUT} of the {FACES} faces have no gender recorded"
#: Pages without the filter bar, as there is one audit.
WITHOUT_BAR = ("findings", "repeated", "photo", "compare")
SHOWN = [entry.file for entry in PAGES if entry.needs in (Needs.AUDIT, Needs.MAPS)]


@pytest.fixture(scope="module", autouse=True)
def network_is_small() -> Iterator[None]:
    with small_network(NARROW):
        yield


def manifest(folder: Path) -> Path:
    """Squares of colour and their table: brighter where they smile, but for one in nine."""
    draw = np.random.default_rng(0)
    folder.mkdir(parents=True)
    lines = ["path,smiling,camera,gender,age"]
    for n in range(FACES):
        smiles = n // 2 % 2
        squares = draw.integers(0, 130, (8, 8, 3)) + 120 * (smiles != (n % 9 == 0))
        name = f"{n:03}.png"
        Image.fromarray(squares.astype(np.uint8)).resize((112, 112), Image.Resampling.NEAREST).save(folder / name)
        level, camera = ("no", "yes")[smiles], ("phone", "webcam", "scanner")[n % 3]
        lines.append(f"{name},{level},{camera},{GENDERS[n % len(GENDERS)]},{20 + n % 50}")
    (folder / "faces.csv").write_text("\n".join(lines) + "\n")
    return folder / "faces.csv"


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """A network trained on smiling and audited, by the commands."""
    root = tmp_path_factory.mktemp("in-part")
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


def printed(audit: Audit, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *line: str) -> str:
    monkeypatch.chdir(audit.path.parents[3])
    capsys.readouterr()
    assert core.__main__.main(list(line)) == 0
    return capsys.readouterr().out


def test_no_face_is_lost_and_the_others_keep_their_gender(audit: Audit) -> None:
    store = AlignedStore.open(audit.path.parents[3] / "data/aligned/own")
    row = store.faces["face_id"].str[:3].astype(int)
    expected = row.map(lambda n: GENDERS[n % len(GENDERS)] or UNRECORDED)
    assert len(store.faces) == FACES and (store.faces["gender"] == expected).all()
    assert len(audit.faces) == FACES and (audit.faces["gender"] == UNRECORDED).sum() == WITHOUT


def test_how_many_have_none_is_told_before_and_after(
    audit: Audit, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    check = printed(audit, capsys, monkeypatch, "datasets", "--check", "own/faces.csv", "--target", "smiling")
    assert f"{FACES} labelled faces, 0 rejected" in check
    assert f"gender: {UNRECORDED} of {WITHOUT} of {FACES} faces" in check
    show = printed(audit, capsys, monkeypatch, "show", "--model", "smiles", "--audit", audit.name)
    assert f"gender: {UNRECORDED} of {WITHOUT} of {FACES} faces" in show
    assert not re.search(rf"{UNRECORDED}\S", show.replace(f"{UNRECORDED}:", "")), "columns run into each other"


def test_as_the_label_such_rows_are_rejected_as_before(
    audit: Audit, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    check = printed(audit, capsys, monkeypatch, "datasets", "--check", "own/faces.csv")
    assert f"{FACES - WITHOUT} labelled faces, {WITHOUT} rejected" in check and "no gender" in check
    named = printed(audit, capsys, monkeypatch, "datasets", "--check", "own/faces.csv", "--target", "gender")
    assert f"{WITHOUT} rejected" in named


def test_faces_without_gender_are_no_group_that_is_compared(audit: Audit) -> None:
    pair = extremes(audit.faces)
    assert pair is not None and pair.groups == 2
    assert {pair.worst["group"], pair.best["group"]} == {"women", "men"}
    table = accuracy_by_group(audit, by=["gender"]).to_frame()
    assert dict(zip(table["group"], table["n"], strict=True)) == {
        "women": 96, "men": 96, f"faces (gender {UNRECORDED})": WITHOUT,
    }  # fmt: skip
    assert table.set_index("group").loc[f"faces (gender {UNRECORDED})", "left_out"] == f"gender {UNRECORDED}"


@pytest.mark.parametrize(
    "line", ["show --by gender camera", "gaps", "gaps --by gender", "evidence", "slices", "abstain"]
)
def test_commands_call_them_by_what_is_not_known(
    line: str, audit: Audit, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, *options = line.split()
    said = printed(audit, capsys, monkeypatch, name, "--model", "smiles", "--audit", audit.name, *options)
    for compared in re.findall(r"(?:less|between|−|against|than|surest) [^\n]*", said):
        assert f"gender {UNRECORDED}" not in compared, compared


def test_the_report_counts_them(audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(audit.path.parents[3])
    line = ["report", "--model", "smiles", "--audit", audit.name, "--out", str(tmp_path / "report.html")]
    assert core.__main__.main(line) == 0
    page_of = (tmp_path / "report.html").read_text()
    said = html.unescape(re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>", " ", page_of, flags=re.S))
    assert TOLD in said
    assert "Gender and other labels are the data set's" in said and "Gender and ethnicity are" not in said


@pytest.mark.parametrize("name", SHOWN)
def test_every_page_runs_and_calls_them_by_what_is_not_known(
    name: str, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page(audit.path.parents[2], name, monkeypatch)
    assert not app.exception, [one.value for one in app.exception]
    assert not app.error, [one.value for one in app.error]
    said = text(app)
    if name not in WITHOUT_BAR:
        assert TOLD in said
    if name not in WITHOUT_BAR:
        assert f"gender {UNRECORDED}" not in headline(app)
    assert "Gender and other labels are the data set's" in said and "ethnicity are the data set's" not in said


def test_the_filter_offers_them(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(audit.path.parents[2], "faces", monkeypatch, gender=UNRECORDED)
    assert f"of {WITHOUT} are predicted" in headline(app) and f"gender {UNRECORDED}" in headline(app)
