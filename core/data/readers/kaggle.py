"""Kaggle's «Gender Classification Dataset»: `{Training,Validation}/{female,male}/*.jpg`; folders are the labels.

Tight crops of varying size, no ethnicity and no age. Many images are CelebA's: do not test on one what was trained on
the other.
"""

from __future__ import annotations

from pathlib import Path

from core.data.readers.base import Reader, Reading, Refusal
from core.data.readers.labels import image_table
from core.data.readers.read_log import ReadLog
from core.data.sources.base import Source

SPLIT = {"training": "train", "validation": "val"}
FOLDERS = r"(?i)^(?:.*/)?(?P<part>training|validation)/(?P<gender>female|male)/[^/]+$"
RECOGNISED_SHARE = 0.5


class KaggleGender(Reader):
    name = "kaggle-gender"
    title = "Kaggle Gender Classification Dataset"
    expects = "Training and Validation, each with the folders female and male"

    def why_not(self, source: Source) -> Refusal | None:
        path = image_table(source)["path"]
        if path.empty:
            return Refusal("no image in it")
        if path.str.match(FOLDERS).mean() >= RECOGNISED_SHARE:
            return None
        return Refusal("images do not lie in Training|Validation/female|male")

    def read(self, source: Source, labels: Path | None = None) -> Reading:
        notes = ReadLog()
        images = image_table(source)
        faces = images.join(images["path"].str.extract(FOLDERS))
        unplaced = faces["part"].isna()
        notes.reject(faces.loc[unplaced, "path"], "not in Training|Validation/female|male")
        faces = faces[~unplaced]
        part, gender = faces["part"].str.lower(), faces["gender"].str.lower()
        return notes.reading(
            faces.assign(face_id=part + "-" + gender + "-" + faces["stem"], gender=gender, split=part.map(SPLIT))
        )
