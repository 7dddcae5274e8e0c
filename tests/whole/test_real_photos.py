"""Real photos of every format, where they are at hand, as «Try a photo» reads them: upright, their faces found."""

from __future__ import annotations

import re

import numpy as np
import pytest

from core.errors import LookwhereError
from core.photo.detection import MOST_FACES, Finder
from core.photo.uploads import read_upload
from tests.helpers.real_samples import SAMPLES, at_hand

PHOTOS = SAMPLES / "photos"
#: One portrait in all formats and orientations: each is read upright, with one face at the same place.
LONDON = sorted(path.name for path in PHOTOS.glob("london001*")) or ["london001.heic"]
GROUPS = sorted(path.name for path in PHOTOS.glob("compreface_*_*.jpg")) or ["compreface_000_5.jpg"]
BROKEN = ("compreface_corrupted.png", "compreface_truncated.jpg")


@pytest.fixture(scope="module")
def finder() -> Finder:
    return Finder()


@pytest.mark.parametrize("name", LONDON)
def test_a_portrait_of_every_format_is_upright_with_its_one_face(name: str, finder: Finder) -> None:
    picture = read_upload(at_hand(f"photos/{name}").read_bytes(), name).picture
    assert picture.mode == "RGB"
    (face,) = finder.find(picture).faces
    assert face.crop.shape == (112, 112, 3) and face.crop.std() > 20
    places = face.points / picture.size
    # Where the portrait has them: eyes, nose, corners of the mouth; a mirrored or turned one has them elsewhere.
    assert np.abs(places - reference(finder)).max() < 0.02


def reference(finder: Finder) -> np.ndarray:
    picture = read_upload(at_hand("photos/london001_progressive.jpg").read_bytes(), "reference.jpg").picture
    return finder.find(picture).faces[0].points / picture.size


@pytest.mark.parametrize(
    "name", sorted(path.name for path in PHOTOS.glob("compreface_*_*.jpg")) or ["compreface_000_5"]
)
def test_all_faces_of_a_group_are_found(name: str, finder: Finder) -> None:
    picture = read_upload(at_hand(f"photos/{name}").read_bytes(), name).picture
    found = finder.find(picture)
    assert len(found.faces) == int(re.findall(r"_(\d+)\.jpg$", name)[0])


def test_of_more_faces_than_are_shown_the_others_are_counted(finder: Finder) -> None:
    name = "human_solvay1927.jpg"
    found = finder.find(read_upload(at_hand(f"photos/{name}").read_bytes(), name).picture)
    assert (len(found.faces), found.left_out) == (MOST_FACES, 29 - MOST_FACES)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_photo_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(LookwhereError, match=rf"^{re.escape(name)}: this (PNG|JPEG) is damaged or cut short.*$"):
        read_upload(at_hand(f"photos/{name}").read_bytes(), name)


def test_every_other_photo_is_read(finder: Finder) -> None:
    at_hand("photos")
    for path in sorted(PHOTOS.iterdir()):
        if path.name not in BROKEN:
            picture = read_upload(path.read_bytes(), path.name).picture
            assert picture.mode == "RGB" and min(picture.size) > 100, path.name
