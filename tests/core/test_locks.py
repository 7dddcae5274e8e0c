"""Two processes on one output: the second is told at once, and a killed one keeps nobody out."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.audit.run import run_audit
from core.classifiers.folder import Model
from core.classifiers.info import ModelInfo, ModelKind
from core.data.build_store import build_store
from core.data.readers import choose_reader
from core.data.sources import open_source
from core.errors import LookwhereError
from core.files import write_json
from core.locks import alone, put_both_in_place, put_in_place
from core.present.card import write_card
from core.present.card.sections import CARD
from tests.helpers.made_store import make_store
from tests.helpers.made_study import Brightness

HOLDER = """
import sys, time
from pathlib import Path
from core.locks import alone
with alone(Path(sys.argv[1]), "making"):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(output: Path) -> subprocess.Popen:
    """Another process that holds the lock of `output` until it is killed."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(output)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().strip() == "held"
    return process


def test_the_second_is_told_and_a_killed_one_lets_go(tmp_path: Path) -> None:
    output = tmp_path / "deep" / "a"
    process = holder(output)
    try:
        words = "deep/a: another process is checking it now; wait for it"
        with pytest.raises(LookwhereError, match=words), alone(output, "checking"):
            pass
        assert [file.name for file in output.parent.iterdir()] == [".a.lock"]
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    with alone(output, "making"):
        assert (output.parent / ".a.lock").exists()
    assert not list(output.parent.iterdir())


def test_waiting_ends_with_the_other(tmp_path: Path) -> None:
    process, began = holder(tmp_path / "a"), time.monotonic()
    try:
        subprocess.Popen(["sh", "-c", f"sleep 0.3; kill -9 {process.pid}"])
        with alone(tmp_path / "a", "making", wait=True):
            assert time.monotonic() - began > 0.2
    finally:
        process.wait()


PUTTER = """
import sys
from pathlib import Path
from core.files import write_bytes
for _ in range(300):
    write_bytes(Path(sys.argv[1]), sys.argv[2].encode() * 100_000)
"""


def test_two_who_write_one_file_again_and_again_each_put_a_whole_one_in_place(tmp_path: Path) -> None:
    file = tmp_path / "one.bin"
    both = [subprocess.Popen([sys.executable, "-c", PUTTER, str(file), sign], stderr=subprocess.PIPE) for sign in "ab"]
    errors = [process.communicate(timeout=120)[1] for process in both]
    assert errors == [b"", b""], "neither takes the other's file away"
    assert file.read_bytes() in (b"a" * 100_000, b"b" * 100_000)
    assert [entry.name for entry in tmp_path.iterdir()] == ["one.bin"]


def test_what_fails_half_way_leaves_the_old_file_and_what_was_killed_is_written_over(tmp_path: Path) -> None:
    file = tmp_path / "one.txt"
    file.write_text("old")
    with pytest.raises(OSError, match="full"), put_in_place(file) as partial:
        partial.write_text("ne")
        raise OSError(errno.ENOSPC, "full")
    assert (file.read_text(), [entry.name for entry in tmp_path.iterdir()]) == ("old", ["one.txt"])
    (tmp_path / "one.txt.partial").write_text("of a process that was killed")
    with put_in_place(file) as partial:
        partial.write_text("new")
    assert (file.read_text(), [entry.name for entry in tmp_path.iterdir()]) == ("new", ["one.txt"])


def test_a_later_card_is_of_both_audits_that_ended_at_once(tmp_path: Path) -> None:
    """Whoever waits for the card's lock lists the audits when it has it, not before."""
    store = make_store(tmp_path / "store", faces=24)
    (tmp_path / "m").mkdir()
    info = ModelInfo(
        format=2,
        classes=("female", "male"),
        input_size=224,
        dilated=False,
        mean=(0.0,),
        std=(1.0,),
        weights_sha256="1" * 64,
    )
    write_json(tmp_path / "m/model.json", info.to_json())
    model = Model("m", tmp_path / "m", None, info, Brightness(None))
    run_audit(store, model, ("all",), name="first")
    run_audit(store, model, ("all",), name="second")
    (tmp_path / "m/audits/second").rename(tmp_path / "second")
    with ThreadPoolExecutor(1) as pool:
        with alone(tmp_path / "m" / CARD, "writing"):
            card = pool.submit(write_card, tmp_path / "m")
            time.sleep(0.5)
            (tmp_path / "second").rename(tmp_path / "m/audits/second")
        card.result(timeout=60)
    text = (tmp_path / "m" / CARD).read_text()
    assert "first" in text and "second" in text


def test_the_lock_goes_with_an_error_and_with_its_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyError), alone(tmp_path / "a", "making"):
        raise KeyError
    assert not list(tmp_path.iterdir())
    with alone(tmp_path / "there" / "a", "making"):
        (tmp_path / "there" / ".a.lock").unlink()
        (tmp_path / "there").rmdir()


@pytest.mark.parametrize("name", ["file/a", "x" * 300])
def test_a_place_that_cannot_be_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(LookwhereError, match="cannot write"), alone(tmp_path / name, "making"):
        pass


def test_a_folder_that_cannot_be_written_keeps_nobody_from_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with alone(tmp_path / "a", "reading"):
        assert not list(tmp_path.iterdir())


def test_an_audit_and_a_store_in_the_making_are_not_made_twice(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", faces=24)
    model = Model("m", tmp_path / "m", None, ModelInfo(kind=ModelKind.ONNX, weights_sha256="1" * 64), Brightness(None))
    source = open_source(picture_folder(tmp_path / "pictures"))
    with alone(tmp_path / "m/audits/a", "making"), alone(tmp_path / "new", "making"):
        # flock is of the open file: within one process a second one is kept out too
        with pytest.raises(LookwhereError, match="audits/a: another process is making it now"):
            run_audit(store, model, ("all",), name="a")
        with pytest.raises(LookwhereError, match="new: another process is aligning into it now"):
            build_store(source, choose_reader(source, None), tmp_path / "new")
    audit = run_audit(store, model, ("all",), name="a")
    with alone(audit.path, "checking"):
        assert run_audit(store, model, ("all",), name="a").path == audit.path, "a finished one is only opened"
    assert sorted(file.name for file in (tmp_path / "m/audits").iterdir()) == ["a"]


def picture_folder(folder: Path) -> Path:
    from PIL import Image

    folder.mkdir()
    for n in range(4):
        Image.fromarray(np.full((64, 64, 3), 40 * n, np.uint8)).save(folder / f"30_{n % 2}_0_2017010100000000{n}.jpg")
    return folder


@pytest.mark.parametrize("stop", ["before the first", "before the second", "never"])
def test_two_files_that_go_with_each_other_take_their_places_in_turn(
    stop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays, tables = tmp_path / "arrays", tmp_path / "tables"
    for file in (arrays, tables):
        file.write_text("old")
    replace = Path.replace

    def stopped(file: Path, place: Path) -> Path:
        if (stop, place.name) in (("before the first", "arrays"), ("before the second", "tables")):
            raise KeyboardInterrupt
        return replace(file, place)

    monkeypatch.setattr(Path, "replace", stopped)
    with (
        pytest.raises(KeyboardInterrupt) if stop != "never" else contextlib.nullcontext(),
        put_both_in_place(arrays, tables) as parts,
    ):
        for part in parts:
            part.write_text("new")
    contents = [file.read_text() for file in (arrays, tables)]
    expected = {"before the first": ["old", "old"], "before the second": ["new", "old"], "never": ["new", "new"]}
    assert contents == expected[stop]
    remaining = {file.name for file in tmp_path.iterdir()} - {"arrays", "tables"}
    assert remaining == ({"tables.partial"} if stop == "before the second" else set()), "it is settled by the next"
