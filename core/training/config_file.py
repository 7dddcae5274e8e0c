"""Training configs from YAML files."""

from __future__ import annotations

import dataclasses
import reprlib
import types
import typing
from pathlib import Path

from core.errors import LookwhereError
from core.training.config import TrainConfig
from core.yaml_file import read_yaml


def from_yaml(kind: type, content: object, where: str) -> object:
    """A config dataclass from what YAML gave. Raises `LookwhereError` naming an unknown or ill-typed field."""
    if not isinstance(content, dict):
        raise LookwhereError(f"{where}: expected fields of {kind.__name__}, found {reprlib.repr(content)}")
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(content) - set(hints))
    if unknown:
        raise LookwhereError(f"{where}: unknown field {', '.join(map(str, unknown))}; there are {', '.join(hints)}")
    values = {}
    for name, value in content.items():
        hint = hints[name]
        if dataclasses.is_dataclass(hint):
            value = from_yaml(hint, value, f"{where}: {name}")
        elif typing.get_origin(hint) is tuple:
            if not isinstance(value, list):
                raise LookwhereError(f"{where}: {name} must be a list")
            entries = typing.get_args(hint)[0]
            read = from_yaml if dataclasses.is_dataclass(entries) else _plain_value
            value = tuple(read(entries, entry, f"{where}: {name}") for entry in value)
        else:
            value = _plain_value(hint, value, f"{where}: {name}")
        values[name] = value
    try:
        return kind(**values)
    except LookwhereError as error:
        raise LookwhereError(f"{where}: {error}") from error


def _plain_value(hint: object, value: object, where: str) -> object:
    if typing.get_origin(hint) is typing.Literal:
        allowed = typing.get_args(hint)
        if value not in allowed:
            raise LookwhereError(f"{where} must be one of {', '.join(allowed)}, not {reprlib.repr(value)}")
        return value
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if float in kinds and isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return float(value)  # YAML reads 1e-3 as a text
        except ValueError:
            pass
    elif type(value) in kinds:
        return value
    raise LookwhereError(f"{where} must be {' or '.join(k.__name__ for k in kinds)}, not {reprlib.repr(value)}")


def load_config(file: Path | None) -> TrainConfig:
    """The settings in a YAML file; the defaults without one."""
    if file is None:
        return TrainConfig()
    return from_yaml(TrainConfig, read_yaml(file) or {}, str(file))
