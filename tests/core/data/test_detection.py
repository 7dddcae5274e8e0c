"""Which of several faces is taken, a batch whose images leave each other alone, and a detector that fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data.alignment import ALL_FAILED, FaceAligner
from core.data.build_store import build_store
from core.data.cascade import Detector
from core.data.detection import Detection, main_face
from core.data.readers import READERS
from core.data.sources import open_source
from core.errors import LookwhereError
from core.present.text.tables import store_report
from tests.helpers.portrait import PORTRAIT

#: A pixel that no photo has, put into the middle of the image on which the detector is to fail.
MARK = (1, 254, 3)


@pytest.fixture(scope="module")
def head() -> Image.Image:
    """A face, cut just beyond hair and chin."""
    with Image.open(PORTRAIT) as image:
        return image.convert("RGB").crop((150, 40, 370, 330))


@pytest.fixture(scope="module")
def aligner() -> FaceAligner:
    return FaceAligner()


def faces(*squares: tuple[float, float, float, float]) -> Detection:
    """Squares of left, top, side and certainty."""
    boxes = np.array([(x, y, x + side, y + side) for x, y, side, _ in squares], dtype=float)
    return Detection(boxes, np.array([square[3] for square in squares]), np.zeros((len(squares), 5, 2)))


@pytest.mark.parametrize(
    ("squares", "chosen_face"),
    [
        # 600 × 800, centre (300, 400). A print in the middle of the shirt, under the person's own face.
        ([(268, 368, 64, 1.0), (170, 60, 260, 1.0)], 1),
        # A bystander of a tenth of the area, exactly in the centre.
        ([(170, 60, 260, 1.0), (260, 360, 80, 1.0)], 0),
        # Two of one size: the one nearest the centre; 30 pixels decide.
        ([(100, 250, 100, 1.0), (230, 250, 100, 1.0)], 1),
        # A bystander at the edge, a little larger than who stands in the middle.
        ([(0, 0, 220, 1.0), (200, 300, 200, 1.0)], 1),
        # A faint false alarm, a little larger than the face and as near the centre.
        ([(190, 290, 220, 0.72), (200, 300, 200, 0.99)], 1),
        # A faint face is taken all the same where the sure one is a print of a sixteenth of its area.
        ([(170, 260, 260, 0.75), (268, 568, 65, 1.0)], 0),
    ],
)
def test_size_certainty_and_centre_decide_together(squares: list, chosen_face: int) -> None:
    assert main_face(faces(*squares), (600, 800)) == chosen_face
    assert main_face(faces(*squares[::-1]), (600, 800)) == 1 - chosen_face


def test_the_weighing_by_hand() -> None:
    """In 60 × 80 the half diagonal is 50. A side of 20 whose centre is 40 off weighs 400 · e^-2 = 54.1, and one of
    8 in the centre 64 · c: less for c = 0.8, more for 0.9."""
    off = (30 - 10, 40 - 40 - 10, 20, 1.0)
    assert main_face(faces(off, (26, 36, 8, 0.8)), (60, 80)) == 0
    assert main_face(faces(off, (26, 36, 8, 0.9)), (60, 80)) == 1


def test_a_person_is_aligned_and_not_a_print_on_the_shirt(head: Image.Image, aligner: FaceAligner) -> None:
    alone, both = (Image.new("RGB", (500, 640), (150, 140, 130)) for _ in range(2))
    for wall in (alone, both):
        wall.paste(head, (140, 20))
    both.paste(head.resize((55, 72)), (222, 330))
    result = aligner.align([alone, both])
    assert result.found.all()
    assert result.several.tolist() == [False, True]
    assert np.abs(result.faces[0].astype(int) - result.faces[1]).mean() < 1


def test_a_tight_crop_is_aligned_alike_alone_and_among_others(head: Image.Image, aligner: FaceAligner) -> None:
    crops = [head.crop((20 + x, 25 + y, 190 + x, 235 + y)) for x in (-14, 0, 14) for y in (-16, 0, 16)]
    together, alone = aligner.align(crops), [aligner.align([crop]) for crop in crops]
    assert together.found.tolist() == [single.found[0] for single in alone]
    for face, single in zip(together.faces, alone, strict=True):
        assert np.abs(face.astype(int) - single.faces[0]).max() <= 1


def failing(error: type[Exception], marked: Callable[[np.ndarray], bool]) -> Callable:
    find = Detector.find

    def fails(self: Detector, images: np.ndarray, *rest: int) -> object:
        if any(marked(image) for image in images):
            raise error("The shape of the mask [44415] at index 0 does not match")
        return find(self, images, *rest)

    return fails


def has_mark(pixels: np.ndarray) -> bool:
    return tuple(pixels[pixels.shape[0] // 2, pixels.shape[1] // 2]) == MARK


@pytest.mark.parametrize("error", [IndexError, RuntimeError, ValueError, TypeError])
def test_an_image_on_which_the_detector_fails_is_rejected_and_the_others_are_aligned(
    error: type[Exception], head: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Detector, "find", failing(error, has_mark))
    rows = ["path,gender"]
    for n in range(4):
        image = head.crop((n, n, 200 + n, 280 + n))
        if n == 2:
            image.putpixel((100, 140), MARK)
        image.save(tmp_path / f"{n}.png")
        rows.append(f"{n}.png,female")
    (tmp_path / "manifest.csv").write_text("\n".join(rows))
    store = build_store(open_source(tmp_path), READERS["manifest"], tmp_path / "store")
    assert sorted(store.faces["path"]) == ["0.png", "1.png", "3.png"]
    (row,) = store.rejects.to_dict("records")
    assert (row["file"], row["reason"], row["gender"]) == ("2.png", "the face detector fails on it", "female")
    assert "1  the face detector fails on it" in store_report(store)


def test_a_detector_that_fails_on_everything_stops_the_work(
    head: Image.Image, aligner: FaceAligner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that is gone must not make a data set of rejects."""
    monkeypatch.setattr(Detector, "find", failing(RuntimeError, lambda _: True))
    few = aligner.align([head] * (ALL_FAILED - 1))
    assert few.failed.all() and not few.found.any()
    with pytest.raises(LookwhereError, match=r"fails on all of 8 images \(RuntimeError: The shape"):
        aligner.align([head] * ALL_FAILED)


def test_images_with_several_faces_are_counted_by_group(head: Image.Image, tmp_path: Path) -> None:
    rows = ["path,gender,ethnicity"]
    for n in range(4):
        wall = Image.new("RGB", (500, 640), (150 - n, 140, 130))
        wall.paste(head.crop((0, 0, 220 - n, 290)), (140, 20))
        if n < 3:
            wall.paste(head.resize((70, 92)), (215, 330))
        wall.save(tmp_path / f"{n}.png")
        rows.append(f"{n}.png,{'female' if n < 2 else 'male'},Black")
    (tmp_path / "manifest.csv").write_text("\n".join(rows))
    store = build_store(open_source(tmp_path), READERS["manifest"], tmp_path / "store")
    counts = [(group.gender, group.ethnicity, group.n) for group in store.manifest.several_faces]
    assert counts == [("female", "Black", 2), ("male", "Black", 1)]
    report = store_report(store)
    assert "images with several faces: 3 of 4" in report
    assert "Black women 2 of 2, Black men 1 of 2" in report
