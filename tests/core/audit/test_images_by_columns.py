"""Average faces of groups of columns from the aligned images: the mean of whole cells, never of too few people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.audit.folder import Audit
from core.audit.images import AuditImages, average_by_columns, rows_by_columns
from core.audit.notes import Note, NoteCode
from core.data.filters import Filter
from core.data.splits import person_numbers
from core.privacy import refined
from tests.helpers.made_audit import made_audit

GLASSES = Filter(gender=("female",), columns=(("glasses", ("yes",)),))


def images_of(n: int, **more: object) -> AuditImages:
    images = np.random.default_rng(0).integers(0, 256, (n, 4, 4, 3), dtype=np.uint8)
    return AuditImages(Path("none"), images, np.arange(n)[::-1].copy(), **more)


def audit_of(n: int, **more: object) -> Audit:
    """Adults, all with known glasses or none."""
    audit = made_audit(n, own=True, shape=None, ages=(30, 40), **more)
    levels = np.array(["no", "yes"])[np.random.default_rng(1).integers(0, 2, n)]
    audit.faces["glasses"] = audit.faces["glasses"].cat.set_categories(["no", "yes"])
    audit.faces["glasses"] = levels
    return audit


def test_the_average_is_of_the_faces_that_pass_the_filter() -> None:
    audit, images = audit_of(600, errors=0.0), images_of(600)
    inside = np.flatnonzero(GLASSES.mask(audit.faces))
    mean, n = average_by_columns(audit, images, GLASSES)
    assert n == len(inside) > 100
    np.testing.assert_allclose(mean, images.images[images.rows[inside]].mean(axis=0), atol=0.51)


@pytest.mark.parametrize("majority", ["yes", "no"])
def test_too_few_people_in_the_group_or_left_out_of_it_show_no_average(majority: str) -> None:
    audit = audit_of(200)
    women = audit.faces["gender"] == "female"
    audit.faces.loc[women, "glasses"] = majority
    audit.faces.loc[audit.faces.index[women][:8], "glasses"] = "no" if majority == "yes" else "yes"
    mean, n = average_by_columns(audit, images_of(200), GLASSES)
    few = set(audit.faces.index[women][:8])
    assert few.isdisjoint(rows_by_columns(audit, GLASSES))
    assert (mean is None) == (n == 0) and (n == 0 or majority == "yes")


def test_many_images_of_few_people_show_no_average() -> None:
    audit = audit_of(200, persons=8)
    people = person_numbers(audit.faces)
    assert average_by_columns(audit, images_of(200, people=people), GLASSES) == (None, 0)


def test_an_audit_that_is_to_keep_no_averages_shows_none_by_columns_either() -> None:
    note = Note(code=NoteCode.AVERAGES_KEPT_ELSEWHERE).to_json()
    audit = audit_of(600, errors=0.0, manifest={"averages": note})
    assert average_by_columns(audit, images_of(600), GLASSES) == (None, 0)


def test_cells_divided_by_hand() -> None:
    place = np.array([0] * 40 + [1] * 30 + [-1] * 5)
    # 0: 20 and 20; 1: 25 and 5, where 5 are too few to stand by themselves
    glasses = np.array([0] * 20 + [1] * 20 + [0] * 25 + [1] * 5 + [0] * 5)
    # of the first 20: 12 and 8, too few; of the second 20: none else; of the 30: 15 and 15
    hat = np.array([0] * 12 + [1] * 8 + [0] * 20 + [0] * 15 + [1] * 15 + [0] * 5)
    persons = np.arange(75)
    once = refined(place, [glasses], persons)
    assert [np.unique(once[:20]).size, np.unique(once[20:40]).size, np.unique(once[40:70]).size] == [1, 1, 1]
    assert once[0] != once[20] and (once[70:] == -1).all()
    twice = refined(place, [glasses, hat], persons)
    assert twice[0] == twice[19] and twice[20] == twice[39] and twice[40] == twice[54] != twice[55] == twice[69]
    # levels too small together take the smallest of the others with them
    three = refined(np.zeros(50), [np.array([0] * 26 + [1] * 20 + [2] * 4)], np.arange(50))
    assert len(set(three[:26])) == len(set(three[26:])) == 1 and three[0] != three[49]
