"""A recipe and its networks: what is said of a way of training has to hold over seeds, not of one network."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from core.analysis.bootstrap import resampled_sums
from core.analysis.comparison.contrasts import SAMPLES, Effect, arm_groups, t_interval
from core.analysis.comparison.experiment import FOLDER, Experiment, list_experiments, open_experiment
from core.analysis.comparison.paired import group_mask, groups_by
from core.audit.catalogue import same_faces
from core.audit.folder import Audit, open_audit, read_manifest
from core.classifiers.info import ModelInfo, model_info
from core.data.faces import people
from core.data.filters import Filter
from core.errors import LookwhereError
from core.estimate import Estimate
from core.task import GENDERS
from core.training.config import Stage, TrainConfig


@dataclass(frozen=True)
class Recipe:
    """Networks that were trained alike but for the seed, audited on the same faces; the open one first.

    `experiment` is the name of the experiment that the others are of.
    """

    experiment: str
    networks: Experiment

    @property
    def audits(self) -> tuple[Audit, ...]:
        """Their audits, the open one first."""
        return self.networks.audits(self.networks.arms[0].name)


@dataclass(frozen=True)
class MethodAccuracy:
    """Accuracy of a recipe within a filter: `overall`, women `less_men` (None where one gender has no face), and the
    least accurate group of each network by its counts (gender, ethnicity), in the order of networks."""

    faces: int
    overall: Effect
    less_men: Effect | None
    least: tuple[tuple[str, str], ...]


def experiment_files(audit: Audit) -> tuple[Path, ...]:
    """The files of the experiments beside an audit's model, which `recipe_of` depends on."""
    return tuple(sorted((audit.path.absolute().parents[2] / FOLDER).glob("*/experiment.json")))


def recipe_of(audit: Audit) -> Recipe | None:
    """The further networks of the recipe of an audit's model, in the folder `experiments` beside it; None without any.

    Alike are all settings but the seed, the data and the teachers. A copy of the model itself, as of a seed whose
    weights were shipped, does not count.
    """
    folder: Path = audit.path.absolute().parents[1]
    try:
        own = model_info(folder)
    except LookwhereError:
        return None
    if not own.trained_here or own.training is None or own.data is None:
        return None
    for name in list_experiments(folder.parent):
        try:
            partners = _alike(open_experiment(folder.parent / FOLDER / name), own, audit)
        except LookwhereError:  # a damaged experiment is told where it is asked for
            continue
        if partners:
            return Recipe(name, Experiment.of_audits(folder.name, [audit, *partners]))
    return None


def _alike(experiment: Experiment, own: ModelInfo, audit: Audit) -> list[Audit]:
    """Audits of the experiment's networks of this recipe on the same faces, one of each network."""
    weights, audits = {audit.manifest.weights_sha256}, []
    for network, test in itertools.product(_networks(experiment, own), experiment.tests):
        manifest = read_manifest(network / "audits" / test)
        if manifest.weights_sha256 not in weights and same_faces(manifest) == same_faces(audit.manifest):
            weights.add(manifest.weights_sha256)
            audits.append(open_audit(network / "audits" / test))
    return audits


def _networks(experiment: Experiment, own: ModelInfo) -> Iterator[Path]:
    """The folders of the experiment's networks that were trained with the settings of `own`, those that are whole."""
    for model in (model for arm in experiment.arms for model in arm.models):
        try:
            partner = model_info(experiment.path / model)
        except LookwhereError:
            continue
        if _settings(partner) == _settings(own):
            yield experiment.path / model


def _settings(info: ModelInfo) -> tuple:
    """What two networks of one recipe have in common: settings but for the seed, data, teachers, a last layer trained
    again. A setting that was not there yet when a network was trained has its default."""
    training = _completed(info.training.to_json() if info.training else {}, _defaults())
    training["stages"] = [_completed(stage, asdict(Stage())) for stage in training["stages"]]
    settings = {key: value for key, value in training.items() if key not in ("seed", "keep_every", "enlarge")}
    data = (info.data.fingerprint, tuple(sorted(info.data.faces.items()))) if info.data else ()
    return (repr(sorted(settings.items())), data, tuple(teacher.weights_sha256 for teacher in info.teachers), info.head)


@cache
def _defaults() -> dict[str, Any]:
    """The settings of a training of which nothing was said, as JSON has them."""
    return json.loads(json.dumps(asdict(TrainConfig())))


def _completed(settings: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Settings with the defaults of those that are not among them, part by part."""
    completed = defaults | settings
    for name, default in defaults.items():
        if isinstance(default, dict) and isinstance(settings.get(name), dict):
            completed[name] = _completed(settings[name], default)
    return completed


def method_accuracy(recipe: Recipe, filter: Filter, *, samples: int = SAMPLES, seed: int = 0) -> MethodAccuracy:
    """Accuracies over networks and faces: each `Effect` has Student's interval over networks and that of networks and
    faces resampled. Raises `LookwhereError` where no face passes the filter."""
    name = recipe.networks.arms[0].name
    [(n, overall)] = arm_groups(recipe.networks, name, [("", "")], filter, samples=samples, seed=seed)
    first = recipe.audits[0]
    keep = filter.mask(first.faces)
    faces = first.faces[keep]
    correct = np.stack([audit.faces["correct"].to_numpy(dtype=bool)[keep] for audit in recipe.audits], axis=1)
    genders = [group_mask(faces, gender, "") for gender in GENDERS]
    less = None
    if first.task.is_gender and all(mask.any() for mask in genders):
        less = _difference(correct, genders, people(faces), samples, seed)
    groups = [(pair, group_mask(faces, *pair)) for pair in groups_by(first, filter)]
    rates = np.stack([correct[mask].mean(axis=0) for _, mask in groups])
    return MethodAccuracy(n, overall, less, tuple(groups[place][0] for place in rates.argmin(axis=0)))


def _difference(
    correct: np.ndarray, masks: Sequence[np.ndarray], persons: np.ndarray | None, samples: int, seed: int
) -> Effect:
    """The first mask's accuracy less the second's, of `correct` bool (n, networks), as an `Effect`."""
    draw = np.random.default_rng(seed)
    ones = np.column_stack([np.ones(len(correct), dtype=bool), correct])
    values = np.stack([mask[:, None] & ones for mask in masks], axis=1)
    flat = values.reshape(len(correct), -1)
    resampled_values = resampled_sums(flat, persons, samples, draw).reshape(samples, *values.shape[1:])

    def difference(sums: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            rates = sums[..., 1:] / sums[..., :1]
        return rates[..., 0, :] - rates[..., 1, :]

    by_network, resampled = difference(values.sum(axis=0, dtype=np.float64)), difference(resampled_values)
    networks = len(by_network)
    picked = draw.integers(0, networks, (samples, networks))
    means = np.take_along_axis(resampled, picked, axis=1).mean(axis=1)
    low, high = np.nanquantile(means, [0.025, 0.975])
    mean = t_interval(by_network)
    return Effect(tuple(map(float, by_network)), mean, Estimate(mean.value, float(low), float(high)))
