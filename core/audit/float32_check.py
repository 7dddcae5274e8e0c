"""How many decisions of an audit are others in float32, counted where they can be: among the faces nearest to even."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from core.audit.folder import Audit, open_audit
from core.classifiers.classifier import Classifier
from core.classifiers.folder import Model
from core.classifiers.speed import Float32Check
from core.data.store import AlignedStore
from core.files import write_json

#: Faces that are computed again, those whose margin is nearest to 0.
NEAREST = 256
BATCH = 64


def float32_check(exact: Classifier, images: np.ndarray, rows: np.ndarray, logits: np.ndarray) -> Float32Check:
    """Compute the faces nearest to even again by `exact`, the model in float32.

    `images` are a store's, uint8 (M, 112, 112, 3); face n lies there at `rows[n]`, and its audited logits are
    `logits[n]`, float32 (N, 2).
    """
    margins = logits[:, 1].astype(np.float64) - logits[:, 0]
    order = np.argsort(np.abs(margins), kind="stable")
    nearest, others = np.sort(order[:NEAREST]), order[NEAREST:]
    parts = [
        exact.logits(images[np.asarray(rows)[nearest[low : low + BATCH]]]) for low in range(0, len(nearest), BATCH)
    ]
    again = np.concatenate(parts).astype(np.float64)
    exactly = again[:, 1] - again[:, 0]
    return Float32Check(
        faces=len(nearest),
        decisions=int(((exactly >= 0) != (margins[nearest] >= 0)).sum()),
        margin=round(float(np.abs(exactly - margins[nearest]).max()), 6),
        beyond=round(float(np.abs(margins[others]).min()), 6) if len(others) else None,
    )


def with_float32_check(audit: Audit, model: Model, store: AlignedStore, faces: pd.DataFrame) -> Audit:
    """A finished audit, its decisions counted now that are others in float32, where its manifest does not say.

    As given where it is computed in float32, of imported predictions, and of a faster way, whose count is its own.
    """
    manifest = audit.manifest
    counted = manifest.float32_check is not None or manifest.speed is not None
    if counted or manifest.precision in (None, "float32") or model.classify is None:
        return audit
    logits = audit.faces[list(manifest.task.logits)].to_numpy(dtype=np.float32)
    check = float32_check(model.classify.computed(None), store.images, faces["row"].to_numpy(), logits)
    write_json(audit.path / "audit.json", replace(manifest, float32_check=check).to_json())
    return open_audit(audit.path)
