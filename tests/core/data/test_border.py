"""The border before detection: decided from the images, given by hand, kept by the store, and told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data import build_store as store_building
from core.data import detection
from core.data.alignment import FaceAligner
from core.data.border import SAMPLE, decide_border, given_border, sampled, smallest_needed
from core.data.build_store import build_store
from core.data.cascade import Detector
from core.data.detection import NOTHING, SMALLEST_SIDE, Detection, look
from core.data.readers import READERS
from core.data.sources import open_source
from core.data.store import AlignedStore
from core.data.store_info import BorderInfo, DecidedBy
from core.errors import LookwhereError
from core.present.text.alignment import border_lines, several_lines
from core.present.text.tables import reading_report
from tests.helpers.portrait import PORTRAIT

COUNT = 14
#: MTCNN's box of the face in the photo is about (165, 108, 350, 340).
TIGHT, LOOSE = (155, 124, 357, 326), (20, 0, 500, 480)


def crops(place: tuple[int, int, int, int], count: int = COUNT) -> list[Image.Image]:
    """The photo cut at a place and a few pixels around it."""
    left, top, right, bottom = place
    with Image.open(PORTRAIT) as image:
        photo = image.convert("RGB")
    shifted = [photo.crop((left + n % 4, top + n // 4, right + n % 4, bottom + n // 4)) for n in range(count)]
    return [image if image.width < 300 else image.reduce(2) for image in shifted]


def manifest(folder: Path, images: list[Image.Image]) -> Path:
    """A data set of images, every second one of a woman."""
    folder.mkdir(exist_ok=True)
    lines = ["path,gender"]
    for n, image in enumerate(images):
        image.save(folder / f"{n:02}.png")
        lines.append(f"{n:02}.png,{('female', 'male')[n % 2]}")
    (folder / "manifest.csv").write_text("\n".join(lines))
    return folder


def build(folder: Path, out: Path, **options: object) -> AlignedStore:
    return build_store(open_source(folder), READERS["manifest"], out, **options)


@pytest.fixture(scope="module")
def aligner() -> FaceAligner:
    return FaceAligner()


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return manifest(tmp_path_factory.mktemp("tight"), crops(TIGHT))


@pytest.fixture(scope="module")
def store(tight: Path, tmp_path_factory: pytest.TempPathFactory) -> AlignedStore:
    return build(tight, tmp_path_factory.mktemp("stores") / "store")


def test_tight_crops_get_a_border_and_loose_ones_none(aligner: FaceAligner) -> None:
    border = decide_border(crops(TIGHT), aligner.detector)
    assert (border.percent, border.decided, border.sample) == (30, DecidedBy.IMAGES, COUNT)
    assert border.needing > COUNT / 2
    assert (border.missed_with, border.unsteady, border.median_side) == (0, 0, 202)
    border = decide_border(crops(LOOSE), aligner.detector)
    assert (border.percent, border.needing, border.missed_without, border.unsteady) == (0, 0, 0, 0)


def test_a_tight_crop_among_loose_ones_is_looked_at_again(aligner: FaceAligner) -> None:
    images = [*crops(LOOSE, 2), *crops(TIGHT, 1)]
    mixed = FaceAligner(border=0, wider=True).detect(images)
    bare, bordered = (FaceAligner(border=share).detect(images) for share in (0, 0.3))
    np.testing.assert_array_equal(mixed[:2], bare[:2])
    np.testing.assert_array_equal(mixed[2], bordered[2])
    assert np.abs(mixed[2] - bare[2]).max() > 5


def test_landmarks_of_a_tight_crop_are_those_of_the_whole_photo(aligner: FaceAligner) -> None:
    with Image.open(PORTRAIT) as image:
        whole = image.convert("RGB")
    (truth,) = aligner.detect([whole])
    eyes = np.linalg.norm(truth[0] - truth[1])

    def off(border: float) -> float:
        (points,) = FaceAligner(border=border).detect([whole.crop(TIGHT)])
        return float(np.linalg.norm(points + TIGHT[:2] - truth, axis=1).mean() / eyes)

    assert off(0.3) < 0.06
    assert off(0) > 2 * off(0.3)


def test_the_share_of_the_shorter_side_is_what_so_many_pixels_are() -> None:
    (image,) = crops(TIGHT, 1)
    share, pixels = FaceAligner(border=0.3), FaceAligner(61)
    assert round(0.3 * min(image.size)) == 61
    np.testing.assert_array_equal(share.detect([image]), pixels.detect([image]))


def test_how_many_images_the_detector_gets_at_once_changes_nothing(
    aligner: FaceAligner, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = crops(TIGHT, 5)
    together = look(aligner.detector, images, 0.3)
    monkeypatch.setattr(detection, "PIXELS_AT_ONCE", 1)
    for together_face, alone_face in zip(together, look(aligner.detector, images, 0.3), strict=True):
        np.testing.assert_allclose(together_face.points, alone_face.points, atol=1e-3)


def test_a_manifest_of_tight_crops_is_aligned_with_the_border_and_says_so(tight: Path, store: AlignedStore) -> None:
    assert store.manifest.border.percent == 30
    images = crops(TIGHT)
    expected = FaceAligner(border=0.3).align(images).faces
    rows = store.faces.set_index("path")["row"]
    for n in range(COUNT):
        assert np.abs(store.images[rows[f"{n:02}.png"]].astype(int) - expected[n]).max() <= 1
    (first, *_) = border_lines(store.manifest.border)
    assert first.startswith("  border before detection: 30 % of an image's shorter side, decided from 12 images")
    report = reading_report(READERS["manifest"].read(open_source(tight)), READERS["manifest"], open_source(tight))
    assert "border before detection: decided from the images when they are aligned" in report


def test_work_that_was_interrupted_goes_on_with_the_border_it_began_with(
    tight: Path, store: AlignedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(stage: str, total: int) -> object:
        ticks = iter(range(total if stage == "reading" else 5))
        return lambda: next(ticks)

    monkeypatch.setattr(store_building, "BATCH", 4)
    with pytest.raises(StopIteration):
        build(tight, tmp_path, progress=stop)
    assert json.loads((tmp_path / "unfinished.json").read_text())["border"]["percent"] == 30
    monkeypatch.delattr(store_building, "decide_border")
    resumed = build(tight, tmp_path)
    assert resumed.manifest.border == store.manifest.border
    np.testing.assert_array_equal(resumed.images, store.images)


def test_a_border_given_by_hand_is_kept_and_another_is_refused(
    tight: Path, store: AlignedStore, tmp_path: Path
) -> None:
    by_hand = build(tight, tmp_path / "store", border=15)
    smallest = by_hand.manifest.border.smallest
    assert 50 < smallest < 75
    assert by_hand.manifest.border == BorderInfo(percent=15, decided=DecidedBy.HAND, median_side=202, smallest=smallest)
    assert border_lines(by_hand.manifest.border) == [
        "  border before detection: 15 % of an image's shorter side, as was asked"
    ]
    assert build(tight, tmp_path / "store", border=15).manifest == by_hand.manifest
    with pytest.raises(LookwhereError, match="border before detection is 15 %, given, not 30 %"):
        build(tight, tmp_path / "store", border=30)
    with pytest.raises(LookwhereError, match="border before detection is 15 %, given, not decided from the images"):
        build(tight, tmp_path / "store")
    with pytest.raises(LookwhereError, match="border before detection is 30 %, decided from the images, not 30 %"):
        build(tight, store.path, border=30)


def test_a_store_of_before_borders_were_decided_opens_as_it_did(tight: Path, tmp_path: Path) -> None:
    older = build(tight, tmp_path / "store", border=0)
    content = older.manifest.to_json() | {"format": 2, "padding": 0}
    del content["border"], content["digest"]
    (older.path / "store.json").write_text(json.dumps(content))
    assert build(tight, older.path).manifest.border is None
    with pytest.raises(LookwhereError, match="border before detection is 0 pixels, not 30 %"):
        build(tight, older.path, border=30)


@pytest.mark.parametrize("percent", [-1, 201, float("nan")])
def test_a_border_that_is_none_is_refused(percent: float) -> None:
    with pytest.raises(LookwhereError, match=r"--border .*: it is in percent of .* from 0 to 200"):
        given_border(READERS["manifest"], percent)


def test_who_decides_the_border() -> None:
    assert given_border(READERS["manifest"], None) is None
    assert given_border(READERS["utkface"], None) == BorderInfo(percent=30, decided=DecidedBy.READER)
    assert given_border(READERS["utkface"], 15) == BorderInfo(percent=15, decided=DecidedBy.HAND)
    assert given_border(READERS["insightface"], None) is None
    with pytest.raises(
        LookwhereError, match="--border 30: insightface is aligned, no face is looked for; leave it out"
    ):
        given_border(READERS["insightface"], 30)


def test_the_sample_is_spread_evenly_and_leaves_out_what_cannot_be_read(tmp_path: Path) -> None:
    images = [Image.new("RGB", (20 + n, 30), (n, 0, 0)) for n in range(40)]
    source = open_source(manifest(tmp_path / "set", images))
    faces = READERS["manifest"].read(source).faces
    (tmp_path / "set/00.png").write_bytes(b"none")
    widths = sorted(image.width for image in sampled(open_source(tmp_path / "set"), faces))
    assert widths == [24, 27, 31, 34, 38, 41, 45, 48, 52, 55, 59]
    assert len(widths) == SAMPLE[0] - 1


@pytest.mark.parametrize("side", [32, 48, 64])
def test_small_grey_crops_are_found_and_told(side: int, tmp_path: Path) -> None:
    images = [image.convert("L").resize((side, side), Image.Resampling.LANCZOS) for image in crops(TIGHT, 4)]
    small = Image.new("RGB", (SMALLEST_SIDE - 1, 40), (90, 80, 70))
    store = build(manifest(tmp_path / "set", [*images, small]), tmp_path / "store")
    assert len(store.faces) == 4
    assert store.manifest.rejects == {"under 16 pixels a side, too small to look for a face": 1}
    lines = [line for line in border_lines(store.manifest.border) if "small" in line]
    assert len(lines) == (side < 64)
    assert all(f"half of them have a side of {side} pixels or less" in line for line in lines)


def test_where_no_face_is_found_in_small_images_the_error_says_that_they_are_small(tmp_path: Path) -> None:
    images = [Image.new("RGB", (24, 24), (60 * n, 90, 20)) for n in range(4)]
    with pytest.raises(LookwhereError, match=r"no face was found in any of 4 images .*half of them have a side of 24 "):
        build(manifest(tmp_path / "set", images), tmp_path / "store")


@pytest.mark.parametrize(("unsteady", "warned"), [(0, False), (2, False), (3, False), (4, True)])
def test_landmarks_that_depend_on_the_border_are_a_warning(unsteady: int, warned: bool) -> None:
    info = BorderInfo(
        percent=30, decided=DecidedBy.IMAGES, sample=60, needing=50, missed_without=2, missed_with=1, unsteady=unsteady
    )
    first, second, *warnings = border_lines(info)
    assert "decided from 60 images: without one, 50 of them have landmarks elsewhere or no face" in first
    assert "no face found in 2 without, in 1 with 30 %" in second
    assert bool(warnings) is warned
    assert all(f"those of {unsteady} of 60 images lie elsewhere with a wider one" in line for line in warnings)


def test_small_faces_are_looked_for_only_where_one_could_be_the_main_face(
    tight: Path, store: AlignedStore, aligner: FaceAligner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a crop filled by its face, two scales of seven are left out and its landmarks stay; an image whose only face
    is small is looked at again with all."""
    assert 50 < store.manifest.border.smallest < 75
    assert any("looked for only where" in line for line in several_lines(store))
    (crop,) = crops(TIGHT, 1)
    wall = Image.new("RGB", crop.size, (150, 140, 130))
    wall.paste(crop.resize((70, round(70 * crop.height / crop.width))), (40, 40))
    skipped = []
    find = Detector.find

    def counted(self: Detector, images: np.ndarray, border: int = 0, skip: int = 0) -> object:
        skipped.append((len(images), skip))
        return find(self, images, border, skip)

    everywhere = look(aligner.detector, [crop, wall], 0.3)
    monkeypatch.setattr(Detector, "find", counted)
    bounded = look(aligner.detector, [crop, wall], 0.3, smallest=0.4)
    assert skipped == [(2, 2), (1, 0)]
    for bounded_face, unbounded_face in zip(bounded, everywhere, strict=True):
        np.testing.assert_array_equal(bounded_face.points, unbounded_face.points)


def squares(*sides: float, certainty: float = 1.0, shift: float = 0.0) -> Detection:
    """Squares around (100, 100)."""
    boxes = np.array([[100 - side / 2 + shift] * 2 + [100 + side / 2 + shift] * 2 for side in sides])
    return Detection(boxes, np.full(len(sides), certainty), np.zeros((len(sides), 5, 2)))


def test_how_large_faces_need_be_by_a_sample() -> None:
    """Half an image of 200 × 200 wide, a face is 1.6 times as large as 31.25 % of it."""
    images = [Image.new("RGB", (200, 200))] * 20
    assert smallest_needed([squares(100)] * 20, images) == 31.2
    # One in twenty is not one in ten; but a sure one is found in any case, and a faint one is not.
    assert smallest_needed([*[squares(100)] * 19, squares(40)], images) == 20
    assert smallest_needed([*[squares(100)] * 19, squares(100, 30)], images) == 15
    assert smallest_needed([*[squares(100)] * 19, squares(30, certainty=0.8)], images) == 31.2
    # At the corner of 200 × 200 the distance is that of halves of the diagonal: e^(−1 / 0.32) of its area.
    assert smallest_needed([squares(100, shift=-100)] * 20, images) == int(1000 * 0.5 * np.exp(-1 / 0.64)) / 10
    assert smallest_needed([NOTHING, ValueError()], images[:2]) is None


@pytest.mark.parametrize(
    ("faces", "side", "enough"),
    [
        (squares(100), 62, True),
        (squares(100), 63, False),
        (squares(100, certainty=0.89), 62, False),
        (squares(100, shift=-100), 21, False),
        (squares(100, shift=-100), 20, True),
        (squares(30, 100), 62, True),
        (NOTHING, 1, False),
        (ValueError(), 1, False),
    ],
)
def test_smaller_faces_can_be_left_out_beside_a_sure_heavy_and_much_larger_one(
    faces: Detection | Exception, side: float, enough: bool
) -> None:
    """100 is 1.6 times 62.5; and at the corner a face of 100² weighs e^(−1 / 0.32) of it, which is 20.96²."""
    assert detection.decided(faces, (200, 200), side) is enough


def test_scales_that_only_smaller_faces_show_at_are_left_out(aligner: FaceAligner) -> None:
    """Of 40, 56.4, 79.6 and 112.2 pixels, each 1 / 0.709 of the one before."""
    for side, skip, largest_skipped in ((0, 0, 0), (56, 0, 0), (57, 1, 56.42), (112, 2, 79.57), (113, 3, 112.24)):
        assert aligner.detector.skipped(side) == pytest.approx((skip, largest_skipped), abs=0.01)
