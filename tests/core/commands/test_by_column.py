"""`show`, `gaps` and `report` by any column of an audit: what they print, write and refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import PdfParser

from core import __main__ as command
from core.files import write_json
from tests.helpers.made_audit import made_audit
from tests.helpers.made_experiment import INFO


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model «made» and its audit «all» of 600 faces with columns."""
    root = tmp_path_factory.mktemp("models")
    made_audit(600, own=True, errors={("female", "Black"): 0.3}, shape=None, path=root / "made/audits/all")
    write_json(root / "made/model.json", INFO)
    return root


def run(models: Path, capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> str:
    assert command.main([*map(str, words), "--model", "made", "--audit", "all", "--models", str(models)]) == code
    out, err = capsys.readouterr()
    return out if code == 0 else err


def test_show_prints_groups_of_any_column(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run(models, capsys, "show", "--by", "camera", "glasses", "--ages", "all")
    assert "By camera × glasses" in out
    assert "  camera: 📱 phone, glasses: yes " in out
    assert "camera: a camera whose name is so long that no axis and no pill" in out
    assert max(map(len, out.splitlines())) < 240
    assert "glasses: not recorded" in out and "camera: not recorded" in out


def test_json_has_a_column_for_each_level(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = json.loads(run(models, capsys, "show", "--by", "skin_tone", "gender", "--json"))
    assert content["by"] == ["skin_tone", "gender"]
    groups = content["scopes"][0]["groups"]
    assert (
        groups[0]["skin_tone"] == "I"
        and groups[0]["gender"] == "female"
        and groups[0]["group"] == "women, skin tone: I"
    )
    assert sum(group["n"] for group in groups) == 600
    assert content["scopes"][0]["largest_gap"]["best"]["skin_tone"]


def test_gaps_are_of_the_groups_asked_for_and_called_exploratory(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = run(models, capsys, "gaps", "--by", "glasses", "ethnicity", "--ages", "all")
    assert "By glasses × ethnicity (exploratory" in out
    assert "Black faces, glasses: yes" in out
    assert "Logistic regression" not in out and "Fairness" not in out and "Label noise" not in out
    content = json.loads(run(models, capsys, "gaps", "--by", "glasses", "--ages", "all", "--json"))
    assert content["by"] == ["glasses"] and {group["glasses"] for group in content["groups"]} == {"no", "yes"}
    assert content["left_out"][0]["why"] in ("glasses not recorded", "under 50 faces")


def test_compare_prints_the_groups_of_one_column_and_of_two_crossed(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = ["compare", "made/all", "made/all", "--ages", "all", "--models", str(models)]
    for by, title, groups in ((["glasses"], "glasses", 3), (["glasses", "skin_tone"], "glasses × skin tone", 21)):
        assert command.main([*pair, "--by", *by]) == 0
        before, _, after = capsys.readouterr().out.partition(f"\nBy {title} (exploratory")
        rows = [line for line in after.splitlines()[2:] if line]
        assert "Glasses" not in before and len(rows) == 1 + groups and rows[0].split()[:3] == ["All", "faces", "600"]
        assert sum("Glasses: yes" in row for row in rows) == groups // 3
        assert len({row.index("+0.0 [") for row in rows}) == 1, "the columns stand under each other"
        assert command.main([*pair, "--by", *by, "--json"]) == 0
        (content,) = json.loads(capsys.readouterr().out)["pairs"]
        assert content["by"] == by and sum(row["n"] for row in content["across"]) == 2 * 600
    assert command.main([*pair, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pairs"][0]["across"] is None
    assert command.main([*pair, "--by", "hat"]) == 2 and "hat: no such column" in capsys.readouterr().err
    assert command.main([*pair, "--by", "glasses", "--out", str(models / "x.html")]) == 2
    assert "--by goes with two to four audits" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [("show", "--by", "hat"), ("gaps", "--by", "hat"), ("report", "--out", "x", "--by", "hat")]
)
def test_an_unknown_column_is_refused_with_what_there_is(
    models: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    error_line = run(models, capsys, *words, code=2)
    assert (
        "hat: no such column; there are gender, ethnicity, age_band, glasses, camera, skin_tone, distance" in error_line
    )


def test_a_table_of_groups_is_written_as_latex_pdf_and_csv(
    models: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    files = [tmp_path / f"groups.{kind}" for kind in ("tex", "pdf", "csv")]
    run(models, capsys, "show", "--by", "camera", "skin_tone", "gender", "--ages", "all", "--out", *files)
    tex, csv = files[0].read_text(), files[2].read_text().splitlines()
    assert "camera & skin tone & gender & faces & incorrect" in tex and "Nikon D750 / 85 mm" in tex
    assert csv[0] == 'camera,skin tone,gender,faces,incorrect,"accuracy, %","from, %","to, %"'
    assert sum(int(row.rsplit(",", 5)[1]) for row in csv[1:]) == 600
    # Over a page it breaks: the caption is then a line of the table.
    assert r"\begin{longtable}" in tex and tex.count(r" \\") == len(csv) + 1
    parsed = PdfParser.PdfParser(str(files[1]))
    assert len(parsed.pages) == (len(csv) - 2) // 40 + 1
    error_line = run(models, capsys, "show", "--by", "camera", "--out", tmp_path / "groups.docx", code=2)
    assert "end it with .tex, .pdf or .csv" in error_line


def test_a_report_has_a_table_of_the_groups_asked_for(
    models: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run(models, capsys, "report", "--out", tmp_path / "report.html", "--by", "skin_tone")
    page = (tmp_path / "report.html").read_text()
    assert "By skin tone" in page and "Skin tone: VI" in page
