"""The detector run by OpenVINO: the same faces, and a store that says so and goes on as it was begun."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.data import build_store as store_building
from core.data.alignment import FaceAligner
from core.data.build_store import build_store
from core.data.detection import DetectorSpeed, detect, detector_name, load_detector
from core.data.readers import READERS
from core.data.sources import open_source
from core.data.ties import OtherStoreError
from core.errors import LookwhereError
from core.photo.portraits import portraits

if not os.environ.get("CI"):  # there its absence is an error
    pytest.importorskip("openvino", reason="needs openvino, which requirements-dev.txt brings")


@pytest.fixture(scope="module")
def heads() -> list[Image.Image]:
    return [Image.open(portrait.file).convert("RGB").resize((200, 200)) for portrait in portraits()]


def test_faces_are_pytorchs_and_landmarks_move_by_hundredths(heads: list[Image.Image]) -> None:
    """Of eight portraits with a border, one of which shows two faces; and of an image without any."""
    pair = heads[0].copy()
    pair.paste(heads[1].resize((80, 80)), (0, 0))
    pixels = np.stack([np.asarray(image) for image in [*heads, pair, Image.new("RGB", (200, 200), (9, 90, 30))]])
    plain, fast = (detect(load_detector(speed=speed), pixels, 60) for speed in DetectorSpeed)
    assert [len(faces) for faces in fast] == [len(faces) for faces in plain]
    assert len(fast[-2]) == 2 and not fast[-1]
    for fast_output, plain_output in zip(fast[:-1], plain, strict=False):
        np.testing.assert_allclose(fast_output.certainty, plain_output.certainty, atol=0.01)
        assert np.linalg.norm(fast_output.points - plain_output.points, axis=2).mean() < 0.5
        assert np.abs(fast_output.boxes - plain_output.boxes).max() < 2


def test_a_face_is_found_alike_alone_and_among_others(heads: list[Image.Image]) -> None:
    aligner = FaceAligner(border=0.3, speed=DetectorSpeed.OPENVINO)
    together, (alone,) = aligner.detect(heads), aligner.detect(heads[:1])
    np.testing.assert_array_equal(together[0], alone)


def test_a_store_says_what_found_its_faces_and_is_that_of_no_other(
    heads: list[Image.Image], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever does not ask for a speed gets what is there, and unfinished work goes on as it was begun."""
    folder, store, before = tmp_path / "chips", tmp_path / "store", store_building.aligned_batch
    folder.mkdir()
    for n, head in enumerate(heads):
        head.save(folder / f"{30 + n}_0_0_2017011611430{n}.jpg")

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store_building, "aligned_batch", stopped)
    with pytest.raises(KeyboardInterrupt):
        build_store(open_source(folder), READERS["utkface"], store, speed=DetectorSpeed.OPENVINO)
    monkeypatch.setattr(store_building, "aligned_batch", before)
    with pytest.raises(OtherStoreError, match="by OpenVINO"):
        build_store(open_source(folder), READERS["utkface"], store, speed=DetectorSpeed.PLAIN)
    second_store = build_store(open_source(folder), READERS["utkface"], store)
    assert second_store.manifest.detector == detector_name(DetectorSpeed.OPENVINO) != detector_name(DetectorSpeed.PLAIN)
    assert len(second_store.faces) == len(heads)
    again = build_store(open_source(folder), READERS["utkface"], store)
    assert again.manifest.data_fingerprint == second_store.manifest.data_fingerprint
    with pytest.raises(OtherStoreError, match="by OpenVINO"):
        build_store(open_source(folder), READERS["utkface"], store, speed=DetectorSpeed.PLAIN)


def test_another_device_and_a_missing_package_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("core.devices.usable", torch.device)
        with pytest.raises(LookwhereError, match="--speed openvino computes on the CPU; leave out --device cuda"):
            load_detector("cuda", speed=DetectorSpeed.OPENVINO)
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.delitem(sys.modules, "core.data.openvino_detector", raising=False)
    with pytest.raises(ModuleNotFoundError, match="openvino"):
        load_detector(speed=DetectorSpeed.OPENVINO)
