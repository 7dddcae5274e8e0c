"""A comparison as text and as a report: the numbers of the audits, on the faces that all of them have."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from core import __main__ as command
from core.analysis.accuracy.simultaneous import largest_gap
from core.analysis.comparison.matrix import audits_table
from core.analysis.comparison.paired import paired_by_group
from core.audit.catalogue import common_faces
from core.audit.folder import Audit, open_audit
from core.data.filters import Filter
from core.errors import LookwhereError
from core.files import write_json
from core.present.report.comparison import comparison_of
from core.present.text.comparison import AUDITS_ARE, plain_sentence, shown_audits
from core.wording import percent
from tests.helpers.made_audit import made_audit, made_faces, of_glasses
from tests.helpers.made_experiment import INFO

MADE = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models of 600 faces, the second without the first ten, the third without maps."""
    root = tmp_path_factory.mktemp("compared")
    faces, draw = made_faces(600, ages=(10, 80)), np.random.default_rng(0)
    for name, error_rate, part, shape in (
        ("a", 0.05, faces, (3, 3)),
        ("b", 0.3, faces[10:], (3, 3)),
        ("c", 0.05, faces, None),
    ):
        correct = draw.random(len(part)) >= error_rate
        part = part.reset_index(drop=True)
        made_audit(faces=part, correct=correct, shape=shape, path=root / name / "audits/all")
        write_json(root / name / "model.json", INFO)
    return root


def opened(models: Path, *names: str) -> list[Audit]:

    return [open_audit(models / name / "audits/all") for name in names]


def words(report: str) -> str:
    return html.unescape(re.sub(r"(?s)<(style|svg).*?</\1>|<[^>]*>", " ", report)).replace("\u00a0", " ")


def test_the_report_has_the_numbers_of_the_common_adults(models: Path) -> None:
    audits = opened(models, "a", "b")
    text = words(comparison_of(audits, timestamp=MADE))
    common = common_faces(audits)
    filter = Filter.of_ages(common.audits[0].faces)
    table = paired_by_group(*common.audits, filter=filter)
    row = table.iloc[0]
    assert common.left_out == (10, 0)
    assert "Compared on the 590 faces that all of them have; left out are 10 of A, 0 of B." in text
    assert f"Of the same {row['n']:,} faces a/all is right for {percent(row['accuracy_a'])}" in text
    assert "on these faces a/all is the better one over all" in text
    for record in table.to_dict("records"):
        assert f"{record['only_a']:,}" in text and percent(record["accuracy_b"]) in text
    assert text.index("is right for") < text.index("McNemar"), "plain words come first"
    assert "Margin: " in text and "cells differ" in text
    assert "python -m core compare a/all b/all --out comparison.html" in text


def test_models_without_maps_and_four_at_once(models: Path) -> None:
    text = words(comparison_of(opened(models, "a", "c"), all_ages=True, timestamp=MADE))
    assert "Of c/all there are no maps to compare." in text
    four = words(comparison_of(opened(models, "a", "b", "a", "b"), timestamp=MADE))
    assert "D: b/all" in four
    with pytest.raises(LookwhereError, match="two to 4 audits, not 1"):
        comparison_of(opened(models, "a"))


def test_chance_is_called_so(models: Path) -> None:
    audits = opened(models, "a", "c")
    table = paired_by_group(*audits)
    assert table["p"].iloc[0] > 0.05
    assert plain_sentence("a", "c", table).endswith("So small a difference can be chance.")


def test_every_model_on_every_audit(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = audits_table(opened(models, "a", "b", "c"))
    adults = [audit.faces[audit.faces["age"] >= 18] for audit in opened(models, "a", "b", "c")]
    assert table["faces"].tolist() == [len(faces) for faces in adults]
    assert table["accuracy"].tolist() == pytest.approx([faces["correct"].mean() for faces in adults])
    gap = largest_gap(adults[1], ["gender", "ethnicity"])
    assert (table["worst"].iloc[1], table["worst_accuracy"].iloc[1]) == (gap.worst["group"], gap.worst["accuracy"])
    assert command.main(["compare", "--models", str(models)]) == 0
    printed, note = capsys.readouterr().out.strip().split("\n\n")
    assert [line.split()[0] for line in printed.splitlines()] == ["model", "a", "b", "c"]
    assert note == AUDITS_ARE


def test_no_worst_group_is_named_where_no_two_are_told_apart(models: Path) -> None:
    table = audits_table(opened(models, "a"))
    sure = table.assign(worst="Black women", worst_accuracy=0.8, gap=0.1, gap_low=0.01, gap_high=0.2)
    assert shown_audits(sure)["worst group"].item() == "Black women 80.0 %"
    assert shown_audits(sure.assign(gap_low=-0.01))["worst group"].item() == "not sure"


def test_what_is_classified_is_told_where_it_is_not_one_thing(models: Path) -> None:
    first = opened(models, "a")[0]
    assert "classified" not in shown_audits(audits_table([first]))
    frame = shown_audits(audits_table([first, of_glasses(first)]))
    assert list(frame["classified"]) == ["gender", of_glasses(first).task.name]


def test_the_command_prints_and_writes_the_same(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "comparison.html"
    assert command.main(["compare", "a/all", "b/all", "--models", str(models), "--out", str(out)]) == 0
    output = capsys.readouterr().out
    assert "590 faces that all of them have" in output and str(out) in output
    assert "the better one over all" in words(out.read_text(encoding="utf-8"))
    for wrong, message in ((["a"], "two to 4 audits"), (["a", "b/all"], "named MODEL/AUDIT"), ([], "--out goes with")):
        assert command.main(["compare", *wrong, "--models", str(models), "--out", str(out)]) == 2
        assert message in capsys.readouterr().err
