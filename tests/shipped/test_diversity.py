"""docs/diversity.md quotes what `core diversity` prints of the shipped audits; accuracies are those of pandas alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.analysis.comparison.experiment import Measure
from core.analysis.findings.diversity import Diversity, by_arm, open_diversity
from core.classifiers.info import model_info
from core.present.text.diversity import diversity_report
from tests.helpers.documents import assert_same, blocks
from tests.helpers.shipped import ROOT, shipped_or_skip

FOLDER = ROOT / "models/experiments/diversity"


@pytest.fixture(scope="module")
def study() -> Diversity:
    shipped_or_skip()
    return open_diversity(ROOT / "models")


def test_the_document_says_what_the_command_prints(study: Diversity) -> None:
    documented = list(blocks((ROOT / "docs/diversity.md").read_text(encoding="utf-8")))
    assert len(documented) == 1
    assert_same(diversity_report(study), documented[0])


def test_every_arm_has_as_many_networks_of_equally_many_images_and_none_was_trained_on_fairface(
    study: Diversity,
) -> None:
    assert len(study.experiment.arms) == 8 and len({len(arm.models) for arm in study.experiment.arms}) == 1
    images, digests = set(), set()
    for arm in study.experiment.arms:
        for model in arm.models:
            info = model_info(FOLDER / model)
            images.add(sum(stage.epochs for stage in info.training.stages) * info.training.epoch_images)
            digests.add(info.weights_sha256)
            parts = {part.dataset for part in info.data.parts or ()} or {info.data.dataset}
            assert parts <= {"lfw", "utkface", "all-age-faces"}, parts
            assert "fairface" not in (info.data.dataset or "")
    assert images == {16_000} and len(digests) == sum(len(arm.models) for arm in study.experiment.arms)
    assert not list(FOLDER.rglob("*.safetensors"))


def test_accuracies_by_arm_are_those_of_the_predictions(study: Diversity) -> None:
    for test in study.tests:
        table = by_arm(study, test).set_index(["arm", "measure", "gender", "ethnicity"])["mean"]
        tested = study.experiment.on(test)
        common = None
        by_model = {}
        for arm in tested.arms:
            for model in arm.models:
                faces = pd.read_parquet(FOLDER / model / "audits" / test / "faces.parquet").set_index("face_id")
                by_model[model] = faces
                common = faces.index if common is None else common.intersection(faces.index)
        for arm in tested.arms:
            rates = []
            for model in arm.models:
                faces = by_model[model].loc[common]
                faces = faces[faces["age"] >= 18]
                said = np.where(faces["logit_male"] > faces["logit_female"], "male", "female")
                own = (faces["gender"] == "female") & (faces["ethnicity"] == "Black")
                rates.append((said == faces["gender"])[own].mean())
            assert table[arm.name, Measure.GROUP, "female", "Black"] == pytest.approx(np.mean(rates))
