"""Faces labelled otherwise than with one of the two classes: kept, called, told, and in no accuracy or average."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import __main__ as command
from core.analysis.accuracy.by_group import accuracy_by
from core.analysis.accuracy.otherwise import labelled_otherwise
from core.audit.folder import Audit, open_audit
from core.audit.run import run_audit
from core.classifiers.folder import Model, load_model
from core.classifiers.info import ModelInfo
from core.data.filters import Filter
from core.data.otherwise import label_counts
from core.data.splits import Subset
from core.data.store import AlignedStore
from core.data.targets import task_for
from core.present.records.audits import audit_record
from core.present.text.otherwise import otherwise_lines, otherwise_sentence
from core.present.text.tables import audit_report, reading_report, store_report
from core.wording import percent
from tests.helpers import data_set_trees as trees
from tests.helpers.datasets_made import read, rejects
from tests.helpers.made_store import store_of
from tests.helpers.made_study import Brightness

INFO = ModelInfo(weights_sha256="1" * 64, input_size=112, mean=(0.5,) * 3, std=(0.25,) * 3)
LABELS = ("f", "m", "non-binary", "f", "m", "Other", "nonbinary", "f", "m", "femal")


def data_set(folder: Path, n: int = 60, labels: tuple[str, ...] = LABELS) -> Path:
    rows = [
        f"{k:02}.jpg,{labels[k % len(labels)]},{20 + k},{('yes', 'no')[k % 3 % 2]},{('train', 'test')[k % 7 % 2]}"
        for k in range(n)
    ]
    table = "\n".join(["path,gender,age,glasses,split", *rows])
    return trees.manifest(folder, table, pictures=[f"{k:02}.jpg" for k in range(n)])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> AlignedStore:
    root = tmp_path_factory.mktemp("otherwise")
    return store_of(data_set(root / "set"), root / "store")


@pytest.fixture(scope="module")
def audit(store: AlignedStore, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    model = Model("m", tmp_path_factory.mktemp("models") / "m", None, INFO, Brightness(None))
    return run_audit(store, model, ("all",), name="all")


def test_labels_beyond_the_two_are_read_apart_and_typing_errors_are_not(tmp_path: Path) -> None:
    reading = read("manifest", data_set(tmp_path))
    assert len(reading.faces) == len(reading.own) == 36
    assert reading.otherwise["gender"].value_counts().to_dict() == {"nonbinary": 12, "other": 6}
    assert set(rejects(reading).values()) == {"gender 'femal' is not known; write female or male"}


def test_a_store_keeps_them_beside_its_faces_with_their_columns(store: AlignedStore) -> None:
    assert store.manifest.otherwise == {"nonbinary": 12, "other": 6}
    assert set(store.faces["gender"]) == {"female", "male"} and len(store.faces) == 36 == store.manifest.faces
    apart = store.otherwise.set_index("face_id")
    assert apart.loc["02.jpg", "glasses"] == "yes" and apart.loc["06.jpg", "gender"] == "nonbinary"
    rows = [*store.faces["row"], *store.otherwise["row"]]
    assert len(set(rows)) == 54 == len(store.images)
    assert "labelled otherwise, in no accuracy, gap or average: 12 nonbinary, 6 other" in store_report(store)


def test_the_others_are_as_they_would_be_alone(store: AlignedStore, tmp_path: Path) -> None:
    alone = data_set(tmp_path / "alone", labels=("f", "m", "?", "f", "m", "?", "?", "f", "m", "?"))
    again = store_of(alone, tmp_path / "store")
    assert again.manifest.otherwise == {} and again.otherwise.empty
    assert not (tmp_path / "store/otherwise.parquet").exists()
    assert again.faces["face_id"].tolist() == store.faces["face_id"].tolist()
    assert again.manifest.data_fingerprint == store.manifest.data_fingerprint


def test_a_subset_is_of_the_two_classes(store: AlignedStore, tmp_path: Path) -> None:
    small = store_of(data_set(tmp_path / "set"), tmp_path / "store", subset=Subset("gender", 10))
    assert small.faces["gender"].value_counts().to_dict() == {"female": 5, "male": 5}
    assert len(small.otherwise) == 18


def test_an_audit_says_what_the_model_calls_them(store: AlignedStore, audit: Audit) -> None:
    assert audit.manifest.otherwise == {"nonbinary": 12, "other": 6}
    assert len(audit.faces) == 36 and accuracy_by(audit.faces, [])["n"].item() == 36
    logits, _ = Brightness(None)(store.images[store.otherwise["row"].to_numpy()])
    apart = open_audit(audit.path).otherwise
    np.testing.assert_allclose(apart[["logit_female", "logit_male"]].to_numpy(), logits)
    called = np.where(logits[:, 1] >= logits[:, 0], "male", "female")
    assert apart["predicted"].tolist() == called.tolist() and "correct" not in apart
    table = labelled_otherwise(audit).set_index("label")
    assert table["n"].to_dict() == {"nonbinary": 12, "other": 6}
    assert table["called"].sum() == (called == "male").sum()
    assert ((table["low"] <= table["share"]) & (table["share"] <= table["high"])).all()
    assert ((table["sureness"] >= 0.5) & (table["sureness"] <= 1)).all()


def test_where_another_attribute_is_classified_they_have_a_true_class(store: AlignedStore, tmp_path: Path) -> None:
    glasses = next(column for column in store.columns if column.name == "glasses")
    model = Model("m", tmp_path / "m", None, INFO.for_task(task_for(glasses)), Brightness(None))
    audit = open_audit(run_audit(store, model, ("all",), name="all").path)
    apart = audit.otherwise
    assert len(audit.faces) == 36 and audit.manifest.otherwise == {"nonbinary": 12, "other": 6}
    right = apart["predicted"].to_numpy(dtype=object) == apart["glasses"].to_numpy(dtype=object)
    table = labelled_otherwise(audit).set_index("label")
    for label in ("nonbinary", "other"):
        of_label = right[(apart["gender"] == label).to_numpy()]
        assert (table.loc[label, "correct"], table.loc[label, "accuracy"]) == (of_label.sum(), of_label.mean())
        assert table.loc[label, "accuracy_low"] <= of_label.mean() <= table.loc[label, "accuracy_high"]
    calls = (apart["predicted"] == "yes").sum()
    assert otherwise_sentence(audit) == (
        "The gender of 18 faces is labelled otherwise than female or male (12 nonbinary, 6 other); they are in no "
        f"accuracy, gap or average. The model calls {calls} glasses and {18 - calls} no glasses, and is correct for "
        f"{right.sum()} of 18."
    )
    assert f"  nonbinary           12  correct {percent(table.loc['nonbinary', 'accuracy'])} [" in audit_report(
        audit, "all"
    )


def test_a_filter_holds_for_them_too(audit: Audit) -> None:
    some = Filter(gender=("male",), age_from=50, outcome="incorrect", columns=(("glasses", ("yes",)),))
    apart = audit.otherwise
    inside = apart[(apart["age"] >= 50) & (apart["glasses"] == "yes")]
    assert labelled_otherwise(audit, some)["n"].sum() == len(inside) > 0
    assert (
        otherwise_sentence(audit, Filter(age_from=100)) is None and otherwise_lines(audit, Filter(age_from=100)) == []
    )


def test_they_are_told_in_words_and_as_json(audit: Audit) -> None:
    report = audit_report(audit, "all")
    assert (
        "18 faces are labelled otherwise (12 nonbinary, 6 other) and in no accuracy, gap or average: the model"
        in report
    )
    assert "  nonbinary           12  called male " in report
    (scope,) = audit_record(audit, "all")["scopes"]
    assert scope["labelled_otherwise"]["label"].tolist() == ["nonbinary", "other"]


def test_of_chosen_splits_those_of_the_splits_are_called(store: AlignedStore, tmp_path: Path) -> None:
    model = Model("m", tmp_path / "m", None, INFO, Brightness(None))
    splits = store.otherwise["split"]
    audit = run_audit(store, model, ("train",), name="train")
    assert len(audit.otherwise) == (splits == "train").sum() < 18


def test_check_counts_them(tmp_path: Path) -> None:
    from core.data.readers import READERS
    from core.data.sources import open_source

    source = open_source(data_set(tmp_path))
    report = reading_report(READERS["manifest"].read(source), READERS["manifest"], source)
    assert "labelled otherwise, in no accuracy, gap or average: 12 nonbinary, 6 other" in report


def test_imported_predictions_say_what_they_call_them(store: AlignedStore, tmp_path: Path) -> None:
    """All but one of them have a prediction."""
    names = [*store.faces["path"], *store.otherwise["path"].iloc[1:]]
    table = "\n".join(["file,p_male", *(f"{name},0.{20 + n}" for n, name in enumerate(names))])
    (tmp_path / "scores.csv").write_text(table)
    words = ["import", tmp_path / "scores.csv", "--name", "theirs", "--score", "probability", "--of", "male"]
    words += ["--score-column", "p_male", "--models", tmp_path / "models"]
    assert command.main([str(word) for word in words]) == 0
    audit = run_audit(store, load_model(tmp_path / "models/theirs"), ("all",))
    assert audit.otherwise["face_id"].tolist() == store.otherwise["face_id"].iloc[1:].tolist()
    scores = {name: float(f"0.{20 + n}") for n, name in enumerate(names)}
    np.testing.assert_allclose(audit.otherwise["p_male"], audit.otherwise["path"].map(scores), atol=1e-6)


def test_labels_that_no_face_has_are_not_counted() -> None:
    """Where labels are categories, as those of a pack's people are, an empty part has all of them."""
    faces = pd.DataFrame({"gender": pd.Categorical(["female", "nonbinary"], ["female", "male", "nonbinary"])})
    assert label_counts(faces) == {"female": 1, "nonbinary": 1}
    assert label_counts(faces[:0]) == {}
