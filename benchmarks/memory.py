"""Peak resident memory of align, audit, check and train by the number of faces, on made stores and a small network.

python -m benchmarks.memory
python -m benchmarks.memory --faces 2000 20000 200000

Each command is a process of its own, on one thread. Told is its peak resident memory (`VmHWM`), which counts the pages
of memory-mapped files, and the peak of what is its alone (`RssAnon`, looked at 50 times a second). `ru_maxrss` is not
what is told: of a child it is at least what this process had when it started the child. Images are
noise of 112×112 pixels; `align` reads files of 16×16 pixels and looks for no face in them, since a detector's memory is
that of a batch.
"""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import tyro
from PIL import Image

from core.data.faces import fingerprint
from core.data.store_info import FORMAT
from core.files import write_json, write_parquet
from core.template import TEMPLATE

COMMANDS = ("align", "audit", "check", "train")
#: What is written where the child tells its peak.
TOLD = "LOOKWHERE_PEAK"


def made_store(folder: Path, faces: int) -> None:
    """A store of noise, brighter for male than for female, in blocks: memory is not what is measured here."""
    draw, place = np.random.default_rng(0), np.arange(faces)
    table = pd.DataFrame(
        {
            "face_id": [f"face-{n:07}" for n in place],
            "path": [f"images/{n:07}.png" for n in place],
            "gender": np.where(place % 2, "male", "female"),
            "ethnicity": np.array(["White", "Black", "Asian"])[place // 2 % 3],
            "age": pd.array(draw.integers(18, 80, faces), dtype="Int16"),
            "identity": pd.array([pd.NA] * faces, dtype="string"),
            "cluster": place,
            "split": np.array(["train", "train", "train", "val", "test", "test"])[place // 6 % 6],
            "row": place,
        }
    )
    folder.mkdir(parents=True)
    images = np.lib.format.open_memmap(folder / "faces.npy", mode="w+", dtype=np.uint8, shape=(faces, 112, 112, 3))
    for start in range(0, faces, 1000):
        block = draw.integers(0, 120, images[start : start + 1000].shape, dtype=np.uint8)
        block[1::2] += 100
        images[start : start + 1000] = block
    images.flush()
    np.save(folder / "landmarks.npy", np.tile(TEMPLATE.astype(np.float32), (faces, 1, 1)))
    write_parquet(folder / "faces.parquet", table)
    names = ["file", "reason", "gender", "ethnicity"]
    write_parquet(folder / "rejects.parquet", pd.DataFrame({name: pd.Series([], dtype="str") for name in names}))
    about = {"dataset": "made", "source_fingerprint": "0" * 64, "seed": 0, "template": "arcface-112", "padding": 0}
    about |= {"detector": "none", "data_fingerprint": fingerprint(table), "read": faces, "faces": faces, "rejects": {}}
    about |= {"format": FORMAT, "repaired": [], "repairs": {}, "near_copy_clusters": 0}
    write_json(folder / "store.json", about)


def made_images(folder: Path, faces: int) -> None:
    """A folder of small noise images and a table of labels."""
    draw = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    for n in range(faces):
        image = Image.fromarray(draw.integers(0, 255, (16, 16, 3), dtype=np.uint8))
        image.save(folder / "images" / f"{n:07}.png", compress_level=0)
    names = [f"images/{n:07}.png,{('female', 'male')[n % 2]},White,{18 + n % 60}" for n in range(faces)]
    (folder / "faces.csv").write_text("\n".join(["path,gender,ethnicity,age", *names]) + "\n")


def small_network() -> None:
    """Each network of this process has a block a stage, a quarter as wide inside."""
    from torchvision.models.resnet import Bottleneck, ResNet

    from core.classifiers.resnet import GenderResNet

    def small(self: GenderResNet, classes: int = 2, dilated: bool = False) -> None:
        ResNet.__init__(self, Bottleneck, [1, 1, 1, 1], num_classes=classes, width_per_group=16)
        self.set_dilation(dilated)

    GenderResNet.__init__ = small


def align(work: Path) -> None:
    """Read, hash, split and resize images, and measure the squares: all of `align` but the detector."""
    from core.data.build_store import build_store
    from core.data.readers import choose_reader
    from core.data.sources import open_source

    source = open_source(work / "data")
    reader = copy.copy(choose_reader(source))
    reader.aligned = True
    build_store(source, reader, work / "aligned")


def audit(work: Path) -> None:
    """All faces of the store through the network."""
    from core.__main__ import main

    main(["audit", "--model", "made", "--data", f"{work}/store", "--split", "all", "--models", f"{work}/models"])


def check(work: Path) -> None:
    """The checks of hidden regions and of removed pixels, on 120 faces."""
    from core.__main__ import main

    words = ["check", "--model", "made", "--audit", "made-all", "--data", f"{work}/store", "--models", f"{work}/models"]
    main([*words, "--sample", "120", "--parts", "deletion", "occlusion"])


def train(work: Path) -> None:
    """An epoch at 32 pixels on the train split, and its validation."""
    from train.__main__ import main

    settings = work / "train.yaml"
    settings.write_text("stages:\n  - {size: 32, epochs: 1}\nbatch: 64\nnorm_batches: 10\n")
    main(["--data", f"{work}/store", "--name", "trained", "--models", f"{work}/models", "--config", f"{settings}"])


def command(name: str, work: str) -> None:
    """Run one of the commands in this process; its peaks of resident and private memory, in kB, are in the file
    `$LOOKWHERE_PEAK` then."""
    peak, over = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.02):
            peak = max(peak, resident("RssAnon"))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    run: dict[str, Callable[[Path], None]] = {"align": align, "audit": audit, "check": check, "train": train}
    small_network()
    run[name](Path(work))
    over.set()
    watcher.join()
    Path(os.environ[TOLD]).write_text(f"{resident('VmHWM')} {max(peak, resident('RssAnon'))}")


def resident(what: str) -> int:
    """What this process's status says of its memory, in kB: `RssAnon`, private now, or `VmHWM`, the peak of all."""
    with open("/proc/self/status") as status:  # noqa: PTH123
        return next(int(line.split()[1]) for line in status if line.startswith(f"{what}:"))


def measured(name: str, work: Path) -> tuple[float, float, float]:
    """Peak resident and private memory in MB and the processor seconds of a command in a process of its own."""
    peak_file = work / f"{name}.peak"
    environment = os.environ | {"OMP_NUM_THREADS": "1", TOLD: str(peak_file)}
    code = f"import sys; from benchmarks.memory import command; command({name!r}, {str(work)!r})"
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode or not peak_file.is_file():
            output.seek(0)
            raise SystemExit(f"{name}: {output.read().decode(errors='replace')[-2_000:]}")
    most, alone = (int(value) / 1e3 for value in peak_file.read_text().split())
    return most, alone, usage.ru_utime + usage.ru_stime


def prepare(work: Path, faces: int) -> None:
    """Images, a store and an untrained network."""
    import torch

    from core.classifiers.folder import save_model
    from core.classifiers.info import ModelInfo, TrainingInfo
    from core.classifiers.resnet import GenderResNet

    torch.manual_seed(0)
    about = ModelInfo(input_size=32, epoch=1, training=TrainingInfo(choose="overall", seed=0))
    save_model(work / "models" / "made", GenderResNet().eval(), about)
    made_store(work / "store", faces)
    made_images(work / "data", faces)


def main(
    faces: tuple[int, ...] = (2_000, 20_000), only: tuple[str, ...] = COMMANDS, within: Path | None = None
) -> None:
    """Print a row a command and number of faces.

    Args:
        faces: How many faces; 200,000 take 16 GB of disk and an hour of processor.
        only: Which of align, audit, check and train; check needs audit.
        within: A folder with room for it; by default the system's for temporary files.
    """
    small_network()
    print(f"{'command':8} {'faces':>9} {'peak resident':>14} {'of it private':>14} {'CPU':>8}")
    for count in faces:
        with tempfile.TemporaryDirectory(dir=within) as folder:
            prepare(Path(folder), count)
            for name in only:
                resident, alone, seconds = measured(name, Path(folder))
                print(f"{name:8} {count:9,} {resident:11,.0f} MB {alone:11,.0f} MB {seconds:6.1f} s", flush=True)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
