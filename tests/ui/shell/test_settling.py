"""What lives on is set aside after runs of pages, and what left with a visitor is found."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from ui.shell import heap


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
