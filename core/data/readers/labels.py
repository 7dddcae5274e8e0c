"""What readers of label files share: tables of strings, the join with images, and a list of what was wrong."""

from __future__ import annotations

import io
import re

import pandas as pd

from core.data.faces import SPLITS, UNRECORDED
from core.data.readers.base import Reading
from core.data.sources.base import IMAGE_SUFFIXES, Source
from core.errors import LookwhereError

GENDER_WORDS = {
    **dict.fromkeys(("female", "f", "woman", "women"), "female"),
    **dict.fromkeys(("male", "m", "man", "men"), "male"),
}
_SUFFIXES = "|".join(suffix.removeprefix(".") for suffix in IMAGE_SUFFIXES)
#: `112944.jpg.jpg` and `1.JPG` end so.
IMAGE_SUFFIX = rf"(?:\.(?:{_SUFFIXES}))+$"


class ReadLog:
    """What a reader meets: `reject`, `repair` and `disagree` take files and, for all or one by one, the words."""

    def __init__(self) -> None:
        self._found: dict[str, list[pd.DataFrame]] = {"reason": [], "repair": [], "what": []}

    def reject(self, files: object, reason: object) -> None:
        self._note("reason", files, reason)

    def repair(self, files: object, repair: object) -> None:
        self._note("repair", files, repair)

    def disagree(self, files: object, what: object) -> None:
        self._note("what", files, what)

    def people(self, faces: pd.DataFrame, column: str, what: str) -> None:
        """List each person, by `identity`, whose faces have more than one value in `column`."""
        pairs = faces[["identity", column]].dropna().drop_duplicates().sort_values(["identity", column])
        pairs = pairs[pairs["identity"].duplicated(keep=False)]
        values = pairs.groupby("identity", observed=True)[column].agg(", ".join)
        self.disagree([f"person {identity}: {found}" for identity, found in values.items()], what)

    def _note(self, kind: str, files: object, words: object) -> None:
        files = pd.Series(files, dtype="str").reset_index(drop=True)
        if not isinstance(words, str):
            words = pd.Series(words, dtype="str").to_numpy()
        if len(files):
            self._found[kind].append(pd.DataFrame({"file": files, kind: words}, dtype="str"))

    def table(self, kind: str) -> pd.DataFrame:
        empty = pd.DataFrame({"file": [], kind: []}, dtype="str")
        return pd.concat([empty, *self._found[kind]], ignore_index=True)

    def reading(self, faces: pd.DataFrame) -> Reading:
        """Faces with what is known of them, as a `Reading`: a second face of one `face_id` is rejected.

        `faces` has `face_id, path, gender` and perhaps `ethnicity, age, identity, split`.
        """
        twice = faces["face_id"].duplicated()
        self.reject(faces.loc[twice, "path"], "same name in another folder")
        faces = faces[~twice].sort_values("face_id", ignore_index=True)
        nothing = pd.Series(pd.NA, index=faces.index)
        table = {
            "face_id": faces["face_id"].astype("str"),
            "path": faces["path"].astype("str"),
            "gender": faces["gender"].astype("str"),
            "ethnicity": faces["ethnicity"].fillna(UNRECORDED).astype("str") if "ethnicity" in faces else UNRECORDED,
            "age": faces.get("age", nothing).astype("Int16"),
            "identity": faces.get("identity", nothing).astype("string"),
        }
        if "split" in faces:
            table["split"] = faces["split"].astype("str")
        return Reading(pd.DataFrame(table), self.table("reason"), self.table("repair"), self.table("what"))


def image_table(source: Source) -> pd.DataFrame:
    """`path`, `file` (its last part) and `stem` (that without its suffix), a row an image of the source."""
    path = pd.Series(source.images(), dtype="str")
    file = path.str.replace(r"^.*/", "", regex=True)
    stem = file.str.replace(f"(?i){IMAGE_SUFFIX}", "", regex=True)
    return pd.DataFrame({"path": path, "file": file, "stem": stem})


def find_files(source: Source, pattern: str) -> list[str]:
    """Visible files whose last part is `pattern` as a whole, whatever the case; those nearest to the root first."""
    whole = re.compile(rf"(?:.*/)?(?:{pattern})", re.IGNORECASE)
    return sorted(
        (name for name in source.files("") if whole.fullmatch(name)), key=lambda name: (name.count("/"), name)
    )


def text(data: bytes, origin: str) -> str:
    """Decoded as UTF-8, UTF-16 with its mark, or else Latin-1. Raises `LookwhereError` for what is no text."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    if b"\0" in data[:10_000]:
        raise LookwhereError(f"{origin}: not a text file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def read_table(data: bytes, origin: str, rows: int | None = None) -> pd.DataFrame:
    """A CSV as stripped strings, NA where empty, columns in lower case; semicolons and tabs separate as well.

    Raises `LookwhereError` naming `origin` where it cannot be read.
    """
    content = text(data, origin)
    head = content.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    try:
        table = pd.read_csv(
            io.StringIO(content), sep=separator, dtype="str", skipinitialspace=True, nrows=rows, index_col=False
        )
    except (ValueError, pd.errors.ParserError) as error:
        reason = str(error).splitlines()[0]
        raise LookwhereError(f"{origin}: not a readable CSV ({reason})") from error
    table.columns = [str(column).strip().lower() for column in table.columns]
    return stripped(table.loc[:, ~table.columns.duplicated()])


def stripped(table: pd.DataFrame) -> pd.DataFrame:
    """Every cell without spaces around it, and NA where nothing is left."""
    return table.apply(lambda column: column.str.strip().replace("", pd.NA))


def columns_of(source: Source, name: str) -> list[str]:
    """The columns of a CSV in the source, from its first lines; none where it cannot be read as one."""
    try:
        return list(read_table(source.head(name), name, rows=0).columns)
    except LookwhereError:
        return []


def join_images(rows: pd.DataFrame, images: pd.DataFrame, notes: ReadLog, origin: str) -> pd.DataFrame:
    """Rows of `origin` with the `path` of their image, joined by `key`; `rows` has a `name` for what is missing.

    Rejected: an image's second row, a second image of one key, a row without an image, an image without a row.
    """
    again = rows["key"].duplicated()
    notes.reject(rows.loc[again, "name"], f"second row for one image in {origin}")
    twice = images["key"].duplicated()
    notes.reject(images.loc[twice, "path"], "same name in another folder")
    faces = rows[~again].merge(images.loc[~twice, ["key", "path"]], on="key", how="left")
    missing = faces["path"].isna()
    notes.reject(faces.loc[missing, "name"], f"in {origin}, but the image is missing")
    unlabelled = ~images["key"].isin(rows["key"])
    notes.reject(images.loc[unlabelled & ~twice, "path"], f"no row in {origin}")
    return faces[~missing].reset_index(drop=True)


def mapped(values: pd.Series, names: dict[str, object]) -> pd.Series:
    """As `map`, but a column of strings even where none is among `names`."""
    return values.map(names).astype("str")


def known(faces: pd.DataFrame, column: str, names: dict[str, str], notes: ReadLog, lower: bool = True) -> pd.DataFrame:
    """Faces with `column` in our words; those whose value is not among `names` are rejected, the value named."""
    found = mapped(faces[column].str.lower() if lower else faces[column], names)
    bad = found.isna()
    words = faces.loc[bad, column].map(lambda value: f"{column} {value!r} is not known", na_action="ignore")
    notes.reject(faces.loc[bad, "path"], words.astype("str").fillna(f"no {column}"))
    return faces.assign(**{column: found})[~bad].reset_index(drop=True)


def years(age: pd.Series) -> pd.Series:
    """Whole years, Int16; NA for what is no number from 0 to 130."""
    number = pd.to_numeric(age, errors="coerce").astype("Float64")
    return number.where(number.between(0, 130)).floordiv(1).astype("Int16")


SPLIT_WORDS = {split: split for split in SPLITS} | {"valid": "val", "validation": "val", "training": "train"}
