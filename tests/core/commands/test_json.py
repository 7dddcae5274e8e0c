"""`--json` of every command: one JSON object on stdout, nothing else there, and the numbers of the text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from core import __main__ as command
from core.classifiers.folder import save_model
from core.classifiers.imported import import_model
from core.classifiers.info import DataInfo, ModelInfo, TrainingInfo
from core.classifiers.resnet import GenderResNet
from core.present.records.values import plain
from tests.helpers.datasets_made import jpeg
from tests.helpers.made_experiment import make_diversity, make_repeated
from tests.helpers.made_store import make_store
from tests.helpers.onnx_made import DECLARED, small_onnx
from tests.helpers.recordio_writer import insightface_pack
from tests.helpers.shipped import AUDIT, MODEL, ROOT, shipped_or_skip
from tests.helpers.small_network import small_network

INFO = ModelInfo(input_size=32, epoch=1, training=TrainingInfo(choose="overall", seed=0))
NAMED = ["--model", "made", "--audit", "made-all"]


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """What a network computes is not looked at here."""
    with small_network():
        yield


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, small: None) -> Path:
    """A folder with a store of noise, an untrained model, predictions of another, and a pack of aligned faces."""
    root = tmp_path_factory.mktemp("json")
    store = make_store(root / "store", faces=120)
    torch.manual_seed(0)
    trained = {"train": len(store.split("train"))}
    data = DataInfo(dataset="made", fingerprint=store.manifest.data_fingerprint, faces=trained)
    save_model(root / "models/made", GenderResNet(dilated=True), replace(INFO, data=data))
    scores = np.where(store.faces["gender"] == "male", 0.8, 0.3)
    pd.DataFrame({"file": store.faces["path"], "p": scores}).to_csv(root / "scores.csv", index=False)
    labelled = store.faces[["path", "gender", "ethnicity", "age"]].assign(p=scores)
    labelled.to_csv(root / "labelled.csv", index=False)
    import_model(small_onnx(root / "small.onnx"), "small", DECLARED, models=root / "models")
    people = {n: [jpeg(112, grey=40 + 20 * n), jpeg(112, grey=50 + 20 * n)] for n in range(6)}
    insightface_pack(root / "pack", people)
    lines = [f"{n},{'female' if n % 2 else 'male'}" for n in people]
    (root / "labels.csv").write_text("\n".join(["identity,gender", *lines]) + "\n")
    make_repeated(root / "repeated")
    make_diversity(root / "diverse")
    return root


#: What each command is asked, in an order in which each finds what it needs; {root} is the study's folder.
CASES: dict[str, list[str]] = {
    "datasets": [],
    "align": ["--data", "{root}/pack", "--labels", "{root}/labels.csv", "--out", "{root}/aligned"],
    "look": ["--data", "{root}/store", "--faces", "2"],
    "measure": ["--data", "{root}/store"],
    "import": ["{root}/scores.csv", "--name", "theirs", "--score", "probability", "--of", "male",
               "--score-column", "p", "--models", "{root}/models"],
    "settings": ["--model", "small", "--data", "{root}/store", "--models", "{root}/models", "--ages", "all"],
    "audit": ["--model", "made", "--data", "{root}/store", "--split", "all", "--models", "{root}/models"],
    "table": ["{root}/labelled.csv", "--name", "tabled", "--score", "probability", "--of", "male",
              "--score-column", "p", "--models", "{root}/models"],
    "show": [*NAMED, "--models", "{root}/models"],
    "check": [*NAMED, "--data", "{root}/store", "--sample", "60", "--parts", "occlusion", "--models", "{root}/models"],
    "evidence": [*NAMED, "--models", "{root}/models"],
    "gaps": [*NAMED, "--models", "{root}/models"],
    "abstain": [*NAMED, "--models", "{root}/models"],
    "image": ["--model", MODEL.name, "--audit", AUDIT.name, "--models", str(MODEL.parent)],
    "slices": [*NAMED, "--ages", "all", "--models", "{root}/models"],
    "findings": [*NAMED, "--models", "{root}/models"],
    "review": [*NAMED, "--out", "{root}/suspects.csv", "--models", "{root}/models"],
    "experiments": ["--models", str(MODEL.parent)],
    "repeated": ["--models", "{root}/repeated"],
    "diversity": ["--models", "{root}/diverse"],
    "board": ["--folder", str(ROOT / "docs/board"), "--out", "{root}/board.md"],
    "compare": ["made/made-all", "made/made-all", "--models", "{root}/models"],
    "report": [*NAMED, "--out", "{root}/report.html", "--models", "{root}/models"],
    "portraits": ["--model", "small", "--models", "{root}/models"],
    "hashes": ["--model", "made", "--data", "{root}/store", "--models", "{root}/models"],
    "verify": ["{root}/models"],
    "jobs": ["--folder", "{root}/jobs"],
}  # fmt: skip


def run(capsys: pytest.CaptureFixture[str], name: str, arguments: list[str], root: Path, *more: str) -> str:
    assert command.main([name, *(word.format(root=root) for word in arguments), *more]) == 0
    return capsys.readouterr().out


def parsed(text: str) -> dict:
    """Strict JSON: NaN and Infinity, which Python's reader would take, are refused."""

    def refuse(word: str) -> float:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def documented() -> dict[str, set[str]]:
    """The top keys of each command, from the tables of docs/json.md."""
    text = (ROOT / "docs/json.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    keys_by_command = {}
    for section in sections:
        head, _, body = section.partition("\n")
        for name in re.findall(r"`(\w+)`", head):
            keys_by_command[name] = {key for row in re.findall(r"^\| (`[^|]+) \|", body, re.MULTILINE)
                           for key in re.findall(r"`(\w+)`", row)}  # fmt: skip
    return keys_by_command


def test_every_command_prints_json_alone_with_the_documented_keys(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(CASES) == set(command.COMMANDS), "a command without a case here"
    shipped_or_skip()
    keys = documented()
    for name, arguments in CASES.items():
        content = parsed(run(capsys, name, arguments, study, "--json"))
        assert content["command"] == name
        assert content["format"] == 1
        assert set(content) - {"command", "format"} == keys[name], name


def test_help_of_every_command_tells_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    for name in command.COMMANDS:
        with pytest.raises(SystemExit):
            command.main([name, "--help"])
        assert "--json" in capsys.readouterr().out, name


def numbers(value: object) -> list[float]:
    """Every number in a JSON value."""
    if isinstance(value, dict):
        return [number for entry in value.values() for number in numbers(entry)]
    if isinstance(value, list):
        return [number for entry in value for number in numbers(entry)]
    return [float(value)] if isinstance(value, int | float) and not isinstance(value, bool) else []


def unaccounted(text: str, content: dict) -> list[str]:
    """Decimals of the text that are no rounded number of the JSON: as it is, in %, or what an accuracy leaves to 1."""
    words_by_digits: dict[int, set[str]] = {}
    missing = []
    for word in re.findall(r"(?<![\w.])\d+\.\d+(?![\w.]*\d|e)", text):
        digits = len(word.partition(".")[2])
        if digits not in words_by_digits:
            values = [value for x in numbers(content) for value in (abs(x), abs(100 * x), 100 * (1 - x))]
            words_by_digits[digits] = {f"{value:.{digits}f}" for value in values}
        if word not in words_by_digits[digits]:
            missing.append(word)
    return missing


@pytest.mark.parametrize("name", ["show", "gaps", "evidence", "findings", "experiments", "check"])
def test_the_numbers_are_those_of_the_text(name: str, study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if name in ("check", "evidence"):
        if not (study / "models/made/audits/made-all/audit.json").is_file():
            run(capsys, "audit", CASES["audit"], study)
        arguments = CASES[name]
    else:
        shipped_or_skip()
        where = [] if name == "experiments" else ["--model", MODEL.name, "--audit", AUDIT.name]
        arguments = [*where, "--models", str(MODEL.parent)]
    content = parsed(run(capsys, name, arguments, study, "--json"))
    text = run(capsys, name, arguments, study).replace("p < 0.0001", "p")  # a bound, where --json has the value
    decimals = re.findall(r"\d\.\d", text)
    assert len(decimals) > 10
    sentences = " ".join(finding["sentence"] + finding["rule"] for finding in content.get("findings", []))
    sentences += " ".join(scope["sentence"] for scope in content.get("scopes", []))
    assert [word for word in unaccounted(text, content) if word not in sentences] == []


def test_a_changed_number_would_be_noticed(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shipped_or_skip()
    arguments = ["--model", MODEL.name, "--audit", AUDIT.name, "--models", str(MODEL.parent)]
    content = parsed(run(capsys, "show", arguments, study, "--json"))
    text = run(capsys, "show", arguments, study)
    assert content["scopes"][0]["overall"]["n"] == 4029
    scope = content["scopes"][1]
    low = f"{100 * scope['overall']['low']:.1f}"
    assert low in text and low not in unaccounted(text, content)
    scope["overall"]["low"] -= 0.02
    assert low in unaccounted(text, content)


def test_what_a_library_prints_goes_to_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def chatty() -> str:
        print("a library's greeting")
        return "{}"

    monkeypatch.setitem(command.COMMANDS, "datasets", chatty)
    assert command.main(["datasets"]) == 0
    out, err = capsys.readouterr()
    assert out == "{}\n"
    assert err == "a library's greeting\n"


def test_an_error_leaves_stdout_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["show", "--model", "m", "--audit", "a", "--models", str(tmp_path / "none"), "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "no such folder of models" in err
    assert "LOOKWHERE_MODELS" in err


def test_plain_knows_missing_values_and_refuses_what_it_does_not_know() -> None:
    table = pd.DataFrame({"a": [1.5, np.nan], "b": pd.array([1, pd.NA], dtype="Int16"), "c": ["x", None]})
    assert plain(table) == [{"a": 1.5, "b": 1, "c": "x"}, {"a": None, "b": None, "c": None}]
    assert plain({"x": np.array([[np.inf, 2]]), "y": np.bool_(True), "z": Path("a/b")}) == {
        "x": [[None, 2.0]],
        "y": True,
        "z": "a/b",
    }
    with pytest.raises(TypeError, match="no JSON value for object"):
        plain(object())
