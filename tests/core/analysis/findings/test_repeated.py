"""The study and its repetition: seven figures equal to pandas' own, intervals of networks and faces, honest words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.analysis.findings.repeated import (
    CLAIMS,
    Repeats,
    claims_by_seed,
    findings_by_seed,
    hiding_by_model,
    open_repeated,
    seven_figures,
)
from core.data.filters import Filter
from core.errors import LookwhereError
from core.present.records.repeated import repeated_record
from core.present.text import repeated as words
from core.present.text.plain_findings import plain_words
from core.present.text.repeated import INTERVAL, ONE, headline, hiding_words, outcome, protocol, repeated_report
from tests.helpers.made_experiment import make_repeated


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repeated")
    make_repeated(root)
    return root


def test_the_seven_figures_are_those_of_the_faces(models: Path) -> None:
    study = open_repeated(models)
    for test in study.tests:
        table = seven_figures(study, test).set_index("figure")
        audits = study.experiment.on(test).audits("lfw")
        for figure, gender, ethnicity in (
            ("all", None, None), ("female", "female", None), ("Caucasian male", "male", "White"),
            ("African-American female", "female", "Black"),
        ):  # fmt: skip
            expected = []
            for audit in audits:
                faces = audit.faces[audit.faces["age"] >= 18]
                faces = faces[faces["gender"] == gender] if gender else faces
                faces = faces[faces["ethnicity"] == ethnicity] if ethnicity else faces
                expected.append(faces["correct"].mean())
            row = table.loc[figure]
            assert row["by_seed"] == pytest.approx(expected) and row["n"] == len(faces)
            assert row["mean"] == pytest.approx(np.mean(expected))
            assert row["spread"] == pytest.approx(np.std(expected, ddof=1))
            assert row["low"] <= row["mean"] <= row["high"]
        assert len(table) == 7


def test_what_comes_back_is_told_from_what_does_not(tmp_path: Path) -> None:
    """Three networks that agree: women far above the original's figures, men far below."""
    make_repeated(tmp_path, n=3000, seeds=3, error_rates={"female": 0.05, "male": 0.4})
    table = seven_figures(open_repeated(tmp_path), "first").set_index("figure")
    assert table.loc["African-American female", "repeats"] == Repeats.HIGHER
    assert table.loc["male", "repeats"] == Repeats.LOWER
    assert "where ours is surely lower (all, male, Caucasian male, African-American male)" in outcome(
        table.reset_index()
    )


def test_one_network_has_the_interval_of_its_faces_and_says_so(tmp_path: Path) -> None:
    make_repeated(tmp_path, seeds=1)
    study = open_repeated(tmp_path)
    table = seven_figures(study, "first")
    assert table["spread"].isna().all() and (table["high"] > table["low"]).all()
    text = repeated_report(study)
    assert ONE in text and INTERVAL not in text and "1 network trained on LFW is right for" in text


def test_a_group_that_is_not_there_has_no_figure(models: Path) -> None:
    study = open_repeated(models)
    table = seven_figures(study, "first", Filter(ethnicity=("White",), age_from=18)).set_index("figure")
    assert table.loc["African-American male", "repeats"] == Repeats.UNKNOWN
    assert table.loc["African-American male", "n"] == 0
    assert "right for" in headline(study, "first", table.reset_index())


def test_claims_are_put_to_each_network(models: Path) -> None:
    study = open_repeated(models)
    table = claims_by_seed(study, "second")
    assert list(table["key"]) == [key for key in CLAIMS for _ in range(2)]
    assert list(table["seed"]) == [0, 1] * 4
    record = repeated_record(study)
    assert set(record["tests"]) == {"first", "second"}
    claims = record["tests"]["second"]["claims"]
    assert list(claims["sentence"]) == list(table["sentence"])
    findings = [finding for _, _, finding in findings_by_seed(study, "second")]
    assert [finding.sentence for finding in findings] == list(table["sentence"]), "one order for both"
    assert list(claims["plain"]) == [plain_words(finding) for finding in findings]


def test_of_which_networks_hiding_was_measured_is_said(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = open_repeated(models)
    first, second = study.experiment.arm("lfw").models
    assert hiding_by_model(study, "first") == {first: False, second: False}
    none = hiding_words(study, "first")
    assert "of no network was that measured on this data set, so none can tell." in none
    assert none.endswith("Measuring needs a network's weights, which are not here.")
    assert none in repeated_report(study)

    def only(*measured: str) -> str:
        monkeypatch.setattr(words, "hiding_by_model", lambda *_: {name: name in measured for name in (first, second)})
        return hiding_words(study, "first")

    assert "of network 2 that was not measured, so it cannot tell." in only(first)
    assert only(first, second) == ""
    monkeypatch.setattr(Path, "is_file", lambda path: path == study.path / second / "model.safetensors")
    assert only(first).endswith("it cannot tell."), "whoever has the weights can measure"


def test_the_protocol_is_that_of_the_models(models: Path) -> None:
    study = open_repeated(models)
    steps = protocol(study, "first")
    assert [step for step, _, _ in steps] == ["Train", "Validate", "Test"]
    assert steps[0][2] == "LFW: 1,200 faces (600 female, 600 male)"
    assert steps[1][2].startswith("Kaggle's gender set: 300 faces; 3 copies of training faces left out; 90.0 % right")


def test_no_repetition_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LookwhereError, match=r"no repetition of the study here; .*train/plans/repeated\.yaml"):
        open_repeated(tmp_path)
