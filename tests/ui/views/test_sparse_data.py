"""Pages on data sets that lack something: no ethnicity, no ages, one gender. They say so and stay useful."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.data.faces import UNRECORDED
from tests.helpers.made_study import audited_models
from tests.helpers.pages import page, text
from ui.widgets import help_texts

LACKS = {
    "no-ethnicity": ({"ethnicity": UNRECORDED}, help_texts.NO_ETHNICITY),
    "no-age": ({"age": pd.NA}, help_texts.NO_AGE),
    "one-gender": ({"gender": "female"}, help_texts.ONE_GENDER),
}


@pytest.fixture(scope="module", params=list(LACKS))
def sparse(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A models folder with an audit of a data set that lacks something, and what a page should say of it."""
    columns, says = LACKS[request.param]
    models = tmp_path_factory.mktemp("sparse")
    audited_models(models, 120, columns=columns)
    return models, says


@pytest.mark.parametrize("name", ["overview", "accuracy", "heatmaps"])
def test_a_page_without_something_stays_useful(
    name: str, sparse: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page(sparse[0], name, monkeypatch)
    assert not app.exception
    assert not app.error
    assert "lw-headline" in text(app)
    if name == "accuracy":
        assert sparse[1] in text(app)
