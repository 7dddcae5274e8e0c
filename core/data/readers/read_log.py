"""What a reader meets on its way, and the reading that it makes of it."""

from __future__ import annotations

import pandas as pd

from core.data.columns import OWN
from core.data.faces import UNRECORDED
from core.data.otherwise import two_classes
from core.data.readers.base import Reading
from core.data.readers.spelling import common_spellings, plain
from core.errors import LONGEST_NAME

#: Columns named one by one of those that nothing is made of.
NAMED = 12


def shortened_name(name: str) -> str:
    """A name that a sentence gives, cut where it is longer than any."""
    return name if len(name) <= LONGEST_NAME else f"{name[:60]}…"


class ReadLog:
    """What a reader meets: `reject`, `repair` and `disagree` take files and, for all or one by one, the words.

    `remark` takes a sentence about the data set as a whole.
    """

    def __init__(self) -> None:
        self._found: dict[str, list[pd.DataFrame]] = {"reason": [], "repair": [], "what": []}
        self.remarks: list[str] = []
        self._unlisted: set[str] = set()

    def reject(self, files: object, reason: object) -> None:
        self._note("reason", files, reason)

    def reject_unlisted(self, files: object, origin: str) -> None:
        """Reject images that no row of the file `origin` names."""
        reason = f"no row in {origin}"
        self._unlisted.add(reason)
        self.reject(files, reason)

    def repair(self, files: object, repair: object) -> None:
        self._note("repair", files, repair)

    def disagree(self, files: object, what: object) -> None:
        self._note("what", files, what)

    def remark(self, sentence: str) -> None:
        if sentence not in self.remarks:
            self.remarks.append(sentence)

    def unused(self, origin: str, columns: list[str]) -> None:
        """Name the columns of a table of which nothing is made."""
        more = f" and {len(columns) - NAMED} more" if len(columns) > NAMED else ""
        names = (shortened_name(str(column)) for column in columns[:NAMED])
        self.remark(f"{origin}: not used: {', '.join(names)}{more}")

    def people(self, faces: pd.DataFrame, column: str, what: str) -> None:
        """List each person, by `identity`, whose faces have more than one value in `column`."""
        recorded = faces[faces[column] != UNRECORDED]
        pairs = recorded[["identity", column]].dropna().drop_duplicates().sort_values(["identity", column])
        pairs = pairs[pairs["identity"].duplicated(keep=False)]
        values = pairs.groupby("identity", observed=True)[column].agg(", ".join)
        self.disagree([f"person {identity}: {genders}" for identity, genders in values.items()], what)

    def one_spelling(self, names: pd.Series, files: object, column: str) -> pd.Series:
        """Names that differ only in case, blanks or Unicode form, as the commonest of them; `files` are a row's.

        Each row that changes is a repair. Letters' case stays apart in `identity`, as codes may differ in it alone.
        """
        spellings = names.dropna().unique()
        if column == "identity":
            changed = {name: plain(name) for name in spellings if plain(name) != name}
        else:
            changed = common_spellings(names)
        rows = names.isin(changed)
        if rows.any():
            words = names[rows].map(
                {
                    old: f"{column} {old!r} is read as {new!r}, the same but for case, blanks or Unicode form"
                    for old, new in changed.items()
                }
            )
            self.repair(pd.Series(files, index=names.index)[rows], words)
        return names.where(~rows, names.map(changed)).astype("str")

    def _without_long_names(self, faces: pd.DataFrame) -> pd.DataFrame:
        """The faces whose group and person have a name: a longer cell is text whose closing quote is missing."""
        for column in {"ethnicity", "identity"} & set(faces):
            long = faces[column].astype("str").str.len() > LONGEST_NAME
            if long.any():
                words = f"{column} of over {LONGEST_NAME} letters, which is no name; is a quote missing in the table?"
                self.reject(faces.loc[long, "path"], words)
                faces = faces[~long]
        return faces

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
        """Faces with what is known of them, as a `Reading`: a second face of one `face_id` is rejected, and
        faces whose label is none of the two classes are apart.

        `faces` has `face_id, path, gender` and perhaps `ethnicity, age, identity, split`, and the data set's own
        columns, whose names begin with `OWN`. Where another column is classified, there may be no `gender`.
        """
        faces = self._without_long_names(faces)
        twice = faces["face_id"].duplicated()
        self.reject(faces.loc[twice, "path"], "same name as another image")
        faces = faces[~twice].sort_values("face_id", ignore_index=True)
        nothing = pd.Series(pd.NA, index=faces.index)
        table = {
            "face_id": faces["face_id"].astype("str"),
            "path": faces["path"].astype("str"),
            "gender": faces["gender"].astype("str") if "gender" in faces else UNRECORDED,
            "ethnicity": faces["ethnicity"].fillna(UNRECORDED).astype("str") if "ethnicity" in faces else UNRECORDED,
            "age": faces.get("age", nothing).astype("Int16"),
            "identity": faces.get("identity", nothing).astype("string"),
        }
        if "split" in faces:
            table["split"] = faces["split"].astype("str")
        read = pd.DataFrame(table)
        two = two_classes(read)
        own = own_columns(faces)
        apart = read[~two].join(own[~two].add_prefix(OWN)).reset_index(drop=True)
        return Reading(
            read[two].reset_index(drop=True),
            self.table("reason"),
            self.table("repair"),
            self.table("what"),
            remarks=tuple(self.remarks),
            own=own[two].reset_index(drop=True),
            otherwise=apart,
            unlisted=frozenset(self._unlisted),
        )


def own_columns(faces: pd.DataFrame) -> pd.DataFrame:
    """The data set's own columns of a table on its way through a reader, by the names that they have in it."""
    mine = [name for name in faces if str(name).startswith(OWN)]
    return faces[mine].rename(columns=lambda name: name.removeprefix(OWN)).reset_index(drop=True)
