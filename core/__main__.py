"""The commands, `python -m core COMMAND`; each has `--help` with an example."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import tyro

from core.bars import Bars
from core.errors import LookwhereError


def datasets(check: Path | None = None, dataset: str | None = None, labels: Path | None = None) -> None:
    """List the data sets that can be read, and what each expects; or tell what would be read of one, without aligning.

    Example: python -m core datasets
    Or: python -m core datasets --check MORPH_nonCommercial

    Args:
        check: A data set to look at: a folder, .tar.gz, .zip, .rec, CSV or Parquet.
        dataset: The reader's name; by default the data set is recognised.
        labels: CSV of identity,gender[,ethnicity] for a data set that names no genders.
    """
    from core.datasets import READERS, choose_reader, open_source

    if check is not None:
        from core.tables import reading_report

        source = open_source(check)
        reader = choose_reader(source, dataset)
        print(reading_report(reader.read(source, labels), reader, source))
        return
    if dataset or labels:
        raise LookwhereError("--dataset and --labels go with --check PATH")
    for reader in READERS.values():
        print(f"{reader.name:14} {reader.title}\n{'':14} {reader.expects}")


def align(
    data: Path,
    dataset: str | None = None,
    out: Path | None = None,
    labels: Path | None = None,
    balance: Literal["none", "gender", "group"] = "none",
    limit: int | None = None,
    seed: int = 0,
    device: str = "cpu",
) -> None:
    """Read a data set, drop copies, split, detect and align its faces into data/aligned/DATASET.

    Interrupted work resumes; a finished store is only reported.
    Example: python -m core align --data UTKFace.tar.gz
    Or: python -m core align --data faces_emore --labels identities.csv --balance gender --limit 2000000

    Args:
        data: The data set: a folder, .tar.gz, .zip, .rec, CSV or Parquet.
        dataset: The reader's name; by default the data set is recognised.
        out: The store's folder; by default data/aligned/DATASET.
        labels: CSV of identity,gender[,ethnicity] for a data set that names no genders.
        balance: Take equally many faces of each gender, or of each gender × ethnicity; people stay whole.
        limit: Take at most this many faces, chosen by the seed.
        seed: Seed of the subset and of the 70/10/20 split.
        device: Where the detector runs: cpu or cuda.
    """
    from core.datasets import choose_reader, open_source
    from core.splits import Subset
    from core.store import STORES, build_store
    from core.tables import store_report

    source = open_source(data)
    reader = choose_reader(source, dataset)
    subset = None if balance == "none" and limit is None else Subset(balance, limit)
    bars = Bars()
    try:
        store = build_store(
            source,
            reader,
            out or STORES / reader.name,
            seed=seed,
            device=device,
            progress=bars,
            labels=labels,
            subset=subset,
        )
    finally:
        bars.close()
    print(store_report(store))


def audit(
    model: str,
    data: Path,
    split: tuple[Literal["train", "val", "test", "all"], ...] | None = None,
    name: str | None = None,
    dataset: str | None = None,
    labels: Path | None = None,
    names: Path | None = None,
    batch: int = 64,
    averages: bool = True,
    device: str = "cpu",
    models: Path = Path("models"),
) -> None:
    """Put a data set's faces through a model: logits, Grad-CAM evidence and average faces, for the app to show.

    Interrupted work resumes; a finished audit is only reported.
    Example: python -m core audit --model resnet50-utkface --data data/aligned/utkface

    Args:
        model: The model's name, a folder under models/.
        data: An aligned store, or the data set itself (then it is aligned first).
        split: Which splits, e.g. --split val test, or all. By default test; all of a data set that the model never saw.
        name: The audit's name; by default DATASET-SPLIT.
        dataset: The reader's name; by default the data set is recognised.
        labels: CSV of identity,gender[,ethnicity] for a data set that names no genders.
        names: YAML file that renames or merges ethnicities (African-American: Black), to compare data sets.
        batch: Faces a forward pass.
        averages: Store average faces; of the same faces they are the same for every model, and most of the size.
        device: cpu or cuda.
        models: Where model folders lie.
    """
    from core.audit.run import run_audit
    from core.card import write_card
    from core.checkpoint import load_model
    from core.files import read_names
    from core.store import open_or_align
    from core.tables import audit_report

    loaded = load_model(models / model, device)
    bars = Bars()
    try:
        store = open_or_align(data, dataset, device, bars, labels)
        mapping = read_names(names) if names else None
        result = run_audit(
            store, loaded, split, name=name, names=mapping, batch=batch, averages=averages, progress=bars
        )
    finally:
        bars.close()
    write_card(loaded.path)
    print(audit_report(result))


def show(model: str, audit: str, models: Path = Path("models")) -> None:
    """Print a finished audit's accuracy tables: the numbers that the README and the pages give.

    Example: python -m core show --model resnet50-utkface --audit utkface-test

    Args:
        model: The model's name, a folder under models/.
        audit: The audit's name, a folder under models/MODEL/audits/.
        models: Where model folders lie.
    """
    from core.audit.folder import open_audit
    from core.tables import audit_report

    print(audit_report(open_audit(models / model / "audits" / audit)))


def look(data: Path, out: Path | None = None, faces: int = 24) -> None:
    """Draw an aligned store to be looked at: each group's average face, and a sample with its landmarks.

    The picture holds single faces: it is for the eye, and stays beside the store, outside the project.
    Example: python -m core look --data data/aligned/utkface

    Args:
        data: An aligned store.
        out: The picture; by default look.png in the store's folder.
        faces: How many faces the sample has.
    """
    from core.figures.alignment import alignment_sheet
    from core.store import AlignedStore

    file = out or data / "look.png"
    alignment_sheet(AlignedStore.open(data), faces).save(file)
    print(f"{file}: averages by group, and {faces} faces with their landmarks")


def check(
    model: str,
    audit: str,
    data: Path,
    sample: int = 600,
    seed: int = 0,
    methods: tuple[str, ...] | None = None,
    parts: tuple[Literal["randomised", "deletion", "road", "occlusion", "methods"], ...] | None = None,
    device: str = "cpu",
    models: Path = Path("models"),
) -> None:
    """Check whether an audit's maps can be trusted: random weights, deletion, ROAD, hidden regions, other methods.

    Finished parts are kept, so a stopped run goes on and methods can be added.
    Example: python -m core check --model resnet50-utkface --audit utkface-test --data data/aligned/utkface
    Or, some methods: python -m core check … --parts methods --methods GradCAM ScoreCAM

    Args:
        model: The model's name, a folder under models/.
        audit: The audit's name, a folder under models/MODEL/audits/.
        data: The aligned store that was audited.
        sample: How many faces, spread over groups and outcomes; each check takes the share that it can afford.
        seed: Seed of the sample and of everything drawn.
        methods: Methods of the grad-cam library to compare; by default all but the costliest.
        parts: Which checks; by default all.
        device: cpu or cuda.
        models: Where model folders lie.
    """
    from core.audit.folder import open_audit
    from core.checkpoint import load_model
    from core.store import AlignedStore
    from core.trust.report import trust_report
    from core.trust.run import run_checks

    chosen = {key: value for key, value in (("methods", methods), ("parts", parts)) if value}
    opened, bars = open_audit(models / model / "audits" / audit), Bars()
    try:
        done = run_checks(
            opened,
            load_model(models / model, device),
            AlignedStore.open(data),
            sample=sample,
            seed=seed,
            progress=bars,
            **chosen,
        )
    finally:
        bars.close()
    print(trust_report(done))


def budget(model: str, audit: str, models: Path = Path("models")) -> None:
    """Print that evidence adds up: regions and bias against the mean margin, for every group of an audit.

    Example: python -m core budget --model resnet50-utkface --audit utkface-test

    Args:
        model: The model's name, a folder under models/.
        audit: The audit's name, a folder under models/MODEL/audits/.
        models: Where model folders lie.
    """
    from core.audit.folder import open_audit
    from core.budget import budget_report

    print(budget_report(open_audit(models / model / "audits" / audit)))


def gaps(model: str, audit: str, adults: bool = False, models: Path = Path("models")) -> None:
    """Print gaps with simultaneous intervals, tests, age against ethnicity, fairness measures, and label noise.

    Example: python -m core gaps --model resnet50-utkface --audit utkface-test --adults

    Args:
        model: The model's name, a folder under models/.
        audit: The audit's name, a folder under models/MODEL/audits/.
        adults: Only faces of 18 years and older.
        models: Where model folders lie.
    """
    from core.audit.folder import open_audit
    from core.faces import ADULT_AGE, Filter
    from core.gaps.report import gaps_report
    from core.noise import noise_report

    opened = open_audit(models / model / "audits" / audit)
    within = Filter(age_from=ADULT_AGE) if adults else Filter()
    print(gaps_report(opened, within), noise_report(opened, within, models=models), sep="\n\n")


def findings(model: str, audit: str, all_ages: bool = False, models: Path = Path("models")) -> None:
    """Put the original study's claims to an audit and print each verdict with its numbers.

    Claims of causes are answered by the experiment under models/experiments that used the same faces.
    Example: python -m core findings --model resnet50-utkface --audit utkface-test

    Args:
        model: The model's name, a folder under models/.
        audit: The audit's name, a folder under models/MODEL/audits/.
        all_ages: All faces, not only those of 18 years and older.
        models: Where model folders lie.
    """
    from core.audit.folder import open_audit
    from core.experiments import experiment_for
    from core.faces import ADULT_AGE, Filter
    from core.findings import all_findings, findings_report
    from core.trust.folder import open_checks

    opened = open_audit(models / model / "audits" / audit)
    known = opened.faces["age"].notna().any()
    within = Filter(age_from=ADULT_AGE) if known and not all_ages else Filter()
    found = all_findings(opened, within, open_checks(opened), experiment_for(models, opened))
    print(findings_report(found, f"{model}, audit {audit}, {within.describe()}"))


def experiments(name: str = "claims", adults: bool = False, models: Path = Path("models")) -> None:
    """Print an experiment: each arm by seed and group, and its contrasts with intervals and verdicts.

    Example: python -m core experiments --name claims --adults

    Args:
        name: The experiment's name, a folder under models/experiments/.
        adults: Only faces of 18 years and older.
        models: Where model folders lie.
    """
    from core.experiments import experiment_report, open_experiment
    from core.faces import ADULT_AGE, Filter

    within = Filter(age_from=ADULT_AGE) if adults else Filter()
    print(experiment_report(open_experiment(models / "experiments" / name), within))


COMMANDS = {
    "datasets": datasets,
    "align": align,
    "look": look,
    "audit": audit,
    "show": show,
    "check": check,
    "budget": budget,
    "gaps": gaps,
    "findings": findings,
    "experiments": experiments,
}


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 0 on success, 2 with one line on bad input, 130 where a person interrupted."""
    try:
        tyro.extras.subcommand_cli_from_dict(COMMANDS, prog="python -m core", description=__doc__, args=arguments)
    except LookwhereError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the same command resumes", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
