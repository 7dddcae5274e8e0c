"""Tables in JSON: an object a line, or one list of objects, as pandas and browsers' tools write it."""

from __future__ import annotations

import json
import re

from core.data.readers.label_table import lines_of, text
from core.errors import LookwhereError
from core.json_record import parsed

#: As `DataFrame.to_json` writes a table unasked, and as annotations lie under the names of files.
MEND = "write an object a line, or one list of objects (pandas: to_json(orient='records'))"
_BETWEEN = re.compile(r"[\s,]*")


def json_objects(data: bytes, origin: str) -> list[tuple[int, dict]]:
    """The objects of a file, each with its line, or with its place in the list from 1 on.

    Raises `LookwhereError` naming the row that is none.
    """
    content = text(data, origin)
    objects = _listed(content, origin) if _is_list(content) else _by_line(content, origin)
    for number, value in objects:
        if not isinstance(value, dict):
            raise LookwhereError(f"{origin}, row {number}: not a JSON object")
    if len(objects) == 1 and objects[0][1] and all(isinstance(value, dict | list) for value in objects[0][1].values()):
        raise LookwhereError(f"{origin}: one object of lists or objects; {MEND}")
    if not objects:
        raise LookwhereError(f"{origin}: the table is empty")
    return objects


def keys_in(head: bytes, origin: str) -> list[str]:
    """The keys of the objects in a file's first bytes: an object may leave out what it does not know.

    Raises `LookwhereError` where the first one is no object.
    """
    content = text(head, origin)
    if _is_list(content):
        objects = _first_listed(content, origin)
    else:
        objects = [record for _, record in json_objects(head.rpartition(b"\n")[0] or head, origin)]
    return list(dict.fromkeys(key for record in objects for key in record))


def _first_listed(content: str, origin: str) -> list[dict]:
    """The objects of a list that may be cut somewhere. Raises `LookwhereError` where the first one is none."""
    decoder, place, objects, why = json.JSONDecoder(), content.index("[") + 1, [], ""
    while True:
        try:
            value, place = decoder.raw_decode(content, _BETWEEN.match(content, place).end())
        except (ValueError, RecursionError) as error:  # here it is cut, or ends
            why = f" ({error})"
            break
        if not isinstance(value, dict):
            break
        objects.append(value)
    if not objects:
        raise LookwhereError(f"{origin}, row 1: not a JSON object{why}")
    return objects


def _is_list(content: str) -> bool:
    return content.lstrip().startswith("[")


def _by_line(content: str, origin: str) -> list[tuple[int, object]]:
    objects = []
    for number, line in enumerate(lines_of(content), 1):
        if not line.strip():
            continue
        try:
            objects.append((number, parsed(line)))
        except ValueError as error:
            why = f"; {MEND}" if line.strip() == "{" else f" ({error})"
            if number == 1 and line.lstrip().startswith('{"') and "{" in line.lstrip()[1:]:
                why += f"; where the file is one object, {MEND}"
            raise LookwhereError(f"{origin}, row {number}: not a JSON object{why}") from error
    return objects


def _listed(content: str, origin: str) -> list[tuple[int, object]]:
    try:
        value = parsed(content)
    except ValueError as error:
        raise LookwhereError(f"{origin}: not a list of JSON objects ({error})") from error
    return list(enumerate(value, 1)) if isinstance(value, list) else []
