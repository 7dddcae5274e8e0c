"""Build an aligned store: detect, align and write the planned faces, resumable at any point."""

from __future__ import annotations

import contextlib
import shlex
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from core import template
from core.data import alignment
from core.data.align_batch import (
    ALIGNED,
    BATCH,
    ONE_OF_SEVERAL,
    PENDING,
    REASONS,
    aligned_batch,
    batches,
)
from core.data.align_shards import align_by_several, drop_shards, hashes_by, measure_with_first, take_in
from core.data.border import decide_border, given_border, sampled
from core.data.default_store import default_store, free_folder
from core.data.detection import DetectorSpeed, detector_name, speed_of
from core.data.duplicates import HASHES, hash_images
from core.data.faces import fingerprint
from core.data.file_array import WritableFileArray
from core.data.frame import ENLARGED_TO
from core.data.measured import measure, write_measured
from core.data.otherwise import FILE as OTHERWISE
from core.data.otherwise import two_classes, write_otherwise
from core.data.own_columns import ColumnChoice, with_columns
from core.data.plan import Plan, plan
from core.data.readers import Reader, Reading, choose_reader
from core.data.same_photograph import BY_FACE, by_aligned_face
from core.data.sources import open_source
from core.data.sources.base import Source
from core.data.splits import Subset, still_near
from core.data.store import FILES, AlignedStore
from core.data.store_info import FORMAT, DecidedBy, StoreInfo
from core.data.targets import check_target
from core.data.ties import (
    OtherStoreError,
    columns_fingerprint,
    differences,
    labels_fingerprint,
    plan_fingerprint,
    relabelled,
    unchanged,
    unfinished,
)
from core.data.work_files import drop_work, open_work, parts, reserve
from core.errors import LookwhereError
from core.files import write_json, write_parquet
from core.integrity import record_files
from core.locks import alone
from core.process_group import meet, summed, told_by_first
from core.progress import Progress
from core.ranks import Ranks
from core.remote import is_remote

#: What to do where a folder holds the store of something else.
ANOTHER_FOLDER = "choose another folder with --out, or delete this one"
#: Repairs named one by one in the manifest; the rest are counted.
REPAIRS_LISTED = 20
#: States of an image whose face was aligned.
ALIGNED_STATES = (ALIGNED, ONE_OF_SEVERAL)


@dataclass(frozen=True)
class _Job:
    """What `build_store` was asked for: the data set, the folder `path` of its store, and the settings.

    `border` is in percent of an image's shorter side, None where the images decide or no face is looked for.
    """

    source: Source
    reader: Reader
    path: Path
    seed: int
    labels: Path | None
    subset: Subset | None
    border: float | None
    columns: ColumnChoice | None
    speed: DetectorSpeed | None
    device: str
    progress: Progress | None
    ranks: Ranks


def build_store(
    source: Source,
    reader: Reader,
    path: str | Path,
    *,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
    labels: Path | None = None,
    subset: Subset | None = None,
    border: float | None = None,
    columns: ColumnChoice | None = None,
    speed: DetectorSpeed | None = None,
) -> AlignedStore:
    """Align a data set into `path`, resuming what a run before left there; a finished store is opened, not rebuilt.

    `border` before detection is in percent of an image's shorter side; by default the images decide it. `columns` says
    which of the data set's own columns are kept, and as what; by default all that make groups. `speed` is that of the
    detector, by default that of what is there.
    `progress(stage, total)` returns a function to call once a face. Raises `OtherStoreError` where `path` holds the
    store of another data set, other labels or another setting, or work of another plan; `LookwhereError` where the disk
    is full (what was done stays, and the next run goes on from it).
    """
    path, setting = Path(path), given_border(reader, border)
    if path.resolve() == source.path.resolve():
        raise LookwhereError(f"{path}: is the folder of the data set itself; choose another one with --out")
    if reader.aligned:
        setting = None  # no face is looked for
    # A finished store is only read: many may do so at once.
    ranks = Ranks.here()
    finished = told_by_first(ranks, (path / "store.json").is_file())
    with contextlib.nullcontext() if finished or not ranks.first else alone(path, "aligning into"):
        return _store(
            _Job(source, reader, path, seed, labels, subset, setting, columns, speed, device, progress, ranks)
        )


def _store(job: _Job) -> AlignedStore:
    """`build_store` in a folder that no other process aligns into."""
    source, reader, path, ranks = job.source, job.reader, job.path, job.ranks
    source.read_whole.clear()
    store = AlignedStore.open(path) if (path / "store.json").is_file() else None
    begun = unfinished(path) if store is None else None
    there = begun if store is None else store.manifest
    job = replace(job, speed=job.speed or speed_of(there and there.detector))
    reading = with_columns(reader.read(source, job.labels), job.columns)
    check_target(reading.columns, source.target)
    identity = _identity(job, reading)
    if store is not None:
        changes = differences(identity, store.manifest, job.columns is not None)
        if store.manifest.label_files is None:
            changes += relabelled(store.faces, reading.faces)
        if changes:
            raise OtherStoreError(path, changes, ANOTHER_FOLDER)
        if ranks.first:
            drop_work(path)  # a process killed at its very end leaves it
        return store
    if begun is not None and (changes := differences(identity, begun, True)):
        raise OtherStoreError(path, changes, ANOTHER_FOLDER)
    try:
        meet(ranks)  # all have seen whether anything is there
        of = {key: identity[key] for key in ("dataset", "source_fingerprint")} | {"hashes": HASHES}
        hashed = hash_images if ranks.alone else hashes_by(ranks, path, of)
        work = plan(source, reader, job.seed, job.progress, subset=job.subset, reading=reading, hashed=hashed)
        identity["plan_sha256"] = plan_fingerprint(work.faces, work.columns)
        if begun is not None and begun.plan_sha256 != identity["plan_sha256"]:
            why = "its faces, their order or their images are others than those planned now"
            unknown = "it was begun by an earlier version, which did not keep of which faces"
            raise OtherStoreError(path, [why if begun.plan_sha256 else unknown], ANOTHER_FOLDER)
        if ranks.first:
            reserve(path, len(work.faces))
        path.mkdir(parents=True, exist_ok=True)
        if reader.aligned:
            return _build(job, alignment.Resizer(), identity, work)
        aligner = alignment.FaceAligner(device=job.device, minimum_face=reader.minimum_face, speed=job.speed)
        # Work begun goes on with the border it began with.
        decided = begun and begun.border
        if decided is None and ranks.first:
            decided = decide_border(sampled(source, work.faces), aligner.detector, job.border)
        decided = told_by_first(ranks, decided)
        aligner.border, aligner.wider = decided.percent / 100, decided.decided is DecidedBy.IMAGES
        aligner.smallest = (decided.smallest or 0) / 100
        return _build(job, aligner, identity | {"border": decided.to_json()}, work)
    except OSError as error:
        raise LookwhereError(
            f"{path}: cannot write ({error.strerror or error}); mend that and run again, it resumes"
        ) from error


def _identity(job: _Job, reading: Reading) -> dict:
    """What tells this store from another one: `store.json` begins with it."""
    return {
        "format": FORMAT,
        "dataset": job.reader.name,
        "source_fingerprint": job.source.fingerprint(),
        "seed": job.seed,
        "template": template.TEMPLATE_NAME,
        "detector": "none, aligned already" if job.reader.aligned else detector_name(job.speed),
        "border": job.border,
        "labels_sha256": job.labels and labels_fingerprint(job.labels),
        "label_files": dict(job.source.read_whole),
        "subset": asdict(job.subset) if job.subset else None,
        "columns": [column.to_json() for column in reading.columns],
        "columns_sha256": columns_fingerprint(reading.faces, reading.columns),
    }


def _build(job: _Job, aligner: alignment.Resizer | alignment.FaceAligner, identity: dict, work: Plan) -> AlignedStore:
    """Align the faces of the plan, write the tables and, last, `store.json`; the first process does the writing."""
    path, count = job.path, len(work.faces)
    arrays = _aligned(job, aligner, identity, work)
    if arrays is None:
        measure_with_first(path, job.ranks)
        return AlignedStore.open(path)
    state = arrays["state"][:]
    if not np.isin(state, ALIGNED_STATES).any():
        del arrays
        for file in (*parts(path).values(), path / "unfinished.json"):
            file.unlink()
        why = ", ".join(f"{n:,} {reason}" for reason, n in pd.Series(state).map(REASONS).value_counts().items())
        side = (identity["border"] or {}).get("median_side")
        size = f"half of them have a side of {side} pixels or less" if side and side < ENLARGED_TO else ""
        raise LookwhereError(
            f"{path}: no face was found in any of {count} images ({why}{size and '; ' + size}); is this a data set of "
            "faces?"
        )
    looked_for = not isinstance(aligner, alignment.Resizer)
    result = _write_tables(job, work, arrays, looked_for)
    write_json(path / "store.json", StoreInfo.from_json(identity | result, f"{path}/store.json").to_json())
    del arrays
    drop_work(path)
    drop_shards(path)
    meet(job.ranks)
    return AlignedStore.open(path)


def _aligned(
    job: _Job, aligner: alignment.Resizer | alignment.FaceAligner, identity: dict, work: Plan
) -> dict[str, WritableFileArray] | None:
    """The store's arrays, filled; None for the other ones of several processes."""
    source, path, ranks, count = job.source, job.path, job.ranks, len(work.faces)
    if ranks.first:
        arrays = open_work(path, count)
        write_json(path / "unfinished.json", identity)
        take_in(path, arrays, identity)
    tick = job.progress("aligning", count) if job.progress else (lambda n=1: None)
    if not ranks.alone:
        align_by_several(source, aligner, path, identity, work.faces, ranks, tick)
        if not ranks.first:
            return None
        take_in(path, arrays, identity)
    todo = work.faces.index[arrays["state"][:] == PENDING]
    place = pd.Series(todo, index=work.faces.loc[todo, "path"])
    for _ in range(count - len(todo)):
        tick()
    for batch in batches(unchanged(source.iterate(place.index), work.faces, source), BATCH):
        rows = place.loc[[name for name, _ in batch]].to_numpy()
        for name, values in aligned_batch(aligner, batch).items():
            arrays[name][rows] = values
        for _ in batch:
            tick()
    for array in arrays.values():
        array.flush()
    return arrays


def _write_tables(job: _Job, work: Plan, arrays: dict[str, WritableFileArray], looked_for: bool) -> dict:
    """Write the tables of faces, rejects and disagreements; returns what `store.json` says of them.

    `looked_for`: faces were looked for, so that one image may show several.
    """
    path, state = job.path, arrays["state"][:]
    aligned = np.isin(state, ALIGNED_STATES)
    faces = work.faces[aligned].assign(row=np.flatnonzero(aligned)).reset_index(drop=True)
    # Splits keep whole scenes together; what counts as a near-copy is told by the face, not by the backdrop.
    faces["cluster"] = by_aligned_face(arrays["faces"], faces["row"].to_numpy(), faces["cluster"].to_numpy())
    disagreements = still_near(work.disagreements, faces)
    apart, faces = faces[~two_classes(faces)], faces[two_classes(faces)].reset_index(drop=True)
    rejects = _rejects(job.source, work, state)
    bar = job.progress("measuring", len(faces)) if job.progress else None
    told_by_first(job.ranks, faces["row"].to_numpy())
    landmarks, total = arrays["landmarks"] if looked_for else None, partial(summed, job.ranks)
    write_measured(path, measure(arrays["faces"], faces, landmarks, arrays["source"], bar, total, job.ranks))
    write_parquet(path / "faces.parquet", faces)
    write_parquet(path / "rejects.parquet", rejects)
    write_parquet(path / "disagreements.parquet", disagreements.astype("string"))
    files = (*FILES, OTHERWISE) if len(apart) else FILES
    return {
        "data_fingerprint": fingerprint(faces),
        "read": work.read,
        "not_read": job.source.not_read([*work.faces["path"], *rejects["file"]]),
        "repaired": work.repaired.head(REPAIRS_LISTED).to_dict("records"),
        "repairs": work.repaired["repair"].value_counts().to_dict(),
        "rejects": rejects["reason"].value_counts().to_dict(),
        "disagreements": disagreements["what"].value_counts().to_dict(),
        **({"remarks": list(work.remarks)} if work.remarks else {}),
        "near_copy_clusters": int((faces["cluster"].value_counts() > 1).sum()),
        "copies_by": BY_FACE,
        "several_faces": _by_group(work.faces[state == ONE_OF_SEVERAL]) if looked_for else None,
        "otherwise": write_otherwise(path, apart.reset_index(drop=True)),
        "own_splits": work.own_splits,
        "faces": len(faces),
        "files": {name: record.to_json() for name, record in record_files(path, files).items()},
    }


def _rejects(source: Source, work: Plan, state: np.ndarray) -> pd.DataFrame:
    """The files left out: those that the plan left out, and those in which no face could be aligned."""
    unaligned = ~np.isin(state, ALIGNED_STATES)
    faces = work.faces[unaligned]
    reason = [REASONS[value] for value in state[unaligned]]
    files = [source.problem(file) or file for file in faces["path"]]
    lost = pd.DataFrame({"file": files, "reason": reason, "gender": faces["gender"], "ethnicity": faces["ethnicity"]})
    rejects = pd.concat([work.rejects, lost], ignore_index=True)
    for column in ("gender", "ethnicity"):
        rejects[column] = rejects[column].astype("string") if column in rejects else pd.NA
    return rejects


def _by_group(faces: pd.DataFrame) -> list[dict]:
    """How many faces there are of each group that has any, as `core.data.store_info.GroupCount`."""
    return faces.groupby(["gender", "ethnicity"], observed=True).size().reset_index(name="n").to_dict("records")


def open_or_align(
    data: Path,
    dataset: str | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
    labels: Path | None = None,
    target: str | None = None,
) -> AlignedStore:
    """The store at `data`; or that of the data set at `data`, aligned for `target` now unless it was before.

    Raises `OtherStoreError` where the data set's default folder holds another store, with the command to align it.
    """
    if is_remote(data) or (data / "store.json").is_file() or (data / "unfinished.json").is_file():
        return AlignedStore.open(data)
    if not Ranks.here().alone:
        raise LookwhereError(
            f"{data}: no aligned store; several processes need one: `torchrun … -m core align` it first"
        )
    source = open_source(data, target)
    reader = choose_reader(source, dataset)
    path = default_store(source, reader)
    try:
        return build_store(source, reader, path, device=device, progress=progress, labels=labels)
    except OtherStoreError as error:
        words = ["python -m core align --data", shlex.quote(str(data)), *(["--dataset", dataset] if dataset else [])]
        options = {"--labels": labels, "--target": source.target, "--out": free_folder(data, path)}
        words += [word for name, value in options.items() if value for word in (name, shlex.quote(str(value)))]
        mend = f"align it first: {' '.join(words)}, and give that folder instead; or give {path} for what is there"
        raise OtherStoreError(path, error.differences, mend) from error
