"""Build an aligned store: plan the faces, detect, align and write them, resumable at any point."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable
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
from core.data.columns import Column
from core.data.default_store import default_store, free_folder
from core.data.detection import ENLARGED_TO, DetectorSpeed, detector_name, speed_of
from core.data.duplicates import cluster, drop_copies, hash_images, near_pairs
from core.data.faces import fingerprint
from core.data.mapped import let_go
from core.data.measured import measure, write_measured
from core.data.otherwise import FILE as OTHERWISE
from core.data.otherwise import two_classes, write_otherwise
from core.data.own_columns import ColumnChoice, with_columns
from core.data.readers import Reader, Reading, choose_reader
from core.data.same_photograph import BY_FACE, by_aligned_face
from core.data.sources import open_source
from core.data.sources.base import Source
from core.data.splits import NEAR_TORN, Subset, assign_splits, near_disagreements, still_near, torn_apart
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
from core.data.work_files import drop_work, open_maps, parts, reserve
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


@dataclass(frozen=True)
class Plan:
    """What is to be aligned: labels read, copies dropped, clusters and splits assigned."""

    faces: pd.DataFrame
    rejects: pd.DataFrame
    repaired: pd.DataFrame
    disagreements: pd.DataFrame
    read: int
    own_splits: bool = False
    remarks: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()


def plan(
    source: Source,
    reader: Reader,
    seed: int = 0,
    progress: Progress | None = None,
    *,
    labels: Path | None = None,
    subset: Subset | None = None,
    reading: Reading | None = None,
    hashed: Callable[..., pd.DataFrame] = hash_images,
) -> Plan:
    """Read labels, hash every image once (unless the reader says not to), drop copies, cluster near-copies, split.

    `reading` is what the reader gave, where it was asked already; `hashed` gives what `hash_images` does.
    """
    reading = reading or reader.read(source, labels)
    if reading.faces.empty:
        reasons = reading.main_reasons()
        raise LookwhereError(
            f"{source.path}: no labelled face in it"
            + (f": {reasons}; `python -m core datasets --check` lists all" if reasons else "")
            + f"; {reader.name} expects {reader.expects}"
        )
    read = len(reading.faces) + len(reading.otherwise) + len(reading.rejects)
    if subset is not None:
        reading = replace(reading, faces=subset.choose(reading.faces, seed))
    if len(reading.otherwise):
        both = pd.concat([reading.faces, reading.otherwise], ignore_index=True)
        reading = replace(reading, faces=both.sort_values("face_id", ignore_index=True))
    if not reader.find_copies:
        faces = reading.faces.assign(cluster=np.arange(len(reading.faces)))
        if "split" not in faces:
            faces["split"] = assign_splits(faces, seed)
        return Plan(
            faces,
            reading.rejects,
            reading.repaired,
            reading.disagreements,
            read,
            "split" in reading.faces,
            reading.remarks,
            reading.columns,
        )
    tick = progress("reading", len(reading.faces)) if progress else (lambda: None)
    hashes = hashed(source, reading.faces["path"], tick)
    faces = reading.faces.merge(hashes, on="path", how="left", validate="one_to_one")
    bad = faces["problem"] != ""
    unreadable = faces.loc[bad, ["path", "problem"]].set_axis(["file", "reason"], axis=1)
    if bad.all():
        raise LookwhereError(f"{source.path}: none of {len(faces)} images can be read ({faces['problem'].iloc[0]})")
    readable, own_splits = faces[~bad].reset_index(drop=True), "split" in reading.faces
    faces, copies = drop_copies(readable)
    if faces.empty:
        raise LookwhereError(f"{source.path}: no image is left of {read}: {copies['reason'].iloc[0]}")
    faces["cluster"] = cluster(len(faces), near_pairs(faces["phash"].to_numpy()))
    if "split" not in faces:
        faces["split"] = assign_splits(faces, seed)
    tables = [reading.disagreements, near_disagreements(faces)]
    if own_splits:
        tables.append(torn_apart(readable, "sha256", "split: exact copies in more than one; at most one is kept"))
        tables.append(torn_apart(faces, "cluster", NEAR_TORN))
    return Plan(
        faces=faces.drop(columns=["phash", "problem"]),
        rejects=pd.concat([reading.rejects, unreadable, copies], ignore_index=True),
        repaired=reading.repaired,
        disagreements=pd.concat(tables, ignore_index=True),
        read=read,
        own_splits=own_splits,
        remarks=reading.remarks,
        columns=reading.columns,
    )


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
        return _store(source, reader, path, seed, device, progress, labels, subset, setting, columns, ranks, speed)


def _store(
    source: Source,
    reader: Reader,
    path: Path,
    seed: int,
    device: str,
    progress: Progress | None,
    labels: Path | None,
    subset: Subset | None,
    setting: float | None,
    columns: ColumnChoice | None,
    ranks: Ranks,
    speed: DetectorSpeed | None,
) -> AlignedStore:
    """`build_store` in a folder that no other process aligns into; `setting` is the border asked for."""
    source.read_whole.clear()
    store = AlignedStore.open(path) if (path / "store.json").is_file() else None
    begun = unfinished(path) if store is None else None
    there = begun if store is None else store.manifest
    speed = speed or speed_of(there and there.detector)
    reading = with_columns(reader.read(source, labels), columns)
    check_target(reading.columns, source.target)
    identity = {
        "format": FORMAT,
        "dataset": reader.name,
        "source_fingerprint": source.fingerprint(),
        "seed": seed,
        "template": template.TEMPLATE_NAME,
        "detector": "none, aligned already" if reader.aligned else detector_name(speed),
        "border": setting,
        "labels_sha256": labels and labels_fingerprint(labels),
        "label_files": dict(source.read_whole),
        "subset": asdict(subset) if subset else None,
        "columns": [column.to_json() for column in reading.columns],
        "columns_sha256": columns_fingerprint(reading.faces, reading.columns),
    }
    if store is not None:
        changes = differences(identity, store.manifest, columns is not None)
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
        of = {key: identity[key] for key in ("dataset", "source_fingerprint")}
        hashed = hash_images if ranks.alone else hashes_by(ranks, path, of)
        work = plan(source, reader, seed, progress, labels=labels, subset=subset, reading=reading, hashed=hashed)
        identity["plan_sha256"] = plan_fingerprint(work.faces, work.columns)
        if begun is not None and begun.plan_sha256 != identity["plan_sha256"]:
            why = "its faces, their order or their images are others than those planned now"
            unknown = "it was begun by an earlier version, which did not keep of which faces"
            raise OtherStoreError(path, [why if begun.plan_sha256 else unknown], ANOTHER_FOLDER)
        if ranks.first:
            reserve(path, len(work.faces))
        path.mkdir(parents=True, exist_ok=True)
        if reader.aligned:
            return _build(source, alignment.Resizer(), path, identity, work, progress, ranks)
        aligner = alignment.FaceAligner(device=device, minimum_face=reader.minimum_face, speed=speed)
        # Work begun goes on with the border it began with.
        decided = begun and begun.border
        if decided is None and ranks.first:
            decided = decide_border(sampled(source, work.faces), aligner.detector, setting)
        decided = told_by_first(ranks, decided)
        aligner.border, aligner.wider = decided.percent / 100, decided.decided is DecidedBy.IMAGES
        aligner.smallest = (decided.smallest or 0) / 100
        return _build(source, aligner, path, identity | {"border": decided.to_json()}, work, progress, ranks)
    except OSError as error:
        raise LookwhereError(
            f"{path}: cannot write ({error.strerror or error}); mend that and run again, it resumes"
        ) from error


def _build(
    source: Source,
    aligner: alignment.Resizer | alignment.FaceAligner,
    path: Path,
    identity: dict,
    work: Plan,
    progress: Progress | None,
    ranks: Ranks,
) -> AlignedStore:
    count = len(work.faces)
    if ranks.first:
        maps = open_maps(path, count)
        write_json(path / "unfinished.json", identity)
        take_in(path, maps, identity)
    tick = progress("aligning", count) if progress else (lambda n=1: None)
    if not ranks.alone:
        align_by_several(source, aligner, path, identity, work.faces, ranks, tick)
        if not ranks.first:
            measure_with_first(path, ranks)
            return AlignedStore.open(path)
        take_in(path, maps, identity)
    todo = work.faces.index[maps["state"][:] == PENDING]
    place = pd.Series(todo, index=work.faces.loc[todo, "path"])
    for _ in range(count - len(todo)):
        tick()
    for batch in batches(unchanged(source.iterate(place.index), work.faces, source), BATCH):
        rows = place.loc[[name for name, _ in batch]].to_numpy()
        for name, values in aligned_batch(aligner, batch).items():
            maps[name][rows] = values
        let_go(maps["faces"])
        for _ in batch:
            tick()
    for array in maps.values():
        array.flush()

    state = maps["state"][:]
    aligned = np.isin(state, (ALIGNED, ONE_OF_SEVERAL))
    if not aligned.any():
        del maps
        for file in (*parts(path).values(), path / "unfinished.json"):
            file.unlink()
        why = ", ".join(f"{n:,} {reason}" for reason, n in pd.Series(state).map(REASONS).value_counts().items())
        side = (identity["border"] or {}).get("median_side")
        size = f"half of them have a side of {side} pixels or less" if side and side < ENLARGED_TO else ""
        raise LookwhereError(
            f"{path}: no face was found in any of {count} images ({why}{size and '; ' + size}); is this a data set of "
            "faces?"
        )
    faces = work.faces[aligned].assign(row=np.flatnonzero(aligned)).reset_index(drop=True)
    # Splits keep whole scenes together; what counts as a near-copy is told by the face, not by the backdrop.
    faces["cluster"] = by_aligned_face(maps["faces"], faces["row"].to_numpy(), faces["cluster"].to_numpy())
    disagreements = still_near(work.disagreements, faces)
    apart, faces = faces[~two_classes(faces)], faces[two_classes(faces)].reset_index(drop=True)
    unaligned = work.faces[~aligned]
    reason = [REASONS[value] for value in state[~aligned]]
    problems = [source.problem(file) or file for file in unaligned["path"]]
    lost = pd.DataFrame(
        {"file": problems, "reason": reason, "gender": unaligned["gender"], "ethnicity": unaligned["ethnicity"]}
    )
    rejects = pd.concat([work.rejects, lost], ignore_index=True)
    for column in ("gender", "ethnicity"):
        rejects[column] = rejects[column].astype("string") if column in rejects else pd.NA
    looked_for = None if isinstance(aligner, alignment.Resizer) else maps["landmarks"]
    bar = progress("measuring", len(faces)) if progress else None
    told_by_first(ranks, faces["row"].to_numpy())
    total = partial(summed, ranks)
    write_measured(path, measure(maps["faces"], faces, looked_for, maps["source"], bar, total, ranks))
    write_parquet(path / "faces.parquet", faces)
    write_parquet(path / "rejects.parquet", rejects)
    write_parquet(path / "disagreements.parquet", disagreements.astype("string"))
    files = (*FILES, OTHERWISE) if len(apart) else FILES
    result = {
        "data_fingerprint": fingerprint(faces),
        "read": work.read,
        "not_read": source.not_read([*work.faces["path"], *rejects["file"]]),
        "repaired": work.repaired.head(REPAIRS_LISTED).to_dict("records"),
        "repairs": work.repaired["repair"].value_counts().to_dict(),
        "rejects": rejects["reason"].value_counts().to_dict(),
        "disagreements": disagreements["what"].value_counts().to_dict(),
        **({"remarks": list(work.remarks)} if work.remarks else {}),
        "near_copy_clusters": int((faces["cluster"].value_counts() > 1).sum()),
        "copies_by": BY_FACE,
        "several_faces": None if identity["border"] is None else _by_group(work.faces[state == ONE_OF_SEVERAL]),
        "otherwise": write_otherwise(path, apart.reset_index(drop=True)),
        "own_splits": work.own_splits,
        "faces": len(faces),
        "files": {name: record.to_json() for name, record in record_files(path, files).items()},
    }
    write_json(path / "store.json", StoreInfo.from_json(identity | result, f"{path}/store.json").to_json())
    del maps
    drop_work(path)
    drop_shards(path)
    meet(ranks)
    return AlignedStore.open(path)


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
