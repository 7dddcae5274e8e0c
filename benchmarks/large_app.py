"""The app on an audit of millions of faces: seconds until it is opened and until each page is drawn, and the memory.

    python -m benchmarks.large_app --faces 200000 5822653
    python -m benchmarks.large_app --faces 200000 --keep /tmp/made

A made audit as `python -m core audit` lays it down: people of uneven size, maps that add up to the logits, averages by
cell. It is opened in a process of its own, pages are drawn there by Streamlit's AppTest, each twice: as the first
visitor has it, and with another filter. Seconds are the processor's, so that other work on the machine counts little.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import tyro
from pyarrow import compute

from core.audit.averages import Averages, assign_cells
from core.audit.manifest import AuditManifest
from core.classifiers.info import ModelInfo, TrainingInfo
from core.data.columns import Column, Kind
from core.files import write_json
from core.integrity import record_files
from core.task import GENDERS

#: MS1MV2's faces and people.
FACES, PEOPLE = 5_822_653, 85_742
#: Different maps; faces share them, further apart than a compressor looks back.
MAPS, BLOCK = 1 << 16, 1 << 16
BIAS = (0.1, -0.1)
ETHNICITIES = ("Asian", "Black", "Indian", "White")
SHARES = (0.06, 0.14, 0.04, 0.76)
WRONG = {"Asian": 0.09, "Black": 0.11, "Indian": 0.08, "White": 0.05}
GLASSES = Column(name="glasses", kind=Kind.YES_NO, levels=("no", "yes"))
#: Pages whose views are of an audit's faces.
PAGES = ("overview", "accuracy", "gaps", "heatmaps", "evidence", "findings", "labels", "faces")
ROOT = Path(__file__).parent.parent


def made_labels(faces: int, people: int, seed: int = 0) -> pd.DataFrame:
    """A faces table of whole people, without predictions; texts of few values are categories."""
    draw = np.random.default_rng(seed)
    person = np.sort(draw.integers(0, people, faces))
    gender = (draw.random(people) < 0.6).astype(np.int8)[person]
    ethnicity = draw.choice(len(ETHNICITIES), people, p=SHARES).astype(np.int8)[person]
    age = np.clip(draw.normal(38, 14, people)[person] + draw.normal(0, 4, faces), 1, 95).astype(np.int16)
    number = pa.array(np.arange(faces)).cast(pa.large_string())
    around = [pa.scalar(text, pa.large_string()) for text in ("f", "images/", ".jpg", "")]
    ids = pd.Series(compute.binary_join_element_wise(around[0], number, around[3]), dtype="str")
    paths = pd.Series(compute.binary_join_element_wise(around[1], number, around[2], around[3]), dtype="str")
    names = pd.Index([f"m.{n:05}" for n in range(people)], dtype="str")
    return pd.DataFrame(
        {
            "face_id": ids,
            "path": paths,
            "gender": pd.Categorical.from_codes(gender, GENDERS),
            "ethnicity": pd.Categorical.from_codes(ethnicity, ETHNICITIES),
            "age": pd.array(age, dtype="Int16"),
            "identity": pd.Categorical.from_codes(person.astype(np.int32), names),
            "cluster": np.arange(faces),
            "split": pd.Categorical.from_codes(np.zeros(faces, dtype=np.int8), ["test"]),
            "glasses": pd.Categorical.from_codes((draw.random(faces) < 0.2).astype(np.int8), GLASSES.levels),
        }
    )


def made_large_audit(path: Path, faces: int, people: int = 0, seed: int = 0, shape: tuple[int, int] = (7, 7)) -> None:
    """Write an audit of so many faces to «MODELS/MODEL/audits/NAME», in seconds; a person has 68 faces by default."""
    draw = np.random.default_rng([seed, 1])
    table = made_labels(faces, people or max(faces // 68, 100), seed)
    base = draw.normal(size=(min(MAPS, max(faces, 1024)), 2, *shape)).astype(np.float16) * np.float16(3)
    scores = base.astype(np.float64).mean(axis=(2, 3)) + np.array(BIAS)
    called = scores.argmax(axis=1)
    which = [np.flatnonzero(called == n) for n in (0, 1)]
    gender = table["gender"].cat.codes.to_numpy()
    wrong = np.array([WRONG[name] for name in ETHNICITIES])[table["ethnicity"].cat.codes.to_numpy()]
    predicted = np.where(draw.random(faces) < wrong + np.where(gender == 0, 0.03, 0.0), 1 - gender, gender)
    template = np.where(predicted == 0, draw.choice(which[0], faces), draw.choice(which[1], faces))
    logits = scores[template].astype(np.float32)
    with np.errstate(over="ignore"):
        p = (1 / (1 + np.exp(logits[:, 0].astype(np.float64) - logits[:, 1]))).astype(np.float32)
    table = table.assign(
        logit_female=logits[:, 0],
        logit_male=logits[:, 1],
        p_male=p,
        predicted=pd.Categorical.from_codes(predicted.astype(np.int8), GENDERS),
        correct=predicted == gender,
    )
    path.mkdir(parents=True)
    texts = {name: "str" for name in table if isinstance(table[name].dtype, pd.CategoricalDtype)}
    schema = pa.Table.from_pandas(table[:1].astype(texts), preserve_index=False).schema
    cells = 2 * shape[0] * shape[1]
    schema = schema.append(pa.field("evidence", pa.list_(pa.float16(), cells)))
    with pq.ParquetWriter(path / "faces.parquet", schema, compression="zstd", compression_level=1) as out:
        for start in range(0, faces, BLOCK):
            rows = slice(start, start + BLOCK)
            block = pa.Table.from_pandas(table[rows].astype(texts), preserve_index=False)
            flat = pa.array(base[template[rows]].reshape(-1))
            out.write_table(
                block.append_column(schema.field("evidence"), pa.FixedSizeListArray.from_arrays(flat, cells))
            )
    averaged_cells = assign_cells(table)[0]
    means = draw.integers(90, 160, (len(averaged_cells), 112, 112, 3), dtype=np.uint8)
    Averages(averaged_cells, means).save(path / "averages.npz")
    content = {
        "format": 2, "model": path.parent.parent.name, "weights_sha256": "0" * 64, "dataset": "made",
        "data_fingerprint": "0" * 64, "splits": ["test"], "chosen": "test", "faces": faces, "map_shape": list(shape),
        "accuracy": round(float((predicted == gender).mean()), 6), "head_bias": list(BIAS), "precision": "float32",
        "columns": [GLASSES.to_json()], "maps": {"method": "closed form", "additive": True, "layer": "layer4"},
        "files": {n: r.to_json() for n, r in record_files(path, ("faces.parquet", "averages.npz")).items()},
    }  # fmt: skip
    write_json(path / "audit.json", AuditManifest.from_json(content).to_json())
    model = path.parent.parent / "model.json"
    if not model.is_file():
        info = ModelInfo(
            input_size=112, epoch=1, training=TrainingInfo(seed=0), dilated=False, mean=(0.5,) * 3, std=(0.5,) * 3,
            weights_sha256="0" * 64,
        )  # fmt: skip
        write_json(model, info.to_json())


def memory() -> dict[str, float]:
    """This process's memory in MB: resident, of it private, of it mapped from files; and the peak of the first."""
    names = {"VmRSS": "resident", "RssAnon": "private", "RssFile": "mapped", "VmHWM": "peak"}
    with open("/proc/self/status") as status:  # noqa: PTH123
        lines = (line.split() for line in status)
        return {names[fields[0][:-1]]: int(fields[1]) / 1e3 for fields in lines if fields[0][:-1] in names}


def draw_pages(models: Path, pages: tuple[str, ...]) -> list[dict]:
    """Open the audit and draw each page twice, in this process: a row a step, with processor seconds and memory."""
    os.environ["LOOKWHERE_MODELS"] = str(models)
    from streamlit.testing.v1 import AppTest

    from core.audit.folder import open_audit

    rows: list[dict] = []

    def told(what: str, began: float, wall: float) -> None:
        seconds, passed = time.process_time() - began, time.perf_counter() - wall
        rows.append({"step": what, "seconds": seconds, "wall": passed} | memory())
        print(json.dumps(rows[-1]), flush=True)

    began, wall = time.process_time(), time.perf_counter()
    audit = open_audit(next(models.glob("*/audits/*/audit.json")).parent)
    told("open", began, wall)
    del audit
    for name in pages:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=600)
        app.switch_page(str(ROOT / f"pages/{name}.py"))
        for what, query in (("first", {}), ("again", {}), ("filter", {"gender": "female"})):
            for key, value in query.items():
                app.query_params[key] = value
            began, wall = time.process_time(), time.perf_counter()
            app.run()
            told(f"{name}, {what}", began, wall)
            for error in (*app.exception, *app.error):
                print(json.dumps({"step": f"{name}, {what}", "error": str(error.value)[:500]}), flush=True)
    return rows


def main(
    faces: tuple[int, ...] = (200_000,), pages: tuple[str, ...] = PAGES, keep: Path | None = None, draw: bool = True
) -> None:
    """Print a line a step for each number of faces.

    Args:
        faces: How many faces; of 5,822,653 the audit takes 1.6 GB of disk.
        pages: Which pages are drawn.
        keep: A folder in which the audits stay, and where they are found again.
        draw: Whether pages are drawn at all.
    """
    for count in faces:
        with tempfile.TemporaryDirectory() as folder:
            models = (keep or Path(folder)) / str(count)
            path = models / "made" / "audits" / "made-test"
            if not (path / "audit.json").is_file():
                began = time.process_time()
                made_large_audit(path, count)
                print(
                    f"an audit of {count:,} faces, made in {time.process_time() - began:.1f} s of processor", flush=True
                )
            if draw:
                code = "from pathlib import Path; from benchmarks.large_app import draw_pages; "
                code += f"draw_pages(Path({str(models)!r}), {pages!r})"
                subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
