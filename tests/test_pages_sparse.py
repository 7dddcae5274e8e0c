"""Pages on data sets that lack something: no ethnicity, no ages, one gender. They say so and stay useful."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch

from core.audit.run import run_audit
from core.checkpoint import load_model, save_model
from core.faces import UNRECORDED, fingerprint
from core.files import write_json, write_parquet
from core.network import GenderResNet
from core.store import AlignedStore
from tests.conftest import make_store
from tests.test_pages import INFO, page, text
from ui import words

LACKS = {
    "no-ethnicity": ({"ethnicity": UNRECORDED}, words.NO_ETHNICITY),
    "no-age": ({"age": pd.NA}, words.NO_AGE),
    "one-gender": ({"gender": "female"}, words.ONE_GENDER),
}


@pytest.fixture(scope="module", params=list(LACKS))
def sparse(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A models folder with an audit of a data set that lacks something, and what a page should say of it."""
    root = tmp_path_factory.mktemp("sparse")
    store = make_store(root / "store", faces=120)
    columns, says = LACKS[request.param]
    faces = store.faces.assign(**columns).astype({"age": "Int16"})
    write_parquet(root / "store/faces.parquet", faces)
    write_json(root / "store/store.json", store.manifest | {"data_fingerprint": fingerprint(faces)})
    torch.manual_seed(0)
    save_model(root / "models/made", GenderResNet().eval(), INFO | {"input_size": 32})
    run_audit(AlignedStore.open(root / "store"), load_model(root / "models/made"), None, name="all", batch=60)
    return root / "models", says


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
