"""The commands that the page «Runs» starts: where their options are defined, and what the page sets or leaves out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from core.commands import audits, data, importing
from core.jobs.options import Option, OptionKind, options_of
from core.jobs.programs import HOUSE
from core.task import GENDER
from core.training.config import TrainConfig
from core.training.config_file import load_config
from core.training.options import TrainOptions

#: Configs of trainings that ship with us, by name.
CONFIGS = tuple(sorted(file.stem for file in (HOUSE / "train/configs").glob("*.yaml")))


#: Options whose text names no file, and those whose text may name one. A page leaves out a text of which nobody said
#: which it is, until somebody does.
PLAIN_TEXTS = frozenset({
    "model", "audit", "name", "cells", "architecture", "output", "layer", "activation", "file_column",
    "score_column", "exclude", "of", "target", "classes", "template",
})  # fmt: skip
TEXTS_OR_FILES = frozenset({"columns"})


@dataclass(frozen=True)
class Startable:
    """A command of the page.

    `program` is its name among `core.jobs.programs.PROGRAMS`, `what` says in a sentence what comes of it. `first`
    options are asked first, the others on demand; `left_out` are the page's own affair, or no page's.
    """

    program: str
    title: str
    what: str
    source: Callable | type
    first: tuple[str, ...]
    left_out: tuple[str, ...] = ("models", "json")
    positional: tuple[str, ...] = ()


STARTABLE: tuple[Startable, ...] = (
    Startable(
        "datasets",
        "See a data set",
        "Says what would be read of a data set, how many faces of whom, and what would not be; nothing is aligned.",
        data.datasets,
        ("check",),
    ),
    Startable(
        "align",
        "Align",
        "Reads a data set, drops copies, splits it, finds every face and lays it on the template: an aligned store.",
        data.align,
        ("data", "out"),
    ),
    Startable(
        "audit",
        "Audit",
        "Puts the faces of an aligned store through a model: predictions, maps and average faces, for all the pages.",
        audits.audit,
        ("model", "data", "split", "name"),
    ),
    Startable(
        "check",
        "Check",
        "Checks an audit's maps: random weights, deletion, hidden regions, other methods.",
        audits.check,
        ("model", "audit", "data", "sample"),
    ),
    Startable(
        "train",
        "Train",
        "Trains a ResNet-50 on an aligned store. It takes hours; its curves are on the page «Training status».",
        TrainOptions,
        ("name", "data", "stages.0.epochs"),
        # A start is named by a file that is read as it is; a hand that resumes is the queue's.
        ("models", "resume", "config", "init", "devices"),
    ),
    Startable(
        "import",
        "Import",
        "Takes in somebody else's model, or a table of predictions. What its input and outputs mean you declare.",
        importing.import_,
        ("path", "name", "declare", "architecture", "score", *GENDER.classes, "of", "size", "mean", "std"),
        left_out=("try_portraits", "models", "json"),
        positional=("path",),
    ),
)


def startable(program: str) -> Startable:
    """The command of this name."""
    return next(command for command in STARTABLE if command.program == program)


def train_config(name: str | None) -> TrainConfig:
    """The settings of a shipped config; the defaults without a name."""
    return load_config(HOUSE / f"train/configs/{name}.yaml" if name in CONFIGS else None)


def form_options(command: Startable, config: TrainConfig | None = None) -> tuple[Option, ...]:
    """The options that the page asks for, those asked first in front; a training's settings are those of `config`.

    Where a registry knows the values of an option, they are its choices.
    """
    options = options_of(command.source, command.positional)
    if command.source is TrainOptions:
        options += options_of(config or TrainConfig())
    offered = [_with_choices(option) for option in options if option.name not in command.left_out]
    text_names = PLAIN_TEXTS | TEXTS_OR_FILES
    offered = [option for option in offered if option.kind is not OptionKind.TEXT or option.name in text_names]
    order = {name: n for n, name in enumerate(command.first)}
    offered = [dataclasses.replace(option, required=True) if option.name == "check" else option for option in offered]
    return tuple(sorted(offered, key=lambda option: order.get(option.name, len(order))))


def _with_choices(option: Option) -> Option:
    if option.kind is not OptionKind.TEXT or option.name not in CHOICES:
        return option
    return dataclasses.replace(option, kind=OptionKind.CHOICE, choices=CHOICES[option.name]())


def _readers() -> tuple[str, ...]:
    from core.data.readers import READERS

    return tuple(READERS)


def _maps() -> tuple[str, ...]:
    from core.explain.methods import REGISTRY

    return (*REGISTRY, "none")


def _methods() -> tuple[str, ...]:
    from core.explain.methods import REGISTRY, ClosedForm

    return tuple(key for key, kind in REGISTRY.items() if kind is not ClosedForm)


def _parts() -> tuple[str, ...]:
    from core.checks.definitions import ALL_PARTS

    return tuple(ALL_PARTS)


def _resizes() -> tuple[str, ...]:
    from core.classifiers.imported.spec import Resize

    return Resize.__args__


def _poolings() -> tuple[str, ...]:
    from core.classifiers.imported.spec import Pooling

    return Pooling.__args__


#: The values of options whose type is a text, from the registry that knows them.
CHOICES: dict[str, Callable[[], tuple[str, ...]]] = {
    "dataset": _readers,
    "val_dataset": _readers,
    "maps": _maps,
    "methods": _methods,
    "parts": _parts,
    "device": lambda: ("cpu", "cuda"),
    "resize": _resizes,
    "pooling": _poolings,
}
