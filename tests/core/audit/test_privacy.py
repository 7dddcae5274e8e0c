"""Averages of two audits of the same faces could be subtracted: by default only one audit keeps them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.audit import run
from core.audit.average_setting import AverageSetting, KeepAverages
from core.audit.folder import Audit, open_audit
from core.audit.notes import NoteCode, note_sentence
from core.audit.run import run_audit
from core.classifiers.folder import load_model
from core.classifiers.imported import from_dict, import_model
from core.data.filters import Filter
from core.errors import LookwhereError
from tests.helpers.made_store import make_store
from tests.helpers.made_study import Brightness
from tests.helpers.releases_made import made_model, release, store_with_one_marked


class OneOff(Brightness):
    """The same answers but for one face, which a subtraction would give away."""

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        logits, maps = super().__call__(images)
        marked = images[:, 0, 0, 0] == 255
        logits[marked] = -logits[marked]
        return logits, maps


def subtracted(first: Audit, second: Audit) -> float:
    """How well the one misjudged face is had back from two audits' averages of right women: r over its pixels."""
    filter = Filter(gender=("female",), outcome="correct")
    (a, n_a), (b, n_b) = first.averages.mean(filter), second.averages.mean(filter)
    if a is None or b is None:
        return 0.0
    assert n_a == n_b + 1
    remainder = n_a * a.astype(float) - n_b * b.astype(float)
    face = np.load(first.path.parents[3] / "store/faces.npy")[0].astype(float)
    return float(np.corrcoef(remainder.ravel(), face.ravel())[0, 1])


def test_a_second_audit_of_the_same_faces_keeps_no_averages_unless_asked_to(tmp_path: Path) -> None:
    store = store_with_one_marked(tmp_path)
    first = run_audit(
        store, made_model(tmp_path, "a", Brightness(None)), ("all",), averages=AverageSetting(KeepAverages.AUTO)
    )
    second = run_audit(
        store, made_model(tmp_path, "b", OneOff(None)), ("all",), averages=AverageSetting(KeepAverages.AUTO)
    )
    assert len(first.averages.cells) and first.manifest.averages is None
    assert len(second.averages.cells) == 0 and second.manifest.averages.code is NoteCode.AVERAGES_KEPT_ELSEWHERE
    assert second.averages.mean(Filter()) == (None, 0)
    assert subtracted(first, second) == 0
    forced = run_audit(
        store, made_model(tmp_path, "c", OneOff(None)), ("all",), averages=AverageSetting(KeepAverages.YES)
    )
    assert len(forced.averages.cells)
    # The reason for the rule: with both, a single face comes back through the rounding.
    assert subtracted(first, forced) > 0.5


def test_other_data_and_damaged_audits_do_not_count(tmp_path: Path) -> None:
    first_store = make_store(tmp_path / "one", faces=240, seed=0)
    two = make_store(tmp_path / "two", faces=260, seed=1)
    first = run_audit(
        first_store, made_model(tmp_path, "a", Brightness(None)), ("all",), averages=AverageSetting(KeepAverages.AUTO)
    )
    assert len(
        run_audit(
            two, made_model(tmp_path, "b", Brightness(None)), ("all",), averages=AverageSetting(KeepAverages.AUTO)
        ).averages.cells
    )
    (first.path / "averages.npz").write_bytes(b"")
    assert len(
        run_audit(
            first_store,
            made_model(tmp_path, "c", Brightness(None)),
            ("all",),
            averages=AverageSetting(KeepAverages.AUTO),
        ).averages.cells
    )


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"sha256": None},
        {"face_id": lambda table: "new/" + table["face_id"]},
        {"ethnicity": "White", "age": lambda table: table["age"].where(table.index % 3 > 0, 31)},
        {"split": "train"},
    ],
    ids=["same", "stored anew", "renamed", "relabelled", "split otherwise"],
)
def test_a_release_without_one_face_keeps_no_averages(tmp_path: Path, changed: dict) -> None:
    store = store_with_one_marked(tmp_path)
    first_store, two = release(store, tmp_path / "one"), release(store, tmp_path / "two", without=1, **changed)
    first, second = made_model(tmp_path, "a", Brightness(None)), made_model(tmp_path, "b", Brightness(None))
    whole = run_audit(first_store, first, ("all",), averages=AverageSetting(KeepAverages.AUTO))
    assert len(whole.averages.cells) and whole.manifest.pictures
    for one_of, name in ((second, "later"), (first, "again")):
        later = run_audit(two, one_of, ("all",), name=name, averages=AverageSetting(KeepAverages.AUTO))
        assert later.manifest.data_fingerprint != whole.manifest.data_fingerprint
        assert later.manifest.averages.code is NoteCode.AVERAGES_KEPT_ELSEWHERE
        assert not len(later.averages.cells) and not later.manifest.pictures
    assert "or of some, keeps" in note_sentence(later.manifest.averages)


def test_the_manifest_tells_which_faces_were_chosen(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", faces=240)
    unseen = run_audit(store, made_model(tmp_path, "a", Brightness(None)), None)
    assert (unseen.manifest.chosen, unseen.split_words) == ("unseen", "all splits")
    test = run_audit(store, made_model(tmp_path, "b", Brightness(None)), ("test",))
    assert (test.manifest.chosen, test.split_words) == ("test", "test split")
    assert open_audit(test.path).split_words == "test split"


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "a b", ""])
def test_an_audit_has_a_plain_name(name: str, tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", faces=48)
    with pytest.raises(LookwhereError, match="use letters, digits"):
        run_audit(store, made_model(tmp_path, "a", Brightness(None)), ("all",), name=name)


class Fixed(Brightness):
    """The same logits for every face."""

    def __init__(self, female: float, male: float) -> None:
        super().__init__(None)
        self.answer = np.array([female, male], dtype=np.float32)

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, None]:
        return np.tile(self.answer, (len(images), 1)), None


def test_ties_are_male_in_the_audit_as_in_the_accuracies(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", faces=240)
    tied = run_audit(store, made_model(tmp_path, "a", Fixed(0, 0)), ("all",))
    assert set(tied.faces["predicted"]) == {"male"}
    right = (tied.faces["p_male"] >= 0.5) == (tied.faces["gender"] == "male")
    assert tied.manifest.accuracy == pytest.approx(right.mean())


def test_a_model_that_says_one_thing_and_mere_decisions_are_told(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", faces=240)
    warnings = run_audit(store, made_model(tmp_path, "a", Fixed(3, 0)), ("all",)).manifest.warnings
    called = {note.code: note for note in warnings}[NoteCode.ONE_CLASS]
    assert (called.share, called.predicted) == (1, "female")
    assert NoteCode.EQUAL_CERTAINTY in {note.code for note in warnings}
    assert run_audit(store, made_model(tmp_path, "b", Brightness(None)), ("all",)).manifest.warnings == ()


def test_all_faces_and_the_test_split_are_not_taken_for_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store(tmp_path / "store", faces=240)
    theirs = made_model(tmp_path, "a", Brightness(None))
    run_audit(store, theirs, None, name="one")
    with pytest.raises(LookwhereError, match="another"):
        run_audit(store, theirs, ("test",), name="one")

    def stop(stage: str, total: int):
        def tick(n: int) -> None:
            raise KeyboardInterrupt

        return tick

    monkeypatch.setattr(run, "SHARD", 16)
    with pytest.raises(KeyboardInterrupt):
        run_audit(store, theirs, None, name="two", batch=16, progress=stop)
    resumed = run_audit(store, theirs, ("test",), name="two", batch=16)
    assert list(resumed.faces["face_id"]) == list(store.split("test")["face_id"])
    assert resumed.faces["correct"].all()


def test_predictions_over_several_shards_stay_with_their_faces_after_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store(tmp_path / "store", faces=240)
    scores = np.random.default_rng(3).uniform(0.01, 0.99, 240)
    table = pd.DataFrame({"file": store.faces["path"], "score": scores}).sample(frac=1, random_state=0)
    table.to_csv(tmp_path / "scores.csv", index=False)
    folder = import_model(
        tmp_path / "scores.csv", "scores", from_dict({"score": "probability", "of": "male"}), models=tmp_path / "models"
    )
    monkeypatch.setattr(run, "SHARD", 16)
    calls = []

    def stop(stage: str, total: int):
        def tick(n: int) -> None:
            calls.append(n)
            if len(calls) == 3:
                raise KeyboardInterrupt

        return tick

    with pytest.raises(KeyboardInterrupt):
        run_audit(store, load_model(folder), ("all",), batch=10, progress=stop)
    audit = run_audit(store, load_model(folder), ("all",), batch=7)
    expected = dict(zip(store.faces["face_id"], scores, strict=True))
    np.testing.assert_allclose(audit.faces["p_male"], [expected[f] for f in audit.faces["face_id"]], atol=1e-5)


def test_predictions_of_other_faces_alone_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", faces=240)
    table = pd.DataFrame({"file": store.split("train")["path"], "score": 0.3})
    table.to_csv(tmp_path / "scores.csv", index=False)
    folder = import_model(
        tmp_path / "scores.csv", "scores", from_dict({"score": "probability", "of": "male"}), models=tmp_path / "models"
    )
    with pytest.raises(LookwhereError, match="none of its predictions is of a face in test"):
        run_audit(store, load_model(folder), ("test",))
    assert not (folder / "audits").exists()
