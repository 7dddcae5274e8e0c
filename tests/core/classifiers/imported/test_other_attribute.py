"""Models and tables of another attribute than gender are declared with its classes, and audited by its column."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import core.__main__
from core.audit.run import run_audit
from core.classifiers.folder import load_model
from core.classifiers.imported import declare, from_dict
from core.classifiers.imported.outputs import to_logits
from core.errors import LookwhereError
from tests.helpers.made_store import make_store

GLASSES = {"target": "Eyeglasses", "classes": ("no", "yes")}


@pytest.mark.parametrize(
    ("said", "outputs", "logits"),
    [
        ({"score": "logits", "indices": (2, 0)}, [[1, 9, 4]], [4, 1]),
        ({"score": "logit", "of": "yes"}, [[3.0]], [-1.5, 1.5]),
        ({"score": "logit", "of": "no"}, [[3.0]], [1.5, -1.5]),
        ({"score": "probabilities", "indices": (0, 1)}, [[0.25, 0.75]], np.log([0.25, 0.75])),
    ],
)
def test_outputs_become_logits_in_the_order_of_the_classes(said: dict, outputs: list, logits: list) -> None:
    spec = declare(**GLASSES, **said)
    assert to_logits(np.array(outputs), spec)[0] == pytest.approx(logits)
    again = from_dict(spec.as_dict())
    assert again == spec and again.task().name == "glasses"


def test_what_is_said_of_gender_says_nothing_new() -> None:
    fields = declare(score="logits", female=0, male=1).as_dict()
    assert not {"target", "classes", "indices"} & set(fields)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"score": "logits", "target": "hat", "indices": (0, 1)}, "target hat: give its two classes"),
        ({"score": "logits", "classes": ("a", "b"), "female": 0, "male": 1}, "say with --target which column"),
        ({**GLASSES, "score": "logits", "female": 0, "male": 1}, "female and male: are of gender"),
        ({**GLASSES, "score": "logits"}, "needs two different output indices"),
        ({**GLASSES, "score": "logits", "indices": (1, 1)}, "needs two different output indices"),
        ({**GLASSES, "score": "logit", "of": "male"}, "must be one of no, yes, not 'male'"),
        ({**GLASSES, "score": "logit", "of": "yes", "indices": (0, 1)}, "takes no indices"),
        ({"score": "logits", "female": 0, "male": 1, "indices": (0, 1)}, "are of another --target"),
        ({**GLASSES, "classes": ("yes", "yes"), "score": "logit", "of": "yes"}, "expected two different ones"),
        ({**GLASSES, "classes": [False, True], "score": "logit", "of": "yes"}, "put yes and no into quotes"),
    ],
)
def test_what_does_not_fit_is_told(said: dict, told: str) -> None:
    with pytest.raises(LookwhereError, match=told):
        declare(**said)


def test_a_table_of_labels_is_imported_and_audited(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    has = np.array(["no", "yes", None, "yes"] * 12, dtype=object)
    store = make_store(tmp_path / "store", 48, columns={"Eyeglasses": has})
    called = np.where(np.arange(48) % 8 == 1, "no", "YES")
    pd.DataFrame({"file": store.faces["path"], "score": called}).to_csv(tmp_path / "glasses.csv", index=False)
    line = ["import", str(tmp_path / "glasses.csv"), "--name", "theirs", "--models", str(tmp_path / "models")]
    assert core.__main__.main([*line, "--score", "label", "--target", "Eyeglasses", "--classes", "no", "yes"]) == 0
    capsys.readouterr()
    model = load_model(tmp_path / "models/theirs")
    audit = run_audit(store, model, ("all",))
    assert (len(audit.faces), audit.manifest.no_class) == (36, 12)
    assert audit.task == model.info.task
    expected = (has != None) & (np.char.lower(called) == has)  # noqa: E711
    assert int(audit.faces["correct"].sum()) == int(expected.sum())
    with pytest.raises(LookwhereError, match="no column Eyeglasses, which theirs classifies; align the data again"):
        run_audit(dataclasses.replace(store, faces=store.faces.drop(columns="Eyeglasses")), model, ("train",))
