"""A store goes with the labels, the options and the plan that it was made of; each of these changed since is told."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data import build_store as store_building
from core.data import default_store
from core.data.build_store import build_store, open_or_align
from core.data.readers import READERS, choose_reader
from core.data.sources import open_source
from core.data.splits import Subset
from core.data.store import AlignedStore
from core.data.ties import OtherStoreError
from core.errors import LookwhereError
from core.present.text.tables import store_report
from tests.helpers import data_set_trees as trees
from tests.helpers.datasets_made import jpeg, packed, tree
from tests.helpers.former import write_former
from tests.helpers.made_store import mend_in_place, store_of
from tests.helpers.recordio_writer import insightface_pack


def morph(folder: Path) -> Path:
    photos = [f"000{100 + n}_00M34.JPG" for n in range(3)]
    rows = "".join(trees.morph_row(photo, 100 + n) for n, photo in enumerate(photos))
    tree(folder, [f"Album2/{photo}" for photo in photos])
    return tree(folder, {trees.MORPH_CSV: trees.MORPH_HEADER + rows})


def pack(folder: Path) -> Path:
    insightface_pack(folder, {n: [jpeg(112, 10 * n + k) for k in range(2)] for n in range(4)})
    return tree(folder, {"identities.csv": "identity,gender\n0,F\n1,M\n2,F\n3,M\n"})


def fairface(folder: Path) -> Path:
    trees.fairface(folder)
    return tree(folder, [trees.FAIRFACE_MARGIN + name for name in ("train/1.jpg", "train/2.jpg", "val/1.jpg")])


def people(folder: Path) -> Path:
    tree(folder, [f"{name}/{n}.jpg" for name in ("Ada", "Bo") for n in range(2)])
    return tree(folder, {"identities.csv": "identity,gender\nAda,F\nBo,M\n"})


Case = tuple[Callable[[Path], object], str, str, str]
CASES: dict[str, Case] = {
    "manifest": (trees.manifest, "manifest.csv", ",34,", ",35,"),
    "manifest, person": (trees.manifest, "manifest.csv", ",p1,", ",p2,"),
    "manifest, split": (trees.manifest, "manifest.csv", ",test", ",val "),
    "celeba, attributes": (trees.celeba, "list_attr_celeba.txt", "000002.jpg -1  1", "000002.jpg -1 -1"),
    "celeba, partition": (trees.celeba, "list_eval_partition.txt", "000003.jpg 1", "000003.jpg 2"),
    "celeba, people": (trees.celeba, "identity_CelebA.txt", "000002.jpg 2880", "000002.jpg 2881"),
    "celeba of kaggle": (trees.celeba_of_kaggle, "list_eval_partition.csv", "000003.jpg,1", "000003.jpg,2"),
    "fairface": (fairface, "fairface_label_train.csv", "30-39", "40-49"),
    "morph": (morph, trees.MORPH_CSV, ",B,M,", ",W,F,"),
    "vggface2": (trees.vggface2, "identity_meta.csv", "315, 1, f", "315, 1, m"),
    "a folder a person": (people, "identities.csv", "Bo,M", "Bo,F"),
    "insightface": (pack, "identities.csv", "1,M\n2,F", "1,F\n2,M"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_label_mended_in_place_is_told_by_its_file(name: str, tmp_path: Path) -> None:
    make, file, old, new = CASES[name]
    make(tmp_path / "set")
    store_of(tmp_path / "set", tmp_path / "store")
    assert store_of(tmp_path / "set", tmp_path / "store").faces.notna().any(axis=None), "nothing has changed yet"
    mend_in_place(tmp_path / "set" / file, old, new)
    message = rf"another data set or setting .label file {file} has changed since, or is another.; .*--out"
    with pytest.raises(OtherStoreError, match=message):
        store_of(tmp_path / "set", tmp_path / "store")


def test_label_files_are_the_same_in_a_folder_and_in_its_archive(tmp_path: Path) -> None:
    trees.celeba(tmp_path / "set")
    store = store_of(tmp_path / "set", tmp_path / "store")
    assert sorted(store.manifest.label_files) == [
        "identity_CelebA.txt",
        "list_attr_celeba.txt",
        "list_eval_partition.txt",
    ]
    assert store_of(packed(tmp_path / "set", ".zip"), tmp_path / "store").manifest == store.manifest


@pytest.mark.parametrize("kind", ["a column beside images", "a manifest of Parquet"])
def test_labels_in_a_parquet_are_tied_by_content(kind: str, tmp_path: Path) -> None:
    def write(genders: str) -> None:
        table = {"gender": list(genders)}
        if kind == "a manifest of Parquet":
            tree(tmp_path / "set", [f"{n}.jpg" for n in range(4)])
            table["path"] = [f"{n}.jpg" for n in range(4)]
        else:
            table["image"] = [jpeg(grey=20 * n) for n in range(4)]
        (tmp_path / "set").mkdir(exist_ok=True)
        pq.write_table(pa.table(table), tmp_path / "set/manifest.parquet")

    write("mfmf")
    store_of(tmp_path / "set", tmp_path / "store")
    write("fmmf")
    with pytest.raises(OtherStoreError, match=r"label file manifest\.parquet has changed"):
        store_of(tmp_path / "set", tmp_path / "store")


def test_people_renumbered_inside_a_pack_are_told(tmp_path: Path) -> None:
    pack(tmp_path / "set")
    store_of(tmp_path / "set", tmp_path / "store")
    people = {n: [jpeg(112, 10 * n + k) for k in range(2)] for n in (1, 0, 2, 3)}
    insightface_pack(tmp_path / "set", people)
    with pytest.raises(OtherStoreError, match=r"label file train\.rec .labels. has changed"):
        store_of(tmp_path / "set", tmp_path / "store")


def test_near_copies_that_nobody_looked_for_are_not_said_to_be_none(own: Path, tmp_path: Path) -> None:
    pack(tmp_path / "set")
    report = store_report(store_of(tmp_path / "set", tmp_path / "store"))
    assert "near-copies: not looked for" in report
    assert "people: 4, each kept inside one split" in report
    assert "near-copies: 0 clusters" in store_report(store_of(own, tmp_path / "own store"))


def test_a_label_file_that_came_or_went_is_told(tmp_path: Path) -> None:
    trees.celeba(tmp_path / "set")
    store_of(tmp_path / "set", tmp_path / "store")
    people = tmp_path / "set/identity_CelebA.txt"
    people.rename(people.with_name("away.txt"))
    with pytest.raises(OtherStoreError, match=r"identity_CelebA\.txt was read then and is not now"):
        store_of(tmp_path / "set", tmp_path / "store")
    store_of(tmp_path / "set", tmp_path / "without")
    people.with_name("away.txt").rename(people)
    with pytest.raises(OtherStoreError, match=r"identity_CelebA\.txt was not read then"):
        store_of(tmp_path / "set", tmp_path / "without")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A manifest of eight."""
    images = [f"{n}.jpg" for n in range(8)]
    rows = "".join(f"{image},{'mf'[n % 2]}\n" for n, image in enumerate(images))
    return tree(tree(tmp_path / "own", images), {"manifest.csv": f"path,gender\n{rows}"})


@pytest.mark.parametrize(
    ("then", "now", "difference"),
    [
        ({"subset": Subset(limit=4)}, {}, "limit is 4, not none"),
        ({}, {"subset": Subset(limit=4)}, "limit is none, not 4"),
        ({"subset": Subset(limit=4)}, {"subset": Subset(limit=5)}, "limit is 4, not 5"),
        ({"subset": Subset("gender")}, {}, "balance is gender, not none"),
        ({"seed": 3}, {}, "seed is 3, not 0"),
    ],
)
def test_every_option_that_chose_faces_is_told(
    own: Path, tmp_path: Path, then: dict, now: dict, difference: str
) -> None:
    store_of(own, tmp_path / "store", **then)
    with pytest.raises(OtherStoreError, match=difference) as refused:
        store_of(own, tmp_path / "store", **now)
    assert refused.value.differences == [difference]
    assert len(store_of(own, tmp_path / "store", **then).faces), "and the same command still reports it"


def test_a_subset_that_asks_for_nothing_is_none(own: Path, tmp_path: Path) -> None:
    store_of(own, tmp_path / "store")
    store_of(own, tmp_path / "store", subset=Subset("none", None))


def test_the_file_given_as_labels_is_tied(tmp_path: Path) -> None:
    tree(tmp_path / "set", [f"{name}/{n}.jpg" for name in ("Ada", "Bo") for n in range(2)])
    labels = tree(tmp_path, {"who.csv": "identity,gender\nAda,F\nBo,M\n"}) / "who.csv"
    reader = copy.copy(READERS["vggface2"])
    reader.aligned = True

    def again(path: Path | None) -> AlignedStore:
        return build_store(open_source(tmp_path / "set"), reader, tmp_path / "store", labels=path)

    again(labels)
    mend_in_place(labels, "Ada,F", "Ada,M")
    with pytest.raises(OtherStoreError, match="the file given as --labels has changed since, or is another"):
        again(labels)
    with pytest.raises(LookwhereError, match=r"nowhere\.csv: cannot be read .No such file"):
        again(tmp_path / "nowhere.csv")
    (tmp_path / "who.csv").rename(tmp_path / "set/identities.csv")
    with pytest.raises(OtherStoreError, match="--labels was given then"):
        again(None)


class Stop:
    """Interrupts at a face of the alignment."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, stage: str, total: int) -> Callable[[], None]:
        def tick() -> None:
            self.left -= stage == "aligning"
            if self.left < 0:
                raise KeyboardInterrupt

        return tick


@pytest.fixture
def begun(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store of `own`, stopped in the third batch of four."""
    monkeypatch.setattr(store_building, "BATCH", 2)
    with pytest.raises(KeyboardInterrupt):
        store_of(own, tmp_path / "store", progress=Stop(5))
    return tmp_path / "store"


def replace_image(own: Path) -> None:
    file = own / "2.jpg"
    before, data = file.stat(), jpeg(grey=250)
    file.write_bytes(data[:-2] + b"\0" * (before.st_size - len(data)) + data[-2:])
    assert file.stat().st_size == before.st_size
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda own: mend_in_place(own / "manifest.csv", "0.jpg,m", "0.jpg,x"),
            r"label file manifest\.csv has changed",
        ),
        (
            lambda own: mend_in_place(own / "manifest.csv", "0.jpg,m", "0.jpg,f"),
            r"label file manifest\.csv has changed",
        ),
        (replace_image, "its faces, their order or their images are others"),
        (lambda own: tree(own, {"8.jpg": jpeg()}), "names or sizes of the data set's files differ"),
    ],
    ids=["a label refused", "a label mended", "an image exchanged", "an image more"],
)
def test_unfinished_work_goes_on_with_the_faces_it_was_begun_with_only(
    own: Path, begun: Path, change: Callable[[Path], object], message: str
) -> None:
    change(own)
    with pytest.raises(OtherStoreError, match=message):
        store_of(own, begun)
    assert not (begun / "store.json").exists()


def test_unfinished_work_of_the_same_faces_goes_on(own: Path, begun: Path, tmp_path: Path) -> None:
    done = np.load(begun / "state.partial.npy") > 0
    assert done.sum() == 6
    resumed, whole = store_of(own, begun), store_of(own, tmp_path / "whole")
    np.testing.assert_array_equal(resumed.images, whole.images)
    pd.testing.assert_frame_equal(resumed.faces, whole.faces)
    assert resumed.manifest == whole.manifest


def test_unfinished_work_that_does_not_say_of_which_faces_is_not_taken_up(own: Path, begun: Path) -> None:
    content = json.loads((begun / "unfinished.json").read_text())
    for key in ("plan_sha256", "label_files"):
        del content[key]
    (begun / "unfinished.json").write_text(json.dumps(content))
    with pytest.raises(OtherStoreError, match="begun by an earlier version"):
        store_of(own, begun)


@pytest.mark.parametrize("damage", ["cut", "other shape", "gone", "words"])
def test_damaged_unfinished_work_is_told(own: Path, begun: Path, damage: str) -> None:
    state = begun / "state.partial.npy"
    if damage == "cut":
        state.write_bytes(state.read_bytes()[:100])
    elif damage == "other shape":
        np.save(state, np.zeros(5, dtype=np.uint8))
    elif damage == "gone":
        state.unlink()
    else:
        (begun / "unfinished.json").write_text("{")
    with pytest.raises(LookwhereError, match=r"damaged.*delete"):
        store_of(own, begun)


def test_a_store_of_before_label_files_were_kept_is_compared_face_by_face(own: Path, tmp_path: Path) -> None:
    store = store_of(own, tmp_path / "store").path
    content = json.loads((store / "store.json").read_text())
    for key in ("plan_sha256", "label_files"):
        del content[key]
    write_former(store / "store.json", content)
    assert store_of(own, store).manifest.label_files is None
    mend_in_place(own / "manifest.csv", "3.jpg,f", "3.jpg,m")
    with pytest.raises(OtherStoreError, match="1 of its faces are labelled otherwise now"):
        store_of(own, store)
    mend_in_place(own / "manifest.csv", "5.jpg,f", "5.jpg,x")
    with pytest.raises(OtherStoreError, match="1 of its faces have no label now"):
        store_of(own, store)


@pytest.mark.parametrize(
    ("subset", "message"),
    [
        (Subset(limit=3), r"--limit 3: too few for one person; .* has 4 images; give --limit 4 or more"),
        (Subset("gender", 1), r"--limit 1: too few for one person of each gender; .* give --limit 8 or more"),
        (Subset("gender", 7), r"--limit 7: too few for one person of each gender; .* give --limit 8 or more"),
        (Subset("group", 9), r"of each gender × ethnicity; .* give --limit 16 or more"),
    ],
)
def test_a_limit_under_one_person_names_the_least_and_leaves_nothing(
    tmp_path: Path, subset: Subset, message: str
) -> None:
    rows = [f"{n}.jpg,{'mf'[n // 4 % 2]},{'AB'[n // 8]},p{n // 4}\n" for n in range(16)]
    tree(tmp_path / "own", [f"{n}.jpg" for n in range(16)])
    tree(tmp_path / "own", {"manifest.csv": "path,gender,ethnicity,identity\n" + "".join(rows)})
    with pytest.raises(LookwhereError, match=message):
        store_of(tmp_path / "own", tmp_path / "store", subset=subset)
    assert not (tmp_path / "store").exists()
    needed = int(message.split("--limit ")[-1].split()[0])
    store = store_of(tmp_path / "own", tmp_path / "store", subset=Subset(subset.balance, needed))
    assert store.faces["identity"].value_counts().unique().tolist() == [4]


def test_a_class_smaller_than_any_person_of_another_cannot_be_balanced() -> None:
    faces = pd.DataFrame({"face_id": list("abcdef"), "gender": ["male"] * 4 + ["female"] * 2, "ethnicity": "A"})
    faces["identity"] = ["p"] * 4 + ["q", "r"]
    for limit in (None, 100):
        with pytest.raises(LookwhereError, match="--balance gender: the smallest class has 2 images"):
            Subset("gender", limit).choose(faces)


def test_images_without_a_face_leave_nothing_half_made(tmp_path: Path) -> None:
    tree(tmp_path / "own", {"a.jpg": jpeg(64), "manifest.csv": "path,gender\na.jpg,f\n"})
    source = open_source(tmp_path / "own")
    with pytest.raises(LookwhereError, match="no face was found in any of 1 images"):
        build_store(source, choose_reader(source), tmp_path / "store")
    assert list((tmp_path / "store").iterdir()) == []


def test_a_second_data_set_of_a_kind_is_told_the_command_that_aligns_it(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(default_store, "STORES", tmp_path / "aligned")
    monkeypatch.setattr(READERS["manifest"], "aligned", True, raising=False)
    open_or_align(own)
    assert (tmp_path / "aligned/own").is_dir()
    second_folder = tree(tmp_path / "clinic b/own", {"a.jpg": jpeg(), "manifest.csv": "path,gender\na.jpg,f\n"})
    command = f"python -m core align --data '{second_folder}' --out {tmp_path}/aligned/own-2"
    with pytest.raises(OtherStoreError, match=rf"align it first: {command}, and give that folder instead"):
        open_or_align(second_folder)
