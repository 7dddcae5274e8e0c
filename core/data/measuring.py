"""Measuring the images of a store that is there already; alignment measures by itself (`core.data.build_store`)."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.alignment import FaceAligner, shrunk
from core.data.faces import gender_known
from core.data.images import decode
from core.data.measured import DECIMALS, measure, read_measured, write_measured
from core.data.measures import FROM_SOURCE
from core.data.readers import READERS, choose_reader
from core.data.sources import open_source
from core.data.store import AlignedStore
from core.data.store_info import DecidedBy
from core.errors import LookwhereError
from core.locks import alone
from core.progress import Progress

#: Landmarks found again may lie so many pixels of the square from the store's: else it is another face or crop.
SAME = 2.0
BATCH = 64


def measure_store(store: AlignedStore, progress: Progress | None = None) -> AlignedStore:
    """The store with its measures; measured now, from its squares alone, where it has none."""
    if store.measured is not None:
        return store
    looked_for = None if (store.manifest.detector or "none").startswith("none") else store.landmarks
    with alone(store.path, "measuring"):
        tick = progress("measuring", len(store.faces)) if progress else None
        write_measured(store.path, measure(store.images, store.faces, looked_for, tick=tick))
    return AlignedStore.open(store.path)


def measure_again(
    store: AlignedStore,
    data: Path,
    dataset: str | None = None,
    only: Container[str] | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> int:
    """Find the store's faces in their data set once more and add what is measured there (`FROM_SOURCE`).

    `only` names the faces to look for, by `face_id`; by default all. Others keep what was measured of them before.
    Returns how many of them were not found again where the store has them, and so have no such measure. Raises
    `LookwhereError` where the data set lacks the store's images, the store is of images aligned already, or another
    process measures it.
    """
    with alone(store.path, "measuring"):
        return _measured_again(store, data, dataset, only, device, progress)


def _measured_again(
    store: AlignedStore,
    data: Path,
    dataset: str | None,
    only: Container[str] | None,
    device: str,
    progress: Progress | None,
) -> int:
    # As it is now: another process may have measured since the store was opened.
    before = read_measured(store.path, store.faces)
    if before is None:
        raise LookwhereError(f"{store.path}: nothing was measured from its images yet")
    # Of a store without gender any of its columns says that none is asked for.
    target = None if gender_known(store.faces) else next((column.name for column in store.columns), None)
    source = open_source(data, target)
    reader = choose_reader(source, dataset or (store.manifest.dataset if store.manifest.dataset in READERS else None))
    if reader.aligned:
        raise LookwhereError(f"{data}: its images are aligned already, so there is nothing to measure in them")
    border, padding = store.manifest.border, store.manifest.padding or 0
    aligner = FaceAligner(
        padding,
        device,
        reader.minimum_face,
        border=border.percent / 100 if border else 0.0,
        wider=border is not None and border.decided is DecidedBy.IMAGES,
        smallest=(border.smallest or 0) / 100 if border else 0.0,
    )
    faces, values = store.faces, np.full((len(store.faces), len(FROM_SOURCE)), np.nan)
    selected = np.array([only is None or face in only for face in faces["face_id"]], dtype=bool)
    place = pd.Series(np.flatnonzero(selected), index=faces["path"][selected])
    if missing := set(place.index) - set(source.names):
        raise LookwhereError(f"{data}: lacks {len(missing):,} of the store's images, {min(missing)} one")
    tick = progress("finding faces again", len(place)) if progress else None
    batch: list[tuple[str, bytes]] = []
    for item in source.iterate(place.index):
        batch.append(item)
        if len(batch) == BATCH:
            _measure_batch(aligner, batch, place, store, values)
            for _ in batch if tick else ():
                tick()
            batch = []
    if batch:
        _measure_batch(aligner, batch, place, store, values)
    for n, name in enumerate(FROM_SOURCE):
        if name in before:
            values[~selected, n] = before[name].to_numpy()[~selected]
    table = before.drop(columns=list(FROM_SOURCE), errors="ignore")
    measures = [n for n in range(len(FROM_SOURCE)) if np.isfinite(values[:, n]).any()]
    table = table.assign(**{FROM_SOURCE[n]: values[:, n].round(DECIMALS) for n in measures})
    write_measured(store.path, pd.concat([faces[["face_id"]], table], axis=1))
    return int(np.isnan(values[selected, 0]).sum())


def _measure_batch(
    aligner: FaceAligner, batch: list[tuple[str, bytes]], place: pd.Series, store: AlignedStore, table: np.ndarray
) -> None:
    """Fill the rows of `table` (N, 4) whose faces are where the store has them."""
    images, rows = [], []
    for name, data in batch:
        try:
            images.append(shrunk(decode(data)))
        except ValueError:
            continue
        rows.append(place[name])
    if not images:
        return
    result = aligner.align(images)
    at = np.array(rows)
    stored = store.landmarks[store.faces["row"].to_numpy()[at]]
    off = np.linalg.norm(result.landmarks - stored, axis=2).mean(axis=1)
    same = result.found & (off < SAME)
    table[at[same]] = result.source[same]
