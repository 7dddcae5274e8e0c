"""Near-copies are told by the face: a studio's people before one backdrop are several, a face cropped anew is one."""

from __future__ import annotations

import numpy as np
import pandas as pd
from PIL import Image

from core.data.same_photograph import by_aligned_face
from core.data.splits import NEAR_GENDER, NEAR_TORN, still_near
from core.photo.portraits import portraits


def face(n: int) -> np.ndarray:
    """A portrait of the London set, as an aligned face might be: uint8 (112, 112, 3)."""
    with Image.open(portraits()[n].file) as opened:
        side = min(opened.size)
        left, top = (opened.width - side) // 2, (opened.height - side) // 2
        return np.asarray(opened.convert("RGB").crop((left, top, left + side, top + side)).resize((112, 112)))


def recut(image: np.ndarray) -> np.ndarray:
    """The same photograph, a pixel further, darker and blurred."""
    moved = Image.fromarray(np.roll(image, (1, -1), axis=(0, 1))).resize((70, 70)).resize((112, 112))
    return (np.asarray(moved) * 0.9).astype(np.uint8)


def test_people_before_one_backdrop_are_no_copies_of_each_other() -> None:
    people = np.stack([face(n) for n in range(8)])
    rows = np.arange(8)
    assert by_aligned_face(people, rows, np.zeros(8, dtype=int)).tolist() == rows.tolist()


def test_a_photograph_cut_and_coded_anew_is_one() -> None:
    images = np.stack([face(0), face(1), recut(face(0)), face(2), recut(face(2)), recut(recut(face(2)))])
    rows, scenes = np.arange(6), np.array([7, 7, 7, 7, 7, 7])
    assert by_aligned_face(images, rows, scenes).tolist() == [0, 1, 0, 3, 3, 3]
    apart = np.array([7, 7, 9, 7, 7, 7])
    assert by_aligned_face(images, rows, apart).tolist() == [0, 1, 2, 3, 3, 3], "of another scene it is not compared"
    some = np.array([5, 3, 2, 0])
    assert by_aligned_face(images, some, np.zeros(4, dtype=int)).tolist() == [3, 3, 0, 0], "rows are the images'"


def test_a_mirrored_photograph_is_one() -> None:
    images = np.stack([face(0), face(1), recut(face(0)[:, ::-1]), face(2), recut(face(2)), recut(face(2))[:, ::-1]])
    assert by_aligned_face(images, np.arange(6), np.zeros(6, dtype=int)).tolist() == [0, 1, 0, 3, 3, 3]


def test_a_constant_face_and_none_are_like_nothing() -> None:
    grey = np.full((2, 112, 112, 3), 90, dtype=np.uint8)
    assert by_aligned_face(grey, np.arange(2), np.zeros(2, dtype=int)).tolist() == [0, 1]
    assert by_aligned_face(grey, np.array([], dtype=int), np.array([], dtype=int)).tolist() == []


def test_disagreements_of_different_faces_go_and_all_others_stay() -> None:
    faces = pd.DataFrame(
        {
            "path": ["a", "b", "c", "d"],
            "gender": ["female", "male", "female", "male"],
            "split": ["train", "train", "train", "test"],
            "cluster": [0, 0, 2, 3],
        }
    )
    disagreements = [
        ("a", NEAR_GENDER),
        ("b", NEAR_GENDER),
        ("c", NEAR_GENDER),
        ("d", NEAR_TORN),
        ("c", "age: two"),
        ("z", NEAR_TORN),
    ]
    remaining = still_near(pd.DataFrame(disagreements, columns=["file", "what"]), faces)
    assert list(remaining.itertuples(index=False, name=None)) == [
        disagreements[0],
        disagreements[1],
        disagreements[4],
        disagreements[5],
    ]
