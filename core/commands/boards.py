"""The command `board`: other people's classifiers audited on the same faces, and the page about them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.commands.output import opened_store, printed
from core.errors import LookwhereError, at_least
from core.places import MODELS
from core.progress import ProgressBars

if TYPE_CHECKING:
    from core.data.store import AlignedStore

#: Where the project keeps its board, and the page that is written of it.
FOLDER, PAGE = Path("docs/board"), Path("docs/board.md")
#: Which faces of each data set are looked at.
SPLITS = {"fairface": ("all",), "utkface": ("test",)}
#: Our model on the board, and its audits of the board's data sets.
OURS, AUDITS = "resnet50-utkface", {"fairface": "fairface-val-1000", "utkface": "utkface-test"}


def board(
    folder: Path = FOLDER,
    files: tuple[Path, ...] = (),
    fairface: Path | None = None,
    utkface: Path | None = None,
    out: Path = PAGE,
    ages: Literal["adults", "all"] = "adults",
    models: Path = MODELS,
    map_faces: int = 40,
    json: bool = False,
) -> str:
    """Write the board: ready-made classifiers on the same faces, accuracy by group, pairs, and who has seen the faces.

    With --files, each model that has a declaration in the folder is imported and audited first, without average faces,
    and average maps by group are made of a few faces of each; what is there is kept. Without, the page is written from
    the audits.
    Example: python -m core board
    Or: python -m core board --files ~/classifiers --fairface data/aligned/fairface --utkface data/aligned/utkface

    Args:
        folder: Where declarations and audits lie.
        files: Folders with the models' files, named as the declarations' `about` says.
        fairface: The aligned store of FairFace-val-1000; all of its faces are audited.
        utkface: The aligned store of UTKFace; its test split is audited.
        out: The page to write.
        ages: adults (18 years and older), or all.
        models: Where our own model lies: by default $LOOKWHERE_MODELS, else models/.
        map_faces: Adults of each group whose maps are averaged; 0 for no maps.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.analysis.comparison.board import open_board
    from core.data.filters import Filter
    from core.files import file_to_write, write_text
    from core.locks import alone
    from core.present.records.analysis import board_record
    from core.present.text.board import board_markdown

    stores = {name: path for name, path in (("fairface", fairface), ("utkface", utkface)) if path is not None}
    if bool(files) != bool(stores):
        raise LookwhereError("--files and the stores go together: name the models' files and --fairface or --utkface")
    file_to_write(out)
    if files:
        with alone(folder / "audits", "making"):
            _make(folder, files, stores, map_faces)
    own = {OURS: {data: models / OURS / "audits" / name for data, name in AUDITS.items()}}
    classifiers = open_board(folder, own)
    if not classifiers or not classifiers[0].audits:
        names = " or ".join(AUDITS.values())
        raise LookwhereError(f"{models / OURS}: no audit {names} there, which others stand beside; name it by --models")
    filter = Filter.of_ages(next(iter(classifiers[0].audits.values())).faces, ages)
    write_text(out, board_markdown(classifiers, classifiers[0], filter))
    return printed(
        "board",
        json,
        lambda: f"{out}: {len(classifiers)} models",
        lambda: board_record(classifiers, classifiers[0], filter, out),
    )


def _make(folder: Path, files: tuple[Path, ...], stores: dict[str, Path], map_faces: int) -> None:
    """Import each declared model whose file is there, audit it and look where it looks; models are not kept."""
    at_least("--map-faces", map_faces, 0)
    opened, bars = {name: opened_store(path) for name, path in stores.items()}, ProgressBars()
    try:
        for declaration in sorted(folder.glob("*.yaml")):
            file = _model_file(declaration, files)
            if file is None:
                continue
            _audit(folder, declaration, file, opened, bars)
            if map_faces:
                _look(folder, declaration, file, opened, map_faces, bars)
    finally:
        bars.close()


def _model_file(declaration: Path, folders: tuple[Path, ...]) -> Path | None:
    """The model's file that a declaration is about, in the first of the folders that has it; None where none has it.

    Raises `LookwhereError` where the declaration names no file and hash, or a file there has another hash.
    """
    from core.files import sha256
    from core.yaml_file import read_yaml

    content = read_yaml(declaration)
    about = content.get("about") if isinstance(content, dict) else None
    if not isinstance(about, dict) or any(not isinstance(about.get(key), str) for key in ("file", "sha256")):
        raise LookwhereError(f"{declaration}: about: expected the file's name and its SHA-256")
    file = next((place / about["file"] for place in folders if (place / about["file"]).is_file()), None)
    if file is None:
        return None
    digests = {file: about["sha256"]}
    if "weights_sha256" in about:
        digests[file.with_suffix(".bin")] = about["weights_sha256"]
    for needed_file, digest in digests.items():
        if not needed_file.is_file() or sha256(needed_file) != digest:
            raise LookwhereError(f"{needed_file}: not the file that {declaration} is about (SHA-256 differs)")
    return file


def _audit(folder: Path, declaration: Path, file: Path, stores: dict[str, AlignedStore], bars: ProgressBars) -> None:
    """Audit a model on the stores that it has no audit of, without maps."""
    from core.audit.average_setting import AverageSetting, KeepAverages
    from core.audit.run import run_audit
    from core.classifiers.folder import load_model
    from core.classifiers.imported import declare, import_model
    from core.classifiers.imported.import_options import NetworkOptions
    from core.data.measured import FILE as MEASURED
    from core.files import put_folder

    name = declaration.stem
    missing = [data for data in stores if not (folder / "audits" / name / data / "audit.json").is_file()]
    if not missing:
        return
    with tempfile.TemporaryDirectory() as work:
        without_maps = NetworkOptions(maps="none")
        model = load_model(import_model(file, name, declare(declaration), models=Path(work), network=without_maps))
        for data in missing:
            audit = run_audit(
                stores[data], model, SPLITS[data], name=data, averages=AverageSetting(KeepAverages.NO), progress=bars
            )
            # What was measured of the images is with our own audit of the same faces.
            place, without = folder / "audits" / name / data, shutil.ignore_patterns(MEASURED)
            put_folder(audit.path, place, without)


def _look(
    folder: Path, declaration: Path, file: Path, stores: dict[str, AlignedStore], map_faces: int, bars: ProgressBars
) -> None:
    """Average maps by group of the stores that a model has none of, over some adults of each group."""
    from core.analysis.comparison.board_maps import FOLDER as MAPS
    from core.analysis.comparison.board_maps import look, read_maps, sampled, write_maps
    from core.classifiers.folder import load_model
    from core.classifiers.imported import declare, import_model
    from core.data.faces import ADULT_AGE
    from core.data.filters import Filter

    name, maps_file = declaration.stem, folder / MAPS / f"{declaration.stem}.json"
    groups = read_maps(maps_file).groups if maps_file.is_file() else {}
    missing = [data for data in stores if data not in groups]
    if not missing:
        return
    with tempfile.TemporaryDirectory() as work:
        model = load_model(import_model(file, name, declare(declaration), models=Path(work)))
        for data in missing:
            faces = stores[data].faces
            if SPLITS[data] != ("all",):
                faces = stores[data].split(*SPLITS[data])
            faces = faces.iloc[sampled(faces, Filter(age_from=ADULT_AGE), map_faces)].reset_index(drop=True)
            tick = bars("looking", len(faces))
            write_maps(
                maps_file, model.classify.maps["method"], data, look(model.classify, stores[data].images, faces, tick)
            )
