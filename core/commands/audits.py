"""Commands on audits: `audit` makes one, `check` adds to it, the others print what it says."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from core import places, remote
from core.commands.help_words import MAPS, METHODS, PARTS
from core.commands.output import noted, opened_store, printed
from core.commands.reviews import and_reviewed, opened_audit
from core.errors import LookwhereError, at_least, at_most
from core.files import file_to_write
from core.locks import alone
from core.places import MODELS, audit_folder
from core.progress import ProgressBars

if TYPE_CHECKING:
    import pandas as pd

    from core.data.filters import Filter

Ages = Literal["adults", "all"]

#: Faces at a time: half a gigabyte at 112 pixels for every 4,096.
MOST_BATCH = 16_384


def faces_within(faces: pd.DataFrame, ages: Ages, path: Path) -> Filter:
    """The filter that `--ages` asks for. Raises `LookwhereError` naming `path` where none of its faces passes."""
    from core.data.filters import Filter

    filter = Filter.of_ages(faces, ages)
    if not filter.mask(faces).any():
        raise LookwhereError(f"{path}: none of its faces is known to be an adult; give --ages all")
    return filter


def audit(
    model: str,
    data: Path,
    split: tuple[Literal["train", "val", "test", "all"], ...] | None = None,
    name: str | None = None,
    dataset: str | None = None,
    labels: Path | None = None,
    map_ethnicities: Path | None = None,
    maps: Annotated[str | None, MAPS] = None,
    batch: int = 64,
    averages: Literal["auto", "yes", "no"] = "auto",
    minimum_faces: int | None = None,
    cells: tuple[str, ...] = (),
    training_data: tuple[Path, ...] = (),
    speed: Literal["plain", "folded", "openvino"] = "plain",
    device: str = "cpu",
    models: Path = MODELS,
    json: bool = False,
) -> str:
    """Put a data set's faces through a model: logits, evidence maps and average faces, for the app to show.

    Interrupted work resumes; a finished audit is only reported. Under torchrun several processes share the work.
    Example: python -m core audit --model resnet50-utkface --data data/aligned/utkface
    Or, with other maps: python -m core audit --model resnet50-utkface --data data/aligned/utkface --maps occlusion
    --name utkface-test-occlusion

    Args:
        model: The model's name, a folder under models/.
        data: An aligned store, its address (s3://…; --models too), or the data set itself (then it is aligned first).
        split: Which splits, e.g. --split val test, or all. By default test; all of a data set that the model never saw,
            and so of any with an imported model, whose training nobody knows.
        name: The audit's name; by default DATASET-SPLIT, or FOLDER-SPLIT where that is of other data.
        dataset: The reader's name; by default the data set is recognised.
        labels: CSV of identity,gender[,ethnicity] for a data set that names no genders.
        map_ethnicities: YAML file that renames or merges ethnicities (African-American: Black), to compare data sets.
        maps: How maps are made, by default as the model says; each method below with its passes of the network a face.
        batch: Faces a forward pass.
        averages: Whether to store average faces. By default unless another audit of some of these faces has them:
            the averages of two could be subtracted to a single face.
        minimum_faces: Least number of people in a stored average, from 11; by default $LOOKWHERE_MINIMUM_FACES or 11.
        cells: Columns of the store whose levels average faces tell apart too, so that there is an average face of who
            wears glasses. Cells of under 11 people take part in no average, so fewer faces are in the others.
        training_data: The aligned stores that the model was trained on. Faces that are copies or near-copies of theirs
            are left out and counted. Of a model's own data set the train split is looked up without being asked.
        speed: How the network computes. folded: its batch norms are folded into its convolutions, which changes
            rounding alone. openvino: these are run by OpenVINO (pip install "lookwhere[fast]"), for models trained
            here. How logits and maps agree with float32 is measured on the first 64 faces and kept.
        device: cpu or cuda.
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.audit.average_setting import AverageSetting, KeepAverages
    from core.audit.run import run_audit
    from core.classifiers.folder import load_model
    from core.classifiers.speed import Speed
    from core.data.build_store import open_or_align
    from core.data.ethnicity_names import read_names
    from core.present.card import write_card
    from core.present.records.audits import audit_record
    from core.present.text.tables import audit_report

    at_most("--batch", at_least("--batch", batch, 1), MOST_BATCH)
    loaded = load_model(places.within(models, model, "--model"), device)
    remote.fetched_audits(models)
    setting = AverageSetting(KeepAverages(averages), minimum_faces, cells)
    bars = ProgressBars()
    try:
        task = loaded.info.task
        target = None if task.is_gender else task.attribute
        store = noted(open_or_align(data, dataset, device, bars, labels, target))
        mapping = read_names(map_ethnicities) if map_ethnicities else None
        result = run_audit(
            store,
            loaded,
            split,
            name=name,
            names=mapping,
            maps=maps,
            batch=batch,
            averages=setting,
            training=tuple(opened_store(path) for path in training_data),
            speed=Speed(speed),
            progress=bars,
        )
    finally:
        bars.close()
    places.keep(models, model, result.name, lambda: write_card(loaded.path))
    return printed("audit", json, lambda: audit_report(result), lambda: audit_record(result))


def show(
    model: str,
    audit: str,
    ages: Literal["both", "adults", "all"] = "both",
    by: tuple[str, ...] | None = None,
    out: tuple[Path, ...] = (),
    reviewed: Path | None = None,
    models: Path = MODELS,
    json: bool = False,
) -> str:
    """Print a finished audit's accuracy tables: the numbers that the README and the pages give.

    Example: python -m core show --model resnet50-utkface --audit utkface-test
    Or: python -m core show --model theirs --audit faces-all --by glasses gender --out groups.tex groups.pdf

    Args:
        model: The model's name, a folder under models/.
        audit: The audit's name, a folder under models/MODEL/audits/.
        ages: Tables of all ages and of adults (18 years and older), or of one of the two.
        by: What groups are made by, up to three crossed: gender, ethnicity (the default two), age_band, own columns.
        out: Files to which the table of groups is written too: .tex, .pdf or .csv. Of adults where ages are known,
            unless --ages all.
        reviewed: A list with face_id and decision (keep, flip, leave out), by which labels are counted here.
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.analysis.accuracy.groupings import grouping
    from core.present.export.group_files import write_groups
    from core.present.records.audits import audit_record
    from core.present.text.tables import audit_report

    opened = opened_audit(models, model, audit, reviewed)
    columns = None if by is None else grouping(by, opened.columns)
    if out:
        filter = faces_within(opened.faces, "all" if ages == "all" else "adults", opened.path)
        for file in out:
            write_groups(opened, columns or ["gender", "ethnicity"], filter, file)
    return printed(
        "show", json, lambda: audit_report(opened, ages, columns), lambda: audit_record(opened, ages, columns)
    )


def check(
    model: str,
    audit: str,
    data: Path,
    sample: int = 600,
    seed: int = 0,
    methods: Annotated[tuple[str, ...] | None, METHODS] = None,
    parts: Annotated[tuple[str, ...] | None, PARTS] = None,
    device: str = "cpu",
    models: Path = MODELS,
    json: bool = False,
) -> str:
    """Check an audit's explanations: random weights, deletion, ROAD, hidden regions, other methods.

    Finished parts are kept, so a stopped run goes on and methods can be added. Under torchrun processes share them out.
    Example: python -m core check --model resnet50-utkface --audit utkface-test --data data/aligned/utkface
    Or: python -m core check --model theirs --audit own-all --data data/aligned/own --parts deletion occlusion

    Args:
        model: The model's name, a folder under models/.
        audit: The audit's name, a folder under models/MODEL/audits/.
        data: The aligned store that was audited.
        sample: How many faces, spread over groups and outcomes; each check takes the share that it can afford.
        seed: Seed of the sample and of everything drawn.
        methods: Attribution methods to compare with the closed form; by default all of the library but the costliest.
        parts: Which checks; by default all that can be run: random weights and methods only of a ResNet-50 of ours.
        device: cpu or cuda.
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.audit.folder import open_audit
    from core.checks.run import run_checks
    from core.classifiers.folder import load_model
    from core.present.records.audits import checks_record
    from core.present.text.checks import checks_report

    selection = {key: value for key, value in (("methods", methods), ("parts", parts)) if value}
    at_least("--seed", seed, 0)
    opened, bars = open_audit(audit_folder(models, model, audit)), ProgressBars()
    try:
        done = run_checks(
            opened,
            load_model(places.within(models, model, "--model"), device),
            opened_store(data),
            sample=sample,
            seed=seed,
            progress=bars,
            **selection,
        )
    finally:
        bars.close()
    places.keep(models, model, audit)
    return printed("check", json, lambda: checks_report(done), lambda: checks_record(done))


def evidence(
    model: str,
    audit: str,
    ages: Ages = "adults",
    reviewed: Path | None = None,
    models: Path = MODELS,
    json: bool = False,
) -> str:
    """Print that evidence adds up: regions and bias against the mean margin, for every group of an audit.

    Example: python -m core evidence --model resnet50-utkface --audit utkface-test

    Args:
        model: The model's name, a folder under models/.
        audit: The audit's name, a folder under models/MODEL/audits/.
        ages: adults (18 years and older), or all. Where no age is known, all.
        reviewed: A list with face_id and decision (keep, flip, leave out), by which labels are counted here.
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.present.records.audits import evidence_record
    from core.present.text.evidence import evidence_report

    opened = opened_audit(models, model, audit, reviewed)
    filter = faces_within(opened.faces, ages, opened.path)
    return printed(
        "evidence",
        json,
        lambda: and_reviewed(opened, evidence_report(opened, filter)),
        lambda: evidence_record(opened, filter),
    )


def findings(
    model: str,
    audit: str,
    ages: Ages = "adults",
    reviewed: Path | None = None,
    models: Path = MODELS,
    json: bool = False,
) -> str:
    """Put the original study's claims to an audit and print each verdict with its numbers.

    Claims of causes are answered by the experiment under models/experiments that used the same faces.
    Example: python -m core findings --model resnet50-utkface --audit utkface-test

    Args:
        model: The model's name, a folder under models/.
        audit: The audit's name, a folder under models/MODEL/audits/.
        ages: adults (18 years and older), or all. Where no age is known, all.
        reviewed: A list with face_id and decision (keep, flip, leave out), by which labels are counted here.
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.analysis.comparison import experiment_for
    from core.analysis.findings import all_findings
    from core.checks.results import open_checks
    from core.present.records.analysis import findings_record
    from core.present.text.findings import findings_report, seeds_words

    opened = opened_audit(models, model, audit, reviewed)
    filter = faces_within(opened.faces, ages, opened.path)
    experiment = experiment_for(models, opened)
    claims = all_findings(opened, filter, open_checks(opened), experiment)
    title = f"{model}, audit {audit}, {filter.describe()}{'' if filter.primary else ' (exploratory)'}"
    return printed(
        "findings",
        json,
        lambda: and_reviewed(
            opened, findings_report(claims, title, seeds_words(experiment, filter, opened), opened.task)
        ),
        lambda: findings_record(opened, filter, claims),
    )


def experiments(name: str = "claims", ages: Ages = "adults", models: Path = MODELS, json: bool = False) -> str:
    """Print an experiment: each arm by seed and group, and its contrasts with intervals and verdicts.

    Example: python -m core experiments --name claims

    Args:
        name: The experiment's name, a folder under models/experiments/.
        ages: adults (18 years and older), or all. Where no age is known, all.
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.analysis.comparison import open_experiment
    from core.present.records.analysis import experiment_record
    from core.present.text.experiments import experiment_report

    opened = open_experiment(places.within(models / "experiments", name, "--name"))
    faces = opened.audits(opened.arms[0].name)[0].faces
    filter = faces_within(faces, ages, opened.path)
    return printed(
        "experiments", json, lambda: experiment_report(opened, filter), lambda: experiment_record(opened, filter)
    )


def report(
    model: str,
    audit: str,
    out: Path,
    ages: Ages = "adults",
    by: tuple[str, ...] = (),
    reviewed: Path | None = None,
    models: Path = MODELS,
    json: bool = False,
) -> str:
    """Write an audit's report: one HTML file that opens offline, runs nothing, and holds no single face.

    The study's grid of pairs, accuracy, gaps, differences, checks, findings, the model card and what made them.
    Example: python -m core report --model resnet50-utkface --audit utkface-test --out report.html

    Args:
        model: The model's name, a folder under models/.
        audit: The audit's name, a folder under models/MODEL/audits/.
        out: The file to write.
        ages: adults (18 years and older), or all. Where no age is known, all.
        by: Columns of the audit by whose groups there is a table too, up to three crossed, as of `show`.
        reviewed: A list with face_id and decision (keep, flip, leave out), by which labels are counted here.
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.analysis.accuracy.groupings import grouping
    from core.present.report import report_of, write_report

    with alone(file_to_write(out), "writing"):
        opened = opened_audit(models, model, audit, reviewed)
        content = report_of(models / model, opened, ages == "all", by=grouping(by, opened.columns))
        size = write_report(out, content)
    return printed(
        "report",
        json,
        lambda: f"{out}: {math.ceil(size / 1e5) / 10:.1f} MB, opens offline",
        lambda: {"file": out, "bytes": size, "model": model, "audit": audit},
    )
