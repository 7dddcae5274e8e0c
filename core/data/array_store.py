"""A store of faces that somebody aligned already and has as an array, without a data set on disk."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.faces import UNRECORDED, fingerprint
from core.data.own_columns import ColumnChoice, with_columns
from core.data.readers.base import Reading
from core.data.readers.labels import GENDER_WORDS, SPLIT_WORDS, years
from core.data.same_photograph import BY_FACE
from core.data.store import FILES, AlignedStore
from core.data.store_info import FORMAT, StoreInfo
from core.data.targets import check_target
from core.data.ties import columns_fingerprint, plan_fingerprint
from core.errors import LookwhereError
from core.files import write_json, write_parquet
from core.integrity import record_files
from core.template import SIDE, TEMPLATE, TEMPLATE_NAME

COLUMNS = ("gender", "ethnicity", "age", "identity", "split")


def store_from_arrays(
    path: str | Path,
    images: np.ndarray,
    labels: pd.DataFrame,
    dataset: str = "arrays",
    columns: ColumnChoice | None = None,
    target: str | None = None,
) -> AlignedStore:
    """Write and open a store of aligned faces.

    `images` uint8 (N, 112, 112, 3), RGB, on the ArcFace template (eyes in rows 51–52). `labels` has N rows in the same
    order: `gender` (female or male, f or m), and perhaps `ethnicity`, `age` in years, `identity`, and `split` (train,
    val, test; without it all faces are test faces). Further columns are kept as a manifest's are (`columns`). Equal
    images get one `cluster`, so that they count as near-copies. Where another column, `target`, is classified, `labels`
    needs no `gender`.

    Raises `LookwhereError` where the shapes, a label or the folder do not do.
    """
    path = Path(path)
    if path.exists():
        raise LookwhereError(f"{path}: is there already; choose another folder or delete it")
    images = np.asarray(images)
    _check_arrays(images, labels, target)
    digests = [hashlib.sha256(image.tobytes()).hexdigest() for image in images]
    label_table = labels.reset_index(drop=True)
    own = pd.DataFrame({str(name): _as_text(label_table[name]) for name in label_table if name not in COLUMNS})
    reading = with_columns(Reading(_faces(label_table, digests), own=own), columns)
    check_target(reading.columns, target)
    path.mkdir(parents=True)
    _write_files(path, images, reading.faces)
    info = StoreInfo.from_json(_manifest(path, dataset, digests, reading, "split" in label_table), f"{path}/store.json")
    write_json(path / "store.json", info.to_json())
    return AlignedStore.open(path)


def _check_arrays(images: np.ndarray, labels: pd.DataFrame, target: str | None) -> None:
    """Raise `LookwhereError` where the images have another shape or type, or the labels are not theirs."""
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (SIDE, SIDE, 3) or not len(images):
        raise LookwhereError(
            f"images: expected uint8 (N, {SIDE}, {SIDE}, 3), aligned and RGB, not {images.dtype} {images.shape}"
        )
    if len(labels) != len(images):
        raise LookwhereError(f"labels: {len(labels)} rows for {len(images)} images")
    if "gender" not in labels and target is None:
        raise LookwhereError(
            f"labels: no gender; columns are {', '.join(COLUMNS)}, and others to group by; where another column is "
            "classified, name it as target"
        )


def _faces(labels: pd.DataFrame, digests: list[str]) -> pd.DataFrame:
    """The store's table of faces from their labels and the SHA-256 of their images."""
    nothing = pd.Series(pd.NA, index=range(len(labels)))
    return pd.DataFrame(
        {
            "face_id": [f"face-{n:07}" for n in range(len(labels))],
            "path": [f"{n:07}" for n in range(len(labels))],
            "gender": _in_words(labels["gender"], GENDER_WORDS) if "gender" in labels else UNRECORDED,
            "ethnicity": labels["ethnicity"].fillna(UNRECORDED).astype("str") if "ethnicity" in labels else UNRECORDED,
            "age": years(labels["age"]) if "age" in labels else nothing.astype("Int16"),
            "identity": labels.get("identity", nothing).astype("string"),
            "cluster": pd.factorize(pd.Series(digests))[0],
            "split": _in_words(labels["split"], SPLIT_WORDS) if "split" in labels else "test",
            "row": np.arange(len(labels)),
        }
    )


def _write_files(path: Path, images: np.ndarray, faces: pd.DataFrame) -> None:
    """All files of a store but its manifest; nothing was rejected, and nothing disagrees."""
    np.save(path / "faces.npy", images)
    np.save(path / "landmarks.npy", np.tile(TEMPLATE.astype(np.float32), (len(images), 1, 1)))
    write_parquet(path / "faces.parquet", faces)
    rejects = pd.DataFrame({name: [] for name in ("file", "reason", "gender", "ethnicity")}, dtype="string")
    write_parquet(path / "rejects.parquet", rejects)
    write_parquet(path / "disagreements.parquet", pd.DataFrame({"file": [], "what": []}, dtype="string"))


def _manifest(path: Path, dataset: str, digests: list[str], reading: Reading, own_splits: bool) -> dict:
    """`store.json` of a store whose other files are written."""
    faces, data = reading.faces, fingerprint(reading.faces)
    return {
        "format": FORMAT,
        "dataset": dataset,
        "source_fingerprint": hashlib.sha256("".join([*digests, data]).encode()).hexdigest(),
        "plan_sha256": plan_fingerprint(faces.assign(sha256=digests), reading.columns),
        "columns": [column.to_json() for column in reading.columns],
        "columns_sha256": columns_fingerprint(faces, reading.columns),
        **({"remarks": list(reading.remarks)} if reading.remarks else {}),
        "seed": 0,
        "template": TEMPLATE_NAME,
        "detector": "none, aligned already",
        "padding": 0,
        "data_fingerprint": data,
        "read": len(digests),
        "repaired": [],
        "repairs": {},
        "rejects": {},
        "disagreements": {},
        "near_copy_clusters": int((faces["cluster"].value_counts() > 1).sum()),
        "copies_by": BY_FACE,
        "own_splits": own_splits,
        "faces": len(digests),
        "files": {name: record.to_json() for name, record in record_files(path, FILES).items()},
    }


def _as_text(values: pd.Series) -> pd.Series:
    """Values as a table on disk would have them, NA where empty."""
    return values.map(str, na_action="ignore").astype("str").replace("", pd.NA)


def _in_words(values: pd.Series, words: dict[str, str]) -> pd.Series:
    """A column in our words. Raises `LookwhereError` naming a value that is none of them."""
    translated = values.astype("string").str.strip().str.lower().map(words)
    if translated.isna().any():
        raise LookwhereError(
            f"labels: {values.name} {values[translated.isna()].iloc[0]!r} is not known; there are {', '.join(words)}"
        )
    return translated.astype("str")
