"""What tells one audit from another: whether a finished one is the one asked for."""

from __future__ import annotations

from pathlib import Path

from core.audit.folder import stored_minimum
from core.audit.manifest import AuditManifest
from core.classifiers.info import MapsInfo
from core.classifiers.speed import Speed
from core.data.store_info import aligned_otherwise
from core.errors import LookwhereError
from core.explain.methods import UNTOLD, stored

#: Keys of the manifest that tell one audit from another; they are known before any face is looked at.
IDENTITY = (
    "format", "model", "weights_sha256", "dataset", "data_fingerprint", "splits", "names", "chosen", "minimum_faces",
    "face_ids_sha256", "maps", "aligned", "declared_sha256", "cells", "task",
)  # fmt: skip


def same_audit(planned: AuditManifest, found: AuditManifest, path: Path) -> None:
    """Raises `LookwhereError` where a finished audit is not the one asked for."""
    for key in IDENTITY:
        kept_since = ("chosen", "face_ids_sha256", "declared_sha256")
        if key in ("format", "maps", "aligned") or (key in kept_since and getattr(found, key) is None):
            continue  # told below, read whatever the format, or an audit of before these were kept
        if key == "minimum_faces":
            if planned.minimum_faces != (least := stored_minimum(found)):
                raise LookwhereError(
                    f"{path}: its averages were stored with minimum faces {least}, not {planned.minimum_faces}; choose "
                    "another --name or delete it"
                )
            continue
        if key == "declared_sha256" and found.declared_sha256 != planned.declared_sha256:
            raise LookwhereError(
                f"{path}: holds an audit of these weights, when model.json said otherwise of the model's input or "
                "outputs; choose another --name or delete it"
            )
        if key == "task" and found.task.attribute != planned.task.attribute:
            raise LookwhereError(
                f"{path}: holds an audit of {found.task.name}, not of {planned.task.name}; choose another --name or "
                "delete it"
            )
        if key != "task" and getattr(found, key) != getattr(planned, key):
            raise LookwhereError(
                f"{path}: holds an audit with another {key.replace('_', ' ')}; choose another --name or delete it"
            )
    if found.columns and found.columns != planned.columns:
        raise LookwhereError(
            f"{path}: holds an audit of these faces with other columns ({', '.join(c.name for c in found.columns)}); "
            "choose another --name or delete it"
        )
    if how := aligned_otherwise(found.aligned, planned.aligned):
        raise LookwhereError(
            f"{path}: holds an audit of faces that were aligned otherwise ({how}); choose another --name or delete it"
        )
    kept = (found.maps or MapsInfo.from_json(UNTOLD)) if found.map_shape else None
    by, asked = (maps.method if maps else "none" for maps in (kept, planned.maps))
    if by != asked:
        raise LookwhereError(
            f"{path}: holds an audit with maps by {by}, not by {asked}; choose another --name or delete it"
        )
    how, asked_how = (one.speed.how if one.speed else Speed.PLAIN for one in (found, planned))
    if how != asked_how:
        raise LookwhereError(
            f"{path}: holds an audit that was computed {how}, not {asked_how} (--speed); choose another --name or "
            "delete it"
        )
    had, wanted = (maps.to_json() if maps else {} for maps in (kept, planned.maps))
    other = [key for key in stored(asked).option_names() if had.get(key, wanted[key]) != wanted[key]]
    if other:
        raise LookwhereError(
            f"{path}: holds an audit with maps by {by} with another {other[0]}; choose another --name or delete it"
        )
