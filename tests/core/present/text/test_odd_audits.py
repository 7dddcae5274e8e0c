"""Audits as one-sided as people's own models and data make them: every answer in words, no number that is none."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.data.filters import Filter
from core.present.records.analysis import gaps_record
from core.present.text.gaps_report import gaps_report
from core.present.text.label_noise import noise_report
from core.present.text.tables import audit_report
from tests.helpers.made_audit import made_audit, made_faces

N = 240
PLACE = np.arange(N)
MALE, FIRST = PLACE % 2 == 1, PLACE // 2 % 2 == 0
MOSTLY = np.random.default_rng(0).random(N) < 0.9
NO_AGE = {"age": pd.array([pd.NA] * N, dtype="Int16")}
PERSONS = {"identity": pd.array([f"p{k // 4}" for k in PLACE], dtype="string")}
#: Labels that replace the made ones, and who is called correctly.
ODD = {
    "everyone is called male": ({}, MALE),
    "everyone is called female": ({}, ~MALE),
    "all right": ({}, np.ones(N, bool)),
    "all wrong": ({}, np.zeros(N, bool)),
    "one group all right": ({}, FIRST | MOSTLY),
    "one group all wrong": ({}, ~FIRST & MOSTLY),
    "no ages, everyone is called male": (NO_AGE, MALE),
    "one ethnicity, everyone is called female": ({"ethnicity": "A"}, ~MALE),
    "women alone, all called male": ({"gender": "female"}, np.zeros(N, bool)),
    "gender is ethnicity": ({"ethnicity": np.where(MALE, "B", "A")}, MOSTLY),
    "no ethnicity, everyone is called male": ({"ethnicity": "not recorded"}, MALE),
    "a group a face": ({"ethnicity": [f"E{k}" for k in PLACE]}, MOSTLY),
    "known persons, everyone is called male": (PERSONS, MALE),
    "one person": ({"identity": pd.array(["p"] * N, dtype="string")}, MOSTLY),
    "ten faces": ({}, MALE[:10]),
    "two faces": ({}, MALE[:2]),
}


def numbers_that_are_none(text: str) -> list[str]:
    return [line for line in text.splitlines() if re.search(r"(?<![A-Za-z])(nan|NaN|inf|None|<NA>)(?![A-Za-z])", line)]


@pytest.mark.parametrize("name", ODD)
def test_every_answer_is_in_words(name: str) -> None:
    labels, correct = ODD[name]
    faces = made_faces(N, ages=(18, 60), ethnicities=("A", "B"), columns=labels)
    audit = made_audit(faces=faces.iloc[: len(correct)], correct=correct, shape=None)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for text in (gaps_report(audit, Filter()), noise_report(audit), audit_report(audit)):
            assert numbers_that_are_none(text) == []
        gaps_record(audit, Filter(), Path("no models"))
    assert [str(warning.message) for warning in warned] == []


def test_what_cannot_be_seen_is_said() -> None:
    faces = made_faces(N, ages=(18, 60), ethnicities=("A", "B"))
    men, women = (gaps_report(made_audit(faces=faces, correct=right, shape=None), Filter()) for right in (MALE, ~MALE))
    assert "2 points less cannot be seen at this accuracy" in men
    assert re.search(r"demographic parity ratio +not known +every rate is 0", women)
