"""Reading an experiment: arms of several seeds, audited on the same faces, and the contrasts it was made for."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import pandas as pd

from core.audit.catalogue import align_audits, may_share_faces, restricted, same_faces
from core.audit.folder import Audit, open_audit, read_manifest
from core.errors import LookwhereError
from core.files import plain_name
from core.json_record import parsed, untouched
from core.task import GENDERS

FORMAT = 1
#: What `experiment.json` has, beside its digest.
KEYS = ("format", "name", "title", "config", "audit", "arms", "contrasts", "audits", "pictures", "validation", "only")
FOLDER = "experiments"
_COMMON = "faces that all have"


class Expectation(StrEnum):
    """What a claim expects of «to» less «from», as `experiment.json` spells it."""

    LOWER = "lower"
    CHANGE = "change"
    HIGHER = "higher"

    @property
    def sign(self) -> int:
        """−1, 1, or 0 for a change either way."""
        return {Expectation.LOWER: -1, Expectation.CHANGE: 0, Expectation.HIGHER: 1}[self]


class Measure(StrEnum):
    """What a claim may be of, as `experiment.json` spells it, in the order in which measures are shown."""

    GROUP = "group"
    OTHERS = "others"
    EXTRA = "group less others"
    OVERALL = "overall"
    WORST = "worst group"
    #: The best group's accuracy less the worst's.
    GAP = "largest gap"
    #: Of all faces of the group's ethnicity: how well women are ranked under men, whatever the threshold.
    AREA = "area under the curve"
    #: Of all faces of the group's ethnicity: accuracy at the threshold where women and men are right equally often.
    OWN = "own threshold"


@dataclass(frozen=True)
class Arm:
    """One way of training, and its models, a seed each."""

    name: str
    title: str
    models: tuple[str, ...]


@dataclass(frozen=True)
class Claim:
    """A contrast as `experiment.json` has it: `group` as "female Black"; `expect` and `measure` decide the verdict.

    `finding`: which of the study's claims it answers («4», «5»), or empty. `control`: it is there to be compared with,
    as another group left out is.
    """

    name: str
    start: str
    end: str
    group: str
    question: str
    expect: Expectation
    measure: Measure
    finding: str = ""
    control: bool = False


@dataclass(frozen=True)
class Experiment:
    """An opened experiment; its audits are opened when asked for, once.

    `audit` is the one that all is said of, `tests` are all that models have, `audit` among them: every model, or those
    of the arms that `only` names for a test. `pictures` is the folder of one more audit, of one model, that keeps
    average faces; None where there is none. `validation` names the data set validated on, where its store does not.
    """

    name: str
    title: str
    path: Path
    config: str
    audit: str
    arms: tuple[Arm, ...]
    claims: tuple[Claim, ...]
    tests: tuple[str, ...] = ()
    pictures: Path | None = None
    validation: str = ""
    only: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: By audit, then by model and arm: `on` hands it on, so that nothing is opened twice.
    _opened: dict = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of_audits(cls, name: str, audits: Sequence[Audit]) -> Experiment:
        """Audits of networks that differ by the seed alone as an experiment of one arm, called as `name`; the first
        one's folder stands for it. All must be of the same faces (`same_faces`)."""
        models = tuple(str(number) for number in range(len(audits)))
        arm, first = Arm(name, name, models), audits[0]
        opened: dict[tuple[str, ...], Any] = {(first.name, n): audit for n, audit in zip(models, audits, strict=True)}
        opened[first.name, _COMMON] = None
        return cls(name, name, first.path, "", first.name, (arm,), (), (first.name,), _opened=opened)

    def arm(self, name: str) -> Arm:
        """Raises `LookwhereError` naming the arms there are."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise LookwhereError(f"{self.path}: no arm {name!r}; there are {', '.join(a.name for a in self.arms)}")

    def on(self, audit: str) -> Experiment:
        """The same experiment on the faces of another of its `tests`, with the arms that were audited on them and the
        contrasts between these. Raises `LookwhereError` naming the tests."""
        if audit not in self.tests:
            raise LookwhereError(f"{self.path}: no audit {audit!r}; there are {', '.join(self.tests)}")
        arms = tuple(arm for arm in self.arms if self.has(arm.name, audit))
        names = [arm.name for arm in arms]
        claims = tuple(claim for claim in self.claims if claim.start in names and claim.end in names)
        return replace(self, audit=audit, arms=arms, claims=claims)

    def has(self, arm: str, audit: str) -> bool:
        """Whether an arm's models were audited on a test's faces."""
        return audit not in self.only or arm in self.only[audit]

    def audits(self, arm: str) -> tuple[Audit, ...]:
        """The arm's audits by seed, their faces in the order of the experiment's first audit.

        Arms that were trained on different data leave different copies of their training faces out of their audits:
        all are then of the faces that every one has.
        """
        models = self.arm(arm).models
        if (key := (self.audit, "", arm)) not in self._opened:
            common = self._common_faces()
            if common is not None:
                self._opened[key] = tuple(restricted(self._open(model), common) for model in models)
            else:
                first = self._open(self.arms[0].models[0])
                self._opened[key] = align_audits([first, *map(self._open, models)])[1:]
        return self._opened[key]

    def _common_faces(self) -> pd.Index | None:
        """The ids of the faces that every model was audited on; None where all were audited on the same."""
        if (key := (self.audit, _COMMON)) not in self._opened:
            paths = [self.path / model / "audits" / self.audit for arm in self.arms for model in arm.models]
            manifests = [read_manifest(path) for path in paths]
            common = None
            alike = all(may_share_faces(manifests[0], manifest) for manifest in manifests)
            if alike and len({(manifest.faces, manifest.face_ids_sha256) for manifest in manifests}) > 1:
                ids = [pd.read_parquet(path / "faces.parquet", columns=["face_id"])["face_id"] for path in paths]
                common = pd.Index(ids[0])
                for face_ids in ids[1:]:
                    common = common[common.isin(face_ids)]
            self._opened[key] = common if common is not None and len(common) else None
        return self._opened[key]

    def _open(self, model: str) -> Audit:
        if (key := (self.audit, model)) not in self._opened:
            self._opened[key] = open_audit(self.path / model / "audits" / self.audit)
        return self._opened[key]


def list_experiments(models: str | Path) -> list[str]:
    """Names of the experiments under a folder of models, sorted."""
    return sorted(p.parent.name for p in (Path(models) / FOLDER).glob("[!.]*/experiment.json"))


def experiment_for(models: str | Path, audit: Audit) -> Experiment | None:
    """The experiment under a folder of models whose networks were audited on an audit's faces; None without one.

    And None for an imported model: an experiment on networks of ours says nothing of the cause of its gaps.
    """
    if not audit.manifest.trained_here:
        return None
    for name in list_experiments(models):
        experiment = open_experiment(Path(models) / FOLDER / name)
        if not experiment.claims:
            continue
        first = read_manifest(experiment.path / experiment.arms[0].models[0] / "audits" / experiment.audit)
        if same_faces(first) == same_faces(audit.manifest):
            return experiment
    return None


def open_experiment(path: str | Path) -> Experiment:
    """Raises `LookwhereError`, in one line, where `experiment.json` or an audit is missing, damaged or at odds."""
    path = Path(path)
    file = path / "experiment.json"
    mend = "restore it, or make the experiment again with `python -m train.experiments`"
    try:
        content = parsed(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise LookwhereError(f"{file}: missing or not readable; {mend}") from error
    except ValueError as error:
        raise LookwhereError(f"{file}: not valid JSON ({error}); {mend}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        written_format = content.get("format") if isinstance(content, dict) else None
        raise LookwhereError(f"{file}: format {written_format}, this version reads {FORMAT}; {mend}")
    if not untouched(content, KEYS):
        raise LookwhereError(f"{file}: changed since it was written; {mend}")
    try:
        arms = tuple(_arm(a) for a in content["arms"])
        claims = tuple(_claim(c, file) for c in content["contrasts"])
        audit = _text(content, "audit")
        tests = _texts(content, "audits") if "audits" in content else (audit,)
        images = content.get("pictures")
        pictures = path / plain_name(images["model"]) / "audits" / plain_name(images["audit"]) if images else None
        experiment = Experiment(
            _text(content, "name"), _text(content, "title"), path, _text(content, "config", ""), audit, arms, claims,
            tests, pictures, _text(content, "validation", ""),
            {test: _texts(content["only"], test) for test, _ in content.get("only", {}).items()},
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError) as error:
        raise LookwhereError(f"{file}: lacks or misshapes {error}; {mend}") from error
    _check(experiment, file)
    return experiment


def _text(entry: dict, key: str, default: str | None = None) -> str:
    """The text under a key; raises `KeyError` where there is none and no default, `TypeError` where it is no text."""
    value = entry[key] if default is None else entry.get(key, default)
    if not isinstance(value, str):
        raise TypeError(f"{key}, which must be a text")
    return value


def _texts(entry: dict, key: str) -> tuple[str, ...]:
    """The texts in the list under a key; raises `KeyError` and `TypeError` as `_text`."""
    if not isinstance(entry[key], list) or not all(isinstance(text, str) for text in entry[key]):
        raise TypeError(f"{key}, which must be a list of texts")
    return tuple(entry[key])


def _arm(entry: dict) -> Arm:
    """An arm of `experiment.json`; raises `KeyError` and `TypeError` as `_text`."""
    name = _text(entry, "name")
    return Arm(name, _text(entry, "title", name), _texts(entry, "models"))


def _claim(entry: dict, file: Path) -> Claim:
    """A contrast of `experiment.json`; raises `LookwhereError` for an expectation or measure that is none, `KeyError`
    and `TypeError` as `_text`."""
    name, start, end = (_text(entry, key) for key in ("name", "from", "to"))
    group = "" if entry.get("group") is None else _text(entry, "group")
    try:
        expect = Expectation(entry.get("expect", Expectation.CHANGE))
        measure = Measure(entry.get("measure") or (Measure.GROUP if group else Measure.WORST))
    except ValueError as error:
        raise LookwhereError(
            f"{file}: contrast {name!r}: expect must be one of {', '.join(Expectation)}, measure of "
            f"{', '.join(Measure)}"
        ) from error
    question, finding = _text(entry, "question", ""), str(entry.get("finding", ""))
    return Claim(name, start, end, group, question, expect, measure, finding, entry.get("control") is True)


def _check(experiment: Experiment, file: Path) -> None:
    names = [arm.name for arm in experiment.arms]
    if not names or len(set(names)) < len(names):
        raise LookwhereError(f"{file}: arms must be there and have names of their own, found {names}")
    for name in {experiment.audit, *experiment.tests, *itertools.chain(*(arm.models for arm in experiment.arms))}:
        plain_name(name, f"{file}: the name")  # of a folder beside it, and nowhere else
    for arm in experiment.arms:
        if not arm.models:
            raise LookwhereError(f"{file}: arm {arm.name!r} has no models")
        tests = [test for test in (experiment.audit, *experiment.tests) if experiment.has(arm.name, test)]
        for model, name in itertools.product(arm.models, tests):
            audit = experiment.path / model / "audits" / name / "audit.json"
            if not audit.is_file():
                raise LookwhereError(f"{file}: arm {arm.name!r} names {model}, but {audit} is missing; restore it")
    for claim in experiment.claims:
        where = f"{file}: contrast {claim.name!r}"
        for arm in (claim.start, claim.end):
            if arm not in names:
                raise LookwhereError(f"{where} names no arm: {arm!r}; there are {', '.join(names)}")
        seeds = [len(experiment.arm(arm).models) for arm in (claim.start, claim.end)]
        if seeds[0] != seeds[1]:
            raise LookwhereError(f"{where}: {seeds[0]} seeds against {seeds[1]}; seeds are paired one by one")
        parse_group(claim.group)


def parse_group(group: str) -> tuple[str, str]:
    """(gender, ethnicity) of "female Black", "female" or "Black"; what is not named is empty."""
    gender, _, ethnicity = group.partition(" ")
    return (gender, ethnicity) if gender in GENDERS else ("", group)
