"""Names that are the same but for case, blanks or Unicode form, as spreadsheets and file systems leave them."""

from __future__ import annotations

import re
import unicodedata

import pandas as pd

#: Blanks that `str.strip` leaves: of no width, and the mark of byte order inside a text.
NO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"
_NO_WIDTH = re.compile(f"[{NO_WIDTH}]")
_BLANKS = re.compile(r"\s+")


def plain(name: str) -> str:
    """A name in Unicode form C, with single blanks inside and none around; non-breaking blanks are blanks."""
    if name.isascii() and "  " not in name and name == name.strip() and name.isprintable():
        return name
    return _BLANKS.sub(" ", _NO_WIDTH.sub("", unicodedata.normalize("NFC", name))).strip()


def folded(name: str) -> str:
    """What names that differ only in case, blanks or Unicode form have in common."""
    return unicodedata.normalize("NFC", plain(name).casefold())


def common_spellings(names: pd.Series) -> dict[str, str]:
    """For each name that is written otherwise: the commonest spelling of the same, in `plain` form.

    Of spellings that are equally common the first in the order of the alphabet counts.
    """
    counts: dict[str, int] = {}
    occurrences = names.value_counts()
    for name, count in occurrences.items():
        counts[plain(name)] = counts.get(plain(name), 0) + int(count)
    common: dict[str, str] = {}
    for name in sorted(counts, key=lambda name: (-counts[name], name)):
        common.setdefault(folded(name), name)
    return {name: common[folded(name)] for name in occurrences.index if common[folded(name)] != name}
