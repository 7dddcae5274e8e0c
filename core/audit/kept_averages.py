"""Which average faces audits of a folder of models have stored, also audits that are gone since.

An audit that was published and then deleted can still be subtracted from the next one, of the same faces but for a
person who asked to be taken out. So what was stored is remembered beside the models, by sketches that find no picture.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
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
    """The averages of one audit: of which data and `pictures` (`core.audit.releases.sketch`), and their SHA-256."""

    data_fingerprint: str | None = None
    pictures: tuple[str, ...] = ()
    sha256: str

    @classmethod
    def of(cls, averages: Averages, manifest: AuditManifest) -> KeptAverages:
        """What is remembered of an audit's averages."""
        content = hashlib.sha256(averages.cells.to_csv(index=False).encode())
        content.update(averages.means.tobytes())
        return cls(data_fingerprint=manifest.data_fingerprint, pictures=manifest.pictures, sha256=content.hexdigest())

    def of_faces_of(self, other: KeptAverages) -> bool:
        """Whether some of the faces are the same, as far as fingerprint and sketches tell."""
        same = self.data_fingerprint is not None and self.data_fingerprint == other.data_fingerprint
        return same or common(self.pictures, other.pictures) > 0


@dataclass(frozen=True, kw_only=True)
class KeptRecord(JsonRecord):
    """The content of the file."""

    format: int = 1
    kept: tuple[KeptAverages, ...] = ()

    FORMAT: ClassVar = 1
    ALWAYS: ClassVar = ("format",)
    MEND: ClassVar = "delete it where no average face was shown to anyone"


def read_kept(models: Path) -> tuple[KeptAverages, ...]:
    """What is remembered in a folder of models. Raises `LookwhereError` where the file is damaged."""
    file = models / FILE
    return KeptRecord.from_json(file).kept if file.is_file() else ()


def kept_before(models: Path, planned: KeptAverages) -> bool:
    """Whether other averages of some of these faces were stored once; the very same may be stored again."""
    return any(one.sha256 != planned.sha256 and one.of_faces_of(planned) for one in read_kept(models))


def remember(models: Path, averages: KeptAverages) -> None:
    """Add them to what is remembered, once."""
    known = read_kept(models)
    if averages not in known:
        write_json(models / FILE, KeptRecord(kept=(*known, averages)).to_json())
