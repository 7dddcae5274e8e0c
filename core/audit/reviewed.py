"""An audit whose labels a person has reviewed: the same predictions and maps, counted by the labels as they are now.

No network runs: a prediction does not depend on the label. Average faces are of the labels before, so none are kept.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.audit.doubts import doubts
from core.audit.folder import Audit, open_audit
from core.audit.manifest import AuditManifest, Review
from core.audit.notes import Note, NoteCode
from core.data.readers.label_table import Columns, read_table
from core.data.sources.base import MAXIMUM_TABLE_BYTES
from core.errors import LookwhereError
from core.files import parquet_encodings, plain_name, read_bounded, write_json
from core.integrity import record_files
from core.locks import alone
from core.task import carrying

KEEP, FLIP, LEAVE_OUT = "keep", "flip", "leave out"
#: What people write for each decision.
WORDS = {
    **dict.fromkeys(("keep", "kept", "right", "ok", "correct"), KEEP),
    **dict.fromkeys(("flip", "flipped", "wrong", "swap", "change"), FLIP),
    **dict.fromkeys(("leave out", "leave_out", "leave-out", "drop", "exclude", "remove", "unsure"), LEAVE_OUT),
}
TABLE: Columns = {"face_id": ("file", "path", "face", "id"), "decision": ("review", "verdict", "action")}


@dataclass(frozen=True)
class Decisions:
    """A reviewed list: a decision by each face id or path, the file's name, and the SHA-256 of its bytes."""

    by_face: dict[str, str]
    file: str
    sha256: str


def read_decisions(file: Path) -> Decisions:
    """A CSV with `face_id` (or the path of the image) and `decision`: keep, flip or leave out; an empty one is keep.

    Raises `LookwhereError` naming the line of a word that is none of these, and of a face that is decided twice.
    """
    try:
        data = read_bounded(file, MAXIMUM_TABLE_BYTES)
    except OSError as error:
        raise LookwhereError(f"{file}: cannot be read ({error.strerror or error})") from error
    table = read_table(data, str(file), TABLE)
    if missing := [column for column in ("face_id", "decision") if column not in table]:
        raise LookwhereError(
            f"{file}: no column {', '.join(missing)}; it needs face_id and decision (keep, flip, leave out); "
            "`python -m core review --out FILE` writes such a list"
        )
    by_face: dict[str, str] = {}
    for line, face, word in zip(table.index + 2, table["face_id"], table["decision"], strict=True):
        if pd.isna(face):
            raise LookwhereError(f"{file}, line {line}: names no face")
        decision = KEEP if pd.isna(word) else WORDS.get(str(word).lower())
        if decision is None:
            raise LookwhereError(f"{file}, line {line}: decision {word!r}; write keep, flip or leave out")
        if by_face.setdefault(face, decision) != decision:
            raise LookwhereError(f"{file}, line {line}: {face} is decided twice, and differently")
    return Decisions(by_face, file.name, hashlib.sha256(data).hexdigest())


def decided(audit: Audit, decisions: Decisions) -> np.ndarray:
    """Each face's decision, an object array (N,); keep where the list does not name it.

    Raises `LookwhereError` where the list names a face that the audit does not have: it is then another audit's.
    """
    faces = audit.faces
    names = {*faces["face_id"], *faces["path"]}
    bare: dict[str, set[str]] = {}
    for name in names:
        bare.setdefault(name.replace("'", ""), set()).add(name)
    by_face: dict[str, str] = {}
    for listed, word in decisions.by_face.items():
        # Our lists put apostrophes where a spreadsheet would run part of a name as a formula.
        alike = {listed} if listed in names else bare.get(listed.replace("'", ""), set())
        face = next(iter(alike)) if len(alike) == 1 else listed
        if by_face.setdefault(face, word) != word:
            raise LookwhereError(f"{decisions.file}: {face} is decided twice, and differently")
    decision = faces["face_id"].astype(object).map(by_face)
    decision = decision.where(decision.notna(), faces["path"].astype(object).map(by_face))
    if strange := [face for face in by_face if face not in names]:
        raise LookwhereError(
            f"{decisions.file}: {len(strange):,} of {len(decisions.by_face):,} faces are not in {audit.path} "
            f"({', '.join(map(str, strange[:3]))}{', …' if len(strange) > 3 else ''}); is it the list of another audit?"
        )
    return decision.where(decision.notna(), KEEP).to_numpy(dtype=object)


def _labels(audit: Audit, decisions: Decisions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each face whether its label is flipped and whether it is kept, bool (N,), and its class as decided (N,).

    Raises `LookwhereError` where nobody is left, and as `decided` does.
    """
    decision = decided(audit, decisions)
    flip, keep = decision == FLIP, decision != LEAVE_OUT
    if not keep.any():
        raise LookwhereError(f"{decisions.file}: leaves out every face of {audit.path}")
    truth = audit.task.truth(audit.faces)
    opposite = np.where(truth == audit.task.negative, audit.task.positive, audit.task.negative)
    return flip, keep, np.where(flip, opposite, truth)


def _manifest(
    audit: Audit, labels: pd.DataFrame, decisions: Decisions, flip: np.ndarray, keep: np.ndarray
) -> AuditManifest:
    """What the manifest says once labels are as decided; `labels` are the faces that are kept."""
    accuracy = float(labels["correct"].mean())
    return replace(
        audit.manifest,
        faces=len(labels),
        accuracy=round(accuracy, 6),
        face_ids_sha256=hashlib.sha256("\n".join(labels["face_id"]).encode()).hexdigest(),
        pictures=(),
        averages=Note(code=NoteCode.AVERAGES_OF_OTHER_LABELS),
        warnings=doubts(labels, accuracy),
        training_copies=audit.manifest.training_copies if keep.all() else None,
        review=Review(
            of=audit.name, file=decisions.file, sha256=decisions.sha256, listed=len(decisions.by_face),
            flipped=int((flip & keep).sum()), left_out=int((~keep).sum()),
        ),
        cells=(),
    )  # fmt: skip


def recounted(audit: Audit, decisions: Decisions) -> Audit:
    """The audit counted by labels as decided, in memory: nothing is written, and its folder is none that exists.

    Raises `LookwhereError` where nobody is left, and as `decided` does.
    """
    flip, keep, truth = _labels(audit, decisions)
    faces = audit.faces.copy()
    kind = faces[audit.task.attribute].dtype
    faces[audit.task.attribute] = pd.Series(truth, index=faces.index).astype(kind)
    faces["correct"] = faces["predicted"].to_numpy(object) == truth
    faces = faces[keep].reset_index(drop=True)
    reviewed = Audit(
        name=f"{audit.name}, reviewed",
        path=audit.path.with_name(f"{audit.name}, reviewed by {decisions.file}"),
        faces=faces,
        evidence=None if audit.evidence is None else audit.evidence[keep],
        averages=audit.averages.none(),
        manifest=_manifest(audit, faces, decisions, flip, keep),
        minimum_asked=audit.minimum_asked,
        measured=audit.measured,
    )
    reviewed.__dict__["otherwise"] = audit.otherwise  # they lie in the audit's own folder
    return reviewed


def reviewed_audit(audit: Audit, decisions: Decisions, name: str) -> Audit:
    """Write the audit `name` beside this one, with labels as decided; returns it.

    Whose label is flipped becomes a face of the other class, and is right where it was wrong; whoever is left out is in
    no row. Raises `LookwhereError` where the name is taken, where nobody is left, and as `decided` does.
    """
    path = audit.path.with_name(plain_name(name))
    flip, keep, truth = _labels(audit, decisions)
    task = audit.task
    table = pq.read_table(audit.path / "faces.parquet")
    for column, values in ((task.attribute, truth), ("correct", audit.faces["predicted"].to_numpy(object) == truth)):
        place = table.column_names.index(column)
        table = table.set_column(place, column, pa.array(values.tolist()).cast(table.schema.field(column).type))
    table = table.filter(pa.array(keep))
    labels = table.drop_columns([c for c in ("evidence",) if c in table.column_names]).to_pandas()
    labels = carrying(labels, task)
    with alone(path, "making"):
        if path.exists():
            raise LookwhereError(f"{path}: is there already; choose another --name or delete it")
        work = path.with_name(f".{name}.unfinished")
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        pq.write_table(table, work / "faces.parquet", **parquet_encodings(table.schema, len(table)))
        audit.averages.none().save(work / "averages.npz")
        manifest = _manifest(audit, labels, decisions, flip, keep)
        manifest = replace(manifest, files=record_files(work, ("faces.parquet", "averages.npz")))
        write_json(work / "audit.json", manifest.to_json())
        work.replace(path)
    return open_audit(path)
