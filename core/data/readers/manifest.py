"""A data set of the user's own: a table with `path` and `gender`, and perhaps more.

Where a column of its own is to be classified (`Source.target`), `gender` may be missing and is then not recorded.
`ethnicity`, `age`, `identity` and `split` are read where they are there, by these names or by others that are in use.
The file is `manifest.csv`, `.tsv`, `.jsonl`, `.json` or `.parquet` (or the only table at the root with these columns,
no `.json`) in a folder, tar or zip, or it is given itself; paths are relative to where it lies, and may not lead out of
it. A Parquet of images needs no `path`.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from pathlib import Path

from core.data.columns import loose
from core.data.readers.base import Reader, Reading, Refusal
from core.data.readers.label_table import place_columns
from core.data.readers.labels import find_files
from core.data.readers.manifest_table import (
    NEEDED,
    SUFFIXES,
    columns_at,
    columns_of_images,
    held_instead,
    labelled,
    needed,
    rows_of_parquet,
    rows_with_images,
    with_gender,
    without_gender,
)
from core.data.readers.read_log import ReadLog
from core.data.sources.base import Source
from core.data.sources.tables import ManifestSource, ParquetSource
from core.errors import LookwhereError

#: Tables of other data sets that are no manifest unless given themselves.
FOREIGN = r"(?:fairface_label_|list_\w*celeba|identity_celeba|morph|identity_meta|identities|metadata)[^/]*"

#: Tables called after what a model said, which is no label.
PREDICTED = r"[^/]*(?:predict|inference|deepface|results?|outputs?|scores?)[^/]*"

#: Tables whose first lines are looked at for labels.
MAXIMUM_TABLES = 100


class Manifest(Reader):
    name = "manifest"
    title = "A manifest of your own"
    expects = (
        "manifest.csv or .parquet: path, gender[, ethnicity, age, identity, split]; or a Parquet with image, gender"
    )

    def why_not(self, source: Source) -> Refusal | None:
        if isinstance(source, ParquetSource):
            first, headers = next(iter(source.rows)), source.columns()
            places = place_columns(headers, columns_of_images(source), first)
            if source.target is not None or "gender" in with_gender(["path", *places], headers, None):
                return None
            why = f"column gender is missing in {first}; it has {_listed(headers)}"
            return Refusal(why + without_gender(source, first), "images in a Parquet")
        file, refusal = _find(source)
        if file is not None and "pixels" in map(str.lower, columns_at(source, file)[1]):
            return Refusal(f"the images of {file} are in its column pixels: write them as files", "a manifest")
        if file is not None and not source.images() and (instead := held_instead(source, file)):
            return Refusal(f"{file}: {instead}, and no bytes of an image file: write them so", "images in a Parquet")
        if file is not None and not source.images():
            return Refusal(f"there is no image beside {file}, in its folder or below", "a manifest")
        return refusal if file is None else None

    def called_so(self, source: Source) -> bool:
        """Whether a table called manifest lies at the root and can be read: then somebody wrote down what the labels
        are, whatever the names of images say too."""
        names = "|".join(re.escape(f"manifest{end}") for end in (*SUFFIXES, ".json"))
        return bool(_at_root(source, find_files(source, names))) and self.why_not(source) is None

    def read(self, source: Source, labels: Path | None = None) -> Reading:
        """Raises `LookwhereError` where the table cannot be read."""
        log = ReadLog()
        if isinstance(source, ParquetSource):
            return labelled(rows_of_parquet(source, log), log, source.target)
        file, _ = _find(source)
        return labelled(rows_with_images(source, file, log), log, source.target)


def _find(source: Source) -> tuple[str | None, Refusal | None]:
    """The manifest's name; or None, and why there is none."""
    if isinstance(source, ManifestSource):
        refusal, missing = _lacking(source, source.manifest)
        return (None, _with_targets(refusal, missing, source, source.manifest)) if refusal else (source.manifest, None)
    # A JSON file of any other name is rarely a table.
    tables = _at_root(source, [*source.files(*SUFFIXES), *find_files(source, r"manifest\.json")])
    foreign = set(find_files(source, FOREIGN)) if tables else set()
    tables = [name for name in tables if name not in foreign]
    predicted = set(find_files(source, PREDICTED)) if tables else set()
    answers = [name for name in tables if name in predicted]
    tables = [name for name in tables if name not in predicted]
    ours = [f"manifest{end}" for end in (*SUFFIXES, ".json")]
    called_so = [name for name in tables if posixpath.basename(name).lower() in ours]
    if len(called_so or tables) > MAXIMUM_TABLES:
        return None, Refusal(f"there are {len(called_so or tables):,} tables at its root; give one of them itself")
    lacking = {name: _lacking(source, name) for name in called_so or tables}
    fit = [name for name, (refusal, _) in lacking.items() if refusal is None]
    exact = [name for name in fit if _exact(source) <= {loose(column) for column in columns_at(source, name)[1]}]
    if len(exact or fit) == 1:
        return (exact or fit)[0], None
    if fit:
        return None, Refusal(f"there are {len(fit)}: {', '.join(fit[:3])}; give one of them itself", "a manifest")
    for name, (refusal, missing) in lacking.items():
        if called_so or len(missing) < len(NEEDED):
            return None, _with_targets(refusal, missing, source, name)
    if sheets := _at_root(source, find_files(source, r"[^/]*\.(?:xlsx?|ods|numbers)")):
        return None, Refusal(f"{sheets[0]} is a spreadsheet: save it as CSV", "a manifest")
    for name in answers:
        if _lacking(source, name)[0] is None:
            why = f"{name} is called after what a model said; if its genders are labels, give it itself with --data"
            return None, Refusal(why, "a manifest")
    if (suffix := _beside_each(source)) is not None:
        return None, Refusal(
            f"its labels lie in a {suffix} beside each image: write them into one manifest.csv", "a manifest"
        )
    return None, Refusal("no manifest.csv or .parquet, nor a single table with path and gender, at its root")


def _beside_each(source: Source) -> str | None:
    """How files end of which one lies beside each image by its name, as in shards of WebDataset; None without."""
    images = {name.rpartition(".")[0] for name in source.images()}
    suffixes = (".json", ".cls", ".txt") if images else ()
    return next((end for end in suffixes if images <= {name.rpartition(".")[0] for name in source.files(end)}), None)


def _exact(source: Source) -> set[str]:
    """The columns by which the manifest is told from other tables that would do."""
    return set(NEEDED) if source.target is None else {loose(source.target)}


def _lacking(source: Source, name: str) -> tuple[Refusal | None, tuple[str, ...]]:
    """Why a table is no manifest, or None; and which of the needed columns it lacks."""
    try:
        places, headers = columns_at(source, name)
    except LookwhereError as error:
        return Refusal(str(error), "a manifest"), NEEDED
    missing = tuple(column for column in needed(source) if column not in places)
    if not missing:
        return None, ()
    has = f"; it has {_listed(headers)}" if headers else ""
    return Refusal(f"column {', '.join(missing)} is missing in {name}{has}", "a manifest"), missing


def _with_targets(refusal: Refusal | None, missing: tuple[str, ...], source: Source, name: str) -> Refusal | None:
    """The refusal of a table, which says what else could be classified where it is gender alone that is missing."""
    if refusal is None or missing != ("gender",):
        return refusal
    return replace(refusal, why=refusal.why + without_gender(source, name))


def _listed(columns: list[str]) -> str:
    return ", ".join(columns[:12]) + (", …" if len(columns) > 12 else "")


def _at_root(source: Source, names: list[str]) -> list[str]:
    """Those at the root, or right inside the one folder that holds everything."""
    tops = {name.removeprefix("./").partition("/")[0] for name in source.files("")} if names else set()
    deepest = 1 if len(tops) == 1 else 0
    return [name for name in names if name.removeprefix("./").count("/") <= deepest]
