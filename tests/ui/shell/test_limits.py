"""What visitors may ask of a server is bounded: sessions, bytes of uploads, bytes that are kept for all."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from starlette.exceptions import HTTPException
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from core.audit.folder import KEPT_MAPS
from core.data.filters import Filter
from core.errors import LookwhereError
from core.explain.maps import NORMALISATIONS
from tests.helpers.made_audit import made_audit
from ui.shell import cache, limits


def upload(manager: MemoryUploadedFileManager, session: str, name: str, size: int) -> None:
    manager.add_file(session, UploadedFileRec(name, name, "image/jpeg", b"x" * size))


def test_uploads_are_bounded_by_session_and_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SESSION_UPLOADS", 100)
    monkeypatch.setattr(limits, "ALL_UPLOADS", 250)
    manager = MemoryUploadedFileManager("/upload")
    for _ in range(3):  # each run of a script asks for it
        limits.bound_uploads(manager)
    upload(manager, "a", "one", 60)
    with pytest.raises(HTTPException) as refused:
        upload(manager, "a", "two", 41)
    assert refused.value.status_code == 413
    upload(manager, "a", "three", 40)
    upload(manager, "b", "one", 100)
    with pytest.raises(HTTPException, match="as many files as it may"):
        upload(manager, "c", "one", 60)
    manager.remove_session_files("b")  # as when it ends
    upload(manager, "c", "one", 60)


def test_a_sessions_upload_is_in_no_other_sessions_hands() -> None:
    manager = MemoryUploadedFileManager("/upload")
    limits.bound_uploads(manager)
    upload(manager, "a", "mine", 10)
    assert [one.name for one in manager.get_files("a", ["mine"])] == ["mine"]
    assert manager.get_files("b", ["mine"]) == []


def test_sessions_are_served_in_the_order_in_which_they_came() -> None:
    served: list[str] = []
    assert [limits.admit(served, one, ["a", "b", "c"], 2) for one in ("a", "b", "c", "a")] == [True, True, False, True]
    assert not limits.admit(served, "c", ["a", "b", "c"], 2), "still two before it"
    assert limits.admit(served, "c", ["b", "c"], 2), "one of them has left"
    assert not limits.admit(served, "a", ["a", "b", "c"], 2)
    assert limits.admit([], "of a test", [], 1)


@pytest.mark.parametrize("number", ["0", "many", "-3", "1.5", "9" * 5000])
def test_a_number_of_sessions_that_is_none_is_told(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(limits.SESSIONS_VARIABLE, number)
    with pytest.raises(LookwhereError, match="whole number"):
        limits.most_sessions()


def test_few_pages_are_drawn_at_once_and_all_get_their_turn() -> None:
    drawn, at_once, lock = [], [], threading.Lock()

    def draw(n: int) -> None:
        with limits.turn():
            with lock:
                at_once.append(len(at_once) - len(drawn) + 1)
            time.sleep(0.01)
            with lock:
                drawn.append(n)

    threads = [threading.Thread(target=draw, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(drawn) == list(range(20))
    assert max(at_once) <= limits.PAGES_AT_ONCE


@dataclass(frozen=True)
class Held:
    table: pd.DataFrame
    more: dict = field(default_factory=dict)


def test_the_weight_of_a_result_is_that_of_its_arrays(tmp_path) -> None:
    array = np.zeros(1000)
    assert cache.weight(array) == 8000
    assert cache.weight([array, (array, {"x": array})]) == pytest.approx(24_000, abs=200)
    table = pd.DataFrame({"a": array, "b": ["é" * 100] * 1000})
    assert cache.weight(Held(table, {"m": array})) > 8000 + 8000 + 100_000
    assert cache.weight(Image.new("RGB", (30, 20))) == 30 * 20 * 3
    np.save(tmp_path / "large.npy", array)
    assert cache.weight(np.load(tmp_path / "large.npy", mmap_mode="r")) == 0


def test_beyond_its_bytes_the_largest_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "ledger", cache.Ledger(most=100_000))
    calls: list[tuple[str, int]] = []

    @cache.kept(entries=10)
    def small(n: int) -> np.ndarray:
        calls.append(("small", n))
        return np.zeros(100)

    @cache.kept(entries=10)
    def large(n: int) -> np.ndarray:
        calls.append(("large", n))
        return np.zeros(5000)

    assert [small(1).size, large(1).size, large(2).size, large(2).size] == [100, 5000, 5000, 5000]
    assert calls == [("small", 1), ("large", 1), ("large", 2)]
    large(3)  # 120,800 bytes: what `large` kept is given up
    assert cache.ledger.total <= 100_000
    calls.clear()
    small(1), large(1)
    assert calls == [("large", 1)]


def test_a_thousand_filters_keep_the_cache_within_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "ledger", cache.Ledger(most=2_000_000))

    @cache.kept(entries=64)
    def maps(filter: Filter) -> np.ndarray:
        return np.zeros(filter.age_from * 100 + 5000)

    @cache.kept(entries=1000)
    def table(filter: Filter) -> pd.DataFrame:
        return pd.DataFrame({"group": ["a group of people"] * 1200, "n": 1.0})

    for n in range(1000):
        filter = Filter(age_from=n % 100, ethnicity=(f"group {n}",))
        assert maps(filter).nbytes >= 40_000
        assert len(table(filter)) == 1200
        assert cache.ledger.total <= 2_000_000
    assert cache.ledger.total > 100_000, "it is not given up at every turn"
    assert cache.MOST_BYTES <= 2**28


def test_what_is_pushed_out_by_number_is_no_longer_counted() -> None:
    ledger = cache.Ledger(most=10**6)
    for _ in range(500):
        ledger.add("f", np.zeros(1000), 3, lambda: pytest.fail("nothing is too much"))
    assert ledger.total == 24_000


def test_an_open_audit_holds_the_maps_of_few_targets() -> None:
    audit = made_audit(60)
    for target in ("true", "predicted", "margin"):
        for normalisation in NORMALISATIONS:
            first = audit.maps(target, normalisation)
            assert audit.maps(target, normalisation) is first
    assert len(audit._maps) <= KEPT_MAPS
