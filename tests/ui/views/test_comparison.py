"""The page that compares models: a study with one model, with two of different grids, and with an experiment."""

from __future__ import annotations

import itertools
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.analysis.comparison import claim_contrast, open_experiment
from core.analysis.comparison.paired import group_mask, paired_by_group
from core.data.faces import ADULT_AGE, AGE_EDGES
from core.data.filters import Filter
from core.files import write_json
from core.task import GENDERS
from tests.helpers.made_audit import made_audit, made_faces
from tests.helpers.made_experiment import INFO, make_experiment
from tests.helpers.pages import headline, page, text

FACES = 600
PRESET = "leaving out Black women: everyone → without"


def add_model(
    models: Path, name: str, missed: float, shape: tuple[int, int], pictures: bool, seed: int, n: int = FACES
) -> None:
    """A made model audited on the faces of `make_experiment`, which misses Black women as often as it is told."""
    draw = np.random.default_rng(seed)
    faces = made_faces(n, 0)
    wrong = draw.random(n) < np.where(group_mask(faces, "female", "Black"), missed, 0.1)
    evidence = draw.normal(1, 1, (n, 2, *shape))
    images = draw.integers(0, 255, (n, 112, 112, 3), dtype=np.uint8) if pictures else None
    made_audit(
        faces=faces, correct=~wrong, evidence=evidence, images=images, path=models / name / "audits/made-test"
    )  # fmt: skip
    write_json(models / name / "model.json", INFO)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = tmp_path_factory.mktemp("two")
    add_model(models, "first", 0.1, (7, 7), True, 1)
    add_model(models, "second", 0.6, (4, 4), False, 2)
    return models


@pytest.fixture(scope="module")
def study(two: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = tmp_path_factory.mktemp("study") / "models"
    shutil.copytree(two, models)
    make_experiment(models, FACES)
    return models


def averaged(said: str) -> int:
    """Of how many Black women the average face is."""
    return int(re.search(r"Black women, average of (\d+)", said).group(1))


def paired(app: AppTest) -> pd.DataFrame:
    """The table of all groups."""
    return next(element.value for element in app.dataframe if "only A correct" in element.value)


def runs(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    assert not app.warning
    return app


def test_one_model_is_told_how_to_get_a_second(two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(two / "first", tmp_path / "first")
    app = runs(page(tmp_path, "compare", monkeypatch))
    assert "the only model audited on these faces" in text(app)
    assert "python -m core audit" in text(app)
    assert not app.get("plotly_chart")


def test_two_models_of_different_grids(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = runs(page(two, "compare", monkeypatch))
    page_text = text(app)
    assert app.selectbox(key="model_a").value == "first"
    assert app.selectbox(key="model_b").value == "second"
    assert "second differs from first by −" in headline(app)
    assert "most changed are Black women" in headline(app)
    assert "7×7 maps are averaged by area onto 4×4" in page_text
    for panel in ("average of", "A: first", "B: second", "B − A: "):
        assert f"Black women, {panel}" in page_text
    assert "of 16 cells differ" in page_text
    assert "Over all seeds" not in page_text
    table = paired(app).set_index("group")
    assert table.loc["Black women", "only A correct"] > 5 * table.loc["Black women", "only B correct"]
    assert list(table.columns)[-1] == "p (Holm)"


def test_the_average_face_comes_from_the_model_that_stores_it(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page_text = text(runs(page(two, "compare", monkeypatch, model_a="second", model_b="first")))
    assert averaged(page_text) > FACES / 12
    assert "no average face" not in page_text


@pytest.mark.parametrize("maps", ["shape", "strength"])
@pytest.mark.parametrize("target", ["true", "margin"])
def test_each_kind_of_map(maps: str, target: str, two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = runs(page(two, "compare", monkeypatch, maps=maps, of=target, shown=["men", "White men"]))
    assert app.segmented_control(key="maps").value == maps
    assert "White men, B − A" in text(app)


def test_the_filter_bar_is_the_first_models(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = runs(page(two, "compare", monkeypatch, adults="true", ethnicity="Black"))
    faces = made_faces(FACES, 0)
    n = int(Filter(ethnicity=("Black",), age_from=ADULT_AGE).mask(faces).sum())
    table = paired(app)
    assert table["n"].iloc[0] == n
    assert list(table["group"]) == ["All faces", "Black women", "Black men"]


def test_no_face_left_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed, name in enumerate(("first", "second")):
        add_model(tmp_path, name, 0.1, (4, 4), False, seed, 60)
    faces = made_faces(60, 0)
    groups = itertools.product(GENDERS, ("White", "Black", "Asian"), itertools.pairwise(AGE_EDGES))
    empty = next((g, e, a) for g, e, a in groups if not Filter((g,), (e,), *a).mask(faces).any())
    query = {"gender": empty[0], "ethnicity": empty[1], "age": list(map(str, empty[2]))}
    app = page(tmp_path, "compare", monkeypatch, **query)
    assert not app.exception
    assert "No face passes this filter" in text(app)
    assert not app.dataframe


def test_an_experiment_is_a_preset_with_its_verdict(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = runs(page(study, "compare", monkeypatch, contrast=PRESET))
    said, experiment = text(app), open_experiment(study / "experiments/claims")
    found = claim_contrast(experiment, experiment.claims[0])
    assert app.selectbox(key="contrast").value == "leaving out Black women: everyone → without"
    value = f"{100 * found.effects['group'].seeds.value:+.1f}".replace("-", "−")
    assert f"changes the accuracy of Black women by {value} points" in headline(app)
    assert f"The claim is that it falls: {found.verdict}." in headline(app)
    assert "is part of what claim 4 is tested by; Findings has the whole verdict" in headline(app)
    assert "claims / without / seed 0" in said
    # The experiment's audits hold no average face; the first model's, of the same faces, does.
    assert averaged(said) > FACES / 12
    assert said.count("Black women, B − A") == 1
    for title in ("Overall accuracy", "Accuracy of Black women", "Worst group's accuracy", "Largest gap"):
        assert f"**{title}**" in said
    effects = next(d.value for d in app.dataframe if "by seed" in d.value).set_index("measure")
    assert effects.loc["Black women", "a difference"] == "supported"


def test_another_seed_is_another_pair(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = runs(page(study, "compare", monkeypatch, contrast=PRESET, seed="2"))
    assert "claims / everyone / seed 2" in text(app)
    experiment = open_experiment(study / "experiments/claims")
    expected = paired_by_group(experiment.audits("everyone")[2], experiment.audits("without")[2])
    table = paired(app)
    assert list(table["only A correct"]) == list(expected["only_a"])


def test_a_claim_of_the_worst_group(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = runs(page(study, "compare", monkeypatch, contrast="the worst group: everyone → again"))
    assert "the worst group changes the accuracy of the worst group by" in headline(app)


def test_a_filter_without_the_claimed_group_still_compares(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(study, "compare", monkeypatch, contrast=PRESET, gender="male")
    assert not app.exception
    assert "None of Black women passes the filter" in app.warning[0].value or "none of Black" in app.warning[0].value
    assert "claims / without / seed 0 differs from claims / everyone / seed 0 by" in headline(app)


def test_four_models_of_ones_own_choice(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    query = {
        "contrast": "my own choice of models", "models_count": "4", "model_a": "claims / everyone / seed 0",
        "model_b": "claims / without / seed 0", "model_c": "first", "model_d": "second",
    }  # fmt: skip
    app = runs(page(study, "compare", monkeypatch, **query))
    assert [app.selectbox(key=f"model_{letter}").value for letter in "abcd"] == [query[f"model_{k}"] for k in "abcd"]
    assert set(paired(app)["model"]) == {query[f"model_{k}"] for k in "bcd"}
    assert "Black women, D − A" in text(app)


def test_a_damaged_experiment_is_told_and_the_rest_goes_on(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(study, tmp_path / "models")
    (tmp_path / "models/experiments/claims/experiment.json").write_text("{")
    app = page(tmp_path / "models", "compare", monkeypatch)
    assert not app.exception
    assert "experiment.json: not valid JSON" in app.warning[0].value
    assert "second differs from first" in headline(app)


@pytest.fixture
def overlapping(tmp_path: Path) -> Path:
    """A model audited on 600 faces, one on all but the first of them in another order, and one on other faces."""
    add_model(tmp_path, "first", 0.1, (4, 4), True, 1)
    faces = made_faces(FACES, 0).iloc[:0:-1].reset_index(drop=True)
    correct = np.arange(FACES - 1) % 5 > 0
    made_audit(faces=faces, correct=correct, shape=(4, 4), path=tmp_path / "shorter/audits/made-test")
    elsewhere = made_faces(80, 3).assign(face_id=[f"other-{n}" for n in range(80)])
    made_audit(faces=elsewhere, correct=np.arange(80) % 5 > 0, path=tmp_path / "elsewhere/audits/made-test")
    for name in ("shorter", "elsewhere"):
        write_json(tmp_path / name / "model.json", INFO)
    return tmp_path


def test_one_missing_face_hides_no_pair(overlapping: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = runs(page(overlapping, "compare", monkeypatch, model="first"))
    assert app.selectbox(key="model_a").value == "first", "the open model begins"
    assert app.selectbox(key="model_b").options == ["shorter"], "the third shares no face"
    assert "Compared on the **599** faces that all of them have; left out are 1 of A, 0 of B." in text(app)
    assert paired(app)["n"].iloc[0] == FACES - 1
    with_all = runs(page(overlapping, "compare", monkeypatch, model="shorter"))
    assert "left out are 0 of A, 1 of B" in text(with_all)


def test_the_open_model_is_where_one_begins_even_beside_an_experiment(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = runs(page(study, "compare", monkeypatch, model="second"))
    assert app.selectbox(key="contrast").value == "my own choice of models"
    assert app.selectbox(key="model_a").value == "second"


def test_the_partner_is_another_model_rather_than_an_older_network_of_an_experiment(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in (study / "experiments").rglob("audit.json"):
        os.utime(file, (0, 0))
    app = runs(page(study, "compare", monkeypatch, model="second"))
    assert app.selectbox(key="model_b").value == "first"
