"""MS1MV2 (`faces_emore`) and any InsightFace pack: `train.rec` + `train.idx`, aligned to the ArcFace template.

A pack knows people by a number and nothing of their gender: that comes from a CSV of the user's, `identity,gender` and
optionally `ethnicity`, given with `--labels` or lying beside the pack as `identities.csv`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from core.datasets.base import Reader, Reading, Refusal
from core.datasets.labels import GENDER_WORDS
from core.datasets.recordio import RecordError, RecordFile, parse_record
from core.datasets.sources import Source
from core.errors import LookwhereError
from core.faces import UNRECORDED

LABELS = "identities.csv"


class RecordSource(Source):
    """The pictures of a `.rec` file; a name is a record's key as decimal digits."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, {})
        self.records = RecordFile(path)
        self._problems: dict[str, str] = {}

    @property
    def names(self) -> list[str]:
        return [str(key) for key in self.records.keys.tolist()]

    def __len__(self) -> int:
        return len(self.records)

    def iterate(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Payloads in the order of keys; a damaged record comes as empty bytes, and `problem` says what is wrong."""
        keys = np.sort(np.fromiter((int(name) for name in names), dtype=np.int64))
        for key, data in self.records.read_many(keys):
            try:
                if isinstance(data, RecordError):
                    raise data
                yield str(key), parse_record(data, key).payload
            except RecordError as error:
                self._problems[str(key)] = str(error)
                yield str(key), b""

    def problem(self, name: str) -> str | None:
        return self._problems.get(name)

    def fingerprint(self) -> str:
        """SHA-256 over the index and the file's size."""
        digest = hashlib.sha256(str(self.path.stat().st_size).encode())
        digest.update(self.records.keys.tobytes() + self.records.offsets.tobytes())
        return digest.hexdigest()


class InsightFace(Reader):
    name = "insightface"
    title = "MS1MV2 (faces_emore) or another InsightFace pack"
    expects = f"train.rec and train.idx (and property); a CSV of identity,gender[,ethnicity] as --labels or {LABELS}"
    aligned = True
    find_copies = False
    needs_labels = True

    def refusal(self, source: Source) -> Refusal | None:
        if isinstance(source, RecordSource):
            return None
        if any(name.endswith((".rec", ".idx")) for name in source.names[:1000]):
            return Refusal("train.rec must lie at the top of the folder given", "an InsightFace pack")
        return Refusal("no train.rec in it")

    def read(self, source: Source, labels: Path | None = None) -> Reading:
        """Raises `LookwhereError` where the labels are missing or not as expected."""
        people = read_identities(labels or source.path.parent / LABELS)
        headers = source.records.headers(image_keys(source.records))
        sound = headers["good"] & headers["picture"]
        reason = np.where(headers["good"], "record holds no picture", "damaged record")
        rejects = [_rejects(headers[~sound], reason[~sound])]
        found = headers[sound]
        person = found["label"].round().astype(np.int64)
        known = person.isin(people.index)
        rejects.append(_rejects(found[~known], f"identity not in {LABELS if labels is None else labels.name}"))
        keys, person = found["key"][known].astype("string"), person[known]
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
        return Reading(faces, pd.concat(rejects, ignore_index=True))


def image_keys(records: RecordFile) -> np.ndarray:
    """Keys of the pictures: 1..A−1 where key 0 is a header record with label [A, B], else every key."""
    if 0 in records:
        try:
            first = parse_record(records.read(0), 0)
        except RecordError:
            return records.keys
        if first.flag == 2 and not first.is_picture:
            return np.sort(records.keys[(records.keys > 0) & (records.keys < int(first.labels[0]))])
    return np.sort(records.keys)


def read_identities(file: Path) -> pd.DataFrame:
    """`gender`, `ethnicity` by integer identity. Raises `LookwhereError` naming the file and what is wrong in it."""
    if not file.is_file():
        raise LookwhereError(
            f"{file}: missing; a pack names no gender: give a CSV of identity,gender[,ethnicity] with --labels"
        )
    try:
        table = pd.read_csv(file, skipinitialspace=True)
    except (ValueError, OSError) as error:
        raise LookwhereError(f"{file}: not a readable CSV ({error})") from error
    table.columns = [str(column).strip().lower() for column in table.columns]
    missing = {"identity", "gender"} - set(table.columns)
    if missing:
        raise LookwhereError(f"{file}: no column {', '.join(sorted(missing))}; it needs identity,gender[,ethnicity]")
    identity = pd.to_numeric(table["identity"], errors="coerce")
    gender = table["gender"].astype("string").str.strip().str.lower().map(GENDER_WORDS)
    for column, bad in (("identity", identity.isna()), ("gender", gender.isna())):
        if bad.any():
            line = int(np.flatnonzero(bad.to_numpy())[0]) + 2
            raise LookwhereError(
                f"{file}, line {line}: {column} {table[column].iloc[line - 2]!r} is not one that is known"
            )
    twice = identity.duplicated()
    if twice.any():
        raise LookwhereError(f"{file}: identity {int(identity[twice].iloc[0])} occurs twice")
    ethnicity = (
        table["ethnicity"].astype("string").str.strip().fillna(UNRECORDED).to_numpy()
        if "ethnicity" in table
        else UNRECORDED
    )
    return pd.DataFrame({"gender": gender.to_numpy(), "ethnicity": ethnicity}, index=identity.astype(np.int64))


def _rejects(headers: pd.DataFrame, reason: object) -> pd.DataFrame:
    file = "record " + headers["key"].astype("string") + " at offset " + headers["offset"].astype("string")
    return pd.DataFrame({"file": file, "reason": reason}).astype("string")
