"""Alignment against facenet-pytorch's `detect`: speed, faces found, landmarks, memory.

    python -m benchmarks.alignment --data UTKFace.tar.gz FairFace.zip lfw.zip --sample 1000

Ours is the whole of it: detection with the border that the data set gets, which face, warp. The library's is detection
alone, in the same batches: with its defaults (faces from 20 pixels on) and with our smallest face (40), of the images
as they are. They take turns, batch by batch, in one process with the same number of threads, denormals flushed. Seconds
are the processor's; a ratio is the median of the batches'. `--speed openvino` is measured beside both, as far as it is
installed.

Landmarks are compared with those that the library's own `detect` gives on our way: same border, smallest face and
choice of face, each image alone. Their distance is in pixels of the aligned face, 112 a side, on the mean of the five.
"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
import tyro
from facenet_pytorch import MTCNN
from PIL import Image, ImageOps

from core.data.alignment import FaceAligner, shrunk, similarity
from core.data.border import decide_border, given_border, sampled
from core.data.cascade import Detector, Faces
from core.data.detection import Detection, DetectorSpeed, main_face
from core.data.frame import GREY
from core.data.images import decode
from core.data.readers import choose_reader
from core.data.sources import open_source
from core.data.store_info import DecidedBy

BATCH = 32
#: The ways that are timed.
OURS, FAST, DEFAULTS, SAME_SMALLEST = "align", "align --speed openvino", "detect", "detect from 40 px"

#: What each way does with a batch of images, by its name.
Ways = dict[str, Callable[[list[Image.Image]], object]]


class Library(Detector):
    """Finds faces by the library's own `detect`, each image alone and at all scales."""

    def find(self, images: np.ndarray, border: int = 0, skip: int = 0) -> list[Faces]:
        detections = []
        for image in images:
            pixels = ImageOps.expand(Image.fromarray(image), border, GREY)
            boxes, certainty, points = self.detect(pixels, landmarks=True)
            if boxes is None:
                detections.append(Faces(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2))))
            else:
                detections.append(Faces(*(np.asarray(part, float) for part in (boxes, certainty, points))))
        return detections


@dataclass(frozen=True)
class Set:
    """Images of a data set, and how they are aligned: the arguments of `FaceAligner`."""

    name: str
    images: list[Image.Image]
    options: dict


def read(path: Path, sample: int, seed: int) -> Set:
    """A random sample of a data set's readable images, aligned as `core align` aligns the whole."""
    source = open_source(path)
    reader = choose_reader(source)
    faces = reader.read(source).faces
    aligner = FaceAligner(minimum_face=reader.minimum_face)
    decided = decide_border(sampled(source, faces), aligner.detector, given_border(reader, None))
    selected = faces.sample(min(sample, len(faces)), random_state=seed)
    images = [shrunk(decode(data)) for _, data in source.iterate(selected["path"])]
    print(f"{path.name}: {len(images)} images, border {decided.to_json()}", flush=True)
    options = {
        "border": decided.percent / 100,
        "wider": decided.decided is DecidedBy.IMAGES,
        "smallest": (decided.smallest or 0) / 100,
        "minimum_face": reader.minimum_face,
    }
    return Set(reader.name, images, options)


def compare(data: Set, seconds: float | None = None) -> dict[str, float]:
    """Speeds in faces a processor second, ratios, shares found, and distances of landmarks; stops after `seconds`."""
    ours, same = FaceAligner(**data.options), FaceAligner(**data.options)
    same.detector = Library(keep_all=True, select_largest=False, min_face_size=ours.detector.min_face_size).eval()
    defaults, from_40 = MTCNN(), MTCNN(min_face_size=ours.detector.min_face_size)
    aligners = {OURS: ours}
    if find_spec("openvino"):
        aligners[FAST] = FaceAligner(**data.options, speed=DetectorSpeed.OPENVINO)
    ways: Ways = {
        **{name: aligner.align for name, aligner in aligners.items()},
        DEFAULTS: lambda images: library(defaults, images),
        SAME_SMALLEST: lambda images: library(from_40, images),
    }
    for way in ways.values():
        way(data.images[:4])
    measured = Measured.of(ways, aligners)
    began = time.perf_counter()
    for start in range(0, len(data.images), BATCH):
        measured.add(data.images[start : start + BATCH], ways, aligners, same)
        if seconds is not None and time.perf_counter() - began > seconds:
            break
    return measured.summary()


@dataclass(frozen=True)
class Measured:
    """What batches showed: processor seconds an image of each way, a value a batch; which faces each way found; and how
    far landmarks of each aligner lie from those of the library's own `detect`, in pixels."""

    seconds: dict[str, list[float]]
    found: dict[str, list[bool]]
    off: dict[str, list[float]]

    @classmethod
    def of(cls, ways: Ways, aligners: dict[str, FaceAligner]) -> Measured:
        """Nothing measured yet."""
        found = {**{name: [] for name in aligners}, DEFAULTS: [], "same way": []}
        return cls({name: [] for name in ways}, found, {name: [] for name in aligners})

    def add(self, images: list[Image.Image], ways: Ways, aligners: dict[str, FaceAligner], same: FaceAligner) -> None:
        """Measure a batch; `same` finds faces by the library's own `detect` on our way."""
        results = {}
        for name, way in ways.items():
            now = time.process_time()
            results[name] = way(images)
            self.seconds[name].append((time.process_time() - now) / len(images))
        self.found[DEFAULTS] += results[DEFAULTS]
        right = same.all_faces(images)
        self.found["same way"] += [bool(detection) for detection in right]
        for name, aligner in aligners.items():
            self.found[name] += results[name].found.tolist()
            for image, detection, own_detection in zip(images, right, aligner.all_faces(images), strict=True):
                if detection and own_detection:
                    self.off[name].append(apart(detection, own_detection, image.size))

    def summary(self) -> dict[str, float]:
        """Speeds, ratios, shares found and distances, by their names."""
        speeds = {f"{name}, faces/s": 1 / statistics.median(times) for name, times in self.seconds.items()}
        ratios = {
            f"{name}, times {against}": statistics.median(
                b / a for a, b in zip(self.seconds[name], self.seconds[against], strict=True)
            )
            for name in self.off
            for against in (DEFAULTS, SAME_SMALLEST)
        }
        shares = {f"found, {name}": float(np.mean(which)) for name, which in self.found.items()}
        distances = {name: np.array(each) for name, each in self.off.items()}
        return {
            "images": len(self.found[OURS]),
            **speeds,
            **ratios,
            **shares,
            **{f"{name}, off, mean px": float(distance.mean()) for name, distance in distances.items()},
            **{f"{name}, off, largest px": float(distance.max()) for name, distance in distances.items()},
            **{f"{name}, off by over 1 px": float((distance > 1).mean()) for name, distance in distances.items()},
        }


def library(detector: MTCNN, images: list[Image.Image]) -> list[bool]:
    """Whether the library finds a face in each image; equally large ones at once, as it asks for."""
    has_face = [False] * len(images)
    sizes = {image.size for image in images}
    for size in sizes:
        members = [n for n, image in enumerate(images) if image.size == size]
        boxes, *_ = detector.detect([images[n] for n in members], landmarks=True)
        for n, box in zip(members, boxes, strict=True):
            has_face[n] = box is not None
    return has_face


def apart(first: Detection, second: Detection, size: tuple[int, int]) -> float:
    """How far the main faces' landmarks lie from each other, in pixels of the aligned face."""
    a, b = (faces.points[main_face(faces, size)] for faces in (first, second))
    scale = float(np.hypot(*similarity(a)[:, 0]))
    return scale * float(np.linalg.norm(a - b, axis=1).mean())


def rows(seconds: float = 1.0) -> list[dict]:
    """The comparison on the London portraits that come with Lookwhere, 200 pixels a side, for about so many seconds."""
    from core.photo.portraits import portraits

    images = [Image.open(portrait.file).convert("RGB").resize((200, 200)) for portrait in portraits()]
    return [{"data": "london", **compare(Set("london", images, {}), seconds)}]


def main(data: tuple[Path, ...], sample: int = 1000, seed: int = 0, threads: int = 1) -> None:
    """Print a line a figure for each data set, and the peak memory of aligning alone.

    Args:
        data: Data sets that Lookwhere reads.
        sample: How many images of each.
        seed: Which they are.
        threads: Threads of both sides.
    """
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    sets = [read(path, sample, seed) for path in data]
    for data_set in sets:
        aligner = FaceAligner(**data_set.options)
        for start in range(0, len(data_set.images), 2 * BATCH):
            aligner.align(data_set.images[start : start + 2 * BATCH])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"peak memory before the library's turn, all images held: {memory:.2f} GB", flush=True)
    for data_set in sets:
        print(f"-- {data_set.name}")
        for name, value in compare(data_set).items():
            print(f"{name:44} {value:10.4g}", flush=True)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
