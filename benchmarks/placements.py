"""Where the maps' cells of each architecture lie, and the mirror test of it on real faces.

python -m benchmarks.placements
python -m benchmarks.placements --sizes 224 --keep placements-224.txt
python -m benchmarks.placements --data data/aligned/utkface --seeds 4 --networks torchvision:resnet18 timm:resnetv2_50

Weights are random, as cells lie by strides and paddings and no trained network of each architecture is at hand. A
network looks more to one side by itself, so maps are averaged over several of each. Each goes the way of
`python -m core import`, at the input sizes given. Most of the time goes into convolutions, those of the import's
measurement of the placement first, so an input of 224 pixels takes about four times as long as one of 112.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
import tyro
from safetensors.torch import save_file
from tqdm import tqdm

from core.classifiers.classifier import Classifier
from core.classifiers.folder import load_model
from core.classifiers.imported import architectures, import_model
from core.classifiers.imported.import_options import NetworkOptions
from core.classifiers.imported.prepared import prepare
from core.classifiers.imported.spec import InputOutputSpec
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.explain.mirror import mirror_mismatch, mirror_test
from core.files import sha256
from core.photo.portraits import drawn

#: One or two of each family that torchvision has, and of those that timm adds.
FAMILIES = (
    "torchvision:resnet18",
    "torchvision:resnet50",
    "torchvision:resnext50_32x4d",
    "torchvision:vgg11_bn",
    "torchvision:densenet121",
    "torchvision:squeezenet1_1",
    "torchvision:googlenet",
    "torchvision:shufflenet_v2_x0_5",
    "torchvision:mobilenet_v2",
    "torchvision:mobilenet_v3_small",
    "torchvision:mnasnet0_5",
    "torchvision:efficientnet_b0",
    "torchvision:regnet_y_400mf",
    "torchvision:convnext_tiny",
    "torchvision:swin_t",
    "torchvision:vit_b_32",
    "timm:resnetv2_50",
    "timm:repvgg_a0",
    "timm:convnextv2_atto",
    "timm:deit_tiny_patch16_224",
)
#: Whose portraits were drawn.
MODEL = Path("models/resnet50-utkface")


def faces_of(data: Path | None, count: int) -> np.ndarray:
    """Aligned faces uint8 (n, 112, 112, 3): of a store, or the portraits that come with Lookwhere."""
    if data is not None:
        images = AlignedStore.open(data).images
        return np.asarray(images[np.linspace(0, len(images) - 1, min(count, len(images))).astype(int)])
    portraits = drawn(MODEL, sha256(MODEL / "model.safetensors"))
    if not portraits:
        raise LookwhereError(f"{MODEL}: no portraits drawn; `python -m core portraits` draws them, or give --data")
    return np.stack([portrait.face.crop for portrait in portraits.values()])


def drawn_anew(network: torch.nn.Module, pixels: torch.Tensor) -> torch.nn.Module:
    """A network with random weights whose batch norms have seen the faces, so that signals neither vanish nor grow."""
    for weights in network.parameters():
        if weights.ndim > 1:
            torch.nn.init.kaiming_normal_(weights)
        else:
            torch.nn.init.zeros_(weights)
    for module in network.modules():
        if "Norm" in type(module).__name__ and getattr(module, "weight", None) is not None:
            torch.nn.init.ones_(module.weight)
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
            module.reset_running_stats()
    with torch.no_grad():
        network.train()(pixels)
    return network.eval()


def network_of(architecture: str, size: int, faces: np.ndarray, seed: int) -> Classifier:
    """A network of random weights, imported. Raises `LookwhereError` where the import refuses it."""
    torch.manual_seed(seed)
    spec = InputOutputSpec("logits", (size, size), (0.5,) * 3, (0.25,) * 3, female=0, male=1)
    network = architectures.build(architecture, spec, 2, auxiliary=False)
    network = drawn_anew(network, torch.from_numpy(prepare(faces[:16], spec)))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.safetensors"
        save_file({name: value.contiguous() for name, value in network.state_dict().items()}, file)
        import_model(file, "tried", spec, models=Path(folder), network=NetworkOptions(architecture=architecture))
        return load_model(Path(folder) / "tried").classify


def line(architecture: str, size: int, faces: np.ndarray, seeds: int) -> str:
    """A row of the table: what the import measures, and the mirror test of the mean map over networks and faces."""
    strength: np.ndarray | float = 0.0
    try:
        for seed in range(seeds):
            classify = network_of(architecture, size, faces, seed)
            lie = classify.placement
            if lie is None or lie.as_tiles:
                return f"{architecture:36} {size:4}  {classify.method.name:12} tiles"
            mirrored = mirror_test(classify, faces, lie).strength
            strength = strength + mirrored / mirrored.sum()
    except (LookwhereError, RuntimeError, AssertionError) as error:
        return f"{architecture:36} {size:4}  not built or imported: {str(error).splitlines()[0][:90]}"
    off = lie.farthest()
    return (
        f"{architecture:36} {size:4}  {classify.method.name:12} {'×'.join(map(str, lie.shape)):6} {off:5.1f} px  "
        f"{mirror_mismatch(strength):6.1%} → {mirror_mismatch(strength, lie):6.1%}"
    )


class Table:
    """The rows measured so far, by architecture and side; with a `file`, kept there as each is measured.

    Raises `LookwhereError` where the file was begun with another `heading`: its rows are of other faces or networks.
    """

    def __init__(self, heading: str, file: Path | None = None) -> None:
        self.file = file
        self.rows: dict[tuple[str, int], str] = {}
        if file is None:
            return
        if not file.exists():
            file.write_text(heading + "\n", encoding="utf-8")
        first, *rows = file.read_text(encoding="utf-8").splitlines() or [""]
        if first != heading:
            raise LookwhereError(f"{file}: begun with other faces or networks; name another file with --keep")
        for row in rows:
            architecture, size = row.split()[:2]
            self.rows[architecture, int(size)] = row

    def add(self, architecture: str, size: int, row: str) -> None:
        """Keep a row that was measured."""
        self.rows[architecture, size] = row
        if self.file is not None:
            with self.file.open("a", encoding="utf-8") as stream:
                stream.write(row + "\n")


def main(
    data: Path | None = None,
    count: int = 64,
    seeds: int = 2,
    sizes: tuple[int, ...] = (112,),
    networks: tuple[str, ...] = FAMILIES,
    keep: Path | None = None,
) -> None:
    """Print a row for each architecture and input size.

    Args:
        data: A folder of aligned faces; without one, the eight portraits that come with Lookwhere.
        count: Faces of it.
        seeds: Networks of each architecture.
        sizes: Sides of the networks' inputs in pixels.
        networks: Architectures, as `core import --architecture` takes them.
        keep: A file that keeps each row once it is measured; a later run prints these and measures the rest.
    """
    faces = faces_of(data, count)
    heading = (
        f"{'network (random weights)':36} side  maps         cells  off tiles  mismatch as tiles → as placed, "
        f"{len(faces)} faces and their mirror images, {seeds} {'network' if seeds == 1 else 'networks'} each"
    )
    table = Table(heading, keep)
    print(heading, flush=True)
    cases = [(architecture, size) for size in sizes for architecture in networks]
    for architecture, size in tqdm(cases, unit="row", dynamic_ncols=True):
        if (architecture, size) not in table.rows:
            table.add(architecture, size, line(architecture, size, faces, seeds))
        print(table.rows[architecture, size], flush=True)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
