"""Commands on data sets: `datasets`, `align`, `look`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from core.commands.output import opened_store, printed
from core.errors import LookwhereError, at_least, at_most
from core.files import file_to_write, nameable
from core.progress import ProgressBars
from core.ranks import Ranks
from core.remote import STORE, fetched, mirror, push, there

#: Faces of an image that is to be looked at.
MOST_LOOKED_AT = 1000


def datasets(
    check: Path | None = None,
    dataset: str | None = None,
    labels: Path | None = None,
    columns: tuple[str, ...] | None = None,
    target: str | None = None,
    template: bool = False,
    json: bool = False,
) -> str:
    """List the data sets that can be read, and what each expects; or tell what would be read of one, without aligning.

    Example: python -m core datasets
    Or: python -m core datasets --check MORPH_nonCommercial
    Or, a table to fill in for data of your own: python -m core datasets --template > faces/faces.csv

    Args:
        check: A data set to look at: a folder, .tar.gz, .zip, .rec, CSV or Parquet; archives inside are read too.
        dataset: The reader's name; by default the data set is recognised.
        labels: CSV of identity,gender[,ethnicity] for a data set that names no genders.
        columns: Which of its own columns are kept, as of `align`.
        target: The column that is to be classified, where that is not gender; the data set need label no gender then.
        template: Print a table of faces to be filled in, and nothing else.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.data.own_columns import ColumnChoice, with_columns
    from core.data.readers import READERS, choose_reader
    from core.data.sources import open_source
    from core.data.targets import check_target
    from core.present.records.data import datasets_record, reading_record

    if template:
        if json or any(given is not None for given in (check, dataset, labels, columns, target)):
            raise LookwhereError(
                "--template goes alone: it prints a table, which `--check` looks at once it is filled in"
            )
        from core.data.readers.manifest_table import TEMPLATE

        return TEMPLATE
    if check is not None:
        from core.present.text.tables import reading_report

        source = open_source(check, target)
        reader = choose_reader(source, dataset)
        reading = with_columns(reader.read(source, labels), ColumnChoice.from_words(columns))
        check_target(reading.columns, source.target)
        return printed(
            "datasets",
            json,
            lambda: reading_report(reading, reader, source),
            lambda: reading_record(reading, reader, source),
        )
    if dataset or labels or columns is not None or target is not None:
        raise LookwhereError("--dataset, --labels, --columns and --target go with --check PATH")
    lines = (f"{reader.name:14} {reader.title}\n{'':14} {reader.expects}" for reader in READERS.values())
    return printed("datasets", json, lambda: "\n".join(lines), datasets_record)


def align(
    data: Path,
    dataset: str | None = None,
    out: Path | None = None,
    labels: Path | None = None,
    balance: Literal["none", "gender", "group"] = "none",
    limit: int | None = None,
    columns: tuple[str, ...] | None = None,
    target: str | None = None,
    border: float | None = None,
    seed: int = 0,
    speed: Literal["plain", "openvino"] | None = None,
    device: str = "cpu",
    json: bool = False,
) -> str:
    """Read a data set, drop copies, split, detect and align its faces into data/aligned/DATASET.

    Interrupted work resumes; a finished store is only reported. Under torchrun several processes share the work.
    Example: python -m core align --data UTKFace.tar.gz
    Or, by four processes: torchrun --nproc-per-node 4 -m core align --data UTKFace.tar.gz
    Or: python -m core align --data faces_emore --labels identities.csv --balance gender --limit 2000000
    Or: python -m core align --data faces.csv --columns glasses skin=skin_tone columns.yaml
    Or, of a table without gender: python -m core align --data faces.csv --target smiling

    Args:
        data: The data set: a folder, .tar.gz, .zip, .rec, CSV or Parquet; archives inside are read too.
        dataset: The reader's name; by default the data set is recognised.
        out: The store's folder, or an address (s3://bucket/store); by default data/aligned/DATASET, of data of your own
            data/aligned/FOLDER.
        labels: CSV of identity,gender[,ethnicity] for a data set that names no genders.
        balance: Take equally many faces of each gender, or of each gender × ethnicity; people stay whole.
        limit: Take at most this many faces, chosen by the seed.
        columns: Which of the data set's own columns are kept to group faces by: names, skin=skin_tone to rename one, or
            none; and YAML files that correct their kinds. By default all that make groups; the others are named.
        target: The column that is to be classified, where that is not gender; the data set need label no gender then.
        border: The border put round images before detection, in percent of their shorter side; by default it is decided
            from a sample of the images.
        seed: Seed of the subset and of the 70/10/20 split.
        speed: openvino: the detector's networks are run by OpenVINO (pip install "lookwhere[fast]"), in about 0.7 of
            plain's time; landmarks move by hundredths of a pixel, and the store says so. By default plain, or as it
            was begun.
        device: Where the detector runs: cpu or cuda.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.data.build_store import build_store
    from core.data.default_store import default_store
    from core.data.detection import DetectorSpeed
    from core.data.own_columns import ColumnChoice
    from core.data.readers import choose_reader
    from core.data.sources import open_source
    from core.data.splits import Subset
    from core.present.records.data import store_record
    from core.present.text.tables import store_report

    at_least("--seed", seed, 0)
    if out is not None and there(nameable(out), STORE):
        fetched(out, STORE)
    source = open_source(data, target)
    reader = choose_reader(source, dataset)
    subset = None if balance == "none" and limit is None else Subset(balance, limit)
    bars = ProgressBars()
    try:
        store = build_store(
            source,
            reader,
            mirror(out) if out else default_store(source, reader),
            seed=seed,
            device=device,
            progress=bars,
            labels=labels,
            subset=subset,
            border=border,
            columns=ColumnChoice.from_words(columns),
            speed=DetectorSpeed(speed) if speed else None,
        )
    finally:
        bars.close()
    if out is not None and Ranks.here().first:
        push(out, STORE)
    return printed("align", json, lambda: store_report(store), lambda: store_record(store))


def look(data: Path, out: Path | None = None, faces: int = 24, json: bool = False) -> str:
    """Draw an aligned store to be looked at: each group's average face, and a sample with its landmarks.

    The image holds single faces: it is for the eye, and stays beside the store, outside the project.
    Example: python -m core look --data data/aligned/utkface

    Args:
        data: An aligned store.
        out: The image; by default look.png in the store's folder.
        faces: How many faces the sample has, 1,000 at most; all where the store has fewer.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.present.figures.alignment import alignment_sheet
    from core.present.text.tables import disagreement_lines

    at_most("--faces", at_least("--faces", faces, 0), MOST_LOOKED_AT)
    file, store = file_to_write(out or data / "look.png"), opened_store(data)
    faces = min(faces, len(store.faces))
    sheet = alignment_sheet(store, faces)
    try:
        sheet.save(file)
    except ValueError as error:
        raise LookwhereError(f"--out {file}: no image is called so; end it with .png") from error
    first = f"{file}: averages by group, and {faces} faces with their landmarks"
    return printed(
        "look",
        json,
        lambda: "\n".join([first, *disagreement_lines(store)]),
        lambda: {"file": file, "faces": faces, "disagreements": store.manifest.disagreements},
    )
