"""Train the arms of an experiment over several seeds, audit them, and keep audits and metrics without the weights.

Whatever is finished is not done again, so the same command goes on after a stop:

  python -m train.experiments --data data/aligned/utkface
  python -m train.experiments --data data/aligned/utkface --workers 2 --out models/experiments
  python -m train.experiments --experiment train/plans/repeated.yaml --seeds 0 1 --data lfw=data/aligned/lfw \\
      kaggle=data/aligned/kaggle-gender fairface=data/aligned/fairface utkface=data/aligned/utkface
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import tyro
import yaml
from tqdm import tqdm

from core.commands.output import notes_at_the_end
from core.data.measured import FILE as MEASURED
from core.errors import LookwhereError, at_least, at_most, told
from core.extras import missing_extra
from core.files import put_folder, write_json
from core.json_record import read_object, sealed
from core.locks import alone
from core.training.config_file import from_yaml
from core.training.record import read_metrics, read_status
from train.plan import AuditPlan, Plan, Stores, run_name

if TYPE_CHECKING:
    from core.audit.folder import Audit
    from core.classifiers.folder import Model
    from core.data.store import AlignedStore
    from core.training.config import TrainConfig

PLAN = Path(__file__).parent / "plans" / "claims.yaml"
#: Any of these in a run's folder says that it was begun.
BEGUN = ("status.json", "metrics.csv", "checkpoint.safetensors")
#: What an arm's weights in the folder of chosen ones were made of.
MADE_OF = "made_of.json"
#: Runs at a time, each a process that holds its network and faces.
MOST_WORKERS = 64
CHOICES = {"overall": "val_accuracy", "worst-group": "worst_group_accuracy"}


def check_made_of(folder: Path, config: TrainConfig, train: list[AlignedStore], val: AlignedStore) -> None:
    """Raise `LookwhereError` where a run in `folder` was made with other settings than `config`, or of other faces than
    those of `train` and `val`.

    Settings that it did not keep are not compared; `enlarge` is leave to do something, and changes no number.
    """
    from core.classifiers.info import model_info
    from core.data.store_info import aligned_otherwise
    from core.training.resume import read_meta

    info = model_info(folder)
    mend = "delete this folder, or choose another with --runs"
    now = tuple(dict.fromkeys(store.manifest.data_fingerprint for store in (*train, val)))
    if info.data is not None and info.data.fingerprints != now:
        raise LookwhereError(f"{folder}: trained on other data than {_named(train, val)}; {mend}")
    checkpoint = folder / "training" / "checkpoint.safetensors"
    then = (read_meta(checkpoint).get("alignments") or {}) if checkpoint.is_file() else {}
    roles = {"train" if n == 0 else f"train {n + 1}": store for n, store in enumerate(train)} | {"val": val}
    for role, store in roles.items():
        if how := aligned_otherwise(then.get(role, {}), store.manifest.alignment):
            raise LookwhereError(
                f"{folder}: trained on faces of {store.path} that were aligned otherwise ({how}); {mend}"
            )
    recorded = info.training.to_json() if info.training else {}
    planned = json.loads(json.dumps(dataclasses.asdict(config)))
    changed = [key for key, value in recorded.items() if key in planned and key != "enlarge" and planned[key] != value]
    if changed:
        raise LookwhereError(f"{folder}: trained with another {', '.join(changed)} than the plan says; {mend}")


def _named(train: list[AlignedStore], val: AlignedStore) -> str:
    return ", ".join(dict.fromkeys(str(store.path) for store in (*train, val)))


def train_all(plan: Plan, stores: Stores, runs: Path, workers: int) -> None:
    """Train what is not finished, `workers` runs at a time on their share of the cores, with one bar over all epochs.

    Raises `LookwhereError` where a finished run is of other settings or data, and naming the log of one that failed.
    """
    waiting, epochs = _unfinished(plan, stores, runs)
    active: dict[str, subprocess.Popen] = {}
    threads = max(1, (os.cpu_count() or 1) // workers)
    bar = tqdm(total=epochs, desc=f"{plan.content['name']}: training", unit="epoch", disable=not waiting)
    bar.n = bar.initial = _epochs_done(plan, runs)
    try:
        while waiting or active:
            while waiting and len(active) < workers:
                name, settings, data = waiting.pop(0)
                active[name] = _start(name, settings, data, runs, threads)
            time.sleep(2)
            _take_out_ended(active, runs)
            bar.n = _epochs_done(plan, runs)
            bar.refresh()
    finally:
        bar.close()
        for process in active.values():
            process.terminate()
        for process in active.values():
            process.wait()


def _unfinished(plan: Plan, stores: Stores, runs: Path) -> tuple[list[tuple[str, dict, list[str]]], int]:
    """Name, settings and data arguments of the runs that are not finished, and the epochs of all runs of the plan.

    Raises `LookwhereError` where a finished run is of other settings or data, or one is being trained.
    """
    from core.training.config import TrainConfig

    unfinished, epochs = [], 0
    for name, arm, seed in plan.runs():
        settings = plan.config(arm, seed)
        config = from_yaml(TrainConfig, settings, f"{plan.file}, {name}")
        epochs += config.epochs
        status = read_status(runs / name / "training")
        if status is not None and status.alive:
            raise LookwhereError(f"{runs / name}: is being trained by another process; wait for it, or stop it")
        if status is None or status.state != "finished":
            unfinished.append((name, settings, stores.arguments(arm)))
        else:
            check_made_of(runs / name, config, *stores.of_run(arm))
    return unfinished, epochs


def _take_out_ended(active: dict[str, subprocess.Popen], runs: Path) -> None:
    """Raises `LookwhereError`, naming its log, where a run failed."""
    for name, process in list(active.items()):
        code = process.poll()
        if code is not None:
            del active[name]
        if code:
            raise LookwhereError(f"{runs / name}.log: training ended with code {code}; mend what it says")


def _epochs_done(plan: Plan, runs: Path) -> int:
    return sum(len(read_metrics(runs / name / "training")) for name, _, _ in plan.runs())


def _start(name: str, settings: dict, data: list[str], runs: Path, threads: int) -> subprocess.Popen:
    """One run as a process of its own: on few cores, several runs of one thread outpace one run of several."""
    runs.mkdir(parents=True, exist_ok=True)
    config = runs / f"{name}.yaml"
    config.write_text(yaml.safe_dump(settings, sort_keys=False))
    command = [sys.executable, "-m", "train", *data, "--models", str(runs), "--name", name]
    command += ["--config", str(config)]
    if any((runs / name / "training" / file).is_file() for file in BEGUN):
        command.append("--resume")
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    with (runs / f"{name}.log").open("a") as log:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)


def best_epoch(metrics: pd.DataFrame, choose: str) -> int:
    """The epoch that a rule keeps: the first best of the last image size and dilation, as training itself does."""
    last = metrics.iloc[-1]
    same = metrics[(metrics["size"] == last["size"]) & (metrics["dilated"] == last["dilated"])]
    return int(same.loc[same[CHOICES[choose]].idxmax(), "epoch"])


def assemble(plan: Plan, arm: dict, seed: int, runs: Path, work: Path, stores: Stores) -> Path:
    """The arm's chosen weights as a model folder in `work`; made once, and anew where run or arm have changed.

    They are those of the epoch that the arm chooses, where the run kept every epoch, and else those that it kept.
    """
    from core.classifiers.folder import load_model, save_model
    from core.classifiers.info import model_info
    from core.classifiers.training_hashes import FILE as HASHES
    from core.training.balanced_head import retrain_head
    from core.training.groups import GROUPS, asked_groups

    target = work / run_name(arm["name"], seed)
    run = runs / run_name(arm.get("from", arm["name"]), seed)
    choose = arm.get("choose", arm.get("settings", {}).get("choose", "overall"))
    every = (run / "training" / "epochs").is_dir()
    epoch = best_epoch(read_metrics(run / "training"), choose) if every else model_info(run).epoch
    model_folder = run / "training" / "epochs" / f"{epoch:03}" if every else run
    if not every and model_info(run).training.choose != choose:
        raise LookwhereError(f"{run}: kept one epoch, by {model_info(run).training.choose}; set keep_every: true")
    made_of = {
        "weights": model_info(model_folder).weights_sha256,
        "epoch": epoch,
        "choose": choose,
        "head": arm.get("head"),
    }
    made_of |= {"data": model_info(run).data.fingerprint, "seed": seed}
    if (target / "model.json").is_file():
        # What was made before this was kept says nothing of it, and stays.
        try:
            if not (target / MADE_OF).is_file() or read_object(target / MADE_OF) == made_of:
                return target
        except ValueError as error:
            raise LookwhereError(f"{target / MADE_OF}: damaged ({error}); delete {target}") from error
        shutil.rmtree(target)
    source = load_model(model_folder)
    info = dataclasses.replace(source.info, training=dataclasses.replace(source.info.training, choose=choose))
    if info.data is not None and "validation" in plan.content:
        # A store knows its reader alone, such as «class-folders»; the plan knows the data set.
        info = dataclasses.replace(
            info, data=dataclasses.replace(info.data, validation_dataset=plan.content["validation"])
        )
    if arm.get("head") == "balanced":
        store = stores.open("")
        groups = asked_groups(store.manifest.columns, (info.training and info.training.groups) or GROUPS)
        retrain_head(source.network, store, store.split("val"), info.input_size, seed, info.task, groups)
        # What was validated is another last layer: its numbers are not this model's.
        info = dataclasses.replace(info, validation=None, head="retrained on group-balanced validation")
    target.mkdir(parents=True, exist_ok=True)
    shutil.copytree(run / "training", target / "training", ignore=lambda _, names: {*names} - {"metrics.csv"})
    if info.training_faces is not None and not plan.lean:
        shutil.copy(model_folder / HASHES, target / HASHES)
    write_json(target / MADE_OF, made_of)
    save_model(target, source.network, info)
    return target


def publish(plan: Plan, models: list[str], audits: list[str], work: Path, out: Path) -> Path:
    """Audits, metrics, model.json and cards of `models` into `out`, without weights; `experiment.json` last.

    Its arms have these models and those of the plan's other seeds that were published before. `audits` are the names
    of every model's audits, the main one first.
    """
    folder = out / plan.content["name"]
    unpublished = ["*.safetensors", "*.partial", MADE_OF, *([MEASURED] if plan.lean else [])]
    for name in models:
        put_folder(work / name, folder / name, shutil.ignore_patterns(*unpublished))
    arms = [(a, [run_name(a["name"], seed) for seed in plan.all_seeds]) for a in plan.content["arms"]]
    # An audit of a plan with one data set has the usual name, which the plan does not know.
    elsewhere = {test.name: test.arms for test in plan.tests if test.arms is not None}

    def whole(arm: dict, model: str) -> bool:
        expected = [audit for audit in audits if audit not in elsewhere or arm["name"] in elsewhere[audit]]
        return all((folder / model / "audits" / audit / "audit.json").is_file() for audit in expected)

    there = [{"name": a["name"], "title": a["title"], "models": [n for n in names if whole(a, n)]} for a, names in arms]
    pictures = next((test.name for test in plan.tests if test.averages), None)
    content = {
        "format": 1,
        "name": plan.content["name"],
        "title": plan.content["title"],
        "config": f"train/configs/{Path(plan.content['config']).name}",
        "audit": audits[0],
        "arms": there,
        "contrasts": plan.content["contrasts"],
    }
    content |= {"validation": plan.content["validation"]} if "validation" in plan.content else {}
    content |= {"audits": audits} if len(audits) > 1 else {}
    content |= {"only": {name: list(names) for name, names in elsewhere.items()}} if elsewhere else {}
    content |= {"pictures": {"model": there[0]["models"][0], "audit": pictures}} if pictures else {}
    write_json(folder / "experiment.json", sealed(content))
    return folder


def _run_all(plan: Plan, stores: Stores, runs: Path, out: Path, workers: int) -> None:
    """Everything that is not there yet, in folders that no other process works in."""
    from core.classifiers.folder import load_model
    from core.present.card import write_card

    train_all(plan, stores, runs, workers)
    names, audits, work = [], [], runs / "chosen"
    for arm in plan.content["arms"]:
        for seed in plan.content["seeds"]:
            folder = assemble(plan, arm, seed, runs, work, stores)
            model = load_model(folder)
            first = run_name(plan.content["arms"][0]["name"], plan.all_seeds[0]) == folder.name
            trained = stores.of_run(arm)[0] if plan.several else []
            tests = [test for test in plan.tests if test.of_arm(arm["name"]) and (first or not test.averages)]
            done = {test: _audited(test, stores, model, trained, test.maps_for(arm["name"])) for test in tests}
            audits += [audit.name for test, audit in done.items() if not test.averages and audit.name not in audits]
            write_card(folder)
            names.append(folder.name)
            accuracies = ", ".join(f"{audit.name} {audit.manifest.accuracy}" for audit in done.values())
            print(f"{folder.name}: epoch {model.info.epoch}, accuracy {accuracies}")
    print(f"{publish(plan, names, audits, work, out)}: {len(names)} models, without their weights")


def _audited(test: AuditPlan, stores: Stores, model: Model, trained: list[AlignedStore], maps: str | None) -> Audit:
    """One audit of a run's model, without copies of faces of the stores it was `trained` on: opened where it is
    finished, begun or resumed where it is not."""
    from core.audit.average_setting import AverageSetting, KeepAverages
    from core.audit.run import run_audit
    from core.progress import ProgressBars

    bars = ProgressBars()
    averages = AverageSetting(KeepAverages.YES if test.averages else KeepAverages.NO)
    try:
        return run_audit(
            stores.open(test.data),
            model,
            test.splits,
            name=test.name,
            averages=averages,
            maps=maps,
            batch=256,
            training=trained,
            progress=bars,
        )
    finally:
        bars.close()


def main(
    data: tuple[str, ...],
    experiment: Path = PLAN,
    seeds: tuple[int, ...] = (),
    runs: Path = Path("data/experiments"),
    out: Path = Path("models/experiments"),
    workers: int = 2,
) -> int:
    """Train, choose, retrain heads, audit, publish.

    Args:
        data: An aligned store, made by `python -m core align`; NAME=STORE for each of a plan that names several.
        experiment: The experiment's YAML file.
        seeds: Only these of its seeds; models of others that were published before stay. By default all.
        runs: Where runs and their weights lie, about 0.8 GB each.
        out: Where audits and metrics go.
        workers: Runs trained at a time, each on its share of the cores.
    """
    try:
        plan = Plan.read(experiment)
        stores = Stores.from_arguments(plan, data)
        for name in stores.paths:
            stores.open(name)
        plan = plan.only(seeds) if seeds else plan
        runs = runs / plan.content["name"]
        with alone(runs, "running"), alone(out / plan.content["name"], "publishing"):
            _run_all(plan, stores, runs, out, at_most("--workers", at_least("--workers", workers, 1), MOST_WORKERS))
    except (LookwhereError, OSError, UnicodeEncodeError) as error:
        if (line := told(error)) is None:
            raise
        print(f"error: {line}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the same command goes on", file=sys.stderr)
        return 130
    return 0


def main_from(arguments: list[str] | None = None, prog: str = "python -m train.experiments") -> int:
    """`main` of a command line."""
    try:
        with notes_at_the_end():
            return tyro.cli(main, prog=prog, description=__doc__, args=arguments)
    except ModuleNotFoundError as error:
        if (line := missing_extra(error)) is None:
            raise
        print(f"error: {line}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main_from())
