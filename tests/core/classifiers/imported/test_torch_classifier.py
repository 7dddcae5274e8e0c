"""Maps of imported networks: against libraries' own features, the grad-cam library, and networks planted by hand."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import pytorch_grad_cam
import torch
import torch.nn.functional as F
import torchvision
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from core.classifiers.imported import torch_classifier
from core.classifiers.imported.outputs import to_logits
from core.classifiers.imported.prepared import prepare
from core.classifiers.imported.torch_classifier import TorchClassifier
from core.errors import LookwhereError
from core.explain.gradcam import signed_cams
from core.explain.grids import cells_of, regrid
from core.explain.layers import Layer, View, find_head, find_layer, lies_on_image, view_of
from core.explain.maps import grad_cam, scale_each
from core.explain.method import OnlyOutputs
from core.explain.methods import method
from tests.helpers.torch_made import declared, import_model, made, pictures, planted, share_in_square, spotted
from tests.helpers.unmeasured import on_tiles

WHOLE = (0.0, 0.0, 112.0, 112.0)
#: How each is explained at 112×112: method, layer, cells.
EXPECTED = {
    "torchvision:resnet18": ("closed form", "layer4", (4, 4)),
    "timm:resnet18": ("closed form", "layer4", (4, 4)),
    "torchvision:densenet121": ("closed form", "features", (3, 3)),
    "timm:densenet121": ("closed form", "features", (3, 3)),
    "torchvision:efficientnet_b0": ("closed form", "features", (4, 4)),
    "timm:efficientnet_b0": ("closed form", "bn2", (4, 4)),
    "timm:swin_tiny_patch4_window7_224": ("closed form", "norm", (4, 4)),
    "torchvision:squeezenet1_1": ("closed form", "classifier.2", (6, 6)),
    "torchvision:convnext_tiny": ("GradCAM", "features", (3, 3)),
    "timm:convnext_atto": ("GradCAM", "stages", (3, 3)),
    "torchvision:vgg11_bn": ("GradCAM", "features.27", (7, 7)),
    "timm:vit_tiny_patch16_224": ("GradCAM", "blocks.11.norm1", (7, 7)),
    "torchvision:mobilenet_v3_small": ("GradCAM", "features", (4, 4)),
}
#: Networks that torchvision has too: where their cells look is measured of its own.
IN_TORCHVISION = ("timm:resnet18", "timm:densenet121", "timm:efficientnet_b0")
#: The pooled maps (B, K, h, w) by the libraries' own ways to them.
POOLED = {
    "torchvision:resnet18": lambda n, x: nn.Sequential(*list(n.children())[:-2])(x),
    "torchvision:densenet121": lambda n, x: F.relu(n.features(x)),
    "torchvision:efficientnet_b0": lambda n, x: n.features(x),
    "timm:resnet18": lambda n, x: n.forward_features(x),
    "timm:densenet121": lambda n, x: n.forward_features(x),
    "timm:efficientnet_b0": lambda n, x: n.forward_features(x),
    "timm:swin_tiny_patch4_window7_224": lambda n, x: n.forward_features(x).permute(0, 3, 1, 2),
}


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything in float32, for comparisons to rounding."""
    monkeypatch.setattr(torch_classifier, "precision", lambda *_: torch.float32)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory):
    """Imported and loaded, once for the module."""

    @cache
    def get(architecture: str) -> tuple[TorchClassifier, dict]:
        return import_model(made(architecture), tmp_path_factory.mktemp("imported"), architecture)

    return get


def inputs(images: np.ndarray) -> Tensor:
    return torch.from_numpy(prepare(images, declared()))


@pytest.mark.parametrize("architecture", EXPECTED)
def test_a_network_comes_through_whole_and_its_layer_is_found(
    imported, architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if architecture in IN_TORCHVISION:
        on_tiles(monkeypatch)
    classifier, info = imported(architecture)
    images = pictures()
    logits, evidence = classifier(images)
    with torch.no_grad():
        outputs = made(architecture)(inputs(images)).numpy()
    assert logits.dtype == evidence.dtype == np.float32
    np.testing.assert_allclose(logits, to_logits(outputs, declared()), rtol=1e-4, atol=1e-4 * np.abs(outputs).max())
    np.testing.assert_allclose(classifier.logits(images), logits, rtol=1e-4, atol=1e-4 * np.abs(outputs).max())
    method, layer, cells = EXPECTED[architecture]
    assert (info["maps"]["method"], info["maps"]["layer"]) == (method, layer)
    assert evidence.shape == (3, 2, *cells) == (3, 2, *info["maps"]["cells"])
    assert info["maps"]["additive"] == (method == "closed form") == (classifier.head_bias is not None)
    assert info["outputs"] == 2 and classifier.precision == "float32" and classifier.maps == info["maps"]
    if method == "closed form":
        np.testing.assert_allclose(evidence.mean(axis=(2, 3)) + classifier.head_bias, logits, atol=1e-5)


@pytest.mark.parametrize("architecture", POOLED)
def test_the_closed_form_is_head_times_the_librarys_own_features(imported, architecture: str) -> None:
    classifier, info = imported(architecture)
    network = made(architecture)
    with torch.no_grad():
        maps = POOLED[architecture](network, inputs(pictures()))
        weight = network.get_submodule(info["maps"]["head"]).weight[[1, 0]]
        expected = (weight @ maps.flatten(2)).unflatten(2, maps.shape[2:]).numpy()
    np.testing.assert_allclose(classifier(pictures())[1], expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


class AtCells(pytorch_grad_cam.GradCAM):
    """The library's Grad-CAM, left at the size of the cells."""

    cells: tuple[int, int]

    def get_target_width_height(self, input_tensor: Tensor) -> tuple[int, int]:
        return self.cells[::-1]


class HighResolution(AtCells, pytorch_grad_cam.HiResCAM):
    """HiResCAM, the same."""

    get_cam_image = pytorch_grad_cam.HiResCAM.get_cam_image


def tokens(output: Tensor) -> Tensor:
    """The grad-cam library's `reshape_transform` for a ViT, as its documentation has it."""
    return output[:, 1:, :].reshape(output.size(0), 7, 7, output.size(2)).transpose(2, 3).transpose(1, 2)


def channels_last(output: Tensor) -> Tensor:
    """That for a Swin transformer."""
    return output.transpose(2, 3).transpose(1, 2)


def scaled(evidence: np.ndarray) -> np.ndarray:
    """Evidence (B, h, w) as the library has it: it scales each map twice, which matters to faint ones."""
    return scale_each(scale_each(grad_cam(evidence)))


def by_library(architecture: str, info: dict, images: np.ndarray, targets: list, kind: type = AtCells) -> np.ndarray:
    """The library's own maps on the library's own network: ReLU, then scaled to 0–1 each."""
    form = info["maps"]["view"]["form"]
    reshape = {"tokens": tokens, "nhwc": channels_last, "nchw": None}[form]
    network = made(architecture).requires_grad_(True)
    try:
        method = kind(network, [network.get_submodule(info["maps"]["layer"])], reshape_transform=reshape)
        method.cells = tuple(info["maps"]["view"]["grid"])
        return method(inputs(images), targets)
    finally:
        method.activations_and_grads.release()
        network.zero_grad(set_to_none=True)
        network.requires_grad_(False)


@pytest.mark.parametrize("architecture", sorted(EXPECTED.keys() - {"torchvision:densenet121"}))
def test_maps_are_those_of_the_grad_cam_library(imported, architecture: str) -> None:
    """All but torchvision's DenseNet, whose last ReLU is no module, so that the library sees what comes before it."""
    classifier, info = imported(architecture)
    images = pictures(2)
    _, evidence = classifier(images)
    for index, output in enumerate((1, 0)):
        library_maps = by_library(architecture, info, images, [ClassifierOutputTarget(output)] * 2)
        np.testing.assert_allclose(scaled(evidence[:, index]), library_maps, atol=2e-3)
        assert library_maps.max() > 0.9 or evidence[:, index].max() <= 0
    margin = by_library(architecture, info, images, [lambda outputs: outputs[1] - outputs[0]] * 2)
    np.testing.assert_allclose(scaled(evidence[:, 0] - evidence[:, 1]), margin, atol=2e-3)


def test_a_vision_transformer_of_torchvision_is_explained_before_its_last_attention() -> None:
    """A small one: those that have a name in the library have 86 million weights and more."""
    torch.manual_seed(2)
    network = torchvision.models.VisionTransformer(112, 16, 3, 2, 32, 64, num_classes=2).eval()
    nn.init.normal_(network.heads.head.weight)
    pixels = inputs(pictures(2))
    layer = find_layer(network.requires_grad_(False), pixels, lambda outputs: outputs[:, 1] - outputs[:, 0])
    assert (layer.name, layer.view) == ("encoder.layers.encoder_layer_2.ln_1", View("tokens", (7, 7), 1))
    assert find_head(network, layer, pixels) is None and lies_on_image(network, layer, pixels)
    outputs, evidence = signed_cams(network, layer, pixels, lambda outputs: outputs[:, [1]])
    np.testing.assert_allclose(outputs, network(pixels), atol=1e-5)
    method = AtCells(network.requires_grad_(True), [network.get_submodule(layer.name)], reshape_transform=tokens)
    method.cells = (7, 7)
    library_maps = method(pixels, [ClassifierOutputTarget(1)] * 2)
    np.testing.assert_allclose(scaled(evidence[:, 0]), library_maps, atol=2e-3)


def test_cells_that_are_no_places_are_found_out(imported) -> None:
    """Tokens turned by 180°, or in an order of chance, pass for a map by their shape."""
    network, pixels = made("timm:vit_tiny_patch16_224"), inputs(pictures(4))
    layer = Layer("blocks.11.norm1", View("tokens", (7, 7), 1))
    assert lies_on_image(network, layer, pixels)

    class Turned(View):
        def __call__(self, output: Tensor) -> Tensor:
            return super().__call__(output).flip(self.axes)

    for axes in ((2,), (3,), (2, 3)):
        turned = Turned("tokens", (7, 7), 1)
        object.__setattr__(turned, "axes", axes)
        assert not lies_on_image(network, Layer(layer.name, turned), pixels)


def test_grad_cam_of_a_linear_head_is_the_closed_form_and_hirescam_too(imported, tmp_path: Path) -> None:
    images = pictures()
    logits, closed = imported("torchvision:resnet18")[0](images)
    for maps, name in (("gradcam", "GradCAM"), ("hirescam", "HiResCAM")):
        (tmp_path / maps).mkdir()
        classifier, info = import_model(made("torchvision:resnet18"), tmp_path / maps, "torchvision:resnet18", maps)
        assert info["maps"] | {"library": None} == {
            **imported("torchvision:resnet18")[1]["maps"],
            "method": name,
            "library": None,
        }
        outputs = classifier(images)
        np.testing.assert_allclose(outputs[0], logits, atol=1e-5)
        np.testing.assert_allclose(outputs[1], closed, atol=1e-4 * np.abs(closed).max())


def test_hirescam_is_the_librarys_where_the_head_is_not_linear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_tiles(monkeypatch)
    architecture = "torchvision:mobilenet_v3_small"
    classifier, info = import_model(made(architecture), tmp_path, architecture, "hirescam", layer="features.8")
    assert not info["maps"]["additive"] and info["maps"]["cells"] == [7, 7]
    _, evidence = classifier(pictures(2))
    library_maps = by_library(architecture, info, pictures(2), [ClassifierOutputTarget(1)] * 2, HighResolution)
    np.testing.assert_allclose(scaled(evidence[:, 0]), library_maps, atol=2e-3)


@pytest.mark.parametrize(("architecture", "of"), [("torchvision:resnet18", "male"), ("timm:convnext_atto", "female")])
def test_one_logit_is_shared_out_to_both_classes(
    tmp_path: Path, architecture: str, of: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_tiles(monkeypatch)
    network = made(architecture, 1)
    classifier, _ = import_model(network, tmp_path, architecture, score="logit", of=of, female=None, male=None)
    logits, evidence = classifier(pictures())
    with torch.no_grad():
        z = network(inputs(pictures())).numpy()[:, 0] * (1 if of == "female" else -1)
    np.testing.assert_allclose(logits, np.stack([z / 2, -z / 2], axis=1), rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(evidence[:, 0], -evidence[:, 1])
    if classifier.head_bias is not None:
        np.testing.assert_allclose(evidence.mean(axis=(2, 3)) + classifier.head_bias, logits, atol=1e-5)


CORNER, WIDE, ACROSS = (0.0, 56.0, 56.0, 112.0), (-28.0, -28.0, 140.0, 140.0), (0.0, 40.0, 90.0, 125.0)


@pytest.mark.parametrize(
    ("architecture", "maps", "least", "crops"),
    [
        ("torchvision:resnet18", None, 0.75, (WHOLE, CORNER, WIDE, ACROSS)),
        ("torchvision:resnet18", "gradcam", 0.75, (WHOLE, WIDE)),
        ("timm:convnext_atto", None, 0.55, (WHOLE, CORNER)),  # of 3×3 cells
        ("timm:convnext_atto", "hirescam", 0.55, (WHOLE,)),
        ("timm:vit_tiny_patch16_224", None, 0.85, (WHOLE, WIDE, ACROSS)),
    ],
)
def test_maps_lie_where_a_planted_network_looks(
    tmp_path: Path,
    architecture: str,
    maps: str | None,
    least: float,
    crops: tuple[tuple[float, ...], ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_tiles(monkeypatch)
    network = planted(architecture)
    for crop in crops:
        plain = {"crop": crop, "mean": (0.0,) * 3, "std": (1.0,) * 3}
        classifier, _ = import_model(network, tmp_path, architecture, maps, **plain)
        logits, evidence = classifier(spotted())
        margin = evidence[0, 0] - evidence[0, 1]
        assert logits[0, 0] > logits[0, 1] and margin.max() > 0
        row, column = np.unravel_index(margin.argmax(), margin.shape)
        assert (row + 1) * 112 / len(margin) > 72 and column * 112 / margin.shape[1] < 28
        assert share_in_square(margin) >= least
        if crop == WHOLE:  # turned round, the square is elsewhere: the map follows the picture
            assert share_in_square(np.subtract(*classifier(spotted()[:, ::-1, ::-1])[1][0])) < 0.2


@pytest.mark.parametrize("maps", ["occlusion", "rise"])
def test_methods_that_ask_the_network_alone_ask_this_one(tmp_path: Path, maps: str) -> None:
    architecture, spec = "torchvision:squeezenet1_1", declared(crop=(9.0, 3.0, 100.0, 112.0))
    network = made(architecture)
    classifier, info = import_model(network, tmp_path, architecture, maps, crop=spec.crop)

    def answers(images: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return to_logits(network(torch.from_numpy(prepare(images, spec))).numpy(), spec)

    logits, evidence = classifier(pictures(1))
    kind = method(maps)
    assert info["maps"] == kind().record(OnlyOutputs(answers)) and classifier.head_bias is None
    np.testing.assert_allclose(logits, answers(pictures(1)), rtol=1e-4)
    expected = kind().explain(OnlyOutputs(answers), pictures(1))[1]
    np.testing.assert_allclose(evidence, expected, atol=1e-3 * np.abs(expected).max())


def test_regridding_moves_contributions_by_area_and_keeps_their_sum() -> None:
    draw = np.random.default_rng(0)
    for crop in ((10.0, 0.0, 100.0, 112.0), (-30.0, -5.0, 150.0, 90.0), (-100.0, 60.0, 223.0, 223.0)):
        maps = draw.normal(size=(2, 2, 5, 7)).astype(np.float32)
        regridded = regrid(maps, crop)
        assert regridded.shape[2:] == cells_of((5, 7), crop)
        np.testing.assert_allclose(regridded.mean(axis=(2, 3)), maps.mean(axis=(2, 3)), atol=1e-5)
        # Painted on a fine lattice of points, each imported to the template's nearest place.
        left, top, right, bottom = crop
        steps = (np.arange(2520) + 0.5) / 2520
        cell = [
            np.clip(np.floor((low + steps * (high - low)) * n / 112).astype(int), 0, n - 1)
            for low, high, n in ((top, bottom, regridded.shape[2]), (left, right, regridded.shape[3]))
        ]
        rows = np.zeros((regridded.shape[2], 5))
        columns = np.zeros((regridded.shape[3], 7))
        np.add.at(rows, (cell[0], (steps * 5).astype(int)), 5 / 2520)
        np.add.at(columns, (cell[1], (steps * 7).astype(int)), 7 / 2520)
        expected = rows @ maps @ columns.T * (regridded.shape[2] * regridded.shape[3] / 35)
        np.testing.assert_allclose(regridded, expected, atol=0.02 * np.abs(expected).max())
    assert regrid(maps, WHOLE) is maps


def test_a_crop_keeps_the_decomposition(tmp_path: Path) -> None:
    crop = (-10.0, 7.0, 95.0, 120.0)
    classifier, info = import_model(made("torchvision:resnet18"), tmp_path, "torchvision:resnet18", crop=crop)
    logits, evidence = classifier(pictures())
    assert list(evidence.shape[2:]) == info["maps"]["cells"]
    np.testing.assert_allclose(evidence.mean(axis=(2, 3)) + classifier.head_bias, logits, atol=1e-5)


@pytest.mark.parametrize("architecture", ["torchvision:resnet18", "timm:vit_tiny_patch16_224"])
def test_in_bfloat16_heads_and_maps_are_exact(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, imported, architecture: str
) -> None:
    monkeypatch.setattr(torch_classifier, "precision", lambda *_: torch.bfloat16)
    maps = "gradcam" if architecture.endswith("resnet18") else None
    classifier, _ = import_model(made(architecture), tmp_path, architecture, maps)
    exactly = imported(architecture)[0]
    logits, evidence = classifier(pictures())
    assert classifier.precision == "bfloat16"
    largest = np.abs(exactly(pictures())[1]).max()
    assert 0 < np.abs(evidence - exactly(pictures())[1]).max() < 0.05 * largest
    if classifier.head_bias is not None:
        np.testing.assert_allclose(evidence.mean(axis=(2, 3)) + classifier.head_bias, logits, atol=1e-5)


def test_a_layer_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_tiles(monkeypatch)
    network, architecture = made("torchvision:resnet18"), "torchvision:resnet18"
    classifier, info = import_model(network, tmp_path, architecture, layer="layer3")
    assert info["maps"]["method"] == "GradCAM" and not info["maps"]["additive"]
    assert classifier(pictures())[1].shape == (3, 2, 7, 7)
    for layer, message in (("layer5", "near it are layer4"), ("fc", "gives no map .its output is 2")):
        with pytest.raises(LookwhereError, match=message):
            import_model(network, tmp_path, architecture, layer=layer)
    with pytest.raises(LookwhereError, match="is 0 everywhere"):
        import_model(made("timm:vit_tiny_patch16_224"), tmp_path, "timm:vit_tiny_patch16_224", layer="norm")
    with pytest.raises(LookwhereError, match="looks at no layer"):
        import_model(network, tmp_path, architecture, "occlusion", layer="layer3")
    with pytest.raises(LookwhereError, match="--maps guessed: unknown; there are closed-form, occlusion, rise"):
        import_model(network, tmp_path, architecture, "guessed")
    with pytest.raises(LookwhereError, match="--maps EigenCAM: it explains no class"):
        import_model(network, tmp_path, architecture, "EigenCAM")


def test_shapes_are_read_as_maps_only_where_cells_are_square() -> None:
    square, wide = (112, 112), (96, 192)
    assert view_of((2, 512, 4, 4), square).form == "nchw"
    assert view_of((2, 7, 7, 768), square).form == "nhwc"
    assert view_of((2, 64, 3, 6), wide).grid == (3, 6) and view_of((2, 3, 6, 64), wide).form == "nhwc"
    assert view_of((2, 50, 192), square) == view_of((2, 50, 192), square, 1)
    assert (view_of((2, 50, 192), square).prefix, view_of((2, 49, 192), square, 1).prefix) == (1, 0)
    assert view_of((2, 73, 192), wide).grid == (6, 12)
    for shape in ((2, 512, 1, 1), (2, 3, 50, 7), (2, 48, 192), (2, 512), (2, 2, 192)):
        assert view_of(shape, square) is None, shape


def test_sessions_that_share_a_network_do_not_mix_their_maps(imported) -> None:
    classifier, _ = imported("timm:vit_tiny_patch16_224")
    faces = [pictures(2, seed) for seed in range(6)]
    alone = [classifier(images)[1] for images in faces]
    together: dict[int, np.ndarray] = {}
    threads = [
        threading.Thread(target=lambda n=n, images=images: together.__setitem__(n, classifier(images)[1]))
        for n, images in enumerate(faces)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_allclose(np.stack([together[n] for n in range(6)]), np.stack(alone), atol=1e-5)
    assert not any(module._forward_hooks for module in classifier.network.modules())
