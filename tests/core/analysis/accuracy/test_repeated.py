"""Label error by photographs that occur more than once, by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.analysis.accuracy.repeated import repeated_photographs
from core.analysis.intervals import wilson
from core.audit.copies import with_clusters_of
from core.audit.folder import Audit
from core.data.filters import Filter
from core.data.same_photograph import BY_FACE
from core.errors import LookwhereError
from core.present.text.label_noise import noise_report, repeated_words
from tests.helpers.made_audit import made_audit, made_faces
from tests.helpers.made_store import make_store


def copied(pairs: int, differ: int, triples: int = 0) -> Audit:
    """Photographs twice, `differ` of them with both genders, and thrice, where one label of three is another."""
    cluster = np.repeat(np.arange(pairs), 2).tolist() + np.repeat(np.arange(pairs, pairs + triples), 3).tolist()
    gender = [g for k in range(pairs) for g in (("male", "female") if k < differ else ("male", "male"))]
    gender += ["female", "female", "male"] * triples
    n = len(cluster) + 200
    alone = np.arange(1000, 1200)
    faces = made_faces(n, ethnicities=("A",), columns={"cluster": np.concatenate([cluster, alone])})
    faces.loc[: len(cluster) - 1, "gender"] = gender
    audit = made_audit(faces=faces, errors=0.05)
    return replace(audit, manifest=replace(audit.manifest, copies_by=BY_FACE))


def test_the_rarer_gender_of_a_photograph_is_the_least_that_is_wrong() -> None:
    row = repeated_photographs(copied(40, 6, triples=10)).table.iloc[0]
    assert (row["photographs"], row["faces"], row["differ"]) == (50, 110, 16)
    assert row["wrong"] == pytest.approx(16 / 110)
    low, high = wilson(16, 50)
    assert (row["low"], row["high"]) == (pytest.approx(low), pytest.approx(high))
    assert row["wrong_low"] < row["wrong"] < row["wrong_high"]
    pairs = repeated_photographs(copied(40, 6)).table.iloc[0]
    assert pairs["wrong"] == pytest.approx(pairs["share"] / 2)
    assert pairs["wrong_high"] == pytest.approx(pairs["high"] / 2)


def test_copies_that_all_agree_still_have_an_upper_bound_and_few_say_nothing() -> None:
    least = repeated_photographs(copied(30, 0)).wrong
    assert least.value == least.low == 0 < least.high < 0.1
    few = repeated_photographs(copied(5, 2))
    assert few.wrong is None and few.table.empty
    assert repeated_words(few).startswith("Too few photographs")


def test_a_photograph_counts_in_an_ethnicity_that_its_copies_agree_on() -> None:
    audit = copied(40, 6)
    audit.faces.loc[1, "ethnicity"] = "B"
    table = repeated_photographs(audit).table.set_index("group")
    assert (table.loc["all", "photographs"], table.loc["A", "photographs"]) == (40, 39)
    assert table.loc["A", "differ"] == 5


def test_the_filter_and_the_report() -> None:
    audit = copied(40, 6)
    audit.faces["age"] = pd.array([30] * 80 + [5] * 200, dtype="Int16")
    assert repeated_photographs(audit, Filter(age_to=10)).table.empty
    text = noise_report(audit)
    assert "40 photographs occur more than once here; the copies of 6 disagree on the gender, 15.0 %" in text
    assert "at least 7.5 %" in text and "«incorrect» is «disagrees with the label»" in text


def test_hashes_alone_bound_no_label_error() -> None:
    audit = copied(40, 6)
    old = replace(audit, manifest=replace(audit.manifest, copies_by=None))
    text = noise_report(old)
    assert "40 groups of images here are near-copies by their hashes alone" in text
    assert "of their labels are wrong" not in text and "of labels wrong" not in text


def test_the_store_tells_which_images_are_one_photograph(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", faces=40)
    images = np.asarray(store.images).copy()
    images[1] = images[0]
    faces = store.faces.assign(cluster=np.arange(40) // 2)  # hashes join all pairs, and only one is of one photograph
    store = replace(store, images=images, faces=faces)
    made = made_audit(faces=faces.drop(columns="row"), errors=0.0)
    audit = replace(made, manifest=replace(made.manifest, data_fingerprint=store.manifest.data_fingerprint))
    clustered = with_clusters_of(audit, store)
    assert clustered.faces["cluster"].duplicated(keep=False).tolist() == [True, True] + [False] * 38
    assert clustered.manifest.copies_by == BY_FACE and audit.manifest.copies_by is None
    with pytest.raises(LookwhereError, match="other data than was audited"):
        with_clusters_of(replace(made, manifest=replace(made.manifest, data_fingerprint="0" * 64)), store)
