"""One reader for every table of labels: its encoding, its separator, its header, and rows that do not fit it.

A cell is what is written in it. Only an empty cell is missing: «NA», «None» or «null» may be the names of people and of
groups. The index of a table is the line in the file less 2, so that `index + 2` is what an editor shows.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from core.data.columns import OWN
from core.data.image_kinds import looks_like
from core.data.readers.read_log import ReadLog
from core.data.readers.spelling import NO_WIDTH, plain
from core.data.sources.base import HEAD_BYTES, MAXIMUM_TABLE_BYTES, Source
from core.errors import LookwhereError

#: Columns to read, each with the other names under which it is known.
Columns = Mapping[str, tuple[str, ...]]

SEPARATORS = (",", ";", "\t", "|")
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Lines looked at for the separator and for the header.
SAMPLE = 20
#: Columns of a table at the most. Each is looked for by name, and no table of labels has as many.
MOST_COLUMNS = 50_000
# Notes and JSON stand in cells too, longer than the 131,072 letters that `csv` takes by default.
csv.field_size_limit(MAXIMUM_TABLE_BYTES)
#: Words of a table that are held once, at the most.
MOST_WORDS = 10_000
#: What is no text, and is taken for a table all the same.
SAID_TO_BE = {"a ZIP archive": " but a spreadsheet or an archive; save it as CSV"}
MORE_FIELDS = "more fields than there are columns; quote names with commas, and write decimal points"
FEWER_FIELDS = "fewer fields than there are columns, so which one is missing is not known; fill it in"
_AROUND = " \t\r\n\f\v\u00a0\u2007\u202f" + NO_WIDTH


def text(data: bytes, origin: str, log: ReadLog | None = None) -> str:
    """Decoded as its mark says, as UTF-8, as UTF-16 without a mark, or else as Windows-1252, which `log` is told.

    Raises `LookwhereError` for what is no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    head = data[:10_000]
    if b"\0" in head:
        for encoding, letters in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
            if letters.count(0) > 0.6 * len(letters) and head.count(0) < 0.55 * len(head):
                return data.decode(encoding, "replace")
        kind = looks_like(data)
        raise LookwhereError(f"{origin}: not a text file{SAID_TO_BE.get(kind or '', f' but {kind}' if kind else '')}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    warning = "; look at its names"
    try:
        content = data.decode("cp1252")
    except UnicodeDecodeError:
        content, warning = data.decode("latin-1"), ", in which some of its bytes are no letters; save it as UTF-8"
    if log is not None:
        log.remark(f"{origin}: not UTF-8, so it is read as Windows-1252 (Western European){warning}")
    return content


def lines_of(content: str) -> list[str]:
    """The lines of a text as editors count them: `str.splitlines` would also break one at letters such as U+2028, which
    may stand inside a name."""
    return [line.rstrip("\n") for line in io.StringIO(content, newline=None)]


class _Rows:
    """Rows of a table as they come: the number of each one's line, and the cells of chosen columns without blanks
    around them, None where empty.

    A word that occurs again is held once: most columns have few.
    """

    def __init__(self, width: int) -> None:
        self.lines = array("q")
        self.columns: list[list[str | None]] = [[] for _ in range(width)]
        self._words: dict[str, str] = {}

    def take(self, line: int, cells: Iterable[str]) -> None:
        self.lines.append(line)
        for column, cell in zip(self.columns, cells, strict=True):
            word = cell.strip(_AROUND)
            held = self._words.setdefault if len(self._words) < MOST_WORDS else self._words.get
            column.append(held(word, word) or None)


def read_table(
    data: bytes,
    origin: str,
    uses: Columns | None = None,
    log: ReadLog | None = None,
    spaced: bool = False,
    own: bool | Collection[str] = False,
) -> pd.DataFrame:
    """The columns of `uses` that are there, by their names in it, or all in lower case: strings without blanks around
    them, NA where empty.

    With `own` there are the further columns too (or those of these names), called as they are written after `OWN`.

    Commas, semicolons, tabs or bars separate, or runs of blanks where it is `spaced`; lines that begin with # are
    passed over. `log` takes rows with more fields than the header, or where it is `spaced` with fewer, other names of
    columns, and the columns not used.

    Raises `LookwhereError` naming `origin` where it cannot be read, where two columns of one name differ, or, without a
    `log`, for such a row.
    """
    header, records = _opened(text(data, origin, log), origin, uses, log, spaced)
    places = place_columns(header, uses, origin, log, own)
    width = len(header)
    short: list[tuple[int, list[str]]] = []
    long: list[tuple[int, list[str]]] = []
    every = [place for positions in places.values() for place in positions]
    good = _Rows(len(every))
    for line, fields in records:
        if len(fields) > width and any(field.strip() for field in fields[width:]):
            long.append((line, fields))
        elif spaced and len(fields) < width:
            short.append((line, fields))  # which of them is missing nobody knows
        else:
            good.take(line, (fields[place] if place < len(fields) else "" for place in every))
    one_more = {len(fields) for _, fields in long} == {width + 1}
    if one_more and not good.lines and _numbered([fields[0] for _, fields in long]):
        # R writes names of rows, but none for their column.
        for line, fields in long:
            good.take(line, (fields[place + 1] for place in every))
        long = []
    _unfit(long, width, origin, log, MORE_FIELDS)
    _unfit(short, width, origin, log, FEWER_FIELDS)
    index = pd.Index(np.array(good.lines, dtype=np.int64) - 2)
    table: dict[str, pd.Series] = {}
    at = 0
    for name, positions in places.items():
        same = good.columns[at : at + len(positions)]
        at += len(positions)
        _alike(same, name, origin, index)
        table[name] = pd.Series(same[0], index=index, dtype="str")
    return pd.DataFrame(table, index=index)


def header_of(data: bytes, origin: str, uses: Columns | None = None) -> tuple[list[str], list[str]]:
    """The columns of a table from its first lines: as `read_table` names them, and as they are written.

    Raises `LookwhereError` where it cannot be read.
    """
    if len(data) == HEAD_BYTES:  # cut somewhere, perhaps inside a letter
        data = data[: max(data.rfind(b"\n"), data.rfind(b"\r")) + 1] or data
    header, _ = _opened(text(data, origin), origin, uses, None, False)
    return list(place_columns(header, uses, origin)), [name for name in header if not _unnamed(name)]


def columns_of(source: Source, name: str, uses: Columns | None = None) -> list[str]:
    """The columns of a table in the source as `read_table` names them; none where it cannot be read as one."""
    try:
        return header_of(source.head(name), name, uses)[0]
    except LookwhereError:
        return []


def place_columns(
    header: list[str],
    uses: Columns | None,
    origin: str,
    log: ReadLog | None = None,
    own: bool | Collection[str] = False,
) -> dict[str, list[int]]:
    """Where each wanted column stands in the header: more than one place where its name occurs again.

    `log` is told what was taken by another name, and what is not used. Of `own` columns (`read_table`) that have one
    name the second is called «NAME 2».
    """
    names = [_name(name) for name in header]
    places: dict[str, list[int]] = {}
    if uses is None:
        for n, name in enumerate(header):
            places.setdefault(name.lower(), []).append(n)
        return places
    for column, spellings in uses.items():
        spelling = next((name for name in (column, *spellings) if _name(name) in names), None)
        if spelling is None:
            continue
        places[column] = [n for n, name in enumerate(names) if name == _name(spelling)]
        as_written = header[places[column][0]]
        if spelling != column and log is not None and not _unnamed(as_written):
            log.remark(f"{origin}: column {as_written} is read as {column}")
    used = {place for matches in places.values() for place in matches}
    rest = [n for n, name in enumerate(header) if n not in used and not _unnamed(name)]
    own_names = set() if isinstance(own, bool) else set(map(_name, own))
    own_places = [n for n in rest if own is True or names[n] in own_names]
    met: Counter[str] = Counter()
    for n in own_places:
        name = plain(header[n])
        met[name] += 1
        places[f"{OWN}{name}" + (f" {met[name]}" if met[name] > 1 else "")] = [n]
        if met[name] > 1 and log is not None:
            log.remark(f"{origin}: there is another column {name}, which is called {name} {met[name]}")
    taken = set(own_places)
    unused = [header[n] for n in rest if n not in taken]
    if unused and log is not None:
        log.unused(origin, unused)
    return places


def _name(column: str) -> str:
    """What names of columns have in common that differ in case, or in `_`, `-`, a blank or nothing between words."""
    return re.sub(r"[\s_-]+", "", column.strip(_AROUND).lower())


def _unnamed(column: str) -> bool:
    """Whether nobody named the column: it has no name, or the one that pandas gives to an index without a name."""
    return not column or column.lower().startswith("unnamed: ")


def _opened(
    content: str, origin: str, uses: Columns | None, log: ReadLog | None, spaced: bool
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The header's cells, and the records after it, each with the number of its line."""
    lines = io.StringIO(content, newline=None).readlines()
    declared = re.fullmatch(r"sep=(.)\s*", lines[0], re.IGNORECASE) if lines else None
    start = 1 if declared else 0
    _check_width(max((lines[start].count(mark) for mark in SEPARATORS), default=0) if lines[start:] else 0, origin)
    separator = "" if spaced else declared[1] if declared else _separator(lines, uses)
    records = _records(lines, separator, origin, start)
    passed: list[tuple[int, list[str]]] = []
    for line, fields in records:
        passed.append((line, fields))
        if len(passed) == SAMPLE:
            break
    if not passed:
        raise LookwhereError(f"{origin}: the table is empty")
    best = max(range(len(passed)), key=lambda n: (_known(passed[n][1], uses), -n)) if uses else 0
    if uses and _known(passed[best][1], uses) < 2:
        best = 0
    while best < len(passed) - 1 and passed[best][1][0].startswith("#") and not _known(passed[best][1], uses):
        best += 1
    header = [cell.strip(_AROUND) for cell in passed[best][1]]
    _check_width(len(header), origin)
    header[0] = header[0].removeprefix("#").strip() if _known(header, uses) else header[0]
    if log is not None and (above := sum(not fields[0].startswith("#") for _, fields in passed[:best])):
        log.remark(f"{origin}: {above} line{'s' if above > 1 else ''} above the header are passed over")
    rest = _chained(passed[best + 1 :], records)
    return header, (record for record in rest if not _comment(record[1], len(header)))


def _check_width(columns: int, origin: str) -> None:
    """Raises `LookwhereError` where a header has more columns than are read."""
    if columns > MOST_COLUMNS:
        raise LookwhereError(
            f"{origin}: its header names about {columns:,} columns, and {MOST_COLUMNS:,} are the most; keep those of "
            "labels and groups"
        )


def _chained(first: list[tuple[int, list[str]]], rest: Iterator) -> Iterator[tuple[int, list[str]]]:
    yield from first
    yield from rest


def _comment(fields: list[str], width: int) -> bool:
    """A line that begins with # and has not a cell for each column: a file's name may begin so as well."""
    return fields[0].startswith("#") and len(fields) != width


def _known(fields: list[str], uses: Columns | None) -> int:
    """How many of the wanted columns a line names."""
    names = {_name(field.removeprefix("#")) for field in fields}
    return sum(not names.isdisjoint(map(_name, (name, *spellings))) for name, spellings in (uses or {}).items())


def _separator(lines: list[str], uses: Columns | None) -> str:
    """The one that makes most known columns of the first lines, or else most columns of the first."""
    sample = [line for line in lines[:SAMPLE] if line.strip()]

    def fit(separator: str) -> tuple[int, int]:
        records = list(csv.reader(sample, delimiter=separator, skipinitialspace=True))
        first = next((fields for fields in records if not fields[0].startswith("#")), records[0])
        return max((_known(fields, uses) for fields in records if fields), default=0), len(first)

    return max(SEPARATORS, key=fit) if sample else ","


def _records(lines: list[str], separator: str, origin: str, start: int) -> Iterator[tuple[int, list[str]]]:
    """Records that are not blank, each with the number of the line in which it begins.

    Raises `LookwhereError` where a quotation mark is never closed, so that what follows it would be lost.
    """
    if not separator:
        yield from ((n, line.split()) for n, line in enumerate(lines, 1) if n > start and line.strip())
        return
    reader = csv.reader(lines[start:], delimiter=separator, skipinitialspace=True)
    while True:
        begin = start + reader.line_num
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise LookwhereError(f"{origin}, row {begin + 1}: cannot be read ({error})") from error
        end = start + reader.line_num
        if (end - begin > 1 or end == len(lines)) and _open_quote("".join(lines[begin:end]), separator):
            raise LookwhereError(
                f"{origin}, row {begin + 1}: a quotation mark opens there and is not closed in its row; mend that row"
            )
        if any(field.strip(_AROUND) for field in fields):
            yield begin + 1, fields


def _open_quote(raw: str, separator: str) -> bool:
    return raw.count('"') % 2 == 1 and re.search(rf'(?:^|{re.escape(separator)})\s*"', raw) is not None


def _numbered(names: list[str]) -> bool:
    return any(names == [str(n) for n in range(first, first + len(names))] for first in (0, 1))


def _unfit(rows: Iterable[tuple[int, list[str]]], width: int, origin: str, log: ReadLog | None, why: str) -> None:
    for line, fields in rows:
        if log is None:
            raise LookwhereError(f"{origin}, row {line}: {len(fields)} fields in {width} columns: {why}")
        log.reject([f"{origin}, row {line}"], why)


def _alike(columns: list[list[str | None]], name: str, origin: str, index: pd.Index) -> None:
    """Raise `LookwhereError` unless columns of one name say the same."""
    for again in columns[1:]:
        for row, (first, second) in enumerate(zip(columns[0], again, strict=True)):
            if first != second:
                raise LookwhereError(
                    f"{origin}: two columns are called {name} and differ (row {index[row] + 2}: {first!r} and "
                    f"{second!r}); delete or rename one of them"
                )
