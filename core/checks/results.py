"""What checks of an audit hold, and where: `checks.json` (tables, manifest) and `checks.npz` (curves, mean maps).

Both lie in the audit's folder and are written again after each finished part; the manifest's key `finished` says when
all are there. Needs no torch.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.audit.folder import Audit
from core.checks.arrays import check_arrays, check_curves
from core.checks.manifest import ChecksManifest
from core.checks.schema import check_groups, check_table
from core.errors import LookwhereError
from core.explain.methods import ClosedForm
from core.explain.placement import Placement
from core.files import read_npz, sha256
from core.integrity import FileRecord, check_files, damage
from core.json_record import DIGEST, intact, read_object, sealed
from core.locks import put_both_in_place

FORMAT = 2
#: An earlier format that is read too; it has neither a digest nor the record of the arrays' file.
UNSEALED = 1
JSON, NPZ = "checks.json", "checks.npz"
#: What the names of the compared methods' parts begin with: `methods/GradCAM` and so on.
METHODS = "methods/"
#: The part that speaks of no map: what hiding parts of the face costs. Finding 2 reads it.
HIDING = "hiding"
#: How `Filter.describe` words an outcome, by the word that earlier versions wrote after «predicted».
FORMER_OUTCOMES = {"right": "predicted correctly", "wrong": "predicted incorrectly"}
#: Why a part of the checks cannot be run.
IMPORTED = (
    "Random weights and other methods are tried on the layers of our ResNet-50, explained in closed form; on an "
    "imported model these checks cannot be run."
)
OTHER_MAPS = (
    "Random weights and other methods are compared with maps of our ResNet-50 in closed form; this audit's maps are by "
    "{method}, so these checks cannot be run."
)


def closed_to_layers(audit: Audit) -> str | None:
    """Why the checks that open the network's layers cannot be run on an audit, a sentence; None where they can."""
    if not audit.manifest.trained_here:
        return IMPORTED
    if audit.map_method != ClosedForm.name:
        return OTHER_MAPS.format(method=audit.map_method)
    return None


@dataclass(frozen=True)
class Part:
    """One finished check: `groups` (name, n) that are published, tables by name, arrays by name with the groups as
    first axis, and the seconds it took."""

    groups: list[tuple[str, int]]
    tables: dict[str, pd.DataFrame]
    arrays: dict[str, np.ndarray]
    seconds: float = 0.0

    def of_at_least(self, minimum: int) -> Part:
        """Without the groups of under `minimum` faces."""
        places = [place for place, (_, n) in enumerate(self.groups) if n >= minimum]
        if len(places) == len(self.groups):
            return self
        groups = [self.groups[place] for place in places]
        names = [name for name, _ in groups]
        tables = {
            key: table[table["group"].isin(names)].reset_index(drop=True) if "group" in table else table
            for key, table in self.tables.items()
        }
        return Part(groups, tables, {key: array[places] for key, array in self.arrays.items()}, self.seconds)

    def array(self, name: str, group: str) -> np.ndarray | None:
        """One group's array, None where the group is too small to be published."""
        names = [g for g, _ in self.groups]
        return self.arrays[name][names.index(group)] if group in names else None

    def rows(self, name: str, group: str) -> pd.DataFrame:
        """One group's rows of a table; none where the group is too small to be published."""
        table = self.tables[name]
        return table[table["group"] == group].reset_index(drop=True)

    def n(self, group: str) -> int:
        """Faces sampled in a group; 0 where it is too small to be published."""
        return dict(self.groups).get(group, 0)


@dataclass(frozen=True)
class Checks:
    """Checks of an audit: the manifest (sample, seed, versions, weights, timings) and the finished parts by name.

    `placement` says where the cells of its maps lie, None where they are tiles.
    `recorded`: whether their files have digests; those of earlier versions have none.
    """

    path: Path
    manifest: ChecksManifest
    parts: dict[str, Part] = field(default_factory=dict)
    recorded: bool = True
    placement: Placement | None = None

    @property
    def groups(self) -> list[str]:
        """Names of the groups that any part of the maps' checks publishes, all faces first."""
        parts = [part for name, part in self.parts.items() if name != HIDING]
        return list(dict.fromkeys(name for part in parts for name, _ in part.groups))

    @property
    def methods(self) -> dict[str, Part]:
        """The compared methods' parts by method."""
        return {n.removeprefix(METHODS): part for n, part in self.parts.items() if n.startswith(METHODS)}

    def rows(self, part: str, table: str, group: str) -> pd.DataFrame:
        """One group's rows of one part's table; none where the part was not run or the group is too small."""
        return self.parts[part].rows(table, group) if part in self.parts else pd.DataFrame()

    def table(self, name: str, group: str | None = None) -> pd.DataFrame:
        """A table over all parts that have it, of one group or of all; empty where no part has it."""
        part_tables = [part.tables[name] for part in self.parts.values() if name in part.tables]
        if not part_tables:
            return pd.DataFrame()
        table = pd.concat(part_tables, ignore_index=True)
        return table if group is None else table[table["group"] == group].reset_index(drop=True)


def save_checks(checks: Checks) -> None:
    """Write both files, whole or not at all.

    Both are written beside the old ones and then put in their place, the arrays first; `settle` finishes what an
    interruption between the two left.
    """
    arrays = {f"{part}:{name}": a for part, content in checks.parts.items() for name, a in content.arrays.items()}
    parts = {
        name: {
            "seconds": round(part.seconds, 2),
            "groups": [[group, n] for group, n in part.groups],
            "tables": {
                key: {"columns": list(table.columns), "rows": _plain(table)} for key, table in part.tables.items()
            },
        }
        for name, part in checks.parts.items()
    }
    # A line a part: short enough to be read, and a changed part is one changed line.
    lines = ",\n".join(f"{json.dumps(name)}: {_dumps(part)}" for name, part in parts.items())
    with put_both_in_place(checks.path / NPZ, checks.path / JSON) as (partial, new):
        with partial.open("wb") as out:
            np.savez_compressed(out, **arrays)
        arrays_record = FileRecord(bytes=partial.stat().st_size, sha256=sha256(partial)).to_json()
        head = {"format": FORMAT, "manifest": checks.manifest.to_json(), "arrays": arrays_record}
        # The digest is that of what a reader parses.
        digest = sealed(json.loads(_dumps(head | {"parts": parts})))[DIGEST]
        new.write_text(f'{_dumps(head | {DIGEST: digest})[:-1]},\n"parts": {{\n{lines}\n}}}}\n', encoding="utf-8")


def settle(folder: Path) -> None:
    """Put a new `checks.json` in its place where an interruption left it beside arrays that are in theirs already."""
    new = folder / f"{JSON}.partial"
    try:
        content = read_object(new)
        record = FileRecord.from_json(content["arrays"], str(new))
    except (OSError, ValueError, KeyError, TypeError, LookwhereError):
        return
    if intact(content) and damage(folder / NPZ, record) is None:
        new.replace(folder / JSON)


def _plain(table: pd.DataFrame) -> list[list]:
    """Rows of plain values, None for NaN: JSON has none."""
    return table.astype(object).where(table.notna(), None).to_numpy().tolist()


def _table(content: dict) -> pd.DataFrame:
    """The reverse: None is NaN again; only numbers are ever missing."""
    table = pd.DataFrame(content["rows"], columns=content["columns"])
    if "group" in table:
        table["group"] = table["group"].map(current_name)
    return table.astype({name: float for name in table if table[name].isna().any()})


def current_name(group: str) -> str:
    """A group's name as `Filter.describe` gives it now; earlier versions wrote «predicted right» and «wrong»."""
    return re.sub(r"\bpredicted (right|wrong)\b", lambda match: FORMER_OUTCOMES[match[1]], group)


def _dumps(content: dict) -> str:
    return json.dumps(content, ensure_ascii=False, allow_nan=False)


def _arrays(file: Path) -> dict[str, np.ndarray]:
    """Every array of `checks.npz`. Raises `LookwhereError` where it is missing or damaged."""
    try:
        return read_npz(file)
    except (OSError, ValueError) as error:
        raise LookwhereError(f"{file}: damaged or missing ({error}); {ChecksManifest.MEND}") from error


def open_checks(audit: Audit) -> Checks | None:
    """The audit's checks, None where there are none.

    Raises `LookwhereError` where they are damaged, of another format, or of another model or other data.
    """
    if not (audit.path / JSON).is_file():
        return None
    checks = read_checks(audit.path)
    for key in ("weights_sha256", "data_fingerprint"):
        if getattr(checks.manifest, key) != getattr(audit.manifest, key):
            raise LookwhereError(
                f"{audit.path / JSON}: of another {key.replace('_', ' ')} than the audit beside it; "
                f"{ChecksManifest.MEND}"
            )
    for name, part in checks.parts.items():
        maps = part.arrays.get("maps")
        if maps is not None and audit.has_maps and maps.shape[-2:] != audit.map_shape:
            raise LookwhereError(
                f"{audit.path / NPZ}: maps of {name} have other cells than the audit's; {ChecksManifest.MEND}"
            )
    parts = {name: part.of_at_least(audit.minimum_faces) for name, part in checks.parts.items()}
    return replace(checks, parts=parts, placement=audit.placement)


def read_checks(folder: Path) -> Checks:
    """The checks in an audit's folder, groups of every size. Raises `LookwhereError` where they are damaged."""
    file, mend = folder / JSON, ChecksManifest.MEND
    try:
        content = read_object(file)
        if content.get("format") not in (FORMAT, UNSEALED):
            raise LookwhereError(f"{file}: format {content.get('format')}, this version reads {FORMAT}; {mend}")
        if content["format"] != UNSEALED:
            if not intact(content):
                raise LookwhereError(f"{file}: changed since it was written; {mend}")
            check_files(folder, {NPZ: FileRecord.from_json(content["arrays"], str(file))}, mend)
        arrays = _arrays(folder / NPZ)
        parts = {
            name: Part(
                [(current_name(group), n) for group, n in part["groups"]],
                {k: _table(t) for k, t in part["tables"].items()},
                {k.partition(":")[2]: a for k, a in arrays.items() if k.partition(":")[0] == name},
                float(part["seconds"]),
            )
            for name, part in content["parts"].items()
        }
        manifest = ChecksManifest.from_json(content["manifest"], str(file))
        for name, part in parts.items():
            check_groups(name, part.groups, manifest.sample)
            for key, table in part.tables.items():
                check_table(name, key, table, part.groups)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise LookwhereError(f"{file}: damaged ({error}); {mend}") from error
    try:
        for name, part in parts.items():
            check_arrays(name, part.arrays, part.tables, part.groups)
            if "areas" in part.tables:
                check_curves(name, part.arrays, part.tables["areas"], part.groups)
    except (ValueError, TypeError, IndexError) as error:
        raise LookwhereError(f"{folder / NPZ}: does not go with {JSON} ({error}); {mend}") from error
    return Checks(folder, manifest, parts, recorded=content["format"] != UNSEALED)
