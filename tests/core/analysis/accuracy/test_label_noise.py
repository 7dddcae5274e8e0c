"""Label noise: confident learning against its definition, shares, and the gap without what may be noise."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from core.analysis.accuracy.label_noise import MISLABELS, NEAR_COPIES, consensus, label_noise, likely_mislabels
from core.analysis.accuracy.simultaneous import largest_gap
from core.audit.folder import open_audit
from core.data.faces import ADULT_AGE
from core.data.filters import Filter
from core.errors import LookwhereError
from core.present.text.label_noise import CIRCULAR, noise_report
from core.task import GENDER
from tests.helpers.made_audit import made_manifest
from tests.helpers.shipped import AUDIT, shipped_or_skip


def audit_of(faces: pd.DataFrame) -> SimpleNamespace:
    """As much of an audit as noise needs."""
    return SimpleNamespace(
        columns=(), name="made", path=Path("made"), faces=faces, manifest=made_manifest(), minimum_faces=11, task=GENDER
    )


def made(size: int = 1200, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    gender = draw.choice(["female", "male"], size)
    age = draw.integers(0, 80, size)
    wrong = draw.random(size) < np.where(age < ADULT_AGE, 0.4, 0.05)
    p = np.where((gender == "male") ^ wrong, draw.uniform(0.5, 1, size), draw.uniform(0, 0.499, size))
    return pd.DataFrame(
        {
            "face_id": [f"f{n}" for n in range(size)],
            "gender": gender,
            "ethnicity": draw.choice(["A", "B"], size),
            "age": pd.array(age, dtype="Int16"),
            "identity": pd.array([None] * size, dtype="string"),
            "cluster": np.where(np.arange(size) < 60, np.arange(size) // 3, np.arange(size) + 1000),
            "split": "test",
            "p_male": p,
            "predicted": np.where(p >= 0.5, "male", "female"),
            "correct": np.where(p >= 0.5, "male", "female") == gender,
        }
    )


def by_definition(faces: pd.DataFrame) -> np.ndarray:
    """Northcutt et al. 2021, equation 1: counted in the confident joint off its diagonal."""
    probability = np.stack([1 - faces["p_male"], faces["p_male"]], axis=1)
    label = (faces["gender"] == "male").to_numpy().astype(int)
    threshold = [probability[label == j, j].mean() for j in (0, 1)]
    result = []
    for p, labelled in zip(probability, label, strict=True):
        above = [j for j in (0, 1) if p[j] >= threshold[j]]
        result.append(bool(above) and max(above, key=lambda j: p[j]) != labelled)
    return np.array(result)


@pytest.mark.parametrize("seed", range(5))
def test_likely_mislabels_are_confident_learnings(seed: int) -> None:
    faces = made(seed=seed)
    assert (likely_mislabels(faces) == by_definition(faces)).all()
    assert likely_mislabels(faces).any()
    # A model so poor that both classes reach their means: the larger probability decides.
    poor = faces.assign(p_male=np.random.default_rng(seed).random(len(faces)))
    assert (likely_mislabels(poor) == by_definition(poor)).all()


def test_planted_mislabels_are_found_and_one_gender_alone_has_none() -> None:
    faces = made()
    sure = faces.assign(p_male=np.where(faces["gender"] == "male", 0.97, 0.03))
    flipped = np.arange(len(faces)) % 50 == 0
    swapped = sure.assign(
        gender=np.where(flipped, np.where(sure["gender"] == "male", "female", "male"), sure["gender"])
    )
    assert (likely_mislabels(swapped) == flipped).all()
    assert not likely_mislabels(swapped[swapped["gender"] == "male"]).any()


def test_shares_are_counted_by_hand() -> None:
    faces = made()
    noise = label_noise(audit_of(faces), draws=200)
    shares = noise.shares.set_index("where")
    wrong = ~faces["correct"]
    assert noise.errors == wrong.sum()
    assert shares.loc[NEAR_COPIES, "faces"] == 60
    assert shares.loc[NEAR_COPIES, "errors"] == wrong[:60].sum()
    for years in (3, 10, 18):
        young = faces["age"] < years
        row = shares.loc[f"children under {years}"]
        assert row["share_errors"] == pytest.approx((wrong & young).sum() / wrong.sum())
        assert row["share_faces"] == pytest.approx(young.mean())
        assert row["low"] < row["share_errors"] < row["high"]
        assert row["times"] == pytest.approx(row["share_errors"] / row["share_faces"])


def test_variants_leave_out_what_they_say() -> None:
    faces = made()
    variants = {v.without: v for v in label_noise(audit_of(faces), draws=200).variants}
    doubted = likely_mislabels(faces)
    assert variants["all faces"].n == 1200
    assert variants["without near-copies"].n == 1200 - 40, "one face of each cluster of three stays"
    assert variants["without children"].n == (faces["age"] >= ADULT_AGE).sum()
    assert variants["without likely mislabels"].n == (~doubted).sum()
    keep = (faces["age"] >= ADULT_AGE) & ~faces["cluster"].duplicated() & ~doubted
    last = variants["without all of these"]
    assert last.n == keep.sum()
    assert last.correct == faces.loc[keep, "correct"].sum()
    expected = largest_gap(faces[keep], ["gender", "ethnicity"], draws=200)
    assert last.gap.difference == expected.difference
    assert last.gap.corrected == expected.corrected


def test_a_filter_narrows_the_faces_but_not_what_counts_as_doubted() -> None:
    faces = made()
    filter = Filter(gender=("male",), outcome="incorrect")
    noise = label_noise(audit_of(faces), filter, draws=200)
    men = (faces["gender"] == "male").to_numpy()
    assert noise.n == men.sum(), "an outcome cannot be filtered where outcomes are counted"
    assert noise.shares.set_index("where").loc[MISLABELS, "faces"] == (likely_mislabels(faces) & men).sum()


def test_without_ages_without_errors_and_without_faces() -> None:
    faces = made(300)
    unaged = label_noise(audit_of(faces.assign(age=pd.array([pd.NA] * 300, dtype="Int16"))), draws=50)
    assert not any("children" in name for name in [*unaged.shares["where"], *(v.without for v in unaged.variants)])
    assert unaged.unaged == 300
    right = faces.assign(p_male=np.where(faces["gender"] == "male", 0.9, 0.1))
    assert label_noise(audit_of(right), draws=50).shares["share_errors"].isna().all()
    assert "no error at all" in noise_report(audit_of(right))
    nobody = label_noise(audit_of(faces), Filter(ethnicity=("Z",)), draws=50)
    assert nobody.n == 0
    assert "none" in noise_report(audit_of(faces), Filter(ethnicity=("Z",)))


def test_consensus_is_what_all_models_confidently_get_wrong() -> None:
    audits = [audit_of(made(seed=4)) for _ in range(3)]
    for place, audit in enumerate(audits):
        draw = np.random.default_rng(place)
        male = audit.faces["gender"] == "male"
        wrong = draw.random(1200) < 0.1
        wrong[:7] = True
        p = np.where(male ^ wrong, 0.95, 0.05) + draw.uniform(-0.01, 0.01, 1200)
        audit.faces = audit.faces.assign(p_male=p, predicted=np.where(p >= 0.5, "male", "female"))
    audits[2].faces = audits[2].faces.sample(1000, random_state=1)
    agreement = consensus(audits)
    shared = audits[2].faces["face_id"]
    tables = [audit.faces.set_index("face_id").loc[shared] for audit in audits]
    wrong = np.all([(t["gender"] != t["predicted"]).to_numpy() for t in tables], axis=0)
    assert agreement.audits == 3
    assert agreement.faces == 1000
    assert agreement.wrong == wrong.sum() >= 5
    assert set(agreement.face_ids) == set(shared[wrong])
    assert agreement.likely == len(agreement.face_ids) < agreement.errors


def test_consensus_of_few_or_of_strangers() -> None:
    faces = made(100)
    assert consensus([]) is None
    assert consensus([audit_of(faces)]) is None
    with pytest.raises(LookwhereError, match="share no face"):
        consensus([audit_of(faces), audit_of(faces.assign(face_id=faces["face_id"] + "x"))])
    swapped = faces.assign(gender=np.where(faces["gender"] == "male", "female", "male"))
    with pytest.raises(LookwhereError, match="differently"):
        consensus([audit_of(faces), audit_of(swapped)])


def test_the_shipped_audit_told_in_full() -> None:
    shipped_or_skip()
    audit = open_audit(AUDIT)
    text, noise = noise_report(audit), label_noise(audit)
    assert CIRCULAR in text
    clusters = audit.faces["cluster"].value_counts()
    assert noise.shares.set_index("where").loc[NEAR_COPIES, "faces"] == clusters[clusters > 1].sum()
    assert noise.variants[2].n == audit.faces["cluster"].nunique()
    assert (likely_mislabels(audit.faces) == by_definition(audit.faces)).all()
    for variant in noise.variants:
        assert f"{variant.n:,}" in text
