"""One model on several data sets: counts, the surest drop, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from core.analysis.comparison.data_sets import (
    DataSetAudit,
    Seen,
    accuracy_by_data_set,
    group_drops,
    of_other_data,
    overall_drop,
    seen_in_training,
)
from core.analysis.intervals import newcombe
from core.audit.folder import Audit
from core.audit.training_copies import TrainingCopies
from core.classifiers.info import DataInfo, ModelInfo
from core.data.columns import Column, Kind
from core.data.filters import Filter
from core.present.text.data_sets import (
    abroad_sentence,
    data_set_name,
    data_set_names,
    perhaps_the_same_words,
    shown_sentence,
    without_columns,
)
from tests.helpers.made_audit import made_audit, made_faces


def audit_of(name: str, fingerprint: str, correct: dict[tuple[str, str], tuple[int, int]]) -> Audit:
    """An audit whose groups (gender, ethnicity) have so many correct faces of so many, all adults."""
    rows = [
        {"gender": gender, "ethnicity": ethnicity, "right": k < right}
        for (gender, ethnicity), (right, n) in correct.items()
        for k in range(n)
    ]
    table = pd.DataFrame(rows)
    faces = made_faces(len(table)).assign(gender=table["gender"], ethnicity=table["ethnicity"], age=30)
    audit = made_audit(faces=faces, correct=table["right"].to_numpy(), shape=None)
    looked_up = TrainingCopies(datasets=("home",), compared=250, copies=0, near_copies=0, left_out=True)
    manifest = replace(audit.manifest, data_fingerprint=fingerprint, dataset=name, training_copies=looked_up)
    return replace(audit, manifest=manifest, path=audit.path.with_name(name), name=name)


@pytest.fixture(scope="module")
def home() -> Audit:
    groups = {("female", "Black"): (95, 100), ("male", "Black"): (99, 100), ("female", "Indian"): (45, 50)}
    return audit_of("home", "h", groups)


@pytest.fixture(scope="module")
def abroad() -> Audit:
    groups = {("female", "Black"): (24, 40), ("male", "Black"): (40, 40), ("female", "Arab"): (9, 10)}
    return audit_of("abroad", "a", groups)


@pytest.fixture(scope="module")
def both(home: Audit, abroad: Audit) -> list[DataSetAudit]:
    return of_other_data(abroad, [home], ModelInfo(input_size=112, data=DataInfo(fingerprint="h+v")))


def test_the_training_data_come_first_whichever_is_open(both: list[DataSetAudit]) -> None:
    assert [(member.audit.manifest.dataset, member.seen) for member in both] == [
        ("home", Seen.HOME),
        ("abroad", Seen.ABROAD),
    ]
    assert seen_in_training(both[0].audit, ModelInfo(input_size=112)) is Seen.UNKNOWN


def test_one_audit_a_data_set(home: Audit, abroad: Audit) -> None:
    again = replace(home, path=home.path.with_name("again"))
    assert len(of_other_data(home, [again, abroad], None)) == 2


def test_the_same_pictures_with_other_columns_are_no_data_set_of_their_own(home: Audit, abroad: Audit) -> None:
    def of(audit: Audit, fingerprint: str, pictures: range) -> Audit:
        sketch = tuple(f"{n:012x}" for n in pictures)
        return replace(audit, manifest=replace(audit.manifest, data_fingerprint=fingerprint, pictures=sketch))

    first, again, third = of(home, "h", range(256)), of(home, "own", range(200, 456)), of(abroad, "a", range(900, 999))
    assert [member.audit for member in of_other_data(first, [again, third], None)] == [first, third]


def test_what_is_copied_from_the_training_data_is_at_home(abroad: Audit) -> None:
    info = ModelInfo(input_size=112, data=DataInfo(fingerprint="h"))
    assert seen_in_training(abroad, info) is Seen.ABROAD
    for copies, expected in ((46, Seen.HOME), (45, Seen.ABROAD)):  # of 90 faces
        copies_record = TrainingCopies(
            datasets=("home",), compared=250, copies=copies, near_copies=None, left_out=False
        )
        copied = replace(abroad, manifest=replace(abroad.manifest, training_copies=copies_record))
        assert seen_in_training(copied, info) is expected


def test_other_labels_alone_do_not_make_other_data(abroad: Audit) -> None:
    info = ModelInfo(input_size=112, data=DataInfo(fingerprint="h"))
    never_looked_up = replace(abroad, manifest=replace(abroad.manifest, training_copies=None))
    assert seen_in_training(never_looked_up, info) is Seen.NOT_COMPARED
    assert seen_in_training(never_looked_up, ModelInfo(input_size=112)) is Seen.UNKNOWN
    name = data_set_name(DataSetAudit(never_looked_up, Seen.NOT_COMPARED))
    assert name == "abroad, not labelled as its training data, images not compared"


def test_what_may_be_the_same_images_is_told(home: Audit, abroad: Audit) -> None:
    def of(audit: Audit, dataset: str, pictures: int, name: str) -> DataSetAudit:
        sketch = tuple(f"{name}{n}" for n in range(pictures))
        manifest = replace(audit.manifest, dataset=dataset, pictures=sketch, data_fingerprint=name)
        return DataSetAudit(replace(audit, manifest=manifest, name=name), Seen.NOT_COMPARED)

    own, sketched, other = (of(home, "manifest", n, name) for n, name in ((0, "a"), (99, "b"), (99, "c")))
    known = of(abroad, "fairface", 0, "d"), of(abroad, "utkface", 0, "e")
    assert perhaps_the_same_words([sketched, other]) is None, "both keep a sketch, and it differs"
    assert perhaps_the_same_words(known) is None, "their names tell them apart"
    assert (perhaps_the_same_words([own, sketched, *known]) or "").startswith(
        "May be of the same images: a and b; a and d; a and e; b and d; b and e. Their labels differ"
    )
    again = of(abroad, "fairface", 0, "f")
    assert "same images: d and f." in (perhaps_the_same_words([*known, again]) or "")


def test_data_sets_are_called_by_their_own_names(home: Audit) -> None:
    renamed = replace(home, manifest=replace(home.manifest, dataset="fairface"))
    assert data_set_name(DataSetAudit(renamed, Seen.ABROAD)) == "FairFace, data it was not trained on"


def test_how_many_of_each_data_sets_faces_are_shown_is_said(both: list[DataSetAudit]) -> None:
    adults = Filter(age_from=18)
    home, abroad = (int(adults.mask(member.audit.faces).sum()) for member in both)
    every = [len(member.audit.faces) for member in both]
    assert shown_sentence(both, adults) == (
        f"Shown are {home} of home's {every[0]} and {abroad} of abroad's {every[1]} audited faces."
    )


def test_a_data_set_without_a_column_that_is_asked_of_is_said(home: Audit, abroad: Audit) -> None:
    both = [DataSetAudit(audit, Seen.ABROAD) for audit in (home, abroad)]
    column = Column(name="hat", kind=Kind.YES_NO, levels=("no", "yes"), words="a hat")
    filter = Filter(columns=(("hat", ("yes",)),))
    assert not filter.applies_to(abroad.faces) and filter.applies_to(abroad.faces.assign(hat="yes"))
    assert without_columns(both[1:], filter, [column]) == (f"Not beside it: {abroad.name}, which has no column a hat.")


def test_of_the_training_data_it_is_said_which_splits_were_audited(both: list[DataSetAudit]) -> None:
    home = both[0]
    trained_on = replace(home, audit=replace(home.audit, manifest=replace(home.audit.manifest, splits=("train",))))
    test_only = replace(home, audit=replace(home.audit, manifest=replace(home.audit.manifest, splits=("test",))))
    assert data_set_name(trained_on) == "home, train split of the data it was trained on"
    assert data_set_name(test_only) == "home, test split of the data it was trained on"
    assert data_set_name(both[1]) == "abroad, data it was not trained on"


def test_counts_are_those_of_each_data_set_and_strange_names_are_left_out(both: list[DataSetAudit]) -> None:
    table = accuracy_by_data_set(both, Filter(age_from=18))
    assert set(table["ethnicity"]) == {"", "Black"}
    row = table[(table["audit"] == "abroad") & (table["gender"] == "female") & (table["ethnicity"] == "Black")].iloc[0]
    assert (row["correct"], row["n"]) == (24, 40)
    assert row["accuracy"] == 24 / 40
    everyone = table[(table["audit"] == "home") & (table["gender"] == "")].iloc[0]
    assert (everyone["correct"], everyone["n"]) == (239, 250)
    difference = overall_drop(table, "home", "abroad")
    assert difference == pytest.approx(newcombe(73, 90, 239, 250))


def test_the_surest_drop_comes_first_at_the_level_of_all_groups(both: list[DataSetAudit]) -> None:
    table = accuracy_by_data_set(both, Filter())
    drops = group_drops(table, "home", "abroad")
    assert [(drop.gender, drop.ethnicity) for drop in drops] == [("female", "Black"), ("male", "Black")]
    alone = newcombe(24, 40, 95, 100)
    assert drops[0].difference.value == pytest.approx(alone.value)
    assert drops[0].difference.low < alone.low < alone.high < drops[0].difference.high
    assert group_drops(table, "home", "abroad", least=41) == []


def test_the_sentence_gives_both_accuracies_and_the_group(both: list[DataSetAudit]) -> None:
    filter = Filter(age_from=18)
    text = abroad_sentence(accuracy_by_data_set(both, filter), *both, filter)
    assert text.startswith("Among adults, accuracy on abroad is 81.1 % [71.8–87.9] of 90, 14.5 points [")
    assert "below that on home (95.6 %" in text
    assert "Black women are surest to lose: 95.0 % to 60.0 %, 35.0 points [" in text


def test_no_drop_is_claimed_of_equal_data_sets(home: Audit) -> None:
    twin = replace(
        home,
        manifest=replace(home.manifest, data_fingerprint="t", dataset="twin"),
        path=home.path.with_name("twin"),
        name="twin",
    )
    audits = of_other_data(home, [twin], None)
    text = abroad_sentence(accuracy_by_data_set(audits, Filter()), *audits, Filter())
    assert "not told apart (0.0 points [" in text or "not told apart (+0.0 points [" in text
    assert text.endswith("none is sure to lose accuracy.")


def test_a_data_set_without_such_faces_is_said(both: list[DataSetAudit]) -> None:
    filter = Filter(ethnicity=("Indian",))
    text = abroad_sentence(accuracy_by_data_set(both, filter), *both, filter)
    assert text == "Among Indian faces, abroad has no face, so the data sets cannot be put beside each other."


def test_data_of_ones_own_are_called_as_their_audit_and_lack_ages_by_name(both: list[DataSetAudit]) -> None:
    home, abroad = both
    faces = abroad.audit.faces.assign(age=pd.array([pd.NA] * len(abroad.audit.faces), dtype="Int16"))
    own = replace(abroad.audit, faces=faces, manifest=replace(abroad.audit.manifest, dataset="manifest"), name="clinic")
    audits, filter = [home, replace(abroad, audit=own)], Filter(age_from=18)
    text = abroad_sentence(accuracy_by_data_set(audits, filter), *audits, filter)
    assert text == "Among adults, clinic has no face of known age, so the data sets cannot be put beside each other."
    assert f"0 of clinic's {len(faces)}" in shown_sentence(audits, filter)
    assert data_set_names(audits)["clinic"].startswith("clinic, data it was not trained on")
