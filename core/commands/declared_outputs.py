"""The options by which outputs are declared, which `import` and `table` share: their values and their help, once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeVar

from core.task import GENDERS

if TYPE_CHECKING:
    from core.classifiers.info import ModelInfo

Command = TypeVar("Command", bound=Callable)
#: The values of --score (`core.classifiers.imported.spec.Score`), here so that a command line loads no model code.
ScoreKind = Literal["logits", "probabilities", "logit", "probability", "percentages", "percentage", "label"]
#: Help by option. `{output}` is what one output is called, `{data}` what a target is a column of.
HELP = {
    "female": "Which {output} is female, counted from 0.",
    "male": "Which {output} is male.",
    "of": "The class of a single {output}.",
    "target": "What is classified: gender (the default), or a column of the {data} with two values, such as "
    "Eyeglasses.",
    "classes": "The two values of --target, the positive one last.",
    "indices": "Instead of --female and --male: which {output}s are those of --classes, counted from 0.",
}


def other_outputs(info: ModelInfo) -> list[str]:
    """A line on an imported model with more outputs than classes, as those of ImageNet; else none."""
    count, declared = info.outputs or 0, info.declaration.to_json() if info.declaration else {}
    pair = declared.get("indices") or [declared.get(name) for name in GENDERS]
    if count < 3 or None in pair:
        return []
    names = info.classes if declared.get("indices") else GENDERS
    compared = " and ".join(f"{place} ({name})" for place, name in zip(pair, names, strict=True))
    return [f"of its {count:,} outputs only {compared} are compared"]


def outputs_declared(output: str, data: str) -> Callable[[Command], Command]:
    """A decorator that puts `HELP` under the `Args:` with which the command's docstring ends."""
    lines = [f"    {name}: {text.format(output=output, data=data)}" for name, text in HELP.items()]

    def helped(command: Command) -> Command:
        command.__doc__ = "\n".join([inspect.getdoc(command) or "", *lines])
        return command

    return helped
