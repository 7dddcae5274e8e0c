"""A large audit's columns and maps in files of their own, and its maps added up by cell.

They are made from the audit's own files when it is first opened, lie in its hidden folder `.mapped`, and can be deleted
at any time. Columns are read whole when it is opened, maps where they are asked for. Nothing is mapped into memory: a
file that is cut is told, and ends no server. Columns of few values are categories whose levels are in alphabetical
order, so that groups come in the order that their texts would give. Cells are of faces of one split, gender, ethnicity,
age in years, true class and prediction; a mean map by any filter of these is made of cells. Sums are exact, so they are
the same in any order.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.audit.averages import Averages
from core.audit.counted import Kinds
from core.audit.manifest import AuditManifest
from core.data.columns import Column, restored
from core.data.faces import check_faces
from core.data.file_array import FileArray
from core.data.filters import Filter
from core.data.measured import FILE as MEASURED
from core.data.measured import publishable, read_measured, with_measures
from core.errors import LookwhereError
from core.explain.maps import SUMMED_AS, added_up
from core.files import write_json
from core.integrity import FileRecord, damage, record_files
from core.json_record import JsonRecord
from core.task import Task

#: Audits of so many faces and more are mapped; smaller ones are read whole in less time than mapping takes.
LARGE = 100_000
FOLDER = ".mapped"
#: A column of texts with at most this share of different ones is kept as categories.
FEW = 0.2
#: Faces whose maps are added up at a time.
BLOCK = 1 << 15
KEYS = ("split", "gender", "ethnicity", "age", "correct", "predicted")
AGE_UNKNOWN = -1


@dataclass(frozen=True, kw_only=True)
class MappedInfo(JsonRecord):
    """`mapped.json`: of which files, by size and time of change, and of what columns. `files` are its folder's."""

    format: int = 3
    sources: Mapping[str, tuple[int, int]]
    files: Mapping[str, FileRecord]
    faces: int
    kinds: Mapping[str, str]
    measured: tuple[Column, ...] = ()

    FORMAT: ClassVar = 3
    ALWAYS: ClassVar = ("format", "measured")
    MEND: ClassVar = "delete this folder, it is made again"


@dataclass(frozen=True)
class MapCells:
    """`table`: a row a cell, `KEYS` and `n` (and the true class where that is not gender). `sums` float64 (C, S, h, w):
    the cell's maps added up (`core.explain.maps.added_up`), in the order of `SUMMED_AS`; None without maps."""

    table: pd.DataFrame
    sums: np.ndarray | None

    def tells(self, filter: Filter) -> bool:
        """Whether the filter asks for nothing that parts a cell."""
        return not filter.columns


@dataclass(frozen=True)
class Mapped:
    """What lies in the folder: the faces table with the measured columns, the maps float16 (N, 2, h, w), which stay in
    their file, or None, the cells, the kinds of faces that are counted together, how many `people` each stored average
    is of, and the share of the one with `most` in it."""

    faces: pd.DataFrame
    measured: tuple[Column, ...]
    evidence: FileArray | None
    cells: MapCells
    kinds: Kinds
    people: np.ndarray
    most: np.ndarray


def mapped(path: Path, manifest: AuditManifest) -> Mapped | None:
    """The mapped form of the audit at `path`, made where there is none yet; None of a small audit, and where nothing
    can be written beside it.

    Raises `LookwhereError` where the audit's own files are damaged.
    """
    if manifest.faces < LARGE:
        return None
    if (large := _opened(path, manifest.task)) is None:
        partial = path / f"{FOLDER}.partial-{os.getpid()}"
        # Where it cannot be written, another process may have been first.
        with contextlib.suppress(OSError):
            try:
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir()
                _make(path, partial, manifest)
                shutil.rmtree(path / FOLDER, ignore_errors=True)
                partial.rename(path / FOLDER)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        large = _opened(path, manifest.task)
    return large


def _sources(path: Path) -> dict[str, tuple[int, int]]:
    files = (path / name for name in ("faces.parquet", "averages.npz", "audit.json", MEASURED))
    return {file.name: (file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.is_file()}


def _fresh(path: Path) -> MappedInfo | None:
    """What the folder says of itself, where it is whole and of the files as they are now."""
    folder = path / FOLDER
    with contextlib.suppress(OSError, LookwhereError):
        info = MappedInfo.from_json(folder / "mapped.json")
        whole = all(damage(folder / name, record, whole=False) is None for name, record in info.files.items())
        if whole and {name: tuple(state) for name, state in info.sources.items()} == _sources(path):
            return info
    return None


def _make(path: Path, folder: Path, manifest: AuditManifest) -> None:
    sources, task = _sources(path), manifest.task
    file = _parquet(path)
    faces = _labels(file, manifest, path)
    measures = read_measured(path, faces)
    faces, measured = with_measures(faces, publishable(measures)) if measures is not None else (faces, ())
    faces.attrs = {}
    kinds = {str(name): _write_column(folder, str(name), faces[name], task) for name in faces}
    cell, table = _cells(faces, task)
    shape = manifest.map_shape
    sums = None
    if shape is not None:
        sums = np.zeros((len(table), len(SUMMED_AS), *shape))
        whole, start = (len(faces), len(task.classes), *shape), 0
        # Written and not mapped: a disk that is full while a map is written ends the process without a word.
        with (folder / "evidence.npy").open("wb") as out:
            kind = np.lib.format.dtype_to_descr(np.dtype(np.float16))
            np.lib.format.write_array_header_1_0(out, {"descr": kind, "fortran_order": False, "shape": whole})
            for block in _maps(file, whole[1:]):
                out.write(np.ascontiguousarray(block, dtype=np.float16).tobytes())
                _add(sums, cell[start : start + len(block)], block)
                start += len(block)
        if start != len(faces):
            raise LookwhereError(
                f"{path}/faces.parquet: {start} maps of {len(faces)} faces; delete this audit and run it again"
            )
        np.save(folder / "sums.npy", sums)
    for name in table:
        _write_column(folder, f"cell.{name}", table[name], task)
    kinds_of = Kinds.from_faces(faces, task)
    np.save(folder / "kind.npy", kinds_of.place)
    np.save(folder / "first.npy", kinds_of.first)
    people, most = Averages.load(path / "averages.npz").shares(faces)
    np.save(folder / "people.npy", np.stack([people, most]))
    files = record_files(folder, sorted(entry.name for entry in folder.iterdir()))
    kinds |= {f"cell.{name}": _kind(table[name], task) for name in table}
    info = MappedInfo(sources=sources, files=files, faces=len(faces), kinds=kinds, measured=measured)
    write_json(folder / "mapped.json", info.to_json())


def _parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path / "faces.parquet")
    except (OSError, pa.ArrowException) as error:
        raise LookwhereError(
            f"{path}/faces.parquet: damaged or missing ({error}); delete this audit and run it again"
        ) from error


def _labels(file: pq.ParquetFile, manifest: AuditManifest, path: Path) -> pd.DataFrame:
    """The faces table without the maps, checked as that of a small audit is."""
    names = [name for name in file.schema_arrow.names if name != "evidence"]
    faces = file.read(columns=names).to_pandas(split_blocks=True, self_destruct=True)
    check_faces(faces, f"{path}/faces.parquet")
    if "correct" not in faces or len(faces) != manifest.faces:
        raise LookwhereError(f"{path}/faces.parquet: does not go with audit.json; delete this audit and run it again")
    return restored(faces, manifest.columns, f"{path}/faces.parquet")


def _maps(file: pq.ParquetFile, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """The maps float16 (n, 2, h, w) block by block."""
    for batch in file.iter_batches(batch_size=BLOCK, columns=["evidence"]):
        flat = batch.column(0).flatten().to_numpy(zero_copy_only=False)
        yield flat.reshape(-1, *shape)


def _add(sums: np.ndarray, cell: np.ndarray, block: np.ndarray) -> None:
    order = np.argsort(cell, kind="stable")
    cells, starts = np.unique(cell[order], return_index=True)
    maps = block[order].astype(np.float32)
    for place, kind in enumerate(SUMMED_AS):
        sums[cells, place] += added_up(maps, kind, starts)


def _cells(faces: pd.DataFrame, task: Task) -> tuple[np.ndarray, pd.DataFrame]:
    """Each face's cell, int32 (N,), and a row a cell."""
    keys = list(dict.fromkeys((*KEYS, task.attribute)))
    codes, levels = [], []
    for key in keys:
        if key == "age":
            age = pd.array(faces["age"], dtype="Int16")
            value = age.to_numpy(dtype=np.int64, na_value=AGE_UNKNOWN)
            unique, code = np.unique(value, return_inverse=True)
            levels.append(pd.array(np.where(unique == AGE_UNKNOWN, 0, unique), dtype="Int16"))
            levels[-1][unique == AGE_UNKNOWN] = pd.NA
        else:
            code, unique = pd.factorize(faces[key], sort=True, use_na_sentinel=True)
            missing = code < 0
            levels.append(pd.Index(unique))
            if missing.any():
                code = np.where(missing, len(unique), code)
                levels[-1] = levels[-1].append(pd.Index([None], dtype=object))
        codes.append(np.asarray(code, dtype=np.int64))
    together = np.zeros(len(faces), dtype=np.int64)
    for code, level in zip(codes, levels, strict=True):
        together = together * len(level) + code
    _, first, cell, n = np.unique(together, return_index=True, return_inverse=True, return_counts=True)
    table = {key: level.take(code[first]) for key, code, level in zip(keys, codes, levels, strict=True)}
    return cell.astype(np.int32), pd.DataFrame(table).assign(n=n)


def _kind(values: pd.Series, task: Task) -> str:
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "categories"
    if pd.api.types.is_bool_dtype(dtype) or (pd.api.types.is_numeric_dtype(dtype) and isinstance(dtype, np.dtype)):
        return "array"
    if isinstance(dtype, pd.Int16Dtype):
        return "years"
    classes = values.name in ("gender", "predicted", task.attribute)
    return "texts" if not classes and values.nunique() > FEW * len(values) else "categories"


def _write_column(folder: Path, name: str, values: pd.Series, task: Task) -> str:
    """Write a column; returns the kind of file it is."""
    kind = _kind(values, task)
    if kind == "array":
        np.save(folder / f"{name}.npy", values.to_numpy())
    elif kind == "years":
        np.save(folder / f"{name}.npy", values.to_numpy(dtype=np.int16, na_value=AGE_UNKNOWN))
    elif kind == "texts":
        table = pa.table({name: pa.array(values, type=pa.large_string(), from_pandas=True)})
        with pa.OSFile(str(folder / f"{name}.arrow"), "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
            writer.write_table(table)
    else:
        if isinstance(values.dtype, pd.CategoricalDtype):
            categorical = values.array
        else:
            texts = values.astype("str")
            levels = sorted(texts.dropna().unique())
            if values.name in ("gender", "predicted", task.attribute):
                levels = sorted({*levels, *task.classes} if values.name != "gender" or task.is_gender else levels)
            categorical = pd.Categorical(texts, categories=pd.Index(levels, dtype="str"))
        np.save(folder / f"{name}.npy", np.asarray(categorical.codes))
        levels = pa.table({"level": pa.array(categorical.categories, type=pa.large_string())})
        pq.write_table(
            levels.replace_schema_metadata({"ordered": str(int(categorical.ordered))}), folder / f"{name}.levels"
        )
    return kind


def _read_column(folder: Path, name: str, kind: str) -> object:
    if kind == "texts":
        with pa.OSFile(str(folder / f"{name}.arrow")) as source:
            return pa.ipc.open_file(source).read_all().to_pandas()[name].array
    values = _read(folder, name)
    if kind == "array":
        return values
    if kind == "years":
        return pd.arrays.IntegerArray(values, values == AGE_UNKNOWN)
    levels = pq.read_table(folder / f"{name}.levels")
    index = pd.Index(levels["level"].to_pandas(), dtype="str")
    ordered = levels.schema.metadata[b"ordered"] == b"1"
    return pd.Categorical.from_codes(values, dtype=pd.CategoricalDtype(index, ordered=ordered))


def _read(folder: Path, name: str) -> np.ndarray:
    return FileArray(folder / f"{name}.npy", MappedInfo.MEND)[:]


def _opened(path: Path, task: Task) -> Mapped | None:
    """What lies in the folder; None where there is none, or it is of other files, or a part of it cannot be read, as
    when it is cut meanwhile."""
    if (info := _fresh(path)) is None:
        return None
    folder = path / FOLDER
    with contextlib.suppress(OSError, ValueError, KeyError, pa.ArrowException, LookwhereError):
        columns = {name: _read_column(folder, name, kind) for name, kind in info.kinds.items()}
        cells = {name.removeprefix("cell."): column for name, column in columns.items() if name.startswith("cell.")}
        faces = pd.DataFrame({k: v for k, v in columns.items() if not k.startswith("cell.")}, copy=False)
        has_maps = "evidence.npy" in info.files
        people, most = _read(folder, "people")
        return Mapped(
            faces,
            info.measured,
            FileArray(folder / "evidence.npy", MappedInfo.MEND) if has_maps else None,
            MapCells(pd.DataFrame(cells), _read(folder, "sums") if has_maps else None),
            Kinds(_read(folder, "kind"), _read(folder, "first")),
            people,
            most,
        )
    return None
