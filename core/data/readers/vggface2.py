"""VGGFace2, and any folder a person whose genders a CSV gives.

`identity_meta.csv` (`Class_ID, Name, Sample_Num, Flag, Gender`) lies in the data set or is given with `--labels`. Names
in it hold commas and quotes, so its lines are read from both ends. Flag 1 is train and 0 is test, and counts before the
folder; there is no validation split. For other trees a CSV of `identity,gender[,ethnicity]`, the identity as the
folder's name, is given with `--labels` or lies inside as `identities.csv`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from core.data.readers.base import Reader, Reading, Refusal
from core.data.readers.identities import identity_table
from core.data.readers.label_table import lines_of, read_table, text
from core.data.readers.labels import ALL_GENDER_WORDS, find_files, image_table, known, mapped
from core.data.readers.read_log import ReadLog
from core.data.readers.spelling import folded
from core.data.sources.base import MAXIMUM_TABLE_BYTES, Source
from core.errors import LookwhereError
from core.files import read_bounded

META = r"identity_meta\.csv"
LABELS = r"identities\.csv"
SPLIT = {"1": "train", "0": "test"}
CLASS = r"(?i)^(?:.*/)?n\d{6}/[^/]+$"
LINE = r"^\s*(?P<identity>[^,\s]+)\s*,.*,\s*\d*\s*,\s*(?P<split>[01])\s*,\s*\"?(?P<gender>[A-Za-z]*)\"?\s*$"
RECOGNISED_SHARE = 0.5


class VGGFace2(Reader):
    name = "vggface2"
    title = "VGGFace2, or another folder-per-person tree with labels"
    expects = "n000001/0001_01.jpg and identity_meta.csv; or PERSON/*.jpg and a CSV of identity,gender[,ethnicity]"
    find_copies = False

    def why_not(self, source: Source) -> Refusal | None:
        images = source.images()
        tables = find_files(source, f"{META}|{LABELS}")
        if not images and find_files(source, META):
            return Refusal("there is no image in it", "VGGFace2")
        if not images:
            return Refusal("no image in it")
        folder = re.compile(CLASS)
        if sum(folder.match(name) is not None for name in images) >= RECOGNISED_SHARE * len(images):
            return None
        if not tables:
            none = "there is no identity_meta.csv or identities.csv"
            remedy = "--dataset vggface2 --labels CSV gives one of identity,gender"
            return Refusal(f"images do not lie in folders n000001 …, and {none}; {remedy}")
        return self.why_not_by_name(source)

    def why_not_by_name(self, source: Source) -> Refusal | None:
        """None for any images in folders: whether there are labels for them, `read` says."""
        images = source.images()
        if not images:
            return Refusal("no image in it")
        return (
            None
            if sum("/" in name.removeprefix("./") for name in images) >= len(images) / 2
            else Refusal("images do not lie in folders, one a person")
        )

    def read(self, source: Source, labels: Path | None = None) -> Reading:
        """Raises `LookwhereError` where there are no labels, or a table of labels is not as expected."""
        notes = ReadLog()
        people, origin = _people(source, labels, notes)
        images = image_table(source)
        person = images["path"].str.extract(r"^(?:.*/)?([^/]+)/[^/]+$")[0]
        key = person.map(folded, na_action="ignore")
        lost = _zeros_lost(key, people["key"])
        short = key.isin(list(lost))
        notes.repair(images.loc[short, "path"], f"its person is called without the first zeros in {origin}")
        key = key.mask(short, key.map(lost))
        faces = images.assign(key=key).merge(people, on="key", how="left", validate="many_to_one")
        loose, unknown = faces["key"].isna(), faces["identity"].isna()
        notes.reject(faces.loc[loose, "path"], "in no person's folder")
        notes.reject(faces.loc[unknown & ~loose, "path"], f"person not in {origin}")
        faces = known(faces[~unknown], "gender", ALL_GENDER_WORDS, notes)
        if "split" in faces:
            faces = faces.assign(split=mapped(faces["split"], SPLIT))
            folder = faces["path"].str.lower().str.extract(r"(?:^|/)(train|test)/")[0]
            differ = folder.notna() & (folder != faces["split"])
            notes.disagree(
                faces.loc[differ, "path"],
                "split: Flag " + faces["split"][differ] + ", folder " + folder[differ] + "; the Flag counts",
            )
        return notes.reading(faces.assign(face_id=faces["identity"] + "/" + faces["stem"]))


def _zeros_lost(folders: pd.Series, people: pd.Series) -> dict[str, str]:
    """The person of each folder `0007` that the table has as 7 alone: a spreadsheet takes the zeros from a number."""
    table, tree = (_numbers(names) for names in (people, folders.dropna().drop_duplicates()))
    identities = set(people)
    lost = {number: folder for number, folder in tree.items() if number in table and folder not in identities}
    return {folder: table[number] for number, folder in lost.items()}


def _numbers(names: pd.Series) -> dict[int, str]:
    """The names that are whole numbers, by these; none that two of them are."""
    numbered = names[names.str.fullmatch(r"[0-9]{1,18}")]
    number = numbered.astype("int64")
    alone = ~number.duplicated(keep=False)
    return dict(zip(number[alone].tolist(), numbered[alone], strict=True))


def _people(source: Source, labels: Path | None, notes: ReadLog) -> tuple[pd.DataFrame, str]:
    """`key, identity, gender` and perhaps `ethnicity`, `split`, a row a person; and the table's name."""
    if labels is not None:
        try:
            data, origin = read_bounded(labels, MAXIMUM_TABLE_BYTES), labels.name
        except OSError as error:
            raise LookwhereError(
                f"{labels}: cannot be read ({error.strerror or error}); --labels takes a CSV"
            ) from error
    else:
        tables = find_files(source, META) or find_files(source, LABELS)
        if not tables:
            raise LookwhereError(
                f"{source.path}: no identity_meta.csv in it, so no gender is known; give it, or a CSV of "
                "identity,gender[,ethnicity], with --labels"
            )
        data, origin = source.read(tables[0]), tables[0]
    content = text(data, origin, notes)
    head = [word.strip(' "').lower() for word in re.split("[,;\t|]", content.partition("\n")[0])]
    meta = head[:1] == ["class_id"] and "flag" in head
    if not meta:
        people = identity_table(data, origin, notes)
    elif "," in content.partition("\n")[0]:
        people = _meta(content, origin, notes)
    else:
        people = read_table(data, origin, {"class_id": (), "flag": (), "gender": ()}, notes)
        people = people.rename(columns={"class_id": "identity", "flag": "split"})
        people = people[people["identity"].notna()]
    people = people.assign(key=people["identity"].map(folded))
    twice = people["key"].duplicated()
    if twice.any():
        raise LookwhereError(f"{origin}: identity {people.loc[twice, 'identity'].iloc[0]} occurs twice")
    return people, origin


def _meta(content: str, origin: str, notes: ReadLog) -> pd.DataFrame:
    lines = pd.Series(lines_of(content)[1:], dtype="str")
    lines = lines[lines.str.strip() != ""]
    people = lines.str.extract(LINE)
    bad = people["identity"].isna()
    notes.reject(f"{origin}, line " + (lines.index[bad] + 2).astype("str"), "line cannot be read")
    return people[~bad].assign(gender=people["gender"].replace("", pd.NA))
