"""Copies and near-copies of an image, and splits that neither they nor a person can cross."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from core.data.duplicates import HASHES, cluster, near_otherwise
from core.data.faces import UNRECORDED, gender_known
from core.errors import LookwhereError

SHARES = {"train": 0.7, "val": 0.1, "test": 0.2}


#: What near-copies disagree on: told by the images' hashes when the data set is planned.
NEAR_GENDER = "gender: a near-copy is labelled otherwise; both are kept"
NEAR_TORN = "split: near-copies in more than one; both are kept"


def near_disagreements(faces: pd.DataFrame) -> pd.DataFrame:
    """Near-copies labelled as different genders, as disagreements (`file, what`), a row a face.

    `faces` has `path, gender, phash, cluster`, and `mirrored` where mirror images count. Such faces are kept: which
    label is wrong is not known. A face without a gender disagrees with none.
    """
    faces = faces[faces["gender"] != UNRECORDED]
    ways = [name for name in HASHES if name in faces]
    hashes = np.concatenate([faces[name].to_numpy() for name in ways])
    gender, group = (np.tile(faces[name].to_numpy(), len(ways)) for name in ("gender", "cluster"))
    differ = near_otherwise(hashes, gender, group).reshape(len(ways), -1).any(axis=0)
    return pd.DataFrame({"file": faces["path"].to_numpy()[differ], "what": NEAR_GENDER}, dtype=str)


def still_near(disagreements: pd.DataFrame, faces: pd.DataFrame) -> pd.DataFrame:
    """The disagreements without those of images that are alike and show different faces.

    `faces` are the aligned ones, with `path, gender, split` and the `cluster` that their faces make. What is said of a
    image without an aligned face stays.
    """
    keep = np.ones(len(disagreements), dtype=bool)
    for what, column in ((NEAR_GENDER, "gender"), (NEAR_TORN, "split")):
        labels = faces[column].where(faces[column] != UNRECORDED)
        agreed = labels.groupby(faces["cluster"]).transform("nunique") <= 1
        keep &= ~((disagreements["what"] == what) & disagreements["file"].isin(faces.loc[agreed, "path"])).to_numpy()
    return disagreements[keep].reset_index(drop=True)


def torn_apart(faces: pd.DataFrame, by: str, what: str) -> pd.DataFrame:
    """Files that are one by the column `by` and that the data set's own splits put into several, as disagreements.

    `faces` has `path, split` and `by`; returns `file, what`, a row a face. The splits stay as the data set has them.
    """
    torn = (faces.groupby(by)["split"].transform("nunique") > 1).to_numpy()
    return pd.DataFrame({"file": faces["path"].to_numpy()[torn], "what": what}, dtype=str)


def assign_splits(faces: pd.DataFrame, seed: int = 0, shares: dict[str, float] | None = None) -> pd.Series:
    """`train`, `val` or `test` for each face, stratified by gender × ethnicity.

    Faces of one cluster or one identity stay together. A unit's place is decided by SHA-256 of the seed and its first
    face's id, so the split is the same on every machine and independent of the order of rows.
    """
    shares = shares or SHARES
    unit = person_numbers(faces)
    ordered = faces.assign(unit=unit).sort_values("face_id")
    heads = ordered.groupby("unit").agg(
        face_id=("face_id", "first"),
        gender=("gender", "first"),
        ethnicity=("ethnicity", "first"),
        size=("unit", "size"),
    )
    heads["rank"] = _lots(heads["face_id"], seed)
    heads = heads.sort_values("rank")
    size = heads.groupby(["gender", "ethnicity"], dropna=False)["size"]
    middle = (size.cumsum() - heads["size"] / 2) / size.transform("sum")
    bounds = np.cumsum(list(shares.values()))
    place = np.minimum(np.searchsorted(bounds, middle, side="right"), len(shares) - 1)
    heads["split"] = np.array(list(shares))[place]
    return pd.Series(heads["split"].reindex(unit).to_numpy(), index=faces.index, dtype="string")


def _lots(names: pd.Series, seed: int) -> np.ndarray:
    """A number drawn for each name, uint64 (N,): the head of SHA-256 of seed and name, whatever the others are."""
    digests = (hashlib.sha256(f"{seed}:{name}".encode()).digest() for name in names)
    return np.fromiter((int.from_bytes(digest[:8], "big") for digest in digests), dtype=np.uint64, count=len(names))


Balance = Literal["none", "class", "group", "gender"]


@dataclass(frozen=True)
class Subset:
    """A part of a data set: at most `limit` faces, the classes of `balance` equally many; people are never split."""

    balance: Balance = "none"
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise LookwhereError(f"--limit {self.limit}: must be at least 1")

    def choose(
        self, faces: pd.DataFrame, seed: int = 0, classes: np.ndarray | None = None, called: str = ""
    ) -> pd.DataFrame:
        """The chosen rows in their order, the same on every machine for a seed.

        People (faces of no known identity count as one each) are taken in the order of lots until the class is full;
        one who would overfill it is passed over. Without a limit each class gets as many as the smallest has.
        `classes` int (N,) are other ones than gender or gender × ethnicity, and `called` what one is. Raises
        `LookwhereError` where a class would get none.
        """
        keys = {"none": [], "group": ["gender", "ethnicity"]}.get(self.balance, ["gender"])
        if classes is None and self.balance == "gender" and not gender_known(faces):
            raise LookwhereError(f"--balance gender: the gender of these faces is {UNRECORDED}")
        if classes is not None:
            code = classes
        elif keys:
            code = faces.groupby(keys, dropna=False, observed=True).ngroup().to_numpy()
        else:
            code = np.zeros(len(faces), int)
        sizes = np.bincount(code)
        quota = sizes.min()
        if self.limit is not None:
            quota = min(self.limit // len(sizes), quota)
        person = faces["identity"].astype("string").fillna("face " + faces["face_id"].astype("string"))
        units = pd.DataFrame({"code": code, "person": person}).groupby(["code", "person"], sort=False)
        people = units.size().rename("size").reset_index()
        self._check(people.groupby("code")["size"].min().to_numpy(), sizes, called)
        people["lot"] = _lots(people["person"], seed)
        people = people.sort_values(["code", "lot"])
        selected = np.zeros(len(people), dtype=bool)
        for _, rows in people.groupby("code").indices.items():
            selected[rows] = _fill(people["size"].to_numpy()[rows], int(quota))
        persons = pd.MultiIndex.from_frame(people.loc[selected, ["code", "person"]])
        mask = pd.MultiIndex.from_arrays([code, person]).isin(persons)
        return faces[mask].reset_index(drop=True)

    def _check(self, least: np.ndarray, sizes: np.ndarray, called: str) -> None:
        """Raise unless every class gets a face: `least` has the images of the person with the fewest in each class,
        `sizes` the images of each class."""
        kind = called or {"none": "", "group": "gender × ethnicity"}.get(self.balance, "gender")
        classes = f" of each {kind}" if kind else ""
        if least.max() > sizes.min():
            raise LookwhereError(
                f"--balance {self.balance}: the smallest class has {sizes.min()} images, and in another no person has "
                f"under {least.max()}; people are never split, so leave --balance out"
            )
        needed = int(least.max()) * len(sizes)
        if self.limit is not None and self.limit < needed:
            images = f"{least.max()} image{'s' if least.max() > 1 else ''}"
            person = f"the person with the fewest has {images}{classes and ' in one class'}"
            raise LookwhereError(
                f"--limit {self.limit}: too few for one person{classes}; people are never split, and {person}; give "
                f"--limit {needed} or more"
            )


def _fill(sizes: np.ndarray, quota: int) -> np.ndarray:
    """Which of the units, taken in turn, fit into the quota; a unit too large for what is left is passed over."""
    selected, remaining = np.zeros(len(sizes), dtype=bool), quota
    for n, size in enumerate(sizes.tolist()):
        if size <= remaining:
            selected[n], remaining = True, remaining - size
            if remaining == 0:
                break
    return selected


def person_numbers(faces: pd.DataFrame) -> np.ndarray:
    """A number for each face's person, int64 (N,): equal for a shared cluster or a shared identity, transitively.

    A table without one of the two columns knows nothing of it.
    """
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for column in ("cluster", "identity"):
        if column not in faces:
            continue
        code = pd.factorize(faces[column], use_na_sentinel=True)[0]
        rows = np.flatnonzero(code >= 0)
        first = pd.Series(rows).groupby(code[rows]).transform("first").to_numpy()
        pairs.append(np.stack([first, rows], axis=1))
    return cluster(len(faces), np.concatenate(pairs))
