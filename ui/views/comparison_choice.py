"""Which models are compared, and their cached comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

import ui.shell.open_audit
from core.analysis.comparison import (
    Claim,
    Contrast,
    Experiment,
    arm_estimates,
    arm_table,
    claim_contrast,
    list_experiments,
    open_experiment,
)
from core.analysis.comparison.paired import PairedMapDifference, average_face, paired_by_group, paired_map_difference
from core.audit.catalogue import align_audits, same_faces
from core.audit.folder import Audit, list_audits, read_manifest
from core.classifiers.info import list_models
from core.data.filters import Filter
from core.errors import LookwhereError
from core.present.text import escape
from core.wording import capital
from ui.shell.cache import kept
from ui.shell.open_audit import audit_of
from ui.shell.page import Page
from ui.widgets import controls

OWN = "my own choice of models"
LETTERS = "ABCD"
SECOND = """
**{label}** is the only model audited on these faces. A second one to compare it with is made by training another, or by
auditing one that is there already, on the same data and split:

```
python -m train --data data/aligned/utkface --name second --config train/configs/utkface.yaml
python -m core audit --model second --data data/aligned/utkface
```
"""


@dataclass(frozen=True)
class Candidate:
    """An audited model: its name on the page, its audit's folder, and what tells the faces (`same_faces`)."""

    label: str
    path: Path
    faces: tuple

    def open(self) -> Audit:
        """The audit, opened once."""
        return audit_of(self.path / "audit.json")


@dataclass(frozen=True)
class Choice:
    """The models that are compared, the first with each other one, and the experiment's claim they stand for."""

    models: tuple[Candidate, ...]
    others: tuple[Candidate, ...]
    experiment: Experiment | None = None
    claim: Claim | None = None


@kept(entries=4, shared=True)
def _experiment(folder: Path, files: tuple[Path, ...]) -> Experiment:
    return open_experiment(folder)


def experiments() -> list[Experiment]:
    """All that can be opened; those that cannot are told on the page, and the rest goes on."""
    found, root = [], ui.shell.open_audit.MODELS
    for name in list_experiments(root):
        folder = root / "experiments" / name
        try:
            files = (folder / "experiment.json", *sorted(folder.glob("*/audits/*/audit.json")))
            found.append(_experiment(folder, files))
        except LookwhereError as error:
            st.warning(escape.markdown(error))
    return found


def candidates(known: list[Experiment]) -> list[Candidate]:
    """Every audited model: those of the models folder, then the experiments' by arm and seed."""
    places = []
    for model in list_models(ui.shell.open_audit.MODELS):
        audits = list_audits(ui.shell.open_audit.MODELS / model)
        label = "{} · {}" if len(audits) > 1 else "{}"
        places += [(label.format(model, a), ui.shell.open_audit.MODELS / model / "audits" / a) for a in audits]
    for one in known:
        places += [
            (f"{one.name} / {arm.name} / seed {seed}", one.path / model / "audits" / one.audit)
            for arm in one.arms
            for seed, model in enumerate(arm.models)
        ]
    found = []
    for label, path in places:
        try:
            found.append(Candidate(label, path, same_faces(read_manifest(path))))
        except LookwhereError as error:
            st.warning(escape.markdown(error))
    return found


def choose_models(p: Page) -> Choice:
    """Draw the pickers: an experiment's contrast and a seed, or two to four models. Stops the page without a pair."""
    known = experiments()
    found = candidates(known)
    prefix = len(known) > 1
    presets = {(f"{e.name}: " if prefix else "") + preset_name(c): (e, c) for e in known for c in e.claims}
    with st.container(border=True, key="models"):
        preset = OWN
        if presets:
            preset = controls.always(
                "Compare", [*presets, OWN], next(iter(presets)), key="contrast", aliases=_preset_aliases(presets),
                help="A contrast of an experiment: the same training but for one thing. Seed k of one arm and seed k "
                "of the other began with the same weights and saw the faces in the same order.",
            )  # fmt: skip
        if preset != OWN:
            experiment, claim = presets[preset]
            seeds = list(range(len(experiment.arm(claim.start).models)))
            seed = controls.segments(
                "Seed", seeds, default=0, key="seed",
                help="The figures and maps below are of this seed's pair; the last part is of all seeds.",
            )  # fmt: skip
            labels = [f"{experiment.name} / {arm} / seed {seed}" for arm in (claim.start, claim.end)]
            chosen = tuple(next(c for c in found if c.label == label) for label in labels)
            return Choice(chosen, _others(found, chosen), experiment, claim)
        return _own(p, found)


def _own(p: Page, found: list[Candidate]) -> Choice:
    here = ui.shell.open_audit.MODELS / str(p.opened.model) / "audits" / str(p.opened.audit)
    start = next((n for n, c in enumerate(found) if c.path == here), 0)
    count = controls.segments("Models", [2, 3, 4], default=2, key="models_count")
    columns = st.columns(count)
    labels, aliases = [c.label for c in found], _aliases(found)
    first = controls.always("Model A", labels, labels[start], key="model_a", place=columns[0], aliases=aliases)
    chosen = [found[labels.index(first)]]
    rest = [c for c in found if c.faces == chosen[0].faces and c != chosen[0]]
    if not rest:
        p.headline(f"Nothing can be compared yet: {first} is the only model audited on these faces.")
        st.info(SECOND.format(label=escape.markdown(first)))
        st.stop()
    for letter, column in zip(LETTERS[1:count], columns[1:], strict=True):
        names = [c.label for c in rest]
        if not names:
            column.caption("No further model is audited on these faces.")
            break
        quiet = st.session_state.get("compared_with") not in (None, first)
        key = f"model_{letter.lower()}"
        picked = controls.always(
            f"Model {letter}", names, names[0], key=key, place=column, quiet=quiet, aliases=aliases
        )
        chosen.append(rest.pop(names.index(picked)))
    st.session_state.compared_with = first
    return Choice(tuple(chosen), _others(found, tuple(chosen)))


def _aliases(found: list[Candidate]) -> dict[str, str]:
    """What links may call a model besides its label: with its audit's name, and without, as when it had only one."""
    names: dict[str, str] = {}
    root = ui.shell.open_audit.MODELS
    for one in found:
        model, audit = one.path.parent.parent, one.path.name
        if model.parent == root:
            names[f"{model.name} · {audit}"] = one.label
            if audit == ui.shell.open_audit.default_audit(model):
                names[model.name] = one.label
    return names


def _preset_aliases(presets: dict[str, tuple[Experiment, Claim]]) -> dict[str, str]:
    """What links may call a contrast besides its label: with its experiment's name, and without."""
    names: dict[str, str] = {}
    for label, (experiment, claim) in presets.items():
        names.setdefault(preset_name(claim), label)
        names[f"{experiment.name}: {preset_name(claim)}"] = label
    return names


def _others(found: list[Candidate], chosen: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """Other audits of the same faces: they may hold the average faces that an experiment's audits leave out."""
    return tuple(c for c in found if c.faces == chosen[0].faces and c not in chosen)


def preset_name(claim: Claim) -> str:
    """«leaving out Black women: everyone → without Black women»."""
    return f"{claim.name}: {claim.start.replace('-', ' ')} → {claim.end.replace('-', ' ')}"


@kept(entries=8, shared=True)
def _pair(a: Audit, b: Audit) -> tuple[Audit, Audit]:
    return align_audits([a, b])


def first_audit(choice: Choice) -> Audit:
    """The first model's audit, by which the filter bar goes."""
    return choice.models[0].open()


@kept(entries=64)
def _table(a: Audit, b: Audit, filter: Filter) -> pd.DataFrame:
    return paired_by_group(*_pair(a, b), within=filter)


def paired_tables(choice: Choice, filter: Filter) -> dict[str, pd.DataFrame]:
    """`paired_by_group` of each other model against the first, by its label."""
    first, *others = choice.models
    return {other.label: _table(first.open(), other.open(), filter) for other in others}


def methods(choice: Choice) -> list[str]:
    """How each chosen model's maps were made, in order; «none» where only predictions were imported."""
    return [one.open().map_method for one in choice.models]


@kept(entries=128)
def _map_difference(a: Audit, b: Audit, filter: Filter, target: str) -> PairedMapDifference:
    first, second = _pair(a, b)
    return paired_map_difference(first, second, filter.mask(first.faces), target)


def map_difference(a: Candidate, b: Candidate, filter: Filter, target: str) -> PairedMapDifference:
    """The paired difference of two models' maps of the faces in a filter."""
    return _map_difference(a.open(), b.open(), filter, target)


def face(choice: Choice, filter: Filter) -> tuple[np.ndarray | None, int]:
    """From the chosen models' audits, else from any other of the same faces, opened one by one."""
    for one in (*choice.models, *choice.others):
        average, n = average_face([one.open()], filter)
        if n:
            return average, n
    return None, 0


@kept(entries=32)
def arms(experiment: Experiment, filter: Filter) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`arm_table` and `arm_estimates`."""
    return arm_table(experiment, filter), arm_estimates(experiment, filter)


_claim_contrast = kept(entries=64)(claim_contrast)


def contrast_of(choice: Choice, filter: Filter) -> Contrast | None:
    """The chosen claim over all seeds, or None; what a filter leaves out is told on the page."""
    if choice.experiment is None:
        return None
    try:
        return _claim_contrast(choice.experiment, choice.claim, filter)
    except LookwhereError as error:
        st.warning(escape.markdown(capital(str(error))) + ".")
        return None
