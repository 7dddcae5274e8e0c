"""JSON files as typed, frozen dataclasses: what is missing or of a wrong type is told with the file and the mend.

A record keeps the keys that it does not know and the order of those that it read: what is written again is what was
read. A sealed record is written with a digest of its content, and a file that was changed since is told.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import reprlib
import types
import typing
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar, Self

from core.errors import LookwhereError
from core.files import read_bounded

#: The key of a sealed file's digest.
DIGEST = "digest"
#: Bytes of a file at the most.
LARGEST = 2**30
#: Bits of the largest whole number: a count, a size or a seed has no more.
LARGEST_WHOLE = 64


@dataclass(frozen=True)
class Range:
    """What a number in a record may be, told by its field's type. `words` says it in an error."""

    low: float
    high: float
    words: str


#: A share of a whole, as an accuracy is.
Share = Annotated[float, Range(0, 1, "a share of 0 to 1")]
#: A number that is not below 0, as a time is.
Positive = Annotated[float, Range(0, math.inf, "a number of 0 and more")]
#: A correlation.
Correlation = Annotated[float, Range(-1, 1, "a correlation of −1 to 1")]
#: A whole number that may be below 0, for it counts nothing: a seed, or the exit code of a process that a signal ended.
Signed = Annotated[int, Range(1 - 2**LARGEST_WHOLE, 2**LARGEST_WHOLE - 1, f"a whole number to ±{2**LARGEST_WHOLE:.0e}")]
#: What a plain `int` is: a count or a size.
COUNT = Range(0, 2**LARGEST_WHOLE - 1, f"a whole number of 0 to {2**LARGEST_WHOLE:.0e}")
#: What a value should have been, in words.
KINDS = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}


def parsed(text: str | bytes) -> object:
    """What a JSON text says. Raises `ValueError` where it is none, lies too deep within itself to be read, or has half
    a sign, which nothing can write or show."""
    try:
        content = json.loads(text)
        if "\\ud" in (text if isinstance(text, str) else text.decode("utf-8")).lower():
            json.dumps(content, ensure_ascii=False).encode("utf-8")
    except RecursionError as error:
        raise ValueError("lists or objects within each other beyond what can be read") from error
    return content


def read_object(file: Path) -> dict:
    """The JSON object in a file. Raises `OSError`, or `ValueError` where it is none."""
    content = parsed(read_bounded(file, LARGEST))
    if not isinstance(content, dict):
        raise ValueError("no object")
    return content


@dataclass(frozen=True, kw_only=True)
class JsonRecord:
    """A JSON object whose keys are the fields of the subclass, a dataclass.

    Types that fields may have: str, bool, int (a count or a size, 0 and more), `Signed`, float (a whole number too;
    finite, as all numbers of JSON are), `Share`, enums of texts, other records, `object` (anything), tuples,
    `Mapping[str, …]`, and unions of these with None.
    `unknown_keys` are those that no field has; `key_order` are the keys of the file that was read.
    """

    unknown_keys: Mapping[str, object] = field(default_factory=dict)
    key_order: tuple[str, ...] = field(default=(), repr=False, compare=False)

    #: The value of the key `format` that is read; None for records without that key.
    FORMAT: ClassVar[int | None] = None
    #: Earlier values of it that are read too.
    READS: ClassVar[tuple[int, ...]] = ()
    #: The first value whose files have a digest; None where no file has one.
    SEALED_FROM: ClassVar[int | None] = None
    #: What to do with a broken file.
    MEND: ClassVar[str] = ""
    #: Whether keys that no field has are refused in a file of this format, which tells what it may have.
    CLOSED: ClassVar[bool] = False
    #: Fields that a new record writes even where they have their default; other fields are left out then.
    ALWAYS: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def from_json(cls, content: Path | object, origin: str = "") -> Self:
        """The record of a file, or of what `json.loads` gave.

        `origin` names the file in errors, by default it is the path; the digest is asked of files alone. Raises
        `LookwhereError` where the file is not readable JSON, is of another format or lacks a key, where a value is of
        another type, or the digest is not that of the content.
        """
        if from_file := isinstance(content, Path):
            origin, content = str(content), _load(content, cls.mend(None))
        origin, mend = origin or cls.__name__, cls.mend(content)
        if cls.FORMAT is not None:
            number = content.get("format") if isinstance(content, Mapping) else None
            if number not in (cls.FORMAT, *cls.READS) or isinstance(number, bool | float):
                raise LookwhereError(f"{origin}: format {number}, this version reads {cls.FORMAT}{_hint(mend)}")
        try:
            record = cls._from(content, "")
        except ValueError as error:
            raise LookwhereError(f"{origin}: {error}{_hint(mend)}") from error
        if from_file and not record._untouched(content):
            raise LookwhereError(f"{origin}: changed since it was written{_hint(mend)}")
        # One of an earlier format may have keys that have been given up since.
        if cls.CLOSED and content.get("format") == cls.FORMAT and record.unknown_keys:
            keys = ", ".join(reprlib.repr(key) for key in list(record.unknown_keys)[:3])
            raise LookwhereError(f"{origin}: has {keys} in it, which this version does not know{_hint(mend)}")
        return record

    @classmethod
    def _sealed(cls, format: int | None) -> bool:
        return cls.SEALED_FROM is not None and format is not None and format >= cls.SEALED_FROM

    def _untouched(self, content: Mapping[str, object]) -> bool:
        """Whether the digest is that of the content, of a record that may have one.

        A file written by other hands has none. It has no unknown key either, as one of ours has whose word «digest» is
        damaged. One of a format without digests that has one was set back.
        """
        if self.SEALED_FROM is None:
            return True
        return intact(content) if DIGEST in content else not (self._sealed(content.get("format")) and self.unknown_keys)

    @classmethod
    def mend(cls, content: object) -> str:
        """What to do with a broken file of this content; by default `MEND`."""
        return cls.MEND

    @classmethod
    def required(cls, content: Mapping[str, object]) -> tuple[str, ...]:
        """The keys that a file must have; by default those of fields without a default."""
        return tuple(
            f.name
            for f in dataclasses.fields(cls)
            if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        )

    @classmethod
    def _from(cls, content: object, where: str) -> Self:
        """Raises `ValueError` saying what is wrong at `where`, a path of keys."""
        if not isinstance(content, Mapping):
            raise ValueError(f"{where + ' must be' if where else 'expected'} an object, not {reprlib.repr(content)}")
        missing = [_join(where, key) for key in cls.required(content) if key not in content]
        if missing:
            raise ValueError(f"lacks {', '.join(missing)}")
        hints = _hints(cls)
        content = {key: value for key, value in content.items() if cls.SEALED_FROM is None or key != DIGEST}
        values = {key: _typed(hints[key], content[key], _join(where, key)) for key in content if key in hints}
        unknown = {str(key): value for key, value in content.items() if key not in hints}
        return cls(**values, unknown_keys=unknown, key_order=tuple(map(str, content)))

    def to_json(self) -> dict:
        """Plain dicts, lists and values, as `json.dumps` takes them; keys that were read keep their order."""
        values: dict[str, object] = {}
        for slot in dataclasses.fields(self):
            if slot.name in JsonRecord.__dataclass_fields__:
                continue
            value = getattr(self, slot.name)
            default = slot.default if slot.default_factory is dataclasses.MISSING else slot.default_factory()
            always = slot.name in (self.key_order or self.ALWAYS)
            if always or value != default:
                values[slot.name] = _plain(value)
        values |= {key: _plain(value) for key, value in self.unknown_keys.items()}
        content = {key: values[key] for key in self.key_order if key in values} | values
        return sealed(content) if self._sealed(getattr(self, "format", None)) else content


def sealed(content: dict) -> dict:
    """The content with its digest as the last key."""
    rest = {key: value for key, value in content.items() if key != DIGEST}
    return rest | {DIGEST: _digest(rest)}


def intact(content: Mapping[str, object]) -> bool:
    """Whether the content has a digest, and it is that of the rest."""
    return content.get(DIGEST) == _digest({key: value for key, value in content.items() if key != DIGEST})


def untouched(content: Mapping[str, object], keys: Collection[str]) -> bool:
    """Whether an object that may have keys of these names alone, and a digest, is as it was written.

    One of before there was a digest has none, and no other key either, as one whose word «digest» is damaged has.
    """
    return intact(content) if {*content} - {*keys} else True


def _digest(content: Mapping[str, object]) -> str:
    """SHA-256 of the content in one form: keys sorted, no blanks."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def _hints(cls: type[JsonRecord]) -> dict[str, object]:
    return {
        name: kind
        for name, kind in typing.get_type_hints(cls, include_extras=True).items()
        if name in cls.__dataclass_fields__ and name not in JsonRecord.__dataclass_fields__
        and typing.get_origin(kind) is not ClassVar
    }  # fmt: skip


def _load(file: Path, mend: str) -> object:
    try:
        return parsed(read_bounded(file, LARGEST))
    except OSError as error:
        raise LookwhereError(f"{file}: not readable ({error.strerror or error}){_hint(mend)}") from error
    except ValueError as error:
        raise LookwhereError(f"{file}: not valid JSON ({error}){_hint(mend)}") from error


def _hint(mend: str) -> str:
    return f"; {mend}" if mend else ""


def _join(where: str, key: object) -> str:
    return f"{where}.{key}" if where else str(key)


def _typed(kind: object, value: object, where: str) -> object:
    """The value as a field of this type has it. Raises `ValueError` naming `where`."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is object:
        return value
    if origin in (types.UnionType, typing.Union):
        optional = types.NoneType in arguments
        # A number that is not known was written as NaN by earlier versions.
        if optional and (value is None or (float in map(_bare, arguments) and value != value)):
            return None
        return _typed(next(a for a in arguments if a is not types.NoneType), value, where)
    if origin is tuple:
        return _tuple(arguments, value, where)
    if origin is Mapping:
        if not isinstance(value, Mapping):
            raise ValueError(f"{where} must be an object, not {reprlib.repr(value)}")
        return {str(key): _typed(arguments[1], item, _join(where, key)) for key, item in value.items()}
    if isinstance(kind, type) and issubclass(kind, JsonRecord):
        return kind._from(value, where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        options = [member.value for member in kind]
        if not isinstance(value, str) or value not in options:
            raise ValueError(f"{where} must be one of {', '.join(options)}, not {reprlib.repr(value)}")
        return kind(value)
    bare = _bare(kind)
    if not isinstance(value, int | float if bare is float else bare) or (bare is not bool and isinstance(value, bool)):
        raise ValueError(f"{where} must be {KINDS[bare]}, not {reprlib.repr(value)}")
    if bare is float and not _finite(value):
        raise ValueError(f"{where} must be a finite number, not {reprlib.repr(value)}")
    limits = kind.__metadata__[0] if kind is not bare else COUNT if kind is int else None
    if limits is not None and not limits.low <= value <= limits.high:
        raise ValueError(f"{where} must be {limits.words}, not {reprlib.repr(value)}")
    return value


def _bare(kind: object) -> object:
    """The type without what it says of its values."""
    return typing.get_args(kind)[0] if typing.get_origin(kind) is Annotated else kind


def _finite(value: float) -> bool:
    """Whether a number, which may be a whole one of any length, is one that a float can hold."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _tuple(kinds: tuple, value: object, where: str) -> tuple:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{where} must be a list, not {reprlib.repr(value)}")
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(value) != len(kinds):
        raise ValueError(f"{where} must be a list of {len(kinds)}, not {reprlib.repr(value)}")
    return tuple(_typed(kind, item, f"{where}[{n}]") for n, (kind, item) in enumerate(zip(kinds, value, strict=True)))


def _plain(value: object) -> object:
    if isinstance(value, JsonRecord):
        return value.to_json()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
