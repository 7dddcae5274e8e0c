"""Reading an audit folder. `audit.json` is written last: without it there is no audit. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.audit.averages import Averages, assign_cells
from core.audit.consistency import check_manifest
from core.audit.counted import Kinds, counted_faces, tells
from core.audit.manifest import AuditManifest
from core.audit.mapped import MapCells, Mapped, mapped
from core.classifiers.info import MapsInfo
from core.data.columns import Column, restored
from core.data.faces import check_faces
from core.data.file_array import FileArray
from core.data.filters import Filter
from core.data.measured import of_source, publishable, read_measured, with_measures
from core.data.otherwise import read_otherwise
from core.data.splits import person_numbers
from core.errors import LookwhereError
from core.explain.maps import display_maps
from core.explain.method import AttributionMethod
from core.explain.methods import UNTOLD, ClosedForm, stored
from core.explain.placement import Placement
from core.explain.regions import by_region
from core.integrity import check_files
from core.privacy import MINIMUM_FACES, asked_minimum, enough_people, refined
from core.remote import AUDIT, fetched
from core.task import Task, carrying, task_of

FILES = ("faces.parquet", "averages.npz", "audit.json")
#: Faces whose maps are added up when an audit is opened. How far they may be off, beside the mean logit: a face, and
#: the mean over faces, of which half precision leaves under 0.0001.
SUMMED, OFF, OFF_IN_MEAN = 256, 0.1, 0.01
#: Targets and normalisations whose maps an open audit holds; the first is given up for another.
KEPT_MAPS = 6
#: Filters whose faces an open audit holds.
KEPT_FACES = 2


@dataclass(frozen=True)
class Audit:
    """An opened audit.

    `faces`: the faces table plus `predicted, correct` and the task's columns `logits` and `probability` (N rows);
    `evidence` float16 (N, 2, h, w), signed, in the task's order of classes, None where only a model's predictions were
    audited; of a large audit it stays in its file. `averages` by cell; `manifest` is `audit.json`. `minimum_asked` is
    what was asked for when it was opened. `measured` are the columns that were measured from the images
    (`core.data.measured`), none where nothing was. `cells` are the maps of a large audit added up and `kinds` its faces
    counted together (`core.audit.mapped`, `core.audit.counted`).
    """

    name: str
    path: Path
    faces: pd.DataFrame
    evidence: np.ndarray | FileArray | None
    averages: Averages
    manifest: AuditManifest
    minimum_asked: int = MINIMUM_FACES
    measured: tuple[Column, ...] = ()
    cells: MapCells | None = None
    kinds: Kinds | None = None
    _maps: dict = field(default_factory=dict, init=False, repr=False, compare=False)
    _passing: dict = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.task.is_gender:
            object.__setattr__(self, "faces", carrying(self.faces, self.task))

    @property
    def task(self) -> Task:
        """What is classified: its two classes, their columns and words."""
        return self.manifest.task

    @property
    def columns(self) -> tuple[Column, ...]:
        """What the faces can be grouped and filtered by beside gender, ethnicity and age: labelled, then measured."""
        return self.manifest.columns + self.measured

    @cached_property
    def otherwise(self) -> pd.DataFrame:
        """The faces labelled with none of the two classes, with what the model calls them: in no accuracy, no map."""
        any_stored = any(self.manifest.otherwise.values())
        return read_otherwise(self.path, self.manifest.columns) if any_stored else self.faces[:0]

    @cached_property
    def picture_cells(self) -> np.ndarray:
        """The cell that each face is averaged in where columns are asked for too, int64 (N,), −1 for none.

        Cells of the stored averages, divided by the audit's columns in their order (`core.privacy.refined`). All are −1
        where an audit is to keep no averages; where it was made of no images, its cells are those that it would store.
        The division is by the minimum that the audit was made with, whatever is asked for since.
        """
        persons, least = person_numbers(self.faces), stored_minimum(self.manifest)
        place = self.averages.place(self.faces)
        if self.manifest.averages is None and not len(self.averages.cells):
            place = assign_cells(self.faces, least, self.manifest.cells)[1]
            for n in range(place.max(initial=-1) + 1):
                if not enough_people(persons[place == n], self.minimum_faces):
                    place[place == n] = -1
        # What is measured in the source image comes last: it may be added to an audit whose averages were shown before.
        columns = sorted(self.columns, key=lambda column: column.measured and of_source(column.name))
        codes = [pd.factorize(self.faces[column.name])[0] for column in columns]
        return refined(place, codes, persons, least, self.minimum_faces)

    @property
    def has_maps(self) -> bool:
        """Whether the model gave maps; predictions alone give none."""
        return self.evidence is not None

    @property
    def minimum_faces(self) -> int:
        """No average of fewer faces is shown: the larger of what averages were stored with and what is asked now."""
        return max(stored_minimum(self.manifest), self.minimum_asked)

    @property
    def additive(self) -> bool:
        """Whether the maps decompose the logits, mean(E_c) + b_c = logit_c: those of the closed form do."""
        return self.has_maps and self._maps_info.additive

    @property
    def map_method(self) -> str:
        """How the maps were made: «closed form», «GradCAM», «occlusion» …; «none» where there are none."""
        return self._maps_info.method if self.has_maps else "none"

    @property
    def _maps_info(self) -> MapsInfo:
        """What the manifest says of the maps; older ones say nothing, theirs are all of the closed form."""
        return self.manifest.maps or MapsInfo.from_json(UNTOLD)

    @property
    def method(self) -> type[AttributionMethod]:
        """The attribution method of the maps. Raises `LookwhereError` where there are none."""
        self.need_maps()
        return stored(self.map_method)

    @property
    def placement(self) -> Placement | None:
        """Where the maps' cells lie; None where they are tiles, and in older audits, which did not record it."""
        stored_placement = self._maps_info.placement if self.has_maps else None
        return stored_placement and stored_placement.placement()

    @property
    def map_words(self) -> str:
        """What one map is called: «Grad-CAM», or «map by occlusion»."""
        return self.method.words if self.has_maps else ClosedForm.words

    @property
    def map_units(self) -> str:
        """What the values of a class's maps over h·w are."""
        return "contribution to the logit" if self.additive else self.method.unit

    @property
    def split_words(self) -> str:
        """`AuditManifest.split_words`."""
        return self.manifest.split_words

    @property
    def map_shape(self) -> tuple[int, int]:
        """(h, w) of the maps. Raises `LookwhereError` where there are none."""
        self.need_maps()
        return self.evidence.shape[2:]

    def passing(self, filter: Filter) -> pd.DataFrame:
        """The faces that pass a filter. The last ones are kept: a page asks for the same several times at a click."""
        if (faces := self._passing.get(filter)) is None:
            passes = filter.mask(self.faces)
            faces = self.faces if passes.all() else self.faces[passes]
            for oldest in list(self._passing)[: len(self._passing) + 1 - KEPT_FACES]:
                self._passing.pop(oldest, None)
            self._passing[filter] = faces
        return faces

    def counted(self, filter: Filter, threshold: float = 0.5) -> pd.DataFrame:
        """The faces that pass a filter, those of a large audit counted together (`core.audit.counted`), for functions
        that take counts. Without ids and scores there; `predicted` and `correct` are by the threshold."""
        if self.kinds is None or not tells(filter):
            return self.passing(filter)
        key = ("counted", filter, threshold)
        if (counts := self._maps.get(key)) is None:
            counts = counted_faces(self.faces, self.kinds, self._kind_table, self.task, filter, threshold)
            for oldest in list(self._maps)[: len(self._maps) + 1 - KEPT_MAPS]:
                self._maps.pop(oldest, None)
            self._maps[key] = counts
        return counts

    @cached_property
    def _kind_table(self) -> pd.DataFrame:
        return self.kinds.table(self.faces, self.task)

    def of_rows(self, rows: np.ndarray) -> Audit:
        """The same audit of the faces at `rows` (positions or bool), in this order; averages are those of all."""
        faces = self.faces.iloc[rows].reset_index(drop=True)
        evidence = self.evidence[rows] if self.has_maps else None
        return replace(self, faces=faces, evidence=evidence, cells=None, kinds=None)

    def need_maps(self) -> None:
        """Raises `LookwhereError` where the audit has no maps."""
        if not self.has_maps:
            raise LookwhereError(f"{self.path}: only predictions were audited, so there are no maps")

    @property
    def truth(self) -> np.ndarray:
        """Each face's true class as an index, int64 (N,)."""
        return self.task.is_positive(self.faces).astype(np.int64)

    @property
    def called(self) -> np.ndarray:
        """The class that each face is given as an index, int64 (N,)."""
        return (self.faces["predicted"] == self.task.positive).to_numpy(dtype=np.int64)

    def maps(self, target: str, normalisation: str) -> np.ndarray:
        """All faces' maps (N, h, w) float32 of a target, computed once: a page averages parts of them at each click."""
        self.need_maps()
        key = (target, normalisation)
        if (maps := self._maps.get(key)) is None:
            evidence = self.evidence.astype(np.float32)
            maps = display_maps(evidence, target, normalisation, self.truth, self.called, self.task)
            for oldest in list(self._maps)[: len(self._maps) + 1 - KEPT_MAPS]:
                self._maps.pop(oldest, None)
            self._maps[key] = maps
        return maps


def open_audit(path: str | Path) -> Audit:
    """The audit in a folder, or at an address (`core.remote`), read whole.

    It shows no average of fewer faces than `$LOOKWHERE_MINIMUM_FACES` asks.

    Raises `LookwhereError` where the audit is missing, unfinished, damaged or of another format.
    """
    path = fetched(path, AUDIT)
    manifest = read_manifest(path)
    check_files(path, manifest.files, manifest.MEND)
    if manifest.map_shape:
        _check_shape(manifest, path)
    if (large := mapped(path, manifest)) is not None:
        return _of_mapped(path, manifest, large)
    try:
        table = pq.read_table(path / "faces.parquet")
    except (OSError, pa.ArrowException) as error:
        raise LookwhereError(
            f"{path}/faces.parquet: damaged or missing ({error}); delete this audit and run it again"
        ) from error
    required = ["correct", *(["evidence"] if manifest.map_shape else [])]
    missing = [column for column in required if column not in table.column_names]
    if missing:
        raise LookwhereError(f"{path}/faces.parquet: no {', '.join(missing)} in it; delete this audit and run it again")
    evidence, fits = None, len(table) == manifest.faces
    if manifest.map_shape:
        shape = (len(table), len(manifest.task.classes), *manifest.map_shape)
        flat = table["evidence"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        fits = fits and flat.size == np.prod(shape)
        evidence = flat.reshape(shape) if fits else None
        table = table.drop_columns(["evidence"])
    if not fits:
        raise LookwhereError(
            f"{path}/faces.parquet: {len(table)} faces do not go with audit.json; delete this audit and run it again"
        )
    faces = table.to_pandas()
    check_faces(faces, f"{path}/faces.parquet")
    faces = restored(faces, manifest.columns, f"{path}/faces.parquet")
    if not manifest.task.is_gender:
        faces = _of_task(faces, manifest.task, path)
    check_manifest(manifest, faces, f"{path}/audit.json")
    if evidence is not None:
        _check_sums(manifest, faces, evidence, path)
    minimum = asked_minimum()
    averages = Averages.load(path / "averages.npz").of_at_least(max(minimum, stored_minimum(manifest)), faces)
    measures = read_measured(path, faces)
    faces, measured = with_measures(faces, publishable(measures)) if measures is not None else (faces, ())
    return Audit(path.name, path, faces, evidence, averages, manifest, minimum, measured)


def _of_mapped(path: Path, manifest: AuditManifest, large: Mapped) -> Audit:
    """A large audit, from the mapped form of its files."""
    faces = large.faces
    if not manifest.task.is_gender:
        faces = _of_task(faces, manifest.task, path)
    check_manifest(manifest, faces, f"{path}/audit.json")
    if large.evidence is not None:
        _check_sums(manifest, faces, large.evidence, path)
    minimum = asked_minimum()
    least = max(minimum, stored_minimum(manifest))
    averages = Averages.load(path / "averages.npz").of_at_least(least, faces, (large.people, large.most))
    return Audit(
        path.name, path, faces, large.evidence, averages, manifest, minimum, large.measured, large.cells, large.kinds
    )


def _of_task(faces: pd.DataFrame, task: Task, path: Path) -> pd.DataFrame:
    """The faces, which carry their task. Raises `LookwhereError` where they are not of it."""
    lacking = [name for name in (task.attribute, task.probability, *task.logits) if name not in faces]
    if lacking or not task.known(faces).all():
        what = f"no {lacking[0]}" if lacking else f"faces without {task.attribute}"
        raise LookwhereError(
            f"{path}/faces.parquet: {what} in it, as audits of {task.name} have; delete this audit and run it again"
        )
    return carrying(faces, task)


def _check_shape(manifest: AuditManifest, path: Path) -> None:
    """What no maps are like. Our networks take square images, so their maps are square."""
    height, width = manifest.map_shape
    if min(height, width) < 1 or (manifest.trained_here and height != width):
        raise LookwhereError(
            f"{path}/audit.json: map_shape {height}×{width} is none of such a model's; delete this audit and run it "
            "again"
        )


def _check_sums(manifest: AuditManifest, faces: pd.DataFrame, evidence: np.ndarray | FileArray, path: Path) -> None:
    """Maps that are to add up do: mean(E_c) + b_c is logit_c of some faces, to what half precision leaves.

    Raises `LookwhereError` where they do not: whoever changed the bias may have made the digest anew.
    """
    if manifest.head_bias is None or not (manifest.maps is None or manifest.maps.additive):
        return
    logits = faces[list(manifest.task.logits)].to_numpy(dtype=np.float64)[:SUMMED]
    left = np.asarray(evidence[:SUMMED], dtype=np.float64).mean(axis=(2, 3)) + np.array(manifest.head_bias) - logits
    if not len(logits):
        return
    least = 1 + np.abs(logits).mean()
    with np.errstate(over="ignore"):
        in_mean = np.abs(left.mean(axis=0)).max()
        wrong = np.abs(left).mean() > OFF * least or in_mean > OFF_IN_MEAN * least
    if wrong:
        raise LookwhereError(
            f"{path}/audit.json: maps and head_bias do not add up to the logits in faces.parquet; delete this audit "
            "and run it again"
        )


def stored_minimum(manifest: AuditManifest) -> int:
    """The least number of faces in an average that an audit stores; 11 where its manifest is older than the choice."""
    return max(MINIMUM_FACES, manifest.minimum_faces)


def read_manifest(path: Path) -> AuditManifest:
    """The checked content of `audit.json`. Raises `LookwhereError` where it is missing or broken."""
    file = path / "audit.json"
    if not file.is_file():
        raise LookwhereError(f"{path}: no audit.json, so no finished audit; make it with `python -m core audit`")
    return AuditManifest.from_json(file)


def list_audits(model: Path) -> list[str]:
    """Names of a model folder's finished audits, sorted."""
    return sorted(p.parent.name for p in (model / "audits").glob("[!.]*/audit.json"))


def margin_evidence(audit: Audit) -> np.ndarray:
    """Each face's margin map by region, float64 (N, R), positive for the negative class, «female». Needs maps."""
    audit.need_maps()
    return by_region(audit.evidence[:, 0].astype(np.float64) - audit.evidence[:, 1], audit.placement)


def margins(audit: Audit) -> np.ndarray:
    """Each face's logit of the task's negative class less that of the positive one, float64 (N,)."""
    return audit.task.margin(audit.faces)


def head_bias(audit: Audit) -> float:
    """b of the negative class less that of the positive one, of the last layer.

    It is the manifest's `head_bias`, else the mean of what the maps leave of the logits.

    Raises `LookwhereError` where the maps do not add up to the logits: then they leave each face something else.
    """
    need_additive(audit)
    if audit.manifest.head_bias is not None:
        negative, positive = audit.manifest.head_bias
        return float(negative) - float(positive)
    return float((margins(audit) - margin_evidence(audit).sum(axis=1)).mean()) if len(audit.faces) else np.nan


def need_one_task(audits: Sequence[Audit]) -> None:
    """Raises `LookwhereError` where the audits are not all of one attribute."""
    names = list(dict.fromkeys(task_of(audit.faces).attribute for audit in audits))
    if len(names) > 1:
        raise LookwhereError(f"these audits are of {' and '.join(names)}: compare audits of one attribute")


def need_additive(audit: Audit) -> None:
    """Raises `LookwhereError` unless the audit's maps decompose the logits."""
    audit.need_maps()
    if not audit.additive:
        raise LookwhereError(
            f"{audit.path}: maps by {audit.map_method} do not add up to the logits, so they give no evidence by region"
        )
