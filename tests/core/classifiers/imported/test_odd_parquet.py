"""Parquet tables of predictions whose columns are no names or not to be told apart."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.classifiers.imported import from_dict, import_model
from core.errors import LookwhereError


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary(2), pa.binary_view()])
def test_a_parquet_column_of_bytes_is_told(kind: pa.DataType, tmp_path: Path) -> None:
    """Bytes that are no text were a traceback."""
    names = pa.array([b"\xff\xfe", b"b."]).cast(kind) if kind != pa.binary(2) else pa.array([b"\xff\xfe", b"b."], kind)
    pq.write_table(pa.table({"file": names, "score": [0.2, 0.8]}), tmp_path / "s.parquet")
    with pytest.raises(LookwhereError, match=r"s\.parquet: file holds bytes; write it as text"):
        import_model(tmp_path / "s.parquet", "s", from_dict({"score": "probability", "of": "male"}), models=tmp_path)


def test_two_parquet_columns_of_one_name_are_told(tmp_path: Path) -> None:
    """The first was taken without a word."""
    columns = [pa.array(["a.jpg", "b.jpg"]), pa.array([0.2, 0.8]), pa.array([0.9, 0.1])]
    pq.write_table(pa.Table.from_arrays(columns, names=["file", "score", "score"]), tmp_path / "s.parquet")
    with pytest.raises(LookwhereError, match="two columns are called score; delete or rename one of them"):
        import_model(tmp_path / "s.parquet", "s", from_dict({"score": "probability", "of": "male"}), models=tmp_path)
