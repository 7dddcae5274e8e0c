"""Train a ResNet-50 classifier on an aligned store: of gender, or with --target of another attribute of its faces.

Settings come from the defaults, then `--config FILE` (YAML), then flags, later ones winning:

  python -m train --data data/aligned/utkface --name resnet50-utkface --config train/configs/utkface.yaml
  python -m train --data data/aligned/utkface --name resnet50-utkface --config train/configs/utkface.yaml --resume
  python -m train --data data/aligned/utkface --name quick --batch 128 --optimiser.lr 5e-4
  python -m train --train faces_emore --labels identities.csv --val kaggle-gender --name original-study
  torchrun --nproc-per-node 8 -m train --data data/aligned/utkface --name resnet50-utkface --config utkface
  python -m train --train data/aligned/lfw data/aligned/utkface --weights 2 1 --val kaggle-gender --name both
  python -m train --data data/aligned/celeba --name glasses --target Eyeglasses --balance group --groups gender Young
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import sys
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tyro
from tqdm import tqdm

from core.commands.output import noted, notes_at_the_end
from core.errors import LookwhereError, told
from core.extras import missing_extra
from core.files import plain_name
from core.locks import alone
from core.progress import ProgressBars, ProgressFile
from core.ranks import Ranks
from core.training.config import TrainConfig
from core.training.config_file import load_config
from core.training.options import TrainOptions
from core.training.record import Status, read_metrics, read_status
from core.wording import percent

if typing.TYPE_CHECKING:
    from core.training.face_sets import FaceSets


@dataclasses.dataclass(frozen=True, kw_only=True)
class Command(TrainOptions):
    """What to train on, under which name, and the settings."""

    settings: typing.Annotated[TrainConfig, tyro.conf.arg(name="")]
    """The run's settings."""


def shipped_config(file: Path) -> Path:
    """The file; or, where it is but a name as in `--config utkface`, the config of that name that ships with us."""
    own = Path(__file__).parent / "configs" / f"{file.name}.yaml"
    return own if file.parent == Path() and not file.exists() and own.is_file() else file


def parse(arguments: list[str] | None, prog: str = "python -m train") -> Command:
    """Flags over the YAML file over the defaults."""
    arguments = sys.argv[1:] if arguments is None else arguments
    file = None
    for n, word in enumerate(arguments):
        if word == "--config" and n + 1 < len(arguments):
            file = Path(arguments[n + 1])
        elif word.startswith("--config="):
            file = Path(word.removeprefix("--config="))
    default = Command(name=tyro.MISSING, settings=load_config(file and shipped_config(file)), config=file)
    return tyro.cli(
        Command,
        default=default,
        args=arguments,
        prog=prog,
        description=__doc__,
    )


def worst_words(row: Mapping[str, Any]) -> str:
    """The weakest group of an epoch's row of `metrics.csv`, of those large enough to be compared."""
    if not row["worst_group"]:
        return "no group is large enough to be the worst"
    return f"worst {row['worst_group']} {percent(row['worst_group_accuracy'], 2)}"


class Bar:
    """The run on a terminal: one bar an epoch with ETA of the whole, one line at its end."""

    def __init__(self) -> None:
        self.bar: tqdm | None = None
        self.epoch = -1
        self.file = ProgressFile()

    def __call__(self, status: Status, row: dict | None) -> None:
        done = status.epoch * status.steps + status.step
        stage = f"training, epoch {min(status.epoch + 1, status.epochs)} of {status.epochs}"
        self.file.tell(stage, done, status.epochs * status.steps, status.eta)
        if row is not None:
            self.close()
            tqdm.write(
                f"epoch {row['epoch']:3}/{status.epochs}  {row['size']} px{' dilated' if row['dilated'] else ''}  "
                f"train {percent(row['train_accuracy'], 2)}  val {percent(row['val_accuracy'], 2)}  "
                f"{worst_words(row)}  "
                f"{row['images_per_second']:.0f} img/s  {row['seconds']:.0f} s"
            )
            return
        if status.state != "running":
            self.close()
            return
        if self.bar is None or self.epoch != status.epoch:
            self.close()
            self.bar = tqdm(total=status.steps, desc=f"epoch {status.epoch + 1}/{status.epochs}", unit="step")
            self.epoch = status.epoch
        self.bar.n = status.step
        if status.eta is not None:
            self.bar.set_postfix_str(f"loss {status.loss or 0:.3f}, all done in {status.eta / 60:.0f} min")

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None


class Interrupt:
    """The first Ctrl-C (or SIGTERM) asks for a clean stop, the second ends at once."""

    def __init__(self) -> None:
        self.asked = False
        for kind in (signal.SIGINT, signal.SIGTERM):
            signal.signal(kind, self._ask)

    def _ask(self, *_: object) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        print("\nstopping after this step; once more to end at once", file=sys.stderr)

    def __call__(self) -> bool:
        return self.asked


def open_faces(command: Command) -> FaceSets:
    """The faces to train and to validate on. Raises `LookwhereError` where the flags name none, or too many."""
    from core.data.build_store import open_or_align
    from core.training.face_sets import FaceSets

    if (command.data is None) == (not command.train):
        raise LookwhereError("give either --data PATH, or --train PATH and --val PATH")
    if len(command.train) > 1 and (command.dataset or command.labels):
        raise LookwhereError(
            "--dataset and --labels are of one data set: align the others first, and name their stores"
        )
    if len(command.train) > 1 and command.val is None:
        raise LookwhereError("several data sets to train on need --val PATH, another one to validate on")
    bars = ProgressBars()
    try:
        target = command.settings.target
        stores = [
            noted(open_or_align(path, command.dataset, progress=bars, labels=command.labels, target=target))
            for path in command.train or (command.data,)
        ]
        if command.val is None:
            if command.settings.splits:
                raise LookwhereError("--splits is for --train with --val: --data trains on its train split")
            return FaceSets.from_store(stores[0])
        val = noted(open_or_align(command.val, command.val_dataset, progress=bars, target=target))
        sets = FaceSets.across(stores, val, all_of_val=command.all_of_val, splits=command.settings.splits).apart(bars)
    finally:
        bars.close()
    if sets.copies is None:
        print("whether validation faces are copies of training faces is not looked up: there are too many pairs")
    elif sets.copies:
        print(f"{sets.copies:,} validation faces are copies or near-copies of training faces and left out")
    return sets


def _ended_before_its_first_checkpoint(training: Path) -> bool:
    """Whether a run was begun here and killed before it could keep anything to go on from: then it begins anew.

    The first epoch's row in `metrics.csv` is written before the first checkpoint.
    """
    if (training / "checkpoint.safetensors").exists():
        return False
    status, epochs = read_status(training), len(read_metrics(training))
    return epochs <= 1 and (epochs == 1 or status is not None) and (status is None or status.state != "finished")


def run(command: Command) -> int:
    """Train as commanded; 0 when finished or stopped as asked, 130 when interrupted."""
    folder = command.models / plain_name(command.name)
    faces = open_faces(command)
    # Other processes of one run, which Fabric or torchrun starts, leave the lock to the first.
    first = os.environ.get("LOCAL_RANK", "0") == "0" and Ranks.here().first
    with alone(folder, "training") if first else contextlib.nullcontext():
        return _train(command, faces, folder)


def _train(command: Command, faces: FaceSets, folder: Path) -> int:
    """Train into a folder that no other process trains into."""
    from core.devices import precision
    from core.present.card import write_card
    from core.training.loop import train
    from core.training.processes import make_fabric

    begun = any((folder / "training" / file).exists() for file in ("metrics.csv", "checkpoint.safetensors"))
    if begun and not command.resume:
        has_checkpoint = (folder / "training/checkpoint.safetensors").is_file() or _ended_before_its_first_checkpoint(
            folder / "training"
        )
        mend = "go on with --resume" if has_checkpoint else "it has no checkpoint to go on from: delete it"
        raise LookwhereError(f"{folder}: holds a training run; {mend}, or choose another --name")
    resume = command.resume and not _ended_before_its_first_checkpoint(folder / "training")
    kind = command.precision
    if kind == "auto":
        import torch

        device = "cuda" if torch.cuda.is_available() else "cpu"
        kind = "bf16-mixed" if precision(device) == torch.bfloat16 else "32-true"
    fabric = make_fabric(command.devices, kind)
    fabric.launch()
    stop, bar = Interrupt(), Bar()
    try:
        status = train(
            faces,
            folder,
            command.settings,
            fabric=fabric,
            resume=resume,
            stop_after=command.stop_after,
            stop=stop,
            report=bar,
        )
    finally:
        bar.close()
    if fabric.is_global_zero and (folder / "model.json").is_file():
        write_card(folder)
    if fabric.is_global_zero:
        print(f"{folder}: {status.state}{': ' + status.message if status.message else ''}")
    return 130 if stop.asked and status.state == "stopped" else 0


def main(arguments: list[str] | None = None, prog: str = "python -m train") -> int:
    """0 on success, 2 with one line on bad input, 130 where a person interrupted (the run can be resumed)."""
    try:
        with notes_at_the_end():
            return run(parse(arguments, prog))
    except ModuleNotFoundError as error:
        if (line := missing_extra(error)) is None:
            raise
        print(f"error: {line}", file=sys.stderr)
        return 2
    except (LookwhereError, OSError, UnicodeEncodeError) as error:
        if (line := told(error)) is None:
            raise
        print(f"error: {line}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; --resume goes on from the last checkpoint", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
