"""A model of which nothing but predictions is at hand: a CSV or Parquet with each face's file and scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import types

from core.classifiers.imported.import_options import USUAL_TABLE, PredictionTable
from core.classifiers.imported.outputs import NEAREST, doubt, to_logits
from core.classifiers.imported.spec import BOTH, ONE_OUTPUT, InputOutputSpec, from_dict
from core.classifiers.info import ModelInfo
from core.data.readers.label_table import header_of, read_table
from core.data.readers.labels import ENGLISH_GENDER_WORDS, GENDER_WORDS
from core.data.sources.base import MAXIMUM_TABLE_BYTES
from core.data.sources.tables import open_parquet, unfolded
from core.errors import LookwhereError
from core.files import read_bounded, sha256, write_parquet

FILE = "predictions.parquet"
#: Shares are rounded; beyond this, two probabilities that do not add up to 1 are not those of two classes.
ROUNDING = 0.02
#: No classifier gives logits beyond: e to its power is no number long before.
LARGEST_LOGIT = 1e6
#: What tools write where there is no number.
NO_NUMBER = ("nan", "NaN", "NA", "N/A", "None", "null", "<NA>")
#: What tells a Parquet column of bytes, which may be no text.
BYTES = (types.is_binary, types.is_large_binary, types.is_fixed_size_binary, types.is_binary_view)
#: Rows that it takes to doubt percentages of which none is above 1.
SURE = 20


def import_predictions(
    source: Path, folder: Path, spec: InputOutputSpec, layout: PredictionTable = USUAL_TABLE
) -> dict:
    """Check a table, write `folder/predictions.parquet` (`file`, `score_0`, …), and say what `model.json` keeps of it.

    A single logit or probability is in one column, logits or probabilities in several; `spec.female` and `male`
    count these. Percentages are divided by 100, and labels (words such as male) become probabilities of 0 and 1. A row
    without a score leaves its face out. Where `layout` names faces, some have to be found. `decisions` is in what is
    said where all scores are 0 or 1, `empty` is the number of rows without a score, where there are some. Raises
    `LookwhereError` naming the row or the columns where the table does not do.
    """
    spec.for_scores()
    single = spec.score in (*ONE_OUTPUT, "label")
    least = 1 if single else max(spec.pair) + 1
    count = len(set(layout.score_columns))
    if count != len(layout.score_columns) or count < least or (single and count > 1):
        counting = f"{BOTH} count" if spec.indices is None else "indices count"
        need = "one" if single else f"{least} different ones, in the order in which {counting} them"
        raise LookwhereError(f"--score-column: {spec.score} needs {need}, not {', '.join(layout.score_columns)}")
    table, columns, first = _read(source, (layout.file_column, *layout.score_columns))
    if table.empty:
        raise LookwhereError(f"{source}: no row in it; a row a face is needed")
    files = _files(table[columns[0]], source, first)
    if spec.score == "label":
        scores = _labels(table[columns[1]], source, first, spec)[:, None]
    else:
        scores = np.stack([_numbers(table[column], source, first) for column in columns[1:]], axis=1)
    empty = np.isnan(scores).any(axis=1)
    if empty.all():
        raise LookwhereError(f"{source}: {', '.join(columns[1:])}: empty in every row")
    files, scores, rows = files[~empty].reset_index(drop=True), scores[~empty], table.index.to_numpy()[~empty] + first
    if spec.score in ("percentage", "percentages"):
        _percent(scores, columns[1:], source, rows)
        scores = scores / 100
    _plausible(scores, spec.as_probabilities(), columns[1:], source, rows)
    if layout.faces is not None:
        _places(files, layout.faces, source)
    score_table = {f"score_{n}": column for n, column in enumerate(scores.T)}
    write_parquet(folder / FILE, pd.DataFrame({"file": files} | score_table))
    return {
        "architecture": "predictions only",
        "outputs": scores.shape[1],
        "maps": None,
        "rows": len(files),
        **({"decisions": True} if np.isin(scores, (0, 1)).all() else {}),
        **({"empty": int(empty.sum())} if empty.any() else {}),
        "source": {"file": source.name, "sha256": sha256(source), "columns": columns},
    }


def scores_for(folder: Path, info: ModelInfo, faces: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Logits float32 (n, 2) of the n faces that have a prediction, in their order, and which these are, bool (N,).

    A prediction's file is the face's `path`, or else its `face_id`, or else ends as one of them does: in the same name,
    whatever its suffix's case, or in as many of the folders before it as tell all faces apart, or else is the beginning
    of the face's name up to a dot (`X` or `X.jpg` of `X.jpg.chip.jpg`) or the other way round. The first of these that
    finds any face is taken for all. Raises `LookwhereError` where names stay ambiguous, or no face is found.
    """
    try:
        table = pd.read_parquet(folder / FILE)
    except (OSError, ValueError) as error:
        raise LookwhereError(f"{folder / FILE}: damaged or missing ({error}); import the predictions again") from error
    place = _places(table["file"], faces, folder)
    has_scores = place >= 0
    scores = table.drop(columns="file").to_numpy(dtype=np.float64)[place[has_scores]]
    spec = from_dict(info.declaration.to_json(), f"{folder}/model.json")
    if spec.score == "probabilities":
        # Tables are rounded: a written 0 says no more than that.
        scores = np.clip(scores, NEAREST, 1 - NEAREST)
    return to_logits(scores, spec), has_scores


def _read(source: Path, names: tuple[str, ...]) -> tuple[pd.DataFrame, list[str], int]:
    """The table, its columns of these names whatever their case, and what to add to its index for a row's number."""
    try:
        if source.suffix.lower() == ".parquet":
            file = open_parquet(source)
            columns = _columns([str(column) for column in file.schema_arrow.names], names, source)
            for name in columns:
                if file.schema_arrow.names.count(name) > 1:
                    raise LookwhereError(f"{source}: two columns are called {name}; delete or rename one of them")
                if any(is_kind(file.schema_arrow.field(name).type) for is_kind in BYTES):
                    raise LookwhereError(f"{source}: {name} holds bytes; write it as text")
            return pd.DataFrame({name: unfolded(file, name).to_pandas() for name in columns}), columns, 1
        data = read_bounded(source, MAXIMUM_TABLE_BYTES)
        columns = _columns(header_of(data, str(source))[1], names, source)
        return read_table(data, str(source), dict.fromkeys(columns, ())), columns, 2
    except (OSError, pa.ArrowException, ValueError) as error:
        raise LookwhereError(f"{source}: not a readable table ({str(error).splitlines()[0]})") from error


def _columns(there: list[str], names: tuple[str, ...], source: Path) -> list[str]:
    """The columns so named, whatever their case."""
    by_name = {column.strip().lower(): column for column in reversed(there)}
    missing = [name for name in names if name.strip().lower() not in by_name]
    if missing:
        raise LookwhereError(
            f"{source}: no column {', '.join(missing)}; there are {', '.join(there)}; "
            "name them with --file-column and --score-column"
        )
    return [by_name[name.strip().lower()] for name in names]


def _files(column: pd.Series, source: Path, first: int) -> pd.Series:
    files = _tidy(column)
    if (empty := files.isna() | (files == "")).any():
        raise LookwhereError(f"{source}, row {column.index[empty.argmax()] + first}: names no file in {column.name}")
    if (twice := files.duplicated()).any():
        raise LookwhereError(f"{source}: {files[twice].iloc[0]} is there twice; a face has one prediction")
    return files


def _tidy(names: pd.Series) -> pd.Series:
    """Names with `/` between folders, and without `./` before."""
    return names.astype("string").str.strip().str.replace("\\", "/").str.replace(r"^(?:\./)+", "", regex=True)


def _numbers(column: pd.Series, source: Path, first: int) -> np.ndarray:
    """float64 (N,), NaN where a cell is empty. Raises `LookwhereError` naming the first row of what is no number."""
    # In a CSV they are words.
    words = column.dropna().astype("string").str.strip().str.lower()
    if pd.api.types.is_bool_dtype(column) or words.isin(("true", "false")).any():
        raise LookwhereError(f"{source}: {column.name} is true or false; a score is needed, not the answer alone")
    values = np.asarray(pd.to_numeric(column, errors="coerce").astype("Float64").to_numpy(np.float64, na_value=np.nan))
    bad = ~np.isfinite(values) & ~_empty(column)
    if bad.any():
        value = str(column.iloc[bad.argmax()])
        hint = ""
        if "%" in value:
            hint = "; write shares of 0 to 1, or percentages without the sign, declared so"
        elif "," in value:
            hint = "; write a decimal point instead of the comma"
        elif value.strip().lower() in GENDER_WORDS:
            hint = "; declare score label"
        row = column.index[bad.argmax()] + first
        raise LookwhereError(f"{source}, row {row}: {column.name} is {value!r}, not a number{hint}")
    return values


def _empty(column: pd.Series) -> np.ndarray:
    """Bool (N,): cells with nothing in them."""
    if pd.api.types.is_numeric_dtype(column):
        return column.isna().to_numpy()
    return (column.isna() | column.astype("string").str.strip().isin(("", *NO_NUMBER))).to_numpy(bool)


def _labels(column: pd.Series, source: Path, first: int, spec: InputOutputSpec) -> np.ndarray:
    """1 for the positive class, 0 for the other, NaN where a cell is empty, float64 (N,).

    Raises `LookwhereError` for words that name neither.
    """
    task = spec.task()
    names = GENDER_WORDS if task.is_gender else {name.lower(): name for name in task.classes}
    words = column.astype("string").str.strip().str.lower()
    p_positive = words.map({word: float(name == task.positive) for word, name in names.items()}).astype("Float64")
    values = p_positive.to_numpy(np.float64, na_value=np.nan)
    bad = np.isnan(values) & ~_empty(column)
    if bad.any():
        raise LookwhereError(
            f"{source}, row {column.index[bad.argmax()] + first}: {column.name} is "
            f"{str(column.iloc[bad.argmax()])!r}, and a label "
            f"is one of {', '.join(ENGLISH_GENDER_WORDS if task.is_gender else names)}"
        )
    return np.asarray(values)


def _percent(scores: np.ndarray, names: list[str], source: Path, rows: np.ndarray) -> None:
    outside = (scores < -0.01) | (scores > 100.01)
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise LookwhereError(
            f"{source}, row {rows[row]}: {names[column]} is {scores[row, column]:g}, and percentages lie between 0 and "
            "100"
        )
    if len(scores) >= SURE and scores.max() <= 1:
        raise LookwhereError(f"{source}: declared as percentages, but none is above 1; are these probabilities?")


def _plausible(scores: np.ndarray, spec: InputOutputSpec, names: list[str], source: Path, rows: np.ndarray) -> None:
    if why := doubt(scores, spec):
        raise LookwhereError(f"{source}: {why}")
    if spec.score not in ("probability", "probabilities"):
        huge = np.abs(scores) > LARGEST_LOGIT
        if huge.any():
            row, column = np.argwhere(huge)[0]
            raise LookwhereError(
                f"{source}, row {rows[row]}: {names[column]} is {scores[row, column]:g}, and no logit lies beyond "
                f"±{LARGEST_LOGIT:,.0f}; mend or leave out that row"
            )
        return
    outside = (scores < -1e-4) | (scores > 1 + 1e-4)
    if outside.any():
        row, column = np.argwhere(outside)[0]
        percent = scores.min() >= 0 and scores.max() <= 100
        question = "percentages? Divide them by 100, or declare them so" if percent else "logits? Declare them so"
        raise LookwhereError(
            f"{source}, row {rows[row]}: {names[column]} is {scores[row, column]:g}, and probabilities lie between 0 "
            f"and 1; are these {question}"
        )
    off = np.abs(scores.sum(axis=1) - 1) > ROUNDING
    if scores.shape[1] == 2 and off.any():
        row = off.argmax()
        raise LookwhereError(
            f"{source}, row {rows[row]}: {names[0]} and {names[1]} add up to {scores[row].sum():.3g}, not 1; are "
            f"these the probabilities of {' and '.join(spec.task().labels)}?"
        )


def _places(files: pd.Series, faces: pd.DataFrame, origin: Path) -> np.ndarray:
    """The row of each face's prediction, int64 (N,); −1 where there is none."""
    files, paths, ids = _tidy(files), _tidy(faces["path"]), _tidy(faces["face_id"])
    for names in (paths, ids):
        place = pd.Index(files).get_indexer(names)
        if (place >= 0).any():
            return place
    ambiguous = None
    # An image inside a Parquet is called by its id: its path is only where it lies there.
    for shortened, names in ((False, paths), (False, ids), (True, paths), (True, ids)):
        place, unclear = _by_endings(files, names, shortened)
        if place is not None:
            return place
        ambiguous = ambiguous or unclear
    if ambiguous is not None:
        raise LookwhereError(
            f"{origin}: several faces or predictions are named {ambiguous}; name files with their folders, as in "
            f"{paths.iloc[0]}, or by face_id, and import them again"
        )
    raise LookwhereError(
        f"{origin}: none of {len(files):,} predictions is of a face here; they name {files.iloc[0]}, the data set has "
        f"{paths.iloc[0]} (face_id {faces['face_id'].iloc[0]}); name files as the data set does and import them again"
    )


def _by_endings(files: pd.Series, names: pd.Series, shortened: bool) -> tuple[np.ndarray | None, str | None]:
    """As `_places`, by as many last parts as tell all apart; or None, and a name that stays ambiguous, if any does."""
    ambiguous = None
    for parts in range(1, 2 + max(int(both.str.count("/").max()) for both in (files, names))):
        ours, theirs = _endings(names, parts), _endings(files, parts)
        if shortened:
            ours, theirs = _shortened(ours, theirs)
        both = ours.isin(theirs)
        if not both.any():
            break
        unclear = ours[both & (ours.duplicated(keep=False) | ours.isin(theirs[theirs.duplicated()]))]
        if unclear.empty:
            rows_by_name = pd.Series(np.arange(len(theirs)), index=theirs)
            return rows_by_name[~rows_by_name.index.duplicated()].reindex(ours).fillna(-1).to_numpy(
                dtype=np.int64
            ), None
        ambiguous = ambiguous or unclear.iloc[0]
    return None, ambiguous


def _endings(names: pd.Series, parts: int) -> pd.Series:
    """The last `parts` parts of each path, with the suffixes (`.JPG.chip.jpg`) in lower case."""
    folder, slash, name = (names.str.rpartition("/")[n] for n in range(3))
    stem, dot, suffixes = (name.str.partition(".")[n] for n in range(3))
    whole = folder + slash + stem + dot + suffixes.str.lower()
    return whole.str.split("/").str[-parts:].str.join("/").reset_index(drop=True)


def _shortened(ours: pd.Series, theirs: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Both sides' names, those of one cut at the dot that makes them one of the other's, where there is such a dot."""
    return _cut(ours, set(theirs)), _cut(theirs, set(ours))


def _cut(names: pd.Series, stems: set[str]) -> pd.Series:
    def cut(name: str) -> str:
        head = name
        while head not in stems and "." in head.rpartition("/")[2]:
            head = head.rpartition(".")[0]
        return head if head in stems else name

    return names.map(cut).astype("string")
