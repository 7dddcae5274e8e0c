"""Apparent skin tone beside a published audit: counts that let nobody's be known, and no face's own."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.analysis.accuracy.skin_tone import ADULTS, FILE, OVER_ALL, WITHIN, lay_beside, read_skin_tone, total
from core.audit.folder import Audit, open_audit
from core.audit.kept_averages import FILE as REMEMBERED
from core.data.measured import FILE as MEASURED
from core.data.measured import write_measured
from core.data.measures import SKIN_TONE
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.locks import alone
from core.privacy import outcome_told, told_parts
from tests.helpers.made_audit import made_audit
from tests.helpers.made_store import make_store

N = 480


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Audit, AlignedStore]:
    """A store whose faces are lighter the higher their number, and its audit: the darkest women are misclassified."""
    store = make_store(tmp_path / "store", faces=N, columns={"age": 30, "split": "test"})
    light = {"image_lightness": np.linspace(20, 80, N), SKIN_TONE: np.linspace(-40, 60, N)}
    write_measured(store.path, pd.DataFrame({"face_id": store.faces["face_id"], **light}))
    store = AlignedStore.open(store.path)
    dark = (store.measured[SKIN_TONE] < -10) & (store.faces["gender"] == "female")
    wrong = (np.arange(N) % 7 == 0) | (dark & (np.arange(N) % 3 == 0))
    audit = made_audit(faces=store.faces, correct=~wrong.to_numpy(), path=tmp_path / "models/made/audits/all")
    return audit, store


def test_by_face_there_is_everything_but_skin_tone(pair: tuple[Audit, AlignedStore]) -> None:
    audit, store = pair
    lay_beside(audit, store)
    opened = open_audit(audit.path)
    names = [column.name for column in opened.columns]
    assert names == ["image_lightness", "image_lightness_in_group"]
    assert opened.faces["image_lightness"].value_counts().tolist() == pytest.approx([160] * 3, abs=2)
    assert not [name for name in opened.faces if SKIN_TONE in name]
    assert SKIN_TONE not in pd.read_parquet(audit.path / MEASURED)
    text = (audit.path / FILE).read_text()
    assert not [face for face in audit.faces["face_id"] if face in text]


def test_counts_are_of_disjoint_groups_by_third_and_outcome(pair: tuple[Audit, AlignedStore]) -> None:
    audit, store = pair
    lay_beside(audit, store)
    skin_tone = read_skin_tone(audit)
    assert skin_tone.measured == N
    assert skin_tone.edges == pytest.approx(np.quantile(np.linspace(-40, 60, N), (1 / 3, 2 / 3)), abs=0.6)
    faces = audit.faces.assign(tone=store.measured[SKIN_TONE].to_numpy())
    for counts in skin_tone.counts:
        inside = faces[(faces["gender"] == counts.gender) & (faces["ethnicity"] == counts.ethnicity)]
        assert counts.ages == ADULTS
        assert total(counts).n == len(inside)
        assert total(counts).incorrect == (~inside["correct"]).sum()
        if counts.thirds == WITHIN:
            assert [part.n for part in counts.parts] == pytest.approx([len(inside) / 3] * 3, abs=1)
            dark = inside.nsmallest(counts.parts[0].n, "tone")
            assert counts.parts[0].incorrect == (~dark["correct"]).sum()
        else:
            assert counts.thirds == OVER_ALL
    assert {row["group"] for row in skin_tone.explained["adults"]} == {counts.group for counts in skin_tone.counts}


@pytest.mark.parametrize(
    ("part", "wrong", "is_told"),
    [
        ([0] * 40 + [1] * 40, [True] * 12 + [False] * 28 + [True] * 3 + [False] * 37, True),
        ([0] * 40 + [1] * 40, [True] * 15 + [False] * 65, False),  # all errors are dark: each would be known to be
        ([0] * 40 + [1] * 40, [True] * 5 + [False] * 35 + [True] * 5 + [False] * 35, False),  # ten people
        ([0] * 40 + [1] * 40, [True] * 40 + [True] * 25 + [False] * 15, False),  # all correct ones are light
    ],
)
def test_an_outcome_is_told_only_where_nobodys_third_follows(part: list, wrong: list, is_told: bool) -> None:
    assert outcome_told(np.array(part), np.array(wrong), np.arange(80)) is is_told


def test_parts_of_too_few_people_are_joined() -> None:
    persons = np.arange(100)
    assert told_parts(np.repeat([0, 1, 2], [40, 40, 20]), persons) == [[0], [1], [2]]
    assert told_parts(np.repeat([0, 1, 2], [5, 40, 55]), persons) == [[0, 1], [2]]
    assert told_parts(np.repeat([0, 1, 2, -1], [5, 3, 2, 90]), persons) == []
    # Ten faces a part, but of one person each.
    assert told_parts(np.repeat([0, 1], 50), np.repeat([0, 1], 50)) == []


def test_another_store_and_one_without_measures_are_refused(pair: tuple[Audit, AlignedStore], tmp_path: Path) -> None:
    audit, store = pair
    with pytest.raises(LookwhereError, match="other data than was audited"):
        lay_beside(audit, make_store(tmp_path / "other", faces=30))
    (store.path / MEASURED).unlink()
    with pytest.raises(LookwhereError, match="run `python -m core measure --data"):
        lay_beside(audit, AlignedStore.open(store.path))


def test_a_changed_document_is_told(pair: tuple[Audit, AlignedStore]) -> None:
    audit, store = pair
    lay_beside(audit, store)
    file = audit.path / FILE
    file.write_text(file.read_text().replace(f'"measured": {N}', '"measured": 7'))
    with pytest.raises(LookwhereError, match="changed since it was written; delete it and run"):
        read_skin_tone(audit)


def incorrect(audit: Audit, levels: int) -> dict[tuple[str, str], list[int | None]]:
    """Misclassified faces by group and thirds, of thirds in so many parts."""
    return {
        (counts.group, counts.thirds): [part.incorrect for part in counts.parts]
        for counts in read_skin_tone(audit).counts
        if len(counts.parts) == levels
    }


def test_counts_beside_two_audits_that_differ_in_one_outcome_would_tell_that_faces_third(
    pair: tuple[Audit, AlignedStore], tmp_path: Path
) -> None:
    """Another model, or a review that flips one label: who has both files knows whose outcome differs."""
    audit, store = pair
    correct = audit.faces["correct"].to_numpy().copy()
    face = int(np.flatnonzero(correct & (audit.faces["gender"] == "female") & (audit.faces["ethnicity"] == "White"))[9])
    correct[face] = False
    second_audit = made_audit(faces=store.faces, correct=correct, path=tmp_path / "models/other/audits/all")
    assert lay_beside(audit, store) is None
    error_tone = incorrect(audit, 3)

    apart = made_audit(faces=store.faces, correct=correct, path=tmp_path / "elsewhere/models/other/audits/all")
    assert lay_beside(apart, store) is None
    less = [
        b - a
        for a, b in zip(error_tone["White women", OVER_ALL], incorrect(apart, 3)["White women", OVER_ALL], strict=True)
    ]
    tone = store.measured[SKIN_TONE].to_numpy()
    third = int(np.searchsorted(read_skin_tone(apart).edges, tone[face], side="right"))
    assert less == [int(n == third) for n in range(3)], "subtracted, they say which third the one face is in"

    assert lay_beside(second_audit, store) == (
        f"{audit.path} has counts of some of the same faces, and the two subtracted could tell one face's"
    )
    assert read_skin_tone(second_audit) is None and (second_audit.path / MEASURED).is_file()
    # Published and then deleted, the first file is with whoever has it.
    shutil.rmtree(audit.path)
    assert lay_beside(second_audit, store).startswith("another audit had counts of some of the same faces")
    (tmp_path / "models" / REMEMBERED).unlink()
    assert lay_beside(second_audit, store) is None


def test_the_same_faces_and_outcomes_may_be_counted_again(pair: tuple[Audit, AlignedStore], tmp_path: Path) -> None:
    """So it is of another map method, or where the command is run once more."""
    audit, store = pair
    correct = audit.faces["correct"].to_numpy()
    again = made_audit(faces=store.faces, correct=correct, path=tmp_path / "models/made/audits/by-occlusion")
    assert [lay_beside(candidate, store) for candidate in (audit, audit, again)] == [None] * 3
    assert incorrect(again, 3) == incorrect(audit, 3)


def test_splits_without_a_face_in_common_are_counted_each(pair: tuple[Audit, AlignedStore], tmp_path: Path) -> None:
    audit, store = pair
    table = store.faces.assign(sha256=[f"{n:012x}" for n in range(N)])
    store = replace(store, faces=table)
    halves = [np.arange(N) < N // 2, np.arange(N) >= N // 2]
    parts = [
        made_audit(
            faces=table[half].reset_index(drop=True),
            correct=audit.faces["correct"].to_numpy()[half],
            path=tmp_path / f"halves/made/audits/{n}",
            manifest={"data_fingerprint": audit.manifest.data_fingerprint},
        )
        for n, half in enumerate(halves)
    ]
    assert [lay_beside(part, store) for part in parts] == [None, None]


def test_what_another_process_is_about_to_tell_is_waited_for(pair: tuple[Audit, AlignedStore]) -> None:
    """Two that look before either writes would both tell their counts, which the two subtracted would undo."""
    audit, store = pair
    answers: list[str | None] = []
    measuring = threading.Thread(target=lambda: answers.append(lay_beside(audit, store)))
    with alone(audit.path.parents[2] / "averages", "keeping"):
        measuring.start()
        measuring.join(2)
        assert measuring.is_alive()
        assert not (audit.path / FILE).exists()
    measuring.join(30)
    assert answers == [None]
    assert (audit.path / FILE).exists()


def test_an_audit_of_an_experiments_run_is_found_from_the_models_beside_it(
    pair: tuple[Audit, AlignedStore], tmp_path: Path
) -> None:
    """Only audits of the same folder of models were looked at: counts of both could be subtracted."""
    audit, store = pair
    (tmp_path / "models/shipped.json").write_text("{}")
    correct = audit.faces["correct"].to_numpy().copy()
    correct[np.flatnonzero(correct)[9]] = False
    runs = tmp_path / "models/experiments/claims"
    of_run = made_audit(faces=store.faces, correct=correct, path=runs / "net-s0/audits/all")
    assert lay_beside(of_run, store) is None
    assert lay_beside(audit, store).startswith(f"{of_run.path} has counts of some of the same faces")
    shutil.rmtree(of_run.path)
    assert lay_beside(audit, store).startswith("another audit had counts")
    # And the other way round.
    for remembered in (tmp_path / "models").rglob(REMEMBERED):
        remembered.unlink()
    assert lay_beside(audit, store) is None
    again = made_audit(faces=store.faces, correct=correct, path=runs / "net-s1/audits/all")
    assert lay_beside(again, store).startswith(f"{audit.path} has counts")
