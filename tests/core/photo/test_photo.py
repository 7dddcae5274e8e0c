"""A tried picture: faces found and cut out, read by a model, placed among audited ones, told and drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageOps

from core.classifiers.info import ModelInfo
from core.data.alignment import FaceAligner, similarity
from core.errors import LookwhereError
from core.explain.regions import REGIONS
from core.photo.certainty import CertaintyRank, certainties, certainty_rank, same_weights
from core.photo.detection import MOST_FACES, SMALLEST, Finder, _cut, nothing_found
from core.photo.faces import Found
from core.photo.prediction import Prediction, head_bias, read_faces
from core.present.figures import photo as figures
from core.present.text import photo as photo_text
from core.template import TEMPLATE
from tests.helpers.made_audit import made_manifest
from tests.helpers.portrait import PORTRAIT


@pytest.fixture(scope="module")
def portrait() -> Image.Image:
    return Image.open(PORTRAIT).convert("RGB")


@pytest.fixture(scope="module")
def finder() -> Finder:
    return Finder()


@pytest.fixture(scope="module")
def found(finder: Finder, portrait: Image.Image) -> Found:
    return finder.find(portrait)


def eyes(points: np.ndarray) -> float:
    return float(np.linalg.norm(points[0] - points[1]))


def test_a_face_is_found_with_its_points_and_lies_on_the_template(found: Found) -> None:
    (face,) = found.faces
    assert found.left_out == 0 and face.probability > 0.99
    assert (face.points > face.box[:2]).all() and (face.points < face.box[2:]).all()
    assert face.crop.shape == (112, 112, 3) and face.crop.dtype == np.uint8
    assert np.abs(face.landmarks - TEMPLATE).max() < 5
    assert face.enlarged == pytest.approx(np.sqrt(np.linalg.det(similarity(face.points)[:, :2])))
    assert face.outside == 0


def test_several_faces_are_numbered_from_left_to_right(finder: Finder, portrait: Image.Image, found: Found) -> None:
    group = Image.new("RGB", (4000, 3000), (120, 140, 110))
    head = portrait.crop((120, 40, 400, 360))
    sizes, lefts = (0.5, 2.0, 1.0, 0.4), (3300, 1000, 100, 2500)
    for scale, left in zip(sizes, lefts, strict=True):
        group.paste(head.resize((round(280 * scale), round(320 * scale))), (left, 900))
    faces = finder.find(group).faces
    assert len(faces) == 4
    eye = eyes(found.faces[0].points)
    for face, (left, scale) in zip(faces, sorted(zip(lefts, sizes, strict=True)), strict=True):
        expected = (found.faces[0].points - (120, 40)) * scale + (left, 900)
        assert np.abs(face.points - expected).max() < 0.12 * eye * scale
        assert face.enlarged == pytest.approx(found.faces[0].enlarged / scale, rel=0.08)


def test_no_more_than_twenty_faces_are_read_the_largest_first(finder: Finder, portrait: Image.Image) -> None:
    head = portrait.crop((120, 40, 400, 360))
    crowd = Image.new("RGB", (2000, 1200), (120, 140, 110))
    for n in range(MOST_FACES + 4):
        size = (140, 160) if n >= 4 else (70, 80)
        crowd.paste(head.resize(size), (20 + 240 * (n % 8), 20 + 380 * (n // 8)))
    result = finder.find(crowd)
    assert len(result.faces) == MOST_FACES
    assert result.left_out == 4
    assert min(np.ptp(face.box[::2]) for face in result.faces) > 45


def test_points_near_the_edge_are_found_as_well_as_amid_a_picture(
    finder: Finder, portrait: Image.Image, found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = found.faces[0]
    left, top, right, bottom = (round(v) for v in face.box)
    tight = portrait.crop((left, top, right, bottom))

    def off(result: Found) -> float:
        points = result.faces[0].points + np.array([left, top])
        return float(np.linalg.norm(points - face.points, axis=1).mean()) / eyes(face.points)

    assert off(finder.find(tight)) < 0.08
    assert finder.find(tight).faces[0].outside > 0.02
    with monkeypatch.context() as patch:
        patch.setattr("core.photo.detection.NEAR_EDGE", -1.0)
        assert off(finder.find(tight)) > 0.1


def test_crops_are_those_of_the_aligned_store(finder: Finder, real_folder: Path) -> None:
    """The same chips by the way of `core align`: the points of the two differ by the detector's own unsteadiness."""
    chips = [Image.open(file).convert("RGB") for file in sorted(real_folder.iterdir())[:12]]
    reference = FaceAligner(60).detect(chips)
    apart = []
    for chip, points in zip(chips, reference, strict=True):
        faces = finder.find(chip).faces
        if faces and points is not None:
            nearest = min(faces, key=lambda f: np.abs(f.box[:2] + f.box[2:] - np.array(chip.size)).sum())
            apart.append(np.linalg.norm(nearest.points - points, axis=1).mean() / eyes(points))
    assert len(apart) >= 11
    assert np.median(apart) < 0.06


def test_a_large_face_is_averaged_and_a_crop_does_not_depend_on_what_surrounds_it(portrait: Image.Image) -> None:
    box, points = np.array([160.0, 80, 300, 260]), TEMPLATE * 2 + (110, 60)
    whole = _cut(portrait, box, points, 1.0).crop.astype(int)
    large = portrait.resize((portrait.width * 6, portrait.height * 6), Image.Resampling.NEAREST)
    again = _cut(large, box * 6, (points + 0.5) * 6 - 0.5, 1.0)
    assert again.enlarged == pytest.approx(1 / 12)
    assert np.abs(again.crop - whole).mean() < 2.5
    # Noise of one pixel averages out over the 12 × 12 that fall on a pixel of the template; a sparse warp keeps it.
    noise = np.random.default_rng(0).integers(0, 256, (1600, 1600, 3), dtype=np.uint8)
    assert _cut(Image.fromarray(noise), box, TEMPLATE * 12 + 60, 1.0).crop.std() < 0.15 * noise.std()
    shifted = ImageOps.expand(portrait, border=300, fill="green")
    assert np.abs(_cut(shifted, box + 300, points + 300, 1.0).crop - whole).max() <= 1


def test_where_there_is_no_face_the_line_says_what_it_needs(finder: Finder) -> None:
    waves = np.random.default_rng(1).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    empty = Image.fromarray(waves).resize((1200, 900), Image.Resampling.BICUBIC)
    assert finder.find(empty).faces == []
    assert finder.find(Image.new("RGB", (40, 400))).faces == []
    assert f"at least {SMALLEST} pixels" in nothing_found((1200, 900), 0)
    assert "at least 78 pixels" in nothing_found((4000, 3000), 2)
    assert "2 places looked a little like one" in nothing_found((4000, 3000), 2)


def test_a_detector_that_gives_up_is_told(finder: Finder, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("torch.cat(): expected a non-empty list of Tensors")

    monkeypatch.setattr(finder.detector, "find", fails)
    with pytest.raises(LookwhereError, match="cut it closer"):
        finder.find(Image.new("RGB", (99, 99)))


class Made:
    """A classifier of made evidence, whose mean and bias are its logits."""

    maps = {"method": "closed form", "additive": True, "layer": "x"}  # noqa: RUF012
    placement = None
    head_bias = [0.25, -0.5]  # noqa: RUF012
    precision = "float32"

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        draw = np.random.default_rng(len(images))
        evidence = draw.normal(size=(len(images), 2, 7, 7)).astype(np.float32)
        return evidence.mean(axis=(2, 3)) + np.array(self.head_bias, dtype=np.float32), evidence


def test_a_reading_is_the_models_own_arithmetic() -> None:
    crops = [np.zeros((112, 112, 3), np.uint8)] * 5
    readings = read_faces(Made(), crops)
    logits, evidence = Made()(np.stack(crops))
    bias = head_bias(Made())
    assert bias == 0.75
    for n, reading in enumerate(readings):
        female, male = (float(x) for x in logits[n])
        assert reading.margin == pytest.approx(female - male, abs=1e-6)
        assert reading.predicted == ("female" if female > male else "male")
        softmax = np.exp([female, male]) / np.exp([female, male]).sum()
        assert reading.probability == pytest.approx(softmax.max(), abs=1e-6)
        assert reading.regions().shape == (len(REGIONS),)
        assert reading.regions().sum() + bias == pytest.approx(reading.margin, abs=1e-5)
        class_evidence = evidence[n, 0 if reading.predicted == "female" else 1]
        np.testing.assert_allclose(reading.map("predicted"), np.clip(class_evidence, 0, None) / 49, rtol=1e-6)
        np.testing.assert_allclose(reading.map("margin"), (evidence[n, 0] - evidence[n, 1]) / 49, atol=1e-6)
    assert read_faces(Made(), []) == []


def test_maps_that_do_not_add_up_have_no_bias_and_no_maps_say_so() -> None:
    classify = Made()
    classify.maps = {"method": "occlusion", "additive": False, "layer": None}
    assert head_bias(classify) is None
    classify.maps = None
    assert head_bias(classify) is None
    bare = Prediction(np.array([1.0, 2.0], np.float32), None)
    assert bare.predicted == "male"
    for ask in (lambda: bare.map("male"), bare.regions):
        with pytest.raises(LookwhereError, match="no maps"):
            ask()
    classify.__class__ = type("Broken", (Made,), {"__call__": lambda self, x: (np.full((len(x), 2), np.nan), None)})
    with pytest.raises(LookwhereError, match="finite"):
        read_faces(classify, [np.zeros((112, 112, 3), np.uint8)])


def audited(n: int, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    logits = draw.normal(size=(n, 2)).astype(np.float32)
    predicted = np.where(logits[:, 0] > logits[:, 1], "female", "male")
    return pd.DataFrame(
        {
            "logit_female": logits[:, 0],
            "logit_male": logits[:, 1],
            "predicted": predicted,
            "correct": draw.random(n) < 0.8,
        }
    )


@pytest.mark.parametrize("margin", [0.0, 0.4, -1.3, 9.0])
def test_the_place_counts_faces_of_the_same_class(margin: float) -> None:
    faces, predicted = audited(900), "female" if margin > 0 else "male"
    rank = certainty_rank(faces, predicted, margin)
    below = {True: [0, 0], False: [0, 0]}
    distances = []
    for row in faces.to_dict("records"):
        if row["predicted"] == predicted:
            certain = abs(float(row["logit_female"]) - float(row["logit_male"]))
            below[row["correct"]][0] += certain < abs(margin)
            below[row["correct"]][1] += 1
            distances.append((abs(certain - abs(margin)), not row["correct"]))
    assert (rank.right, rank.wrong) == (below[True][1], below[False][1])
    assert rank.above_right == pytest.approx(below[True][0] / below[True][1])
    assert rank.above_wrong == pytest.approx(below[False][0] / below[False][1])
    assert rank.near == 200
    assert rank.near_wrong == sum(wrong for _, wrong in sorted(distances)[:200])
    assert rank.near_low < rank.near_wrong / 200 < rank.near_high


def saturated(margins: list[float], correct: list[bool]) -> pd.DataFrame:
    """Faces called female by the logits (margin, 0)."""
    logit = np.array(margins, dtype=np.float32)
    zeros = np.zeros_like(logit)
    return pd.DataFrame({"logit_female": logit, "logit_male": zeros, "predicted": "female", "correct": correct})


@pytest.mark.parametrize("order", [1, -1])
def test_faces_of_equal_margin_are_all_near_whatever_their_order(order: int) -> None:
    """A model whose probabilities saturate gives all its faces one margin, and is wrong on a fifth of them."""
    right = [n % 5 > 0 for n in range(1_000)]
    rank = certainty_rank(saturated([16.0] * 1_000, sorted(right)[::order]), "female", 16.0)
    assert (rank.near, rank.near_wrong) == (1_000, 200)
    assert rank.near_low < 0.2 < rank.near_high
    assert photo_text.near_words(rank).startswith("Of the 1,000 audited faces called female about as certainly, 20.0 %")
    # 150 nearer ones, and 100 that tie in the place of the 200th: all of these are counted, and none further off.
    mixed = saturated([2.0] * 150 + [3.0] * 100 + [9.0] * 50, ([True] * 90 + [False] * 60)[::order] * 2)
    rank = certainty_rank(mixed, "female", 2.0)
    assert rank.near == 250
    assert rank.near_wrong == int((~mixed["correct"][:250]).sum())


def test_a_tie_is_not_more_certain() -> None:
    faces = saturated([1.0] * 12 + [2.0] * 20 + [3.0] * 8, [True] * 40)
    assert [certainty_rank(faces, "female", m).above_right for m in (1.0, 2.0, 3.0, 4.0)] == [0.0, 0.3, 0.8, 1.0]
    wrong = faces.assign(correct=False)
    assert [certainty_rank(wrong, "female", m).above_wrong for m in (1.0, 2.0, 3.0, 4.0)] == [0.0, 0.3, 0.8, 1.0]


def test_under_eleven_faces_nothing_is_compared() -> None:
    few = audited(12).assign(predicted="male", correct=[True] * 10 + [False] * 2)
    rank = certainty_rank(few, "male", 1.0)
    assert rank.above_right is None and rank.above_wrong is None
    assert rank.near_wrong is not None, "twelve together are enough"
    assert "too few" in photo_text.place_words(rank)
    none = certainty_rank(few, "female", 1.0)
    assert (none.right, none.wrong, none.near, none.near_wrong) == (0, 0, 0, None)
    assert photo_text.near_words(none) == ""


def test_an_audit_of_other_weights_is_not_compared_with() -> None:
    assert same_weights(ModelInfo(weights_sha256="a"), made_manifest(weights_sha256="a"))
    assert not same_weights(ModelInfo(weights_sha256="a"), made_manifest(weights_sha256="b"))
    assert same_weights(ModelInfo(), made_manifest(weights_sha256="b"))


def reading(female: float, male: float) -> Prediction:
    return Prediction(np.array([female, male], np.float32), None)


def test_the_sentences() -> None:
    first, two, three = reading(2.0, -1.0), reading(0.0, 0.25), reading(-3.0, 9.0)
    there = CertaintyRank("female", 1_234, 50, 0.834, 1.0, 200, 7, 0.017, 0.07)
    assert photo_text.guess(first) == "female at 95.3 % (margin +3.00)"
    assert photo_text.headline([("a.jpg", [first])], 0, there) == (
        "The model's guess for the face in a.jpg is female at 95.3 % (margin +3.00): more certain than 83 % of the "
        "1,234 audited faces it correctly called female, and than all of the 50 it incorrectly called female."
    )
    assert photo_text.near_words(there).endswith("3.5 % [1.7–7.0] were incorrect.")
    several = photo_text.headline([("a.jpg", [first, two]), ("b.jpg", [three])], 1, None)
    assert several.startswith("3 faces in 2 images: the model's guess is female for 1 and male for 2, least certain")
    assert "face 2 of a.jpg, male at 56.2 % (margin −0.25)" in several
    assert photo_text.headline([("a.jpg", [])], 0, None) == "No face was found in 1 image."
    assert photo_text.headline([], 1, None) == "The file cannot be read as an image."
    assert photo_text.probability(reading(7, 0).probability) == "99.9 %"
    assert photo_text.probability(reading(30, 0).probability) == "over 99.9 %"
    assert [photo_text.share(x) for x in (0, 0.004, 0.5, 0.996, 1)] == ["none", "under 1 %", "50 %", "over 99 %", "all"]
    assert photo_text.crop_notes(1.0, 0.01) == []
    assert len(photo_text.crop_notes(3.0, 0.2)) == 2
    assert "7.5 % of 200 audited faces" in photo_text.invitation("m", 200, 15)
    assert "7.5 % of 200 audited faces of adults the" in photo_text.invitation("m", 200, 15, adults=True)
    assert "has not been audited" in photo_text.invitation("m", None, None)


def test_the_drawings_show_what_was_found(portrait: Image.Image, found: Found) -> None:
    face = found.faces[0]
    pixels = np.asarray(figures.marked(portrait, [face, face], highlight=1)).astype(int)
    x, y = face.points[2].round().astype(int)
    assert (pixels[y, x] == (255, 196, 0)).all()
    assert (np.asarray(portrait)[y, x] != (255, 196, 0)).any(), "the image itself is left alone"
    dots = np.asarray(figures.with_points(face))
    for x, y in ((face.landmarks + 0.5) * 2).round().astype(int):
        assert (dots[y, x] == (255, 196, 0)).all()
    regions = np.linspace(-1, 1, len(REGIONS))
    bars = figures.region_bars(regions, 0.5, float(regions.sum()) + 0.5)
    row_values = {row.name: row.marks[0].value for row in bars.rows}
    assert row_values["margin"] == pytest.approx(sum(v for name, v in row_values.items() if name != "margin"))
    assert "bias" not in {row.name for row in figures.region_bars(regions, None, 0.0).rows}
    right, wrong = certainties(audited(300), "male")
    chart = figures.certainty(right, wrong, -1.5, "male")
    assert [histogram.n for histogram in chart.histograms] == [len(right), len(wrong)]
    assert chart.at == 1.5
