"""Which faces a run trains on and which it validates on: two splits of one store, or several data sets."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.classifiers.info import DataInfo, GroupCount, PartInfo
from core.classifiers.training_hashes import TrainingHashes
from core.data.shared_images import MANY_PAIRS, shared_images
from core.data.splits import Balance, Subset
from core.data.store import AlignedStore
from core.data.targets import check_labelled, find_task
from core.errors import LookwhereError
from core.progress import Progress
from core.task import GENDER, Task
from core.training.groups import GROUPS, asked_groups, balance_codes, balance_words, training_groups
from core.training.left_out import group_names, left_out, plain_group


@dataclass(frozen=True)
class FaceSets:
    """`stores` and `faces` by role, `train` and `val`.

    A face's image is at its `row` of the store at its place `store` in its role's stores (0 where the column is not
    there). With several stores in a role, face ids and identities begin with the store's place, so that two data sets
    that count their people alike do not share any. `copies` counts validation faces left out by `apart`, None where
    nobody looked, and `unlabelled` faces left out by `labelled`.
    """

    stores: dict[str, tuple[AlignedStore, ...]]
    faces: dict[str, pd.DataFrame]
    copies: int | None = None
    unlabelled: int = 0

    @classmethod
    def from_store(cls, store: AlignedStore) -> FaceSets:
        """The train and val splits of one store. Raises `LookwhereError` where one is empty."""
        roles = ("train", "val")
        return cls(dict.fromkeys(roles, (store,)), {role: store.split(role) for role in roles})

    @classmethod
    def across(
        cls,
        train: AlignedStore | Sequence[AlignedStore],
        val: AlignedStore,
        *,
        all_of_val: bool = False,
        splits: Sequence[str] = (),
    ) -> FaceSets:
        """One data set or several to train on, another to validate on.

        Where a data set itself names splits, its own train or val part is taken, else all of its faces; with
        `all_of_val` all faces of `val` in any case. `splits`, one a data set to train on, says otherwise of these:
        «train», their train split whoever made it, «all», or «own» as above. Raises `LookwhereError` where two are the
        same faces, a split is empty, or there are not as many splits as data sets.
        """
        training = (train,) if isinstance(train, AlignedStore) else tuple(train)
        if not training:
            raise LookwhereError("no data set to train on")
        stores: dict[str, AlignedStore] = {}
        for store in training:
            if (twin := stores.get(store.manifest.data_fingerprint)) is not None:
                raise LookwhereError(f"{store.path}: the same faces as {twin.path}; name each data set once")
            stores[store.manifest.data_fingerprint] = store
        if (twin := stores.get(val.manifest.data_fingerprint)) is not None:
            raise LookwhereError(f"{val.path}: the same faces as {twin.path}; leave out --val to use its own val split")
        if splits and len(splits) != len(training):
            raise LookwhereError(
                f"--splits: {len(splits)} for {len(training)} data sets to train on; give one for each"
            )
        parts = zip(training, splits or ["own"] * len(training), strict=True)
        faces = {
            "train": _joined([_chosen(store, split) for store, split in parts]),
            "val": val.faces if all_of_val else _part(val, "val"),
        }
        return cls({"train": training, "val": (val,)}, faces)

    def apart(self, progress: Progress | None = None) -> FaceSets:
        """The same without validation faces that are copies or near-copies of training faces of another data set.

        Nothing is looked up, and `copies` stays None, within one data set, whose splits are apart, and where more than
        `MANY_PAIRS` pairs would be compared. Raises `LookwhereError` where no validation face is left.
        """
        val, faces = self.stores["val"][0], self.faces["val"]
        if any(val is store for store in self.stores["train"]) or len(self.faces["train"]) * len(faces) > MANY_PAIRS:
            return self
        shared = np.zeros(len(faces), dtype=bool)
        for store, trained in zip(self.stores["train"], self._trained(), strict=True):
            shared |= shared_images(val, faces, store, trained, progress).any
        if shared.all():
            raise LookwhereError(f"{val.path}: all of its faces are copies of training faces; validate on others")
        rest = faces[~shared].reset_index(drop=True)
        return replace(self, faces=self.faces | {"val": rest}, copies=int(shared.sum()))

    def check_unchanged(self) -> None:
        """Raises `LookwhereError` where images were written over since their store was opened."""
        for store in itertools.chain.from_iterable(self.stores.values()):
            store.check_unchanged()

    def images(self, role: str, places: np.ndarray) -> np.ndarray:
        """The aligned faces at these places of `faces[role]`: uint8 (N, 112, 112, 3)."""
        stores, faces = self.stores[role], self.faces[role]
        rows = faces["row"].to_numpy()[places]
        if len(stores) == 1:
            return stores[0].images[rows]
        store = faces["store"].to_numpy()[places]
        images = np.empty((len(rows), *stores[0].images.shape[1:]), dtype=np.uint8)
        for n, source in enumerate(stores):
            images[store == n] = source.images[rows[store == n]]
        return images

    def limited(
        self, balance: Balance, limit: int, seed: int, task: Task = GENDER, groups: Sequence[str] = GROUPS
    ) -> FaceSets:
        """The same with at most `limit` training faces, as many of each class of `balance`."""
        faces, subset = self.faces["train"], Subset(balance, limit)
        classes = balance_codes(faces, balance, task, groups)
        called = balance_words(balance, task, groups, each=True)
        return replace(self, faces=self.faces | {"train": subset.choose(faces, seed, classes, called)})

    def grouping(self, names: Sequence[str]) -> tuple[str, ...]:
        """The columns that groups are made by, which all data sets must have. Raises `LookwhereError` naming those that
        one has."""
        stores_by_columns = {}
        for store in itertools.chain.from_iterable(self.stores.values()):
            try:
                stores_by_columns[asked_groups(store.manifest.columns, names)] = store
            except LookwhereError as error:
                raise LookwhereError(f"{store.path}: {error}") from error
        if len(stores_by_columns) > 1:
            raise LookwhereError(f"--groups {' '.join(names)}: the data sets spell these columns differently")
        return next(iter(stores_by_columns))

    def without(
        self, groups: Sequence[str], seed: int = 0, task: Task = GENDER, columns: Sequence[str] = GROUPS
    ) -> FaceSets:
        """The same, without the faces of some groups ("female Black", or as the metrics name a group of other `columns`
        or of another task), in training and in validation; or, "as many as female Black", without as many random faces
        of the gender that are of other groups (`left_out`).

        Raises `LookwhereError` where a group has no training face: a slip of the pen would pass for an experiment.
        """
        if not groups:
            return self
        membership = {role: training_groups(faces, task, columns) for role, faces in self.faces.items()}
        # Gender and ethnicity alone are always understood: «female Black» is all Black women, whatever is classified.
        plain_groups = {*group_names(self.faces["train"]).dropna().unique()}
        own = {group.key for group in membership["train"][1]} - plain_groups
        plain = [group for group in groups if group not in own]
        for group in map(plain_group, plain):
            if group not in plain_groups:
                raise LookwhereError(
                    f"--exclude '{group}': no training face; there are {', '.join(sorted(plain_groups | own))}"
                )
        remaining = {}
        for role, faces in self.faces.items():
            member, there = membership[role]
            keys = np.array([group.key for group in there], dtype=object)
            out = left_out(faces, plain, seed) | np.isin(keys, [*own.intersection(groups)])[member]
            remaining[role] = faces[~out].reset_index(drop=True)
        if empty := [role for role, faces in remaining.items() if not len(faces)]:
            raise LookwhereError(f"--exclude leaves no {empty[0]} face")
        return replace(self, faces=remaining)

    def task(self, target: str) -> Task:
        """What is classified: gender, or a column that all data sets have with the same two levels.

        Raises `LookwhereError` where one has no such column, or with other levels.
        """
        stores = list({id(store): store for store in itertools.chain.from_iterable(self.stores.values())}.values())
        tasks = []
        for store in stores:
            try:
                tasks.append(find_task(store.manifest.columns, target))
                check_labelled(store, tasks[-1])
            except LookwhereError as error:
                raise LookwhereError(f"{store.path}: {error}") from error
        for store, task in zip(stores, tasks, strict=True):
            if (task.attribute, task.classes) != (tasks[0].attribute, tasks[0].classes):
                raise LookwhereError(
                    f"{store.path}: {task.attribute} has the levels {', '.join(task.classes)}, {tasks[0].attribute} of "
                    f"{stores[0].path} has {', '.join(tasks[0].classes)}; align one of them with the other's names"
                )
        return tasks[0]

    def labelled(self, task: Task) -> FaceSets:
        """The same without faces whose class is not labelled; `unlabelled` counts them.

        Raises `LookwhereError` where the training faces have one class, since a model of them would say that of
        everyone, or no validation face is left.
        """
        has_class = {role: task.known(faces) for role, faces in self.faces.items()}
        if all(mask.all() for mask in has_class.values()):
            labelled = self
        else:
            faces = {role: faces[has_class[role]].reset_index(drop=True) for role, faces in self.faces.items()}
            labelled = replace(self, faces=faces, unlabelled=sum(int((~mask).sum()) for mask in has_class.values()))
        classes = set(task.truth(labelled.faces["train"]))
        if len(classes) < 2:
            reason = f"are labelled with one {task.name}, {task.label(classes.pop())}" if classes else "have no class"
            raise LookwhereError(
                f"all {len(self.faces['train']):,} training faces {reason}: a model of them would say that of "
                "everyone; train on faces of both"
            )
        if not len(labelled.faces["val"]):
            raise LookwhereError(f"no validation face is labelled with {task.name}; validate on others")
        return labelled

    def check_weights(self, weights: Sequence[float]) -> None:
        """Raises `LookwhereError` unless there are no weights, or one for each of several data sets to train on."""
        stores = len(self.stores["train"])
        if weights and (stores == 1 or len(weights) != stores):
            names = ", ".join(store.manifest.dataset for store in self.stores["train"])
            raise LookwhereError(f"--weights has {len(weights)} numbers for {stores} data sets to train on: {names}")

    @property
    def fingerprint(self) -> str:
        """The data's fingerprint: the store's, or both stores' joined by a plus."""
        stores = itertools.chain.from_iterable(self.stores.values())
        return "+".join(dict.fromkeys(store.manifest.data_fingerprint for store in stores))

    @property
    def faces_sha256(self) -> str:
        """SHA-256 over the faces of both roles in their order, which batches are drawn by."""
        digest = hashlib.sha256()
        for role, faces in self.faces.items():
            digest.update("\n".join([role, *faces["face_id"].astype(str), ""]).encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    @property
    def alignments(self) -> dict[str, dict[str, object]]:
        """How the faces of each role were aligned; those of a second store under "train 2", and so on."""
        return {
            role if n == 0 else f"{role} {n + 1}": store.manifest.alignment
            for role, stores in self.stores.items()
            for n, store in enumerate(stores)
        }

    def training_hashes(self) -> TrainingHashes:
        """Salted hashes of the training faces, by which audits look theirs up."""
        return TrainingHashes.from_stores(self.stores["train"], self._trained())

    def _trained(self) -> list[pd.DataFrame]:
        """The training faces of each store."""
        stores, faces = self.stores["train"], self.faces["train"]
        return [faces] if len(stores) == 1 else [faces[faces["store"] == n] for n in range(len(stores))]

    def provenance(self, task: Task = GENDER, groups: Sequence[str] = GROUPS) -> DataInfo:
        """What `model.json` says of the data; training faces are counted by class crossed with `groups`."""
        training, faces = self.stores["train"], self.faces["train"]
        called = _names([*training, *self.stores["val"]])
        member, groups_of_faces = training_groups(faces, task, groups)
        counts = np.bincount(member, minlength=len(groups_of_faces))
        parts = (
            tuple(
                PartInfo(
                    dataset=called[store.manifest.data_fingerprint],
                    fingerprint=store.manifest.data_fingerprint,
                    faces=int((faces["store"] == n).sum()),
                )
                for n, store in enumerate(training)
            )
            if len(training) > 1
            else ()
        )
        return DataInfo(
            dataset=" + ".join(called[store.manifest.data_fingerprint] for store in training),
            validation_dataset=called[self.stores["val"][0].manifest.data_fingerprint],
            fingerprint=self.fingerprint,
            split_seed=training[0].manifest.seed,
            faces={role: len(faces) for role, faces in self.faces.items()},
            train_groups=tuple(
                GroupCount(
                    gender=group.gender,
                    ethnicity=group.ethnicity,
                    faces=int(n),
                    group="" if group.plain else group.words,
                )
                for group, n in zip(groups_of_faces, counts, strict=True)
            ),
            parts=parts,
            validation_copies=self.copies,
            unlabelled=self.unlabelled,
        )


def _names(stores: Sequence[AlignedStore]) -> dict[str, str]:
    """What data sets are called, by fingerprint: by their reader, and by their folder too where two have one reader."""
    distinct = {store.manifest.data_fingerprint: store for store in stores}
    readers = [store.manifest.dataset for store in distinct.values()]
    return {
        print_of: reader if readers.count(reader) == 1 else f"{reader} {store.path.name}"
        for (print_of, store), reader in zip(distinct.items(), readers, strict=True)
    }


def _joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The tables below each other, `store` the place of each; ids and identities begin with it where several are."""
    if len(tables) == 1:
        return tables[0]
    marked = []
    for n, table in enumerate(tables):
        ids = {name: f"{n}:" + table[name].astype("string") for name in ("face_id", "identity")}
        marked.append(table.assign(store=n, **ids))
    return pd.concat(marked, ignore_index=True)


def _chosen(store: AlignedStore, split: str) -> pd.DataFrame:
    """The faces of a store that are trained on: `split` is «own», «train» or «all»."""
    if split == "own":
        return _part(store, "train")
    faces = store.split("train") if split == "train" else store.faces
    if faces.empty:
        raise LookwhereError(f"{store.path}: no face in its {split} split")
    return faces


def _part(store: AlignedStore, role: str) -> pd.DataFrame:
    if store.manifest.own_splits and (store.faces["split"] == role).any():
        return store.split(role)
    return store.faces
