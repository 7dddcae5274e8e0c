"""`python -m train.experiments`: plans are checked, rules choose epochs, finished work is kept, no weights shipped."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml

from core.analysis.comparison import open_experiment
from core.audit.folder import open_audit
from core.checks.verification import verify_folders
from core.classifiers.info import model_info
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.files import write_json
from core.training.config import TrainConfig
from core.training.config_file import from_yaml
from core.training.record import Status, read_metrics, write_status
from tests.helpers.forked import FORKING
from tests.helpers.made_store import make_store
from tests.helpers.small_network import NARROW, small_network
from train import experiments
from train.experiments import PLAN, best_epoch, main, train_all
from train.plan import Plan, Stores, run_name

BASE = {"stages": [{"size": 32, "epochs": 1}, {"size": 32, "epochs": 1, "dilated": True}], "batch": 8, "ema": 0,
        "keep_every": True}  # fmt: skip
TINY = {
    "name": "tiny",
    "title": "A tiny experiment",
    "config": "base.yaml",
    "seeds": [0],
    "arms": [
        {"name": "everyone", "title": "Everyone"},
        {"name": "without", "title": "Without", "settings": {"exclude": ["female Black"]}},
        {"name": "head", "title": "Head", "from": "everyone", "head": "balanced"},
    ],
    "contrasts": [{"name": "leaving out", "from": "everyone", "to": "without", "group": "female Black"}],
}


def write_plan(folder: Path, **changes: object) -> Path:
    (folder / "base.yaml").write_text(yaml.safe_dump(BASE))
    file = folder / "plan.yaml"
    file.write_text(yaml.safe_dump(TINY | changes))
    return file


@pytest.fixture
def small() -> Iterator[None]:
    """Each network is small, in the forks of this process too."""
    with small_network(NARROW):
        yield


def _small_process(command: list[str], **settings: object) -> subprocess.Popen:
    """The process that was asked for, with the small network in it."""
    assert command[:3] == [sys.executable, "-m", "train"]
    return subprocess.Popen([*command[:2], "tests.helpers.small_train", *command[3:]], **settings)


#: For a module's name `subprocess`.
SMALL_PROCESS = SimpleNamespace(Popen=_small_process, STDOUT=subprocess.STDOUT)


def test_the_plan_we_ship_is_sound() -> None:
    plan = Plan.read(PLAN)
    assert len(plan.content["seeds"]) >= 3
    trained = {name for name, _, _ in plan.runs()}
    assert trained >= {run_name("everyone", seed) for seed in plan.content["seeds"]}
    assert plan.config({"settings": {"choose": "worst-group"}}, 7) | {} == {
        **yaml.safe_load((PLAN.parent / "../configs/claims.yaml").read_text()),
        "choose": "worst-group",
        "seed": 7,
    }


def test_a_plan_with_one_data_set_may_ask_for_no_maps(tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    text = (PLAN.parent / "recipe.yaml").read_text()
    file.write_text(text)
    assert [test.maps_for("recipe") for test in Plan.read(file).tests] == ["none"]
    file.write_text(text.replace("maps: none", ""))
    assert [test.maps_for("recipe") for test in Plan.read(file).tests] == [None]


def test_a_plan_that_names_no_such_arm_is_refused(tmp_path: Path) -> None:
    contrast = [{"name": "x", "from": "everyone", "to": "nobody", "group": "worst"}]
    with pytest.raises(LookwhereError, match="no arm nobody; there are everyone, without, head"):
        Plan.read(write_plan(tmp_path, contrasts=contrast))
    (tmp_path / "broken.yaml").write_text("name: x\narms: 3\n")
    with pytest.raises(LookwhereError, match=r"broken\.yaml: not an experiment"):
        Plan.read(tmp_path / "broken.yaml")


def test_an_epoch_is_the_first_best_of_the_last_geometry() -> None:
    metrics = pd.DataFrame(
        {
            "epoch": [1, 2, 3, 4, 5],
            "size": [64] * 5,
            "dilated": [False, False, True, True, True],
            "val_accuracy": [0.1, 0.99, 0.8, 0.9, 0.9],
            "worst_group_accuracy": [0.1, 0.99, 0.7, 0.5, 0.6],
        }
    )
    assert best_epoch(metrics, "overall") == 4
    assert best_epoch(metrics, "worst-group") == 3


def test_a_run_of_another_process_is_not_disturbed(tmp_path: Path, made_store: AlignedStore) -> None:
    training = tmp_path / "runs/everyone-s0/training"
    training.mkdir(parents=True)
    import time

    write_status(training, Status("running", 0, 2, 1, 4, 1.0, None, None, time.time()))
    with pytest.raises(LookwhereError, match="being trained by another process"):
        plan = Plan.read(write_plan(tmp_path))
        train_all(plan, Stores.from_arguments(plan, [made_store.path]), tmp_path / "runs", 1)


def test_a_run_that_fails_is_named_with_its_log(
    tmp_path: Path, made_store: AlignedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiments, "subprocess", FORKING)
    plan = Plan.read(write_plan(tmp_path, arms=[{"name": "everyone", "title": "", "settings": {"exclude": ["no one"]}}],
                                contrasts=[], seeds=[0]))  # fmt: skip
    with pytest.raises(LookwhereError, match=r"everyone-s0\.log: training ended with code 2"):
        train_all(plan, Stores.from_arguments(plan, [made_store.path]), tmp_path / "runs", 1)
    assert "--exclude 'no one': no training face" in (tmp_path / "runs/everyone-s0.log").read_text()


@pytest.mark.parametrize(
    ("workers", "says"),
    [(0, "give 1 or more"), (-1, "give 1 or more"), (65, "give at most 64"), (10**12, "give at most 64")],
)
def test_a_number_of_workers_that_no_machine_has_starts_none(
    workers: int, says: str, tmp_path: Path, made_store: AlignedStore, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr(experiments, "_start", lambda *_: pytest.fail("a run was started"))
    words = (str(made_store.path),), write_plan(tmp_path)
    assert main(*words, runs=tmp_path / "runs", out=tmp_path / "out", workers=workers) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert error[-1].startswith(f"error: --workers {workers}: {says}")


def test_all_of_it_end_to_end_twice(tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch, small: None) -> None:
    """The first run is a process of its own; the second is forked, which saves it its imports."""
    store = make_store(tmp_path / "store")
    file, runs, out = write_plan(tmp_path), tmp_path / "runs", tmp_path / "out"
    start = experiments._start

    def started(name: str, *arguments: object) -> object:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(experiments, "subprocess", SMALL_PROCESS if name == "everyone-s0" else FORKING)
            return start(name, *arguments)

    monkeypatch.setattr(experiments, "_start", started)
    assert main((str(store.path),), file, runs=runs, out=out, workers=2) == 0, capsys.readouterr().err
    folder = out / "tiny"
    described = json.loads((folder / "experiment.json").read_text())
    assert [arm["models"] for arm in described["arms"]] == [
        [f"{arm['name']}-s{s}" for s in (0,)] for arm in TINY["arms"]
    ]
    assert not list(folder.rglob("*.safetensors"))
    for arm in described["arms"]:
        for name in arm["models"]:
            audit = open_audit(folder / name / "audits" / described["audit"])
            assert set(audit.faces["split"]) == {"test"}
            assert len(audit.averages.cells) == 0
            assert model_info(folder / name).dilated
            assert len(read_metrics(folder / name / "training")) == 2
    seen = model_info(folder / "without-s0").data.train_groups
    assert not any(row.gender == "female" and row.ethnicity == "Black" for row in seen)
    whole, head = (open_audit(folder / f"{arm}-s0/audits/made-test") for arm in ("everyone", "head"))
    assert not (whole.faces["logit_male"] == head.faces["logit_male"]).all()
    assert whole.manifest.weights_sha256 != head.manifest.weights_sha256

    def no_run(*_: object) -> None:
        raise AssertionError("a finished run was started again")

    monkeypatch.setattr(experiments, "_start", no_run)
    before = (folder / "experiment.json").read_text()
    assert main((str(store.path),), file, runs=runs, out=out, workers=2) == 0
    assert (folder / "experiment.json").read_text() == before
    capsys.readouterr()

    first, second, third = TINY["arms"]
    men = second | {"settings": {"exclude": ["male Black"]}}
    for arms, told in (
        ([first | {"settings": {"batch": 4}}, second, third], "everyone-s0: trained with another batch than the plan"),
        ([first, men, third], "without-s0: trained with another exclude"),
    ):
        assert main((str(store.path),), write_plan(tmp_path, arms=arms), runs=runs, out=out) == 2
        assert told in capsys.readouterr().err
    other = make_store(tmp_path / "other", columns={"age": 40})
    assert main((str(other.path),), write_plan(tmp_path), runs=runs, out=out) == 2
    assert f"everyone-s0: trained on other data than {other.path}; delete this folder" in capsys.readouterr().err
    written = (store.path / "store.json").read_text()
    write_json(store.path / "store.json", json.loads(written) | {"padding": 60})
    assert main((str(store.path),), write_plan(tmp_path), runs=runs, out=out) == 2
    assert "aligned otherwise (border before detection 60, not 0)" in capsys.readouterr().err
    (store.path / "store.json").write_text(written)

    plain = [first, second, {"name": "head", "title": "Head", "from": "everyone"}]
    assert main((str(store.path),), write_plan(tmp_path, arms=plain), runs=runs, out=out) == 0, capsys.readouterr().err
    now = open_audit(folder / "head-s0/audits/made-test").manifest.weights_sha256
    assert now == whole.manifest.weights_sha256, "an arm that has changed is put together anew"


def test_a_store_that_is_not_there_is_one_line(tmp_path: Path, capsys) -> None:
    assert main((str(tmp_path / "nowhere"),), write_plan(tmp_path), runs=tmp_path / "runs", out=tmp_path / "out") == 2
    assert "error: " in capsys.readouterr().err


SEVERAL = {
    "train": ["one", "two"], "val": "three", "all_of_val": True, "seeds": [0, 1], "contrasts": [],
    "arms": [{"name": "both", "title": "Both"}, {"name": "one", "title": "One", "train": ["one"]}], "lean": True,
    "test": {
        "abroad": {"splits": "all", "maps_of": ["both"]}, "home": {"splits": "test", "maps": "none", "arms": ["both"]},
        "drawn": {"data": "home", "splits": "val", "averages": True},
    },
}  # fmt: skip


def test_data_sets_of_several_roles_seed_by_seed(
    tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch, small: None
) -> None:
    """Trained on two, validated on a third, audited on two more; the second seed joins the first later."""
    monkeypatch.setattr(experiments, "subprocess", FORKING)
    names = ("one", "two", "three", "abroad", "home")
    given = tuple(
        f"{name}={make_store(tmp_path / name, faces=(64, 400)[name == 'home'], seed=n).path}"
        for n, name in enumerate(names)
    )
    plain = {key: value for key, value in BASE.items() if key != "keep_every"} | {"stages": [{"size": 32, "epochs": 1}]}
    monkeypatch.setitem(globals(), "BASE", plain)
    file, where = (
        write_plan(tmp_path, **SEVERAL, validation="kaggle-gender"),
        {"runs": tmp_path / "runs", "out": tmp_path / "out"},
    )
    folder = tmp_path / "out/tiny"
    for seed, published in ((0, ["both-s0"]), (1, ["both-s0", "both-s1"])):
        assert main(given, file, (seed,), **where) == 0, capsys.readouterr().err
        described = json.loads((folder / "experiment.json").read_text())
        assert described["arms"][0]["models"] == published and len(described["arms"][1]["models"]) == seed + 1
        assert (described["audit"], described["audits"]) == ("abroad", ["abroad", "home"])
    data = model_info(folder / "both-s1").data
    assert [part.dataset for part in data.parts] == ["made one", "made two"]
    assert data.validation_dataset == "kaggle-gender", "as the plan has it, not by the store's reader"
    assert (data.faces["train"], data.faces["val"]) == (128, 64)
    splits = {test: set(open_audit(folder / "both-s1/audits" / test).faces["split"]) for test in ("abroad", "home")}
    assert splits == {"abroad": {"train", "val", "test"}, "home": {"test"}}
    opened = open_experiment(folder)
    assert [len(opened.on(test).audits("both")) for test in opened.tests] == [2, 2]
    # «home» is asked of the first arm alone, without maps.
    assert [[arm.name for arm in opened.on(test).arms] for test in opened.tests] == [["both", "one"], ["both"]]
    assert not (folder / "one-s0/audits/home").exists()
    assert [opened.on(test).audits("both")[0].has_maps for test in opened.tests] == [True, False]
    assert not opened.audits("one")[0].has_maps
    assert not [*folder.rglob("measured.parquet"), *folder.rglob("training-faces.npz")]
    assert not [one for one in verify_folders(folder) if one.damage]
    assert opened.pictures == folder / "both-s0/audits/drawn"
    assert set(open_audit(opened.pictures).faces["split"]) == {"val"}
    assert len(open_audit(opened.pictures).averages.cells) and not (folder / "both-s1/audits/drawn").exists()
    with pytest.raises(LookwhereError, match="no audit 'drawn'; there are abroad, home"):
        opened.on("drawn")


@pytest.mark.parametrize(
    ("given", "seeds", "told"),
    [
        (("one=a",), (), "takes one=STORE two=STORE three=STORE abroad=STORE home=STORE"),
        (("one", "two"), (), "takes one=STORE two=STORE"),
        (("one=a", "two=b", "three=c", "abroad=d", "home=e"), (5,), "no seed 5; it has 0, 1"),
    ],
)
def test_data_that_a_plan_does_not_take_is_one_line(
    tmp_path: Path, capsys, made_store: AlignedStore, given: tuple[str, ...], seeds: tuple[int, ...], told: str
) -> None:
    given = tuple(f"{word.partition('=')[0]}={made_store.path}" if seeds else word for word in given)
    assert main(given, write_plan(tmp_path, **SEVERAL), seeds, runs=tmp_path / "runs", out=tmp_path / "out") == 2
    assert told in capsys.readouterr().err


def test_the_plan_of_the_repetition_is_sound() -> None:
    plan = Plan.read(PLAN.with_name("repeated.yaml"))
    assert plan.data_sets == ("lfw", "kaggle", "fairface", "utkface")
    assert [(test.name, test.splits) for test in plan.tests if not test.averages] == [
        ("fairface", ("all",)), ("utkface", ("test",)),
    ]  # fmt: skip
    assert plan.config(plan.trained[0], 2)["choose"] == "overall"


def test_the_plan_with_controls_is_the_plan_of_the_claims_and_three_more_arms() -> None:
    plain, more = (Plan.read(PLAN.with_name(name)) for name in ("claims.yaml", "claims-with-controls.yaml"))
    assert {name: plain.content[name] for name in ("name", "config", "seeds")} == {
        name: more.content[name] for name in ("name", "config", "seeds")
    }
    assert [arm for arm in more.content["arms"] if arm in plain.content["arms"]] == plain.content["arms"]
    controls = [one for one in more.content["contrasts"] if one not in plain.content["contrasts"]]
    assert [one["to"] for one in controls] == ["without-black-faces", "without-as-many-women", "without-asian-women"]
    assert all(one["control"] and one["finding"] == "4" and one["group"] == "female Black" for one in controls)
    assert len(more.runs()) == len(plain.runs()) + 9
    assert more.config(more.trained[3], 0)["exclude"] == ["as many as female Black"]


@pytest.mark.parametrize("name", sorted(file.name for file in PLAN.parent.glob("*.yaml")))
def test_every_plan_that_ships_reads_and_its_settings_are_known(name: str) -> None:
    plan = Plan.read(PLAN.parent / name)
    for run, arm, seed in plan.runs():
        config = from_yaml(TrainConfig, plan.config(arm, seed), run)
        assert config.seed == seed
        if "splits" in plan.content:
            assert len(config.splits) == len(plan.trains_on(arm))


def test_arms_of_diversity_see_equally_many_images_and_never_the_faces_that_are_tested_on() -> None:
    plan = Plan.read(PLAN.parent / "diversity.yaml")
    configs = {arm["name"]: from_yaml(TrainConfig, plan.config(arm, 0), "") for arm in plan.trained}
    assert {config.epochs * config.epoch_images for config in configs.values()} == {16000}
    assert "fairface" not in {name for arm in plan.trained for name in plan.trains_on(arm)}
    for arm in plan.trained:
        chosen = dict(zip(plan.trains_on(arm), configs[arm["name"]].splits, strict=True))
        assert chosen.get("utkface", "train") == "train"
    for file in ("diversity.yaml", "best.yaml"):
        assert Plan.read(PLAN.parent / file).content["splits"]["utkface"] == "train"
