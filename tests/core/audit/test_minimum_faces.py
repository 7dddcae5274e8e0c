"""A larger minimum group size: kept when averages are stored, written down, and honoured wherever one is shown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.analysis.comparison.paired import paired_map_difference
from core.analysis.maps.differences import difference_of
from core.analysis.maps.group_means import group, study_grid
from core.analysis.maps.region_evidence import additivity, evidence_by_region, proportional_energy, waterfall
from core.analysis.maps.sides import Resampling
from core.audit.average_setting import AverageSetting
from core.audit.averages import assign_cells
from core.audit.folder import Audit, open_audit, stored_minimum
from core.audit.images import AuditImages
from core.audit.manifest import AuditManifest
from core.audit.run import run_audit
from core.checks.results import Part
from core.checks.sample import draw_sample, published_groups
from core.classifiers.folder import Model
from core.classifiers.info import ModelInfo, ModelKind
from core.data.filters import Filter
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.present.card.failures import accuracy_table
from core.present.export.provenance import Source
from core.present.report.accuracy import accuracy_section
from core.present.report.maps import grid_section, withheld
from core.present.report.reproduction import commands
from core.present.text.evidence import evidence_report
from core.present.text.sentences import heatmap_sentence
from core.present.text.tables import audit_report
from core.privacy import MINIMUM_FACES, MINIMUM_VARIABLE, asked_minimum, showable
from tests.helpers.former import write_former
from tests.helpers.made_audit import made_manifest
from tests.helpers.made_store import make_store
from tests.helpers.reports import info, reported_audit

WOMEN, MEN = Filter(gender=("female",)), Filter(gender=("male",))


class Brightness:
    """Brighter faces are male, as `make_store` makes them; no maps."""

    maps = head_bias = None
    precision = "float32"

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, None]:
        z = (images.mean(axis=(1, 2, 3)).astype(np.float32) - 110) / 10
        return np.stack([-z, z], axis=1) / 2, None


@pytest.fixture
def store(tmp_path: Path) -> AlignedStore:
    return make_store(tmp_path / "store", faces=720)


def model(tmp_path: Path) -> Model:
    return Model("m", tmp_path / "m", None, ModelInfo(kind=ModelKind.ONNX, weights_sha256="1" * 64), Brightness())


def cells(audit: Audit) -> pd.Series:
    return audit.averages.cells["n"]


@pytest.mark.parametrize("minimum", [11, 15, 30])
def test_no_cell_of_a_table_is_smaller(minimum: int, store: AlignedStore) -> None:
    faces = store.faces.assign(predicted=store.faces["gender"], split="test")
    table, place = assign_cells(faces, minimum)
    counts = np.bincount(place[place >= 0], minlength=len(table))
    assert (counts == table["n"]).all()
    assert counts.min() >= minimum
    assert counts.sum() > 0


def test_what_is_stored_keeps_it_and_the_manifest_says_so(store: AlignedStore, tmp_path: Path) -> None:
    plain = run_audit(store, model(tmp_path), ("all",), name="plain")
    large = run_audit(store, model(tmp_path), ("all",), name="large", averages=AverageSetting(minimum_faces=20))
    assert json.loads((plain.path / "audit.json").read_text())["minimum_faces"] == plain.minimum_faces == 11
    assert json.loads((large.path / "audit.json").read_text())["minimum_faces"] == large.minimum_faces == 20
    assert 11 <= cells(plain).min() < 20 <= cells(large).min()
    assert "averages need 20 faces" in audit_report(large)
    assert "averages need" not in audit_report(plain)


def test_another_minimum_is_not_taken_for_the_same_audit(store: AlignedStore, tmp_path: Path) -> None:
    run_audit(store, model(tmp_path), ("all",), name="a", averages=AverageSetting(minimum_faces=20))
    for minimum, words in ((None, "with minimum faces 20, not 11"), (30, "with minimum faces 20, not 30")):
        with pytest.raises(LookwhereError, match=f"{words}; choose another --name or delete it"):
            run_audit(store, model(tmp_path), ("all",), name="a", averages=AverageSetting(minimum_faces=minimum))
    assert (
        run_audit(store, model(tmp_path), ("all",), name="a", averages=AverageSetting(minimum_faces=20)).minimum_faces
        == 20
    )


def test_an_audit_of_before_means_11(store: AlignedStore, tmp_path: Path) -> None:
    audit = run_audit(store, model(tmp_path), ("all",), name="a")
    content = json.loads((audit.path / "audit.json").read_text())
    del content["minimum_faces"]
    write_former(audit.path / "audit.json", content)
    assert open_audit(audit.path).minimum_faces == stored_minimum(AuditManifest.from_json(content)) == MINIMUM_FACES
    assert run_audit(store, model(tmp_path), ("all",), name="a").minimum_faces == MINIMUM_FACES
    with pytest.raises(LookwhereError, match="minimum faces 11, not 12"):
        run_audit(store, model(tmp_path), ("all",), name="a", averages=AverageSetting(minimum_faces=12))


def test_interrupted_work_with_another_minimum_is_begun_anew(store: AlignedStore, tmp_path: Path) -> None:
    def stop(stage: str, total: int) -> object:
        if stage == "averaging":
            raise KeyboardInterrupt
        return lambda *_: None

    with pytest.raises(KeyboardInterrupt):
        run_audit(store, model(tmp_path), ("all",), name="a", averages=AverageSetting(minimum_faces=20), progress=stop)
    work = tmp_path / "m/audits/.a.unfinished"
    assert json.loads((work / "identity.json").read_text())["minimum_faces"] == 20
    assert (
        cells(run_audit(store, model(tmp_path), ("all",), name="a", averages=AverageSetting(minimum_faces=30))).min()
        >= 30
    )


@pytest.mark.parametrize("value", ["10", "0", "-3", "many", "11.5"])
def test_less_than_11_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MINIMUM_VARIABLE, value)
    with pytest.raises(LookwhereError, match=MINIMUM_VARIABLE):
        asked_minimum()
    with pytest.raises(LookwhereError, match="--minimum-faces 10: not under 11"):
        asked_minimum(10)
    monkeypatch.setenv(MINIMUM_VARIABLE, "")
    assert asked_minimum() == 11
    assert asked_minimum(12) == 12


def test_what_is_shown_is_the_larger_of_stored_and_asked(
    store: AlignedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = run_audit(store, model(tmp_path), ("all",), name="a", averages=AverageSetting(minimum_faces=15)).path
    whole = open_audit(path)
    monkeypatch.setenv(MINIMUM_VARIABLE, "12")
    assert open_audit(path).minimum_faces == 15
    monkeypatch.setenv(MINIMUM_VARIABLE, "25")
    opened = open_audit(path)
    assert opened.minimum_faces == 25
    assert cells(opened).tolist() == [n for n in cells(whole) if n >= 25]
    assert 0 < len(cells(opened)) < len(cells(whole))
    large = (cells(whole) >= 25).to_numpy()
    np.testing.assert_array_equal(opened.averages.means, whole.averages.means[large])


@pytest.fixture
def audits(tmp_path: Path) -> tuple[Audit, Audit]:
    """Twenty faces of «Rare» of 480, with the minimum of before and with one of 25."""
    names = np.array(["Alpha"] * 460 + ["Rare"] * 20)
    audit = reported_audit(tmp_path, ethnicity=names, age=40)
    return audit, replace(audit, manifest=replace(audit.manifest, minimum_faces=25))


RARE = Filter(ethnicity=("Rare",))


def test_a_groups_map_and_face_need_it(audits: tuple[Audit, Audit]) -> None:
    plain, large = (group(audit, RARE) for audit in audits)
    assert (plain.n, plain.too_small, plain.map is None) == (20, False, False)
    assert (large.n, large.too_small, large.map, large.face) == (20, True, None, None)
    assert group(audits[1], WOMEN).map is not None
    assert "has 25 faces" in heatmap_sentence([large], "true")


def test_budgets_energy_and_waterfalls_need_it(audits: tuple[Audit, Audit]) -> None:
    for audit, few in zip(audits, (False, True), strict=True):
        assert evidence_by_region(audit, RARE, draws=20).too_small == few
        assert np.isnan(evidence_by_region(audit, RARE, draws=20).margin) == few
        steps = waterfall(audit, RARE, Filter(ethnicity=("Alpha",)), draws=20)
        assert steps.too_small == few
        assert steps.table["difference"].isna().all() == few
        assert proportional_energy(audit, RARE, "true", draws=20)["share"].isna().all() == few
        table = additivity(audit, RARE)
        assert table["n"].max() < 11, "gender × ethnicity of ten each"
    assert "under 25" in evidence_report(audits[1])
    assert "under 11" not in evidence_report(audits[1])


def test_differences_of_maps_need_it(audits: tuple[Audit, Audit]) -> None:
    for audit, few in zip(audits, (False, True), strict=True):
        contrast = difference_of(audit, RARE, Filter(ethnicity=("Alpha",)), "true", "raw", resampling=Resampling(50))
        assert np.isnan(contrast.difference).all() == few
        mask = RARE.mask(audit.faces)
        assert (paired_map_difference(audits[0], audit, mask, permutations=50).shape is None) == few


def test_a_difference_of_enough_faces_for_a_test_says_why_it_is_not_shown(audits: tuple[Audit, Audit]) -> None:
    large = replace(audits[1], manifest=replace(audits[1].manifest, minimum_faces=400))
    contrast = difference_of(large, WOMEN, MEN, "true", "raw", resampling=Resampling(50))
    assert np.isnan(contrast.difference).all()
    assert "averages need 400 faces" in contrast.verdict


def test_clusters_samples_and_pictures_need_it(audits: tuple[Audit, Audit]) -> None:
    assert showable(np.array([40, 20, 30])).tolist() == [True, True, True]
    assert showable(np.array([40, 20, 30]), 25).tolist() == [True, False, False], "20 alone could be subtracted"
    for minimum in (11, 25):
        members = published_groups(draw_sample(audits[0].faces, 200, minimum=minimum))
        assert min(member.n for member in members) >= minimum
    images = np.zeros((30, 112, 112, 3), dtype=np.uint8)
    shots = AuditImages(Path(), images, np.arange(30), 25)
    assert shots.average(np.arange(24)) is None
    assert shots.average(np.arange(25)) is not None


def test_stored_checks_lose_the_groups_that_are_too_small_now() -> None:
    table = pd.DataFrame({"group": ["all", "few", "many"], "value": [1.0, 2.0, 3.0]})
    part = Part([("all", 60), ("few", 20), ("many", 40)], {"t": table}, {"a": np.arange(3)})
    assert part.of_at_least(11) is part
    large_cells = part.of_at_least(25)
    assert large_cells.groups == [("all", 60), ("many", 40)]
    assert large_cells.rows("t", "few").empty
    assert large_cells.array("a", "few") is None
    assert large_cells.array("a", "many") == 2
    assert large_cells.rows("t", "many")["value"].tolist() == [3.0]


def test_report_and_card_need_it_and_say_how_to_repeat_it(audits: tuple[Audit, Audit]) -> None:

    grids = [str(grid_section(audit, Filter())) for audit in audits]
    assert "Averages need 25 faces" in grids[1]
    assert "Averages need 11 faces" in grids[0]
    tables = [str(accuracy_section(audit.faces, Filter(), audit.minimum_faces).blocks) for audit in audits]
    assert "too few (under 25)" in tables[1]
    assert "under 25" not in tables[0]
    rows = [{row[0]: row[1] for row in accuracy_table(audit).rows} for audit in audits]
    assert rows[1]["Rare women"] == "under 25"
    assert rows[0]["Rare women"] == "under 11"
    lines = ["\n".join(commands(audit, info(), None, None, True)) for audit in audits]
    assert "--minimum-faces 25" in lines[1]
    assert "--minimum-faces" not in lines[0]


def test_a_genders_map_is_withheld_where_it_would_give_away_too_few(tmp_path: Path) -> None:
    """Of the men twenty are «Rare», too few for 25: with the other men's map theirs could be had by subtraction."""
    names = np.where(np.arange(480) < 40, "Rare", np.where(np.arange(480) < 260, "Alpha", "Beta"))
    audit = reported_audit(tmp_path, ethnicity=names, age=40, gender=np.where(np.arange(480) % 2, "male", "female"))
    small = replace(audit, manifest=replace(audit.manifest, minimum_faces=25))
    (n,) = [n for n, row in study_grid(small, Filter()).iterrows() if (row["gender"], row["ethnicity"]) == ("male", "")]
    assert (n, "correct") in withheld(study_grid(small, Filter()))
    assert (n, "correct") not in withheld(study_grid(audit, Filter()))


def test_a_download_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = made_manifest(minimum_faces=20)
    assert "averages of 20 faces and more" in str(Source.from_manifest(manifest, "a"))
    assert "averages" not in str(Source.from_manifest(made_manifest(), "a"))
    monkeypatch.setenv(MINIMUM_VARIABLE, "30")
    assert "averages of 30 faces and more" in str(Source.from_manifest(manifest, "a"))
