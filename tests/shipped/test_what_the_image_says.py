"""docs/what-the-image-says.md quotes what the commands print of the shipped audit."""

from __future__ import annotations

import pandas as pd

from core.analysis.accuracy.person_or_image import person_or_image
from core.analysis.accuracy.slices import find_slices
from core.audit.folder import Audit
from core.data.faces import ADULT_AGE
from core.data.filters import Filter
from core.data.measures import MEASURES, SKIN_TONE
from core.present.text.image import image_sentence, slices_sentence
from tests.helpers.shipped import ROOT

GROWN = Filter(age_from=ADULT_AGE)
TEXT = " ".join((ROOT / "docs/what-the-image-says.md").read_text(encoding="utf-8").split())


def test_the_sentences_and_counts_are_the_commands(shipped_audit: Audit) -> None:
    found = person_or_image(shipped_audit, GROWN)
    assert f"> {image_sentence(found, GROWN)}" in TEXT
    faces = shipped_audit.faces[GROWN.mask(shipped_audit.faces)].reset_index(drop=True)
    assert f"> {slices_sentence(find_slices(faces, shipped_audit.columns), GROWN)}" in TEXT
    tone = found.thirds[found.thirds["factor"] == SKIN_TONE]
    tone = tone[pd.notna(tone["incorrect"])].astype({"incorrect": int})
    told = {group: [*zip(rows["incorrect"], rows["n"], strict=True)] for group, rows in tone.groupby("group")}
    (a, b), (c, d), (e, f) = told["Black women"]
    assert f"{a} of {b} of the darkest third, {c} of {d} of the middle and {e} of {f} of the lightest" in TEXT
    (a, b), (c, d), (e, f) = told["White women"]
    assert f"in {a} of {b} cases, of the other two thirds in {c + e} of {d + f}" in TEXT


def test_every_measure_stands_in_the_table() -> None:
    for measure in MEASURES:
        assert f"| `{measure.name}` |" in TEXT
