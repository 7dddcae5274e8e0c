"""MORPH-II, in the three editions that are about.

- CSV and images: `morph_2008_nonCommercial.csv` with `Album2/`, flat or nested. The CSV's gender, race and age count;
  where a file name says otherwise it is listed, as are people with two genders, races or birth dates.
- Folders `AA_M`, `AA_F`, `C_M`, `C_F`: the folder's gender and race count, age and person are in the file name.
- Kaggle: `Images/{Train,Validation,Test}/00013_00M19.JPG`. Everything is in the file name, as the age in its CSVs is
  scaled; no race. Its splits count, and people in more than one are listed.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.data.readers.base import Reader, Reading, Refusal
from core.data.readers.label_table import Columns, columns_of, read_table
from core.data.readers.labels import GENDER_WORDS, find_files, image_table, join_images, known, mapped, years
from core.data.readers.read_log import ReadLog
from core.data.sources.base import Source

GENDER = {"m": "male", "f": "female"}
RACE = {"B": "African-American", "W": "Caucasian", "H": "Hispanic", "A": "Asian", "O": "Other"}
FOLDER_RACE = {"aa": "African-American", "c": "Caucasian"}
SPLIT = {"train": "train", "validation": "val", "test": "test"}
COLUMNS = ("id_num", "race", "gender", "photo")
#: What else its CSV says of a face; both are empty in most copies.
OWN_COLUMNS = ("facial_hair", "glasses")
USES: Columns = dict.fromkeys((*COLUMNS, "age", "dob"), ())
NAME = r"(?i)^(?P<number>\d{5,6})_\d{1,2}(?P<sex>[MF])(?P<years>\d{2,3})$"
CSV = r"morph[^/]*\.csv"
FOLDERS = r"(?i)^(?:.*/)?(?P<race>AA|C)_(?P<gender>[MF])/[^/]+$"
KAGGLE = r"(?i)^(?:.*/)?Images/(?P<split>Train|Validation|Test)/\d{5,6}_\d{1,2}[MF]\d{2,3}\.[^/]+$"
RECOGNISED_SHARE = 0.5


class Morph(Reader):
    name = "morph"
    title = "MORPH-II (CSV and Album2, folders AA_M … C_F, or Kaggle's Dataset/Images)"
    expects = "morph_2008_nonCommercial.csv and Album2/, or AA_M, AA_F, C_M, C_F, or Images/{Train,Validation,Test}"

    def why_not(self, source: Source) -> Refusal | None:
        images = image_table(source)
        csvs = find_files(source, CSV)
        missing = [sorted(set(COLUMNS) - set(columns_of(source, csv, USES))) for csv in csvs]
        if [] in missing:
            return Refusal("there is no image beside its CSV", "MORPH") if images.empty else None
        if csvs:
            return Refusal(f"column {', '.join(missing[0])} is missing in {csvs[0]}", "MORPH")
        if images.empty:
            return Refusal("no image in it")
        if max(images["path"].str.match(layout).mean() for layout in (FOLDERS, KAGGLE)) >= RECOGNISED_SHARE:
            return None
        if images["stem"].str.match(NAME).mean() >= RECOGNISED_SHARE:
            return Refusal("its CSV (morph_2008_nonCommercial.csv) is missing", "MORPH")
        return Refusal("neither a MORPH CSV nor images named 012345_00M19.JPG in its folders")

    def read(self, source: Source, labels: Path | None = None) -> Reading:
        notes = ReadLog()
        images = image_table(source)
        images = images.join(images["stem"].str.extract(NAME))
        for csv in find_files(source, CSV):
            if set(COLUMNS) <= set(columns_of(source, csv, USES)):
                return notes.reading(_from_csv(_table(source, csv, notes), images, notes, csv))
        return notes.reading(_from_folders(images, notes))


def _table(source: Source, csv: str, notes: ReadLog) -> pd.DataFrame:
    return read_table(source.read(csv), csv, USES, notes, own=OWN_COLUMNS)


def _from_csv(table: pd.DataFrame, images: pd.DataFrame, notes: ReadLog, csv: str) -> pd.DataFrame:
    notes.reject(f"{csv}, row " + (table.index[table["photo"].isna()] + 2).astype("str"), "names no photo")
    rows = table[table["photo"].notna()]
    stem = rows["photo"].str.replace(r"^.*[/\\]", "", regex=True).str.replace(r"\.[^.]*$", "", regex=True)
    rows = rows.assign(key=stem.str.lower(), name=rows["photo"])
    faces = join_images(rows, images.assign(key=images["stem"].str.lower()), notes, csv)
    faces = faces.merge(images[["path", "stem", "number", "sex", "years"]], on="path", validate="one_to_one")
    faces = known(faces, "gender", GENDER_WORDS, notes, "write m or f")
    identity = pd.to_numeric(faces["id_num"], errors="coerce").astype("Int64")
    notes.reject(faces.loc[identity.isna(), "path"], "id_num is no number")
    faces, identity = faces[identity.notna()].reset_index(drop=True), identity.dropna().reset_index(drop=True)
    race = mapped(faces["race"].str.upper(), RACE)
    notes.repair(faces.loc[race.isna(), "path"], "race is none of B, W, H, A, O: not recorded")
    age_by_name, age = years(faces["years"]), years(faces["age"]) if "age" in faces else years(faces["years"])
    notes.repair(faces.loc[age.isna() & age_by_name.notna(), "path"], "age taken from the file name")
    faces = faces.assign(
        face_id=faces["stem"], identity=identity.astype("string"), ethnicity=race, age=age.fillna(age_by_name)
    )
    sex = mapped(faces["sex"].str.lower(), GENDER)
    differs = sex.notna() & (sex != faces["gender"])
    notes.disagree(
        faces.loc[differs, "path"],
        "gender: CSV " + faces["gender"][differs] + ", file name " + sex[differs] + "; the CSV's counts",
    )
    for word, csv_says, name_says in (
        ("id_num", identity, pd.to_numeric(faces["number"]).astype("Int64")),
        ("age", age, age_by_name),
    ):
        differ = (csv_says != name_says).fillna(False)
        notes.disagree(faces.loc[differ, "path"], f"{word}: CSV and file name differ; the CSV's counts")
    notes.people(faces, "gender", "person of more than one gender")
    notes.people(faces, "ethnicity", "person of more than one race")
    if "dob" in faces:
        day = pd.to_datetime(faces["dob"], format="%m/%d/%Y", errors="coerce").dt.strftime("%Y-%m-%d").astype("str")
        notes.people(faces.assign(dob=day.fillna(faces["dob"])), "dob", "person of more than one birth date")
    return faces


def _from_folders(images: pd.DataFrame, notes: ReadLog) -> pd.DataFrame:
    by_race, by_split = images["path"].str.extract(FOLDERS), images["path"].str.extract(KAGGLE)
    raced = bool(by_race["race"].count() >= by_split["split"].count())
    faces = images.join(by_race if raced else by_split)
    in_folder, by_name = faces["race" if raced else "split"].notna(), faces["number"].notna()
    notes.reject(faces.loc[~in_folder, "path"], "in none of the folders that give a label")
    notes.reject(faces.loc[in_folder & ~by_name, "path"], "name lacks a label field")
    faces = faces[in_folder & by_name].reset_index(drop=True)
    sex = mapped(faces["sex"].str.lower(), GENDER)
    faces = faces.assign(
        face_id=faces["stem"], identity=pd.to_numeric(faces["number"]).astype("string"), age=years(faces["years"])
    )
    if not raced:
        faces = faces.assign(gender=sex, split=mapped(faces["split"].str.lower(), SPLIT))
        notes.people(faces, "split", "person in more than one split")
    else:
        faces = faces.assign(
            gender=mapped(faces["gender"].str.lower(), GENDER),
            ethnicity=mapped(faces["race"].str.lower(), FOLDER_RACE),
        )
        differs = sex != faces["gender"]
        notes.disagree(
            faces.loc[differs, "path"],
            "gender: folder " + faces["gender"][differs] + ", file name " + sex[differs] + "; the folder's counts",
        )
        notes.people(faces, "ethnicity", "person of more than one race")
    notes.people(faces, "gender", "person of more than one gender")
    return faces
