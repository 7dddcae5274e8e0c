"""The rows of `python -m benchmarks`: what of ours is measured against what, on made data of the same size.

Peers are driven as their READMEs say: a class activation object on the network's last stage, one target an image. They
give one class's map a pass and run in float32, for their backward pass; ours gives both classes' maps, in bfloat16
where the machine has it, with reading and writing.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.side_by_side import Measured, in_turns
from core.audit.average_setting import KeepAverages
from core.audit.manifest import AuditManifest
from core.audit.run import Job, forward_shards
from core.classifiers.folder import Model, load_model
from core.classifiers.preprocessing import normalise
from core.classifiers.resnet import GenderResNet
from core.classifiers.speed import Speed
from core.data.store import AlignedStore
from core.devices import autocast
from tests.helpers.made_store import make_store

BATCHES = (16, 32)
#: Faces a round of an audit, a multiple of each batch; peers take one batch.
FACES, PEER_BATCH = 32, 16
#: The convolution whose speed is the peak: 3×3, as many channels in as out.
CHANNELS, SIDE, IMAGES = 512, 14, 32
#: Rows of the table whose groups are counted, and images of a training step.
TABLE, STEP = 200_000, 32


@dataclass
class Bench:
    """What rows share: the model, a store of made faces, and how long a row may take."""

    model_path: Path
    seconds: float
    stack: ExitStack = field(default_factory=ExitStack)

    @cached_property
    def folder(self) -> Path:
        return Path(self.stack.enter_context(tempfile.TemporaryDirectory()))

    @cached_property
    def model(self) -> Model:
        return load_model(self.model_path)

    @cached_property
    def store(self) -> AlignedStore:
        return make_store(self.folder / "store", 8 * FACES)

    def pixels(self, count: int) -> Tensor:
        """Input of the network, float32 (count, 3, H, W)."""
        info = self.model.info
        return normalise(np.array(self.store.images[:count]), size=info.input_size, mean=info.mean, std=info.std)


@dataclass(frozen=True)
class Row:
    """One row: what is ours, what it is measured against, and the measurement.

    `clock` says what a second is: of the processor, or of the wall where other processes take part.
    """

    name: str
    ours: str
    against: str
    measure: Callable[[Bench], Measured]
    clock: str = "processor"


def audit(bench: Bench, batch: int, speed: Speed = Speed.PLAIN) -> Callable[[], None]:
    """A function that audits `FACES` faces end to end: read, forward pass with maps, shard written."""
    model, store = bench.model, bench.store
    if speed is not Speed.PLAIN:
        model = replace(model, classify=model.classify.computed(speed))
    faces = store.faces.head(FACES)
    planned = AuditManifest(model=model.name, dataset="made", splits=("test",), faces=FACES, map_shape=None)

    def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "audit"
            job = Job(store, model, faces, None, None, planned, path, KeepAverages.NO, batch, None)
            job.work.mkdir()
            forward_shards(job)

    return run


def bare(bench: Bench, batch: int) -> Callable[[], None]:
    """A function that puts `FACES` faces through the network, pixels prepared before, in the fastest precision."""
    pixels = bench.pixels(batch)

    def run() -> None:
        with torch.inference_mode(), autocast("cpu"):
            for _ in range(FACES // batch):
                bench.model.network(pixels)

    return run


def against_forward(bench: Bench, batch: int, speed: Speed) -> Measured:
    """An audit against the bare forward pass of the same faces."""
    return in_turns(audit(bench, batch, speed), bare(bench, batch), bench.seconds, work=FACES)


def against_peak(bench: Bench) -> Measured:
    """The bare forward pass against the same number of operations in one convolution."""
    from torch.utils.flop_counter import FlopCounterMode

    pixels = bench.pixels(IMAGES)
    images = torch.randn(IMAGES, CHANNELS, SIDE, SIDE)
    kernel = torch.nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=False)
    kernel = kernel.requires_grad_(False).bfloat16().to(memory_format=torch.channels_last)
    images = images.bfloat16().to(memory_format=torch.channels_last)

    def forward() -> None:
        with torch.inference_mode(), autocast("cpu"):
            bench.model.network(pixels)

    def convolve() -> None:
        with torch.inference_mode():
            kernel(images)

    counts = []
    for run in (forward, convolve):
        with FlopCounterMode(display=False) as counter:
            run()
        counts.append(counter.get_total_flops())
    times = max(1, round(counts[0] / counts[1]))
    measurement = in_turns(forward, lambda: [convolve() for _ in range(times)], bench.seconds)
    share = counts[1] * times / counts[0]  # of operations that theirs did
    pairs = tuple((ours, theirs / share) for ours, theirs in measurement.pairs)
    return Measured(pairs, counts[0] / 1e9, "GFLOP/s")


def _peer(bench: Bench) -> tuple[GenderResNet, Tensor]:
    """A network as a peer gets it, and its input."""
    return copy.deepcopy(bench.model.network).requires_grad_(True), bench.pixels(PEER_BATCH)


def _against_peer(bench: Bench, explain: Callable[[], object]) -> Measured:
    own = audit(bench, PEER_BATCH)
    times = FACES // PEER_BATCH
    return in_turns(own, lambda: [explain() for _ in range(times)], bench.seconds, work=FACES)


def against_gradcam(bench: Bench) -> Measured:
    """An audit against pytorch-grad-cam."""
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    network, pixels = _peer(bench)
    with GradCAM(model=network, target_layers=[network.layer4[-1]]) as cam:
        targets = [ClassifierOutputTarget(0)] * len(pixels)
        return _against_peer(bench, lambda: cam(input_tensor=pixels, targets=targets))


def against_torchcam(bench: Bench) -> Measured:
    """An audit against torch-cam."""
    from torchcam.methods import GradCAM

    network, pixels = _peer(bench)
    with GradCAM(network, target_layer="layer4") as extractor:
        return _against_peer(bench, lambda: extractor([0] * len(pixels), network(pixels)))


def against_captum(bench: Bench) -> Measured:
    """An audit against captum."""
    from captum.attr import LayerGradCam

    network, pixels = _peer(bench)
    cam = LayerGradCam(network, network.layer4)
    return _against_peer(bench, lambda: cam.attribute(pixels, target=0))


def against_detect(bench: Bench) -> Measured:
    """Alignment against facenet-pytorch's `detect` of the same portraits, which neither decodes nor warps."""
    from facenet_pytorch import MTCNN
    from PIL import Image

    from core.data.alignment import FaceAligner
    from core.photo.portraits import portraits

    images = [Image.open(portrait.file).convert("RGB").resize((200, 200)) for portrait in portraits()]
    aligner, detector = FaceAligner(), MTCNN(device="cpu", keep_all=True)
    return in_turns(
        lambda: aligner.align(images), lambda: detector.detect(images, landmarks=True), bench.seconds, work=len(images)
    )


def training(bench: Bench, size: int) -> Measured:
    """A training step, with its augmented batch, averaged weights and all, against the bare step on ready pixels."""
    from lightning_fabric import Fabric

    from benchmarks.training_step import bare_step
    from core.training.config import Stage, TrainConfig
    from core.training.loop import Run

    stage = Stage(size=size, epochs=1)
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    run = Run(bench.store, bench.folder / f"run-{size}", TrainConfig(stages=(stage,), batch=STEP), fabric)
    run.model.train()
    order = np.arange(STEP)

    def ours() -> None:
        run.step = 0
        run.train_step(order, stage)

    return in_turns(ours, bare_step(size, STEP), bench.seconds, work=STEP)


def groups(bench: Bench) -> Measured:
    """Accuracy with intervals of every gender × ethnicity against pandas' count and mean of the same table."""
    from benchmarks.scale import made_table
    from core.analysis.accuracy.by_group import accuracy_by

    table, keys = made_table(TABLE, TABLE // 10), ["gender", "ethnicity"]
    return in_turns(
        lambda: accuracy_by(table, keys),
        lambda: table.groupby(keys, observed=True)["correct"].agg(["size", "mean"]),
        bench.seconds,
        work=TABLE / 1e6,
        unit="M rows/s",
    )


def pages(bench: Bench, kind: str) -> Measured:
    """The app's first page, or a change of its filter, against those of a Streamlit page of one sentence."""
    from benchmarks.pages import measure

    return measure(bench.seconds)[kind]


ROWS: tuple[Row, ...] = (
    Row("gradcam", "audit, both classes' maps", "pytorch-grad-cam, one class's map", against_gradcam),
    Row("torchcam", "audit, both classes' maps", "torch-cam, one class's map", against_torchcam),
    Row("captum", "audit, both classes' maps", "captum, one class's map", against_captum),
    *(
        Row(f"{speed}-{batch}", f"audit --speed {speed} --batch {batch}", "bare forward pass",
            partial(against_forward, batch=batch, speed=speed))
        for speed in Speed for batch in BATCHES
    ),
    Row("peak", "bare forward pass", "one convolution, as many operations", against_peak),
    Row("align", "align: detect, choose, warp", "facenet-pytorch's detect", against_detect),
    *(Row(f"train-{size}", f"training step, {size} px", "bare step on ready pixels", partial(training, size=size))
      for size in (64, 112)),
    Row("groups", "accuracies with intervals", "pandas: size and mean", groups),
    Row("first-page", "first page of a new server", "a page of one sentence",
        partial(pages, kind="first-page"), "wall"),
    Row("filter", "a change of the filter", "the same of that page", partial(pages, kind="filter"), "wall"),
)  # fmt: skip
