"""What is said of a recipe holds the spread over its networks; a network alone, or of another recipe, says nothing."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from core.analysis.comparison.recipe import method_accuracy, recipe_of
from core.audit.folder import Audit
from core.data.filters import Filter
from core.files import write_json
from core.present.records.recipe import recipe_record
from core.present.text.findings import seeds_words
from core.present.text.method import DIFFERENCE, SHARE, hull, method_words
from core.present.text.tables import audit_report
from core.training.config import TrainConfig
from core.wording import bounds
from tests.helpers.made_audit import made_audit, made_faces
from tests.helpers.made_experiment import INFO

N = 1200
#: Errors of women by network: the networks of one recipe differ by more than faces alone do.
MISSED = (0.05, 0.15, 0.25)


def make_recipe(models: Path, error_rates: tuple[float, ...] = MISSED, **changes: object) -> Audit:
    """A model `own`, and further networks of its recipe in an experiment; `changes` make it another recipe."""
    faces, draw = made_faces(N, 0), np.random.default_rng(1)
    women = (faces["gender"] == "female").to_numpy()
    training = {"stages": [{"size": 32, "epochs": 2}], "batch": 8}
    data = {"dataset": "made", "fingerprint": "a", "faces": {"train": 36, "val": 12}}
    audits = []
    for seed, rate in enumerate(error_rates):
        folder = models / "own" if seed == 0 else models / f"experiments/best/best-s{seed}"
        correct = draw.random(N) >= np.where(women, rate, 0.05)
        audits.append(
            made_audit(
                faces=faces,
                correct=correct,
                path=folder / "audits/made-test",
                manifest={"weights_sha256": str(seed) * 64},
            )
        )
        settings = training | {"seed": seed} | (changes if seed else {})
        write_json(folder / "model.json", INFO | {"training": settings, "data": data})
    names = [f"best-s{seed}" for seed in range(1, len(error_rates))]
    if not names:
        return audits[0]
    write_json(
        models / "experiments/best/experiment.json",
        {"format": 1, "name": "best", "title": "Best", "config": "x", "audit": "made-test", "contrasts": [],
         "arms": [{"name": "best", "title": "Best", "models": names}]},
    )  # fmt: skip
    return audits[0]


def test_intervals_hold_the_spread_over_networks_and_the_numbers_are_by_hand(tmp_path: Path) -> None:
    audit = make_recipe(tmp_path)
    recipe = recipe_of(audit)
    assert recipe is not None and recipe.experiment == "best" and len(recipe.audits) == 3
    filter = Filter(age_from=18)
    accuracy = method_accuracy(recipe, filter)
    adults = (audit.faces["age"] >= 18).to_numpy()
    women = (audit.faces["gender"] == "female").to_numpy()
    rights = [one.faces["correct"].to_numpy(float) for one in recipe.audits]
    assert accuracy.faces == adults.sum()
    assert accuracy.overall.by_seed == pytest.approx([right[adults].mean() for right in rights])
    gaps = [right[adults & women].mean() - right[adults & ~women].mean() for right in rights]
    assert accuracy.less_men.by_seed == pytest.approx(gaps)
    assert accuracy.less_men.seeds.value == pytest.approx(np.mean(gaps))
    low, high = hull(accuracy.less_men, DIFFERENCE)
    alike = np.sqrt(0.15 * 0.85 / (adults & women).sum() + 0.05 * 0.95 / (adults & ~women).sum())
    assert high - low > 2 * 2 * 1.96 * alike  # far wider than of faces alone
    assert low < -0.1 < high


def test_an_interval_ends_where_shares_and_differences_do_in_sentence_and_record_alike(tmp_path: Path) -> None:
    audit = make_recipe(tmp_path, (0.0, 0.0, 1.0))
    filter = Filter()
    accuracy = method_accuracy(recipe_of(audit), filter)
    assert accuracy.overall.seeds.high > 1 and accuracy.less_men.seeds.low < -1, "networks so apart overshoot"
    record, words = recipe_record(audit, filter), method_words(recipe_of(audit), filter)
    for effect, ends, key in ((accuracy.overall, SHARE, "accuracy"), (accuracy.less_men, DIFFERENCE, "women_less_men")):
        low, high = hull(effect, ends)
        assert ends[0] <= low < high <= ends[1]
        assert (record[key]["low"], record[key]["high"]) == (low, high)
        assert f"[{bounds(100 * low, 100 * high)}]" in words


def test_the_sentence_tells_the_recipe_from_this_network(tmp_path: Path) -> None:
    audit = make_recipe(tmp_path)
    words = method_words(recipe_of(audit), Filter(age_from=18))
    assert words.startswith(
        "Trained 3 times alike but for chance (this network and 2 of experiment best), the networks"
    )
    assert words.endswith("is of this network, and need not hold of another trained alike.")
    assert seeds_words(None, Filter(age_from=18), audit) == words
    assert words in audit_report(audit)


def test_settings_that_later_versions_write_are_the_defaults_of_earlier_ones(tmp_path: Path) -> None:
    later = json.loads(json.dumps(asdict(TrainConfig())))
    later = {name: later[name] for name in ("epoch_images", "groups", "optimiser", "exclude", "target", "weights")}
    assert recipe_of(make_recipe(tmp_path / "alike", **later)) is not None
    assert recipe_of(make_recipe(tmp_path / "other", **(later | {"groups": ["ethnicity"]}))) is None
    later["optimiser"] = later["optimiser"] | {"renew": True}
    assert recipe_of(make_recipe(tmp_path / "renewed", **later)) is None


def test_another_recipe_and_the_network_itself_do_not_count(tmp_path: Path) -> None:
    assert recipe_of(make_recipe(tmp_path / "batch", batch=16)) is None
    audit = make_recipe(tmp_path / "own", error_rates=MISSED[:1])
    assert recipe_of(audit) is None and method_words(None, Filter()) is None
    copied = make_recipe(tmp_path / "copied")
    for seed in (1, 2):
        folder = tmp_path / f"copied/experiments/best/best-s{seed}/audits/made-test"
        shutil.rmtree(folder)
        made_audit(faces=made_faces(N, 0), correct=np.ones(N, bool), path=folder, manifest={"weights_sha256": "0" * 64})
    assert recipe_of(copied) is None
    assert "times alike but for chance" not in audit_report(copied)
