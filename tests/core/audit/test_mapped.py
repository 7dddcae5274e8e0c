"""A large audit is mapped instead of read, and every number is the one that reading it whole gives."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.faults.kinds import disk, may_mount
from core.analysis.accuracy.by_group import accuracy_by, confusion
from core.analysis.accuracy.counts import group_counts
from core.analysis.accuracy.extremes import extremes
from core.analysis.accuracy.pairwise import pairs_of
from core.analysis.accuracy.regression import regression
from core.analysis.accuracy.simultaneous import LargestGap, gap_of
from core.analysis.maps.differences import difference_of
from core.analysis.maps.group_means import group, study_grid
from core.analysis.maps.sides import PERMUTATIONS
from core.audit import drawn as drawing
from core.audit import mapped
from core.audit.folder import Audit, open_audit
from core.data.faces import counts_of
from core.data.file_array import FileArray
from core.data.filters import Filter
from core.errors import LookwhereError
from core.explain.maps import NORMALISATIONS, TARGETS, display_maps
from core.present.text.sentences import accuracy_sentence
from tests.helpers.made_audit import made_audit, made_faces

FILTERS = (
    Filter(),
    Filter(age_from=18),
    Filter(gender=("female",), ethnicity=("Black", "Asian"), outcome="incorrect"),
    Filter(columns=(("glasses", ("yes",)),)),
)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Audit, Audit]:
    """The same audit, read whole and mapped."""
    path = tmp_path_factory.mktemp("models") / "model" / "audits" / "made"
    faces = made_faces(700, seed=3, persons=90, ages=(0, 80))
    faces.loc[::17, "age"] = pd.NA
    faces.loc[::29, "identity"] = pd.NA
    images = np.random.default_rng(0).integers(0, 255, (700, 112, 112, 3), dtype=np.uint8)
    whole = made_audit(faces=faces, errors=0.2, path=path, own=True, images=images)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mapped, "LARGE", 1)
        large = open_audit(path)
    return whole, large


def test_the_faces_maps_and_averages_are_those_of_the_audit(both):
    whole, large = both
    assert isinstance(large.evidence, FileArray)
    assert whole.cells is None
    assert large.cells.table["n"].sum() == 700
    assert np.array_equal(whole.evidence, large.evidence)
    assert list(whole.faces) == list(large.faces)
    for name in whole.faces:
        mapped_values, whole_values = (of.faces[name].astype(object).where(of.faces[name].notna(), None) for of in both)
        assert list(mapped_values) == list(whole_values), name
    assert len(whole.averages.cells)
    assert whole.averages.cells.equals(large.averages.cells)
    assert np.array_equal(whole.averages.means, large.averages.means)


@pytest.mark.parametrize("filter", FILTERS)
def test_mean_maps_are_the_same_to_the_last_bit(both, filter):
    whole = both[0]
    for target in TARGETS:
        for normalisation in NORMALISATIONS:
            first, second = (group(audit, filter, target, normalisation) for audit in both)
            assert (first.n, first.correct, first.face_n) == (second.n, second.correct, second.face_n)
            assert np.array_equal(first.map, second.map)
            args = (target, normalisation, whole.truth, whole.called)
            slow = display_maps(whole.evidence.astype(np.float64), *args)[filter.mask(whole.faces)].mean(axis=0)
            np.testing.assert_allclose(first.map, slow, atol=1e-6)


def test_grids_accuracies_extremes_and_tests_are_the_same(both):
    whole, large = both
    filter = Filter(age_from=18)
    first, second = (study_grid(audit, filter) for audit in both)
    assert list(first["ethnicity"]) == list(second["ethnicity"])
    for by in (["gender", "ethnicity"], ["age band"], ["glasses"]):
        tables = [accuracy_by(audit.passing(filter), by).astype({by[0]: str, by[-1]: str}) for audit in both]
        pd.testing.assert_frame_equal(*tables)
    assert confusion(whole.faces).equals(confusion(large.faces))
    sentences = [accuracy_sentence(audit.passing(filter), filter) for audit in both]
    assert sentences[0] == sentences[1]
    pairs = [extremes(audit.passing(filter)) for audit in both]
    assert pairs[0].difference == pairs[1].difference
    tested = [difference_of(audit, Filter(("female",)), Filter(("male",)), "predicted", "raw") for audit in both]
    assert np.array_equal(tested[0].p, tested[1].p)
    assert tested[0].verdict == tested[1].verdict


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("filter", [*FILTERS, Filter(age_from=18, age_to=60, split=("test",))])
def test_counts_gaps_and_regressions_are_those_of_the_faces(both, filter, threshold):
    whole, large = both
    faces, counts = whole.passing(filter), large.counted(filter, threshold)
    assert counts_of(counts).sum() == len(faces)
    assert "face_id" not in counts
    assert "logit_male" not in counts
    for by in ([], ["gender", "ethnicity"], ["age band"]):
        kinds = dict.fromkeys(by, str)
        tables = (accuracy_by(table, by, threshold).astype(kinds) for table in (faces, counts))
        pd.testing.assert_frame_equal(*tables)
    assert confusion(faces, threshold).equals(confusion(counts, threshold))
    for by in (["gender", "ethnicity"], ["gender"], ["age band"]):
        first, second = (group_counts(table, by, threshold, smallest=1) for table in (faces, counts))
        pd.testing.assert_frame_equal(first.table, second.table)
        assert gap_words(gap_of(first, 200)) == gap_words(gap_of(second, 200))
        for family in ("pairs", "rest"):
            pd.testing.assert_frame_equal(pairs_of(first, family), pairs_of(second, family))


def gap_words(gap: LargestGap | None) -> str:
    """All of a gap's numbers."""
    return "" if gap is None else f"{gap.difference} {gap.plain} {gap.bias} {gap.best['group']} {gap.as_low}"


def test_the_regression_by_counts_is_that_of_the_faces(both):
    whole, large = both
    for filter in (Filter(), Filter(age_from=18)):
        first, second = regression(whole.passing(filter)), regression(large.counted(filter))
        assert first.n == second.n
        pd.testing.assert_frame_equal(first.standardised, second.standardised)
        pd.testing.assert_frame_equal(first.tests, second.tests)
        pair = [extremes(whole.passing(filter)), extremes(large.counted(filter))]
        assert pair[0].difference.value == pytest.approx(pair[1].difference.value, rel=1e-9)
        assert pair[0].as_low == pair[1].as_low
        assert pair[0].as_they_are.difference == pair[1].as_they_are.difference


def test_filters_between_the_edges_of_bands_are_of_the_faces(both):
    filter = Filter(age_from=20)
    assert both[1].counted(filter) is both[1].passing(filter)
    assert both[0].counted(Filter()) is both[0].passing(Filter())


def test_it_is_made_anew_where_a_file_changed_or_it_is_damaged(both, monkeypatch):
    monkeypatch.setattr(mapped, "LARGE", 1)
    path, calls = both[1].path, []
    make = mapped._make
    monkeypatch.setattr(mapped, "_make", lambda *arguments: (calls.append(1), make(*arguments)))
    open_audit(path)
    assert not calls
    (path / ".mapped" / "correct.npy").write_bytes(b"")
    assert open_audit(path).faces["correct"].equals(both[0].faces["correct"])
    assert len(calls) == 1
    os.utime(path / "averages.npz", ns=(1, 1))
    open_audit(path)
    assert len(calls) == 2
    assert not list(path.glob("*partial*"))


def test_where_nothing_can_be_written_the_audit_is_read(both, monkeypatch):
    monkeypatch.setattr(mapped, "LARGE", 1)
    monkeypatch.setattr(mapped, "_fresh", lambda path: None)

    def full(*_arguments: object) -> None:
        raise OSError(28, "no room")

    monkeypatch.setattr(mapped, "_make", full)
    assert open_audit(both[0].path).cells is None


def test_faces_are_drawn_from_each_side_and_it_is_said(monkeypatch):
    audit = made_audit(900, errors=0.1)
    women, men = Filter(("female",)), Filter(("male",), ("Black",))
    assert drawing.drawn(audit, women, men) is audit
    assert drawing.drawn_words(audit, women, men) is None
    monkeypatch.setattr(drawing, "MOST_DRAWN", 200)
    sample = drawing.drawn(audit, women, men)
    assert int(women.mask(sample.faces).sum()) == 200
    assert int(men.mask(sample.faces).sum()) == int(men.mask(audit.faces).sum())
    assert len(sample.faces) == 350
    assert sample.faces["face_id"].is_unique
    for row in (0, 349):
        place = int(np.flatnonzero(audit.faces["face_id"] == sample.faces["face_id"][row])[0])
        assert np.array_equal(sample.evidence[row], audit.evidence[place])
    contrast = difference_of(audit, women, men, "predicted", "raw", adjust=())
    assert contrast.drawn_from == (450, 150)
    assert (contrast.n_a, contrast.n_b) == (200, 150)
    assert "Tested on faces drawn at random, 200 and 150 of 450 and 150" in contrast.verdict
    assert "350 of these 600 faces, drawn at random" in drawing.drawn_words(audit, women, men)


def test_sides_that_share_faces_are_drawn_together(monkeypatch):
    audit = made_audit(900, errors=0.1)
    monkeypatch.setattr(drawing, "MOST_DRAWN", 200)
    everyone, women = Filter(), Filter(("female",))
    sample = drawing.drawn(audit, everyone, women)
    assert len(sample.faces) == 200
    assert 70 < int(women.mask(sample.faces).sum()) < 130


def test_a_sample_finds_the_difference_that_is_there(monkeypatch):
    audit = made_audit(2400, errors=0.3, correct_on=["nose"], incorrect_on=["forehead"])
    right, wrong = Filter(outcome="correct"), Filter(outcome="incorrect")
    whole = difference_of(audit, right, wrong, "predicted", "raw", adjust=())
    monkeypatch.setattr(drawing, "MOST_DRAWN", 300)
    sample = difference_of(audit, right, wrong, "predicted", "raw", adjust=())
    assert whole.differs
    assert sample.differs
    assert sample.largest == whole.largest
    inside = np.abs(sample.difference - whole.difference) <= 4 * sample.error + 1e-9
    assert inside.all()
    assert sample.permutations == PERMUTATIONS


def test_a_folder_of_a_small_audit_gets_nothing_more(tmp_path: Path):
    path = tmp_path / "model" / "audits" / "made"
    made_audit(200, errors=0.1, path=path)
    assert not (path / mapped.FOLDER).exists()


def test_maps_cut_while_they_are_open_are_told(both, tmp_path, monkeypatch):
    monkeypatch.setattr(mapped, "LARGE", 1)
    shutil.copytree(both[0].path, tmp_path / "made", ignore=shutil.ignore_patterns(".*"))
    evidence = open_audit(tmp_path / "made").evidence
    file = tmp_path / "made" / mapped.FOLDER / "evidence.npy"
    assert evidence[600].shape == (2, 7, 7)
    os.truncate(file, 5000)
    with pytest.raises(LookwhereError, match=r"evidence\.npy: cut while it was read; delete this folder"):
        evidence[600]


MAKE = """
import sys
from pathlib import Path
from core.audit import mapped
from core.audit.folder import open_audit
mapped.LARGE = 1
audit = open_audit(Path(sys.argv[1]))
print(len(audit.faces), audit.cells is None)
"""


@pytest.mark.skipif(not may_mount(), reason="needs leave to mount")
def test_a_disk_that_is_full_is_as_one_that_cannot_be_written(both):
    """The audit is read whole then, by a process of its own: a map written onto a full disk would end this one."""
    own = sum(-(-file.stat().st_size // 4096) * 4096 for file in both[0].path.iterdir() if file.is_file())
    for room in (60_000, 150_000):
        with disk(own + room) as place:
            audit = Path(place) / "made"
            shutil.copytree(both[0].path, audit, ignore=shutil.ignore_patterns(".*"))
            ended = subprocess.run([sys.executable, "-c", MAKE, str(audit)], capture_output=True, text=True)
            assert (ended.returncode, ended.stdout) == (0, "700 True\n"), ended
            assert not list(audit.glob(".mapped*"))
