"""An experiment's plan: its YAML file, and which data sets its runs train on, validate on and are audited on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.audit.manifest import ALL
from core.commands.output import opened_store
from core.data.faces import SPLITS
from core.errors import LookwhereError
from core.files import plain_name
from core.yaml_file import read_yaml

if TYPE_CHECKING:
    from core.data.store import AlignedStore


def run_name(arm: str, seed: int) -> str:
    """The folder of an arm's run with a seed."""
    return f"{arm}-s{seed}"


@dataclass(frozen=True)
class AuditPlan:
    """An audit that every run gets: its name (None: the usual one), of which data set (empty: the only one) and splits.

    With `averages` it is for the pictures alone: only the first run gets it, and it keeps average faces. With `arms`
    only their runs get it. `maps` names an attribution method, or is `none`; by default the model's own. With
    `maps_of` only these arms' have maps.
    """

    name: str | None
    data: str
    splits: tuple[str, ...]
    averages: bool = False
    maps: str | None = None
    arms: tuple[str, ...] | None = None
    maps_of: tuple[str, ...] | None = None

    def of_arm(self, arm: str) -> bool:
        """Whether the runs of an arm get it."""
        return self.arms is None or arm in self.arms

    def maps_for(self, arm: str) -> str | None:
        """What the audits of an arm's runs are told of maps: a method, `none`, or None for the model's own."""
        from core.classifiers.classifier import NO_MAPS

        return self.maps if self.maps_of is None or arm in self.maps_of else NO_MAPS


@dataclass(frozen=True)
class Plan:
    """An experiment as its YAML file says it."""

    file: Path
    content: dict

    @classmethod
    def read(cls, file: Path) -> Plan:
        """Raises `LookwhereError` where the file is unreadable, lacks a field or names an arm that is not there."""
        try:
            content = read_yaml(file)
            names = [plain_name(arm["name"], f"{file}: arm") for arm in content["arms"]]
            plain_name(content["name"], f"{file}: name")
            if not all(type(seed) is int for seed in content["seeds"]):
                raise TypeError("seeds must be whole numbers")
            ends = [c[end] for c in content["contrasts"] for end in ("from", "to")]
            ends += [arm["from"] for arm in content["arms"] if "from" in arm]
            _ = content["name"], content["title"], content["config"], content["seeds"][0]
            plan = cls(file, content)
            _ = plan.tests, plan.data_sets
            if plan.several and any("from" in arm for arm in content["arms"]):
                raise TypeError("with data sets of several roles, every arm is a training run of its own")
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise LookwhereError(f"{file}: not an experiment ({str(error).splitlines()[0]})") from error
        if unknown := sorted(set(ends) - set(names)):
            raise LookwhereError(f"{file}: no arm {', '.join(unknown)}; there are {', '.join(names)}")
        return plan

    @property
    def all_seeds(self) -> list[int]:
        """Every seed of the file, also where only some are worked on (`only`)."""
        return self.content.get("all seeds", self.content["seeds"])

    @property
    def trained(self) -> list[dict]:
        """The arms that are training runs of their own."""
        return [arm for arm in self.content["arms"] if "from" not in arm]

    @property
    def several(self) -> bool:
        """Whether data sets have roles of their own: some to train on, one to validate on, others to test on."""
        return "val" in self.content

    @property
    def tests(self) -> tuple[AuditPlan, ...]:
        """The audits of every run, the main one first.

        With one data set it is that of the test split; the plan's own `maps` says which maps it has.
        """
        if not self.several:
            maps = None if self.content.get("maps") is None else str(self.content["maps"])
            return (AuditPlan(None, "", ("test",), maps=maps),)
        settings = {name: entry if isinstance(entry, dict) else {"splits": entry}
                 for name, entry in self.content["test"].items()}  # fmt: skip
        tests = []
        for name, entry in settings.items():
            splits = entry["splits"]
            splits = (splits,) if isinstance(splits, str) else tuple(splits)
            if wrong := [split for split in splits if split not in (*SPLITS, ALL)]:
                raise LookwhereError(f"{self.file}: no split {wrong[0]!r}; there are {', '.join((*SPLITS, ALL))}")
            data = str(entry.get("data", name))
            maps = None if entry.get("maps") is None else str(entry["maps"])
            arms, maps_of = (tuple(map(str, entry[key])) if key in entry else None for key in ("arms", "maps_of"))
            if unknown := sorted({*(arms or ()), *(maps_of or ())} - {arm["name"] for arm in self.content["arms"]}):
                raise LookwhereError(f"{self.file}: test {name}: no arm {', '.join(unknown)}")
            name = plain_name(name, f"{self.file}: test")
            tests.append(AuditPlan(name, data, splits, entry.get("averages") is True, maps, arms, maps_of))
        if not tests or tests[0].averages or tests[0].arms is not None:
            raise KeyError("test: an audit of every run comes first")
        return tuple(tests)

    @property
    def lean(self) -> bool:
        """Whether what is published is what the questions need: no columns measured from the images, no hashes of the
        training faces."""
        return self.content.get("lean") is True

    @property
    def data_sets(self) -> tuple[str, ...]:
        """Names of the data sets that have to be given; none where one serves for all."""
        if not self.several:
            return ()
        training_names = [name for arm in self.trained for name in self.trains_on(arm)]
        return tuple(dict.fromkeys([*training_names, self.content["val"], *(test.data for test in self.tests)]))

    def trains_on(self, arm: dict) -> tuple[str, ...]:
        """Names of the data sets that an arm is trained on: its own, or those of the whole plan."""
        names = arm.get("train", self.content.get("train"))
        if isinstance(names, str) or not names:
            raise TypeError(f"train: expected a list of data sets, found {names!r}")
        return tuple(map(str, names))

    def only(self, seeds: Sequence[int]) -> Plan:
        """The same plan with some of its seeds. Raises `LookwhereError` for one that it does not have."""
        if unknown := sorted(set(seeds) - set(self.content["seeds"])):
            all_seeds = ", ".join(map(str, self.content["seeds"]))
            raise LookwhereError(f"--seeds: {self.file} has no seed {unknown[0]}; it has {all_seeds}")
        remaining = [seed for seed in self.content["seeds"] if seed in seeds]
        return Plan(self.file, self.content | {"seeds": remaining, "all seeds": self.content["seeds"]})

    def runs(self) -> list[tuple[str, dict, int]]:
        """(name, arm, seed) of each training run; a seed's arms one after another."""
        return [(run_name(arm["name"], seed), arm, seed) for seed in self.content["seeds"] for arm in self.trained]

    def config(self, arm: dict, seed: int) -> dict:
        """The settings of a run: the shared file's, then the arm's, then the seed."""
        file = self.file.parent / str(self.content["config"])
        base, own = read_yaml(file), arm.get("settings", {})
        splits = self.content.get("splits", {})
        if not isinstance(splits, dict) or not splits.keys() <= {*self.data_sets}:
            raise LookwhereError(f"{self.file}: splits: expected a split for each of some data sets, found {splits!r}")
        for settings, origin in ((base, file), (own, self.file)):
            if not isinstance(settings, dict):
                raise LookwhereError(f"{origin}: expected settings, lines of «key: value»")
        if splits:
            own = {"splits": [splits.get(name, "own") for name in self.trains_on(arm)]} | own
        return base | own | {"seed": seed}


@dataclass(frozen=True)
class Stores:
    """The aligned stores of a plan by the names that it gives its data sets; one under "" where it names none."""

    plan: Plan
    paths: dict[str, Path]

    @classmethod
    def from_arguments(cls, plan: Plan, arguments: Sequence[str | Path]) -> Stores:
        """From `PATH`, or `NAME=PATH` for each data set of the plan. Raises `LookwhereError` where one is missing,
        named twice or not in the plan."""
        words = [str(argument) for argument in arguments]
        if not plan.several:
            if len(words) != 1:
                raise LookwhereError(f"--data: {plan.file} takes one aligned store, given are {len(words)}")
            return cls(plan, {"": Path(words[0])})
        pairs = [word.partition("=") for word in words]
        paths = {name: Path(path) for name, equals, path in pairs if equals}
        form = " ".join(f"{name}=STORE" for name in plan.data_sets)
        if len(paths) < len(words) or set(paths) != set(plan.data_sets):
            raise LookwhereError(f"--data: {plan.file} takes {form}")
        return cls(plan, paths)

    def open(self, name: str) -> AlignedStore:
        """Raises `LookwhereError` where the store is missing or damaged."""
        return opened_store(self.paths[name])

    def of_run(self, arm: dict) -> tuple[list[AlignedStore], AlignedStore]:
        """What an arm's run is trained on, and what it is validated on."""
        if not self.plan.several:
            store = self.open("")
            return [store], store
        return [self.open(name) for name in self.plan.trains_on(arm)], self.open(self.plan.content["val"])

    def arguments(self, arm: dict) -> list[str]:
        """What `python -m train` is told of the data of an arm's run."""
        if not self.plan.several:
            return ["--data", str(self.paths[""])]
        paths = [str(self.paths[name]) for name in self.plan.trains_on(arm)]
        more = ["--all-of-val"] if self.plan.content.get("all_of_val") is True else []
        return ["--train", *paths, "--val", str(self.paths[self.plan.content["val"]]), *more]
