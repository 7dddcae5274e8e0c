"""The faces behind a group: in which order, with what record, and where their pictures are; needs no torch.

Likeness of two faces is the cosine of their maps' shapes (`core.differences.oriented_shapes`): evidence for the class
the model chose over the other, so a woman and a man misjudged for the same reason are alike.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import pandas as pd

from core.audit.folder import Audit
from core.budget import head_bias, margins
from core.data.faces import AGE_BANDS, UNRECORDED, age_band, check_faces, fingerprint
from core.data.filters import Filter
from core.differences import oriented_shapes
from core.errors import LookwhereError
from core.explain.regions import by_region
from core.privacy import MINIMUM_FACES
from core.statistics import wilson
from core.task import GENDERS
from core.wording import signed


class FaceOrder(StrEnum):
    """In which order a group's faces are listed; the values are what a person chooses by."""

    WRONG = "most confidently wrong"
    NEAR = "nearest to the threshold"
    SURE = "most confident"
    LIKE_GROUP = "most like the group's mean map"
    LIKE_FACE = "most like the chosen face's map"

    @property
    def by_similarity(self) -> bool:
        """True where faces are ordered by how alike their maps are, which needs maps."""
        return self in (FaceOrder.LIKE_GROUP, FaceOrder.LIKE_FACE)

    @property
    def of_a_face(self) -> bool:
        """True where the order is by similarity to one chosen face."""
        return self is FaceOrder.LIKE_FACE


#: Faces a page of the browser, and faces beside a record.
PAGE, ALIKE = 24, 6
#: A prediction of the other gender from this probability on is called confident.
CONFIDENT = 0.9


def likeness(shapes: np.ndarray, to: np.ndarray) -> np.ndarray:
    """Cosine of maps (N, h, w) with one (h, w), float64 (N,); 0 for a map of zeros, which is like nothing."""
    x, y = shapes.reshape(len(shapes), -1).astype(np.float64), np.asarray(to, dtype=np.float64).ravel()
    lengths = np.sqrt((x**2).sum(axis=1) * (y**2).sum())
    return (x @ y) / np.where(lengths > 0, lengths, 1.0)


def ordered(audit: Audit, rows: np.ndarray, order: FaceOrder, face: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """`rows` (n,) of the audit's faces in an order, and the value they are ordered by, float64 (n,).

    «most confidently wrong»: the wrong ones by falling |margin|, then the right ones by rising |margin|. Equal values
    keep the audit's order. `face` is the row that `LIKE_FACE` asks for. Raises `LookwhereError` for an order that
    needs maps where there are none, or without its face.
    """
    margin = margins(audit)[rows]
    if order is FaceOrder.WRONG:
        wrong = ~audit.faces["correct"].to_numpy(dtype=bool)[rows]
        value = np.where(wrong, -np.abs(margin), np.abs(margin))
        place = np.lexsort((value, ~wrong))
    elif not order.by_similarity:
        value = np.abs(margin)
        place = np.argsort(value if order is FaceOrder.NEAR else -value, kind="stable")
    else:
        audit.need_maps()
        if order.of_a_face and face is None:
            raise LookwhereError("no face is chosen: open a face's record and order by likeness to it")
        shapes = oriented_shapes(audit)
        value = likeness(shapes[rows], shapes[face] if order.of_a_face else shapes[rows].mean(axis=0))
        place = np.argsort(-value, kind="stable")
    return rows[place], value[place]


def row_of(audit: Audit, face_id: str | None) -> int | None:
    """The row of a face; None where the audit has none of this id."""
    found = np.flatnonzero((audit.faces["face_id"].astype(str) == face_id).to_numpy())
    return int(found[0]) if len(found) else None


@dataclass(frozen=True)
class Record:
    """All that is known of one face: `face` is its row of the audit's table, `margin` its logit difference.

    `copies` and `person` are the rows of the audit's other faces in its cluster of near-copies and of its identity;
    `alike` those with the most alike maps, `cosines` how much. `regions` float64 (R,) is each region's contribution to
    the margin and `bias` the last layer's; with additive maps they sum to the margin, up to `rest`, which is rounding,
    and with others `bias` and `rest` are NaN.
    `surer` is the share of the audit's faces of the same outcome with a smaller |margin|.
    """

    row: int
    face: pd.Series
    margin: float
    surer: float
    copies: np.ndarray
    person: np.ndarray
    alike: np.ndarray
    cosines: np.ndarray
    regions: np.ndarray | None
    bias: float
    rest: float


def record(audit: Audit, row: int) -> Record:
    """The record of the face at a row."""
    faces, others = audit.faces, np.arange(len(audit.faces)) != row
    face, margin = faces.iloc[row], margins(audit)
    same = (faces["correct"] == face["correct"]).to_numpy() & others
    copies = np.flatnonzero((faces["cluster"] == face["cluster"]).fillna(False).to_numpy(dtype=bool) & others)
    person = np.empty(0, dtype=np.int64)
    if pd.notna(face["identity"]):
        person = np.flatnonzero((faces["identity"] == face["identity"]).fillna(False).to_numpy(dtype=bool) & others)
    surer = float((np.abs(margin[same]) < abs(margin[row])).mean()) if same.any() else np.nan
    facts = {"row": row, "face": face, "margin": float(margin[row]), "surer": surer, "copies": copies, "person": person}
    if not audit.has_maps:
        none = np.empty(0, dtype=np.int64)
        return Record(**facts, alike=none, cosines=none.astype(float), regions=None, bias=np.nan, rest=np.nan)
    alike, cosines = ordered(audit, np.flatnonzero(others), FaceOrder.LIKE_FACE, row)
    evidence = audit.evidence[row].astype(np.float64)
    regions = by_region(evidence[0] - evidence[1])
    bias = head_bias(audit) if audit.additive else np.nan
    rest = float(margin[row] - regions.sum() - bias)
    return Record(**facts, alike=alike[:ALIKE], cosines=cosines[:ALIKE], regions=regions, bias=bias, rest=rest)


def facts(audit: Audit, found: Record) -> dict[str, str]:
    """A face's labels, prediction and whereabouts in words, by name."""
    face = found.face
    band = int(age_band(pd.Series([face["age"]]))[0])
    outcome = "right" if face["correct"] else "wrong"
    surer = "" if np.isnan(found.surer) else f", surer than {100 * found.surer:.0f} % of the {outcome} ones"
    renamed = ", ".join(f"{a} → {b}" for a, b in (audit.manifest.get("names") or {}).items())
    ethnicity = "" if face["ethnicity"] == UNRECORDED else f", {face['ethnicity']}"
    return {
        "Labelled": f"{face['gender']}{ethnicity}" + (f" (this audit renames {renamed})" if renamed else ""),
        "Age": "not recorded" if band < 0 else f"{int(face['age'])} years, band {AGE_BANDS[band]}",
        "Predicted": f"{face['predicted']} ({outcome}{surer})",
        "p(male)": f"{face['p_male']:.4f}",
        "Logits": f"female {signed(face['logit_female'], 3)}, male {signed(face['logit_male'], 3)}",
        "Margin": f"{signed(found.margin, 3)} (female less male)",
        "Identity": "not recorded" if pd.isna(face["identity"]) else str(face["identity"]),
        "Near-copies": f"cluster {face['cluster']}; others of it in this audit: {len(found.copies)}",
        "Split": str(face["split"]),
        "File": str(face["path"]),
        "Face id": str(face["face_id"]),
    }


@dataclass(frozen=True)
class Pictures:
    """The audited faces' aligned pictures: `images` uint8 (R, 112, 112, 3), memory-mapped; `rows` int64 (N,) says where
    in it each of the audit's faces is."""

    path: Path
    images: np.ndarray
    rows: np.ndarray

    def face(self, row: int) -> np.ndarray:
        """The picture of one of the audit's faces, uint8 (112, 112, 3)."""
        return np.asarray(self.images[self.rows[row]])

    def average(self, rows: np.ndarray) -> np.ndarray | None:
        """The mean of the pictures of the audit's faces at `rows`, uint8 (112, 112, 3); None under 11 of them."""
        if len(rows) < MINIMUM_FACES:
            return None
        total = np.zeros(self.images.shape[1:], dtype=np.int64)
        for row in rows:
            total += self.face(row)
        return (total / len(rows)).round().astype(np.uint8)


def attach(audit: Audit, root: Path) -> tuple[Pictures | None, list[str]]:
    """The pictures of an audit's faces, from the store under `root` whose data it audited; and what was found instead.

    The faces are joined by `face_id`, since an audit may have renamed ethnicities and assigned another split.
    """
    wanted = audit.manifest.get("data_fingerprint")
    if not wanted:
        return None, [f"{audit.path}/audit.json names no data fingerprint, so no store can be known to be its data"]
    first = root / str(audit.manifest.get("dataset", ""))
    folders = sorted(p for p in root.iterdir() if p.is_dir()) if root.is_dir() else []
    looked = []
    for path in [first, *(p for p in folders if p != first)]:
        try:
            return _open(path, wanted, audit.faces), []
        except LookwhereError as error:
            looked.append(str(error))
    return None, looked


def _open(path: Path, wanted: str, audited: pd.DataFrame) -> Pictures:
    """Raises `LookwhereError` where there is no finished store, it is damaged, or it is of other data."""
    if not (path / "store.json").is_file():
        if (path / "unfinished.json").is_file():
            raise LookwhereError(f"{path}: aligning was interrupted; the same command resumes it")
        raise LookwhereError(f"{path}: {'no store.json in it' if path.is_dir() else 'no such folder'}")
    try:
        manifest = json.loads((path / "store.json").read_text())
        found = str(manifest.get("data_fingerprint"))
        if found != wanted:
            raise LookwhereError(
                f"{path}: other data than was audited ({manifest.get('faces')} faces of {manifest.get('dataset')}, "
                f"seed {manifest.get('seed')}, fingerprint {found[:12]}…, not {wanted[:12]}…)"
            )
        images = np.load(path / "faces.npy", mmap_mode="r")
        faces = pd.read_parquet(path / "faces.parquet")
    except (OSError, ValueError, AttributeError) as error:
        raise LookwhereError(f"{path}: the store is damaged ({error}); delete it and align again") from error
    check_faces(faces, f"{path}/faces.parquet")
    if fingerprint(faces) != wanted:
        raise LookwhereError(f"{path}/faces.parquet: changed since it was written; delete the store and align again")
    place = pd.Series(faces["row"].to_numpy(dtype=np.int64), index=faces["face_id"].astype(str))
    rows = place.reindex(audited["face_id"].astype(str))
    if rows.isna().any():
        raise LookwhereError(
            f"{path}: lacks {int(rows.isna().sum()):,} of the audited faces, {rows.index[rows.isna()][0]} one"
        )
    rows = rows.to_numpy(dtype=np.int64)
    if images.ndim != 4 or images.dtype != np.uint8 or images.shape[-1] != 3 or rows.max(initial=-1) >= len(images):
        raise LookwhereError(f"{path}/faces.npy: shape {images.shape} does not go with faces.parquet; align again")
    return Pictures(path, images, rows)


def align_command(manifest: dict, info: dict | None, out: Path | None = None) -> str:
    """The command that makes the store an audit was made from, as far as its manifest and the model's tell.

    The seed of the splits is known where the model was trained on the same data; by default it is 0.
    """
    words = ["python -m core align --data PATH"]
    if manifest.get("dataset"):
        words.append(f"--dataset {shlex.quote(str(manifest['dataset']))}")
    data = (info or {}).get("data") or {}
    if manifest.get("data_fingerprint") in str(data.get("fingerprint", "")).split("+") and "split_seed" in data:
        words.append(f"--seed {data['split_seed']}")
    if out is not None:
        words.append(f"--out {shlex.quote(str(out))}")
    return " ".join(words)


def faces_sentence(audit: Audit, within: Filter, kinds: str = "") -> str:
    """How many inside a filter are wrong, how many of them confidently, and `kinds` of wrong; any outcome."""
    within = within.narrowed(outcome="all")
    faces = audit.faces[within.mask(audit.faces)]
    if faces.empty:
        return "No face passes this filter."
    wrong = faces[~faces["correct"].to_numpy(dtype=bool)]
    low, high = wilson(len(wrong), len(faces))
    who = within.describe()
    text = (
        f"{who[:1].upper()}{who[1:]}: {len(wrong):,} of {len(faces):,} are predicted wrong, "
        f"{100 * len(wrong) / len(faces):.1f} % [{100 * low:.1f}–{100 * high:.1f}]"
    )
    if wrong.empty:
        return text + "."
    male = wrong["p_male"].to_numpy(dtype=np.float64)
    sure = int((np.where(wrong["predicted"] == GENDERS[1], male, 1 - male) >= CONFIDENT).sum())
    return f"{text}, {sure:,} of them with {100 * CONFIDENT:.0f} % certainty or more" + (
        f"; {kinds}." if kinds else "."
    )
