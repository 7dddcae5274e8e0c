"""docs/reproduce.md quotes what `core repeated` prints of the shipped audits; its figures are those of pandas alone."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from core.analysis.findings.repeated import Repeated, hiding_by_model, open_repeated, seven_figures
from core.present.text.repeated import repeated_report
from tests.helpers.documents import assert_same, blocks
from tests.helpers.shipped import ROOT, shipped_or_skip


@pytest.fixture(scope="module")
def study() -> Repeated:
    shipped_or_skip()
    return open_repeated(ROOT / "models")


def test_the_document_says_what_the_command_prints(study: Repeated) -> None:
    documented = list(blocks((ROOT / "docs/reproduce.md").read_text(encoding="utf-8")))
    assert len(documented) == 1
    assert_same(repeated_report(study), documented[0])


def test_of_which_networks_hiding_was_measured_is_what_the_audits_hold(study: Repeated) -> None:
    folder = ROOT / "models/experiments/repeated"
    for test in study.tests:
        for model, measured in hiding_by_model(study, test).items():
            file = folder / model / "audits" / test / "checks.json"
            assert measured == (file.is_file() and "hiding" in json.loads(file.read_text(encoding="utf-8"))["parts"])
    assert [*hiding_by_model(study, "fairface").values()] == [True, False, False]


def test_the_seven_figures_are_those_of_the_predictions(study: Repeated) -> None:
    folder = ROOT / "models/experiments/repeated"
    for test in study.tests:
        table = seven_figures(study, test).set_index("figure")
        for place, model in enumerate(study.experiment.arms[0].models):
            faces = pd.read_parquet(folder / model / "audits" / test / "faces.parquet")
            said = np.where(faces["logit_male"] > faces["logit_female"], "male", "female")
            right = pd.Series(said == faces["gender"].astype(str).to_numpy(), index=faces.index)[faces["age"] >= 18]
            black = faces["ethnicity"].astype(str).eq("Black")
            for figure, chosen in (
                ("all", faces["age"] >= 18),
                ("female", faces["gender"].eq("female")),
                ("African-American female", faces["gender"].eq("female") & black),
                ("African-American male", faces["gender"].eq("male") & black),
            ):
                own = right[chosen.reindex(right.index)]
                assert table.loc[figure, "n"] == len(own)
                assert table.loc[figure, "by_seed"][place] == pytest.approx(own.mean())
