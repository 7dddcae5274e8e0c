"""FairFace: `fairface_label_{train,val}.csv` beside `{train,val}/N.jpg`, in either margin.

Ages are given as ranges: `age` holds the lower bound of the range (0, 3, 10, 20 … 60, 70), so it is not a person's age,
and means of it are too low. A range that a spreadsheet made into a date («3-Sep», «2019-10-01») is repaired where only
one of the ranges can have become that date, and the row is rejected otherwise.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.data.readers.ages import band_of_date
from core.data.readers.base import Reader, Reading, Refusal
from core.data.readers.label_table import Columns, columns_of, read_table
from core.data.readers.labels import GENDER_WORDS, find_files, image_table, join_images, known, mapped
from core.data.readers.read_log import ReadLog
from core.data.sources.base import Source

RACE = {
    name.lower(): name
    for name in ("Black", "East Asian", "Indian", "Latino or Hispanic", "Middle Eastern", "Southeast Asian", "White")
} | {"latino hispanic": "Latino or Hispanic"}
BANDS = {f"{low}-{low + 9}": low for low in range(10, 70, 10)} | {"0-2": 0, "3-9": 3, "more than 70": 70, "70+": 70}
CSV = r"fairface_label_(train|val)\.csv"
COLUMNS: Columns = {"file": (), "age": (), "gender": (), "race": ("race7",)}
PLACE = r"(?i)^(?:.*/)?(?P<split>train|val)/[^/]+$"


class FairFace(Reader):
    name = "fairface"
    title = "FairFace (either margin)"
    expects = "fairface_label_train.csv, fairface_label_val.csv and {train,val}/N.jpg"

    def why_not(self, source: Source) -> Refusal | None:
        fits = image_table(source)["path"].str.match(PLACE)
        csvs = find_files(source, CSV)
        if not csvs:
            if any("fairface" in name.lower() for name in (source.path.name, *source.images()[:1])) and fits.any():
                return Refusal("fairface_label_train.csv and fairface_label_val.csv are missing", "FairFace")
            return Refusal("no fairface_label_train.csv in it")
        for csv in csvs:
            there = columns_of(source, csv, COLUMNS)
            missing = [column for column in COLUMNS if column not in there]
            if missing:
                return Refusal(f"column {', '.join(missing)} is missing in {csv}", "FairFace")
        return None if fits.any() else Refusal("there is no image in train/ or val/", "FairFace")

    def read(self, source: Source, labels: Path | None = None) -> Reading:
        notes = ReadLog()
        tables = []
        for csv in find_files(source, CSV):
            table = read_table(source.read(csv), csv, COLUMNS, notes, own=True)
            lacking = [column for column in COLUMNS if column not in table]
            tables.append(
                table.assign(**dict.fromkeys(lacking, pd.NA), csv=csv.rsplit("/", 1)[-1], line=table.index + 2)
            )
        rows = pd.concat(tables, ignore_index=True)
        nameless = rows["file"].isna()
        notes.reject(rows.loc[nameless, "csv"] + ", row " + rows.loc[nameless, "line"].astype("str"), "names no file")
        rows = rows[~nameless].assign(name=lambda t: t["file"], key=lambda t: _key(t["file"]))
        images = image_table(source)
        fits = images["path"].str.match(PLACE)
        notes.reject(images.loc[~fits, "path"], "not in train/ or val/")
        images = _widest(images[fits].assign(key=lambda t: _key(t["path"])), notes)
        faces = join_images(rows, images, notes, "the label CSVs")
        faces = known(faces, "gender", GENDER_WORDS, notes)
        faces = _aged(faces, notes)
        race = mapped(faces["race"].str.replace(r"\s*[-_/ ]\s*", " ", regex=True).str.lower(), RACE)
        strange = race.isna()
        notes.repair(faces.loc[strange, "path"], "race is none of FairFace's seven: not recorded")
        split = faces["key"].str.replace(r"/.*$", "", regex=True)
        list_name = faces["csv"].str.lower().str.extract(CSV)[0]
        differ = split != list_name
        notes.disagree(faces.loc[differ, "path"], "split: folder and name of the CSV differ; the folder's counts")
        face_id = faces["key"].str.replace("/", "-")
        return notes.reading(faces.assign(face_id=face_id, ethnicity=race, split=split))


def _key(path: pd.Series) -> pd.Series:
    """`train/1` of any path that ends in `train/1.jpg`."""
    return path.str.replace("\\", "/").str.lower().str.extract(r"^(?:.*/)?([^/]+/[^/]+)\.[^/.]+$")[0]


def _widest(images: pd.DataFrame, notes: ReadLog) -> pd.DataFrame:
    """Of images at hand in both margins, those of the wide one."""
    narrow = images["path"].str.contains("margin025")
    spare = narrow & images["key"].isin(images.loc[~narrow, "key"])
    notes.reject(images.loc[spare, "path"], "at hand with the wider margin too")
    return images[~spare]


def _aged(faces: pd.DataFrame, notes: ReadLog) -> pd.DataFrame:
    """Faces with the lower bound of their range as `age`; a row whose range cannot be read is rejected."""
    age_words = faces["age"].str.lower().str.replace("–", "-")
    age = age_words.map(BANDS)
    dates = {word: band_of_date(word) for word in age_words[age.isna()].dropna().unique()}
    band = mapped(age_words, dates)
    dated = band.notna()
    notes.repair(
        faces.loc[dated, "path"],
        "age " + faces["age"][dated] + " read as " + band[dated] + ", made a date by a spreadsheet",
    )
    age = age.fillna(band.map(BANDS))
    bad = age.isna()
    accepted = f"write one of {', '.join(BANDS)}"
    words = "age range " + faces["age"][bad] + f" is not known; {accepted}"
    notes.reject(faces.loc[bad, "path"], words.fillna("no age range"))
    notes.remark("ages are ranges: the lower bound is kept")
    return faces.assign(age=age)[~bad].reset_index(drop=True)
