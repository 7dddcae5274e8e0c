"""`audit.json` as a typed record: what was audited, with what model, and what came of it. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from core.audit.notes import Note, NoteCode
from core.audit.training_copies import TrainingCopies
from core.classifiers.info import MapsInfo, ModelKind
from core.classifiers.speed import FasterWay, Float32Check
from core.data.columns import Column
from core.integrity import FileRecord
from core.json_record import JsonRecord, Positive, Share
from core.privacy import MINIMUM_FACES
from core.task import GENDER, Task

#: `WITH_TASK` is written where another attribute than gender is classified: a version that knows none refuses it.
FORMAT, WITH_TASK = 2, 3
#: What `chosen` says of an audit of every face: of all splits as asked, or of data that the model never saw.
ALL, UNSEEN = "all", "unseen"


@dataclass(frozen=True, kw_only=True)
class Review(JsonRecord):
    """How a person reviewed the labels: the audit it is `of`, the list's `file` name and `sha256`, how many faces it
    lists, and how many labels were flipped and faces left out by it."""

    of: str
    file: str
    sha256: str
    listed: int
    flipped: int
    left_out: int


@dataclass(frozen=True, kw_only=True)
class AuditManifest(JsonRecord):
    """The content of `audit.json`.

    `model` and `dataset` are names; `names` maps ethnicities of the data set to those of the audit; `chosen` is `ALL`,
    `UNSEEN` or the splits' names joined by hyphens, None in audits of before it was kept. `minimum_faces` is the least
    number of faces in a stored average. `aligned` says how the faces were aligned (`StoreInfo.alignment`), and
    `copies_by` says what told near-copies (`StoreInfo.copies_by`), None in audits of before the aligned faces did.
    `declared_sha256` is that of what `model.json` says of input and outputs (`ModelInfo.declared_sha256`); empty and
    None in audits of before these were kept. `pictures` is a sketch of the audited faces' images
    (`core.audit.releases`), empty without average faces and in audits of before it was kept. `faces` counts the audited
    faces. `rejects` counts files of the whole data set by reason, `disagreements` its labels that two places give
    differently, None where the store did not record them. `training_copies` says what came of looking the faces up
    among the training faces, None where nobody did. `not_predicted` counts faces that an imported table of
    predictions lacks, and `predictions_unused` that table's rows of no face here, None in audits of before it was
    kept; `no_class` counts faces whose class is not labelled. `task` is what is classified, gender in audits of
    before it could be another. `enlarged` is how many input pixels were made of one pixel of the face, None where no
    more than one.
    `map_shape` (h, w) is None without maps; `maps` is None there, and in older audits of models trained here;
    `head_bias` is b_c of both classes, in logits, None where maps do not add up. `averages` says why no
    average face is kept, None where some are. `review` says how labels were reviewed, None where they are the data
    set's. `columns` are those that the faces have beside their labels, none in audits of before these were kept;
    `cells` names those whose levels average faces tell apart. `otherwise` counts faces that are labelled with none of
    the two classes and lie in `otherwise.parquet`. `files` are those beside it when it was written, empty in audits of
    before they were recorded. `precision` is the data type of the forward pass, `speed` how it was made faster and
    how that agreed with float32, None of the network as it is. `float32_check` says how many decisions are others in
    float32, None where it is computed in that, or nobody counted. `versions` are those of packages.
    """

    format: int = FORMAT
    model: str
    weights_sha256: str | None = None
    dataset: str
    data_fingerprint: str | None = None
    splits: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    chosen: str | None = None
    minimum_faces: int = MINIMUM_FACES
    face_ids_sha256: str | None = None
    pictures: tuple[str, ...] = ()
    aligned: Mapping[str, object] = field(default_factory=dict)
    copies_by: str | None = None
    declared_sha256: str | None = None
    kind: ModelKind = ModelKind.TRAINED_HERE
    task: Task = GENDER
    faces: int
    accuracy: Share | None = None
    map_shape: tuple[int, int] | None
    maps: MapsInfo | None = None
    head_bias: tuple[float, float] | None = None
    rejects: Mapping[str, int] = field(default_factory=dict)
    disagreements: Mapping[str, int] | None = None
    precision: str | None = None
    speed: FasterWay | None = None
    float32_check: Float32Check | None = None
    seconds: Positive | None = None
    faces_per_second: Positive | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    not_predicted: int = 0
    predictions_unused: int | None = None
    no_class: int = 0
    training_copies: TrainingCopies | None = None
    enlarged: Positive | None = None
    averages: Note | None = None
    review: Review | None = None
    columns: tuple[Column, ...] = ()
    cells: tuple[str, ...] = ()
    otherwise: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[Note, ...] = ()
    files: Mapping[str, FileRecord] = field(default_factory=dict)

    FORMAT: ClassVar = FORMAT
    READS: ClassVar = (1, WITH_TASK)
    CLOSED: ClassVar = True
    SEALED_FROM: ClassVar = 2
    MEND: ClassVar = "delete this audit and run it again"
    ALWAYS: ClassVar = (
        "format", "weights_sha256", "data_fingerprint", "names", "chosen", "minimum_faces", "face_ids_sha256", "kind",
        "accuracy", "maps", "head_bias", "rejects", "precision", "seconds", "faces_per_second", "versions",
    )  # fmt: skip

    def for_task(self, task: Task) -> AuditManifest:
        """The same audit with another task, in the format that tells it."""
        return replace(self, format=FORMAT if task.is_gender else WITH_TASK, task=task)

    @property
    def notes(self) -> tuple[Note, ...]:
        """What makes the audit doubtful: its warnings, and that nothing tells whether its files were changed."""
        recorded = self.format >= self.SEALED_FROM
        return self.warnings + (() if recorded else (Note(code=NoteCode.FILES_NOT_RECORDED),))

    @property
    def trained_here(self) -> bool:
        """Whether the audited model was made by `python -m train`; all others are imported."""
        return self.kind.trained_here

    @property
    def of_table(self) -> bool:
        """Whether a table of labels and predictions was audited, without any image."""
        return self.averages is not None and self.averages.code is NoteCode.AVERAGES_WITHOUT_IMAGES

    @property
    def split_words(self) -> str:
        """Which faces were audited: «test split», or «all splits»."""
        if self.every_split:
            return "all splits"
        return f"{' + '.join(self.splits)} split{'s' if len(self.splits) > 1 else ''}"

    @property
    def every_split(self) -> bool:
        """Whether the audit is of all faces of its data, whatever their split."""
        return self.chosen in (ALL, UNSEEN)
