"""Predictions imported without a model: tables as pandas, pyarrow and the csv module write them, and their traps."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.audit.average_setting import AverageSetting, KeepAverages
from core.audit.folder import open_audit
from core.audit.notes import NoteCode, note_words
from core.audit.run import run_audit
from core.classifiers.folder import load_model
from core.classifiers.imported import declare, from_dict, import_model
from core.classifiers.imported.import_options import PredictionTable
from core.classifiers.imported.outputs import classes_doubt
from core.classifiers.imported.predictions import scores_for
from core.classifiers.info import ModelKind, model_info
from core.commands.importing import import_
from core.data.sources import tables
from core.errors import LookwhereError
from core.present.text.tables import audit_report
from core.present.text.task import unused_predictions
from tests.helpers.made_store import make_store

MALE = {"score": "probability", "of": "male"}
BOTH = {"score": "probabilities", "female": 0, "male": 1}
PERCENT = {"score": "percentage", "of": "male"}
LOGIT = {"score": "logit", "of": "male"}


def faces_table(paths: list[str], ids: list[str] | None = None) -> pd.DataFrame:
    return pd.DataFrame({"path": paths, "face_id": ids or [f"face-{n}" for n in range(len(paths))]})


def imported(file: Path, tmp_path: Path, declaration: dict | None = None, **columns: object) -> Path:
    return import_model(
        file,
        "theirs",
        declare(None, **(declaration or MALE)),
        models=tmp_path / "models",
        table=PredictionTable(**columns),
    )


def scores(path: Path, faces: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return scores_for(path, model_info(path), faces)


def p_male(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(logits[:, 0].astype(float) - logits[:, 1]))


def written(tmp_path: Path, table: pd.DataFrame, how: str) -> Path:
    """The table as a tool writes it."""
    file = tmp_path / ("scores.parquet" if "parquet" in how or how == "pyarrow" else "scores.csv")
    if how == "pandas csv":
        table.to_csv(file, index=False)
    elif how == "with index":
        table.to_csv(file)
    elif how == "excel":
        table.to_csv(file, index=False, sep=";", encoding="utf-8-sig", lineterminator="\r\n")
    elif how == "utf-16 tabs":
        table.to_csv(file, index=False, sep="\t", encoding="utf-16")
    elif how == "all quoted":
        with file.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
            writer.writerows([table.columns, *table.to_numpy().tolist()])
    elif how == "pandas parquet":
        table.to_parquet(file)
    else:
        names = pa.array(table["file"].tolist()).dictionary_encode()
        pq.write_table(pa.table({"file": names, "score": pa.array(table["score"], pa.float32())}), file)
    return file


@pytest.mark.parametrize(
    "how", ["pandas csv", "with index", "excel", "utf-16 tabs", "all quoted", "pandas parquet", "pyarrow"]
)
def test_tables_of_real_tools_are_read_alike(how: str, tmp_path: Path) -> None:
    names = ["a/1.jpg", "a/Zoë, 2nd.jpg", 'a/3 "x".png', "b/1.jpg"]
    table = pd.DataFrame({"file": names, "score": [0.125, 1.0, 0.0, 0.75]})
    path = imported(written(tmp_path, table, how), tmp_path)
    info = model_info(path)
    assert (info.kind, info.rows, info.outputs, info.maps) == (ModelKind.PREDICTIONS, 4, 1, None)
    assert {file.name for file in path.iterdir()} == {"predictions.parquet", "model.json"}
    assert str(tmp_path) not in (path / "model.json").read_text()
    logits, has_score = scores(path, faces_table(["b/1.jpg", "a/1.jpg", "c/none.jpg", 'a/3 "x".png', "a/Zoë, 2nd.jpg"]))
    assert has_score.tolist() == [True, True, False, True, True] and logits.dtype == np.float32
    np.testing.assert_allclose(p_male(logits), [0.75, 0.125, 0, 1], atol=2e-7)
    assert np.isfinite(logits).all()


@pytest.mark.parametrize(
    ("said", "columns", "expected"),
    [
        ({"score": "probability", "of": "female"}, ("f",), [0.8, 0.1, 0.6]),
        ({"score": "logit", "of": "male"}, ("z",), [1 / (1 + np.exp(z)) for z in (2.0, -3.0, 0.5)]),
        (BOTH, ("f", "m"), [0.8, 0.1, 0.6]),
        ({"score": "probabilities", "female": 1, "male": 0}, ("m", "f"), [0.8, 0.1, 0.6]),
        ({"score": "logits", "female": 0, "male": 1}, ("z", "y"), [1 / (1 + np.exp(-z)) for z in (1.0, -4.0, -1.5)]),
        (
            {"score": "logits", "female": 0, "male": 2},
            ("z", "m", "y"),
            [1 / (1 + np.exp(-z)) for z in (1.0, -4.0, -1.5)],
        ),
    ],
)
def test_scores_mean_what_is_declared(said: dict, columns: tuple[str, ...], expected: list, tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "Image": ["1.jpg", "2.jpg", "3.jpg"],
            "f": [0.8, 0.1, 0.6],
            "m": [0.2, 0.9, 0.4],
            "z": [2.0, -3.0, 0.5],
            "y": [1, 1, 2],
        }
    )
    table.to_csv(tmp_path / "s.csv", index=False)
    path = imported(tmp_path / "s.csv", tmp_path, said, file_column="image", score_columns=columns)
    logits, has_score = scores(path, faces_table(["x/1.jpg", "x/2.jpg", "x/3.jpg"]))
    assert has_score.all()
    np.testing.assert_allclose(1 - p_male(logits), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("files", "paths", "ids", "expected"),
    [
        (["UTKFace/1.jpg", "UTKFace/2.jpg"], ["UTKFace/2.jpg", "UTKFace/1.jpg"], None, [1, 0]),
        (["a/1.jpg", "b/1.jpg"], ["b/1.jpg", "a/1.jpg"], None, [1, 0]),
        # A path decides for all: b/1.jpg has no prediction, and a/1.jpg's is not taken for it.
        (["a/1.jpg"], ["b/1.jpg", "a/1.jpg"], None, [-1, 0]),
        (["./set/1.jpg"], ["set/1.jpg"], None, [0]),
        (["set\\1.jpg", "set\\sub\\2.jpg"], ["set/sub/2.jpg", "set/1.jpg"], None, [1, 0]),
        (["C:\\me\\faces\\1.jpg", "C:\\me\\faces\\2.jpg"], ["UTK/2.jpg", "UTK/1.jpg"], None, [1, 0]),
        (["id-7", "id-8"], ["x/1.jpg", "x/2.jpg"], ["id-8", "id-7"], [1, 0]),
        (["007", "7"], ["x/1.jpg", "x/2.jpg"], ["7", "007"], [1, 0]),
        (["1.JPG.chip.JPG", "2.Jpeg"], ["x/2.jpeg", "x/1.jpg.chip.jpg"], None, [1, 0]),
        (["1.jpg", "2.jpg"], ["x/2.JPG", "x/3.JPG"], None, [1, -1]),
        # The same names in several folders: as many folders as tell them apart.
        (["/d/n1/1.jpg", "/d/n2/1.jpg", "/d/n2/2.jpg"], ["t/n2/1.jpg", "t/n1/1.jpg", "t/n2/2.jpg"], None, [1, 0, 2]),
        # A name without what a tool put behind it, or with it.
        (["1.jpg", "2.jpg"], ["x/2.jpg.chip.jpg", "x/1.jpg.chip.jpg", "x/3.jpg.chip.jpg"], None, [1, 0, -1]),
        (["a/1", "b/1"], ["t/b/1.jpg.chip.jpg", "t/a/1.jpg.chip.jpg"], None, [1, 0]),
        (["1.jpg.chip.jpg", "2.JPG.chip.jpg"], ["x/2.jpg", "x/1.jpg"], None, [1, 0]),
        (["00001_face0", "00002_face0"], ["x/00002_face0.png", "x/00001_face0.jpg"], None, [1, 0]),
        # The same name twice among faces that have no prediction hurts nobody.
        (["9.jpg"], ["a/1.jpg", "b/1.jpg", "a/9.jpg"], None, [-1, -1, 0]),
    ],
)
def test_faces_find_their_prediction(files: list, paths: list, ids: list | None, expected: list, tmp_path) -> None:
    values = np.linspace(0.1, 0.9, len(files))
    pd.DataFrame({"file": files, "score": values}).to_csv(tmp_path / "s.csv", index=False)
    logits, has_score = scores(imported(tmp_path / "s.csv", tmp_path), faces_table(paths, ids))
    assert has_score.tolist() == [n >= 0 for n in expected]
    np.testing.assert_allclose(p_male(logits), values[[n for n in expected if n >= 0]], atol=1e-6)


@pytest.mark.parametrize(
    ("files", "paths", "words"),
    [
        (["1.jpg", "2.jpg"], ["a/1.jpg", "b/1.jpg", "a/2.jpg"], ["named 1.jpg", "with their folders, as in a/1.jpg"]),
        (["x/1.jpg", "y/1.jpg"], ["a/1.jpg"], ["named 1.jpg"]),
        (["1.JPG", "1.jpg"], ["a/1.jpg"], ["named 1.jpg"]),
        (["1"], ["a/1.jpg", "a/1.png"], ["named 1"]),
        (["1.png"], ["a/1.jpg.chip.jpg"], ["none of 1 predictions", "1.png", "a/1.jpg.chip.jpg"]),
        (["one.jpg"], ["a/1.jpg", "a/2.jpg"], ["none of 1 predictions", "one.jpg", "a/1.jpg", "face-0"]),
    ],
)
def test_names_that_do_not_tell_are_an_error_that_shows_one(files, paths, words: list[str], tmp_path: Path) -> None:
    pd.DataFrame({"file": files, "score": 0.5}).to_csv(tmp_path / "s.csv", index=False)
    path = imported(tmp_path / "s.csv", tmp_path)
    with pytest.raises(LookwhereError) as refused:
        scores(path, faces_table(paths))
    assert all(word in str(refused.value) for word in words), str(refused.value)


@pytest.mark.parametrize(
    ("content", "said", "columns", "words"),
    [
        ("image,p\n1.jpg,0.5\n", MALE, {}, ["no column file, score", "there are image, p", "--file-column"]),
        ("file,p\n1.jpg,0.5\n", MALE, {}, ["no column score"]),
        ("file,score\n", MALE, {}, ["no row"]),
        ("", MALE, {}, ["the table is empty"]),
        ("file,score\n1.jpg,0.5\n2.jpg,male\n", MALE, {}, ["row 3", "'male', not a number"]),
        ("file,score\n1.jpg,nan\n2.jpg,\n", MALE, {}, ["score", "empty in every row"]),
        ("file,score\n1.jpg,\n2.jpg,1\n3.jpg,many\n", MALE, {}, ["row 4", "'many', not a number"]),
        ("file,score\n1.jpg,\n2.jpg,1.5\n", MALE, {}, ["row 3", "1.5"]),
        ("file,score\n1.jpg,Male\n", MALE, {}, ["row 2", "'Male', not a number", "declare score label"]),
        ("file,score\n1.jpg,Male\n2.jpg,boyish\n", {"score": "label"}, {}, ["row 3", "'boyish'", "woman"]),
        ("file,score\n1.jpg,101\n", PERCENT, {}, ["row 2", "between 0 and 100"]),
        ("file,score\n" + "".join(f"{n}.jpg,0.9\n" for n in range(30)), PERCENT, {}, ["none is above 1"]),
        ("file,f,m\n1.jpg,90,90\n", BOTH | {"score": "percentages"}, {"score_columns": ("f", "m")}, ["add up to 1.8"]),
        ("file,score\n1.jpg,inf\n", {"score": "logit", "of": "male"}, {}, ["row 2", "not a number"]),
        ("file,score\n1.jpg,0.5\n,0.4\n", MALE, {}, ["row 3", "names no file"]),
        ("file,score\n1.jpg,0.5\n.\\1.jpg,0.4\n", MALE, {}, ["1.jpg is there twice"]),
        ("file,score\n1.jpg,0.5\n1.jpg,0.5\n", MALE, {}, ["1.jpg is there twice"]),
        ("file,score\n1.jpg,97.5\n2.jpg,3\n", MALE, {}, ["row 2", "97.5", "percentages? Divide"]),
        ("file,score\n1.jpg,0.4\n2.jpg,97 %\n", MALE, {}, ["row 3", "'97 %'", "percentages"]),
        ("file;score\n1.jpg;0,93\n", MALE, {}, ["row 2", "'0,93'", "decimal point"]),
        ("file,score\n1.jpg,0,93\n2.jpg,0,1\n", MALE, {}, ["more fields than there are columns"]),
        ("file,score\na,b.jpg,0.9\n", MALE, {}, ["more fields than there are columns"]),
        ("file,score\n1.jpg,-2.5\n", MALE, {}, ["-2.5", "logits?"]),
        ("file,score\n1.jpg,2\n2.jpg,1e300\n", {"score": "logit", "of": "male"}, {}, ["row 3", "1e+300", "logit"]),
        ("file,score\n1.jpg,0.5\n2.jpg,True\n", MALE, {}, ["score is true or false"]),
        ("file,score\n1.jpg,False\n", MALE, {}, ["score is true or false"]),
        ("file,score\n1.jpg,0.5\n", MALE | {"layer": "layer4"}, {}, ["layer", "no image"]),
        ("file,score\n1.jpg,0.5\n", MALE | {"size": 112, "channels": "rgb"}, {}, ["size, channels", "no image"]),
        ("file,score\n1.jpg,0.5\n", MALE | {"output": "p"}, {}, ["output", "no image"]),
        ("file,score\n1.jpg,0.5\n", MALE | {"divisor": 255}, {}, ["divisor", "no image"]),
        ("file,f,m\n1.jpg,0.9,0.9\n", BOTH, {"score_columns": ("f", "m")}, ["row 2", "add up to 1.8"]),
        ("file,f,m\n1.jpg,0.9,0.1\n", BOTH, {"score_columns": ("f",)}, ["--score-column", "2 different"]),
        ("file,f,m\n1.jpg,0.9,0.1\n", BOTH, {"score_columns": ("f", "f")}, ["--score-column", "2 different"]),
        ("file,f,m\n1.jpg,0.9,0.1\n", MALE, {"score_columns": ("f", "m")}, ["--score-column", "needs one"]),
    ],
)
def test_traps_are_refused_in_one_line(content: str, said: dict, columns: dict, words: list[str], tmp_path) -> None:
    file = tmp_path / "scores.csv"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(LookwhereError) as refused:
        imported(file, tmp_path, said, **columns)
    message = str(refused.value)
    assert "\n" not in message and all(word in message for word in words), message
    assert list((tmp_path / "models").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "said", "columns", "expected"),
    [
        ("file,score\n1.jpg,93\n2.jpg,0.5\n3.jpg,50\n", PERCENT, ("score",), [0.93, 0.005, 0.5]),
        (
            "file,f,m\n1.jpg,7,93\n2.jpg,80,20\n3.jpg,50,50\n",
            BOTH | {"score": "percentages"},
            ("f", "m"),
            [0.93, 0.2, 0.5],
        ),
        ("file,score\n1.jpg,Male\n2.jpg,WOMAN \n3.jpg,m\n", {"score": "label"}, ("score",), [1, 0, 1]),
    ],
)
def test_percentages_and_words_are_taken_where_declared(content, said, columns, expected: list, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(content)
    path = imported(tmp_path / "s.csv", tmp_path, said, score_columns=columns)
    np.testing.assert_allclose(p_male(scores(path, faces_table(["1.jpg", "2.jpg", "3.jpg"]))[0]), expected, atol=1e-6)
    assert model_info(path).decisions is (said["score"] == "label")


def test_rows_without_a_score_leave_their_faces_out(tmp_path: Path) -> None:
    names = [f"{n}.jpg" for n in range(6)]
    tables = {
        "s.csv": (pd.DataFrame({"file": names, "score": ["0.5", "", "NA", "0.25", "nan", "1"]}), MALE),
        "s.parquet": (pd.DataFrame({"file": names, "score": pd.array([1, None, None, 2, None, -1], "Float32")}), LOGIT),
        "w.csv": (pd.DataFrame({"file": names, "score": ["male", "", "None", "f", "N/A", "man"]}), {"score": "label"}),
    }
    for name, (table, declaration) in tables.items():
        table.to_csv(tmp_path / name, index=False) if name.endswith("csv") else table.to_parquet(tmp_path / name)
        path = import_model(tmp_path / name, name, declare(None, **declaration), models=tmp_path / "models")
        assert (model_info(path).empty, model_info(path).rows) == (3, 3)
        assert scores(path, faces_table(names))[1].tolist() == [True, False, False, True, False, True]


def test_names_that_fit_no_face_show_at_the_import(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", faces=40)
    pd.DataFrame({"file": store.faces["path"][:30], "score": 0.5}).to_csv(tmp_path / "s.csv", index=False)
    flags = {"score": "probability", "of": "male", "models": tmp_path / "models", "data": tmp_path / "store"}
    report = import_(tmp_path / "s.csv", "theirs", **flags)
    assert "predictions are there for 30 of 40 faces" in report and "of no face there" not in report
    pd.DataFrame({"file": ["other.jpg"], "score": 0.5}).to_csv(tmp_path / "s.csv", index=False)
    with pytest.raises(LookwhereError, match=r"s\.csv: none of 1 predictions is of a face here"):
        import_(tmp_path / "s.csv", "others", **flags)
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["theirs"]


def test_only_what_is_of_scores_is_kept_and_decisions_are_told(tmp_path: Path) -> None:
    for values, decisions in (([0, 1, 1], True), ([0, 1, 0.5], False)):
        file = tmp_path / f"{values[2]}.csv"
        pd.DataFrame({"file": ["1.jpg", "2.jpg", "3.jpg"], "score": values}).to_csv(file, index=False)
        info = model_info(import_model(file, f"theirs-{values[2]}", declare(None, **MALE), models=tmp_path / "models"))
        assert info.declaration.to_json() == MALE and info.decisions is decisions
    assert from_dict(info.declaration.to_json()).as_dict()["score"] == "probability"


@pytest.mark.parametrize("name", ["experiments", "Experiments"])
def test_the_name_of_the_experiments_is_kept(name: str, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("file,score\n1.jpg,0.5\n")
    with pytest.raises(LookwhereError, match="kept for experiments"):
        import_model(tmp_path / "s.csv", name, declare(None, **MALE), models=tmp_path / "models")


def test_parquet_traps_are_refused(tmp_path: Path) -> None:
    names = [f"{n}.jpg" for n in range(60)]
    true = pd.DataFrame({"file": names, "score": np.arange(60) % 2 == 0})
    shares = pd.DataFrame({"file": names, "score": np.linspace(0, 1, 60)})
    for table, declaration, words in (
        (true, MALE, "true or false"),
        (shares, {"score": "logit", "of": "male"}, r"declared as logit, .* probability\?"),
    ):
        table.to_parquet(tmp_path / "s.parquet")
        with pytest.raises(LookwhereError, match=words):
            imported(tmp_path / "s.parquet", tmp_path, declaration)
    (tmp_path / "s.parquet").write_bytes((tmp_path / "s.parquet").read_bytes()[:-20])
    with pytest.raises(LookwhereError, match="not a readable table"):
        imported(tmp_path / "s.parquet", tmp_path)


def test_an_audit_of_predictions_end_to_end(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", faces=90)
    predicted_faces = store.faces.iloc[:80]
    draw = np.random.default_rng(3)
    p = np.where(predicted_faces["gender"] == "male", 0.8, 0.2) + draw.normal(0, 0.15, 80)
    pd.DataFrame({"file": predicted_faces["path"].str.replace("/", "\\"), "score": p.clip(0, 1)}).to_csv(
        tmp_path / "s.csv", index=False, sep=";", encoding="utf-8-sig"
    )
    model = load_model(imported(tmp_path / "s.csv", tmp_path))
    assert model.classify is None
    audit = run_audit(store, model, ("all",))
    expected = (p.clip(0, 1) >= 0.5) == (predicted_faces["gender"] == "male").to_numpy()
    assert len(audit.faces) == 80 and audit.manifest.not_predicted == 10
    assert audit.manifest.predictions_unused == 0 and unused_predictions(audit.manifest) is None
    np.testing.assert_array_equal(audit.faces["correct"].to_numpy(), expected)
    np.testing.assert_allclose(audit.faces["p_male"], p.clip(0, 1), atol=1e-6)
    assert not audit.has_maps and audit.evidence is None
    assert not open_audit(audit.path).has_maps and audit.manifest.warnings == ()


def test_outputs_beside_the_two_classes_are_told(tmp_path: Path) -> None:
    """As where the weights are those of ImageNet's 1,000 classes."""
    pd.DataFrame({"file": ["1", "2"], "a": [1, 2.5], "b": [3, 4.5], "c": [5, 6.5]}).to_csv(tmp_path / "s.csv")
    flags = {"score": "logits", "female": 2, "male": 0, "models": tmp_path / "models"}
    report = import_(tmp_path / "s.csv", "three", score_column=("a", "b", "c"), **flags)
    assert "of its 3 outputs only 2 (female) and 0 (male) are compared" in report
    flags |= {"female": 1}
    assert "are compared" not in import_(tmp_path / "s.csv", "two", score_column=("a", "b"), **flags)


def test_predictions_of_no_face_are_counted_and_told(tmp_path: Path) -> None:
    """As where some rows name files otherwise than the rest: one way of naming is taken for all."""
    store = make_store(tmp_path / "store", faces=60)
    names = [*store.faces["path"][:40], *("elsewhere/x-" + store.faces["path"][40:].str.rpartition("/")[2])]
    p = np.where(store.faces["gender"] == "male", 0.9, 0.1)
    pd.DataFrame({"file": names, "score": p}).to_csv(tmp_path / "s.csv", index=False)
    audit = run_audit(store, load_model(imported(tmp_path / "s.csv", tmp_path)), ("all",))
    assert (len(audit.faces), audit.manifest.not_predicted, audit.manifest.predictions_unused) == (40, 20, 20)
    assert open_audit(audit.path).manifest.predictions_unused == 20
    sentence = "20 of the predictions are of no face of this data set"
    assert unused_predictions(audit.manifest) == sentence
    assert sentence in audit_report(audit)


def test_a_certainty_of_whichever_class_is_asked_about(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", faces=60)
    p = np.random.default_rng(0).uniform(0.5, 1, 60)
    pd.DataFrame({"file": store.faces["path"], "score": p}).to_csv(tmp_path / "s.csv", index=False)
    audit = run_audit(store, load_model(imported(tmp_path / "s.csv", tmp_path)), ("all",))
    (note,) = audit.manifest.warnings
    assert note_words(note).endswith("and is the score of one class, not of whichever was predicted?")


def test_swapped_classes_are_asked_about(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", faces=60)
    p = np.where(store.faces["gender"] == "male", 0.9, 0.1)
    pd.DataFrame({"file": store.faces["face_id"], "score": p}).to_parquet(tmp_path / "s.parquet")
    swapped = load_model(imported(tmp_path / "s.parquet", tmp_path, {"score": "probability", "of": "female"}))
    audit = run_audit(store, swapped, ("all",), averages=AverageSetting(KeepAverages.NO))
    assert audit.manifest.accuracy == 0 and audit.manifest.warnings[0].code is NoteCode.CLASSES_SWAPPED
    assert not classes_doubt(0.45, 20) and classes_doubt(0.45, 2000)
    assert not classes_doubt(0.55, 2000) and not classes_doubt(0.0, 0)


def test_images_inside_a_parquet_are_found_by_the_end_of_their_id(tmp_path: Path) -> None:
    file = tmp_path / "scores.csv"
    file.write_text("file;score\nD:\\faces\\0.JPG;0.9\nD:\\faces\\1.JPG;0.2\n", encoding="utf-8")
    path = imported(file, tmp_path)
    faces = faces_table(["x.parquet/0", "x.parquet/1"], ["val/0.jpg", "val/1.jpg"])
    logits, has_score = scores(path, faces)
    assert has_score.all()
    assert p_male(logits) == pytest.approx([0.9, 0.2], abs=1e-6)


def test_a_table_that_unfolds_beyond_bounds_is_not_taken_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAXIMUM_TABLE_BYTES", 10**6)
    file = tmp_path / "scores.parquet"
    pq.write_table(pa.table({"file": ["x" * 10_000] * 5_000, "score": [0.5] * 5_000}), file)
    with pytest.raises(LookwhereError, match=r"scores.parquet: not a readable table \(it unfolds to over 1 MB"):
        imported(file, tmp_path)


def test_damaged_predictions_are_told(tmp_path: Path) -> None:
    file = tmp_path / "scores.csv"
    file.write_text("file,score\na.jpg,0.2\nb.jpg,0.8\n")
    path = imported(file, tmp_path)
    (path / "predictions.parquet").write_bytes(b"PAR1")
    with pytest.raises(LookwhereError, match=r"predictions\.parquet: "):
        scores(path, faces_table(["a.jpg", "b.jpg"]))
