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


def same_audit(planned: AuditManifest, finished: AuditManifest, path: Path) -> None:
    """Raises `LookwhereError` where a finished audit is not the one asked for."""
    for key in IDENTITY:
        kept_since = ("chosen", "face_ids_sha256", "declared_sha256")
        if key in ("format", "maps", "aligned") or (key in kept_since and getattr(finished, key) is None):
            continue  # told below, read whatever the format, or an audit of before these were kept
        if key == "minimum_faces":
            if planned.minimum_faces != (least := stored_minimum(finished)):
                raise LookwhereError(
                    f"{path}: its averages were stored with minimum faces {least}, not {planned.minimum_faces}; choose "
                    "another --name or delete it"
                )
            continue
        if key == "declared_sha256" and finished.declared_sha256 != planned.declared_sha256:
            raise LookwhereError(
                f"{path}: holds an audit of these weights, when model.json said otherwise of the model's input or "
                "outputs; choose another --name or delete it"
            )
        if key == "task" and finished.task.attribute != planned.task.attribute:
            raise LookwhereError(
                f"{path}: holds an audit of {finished.task.name}, not of {planned.task.name}; choose another --name or "
                "delete it"
            )
        if key != "task" and getattr(finished, key) != getattr(planned, key):
            raise LookwhereError(
                f"{path}: holds an audit with another {key.replace('_', ' ')}; choose another --name or delete it"
            )
    if finished.columns and finished.columns != planned.columns:
        raise LookwhereError(
            f"{path}: holds an audit of these faces with other columns "
            f"({', '.join(c.name for c in finished.columns)}); choose another --name or delete it"
        )
    if how := aligned_otherwise(finished.aligned, planned.aligned):
        raise LookwhereError(
            f"{path}: holds an audit of faces that were aligned otherwise ({how}); choose another --name or delete it"
        )
    stored_maps = (finished.maps or MapsInfo.from_json(UNTOLD)) if finished.map_shape else None
    method, asked_method = (maps.method if maps else "none" for maps in (stored_maps, planned.maps))
    if method != asked_method:
        raise LookwhereError(
            f"{path}: holds an audit with maps by {method}, not by {asked_method}; choose another --name or delete it"
        )
    how, asked_how = (manifest.speed.how if manifest.speed else Speed.PLAIN for manifest in (finished, planned))
    if how != asked_how:
        raise LookwhereError(
            f"{path}: holds an audit that was computed {how}, not {asked_how} (--speed); choose another --name or "
            "delete it"
        )
    stored_options, asked_options = (maps.to_json() if maps else {} for maps in (stored_maps, planned.maps))
    differing = [
        key
        for key in stored(asked_method).option_names()
        if stored_options.get(key, asked_options[key]) != asked_options[key]
    ]
    if differing:
        raise LookwhereError(
            f"{path}: holds an audit with maps by {method} with another {differing[0]}; choose another --name or "
            "delete it"
        )
