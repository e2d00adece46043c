"""The training step in WebAssembly, of the page docs/remember: the same numbers as the library's."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import wasmtime

import throughtime as tt

NATIVE = Path(__file__).parents[2] / "native"
B, T, D, H = 5, 11, 3, 13  # a vector of sequences and a rest, units that do not fill vectors
STEPS = 100
CELLS = {  # numbers of native/kernels.h, and the library's cell
    "lstm": ((2, 2), lambda key: tt.LSTM(D, H, key=key)),
    "gru": ((1, 2), lambda key: tt.GRU(D, H, key=key)),
    "tanh": ((0, 2), lambda key: tt.Elman(D, H, recurrent_init=tt.cells.initializers.orthogonal(1.5), key=key)),
    "relu": ((0, 3), lambda key: tt.Elman(D, H, activation="relu", key=key)),
}


class Module:
    """The functions of the module as attributes, and its memory as arrays of floats."""

    def __init__(self, content: bytes):
        self.store = wasmtime.Store()
        module = wasmtime.Module(self.store.engine, content)
        self.exports = wasmtime.Instance(self.store, module, []).exports(self.store)
        self._initialize()

    def __getattr__(self, name: str) -> Any:
        return lambda *args: self.exports[name](self.store, *args)

    def floats(self, address: int, *shape: int) -> np.ndarray:
        """Return the array at an address; it is valid until the memory grows."""
        memory = self.exports["memory"]
        content = memory.get_buffer_ptr(self.store, int(np.prod(shape)) * 4, address)
        return np.frombuffer(content, np.float32).reshape(shape)


@pytest.fixture(scope="module")
def build() -> Any:
    """The script that compiles the module."""
    spec = importlib.util.spec_from_file_location("build_wasm", NATIVE / "wasm" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@pytest.fixture(scope="module")
def wasm(build: Any) -> Module:
    """The module as it is on the page."""
    return Module(build.MODULE.read_bytes())


def flat(network: tt.RecurrentNetwork) -> np.ndarray:
    """Return the parameters in the module's order."""
    cell, readout = network.cell, network.readout
    inner = [cell.b_h] if isinstance(cell, tt.GRU) else []
    parts: Sequence[Any] = [cell.w_x, cell.w_h, cell.b, *inner, readout.weight, readout.bias]
    return np.concatenate([np.ravel(part) for part in parts])


def made(name: str, outputs: int, wasm: Module, seed: int = 3) -> tuple[tt.RecurrentNetwork, int]:
    """Return the library's network and the module's, with the same weights."""
    (cell, activation), make = CELLS[name]
    network = tt.RecurrentNetwork(make(seed), outputs, key=seed + 1)
    net = wasm.network_new(cell, activation, D, H, outputs)
    wasm.floats(wasm.network_parameters(net), wasm.network_size(net))[:] = flat(network)
    return network, net


def score(network: tt.RecurrentNetwork, batch: tuple[jax.Array, jax.Array, jax.Array]) -> jax.Array:
    """Return the mean loss over the scored steps."""
    xs, targets, scored = batch
    ys = network(xs)[1]
    if network.outputs == 1:
        losses = (ys[..., 0] - targets) ** 2
    else:
        losses = optax.softmax_cross_entropy_with_integer_labels(ys, targets.astype(int))
    return jnp.sum(losses * scored) / jnp.sum(scored)


@pytest.mark.parametrize(
    ("name", "outputs", "limit"), [("lstm", 1, 0.7), ("gru", 4, 0.4), ("tanh", 4, 0.7), ("relu", 1, 0.7)]
)
def test_training_equals_the_librarys(name: str, outputs: int, limit: float, wasm: Module) -> None:
    """100 steps of clipped Adam give the same losses, gradients' norms and weights, to 1e-5."""
    network, net = made(name, outputs, wasm)
    random = np.random.default_rng(7)
    xs = random.normal(size=(STEPS, B, T, D)).astype(np.float32)
    classes = random.integers(0, outputs, (STEPS, B, T)) if outputs > 1 else random.normal(size=(STEPS, B, T))
    targets, scored = classes.astype(np.float32), (random.random((STEPS, B, T)) < 0.3).astype(np.float32)
    rate = 3e-3

    optimizer = optax.chain(optax.clip_by_global_norm(limit), optax.adam(rate))
    weights, rest = eqx.partition(network, eqx.is_array)

    def step(carried: Any, batch: Any) -> Any:
        weights, state = carried
        value, gradient = jax.value_and_grad(lambda weights: score(eqx.combine(weights, rest), batch))(weights)
        updates, state = optimizer.update(gradient, state, weights)
        return (optax.apply_updates(weights, updates), state), (value, optax.tree.norm(gradient))

    start = (weights, optimizer.init(weights))
    (weights, _), (losses, norms) = jax.jit(lambda s, b: jax.lax.scan(step, s, b))(start, (xs, targets, scored))
    network = eqx.combine(weights, rest)
    assert (norms > limit).any()
    assert (norms < limit).any()

    batch = wasm.batch_new(net, B, T)
    for number in range(STEPS):
        wasm.floats(wasm.batch_xs(batch), B, T, D)[:] = xs[number]
        wasm.floats(wasm.batch_targets(batch), B, T)[:] = targets[number]
        wasm.floats(wasm.batch_scored(batch), B, T)[:] = scored[number]
        assert wasm.batch_train(batch, rate, limit) == pytest.approx(float(losses[number]), rel=1e-5, abs=1e-5)
        assert wasm.batch_norm(batch) == pytest.approx(float(norms[number]), rel=1e-5, abs=1e-5)
    parameters = wasm.floats(wasm.network_parameters(net), wasm.network_size(net))
    np.testing.assert_allclose(parameters, flat(network), rtol=0, atol=1e-5)
    wasm.batch_free(batch)
    wasm.network_free(net)


def walk(wasm: Module, net: int, xs: np.ndarray, given: int, output: int = 0) -> dict[str, np.ndarray]:
    """Walk through a sequence and back; return copies of the arrays."""
    steps, outputs = len(xs), 4
    path = wasm.walk_new(net, steps)
    wasm.floats(wasm.walk_xs(path), steps, D)[:] = xs
    wasm.walk_forward(path, given)
    wasm.walk_backward(path, output)
    shapes = {"xs": (steps, D), "hs": (steps + 1, H), "cs": (steps + 1, H), "ys": (steps, outputs)}
    shapes |= {"d_hs": (steps + 1, H), "d_cs": (steps + 1, H), "gates": (steps, 5, 16)}
    return {name: wasm.floats(getattr(wasm, f"walk_{name}")(path), *shape).copy() for name, shape in shapes.items()}


@pytest.mark.parametrize("name", ["lstm", "tanh"])
def test_the_way_back_is_the_derivative(name: str, wasm: Module) -> None:
    """The derivative of an output at the last step by each state, and the states, are the library's."""
    network, net = made(name, 4, wasm)
    xs, output = np.random.default_rng(5).normal(size=(T, D)).astype(np.float32), 2
    found = walk(wasm, net, xs, T, output)

    cell = network.cell
    states = [cell.initial_state()]
    for x in jnp.asarray(xs):
        states.append(cell.step(states[-1], cell.project(x))[0])
    np.testing.assert_allclose(found["hs"], np.stack([state.h for state in states]), atol=1e-6)
    np.testing.assert_allclose(found["ys"][-1], network.readout(states[-1].h), atol=1e-6)

    def answer(state: Any, rest: np.ndarray) -> jax.Array:
        for x in jnp.asarray(rest):
            state = cell.step(state, cell.project(x))[0]
        return network.readout(state.h)[output]

    for t in (0, 4, T):
        expected = jax.grad(answer)(states[t], xs[t:])
        np.testing.assert_allclose(found["d_hs"][t], expected.h, atol=1e-6)
        if name == "lstm":
            np.testing.assert_allclose(found["cs"][t], states[t].c, atol=1e-6)
            np.testing.assert_allclose(found["d_cs"][t], expected.c, atol=1e-6)
    if name == "lstm":
        gates = cell.activate(cell.project(jnp.asarray(xs[6])), cell.w_h @ states[6].h)
        np.testing.assert_allclose(found["gates"][6, :4, :H], np.stack(gates), atol=1e-6)


def test_a_network_that_runs_on_alone_reads_its_own_output(wasm: Module) -> None:
    """After the given steps the first input is the first output of the step before; the others stay."""
    _, net = made("gru", 4, wasm)
    xs = np.random.default_rng(6).normal(size=(T, D)).astype(np.float32)
    alone, given = walk(wasm, net, xs, 4), 4
    np.testing.assert_array_equal(alone["xs"][given:, 0], alone["ys"][given - 1 : -1, 0])
    np.testing.assert_array_equal(alone["xs"][:, 1:], xs[:, 1:])
    taught = walk(wasm, net, alone["xs"], T)
    np.testing.assert_array_equal(taught["ys"], alone["ys"])


def test_the_module_is_made_of_these_sources(build: Any) -> None:
    """The page's module states the digest of the sources; run native/wasm/build.py after a change of them."""
    assert build.MODULE.read_bytes().endswith(build.section(build.SECTION, build.digest()))


@pytest.mark.slow
def test_the_same_sources_give_the_same_module(build: Any) -> None:
    """The compiler reproduces the page's module to the last byte."""
    pytest.importorskip("ziglang", reason="the docs extra installs Zig's compiler")
    assert build.compile_module() == build.MODULE.read_bytes()
