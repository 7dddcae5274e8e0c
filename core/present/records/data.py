"""Data sets, stores and imported models as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from core.audit.disclosure import StoredAverages
from core.audit.tried_settings import Tried
from core.checks.verification import VerifiedFile
from core.classifiers.info import ModelInfo
from core.data.columns import Column
from core.data.faces import SPLITS
from core.data.otherwise import label_counts
from core.data.readers import READERS, Reader, Reading
from core.data.sources.base import Source
from core.data.store import NO_FACE, AlignedStore
from core.present.text.tables import EXAMPLES


def datasets_record() -> dict:
    """The readers that there are."""
    return {
        "readers": [
            {
                "name": r.name,
                "title": r.title,
                "expects": r.expects,
                "aligned": r.aligned,
                "needs_labels": r.needs_labels,
            }
            for r in READERS.values()
        ]
    }


def reading_record(reading: Reading, reader: Reader, source: Source) -> dict:
    """What would be read of a data set, nothing aligned."""
    faces = reading.faces
    keys = ["gender", "ethnicity", *(["split"] if "split" in faces else [])]
    age = faces["age"].dropna() if len(faces) else pd.Series(dtype="Int16")
    return {
        "path": source.path,
        "reader": reader.name,
        "title": reader.title,
        "aligned": reader.aligned,
        "border": reader.border,
        "faces": len(faces),
        "groups": faces.groupby(keys, observed=True).size().reset_index(name="n") if len(faces) else [],
        "age": {"known": len(age), "low": age.min() if len(age) else None, "high": age.max() if len(age) else None},
        "people": faces["identity"].nunique() if len(faces) else 0,
        "columns": columns_record(faces, reading.columns),
        "labelled_otherwise": label_counts(reading.otherwise),
        "not_read": source.not_read(reading.faces["path"]),
        "remarks": reading.remarks,
        "rejected": _by_reason(reading.rejects, "reason"),
        "repaired": _by_reason(reading.repaired, "repair"),
        "disagreements": _by_reason(reading.disagreements, "what"),
    }


def columns_record(faces: pd.DataFrame, columns: Sequence[Column]) -> list[dict]:
    """What faces can be grouped by beside gender, ethnicity and age; how many have each level, and how many none."""
    return [
        {
            "name": column.name,
            "words": column.said,
            "kind": column.kind.value,
            "edges": column.edges,
            "measured": column.measured,
            "levels": [{"level": level, "n": int((faces[column.name] == level).sum())} for level in column.levels],
            "not_recorded": int(faces[column.name].isna().sum()),
        }
        for column in columns
    ]


def _by_reason(entries: pd.DataFrame, column: str) -> dict:
    counts = entries[column].value_counts()
    reasons = [
        {"reason": reason, "n": n, "examples": entries.loc[entries[column] == reason, "file"][:EXAMPLES].tolist()}
        for reason, n in counts.items()
    ]
    return {"n": len(entries), "reasons": reasons}


def store_record(store: AlignedStore) -> dict:
    """What was read, repaired and rejected, the faces by group and split, and those in which no face was found."""
    manifest, keys = store.manifest, ["gender", "ethnicity"]
    groups = store.faces.groupby([*keys, "split"], observed=True).size().reset_index(name="n")
    lost = store.rejects[store.rejects["reason"] == NO_FACE]
    not_found = pd.DataFrame({"aligned": store.faces.groupby(keys).size(), "not_found": lost.groupby(keys).size()})
    not_found = not_found.fillna(0).astype(int)
    not_found["share_not_found"] = not_found["not_found"] / not_found[["aligned", "not_found"]].sum(axis=1)
    return {
        "path": store.path,
        "dataset": manifest.dataset,
        "read": manifest.read,
        "faces": manifest.faces,
        "not_read": manifest.not_read,
        "repairs": manifest.repairs,
        "rejects": manifest.rejects,
        "disagreements": manifest.disagreements,
        "remarks": manifest.remarks,
        "columns": columns_record(store.faces, store.columns),
        "labelled_otherwise": manifest.otherwise,
        "near_copy_clusters": manifest.near_copy_clusters,
        "border": None if manifest.border is None else manifest.border.to_json(),
        "several_faces": None
        if manifest.several_faces is None
        else [group.to_json() for group in manifest.several_faces],
        "splits": {split: int((store.faces["split"] == split).sum()) for split in SPLITS},
        "groups": groups,
        "not_found": not_found.reset_index(),
    }


def model_record(
    path: Path | None, info: ModelInfo, note: str | None = None, portraits: list[dict] | None = None
) -> dict:
    """An imported model: what it is, how its maps are made, what was declared and what was taken by default.

    `portraits` are what it says of each, where it was only tried on them; then there is no `path`.
    """
    return {
        "path": path,
        "kind": info.kind.value,
        "architecture": info.architecture,
        "maps": info.maps.to_json() if info.maps else None,
        "declaration": info.declaration.to_json(),
        "source": info.source.to_json(),
        "note": note,
        "portraits": portraits,
    }


def settings_record(sweep: Tried, title: str) -> dict:
    """Each setting with accuracy, sureness and women less men; each group's least and most."""
    rows = zip(sweep.settings, sweep.right, sweep.sureness, sweep.gender_gaps(), strict=True)
    return {
        "title": title,
        "faces": len(sweep.faces),
        "settings": [
            {
                "varied": setting.varied,
                "value": setting.value,
                "accuracy": float(right.mean()),
                "sureness": float(sure),
                "women_less_men": None if gap != gap else float(gap),
            }
            for setting, right, sure, gap in rows
        ],
        "groups": [
            {key.replace(" ", "_"): value for key, value in row.items()} for row in sweep.by_group().to_dict("records")
        ],
    }


def verified_record(
    results: list[VerifiedFile], stored: Sequence[StoredAverages] = (), shared: Sequence[tuple[Path, Path]] = ()
) -> dict:
    """Each file that was read and whether anything was recorded of it, and what the stored averages give away."""
    return {
        "files": [{"file": result.file, "recorded": result.recorded} for result in results],
        "averages": [
            {
                "audit": averages.path,
                "count": averages.count,
                "fewest_people": averages.fewest_people,
                "most_of_one": averages.most_of_one,
            }
            for averages in stored
        ],
        "shared_averages": [list(pair) for pair in shared],
    }
