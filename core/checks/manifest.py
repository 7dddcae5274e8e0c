"""The manifest of an audit's checks, as `checks.json` has it: of which audit they are, and how they were made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from core.json_record import JsonRecord, Positive, Signed
from core.privacy import MINIMUM_FACES


@dataclass(frozen=True, kw_only=True)
class ChecksManifest(JsonRecord):
    """The key `manifest` of `checks.json`.

    `sample` counts faces, `draws` random networks; `minimum_faces` is the least number of faces in a published group,
    `norm_faces` those on which norms of random networks are estimated. `versions` are those of packages, several where
    parts were made with several. `finished` says whether all parts that were
    asked for are there; `seconds` are those of all parts.
    """

    model: str
    weights_sha256: str | None
    data_fingerprint: str | None
    sample: int
    seed: Signed
    draws: int
    minimum_faces: int = MINIMUM_FACES
    norm_faces: int | None = None
    controls: tuple[str, ...] = ()
    fills: tuple[str, ...] = ()
    precision: str = "unknown"
    versions: Mapping[str, str] = field(default_factory=dict)
    finished: bool = False
    seconds: Positive = 0.0

    CLOSED: ClassVar = True
    MEND: ClassVar = "delete checks.json and run `python -m core check` again"
    ALWAYS: ClassVar = (
        "minimum_faces", "norm_faces", "controls", "fills", "precision", "versions", "finished", "seconds",
    )  # fmt: skip

    def same_sample(self, manifest: ChecksManifest) -> bool:
        """Whether parts of both are of the same faces, network and draws."""
        keys = ("model", "weights_sha256", "data_fingerprint", "sample", "seed", "draws", "minimum_faces")
        later = [key for key in ("norm_faces", "controls", "fills") if getattr(self, key) and getattr(manifest, key)]
        return all(getattr(self, key) == getattr(manifest, key) for key in (*keys, *later))

    def versions_with(self, earlier: ChecksManifest) -> dict[str, str]:
        """The packages' versions of parts of both: «2.7.0, 2.8.0» where they differ."""
        both: dict[str, str] = {}
        for name in (*earlier.versions, *self.versions):
            versions = [
                word for manifest in (earlier, self) for word in manifest.versions.get(name, "").split(", ") if word
            ]
            both[name] = ", ".join(dict.fromkeys(versions))
        return both
