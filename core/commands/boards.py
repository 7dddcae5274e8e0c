"""The command `board`: other people's classifiers audited on the same faces, and the page about them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Literal

from core.commands.output import printed
from core.errors import LookwhereError
from core.places import MODELS
from core.progress import Bars

#: Where the project keeps its board, and the page that is written of it.
FOLDER, PAGE = Path("docs/board"), Path("docs/board.md")
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
    json: bool = False,
) -> str:
    """Write the board: ready-made classifiers on the same faces, accuracy by group, pairs, and who has seen the faces.

    With --files, each model that has a declaration in the folder is imported and audited first, without maps or average
    faces; audits that are there are kept. Without, the page is written from the audits.
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
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.analysis.comparison.board import open_board
    from core.data.filters import Filter
    from core.files import write_text
    from core.present.records.analysis import board_record
    from core.present.text.board import board_markdown

    stores = {name: path for name, path in (("fairface", fairface), ("utkface", utkface)) if path is not None}
    if bool(files) != bool(stores):
        raise LookwhereError("--files and the stores go together: name the models' files and --fairface or --utkface")
    if files:
        _make(folder, files, stores)
    own = {OURS: {data: models / OURS / "audits" / name for data, name in AUDITS.items()}}
    found = open_board(folder, own)
    within = Filter.of_ages(next(iter(found[0].audits.values())).faces, ages)
    write_text(out, board_markdown(found, found[0], within))
    return printed(
        "board", json, lambda: f"{out}: {len(found)} models", lambda: board_record(found, found[0], within, out)
    )


def _make(folder: Path, files: tuple[Path, ...], stores: dict[str, Path]) -> None:
    """Import and audit each declared model whose file is there; models themselves are not kept."""
    from core.audit.run import KeepAverages, run_audit
    from core.classifiers.folder import load_model
    from core.classifiers.imported import declare, import_model
    from core.data.store import AlignedStore
    from core.files import sha256
    from core.yaml_file import read_yaml

    opened, bars = {name: AlignedStore.open(path) for name, path in stores.items()}, Bars()
    try:
        for declaration in sorted(folder.glob("*.yaml")):
            name, about = declaration.stem, read_yaml(declaration)["about"]
            missing = [data for data in opened if not (folder / "audits" / name / data / "audit.json").is_file()]
            file = next((place / about["file"] for place in files if (place / about["file"]).is_file()), None)
            if not missing or file is None:
                continue
            if sha256(file) != about["sha256"]:
                raise LookwhereError(f"{file}: not the file that {declaration} is about (SHA-256 differs)")
            with tempfile.TemporaryDirectory() as work:
                model = load_model(import_model(file, name, declare(declaration), models=Path(work), maps="none"))
                for data in missing:
                    splits = ("test",) if data == "utkface" else ("all",)
                    made = run_audit(opened[data], model, splits, name=data, averages=KeepAverages.NO, progress=bars)
                    shutil.copytree(made.path, folder / "audits" / name / data)
    finally:
        bars.close()
