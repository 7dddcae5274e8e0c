"""What a store is tied to: the content of label files, every option that chose faces, and the faces that were planned.

A store that was made otherwise than it is asked for is refused, and each difference is told.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from core.data.columns import Column
from core.data.sources.base import Source
from core.data.sources.tables import FURTHER
from core.data.store_info import BorderInfo, DecidedBy, StoreInfo
from core.errors import LookwhereError
from core.files import sha256
from core.json_record import read_object

#: What a plan's fingerprint is over, as far as a plan has it; not paths, which differ between a folder and its tar.
PLANNED = ("face_id", "gender", "ethnicity", "age", "identity", "cluster", "split", "sha256")
LABELS = ("gender", "ethnicity", "age", "identity")


class OtherStoreError(LookwhereError):
    """A folder holds a store of other data or settings than were asked for; `differences` says which."""

    def __init__(self, path: Path, differences: list[str], mend: str) -> None:
        listing = "; ".join(differences)
        super().__init__(f"{path}: holds a store of another data set or setting ({listing}); {mend}")
        self.path, self.differences = path, differences


def plan_fingerprint(faces: pd.DataFrame, further: Sequence[Column] = ()) -> str:
    """SHA-256 over the planned faces in their order: ids, labels, clusters, splits, and images where they were hashed;
    and further columns.

    Work resumes by row number, so row n of the work begun must be row n of the plan.
    """
    columns = [column for column in PLANNED if column in faces] + _names(further)
    text = faces[columns].to_csv(index=False, lineterminator="\n", na_rep="")
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def columns_fingerprint(faces: pd.DataFrame, columns: Sequence[Column]) -> str:
    """SHA-256 over columns, and every face's levels and values in them."""
    digest = hashlib.sha256(json.dumps([column.to_json() for column in columns]).encode())
    if columns:
        text = faces[["face_id", *_names(columns)]].to_csv(index=False, lineterminator="\n", na_rep="")
        digest.update(text.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _names(columns: Sequence[Column]) -> list[str]:
    """Where faces tables have these columns: levels, and values of numbers."""
    return [name for column in columns for name in (column.name, column.value_name) if name is not None]


def unfinished(path: Path) -> StoreInfo | None:
    """What the unfinished work in a folder is of; None where there is none.

    Raises `LookwhereError` where its file is broken.
    """
    file = path / "unfinished.json"
    if not file.is_file():
        return None
    try:
        content = read_object(file)
        return StoreInfo.from_json({"data_fingerprint": "", "faces": 0} | content, str(file))
    except (OSError, ValueError, TypeError) as error:
        raise LookwhereError(f"{file}: damaged ({error}); {StoreInfo.MEND}") from error


def labels_fingerprint(labels: Path) -> str:
    """SHA-256 of the file given with `--labels`. Raises `LookwhereError` where it cannot be read."""
    try:
        return sha256(labels)
    except OSError as error:
        raise LookwhereError(f"{labels}: cannot be read ({error.strerror or error}); --labels takes a CSV") from error


def differences(plan: Mapping[str, object], stored: StoreInfo, of_columns: bool = True) -> list[str]:
    """What tells a store, or unfinished work, from what is asked for; a line each. What `stored` does not say, is not
    compared: it is of a version that did not keep it. Columns are compared where they were asked for (`of_columns`)."""
    return [*_differences(plan, stored), *(_columns(plan, stored) if of_columns else ())]


def _columns(plan: Mapping[str, object], stored: StoreInfo) -> Iterator[str]:
    if stored.columns_sha256 == plan["columns_sha256"] or (stored.columns_sha256 is None and not plan["columns"]):
        return
    then = [column.to_json() for column in stored.columns]
    had, planned = (", ".join(column["name"] for column in columns) or "none" for columns in (then, plan["columns"]))
    if stored.columns_sha256 is None:
        yield "it was made by an earlier version, which kept no columns"
    elif had != planned:
        yield f"columns are {had}, not {planned}"
    else:
        changed = [
            stored_column["name"]
            for stored_column, planned_column in zip(then, plan["columns"], strict=True)
            if stored_column != planned_column
        ]
        yield f"column {', '.join(changed)} had other levels" if changed else "some faces have other levels now"


def _differences(plan: Mapping[str, object], stored: StoreInfo) -> Iterator[str]:
    if stored.dataset != plan["dataset"]:
        yield f"dataset is {stored.dataset}, not {plan['dataset']}"
    files = list(_label_files(plan["label_files"], stored.label_files))
    yield from files
    # A label file's size is in the source's fingerprint too: then that has been told.
    if not files and stored.source_fingerprint != plan["source_fingerprint"]:
        yield "names or sizes of the data set's files differ"
    yield from _labels(plan["labels_sha256"], stored.labels_sha256)
    if stored.seed != plan["seed"]:
        yield f"seed is {stored.seed}, not {plan['seed']}"
    had, planned = stored.subset or {}, plan["subset"] or {}
    for option in ("limit", "balance"):
        there, now = (subset.get(option) or "none" for subset in (had, planned))
        if there != now:
            yield f"{option} is {there}, not {now}"
    yield from _border(plan["border"], stored)
    for key in ("detector", "template"):
        if getattr(stored, key) != plan[key]:
            yield f"{key} is {getattr(stored, key)!r}, not {plan[key]!r}"


def _border(setting: BorderInfo | None, stored: StoreInfo) -> Iterator[str]:
    """`setting` is None where images decide. A store of before they did is as good, unless another was asked for."""
    planned = "decided from the images" if setting is None else f"{setting.percent:g} %"
    if stored.border is None:
        if setting is not None and setting.decided is DecidedBy.HAND and stored.padding is not None:
            yield f"border before detection is {stored.padding} pixels, not {planned}"
        return
    by_images = stored.border.decided is DecidedBy.IMAGES
    if by_images != (setting is None) or (setting is not None and setting.percent != stored.border.percent):
        by = "decided from the images" if by_images else "given"
        yield f"border before detection is {stored.border.percent:g} %, {by}, not {planned}"


def _label_files(now: Mapping[str, str], then: Mapping[str, str] | None) -> Iterator[str]:
    """Label files are told by name; those of a store of before they were kept are not compared."""
    if then is None:
        return
    for name in sorted({*now, *then}):
        if name.endswith(FURTHER) and name not in then:
            continue  # of a version that did not read them
        if name not in then:
            yield f"label file {name} was not read then"
        elif name not in now:
            yield f"label file {name} was read then and is not now"
        elif now[name] != then[name]:
            yield f"label file {name} has changed since, or is another"


def _labels(now: str | None, then: str | None) -> Iterator[str]:
    if now == then:
        return
    if then is None:
        yield "--labels was not given then"
    elif now is None:
        yield "--labels was given then"
    else:
        yield "the file given as --labels has changed since, or is another"


def relabelled(faces: pd.DataFrame, read: pd.DataFrame) -> list[str]:
    """How a store's faces differ in labels from those `read` now, a line or none; both have `face_id` and labels.

    For stores of before label files were kept by content.
    """
    both = faces[["face_id", *LABELS]].merge(read[["face_id", *LABELS]], on="face_id", suffixes=("", "_now"))
    differ = pd.Series(False, index=both.index)
    for label in LABELS:
        then, now = (both[column].astype("string").fillna("") for column in (label, f"{label}_now"))
        differ |= (then != now).to_numpy()
    gone = len(faces) - len(both)
    lines = [f"{differ.sum():,} of its faces are labelled otherwise now"] if differ.any() else []
    return [*lines, f"{gone:,} of its faces have no label now"] if gone else lines


def unchanged(images: Iterable[tuple[str, bytes]], faces: pd.DataFrame, source: Source) -> Iterator[tuple[str, bytes]]:
    """The images as they come, by name. Raises `LookwhereError` naming one that is not the file that `faces` were
    planned with, where their hashes are known."""
    planned = faces.set_index("path")["sha256"].to_dict() if "sha256" in faces else {}
    for name, data in images:
        if name in planned and hashlib.sha256(data).hexdigest() != planned[name]:
            raise LookwhereError(
                f"{source.path}: {name} changed while the data set was read; put it back and run again, or run again "
                "with another --out"
            )
        yield name, data
