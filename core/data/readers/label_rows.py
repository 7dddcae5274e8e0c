"""A table of faces with their labels and no image: a row a face, by its file's name or an id."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa

from core.data.columns import OWN, loose
from core.data.readers.base import Reading
from core.data.readers.label_table import Columns, header_of, place_columns, read_table
from core.data.readers.labels import rows_differ
from core.data.readers.manifest_table import COLUMNS, labelled
from core.data.readers.read_log import ReadLog
from core.data.sources.base import MAXIMUM_TABLE_BYTES
from core.data.sources.tables import open_parquet, single_valued, string_table
from core.errors import LookwhereError
from core.files import read_bounded
from core.task import GENDER as GENDER_TASK

#: What the column that names the face, and that of its labelled gender, go by, the first that is there.
FACE = ("path", *COLUMNS["path"], "face_id", "id")
GENDER = ("gender", "sex", "label", "true_gender", "true_label")
#: Where another attribute is classified, a label may be of that.
OTHER_TASK = ("gender", "sex", "true_gender")


def read_rows(
    file: Path,
    face: str | None = None,
    gender: str | None = None,
    not_labels: Collection[str] = (),
    target: str | None = None,
) -> tuple[Reading, str]:
    """What the table says of its faces, each called by its own words; and the column that calls them.

    `face` and `gender` name columns, by default the first of `FACE` and `GENDER` that is there; columns of
    `not_labels`, the scores, make no groups. Where another column, `target`, is classified, there may be none of
    gender. Raises `LookwhereError` where the table cannot be read or lacks one.
    """
    log, origin = ReadLog(), str(file)
    target = None if target is None or loose(target) == GENDER_TASK.attribute else target
    try:
        if file.suffix.lower() == ".parquet":
            parquet = open_parquet(file)
            headers = list(parquet.schema_arrow.names)
        else:
            data = read_bounded(file, MAXIMUM_TABLE_BYTES)
            headers = header_of(data, origin)[1]
    except (OSError, pa.ArrowException) as error:
        raise LookwhereError(f"{file}: not a readable table ({str(error).splitlines()[0]})") from error
    called = _column(headers, face, FACE, "--file-column", file)
    class_columns = GENDER if target is None else tuple(name for name in OTHER_TASK if name != loose(target))
    beside = target is not None and gender is None and not {*map(loose, headers)} & {*class_columns}
    truth = None if beside else _column(headers, gender, class_columns, "--gender-column", file)
    if truth is not None and loose(truth) in map(loose, not_labels):
        raise LookwhereError(f"{file}: {truth} is the prediction; name the labelled gender with --gender-column")
    rest = {name: spellings for name, spellings in COLUMNS.items() if name not in ("path", "gender")}
    uses: Columns = {called: (), **({} if truth is None else {truth: ()}), **rest}
    if file.suffix.lower() == ".parquet":
        single = single_valued(parquet.schema_arrow)
        places = place_columns(headers, uses, origin, log, own=True)
        rows = string_table(parquet, {ours: headers[at[0]] for ours, at in places.items() if headers[at[0]] in single},
                            origin)  # fmt: skip
    else:
        rows = read_table(data, origin, uses, log, own=True)
    scores = [name for name in rows if name.startswith(OWN) and loose(name.removeprefix(OWN)) in map(loose, not_labels)]
    rows = rows.drop(columns=scores).rename(columns={called: "path"} | ({} if truth is None else {truth: "gender"}))
    nameless = rows["path"].isna()
    log.reject(f"{file.name}, row " + (rows.index[nameless] + 2).astype("str"), "names no face")
    rows = rows[~nameless].reset_index(drop=True)
    contradicted = rows_differ(rows.assign(key=rows["path"]), "gender")
    log.reject(rows.loc[contradicted, "path"], f"rows of {file.name} name several genders for this face")
    rows = rows[~contradicted].reset_index(drop=True)
    again = rows["path"].duplicated()
    log.reject(rows.loc[again, "path"], f"second row for one face in {file.name}")
    rows = rows[~again].reset_index(drop=True)
    return labelled(rows.assign(face_id=rows["path"]), log, target), called


def _column(headers: list[str], option_value: str | None, spellings: tuple[str, ...], option: str, file: Path) -> str:
    """The column of this name, or the first known one. Raises `LookwhereError` where there is none."""
    by_name = {loose(column): column for column in reversed(headers)}
    for name in (option_value,) if option_value is not None else spellings:
        if loose(name) in by_name:
            return by_name[loose(name)]
    lacking = option_value if option_value is not None else " or ".join(spellings[:3])
    raise LookwhereError(f"{file}: no column {lacking}; there are {', '.join(headers)}; name it with {option}")
