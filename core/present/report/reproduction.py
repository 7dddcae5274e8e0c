"""Where a report comes from: data and rejects, hashes, versions, seeds, and the commands that made each part."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from core.analysis.comparison import Experiment
from core.audit.folder import Audit, stored_minimum
from core.audit.manifest import ALL, UNSEEN
from core.checks.results import Checks
from core.classifiers.info import DataInfo, ModelInfo, TrainingInfo
from core.data.faces import labels_known
from core.data.filters import Filter
from core.data.store_names import store_to_name
from core.present.card import Section, Table, Text, section
from core.present.card.sections import SUBTRACTED, disagreements_table
from core.present.report.blocks import Code
from core.present.text.labels import not_identity_words
from core.present.text.reviews import review_words
from core.present.text.speed import precision_words, speed_words
from core.present.text.task import task_words
from core.present.text.training_copies import training_copies_words
from core.privacy import MINIMUM_FACES
from core.wording import counted

CORE = Path(__file__).resolve().parent.parent.parent
#: What the sources are: bytecode and editors' leavings are not.
SOURCES = (".py", ".json", ".j2", ".css")
PACKAGES = ("numpy", "pandas", "scipy", "pillow", "jinja2")


@dataclass(frozen=True)
class CodeState:
    """`commit`: git's, None without one; `changed`: whether core/ differs from it; `sha256`: over core/'s sources."""

    commit: str | None
    changed: bool
    sha256: str


@cache
def code_state(core: Path = CORE) -> CodeState:
    """What code this is when first asked: its commit, where it is its own repository, and a hash of its sources."""
    top = _git(core, "rev-parse", "--show-toplevel")
    own = top is not None and Path(top).resolve() == core.parent
    commit = _git(core, "rev-parse", "HEAD") if own else None
    changed = bool(commit and _git(core, "status", "--porcelain", "--", str(core)))
    return CodeState(commit, changed, sources_sha256(core))


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, None where there is no git or no repository."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, env=clean, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def sources_sha256(core: Path = CORE) -> str:
    """SHA-256 over lines of «SHA-256 of a file, two spaces, path from the project's folder», sorted by path: what
    `sha256sum` of the sorted files of core/ prints, hashed."""
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(core.parent).as_posix()}\n"
        for file in core.rglob("*")
        if file.suffix in SOURCES and file.is_file()
    ]
    return hashlib.sha256("".join(sorted(lines, key=lambda line: line[66:])).encode()).hexdigest()


def data_section(audit: Audit, filter: Filter, faces_in_filter: int) -> Section:
    """What data, how many of its faces, and what was rejected and why."""
    manifest, faces = audit.manifest, audit.faces
    rejects = manifest.rejects
    rows = [
        ("data set", manifest.dataset),
        ("part", audit.split_words),
        ("faces audited", f"{len(faces):,}"),
        ("faces shown here", f"{faces_in_filter:,} ({filter.describe()})"),
        ("age known of", f"{int(faces['age'].notna().sum()):,}"),
        ("identity known of", f"{int(faces['identity'].notna().sum()):,}"),
    ]
    if (words := task_words(manifest)) is not None:
        rows.append(("classified", words))
    if without := manifest.not_predicted:
        rows.append(("faces without a prediction, left out", f"{without:,}"))
    if unused := manifest.predictions_unused:
        rows.append(("predictions of no face of the data set", f"{unused:,}"))
    if (reviewed := review_words(manifest)) is not None:
        rows.append(("labels", reviewed))
    if (words := training_copies_words(manifest)) is not None:
        rows.append(("looked up among training faces", words))
    rows += [("renamed for this audit", f"{a} → {b}") for a, b in manifest.names.items()]
    rows.append(("SHA-256 of ids, labels and splits", manifest.data_fingerprint or "unknown"))
    total = sum(rejects.values())
    if rejects:
        counts = tuple((reason, f"{count:,}") for reason, count in rejects.items())
        caption = f"Rejected by reason: {total:,} files of the whole data set, all splits"
        lost: Table | Text = Table(("reason", "files"), counts, "lr", caption)
    else:
        lost = Text("No file of this data set was rejected.")
    note = not_identity_words(labels_known(audit.faces), audit.columns)
    return section(
        "data",
        "Data",
        [Table(("what", "value"), tuple(rows), "ll"), lost, disagreements_table(audit), Text(note, quiet=True)],
    )


def commands(
    audit: Audit, info: ModelInfo, checks: Checks | None, experiment: Experiment | None, all_ages: bool
) -> tuple:
    """The commands that made each part, in order."""
    model, name = (shlex.quote(text) for text in (audit.manifest.model, audit.name))
    dataset, which = audit.manifest.dataset, f"--model {model} --audit {name}"
    store = store_to_name(dataset)
    lines = [] if audit.manifest.of_table else [f"python -m core align --data PATH --dataset {shlex.quote(dataset)}"]
    if audit.manifest.of_table:
        columns = " ".join(map(shlex.quote, info.source.to_json().get("columns", ())[1:]))
        score_flags = f"--score {info.declaration.score} --score-column {columns}" if info.declaration else ""
        lines.append(
            f"python -m core table PATH --name {model} {score_flags}  # and which score is whose, as it was declared"
        )
    elif info.trained_here:
        data = _trained_on(info.data or DataInfo(dataset=dataset))
        lines.append(f"python -m train {data} --name {model} --config CONFIG.yaml  # as in the model card")
    else:
        lines.append(f"python -m core import PATH --name {model}  # with what the model card says was declared")
    # All of data that the model never saw is what an audit takes by itself.
    split_names = {ALL: [ALL], UNSEEN: []}.get(audit.manifest.chosen, audit.manifest.splits)
    splits = " --split " + " ".join(shlex.quote(split) for split in split_names) if split_names else ""
    stored = stored_minimum(audit.manifest)
    minimum = f" --minimum-faces {stored}" if stored > MINIMUM_FACES else ""
    names = " --map-ethnicities NAMES.yaml" if audit.manifest.names else ""
    if not audit.manifest.of_table:
        speed = f" --speed {audit.manifest.speed.how}" if audit.manifest.speed else ""
        copies = audit.manifest.training_copies
        looked = f" --training-data {_stores(copies.datasets)}" if copies and copies.left_out else ""
        how = f"{splits} --name {name}{names}{minimum}{looked}{speed}"
        lines.append(f"python -m core audit --model {model} --data {store}{how}")
    if checks is not None:
        manifest = checks.manifest
        lines.append(f"python -m core check {which} --data {store} --sample {manifest.sample} --seed {manifest.seed}")
    if experiment is not None:
        lines.append(f"python -m train.experiments --data {store}")
    ages = " --ages all" if all_ages else ""
    lines += [
        f"python -m core gaps {which}{ages}  # accuracies, tests, fairness, label noise",
        f"python -m core findings {which}{ages}  # the claims",
        *([f"python -m core evidence {which}{ages}  # evidence adds up"] if audit.additive else []),
        f"python -m core report {which} --out report.html{ages}  # this file",
    ]
    return tuple(lines)


def _trained_on(data: DataInfo) -> str:
    """The flags that name what was trained on, and what was validated on where that is another data set."""
    names = [part.dataset for part in data.parts] or [data.dataset or "DATASET"]
    if data.validation_dataset in (None, *names):
        return f"--data {_stores(names)}"
    return f"--train {_stores(names)} --val {_stores([data.validation_dataset or ''])}"


def _stores(names: Sequence[str]) -> str:
    """Where data sets lie, unless they were aligned elsewhere; of two of one reader the folder's name comes last."""
    return " ".join(store_to_name(name.rpartition(" ")[2]) for name in names)


def check_command(audit: Audit) -> str:
    """The command that makes an audit's checks."""
    model, name = (shlex.quote(text) for text in (audit.manifest.model, audit.name))
    return f"python -m core check --model {model} --audit {name} --data {store_to_name(audit.manifest.dataset)}"


def reproduction_section(
    audit: Audit, info: ModelInfo, checks: Checks | None, experiment: Experiment | None, all_ages: bool, code: CodeState
) -> Section:
    """Hashes, versions, seeds and commands."""
    manifest = audit.manifest
    commit = "none: not a git checkout" if code.commit is None else code.commit
    data, training = info.data or DataInfo(), info.training or TrainingInfo()
    rows = [
        ("model, kind", info.kind.value),
        ("weights, SHA-256", manifest.weights_sha256 or "unknown"),
        ("training data, SHA-256", data.fingerprint or "unknown"),
        ("audited data, SHA-256", manifest.data_fingerprint or "unknown"),
        ("code, git commit", commit + (" with changes in core/" if code.changed else "")),
        ("code, SHA-256 of core/'s sources", code.sha256),
        ("audit made with", _versions(manifest.versions)),
        *([("audit's precision", words)] if (words := precision_words(manifest)) else []),
        *([("audit computed", speed_words(manifest.speed))] if manifest.speed else []),
        (
            "report made with",
            _versions({name: version(name) for name in PACKAGES} | {"python": platform.python_version()}),
        ),
        ("seed of split", _known(data.split_seed)),
        ("seed of training", _known(training.seed)),
        ("seed of resampling", "0"),
    ]
    if checks is not None:
        rows.append(("seed of checks", str(checks.manifest.seed)))
        rows.append(("checks made with", _versions(checks.manifest.versions)))
    if experiment is not None:
        arms = "; ".join(f"{arm.name}: {counted(len(arm.models), 'seed')}" for arm in experiment.arms)
        rows.append((f"experiment {experiment.name}", arms))
    note = "Of the same audit, checks and code the same report comes out, byte for byte, but for its date."
    return section(
        "reproduction",
        "Reproduction",
        [
            Table(("what", "value"), tuple(rows), "ll"),
            Text("The commands that made each part:"),
            Code(commands(audit, info, checks, experiment, all_ages)),
            Text(note, quiet=True),
            Text(SUBTRACTED, quiet=True),
        ],
    )


def _known(value: object) -> str:
    return "unknown" if value is None else str(value)


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items()) or "unknown"
