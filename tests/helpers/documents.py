"""Comparing what a command prints with what a document quotes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

NUMBER = re.compile(r"[−-]?\d[\d,]*\.?\d*")


def blocks(text: str) -> Iterator[str]:
    yield from re.findall(r"^```text\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def assert_same(printed: str, documented: str) -> None:
    """The same words, and the same numbers up to one in the last digit: another processor may round another way."""
    assert NUMBER.sub("#", " ".join(printed.split())) == NUMBER.sub("#", " ".join(documented.split()))
    for mine, theirs in zip(NUMBER.findall(printed), NUMBER.findall(documented), strict=True):
        digits = len(theirs.partition(".")[2])
        a, b = (float(x.replace("−", "-").replace(",", "")) for x in (mine, theirs))
        assert abs(a - b) <= 1.01 * 10**-digits, (mine, theirs)
