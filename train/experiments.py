"""Train the arms of an experiment over several seeds, audit them, and keep audits and metrics without the weights.

Whatever is finished is not done again, so the same command goes on after a stop:

  python -m train.experiments --data data/aligned/utkface
  python -m train.experiments --data data/aligned/utkface --workers 2 --out models/experiments
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

from core.errors import LookwhereError, at_least, machine_error
from core.extras import missing_extra
from core.files import plain_name, write_json
from core.locks import alone
from core.training.config_file import from_yaml
from core.training.record import read_metrics, read_status
from core.yaml_file import read_yaml

if TYPE_CHECKING:
    from core.data.store import AlignedStore
    from core.training.config import TrainConfig

PLAN = Path(__file__).parent / "plans" / "claims.yaml"
#: Any of these in a run's folder says that it was begun.
BEGUN = ("status.json", "metrics.csv", "checkpoint.safetensors")
#: What an arm's weights in the folder of chosen ones were made of.
MADE_OF = "made_of.json"
CHOICES = {"overall": "val_accuracy", "worst-group": "worst_group_accuracy"}


@dataclasses.dataclass(frozen=True)
class Plan:
    """An experiment as its YAML file says it."""

    file: Path
    content: dict

    @classmethod
    def read(cls, file: Path) -> Plan:
        """Raises `LookwhereError` where the file is unreadable, lacks a field or names an arm that is not there."""
        try:
            content = read_yaml(file)
            names = [plain_name(arm["name"], f"{file}: arm") for arm in content["arms"]]
            plain_name(content["name"], f"{file}: name")
            if not all(type(seed) is int for seed in content["seeds"]):
                raise TypeError("seeds must be whole numbers")
            ends = [c[end] for c in content["contrasts"] for end in ("from", "to")]
            ends += [arm["from"] for arm in content["arms"] if "from" in arm]
            _ = content["name"], content["title"], content["config"], content["seeds"][0]
        except (KeyError, TypeError, IndexError) as error:
            raise LookwhereError(f"{file}: not an experiment ({str(error).splitlines()[0]})") from error
        if unknown := sorted(set(ends) - set(names)):
            raise LookwhereError(f"{file}: no arm {', '.join(unknown)}; there are {', '.join(names)}")
        return cls(file, content)

    @property
    def trained(self) -> list[dict]:
        """The arms that are training runs of their own."""
        return [arm for arm in self.content["arms"] if "from" not in arm]

    def runs(self) -> list[tuple[str, dict, int]]:
        """(name, arm, seed) of each training run; a seed's arms one after another."""
        return [(run_name(arm["name"], seed), arm, seed) for seed in self.content["seeds"] for arm in self.trained]

    def config(self, arm: dict, seed: int) -> dict:
        """The settings of a run: the shared file's, then the arm's, then the seed."""
        file = self.file.parent / str(self.content["config"])
        base, own = read_yaml(file), arm.get("settings", {})
        for settings, origin in ((base, file), (own, self.file)):
            if not isinstance(settings, dict):
                raise LookwhereError(f"{origin}: expected settings, lines of «key: value»")
        return base | own | {"seed": seed}


def run_name(arm: str, seed: int) -> str:
    """The folder of an arm's run with a seed."""
    return f"{arm}-s{seed}"


def check_made_of(folder: Path, config: TrainConfig, store: AlignedStore) -> None:
    """Raise `LookwhereError` where a run in `folder` was made with other settings than `config`, or of other faces than
    those of `store`.

    Settings that it did not keep are not compared; `enlarge` is leave to do something, and changes no number.
    """
    from core.classifiers.info import model_info
    from core.data.store_info import aligned_otherwise
    from core.training.resume import read_meta

    info = model_info(folder)
    mend = "delete this folder, or choose another with --runs"
    if info.data is not None and info.data.fingerprint != store.manifest.data_fingerprint:
        raise LookwhereError(f"{folder}: trained on other data than {store.path}; {mend}")
    checkpoint = folder / "training" / "checkpoint.safetensors"
    then = (read_meta(checkpoint).get("alignments") or {}) if checkpoint.is_file() else {}
    if how := aligned_otherwise(then.get("train", {}), store.manifest.alignment):
        raise LookwhereError(f"{folder}: trained on faces of {store.path} that were aligned otherwise ({how}); {mend}")
    kept = info.training.to_json() if info.training else {}
    now = json.loads(json.dumps(dataclasses.asdict(config)))
    changed = [key for key, value in kept.items() if key in now and key != "enlarge" and now[key] != value]
    if changed:
        raise LookwhereError(f"{folder}: trained with another {', '.join(changed)} than the plan says; {mend}")


def train_all(plan: Plan, data: Path, runs: Path, workers: int) -> None:
    """Train what is not finished, `workers` runs at a time on their share of the cores, with one bar over all epochs.

    Raises `LookwhereError` where a finished run is of other settings or data, and naming the log of one that failed.
    """
    from core.data.store import AlignedStore
    from core.training.config import TrainConfig

    store = AlignedStore.open(data)
    waiting: list[tuple[str, dict]] = []
    active: dict[str, subprocess.Popen] = {}
    total = 0
    for name, arm, seed in plan.runs():
        settings = plan.config(arm, seed)
        config = from_yaml(TrainConfig, settings, f"{plan.file}, {name}")
        total += config.epochs
        status = read_status(runs / name / "training")
        if status is not None and status.alive:
            raise LookwhereError(f"{runs / name}: is being trained by another process; wait for it, or stop it")
        if status is None or status.state != "finished":
            waiting.append((name, settings))
        else:
            check_made_of(runs / name, config, store)
    threads = max(1, (os.cpu_count() or 1) // workers)
    bar = tqdm(total=total, desc=f"{plan.content['name']}: training", unit="epoch", disable=not waiting)
    bar.n = bar.initial = _epochs_done(plan, runs)
    try:
        while waiting or active:
            while waiting and len(active) < workers:
                name, settings = waiting.pop(0)
                active[name] = _start(name, settings, data, runs, threads)
            time.sleep(2)
            for name, process in list(active.items()):
                if (code := process.poll()) is not None:
                    del active[name]
                    if code != 0:
                        raise LookwhereError(f"{runs / name}.log: training ended with code {code}; mend what it says")
            bar.n = _epochs_done(plan, runs)
            bar.refresh()
    finally:
        bar.close()
        for process in active.values():
            process.terminate()
        for process in active.values():
            process.wait()


def _epochs_done(plan: Plan, runs: Path) -> int:
    return sum(len(read_metrics(runs / name / "training")) for name, _, _ in plan.runs())


def _start(name: str, settings: dict, data: Path, runs: Path, threads: int) -> subprocess.Popen:
    """One run as a process of its own: on few cores, several runs of one thread outpace one run of several."""
    runs.mkdir(parents=True, exist_ok=True)
    config = runs / f"{name}.yaml"
    config.write_text(yaml.safe_dump(settings, sort_keys=False))
    command = [sys.executable, "-m", "train", "--data", str(data), "--models", str(runs), "--name", name]
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


def assemble(plan: Plan, arm: dict, seed: int, runs: Path, work: Path, store: AlignedStore) -> Path:
    """The arm's chosen weights as a model folder in `work`; made once, and anew where run or arm have changed."""
    from core.classifiers.folder import load_model, save_model
    from core.classifiers.info import model_info
    from core.training.balanced_head import retrain_head

    target = work / run_name(arm["name"], seed)
    run = runs / run_name(arm.get("from", arm["name"]), seed)
    choose = arm.get("choose", arm.get("settings", {}).get("choose", "overall"))
    epoch = best_epoch(read_metrics(run / "training"), choose)
    kept = run / "training" / "epochs" / f"{epoch:03}"
    made_of = {"weights": model_info(kept).weights_sha256, "epoch": epoch, "choose": choose, "head": arm.get("head")}
    made_of |= {"data": store.manifest.data_fingerprint, "seed": seed}
    if (target / "model.json").is_file():
        # What was made before this was kept says nothing of it, and stays.
        if not (target / MADE_OF).is_file() or json.loads((target / MADE_OF).read_text()) == made_of:
            return target
        shutil.rmtree(target)
    source = load_model(kept)
    info = dataclasses.replace(source.info, training=dataclasses.replace(source.info.training, choose=choose))
    if arm.get("head") == "balanced":
        retrain_head(source.network, store, store.split("val"), info.input_size, seed, info.task)
        # What was validated is another last layer: its numbers are not this model's.
        info = dataclasses.replace(info, validation=None, head="retrained on group-balanced validation")
    target.mkdir(parents=True, exist_ok=True)
    shutil.copytree(run / "training", target / "training", ignore=lambda _, names: {*names} - {"metrics.csv"})
    write_json(target / MADE_OF, made_of)
    save_model(target, source.network, info)
    return target


def publish(plan: Plan, audits: dict[str, str], work: Path, out: Path) -> Path:
    """Audits, metrics, model.json and cards into `out`, without weights; `experiment.json` last."""
    folder = out / plan.content["name"]
    for name in audits:
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(
            work / name, folder / name, ignore=shutil.ignore_patterns("*.safetensors", "*.partial", MADE_OF)
        )
    seeds = plan.content["seeds"]
    arms = [
        {"name": a["name"], "title": a["title"], "models": [run_name(a["name"], s) for s in seeds]}
        for a in plan.content["arms"]
    ]
    write_json(
        folder / "experiment.json",
        {
            "format": 1,
            "name": plan.content["name"],
            "title": plan.content["title"],
            "config": f"train/configs/{Path(plan.content['config']).name}",
            "audit": next(iter(audits.values())),
            "arms": arms,
            "contrasts": plan.content["contrasts"],
        },
    )
    return folder


def _run_all(plan: Plan, store: AlignedStore, data: Path, runs: Path, out: Path, workers: int) -> None:
    """Everything that is not there yet, in folders that no other process works in."""
    from core.audit.run import KeepAverages, run_audit
    from core.classifiers.folder import load_model
    from core.present.card import write_card
    from core.progress import Bars

    train_all(plan, data, runs, workers)
    audits, work = {}, runs / "chosen"
    for arm in plan.content["arms"]:
        for seed in plan.content["seeds"]:
            folder = assemble(plan, arm, seed, runs, work, store)
            bars = Bars()
            try:
                audit = run_audit(store, load_model(folder), averages=KeepAverages.NO, batch=256, progress=bars)
            finally:
                bars.close()
            write_card(folder)
            audits[folder.name] = audit.name
            print(f"{folder.name}: epoch {load_model(folder).info.epoch}, accuracy {audit.manifest.accuracy}")
    print(f"{publish(plan, audits, work, out)}: {len(audits)} models, without their weights")


def main(
    data: Path,
    experiment: Path = PLAN,
    runs: Path = Path("data/experiments"),
    out: Path = Path("models/experiments"),
    workers: int = 2,
) -> int:
    """Train, choose, retrain heads, audit, publish.

    Args:
        data: An aligned store, made by `python -m core align`.
        experiment: The experiment's YAML file.
        runs: Where runs and their weights lie, about 0.8 GB each.
        out: Where audits and metrics go.
        workers: Runs trained at a time, each on its share of the cores.
    """
    from core.data.store import AlignedStore

    try:
        plan = Plan.read(experiment)
        store = AlignedStore.open(data)
        runs = runs / plan.content["name"]
        with alone(runs, "running"), alone(out / plan.content["name"], "publishing"):
            _run_all(plan, store, data, runs, out, at_least("--workers", workers, 1))
    except LookwhereError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if (line := machine_error(error)) is None:
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
        return tyro.cli(main, prog=prog, description=__doc__, args=arguments)
    except ModuleNotFoundError as error:
        if (line := missing_extra(error)) is None:
            raise
        print(f"error: {line}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main_from())
