"""The one builder of made audits: labels, errors, maps and images as a test asks for them, in memory or on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.audit.averages import Averages, average_faces
from core.audit.folder import Audit, open_audit
from core.audit.manifest import AuditManifest
from core.data.columns import Column, Kind
from core.data.faces import fingerprint
from core.data.targets import task_for
from core.explain.regions import REGIONS, weights
from core.files import write_json
from core.task import GENDERS
from tests.helpers.made_columns import MADE_COLUMNS, with_made_columns

#: Columns of a made faces table before anything was predicted.
LABELS = ("face_id", "path", "gender", "ethnicity", "age", "identity", "cluster", "split")
NOT_ADDITIVE = {"method": "occlusion", "additive": False, "layer": None}


def made_faces(
    n: int = 600,
    seed: int = 0,
    *,
    ethnicities: Sequence[str] = ("White", "Black", "Asian"),
    ages: tuple[int, int] = (0, 90),
    balanced: bool = True,
    persons: int | None = None,
    columns: Mapping[str, object] | None = None,
) -> pd.DataFrame:
    """The labels of `n` faces.

    Groups of gender and ethnicity take turns and so are of equal size; without `balanced` they are drawn at random.
    Ages are drawn from `ages`, its end left out. With `persons` each face is of one of that many persons, drawn at
    random; without it nobody is known. `columns` replace labels, as `DataFrame.assign` does.
    """
    draw = np.random.default_rng(seed)
    place = np.arange(n)
    age = draw.integers(*ages, n)
    gender = place % 2 if balanced else draw.integers(0, 2, n)
    ethnicity = place // 2 % len(ethnicities) if balanced else draw.integers(0, len(ethnicities), n)
    person = [pd.NA] * n if persons is None else [f"person-{k}" for k in draw.integers(0, persons, n)]
    faces = pd.DataFrame(
        {
            "face_id": [f"face-{k:05}" for k in place],
            "path": [f"images/{k:05}.jpg" for k in place],
            "gender": np.array(GENDERS)[gender],
            "ethnicity": np.array(ethnicities)[ethnicity],
            "age": pd.array(age, dtype="Int16"),
            "identity": pd.array(person, dtype="string"),
            "cluster": place,
            "split": "test",
        }
    )
    return faces.assign(**columns or {}).astype({"age": "Int16", "identity": "string"})


def made_audit(
    n: int = 480,
    seed: int = 0,
    *,
    faces: pd.DataFrame | None = None,
    correct: np.ndarray | None = None,
    errors: float | Mapping[tuple[str, str], float] | None = None,
    shape: tuple[int, int] | None = (7, 7),
    evidence: np.ndarray | None = None,
    correct_on: Sequence[str] | None = None,
    incorrect_on: Sequence[str] | None = None,
    noise: float = 1.0,
    bias: tuple[float, float] = (0.0, 0.0),
    additive: bool = True,
    dtype: type = np.float16,
    images: np.ndarray | None = None,
    own: bool = False,
    path: Path | None = None,
    manifest: Mapping[str, object] | None = None,
    **labels: object,
) -> Audit:
    """An audit without a store and a network.

    Labels: `faces`, or those that `made_faces` makes with the seed and `labels`, its keywords.

    Predictions: who is called correctly is `correct` (N,), or drawn with the share `errors` of incorrect predictions,
    one for all or by (gender, ethnicity), 0.05 for a group that is not named. With neither, predictions follow the
    maps.

    Maps: `evidence` (N, 2, h, w) as it is, or noise of that standard deviation in cells of `shape`; None gives
    predictions only. `correct_on` and `incorrect_on` name regions where the evidence for the chosen class lies, for
    correct and for incorrect predictions; planted maps speak for the chosen class alone. Logits are mean(E_c) + b_c
    of the stored maps; where the predictions were asked for, a constant over the cells of the chosen class sees to it
    that its logit is the larger one. Without `additive`, and for given `evidence` whose predictions were asked for,
    the logits are 1 and −1 and the maps stay as they are.

    Columns: with `own` the faces have `MADE_COLUMNS` (tests.helpers.made_columns), drawn with the seed.

    Averages: of `images` (N, h, w, 3), uint8, by cell; without images there are none.

    With `path`, «MODEL/audits/NAME», the audit is written there and opened again. `manifest` adds to `audit.json` or
    replaces what is there.
    """
    draw = np.random.default_rng([seed, 1])
    faces = made_faces(n, seed, **labels) if faces is None else faces[list(LABELS)]
    faces = with_made_columns(faces, seed) if own else faces
    n = len(faces)
    gender = (faces["gender"] == GENDERS[1]).to_numpy(dtype=np.int64)
    if errors is not None:
        correct = draw.random(n) >= _error_rates(faces, errors)
    predicted = None if correct is None else np.where(correct, gender, 1 - gender)

    has_evidence = evidence is not None
    if shape is not None and not has_evidence:
        evidence = _evidence(draw, n, shape, noise, predicted, correct, (correct_on, incorrect_on))
    adds_up = evidence is not None and additive and not (has_evidence and predicted is not None)
    if not adds_up:
        if predicted is None:
            predicted = draw.integers(0, 2, n)
        logits = np.where(predicted[:, None] == np.arange(2), 1.0, -1.0)
    else:
        if predicted is not None:
            evidence = _lifted(draw, evidence, predicted, bias)
        evidence = evidence.astype(dtype)
        logits = evidence.astype(np.float64).mean(axis=(2, 3)) + np.array(bias)
        predicted = logits.argmax(axis=1)
    if evidence is not None:
        evidence = evidence.astype(dtype)

    faces = faces.assign(
        logit_female=logits[:, 0],
        logit_male=logits[:, 1],
        p_male=1 / (1 + np.exp(logits[:, 0] - logits[:, 1])),
        predicted=np.array(GENDERS)[predicted],
        correct=predicted == gender,
    )
    averages = Averages(pd.DataFrame(), np.zeros((0, 112, 112, 3), dtype=np.uint8))
    if images is not None or path is not None:
        averaged_faces = faces if images is not None else faces[:0]
        empty = np.zeros((0, 112, 112, 3), dtype=np.uint8)
        averages = average_faces(empty if images is None else images, np.arange(len(averaged_faces)), averaged_faces)
    content = {
        "format": 2, "model": path.parent.parent.name if path else "made", "weights_sha256": "0" * 64,
        "dataset": "made", "data_fingerprint": fingerprint(faces), "splits": ["test"], "names": {}, "faces": n,
        "accuracy": float(faces["correct"].mean()), "rejects": {"no face found": 3}, "precision": "float32",
        "map_shape": None if evidence is None else list(evidence.shape[2:]),
        "head_bias": list(bias) if adds_up else None, "versions": {"torch": "2"},
    }  # fmt: skip
    if own:
        content["columns"] = [column.to_json() for column in MADE_COLUMNS]
    if not additive:
        content["maps"] = NOT_ADDITIVE
    audit = Audit(
        "made", Path("made"), faces, evidence, averages, AuditManifest.from_json(content | dict(manifest or {}))
    )
    return audit if path is None else write_audit(path, audit)


def write_audit(path: Path, audit: Audit) -> Audit:
    """Writes an audit as `python -m core audit` lays it down, and opens it; float16 is what maps are kept in."""
    path.mkdir(parents=True)
    table = pa.Table.from_pandas(audit.faces, preserve_index=False)
    if audit.evidence is not None:
        flat = pa.array(audit.evidence.astype(np.float16).reshape(-1))
        cells = int(np.prod(audit.evidence.shape[1:]))
        table = table.append_column("evidence", pa.FixedSizeListArray.from_arrays(flat, cells))
    pq.write_table(table, path / "faces.parquet")
    audit.averages.save(path / "averages.npz")
    write_json(path / "audit.json", audit.manifest.to_json())
    return open_audit(path)


def made_manifest(**content: object) -> AuditManifest:
    """The manifest of an audit «made» of no face of the test split; `content` is as JSON has it."""
    always = {"format": 1, "model": "made", "dataset": "made", "splits": ["test"], "faces": 0, "map_shape": [7, 7]}
    return AuditManifest.from_json(always | content)


def with_manifest(audit: Audit, **manifest: object) -> Audit:
    """The same audit with some of its manifest replaced, by values as JSON has them."""
    return replace(audit, manifest=AuditManifest.from_json(audit.manifest.to_json() | manifest))


def of_glasses(audit: Audit) -> Audit:
    """The same audit, as if glasses had been classified: whoever was labelled male is labelled to have some."""
    faces, old = audit.faces, audit.task
    task = task_for(Column(name="Eyeglasses", kind=Kind.YES_NO, levels=("no", "yes")))
    names = dict(zip((*old.logits, old.probability), (*task.logits, task.probability), strict=True))
    levels = {name: np.where(faces[name] == old.positive, *task.classes[::-1]) for name in ("gender", "predicted")}
    faces = faces.rename(columns=names).assign(Eyeglasses=levels["gender"], predicted=levels["predicted"])
    return replace(audit, faces=faces, manifest=audit.manifest.for_task(task))


def _error_rates(faces: pd.DataFrame, errors: float | Mapping[tuple[str, str], float]) -> np.ndarray:
    """Each face's probability of an incorrect prediction, (N,)."""
    if not isinstance(errors, Mapping):
        return np.full(len(faces), errors)
    return np.array([errors.get(pair, 0.05) for pair in zip(faces["gender"], faces["ethnicity"], strict=True)])


def _evidence(
    draw: np.random.Generator,
    n: int,
    shape: tuple[int, int],
    noise: float,
    predicted: np.ndarray | None,
    correct: np.ndarray | None,
    regions: tuple[Sequence[str] | None, Sequence[str] | None],
) -> np.ndarray:
    """Noise in both classes, (N, 2, h, w); where regions are named, these and noise in the chosen class alone."""
    if regions == (None, None):
        return noise * draw.normal(size=(n, 2, *shape))
    of_correct, of_incorrect = (
        sum((weights(shape)[REGIONS.index(region)] for region in named or ()), np.zeros(shape)) for named in regions
    )
    evidence = np.zeros((n, 2, *shape))
    signal = 4 * np.where(correct[:, None, None], of_correct, of_incorrect)
    evidence[np.arange(n), predicted] = signal + noise * draw.normal(size=(n, *shape))
    return evidence


def _lifted(
    draw: np.random.Generator, evidence: np.ndarray, predicted: np.ndarray, bias: tuple[float, float]
) -> np.ndarray:
    """The maps with a constant added where the chosen class would not have the larger logit by 0.3 to 1.5."""
    logits = evidence.mean(axis=(2, 3)) + np.array(bias)
    row = np.arange(len(predicted))
    lead = logits[row, predicted] - logits[row, 1 - predicted]
    lifted = evidence.copy()
    lifted[row, predicted] += np.maximum(0, draw.uniform(0.3, 1.5, len(row)) - lead)[:, None, None]
    return lifted
