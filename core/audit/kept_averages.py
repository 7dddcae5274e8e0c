"""Which average faces and counts of skin tone audits of a folder of models stored, also audits that are gone since.

An audit that was published and then deleted can still be subtracted from the next one, of the same faces but for a
person who asked to be taken out. So what was stored is remembered beside the models, by sketches that find no image.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from core.audit.averages import Averages
from core.audit.manifest import AuditManifest
from core.audit.releases import common
from core.files import write_json
from core.json_record import JsonRecord

FILE = ".averages.json"


@dataclass(frozen=True, kw_only=True)
class KeptAverages(JsonRecord):
    """What one audit stored: of which data and `pictures` (`core.audit.releases.sketch`), and the SHA-256 of its
    averages, or of the faces, groups and outcomes that skin tone was counted by."""

    data_fingerprint: str | None = None
    pictures: tuple[str, ...] = ()
    sha256: str

    @classmethod
    def from_averages(cls, averages: Averages, manifest: AuditManifest) -> KeptAverages:
        """What is remembered of an audit's averages."""
        content = hashlib.sha256(averages.cells.to_csv(index=False).encode())
        content.update(averages.means.tobytes())
        return cls(data_fingerprint=manifest.data_fingerprint, pictures=manifest.pictures, sha256=content.hexdigest())

    def of_faces_of(self, second: KeptAverages) -> bool:
        """Whether some of the faces are the same, as far as fingerprint and sketches tell."""
        same = self.data_fingerprint is not None and self.data_fingerprint == second.data_fingerprint
        return same or common(self.pictures, second.pictures) > 0


@dataclass(frozen=True, kw_only=True)
class KeptRecord(JsonRecord):
    """The content of the file: averages `kept`, and skin tone `counted`."""

    format: int = 1
    kept: tuple[KeptAverages, ...] = ()
    counted: tuple[KeptAverages, ...] = ()

    FORMAT: ClassVar = 1
    SEALED_FROM: ClassVar = 1
    ALWAYS: ClassVar = ("format",)
    MEND: ClassVar = "delete it where no average face was shown to anyone"


def read_kept(models: Path) -> tuple[KeptAverages, ...]:
    """What is remembered in a folder of models. Raises `LookwhereError` where the file is damaged."""
    return _record(models).kept


def _record(models: Path) -> KeptRecord:
    file = models / FILE
    return KeptRecord.from_json(file) if file.is_file() else KeptRecord()


def kept_before(models: Path, planned: KeptAverages) -> bool:
    """Whether other averages of some of these faces were stored once; the very same may be stored again."""
    return any(averages.sha256 != planned.sha256 and averages.of_faces_of(planned) for averages in read_kept(models))


def remember(models: Path, averages: KeptAverages) -> None:
    """Add them to what is remembered, once."""
    _remember(models, "kept", averages)


def _remember(models: Path, field: str, averages: KeptAverages) -> None:
    record = _record(models)
    earlier = getattr(record, field)
    if averages not in earlier:
        write_json(models / FILE, replace(record, **{field: (*earlier, averages)}).to_json())


def counted_before(models: Path, planned: KeptAverages) -> bool:
    """Whether skin tone of some of these faces was counted once by other groups or outcomes, or of others of them.

    Without images to tell faces by, all faces of the same data are taken for the same.
    """
    other_counts = [counts for counts in _record(models).counted if counts.sha256 != planned.sha256]
    return any(
        common(counts.pictures, planned.pictures) > 0
        if counts.pictures and planned.pictures
        else counts.of_faces_of(planned)
        for counts in other_counts
    )


def remember_counted(models: Path, counts: KeptAverages) -> None:
    """Add what skin tone was counted of to what is remembered, once."""
    _remember(models, "counted", counts)
