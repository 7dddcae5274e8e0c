"""A store of a table alone: faces with labels, and no image of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.default_store import folder_name
from core.data.faces import fingerprint
from core.data.otherwise import label_counts
from core.data.own_columns import ColumnChoice, with_columns
from core.data.readers.base import Reading
from core.data.store import AlignedStore
from core.data.store_info import StoreInfo
from core.data.ties import columns_fingerprint, plan_fingerprint
from core.errors import LookwhereError
from core.template import SIDE


@dataclass(frozen=True)
class TableStore(AlignedStore):
    """Faces of a table: `images` and `landmarks` have no row, nothing was measured, and `path` is the table itself."""

    # By name alone: a field more of `AlignedStore` would take its place among the others.
    apart: pd.DataFrame = field(default_factory=pd.DataFrame, kw_only=True)

    @cached_property
    def measured(self) -> pd.DataFrame | None:
        """Nothing can be."""
        return None

    @cached_property
    def otherwise(self) -> pd.DataFrame:
        """The faces labelled with none of the two classes."""
        return self.apart


def table_store(file: Path, reading: Reading, columns: ColumnChoice | None = None) -> TableStore:
    """The faces of a table that was read, each a test face unless the table names splits.

    Nobody can see which photographs are the same, so each face counts as a photograph of its own. Raises
    `LookwhereError` where no face is left, or for a column that does not do.
    """
    if reading.faces.empty:
        reasons = reading.main_reasons()
        raise LookwhereError(f"{file}: no labelled face in it" + (f": {reasons}" if reasons else ""))
    reading = with_columns(reading, columns)
    faces, apart = _whole(reading.faces), _whole(reading.otherwise)
    info = StoreInfo(
        dataset=folder_name(file.with_suffix("")) or "table",
        data_fingerprint=fingerprint(faces),
        plan_sha256=plan_fingerprint(faces.assign(sha256=""), reading.columns),
        read=len(faces) + len(apart) + len(reading.rejects),
        repairs=reading.repaired["repair"].value_counts().to_dict(),
        rejects=reading.rejects["reason"].value_counts().to_dict(),
        disagreements=reading.disagreements["what"].value_counts().to_dict(),
        remarks=reading.remarks,
        own_splits="split" in reading.faces,
        columns=reading.columns,
        columns_sha256=columns_fingerprint(faces, reading.columns),
        otherwise=label_counts(apart),
        faces=len(faces),
    )
    return TableStore(
        file,
        np.empty((0, SIDE, SIDE, 3), dtype=np.uint8),
        np.empty((0, 5, 2), dtype=np.float32),
        faces,
        reading.rejects,
        info,
        reading.disagreements,
        apart=apart,
    )


def _whole(faces: pd.DataFrame) -> pd.DataFrame:
    """The faces with the columns that a store's have."""
    return faces.assign(cluster=np.arange(len(faces)), split=faces.get("split", "test"), row=np.arange(len(faces)))
