"""Which average faces and counts of skin tone audits of a folder of models stored, also audits that are gone since.

An audit that was published and then deleted can still be subtracted from the next one, of the same faces but for a
person who asked to be taken out. So what was stored is remembered beside the models, by sketches that find no image.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from core.audit.averages import Averages
from core.audit.manifest import AuditManifest
from core.audit.releases import common
from core.data.measured import of_source
from core.files import write_json
from core.json_record import JsonRecord
from core.places import MODELS

#: What is remembered beside models, and the file that marks the folder of those that came with the project.
FILE, SHIPPED = ".averages.json", "shipped.json"


@dataclass(frozen=True, kw_only=True)
class KeptAverages(JsonRecord):
    """What one audit stored: of which data and `pictures` (`core.audit.releases.sketch`), and the SHA-256 of its
    averages, or of the faces, groups and outcomes that skin tone was counted by. `measures` are digests of the
    measures beside it, by whose thirds its averages were shown too (`core.audit.measures.digests`)."""

    data_fingerprint: str | None = None
    pictures: tuple[str, ...] = ()
    sha256: str
    measures: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_averages(cls, averages: Averages, manifest: AuditManifest) -> KeptAverages:
        """What is remembered of an audit's averages."""
        content = hashlib.sha256(averages.cells.to_csv(index=False).encode())
        content.update(averages.means.tobytes())
        return cls(data_fingerprint=manifest.data_fingerprint, pictures=manifest.pictures, sha256=content.hexdigest())

    def same(self, kept: KeptAverages) -> bool:
        """Whether the averages, or counts, are the very same, whatever was measured beside them."""
        keys = ("data_fingerprint", "pictures", "sha256")
        return all(getattr(self, key) == getattr(kept, key) for key in keys)

    def divided_otherwise(self, planned: KeptAverages) -> bool:
        """Whether the planned ones are the same averages, but of thirds that were cut otherwise: of averages by both,
        subtracted, single faces could be left.

        Measures that are made in the source image divide cells last, so they may come later, all at once.
        """
        if self.sha256 != planned.sha256 or not self.measures:
            return False
        sources = [{name for name in kept.measures if of_source(name)} for kept in (self, planned)]
        other_values = any(planned.measures.get(name, value) != value for name, value in self.measures.items())
        return other_values or (bool(sources[0]) and sources[0] != sources[1])

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


def outermost(models: Path) -> Path:
    """The folder of models that this one lies in, as runs of an experiment do, or itself: what is kept in either can
    be subtracted from what is kept in the other."""
    folders = [models.resolve(), *models.resolve().parents[:3]]
    known = [f for f in folders if f == MODELS.resolve() or any((f / name).is_file() for name in (FILE, SHIPPED))]
    return known[-1] if known else models


def audits_near(models: Path) -> list[Path]:
    """The folders of all audits of these models, and of others that lie in the same outermost folder."""
    files = {*models.glob("*/audits/*/audit.json"), *outermost(models).rglob("audits/*/audit.json")}
    return sorted({file.parent.resolve(): file.parent for file in sorted(files)}.values())


def _records(models: Path) -> list[KeptRecord]:
    """What is remembered in any of these folders. Raises `LookwhereError` where a file is damaged."""
    files = {file.resolve() for file in (models / FILE, *outermost(models).rglob(FILE)) if file.is_file()}
    return [KeptRecord.from_json(file) for file in sorted(files)]


def read_kept(models: Path) -> tuple[KeptAverages, ...]:
    """What is remembered in a folder of models and those around it. Raises `LookwhereError` where a file is damaged."""
    return tuple(itertools.chain.from_iterable(record.kept for record in _records(models)))


def _record(models: Path) -> KeptRecord:
    file = models / FILE
    return KeptRecord.from_json(file) if file.is_file() else KeptRecord()


def kept_before(models: Path, planned: KeptAverages) -> bool:
    """Whether other averages of some of these faces were stored once; the very same may be stored again, by the same
    thirds."""
    return any(
        averages.divided_otherwise(planned) or (averages.sha256 != planned.sha256 and averages.of_faces_of(planned))
        for averages in read_kept(models)
    )


def remember(models: Path, averages: KeptAverages) -> None:
    """Add them to what is remembered, once."""
    _remember(models, "kept", averages)


def _remember(models: Path, field: str, averages: KeptAverages) -> None:
    record = _record(models)
    earlier = getattr(record, field)
    others = [kept for kept in earlier if not kept.same(averages)]
    for kept in earlier:
        if kept.same(averages):  # measures that came later are added to those of before
            averages = replace(averages, measures={**averages.measures, **kept.measures})
    if averages not in earlier:
        write_json(models / FILE, replace(record, **{field: (*others, averages)}).to_json())


def counted_before(models: Path, planned: KeptAverages) -> bool:
    """Whether skin tone of some of these faces was counted once by other groups or outcomes, or of others of them.

    Without images to tell faces by, all faces of the same data are taken for the same.
    """
    counted = itertools.chain.from_iterable(record.counted for record in _records(models))
    other_counts = [counts for counts in counted if counts.sha256 != planned.sha256]
    return any(
        common(counts.pictures, planned.pictures) > 0
        if counts.pictures and planned.pictures
        else counts.of_faces_of(planned)
        for counts in other_counts
    )


def remember_counted(models: Path, counts: KeptAverages) -> None:
    """Add what skin tone was counted of to what is remembered, once."""
    _remember(models, "counted", counts)
