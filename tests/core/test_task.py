"""What is classified: columns and words of a task, kept with models and audits, and read where a file tells none."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.analysis.accuracy.by_group import confusion
from core.audit.manifest import AuditManifest
from core.classifiers.info import WITH_TASK, ModelInfo
from core.data.columns import Column, Kind
from core.data.targets import find_task
from core.errors import LookwhereError
from core.task import GENDER, GENDERS, ClassWords, Task, carrying, task_of

GLASSES = Task(
    attribute="Eyeglasses",
    words="glasses",
    classes=("no", "yes"),
    nouns=(
        ClassWords(label="no glasses", pattern="{} without glasses"),
        ClassWords(label="glasses", pattern="{} with glasses"),
    ),
)
FACES = pd.DataFrame(
    {
        "gender": ["female", "male", "male"],
        "Eyeglasses": pd.Categorical(["yes", None, "no"]),
        "logit_female": np.float32([2, 0, 1]),
        "logit_male": np.float32([0, 0, 3]),
        "p_male": np.float32([0.1, 0.5, 0.9]),
        "logit_no": np.float32([0, 1, 2]),
        "logit_yes": np.float32([5, 1, 1]),
        "p_yes": np.float32([0.99, 0.5, 0.3]),
    }
)


def test_each_task_reads_its_own_columns() -> None:
    assert GENDER.is_positive(FACES).tolist() == [False, True, True]
    assert GENDER.called(FACES).tolist() == [False, True, True]
    assert GENDER.margin(FACES).tolist() == [2, 0, -2]
    assert GENDER.known(FACES).all()
    assert GLASSES.is_positive(FACES).tolist() == [True, False, False]
    assert GLASSES.known(FACES).tolist() == [True, False, True]
    assert GLASSES.called(FACES, 0.995).tolist() == [False, False, False]
    assert GLASSES.margin(FACES).tolist() == [-5, 0, 1]
    with pytest.raises(LookwhereError, match="no column 'Eyeglasses'; align them again"):
        GLASSES.known(FACES.drop(columns="Eyeglasses"))


def test_words_of_classes_go_round_those_of_groups() -> None:
    smiling = ClassWords(label="smiling", pattern="smiling {}")
    assert [smiling.many, smiling.of("Black women"), smiling.one] == [
        "smiling faces", "smiling Black women", "smiling face",
    ]  # fmt: skip
    assert GLASSES.of("yes").of("smiling faces") == "smiling faces with glasses"
    assert GLASSES.of("no").many == "faces without glasses"
    words = GENDER.of("female")
    assert (words.one, words.many, words.child, words.children) == ("woman", "women", "girl", "girls")
    assert GENDER.labels == ("female", "male") and GLASSES.label("yes") == "glasses" and GLASSES.label("?") == "?"
    assert (GENDER.name, GLASSES.name) == ("gender", "glasses")
    with pytest.raises(LookwhereError, match="'male' is no class of Eyeglasses; there are no, yes"):
        GLASSES.of("male")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"classes": ("yes", "yes")}, "two classes of different names"),
        ({"classes": ("", "yes")}, "two classes of different names"),
        ({"attribute": ""}, "an attribute"),
        ({"attribute": "gender"}, "female, male, in this order"),
        ({"nouns": (ClassWords(label="a", pattern="with"), ClassWords(label="b"))}, "'with' has no {}"),
    ],
)
def test_what_is_no_task_is_told(content: dict, message: str) -> None:
    with pytest.raises(LookwhereError, match=message):
        replace(GLASSES, **content)


def test_models_and_audits_keep_their_task_and_older_ones_are_of_gender() -> None:
    audit = {"model": "m", "dataset": "d", "splits": ("test",), "faces": 1, "map_shape": None}
    for old in (ModelInfo(), AuditManifest(**audit)):
        assert old.task == GENDER and "task" not in old.to_json() and old.to_json()["format"] == 2
    records = [ModelInfo().for_task(GLASSES), AuditManifest(**audit).for_task(GLASSES)]
    assert [new.to_json()["format"] for new in records] == [WITH_TASK] * 2
    again = AuditManifest.from_json(json.loads(json.dumps(records[1].to_json())))
    assert again.task == GLASSES and hash(again.task) == hash(GLASSES)
    assert records[0].classes == GLASSES.classes and records[0].for_task(GENDER) == ModelInfo()
    assert records[0].declared_sha256 != records[0].for_task(replace(GLASSES, attribute="Hat")).declared_sha256
    broken = records[1].to_json() | {"task": {"attribute": "hat", "classes": ["no", "no"], "nouns": []}}
    with pytest.raises(LookwhereError, match=r"a\.json: task"):
        AuditManifest.from_json(broken, "a.json")


def column(name: str, levels: tuple[str, ...] = ("no", "yes"), kind: Kind = Kind.YES_NO, words: str = "") -> Column:
    return Column(name=name, kind=kind, levels=levels, words=words)


@pytest.mark.parametrize(
    ("own", "without", "having", "labels"),
    [
        (column("Eyeglasses"), "faces without glasses", "faces with glasses", ("no glasses", "glasses")),
        (column("Smiling"), "faces not smiling", "smiling faces", ("not smiling", "smiling")),
        (column("No_Beard"), "faces with a beard", "faces without a beard", ("beard", "no beard")),
        (column("face mask"), "faces without face mask", "faces with face mask", ("no face mask", "face mask")),
        (column("x", words="wearing a mask"), "faces not wearing a mask", "faces wearing a mask",
         ("not wearing a mask", "wearing a mask")),
        (column("Wearing_Hat"), "faces without a hat", "faces with a hat", ("no hat", "hat")),
        (column("ring"), "faces without ring", "faces with ring", ("no ring", "ring")),
        (column("a{}b"), "faces without a()b", "faces with a()b", ("no a()b", "a()b")),
        (column("lens", ("back", "{front}"), Kind.CATEGORY), "faces with lens «back»", "faces with lens «(front)»",
         ("back", "{front}")),
    ],
)  # fmt: skip
def test_a_column_of_two_levels_is_said_as_a_person_would(
    own: Column, without: str, having: str, labels: tuple[str, str]
) -> None:
    task = find_task([column("other"), own], own.name.upper())
    assert (task.nouns[0].many, task.nouns[1].many, task.labels) == (without, having, labels)
    assert (task.attribute, task.classes) == (own.name, own.levels)


def test_what_cannot_be_a_target_is_told() -> None:
    columns = [column("hat"), column("skin", ("a", "b", "c"), Kind.ORDERED)]
    assert find_task(columns, "Gender") is GENDER
    with pytest.raises(LookwhereError, match="--target beard: no such column; there are gender, hat, skin"):
        find_task(columns, "beard")
    with pytest.raises(LookwhereError, match="--target skin: has 3 levels, a, b, c; what is classified has two"):
        find_task(columns, "skin")


def test_a_table_of_faces_carries_its_task_into_its_parts() -> None:
    faces = carrying(FACES, GLASSES)
    assert task_of(FACES) is GENDER and task_of(faces[faces["gender"] == "male"].reset_index(drop=True)) == GLASSES
    assert [task_of(part) for _, part in faces.groupby("gender")] == [GLASSES, GLASSES]
    labelled = faces[GLASSES.known(faces)]
    assert confusion(labelled).to_numpy().tolist() == [[1, 0], [0, 1]]
    assert confusion(FACES).index.tolist() == list(GENDERS)
