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
from core.analysis.comparison.paired import (
    PairedMapDifference,
    average_face,
    paired_across,
    paired_by_group,
    paired_map_difference,
)
from core.audit.catalogue import CommonFaces, common_faces, may_share_faces, same_faces, share_ids
from core.audit.folder import Audit, list_audits, read_manifest
from core.audit.manifest import AuditManifest
from core.classifiers.info import list_models
from core.data.filters import Filter
from core.data.store_names import store_to_name
from core.errors import LookwhereError
from core.present.text import escape
from core.present.text.task import target_flag
from core.wording import capital
from ui.shell.cache import kept
from ui.shell.open_audit import audit_of
from ui.shell.page import Page
from ui.shell.visitor import for_visitor
from ui.widgets import controls, terms

OWN = "my own choice of models"
LETTERS = "ABCD"
SECOND = """
**{label}** is the only model audited on these faces. A second one to compare it with is made by training another, or by
auditing one that is there already, on the same data and split:

```
python -m train --data {store} --name second{target}
python -m core audit --model second --data {store}
```
"""


@dataclass(frozen=True)
class Candidate:
    """An audited model: its name on the page, its audit's folder, and its manifest."""

    label: str
    path: Path
    manifest: AuditManifest

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
    result, root = [], ui.shell.open_audit.MODELS
    for name in list_experiments(root):
        folder = root / "experiments" / name
        try:
            files = (folder / "experiment.json", *sorted(folder.glob("*/audits/*/audit.json")))
            result.append(_experiment(folder, files))
        except LookwhereError as error:
            st.warning(escape.sentence(for_visitor(error)))
    return result


def candidates(experiments: list[Experiment]) -> list[Candidate]:
    """Every audited model: those of the models folder, then the experiments' by arm and seed."""
    places = []
    for model in list_models(ui.shell.open_audit.MODELS):
        audits = list_audits(ui.shell.open_audit.MODELS / model)
        label = "{} · {}" if len(audits) > 1 else "{}"
        places += [(label.format(model, a), ui.shell.open_audit.MODELS / model / "audits" / a) for a in audits]
    for experiment in experiments:
        places += [
            (f"{experiment.name} / {arm.name} / seed {seed}", experiment.path / model / "audits" / experiment.audit)
            for arm in experiment.arms
            for seed, model in enumerate(arm.models)
        ]
    result = []
    for label, path in places:
        try:
            result.append(Candidate(label, path, read_manifest(path)))
        except LookwhereError as error:
            st.warning(escape.sentence(for_visitor(error)))
    return result


def choose_models(p: Page) -> Choice:
    """Draw the pickers: an experiment's contrast and a seed, or two to four models. Stops the page without a pair."""
    all_experiments = experiments()
    offered = candidates(all_experiments)
    prefix = len(all_experiments) > 1
    presets = {(f"{e.name}: " if prefix else "") + preset_name(c): (e, c) for e in all_experiments for c in e.claims}
    with st.container(border=True, key="models"):
        preset = OWN
        if presets:
            preset = controls.always(
                "Compare", [*presets, OWN], _first_preset(p, presets), key="contrast", aliases=_preset_aliases(presets),
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
            models = tuple(next(c for c in offered if c.label == label) for label in labels)
            return Choice(models, _others(offered, models), experiment, claim)
        return _own(p, offered)


def _first_preset(p: Page, presets: dict[str, tuple[Experiment, Claim]]) -> str:
    """What is compared at first: with the shipped study open its first contrast, else the open model with another."""
    return next(iter(presets)) if p.opened.model == ui.shell.open_audit.SHIPPED[0] else OWN


def _own(p: Page, offered: list[Candidate]) -> Choice:
    here = ui.shell.open_audit.MODELS / str(p.opened.model) / "audits" / str(p.opened.audit)
    start = next((n for n, c in enumerate(offered) if c.path == here), 0)
    count = controls.segments("Models", [2, 3, 4], default=2, key="models_count")
    columns = st.columns(count)
    labels, aliases = [c.label for c in offered], _aliases(offered)
    first = controls.always("Model A", labels, labels[start], key="model_a", place=columns[0], aliases=aliases)
    models = [offered[labels.index(first)]]
    rest = partners(offered, models[0])
    if not rest:
        p.headline(f"Nothing can be compared yet: {first} is the only model audited on these faces.")
        store = store_to_name(models[0].manifest.dataset)
        target = target_flag(models[0].manifest.task)
        st.info(SECOND.format(label=escape.markdown(first), store=store, target=target))
        st.stop()
    for letter, column in zip(LETTERS[1:count], columns[1:], strict=True):
        names = [c.label for c in rest]
        if not names:
            terms.caption("No further model is audited on these faces.", place=column)
            break
        quiet = st.session_state.get("compared_with") not in (None, first)
        key = f"model_{letter.lower()}"
        picked = controls.always(
            f"Model {letter}", names, first_made(rest, models[0]), key=key, place=column, quiet=quiet, aliases=aliases
        )
        models.append(rest.pop(names.index(picked)))
    st.session_state.compared_with = first
    return Choice(tuple(models), _others(offered, tuple(models)))


@kept(entries=64)
def _share_ids(first: Path, second: Path) -> bool:
    return share_ids(first.parent, second.parent)


def partners(offered: list[Candidate], of: Candidate) -> list[Candidate]:
    """The other audits that share faces with one: first those of exactly its faces."""
    fingerprint = of.manifest.data_fingerprint
    rest = [
        c
        for c in offered
        if c != of
        and may_share_faces(of.manifest, c.manifest)
        and (c.manifest.data_fingerprint == fingerprint or _share_ids(of.path / "audit.json", c.path / "audit.json"))
    ]
    return sorted(rest, key=lambda c: same_faces(c.manifest) != same_faces(of.manifest))


def first_made(rest: list[Candidate], of: Candidate) -> str:
    """The label of the partner that is chosen where an address names none: of exactly the same faces where there is
    one, rather a model than a network of an experiment, and made first, so that what is added later changes no link."""
    key, root = same_faces(of.manifest), ui.shell.open_audit.MODELS
    order = [
        (
            same_faces(c.manifest) != key,
            c.path.parent.parent.parent != root,
            (c.path / "audit.json").stat().st_mtime,
            n,
        )
        for n, c in enumerate(rest)
    ]
    return rest[min(order)[-1]].label


def _aliases(offered: list[Candidate]) -> dict[str, str]:
    """What links may call a model besides its label: with its audit's name, and without, as when it had only one."""
    names: dict[str, str] = {}
    root = ui.shell.open_audit.MODELS
    for candidate in offered:
        model, audit = candidate.path.parent.parent, candidate.path.name
        if model.parent == root:
            names[f"{model.name} · {audit}"] = candidate.label
            if audit == ui.shell.open_audit.default_audit(model):
                names[model.name] = candidate.label
    return names


def _preset_aliases(presets: dict[str, tuple[Experiment, Claim]]) -> dict[str, str]:
    """What links may call a contrast besides its label: with its experiment's name, and without."""
    names: dict[str, str] = {}
    for label, (experiment, claim) in presets.items():
        names.setdefault(preset_name(claim), label)
        names[f"{experiment.name}: {preset_name(claim)}"] = label
    return names


def _others(offered: list[Candidate], models: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """Other audits of the same faces: they may hold the average faces that an experiment's audits leave out."""
    key = same_faces(models[0].manifest)
    return tuple(c for c in offered if same_faces(c.manifest) == key and c not in models)


def preset_name(claim: Claim) -> str:
    """«leaving out Black women: everyone → without Black women»."""
    return f"{claim.name}: {claim.start.replace('-', ' ')} → {claim.end.replace('-', ' ')}"


@kept(entries=8, shared=True)
def _common(audits: list[Audit]) -> CommonFaces:
    return common_faces(audits)


def common(p: Page, choice: Choice) -> CommonFaces:
    """The chosen models' audits on the faces that all of them have; how many are left out is told.

    Stops the page where they have none.
    """
    try:
        shared = _common([candidate.open() for candidate in choice.models])
    except LookwhereError as error:
        p.headline("These models were audited on other faces.")
        st.info(escape.sentence(capital(for_visitor(error))) + ".")
        st.stop()
    if any(shared.left_out):
        counts = ", ".join(f"{n:,} of {letter}" for letter, n in zip(LETTERS, shared.left_out, strict=False))
        p.caption(f"Compared on the **{shared.count:,}** faces that all of them have; left out are {counts}.")
    return shared


def first_audit(choice: Choice) -> Audit:
    """The first model's audit, by which the filter bar goes."""
    return choice.models[0].open()


def need_faces(p: Page, shared: CommonFaces) -> None:
    """Stop the page where no common face passes the filter."""
    if not p.filter.mask(shared.audits[0].faces).any():
        p.headline("No common face passes this filter.")
        p.info("Widen the filter, or compare models that were audited on more of the same faces.")
        st.stop()


@kept(entries=64)
def _table(audits: list[Audit], number: int, filter: Filter) -> pd.DataFrame:
    common_audits = _common(audits).audits
    return paired_by_group(common_audits[0], common_audits[number], filter=filter)


def paired_tables(choice: Choice, filter: Filter) -> dict[str, pd.DataFrame]:
    """`paired_by_group` of each other model against the first, by its label."""
    audits = [candidate.open() for candidate in choice.models]
    return {candidate.label: _table(audits, n, filter) for n, candidate in enumerate(choice.models) if n}


@kept(entries=128)
def _across(audits: list[Audit], number: int, filter: Filter, by: tuple[str, ...]) -> pd.DataFrame:
    common_audits = _common(audits).audits
    return paired_across(common_audits[0], common_audits[number], by, filter, audits[0].columns)


def tables_across(choice: Choice, filter: Filter, by: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """`paired_across` of each other model against the first, by its label."""
    audits = [candidate.open() for candidate in choice.models]
    return {candidate.label: _across(audits, n, filter, by) for n, candidate in enumerate(choice.models) if n}


def methods(choice: Choice) -> list[str]:
    """How each chosen model's maps were made, in order; «none» where only predictions were imported."""
    return [candidate.open().map_method for candidate in choice.models]


@kept(entries=128)
def _map_difference(audits: list[Audit], number: int, filter: Filter, target: str) -> PairedMapDifference:
    common_audits = _common(audits).audits
    return paired_map_difference(common_audits[0], common_audits[number], filter.mask(common_audits[0].faces), target)


def map_differences(choice: Choice, filter: Filter, target: str) -> list[PairedMapDifference]:
    """The paired difference of each other model's maps and the first's, of the faces in a filter."""
    audits = [candidate.open() for candidate in choice.models]
    return [_map_difference(audits, n, filter, target) for n in range(1, len(audits))]


def face(choice: Choice, filter: Filter) -> tuple[np.ndarray | None, int]:
    """From the chosen models' audits, else from any other of the same faces, opened one by one."""
    for candidate in (*choice.models, *choice.others):
        average, n = average_face([candidate.open()], filter)
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
        st.warning(escape.sentence(capital(for_visitor(error))) + ".")
        return None
