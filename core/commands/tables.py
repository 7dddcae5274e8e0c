"""`table`: an audit of a table that has labels and predictions, and no image."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from core import places
from core.commands.declared_outputs import ScoreKind, outputs_declared
from core.commands.output import models_flag, printed
from core.errors import LookwhereError
from core.places import MODELS

if TYPE_CHECKING:
    from core.classifiers.imported import InputOutputSpec


@outputs_declared("score column", "table")
def table(
    path: Positional[Path],
    name: str,
    declare: Path | None = None,
    score: ScoreKind | None = None,
    female: int | None = None,
    male: int | None = None,
    of: str | None = None,
    target: str | None = None,
    classes: tuple[str, str] | None = None,
    indices: tuple[int, int] | None = None,
    file_column: str | None = None,
    gender_column: str | None = None,
    score_column: tuple[str, ...] = ("score",),
    columns: tuple[str, ...] | None = None,
    map_ethnicities: Path | None = None,
    audit: str | None = None,
    models: Path = MODELS,
    json: bool = False,
) -> str:
    """Audit a table of labels and predictions, without any image: accuracy, gaps, tests, findings and the report.

    A row a face: its file or id, its labelled gender, a prediction, and perhaps ethnicity, age, identity, split and
    columns to group by. There are no maps and no average faces, and nobody can see which rows are one photograph.
    Example: python -m core table scores.csv --name theirs --score probability --of male --score-column p_male
    Or: python -m core table answers.csv --name theirs --score label --score-column answer --gender-column truth

    Args:
        path: The table, .csv or .parquet.
        name: The model's name, a new folder under models/.
        declare: YAML file of what the flags on outputs say.
        score: What the predictions are: one logit, probability or percentage (0-100); logits, probabilities or
            percentages, one a class; or label (words such as male and female).
        file_column: The column that names the face; by default path, file, image, face_id or id.
        gender_column: The column of its labelled gender; by default gender, sex or label.
        score_column: The column of scores, or several, as --female and --male count them.
        columns: Further columns to group by, NAME=NEW_NAME to rename one, YAML files of corrections, or none; by
            default all that make groups.
        map_ethnicities: YAML file that renames or merges ethnicities (African-American: Black).
        audit: The audit's name; by default TABLE-all.
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.audit.average_setting import AverageSetting, KeepAverages
    from core.audit.run import run_audit
    from core.classifiers.folder import load_model
    from core.classifiers.imported import declare as declared
    from core.classifiers.imported import import_model, kind_for
    from core.classifiers.imported.import_options import PredictionTable
    from core.data.ethnicity_names import read_names
    from core.data.own_columns import ColumnChoice
    from core.data.readers.label_rows import read_rows
    from core.data.table_store import table_store
    from core.present.card import write_card
    from core.present.records.audits import audit_record
    from core.present.text.table_rows import row_lines
    from core.present.text.tables import audit_report

    if not path.is_file() or kind_for(path) != "predictions":
        raise LookwhereError(f"{path}: {'no such file' if not path.exists() else 'expected a .csv or .parquet table'}")
    spec = declared(
        declare, score=score, female=female, male=male, of=of, target=target, classes=classes, indices=indices
    )
    reading, face = read_rows(path, file_column, gender_column, score_column, spec.target)
    store = table_store(path, reading, ColumnChoice.from_words(columns))
    folder = places.within(models, name, "--name")
    if not _imported(folder, path, spec, [face, *score_column]):
        import_model(path, name, spec, models=models, table=PredictionTable(face, score_column))
    result = run_audit(
        store,
        load_model(folder),
        None,
        name=audit,
        names=read_names(map_ethnicities) if map_ethnicities else None,
        averages=AverageSetting(KeepAverages.AUTO),
    )
    write_card(folder)
    which = f"--model {shlex.quote(name)} --audit {shlex.quote(result.name)}{models_flag(models)}"

    def text() -> str:
        return "\n".join([*row_lines(reading), audit_report(result), "", f"next: python -m core gaps {which}"])

    return printed("table", json, text, lambda: audit_record(result))


def _imported(folder: Path, source: Path, spec: InputOutputSpec, columns: list[str]) -> bool:
    """Whether an interrupted run of the same command has imported the table already."""
    from core.classifiers.imported import OF_SCORES, from_dict
    from core.classifiers.info import model_info
    from core.files import sha256

    if not (folder / "model.json").is_file():
        return False
    info = model_info(folder)
    if not info.declaration or info.source.sha256 != sha256(source) or info.source.to_json().get("columns") != columns:
        return False
    both = (from_dict(info.declaration.to_json(), str(folder)), spec.as_probabilities())
    then, now = ({key: declaration.as_dict().get(key) for key in OF_SCORES} for declaration in both)
    return then == now
