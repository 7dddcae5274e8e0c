"""The checks of the maps on a small made study: sample, similarity, parts, files, and what they must find."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from core.audit.folder import Audit, open_audit
from core.audit.run import run_audit
from core.checks import deletion
from core.checks.definitions import PARTS, Fill, View
from core.checks.definitions.deletion import Deletion
from core.checks.definitions.region_occlusion import RegionOcclusion
from core.checks.deletion import ORDERS, area_under_curve, check_deletion, order_maps, removal_ranks
from core.checks.parameter_randomisation import check_randomised, estimate_norms, randomise
from core.checks.probe import Probe, make_probe
from core.checks.region_occlusion import check_occlusion
from core.checks.results import HIDING, Part, open_checks
from core.checks.run import MEASUREMENTS, run_checks, size_of
from core.checks.sample import draw_sample
from core.checks.stored_words import STAGES
from core.classifiers.folder import Model, load_model, save_model
from core.classifiers.info import ModelInfo, TrainingInfo
from core.classifiers.resnet import GenderResNet
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.explain import regions
from core.present.text import checks as check_text
from core.privacy import MINIMUM_FACES
from core.verdicts import CheckVerdict
from tests.helpers.made_store import make_store

INFO = ModelInfo(input_size=32, epoch=1, training=TrainingInfo(choose="overall", seed=0))
FAST = {"sample": 60, "draws": 2, "methods": ("GradCAM", "RandomCAM"), "parts": PARTS}
Study = tuple[AlignedStore, Model, Audit]


@pytest.fixture(scope="module", autouse=True)
def few_orders():
    """Fewer steps, and ROAD with two holes and two random orders, each a sparse system: enough to see it work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deletion, "REMOVED", np.array([0.1, 0.2]))
        patch.setattr(deletion, "RANDOM_ORDERS", 2)
        patch.setattr(deletion, "FRACTIONS", np.linspace(0, 1, 5))
        yield


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """An untrained network that says both genders, audited on 240 noise faces."""
    root = tmp_path_factory.mktemp("checks")
    store = make_store(root / "store", faces=240)
    torch.manual_seed(0)
    network = GenderResNet(dilated=True)
    generator = torch.Generator().manual_seed(0)
    norms = [norm for stage in STAGES for norm in randomise(network, stage, generator)]
    estimate_norms(network.eval(), norms, [torch.randn(32, 3, 32, 32, generator=generator)])
    save_model(root / "models/made", network, INFO)
    model = load_model(root / "models/made")
    with torch.no_grad():  # half of the faces each way, so that all strata occur
        audit = run_audit(store, model, ("train", "val", "test"), name="first", batch=96)
        margin = audit.faces["logit_female"] - audit.faces["logit_male"]
        model.network.fc.bias[0] -= float(margin.median())
    save_model(root / "models/made", model.network, INFO)
    model = load_model(root / "models/made")
    return store, model, run_audit(store, model, ("train", "val", "test"), name="all", batch=96)


def probe_of(study: Study, size: int = 36, seed: int = 0) -> Probe:
    store, model, audit = study
    return make_probe(audit, model, store, draw_sample(audit.faces, size, seed))


# --- random weights --------------------------------------------------------------------------------------------------


def test_random_weights_change_the_map_and_leave_the_model_alone(study: Study) -> None:
    probe = probe_of(study)
    before = {name: t.clone() for name, t in probe.model.network.state_dict().items()}
    part = check_randomised(probe, seed=1, draws=2)
    after = probe.model.network.state_dict()
    assert all(torch.equal(t, after[name]) for name, t in before.items())
    assert not probe.model.network.training
    maps = part.arrays["maps"]
    assert maps.shape == (len(part.groups), 1 + len(STAGES), *probe.audit.map_shape)
    assert maps[0, 0] == pytest.approx(
        np.average(probe.margin, axis=0, weights=probe.sample.weight), rel=1e-4, abs=1e-5
    )
    rows = part.rows("similarity", "all faces").set_index(["stage", "measure"])
    assert set(rows.index.get_level_values(0)) == {*STAGES, "another face"}
    assert (rows["low"] <= rows["mean"]).all() and (rows["mean"] <= rows["high"]).all()
    assert (rows["draw_low"] <= rows["mean"] + 1e-5).all() and (rows["mean"] <= rows["draw_high"] + 1e-5).all()
    assert rows.loc[("conv1", "rank"), "mean"] < 0.9
    again = check_randomised(probe, seed=1, draws=1)
    assert again.arrays["maps"] == pytest.approx(maps, rel=1e-3, abs=1e-3 * float(np.abs(maps).max())), (
        "the first draw again"
    )


def test_each_stage_is_random_on_top_of_those_before_and_only_its_norms_are_estimated() -> None:
    network = GenderResNet(dilated=True).eval()
    before = {name: t.clone() for name, t in network.state_dict().items()}
    generator = torch.Generator().manual_seed(0)
    assert randomise(network, "fc", generator) == []
    norms = randomise(network, "layer4", generator)
    estimate_norms(network, norms, [torch.randn(8, 3, 32, 32)])
    changed = {name for name, t in network.state_dict().items() if not torch.equal(t, before[name])}
    assert {name.partition(".")[0] for name in changed} == {"fc", "layer4"}
    assert len(norms) == sum(isinstance(m, nn.BatchNorm2d) for m in network.layer4.modules())
    assert not any(m.training for m in network.modules())
    assert {norm.momentum for norm in norms} == {0.1}
    with torch.no_grad():
        assert torch.isfinite(network.evidence(torch.randn(2, 3, 32, 32))[1]).all()


# --- a planted network -----------------------------------------------------------------------------------------------


class Planted(nn.Module):
    """A margin that is the mean brightness inside one region of the picture, less a threshold, and nothing else."""

    def __init__(self, region: str, cells: int = 7) -> None:
        super().__init__()
        self.where = nn.Parameter(
            torch.from_numpy((regions.label_image(112) == regions.REGIONS.index(region)).astype(np.float32))
        )
        self.cells = cells

    def evidence(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        brightness = (pixels.float().mean(dim=1) * self.where)[:, None]
        female = nn.functional.adaptive_avg_pool2d(brightness, self.cells)[:, 0] * 50
        maps = torch.stack([female, torch.zeros_like(female)], dim=1)
        return maps.mean(dim=(2, 3)), maps


def planted(study: Study, region: str) -> Probe:
    """The study's faces as smooth pictures, seen by a planted network: grey but for a patch whose sign is random."""
    probe = probe_of(study, 80)
    rng = np.random.default_rng(0)
    n = len(probe.sample)
    images = rng.integers(60, 200, (len(probe.store.images), 14, 14, 3)).repeat(8, axis=1).repeat(8, axis=2)
    network = Planted(region).eval()
    store = replace(probe.store, images=images.astype(np.uint8))
    model = replace(probe.model, network=network, info=replace(probe.model.info, input_size=112))
    bare = replace(probe, model=model, store=store)
    pixels = torch.cat([bare.pixels(bare.images(block)) for block in bare.blocks(n)])
    with torch.no_grad():
        maps = network.evidence(pixels)[1].numpy()
    margin = maps[:, 0] - maps[:, 1]
    return replace(bare, margin=margin, sign=np.where(margin.mean(axis=(1, 2)) > 0, 1, -1).astype(np.float32))


@pytest.mark.parametrize("region", ["mouth", "eyes"])
def test_hiding_regions_finds_the_only_one_that_is_used(region: str, study: Study) -> None:
    part = check_occlusion(planted(study, region), seed=0)
    rows = part.rows("regions", "all faces")
    assert set(rows["region"]) == set(regions.REGIONS)
    for fill in ("grey", "blur", "local mean"):
        by_region = rows[rows["fill"] == fill].set_index("region")
        unused_regions = by_region.drop(region)
        assert (unused_regions["drop"].abs() < 1e-3).all(), "what the network does not see costs nothing"
    by_region = rows[rows["fill"] == "grey"].set_index("region")
    assert by_region["drop"].idxmax() == region
    # Hidden in the training mean, the region's evidence is exactly 0, so the drop is the region's own margin.
    assert by_region.loc[region, "drop_low"] > 0
    assert by_region.loc[region, "drop"] > by_region.loc[region, "control"]
    assert by_region["evidence"].idxmax() == region
    grey = View("all faces", fill=Fill.GREY)
    sentence = RegionOcclusion().result(_checks({"occlusion": part}), grey).sentence
    assert f"Both are largest at the {region}" in sentence
    turned = part.tables["regions"].assign(evidence=lambda t: -t["evidence"])
    turned_part = replace(part, tables=part.tables | {"regions": turned})
    assert (
        f"Most is lost at the {region}" in RegionOcclusion().result(_checks({"occlusion": turned_part}), grey).sentence
    )


def test_deleting_what_the_map_marks_beats_a_random_order_where_the_map_is_true(study: Study) -> None:
    probe = planted(study, "mouth")
    part = check_deletion(probe, seed=0)
    rows = part.rows("areas", "all faces").set_index(["score", "kind", "order"])
    assert rows.loc[("margin", "deletion", "random order"), "less_high"] < 0
    assert rows.loc[("margin", "insertion", "random order"), "less_low"] > 0
    curves = part.array("curves", "all faces")
    assert curves.shape == (2, 3, 2, len(ORDERS), 5)
    assert np.ptp(curves[:, 0, :, :, [0, -1]], axis=-1) == pytest.approx(0, abs=1e-5), "all orders share their ends"
    assert curves[0, 0, 0, 0, 0] == pytest.approx(curves[0, 0, 1, 0, -1])
    result = Deletion().result(_checks({"deletion": part}), View("all faces"))
    assert result.verdict in (CheckVerdict.PASSES, CheckVerdict.PASSES_IN_PART)
    assert result.sentence.startswith("Deleting what it marks lowers the margin faster than a random order")


def _checks(parts: dict):
    from core.checks.results import Checks

    return Checks(Path(), {}, parts)


def test_orders_are_by_falling_values_and_areas_are_trapezia(study: Study) -> None:
    probe = probe_of(study)
    maps = order_maps(probe, 0)
    assert maps.shape == (len(probe.sample), len(ORDERS), *probe.audit.map_shape)
    assert np.array_equal(maps[:, 0], probe.oriented)
    place = removal_ranks(maps[:2, 0], 28).reshape(2, -1)
    assert np.sort(place, axis=1) == pytest.approx(np.tile(np.arange(28 * 28) / 28**2, (2, 1)))
    for sign in (1, -1):
        same = maps[probe.sign == sign, 3]
        assert np.ptp(same, axis=0).max() == 0, "the average face's order knows nothing but the predicted class"
    assert area_under_curve(np.array([0.0, 1, 1]), np.array([0, 0.5, 1])) == pytest.approx(0.75)


# --- the folder ------------------------------------------------------------------------------------------------------


def test_all_parts_are_made_saved_and_read_again_and_nothing_small_is_in_them(study: Study) -> None:
    store, model, audit = study
    stages: list[str] = []

    def progress(stage: str, total: int):
        stages.append(stage)
        remaining = [total]

        def tick(n: int = 1) -> None:
            remaining[0] -= n
            assert remaining[0] >= 0

        return tick

    assert open_checks(audit) is None
    checks = run_checks(audit, model, store, **FAST, progress=progress)
    assert stages == ["randomised weights", "deletion and insertion", "ROAD", "hiding regions", "GradCAM", "RandomCAM"]
    assert checks.manifest.finished
    assert list(checks.parts) == [
        "randomised", "deletion", "road", "occlusion", "methods/GradCAM", "methods/RandomCAM",
    ]  # fmt: skip
    for name, part in checks.parts.items():
        assert all(n >= MINIMUM_FACES for _, n in part.groups), name
        assert all(len(a) == len(part.groups) for a in part.arrays.values())
        for table in part.tables.values():
            assert set(table["group"]) == {group for group, _ in part.groups}
    assert checks.table("methods", "all faces").set_index("method").loc["GradCAM", "mean"] == 1
    assert not list(audit.path.glob("*.partial"))
    text = check_text.checks_report(checks)
    for row in checks.table("areas").to_dict("records")[:40]:
        assert f"{row['area']:.4f}" in text
    assert "nan" not in text.lower()

    stages.clear()
    again = run_checks(audit, model, store, **FAST, progress=progress)
    assert stages == [], "a rerun finds all parts there"
    pd.testing.assert_frame_equal(again.table("areas"), checks.table("areas"))
    more = run_checks(
        audit, model, store, **FAST | {"methods": ("GradCAM", "RandomCAM", "LayerCAM")}, progress=progress
    )
    assert stages == ["LayerCAM"]
    assert "methods/LayerCAM" in more.parts
    of_another_seed = run_checks(audit, model, store, **FAST | {"seed": 1, "parts": ("methods",)}, progress=progress)
    assert list(of_another_seed.methods) == ["GradCAM", "RandomCAM"], "another seed's parts do not stand beside these"
    assert set(of_another_seed.parts) == {"methods/GradCAM", "methods/RandomCAM"}


def test_a_stopped_run_keeps_what_was_finished(study: Study) -> None:
    store, model, audit = study
    (audit.path / "checks.json").unlink(missing_ok=True)

    def stop(stage: str, total: int):
        if stage == "LayerCAM":
            raise KeyboardInterrupt
        return lambda n=1: None

    options = FAST | {"methods": ("GradCAM", "LayerCAM"), "parts": ("methods",)}
    with pytest.raises(KeyboardInterrupt):
        run_checks(audit, model, store, **options, progress=stop)
    stopped_checks = open_checks(audit)
    assert list(stopped_checks.methods) == ["GradCAM"]
    assert not stopped_checks.manifest.finished
    first_part = json.loads((audit.path / "checks.json").read_text())["parts"]["methods/GradCAM"]
    done = run_checks(audit, model, store, **options)
    assert done.manifest.finished
    assert json.loads((audit.path / "checks.json").read_text())["parts"]["methods/GradCAM"] == first_part


def test_the_wrong_store_model_or_name_is_refused(study: Study, tmp_path: Path) -> None:
    store, model, audit = study
    second_store = make_store(tmp_path / "other", faces=240, seed=1)
    with pytest.raises(LookwhereError, match="not the faces"):
        run_checks(replace(audit, path=tmp_path), model, second_store, **FAST)
    changed = replace(model, info=replace(model.info, weights_sha256="0" * 64))
    with pytest.raises(LookwhereError, match="not the weights"):
        run_checks(replace(audit, path=tmp_path), changed, store, **FAST)
    with pytest.raises(LookwhereError, match="--methods Grad-CAM: unknown"):
        run_checks(audit, model, store, methods=("Grad-CAM",))
    with pytest.raises(LookwhereError, match="--parts"):
        run_checks(audit, model, store, parts=("all",))
    assert size_of("methods/ScoreCAM", 600) == 12 < size_of("methods/GradCAM", 600)


def test_parts_are_hidden_of_correct_predictions_alone(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, model, audit = study
    probes: list[Probe] = []

    def measured(probe: Probe, *_: object) -> Part:
        probes.append(probe)
        return Part([("all faces, predicted correctly", len(probe.sample))], {}, {})

    monkeypatch.setitem(MEASUREMENTS, HIDING, measured)
    shutil.copy(audit.path / "audit.json", tmp_path)
    checks = run_checks(replace(audit, path=tmp_path), model, store, sample=200, parts=(HIDING,))
    assert len(probes[0].sample) == 40 and probes[0].sample.faces["correct"].all()
    assert list(checks.parts) == [HIDING] and checks.groups == []


def former(text: str) -> str:
    """`checks.json` as the version before digests wrote it."""
    content = json.loads(text)
    return json.dumps({"format": 1, "manifest": content["manifest"], "parts": content["parts"]})


def test_damaged_or_foreign_checks_are_told_in_one_line(study: Study, tmp_path: Path) -> None:
    store, model, audit = study
    shutil.copy(audit.path / "audit.json", tmp_path)
    here = replace(audit, path=tmp_path)
    run_checks(here, model, store, sample=200, methods=("EigenCAM",), parts=("methods",))
    good = (tmp_path / "checks.json").read_text()
    for bad, message in (
        ("{", "damaged"),
        (good.replace('"format": 2', '"format": 9'), "format 9"),
        (good.replace(audit.manifest.weights_sha256, "0" * 64), r"checks\.json: changed since it was written"),
        (former(good.replace(audit.manifest.weights_sha256, "0" * 64)), "another weights"),
    ):
        (tmp_path / "checks.json").write_text(bad)
        with pytest.raises(LookwhereError, match=message):
            open_checks(here)
    (tmp_path / "checks.json").write_text(good)
    (tmp_path / "checks.npz").write_bytes(b"broken")
    with pytest.raises(LookwhereError, match=r"checks\.npz: 6 bytes where [\d,]+ were written; delete checks.json"):
        open_checks(here)
    (tmp_path / "checks.json").write_text(former(good))
    with pytest.raises(LookwhereError, match=r"checks\.npz: damaged"):
        open_checks(here)
    assert open_audit(audit.path).manifest == audit.manifest, "the audit itself is as it was"


def test_checks_of_an_audit_replaced_meanwhile_or_of_images_written_over_are_not_written(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is held by a lock against commands of ours, not against a person's."""
    store, model, audit = study
    copy = shutil.copytree(audit.path, model.path / "audits/copied")
    (copy / "checks.json").unlink(missing_ok=True)
    content = json.loads((copy / "audit.json").read_text())
    del content["digest"]
    measure, options = MEASUREMENTS["occlusion"], FAST | {"parts": ("occlusion",)}

    def replaced(*arguments: object) -> Part:
        (copy / "audit.json").write_text(json.dumps(content | {"face_ids_sha256": "0" * 64}))
        return measure(*arguments)

    monkeypatch.setitem(MEASUREMENTS, "occlusion", replaced)
    with pytest.raises(LookwhereError, match=r"copied/audit\.json: of another audit since its checks began"):
        run_checks(open_audit(copy), model, store, **options)
    assert not (copy / "checks.json").exists()
    (copy / "audit.json").write_text(json.dumps(content))
    monkeypatch.setitem(MEASUREMENTS, "occlusion", measure)
    assert run_checks(open_audit(copy), model, store, **options).parts.keys() == {"occlusion"}
