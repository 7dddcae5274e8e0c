"""What was measured from each image, in a table beside the faces: `measured.parquet` of a store or an audit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.data.columns import VALUE, Column, Kind, number_column
from core.data.faces import ethnicity_known, gender_known
from core.data.measures import BY_NAME, FROM_SOURCE, MEASURES, Measure, of_squares, turn
from core.errors import LookwhereError
from core.files import write_parquet
from core.privacy import MINIMUM_FACES
from core.ranks import ALONE, Ranks

FILE = "measured.parquet"
#: Under what its schema keeps the SHA-256 of its content.
SHA256 = "sha256"
#: What the name of a measure's thirds within a gender × ethnicity group ends with.
IN_GROUP = "_in_group"
#: Decimals that are kept: finer ones are noise.
DECIMALS = 4
#: Faces read from the store at a time.
READ = 512


def measure(
    images: np.ndarray,
    faces: pd.DataFrame,
    landmarks: np.ndarray | None,
    source: np.ndarray | None = None,
    tick: Callable[[], object] | None = None,
    total: Callable[[np.ndarray], np.ndarray] = lambda values: values,
    ranks: Ranks = ALONE,
) -> pd.DataFrame:
    """`face_id` and each of `MEASURES` that any face has, float64 (N,), NaN where it is not known.

    `faces` has `face_id` and `row`, their place in `images` uint8 (R, 112, 112, 3), `landmarks` (R, 5, 2) and `source`
    (R, 4) (`core.data.measures.FROM_SOURCE`). Without landmarks, of images that nobody looked for a face in, there is
    no turn of the head. `tick` is called once a face.
    """
    rows = faces["row"].to_numpy(dtype=np.int64)
    table = squares_of(images, rows, tick, total, ranks)
    if landmarks is not None:
        table["image_yaw"] = turn(landmarks[rows])
    if source is not None:
        table = table.assign(**dict(zip(FROM_SOURCE, source[rows].astype(np.float64).T, strict=True)))
    names = [m.name for m in MEASURES if m.name in table and table[m.name].notna().any()]
    return pd.concat([faces[["face_id"]].reset_index(drop=True), table[names].round(DECIMALS)], axis=1)


def squares_of(
    images: np.ndarray,
    rows: np.ndarray,
    tick: Callable[[], object] | None = None,
    total: Callable[[np.ndarray], np.ndarray] = lambda values: values,
    ranks: Ranks = ALONE,
) -> pd.DataFrame:
    """`core.data.measures.of_squares` of the images at `rows`.

    Of several processes each measures its part of them, and `total` adds up what all have, zeros elsewhere.
    """
    parts, whole = [of_squares(images[:0])], np.zeros((len(rows), of_squares(images[:0]).shape[1]))
    mine = ranks.slice(len(rows))
    for start in range(mine.start, mine.stop, READ):
        some = rows[start : min(start + READ, mine.stop)]
        parts.append(of_squares(images[some]))
        for _ in some if tick else ():
            tick()
    whole[mine] = pd.concat(parts, ignore_index=True).to_numpy()
    return pd.DataFrame(total(whole), columns=parts[0].columns)


def write_measured(folder: Path, table: pd.DataFrame) -> None:
    """Write `measure`'s table into a folder, whole or not at all."""
    stored = table.astype({name: np.float32 for name in table if name in BY_NAME})
    write_parquet(folder / FILE, stored, {SHA256: _digest(stored)})


def _digest(table: pd.DataFrame) -> str:
    """SHA-256 of a table as it is stored, in hex."""
    content = hashlib.sha256("\n".join(table["face_id"].astype(str)).encode())
    for name in table.columns.drop("face_id"):
        values = table[name].to_numpy(np.float32, copy=True)
        values[np.isnan(values)] = np.nan  # of the many that are none, the one that files keep
        content.update(f"{name} ".encode() + values.tobytes())
    return content.hexdigest()


def publishable(table: pd.DataFrame) -> pd.DataFrame:
    """The table without what may not be published by face, that is, without apparent skin tone."""
    return table.drop(columns=[m.name for m in MEASURES if not m.by_face], errors="ignore")


def read_measured(folder: Path, faces: pd.DataFrame) -> pd.DataFrame | None:
    """The measures of a folder's faces, float64, in the order of `faces` and with its index; None where none were made.

    Raises `LookwhereError` where the file is damaged or not of these faces.
    """
    file = folder / FILE
    if not file.is_file():
        return None
    mend = f"delete {FILE} and run `python -m core measure` again"
    try:
        content = pq.read_table(file)
        table = content.replace_schema_metadata(None).to_pandas()  # what pandas keeps there it trips over when damaged
    except (OSError, ValueError, pa.ArrowException) as error:
        raise LookwhereError(f"{file}: damaged ({error}); {mend}") from error
    names = [m.name for m in MEASURES if m.name in table]
    if "face_id" not in table or list(table["face_id"].astype(str)) != list(faces["face_id"].astype(str)):
        raise LookwhereError(f"{file}: not of the faces beside it; {mend}")
    digest = (content.schema.metadata or {}).get(SHA256.encode())  # a file of before has none
    if digest is not None and digest.decode("ascii", "replace") != _digest(table):
        raise LookwhereError(f"{file}: changed since it was written; {mend}")
    return table[names].astype(np.float64).set_axis(faces.index)


def with_measures(faces: pd.DataFrame, table: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Column, ...]]:
    """The faces with their measures (`read_measured`, row by row), and the columns that makes (`core.data.columns`).

    Each measure is a column of thirds over all these faces, a number, and one of thirds within each gender × ethnicity
    group, NA in groups of under 11 faces. A measure that is the same for all faces makes none. Where no gender is
    recorded groups are of ethnicity, and where neither is, there are no thirds within.
    """
    grouping = "gender and ethnicity" if gender_known(faces) else "ethnicity" if ethnicity_known(faces) else ""
    group = faces.groupby(["gender", "ethnicity"], dropna=False, observed=True).ngroup().to_numpy()
    columns: list[Column] = []
    added: dict[str, object] = {}
    for name in table:
        measure, values = BY_NAME[name], table[name].to_numpy(dtype=np.float64)
        column = third_column(measure, values)
        if column is None:
            continue
        columns.append(column)
        added |= {name: column.banded(values), f"{name}{VALUE}": values}
        # Where most values are one, they make no thirds.
        if grouping and not measure.edges and column.levels == measure.levels:
            words = f"{measure.words}, within {grouping}"
            inside = Column(name=name + IN_GROUP, kind=Kind.ORDERED, levels=measure.levels, words=words, measured=True)
            codes = thirds_within(values, group)
            columns.append(inside)
            added[inside.name] = pd.Categorical.from_codes(codes, pd.Index(inside.levels, dtype="str"), ordered=True)
    joined = pd.concat([faces, pd.DataFrame(added, index=faces.index)], axis=1)
    joined.attrs = faces.attrs  # what is classified
    return joined, tuple(columns)


def of_source(column: str) -> bool:
    """Whether a column of thirds is of a measure that is made in the source image."""
    return BY_NAME[column.removesuffix(IN_GROUP)].source


def third_column(measure: Measure, values: np.ndarray) -> Column | None:
    """A measure as a column of thirds over `values` (N,), or of what its edges part; None where there is but one."""
    finite = values[np.isfinite(values)]
    if measure.edges and len(set(np.searchsorted(measure.edges, finite, side="right"))) < 2:
        return None
    try:
        column = number_column(measure.name, finite, words=measure.words, measured=True, edges=measure.edges or None)
    except LookwhereError:
        return None
    return replace(column, levels=measure.levels) if len(column.levels) == len(measure.levels) else column


def thirds_within(values: np.ndarray, group: np.ndarray, smallest: int = MINIMUM_FACES) -> np.ndarray:
    """The third of each value within its group, int8 (N,) of 0, 1 and 2.

    −1 where it is NaN, or under `smallest` of its group are known; `group` int (N,). Values on an edge are in the third
    above, so thirds of tied values are not of one size.
    """
    codes = np.full(len(values), -1, dtype=np.int8)
    for code in np.unique(group):
        inside = np.flatnonzero((group == code) & np.isfinite(values))
        if len(inside) >= smallest:
            edges = np.quantile(values[inside], (1 / 3, 2 / 3))
            codes[inside] = np.searchsorted(edges, values[inside], side="right")
    return codes
