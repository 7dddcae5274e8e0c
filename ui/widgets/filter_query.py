"""The filter bar in the address: what it says as query parameters, and back. Pure functions; nothing of Streamlit's.

`?gender=female&ethnicity=Black&ethnicity=Asian&age=18&age=45&outcome=incorrect`: a parameter a field, repeated for
several values, and none for a field that is as the page opens. A page opens on adults where ages are known, so
`?adults=false` asks for all ages; an age range asks for itself. A link may be old, mistyped or made by anyone, so what
it asks for that the audit does not have is left out and told, never an error. Further columns have a parameter each,
`by.glasses=yes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from core.audit.folder import Audit
from core.data.columns import Column, Kind
from core.data.faces import ADULT_AGE, AGE_EDGES, UNRECORDED, gender_known, gender_missing
from core.data.filters import OUTCOMES, Filter
from core.present.text.sentences import some_gender_words
from core.task import GENDERS

OPEN_AGE = "any"
#: The ends that an age range can have, in years: the edges of the age bands, and the open end.
AGES = (*map(str, AGE_EDGES), OPEN_AGE)
ON, OFF = ("true", "1"), ("false", "0")
#: How the parameter of a further column begins.
BY = "by."
#: No more of an unknown value is repeated on the page, and no more values of a field.
LONGEST, MOST = 60, 5


@dataclass(frozen=True)
class FilterOptions:
    """What an audit's filter bar offers: ethnicities with most faces first, none where none is recorded; splits;
    whether any age is recorded; whether pages open on adults, the faces of the declared primary analysis; further
    columns with those of their levels that occur, labelled ones before those measured from the image; whether
    gender is what is classified; and the genders, none where none is recorded, and of how many faces
    none is where others have one, in words."""

    ethnicities: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    has_age: bool = True
    adults_first: bool = False
    columns: tuple[Column, ...] = ()
    of_gender: bool = True
    genders: tuple[str, ...] = GENDERS
    some_gender: str = ""

    @classmethod
    def from_audit(cls, audit: Audit) -> FilterOptions:
        """The options of an audit."""
        age = audit.faces["age"]
        has_age, adults = age.notna(), (age >= ADULT_AGE).fillna(False)
        # Where most ages are unknown, adults would be a part that nobody asked for.
        adults_first = bool(adults.any() and has_age.mean() >= 0.5)
        return cls(
            tuple(ethnicities(audit)),
            audit.manifest.splits,
            bool(has_age.any()),
            adults_first,
            tuple(occurring(audit)),
            audit.task.is_gender,
            gender_choices(audit),
            some_gender_words(audit.faces) or "",
        )

    @property
    def opening(self) -> FilterSelection:
        """What the bar says where nobody has asked for anything."""
        return FilterSelection(adults=self.adults_first)


@dataclass(frozen=True)
class FilterSelection:
    """What the filter bar says, field by field as its widgets have it; the defaults filter nothing, and are not all
    that a page opens on (`FilterOptions.opening`).

    `age` is two of `AGES`; both ends on one edge mean that edge's band. `adults` goes before `age`.
    """

    gender: tuple[str, ...] = ()
    ethnicity: tuple[str, ...] = ()
    adults: bool = False
    age: tuple[str, str] = (AGES[0], AGES[-1])
    outcome: str = OUTCOMES[0]
    split: tuple[str, ...] = ()
    columns: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def filter(self) -> Filter:
        """The faces that it leaves in."""
        start, end = (ADULT_AGE, None) if self.adults else years(*self.age)
        return Filter(self.gender, self.ethnicity, start, end, self.outcome, self.split, self.columns)

    def with_column(self, name: str, levels: Sequence[str]) -> FilterSelection:
        """The selection with these levels of a further column; none of them asks nothing of it."""
        columns = {**dict(self.columns), name: tuple(levels)}
        return replace(self, columns=tuple(sorted((key, value) for key, value in columns.items() if value)))


def genders(audit: Audit) -> tuple[str, ...]:
    """What a face's gender may be; empty where the data set records none."""
    return GENDERS if gender_known(audit.faces) else ()


def gender_choices(audit: Audit) -> tuple[str, ...]:
    """What can be asked for: the genders, and where some faces have none recorded, these too."""
    return (*genders(audit), UNRECORDED) if genders(audit) and gender_missing(audit.faces) else genders(audit)


def ethnicities(audit: Audit) -> list[str]:
    """The audit's ethnicities, most faces first; empty where the data set records none."""
    names = list(audit.faces["ethnicity"].value_counts().index)
    return [] if names == [UNRECORDED] else names


def occurring(audit: Audit) -> list[Column]:
    """The audit's further columns of which faces have two levels and more, each with the levels that occur."""
    columns = []
    for column in sorted(audit.columns, key=lambda column: column.measured):
        values = audit.faces[column.name].cat
        # By the codes: each page asks for this several times a click.
        count = np.bincount(values.codes + 1, minlength=len(values.categories) + 1)[1:]
        there = {name for name, n in zip(values.categories, count, strict=True) if n}
        if len(there) > 1:
            levels = tuple(level for level in column.levels if level in there)
            # Edges go with all bands of a number, which are not all there: a choice of levels needs none.
            kind = Kind.ORDERED if column.kind is Kind.NUMBER else column.kind
            columns.append(replace(column, levels=levels, kind=kind, edges=()))
    return columns


def years(low: str, high: str) -> tuple[int, int | None]:
    """Two of `AGES` as years from and up to, None for the open end; both on one edge mean that edge's band."""
    place = min(AGES.index(low), len(AGES) - 2)
    end = place + 1 if high == low else AGES.index(high)
    return AGE_EDGES[place], None if end >= len(AGES) - 1 else AGE_EDGES[end]


def write_query(selection: FilterSelection, opening: FilterSelection | None = None) -> dict[str, list[str]]:
    """The parameters of a selection, by field; a field that is as the page opens has none.

    Beside an age range `adults` is written only where it is on: a range alone asks for itself.
    """
    query: dict[str, list[str]] = {}
    opening = opening or FilterSelection()
    for field in fields(FilterSelection):
        value = getattr(selection, field.name)
        if field.name == "columns":
            query |= {f"{BY}{name}": list(levels) for name, levels in selection.columns}
        elif value != getattr(opening, field.name):
            query[field.name] = list(value) if isinstance(value, tuple) else [str(value).lower()]
    if "age" in query:
        query.pop("adults", None)
        query |= {"adults": ["true"]} if selection.adults else {}
    return query


def read_query(
    query: Mapping[str, Sequence[str]], options: FilterOptions, before: FilterSelection | None = None
) -> tuple[FilterSelection, tuple[str, ...]]:
    """What an address says, and a sentence for each thing in it that is left out.

    `query` has each parameter's values. A field that it does not name is as `before`, the bar of the page before, so
    far as the options allow, and without one as the page opens. An age range alone turns «adults only» off. Values are
    plain text: take Markdown out of force before showing the sentences.
    """
    result, notes = before or options.opening, []
    offered = {"gender": options.genders, "ethnicity": options.ethnicities, "split": options.splits}
    for name, allowed in offered.items():
        allowed_values = tuple(value for value in getattr(result, name) if value in allowed)
        if values := _values(query, name):
            allowed_values = tuple(dict.fromkeys(value for value in values if value in allowed))
            unknown = list(dict.fromkeys(value for value in values if value not in allowed))
            if unknown:
                notes.append(f"No face here has the {name} {quoted(unknown)}.")
        result = replace(result, **{name: allowed_values})
    if values := _values(query, "outcome"):
        valid = values[0] in OUTCOMES
        result = replace(result, outcome=values[0] if valid else OUTCOMES[0])
        if not valid or len(set(values)) > 1:
            notes.append(f"The outcome is one of {', '.join(OUTCOMES)}, not {quoted(values)}.")
    asked_for_age = False
    if values := _values(query, "age"):
        valid = len(values) == 2 and set(values) <= set(AGES) and AGES.index(values[0]) <= AGES.index(values[1])
        if valid:
            result, asked_for_age = replace(result, age=(values[0], values[1]), adults=False), True
        else:
            result = replace(result, age=FilterSelection().age)
            notes.append(f"An age range is two of {', '.join(AGES)}, the lower first, not {quoted(values)}.")
    if values := _values(query, "adults"):
        if values[0].lower() in (*ON, *OFF):
            result = replace(result, adults=values[0].lower() in ON)
            asked_for_age |= result.adults
        if len({value.lower() for value in values}) > 1 or values[0].lower() not in (*ON, *OFF):
            notes.append(f"Adults only is true or false, not {quoted(values)}.")
    result = _read_columns(query, options, result, notes)
    if not options.has_age and (result.adults or result.age != FilterSelection().age):
        result = replace(result, adults=False, age=FilterSelection().age)
        if asked_for_age:
            notes.append("No age is recorded of these faces, so they cannot be filtered by it.")
    return result, tuple(notes)


def _read_columns(
    query: Mapping[str, Sequence[str]], options: FilterOptions, result: FilterSelection, notes: list[str]
) -> FilterSelection:
    """The selection with what `query` asks of further columns; `notes` gets a sentence for each thing left out."""
    levels = {column.name: column.levels for column in options.columns}
    before, result = dict(result.columns), replace(result, columns=())
    for name, allowed in levels.items():
        result = result.with_column(name, [level for level in before.get(name, ()) if level in allowed])
        if values := _values(query, BY + name):
            values_asked = dict.fromkeys(values)
            result = result.with_column(name, [level for level in allowed if level in values_asked])
            if unknown := [value for value in values_asked if value not in allowed]:
                notes.append(f"No face here has the {quoted([name])} {quoted(unknown)}.")
    names = [key.removeprefix(BY) for key in query if key.startswith(BY) and _values(query, key)]
    if unknown := [name for name in names if name not in levels]:
        notes.append(f"These faces have no column {quoted(unknown)}.")
    return result


def _values(query: Mapping[str, Sequence[str]], name: str) -> list[str]:
    """A parameter's values without empty ones, which ask for nothing."""
    return [value for value in query.get(name, ()) if value]


def quoted(values: Sequence[str]) -> str:
    """Values of an address for a sentence: short, on one line, not too many."""
    texts = ["".join(c if c.isprintable() else " " for c in value) for value in values[:MOST]]
    texts = [f"«{value[:LONGEST]}…»" if len(value) > LONGEST else f"«{value}»" for value in texts]
    return ", ".join(texts) + (f" and {len(values) - MOST} more" if len(values) > MOST else "")
