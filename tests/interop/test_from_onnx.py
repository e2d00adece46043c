"""Networks from ONNX files: what onnx's own node tests say of RNN, GRU and LSTM, and what to_onnx writes."""

import importlib
import pickle
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tests.interop.test_to_onnx import asymmetric, sequences, session

import throughtime as tt

# The node tests of onnx 1.23. None: passes; else the field that the refusal names.
NODE_TESTS: dict[str, str | None] = {
    "RNN.export_defaults": None,
    "RNN.export_initial_bias": None,
    "RNN.export_seq_length": None,
    "RNN.export_batchwise": None,
    "RNN.export_reverse": None,
    "RNN.export_bidirectional": None,
    "GRU.export_defaults": None,
    "GRU.export_initial_bias": None,
    "GRU.export_seq_length": None,
    "GRU.export_batchwise": None,
    "GRU.export_reverse": None,
    "GRU.export_bidirectional": None,
    "LSTM.export_defaults": None,
    "LSTM.export_initial_bias": None,
    "LSTM.export_peepholes": "P",  # no cell here has peepholes
    "LSTM.export_batchwise": None,
    "LSTM.export_reverse": None,
    "LSTM.export_bidirectional": None,
}


def node_case(name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[onnx.NodeProto, list[Any], list[Any]]:
    """The node, the inputs and the outputs of a test that onnx ships."""
    kind, _, function = name.partition(".")
    module = importlib.import_module(f"onnx.backend.test.case.node.{kind.lower()}")
    calls: list[Any] = []
    monkeypatch.setattr(
        module, "expect", lambda node, inputs, outputs, name, **_: calls.append((node, inputs, outputs))
    )
    getattr(getattr(module, kind), function)()
    return calls[0]


def write(
    path: Path, nodes: list[Any], inputs: dict[str, Any], outputs: dict[str, Any], arrays: dict[str, Any]
) -> None:
    """Write a graph with inputs of these shapes."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


@pytest.mark.parametrize("name", NODE_TESTS)
def test_the_node_tests_of_onnx(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node, inputs, outputs = node_case(name, monkeypatch)
    named = {name: array for name, array in zip(node.input, inputs, strict=True) if name}
    xs = named.pop("X")
    if "sequence_lens" in named:
        assert (named.pop("sequence_lens") == xs.shape[0]).all()  # no shorter sequence is tested
        node.input[4] = ""
    names = [name for name in node.output if name]
    shapes = {name_of: array.shape for name_of, array in zip(names, outputs, strict=True)}
    write(tmp_path / "node.onnx", [node], {"X": xs.shape}, shapes, named)
    refused = NODE_TESTS[name]
    if refused is not None:
        with pytest.raises(tt.InputError) as error:
            tt.from_onnx(tmp_path / "node.onnx")
        assert (error.value.code, error.value.column) == ("unsupported-attribute", refused)
        return
    layer = tt.from_onnx(tmp_path / "node.onnx")
    batch_first = any(attribute.name == "layout" and attribute.i for attribute in node.attribute)
    ours = jnp.asarray(xs if batch_first else xs.swapaxes(0, 1))
    state, ys = tt.unroll(layer, ours) if isinstance(layer, tt.Cell) else layer(ours)
    both = (state.forward, state.backward) if isinstance(state, tt.BidirectionalState) else (state,)
    lasts = [jnp.stack(leaves, axis=1) for leaves in zip(*both, strict=True)]  # h, and c: (B, directions, H)
    whole = ys.reshape(*ys.shape[:2], len(both), -1)  # (B, T, directions, H)
    expected = {"Y": whole if batch_first else whole.transpose(1, 2, 0, 3)}
    turned = [last if batch_first else last.swapaxes(0, 1) for last in lasts]
    expected |= dict(zip(("Y_h", "Y_c"), turned, strict=False))  # c of an LSTM alone
    for name_of, found in zip(names, outputs, strict=True):
        np.testing.assert_allclose(expected[name_of], found, atol=1e-5)


def test_every_node_test_is_in_the_table() -> None:
    """A new version of onnx may bring tests that this table does not have."""
    for kind in ("RNN", "GRU", "LSTM"):
        module = importlib.import_module(f"onnx.backend.test.case.node.{kind.lower()}")
        names = {f"{kind}.{name}" for name in vars(getattr(module, kind)) if name.startswith("export")}
        assert names == {name for name in NODE_TESTS if name.startswith(f"{kind}.")}


NETWORKS: dict[str, Any] = {
    "cell": lambda: tt.Elman(3, 4, activation="leaky_relu", key=0),
    "reversed": lambda: tt.Reversed(tt.LSTM(3, 4, key=0)),
    "learned": lambda: tt.LearnedInitialState(tt.LSTM(3, 4, key=0)),
    "last": lambda: tt.ManyToOne([tt.GRU(3, 4, key=0), tt.LSTM(4, 5, key=1)], 2, key=3),
    "tags": lambda: tt.ManyToMany(
        [tt.Bidirectional(tt.GRU(3, 4, key=0), tt.GRU(3, 4, key=1)), tt.ResetFirstGRU(8, 5, key=2)], 2, key=3
    ),
}


@pytest.mark.parametrize(
    ("name", "lengths"),
    [(name, lengths) for name in NETWORKS for lengths in (False, True) if name != "last" or not lengths],
)
def test_what_to_onnx_writes_comes_back(name: str, lengths: bool, tmp_path: Path) -> None:
    """The same network, array by array, with the states to start from."""
    network = asymmetric(NETWORKS[name]())
    tt.to_onnx(network, tmp_path / "network.onnx", lengths=lengths)
    again = tt.from_onnx(tmp_path / "network.onnx")
    assert type(again) is type(network)
    assert jax.tree.structure(again) == jax.tree.structure(network)
    for found, expected in zip(jax.tree.leaves(again), jax.tree.leaves(network), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-7)


def lstm_arrays(inputs: int, hidden: int, directions: int = 1) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(hidden)
    shapes = {
        "W": (directions, 4 * hidden, inputs),
        "R": (directions, 4 * hidden, hidden),
        "B": (directions, 8 * hidden),
    }
    return {name: draw.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def test_a_network_as_pytorch_writes_it(tmp_path: Path) -> None:
    """Batch first, h and c by name, zeros to start from, the last output through a Gemm: as ONNX Runtime runs it."""
    nodes = [
        helper.make_node("Transpose", ["x"], ["turned"], perm=[1, 0, 2]),
        helper.make_node("LSTM", ["turned", "W", "R", "B", "", "h", "c"], ["y", "", ""], hidden_size=4),
        helper.make_node("Squeeze", ["y", "one"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["back"], perm=[1, 0, 2]),
        helper.make_node("Gather", ["back", "end"], ["last"], axis=1),
        helper.make_node("Gemm", ["last", "V", "d"], ["out"], transB=1),
    ]
    draw = np.random.default_rng(1)
    arrays = lstm_arrays(3, 4) | {"one": np.asarray([1]), "end": np.asarray(-1)}
    arrays |= {"V": draw.normal(size=(2, 4)).astype(np.float32), "d": draw.normal(size=2).astype(np.float32)}
    arrays |= {"h": np.full((1, 2, 4), 0.5, np.float32), "c": np.zeros((1, 2, 4), np.float32)}
    write(tmp_path / "network.onnx", nodes, {"x": ("B", "T", 3)}, {"out": ("B", 2)}, arrays)
    network = tt.from_onnx(tmp_path / "network.onnx")
    assert isinstance(network, tt.ManyToOne)
    assert isinstance(network.layer, tt.LearnedInitialState)
    xs = sequences(2, 5, 3)
    expected = session(tmp_path / "network.onnx").run(None, {"x": xs})[0]
    np.testing.assert_allclose(network(jnp.asarray(xs))[1], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("activation", "settings"),
    [
        ("ScaledTanh", {"activation_alpha": [1.5], "activation_beta": [0.5]}),
        ("HardSigmoid", {}),
        ("Softsign", {}),
        ("Tanh", {"clip": 0.3}),
    ],
)
def test_activations_of_onnx(activation: str, settings: dict[str, Any], tmp_path: Path) -> None:
    node = helper.make_node("RNN", ["X", "W", "R"], ["Y"], hidden_size=4, activations=[activation], **settings)
    draw = np.random.default_rng(2)
    arrays = {"W": draw.normal(size=(1, 4, 3)).astype(np.float32), "R": draw.normal(size=(1, 4, 4)).astype(np.float32)}
    write(tmp_path / "node.onnx", [node], {"X": ("T", "B", 3)}, {"Y": ("T", 1, "B", 4)}, arrays)
    xs = sequences(2, 5, 3)
    expected = session(tmp_path / "node.onnx").run(None, {"X": xs.swapaxes(0, 1)})[0]
    ys = tt.unroll(tt.from_onnx(tmp_path / "node.onnx"), jnp.asarray(xs), method="scan")[1]
    np.testing.assert_allclose(ys.swapaxes(0, 1)[:, None], expected, atol=1e-5)


def test_what_no_network_here_computes_is_named(tmp_path: Path) -> None:
    def refused(operator: str, inputs: list[str], arrays: dict[str, Any], **attributes: Any) -> tuple[str, Any]:
        nodes = [helper.make_node(operator, inputs, ["Y"], **attributes)]
        write(tmp_path / "node.onnx", nodes, {"X": ("T", "B", 3)}, {"Y": [None] * 4}, arrays)
        with pytest.raises(tt.InputError) as error:
            tt.from_onnx(tmp_path / "node.onnx")
        return error.value.code, error.value.column or error.value.found

    arrays, operands = lstm_arrays(3, 4), ["X", "W", "R", "B"]
    assert refused("LSTM", operands, arrays, hidden_size=4, clip=2.0) == ("unsupported-attribute", "clip")
    assert refused("LSTM", operands, arrays, hidden_size=4, input_forget=1) == ("unsupported-attribute", "input_forget")
    names = ["Relu", "Tanh", "Tanh"]
    assert refused("LSTM", operands, arrays, hidden_size=4, activations=names) == (
        "unsupported-attribute",
        "activations",
    )
    fixed = arrays | {"L": np.asarray([2, 1], np.int32)}
    assert refused("LSTM", [*operands, "L"], fixed, hidden_size=4) == ("unsupported-operator", "LSTM")
    starts = arrays | {"h": np.arange(8, dtype=np.float32).reshape(1, 2, 4)}
    assert refused("LSTM", [*operands, "", "h"], starts, hidden_size=4) == ("unsupported-operator", "LSTM")
    assert refused("LSTM", operands, arrays | {"R": arrays["R"][..., :3]}, hidden_size=4)[0] in (
        "wrong-shape",
        "not-onnx",
    )
    assert refused("Unsqueeze", ["X", "axes"], {"axes": np.asarray([1])}) == ("unsupported-operator", "Unsqueeze")


LSTM = helper.make_node("LSTM", ["x", "W", "R", "B"], ["y"], hidden_size=4)
FLAT = helper.make_node("Squeeze", ["y", "one"], ["flat"])
MISREAD: dict[str, tuple[list[Any], str]] = {
    "a linear layer below": ([helper.make_node("MatMul", ["in", "V"], ["x"]), LSTM], "MatMul"),
    "a linear layer between": (
        [LSTM, FLAT, helper.make_node("MatMul", ["flat", "V"], ["m"]), helper.make_node("LSTM", ["m", "W", "R"], [""])],
        "LSTM",
    ),
    "a readout of all steps at once": (
        [LSTM, FLAT, helper.make_node("Reshape", ["flat", "to"], ["m"]), helper.make_node("MatMul", ["m", "U"], [""])],
        "MatMul",
    ),
    "weights on the left": ([LSTM, FLAT, helper.make_node("MatMul", ["V", "flat"], [""])], "MatMul"),
    "biases that a call gives": ([helper.make_node("LSTM", ["x", "W", "R", "b"], [""])], "LSTM"),
    "one state that a call gives": ([helper.make_node("LSTM", ["x", "W", "R", "B", "", "h", "c"], [""])], "LSTM"),
    "a state of another size": ([helper.make_node("LSTM", ["x", "W", "R", "B", "", "h3"], [""])], "LSTM"),
    "all axes of size 1": ([LSTM, helper.make_node("Squeeze", ["y"], [""])], "Squeeze"),
    "an unknown direction": ([helper.make_node("LSTM", ["x", "W", "R"], [""], direction="sideways")], "sideways"),
    "sequences of four axes": (
        [
            helper.make_node("Transpose", ["four"], ["three"], perm=[1, 0, 2, 3]),
            helper.make_node("Squeeze", ["three", "end"], ["x"]),
            LSTM,
        ],
        "Transpose",
    ),
    "the last of the inputs": ([helper.make_node("Slice", ["in", "end", "far", "zero"], ["x"]), LSTM], "Slice"),
}
ARRAYS: dict[str, Any] = {
    "zero": np.asarray([0]),
    "one": np.asarray([1]),
    "to": np.asarray([-1, 1, 16]),
    "end": np.asarray([-1]),
    "far": np.asarray([2**40]),
} | {
    name: np.random.default_rng(3).normal(size=shape).astype(np.float32)
    for name, shape in {"V": (4, 4), "U": (16, 2), "h": (1, 1, 4), "h3": (1, 1, 3)}.items()
}


@pytest.mark.parametrize("name", MISREAD)
def test_what_a_reader_could_mistake_is_refused(name: str, tmp_path: Path) -> None:
    """Each graph is a valid one, and none of the networks here."""
    nodes, found = MISREAD[name]
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    nodes[-1].output[:] = ["out"]
    read = {operand for node in nodes for operand in node.input}
    inputs = {"x": ("T", 4, 4), "in": ("T", 4, 4), "four": ("T", "B", 4, 1), "b": (1, 32), "c": (1, "B", 4)}
    made = {output for node in nodes for output in node.output}
    write(
        tmp_path / "graph.onnx",
        nodes,
        {name: shape for name, shape in inputs.items() if name in read - made},
        {"out": [None] * (4 if nodes[-1].op_type == "LSTM" else 3)},
        {name: array for name, array in (ARRAYS | lstm_arrays(4, 4)).items() if name in read},
    )
    with pytest.raises(tt.InputError) as error:
        tt.from_onnx(tmp_path / "graph.onnx")
    assert error.value.found == found


def test_weights_that_nodes_make(tmp_path: Path) -> None:
    """Constants as nodes, biases of half the precision, a state of h alone, and beta of a Gemm."""
    nodes = [
        helper.make_node("Constant", [], ["one"], value_ints=[1]),
        helper.make_node("Constant", [], ["zero"], value=numpy_helper.from_array(np.asarray(0))),
        helper.make_node("Cast", ["half"], ["B"], to=TensorProto.FLOAT),
        helper.make_node("LSTM", ["x", "W", "R", "B", "", "h"], ["", "last"], hidden_size=4),
        helper.make_node("Gather", ["last", "zero"], ["flat"]),
        helper.make_node("Gemm", ["flat", "U", "d"], ["out"], alpha=0.5, beta=-2.0),
    ]
    draw = np.random.default_rng(4)
    arrays = lstm_arrays(3, 4) | {"h": np.tile(draw.normal(size=(1, 1, 4)), (1, 2, 1)).astype(np.float32)}
    arrays |= {"U": draw.normal(size=(4, 5)).astype(np.float32), "d": draw.normal(size=5).astype(np.float32)}
    arrays["half"] = arrays.pop("B").astype(np.float16)
    write(tmp_path / "network.onnx", nodes, {"x": ("T", 2, 3)}, {"out": (2, 5)}, arrays)
    xs = sequences(2, 6, 3)
    expected = session(tmp_path / "network.onnx").run(None, {"x": xs.swapaxes(0, 1)})[0]
    np.testing.assert_allclose(tt.from_onnx(tmp_path / "network.onnx")(jnp.asarray(xs))[1], expected, atol=1e-5)


def test_bad_files_are_refused(tmp_path: Path) -> None:
    tt.to_onnx(tt.GRU(3, 4, key=0), tmp_path / "whole.onnx")
    whole = (tmp_path / "whole.onnx").read_bytes()
    for data in (whole[: len(whole) // 2], b"", b"PK\x03\x04 a zip", pickle.dumps({"weights": [1.0]})):
        (tmp_path / "bad.onnx").write_bytes(data)
        with pytest.raises(tt.InputError) as error:
            tt.from_onnx(tmp_path / "bad.onnx")
        assert error.value.code == "not-onnx"
    with pytest.raises(tt.InputError) as error:
        tt.from_onnx(tmp_path / "missing.onnx")
    assert error.value.code == "cannot-read"


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/passwd", "arrays.bin"])
def test_arrays_in_other_files_lie_in_the_folder(location: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    arrays = lstm_arrays(3, 4)
    node = helper.make_node("LSTM", ["X", "W", "R", "B"], ["Y"], hidden_size=4)
    write(folder / "node.onnx", [node], {"X": ("T", "B", 3)}, {"Y": ("T", 1, "B", 4)}, arrays)
    model = onnx.load(folder / "node.onnx")
    for tensor in model.graph.initializer:
        onnx.external_data_helper.set_external_data(tensor, location)
    (tmp_path / "secret.bin").write_bytes(b"")
    if location == "arrays.bin":
        onnx.save(model, folder / "node.onnx")
        cell = tt.from_onnx(folder / "node.onnx")
        i_of_w = arrays["W"][0, :4]  # the first of ONNX's gates is our first too
        np.testing.assert_array_equal(cell.w_x[:4], i_of_w)
        return
    for tensor in model.graph.initializer:
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
    (folder / "node.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(tt.InputError) as error:
        tt.from_onnx(folder / "node.onnx")
    assert (error.value.code, error.value.found) == ("outside-folder", location)
