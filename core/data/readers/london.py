"""Face Research Lab London Set: `001_03.jpg`, and `london_info.csv` with what the people said of themselves.

The first three digits of a name are the person. Age, gender and ethnicity are self-reported. Several folders are poses
of the same people, who stay together. CC BY 4.0, DeBruine and Jones 2017 (https://doi.org/10.6084/m9.figshare.5047666).
"""

from __future__ import annotations

from pathlib import Path

from core.data.readers.ages import with_ages
from core.data.readers.base import Reader, Reading, Refusal
from core.data.readers.label_table import Columns, columns_of, read_table
from core.data.readers.labels import ALL_GENDER_WORDS, find_files, image_table, known
from core.data.readers.read_log import ReadLog
from core.data.sources.base import Source

CSV = r"london(?:_faces)?_info\.csv"
USES: Columns = {"face_id": (), "face_age": (), "face_gender": ("face_sex",), "face_eth": ()}
OURS = {"face_id": "person", "face_age": "age", "face_gender": "gender", "face_eth": "ethnicity"}
NAME = r"^(?P<person>\d{3})_\d{2}$"


class London(Reader):
    name = "london"
    title = "Face Research Lab London Set"
    expects = "london_info.csv and images named 001_03.jpg"

    def why_not(self, source: Source) -> Refusal | None:
        stem = image_table(source)["stem"]
        fits = not stem.empty and bool(stem.str.match(NAME).any())
        files = find_files(source, CSV)
        if not files:
            looks = "the London set" if not stem.empty and stem.str.match(NAME).mean() > 0.5 else ""
            return Refusal("london_info.csv is missing" if looks else "no london_info.csv in it", looks)
        missing = [column for column in ("face_id", "face_gender") if column not in columns_of(source, files[0], USES)]
        if missing:
            return Refusal(f"column {', '.join(missing)} is missing in {files[0]}", "the London set")
        return None if fits else Refusal("there is no image named 001_03.jpg in it", "the London set")

    def read(self, source: Source, labels: Path | None = None) -> Reading:
        """Raises `LookwhereError` where the CSV cannot be read, or names a person twice."""
        log = ReadLog()
        file = find_files(source, CSV)[0]
        people = read_table(source.read(file), file, USES, log, own=True).rename(columns=OURS)
        # The published table has an X before the number, and a spreadsheet takes the zeros from 001.
        number = people["person"].str.replace(r"^[Xx]|\.0$", "", regex=True)
        people = people.assign(person=number.str.zfill(3))
        again = people["person"].duplicated()
        log.disagree(people.loc[again, "person"], f"second row in {file}; the first counts")
        images = image_table(source)
        images = images.join(images["stem"].str.extract(NAME))
        unnumbered = images["person"].isna()
        log.reject(images.loc[unnumbered, "path"], "not named 001_03.jpg")
        faces = images[~unnumbered].merge(people[~again].assign(row=1), on="person", how="left", validate="many_to_one")
        lacking = faces["row"].isna()
        log.reject(faces.loc[lacking, "path"], f"person not in {file}")
        faces = known(faces[~lacking], "gender", ALL_GENDER_WORDS, log)
        if "age" in faces:
            faces = with_ages(faces, log)
        if "ethnicity" in faces:
            words = faces["ethnicity"].str.replace("/", " and ").str.replace("_", " ").str.title()
            faces = faces.assign(ethnicity=words.str.replace(" And ", " and "))
        return log.reading(faces.assign(face_id=faces["stem"], identity=faces["person"]))
