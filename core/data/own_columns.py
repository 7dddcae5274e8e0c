"""A data set's own columns made columns of the faces table: which of them, by what name, of what kind.

All are kept that make groups, unless some are asked for. A small YAML file corrects what was told from the values:

    skin: {name: skin_tone, kind: ordered, levels: [I, II, III, IV, V, VI], words: skin tone}
    depth: {kind: number, edges: [1.5, 3]}
    glasses: {values: {1: sunglasses, 2: glasses, 0: none}}
    photographer: leave out
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from core.data.column_kinds import REST, column_of, numbers_of, why_no_groups
from core.data.columns import VALUE, Column, Kind, loose, reserved
from core.data.faces import UNRECORDED
from core.data.readers.base import Reading
from core.data.readers.read_log import own_columns, shortened_name
from core.data.readers.spelling import common_spellings, plain
from core.errors import LONGEST_NAME, LookwhereError
from core.wording import counted
from core.yaml_file import read_yaml

NONE = "none"
LEAVE_OUT = "leave out"
YAML = (".yaml", ".yml")
#: Words that nobody needs to be told the meaning of in a column of yes and no.
USUAL = frozenset(("no", "yes", "n", "y", "false", "true", "0", "1", "-1"))
#: Words named one by one of those that are no level.
WORDS_NAMED = 4
KEYS = ("name", "kind", "levels", "edges", "words", "values")


@dataclass(frozen=True)
class Correction:
    """What a person says of one column; what is None or empty is told from the values. `values` renames its words."""

    name: str = ""
    kind: Kind | None = None
    levels: tuple[str, ...] = ()
    edges: tuple[float, ...] | None = None
    words: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    keep: bool = True


@dataclass(frozen=True)
class ColumnChoice:
    """Which columns are asked for: those of `names`, None for all that make groups; and corrections by name."""

    names: tuple[str, ...] | None = None
    corrections: Mapping[str, Correction] = field(default_factory=dict)

    @classmethod
    def from_words(cls, words: Iterable[str] | None) -> ColumnChoice | None:
        """What `--columns` says: names, `skin=skin_tone` to rename, YAML files of corrections, or `none`; None unasked.

        Raises `LookwhereError` for a file that is not as expected, and a word that says nothing.
        """
        if words is None:
            return None
        names: dict[str, str] = {}
        corrections: dict[str, Correction] = {}
        files, only = 0, False
        for word in words:
            if word.lower().endswith(YAML):
                corrections |= read_corrections(Path(word))
                files += 1
                continue
            only = True
            if word.lower() == NONE:
                continue
            name, renamed, new = (part.strip() for part in word.partition("="))
            if not name or (renamed and not new):
                raise LookwhereError(f"--columns {word}: write NAME, or NAME=NEW_NAME to rename it")
            names[name] = new
        for name, new in names.items():
            if new:
                corrections[name] = replace(corrections.get(name, Correction()), name=new)
        return cls(tuple(names) if only or not files else None, corrections)


def read_corrections(file: Path) -> dict[str, Correction]:
    """The corrections of a YAML file, by the columns' names. Raises `LookwhereError` naming what is not as expected."""
    content = read_yaml(file, as_written=True)
    if not isinstance(content, Mapping):
        raise LookwhereError(f"{file}: expected a line a column, «NAME: {{kind: ordered, levels: [I, II]}}»")
    return {str(name): _correction(f"{file}, {name}", entry) for name, entry in content.items()}


def _correction(origin: str, entry: object) -> Correction:
    if isinstance(entry, str) and entry.strip().lower() == LEAVE_OUT:
        return Correction(keep=False)
    if isinstance(entry, str) and entry in set(Kind):
        return Correction(kind=Kind(entry))
    if not isinstance(entry, Mapping):
        raise LookwhereError(f"{origin}: expected {', '.join(KEYS)} in braces, a kind, or «{LEAVE_OUT}»")
    if unknown := [key for key in entry if key not in KEYS]:
        raise LookwhereError(f"{origin}: {unknown[0]} is not one of {', '.join(KEYS)}")
    kind, edges, levels, values = (entry.get(key) for key in ("kind", "edges", "levels", "values"))
    if kind is not None and kind not in set(Kind):
        raise LookwhereError(f"{origin}: kind {kind!r} is not one of {', '.join(Kind)}")
    if levels is not None and not (isinstance(levels, list) and levels and _texts(levels)):
        raise LookwhereError(f"{origin}: levels must be a list of words, from the least on")
    if values is not None and not (isinstance(values, Mapping) and _texts(values.values())):
        raise LookwhereError(f"{origin}: values must be «written: meant» in braces")
    try:
        cuts = None if edges is None else tuple(sorted({float(edge) for edge in edges}))
    except (TypeError, ValueError) as error:
        raise LookwhereError(f"{origin}: edges must be a list of numbers") from error
    if cuts == ():
        raise LookwhereError(f"{origin}: edges must be a list of numbers, one at least")
    if levels and cuts:
        raise LookwhereError(f"{origin}: a number has edges, and other kinds have levels; give one of them")
    return Correction(
        name=str(entry.get("name", "")),
        kind=None if kind is None else Kind(kind),
        levels=tuple(plain(level) for level in levels or ()),
        edges=cuts,
        words=plain(str(entry.get("words", ""))),
        values={plain(str(old)): plain(new) for old, new in (values or {}).items()},
    )


def _texts(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def with_columns(reading: Reading, choice: ColumnChoice | None = None) -> Reading:
    """The reading with `columns`, and their levels in `faces`, made of what `own` has; remarks say what is left out.

    Raises `LookwhereError` for a column that is asked for and not there, naming those that are, and for a name that
    Lookwhere itself uses.
    """
    choice = choice or ColumnChoice()
    apart = own_columns(reading.otherwise)
    own = pd.concat([reading.own, apart], ignore_index=True) if len(apart) else reading.own
    own_names = _found(own, [*(choice.names or ()), *choice.corrections], reading)
    selected = {own_names[name] for name in choice.names or ()}
    corrections = {own_names[name]: correction for name, correction in choice.corrections.items()}
    columns: list[Column] = []
    remarks: list[str] = []
    labels = [name for name in reading.otherwise if name in reading.faces]
    faces = pd.concat([reading.faces, reading.otherwise[labels]], ignore_index=True) if len(apart) else reading.faces
    repairs: list[pd.DataFrame] = []
    used_names: set[str] = set()
    for header in own if len(own) else ():  # of no face nothing can be told
        correction = corrections.get(header, Correction())
        if (choice.names is not None and header not in selected) or not correction.keep:
            continue
        forced = header in selected or header in corrections
        if (long := _long_name(header, own[header])) is not None:
            remarks.append(f"column {shortened_name(header)} is left out: {long}")
            continue
        values, mended = _one_spelling(own[header], correction, faces["path"])
        if not forced and (why := why_no_groups(values)) is not None:
            remarks.append(f"column {header} is left out: {why}; --columns {header} keeps it")
            continue
        name = _name(header, correction, own, remarks)
        if loose(name) in used_names and correction.name:
            raise LookwhereError(f"column {header}: there are two columns called {name}; rename one with --columns")
        # Two that differ in letters' case alone are two columns, and no command could tell them apart.
        again = (f"{name} {n}" for n in range(2, len(own.columns) + 2))
        name = (
            name
            if loose(name) not in used_names
            else next(candidate for candidate in again if loose(candidate) not in used_names)
        )
        if not correction.name and name.startswith(f"{plain(header)} ") and loose(plain(header)) in used_names:
            remarks.append(
                f"column {header} is kept as {name}, as another is called so but for letters' case or blanks; "
                f"rename one of them"
            )
        if not values.notna().any():
            raise LookwhereError(f"column {header}: it is empty, so it makes no groups")
        column, words = column_of(
            name,
            values,
            kind=correction.kind,
            levels=correction.levels,
            edges=correction.edges,
            words=correction.words or (header if name != header and not correction.name else ""),
        )
        used_names.add(loose(name))
        repairs.append(mended)
        remarks += _not_a_level(header, column, values, words) + _merged(header, column, values, words)
        columns.append(column)
        faces = _laid(faces, column, words)
    return replace(
        reading,
        faces=faces[: len(reading.faces)],
        otherwise=faces[len(reading.faces) :].reset_index(drop=True),
        own=reading.own,
        columns=tuple(columns),
        remarks=(*reading.remarks, *remarks),
        repaired=pd.concat([reading.repaired, *repairs], ignore_index=True),
    )


def _long_name(header: str, values: pd.Series) -> str | None:
    """Why a column cannot be one of groups, whatever is asked for: its name or a level is longer than any name."""
    if len(header) > LONGEST_NAME:
        return f"its name has over {LONGEST_NAME} letters"
    words = values.dropna().astype("str")
    return f"it has a value of over {LONGEST_NAME} letters" if (words.str.len() > LONGEST_NAME).any() else None


def _laid(faces: pd.DataFrame, column: Column, words: pd.Series) -> pd.DataFrame:
    """The faces with a column's levels, and a number's values beside them."""
    if column.value_name is None:
        return faces.assign(**{column.name: column.levelled(words.to_numpy())})
    value = words.to_numpy(dtype=float)
    return faces.assign(**{column.name: column.banded(value), column.value_name: value})


def _found(own: pd.DataFrame, names: Sequence[str], reading: Reading) -> dict[str, str]:
    """Each asked name as the data set writes it."""
    own_names = {}
    for name in names:
        alike = [there for there in own if there == name] or [there for there in own if loose(there) == loose(name)]
        if len(alike) != 1:
            labels = [name for name in reading.faces if name not in ("face_id", "path")]
            remark = f"; {name} is read as a label already" if loose(name) in labels else ""
            raise LookwhereError(
                f"--columns {name}: no such column{remark}; there are {', '.join(map(str, own)) or 'none of its own'}"
            )
        own_names[name] = alike[0]
    return own_names


def _name(header: str, correction: Correction, own: pd.DataFrame, remarks: list[str]) -> str:
    """The name of a column, which is none of Lookwhere's own. Raises `LookwhereError` where one was asked for."""
    plain_name = plain(correction.name or header)
    beside = {loose(str(name)) + VALUE for name in own if str(name) != header}
    if not reserved(plain_name) and loose(plain_name) not in beside:
        return plain_name
    if correction.name:
        raise LookwhereError(f"--columns {header}={plain_name}: Lookwhere itself uses that name; choose another")
    name = f"own_{loose(plain_name)}"
    remarks.append(
        f"column {header} is kept as {name}, as Lookwhere itself uses that name; --columns {header}=NAME renames it"
    )
    return name


def _one_spelling(values: pd.Series, correction: Correction, files: pd.Series) -> tuple[pd.Series, pd.DataFrame]:
    """Values with one spelling a word, and the renames asked for; and a repair a face whose word changed."""
    # Python's own texts, once: a column of two hundred thousand is gone through several times.
    values = pd.Series(values.to_numpy(dtype=object, na_value=None), name=values.name, dtype="object")
    changed = common_spellings(values)
    there = values.dropna().unique()
    spelling = {word: changed.get(word, word) for word in there}
    renamed = {word: correction.values.get(name, name) for word, name in spelling.items()}
    # What we would call a face whose level is not known.
    renamed = {word: None if name == UNRECORDED else name for word, name in renamed.items()}
    words = values if all(word == name for word, name in renamed.items()) else values.map(renamed)
    mended = values.isin(list(changed))
    counts = pd.DataFrame(
        {
            "file": files[mended.to_numpy()],
            "repair": [
                f"{values.name} {old!r} is read as {changed[old]!r}, the same but for case, blanks or Unicode form"
                for old in values[mended]
            ],
        },
        dtype="str",
    )
    return words.astype("object").where(words.notna(), None), counts


def _not_a_level(header: str, column: Column, values: pd.Series, words: pd.Series) -> list[str]:
    """How many faces have a word that is no level of the column, where levels were asked for or numbers are meant."""
    strange = values[values.notna() & words.isna()]
    if column.kind is not Kind.NUMBER:
        strange = values[values.notna() & ~words.isin(column.levels)]
    if strange.empty:
        return []
    different = strange.unique()
    more = ", …" if len(different) > WORDS_NAMED else ""
    listed = ", ".join(str(word)[:60] for word in different[:WORDS_NAMED]) + more
    number = numbers_of(values)
    other = "another value" if number is None or number[strange.index].notna().any() else "no number"
    return [f"column {header}: {counted(len(strange), 'face')} with {other} ({listed}) count as {UNRECORDED}"]


def _merged(header: str, column: Column, values: pd.Series, words: pd.Series) -> list[str]:
    """Which words count as one level though they are written otherwise: 1 and TRUE as yes, 1e3 as 1000."""
    pairs = pd.DataFrame({"word": values.astype("object"), "level": words.astype("object")}).dropna().drop_duplicates()
    if column.kind is Kind.NUMBER or REST in column.levels:
        return []
    written = {level: sorted(rows["word"]) for level, rows in pairs.groupby("level", sort=False)}
    usual = column.kind is Kind.YES_NO and {word.casefold() for word in pairs["word"]} <= USUAL
    if all(len(spellings) == 1 for spellings in written.values()) and (usual or column.kind is not Kind.YES_NO):
        return []
    changes = [
        (level, [word for word in written.get(level, ()) if word.casefold() != level]) for level in column.levels
    ]
    parts = [f"{' and '.join(changed)} as {level}" for level, changed in changes if changed]
    return [f"column {header}: read are {', '.join(parts)}"] if parts else []
