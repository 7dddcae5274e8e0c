"""An audit that is interrupted, resumed, refused or damaged; on a tiny network, so that it costs nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

from core.audit import run
from core.audit.audited_faces import default_name
from core.audit.folder import FILES, Audit, list_audits, open_audit
from core.audit.manifest import FORMAT
from core.audit.run import run_audit
from core.data.faces import SPLITS
from core.errors import LookwhereError
from core.files import write_json
from tests.helpers.made_audit import made_manifest
from tests.helpers.made_store import make_store
from tests.helpers.tiny_network import tiny_model

FACES = 64


def test_a_finished_audit_is_opened_and_not_rebuilt(tmp_path: Path) -> None:
    store, model = make_store(tmp_path / "store"), tiny_model(tmp_path / "tiny")
    first = run_audit(store, model)
    assert (first.name, model.network.seen) == ("made-test", 12)
    times = {p.name: p.stat().st_mtime_ns for p in first.path.iterdir()}
    again = run_audit(store, model)
    assert model.network.seen == 12
    assert {p.name: p.stat().st_mtime_ns for p in first.path.iterdir()} == times
    pd.testing.assert_frame_equal(again.faces, first.faces)


def assert_same_audit(audit: Audit, expected: Audit) -> None:
    pd.testing.assert_frame_equal(audit.faces, expected.faces)
    np.testing.assert_array_equal(audit.evidence, expected.evidence)
    pd.testing.assert_frame_equal(audit.averages.cells, expected.averages.cells)
    np.testing.assert_array_equal(audit.averages.means, expected.averages.means)
    audit, expected = (replace(a.manifest, seconds=0, faces_per_second=0, files={}) for a in (audit, expected))
    assert audit == expected


def interrupt(stage: str, after: int):
    """A progress callback like Ctrl-C once `after` faces of `stage` are done."""

    def progress(name: str, total: int):
        done = 0

        def tick(n: int) -> None:
            nonlocal done
            done += n
            if name == stage and done > after:
                raise KeyboardInterrupt

        return tick

    return progress


@pytest.mark.parametrize(
    ("stage", "after", "shards_kept"), [("auditing", 16, 16), ("auditing", 57, 48), ("averaging", 0, 64)]
)
def test_an_interrupted_audit_is_no_audit_and_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, after: int, shards_kept: int
) -> None:
    monkeypatch.setattr(run, "SHARD", 16)
    store, model = make_store(tmp_path / "store"), tiny_model(tmp_path / "tiny")
    with pytest.raises(KeyboardInterrupt):
        run_audit(store, model, SPLITS, name="stopped", batch=8, progress=interrupt(stage, after))
    assert list_audits(model.path) == []
    assert not (model.path / "audits" / "stopped").exists()
    with pytest.raises(LookwhereError, match="no finished audit"):
        open_audit(model.path / "audits" / "stopped")
    model.network.seen = 0
    ticks: dict[str, int] = {}

    def progress(name: str, total: int):
        assert total == FACES
        return lambda n: ticks.update({name: ticks.get(name, 0) + n})

    resumed = run_audit(store, model, SPLITS, name="stopped", batch=8, progress=progress)
    assert model.network.seen == FACES - shards_kept
    assert ticks == {"auditing": FACES, "averaging": FACES}
    assert sorted(p.name for p in resumed.path.iterdir()) == sorted(FILES)
    assert_same_audit(resumed, run_audit(store, tiny_model(tmp_path / "b" / "tiny"), SPLITS, name="stopped"))


@pytest.mark.parametrize("shard", [8, 24, 64, 1000])
def test_the_size_of_the_shards_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shard: int) -> None:
    store = make_store(tmp_path / "store")
    whole = run_audit(store, tiny_model(tmp_path / "a" / "tiny"), SPLITS, batch=8)
    monkeypatch.setattr(run, "SHARD", shard)
    assert_same_audit(run_audit(store, tiny_model(tmp_path / "b" / "tiny"), SPLITS, batch=8), whole)


def test_work_left_by_another_model_is_not_mixed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "SHARD", 16)
    store, folder = make_store(tmp_path / "store"), tmp_path / "a" / "tiny"
    with pytest.raises(KeyboardInterrupt):
        run_audit(store, tiny_model(folder, seed=1), SPLITS, progress=interrupt("auditing", 40))
    audit = run_audit(store, tiny_model(folder, seed=2), SPLITS)
    assert_same_audit(audit, run_audit(store, tiny_model(tmp_path / "b" / "tiny", seed=2), SPLITS))


def test_a_name_taken_by_another_audit_is_refused(tmp_path: Path) -> None:
    store, model = make_store(tmp_path / "store"), tiny_model(tmp_path / "tiny")
    run_audit(store, model, name="taken")
    other_audits = [
        (store, tiny_model(tmp_path / "tiny", seed=5), ("test",), "weights"),
        (make_store(tmp_path / "other", seed=9), model, ("test",), "data fingerprint"),
        (store, model, ("test", "val"), "splits"),
    ]
    for other_store, other_model, splits, word in other_audits:
        with pytest.raises(LookwhereError, match=f"taken.*another {word}"):
            run_audit(other_store, other_model, splits, name="taken")


def test_a_folder_that_is_no_audit_is_refused_before_any_work(tmp_path: Path) -> None:
    store, model = make_store(tmp_path / "store"), tiny_model(tmp_path / "tiny")
    audit = run_audit(store, model)
    (audit.path / "audit.json").unlink()
    with pytest.raises(LookwhereError, match=r"made-test: .* delete"):
        run_audit(store, model)
    assert model.network.seen == 12


def test_half_moved_work_is_no_audit(tmp_path: Path) -> None:
    (tmp_path / "audits" / ".made-test.unfinished").mkdir(parents=True)
    (tmp_path / "audits" / ".made-test.unfinished" / "audit.json").write_text("{}")
    assert list_audits(tmp_path) == []
    assert list_audits(tmp_path / "nowhere") == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    store, model = make_store(tmp_path / "store"), tiny_model(tmp_path / "tiny")
    model.path.mkdir()
    (model.path / "audits").write_text("a file in the way")
    with pytest.raises(LookwhereError, match="cannot write"):
        run_audit(store, model)


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    store, model = make_store(tmp_path / "store"), tiny_model(tmp_path / "tiny")
    with torch.no_grad():
        model.network.weight *= 1e6  # beyond float16
    with pytest.raises(LookwhereError, match="not finite"):
        run_audit(store, model)
    assert list_audits(model.path) == []


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("audit.json", None),
        ("audit.json", b"{"),
        ("audit.json", b"[]"),
        ("audit.json", b'{"format": 0}'),
        ("audit.json", json.dumps({"format": FORMAT}).encode()),
        ("faces.parquet", None),
        ("faces.parquet", b"PAR1"),
        ("faces.parquet", "cut"),
        ("faces.parquet", "fewer"),
        ("faces.parquet", "no evidence"),
        ("averages.npz", None),
        ("averages.npz", "cut"),
    ],
)
def test_damage_is_told_with_the_files_name(tmp_path: Path, file: str, content: bytes | str | None) -> None:
    audit = run_audit(make_store(tmp_path / "store"), tiny_model(tmp_path / "tiny"))
    target = audit.path / file
    if content is None:
        target.unlink()
    elif content == "cut":
        target.write_bytes(target.read_bytes()[: target.stat().st_size // 2])
    elif content == "fewer":
        pq.write_table(pq.read_table(target).slice(1), target)
    elif content == "no evidence":
        pq.write_table(pq.read_table(target).drop_columns(["evidence"]), target)
    else:
        target.write_bytes(content)
    with pytest.raises(LookwhereError, match=file):
        open_audit(audit.path)


def test_no_more_pictures_are_read_at_once_than_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "SHARD", 32)
    store = make_store(tmp_path / "store", 200)
    reads: list[int] = []

    class Watched:
        shape = store.images.shape

        def __getitem__(self, rows: np.ndarray) -> np.ndarray:
            reads.append(len(rows))
            return store.images[rows]

    run_audit(replace(store, images=Watched()), tiny_model(tmp_path / "tiny"), SPLITS, batch=16)
    passes = np.cumsum(reads)
    forward = reads[: int(np.searchsorted(passes, 200)) + 1]
    assert sum(forward) == 200
    assert max(forward) == 16


@pytest.mark.parametrize("dataset", ["manifest", "image-folder", "class-folders"])
def test_data_of_ones_own_are_audited_under_the_name_of_their_folder(dataset: str, tmp_path: Path) -> None:
    store = make_store(tmp_path / "clinic-a", faces=24)
    store = replace(store, manifest=replace(store.manifest, dataset=dataset))
    assert default_name(store, "all", tmp_path / "model") == "clinic-a-all"
    former = tmp_path / "model/audits" / f"{dataset}-all"
    former.mkdir(parents=True)
    manifest = made_manifest(data_fingerprint=store.manifest.data_fingerprint)
    write_json(former / "audit.json", manifest.to_json())
    assert default_name(store, "all", tmp_path / "model") == f"{dataset}-all", "made by an earlier version"
    write_json(former / "audit.json", replace(manifest, data_fingerprint="another").to_json())
    assert default_name(store, "all", tmp_path / "model") == "clinic-a-all"
