"""Checks by several processes that meet by gloo, one of them killed: each part once, and the checks that one makes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pandas as pd
import pytest

from core.audit.folder import Audit
from core.audit.run import run_audit
from core.checks import run
from core.checks.probe import Probe
from core.checks.results import JSON, NPZ, Checks, Part, open_checks
from core.checks.run import APART, run_checks
from core.classifiers.folder import Model
from core.data.faces import SPLITS
from core.data.store import AlignedStore
from core.ranks import Ranks
from tests.helpers.made_store import make_store
from tests.helpers.processes import REFUSED, in_processes
from tests.helpers.tiny_network import tiny_model

PARTS = ("randomised", "deletion", "road", "occlusion")
Study = tuple[AlignedStore, Model, Audit]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    store, model = make_store(tmp_path / "store", 240), tiny_model(tmp_path / "tiny")
    return store, model, run_audit(store, model, SPLITS, name="made")


def checked(study: Study, log_folder: Path, killed: str | None = None) -> object:
    """Work for `in_processes`: checks, with the mean of the maps in place of each measurement; `killed` names the part
    in which the process that measures it dies."""
    store, model, audit = study

    def measured(name: str) -> object:
        def measure(probe: Probe, seed: int, draws: int, progress: object) -> Part:
            if name == killed:
                os.kill(os.getpid(), signal.SIGKILL)
            with (log_folder / "measured").open("a") as out:
                out.write(f"{name}\n")
            row = {"group": "all", "part": name, "mean": float(probe.margin.mean())}
            return Part([("all", len(probe.sample))], {name: pd.DataFrame([row])}, {"map": probe.margin[:1]})

        return measure

    def work(ranks: Ranks) -> None:
        run.MEASUREMENTS = {name: measured(name) for name in (*PARTS, run.HIDING)}  # this process ends with the work
        run_checks(audit, model, store, sample=120, parts=PARTS)

    return work


def said(log_folder: Path) -> list[str]:
    return sorted((log_folder / "measured").read_text().split())


def assert_same(checks: Checks, expected: Checks) -> None:
    assert list(checks.parts) == list(expected.parts) == list(PARTS)
    for name, part in checks.parts.items():
        pd.testing.assert_frame_equal(part.tables[name], expected.parts[name].tables[name])
        assert (part.arrays["map"] == expected.parts[name].arrays["map"]).all()
        assert part.groups == expected.parts[name].groups
    assert checks.manifest.finished and expected.manifest.finished


def test_of_a_killed_process_its_part_alone_is_measured_again(study: Study, tmp_path: Path) -> None:
    audit = study[2]
    assert in_processes(2, checked(study, tmp_path, killed="occlusion")) == [REFUSED, -signal.SIGKILL]
    assert said(tmp_path) == ["deletion", "randomised", "road"]
    assert open_checks(audit) is None
    (tmp_path / "measured").unlink()
    assert in_processes(2, checked(study, tmp_path)) == [0, 0]
    assert said(tmp_path) == ["occlusion"]
    several = open_checks(audit)
    assert not (audit.path / APART).exists()
    for file in (JSON, NPZ):
        (audit.path / file).unlink()
    assert in_processes(1, checked(study, tmp_path)) == [0]
    assert_same(several, open_checks(audit))
