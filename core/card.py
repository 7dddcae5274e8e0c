"""`CARD.md`: what a model was trained on, how, and how it does by group, from `model.json` and the model's audits."""

from __future__ import annotations

from pathlib import Path

from core.audit.folder import list_audits, open_audit
from core.checkpoint import model_info
from core.faces import ADULT_AGE, Filter
from core.files import write_text
from core.sentences import with_interval
from core.statistics import accuracy_by

LABELS = (
    "Gender (female, male) and ethnicity are those that the data set's annotators perceived in a picture, spelt as the "
    "data set spells them. They are not what the people pictured would say of themselves, and two genders are not all."
)
USE = (
    "Made to study how such classifiers fail, and for whom. Not for deciding anything about a person: not for access, "
    "policing, hiring, advertising or counting people."
)


def write_card(model: Path) -> None:
    """Write the card of the model folder `model`. Raises `LookwhereError` where `model.json` is missing or broken."""
    info = model_info(model)
    data, training = info.get("data", {}), info.get("training", {})
    lines = [
        f"# {model.name}",
        "",
        f"ResNet-50, two classes, {info['input_size']}×{info['input_size']} pixels, "
        f"faces aligned to the ArcFace template{', last stage dilated' if info['dilated'] else ''}.",
        "",
    ]
    lines += [
        "## Training data",
        "",
        f"{data.get('dataset', 'unknown')}, split seed {data.get('split_seed', 'unknown')}: "
        + ", ".join(f"{count:,} {split}" for split, count in data.get("faces", {}).items())
        + ".",
        "",
    ]
    lines += ["| gender | ethnicity | training faces |", "|---|---|---:|"]
    lines += [f"| {row['gender']} | {row['ethnicity']} | {row['faces']:,} |" for row in data.get("train_groups", [])]
    lines += [
        "",
        "## Protocol",
        "",
        f"Epoch {info.get('epoch', 'unknown')} was kept by {training.get('choose', 'overall')} "
        f"validation accuracy. Start: {training.get('init') or 'random weights'}, seed {training.get('seed')}.",
    ]
    if training.get("age_weight"):
        lines += ["", f"Age bands were an auxiliary target (weight {training['age_weight']}); ethnicity never was."]
    for name in list_audits(model):
        lines += ["", f"## Accuracy: {name}", "", *_accuracy(model / "audits" / name)]
    lines += ["", "## Labels", "", LABELS, "", "## Use", "", USE, ""]
    write_text(model / "CARD.md", "\n".join(lines))


def _accuracy(path: Path) -> list[str]:
    """A table of accuracies with Wilson 95 % intervals, all ages beside adults."""
    audit = open_audit(path)
    rows = ["| group | all ages | n | adults | n |", "|---|---|---:|---|---:|"]
    tables = []
    for within in (Filter(), Filter(age_from=ADULT_AGE)):
        faces = audit.faces[within.mask(audit.faces)]
        found = {("all", ""): accuracy_by(faces, []).iloc[0]}
        for row in accuracy_by(faces, ["gender", "ethnicity"]).to_dict("records"):
            found[row["gender"], row["ethnicity"]] = row
        tables.append(found)
    for key in tables[0]:
        cells = []
        for found in tables:
            row = found.get(key)
            has = row is not None and row["n"] > 0
            cells += [
                with_interval(row["accuracy"], row["low"], row["high"]) if has else "–",
                f"{int(row['n']):,}" if has else "0",
            ]
        rows.append(f"| {' '.join(key).strip()} | {' | '.join(cells)} |")
    return rows
