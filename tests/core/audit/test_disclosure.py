"""Someone who has every average that pages show subtracts and solves for single faces: it does not come to one."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.__main__ import main
from core.audit import releases
from core.audit.average_setting import AverageSetting, KeepAverages
from core.audit.averages import Averages, assign_cells
from core.audit.disclosure import of_common_faces, stored_averages
from core.audit.folder import Audit, open_audit
from core.audit.images import AuditImages, rows_by_columns
from core.audit.kept_averages import FILE
from core.audit.notes import NoteCode
from core.audit.releases import common, sketch
from core.audit.reviewed import Decisions, recounted
from core.audit.run import run_audit
from core.data.filters import Filter
from core.data.measured import with_measures
from core.data.splits import person_numbers
from core.errors import LookwhereError
from core.privacy import MINIMUM_FACES, enough_people
from tests.helpers.made_audit import made_audit
from tests.helpers.made_study import Brightness
from tests.helpers.releases_made import made_model, release, store_with_one_marked

PEOPLE = 420
SIDE = 8


@cache
def attacked(persons: int | None = PEOPLE, n: int = 900) -> tuple[Audit, np.ndarray]:
    """An audit of noise faces with columns of every kind, some people with many images, and its images."""
    images = np.random.default_rng(4).integers(0, 256, (n, SIDE, SIDE, 3), dtype=np.uint8)
    audit = made_audit(n, seed=5, own=True, shape=None, errors=0.15, persons=persons, images=images, ages=(0, 80))
    return audit, images


def filters(audit: Audit) -> list[Filter]:
    """What pages let one ask for: gender × ethnicity × ages × prediction × one column's levels, one or all but one."""
    levels: list[tuple] = [()]
    for column in audit.columns:
        levels += [((column.name, (level,)),) for level in column.levels]
        if column.name == "camera":
            levels += [((column.name, tuple(x for x in column.levels if x != level)),) for level in column.levels]
    genders = [(), ("female",)]
    ethnicities = [(), ("Black", "Asian")]
    ages = [(0, None), (18, None), (18, 60)]
    outcomes = ["all", "correct", "incorrect"]
    return [
        Filter(g, e, low, high, outcome, columns=columns)
        for g, e, (low, high), outcome, columns in itertools.product(genders, ethnicities, ages, outcomes, levels)
    ]


def shown_sets(audit: Audit) -> np.ndarray:
    """Of which faces each average that is shown is, bool (K, N), each set once."""
    cells = audit.averages.place(audit.faces)
    sums = {}
    for filter in filters(audit):
        inside = np.isin(cells, np.flatnonzero(audit.averages.select(filter)))
        if filter.columns and not inside.any():
            inside = np.zeros(len(cells), dtype=bool)
            inside[rows_by_columns(audit, filter)] = True
        if inside.any():
            sums[inside.tobytes()] = inside
    return np.array(list(sums.values()))


def told_apart(sets: np.ndarray) -> list[np.ndarray]:
    """The faces that no combination of sets tells apart, class by class; those in no set are left out.

    Whatever is added and subtracted, with any weights, gives all faces of a class one weight: the smallest class is the
    smallest difference set.
    """
    _, classes = np.unique(sets, axis=1, return_inverse=True)
    classes = classes.reshape(-1)
    return [np.flatnonzero(classes == k) for k in np.unique(classes[sets.any(axis=0)])]


def likeness(sets: np.ndarray, images: np.ndarray) -> float:
    """The best correlation of any face with its reconstruction by least squares from all averages, rounded as shown."""
    flat = images.reshape(len(images), -1).astype(np.float64)
    weights = sets / sets.sum(axis=1, keepdims=True)
    recovered = np.linalg.lstsq(weights, np.round(weights @ flat) - 127.5, rcond=1e-8)[0]
    a, b = recovered - recovered.mean(axis=1, keepdims=True), flat - flat.mean(axis=1, keepdims=True)
    size = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(np.max((a * b).sum(axis=1) / np.where(size > 1e-6, size, np.inf)))


def test_no_combination_of_shown_averages_is_of_fewer_than_eleven_people() -> None:
    audit, _ = attacked()
    sets, who = shown_sets(audit), person_numbers(audit.faces)
    by_columns = [rows_by_columns(audit, filter) for filter in filters(audit) if filter.columns]
    assert len(sets) > 30 and sum(len(rows) > 0 for rows in by_columns) > 20, "columns show averages of their own"
    classes = told_apart(sets)
    assert all(enough_people(who[members]) for members in classes)
    smallest = min(len(np.unique(who[members])) for members in classes)
    assert MINIMUM_FACES <= smallest < 2 * MINIMUM_FACES
    for first, second in itertools.combinations(sets[:60], 2):
        for difference in (first & ~second, second & ~first, ~first & ~second & sets.any(axis=0)):
            assert not difference.any() or enough_people(who[difference])


def test_solving_for_faces_gives_none_and_would_if_every_group_were_averaged() -> None:
    audit, images = attacked(None, 600)
    sets = shown_sets(audit)
    assert min(map(len, told_apart(sets))) >= MINIMUM_FACES
    assert likeness(sets, images) < 0.5
    masks = {mask.tobytes(): mask for filter in filters(audit) if (mask := filter.mask(audit.faces)).sum() >= 11}
    whole = np.array(list(masks.values()))
    assert min(map(len, told_apart(whole))) == 1
    assert likeness(whole, images) > 0.8, "the rule of eleven alone: any group of eleven and more is averaged"


def test_a_larger_minimum_leaves_no_smaller_difference() -> None:
    audit, _ = attacked()
    stricter = replace(audit, minimum_asked=30, averages=audit.averages.of_at_least(30, audit.faces))
    who = person_numbers(audit.faces)
    assert all(enough_people(who[members], 30) for members in told_apart(shown_sets(stricter)))


def test_averages_shown_under_several_minimums_leave_no_smaller_difference_together() -> None:
    """A server is started again with a larger `$LOOKWHERE_MINIMUM_FACES`, and what it showed before was kept. Divided
    anew by each minimum, averages by columns left single faces."""
    audit, _ = attacked(None, 3000)
    who, shown = person_numbers(audit.faces), [shown_sets(audit)]
    for minimum in (13, 22, 30):
        stricter = replace(audit, minimum_asked=minimum, averages=audit.averages.of_at_least(minimum, audit.faces))
        shown.append(shown_sets(stricter))
        assert all(enough_people(who[members], minimum) for members in told_apart(shown[-1]))
    assert len({sets.shape[0] for sets in shown}) == 4, "a larger minimum shows less"
    assert all(enough_people(who[members]) for members in told_apart(np.concatenate(shown)))


def test_a_review_of_labels_shows_no_average_of_its_own() -> None:
    """One label flipped moves one face from a group's average to another's."""
    audit, _ = attacked()
    face_id = str(audit.faces["face_id"].iloc[3])
    reviewed = recounted(audit, Decisions({face_id: "flip"}, "list.csv", "0" * 64))
    assert (reviewed.faces["gender"] != audit.faces["gender"]).sum() == 1
    assert not len(shown_sets(reviewed))


def test_an_audit_without_one_person_keeps_no_averages_even_where_the_first_was_deleted(tmp_path: Path) -> None:
    store = store_with_one_marked(tmp_path)
    first_store, two = release(store, tmp_path / "one"), release(store, tmp_path / "two", without=1)
    net = made_model(tmp_path, "a", Brightness(None))
    first = run_audit(first_store, net, ("all",), name="first", averages=AverageSetting(KeepAverages.AUTO))
    means = first.averages.means.copy()
    assert len(means)
    shutil.rmtree(first.path)
    later = run_audit(two, net, ("all",), name="later", averages=AverageSetting(KeepAverages.AUTO))
    assert later.manifest.averages.code is NoteCode.AVERAGES_KEPT_BEFORE
    assert not len(later.averages.cells) and not later.manifest.pictures
    coarser = run_audit(
        first_store, net, ("all",), name="coarser", averages=AverageSetting(KeepAverages.AUTO, minimum_faces=20)
    )
    assert coarser.manifest.averages.code is NoteCode.AVERAGES_KEPT_BEFORE, "another division of the same faces"
    again = run_audit(first_store, net, ("all",), name="first", averages=AverageSetting(KeepAverages.AUTO))
    np.testing.assert_array_equal(again.averages.means, means)
    shutil.rmtree(again.path)
    (tmp_path / "models" / FILE).unlink()
    assert len(run_audit(two, net, ("all",), name="last", averages=AverageSetting(KeepAverages.AUTO)).averages.cells)


def test_a_small_part_of_a_large_data_set_keeps_no_averages_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of its images is among the smallest hashes of all, and a cell of it is one of the whole but for a person."""
    monkeypatch.setattr(releases, "HASHES", 4)
    store = store_with_one_marked(tmp_path)
    hashes = {"sha256": lambda table: np.where(table["ethnicity"] == "White", "f", "0") + table["sha256"]}
    whole = release(store, tmp_path / "one", **hashes)
    part = release(store, tmp_path / "two", without=1, only="White", **hashes)
    assert not common(sketch(whole.faces), sketch(part.faces))
    net = made_model(tmp_path, "a", Brightness(None))
    first = run_audit(whole, net, ("all",), name="first", averages=AverageSetting(KeepAverages.AUTO))
    shutil.rmtree(first.path)
    later = run_audit(part, net, ("all",), name="later", averages=AverageSetting(KeepAverages.AUTO))
    assert later.manifest.averages.code is NoteCode.AVERAGES_KEPT_BEFORE and not len(later.averages.cells)


def test_averages_by_measures_shown_before_more_were_measured_leave_no_smaller_difference() -> None:
    """`measure --source` adds columns to an audit whose averages were shown. Divided by these first, cells of before
    and after differed by single faces."""
    audit, _ = attacked(None, 1500)
    draw, later = np.random.default_rng(3), ["image_eye_distance", "image_roll", "image_yaw"]
    table = pd.DataFrame({name: draw.normal(size=1500) for name in later})
    plain = replace(audit, manifest=replace(audit.manifest, columns=()))
    shown = []
    for names in (["image_yaw"], later):
        faces, columns = with_measures(audit.faces, table[names])
        shown.append(shown_sets(replace(plain, faces=faces, measured=columns)))
    assert len(shown[1]) > 30
    assert all(enough_people(person_numbers(audit.faces)[part]) for part in told_apart(np.concatenate(shown)))


def test_verify_says_the_smallest_difference_and_refuses_what_is_too_small(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (400, 4, 4, 3), dtype=np.uint8)
    folder = tmp_path / "models/m/audits"
    audit = made_audit(400, errors=0.2, images=images, path=folder / "one")
    made_audit(400, errors=0.2, images=images, path=folder / "two")
    averages = stored_averages(audit.path)
    sizes = np.bincount(assign_cells(audit.faces)[1] + 1)[1:]
    assert (averages.count, averages.fewest_people) == (len(sizes), sizes.min())
    assert averages.most_of_one == pytest.approx(1 / sizes.min())
    assert of_common_faces([averages, stored_averages(folder / "two")]) == [(folder / "one", folder / "two")]
    assert main(["verify", str(folder)]) == 0
    out = capsys.readouterr().out
    assert f"the smallest difference of any sums of them, is of {sizes.min()} people" in out
    assert f"{folder / 'one'} and {folder / 'two'} keep averages of some of the same faces" in out

    few = open_audit(folder / "two").averages
    cells = few.cells.assign(n=np.where(np.arange(len(few.cells)) == 0, 3, few.cells["n"]))
    Averages(cells, few.means).save(folder / "two/averages.npz")
    with pytest.raises(LookwhereError, match=r"two/averages.npz"):
        stored_averages(folder / "two")


def test_images_that_one_person_has_many_of_are_counted_as_that_person() -> None:
    audit, images = attacked()
    shots = AuditImages(Path(), images, np.arange(len(images)), people=person_numbers(audit.faces))
    person = pd.Series(person_numbers(audit.faces)).value_counts()
    mine = np.flatnonzero(person_numbers(audit.faces) == person.index[0])
    assert shots.average(np.tile(mine, 12)[:40]) is None


def test_an_audit_counts_near_copies_as_one_person_when_it_stores_averages(tmp_path: Path) -> None:
    store = release(store_with_one_marked(tmp_path), tmp_path / "near", cluster=np.arange(144) // 24)
    audit = run_audit(store, made_model(tmp_path, "a", Brightness(None)), ("all",))
    raw = Averages.load(audit.path / "averages.npz")
    assert raw.of_at_least(MINIMUM_FACES, audit.faces) is raw, "nothing is stored that must not be shown"
