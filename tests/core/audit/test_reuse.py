"""A finished or begun audit goes with the images and the model that it was made of; what has changed since is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.audit import images, run
from core.audit.average_setting import AverageSetting, KeepAverages
from core.audit.folder import open_audit
from core.audit.run import run_audit
from core.checks.probe import check_source
from core.classifiers.folder import Model
from core.classifiers.info import DeclaredInfo, ModelInfo
from core.data.store import AlignedStore
from core.data.store_info import aligned_otherwise
from core.errors import LookwhereError
from tests.helpers.former import write_former
from tests.helpers.made_store import make_store


class Brightness:
    """Brighter than half is female; counts the faces it sees."""

    maps = head_bias = None
    precision = "float32"

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, pictures: np.ndarray) -> tuple[np.ndarray, None]:
        self.seen += len(pictures)
        z = (pictures.mean(axis=(1, 2, 3)) - 127).astype(np.float32)
        return np.stack([z, -z], axis=1), None


INFO = ModelInfo(weights_sha256="1" * 64, input_size=112, mean=(0.5,) * 3, std=(0.25,) * 3)


@pytest.fixture
def store(tmp_path: Path) -> AlignedStore:
    store = make_store(tmp_path / "aligned/made")
    return replace(store, manifest=replace(store.manifest, plan_sha256="a" * 64))


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model("m", tmp_path / "models/m", None, INFO, Brightness())


def said(store: AlignedStore, **changes: object) -> AlignedStore:
    return replace(store, manifest=replace(store.manifest, **changes))


CHANGES: dict[str, tuple[Callable[[AlignedStore, Model], tuple[AlignedStore, Model]], str]] = {
    "border": (
        lambda store, model: (said(store, padding=60), model),
        r"faces that were aligned otherwise .border before detection 60, not 0.",
    ),
    "detector": (lambda store, model: (said(store, detector="another"), model), "detector another, not none"),
    "people": (
        lambda store, model: (said(store, plan_sha256="b" * 64), model),
        "its images, people or labels are others",
    ),
    "mean": (
        lambda store, model: (store, replace(model, info=replace(INFO, mean=(0.4,) * 3))),
        r"model\.json said otherwise of the model's input or outputs",
    ),
    "declaration": (
        lambda store, model: (store, replace(model, info=replace(INFO, declaration=DeclaredInfo(score="logits")))),
        r"model\.json said otherwise",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_finished_audit_of_something_else_is_told(name: str, store: AlignedStore, model: Model) -> None:
    change, message = CHANGES[name]
    first = run_audit(store, model, ("all",))
    assert run_audit(store, model, ("all",)).manifest == first.manifest
    with pytest.raises(LookwhereError, match=rf"{message}.*choose another --name or delete it"):
        run_audit(*change(store, model), ("all",))


@pytest.mark.parametrize("name", CHANGES)
def test_a_begun_audit_of_something_else_is_begun_anew(
    name: str, store: AlignedStore, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "SHARD", 16)

    def stop(stage: str, total: int) -> Callable[[int], None]:
        def tick(n: int) -> None:
            if model.classify.seen > 40:
                raise KeyboardInterrupt

        return tick

    with pytest.raises(KeyboardInterrupt):
        run_audit(store, model, ("all",), batch=8, progress=stop)
    model.classify.seen = 0
    run_audit(*CHANGES[name][0](store, model), ("all",), batch=8)
    assert model.classify.seen == len(store.faces)


def test_a_begun_audit_in_another_precision_is_begun_anew(
    store: AlignedStore, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "SHARD", 16)
    monkeypatch.setattr(run, "_finish", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run_audit(store, model, ("all",))
    model.classify.seen = 0
    with pytest.raises(ZeroDivisionError):
        run_audit(store, model, ("all",))
    assert model.classify.seen == 0, "the same goes on"
    model.classify.precision = "bfloat16"
    with pytest.raises(ZeroDivisionError):
        run_audit(store, model, ("all",))
    assert model.classify.seen == len(store.faces)


def test_an_audit_of_before_this_was_kept_is_opened(store: AlignedStore, model: Model) -> None:
    path = run_audit(store, model, ("all",)).path
    content = json.loads((path / "audit.json").read_text())
    for key in ("aligned", "declared_sha256"):
        del content[key]
    write_former(path / "audit.json", content)
    for change, _ in CHANGES.values():
        assert run_audit(*change(store, model), ("all",)).manifest.aligned == {}


@pytest.mark.parametrize(
    ("first", "then", "message"),
    [
        (KeepAverages.NO, KeepAverages.YES, "holds an audit without average faces"),
        (KeepAverages.YES, KeepAverages.NO, "holds an audit with average faces"),
        (KeepAverages.NO, KeepAverages.AUTO, None),
        (KeepAverages.YES, KeepAverages.AUTO, None),
    ],
)
def test_average_faces_that_were_asked_for_otherwise_are_told(
    model: Model, tmp_path: Path, first: KeepAverages, then: KeepAverages, message: str | None
) -> None:
    store = make_store(tmp_path / "store", columns={"ethnicity": "White", "age": 30})
    done = run_audit(store, model, ("all",), averages=AverageSetting(first))
    assert (len(done.averages.cells) > 0) == (first is KeepAverages.YES)
    if message is None:
        assert run_audit(store, model, ("all",), averages=AverageSetting(then)).manifest == done.manifest
        return
    with pytest.raises(LookwhereError, match=f"{message}; choose another --name or delete it"):
        run_audit(store, model, ("all",), averages=AverageSetting(then))


def test_checks_and_pages_take_no_images_aligned_otherwise(store: AlignedStore, model: Model, tmp_path: Path) -> None:
    audit = run_audit(store, model, ("all",))
    check_source(audit, model, store)
    with pytest.raises(LookwhereError, match=r"aligned otherwise than those of audit made-all .border.*--data"):
        check_source(audit, model, said(store, padding=60))
    opened_images, _ = images.open_images(audit, tmp_path / "aligned")
    assert opened_images.path == store.path
    content = json.loads((store.path / "store.json").read_text())
    (store.path / "store.json").write_text(json.dumps(content | {"padding": 60}))
    opened_images, looked = images.open_images(open_audit(audit.path), tmp_path / "aligned")
    assert opened_images is None
    assert "the audited faces, but aligned otherwise (border before detection 60, not 0)" in looked[0]


def test_a_store_cut_while_it_is_open_is_told(store: AlignedStore, model: Model, tmp_path: Path) -> None:
    """To read a memory map beyond its file's end would end the process: the whole server."""
    audit = run_audit(store, model, ("all",))
    opened_images, _ = images.open_images(audit, tmp_path / "aligned")
    assert opened_images.face(0).shape == (112, 112, 3)
    with (opened_images.path / "faces.npy").open("r+b") as file:
        file.truncate(5000)
    for look in (
        lambda: opened_images.face(len(audit.faces) - 1),
        lambda: opened_images.average(np.arange(len(audit.faces))),
    ):
        with pytest.raises(LookwhereError, match=r"faces\.npy: cut while it was read; align again"):
            look()


def test_a_store_cut_during_its_audit_is_told_and_nothing_is_published(
    store: AlignedStore, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is cut when the first batch has been classified."""
    opened, classify = AlignedStore.open(store.path), model.classify

    class Cutting:
        def __call__(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            with (store.path / "faces.npy").open("r+b") as file:
                file.truncate(5000)
            return classify(pictures)

        def __getattr__(self, name: str) -> object:
            return getattr(classify, name)

    with pytest.raises(LookwhereError, match=r"faces\.npy: cut while it was read; align again"):
        run_audit(opened, replace(model, classify=Cutting()), ("all",), batch=4)
    assert not list(model.path.glob("audits/*/audit.json"))


def test_only_what_both_say_is_compared() -> None:
    assert aligned_otherwise({"padding": 0, "detector": "a"}, {"padding": 0}) == ""
    assert aligned_otherwise({}, {"padding": 0}) == ""
    differences = aligned_otherwise({"padding": 0, "plan_sha256": "1"}, {"padding": 3, "plan_sha256": "2"})
    assert differences == "border before detection 3, not 0; its images, people or labels are others"


def test_a_declaration_is_what_changes_the_answer() -> None:
    info = replace(INFO, declaration=DeclaredInfo(score="logits", by_default=("crop",)))
    assert info.declared_sha256 == replace(info, declaration=DeclaredInfo(score="logits")).declared_sha256
    assert info.declared_sha256 == replace(info, epoch=3, weights_sha256="2").declared_sha256
    for change in ({"std": (1.0,) * 3}, {"input_size": 64}, {"dilated": True}, {"declaration": None}):
        assert replace(info, **change).declared_sha256 != info.declared_sha256
