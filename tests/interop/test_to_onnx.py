"""Networks as ONNX files: ONNX Runtime gives the library's numbers, for other lengths and batches than any before."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import onnx
import onnxruntime
import pytest

import throughtime as tt
from throughtime.cells import CELLS, cell_type

TOLERANCE = 1e-5


def asymmetric(model: Any) -> Any:
    """The model with random numbers in place of all weights, biases of zero and first states too."""
    draw = np.random.default_rng(5)
    return jax.tree.map(
        lambda leaf: (
            leaf + jnp.asarray(0.2 * draw.normal(size=leaf.shape), leaf.dtype) if eqx.is_inexact_array(leaf) else leaf
        ),
        model,
    )


def session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options)


def call(model: Any, xs: Any, state: Any = None, mask: Any = None) -> tuple[Any, Any]:
    if isinstance(model, tt.Cell):
        return tt.unroll(model, xs, state, mask=mask, method="scan")
    return model(xs, state, mask=mask)


def operators(path: Path) -> list[str]:
    return [node.op_type for node in onnx.load(path).graph.node]


def assert_same(path: Path, model: Any, feeds: list[dict[str, np.ndarray]]) -> None:
    """Compare outputs and last states of each batch, which goes on from the last states of the one before."""
    running, state, after = session(path), None, {}
    for feed in feeds:
        mask = None if "lengths" not in feed else np.arange(feed["xs"].shape[1]) < feed["lengths"][:, None]
        state, ys = call(model, jnp.asarray(feed["xs"]), state, mask)
        results = running.run(None, feed | after)
        for expected, found in zip([ys, *jax.tree.leaves(state)], results, strict=True):
            np.testing.assert_allclose(found, expected, atol=TOLERANCE)
        names = [output.name for output in running.get_outputs()][1:]
        after = {name.removeprefix("last_"): result for name, result in zip(names, results[1:], strict=True)}


def sequences(batch: int, steps: int, width: int) -> np.ndarray:
    return np.random.default_rng(steps).normal(size=(batch, steps, width)).astype(np.float32)


class Squared(tt.Cell):
    """A cell of nobody's library, with a table that it reads at a place beyond its end."""

    GATES = ("a",)
    w_x: jax.Array
    b: jax.Array

    def initial_state(self) -> tt.GRUState:
        return tt.GRUState(jnp.full(self.hidden, 0.25, self.b.dtype))

    def step(self, state: tt.GRUState, gx: jax.Array) -> tuple[tt.GRUState, jax.Array]:
        place = jnp.asarray(40 * state.h[0], jnp.int32)
        h = gx * state.h**2 / (1 + state.h**2) + jnp.take(jnp.arange(3.0), place, mode="clip")
        return tt.GRUState(h), jnp.where(h > 0, h, -h / 2)


OPERATORS = {"elman": "RNN", "gru": "GRU", "reset_first_gru": "GRU", "lstm": "LSTM"}


@pytest.mark.parametrize("name", [*CELLS, "own"])
def test_each_cell(name: str, tmp_path: Path) -> None:
    """A cell is an operator of ONNX where there is one, and a loop over its step otherwise."""
    if name == "own":
        cell: tt.Cell = Squared(jnp.ones((4, 3)), jnp.zeros(4))
    else:
        cell = cell_type(name)(3, 4, key=1)
    cell = asymmetric(cell)
    path = tmp_path / "cell.onnx"
    tt.to_onnx(cell, path)
    assert OPERATORS.get(name, "Scan") in operators(path)
    assert_same(path, cell, [{"xs": sequences(2, 5, 3)}, {"xs": sequences(2, 5, 3)}])


@pytest.mark.parametrize("activation", ["sigmoid", "relu", "leaky_relu", "elu", "identity", jnp.sin])
def test_each_activation(activation: Any, tmp_path: Path) -> None:
    cell = asymmetric(tt.Elman(3, 4, activation=activation, key=2))
    tt.to_onnx(cell, tmp_path / "cell.onnx")
    assert ("Scan" if activation is jnp.sin else "RNN") in operators(tmp_path / "cell.onnx")
    assert_same(tmp_path / "cell.onnx", cell, [{"xs": sequences(2, 5, 3)}])


NETWORKS: dict[str, Any] = {
    "tags": lambda: tt.ManyToMany(
        [
            tt.Bidirectional(tt.GRU(3, 4, key=0), tt.GRU(3, 4, key=1)),
            tt.Dropout(8, 0.5),
            tt.Bidirectional(tt.LSTM(8, 5, key=2), tt.LEM(8, 2, key=3)),
        ],
        6,
        key=4,
    ),
    "last": lambda: tt.ManyToOne(
        [tt.LearnedInitialState(tt.LSTM(3, 4, key=0)), tt.Bidirectional(tt.Elman(4, 5, key=1), tt.Elman(4, 5, key=2))],
        2,
        key=3,
    ),
    "first": lambda: tt.ManyToOne(tt.Reversed(tt.GRU(3, 4, key=0)), 2, key=3),
    "mean": lambda: tt.ManyToOne(tt.VariationalDropout(tt.GRU(3, 4, key=0), 0.3), 2, "mean", key=3),
    "largest": lambda: tt.ManyToOne(tt.BatchNorm(tt.LayerNorm(tt.GRU(3, 4, key=0)), 4), 2, "max", key=3),
    "blocks": lambda: tt.StackedNetwork(
        3,
        [tt.Block(tt.LRU(4, 4, key=0)), tt.FeedForward(4, key=1), tt.Block(tt.Zoneout(tt.LSTM(4, 4, key=2), 0.2))],
        2,
        key=5,
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_each_network(name: str, tmp_path: Path) -> None:
    """With lengths: steps after a sequence's end count as they do under a mask, NaN there or not."""
    network = asymmetric(NETWORKS[name]())
    tt.to_onnx(network, tmp_path / "network.onnx", lengths=True)
    xs, lengths = sequences(3, 6, 3), np.asarray([6, 1, 4], np.int32)
    assert_same(tmp_path / "network.onnx", network, [{"xs": xs, "lengths": lengths}] * 2)


def test_any_batch_and_any_length_go_on_from_any_state(tmp_path: Path) -> None:
    network = asymmetric(tt.RecurrentNetwork(tt.GRU(3, 4, key=0), 2, key=1))
    path = tmp_path / "network.onnx"
    tt.to_onnx(network, path)
    onnx.checker.check_model(path, full_check=True)
    for batch, steps in ((1, 1), (5, 2)):
        assert_same(path, network, [{"xs": sequences(batch, steps, 3)}])
    whole = sequences(2, 7, 3)
    running = session(path)
    outputs, last = running.run(None, {"xs": whole})
    first, between = running.run(None, {"xs": whole[:, :3]})
    rest, end = running.run(None, {"xs": whole[:, 3:], "state.h": between})
    np.testing.assert_allclose(np.concatenate([first, rest], axis=1), outputs, atol=1e-6)
    np.testing.assert_allclose(end, last, atol=1e-6)


def test_tokens(tmp_path: Path) -> None:
    network = asymmetric(tt.ManyToMany([tt.Embedding(9, 3, key=0), tt.LSTM(3, 4, key=1)], 9, key=2))
    tt.to_onnx(network, tmp_path / "network.onnx")
    tokens = np.random.default_rng(0).integers(0, 9, (2, 5)).astype(np.int32)
    assert_same(tmp_path / "network.onnx", network, [{"xs": tokens}])


def test_a_bidirectional_of_stacks(tmp_path: Path) -> None:
    stack = tt.Stack([tt.GRU(3, 4, key=0), tt.Elman(4, 5, key=1)])
    layer = asymmetric(tt.Bidirectional(stack, tt.LSTM(3, 2, key=2)))
    tt.to_onnx(layer, tmp_path / "layer.onnx")
    assert_same(tmp_path / "layer.onnx", layer, [{"xs": sequences(2, 5, 3)}])
    with pytest.raises(tt.InputError) as error:
        tt.to_onnx(layer, tmp_path / "other.onnx", lengths=True)
    assert error.value.code == "unsupported-lengths"
    assert not (tmp_path / "other.onnx").exists()


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    decoder = tt.EncoderDecoder(tt.GRU(3, 4, key=0), tt.GRU(2, 4, key=1), key=2)
    rotated = tt.Elman(3, 4, activation=lambda a: jnp.linalg.cholesky(jnp.outer(a, a))[0], key=0)
    for model, code, found in (
        (decoder, "unsupported-model", "EncoderDecoder"),
        ({}, "unsupported-model", "dict"),
        (rotated, "unsupported-primitive", "cholesky"),
        (tt.Elman(3, 4, activation=lambda a: a * (a.astype(int) & 3), key=0), "unsupported-primitive", "and"),
    ):
        with pytest.raises(tt.InputError) as error:
            tt.to_onnx(model, tmp_path / "model.onnx")
        assert (error.value.code, error.value.found) == (code, found)


def test_without_onnx_the_message_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['onnx'] = None\n"
        "import throughtime as tt\n"
        "try: tt.to_onnx(None, 'x.onnx')\n"
        "except tt.InputError as error: print(error.code, error.expected)"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["not-installed", "onnx"]
