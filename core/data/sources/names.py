"""Names of files as they are told and compared, whatever a file system or an archive made of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

#: A byte that is no UTF-8, as Python keeps it in a name.
_BYTE = re.compile("[\udc80-\udcff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def plain_name(raw: str) -> str:
    """A name with `/` between its parts and in Unicode form C; bytes that are no UTF-8 are taken as Latin-1.

    Archives made on Windows have `\\` between the parts, and a Mac writes «é» as two letters.
    """
    if raw.isascii():
        return raw.replace("\\", "/")
    name = _BYTE.sub(lambda byte: chr(ord(byte[0]) - 0xDC00), raw)
    return unicodedata.normalize("NFC", _SURROGATE.sub("�", name).replace("\\", "/"))


def distinct_names(raws: Iterable[str]) -> dict[str, str]:
    """`plain_name` of each to the raw one, in their order; where two became one, the second is counted: `a~2.jpg`."""
    names: dict[str, str] = {}
    counts: dict[str, int] = {}  # a million names of one plain name would be counted anew from 2 each
    for raw in raws:
        name = plain = plain_name(raw)
        if name in names:
            stem, dot, suffix = plain.rpartition(".")
            count = counts.get(plain, 1)
            while name in names:
                count += 1
                name = f"{stem}~{count}{dot}{suffix}" if dot and "/" not in suffix else f"{plain}~{count}"
            counts[plain] = count
        names[name] = raw
    return names


def is_hidden(name: str) -> bool:
    """True for hidden files, those in hidden folders, and what a Mac adds to archives."""
    plain = name.removeprefix("./")
    return plain.startswith((".", "__MACOSX/")) or "/." in plain or "/__MACOSX/" in plain


def is_added_by_mac(name: str) -> bool:
    """True for what a Mac adds: `__MACOSX`, `.DS_Store`, `._a.jpg`, which is no image though it is named as one."""
    last = name.rpartition("/")[2]
    return last.startswith("._") or last == ".DS_Store" or "__MACOSX/" in name
