"""Names that are the same but for case, blanks or Unicode form, as spreadsheets and file systems leave them."""

from __future__ import annotations

import re
import unicodedata

import pandas as pd

#: Blanks that `str.strip` leaves: of no width, and the mark of byte order inside a text.
NO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"
# Between two signs outside ASCII a joiner has a meaning: it makes one emoji of several, and shapes the letters of
# Persian and of Indian scripts.
_SIGN = rf"[^\x00-\x7f\s{NO_WIDTH}]"
_WITHOUT_MEANING = re.compile(f"(?<!{_SIGN})[{NO_WIDTH}]|[{NO_WIDTH}](?!{_SIGN})|[\u200b\u2060\ufeff]")
_UNSEEN = re.compile(f"[{NO_WIDTH}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_BLANKS = re.compile(r"\s+")


def plain(name: str) -> str:
    """A name in Unicode form C, with single blanks inside and none around; non-breaking blanks are blanks.

    Signs without width go, but for those that join two emojis or letters.
    """
    if name.isascii() and "  " not in name and name == name.strip() and name.isprintable():
        return name
    return _BLANKS.sub(" ", _WITHOUT_MEANING.sub("", unicodedata.normalize("NFC", name))).strip()


def folded(name: str) -> str:
    """What names have in common that differ only in case, blanks, signs that are not seen, or Unicode form."""
    return unicodedata.normalize("NFC", plain(_UNSEEN.sub("", name)).casefold())


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
