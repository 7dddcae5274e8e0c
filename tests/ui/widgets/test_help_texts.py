"""What a page's help says of the audited faces and the training faces."""

from __future__ import annotations

import pandas as pd
import pytest

from core.classifiers.info import DataInfo, DeclaredInfo, ModelInfo, ModelKind, SourceInfo, model_info
from tests.helpers.made_audit import made_manifest
from tests.helpers.shipped import MODEL, shipped_or_skip
from ui.widgets.help_texts import model_summary, overlap, training_sentence


@pytest.mark.parametrize(
    ("fingerprint", "splits", "says"),
    [
        ("a", ["test"], "another split of the same data"),
        ("a", ["train", "test"], "trained on those of its train split"),
        ("b", ["test"], "nobody has looked up"),
    ],
)
def test_no_overlap_is_denied_that_was_not_looked_up(fingerprint: str, splits: list[str], says: str) -> None:
    data = DataInfo.from_json({"fingerprint": "a", "fingerprints": ["a"]})
    assert says in overlap(data, made_manifest(data_fingerprint=fingerprint, splits=splits))


def test_the_summary_calls_the_audited_faces_as_the_rest_of_the_page_does() -> None:
    shipped_or_skip()
    info = model_info(MODEL)
    own = made_manifest(dataset="manifest", splits=["test"], chosen="unseen", faces=119)
    assert "Audited on **119** faces (all splits of a data set of one's own);" in model_summary(info, own, ("gender",))
    second_manifest = made_manifest(dataset="utkface", splits=["test"], faces=60)
    assert "Audited on **60** faces (test split of UTKFace);" in model_summary(info, second_manifest, ("gender",))


def test_one_epoch_is_an_epoch() -> None:
    metrics = pd.DataFrame({"epoch": [1, 2], "val_accuracy": [0.6, 0.7], "worst_group_accuracy": [None, None]})
    metrics["worst_group"] = ""
    assert "after 1 epoch, epoch 1 is kept" in training_sentence(None, metrics.head(1), 1)
    assert "after 2 epochs, epoch 2 is kept" in training_sentence(None, metrics, 2)


@pytest.mark.parametrize(("decisions", "says"), [(True, "the class of a face alone"), (False, "to be one probability")])
def test_of_a_table_of_labels_no_probability_is_said_to_be_declared(decisions: bool, says: str) -> None:
    info = ModelInfo(
        kind=ModelKind.PREDICTIONS,
        architecture="predictions",
        declaration=DeclaredInfo(score="probability"),
        source=SourceInfo(file="scores.csv", sha256="0" * 64),
        decisions=decisions,
    )
    summary = model_summary(info, made_manifest(), ("gender",))
    assert says in summary
    assert ("declared to be" in summary) != decisions
