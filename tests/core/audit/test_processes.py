"""An audit by several processes that meet by gloo, one of them killed: the same audit as by one."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from core.audit import run
from core.audit.folder import FILES, Audit, list_audits, open_audit
from core.audit.run import run_audit
from core.audit.shards import shard_file
from core.data.faces import SPLITS
from core.data.store import AlignedStore
from core.ranks import Ranks
from core.shards import ShardManifest, shard_manifest
from tests.helpers.made_store import make_store
from tests.helpers.processes import REFUSED, in_processes
from tests.helpers.tiny_network import tiny_model

FACES, SHARD = 120, 8


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AlignedStore:
    monkeypatch.setattr(run, "SHARD", SHARD)
    return make_store(tmp_path / "store", FACES, columns={"ethnicity": "White", "age": 30, "split": "test"})


def audited(store: AlignedStore, folder: Path, killed: tuple[int, int] | None = None) -> object:
    """Work for `in_processes`: audits, and writes how many faces this process put through the network.

    `killed` is (rank, faces): that process dies, without a word, when the network has seen so many faces.
    """

    def work(ranks: Ranks) -> None:
        model = tiny_model(folder / "tiny")
        seen, whole = 0, model.network.evidence

        def evidence(pixels):
            nonlocal seen
            seen += len(pixels)
            if killed and ranks.rank == killed[0] and seen > killed[1]:
                os.kill(os.getpid(), signal.SIGKILL)
            return whole(pixels)

        model.network.evidence = evidence
        run_audit(store, model, SPLITS, name="made", batch=4)
        (folder / f"seen-{ranks.rank}").write_text(str(seen))

    return work


def seen_by(folder: Path) -> list[int]:
    return [int(file.read_text()) for file in sorted(folder.glob("seen-*"))]


def assert_same(audit: Audit, expected: Audit) -> None:
    """Not alike but equal: the same bytes of rows and maps, the same averages."""
    assert (audit.path / "faces.parquet").read_bytes() == (expected.path / "faces.parquet").read_bytes()
    np.testing.assert_array_equal(audit.averages.means, expected.averages.means)
    assert audit.averages.cells.equals(expected.averages.cells)
    assert len(audit.averages.cells) > 0
    assert sorted(file.name for file in audit.path.iterdir()) == sorted(FILES)


@pytest.mark.parametrize("world", [2, 4])
def test_processes_make_the_audit_that_one_makes(store: AlignedStore, tmp_path: Path, world: int) -> None:
    alone = run_audit(store, tiny_model(tmp_path / "alone" / "tiny"), SPLITS, name="made", batch=4)
    (tmp_path / "shared").mkdir()
    assert in_processes(world, audited(store, tmp_path / "shared")) == [0] * world
    counts = seen_by(tmp_path / "shared")
    assert sum(counts) == FACES
    assert max(counts) - min(counts) <= SHARD
    assert_same(open_audit(tmp_path / "shared/tiny/audits/made"), alone)


def test_of_a_killed_process_its_shard_alone_is_done_again(store: AlignedStore, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    # The second process of four has shards 1, 5, 9 and 13, and is killed within its last.
    codes = in_processes(4, audited(store, folder, killed=(1, 3 * SHARD + 1)))
    assert codes == [REFUSED, -signal.SIGKILL, REFUSED, REFUSED]
    assert list_audits(folder / "tiny") == []
    work = folder / "tiny/audits/.made.unfinished"
    assert {file.name for file in work.glob("shard-*.parquet")} == {
        shard_file(work, n).name for n in range(15) if n != 13
    }
    assert in_processes(4, audited(store, folder)) == [0] * 4
    assert seen_by(folder) == [0, SHARD, 0, 0]
    alone = run_audit(store, tiny_model(tmp_path / "alone" / "tiny"), SPLITS, name="made", batch=4)
    assert_same(open_audit(folder / "tiny/audits/made"), alone)


def test_one_process_goes_on_with_what_four_left(store: AlignedStore, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    in_processes(4, audited(store, folder, killed=(2, 0)))  # shards 2, 6, 10 and 14 are not there
    model = tiny_model(folder / "tiny")
    run_audit(store, model, SPLITS, name="made", batch=4)
    assert model.network.seen == 4 * SHARD


@pytest.mark.parametrize("what", ["cut", "a bit", "of other faces", "of another audit"])
def test_a_shard_that_is_not_what_it_says_is_done_again(tmp_path: Path, store: AlignedStore, what: str) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    in_processes(2, audited(store, folder, killed=(1, 6 * SHARD + 1)))
    work = folder / "tiny/audits/.made.unfinished"
    file = shard_file(work, 3)
    if what == "cut":
        file.write_bytes(file.read_bytes()[:-100])
    elif what == "a bit":
        content = bytearray(file.read_bytes())
        content[len(content) // 3] ^= 1
        file.write_bytes(bytes(content))
    elif what == "of other faces":
        for suffix in (".parquet", ".json"):
            shard_file(work, 4).with_suffix(suffix).replace(file.with_suffix(suffix))
    else:
        model = tiny_model(tmp_path / "other" / "tiny", seed=3)
        with pytest.raises(KeyboardInterrupt):
            run_audit(store, model, SPLITS, name="made", batch=4, progress=stopped_at("averaging"))
        for suffix in (".parquet", ".json"):
            foreign_shard = shard_file(tmp_path / "other/tiny/audits/.made.unfinished", 3)
            foreign_shard.with_suffix(suffix).replace(file.with_suffix(suffix))
    model = tiny_model(folder / "tiny")
    done = run_audit(store, model, SPLITS, name="made", batch=4)
    assert model.network.seen == SHARD * (3 if what == "of other faces" else 2)  # shard 13 was not there
    assert_same(done, run_audit(store, tiny_model(tmp_path / "alone" / "tiny"), SPLITS, name="made", batch=4))


def stopped_at(stage: str) -> object:
    def progress(name: str, total: int) -> object:
        if name == stage:
            raise KeyboardInterrupt
        return lambda n: None

    return progress


def test_a_shard_says_what_it_is_of(tmp_path: Path, store: AlignedStore) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_audit(store, tiny_model(tmp_path / "tiny"), SPLITS, name="made", progress=stopped_at("averaging"))
    work = tmp_path / "tiny/audits/.made.unfinished"
    file = shard_file(work, 0)
    manifest = shard_manifest(file)
    assert (manifest.number, manifest.items, manifest.rank, manifest.processes) == (0, SHARD, 0, 1)
    assert not ShardManifest.from_items({}, 0, store.faces["face_id"][:SHARD]).is_done(file)
    file.with_suffix(".json").write_text("{")
    assert not ShardManifest.from_items({}, 0, store.faces["face_id"][:SHARD]).is_done(file)


def test_processes_share_numbers_and_runs_out_evenly() -> None:
    of = [Ranks(n, 3) for n in range(3)]
    assert [list(ranks.mine(7)) for ranks in of] == [[0, 3, 6], [1, 4], [2, 5]]
    places = np.arange(10)
    assert np.concatenate([places[ranks.slice(10)] for ranks in of]).tolist() == places.tolist()
    assert Ranks.here().alone
