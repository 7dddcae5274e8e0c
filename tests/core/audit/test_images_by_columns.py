"""Average faces of groups of columns from the aligned images: the mean of just these, never of too few people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.audit.images import AuditImages, average_by_columns
from core.data.filters import Filter
from core.data.splits import person_numbers
from tests.helpers.made_audit import made_audit

GLASSES = Filter(gender=("female",), columns=(("glasses", ("yes",)),))


def images_of(n: int, **more: object) -> AuditImages:
    images = np.random.default_rng(0).integers(0, 256, (n, 112, 112, 3), dtype=np.uint8)
    return AuditImages(Path("none"), images, np.arange(n)[::-1].copy(), **more)


def test_the_average_is_of_the_faces_that_pass_the_filter() -> None:
    audit = made_audit(200, own=True)
    images = images_of(200)
    inside = np.flatnonzero(GLASSES.mask(audit.faces))
    expected = images.images[images.rows[inside]].mean(axis=0)
    np.testing.assert_allclose(average_by_columns(audit, images, GLASSES), expected, atol=0.51)


@pytest.mark.parametrize("kept", ["yes", "no"])
def test_too_few_people_in_the_group_or_left_out_of_it_show_no_average(kept: str) -> None:
    audit = made_audit(200, own=True)
    women = audit.faces["gender"] == "female"
    glasses = audit.faces["glasses"].astype(object)
    glasses[women] = kept
    few = audit.faces.index[women][:8]
    glasses[few] = "no" if kept == "yes" else "yes"
    audit.faces["glasses"] = glasses.astype("category")
    assert average_by_columns(audit, images_of(200), GLASSES) is None


def test_many_images_of_few_people_show_no_average() -> None:
    audit = made_audit(200, own=True, persons=8)
    people = person_numbers(audit.faces)
    assert average_by_columns(audit, images_of(200, people=people), GLASSES) is None
