"""LFW (Labeled Faces in the Wild) with its two lists of images by gender.

`female_names.txt` and `male_names.txt` name an image a line, `Aaron_Eckhart_0001.jpg`; the images lie flat or in a
folder a person. A name that both lists have, or neither has, is told and left out. The person is the name without its
number. No ethnicity, no age. Huang et al. 2007.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.data.readers.base import Reader, Reading, Refusal
from core.data.readers.label_table import lines_of, text
from core.data.readers.labels import IMAGE_SUFFIX, find_files, image_table
from core.data.readers.read_log import ReadLog
from core.data.readers.spelling import folded
from core.data.sources.base import Source

LISTS = {"female": r"female[_ -]?names\.txt", "male": r"male[_ -]?names\.txt"}
NAME = r"^(?P<person>.+)_\d{4}$"
RECOGNISED_SHARE = 0.5


class LFW(Reader):
    name = "lfw"
    title = "LFW, Labeled Faces in the Wild"
    expects = "images named Aaron_Eckhart_0001.jpg, with female_names.txt and male_names.txt"

    def why_not(self, source: Source) -> Refusal | None:
        stem = image_table(source)["stem"]
        fits = not stem.empty and stem.str.match(NAME).mean() >= RECOGNISED_SHARE
        missing = [pattern for pattern in LISTS.values() if not find_files(source, pattern)]
        if not missing:
            return None if fits else Refusal("its images are not named Aaron_Eckhart_0001.jpg", "LFW")
        if fits and stem.str.match(r"^[^\d]+_\d{4}$").mean() >= RECOGNISED_SHARE:
            return Refusal(
                "female_names.txt and male_names.txt are missing; or give a CSV of identity,gender: "
                "--dataset vggface2 --labels",
                "LFW",
            )
        return Refusal("no female_names.txt and male_names.txt in it")

    def read(self, source: Source, labels: Path | None = None) -> Reading:
        """Raises `LookwhereError` where a list is no text."""
        log = ReadLog()
        images = image_table(source).assign(key=lambda t: t["stem"].map(folded))
        listed = {gender: _list(source, find_files(source, pattern)[0], log) for gender, pattern in LISTS.items()}
        inside = pd.DataFrame({gender: images["key"].isin(names) for gender, names in listed.items()})
        both, neither = inside.all(axis=1), ~inside.any(axis=1)
        log.reject(images.loc[both, "path"], "named in both female_names.txt and male_names.txt")
        log.reject(images.loc[neither, "path"], "named in neither female_names.txt nor male_names.txt")
        for gender, names in listed.items():
            if absent := len(names - set(images["key"])):
                log.remark(f"{gender}_names.txt: {absent:,} of its {len(names):,} names have no image here")
        faces = images[~both & ~neither]
        return log.reading(
            faces.assign(
                face_id=faces["stem"],
                gender=inside.loc[faces.index, "female"].map({True: "female", False: "male"}),
                identity=faces["stem"].str.extract(NAME)["person"],
            )
        )


def _list(source: Source, file: str, log: ReadLog) -> set[str]:
    """Names of images without their suffix, in one spelling."""
    names = pd.Series(lines_of(text(source.read(file), file, log)), dtype="str").str.strip()
    names = names.str.replace("\\", "/").str.replace(r"^.*/", "", regex=True)
    names = names.str.replace(f"(?i){IMAGE_SUFFIX}", "", regex=True)
    return set(names[names != ""].map(folded))
