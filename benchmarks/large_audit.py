"""Near-copies of a video's frames, and the commands on an audit of 200,000 faces: CPU seconds and peak memory of each.

python -m benchmarks.large_audit
python -m benchmarks.large_audit --checkout ../an-older-checkout

Each part is a process of its own, run by the checkout that is given, so that two versions are measured in one go.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import tyro

from core.data.faces import fingerprint
from core.template import TEMPLATE

#: One frame's hash lies a bit from a still picture's, as frames of a shot that hardly changes do.
NEAR_COPIES = """
import numpy as np
try:
    from core.data.duplicates import cluster, near_pairs
except ModuleNotFoundError:
    from core.splits import cluster, near_pairs
n = {frames}
bits = np.random.default_rng(0).integers(0, 64, n).astype(np.uint64)
frames = np.full(n, 0x123456789ABCDEF0, dtype=np.uint64) ^ (np.uint64(1) << bits)
assert len(set(cluster(n, near_pairs(frames)))) == 1
"""
#: The store's format as it has been since it has rejects; all versions read it.
STORE_FORMAT = 2


def made_store(folder: Path, faces: int, seed: int = 0) -> pd.DataFrame:
    """A store of made labels in 30 ethnic groups, 3.3 faces a person; the images are a sparse file that nobody reads.

    Returns its faces table.
    """
    draw = np.random.default_rng(seed)
    group = np.minimum(draw.geometric(0.12, faces) - 1, 29)
    table = pd.DataFrame(
        {
            "face_id": [f"face-{n:06}" for n in range(faces)],
            "path": [f"images/{n:06}.jpg" for n in range(faces)],
            "gender": np.where(draw.random(faces) < 0.4, "female", "male"),
            "ethnicity": np.array([f"Group {n:02}" for n in range(30)])[group],
            "age": pd.array(draw.integers(1, 90, faces), dtype="Int16"),
            "identity": pd.array([f"p{n}" for n in draw.integers(0, max(faces * 3 // 10, 1), faces)], dtype="string"),
            "cluster": np.arange(faces),
            "split": "test",
            "row": np.arange(faces),
        }
    )
    folder.mkdir(parents=True)
    table.to_parquet(folder / "faces.parquet", index=False)
    names = ["file", "reason", "gender", "ethnicity"]
    pd.DataFrame({name: pd.Series([], dtype="str") for name in names}).to_parquet(folder / "rejects.parquet")
    np.lib.format.open_memmap(folder / "faces.npy", mode="w+", dtype=np.uint8, shape=(faces, 112, 112, 3)).flush()
    np.save(folder / "landmarks.npy", np.tile(TEMPLATE.astype(np.float32), (faces, 1, 1)))
    about = {"dataset": "made", "source_fingerprint": "0" * 64, "seed": 0, "template": "arcface-112", "padding": 0}
    about |= {"detector": "none", "data_fingerprint": fingerprint(table), "read": faces, "faces": faces, "rejects": {}}
    about |= {"format": STORE_FORMAT, "repaired": [], "repairs": {}, "near_copy_clusters": 0, "own_splits": True}
    (folder / "store.json").write_text(json.dumps(about))
    return table


def measured(what: str, checkout: Path, *arguments: str) -> None:
    """Run Python in a checkout and print the CPU seconds and the peak memory of it.

    Raises `SystemExit` with what it said where it fails.
    """
    environment = os.environ | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=checkout, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise SystemExit(f"{what}: {output.read().decode(errors='replace')[-2_000:]}")
    seconds, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6
    print(f"{what:36} {seconds:8.1f} s of CPU   peak {peak:5.2f} GB", flush=True)


def main(faces: int = 200_000, frames: int = 8_000, checkout: Path = Path()) -> None:
    """Print a line for each step.

    Args:
        faces: Faces of the made audit.
        frames: Frames of the made video.
        checkout: The version to measure.
    """
    checkout = checkout.resolve()
    measured(f"near-copies of {frames:,} frames", checkout, "-c", NEAR_COPIES.format(frames=frames))
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        table, draw = made_store(work / "made", faces), np.random.default_rng(1)
        right = draw.random(faces) < np.where(table["gender"] == "female", 0.9, 0.96)
        male = (table["gender"] == "male").to_numpy() == right
        score = np.where(male, draw.uniform(0.5, 1, faces), draw.uniform(0, 0.5, faces))
        pd.DataFrame({"file": table["path"], "score": score.round(6)}).to_csv(work / "p.csv", index=False)
        place = ("--models", str(work / "models"))
        which = ("--model", "p", "--audit", "made-all", *place)
        steps = {
            "import": (str(work / "p.csv"), "--name", "p", "--score", "probability", "--of", "male", *place),
            "audit": ("--model", "p", "--data", str(work / "made"), "--split", "all", "--averages", "no", *place),
            "show": which,
            "gaps": which,
            "findings": which,
            "report": (*which, "--out", str(work / "report.html")),
        }
        for command, arguments in steps.items():
            measured(f"{command}, {faces:,} faces", checkout, "-m", "core", command, *arguments)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
