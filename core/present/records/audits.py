"""An audit's accuracy, its evidence by region and its checks as plain values."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from core.analysis.accuracy import group_statistics
from core.analysis.accuracy.by_group import accuracy_by
from core.analysis.accuracy.extremes import CROSSED, Extremes, extremes
from core.analysis.accuracy.group_statistics import GroupStatistic, statistic_table
from core.analysis.accuracy.groupings import accuracy_of_groups
from core.analysis.accuracy.otherwise import labelled_otherwise
from core.analysis.intervals import risk_ratio
from core.analysis.maps.region_evidence import TOLERANCE, additivity
from core.audit.folder import Audit, head_bias
from core.audit.notes import Note, NoteCode, note_words
from core.checks.definitions import View
from core.checks.results import Checks
from core.data.faces import ADULT_AGE
from core.data.filters import Filter
from core.explain.regions import REGIONS
from core.present.records.recipe import recipe_record
from core.present.records.values import filter_record
from core.present.text.checks import results, sentence
from core.present.text.sentences import accuracy_sentence
from core.task import task_of


def audit_head(audit: Audit) -> dict:
    """Which audit this is."""
    maps = (
        {"method": audit.map_method, "additive": audit.additive, "shape": audit.map_shape} if audit.has_maps else None
    )
    return {
        "model": audit.manifest.model,
        "audit": audit.name,
        "path": audit.path,
        "dataset": audit.manifest.dataset,
        "splits": audit.manifest.splits,
        "maps": maps,
    }


def _extremes_record(pair: Extremes, keys: list[str]) -> dict:
    """The surely worst and best group, their difference, and the same two whatever their ages."""
    plain = pair.as_they_are
    return {
        **{side: getattr(plain, side)[[*keys, "n"]] for side in ("best", "worst")},
        "difference": pair.difference,
        "told_apart": pair.told_apart,
        "may_be_as_low": list(pair.as_low),
        "at_equal_ages": pair.at_equal_ages,
        "as_they_are": {**vars(plain.difference), "corrected": plain.corrected},
        "error_ratio": risk_ratio(plain.worst["errors"], plain.worst["n"], plain.best["errors"], plain.best["n"]),
    }


def audit_record(audit: Audit, ages: str = "both", by: list[str] | None = None) -> dict:
    """Accuracy over `all` ages, of `adults`, or `both`: overall, by group, and the gap.

    Groups are of gender × ethnicity, or by the columns `by`.
    """
    keys = ["gender", "ethnicity"] if by is None else ["group", *(name for name in by if name != "age band")]
    manifest, maps = audit.manifest, audit.manifest.maps
    scopes = []
    filters = {"all": Filter(), "adults": Filter(age_from=ADULT_AGE)}
    for filter in filters.values() if ages == "both" else [filters[ages]]:
        faces = audit.passing(filter)
        table = accuracy_by(faces, keys) if by is None else accuracy_of_groups(faces, by, audit.columns)
        pair = extremes(faces, by=tuple(by or CROSSED), columns=audit.columns)
        scopes.append(
            {
                "filter": filter_record(filter),
                "overall": accuracy_by(faces, []).iloc[0],
                "groups": table,
                "largest_gap": None if pair is None else _extremes_record(pair, keys),
                "labelled_otherwise": labelled_otherwise(audit, filter),
                "statistics": [_statistic(s, faces) for s in group_statistics.GROUP_STATISTICS] if len(faces) else [],
                "sentence": accuracy_sentence(faces, filter, pair=pair),
                "recipe": recipe_record(audit, filter),
            }
        )
    return {
        **audit_head(audit),
        "faces": manifest.faces,
        "faces_per_second": manifest.faces_per_second,
        "speed": manifest.speed and manifest.speed.to_json(),
        "precision": manifest.precision,
        "float32_check": manifest.float32_check and manifest.float32_check.to_json(),
        "enlarged": manifest.enlarged,
        "minimum_faces": audit.minimum_faces,
        "placement": audit.placement,
        "mirror": maps.mirror.to_json() if maps and maps.mirror else None,
        "not_predicted": manifest.not_predicted,
        "predictions_unused": manifest.predictions_unused,
        "training_copies": manifest.training_copies and manifest.training_copies.to_json(),
        "by": keys if by is None else by,
        **({} if audit.task.is_gender else {"task": audit.task.to_json(), "no_class": manifest.no_class}),
        "warnings": [{**_coded(note), "words": note_words(note)} for note in manifest.notes],
        "scopes": scopes,
    }


def _coded(note: Note) -> dict:
    """A note's code and values."""
    return {"code": note.code.value} if note.code is NoteCode.WORDS else note.to_json()


def _statistic(statistic: GroupStatistic, faces: pd.DataFrame) -> dict:
    """A group statistic of all faces and of each group."""
    return {
        "name": statistic.name,
        "about": statistic.about_of(task_of(faces)),
        "groups": statistic_table(statistic, faces),
    }


def evidence_record(audit: Audit, filter: Filter) -> dict:
    """Σ regions + bias against the mean margin, by group and outcome; means of under 11 faces are null."""
    table = additivity(audit, filter)
    largest = float(table["difference"].abs().max()) if len(table) else math.nan
    return {
        **audit_head(audit),
        "filter": filter_record(filter),
        "faces": int(filter.mask(audit.faces).sum()),
        "bias": head_bias(audit),
        "regions": REGIONS,
        "groups": table,
        "largest_difference": largest,
        "tolerance": TOLERANCE,
        "adds_up": largest <= TOLERANCE,
    }


def checks_record(checks: Checks) -> dict:
    """Verdicts and sentences by group, and every check's tables and curves."""
    return {
        "path": checks.path,
        "manifest": checks.manifest,
        "groups": [
            {
                "group": name,
                "sentence": sentence(checks, View(name)),
                "checks": results(checks, View(name)),
            }
            for name in checks.groups
        ],
        "parts": {
            name: {
                "groups": [{"group": group, "n": n} for group, n in part.groups],
                "seconds": part.seconds,
                "tables": part.tables,
                "curves": _curves(checks, name) if "curves" in part.arrays else [],
            }
            for name, part in checks.parts.items()
        },
    }


def _curves(checks: Checks, part: str) -> list[dict]:
    """A row a group, score, kind and order: the mean at each share `x` of pixels."""
    results, rows = checks.parts[part], []
    for group, _ in results.groups:
        areas, curves = results.rows("areas", group), results.array("curves", group)
        axes = {column: list(dict.fromkeys(areas[column])) for column in ("score", "kind", "order")}
        rows += [
            {
                "group": group,
                **{column: names[at] for (column, names), at in zip(axes.items(), place, strict=True)},
                "x": results.array("x", group),
                "mean": curves[place[0], 0, place[1], place[2]],
            }
            for place in np.ndindex(*(len(names) for names in axes.values()))
        ]
    return rows
