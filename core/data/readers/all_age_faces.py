"""All-Age-Faces: `NNNNNAYY.jpg`, NNNNN the number of the face and YY its age, with lists in `image sets/`.

`image sets/train.txt` and `val.txt` name an image and its gender (0 female, 1 male) a line, and are the splits. Numbers
0 to 7380 are women, the others men; where a list says otherwise that is told, and the list counts. Without lists the
number counts. Mostly Asian faces; no ethnicity and no identity is recorded. Cheng et al. 2019.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.data.readers.base import Reader, Reading, Refusal
from core.data.readers.label_table import read_table
from core.data.readers.labels import SPLIT_WORDS, find_files, image_table, known, years
from core.data.readers.read_log import ReadLog
from core.data.sources.base import Source

NAME = r"(?i)^(?P<number>\d{5})A(?P<years>\d{2})$"
LISTS = r"image ?sets/(?P<split>train|val|test)\.txt"
GENDER = {"0": "female", "1": "male"}
LAST_WOMAN = 7380
RECOGNISED_SHARE = 0.5


class AllAgeFaces(Reader):
    name = "all-age-faces"
    title = "All-Age-Faces"
    expects = "images named 00001A02.jpg, with image sets/train.txt and val.txt if at hand"

    def why_not(self, source: Source) -> Refusal | None:
        stem = image_table(source)["stem"]
        if not stem.empty and stem.str.match(NAME).mean() >= RECOGNISED_SHARE:
            return None
        return Refusal("images are not named 00001A02.jpg")

    def read(self, source: Source, labels: Path | None = None) -> Reading:
        """Raises `LookwhereError` where a list cannot be read."""
        log = ReadLog()
        images = image_table(source)
        images = images.join(images["stem"].str.extract(NAME))
        unnumbered = images["number"].isna()
        log.reject(images.loc[unnumbered, "path"], "not named 00001A02.jpg")
        # Of the images at hand as photographed and as aligned crops, those as photographed.
        faces = images[~unnumbered].assign(
            crop=lambda t: t["path"].str.contains(r"(?i)(?:^|/)a[gl]*igned|(?:^|/)aglined")
        )
        faces = faces.sort_values("crop", kind="stable")
        crops = faces["stem"].str.lower().duplicated()
        log.reject(faces.loc[crops, "path"], "same name as another image")
        faces = faces[~crops]
        by_number = (pd.to_numeric(faces["number"]) <= LAST_WOMAN).map({True: "female", False: "male"})
        faces = faces.assign(face_id=faces["stem"], age=years(faces["years"]), gender=by_number)
        listed = _lists(source, log)
        if listed.empty:
            log.remark("no image sets/train.txt or val.txt: genders are those of the numbers, women up to 07380")
            return log.reading(faces)
        faces = faces.merge(
            listed, left_on=faces["stem"].str.lower(), right_on="key", how="left", validate="many_to_one"
        )
        absent = int((~listed["key"].isin(faces["key"])).sum())
        if absent:
            log.remark(f"image sets: {absent:,} of {len(listed):,} listed images are not here")
        lacking = faces["split"].isna()
        log.reject(faces.loc[lacking, "path"], "in no list of image sets")
        faces = known(faces[~lacking], "listed", GENDER, log, "write 0 for female or 1 for male")
        differ = faces["listed"] != faces["gender"]
        log.disagree(
            faces.loc[differ, "path"],
            "gender: list " + faces["listed"][differ] + ", number " + faces["gender"][differ] + "; the list counts",
        )
        return log.reading(faces.assign(gender=faces["listed"]))


def _lists(source: Source, log: ReadLog) -> pd.DataFrame:
    """`key` (the stem in lower case), `listed` (0 or 1 as written) and `split`, a row an image that is listed."""
    parts = [pd.DataFrame({"key": [], "listed": [], "split": []}, dtype="str")]
    for file in (name for name in find_files(source, r"(?:train|val|test)\.txt") if "image" in name.lower()):
        data = b"name listed\n" + source.read(file)
        table = read_table(data, file, {"name": (), "listed": ()}, log, spaced=True)
        split = SPLIT_WORDS[file.lower().rpartition("/")[2].partition(".")[0]]
        key = table["name"].str.replace(r"^.*/|\.[^.]*$", "", regex=True).str.lower()
        parts.append(pd.DataFrame({"key": key, "listed": table["listed"], "split": split}))
    listed = pd.concat(parts, ignore_index=True)
    again = listed["key"].duplicated()
    log.disagree(listed.loc[again, "key"], "in more than one list of image sets, or twice in one; the first counts")
    return listed[~again]
