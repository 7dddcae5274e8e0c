"""Files of stores, models, audits and checks, read whole and compared with what was recorded when they were written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from core.audit.disclosure import StoredAverages, stored_averages
from core.audit.folder import FILES as AUDIT_FILES
from core.audit.manifest import FORMAT as AUDIT_FORMAT
from core.audit.manifest import AuditManifest
from core.checks.results import JSON, NPZ, read_checks, save_checks
from core.classifiers.info import FORMAT as MODEL_FORMAT
from core.classifiers.info import ModelInfo
from core.classifiers.training_hashes import FILE as HASHES
from core.data.store import FILES as STORE_FILES
from core.data.store_info import FORMAT as STORE_FORMAT
from core.data.store_info import StoreInfo
from core.errors import LookwhereError
from core.files import write_json
from core.integrity import FileRecord, check_names, damage, record_files
from core.json_record import DIGEST, JsonRecord, intact, read_object, sealed
from core.training.record import metrics_are_sealed, read_metrics, seal_metrics

#: What marks a folder, and what its manifest is read as.
MANIFESTS: Mapping[str, type[JsonRecord]] = {
    "store.json": StoreInfo,
    "model.json": ModelInfo,
    "audit.json": AuditManifest,
}


@dataclass(frozen=True)
class VerifiedFile:
    """A file: what is wrong with it, None where nothing is; `recorded` says whether there is anything to compare."""

    file: Path
    damage: str | None
    recorded: bool


def verify_folders(path: Path, record: bool = False) -> list[VerifiedFile]:
    """Each file of the folders at and below `path`, in order.

    With `record`, folders of versions that recorded nothing are given records of their files as they are now; those
    that have them already are only compared. Raises `LookwhereError` where there is no such folder.
    """
    manifest_files = (
        sorted(file for name in (*MANIFESTS, *LISTS, JSON) for file in path.rglob(name)) if path.is_dir() else []
    )
    if not manifest_files:
        raise LookwhereError(f"{path}: no store, model or audit in it; give a folder with {', '.join(MANIFESTS)}")
    results: list[VerifiedFile] = []
    for file in manifest_files:
        if file.name in LISTS:
            results.append(LISTS[file.name](file, record))
        else:
            results += _checks(file, record) if file.name == JSON else _folder(file, record)
    return results


def averages_in(path: Path) -> list[StoredAverages]:
    """The average faces that audits at and below `path` store. Raises `LookwhereError` for one of too few people."""
    averages = (stored_averages(file.parent) for file in sorted(path.rglob("audit.json")))
    return [stored for stored in averages if stored is not None]


def _folder(file: Path, record: bool) -> Iterator[VerifiedFile]:
    """The manifest and the files that it names."""
    try:
        manifest = MANIFESTS[file.name].from_json(file)
        check_names(getattr(manifest, "files", ()), str(file), type(manifest).MEND)
    except LookwhereError as error:
        yield VerifiedFile(file, str(error).removeprefix(f"{file}: "), True)
        return
    if record and (manifest.format < type(manifest).SEALED_FROM or not getattr(manifest, "files", True)):
        manifest = _recorded(manifest, file)
        write_json(file, manifest.to_json())
    yield VerifiedFile(file, None, DIGEST in read_object(file))
    for name, file_record in _records(manifest, file.parent).items():
        yield VerifiedFile(
            file.parent / name,
            damage(file.parent / name, file_record) if file_record else None,
            file_record is not None,
        )


def _recorded(manifest: JsonRecord, file: Path) -> JsonRecord:
    """The manifest in the present format, with records of the files as they are now."""
    if isinstance(manifest, ModelInfo):
        return replace(manifest, format=MODEL_FORMAT)
    names, format = (AUDIT_FILES, AUDIT_FORMAT) if isinstance(manifest, AuditManifest) else (STORE_FILES, STORE_FORMAT)
    return replace(manifest, format=format, files=record_files(file.parent, [n for n in names if n != file.name]))


def _records(manifest: JsonRecord, folder: Path) -> dict[str, FileRecord | None]:
    """What is recorded of each file beside a manifest; None where nothing is."""
    if isinstance(manifest, ModelInfo):
        name = "model.safetensors" if manifest.trained_here else Path(manifest.weights or "").name
        file = folder / name
        size = file.stat().st_size if file.is_file() else 0
        weights_hash = manifest.weights_sha256
        # Weights of an experiment's runs are not shipped, their information is.
        weights = {name: FileRecord(bytes=size, sha256=weights_hash)} if weights_hash and file.is_file() else {}
        return weights | ({HASHES: manifest.training_faces} if manifest.training_faces else {})
    names = AUDIT_FILES if isinstance(manifest, AuditManifest) else STORE_FILES
    there = {name: None for name in names if (folder / name).is_file() and name not in MANIFESTS}
    return there | dict(manifest.files)


def _metrics(file: Path, record: bool) -> VerifiedFile:
    """`metrics.csv` of a training, whose rows have digests."""
    try:
        read_metrics(file.parent)
        if record:
            seal_metrics(file.parent)
        return VerifiedFile(file, None, metrics_are_sealed(file.parent))
    except LookwhereError as error:
        return VerifiedFile(file, str(error).removeprefix(f"{file}: "), True)


def _experiment(file: Path, record: bool) -> VerifiedFile:
    """`experiment.json`, which has a digest."""
    try:
        content = read_object(file)
    except (OSError, ValueError) as error:
        return VerifiedFile(file, f"not readable ({error}); restore it", True)
    if DIGEST in content and not intact(content):
        return VerifiedFile(file, "changed since it was written; restore it", True)
    if record and DIGEST not in content:
        content = sealed(content)
        write_json(file, content)
    return VerifiedFile(file, None, DIGEST in content)


#: Files that hold their own digests.
LISTS = {"metrics.csv": _metrics, "experiment.json": _experiment}


def _checks(file: Path, record: bool) -> Iterator[VerifiedFile]:
    """`checks.json` and `checks.npz`."""
    try:
        checks = read_checks(file.parent)
    except LookwhereError as error:
        name, _, why = str(error).partition(": ")
        yield VerifiedFile(Path(name), why, True)
        return
    if record and not checks.recorded:
        save_checks(checks)
        checks = read_checks(file.parent)
    yield VerifiedFile(file, None, checks.recorded)
    arrays = file.parent / NPZ
    if not checks.recorded:
        yield VerifiedFile(arrays, None, False)
        return
    arrays_record = FileRecord.from_json(read_object(file)["arrays"], str(file))
    yield VerifiedFile(arrays, damage(arrays, arrays_record), True)
