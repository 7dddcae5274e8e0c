"""Exact maps of ONNX graphs: made ones of every usual ending, held against the graph's own numbers worked out anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from core.audit.average_setting import AverageSetting, KeepAverages
from core.audit.run import run_audit
from core.classifiers.folder import load_model
from core.classifiers.imported import declare, import_model
from core.classifiers.imported.import_options import NetworkOptions
from core.classifiers.imported.prepared import prepare
from core.errors import LookwhereError
from tests.helpers.made_store import make_store

SIZE, CHANNELS, GRID = 28, 5, 7
DRAW = np.random.default_rng(5)
#: What each made graph holds, by name; a convolution of 4 pixels a cell, and heads on its mean and on all its cells.
HELD = {
    "filter": DRAW.normal(size=(CHANNELS, 3, 4, 4)),
    "grey": DRAW.normal(size=(CHANNELS, 1, 4, 4)),
    "w": DRAW.normal(size=(3, CHANNELS)),
    "turned": DRAW.normal(size=(CHANNELS, 3)),
    "one": DRAW.normal(size=(1, CHANNELS)),
    "each": DRAW.normal(size=(3, CHANNELS * GRID * GRID)) / 10,
    "b": DRAW.normal(size=3),
    "b1": DRAW.normal(size=1),
    "scale": DRAW.uniform(0.5, 2, 3),
    "last": DRAW.normal(size=(2, CHANNELS, 3, 3)),
    "cell": np.array([[0.3]]),
}
SHAPES = {"flat": [0, -1], "batch": [-1], "axes": [1, 2], "places": [2, 3], "second": [1], "first": [0]}
SOFTMAX, SIGMOID = ("Softmax", ["z"], "out"), ("Sigmoid", ["z"], "out")
POOL = [("GlobalAveragePool", ["a"], "p"), ("Flatten", ["p"], "f")]
GEMM = ("Gemm", ["f", "w", "b"], "z", {"transB": 1})
LOGITS = {"score": "logits", "female": 2, "male": 0}
SHARES = {**LOGITS, "score": "probabilities"}
ONE = {"score": "probability", "of": "male"}


def view_by_shape_of(tensor: str) -> list[tuple]:
    """The average seen as rows, as many as a tensor's shape says."""
    return [
        ("GlobalAveragePool", ["a"], "p"),
        ("Shape", [tensor], "s"),
        ("Gather", ["s", "first"], "n"),
        ("Concat", ["n", "batch"], "k", {"axis": 0}),
        ("Reshape", ["p", "k"], "f"),
        GEMM,
    ]


#: Endings after the rectified convolution `a`, (N, 5, 7, 7): nodes, what is declared, and the layer expected.
ENDINGS = {
    "pool and linear": ([*POOL, GEMM], LOGITS, "a"),
    "softmax": ([*POOL, GEMM, SOFTMAX], SHARES, "a"),
    "log softmax": ([*POOL, GEMM, ("LogSoftmax", ["z"], "out")], LOGITS, "a"),
    "sigmoid": ([*POOL, ("Gemm", ["f", "one", "b1"], "z", {"transB": 1}), SIGMOID], ONE, "a"),
    "nhwc": (
        [
            ("Transpose", ["a"], "t", {"perm": [0, 2, 3, 1]}),
            ("ReduceMean", ["t", "axes"], "f", {"keepdims": 0}),
            ("MatMul", ["f", "turned"], "m"),
            ("Add", ["m", "b"], "z"),
            SOFTMAX,
        ],
        SHARES,
        "t",
    ),
    "average pool and batch norm": (
        [
            ("AveragePool", ["a"], "p", {"kernel_shape": [GRID, GRID]}),
            ("Flatten", ["p"], "f"),
            ("Gemm", ["f", "w", "b"], "n", {"transB": 1}),
            ("BatchNormalization", ["n", "scale", "b", "b", "scale"], "z"),
        ],
        LOGITS,
        "a",
    ),
    "a head on every cell": ([("Flatten", ["a"], "f"), ("Gemm", ["f", "each", "b"], "z", {"transB": 1})], LOGITS, "a"),
    "maps of classes": (
        [
            ("Conv", ["a", "last"], "c", {"pads": [1, 1, 1, 1]}),
            ("ReduceMean", ["c", "places"], "z", {"keepdims": 0}),
            SOFTMAX,
        ],
        {"score": "probabilities", "female": 0, "male": 1},
        "c",
    ),
    "a view by shape": (view_by_shape_of("p"), LOGITS, "a"),
    # As PyTorch's exporter flattens where the batch is of any size.
    "a view by the picture's shape": (view_by_shape_of("x"), LOGITS, "a"),
    "two averages added": (
        [
            ("Identity", ["a"], "i"),
            ("GlobalAveragePool", ["i"], "p1"),
            ("ReduceMean", ["i", "places"], "p2", {"keepdims": 1}),
            ("Add", ["p1", "p2"], "p"),
            ("Flatten", ["p"], "f"),
            GEMM,
        ],
        LOGITS,
        "i",
    ),
    "several outputs": ([*POOL, GEMM, ("Relu", ["f"], "other"), SOFTMAX], {**SHARES, "output": "out"}, "a"),
}
#: Endings without exact maps, and what is said of them.
OTHERS = {
    "a hidden layer": (
        [*POOL, ("Relu", ["f"], "h"), ("Gemm", ["h", "w", "b"], "z", {"transB": 1})],
        LOGITS,
        "Relu (h)",
    ),
    "the maximum": ([("GlobalMaxPool", ["a"], "p"), ("Flatten", ["p"], "f"), GEMM], LOGITS, "GlobalMaxPool (p)"),
    "a gate": ([*POOL, GEMM, ("Mul", ["z", "z"], "out")], LOGITS, "Mul (out)"),
    "two sigmoids": ([*POOL, GEMM, SIGMOID], SHARES, "come of a Sigmoid"),
    "a sigmoid by hand": (
        [*POOL, ("Gemm", ["f", "one", "b1"], "z", {"transB": 1}), ("Tanh", ["z"], "t"), ("Abs", ["t"], "out")],
        ONE,
        "no Sigmoid ends it but Abs (out)",
    ),
}


def made(ending: list, batch: object = "N", grey: bool = False, kind: int = TensorProto.FLOAT) -> onnx.ModelProto:
    """A graph of one convolution, a ReLU, and an ending; its output is the last node's, or the last two's."""
    depth = 1 if grey else 3
    first = [("Conv", ["x", "grey" if grey else "filter"], "conv", {"strides": [4, 4]}), ("Relu", ["conv"], "a")]
    nodes = [
        helper.make_node(node[0], node[1], [node[2]], **(node[3] if len(node) > 3 else {})) for node in first + ending
    ]
    used = {name for node in nodes for name in node.input}
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    initialisers = [numpy_helper.from_array(value.astype(dtype), name) for name, value in HELD.items() if name in used]
    initialisers += [numpy_helper.from_array(np.array(value), name) for name, value in SHAPES.items() if name in used]
    outputs = [n.output[0] for n in nodes if not any(n.output[0] in other.input for other in nodes)]
    return helper.make_model(
        helper.make_graph(
            nodes,
            "made",
            [helper.make_tensor_value_info("x", kind, [batch, depth, SIZE, SIZE])],
            [helper.make_tensor_value_info(name, kind, None) for name in outputs],
            initialisers,
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )


def imported(model: onnx.ModelProto, tmp_path: Path, said: dict, grey: bool = False, maps: str | None = None):
    file = tmp_path / "made.onnx"
    onnx.save(model, file)
    depth = 1 if grey else 3
    declaration = {
        "size": SIZE,
        "mean": [0.5] * depth,
        "std": [0.25] * depth,
        **({"channels": "grey"} if grey else {}),
        **said,
    }
    return load_model(
        import_model(
            file, "made", declare(None, **declaration), models=tmp_path / "models", network=NetworkOptions(maps=maps)
        )
    )


def pictures(count: int = 6) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (count, 28, 28, 3), dtype=np.uint8).repeat(4, 1).repeat(4, 2)


def values(model: onnx.ModelProto, pixels: np.ndarray, *names: str) -> list[np.ndarray]:
    """Tensors of a graph by ONNX's own evaluator, another implementation than the one that is tested."""
    with_outputs = onnx.ModelProto()
    with_outputs.CopyFrom(model)
    del with_outputs.graph.output[:]
    with_outputs.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    return ReferenceEvaluator(with_outputs).run(None, {"x": pixels})


@pytest.mark.parametrize("name", ENDINGS)
def test_maps_and_bias_are_the_logits_and_each_cell_has_what_it_alone_adds(name: str, tmp_path: Path) -> None:
    ending, declaration, layer = ENDINGS[name]
    graph = made(ending)
    model = imported(graph, tmp_path, declaration)
    record = model.classify.maps
    assert (record["method"], record["additive"], record["layer"]) == ("closed form", True, layer)
    assert (
        model.info.source.unknown_keys["output"] == graph.graph.output[-1].name
    )  # what is declared, not what is added

    faces = pictures()
    logits, evidence = model.classify(faces)
    pixels = prepare(faces, model.classify.spec)
    scores, a = values(graph, pixels, "z", layer)
    if declaration["score"] == "probability":
        expected = np.concatenate([-scores, scores], axis=1) / 2
    else:
        expected = scores[:, [declaration["female"], declaration["male"]]]
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    np.testing.assert_allclose(evidence.mean(axis=(2, 3)) + model.classify.head_bias, expected, atol=1e-4)
    # A cell's part: what the margin loses where that cell of the layer is 0, by the graph's own numbers.
    channels_last = layer == "t"
    for row, column in ((0, 0), (2, 5), (6, 3)):
        without = a.copy()
        without[(slice(None), row, column) if channels_last else (slice(None), slice(None), row, column)] = 0
        rest = margin(ending, without, layer, declaration)
        part = (evidence[:, 0] - evidence[:, 1])[:, row, column] / (GRID * GRID)
        np.testing.assert_allclose(part, expected[:, 0] - expected[:, 1] - rest, atol=2e-4)
    np.testing.assert_allclose(model.classify.logits(faces[3:]), logits[3:], atol=1e-5)


def margin(ending: list, tensor: np.ndarray, layer: str, declaration: dict) -> np.ndarray:
    """The margin of what a graph's ending makes of a layer's values."""
    graph = made(ending)
    place = next(n for n, node in enumerate(graph.graph.node) if layer in node.output)
    rest = list(graph.graph.node[place + 1 :])
    picture = graph.graph.input.pop()
    del graph.graph.node[:], graph.graph.output[:], graph.graph.input[:]
    graph.graph.node.extend(rest)
    feeds = {layer: tensor}
    if any(picture.name in node.input for node in rest):
        graph.graph.input.append(picture)
        feeds[picture.name] = np.zeros((len(tensor), 3, SIZE, SIZE), dtype=np.float32)
    graph.graph.input.append(helper.make_tensor_value_info(layer, TensorProto.FLOAT, [None] * 4))
    graph.graph.output.append(onnx.ValueInfoProto(name="z"))
    (scores,) = ReferenceEvaluator(graph).run(None, feeds)
    return (
        -scores[:, 0]
        if declaration["score"] == "probability"
        else scores[:, declaration["female"]] - scores[:, declaration["male"]]
    )


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_not_linear_is_explained_otherwise_and_the_import_says_why(name: str, tmp_path: Path) -> None:
    ending, declaration, why = OTHERS[name]
    model = imported(made(ending), tmp_path, declaration)
    graded = name in ("a hidden layer", "the maximum", "a gate")
    assert (
        model.classify.maps["method"] == ("GradCAM" if graded else "occlusion") and not model.classify.maps["additive"]
    )
    source = model.info.source.unknown_keys
    assert why in source["not_exact"] and ("not_by_gradients" in source) != graded
    with pytest.raises(LookwhereError, match=r"--maps closed-form: .*usable here are .*occlusion, rise"):
        model.explained_by("closed-form")
    (tmp_path / "models/made").rename(tmp_path / "models/kept")
    with pytest.raises(LookwhereError) as refused:
        imported(made(ending), tmp_path, declaration, maps="closed-form")
    assert why in str(refused.value) and not (tmp_path / "models/made").exists()


@pytest.mark.parametrize("name", ["sigmoid", "a head on every cell"])
def test_one_face_a_run_grey_and_another_class_change_no_map(name: str, tmp_path: Path) -> None:
    ending, declaration, _ = ENDINGS[name]
    many = imported(made(ending, grey=True), tmp_path, declaration, grey=True)
    turned = {"of": "female"} if "of" in declaration else {"female": 0, "male": 2}
    (tmp_path / "other").mkdir()
    single = imported(made(ending, batch=1, grey=True), tmp_path / "other", {**declaration, **turned}, grey=True)
    assert single.info.source.unknown_keys["batch"] == 1
    (logits, evidence), (single_logits, maps) = many.classify(pictures()), single.classify(pictures())
    np.testing.assert_allclose(logits, single_logits[:, ::-1], atol=1e-5)
    np.testing.assert_allclose(evidence, maps[:, ::-1], atol=1e-4)


def test_half_precision_that_does_not_add_up_is_no_exact_map(tmp_path: Path) -> None:
    ending, declaration, _ = ENDINGS["pool and linear"]
    model = imported(made(ending, kind=TensorProto.FLOAT16), tmp_path, declaration)
    assert model.classify.maps["method"] == "GradCAM"
    assert "not linear to 0.0001 (it computes in float16)" in model.info.source.unknown_keys["not_exact"]


def test_an_audit_has_exact_maps_other_methods_stay_and_a_changed_bias_is_seen(tmp_path: Path) -> None:
    ending, declaration, _ = ENDINGS["softmax"]
    model = imported(made(ending), tmp_path, declaration)
    store = make_store(tmp_path / "store", faces=40)
    audit = run_audit(store, model, ("all",), averages=AverageSetting(KeepAverages.NO))
    assert audit.additive and audit.map_shape == (GRID, GRID)
    sums = audit.evidence.astype(np.float64).mean(axis=(2, 3)) + audit.manifest.head_bias
    np.testing.assert_allclose(sums, audit.faces[["logit_female", "logit_male"]], atol=5e-3)  # in half precision

    hidden = run_audit(
        store, model.explained_by("occlusion"), ("all",), name="hidden", averages=AverageSetting(KeepAverages.NO)
    )
    assert not hidden.additive
    np.testing.assert_array_equal(hidden.faces["logit_male"], audit.faces["logit_male"])
    with pytest.raises(LookwhereError, match=r"--maps gradcam: it needs gradients .* exact maps gives no gradients"):
        model.explained_by("gradcam")

    model.classify.layers.record["bias"][0] += 0.01
    with pytest.raises(LookwhereError, match=r"model\.onnx: maps and bias leave .* of the logits"):
        model.classify(pictures())


def test_weights_in_a_second_file_are_taken_in_and_others_refused(tmp_path: Path) -> None:
    ending, declaration, _ = ENDINGS["softmax"]
    whole = imported(made(ending), tmp_path, declaration)
    folder = tmp_path / "two"
    folder.mkdir()
    onnx.save(made(ending), folder / "two.onnx", save_as_external_data=True, size_threshold=0, location="two.onnx.data")
    spec = declare(None, size=SIZE, mean=[0.5] * 3, std=[0.25] * 3, **declaration)
    model_of_two_files = load_model(import_model(folder / "two.onnx", "two", spec, models=tmp_path / "models"))
    assert {file.name for file in model_of_two_files.path.iterdir()} == {"model.onnx", "model.json"}
    for output, expected in zip(model_of_two_files.classify(pictures()), whole.classify(pictures()), strict=True):
        np.testing.assert_array_equal(output, expected)

    data, aside = folder / "two.onnx.data", tmp_path / "aside"
    data.rename(aside)
    with pytest.raises(LookwhereError, match=r"in two\.onnx\.data\), which is not there; put it beside the model"):
        import_model(folder / "two.onnx", "none", spec, models=tmp_path / "models")
    data.write_bytes(aside.read_bytes()[:-40])
    with pytest.raises(LookwhereError, match=r"two\.onnx\.data: cut short"):
        import_model(folder / "two.onnx", "none", spec, models=tmp_path / "models")
    data.unlink()
    data.symlink_to(aside)
    with pytest.raises(LookwhereError, match="a link to elsewhere"):
        import_model(folder / "two.onnx", "none", spec, models=tmp_path / "models")
    onnx.save(made(ending), folder / "away.onnx", save_as_external_data=True, size_threshold=0, location="away")
    far = onnx.load(folder / "away.onnx", load_external_data=False)
    for place in ("../away", str(folder / "away")):
        far.graph.initializer[0].external_data[0].value = place
        (folder / "far.onnx").write_bytes(far.SerializeToString())
        with pytest.raises(LookwhereError, match="that is not beside it"):
            import_model(folder / "far.onnx", "none", spec, models=tmp_path / "models")


@pytest.mark.parametrize("name", ["a hidden layer", "the maximum"])
def test_its_maps_are_grad_cam_by_hand(name: str, tmp_path: Path) -> None:
    """Where what is averaged is not negative, a ReLU after the average changes nothing, and the maps are exact."""
    ending, declaration, _ = OTHERS[name]
    model = imported(made(ending), tmp_path, declaration)
    logits, evidence = model.classify(pictures())
    (tmp_path / "exact").mkdir()
    exact = imported(made([*POOL, GEMM]), tmp_path / "exact", declaration)
    exact_logits, maps = exact.classify(pictures())
    if name == "a hidden layer":
        np.testing.assert_allclose(logits, exact_logits, atol=1e-4)
    # A channel's weight by the maximum is that of the average: each passes the whole gradient to one cell.
    np.testing.assert_allclose(evidence, maps, atol=1e-3)
    assert model.classify.maps["agrees_to"] < 1e-3 and model.classify.maps["layer"] == "a"


def test_cells_with_weights_of_their_own_are_explained_by_hiding_unless_asked(tmp_path: Path) -> None:
    ending = [("Flatten", ["a"], "flat", {}), ("Gemm", ["flat", "wide", "none"], "deep", {"transB": 1})]
    ending += [("Relu", ["deep"], "h", {}), ("Gemm", ["h", "narrow", "b1"], "last", {"transB": 1})]
    model = made([*POOL, GEMM])
    values = CHANNELS * GRID * GRID
    more = {
        "wide": DRAW.normal(size=(5, values)) / values,
        "none": DRAW.normal(size=5),
        "narrow": DRAW.normal(size=(3, 5)),
        "b1": DRAW.normal(size=3),
    }
    nodes = [helper.make_node(kind, takes, [name], **options) for kind, takes, name, options in ending]
    del model.graph.node[2:], model.graph.output[:]
    model.graph.node.extend(nodes)
    initialisers = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in more.items()]
    model.graph.initializer.extend(initialisers)
    model.graph.output.append(helper.make_tensor_value_info("last", TensorProto.FLOAT, None))
    mixing_model = imported(model, tmp_path, LOGITS)
    assert mixing_model.classify.maps["method"] == "occlusion"
    assert "mix places up" in mixing_model.info.source.unknown_keys["not_by_gradients"]
    (tmp_path / "asked").mkdir()
    assert imported(model, tmp_path / "asked", LOGITS, maps="hirescam").classify.maps["method"] == "HiResCAM"
    with pytest.raises(LookwhereError, match="usable here are"):
        mixing_model.explained_by("gradcam")
