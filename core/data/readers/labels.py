"""What readers of labels share: the words for them, lists of images and files, and the join of the two."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from core.data.faces import SPLITS
from core.data.otherwise import OTHER_WORDS
from core.data.readers.read_log import ReadLog
from core.data.sources.base import IMAGE_SUFFIXES, Source
from core.data.sources.shards import WORDS
from core.task import GENDERS

ENGLISH_GENDER_WORDS = {
    **dict.fromkeys(("female", "females", "f", "woman", "women", "girl", "girls"), "female"),
    **dict.fromkeys(("male", "males", "m", "man", "men", "boy", "boys"), "male"),
}
#: Words of other languages that mean one class alone, without single letters: `M` is mujer to some and male to others.
WORDS_ABROAD = {
    "female": (
        "mujer mujeres femenino femenina femme femmes féminin feminin frau frauen weiblich donna donne femmina femmine "
        "mulher mulheres feminino feminina vrouw vrouwen kvinna kvinnor kvinne kvinner kvinde kvinder kobieta kobiety "
        "kadın kadin женщина женщины женский 女 女性 女人 女生 여자 여성 امرأة نساء महिला"
    ),
    "male": (
        "hombre hombres masculino homme hommes masculin mann männer maenner männlich uomo uomini maschio maschi homem "
        "homens man mannen män menn mænd mężczyzna mężczyźni erkek мужчина мужчины мужской 男 男性 男人 男生 남자 남성 "
        "رجل رجال पुरुष"
    ),
}
GENDER_WORDS = ENGLISH_GENDER_WORDS | {word: gender for gender, words in WORDS_ABROAD.items() for word in words.split()}
#: Those and the labels beyond the two classes that faces are kept apart with.
ALL_GENDER_WORDS = GENDER_WORDS | OTHER_WORDS
#: `training`, `test_set` and `val_images` are splits as they are called in folders and tables. What `dev`, `eval` or
#: `holdout` is, to choose by or to test on, differs from one data set to the next.
SPLIT_WORDS = {
    word + ending: split
    for word, split in WORDS.items()
    if word not in ("dev", "eval", "evaluation")
    for ending in ("", "_set", "-set", " set", "set", "_images")
}
_SUFFIXES = "|".join(suffix.removeprefix(".") for suffix in IMAGE_SUFFIXES)
#: `112944.jpg.jpg` and `1.JPG` end so.
IMAGE_SUFFIX = rf"(?:\.(?:{_SUFFIXES}))+$"


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


def join_images(
    rows: pd.DataFrame, images: pd.DataFrame, notes: ReadLog, origin: str, hints: bool = False
) -> pd.DataFrame:
    """Rows of `origin` with the `path` of their image, joined by `key`; `rows` has a `name` for what is missing.

    Rejected: an image's second row, all rows of an image that call it by several genders, a second image of one key, a
    row without an image (with `hints` it is said where one of this name lies), an image without a row. Where an image's
    second row says otherwise in another column, that is a disagreement.
    """
    listed = rows["key"]
    contradicted = rows_differ(rows, "gender" if "gender" in rows else "male")
    notes.reject(rows.loc[contradicted, "name"], f"rows of {origin} name several genders for this image")
    rows = rows[~contradicted]
    again = rows["key"].duplicated()
    notes.reject(rows.loc[again, "name"], f"second row for one image in {origin}")
    for column in [column for column in ("ethnicity", "race", "age", "identity", "split") if column in rows]:
        differ = again & rows_differ(rows, column)
        notes.disagree(rows.loc[differ, "name"], f"{column}: rows of {origin} for this image differ; the first counts")
    twice = images["key"].duplicated()
    notes.reject(images.loc[twice, "path"], "same name as another image")
    faces = rows[~again].merge(images.loc[~twice, ["key", "path"]], on="key", how="left")
    missing = faces["path"].isna()
    words = _elsewhere(faces.loc[missing, "key"], images) if hints else ""
    notes.reject(faces.loc[missing, "name"], f"in {origin}, but the image is missing" + words)
    unlabelled = ~images["key"].isin(listed)
    notes.reject_unlisted(images.loc[unlabelled & ~twice, "path"], origin)
    return faces[~missing].reset_index(drop=True)


def rows_differ(rows: pd.DataFrame, column: str) -> pd.Series:
    """Bool, a row of `rows`: whether the rows of its `key` have several values in `column`, whatever their spelling."""
    repeated = rows["key"].duplicated(keep=False)
    if column not in rows or not repeated.any():
        return pd.Series(False, index=rows.index)
    words = rows.loc[repeated, column].str.strip().str.lower()
    values = words.map(lambda word: ALL_GENDER_WORDS.get(word, word), na_action="ignore")
    counts = values.groupby(rows.loc[repeated, "key"]).transform("nunique")
    return (counts > 1).reindex(rows.index, fill_value=False)


def _elsewhere(keys: pd.Series, images: pd.DataFrame) -> pd.Series:
    """For keys without an image, where one of this name lies, or with what suffix; nothing where there is none."""
    keys = keys.astype("str")
    if keys.empty:
        return keys
    folder, name = (images["key"].str.rpartition("/")[n] for n in (0, 2))
    folders = dict(zip(name.str.lower(), folder, strict=True))
    stem, suffix = (images["key"].str.rpartition(".")[n] for n in (0, 2))
    suffixes = dict(zip(stem.str.lower(), suffix, strict=True))

    def hint(key: str) -> str:
        last, stem = key.rpartition("/")[2].lower(), re.sub(r"\.\w+$", "", key.lower())
        if last in folders:
            return f"; one of this name lies in {folders[last] or 'the top folder'}/"
        suffix_there = suffixes.get(key.lower(), suffixes.get(stem))
        return f"; there is one with the suffix .{suffix_there}" if suffix_there else ""

    return keys.map(hint).astype("str")


def mapped(values: pd.Series, names: dict[str, object]) -> pd.Series:
    """As `map`, but a column of strings even where none is among `names`."""
    return values.map(names).astype("str")


def known(
    faces: pd.DataFrame, column: str, names: Mapping[str, str], notes: ReadLog, accepted: str | None = None
) -> pd.DataFrame:
    """Faces with `column` in our words; those whose value is not among `names` are rejected, the value named.

    `accepted` says what to write instead, by default the words for genders or splits.
    """
    spelt = faces[column].str.lower().str.normalize("NFC")
    translated = mapped(spelt, names)
    accepted = accepted or f"write {_listed(names)}"
    beside = sorted({"h", "v"} & set(spelt.dropna())) if column == "gender" and not (spelt == "f").any() else []
    if beside:
        # Spanish and Portuguese tables have hombre, varón or homem, and mujer or mulher.
        women = spelt == "m"
        reason = (
            f"gender 'M' stands beside '{beside[0].upper()}', where it may mean mujer or mulher, a woman; {accepted}"
        )
        notes.reject(faces.loc[women, "path"], reason)
        faces, translated = faces[~women], translated[~women]
    bad = translated.isna()
    words = faces.loc[bad, column].map(lambda value: f"{column} {value!r} is not known; {accepted}", na_action="ignore")
    notes.reject(faces.loc[bad, "path"], words.astype("str").fillna(f"no {column}"))
    return faces.assign(**{column: translated})[~bad].reset_index(drop=True)


def _listed(names: Mapping[str, str]) -> str:
    """The words to write: ours where the table's may be ours, else those of the data set."""
    ours = [word for word in (*GENDERS, *SPLITS) if names.get(word) == word]
    words = ours or list(names)
    return f"{', '.join(words[:-1])} or {words[-1]}"


def years(age: pd.Series) -> pd.Series:
    """Whole years, Int16; NA for what is no number from 0 to 130."""
    number = pd.to_numeric(age, errors="coerce").astype("Float64")
    return number.where(number.between(0, 130)).floordiv(1).astype("Int16")
