"""Which faces a run trains on and which it validates on: two splits of one store, or two data sets."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from core.classifiers.info import DataInfo, GroupCount
from core.data.splits import Subset
from core.data.store import AlignedStore
from core.errors import LookwhereError


@dataclass(frozen=True)
class FaceSets:
    """`stores` and `faces` by role, `train` and `val`; a face's `row` is its place in its role's store."""

    stores: dict[str, AlignedStore]
    faces: dict[str, pd.DataFrame]

    @classmethod
    def of(cls, store: AlignedStore) -> FaceSets:
        """The train and val splits of one store. Raises `LookwhereError` where one is empty."""
        roles = ("train", "val")
        return cls(dict.fromkeys(roles, store), {role: store.split(role) for role in roles})

    @classmethod
    def across(cls, train: AlignedStore, val: AlignedStore) -> FaceSets:
        """One data set to train on, another to validate on.

        Where a data set itself names splits, its own train or val part is taken, else all of its faces. Raises
        `LookwhereError` where both are the same faces.
        """
        if train.manifest.data_fingerprint == val.manifest.data_fingerprint:
            raise LookwhereError(
                f"{val.path}: the same faces as {train.path}; leave out --val to use its own val split"
            )
        stores = {"train": train, "val": val}
        return cls(stores, {role: _part(store, role) for role, store in stores.items()})

    def limited(self, subset: Subset, seed: int) -> FaceSets:
        """The same, with a subset of the training faces."""
        return FaceSets(self.stores, self.faces | {"train": subset.choose(self.faces["train"], seed)})

    def without(self, groups: Sequence[str]) -> FaceSets:
        """The same, without the faces of some groups ("female Black"), in training and in validation.

        Raises `LookwhereError` where a group has no training face: a slip of the pen would pass for an experiment.
        """
        if not groups:
            return self
        names = {
            role: faces["gender"].astype("string") + " " + faces["ethnicity"].astype("string")
            for role, faces in self.faces.items()
        }
        known = sorted(names["train"].dropna().unique())
        for group in groups:
            if group not in known:
                raise LookwhereError(f"--exclude '{group}': no training face; there are {', '.join(known)}")
        kept = {
            role: faces[~names[role].isin(groups).to_numpy()].reset_index(drop=True)
            for role, faces in self.faces.items()
        }
        if empty := [role for role, faces in kept.items() if not len(faces)]:
            raise LookwhereError(f"--exclude leaves no {empty[0]} face")
        return FaceSets(self.stores, kept)

    def need_both_genders(self) -> None:
        """Raises `LookwhereError` where the training faces have one gender: such a model calls everyone that."""
        genders = self.faces["train"]["gender"].unique()
        if len(genders) < 2:
            raise LookwhereError(
                f"all {len(self.faces['train']):,} training faces are labelled with one gender, {', '.join(genders)}: "
                "a model of them would say that of everyone; train on faces of both"
            )

    @property
    def fingerprint(self) -> str:
        """The data's fingerprint: the store's, or both stores' joined by a plus."""
        return "+".join(dict.fromkeys(store.manifest.data_fingerprint for store in self.stores.values()))

    @property
    def faces_sha256(self) -> str:
        """SHA-256 over the faces of both roles in their order, which batches are drawn by."""
        digest = hashlib.sha256()
        for role, faces in self.faces.items():
            digest.update("\n".join([role, *faces["face_id"].astype(str), ""]).encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    @property
    def alignments(self) -> dict[str, dict[str, object]]:
        """How the faces of each role were aligned."""
        return {role: store.manifest.alignment for role, store in self.stores.items()}

    def provenance(self) -> DataInfo:
        """What `model.json` says of the data."""
        manifest = self.stores["train"].manifest
        groups = self.faces["train"].groupby(["gender", "ethnicity"], observed=True).size()
        return DataInfo(
            dataset=manifest.dataset,
            validation_dataset=self.stores["val"].manifest.dataset,
            fingerprint=self.fingerprint,
            split_seed=manifest.seed,
            faces={role: len(faces) for role, faces in self.faces.items()},
            train_groups=tuple(GroupCount(gender=g, ethnicity=e, faces=int(n)) for (g, e), n in groups.items() if n),
        )


def _part(store: AlignedStore, role: str) -> pd.DataFrame:
    if store.manifest.own_splits and (store.faces["split"] == role).any():
        return store.split(role)
    return store.faces
