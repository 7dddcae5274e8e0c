"""Ready-made classifiers of others on the same two data sets: what the board says of each, from their audits.

A board is a folder: `NAME.yaml` declares a model's input and tells, under `about`, where it and the facts come from;
`audits/NAME/DATASET` are its audits, without weights, maps or average faces; `maps/NAME.json` has average maps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.analysis.accuracy.by_group import accuracy_by
from core.analysis.accuracy.simultaneous import largest_gap
from core.analysis.comparison.board_maps import FOLDER as MAPS
from core.analysis.comparison.board_maps import ModelMaps, of_audits, read_maps
from core.analysis.comparison.paired import mcnemar
from core.analysis.intervals import clopper_pearson, holm, newcombe
from core.audit.folder import Audit, open_audit
from core.data.faces import ADULT_AGE
from core.data.filters import Filter
from core.errors import LookwhereError
from core.task import GENDERS
from core.yaml_file import read_yaml

#: The data set that a model is thought to have seen, or not, and the one that it is compared with.
HOME, ABROAD = "utkface", "fairface"
DATA_SETS = {ABROAD: "FairFace-val-1000", HOME: "UTKFace, test split"}
#: Whose maps are averaged.
ADULTS = Filter(age_from=ADULT_AGE)
#: How much farther a model's accuracy at home may lie above that abroad than the other models' do.
EVIDENT = 0.05
#: With which probability the intervals of all groups of a model hold together.
LEVEL = 0.95


@dataclass(frozen=True)
class BoardModel:
    """A model of the board: its name, what its declaration's `about` says, its audits by data set, and its maps."""

    name: str
    about: Mapping[str, object]
    audits: Mapping[str, Audit]
    maps: ModelMaps | None = None

    @property
    def title(self) -> str:
        """What it is called."""
        return str(self.about.get("title", self.name))


def open_board(folder: Path, own: Mapping[str, Mapping[str, Path]] | None = None) -> list[BoardModel]:
    """The models of a board that have audits, by title; `own` are models of ours, with the folders of their audits.

    Raises `LookwhereError` where a declaration or an audit is broken, or there is no audit at all.
    """
    models = []
    for name, paths in (own or {}).items():
        audits = _audits(paths)
        models.append(BoardModel(name, {"title": name}, audits, of_audits(audits, ADULTS)))
    for file in sorted(folder.glob("*.yaml")):
        content = read_yaml(file)
        about = content.get("about", {}) if isinstance(content, dict) else {}
        if not isinstance(about, dict):
            raise LookwhereError(f"{file}: about: expected «key: value», found {about!r}")
        audits = _audits({data: folder / "audits" / file.stem / data for data in DATA_SETS})
        if audits:
            maps = folder / MAPS / f"{file.stem}.json"
            models.append(BoardModel(file.stem, about, audits, read_maps(maps) if maps.is_file() else None))
    if not models:
        raise LookwhereError(f"{folder}: no audit of a model in it; make them with `python -m core board --files …`")
    return models


def _audits(paths: Mapping[str, Path]) -> dict[str, Audit]:
    return {data: open_audit(path) for data, path in paths.items() if (path / "audit.json").is_file()}


def accuracy_table(models: list[BoardModel], data: str, filter: Filter) -> pd.DataFrame:
    """A row a model and group: `model`, `gender`, `ethnicity`, `n`, `correct`, `accuracy`, and `low` and `high` that
    cover all groups of the model together (95 %): Clopper & Pearson's exact ones at Šidák's level, for groups of any
    size."""
    tables = []
    for model in _with(models, data):
        table = accuracy_by(_faces(model.audits[data], filter), ["gender", "ethnicity"])
        k, n = table["correct"].to_numpy(dtype=float), table["n"].to_numpy(dtype=float)
        low, high = clopper_pearson(k, n, LEVEL ** (1 / len(table)))
        tables.append(table.assign(model=model.title, low=low, high=high))
    names = ["model", "gender", "ethnicity", "n", "correct", "accuracy", "low", "high"]
    return pd.concat(tables)[names].reset_index(drop=True) if tables else pd.DataFrame(columns=names)


def summary(models: list[BoardModel], data: str, filter: Filter) -> pd.DataFrame:
    """A row a model: `n`, `accuracy` with Wilson's `low` and `high`, the surely `worst` and `best` group with
    their accuracies, their `gap`, whether they are `told_apart`, and accuracy of women less that of men."""
    rows = []
    for model in _with(models, data):
        faces = _faces(model.audits[data], filter)
        overall, gap = accuracy_by(faces, []).iloc[0], largest_gap(faces, ["gender", "ethnicity"])
        women, men = (faces.loc[faces["gender"] == gender, "correct"].mean() for gender in GENDERS)
        rows.append(
            {
                "model": model.title,
                "n": int(overall["n"]),
                "accuracy": overall["accuracy"],
                "low": overall["low"],
                "high": overall["high"],
                "worst": f"{gap.worst['gender']} {gap.worst['ethnicity']}",
                "worst_accuracy": gap.worst["accuracy"],
                "best": f"{gap.best['gender']} {gap.best['ethnicity']}",
                "best_accuracy": gap.best["accuracy"],
                "gap": gap.difference.value,
                "told_apart": gap.distinguishable,
                "women_less_men": women - men,
            }
        )
    return pd.DataFrame(rows)


def paired_with(models: list[BoardModel], reference: BoardModel, data: str, filter: Filter) -> pd.DataFrame:
    """McNemar's test of each other model against `reference` on the faces that both have: `model`, `n`, `only_model`
    and `only_reference` (right where the other is not), `difference` of accuracies with `low` and `high`, `p`, and
    `p_holm` over the models."""
    right = _faces(reference.audits[data], filter).set_index("face_id")["correct"]
    rows = []
    for model in _with(models, data):
        if model is reference:
            continue
        theirs = _faces(model.audits[data], filter).set_index("face_id")["correct"]
        common = right.index.intersection(theirs.index)
        test = mcnemar(right[common].to_numpy(), theirs[common].to_numpy())
        change = test.difference
        rows.append((model.title, test.n, test.only_b, test.only_a, change.value, change.low, change.high, test.p))
    names = ["model", "n", "only_model", "only_reference", "difference", "low", "high", "p"]
    table = pd.DataFrame(rows, columns=names)
    return table.assign(p_holm=holm(table["p"].tolist()) if len(table) else [])


def seen(models: list[BoardModel], filter: Filter) -> pd.DataFrame:
    """Accuracy at home less that abroad: `model`, `home`, `abroad`, `difference` with Newcombe's `low` and `high`, the
    median of the `others`' differences, and whether the data at home was `evidently_seen`: `low` lies more than
    `EVIDENT` above that median."""
    rows = []
    for model in models:
        if {HOME, ABROAD} <= set(model.audits):
            counts = [_faces(model.audits[data], filter)["correct"] for data in (HOME, ABROAD)]
            change = newcombe(int(counts[0].sum()), len(counts[0]), int(counts[1].sum()), len(counts[1]))
            rates = (counts[0].mean(), counts[1].mean())
            rows.append((model.title, *rates, change.value, change.low, change.high))
    table = pd.DataFrame(rows, columns=["model", "home", "abroad", "difference", "low", "high"])
    apart = table["difference"].to_numpy()
    median_of_others = [float(np.median(np.delete(apart, n))) if len(apart) > 1 else np.nan for n in range(len(apart))]
    return table.assign(
        others=median_of_others, evidently_seen=table["low"].to_numpy() > np.array(median_of_others) + EVIDENT
    )


def _with(models: list[BoardModel], data: str) -> list[BoardModel]:
    return [model for model in models if data in model.audits]


def _faces(audit: Audit, filter: Filter) -> pd.DataFrame:
    return audit.passing(filter)
