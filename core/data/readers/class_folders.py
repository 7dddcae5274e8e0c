"""A folder a class: `[split/]class/…` at any depth, where the class is one of the words for a gender.

Where something else is to be classified (`Source.target`), the two classes may have any names: `smiling/` and
`neutral/` make the column of the target, which is yes and no of `smiling/` and `not_smiling/`. Gender is not recorded.
`train/female/1.jpg`, `Men/1.jpg` and `faces/boys/2019/1.jpg` lie so. Folders may name a split, above the class or below
it. No ethnicity, no age, no identity. A face is called by its path, without the folders that all images share.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from core.data.columns import MOST_LEVELS, OWN, loose
from core.data.readers.base import Reader, Reading, Refusal
from core.data.readers.labels import GENDER_WORDS, IMAGE_SUFFIX, SPLIT_WORDS, image_table
from core.data.readers.read_log import ReadLog
from core.data.readers.spelling import plain
from core.data.sources.base import Source

RECOGNISED_SHARE = 0.5
#: Folders that a refusal names.
FOLDERS_NAMED = 6
#: How the folder of those without begins: `not_smiling`, `no_glasses`.
NEGATION = r"^(?:not?|non|without)_"
#: A table beside the images may hold the labels: then a refusal does not speak of folders.
TABLES = (".csv", ".tsv", ".jsonl", ".parquet")
#: The layout of one published data set, which has a reader of its own.
KAGGLE = r"(?i)^(?:.*/)?(?:training|validation)/(?:female|male)/[^/]+$"


class ClassFolders(Reader):
    name = "class-folders"
    title = "A folder a gender, with or without splits"
    expects = "folders female and male (or women, men, girls, boys, F, M …), in train, val, test or without"

    def why_not(self, source: Source) -> Refusal | None:
        path = image_table(source)["path"]
        if not path.empty and path.str.match(KAGGLE).mean() >= RECOGNISED_SHARE:
            return Refusal("it is the Kaggle gender set: --dataset kaggle-gender")
        return self.why_not_by_name(source)

    def why_not_by_name(self, source: Source) -> Refusal | None:
        """None for Kaggle's layout too."""
        path = image_table(source)["path"]
        if path.empty:
            return Refusal("no image in it")
        gender = placed(path)["gender"]
        share = float((gender.notna() & (gender != "")).mean())
        if share < RECOGNISED_SHARE:
            folders = list(dict.fromkeys(_class_of(path).dropna()))
            if source.target is not None and (len(folders) == 2 or not source.files(*TABLES)):
                listed = (
                    f"those of the images are {', '.join(folders[:FOLDERS_NAMED])}" if folders else "there are none"
                )
                return None if len(folders) == 2 else Refusal(f"--target {source.target} needs two folders; {listed}")
            share_words = f" ({share:.0%} of them do)" if share else ""
            if len(folders) == 2:
                share_words += f"; call {' and '.join(folders)} so, or classify what they are with --target NAME"
            return Refusal(f"images do not lie in folders called female, male, women, men …{share_words}")
        if gender[gender != ""].nunique() < 2 and len(SPLIT_WORDS.keys() & _folders(path)) == 0 and _short(path):
            return Refusal("only one folder is called by a gender, by a single letter")
        return None

    def read(self, source: Source, labels: Path | None = None) -> Reading:
        log = ReadLog()
        images = image_table(source)
        faces = images.join(placed(images["path"]))
        labelled = faces["gender"].notna() & (faces["gender"] != "")
        by_target = source.target is not None and labelled.mean() < RECOGNISED_SHARE
        label_columns = [("gender", "in no folder called female, male, women, men …", "its folders name both genders")]
        if by_target:
            column = OWN + plain(source.target)
            faces = faces.drop(columns="gender").assign(**{column: yes_or_no(_class_of(faces["path"]), source.target)})
            label_columns = [(column, "in the folder of no class", "")]
        for column, none, both in (*label_columns, ("split", "", "its folders name more than one split")):
            bad = faces[column] == ""
            log.reject(faces.loc[bad, "path"], both)
            faces = faces[~bad]
            if none:
                bad = faces[column].isna()
                log.reject(faces.loc[bad, "path"], none)
                faces = faces[~bad]
        if not by_target:
            _tell_unused(faces["path"], log)
        if faces["split"].isna().all():
            faces = faces.drop(columns="split")
        elif faces["split"].isna().any():
            bad = faces["split"].isna()
            log.reject(faces.loc[bad, "path"], "in no folder of a split, where others are: train, val or test")
            faces = faces[~bad]
        above = len(_shared(images["path"]))
        whole = faces["path"].str.slice(above)
        name = whole.str.replace(f"(?i){IMAGE_SUFFIX}", "", regex=True)
        # `1.jpg` and `1.png` beside each other are two images.
        name = name.mask(name.duplicated(keep=False), whole)
        return log.reading(faces.assign(face_id=name))


def _tell_unused(path: pd.Series, log: ReadLog) -> None:
    """Name the folders that tell faces apart and are neither gender nor split, where they are few enough for groups."""
    folders = path.str.slice(len(_shared(path))).str.rpartition("/")[0] if len(path) else path
    words = GENDER_WORDS.keys() | SPLIT_WORDS.keys()
    parts = {part for folder in folders.unique() for part in folder.split("/")}
    names = sorted(part for part in parts if part and part.strip().lower() not in words)
    if 2 <= len(names) <= MOST_LEVELS:
        listed = ", ".join(names[:FOLDERS_NAMED]) + (", …" if len(names) > FOLDERS_NAMED else "")
        log.remark(f"folders {listed} are not used: a manifest.csv with a column for them groups faces by them")


def yes_or_no(folder: pd.Series, target: str) -> pd.Series:
    """Yes and no where the two folders are called as the target is and as what is not it; else their names."""
    meaning = {}
    for name in folder.dropna().unique():
        without = re.sub(NEGATION, "", loose(name))
        if without == loose(target):
            meaning[name] = "yes" if loose(name) == without else "no"
    return folder.map(meaning).astype("str") if set(meaning.values()) == {"yes", "no"} else folder


def _class_of(path: pd.Series) -> pd.Series:
    """The first folder of each path that tells images apart and names no split; NA of an image in none."""
    above = len(_shared(path))
    folders = path.str.slice(above).str.rpartition("/")[0]
    class_of = {}
    for folder in folders.unique():
        parts = [part for part in folder.split("/") if part and part.strip().lower() not in SPLIT_WORDS]
        class_of[folder] = plain(parts[0]) if parts else None
    return folders.map(class_of).astype("str")


def placed(path: pd.Series) -> pd.DataFrame:
    """`gender` and `split` that a path's folders name: NA where none does, empty where they name more than one."""
    folders = path.str.replace(r"^(?:\./)+", "", regex=True).str.rpartition("/")[0].str.lower().str.normalize("NFC")
    meaning = {folder: (_named(folder, GENDER_WORDS), _named(folder, SPLIT_WORDS)) for folder in folders.unique()}
    table = pd.DataFrame(
        {column: folders.map({f: k[n] for f, k in meaning.items()}) for n, column in enumerate(("gender", "split"))},
        index=path.index,
    )
    return table.astype("str")


def _named(folder: str, words: dict[str, str]) -> str | None:
    meanings = {words[part.strip()] for part in folder.split("/") if part.strip() in words}
    return None if not meanings else meanings.pop() if len(meanings) == 1 else ""


def _folders(path: pd.Series) -> set[str]:
    return {part for folder in path.str.rpartition("/")[0].str.lower().unique() for part in folder.split("/")}


def _short(path: pd.Series) -> bool:
    """Whether the only folders called by a gender are F or M, as the shelves of an alphabet are."""
    return not (GENDER_WORDS.keys() - {"f", "m"}) & _folders(path)


def _shared(path: pd.Series) -> str:
    """The folders that all paths begin with, up to the first that says something."""
    shared = path.iloc[0].rpartition("/")[0].split("/")
    for folder in path.str.rpartition("/")[0].unique():
        parts = folder.split("/")
        shared = shared[: next((n for n, (a, b) in enumerate(zip(shared, parts, strict=False)) if a != b), len(parts))]
    label_depths = [n for n, part in enumerate(shared) if part.lower() in GENDER_WORDS or part.lower() in SPLIT_WORDS]
    shared = shared[: label_depths[0]] if label_depths else shared
    return "".join(f"{part}/" for part in shared if part)
