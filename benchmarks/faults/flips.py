"""One byte of a finished folder's file turned over: whoever opens the folder is told the file, or nothing changes."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.faults.kinds import Tally
from benchmarks.faults.process import run
from benchmarks.faults.stages import STAGES, make_inputs
from core.errors import LookwhereError

ROOT = Path(__file__).parents[2]
AUDIT, EXPERIMENT = "models/m/audits/a", "models/experiments/claims"
BOARD = "board/audits/mini-xception/utkface"
SHIPPED = "models/resnet50-utkface/audits/utkface-test"


def make_whole(root: Path) -> None:
    """A store, a model, its audit with checks, a shipped audit, experiment, and an audit of the shipped board."""
    from core.audit.kept_averages import KeptAverages, remember

    make_inputs(root)
    for name in ("align", "train", "audit", "check"):
        ended = run(STAGES[name].words, root)
        if ended.code:
            raise RuntimeError(f"{name} fails undisturbed: {ended.output[-2000:]}")
    remember(root / "models", KeptAverages(data_fingerprint="0" * 64, pictures=("a" * 12, "b" * 12), sha256="1" * 64))
    for folder in (EXPERIMENT, SHIPPED):
        shutil.copytree(ROOT / folder, root / folder)
    shutil.copytree(ROOT / "docs" / BOARD, root / BOARD)


def read_store(root: Path) -> object:
    from core.data.store import AlignedStore

    store = AlignedStore.open(root / "store")
    tables = store.faces.to_csv(), store.rejects.to_csv()
    measures = None if store.measured is None else store.measured.to_csv()
    return store.images.tobytes(), store.landmarks.tobytes(), tables, store.manifest.to_json(), measures


def read_model(root: Path) -> object:
    from core.classifiers.folder import load_model
    from core.classifiers.training_hashes import open_hashes

    model = load_model(root / "models/m")
    hashes = open_hashes(model.path, model.info)
    tensors = {name: tensor.numpy().tobytes() for name, tensor in model.network.state_dict().items()}
    return model.info.to_json(), tensors, hashes.aligned.tobytes(), hashes.files.tobytes(), hashes.salt


def read_training(root: Path) -> object:
    from core.training.record import read_metrics, read_status

    return read_metrics(root / "models/m/training").to_csv(), read_status(root / "models/m/training")


def read_checkpoint(root: Path) -> object:
    from core.training.resume import load_checkpoint

    tensors, meta = load_checkpoint(root / "models/m/training/checkpoint.safetensors")
    return {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}, meta


def read_audit(root: Path, folder: str = AUDIT) -> object:
    from core.audit.folder import open_audit

    audit = open_audit(root / folder)
    evidence = None if audit.evidence is None else audit.evidence.tobytes()
    return audit.faces.to_csv(), evidence, audit.averages.means.tobytes(), audit.manifest.to_json(), audit.measured


def read_board(root: Path) -> object:
    return read_audit(root, BOARD)


def read_shipped(root: Path) -> object:
    from core.analysis.accuracy.skin_tone import read_skin_tone
    from core.audit.folder import open_audit

    return read_audit(root, SHIPPED), read_skin_tone(open_audit(root / SHIPPED)), read_checks(root, SHIPPED)


def read_remembered(root: Path) -> object:
    from core.audit.kept_averages import read_kept

    return read_kept(root / "models")


def read_checks(root: Path, folder: str = AUDIT) -> object:
    from core.audit.folder import open_audit
    from core.checks.results import open_checks

    checks = open_checks(open_audit(root / folder))
    tables = [table.to_csv() for part in checks.parts.values() for table in part.tables.values()]
    arrays = [array.tobytes() for part in checks.parts.values() for array in part.arrays.values()]
    return checks.manifest.to_json(), tables, arrays


def read_experiment(root: Path) -> object:
    from core.analysis.comparison.experiment import open_experiment

    experiment = open_experiment(root / EXPERIMENT)
    first = experiment.audits(experiment.arms[0].name)[0]
    return repr(experiment), first.faces.to_csv(), first.manifest.to_json()


#: Each kind of folder: its files, and how it is read.
FOLDERS: dict[str, tuple[tuple[str, ...], Callable[[Path], object]]] = {
    "a store": (tuple(f"store/{n}" for n in ("faces.npy", "landmarks.npy", "faces.parquet", "rejects.parquet",
                                             "disagreements.parquet", "measured.parquet", "store.json")), read_store),
    "a model": (tuple(f"models/m/{n}" for n in ("model.safetensors", "model.json", "training-faces.npz")), read_model),
    "a training": (tuple(f"models/m/training/{n}" for n in ("metrics.csv", "status.json")), read_training),
    "a checkpoint": (("models/m/training/checkpoint.safetensors",), read_checkpoint),
    "an audit": (tuple(f"{AUDIT}/{n}" for n in ("faces.parquet", "averages.npz", "audit.json")), read_audit),
    "a shipped audit": (tuple(f"{SHIPPED}/{n}" for n in ("faces.parquet", "averages.npz", "audit.json", "checks.json",
                              "checks.npz", "measured.parquet", "skin_tone.json")), read_shipped),
    "what averages were stored": (("models/.averages.json",), read_remembered),
    "checks": (tuple(f"{AUDIT}/{n}" for n in ("checks.json", "checks.npz")), read_checks),
    "an experiment": ((f"{EXPERIMENT}/experiment.json",
                       f"{EXPERIMENT}/everyone-s0/audits/utkface-test/faces.parquet",
                       f"{EXPERIMENT}/everyone-s0/audits/utkface-test/audit.json"), read_experiment),
    "a board": (tuple(f"{BOARD}/{n}" for n in ("faces.parquet", "averages.npz", "audit.json")), read_board),
}  # fmt: skip


def flipped(root: Path, times: int, draw: random.Random) -> Iterator[tuple[str, Tally]]:
    """A row a kind of folder: each of its files, `times` times, with a byte turned over at a place drawn at random."""
    import benchmarks.faults.warm  # noqa: F401

    make_whole(root)
    for words, (files, read) in FOLDERS.items():
        yield words, flip_files(root, files, read, times, draw)


def flip_files(
    root: Path, files: tuple[str, ...], read: Callable[[Path], object], times: int, draw: random.Random
) -> Tally:
    """What comes of reading after a byte of each file was turned over. Nothing changed counts as right."""
    tally, content = Tally(), read(root)
    for file in (root / name for name in files if (root / name).is_file()):
        good = file.read_bytes()
        for _ in range(times):
            place, bit = draw.randrange(len(good)), 1 << draw.randrange(8)
            write_byte(file, place, good[place] ^ bit)
            what = f"{file.relative_to(root)}, byte {place:,} ({good[place] ^ bit:#04x} for {good[place]:#04x})"
            read_again(root, file, read, content, what, tally)
            write_byte(file, place, good[place])
    return tally


def read_again(
    root: Path, file: Path, read: Callable[[Path], object], content: object, what: str, tally: Tally
) -> None:
    """Read once more after `file` was changed, and count what comes of it: a silent change, or an unclear error."""
    tally.times += 1
    try:
        if read(root) != content:
            tally.wrong += 1
            tally.said.append(f"{what}: silent")
    except LookwhereError as error:
        if str(file) not in str(error):
            tally.unclear += 1
            tally.said.append(f"{what}: names another file: {error}")
    except Exception as error:
        tally.unclear += 1
        tally.said.append(f"{what}: {type(error).__name__}: {error}")


def write_byte(file: Path, place: int, byte: int) -> None:
    with file.open("r+b") as stream:
        stream.seek(place)
        stream.write(bytes([byte]))
