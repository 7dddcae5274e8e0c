"""UTKFace: the labels are in the file names, `[age]_[gender]_[race]_[date].jpg.chip.jpg`."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from core.data.image_kinds import IMAGE_SUFFIXES
from core.data.readers.base import Reader, Reading, Refusal
from core.data.readers.class_folders import placed
from core.data.sources.base import Source

GENDER = {"0": "male", "1": "female"}
ETHNICITY = {"0": "White", "1": "Black", "2": "Asian", "3": "Indian", "4": "Others"}
NAME = re.compile(r"^(\d{1,3})_([01])_([0-4])_(\d{8,})$")
_SUFFIXES = "|".join(suffix.removeprefix(".") for suffix in IMAGE_SUFFIXES)
#: A browser counts what it saves again: «… (1).jpg». Tools that crop or convert add a suffix to that which is there.
SUFFIX = re.compile(rf"(?:\s*\(\d+\))?\s*\.?(chip\.)?({_SUFFIXES})(\.chip|\.({_SUFFIXES}))*$", re.IGNORECASE)
#: A name with all its fields, whatever they say.
WHOLE = re.compile(r"^\d+_\d+_\d+_\d{8,}$")
PLAIN_SUFFIX = re.compile(rf"^\.({_SUFFIXES})(\.chip\.jpg)?$", re.IGNORECASE)
WILD = re.compile(r"(?:^|/)part[123]/[^/]+$", re.IGNORECASE)
#: Below this share of names that parse, a folder of images is some other data set.
RECOGNISED_SHARE = 0.5


class UTKFace(Reader):
    name = "utkface"
    title = "UTKFace (aligned and cropped)"
    expects = "images named [age]_[gender]_[race]_[date].jpg.chip.jpg, in a folder, .tar.gz or .zip"
    #: That of the shipped study: 60 of 200 pixels.
    border = 30
    #: Its splits were drawn before mirror images were looked for.
    mirrored_together = False

    def why_not(self, source: Source) -> Refusal | None:
        images = source.images()
        if not images:
            return Refusal("no image in it")
        parsed = sum(parse(name.rsplit("/", 1)[-1]) is not None for name in images)
        if sum(in_the_wild(name) for name in images) >= RECOGNISED_SHARE * len(images):
            return Refusal("photos in part1, part2, part3 are utkface-wild, not chips")
        if parsed < RECOGNISED_SHARE * len(images):
            return Refusal(f"only {parsed} of {len(images)} image names read [age]_[gender]_[race]_[date]")
        return None

    def read(self, source: Source, labels: Path | None = None) -> Reading:
        rows, rejects, repaired = [], [], []
        for path in source.images():
            file = path.rsplit("/", 1)[-1]
            parsed = parse(file)
            if parsed is None:
                rejects.append((path, _why(file)))
                continue
            stem, suffix, (age, gender, race, _) = parsed
            if not PLAIN_SUFFIX.match(suffix):
                repaired.append((path, "suffix misspelt, labels good"))
            rows.append((stem, path, GENDER[gender], ETHNICITY[race], int(age)))
        faces = pd.DataFrame(rows, columns=["face_id", "path", "gender", "ethnicity", "age"])
        faces = faces.astype({"age": "Int16"})
        faces["identity"] = pd.Series(pd.NA, index=faces.index, dtype="string")
        twice = faces["face_id"].duplicated()
        rejects += [(path, "same name as another image") for path in faces.loc[twice, "path"]]
        faces, disagreements = _placed(faces[~twice].sort_values("face_id", ignore_index=True))
        return Reading(
            faces=faces,
            rejects=pd.DataFrame(rejects, columns=["file", "reason"], dtype=str),
            repaired=pd.DataFrame(repaired, columns=["file", "repair"], dtype=str),
            disagreements=disagreements,
        )


def _placed(faces: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Faces with the split that folders give, where they give each face one and not all the same; and the faces whose
    folder names another gender than their name does, which counts."""
    if faces.empty:
        return faces, Reading(faces).disagreements
    folders = placed(faces["path"])
    split, gender = folders["split"], folders["gender"].replace("", pd.NA)
    if split.notna().all() and (split != "").all() and len(split.unique()) > 1:
        faces = faces.assign(split=split)
    differ = gender.notna() & (gender != faces["gender"])
    words = "gender: folder " + gender[differ] + ", file name " + faces["gender"][differ] + "; the file name's counts"
    return faces, pd.DataFrame({"file": faces["path"][differ], "what": words}, dtype=str).reset_index(drop=True)


def _why(file: str) -> str:
    """Why the labels of a name are not taken."""
    ending = SUFFIX.search(file)
    if WHOLE.match(file[: ending.start()] if ending else file):
        return "a label in its name is out of range: age is 0 to 116, gender 0 or 1, race 0 to 4"
    return "name lacks a label field"


def in_the_wild(path: str) -> bool:
    """True where a path is that of an uncropped photo: in `part1`, `part2` or `part3`, and no `.chip.jpg`."""
    return WILD.search(path) is not None and not path.lower().endswith(".chip.jpg")


def parse(file: str) -> tuple[str, str, tuple[str, str, str, str]] | None:
    """Stem, suffix and the four fields of a name, or None where a field is missing or out of range."""
    ending = SUFFIX.search(file)
    stem, suffix = (file[: ending.start()], ending[0]) if ending else (file, "")
    fields = NAME.match(stem)
    if fields is None or int(fields[1]) > 116:
        return None
    return stem, suffix, fields.groups()
