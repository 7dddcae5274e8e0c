"""Sources that are a table: a manifest with its folder, and Parquet files with the images' bytes inside."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.data.columns import OWN
from core.data.sources.base import MAXIMUM_IMAGE_BYTES, MAXIMUM_TABLE_BYTES, Source, too_large
from core.data.sources.files import FolderSource
from core.data.sources.image_column import class_names, column_without_bytes, image_leaf, is_text, values_of
from core.data.sources.names import plain_name
from core.data.sources.shards import configurations
from core.errors import LookwhereError
from core.files import sha256

#: After the name of a file whose further columns are meant.
FURTHER = " (further columns)"
BATCH = 64
#: Times its size that a row group of images may unpack to where that is more than one image may have.
BOMB_RATIO = 100
DAMAGE = (pa.ArrowException, OSError)


class ManifestSource(FolderSource):
    """The folder in which a manifest lies, with that file marked."""

    preferred_reader = "manifest"

    def __init__(self, file: Path) -> None:
        super().__init__(file.parent)
        self.manifest = plain_name(file.name)

    def fingerprint(self) -> str:
        """SHA-256 over the folder's and the manifest's own: two manifests of one folder are two data sets."""
        return hashlib.sha256((super().fingerprint() + sha256(self.place(self.manifest))).encode()).hexdigest()


class ParquetSource(Source):
    """Images in the column `image`, as bytes or as Hugging Face's struct of bytes and path; a name is `FILE/ROW`.

    `FILE` is the file's name, or its path below `path` where several folders hold files of one name.
    """

    preferred_reader = "manifest"

    def __init__(self, path: Path, files: list[Path], root: Path | None = None) -> None:
        """`root` is the folder in which `files` lie where that is not `path`, an archive.

        Raises `LookwhereError` where a file is damaged.
        """
        super().__init__(path, {})
        root = root or path
        #: Images that were not unpacked, and why.
        self._bombed: dict[str, str] = {}
        #: What must stay as long as the files are read.
        self.kept_open: object = None
        files = sorted(files)
        #: Each file's path below the folder, by what it is called here.
        self.paths = dict(zip(_called(files, root), (_below(file, root) for file in files), strict=True))
        self.files_by_name = dict(zip(self.paths, files, strict=True))
        self.rows = {name: _open(file).metadata.num_rows for name, file in self.files_by_name.items()}

    @property
    def names(self) -> list[str]:
        return [f"{name}/{row}" for name, rows in self.rows.items() for row in range(rows)]

    def __len__(self) -> int:
        return sum(self.rows.values())

    def iterate(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Row group by row group, those without a wanted row passed over; a row without bytes comes as empty bytes.

        Raises `LookwhereError` on a damaged file.
        """
        rows_of: dict[str, list[int]] = {}
        for name in names:
            file, _, row = name.rpartition("/")
            rows_of.setdefault(file, []).append(int(row))
        for file in (name for name in self.rows if name in rows_of):
            try:
                yield from self._images_of(file, np.unique(rows_of[file]))
            except DAMAGE as error:
                raise _damaged(self.files_by_name[file], error) from error

    def _images_of(self, file: str, rows: np.ndarray) -> Iterator[tuple[str, bytes]]:
        """Names and images of rows (n,) of a file, in rising order but for bombs, which come first and empty."""
        parquet = _open(self.files_by_name[file])
        for start, end, reason in _bombs(parquet):
            bombed = rows[np.searchsorted(rows, start) : np.searchsorted(rows, end)].tolist()
            self._bombed |= {f"{file}/{row}": reason for row in bombed}
            rows = np.setdiff1d(rows, bombed)
            yield from ((f"{file}/{row}", b"") for row in bombed)
        for row, data in _images(parquet, rows):
            size = data.size if data is not None else 0
            if too_large(size):
                self._sizes[f"{file}/{row}"] = size
            yield f"{file}/{row}", b"" if data is None or too_large(size) else data.to_pybytes()

    def labels(self, columns: Mapping[str, str]) -> pd.DataFrame:
        """`path` and `columns` (our name: that in the files) as strings, a row an image; `file` is the file's path.

        `image_path` is the path in Hugging Face's struct, NA where there is none.
        """
        parts = []
        for name, file in self.files_by_name.items():
            try:
                parquet = open_parquet(file)
                if (lacking := column_without_bytes(parquet)) is not None:
                    raise LookwhereError(
                        f"{file}: column {lacking} names files and holds no image: write it anew with its images in it "
                        "(Hugging Face: Dataset.to_parquet), or give the folder of images with a manifest"
                    )
                part = string_table(parquet, columns, file.name)
                inner = _struct_paths(parquet)
            except DAMAGE as error:
                raise _damaged(file, error) from error
            tie_table(self, name, part)
            row = pd.Series(np.arange(self.rows[name])).astype("str")
            parts.append(part.assign(path=f"{name}/" + row, file=self.paths[name], image_path=inner))
        return pd.concat(parts, ignore_index=True)

    def why_empty(self, name: str) -> str | None:
        return self._bombed.get(name) or super().why_empty(name)

    def columns(self) -> list[str]:
        """Columns of the first file as they are written, without that of the images."""
        schema = _open(next(iter(self.files_by_name.values()))).schema_arrow
        image = (image_leaf(schema) or "").partition(".")[0]
        return [name for name in schema.names if name != image]

    def class_names(self) -> dict[str, dict[str, str]]:
        """The names of numbers that Hugging Face's metadata of the first file declare: {column: {"0": name}}."""
        return class_names(_open(next(iter(self.files_by_name.values()))).schema_arrow)

    def single_valued(self) -> set[str]:
        """Those of `columns` that hold a single value a row: text, numbers, dates, true or false."""
        return single_valued(_open(next(iter(self.files_by_name.values()))).schema_arrow)

    def not_read(self, image_files: Iterable[str] = ()) -> dict[str, int]:
        """Nothing: every row is an image."""
        return {}

    def fingerprint(self) -> str:
        """SHA-256 over names, sizes and footers: the footer has sizes, statistics and places of all columns."""
        digest = hashlib.sha256()
        for name, file in self.files_by_name.items():
            with file.open("rb") as stream:
                size = stream.seek(-8, 2) + 8
                footer = int.from_bytes(stream.read(4), "little")
                stream.seek(-8 - footer, 2)
                digest.update(f"{name}\t{size}\n".encode() + stream.read(footer))
        return digest.hexdigest()


def open_table(path: Path) -> Source:
    """The source that a CSV or Parquet file stands for. Raises `LookwhereError` where it is a damaged Parquet."""
    if path.suffix.lower() == ".parquet" and holds_images(path):
        return ParquetSource(path, [path])
    return ManifestSource(path)


def open_shards(folder: FolderSource, archive: Path | None = None) -> Source:
    """The images inside the folder's Parquet files, where it has such and no image of its own; else the folder.

    `archive` is where the folder was taken from. Raises `LookwhereError` where they are several configurations of one
    data set.
    """
    path = archive or folder.path
    shards = [folder.place(name) for name in folder.files(".parquet")]
    if not shards or folder.images() or not all(map(holds_images, shards)):
        return folder
    if several := configurations(_below(shard, folder.path) for shard in shards):
        raise LookwhereError(
            f"{path}: one data set several times, in {', '.join(several)}; give one of these folders with --data"
        )
    return ParquetSource(path, shards, folder.path)


def _called(files: list[Path], root: Path) -> list[str]:
    names = [file.name for file in files]
    return names if len(set(names)) == len(names) else [_below(file, root) for file in files]


def _below(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix() if file != root else file.name


def holds_images(path: Path) -> bool:
    """True where the column `image` holds bytes, alone or in a struct."""
    return image_leaf(_open(path).schema_arrow) is not None


def string_table(file: pq.ParquetFile, columns: Mapping[str, str], origin: str) -> pd.DataFrame:
    """Columns (our name: that in the file) as strings, NA where empty or no number; numbers that Hugging Face's
    metadata name are named. A column that is not there is left out.

    Raises `LookwhereError` for a column that holds neither text nor numbers, or unfolds beyond `MAXIMUM_TABLE_BYTES`.
    """
    schema, by_name = file.schema_arrow, {}
    names_of_classes = class_names(schema)
    for ours, name in columns.items():
        if name not in schema.names:
            continue
        try:
            column = unfolded(file, name)
        except DAMAGE as error:
            raise LookwhereError(f"{origin}: column {name}: {str(error).splitlines()[0]}") from error
        try:
            if pa.types.is_floating(column.type):
                column = pc.if_else(pc.is_nan(column), None, column)
            text = column.cast(pa.string()).to_pandas().astype("str")
        except pa.ArrowException as error:
            raise LookwhereError(f"{origin}: column {name} holds neither text nor numbers ({column.type})") from error
        text = text.str.strip().replace("", pd.NA)
        by_name[ours] = text.map(names_of_classes[name]).astype("str") if name in names_of_classes else text
    return pd.DataFrame(by_name, index=range(file.metadata.num_rows))


def open_parquet(place: Path | bytes) -> pq.ParquetFile:
    """A Parquet file, whose texts are read each once, however often they come. Raises one of `DAMAGE`."""
    texts = [field.name for field in _parquet(place).schema_arrow if is_text(field.type)]
    return _parquet(place, texts)


def _parquet(place: Path | bytes, texts: Sequence[str] = ()) -> pq.ParquetFile:
    return pq.ParquetFile(place if isinstance(place, Path) else io.BytesIO(place), read_dictionary=list(texts))


def unfolded(file: pq.ParquetFile, name: str) -> pa.Array:
    """A column of a file of `open_parquet`. Raises `pa.ArrowException` where it takes more than a table may have: a
    file of some kilobytes can say one long text, or one number, a billion times."""
    leaves = [file.metadata.schema.column(n).path.partition(".")[0] for n in range(file.metadata.num_columns)]
    size = sum(
        file.metadata.row_group(group).column(n).total_uncompressed_size
        for group in range(file.num_row_groups)
        for n, leaf in enumerate(leaves)
        if leaf == name
    )
    _bounded(max(size, 8 * file.metadata.num_rows))
    column = file.read(columns=[name]).column(0)
    if pa.types.is_dictionary(column.type):
        lengths = (pc.sum(pc.take(_lengths(part.dictionary), part.indices)).as_py() or 0 for part in column.chunks)
        _bounded(sum(lengths))
        column = pa.chunked_array([part.dictionary_decode() for part in column.chunks], column.type.value_type)
    return column.combine_chunks()


def _lengths(texts: pa.Array) -> pa.Array:
    return pc.binary_length(texts).cast(pa.int64()) if is_text(texts.type) else pa.array([8] * len(texts), pa.int64())


def _bounded(size: int) -> None:
    if size > MAXIMUM_TABLE_BYTES:
        raise pa.ArrowInvalid(f"it unfolds to over {MAXIMUM_TABLE_BYTES / 1e6:,.0f} MB, more than a table has")


def single_valued(schema: pa.Schema) -> set[str]:
    """Columns that hold a single value a row: no list, no object, no bytes."""
    kinds = {field.name: values_of(field.type) for field in schema}
    binary = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    return {
        name for name, kind in kinds.items() if not pa.types.is_nested(kind) and not any(test(kind) for test in binary)
    }


def tie_table(source: Source, name: str, table: pd.DataFrame) -> None:
    """Note the content of a table's labels and, apart from it, that of its further columns: earlier versions did not
    read these."""
    own = [column for column in table if column.startswith(OWN)]
    source.tie(name, table.drop(columns=own).to_csv().encode("utf-8", "surrogateescape"))
    if own:
        source.tie(f"{name}{FURTHER}", table[own].to_csv().encode("utf-8", "surrogateescape"))


def _struct_paths(file: pq.ParquetFile) -> pd.Series:
    """The path that stands beside each image's bytes, with `/` between folders; NA where there is none."""
    leaf = image_leaf(file.schema_arrow) or ""
    image = leaf.partition(".")[0]
    kind = file.schema_arrow.field(image).type if image else pa.null()
    if not pa.types.is_struct(kind) or kind.get_field_index("path") < 0:
        return pd.Series(pd.NA, index=range(file.metadata.num_rows), dtype="str")
    column = file.read(columns=[f"{image}.path"]).column(0).combine_chunks()
    return column.field("path").cast(pa.string()).to_pandas().astype("str").str.replace("\\", "/")


def _bombs(file: pq.ParquetFile) -> Iterator[tuple[int, int, str]]:
    """First row, row after the last, and the reason, of row groups whose images are not unpacked.

    Parquet tells the size of a row group's images, not of one. Images are compressed already, so a group that unpacks
    to a hundred times its size holds none worth the memory: a page of it can have 2 GB.
    """
    leaf, start = image_leaf(file.schema_arrow), 0
    for group in range(file.num_row_groups):
        packed = file.metadata.row_group(group)
        for place in range(packed.num_columns):
            column = packed.column(place)
            size, small = column.total_uncompressed_size, max(column.total_compressed_size, 1)
            if column.path_in_schema == leaf and size > max(MAXIMUM_IMAGE_BYTES, BOMB_RATIO * small):
                reason = f"among images of {small / 1e6:.1f} MB that unpack to {size / 1e9:.1f} GB"
                yield start, start + packed.num_rows, reason
        start += packed.num_rows


def _images(file: pq.ParquetFile, selected: np.ndarray) -> Iterator[tuple[int, pa.Buffer | None]]:
    """The rows `selected`, int64 (n,) in rising order, each with its image's bytes; None where it has none."""
    leaf, end = image_leaf(file.schema_arrow), 0
    for group in range(file.num_row_groups):
        packed = file.metadata.row_group(group)
        start, end = end, end + packed.num_rows
        if np.searchsorted(selected, start) == np.searchsorted(selected, end):
            continue
        rows = BATCH if packed.total_byte_size <= MAXIMUM_IMAGE_BYTES else 1  # at once, and no more than are in memory
        for batch in file.iter_batches(rows, row_groups=[group], columns=[leaf]):
            column = batch.column(0)
            column = column.field("bytes") if pa.types.is_struct(column.type) else column
            low, high = np.searchsorted(selected, (start, start + len(column)))
            for row in selected[low:high].tolist():
                yield row, column[row - start].as_buffer()
            start += len(column)


def _open(path: Path) -> pq.ParquetFile:
    try:
        return open_parquet(path)
    except DAMAGE as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> LookwhereError:
    reason = str(error).partition("\n")[0]
    return LookwhereError(f"{path}: the Parquet file is damaged or cut short ({reason}); download it again")
