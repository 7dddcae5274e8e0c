"""`python -m benchmarks`: each row runs on a small network, and docs/performance.md has the rows that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import torch

from benchmarks import filter_runs, rows
from benchmarks.__main__ import HEAD, cells, chosen
from benchmarks.rows import ROWS, Bench, Row
from benchmarks.side_by_side import Measured, in_turns, pinned
from core.classifiers.folder import save_model
from core.classifiers.info import ModelInfo
from core.classifiers.resnet import GenderResNet
from core.errors import LookwhereError
from tests.helpers.shipped import ROOT
from tests.helpers.small_network import small_network

#: A whole server and a browser: what the browser's tests cover, and these rows' own module.
SERVED = ("first-page", "filter")
#: Batches of which one is enough.
BATCHES = ("-32",)
SMALL = {"FACES": 16, "PEER_BATCH": 4, "TABLE": 2000, "STEP": 4, "IMAGES": 2, "CHANNELS": 16}
#: What a developer may lack: requirements-dev.txt has it, requirements.txt has not.
PEERS = [f"{name} not installed" for name in ("torchcam", "captum", "openvino")]
BATCHED = [row.name for row in ROWS if row.against == "bare forward pass" and row.name.endswith(BATCHES)]
RUN = [row for row in ROWS if row.name not in (*SERVED, *BATCHED)]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A small network of 32 pixels, and as few faces as a row can take."""
    path = tmp_path_factory.mktemp("models") / "small"
    with pytest.MonkeyPatch.context() as patch, small_network(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        save_model(path, GenderResNet(dilated=True).eval(), ModelInfo(input_size=32))
        for name, value in {
            "FACES": 16,
            "PEER_BATCH": 4,
            "TABLE": 2000,
            "STEP": 4,
            "IMAGES": 2,
            "CHANNELS": 16,
        }.items():
            patch.setattr(rows, name, value)
        made = Bench(path, 0.0)
        with made.stack, pinned(torch.get_num_threads()):
            yield made


def test_a_filters_change_is_timed_in_a_checkout() -> None:
    measured = filter_runs.changes(ROOT, ("Black",))
    assert len(measured) == 3, "of all faces and of each gender"
    assert all(seconds > 0 and elements > 20 for seconds, elements in measured)


@pytest.mark.parametrize("row", RUN, ids=lambda row: row.name)
def test_row_is_measured(row: Row, bench: Bench) -> None:
    found = cells(row, bench)
    assert len(found) == len(HEAD)
    if found[4] in PEERS:
        pytest.skip(found[4])
    low, high = (float(value) for value in found[6].split(" – "))
    assert 0 < low <= float(found[5]) <= high


def test_ratio_is_the_median_of_the_rounds_and_above_1_where_ours_is_faster() -> None:
    found = Measured(((1.0, 2.0), (1.0, 8.0), (2.0, 2.0)), 10, "images/s")
    assert (found.ratio, found.spread) == (2.0, (1.0, 8.0))
    assert (found.side(0), found.side(1)) == ("10.0 images/s", "5.0 images/s")


def test_sides_take_turns_after_a_warm_up_and_begin_in_turns() -> None:
    calls: list[str] = []
    now = [0.0]

    def side(name: str, seconds: float) -> None:
        calls.append(name)
        now[0] += seconds

    found = in_turns(lambda: side("a", 1.0), lambda: side("b", 3.0), 12.0, clock=lambda: now[0])
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"
    assert found.pairs == ((1.0, 3.0),) * 3


def test_missing_peer_is_told_and_an_unknown_row_is_refused(bench: Bench) -> None:
    def needs(_bench: Bench) -> Measured:
        raise ModuleNotFoundError("No module named 'peer.part'", name="peer.part")

    assert cells(Row("x", "ours", "a peer", needs), bench)[4] == "peer not installed"
    with pytest.raises(LookwhereError, match="--only nothing: unknown; there are gradcam, "):
        chosen(("gradcam", "nothing"))


def test_document_has_the_rows_of_the_command() -> None:
    text = (ROOT / "docs/performance.md").read_text(encoding="utf-8")
    table = text[text.index(f"| {' | '.join(HEAD)} |") :].split("\n\n")[0]
    named = re.findall(r"^\| ([\w-]+) \| ([^|]+) \| ([^|]+) \|", table, re.MULTILINE)[1:]
    wall = {row.name: " (wall)" if row.clock == "wall" else "" for row in ROWS}
    assert named == [(row.name, row.ours + wall[row.name], row.against) for row in ROWS]
