"""Which audits were made of the same faces, and so can be compared face by face."""

from __future__ import annotations

from pathlib import Path

from core.analysis.comparison.experiment import FOLDER as EXPERIMENTS
from core.analysis.comparison.experiment import list_experiments, open_experiment
from core.audit.catalogue import same_faces
from core.audit.folder import Audit, list_audits, read_manifest
from core.audit.manifest import AuditManifest
from core.audit.notes import NoteCode
from core.classifiers.info import list_models

#: Audits of other models that are read for a consensus; more would only be slower.
MOST_AUDITS = 9


def same_face_audits(models: Path, audit: Audit) -> list[Path]:
    """Folders of up to nine audits of other models on the faces of `audit`: those under `models`, then each
    experiment's first arm, whose seeds are independent networks. Audits of mere decisions are left out."""
    own, faces = audit.path.resolve(), same_faces(audit.manifest)
    places = [models / model / "audits" / name for model in list_models(models) for name in list_audits(models / model)]
    for name in list_experiments(models):
        experiment = open_experiment(models / EXPERIMENTS / name)
        places += [experiment.path / model / "audits" / experiment.audit for model in experiment.arms[0].models]
    manifests = ((place, read_manifest(place)) for place in places if place.resolve().parents[1] != own.parents[1])
    return [place for place, of in manifests if same_faces(of) == faces and not _decisions(of)][:MOST_AUDITS]


def _decisions(manifest: AuditManifest) -> bool:
    return any(note.code is NoteCode.EQUAL_CERTAINTY for note in manifest.warnings)
