"""Copies, near copies, clusters, and splits that neither a picture nor a person crosses."""

from __future__ import annotations

import hashlib
from pathlib import Path
from random import Random

import imagehash
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter, ImageOps
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from core.data import duplicates
from core.data.duplicates import cluster, drop_copies, hash_images, near_otherwise, near_pairs
from core.data.plan import plan
from core.data.readers import READERS
from core.data.sources import open_source
from core.data.splits import NEAR_TORN, SHARES, assign_splits, near_disagreements


def picture(seed: int) -> Image.Image:
    """A smooth random picture: its perceptual hash survives re-encoding."""
    noise = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((200, 200), Image.Resampling.BICUBIC)


def test_hash_pictures_tells_copies_near_copies_and_strangers(tmp_path: Path) -> None:
    picture(1).save(tmp_path / "a.png")
    (tmp_path / "a copy.png").write_bytes((tmp_path / "a.png").read_bytes())
    picture(1).filter(ImageFilter.GaussianBlur(1)).save(tmp_path / "a again.jpg", quality=60)
    picture(2).save(tmp_path / "b.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no image")
    ticks = []

    source = open_source(tmp_path)
    hashes = hash_images(source, source.names, lambda: ticks.append(1)).set_index("path")

    assert len(ticks) == len(hashes) == 5
    assert hashes["phash"].dtype == np.uint64
    assert hashes.loc["a.png", "sha256"] == hashlib.sha256((tmp_path / "a.png").read_bytes()).hexdigest()
    assert hashes.loc["a.png", "sha256"] == hashes.loc["a copy.png", "sha256"] != hashes.loc["a again.jpg", "sha256"]
    assert hashes.loc["broken.jpg", "problem"].startswith("not a readable image")
    assert (hashes["problem"] == "").sum() == 4

    def apart(first_hash: str, second_hash: str) -> int:
        return (int(hashes.loc[first_hash, "phash"]) ^ int(hashes.loc[second_hash, "phash"])).bit_count()

    assert apart("a.png", "a copy.png") == 0
    assert apart("a.png", "a again.jpg") <= 4
    assert apart("a.png", "b.png") > 6


def test_the_hash_of_the_mirror_image_stands_beside_the_images_own(tmp_path: Path) -> None:
    picture(1).save(tmp_path / "a.png")
    ImageOps.mirror(picture(1)).save(tmp_path / "b.png")
    source = open_source(tmp_path)
    hashes = hash_images(source, source.names).set_index("path")
    for name, other in (("a.png", "b.png"), ("b.png", "a.png")):
        with Image.open(tmp_path / name) as image:
            assert int(hashes.loc[name, "phash"]) == int(str(imagehash.phash(image)), 16)
        assert int(hashes.loc[name, "mirrored"]) == int(hashes.loc[other, "phash"])
    assert hashes["mirrored"].dtype == np.uint64 and hashes["phash"].nunique() == 2


def test_a_mirrored_copy_is_of_one_cluster_and_in_one_split(tmp_path: Path) -> None:
    """Thirty photographs, each beside its mirror image, smaller and encoded anew; by hash alone none were copies."""
    for n in range(30):
        picture(n).save(tmp_path / f"{n}.png")
        ImageOps.mirror(picture(n)).resize((120, 120)).save(tmp_path / f"{n}-mirrored.jpg", quality=70)
    rows = [f"{path.name},{'female' if n % 2 else 'male'}" for n, path in enumerate(sorted(tmp_path.iterdir()))]
    (tmp_path / "labels.csv").write_text("\n".join(["path,gender", *rows]))
    faces = plan(open_source(tmp_path), READERS["manifest"]).faces
    photograph = faces["path"].str.extract(r"(\d+)")[0]
    assert faces.groupby("cluster")["path"].size().tolist() == [2] * 30
    assert photograph.groupby(faces["cluster"]).nunique().max() == 1
    assert faces["split"].nunique() == 3 and faces.groupby("cluster")["split"].nunique().max() == 1


def test_utkface_keeps_the_splits_of_the_shipped_study_and_mirrored_copies_across_them_are_told(tmp_path: Path) -> None:
    for n in range(40):
        picture(n).save(tmp_path / f"30_{n % 2}_0_2017{n:04}.jpg.chip.jpg", quality=95)
        ImageOps.mirror(picture(n)).save(tmp_path / f"31_{n % 2}_0_2018{n:04}.jpg.chip.jpg", quality=95)
    work = plan(open_source(tmp_path), READERS["utkface"])
    alone = work.faces.assign(cluster=np.arange(80))
    assert work.faces["split"].tolist() == assign_splits(alone).tolist(), "as if no mirror image were a copy"
    assert work.faces["cluster"].nunique() == 40
    torn = work.faces["split"].groupby(work.faces["cluster"]).transform("nunique") > 1
    assert 0 < torn.sum() < 80
    told = work.disagreements[work.disagreements["what"] == NEAR_TORN]["file"]
    assert sorted(told) == sorted(work.faces.loc[torn, "path"])
    assert READERS["utkface-wild"].mirrored_together, "nothing published is of its splits"


def test_a_mirrored_copy_of_the_other_gender_is_told() -> None:
    high = 0xFF << 50
    hashes = pd.DataFrame({"phash": [0, 0xFFFF, high], "mirrored": [0xFFFE, 1, high + 0xFF]}, dtype="uint64")
    faces = hashes.assign(path=["a", "b", "c"], gender=["male", "female", "female"], cluster=[0, 0, 2])
    assert near_disagreements(faces)["file"].tolist() == ["a", "b"]
    assert near_disagreements(faces.drop(columns="mirrored")).empty


def labelled(rows: list[tuple[str, str, str, str, int | None]]) -> pd.DataFrame:
    faces = pd.DataFrame(rows, columns=["path", "sha256", "gender", "ethnicity", "age"])
    return faces.astype({"age": "Int16"})


def test_drop_copies_keeps_the_first_and_none_that_disagree() -> None:
    faces, rejects = drop_copies(
        labelled(
            [
                ("1", "x", "male", "White", 30),
                ("2", "gender", "male", "White", 30),
                ("3", "x", "male", "White", 30),
                ("4", "gender", "female", "White", 30),
                ("5", "alone", "female", "Asian", 7),
                ("6", "x", "male", "White", 30),
                ("7", "race", "male", "White", 30),
                ("8", "race", "male", "Black", 30),
                ("9", "age", "male", "White", 30),
                ("10", "age", "male", "White", 31),
                ("11", "age", "male", "White", 30),
                ("12", "unknown", "male", "White", None),
                ("13", "unknown", "male", "White", None),
                ("14", "half known", "male", "White", None),
                ("15", "half known", "male", "White", 4),
            ]
        )
    )
    assert faces["path"].tolist() == ["1", "5", "12"]
    assert faces.index.tolist() == [0, 1, 2]
    reasons = rejects.groupby("reason")["file"].agg(list).to_dict()
    assert reasons == {
        "exact copy of another image": ["3", "6", "13"],
        "exact copies with different labels": ["2", "4", "7", "8", "9", "10", "11", "14", "15"],
    }


def slow_pairs(hashes: list[int], bits: int) -> list[list[int]]:
    return [
        [i, j]
        for i in range(len(hashes))
        for j in range(i + 1, len(hashes))
        if (hashes[i] ^ hashes[j]).bit_count() <= bits
    ]


@st.composite
def hashes_with_near_copies(draw: st.DrawFn) -> list[int]:
    """Random hashes, and copies of some of them with up to seven bits flipped, shuffled."""
    words = draw(st.lists(st.integers(0, 2**64 - 1), max_size=12))
    if words:
        for _ in range(draw(st.integers(0, 12))):
            flips = draw(st.sets(st.integers(0, 63), max_size=7))
            words.append(draw(st.sampled_from(words)) ^ sum(1 << bit for bit in flips))
    return draw(st.permutations(words))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(hashes=hashes_with_near_copies(), bits=st.integers(0, 8))
@pytest.mark.parametrize("small", [1, 2, 64])
def test_near_pairs_join_what_the_comparison_of_all_with_all_does(small: int, hashes: list[int], bits: int) -> None:
    """In buckets gone through together and one at a time."""
    slow = slow_pairs(hashes, bits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates, "SMALL_BUCKET", small)
        pairs = near_pairs(np.array(hashes, dtype=np.uint64), bits)
    assert {tuple(pair) for pair in pairs.tolist()} <= {tuple(pair) for pair in slow}
    joined = cluster(len(hashes), np.array(slow, dtype=np.int64).reshape(-1, 2))
    assert cluster(len(hashes), pairs).tolist() == joined.tolist()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(hashes=hashes_with_near_copies(), bits=st.integers(0, 8), draw=st.randoms(use_true_random=False))
def test_near_otherwise_is_every_pair_looked_at(hashes: list[int], bits: int, draw: Random) -> None:
    labels = np.array([draw.choice(["female", "male"]) for _ in hashes], dtype=object)
    slow = slow_pairs(hashes, bits)
    value = np.array(hashes, dtype=np.uint64)
    disagreements = near_otherwise(value, labels, cluster(len(hashes), near_pairs(value, bits)), bits)
    assert np.flatnonzero(disagreements).tolist() == sorted(
        {n for i, j in slow if labels[i] != labels[j] for n in (i, j)}
    )


@pytest.mark.parametrize("value", [0, 2**63 + 5, 2**64 - 1])
def test_equal_hashes_are_joined_to_the_first(value: int) -> None:
    assert near_pairs(np.full(30, value, dtype=np.uint64)).tolist() == [[0, n] for n in range(1, 30)]


def shots() -> dict[str, np.ndarray]:
    """Near-copies by the thousand: frames a bit from one image, a slow pan, and placeholders that share most bits."""
    draw, bit = np.random.default_rng(0), np.uint64(1)
    flips = bit << draw.integers(0, 64, (4, 6_000)).astype(np.uint64)
    return {
        "still": np.uint64(0x123456789ABCDEF0) ^ flips[0],
        "restless": np.uint64(0x123456789ABCDEF0) ^ np.bitwise_xor.reduce(flips, axis=0),
        "pan": np.bitwise_xor.accumulate(flips[0]),
        "blank": np.zeros(6_000, dtype=np.uint64),
    }


@pytest.mark.parametrize("kind", ["still", "restless", "pan", "blank"])
def test_thousands_of_near_copies_are_one_cluster_of_few_pairs(kind: str) -> None:
    """All pairs of 6,000 are 18 million."""
    hashes = shots()[kind]
    pairs = near_pairs(hashes)
    assert set(cluster(len(hashes), pairs)) == {0}
    assert len(pairs) < 6 * len(hashes)


@pytest.mark.parametrize("flips", [(0, 13, 26, 39), (63, 62, 61, 60), (12, 25, 38, 51), (0, 12, 13, 63)])
def test_four_flipped_bits_are_found_wherever_they_lie_and_five_never(flips: tuple[int, ...]) -> None:
    near = sum(1 << bit for bit in flips)
    assert near_pairs(np.array([0, near], dtype=np.uint64)).tolist() == [[0, 1]]
    assert near_pairs(np.array([0, near | 1 << 30], dtype=np.uint64)).tolist() == []


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_hashes_for_a_pair(count: int) -> None:
    assert near_pairs(np.zeros(count, dtype=np.uint64)).shape == (0, 2)


def test_clusters_chain_and_are_named_by_their_first_member() -> None:
    assert cluster(7, np.array([[5, 6], [2, 5], [1, 3]])).tolist() == [0, 1, 2, 1, 4, 2, 2]
    assert cluster(3, np.empty((0, 2), dtype=np.int64)).tolist() == [0, 1, 2]
    assert cluster(0, np.empty((0, 2), dtype=np.int64)).tolist() == []
    draw = np.random.default_rng(0)
    for pairs in (*(draw.integers(0, 40, (count, 2)) for count in range(60)), np.stack([draw.permutation(40)] * 2, 1)):
        number, label = connected_components(coo_array((np.ones(len(pairs)), pairs.T), shape=(40, 40)), directed=False)
        first = [np.flatnonzero(label == cluster_label)[0] for cluster_label in range(number)]
        assert cluster(40, pairs).tolist() == [first[cluster_label] for cluster_label in label]


def table(count: int, seed: int = 0) -> pd.DataFrame:
    """Faces in ten strata; a tenth share a cluster, and a tenth an identity, with others of their stratum."""
    draw = np.random.default_rng(seed)
    faces = pd.DataFrame(
        {
            "face_id": [f"face-{n}" for n in range(count)],
            "gender": draw.choice(["female", "male"], count),
            "ethnicity": draw.choice(list("ABCDE"), count, p=[0.5, 0.2, 0.1, 0.1, 0.1]),
            "identity": pd.array([pd.NA] * count, dtype="string"),
            "cluster": np.arange(count),
        }
    )
    for rows in faces.groupby(["gender", "ethnicity"]).groups.values():
        tenth = len(rows) // 10
        faces.loc[rows[:tenth], "cluster"] = rows[np.arange(tenth) // 3]
        faces.loc[rows[-tenth:], "identity"] = [f"{rows[0]}-{n // 4}" for n in range(tenth)]
    return faces


@pytest.fixture(scope="module")
def big() -> pd.DataFrame:
    return table(6_000)


@pytest.mark.parametrize("shares", [None, {"train": 0.5, "val": 0.25, "test": 0.25}, {"train": 0.9, "test": 0.1}])
def test_every_stratum_keeps_the_shares_to_within_one_unit(big: pd.DataFrame, shares: dict | None) -> None:
    counts = big.assign(split=assign_splits(big, shares=shares)).groupby(["gender", "ethnicity", "split"]).size()
    largest_unit = 4
    for (gender, ethnicity), stratum in big.groupby(["gender", "ethnicity"]):
        for split, share in (shares or SHARES).items():
            assert abs(counts[gender, ethnicity, split] - share * len(stratum)) <= largest_unit
    assert counts.sum() == len(big)


def test_clusters_and_people_are_never_torn_apart(big: pd.DataFrame) -> None:
    split = assign_splits(big)
    assert big["cluster"].duplicated().sum() > 300
    assert split.groupby(big["cluster"]).nunique().max() == 1
    assert split.groupby(big["identity"]).nunique().max() == 1


def test_cluster_and_identity_join_transitively() -> None:
    """One chain through ten faces: pairs share a cluster, and the second of a pair a person with the next pair."""
    faces = pd.DataFrame({"face_id": list("abcdefghij"), "gender": "male", "ethnicity": "White"})
    faces["cluster"] = np.arange(10) // 2
    faces["identity"] = pd.array([pd.NA, *np.arange(8) // 2, pd.NA], dtype="string")
    assert {assign_splits(faces, seed).nunique() for seed in range(20)} == {1}


def test_the_split_does_not_depend_on_the_order_of_rows(big: pd.DataFrame) -> None:
    mixed = big.sample(frac=1, random_state=3)
    assert assign_splits(mixed).sort_index().equals(assign_splits(big))
    assert assign_splits(mixed.reset_index(drop=True)).tolist() == assign_splits(mixed).tolist()


def test_the_seed_decides(big: pd.DataFrame) -> None:
    assert assign_splits(big, 5).equals(assign_splits(big, 5))
    assert 0.3 < (assign_splits(big, 5) != assign_splits(big, 6)).mean() < 0.6


def test_other_strata_leave_a_stratum_as_it_is(big: pd.DataFrame) -> None:
    women = big[big["gender"] == "female"]
    assert assign_splits(women).equals(assign_splits(big)[women.index])


@pytest.mark.parametrize(("seed", "val", "test"), [(0, {3}, {8, 0}), (1, {3}, {9, 1})])
def test_a_tiny_table_has_a_fixed_split(seed: int, val: set[int], test: set[int]) -> None:
    """Ten single faces of one stratum, ranked by SHA-256 of «seed:face-n»: 7 train, then 1 val, then 2 test."""
    faces = pd.DataFrame({"face_id": [f"face-{n}" for n in range(10)], "gender": "male", "ethnicity": "White"})
    faces["cluster"], faces["identity"] = np.arange(10), pd.NA
    split = assign_splits(faces, seed)
    assert set(split.index[split == "val"]) == val
    assert set(split.index[split == "test"]) == test
    assert (split == "train").sum() == 7


def test_a_face_of_unknown_ethnicity_is_split_too() -> None:
    faces = pd.DataFrame({"face_id": [f"{n}" for n in range(20)], "gender": "male", "ethnicity": pd.NA})
    faces["cluster"], faces["identity"] = np.arange(20), pd.NA
    assert assign_splits(faces).value_counts().to_dict() == {"train": 14, "test": 4, "val": 2}
