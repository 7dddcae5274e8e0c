"""The options of a command, read from what defines them: a function's signature or a config dataclass, and its help.

A form is made from them, and from what it holds the command's words: an option is written down once.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import reprlib
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from docstring_parser import parse, parse_from_object

from core.errors import LookwhereError
from core.wording import capital

#: The longest text of an option, and the most values of one that takes several.
TEXT_LENGTH, MOST_VALUES = 500, 100


class OptionKind(StrEnum):
    """What an option's value is."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    YES_NO = "yes or no"
    CHOICE = "choice"
    PATH = "path"


KINDS = {str: OptionKind.TEXT, int: OptionKind.WHOLE, float: OptionKind.NUMBER, bool: OptionKind.YES_NO,
         Path: OptionKind.PATH}  # fmt: skip


@dataclass(frozen=True)
class Option:
    """One option of a command.

    `name` is the parameter's or field's, with dots where a field lies in another; `flag` is empty for a word without
    one. `several` options take a tuple of values, exactly `count` where that is a number. `choices` are all values that
    there are, or are offered. `default` is None where the command decides, `required` where nobody does. `unset` says
    what holds where nothing is given.
    """

    name: str
    flag: str
    kind: OptionKind
    help: str = ""
    default: object = None
    required: bool = False
    several: bool = False
    count: int | None = None
    choices: tuple[str, ...] = ()
    called: str = ""
    unset: str = "by default"

    @property
    def label(self) -> str:
        """What it is called, by default by its name: «Map ethnicities», «Stage 1, size»."""
        if self.called:
            return self.called
        parts = self.name.replace("_", " ").split(".")
        if parts[0] == "stages":
            parts = [f"stage {int(parts[1]) + 1}", *parts[2:]]
        return capital(", ".join(parts))


def options_of(source: Callable | object, positional: Sequence[str] = ()) -> tuple[Option, ...]:
    """The options of a function; or of a dataclass, or an object of one, whose values are then the defaults.

    `positional` parameters are words without a flag.
    """
    if dataclasses.is_dataclass(source):
        return tuple(_of_fields(source, ""))
    hints = typing.get_type_hints(source)
    helps = {param.arg_name: param.description or "" for param in parse(source.__doc__ or "").params}
    options = []
    for name, parameter in inspect.signature(source).parameters.items():
        required = parameter.default is inspect.Parameter.empty
        option = _option(name, hints[name], None if required else parameter.default, required, helps.get(name, ""))
        options.append(dataclasses.replace(option, flag="") if name in positional else option)
    return tuple(options)


def _of_fields(source: object, prefix: str) -> list[Option]:
    kind = source if isinstance(source, type) else type(source)
    hints = typing.get_type_hints(kind)
    helps = {
        field.arg_name: field.description or ""
        for base in reversed(kind.__mro__[:-1])
        for field in parse_from_object(base).params
    }
    options: list[Option] = []
    for field in dataclasses.fields(kind):
        value = _value(source, field)
        name, members = prefix + field.name, value if isinstance(value, tuple) else ()
        if dataclasses.is_dataclass(value):
            options += _of_fields(value, f"{name}.")
        elif members and dataclasses.is_dataclass(members[0]):
            options += [option for n, member in enumerate(members) for option in _of_fields(member, f"{name}.{n}.")]
        else:
            required = value is dataclasses.MISSING
            options.append(
                _option(name, hints[field.name], None if required else value, required, helps.get(field.name, ""))
            )
    return options


def _value(source: object, field: dataclasses.Field) -> object:
    if not isinstance(source, type):
        return getattr(source, field.name)
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _option(name: str, hint: object, default: object, required: bool, help: str) -> Option:
    """An option of a type: a plain one, a Literal, a tuple of these, or one of them or None."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        hint = next(kind for kind in typing.get_args(hint) if kind is not types.NoneType)
    several, count = typing.get_origin(hint) is tuple, None
    if several:
        members = typing.get_args(hint)
        count = None if members[-1] is Ellipsis else len(members)
        hint = members[0]
    choices = typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ()
    kind = OptionKind.CHOICE if choices else KINDS[hint]
    *parents, last = name.replace("_", "-").split(".")
    return Option(
        name,
        "--" + ".".join([*parents, last]),
        kind,
        " ".join(help.split()),
        default,
        required,
        several,
        count,
        tuple(map(str, choices)),
    )


def words_of(options: Sequence[Option], values: Mapping[str, object]) -> list[str]:
    """A command's words for the values that differ from the defaults. Paths are taken as they are.

    Raises `LookwhereError` naming the option where a value is missing, or is none that the option takes.
    """
    unknown = sorted(set(values) - {option.name for option in options})
    if unknown:
        raise LookwhereError(f"{', '.join(unknown)}: no such option")
    words: list[str] = []
    for option in sorted(options, key=lambda option: bool(option.flag)):
        value = values.get(option.name)
        if value in (None, "", ()) or value == []:
            if option.required:
                raise LookwhereError(f"{option.flag or option.name}: is needed; fill it in")
            continue
        if option.several:
            value = tuple(value)
        if value == option.default:
            continue
        words += _words(option, value)
    return words


def _words(option: Option, value: object) -> list[str]:
    if option.kind is OptionKind.YES_NO:
        *parents, last = option.flag.removeprefix("--").split(".")
        return ["--" + ".".join([*parents, last if value else f"no-{last}"])]
    values = value if option.several else (value,)
    if option.count is not None and len(values) != option.count:
        raise LookwhereError(f"{option.flag}: needs {option.count} values, not {len(values)}")
    if len(values) > MOST_VALUES:
        raise LookwhereError(f"{option.flag}: over {MOST_VALUES} values; give fewer")
    return [*([option.flag] if option.flag else []), *(_word(option, part) for part in values)]


def _word(option: Option, value: object) -> str:
    """One value as a word that its command cannot take for an option."""
    option_name, short = option.flag or option.name, reprlib.repr(value)
    if option.kind is OptionKind.WHOLE and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if option.kind is OptionKind.NUMBER and isinstance(value, int | float) and math.isfinite(value):
        return repr(value)
    if option.kind in (OptionKind.WHOLE, OptionKind.NUMBER):
        raise LookwhereError(f"{option_name} {short}: give a {option.kind.value}")
    text = str(value)
    if option.choices and text not in option.choices:
        raise LookwhereError(f"{option_name} {short}: there are {', '.join(option.choices)}")
    if (
        text.startswith("-")
        or not text.isprintable()
        or len(text) > TEXT_LENGTH * (8 if isinstance(value, Path) else 1)
    ):
        raise LookwhereError(f"{option_name} {short}: give words that do not begin with a dash, on one line")
    return text
