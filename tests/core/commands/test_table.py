"""`table`: labels and predictions audited without any image, and the example of docs/import-a-model.md."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.__main__ import main
from core.audit.folder import open_audit
from core.classifiers.imported import declare, import_model
from core.classifiers.imported.import_options import PredictionTable
from core.present.text.label_noise import UNSEEN
from tests.helpers.pages import page, text
from tests.helpers.shipped import ROOT

WORDS = ["--score", "label", "--score-column", "answer"]
SHARES = ["--score", "probability", "--of", "male", "--score-column", "p"]


def faces(n: int = 240) -> pd.DataFrame:
    """Labels and answers of n faces: women of B are called men in one of four, nobody else is."""
    draw = np.random.default_rng(0)
    gender = np.where(np.arange(n) % 2, "male", "female")
    race = np.where(np.arange(n) // 2 % 2, "A", "B")
    wrong = (gender == "female") & (race == "B") & (np.arange(n) // 4 % 4 == 0)
    male = (gender == "male") ^ wrong
    sure = draw.uniform(0.55, 0.99, n)
    return pd.DataFrame(
        {
            "photo": [f"images/{i}.jpg" for i in range(n)],
            "sex": np.where(gender == "male", "M", "F"),
            "race": race,
            "age": draw.integers(20, 60, n),
            "camera": np.where(draw.random(n) < 0.5, "front", "back"),
            "answer": np.where(male, "man", "Woman"),
            "p": np.where(male, sure, 1 - sure).round(4),
        }
    )


def tabled(tmp_path: Path, table: pd.DataFrame, *said: str, ending: str = "csv") -> int:
    file = tmp_path / f"answers.{ending}"
    table.to_csv(file, index=False) if ending == "csv" else table.to_parquet(file)
    return main(["table", str(file), "--name", "theirs", *said, "--models", str(tmp_path / "models")])


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_words_empty_cells_and_columns(ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = faces()
    table.loc[3, "answer"] = None
    table.loc[5, "sex"] = "?"
    assert tabled(tmp_path, table, *WORDS, "--file-column", "photo", ending=ending) == 0
    report = capsys.readouterr().out
    assert "rows left out: 1\n" in report
    assert "gender '?' is not known" in report
    assert "1 face has no prediction and is left out" in report
    audit = open_audit(tmp_path / "models/theirs/audits/answers-all")
    assert (len(audit.faces), audit.manifest.not_predicted, audit.manifest.of_table) == (238, 1, True)
    assert not audit.has_maps
    assert audit.averages.cells.empty
    # Scores are no column to group by; what else the table says of a face is.
    assert [column.name for column in audit.columns] == ["camera", "p"]
    by = audit.faces.groupby(["gender", "ethnicity"])["correct"].mean()
    assert by["female", "B"] == pytest.approx(0.75)
    assert by.drop(("female", "B")).eq(1).all()


def test_every_result_says_what_no_image_can_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tabled(tmp_path, faces(), *SHARES, "--file-column", "photo") == 0
    which = ["--model", "theirs", "--audit", "answers-all", "--models", str(tmp_path / "models")]
    for command in (["gaps"], ["findings"], ["report", "--out", str(tmp_path / "report.html")]):
        assert main([*command, *which]) == 0, command
    said = capsys.readouterr().out
    assert UNSEEN in said
    assert "occur more than once" not in said
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert UNSEEN in report
    assert "core table PATH --name theirs --score probability" in report
    assert "core align" not in report
    card = (tmp_path / "models/theirs/CARD.md").read_text(encoding="utf-8")
    assert "likely mislabels, which make up" in card
    assert "near-copies of another" not in card


@pytest.mark.parametrize("name", ["gaps", "faces"])
def test_pages_open_it(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tabled(tmp_path, faces(), *WORDS, "--file-column", "photo") == 0
    app = page(tmp_path / "models", name, monkeypatch, model="theirs", audit="answers-all")
    assert not app.exception
    page_text = text(app)
    assert "without any image" in page_text
    assert "core align" not in "\n".join(element.value for element in app.get("code"))


def test_an_interrupted_run_goes_on_and_another_table_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = faces()
    table.to_csv(tmp_path / "answers.csv", index=False)
    import_model(
        tmp_path / "answers.csv",
        "theirs",
        declare(None, score="probability", of="male"),
        models=tmp_path / "models",
        table=PredictionTable(file_column="photo", score_columns=("p",)),
    )
    assert tabled(tmp_path, table, *SHARES, "--file-column", "photo") == 0
    assert tabled(tmp_path, table, *WORDS, "--file-column", "photo") == 2
    assert tabled(tmp_path, table[:-1], *SHARES, "--file-column", "photo") == 2
    assert capsys.readouterr().err.count("is there already") == 2


@pytest.mark.parametrize(
    ("change", "said", "told"),
    [
        ({}, WORDS, "no column path or file or filename"),
        ({"photo": "file"}, [*WORDS, "--gender-column", "truth"], "no column truth"),
        ({"photo": "file"}, [*WORDS, "--gender-column", "answer"], "answer is the prediction"),
        ({"photo": "file", "sex": "was"}, WORDS, "no column gender or sex or label"),
    ],
)
def test_what_lacks_is_named(
    change: dict, said: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tabled(tmp_path, faces(8).rename(columns=change), *said) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "models").exists()


def test_the_example_of_the_documentation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    section = (ROOT / "docs/import-a-model.md").read_text(encoding="utf-8").split("### A table with its own labels")[1]
    table, commands, printed = re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[:3]
    monkeypatch.chdir(tmp_path)
    Path("faces.csv").write_text(table, encoding="utf-8")
    for n, line in enumerate(commands.splitlines()):
        assert main(shlex.split(line.removeprefix("python -m core "))) == 0
        report = capsys.readouterr().out
        if n == 0:
            assert report.startswith(printed)
    assert re.search(r"^ +glasses: yes +2 ", report, re.MULTILINE)


def test_a_table_of_another_attribute_needs_no_gender(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [f"{n:03}.jpg,{('no', 'yes')[n % 2]},{('a', 'b')[n // 2 % 2]},{0.2 + 0.6 * (n % 2):.2f}" for n in range(60)]
    Path("answers.csv").write_text("\n".join(["file,smiling,camera,score", *rows]) + "\n")
    line = ["table", "answers.csv", "--name", "smiles", "--score", "probability", "--of", "yes"]
    assert main([*line, "--target", "smiling", "--classes", "no", "yes"]) == 0
    printed = capsys.readouterr().out
    assert "All ages: accuracy 100.0 %" in printed and "gender: not recorded" in printed
