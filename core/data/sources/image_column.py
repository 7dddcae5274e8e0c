"""Which column of a Parquet file holds its images, and what Hugging Face's metadata say of its columns."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.parquet as pq

from core.json_record import parsed

IMAGE = "image"
#: What a column of plain bytes is called that holds images.
NAMED = re.compile(r"(?:img|images?|photo|picture|face|crop|jpe?g|png|webp)(?:[_.]?(?:bytes|data|content|binary))?")


def image_leaf(schema: pa.Schema) -> str | None:
    """Where the bytes of images are: in the column `image`, or else in the only one that Hugging Face calls images, or
    else in the only one of bytes that is called as images are."""
    for field in schema:
        if field.name.lower() == IMAGE and (leaf := _leaf(field)):
            return leaf
    called = _features(schema)
    leaves = [_leaf(field) for field in schema if _is_struct(field) and called.get(field.name, "Image") == "Image"]
    # Shards of WebDataset become columns called by their suffixes, and others write bytes without a struct.
    leaves = leaves or [_leaf(field) for field in schema if NAMED.fullmatch(field.name.lower()) and _leaf(field)]
    return leaves[0] if len(leaves) == 1 else None


def _leaf(field: pa.Field) -> str | None:
    if _is_struct(field):
        return f"{field.name}.bytes"
    binary = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
    return field.name if any(test(field.type) for test in binary) else None


def _is_struct(field: pa.Field) -> bool:
    """Whether a column is Hugging Face's struct of an image's (or a sound's) bytes."""
    return pa.types.is_struct(field.type) and field.type.get_field_index("bytes") >= 0


def column_without_bytes(file: pq.ParquetFile) -> str | None:
    """The column of images where, by the file's own statistics, no row of it holds any byte."""
    leaf, metadata = image_leaf(file.schema_arrow), file.metadata
    groups = (metadata.row_group(n) for n in range(file.num_row_groups))
    parts = [group.column(n) for group in groups for n in range(group.num_columns)]
    stated = [part.statistics for part in parts if part.path_in_schema == leaf]
    if leaf is None or not metadata.num_rows or not all(s is not None and s.has_null_count for s in stated):
        return None
    return leaf.partition(".")[0] if sum(s.null_count for s in stated) == metadata.num_rows else None


def _features(schema: pa.Schema) -> dict[str, str]:
    """What Hugging Face's metadata calls each column: {column: "Image"}."""
    try:
        features = parsed((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {column: feature["_type"] for column, feature in features.items() if "_type" in feature}
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}


def unfit_images(schema: pa.Schema) -> str | None:
    """The column `image` and what it holds, where that is neither the name of a file nor the bytes of one."""
    fields = [field for field in schema if field.name.lower() == IMAGE and not is_text(values_of(field.type))]
    return f"{fields[0].name} holds {fields[0].type}" if fields and image_leaf(schema) is None else None


def values_of(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def class_names(schema: pa.Schema) -> dict[str, dict[str, str]]:
    """The names that Hugging Face's `ClassLabel` columns declare for their numbers: {column: {"0": name}}."""
    try:
        features = parsed((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {
            column: {str(n): name for n, name in enumerate(feature["names"])}
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}


def is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)
