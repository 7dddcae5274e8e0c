"""What lives on is set aside after runs of pages, and what left with a visitor is found."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
import pytest

from ui.shell import cache, heap


class Node:
    """An object that is garbage only as a cycle."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def settling(monkeypatch: pytest.MonkeyPatch) -> Iterator[heap.Settling]:
    made = heap.Settling()
    monkeypatch.setattr(heap, "_settling", made)
    yield made
    gc.unfreeze()


def test_the_first_runs_set_aside_and_later_each_so_many(settling: heap.Settling) -> None:
    due = [run for run in range(1, 3 * heap.EVERY + 1) if settling.due(5)]
    assert due == [1, 2, 4, 8, 16, heap.EVERY, 2 * heap.EVERY, 3 * heap.EVERY]


def test_half_of_the_visitors_gone_is_a_reason(settling: heap.Settling) -> None:
    for _ in range(heap.EVERY):
        settling.due(40)
    assert not settling.due(21)
    assert settling.due(20)
    assert not settling.due(20)
    assert settling.due(10)


def test_a_crowd_has_left_once_where_an_eighth_of_it_is_there(settling: heap.Settling) -> None:
    assert not any(settling.crowd_left(visitors) for visitors in (1, 5, 1, 0, 7, 1))
    assert not any(settling.crowd_left(visitors) for visitors in (50, 30, 7))
    assert settling.crowd_left(6)
    assert not any(settling.crowd_left(visitors) for visitors in (6, 1, 7, 1))
    assert not settling.crowd_left(8)
    assert settling.crowd_left(1)


def test_what_a_crowd_asked_for_is_given_up_when_it_has_left(settling: heap.Settling) -> None:
    computed = []

    @cache.kept(entries=4)
    def results(number: int) -> list[int]:
        computed.append(number)
        return [number]

    for visitors in (1, 2, 1, 20, 20, 10):
        results(3)
        heap.settle(visitors)
    assert computed == [3] and cache.ledger.total > 0
    heap.settle(1)
    assert cache.ledger.total == 0
    assert results(3) == [3]
    assert computed == [3, 3]


def test_without_visitors_nobody_leaves(settling: heap.Settling) -> None:
    """A page that is run by a test or a script is nobody's: each of its runs looked through everything."""
    assert sum(settling.due(0) for _ in range(heap.EVERY)) == 6


def test_a_collection_passes_over_what_was_set_aside_and_finds_it_once_its_visitor_has_left(
    settling: heap.Settling,
) -> None:
    kept, watched = [Node()], []
    watched.append(weakref.ref(kept[0]))
    heap.settle(1)
    assert gc.get_freeze_count() > 10_000
    assert len(gc.get_objects()) < gc.get_freeze_count() / 5, "each page's collection goes through the rest alone"
    kept.clear()
    gc.collect()
    assert watched[0]() is not None, "set aside, so not looked at"
    heap.settle(0)
    assert watched[0]() is None


@dataclass(frozen=True)
class Opened:
    """What is kept and shared: a table, and parts of it."""

    faces: pd.DataFrame
    parts: dict


def test_a_kept_table_forgets_the_views_that_pages_made_of_it(settling: heap.Settling) -> None:
    """Each is some bytes between all that pages make and free, and a block of such bytes is given back as a whole."""

    @cache.kept(entries=1, shared=True)
    def opened(number: int) -> Opened:
        faces = pd.DataFrame({"age": range(number), "name": list("abcdefghi")})
        return Opened(faces, {"old": faces[faces["age"] > 3]})

    kept = opened(9)
    for table in (kept.faces, kept.parts["old"]):
        for _ in range(100):
            table["age"], table["name"]
        noted = [block.refs for block in table._mgr.blocks] + [axis._references for axis in table._mgr.axes]
        noted = [references for references in noted if references is not None]
        assert max(len(references.referenced_blocks) for references in noted) > 100, "pandas lets some hundred gather"
        heap.settle(1)
        assert max(len(references.referenced_blocks) for references in noted) <= 2
