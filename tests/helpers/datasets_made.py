"""Small trees in the layouts of the data sets, for the tests; and the same tree packed."""

from __future__ import annotations

import io
import tarfile
import zipfile
from functools import cache
from pathlib import Path

from PIL import Image

from core.data.readers import READERS, Reading
from core.data.sources import open_source


@cache
def jpeg(side: int = 8, grey: int = 90) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), (grey, grey, grey)).save(out, "JPEG")
    return out.getvalue()


def tree(folder: Path, files: dict[str, str | bytes] | list[str]) -> Path:
    """Files with the given contents; a list names pictures, each of another grey."""
    if isinstance(files, list):
        files = {name: jpeg(grey=10 + n) for n, name in enumerate(files)}
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def packed(folder: Path, kind: str) -> Path:
    """The folder itself, or all of it in a `.tar.gz` or `.zip` beside it."""
    if kind == "folder":
        return folder
    path = folder.with_name(folder.name + kind)
    if kind == ".tar.gz":
        with tarfile.open(path, "w:gz") as archive:
            archive.add(folder, arcname=".")
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(folder.rglob("*")):
                archive.write(file, file.relative_to(folder))
    return path


def read(name: str, path: Path, labels: Path | None = None) -> Reading:
    return READERS[name].read(open_source(path), labels)


def rejects(reading: Reading) -> dict[str, str]:
    return dict(reading.rejects.to_numpy().tolist())


def repaired(reading: Reading) -> dict[str, str]:
    return dict(reading.repaired.to_numpy().tolist())


def disagreements(reading: Reading) -> dict[str, str]:
    return dict(reading.disagreements.to_numpy().tolist())


def labels_of(reading: Reading, *columns: str) -> dict[str, tuple]:
    """The named columns of each face, by its id; a single column unwrapped."""
    table = reading.faces.set_index("face_id")[list(columns)].astype(object)
    table = table.where(table.notna(), None)
    rows = dict(zip(table.index, table.itertuples(index=False, name=None), strict=True))
    return {key: row[0] for key, row in rows.items()} if len(columns) == 1 else rows
