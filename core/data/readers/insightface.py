"""MS1MV2 (`faces_emore`) and any InsightFace pack: `train.rec` + `train.idx`, aligned to the ArcFace template.

A pack knows people by a number and nothing of their gender: that comes from a CSV of the user's, `identity,gender` and
optionally `ethnicity`, given with `--labels` or lying beside the pack as `identities.csv`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core.data.columns import OWN
from core.data.readers.base import Reader, Reading, Refusal
from core.data.readers.identities import read_identities
from core.data.readers.read_log import ReadLog, own_columns
from core.data.sources.base import MAXIMUM_TABLE_BYTES, Source
from core.data.sources.recordio import RecordError, RecordFile, RecordSource, parse_record
from core.files import read_bounded

LABELS = "identities.csv"


class InsightFace(Reader):
    name = "insightface"
    title = "MS1MV2 (faces_emore) or another InsightFace pack"
    expects = f"train.rec and train.idx (and property); a CSV of identity,gender[,ethnicity] as --labels or {LABELS}"
    aligned = True
    find_copies = False
    needs_labels = True

    def why_not(self, source: Source) -> Refusal | None:
        if isinstance(source, RecordSource):
            return None
        if any(name.endswith((".rec", ".idx")) for name in source.names[:1000]):
            return Refusal("train.rec must lie at the top of the folder given", "an InsightFace pack")
        return Refusal("no train.rec in it")

    def read(self, source: Source, labels: Path | None = None) -> Reading:
        """Raises `LookwhereError` where the labels are missing or not as expected."""
        log = ReadLog()
        people = read_identities(labels or source.path.parent / LABELS, log)
        if labels is None:
            source.tie(LABELS, read_bounded(source.path.parent / LABELS, MAXIMUM_TABLE_BYTES))
        headers = source.records.headers(image_keys(source.records))
        source.tie(f"{source.path.name} (labels)", headers["label"].to_numpy(dtype=np.float32).tobytes())
        sound = headers["good"] & headers["image"]
        reason = np.where(headers["good"], "record holds no image", "damaged record")
        rejects = [_rejects(headers[~sound], reason[~sound])]
        read_headers = headers[sound]
        person = read_headers["label"].round().astype(np.int64)
        labelled = person.isin(people.index)
        rejects.append(
            _rejects(read_headers[~labelled], f"identity not in {LABELS if labels is None else labels.name}")
        )
        keys, person = read_headers["key"][labelled].astype("string"), person[labelled]
        faces = pd.DataFrame(
            {
                "face_id": keys,
                "path": keys,
                "gender": person.map(people["gender"]).astype("category"),
                "ethnicity": person.map(people["ethnicity"]).astype("category"),
                "age": pd.array([pd.NA], dtype="Int16").take(np.zeros(len(keys), dtype=int)),
                "identity": person.astype("string"),
            }
        ).reset_index(drop=True)
        return Reading(
            faces,
            pd.concat([log.table("reason").astype("string"), *rejects], ignore_index=True),
            log.table("repair"),
            remarks=tuple(log.remarks),
            own=pd.DataFrame({name: _of_people(person, people[OWN + name]) for name in own_columns(people)}),
        )


def _of_people(person: pd.Series, labels: pd.Series) -> pd.Categorical:
    """What is said of each image's person."""
    return pd.Categorical(person.map(labels))


def image_keys(records: RecordFile) -> np.ndarray:
    """Keys of the images: 1..A−1 where key 0 is a header record with label [A, B], else every key."""
    if 0 in records:
        try:
            first = parse_record(records.read(0), 0)
        except RecordError:
            return records.keys
        if first.flag == 2 and not first.is_image:
            return np.sort(records.keys[(records.keys > 0) & (records.keys < int(first.labels[0]))])
    return np.sort(records.keys)


def _rejects(headers: pd.DataFrame, reason: object) -> pd.DataFrame:
    file = "record " + headers["key"].astype("string") + " at offset " + headers["offset"].astype("string")
    return pd.DataFrame({"file": file, "reason": reason}).astype("string")
