"""Adults or all ages: one flag with one default for every command that tests, and each output says whom it is about."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from core.__main__ import COMMANDS, main, renewed
from core.audit.folder import open_audit
from core.data.filters import Filter
from core.errors import LookwhereError
from core.present.report.reproduction import commands
from core.present.text.tables import audit_report
from tests.helpers.reports import info, reported_audit
from tests.helpers.shipped import AUDIT, MODEL, ROOT, shipped_or_skip

ADULTS, ALL = Filter(age_from=18), Filter()
PLACE = ["--model", MODEL.name, "--audit", AUDIT.name, "--models", str(MODEL.parent)]


def faces(*ages: int | None) -> pd.DataFrame:
    return pd.DataFrame({"age": pd.array(ages, dtype="Int16")})


def test_adults_are_meant_where_an_age_is_known_and_all_faces_where_none_is() -> None:
    assert Filter.of_ages(faces(3, 40)) == Filter.of_ages(faces(None, 40), "adults") == ADULTS
    assert Filter.of_ages(faces(None, None)) == Filter.of_ages(faces(3, 40), "all") == ALL
    with pytest.raises(LookwhereError, match=r"adults, all.*children"):
        Filter.of_ages(faces(3), "children")


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", ["gaps", "findings", "evidence"])
def test_each_command_is_about_adults_and_says_so(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    shipped_or_skip()
    table = open_audit(AUDIT).faces
    adults = printed(capsys, name, *PLACE)
    everyone = printed(capsys, name, *PLACE, "--ages", "all")
    assert "18 and older" in adults.splitlines()[0]
    assert "18 and older" not in everyone.splitlines()[0]
    if name != "findings":
        assert printed(capsys, name, *PLACE, "--ages", "adults") == adults
        assert f"{(table['age'] >= 18).sum():,} faces" in adults.splitlines()[0]
        assert f"{len(table):,} faces" in everyone.splitlines()[0]


def test_experiments_too(capsys: pytest.CaptureFixture[str]) -> None:
    shipped_or_skip()
    place = ["--models", str(MODEL.parent)]
    assert "(all faces, 18 and older)" in printed(capsys, "experiments", *place).splitlines()[0]
    assert "(all faces)" in printed(capsys, "experiments", *place, "--ages", "all").splitlines()[0]


def test_the_report_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What it shows of either is tested beside it; here, that the flag arrives, and what it tells to repeat it by."""
    audit, report_ages = reported_audit(tmp_path / "audit"), []
    monkeypatch.setattr("core.audit.folder.open_audit", lambda path: audit)
    monkeypatch.setattr(
        "core.present.report.report_of", lambda model, opened, all_ages, by: report_ages.append(all_ages) or "text"
    )
    (tmp_path / "m").mkdir()
    place = ["--model", "m", "--audit", "a", "--models", str(tmp_path)]
    for ages in ([], ["--ages", "adults"], ["--ages", "all"]):
        printed(capsys, "report", *place, "--out", str(tmp_path / "r.html"), *ages)
    assert report_ages == [False, False, True]
    for all_ages in (False, True):
        lines = [
            line
            for line in commands(audit, info(), None, None, all_ages)
            if re.search(r"core (gaps|find|evi|rep)", line)
        ]
        assert len(lines) == 4
        assert [("--ages all" in line) for line in lines] == [all_ages] * 4


def test_show_prints_both_or_the_one_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    shipped_or_skip()
    both = printed(capsys, "show", *PLACE)
    parts = [printed(capsys, "show", *PLACE, "--ages", ages) for ages in ("adults", "all")]
    head, _, _ = both.partition("\n\n")
    assert both == parts[0].rstrip("\n") + "\n" + parts[1].removeprefix(head + "\n")
    assert both.count("ges: accuracy") + both.count("lder): accuracy") == 2


@pytest.mark.parametrize(
    ("old", "ages"),
    [
        (["gaps", "--adults"], "adults"),
        (["gaps", "--no-adults"], "all"),
        (["findings", "--all-ages"], "all"),
        (["findings", "--all_ages"], "all"),
        (["findings", "--no-all-ages"], "adults"),
        (["experiments", "--adults"], "adults"),
        (["report", "--out", "r.html", "--all-ages"], "all"),
    ],
)
def test_old_flags_mean_what_they_meant(
    old: list[str], ages: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert renewed(old) == [*old[:-1], "--ages", ages]
    ages_by_call = []
    command = COMMANDS[old[0]]

    def record(model: str = "", audit: str = "", ages: str = "", out: Path = Path()) -> None:
        ages_by_call.append(ages)

    monkeypatch.setitem(COMMANDS, old[0], record)
    assert main(old) == 0
    assert ages_by_call == [ages]
    monkeypatch.setitem(COMMANDS, old[0], command)
    with pytest.raises(SystemExit):
        main([old[0], "--help"])
    text = capsys.readouterr().out
    assert "--ages" in text
    assert old[-1] not in text


def test_other_commands_keep_their_words() -> None:
    assert renewed(["look", "--data", "--adults"]) == ["look", "--data", "--adults"]
    assert renewed(["budget", "--model", "budget"]) == ["evidence", "--model", "budget"]
    assert renewed(["audit", "--names", "n.yaml"]) == ["audit", "--map-ethnicities", "n.yaml"]
    assert renewed(["audit", "--names=n.yaml"]) == ["audit", "--map-ethnicities=n.yaml"]
    assert renewed(["show", "--names", "n.yaml"]) == ["show", "--names", "n.yaml"]
    assert renewed([]) == []


def test_without_an_adult_the_mend_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    audit = reported_audit(tmp_path / "audit", age=5)
    monkeypatch.setattr("core.audit.folder.open_audit", lambda path: audit)
    (tmp_path / "m").mkdir()
    for name in ("gaps", "findings", "evidence"):
        assert main([name, "--model", "m", "--audit", "a", "--models", str(tmp_path)]) == 2
        error = capsys.readouterr().err
        assert str(tmp_path / "audit") in error
        assert "--ages all" in error


def test_adults_come_first_where_ages_are_known(tmp_path: Path) -> None:
    titles = re.compile(r"^(Adults|All ages)", re.MULTILINE)
    assert titles.findall(audit_report(reported_audit(tmp_path, age=40))) == ["Adults", "All ages"]
    assert titles.findall(audit_report(reported_audit(tmp_path, age=pd.NA))) == ["All ages", "Adults"]
    assert titles.findall(audit_report(reported_audit(tmp_path, age=40), "all")) == ["All ages"]


def test_a_table_of_no_face_has_no_number(tmp_path: Path) -> None:
    for age, words in ((5, "Adults (18 and older): no face"), (pd.NA, "Adults (18 and older): ages are not known")):
        audit = reported_audit(tmp_path, age=age)
        assert words in audit_report(audit)
        assert "nan" not in audit_report(audit)


def test_documented_commands_have_the_flag_of_today() -> None:
    for file in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        assert not re.search(r"--(adults|all-ages)\b", file.read_text()), file
