"""Readers of others' files take what no writer writes: they refuse, and never break. By hypothesis, for a moment each.

`make fuzz` does the same for a minute each, led by the branches that an input takes.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz.targets import TARGETS, feed, seeds

#: Bytes with a meaning to some reader: separators, quotes, marks, ends, signs of YAML, of JSON and of protobuf.
TELLING = [b",", b"\n", b"\r", b'"', b"'", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"nan", b"1e999", b"-1", b"{",
           b"[", b"]", b"}", b":", b"&a", b"*a", b"!!python/object:os.system", b"9" * 60, b"\x0a\xd7\xce\xed", b"null",
           b"\xed\xa0\x80", b"\xe2\x80\xae", b"=cmd()", b"\x08\x7f", b"\xff" * 8]  # fmt: skip


@st.composite
def mangled(draw: st.DrawFn, name: str) -> bytes:
    """A good input with some of it cut out, doubled, or written over."""
    data = draw(st.sampled_from(seeds(name)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 12))
        new = draw(st.one_of(st.sampled_from(TELLING), st.binary(max_size=8), st.just(data[start : start + 40] * 2)))
        data = data[:start] + new + data[start + length :]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_breaks_a_reader(name: str) -> None:
    @settings(max_examples=50, deadline=None, derandomize=True, database=None,
              suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])  # fmt: skip
    @given(st.one_of(mangled(name), st.binary(max_size=200)))
    def read(data: bytes) -> None:
        feed(name, data)

    TARGETS[name](seeds(name)[0])  # a good one is read: what refuses everything would be told nothing
    read()
