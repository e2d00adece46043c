"""Each direction of each conversion against the living framework: ``make test-interop``.

Random asymmetric weights, sizes that all differ; outputs, final states and gradients to 1e-5 of their largest entry.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import save_file
from tests.interop import frameworks

import throughtime as tt

pytestmark = [pytest.mark.interop, pytest.mark.filterwarnings("ignore")]  # of the frameworks
TORCH = {
    "tanh": ("RNN", 5, None, {}),
    "relu, 2 layers": ("RNN", 5, 4, {"num_layers": 2, "nonlinearity": "relu", "bias": False}),
    "gru, both directions": ("GRU", 5, 4, {"num_layers": 3, "bidirectional": True}),
    "lstm": ("LSTM", 5, None, {"num_layers": 2, "bias": False}),
    "lstm, both directions": ("LSTM", 7, 4, {"num_layers": 2, "bidirectional": True}),
}


def group(result, prefix):
    return {name.removeprefix(f"{prefix}/"): a for name, a in result.items() if name.startswith(f"{prefix}/")}


def run(model, xs):
    """Return the last state and the outputs of a cell, layers or a network."""
    return tt.unroll(model, jnp.asarray(xs)) if isinstance(model, tt.Cell) else model(xs)


def assert_close(ours, theirs):
    assert np.shape(ours) == np.shape(theirs)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * max(1.0, np.abs(theirs).max()))


def assert_same(result, convert):
    """Compare outputs and gradients; ``convert`` makes a network of the weights by name."""

    @jax.jit
    def compute(weights, xs):
        def loss(weights, xs):
            ys = run(convert(weights), xs)[1]
            return jnp.sum(ys * result["cotangents"]), ys

        return jax.grad(loss, argnums=(0, 1), has_aux=True)(weights, xs)

    (of_weights, of_xs), ys = compute(group(result, "weights"), result["inputs"])
    assert_close(ys, result["outputs"])
    assert_close(of_xs, result["input_gradients"])
    expected = group(result, "weight_gradients")
    assert set(of_weights) == set(expected)
    for name, gradient in of_weights.items():
        assert_close(gradient, expected[name])


@pytest.mark.parametrize("case", TORCH)
def test_from_torch_and_back(case, tmp_path):
    torch = pytest.importorskip("torch")
    kind, hidden, outputs, options = TORCH[case]
    module = frameworks.torch_network(kind, hidden, outputs, **options)
    result = frameworks.run_torch(module)
    nonlinearity = options.get("nonlinearity", "tanh") if kind == "RNN" else None
    assert_same(result, partial(tt.from_torch, nonlinearity=nonlinearity))

    network = tt.from_torch(module)  # it says its nonlinearity
    state, ys = run(network, result["inputs"])
    layers = jax.tree.leaves(state, is_leaf=lambda node: hasattr(node, "_fields") and "h" in node._fields)
    assert_close(jnp.stack([layer.h for layer in layers]), result["final/0"])
    if kind == "LSTM":
        assert_close(jnp.stack([layer.c for layer in layers]), result["final/1"])

    with torch.no_grad():
        again, _ = tt.to_torch(network).module()(torch.tensor(result["inputs"]))
    assert_close(again, result["outputs"])
    torch.save(module.state_dict(), tmp_path / "a.pt")
    save_file({name: value.numpy() for name, value in module.state_dict().items()}, tmp_path / "a.safetensors")
    for file in ("a.pt", "a.safetensors"):
        assert_close(run(tt.from_torch(tmp_path / file, nonlinearity=nonlinearity), result["inputs"])[1], ys)


@pytest.mark.parametrize("kind", ["RNNCell", "GRUCell", "LSTMCell"])
def test_from_cells_of_torch(kind):
    torch = pytest.importorskip("torch")
    module = getattr(torch.nn, kind)(2, 5)
    xs, h = frameworks.random(6, 3, 2), torch.zeros(3, 5)
    state, ys = (h, h) if kind == "LSTMCell" else h, []
    with torch.no_grad():
        for x in torch.tensor(xs):
            state = module(x, state)
            ys.append(state[0] if kind == "LSTMCell" else state)
    assert_close(run(tt.from_torch(module), np.swapaxes(xs, 0, 1))[1], torch.stack(ys, 1).numpy())


def test_a_module_of_the_last_output():
    torch = pytest.importorskip("torch")
    keys = jax.random.split(jax.random.key(0), 3)
    network = tt.ManyToOne(tt.Bidirectional(tt.LSTM(2, 5, key=keys[0]), tt.LSTM(2, 5, key=keys[1])), 3, key=keys[2])
    xs = frameworks.random(4, 6, 2)
    with torch.no_grad():
        assert_close(tt.to_torch(network).module()(torch.tensor(xs))[0], network(xs)[1])


@pytest.mark.parametrize(
    ("case", "dynamo"),
    [("relu, 2 layers", False), *((case, new) for case in TORCH if "both" in case for new in (False, True))],
)
def test_what_pytorch_exports_to_onnx(case, dynamo, tmp_path):
    """By its old and its new exporter, with free axes; the new one fixes the time of an ``nn.RNN``."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    kind, hidden, outputs, options = TORCH[case]
    module = frameworks.torch_network(kind, hidden, outputs, **options)
    xs, longer = frameworks.random(4, 6, 2), frameworks.random(3, 9, 2)
    axes = {"dynamic_shapes": {"xs": {0: "b", 1: "t"}}} if dynamo else {"dynamic_axes": {"xs": {0: "b", 1: "t"}}}
    file, names = tmp_path / "a.onnx", {"input_names": ["xs"], "output_names": ["ys", "last"]}
    torch.onnx.export(module, (torch.tensor(xs),), str(file), dynamo=dynamo, **names, **axes)
    with torch.no_grad():
        assert_close(run(tt.from_onnx(file), longer)[1], module(torch.tensor(longer))[0])


def test_a_pickled_module_is_refused(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save(torch.nn.GRU(2, 5), tmp_path / "module.pt")
    torch.save({"epoch": 3}, tmp_path / "other.pt")
    (tmp_path / "cut.pt").write_bytes((tmp_path / "module.pt").read_bytes()[:-50])
    for file in ("module.pt", "other.pt", "cut.pt"):
        with pytest.raises(tt.InputError) as caught:
            tt.from_torch(tmp_path / file)
        assert (caught.value.code, caught.value.file) == ("bad-file", str(tmp_path / file))


def keras_networks():
    layers = pytest.importorskip("keras").layers
    recurrent = {"return_sequences": True}
    return {
        "gru": [layers.Bidirectional(layers.GRU(5, **recurrent)), layers.Bidirectional(layers.GRU(4, **recurrent))],
        "mixed": [
            layers.LSTM(5, **recurrent),
            layers.Dropout(0.3),
            layers.GRU(4, reset_after=False, **recurrent),
            layers.GRU(6, use_bias=False, **recurrent),
            layers.SimpleRNN(7, activation="elu", **recurrent),
            layers.TimeDistributed(layers.Dense(3)),
        ],
        "last": [layers.Bidirectional(layers.LSTM(5)), layers.Dense(3, use_bias=False)],
    }


@pytest.mark.parametrize("case", ["gru", "mixed", "last"])
def test_from_keras_and_back(case, tmp_path):
    keras = pytest.importorskip("keras")
    model = frameworks.keras_network(*keras_networks()[case])
    result = frameworks.run_keras(model)
    network = tt.from_keras(model)
    xs = result["inputs"]
    assert_close(network(xs)[1], result["outputs"])
    if case == "gru":
        order = list(group(result, "weights"))  # JAX sorts the names
        assert_same(result, lambda weights: tt.from_keras({name: weights[name] for name in order}))
    model.save(tmp_path / "a.keras")
    assert_close(tt.from_keras(tmp_path / "a.keras")(xs)[1], result["outputs"])
    back = tt.to_keras(network)
    assert_close(back.model()(xs), result["outputs"])
    back.save(tmp_path / "b.keras")
    assert_close(keras.saving.load_model(tmp_path / "b.keras")(xs), result["outputs"])
    if case != "mixed":
        model.save_weights(tmp_path / "a.weights.h5")
        _, ys = run(tt.from_keras(tmp_path / "a.weights.h5"), xs)
        if case == "gru":  # weights do not say that the last output alone is read
            assert_close(ys, result["outputs"])
    back.save(tmp_path / "b.weights.h5")
    if case == "gru":  # Keras finds no bias in a layer without one
        fresh = keras.models.clone_model(model)
        fresh.load_weights(tmp_path / "b.weights.h5")
        assert_close(fresh(xs), result["outputs"])


def test_layers_of_keras_that_nothing_here_computes():
    keras = pytest.importorskip("keras")
    layers = keras.layers
    for stack, found in (
        ([layers.GRU(5, activation="relu")], "activation"),
        ([layers.LSTM(5, recurrent_activation="hard_sigmoid")], "recurrent_activation"),
        ([layers.Bidirectional(layers.GRU(5), merge_mode="sum")], "merge_mode"),
        ([layers.GRU(5, go_backwards=True)], "go_backwards"),
        ([layers.GRU(5), layers.Dense(3, activation="relu")], "activation"),
        ([layers.GRU(5), layers.BatchNormalization()], "BatchNormalization"),
    ):
        with pytest.raises(tt.InputError) as caught:
            tt.from_keras(frameworks.keras_network(*stack))
        assert (caught.value.code, caught.value.found) == ("unsupported-layer", found)
    both = keras.Input((None, 2))
    branched = keras.Model(both, layers.GRU(5)(layers.concatenate([layers.Dense(2)(both), both])))
    with pytest.raises(tt.InputError):
        tt.from_keras(branched)


def both(tf, xs):
    cells = [tf.nn.rnn_cell.LSTMCell(5, forget_bias=0.7), tf.nn.rnn_cell.LSTMCell(5, forget_bias=0.7)]
    return tf.concat(tf.nn.bidirectional_dynamic_rnn(*cells, xs, dtype=tf.float32)[0], -1)


@pytest.mark.parametrize("build", [frameworks.chain, both])
def test_from_tensorflow1_and_back(build, tmp_path):
    pytest.importorskip("tensorflow")
    pytest.importorskip("tf_keras")
    result = frameworks.write_tensorflow1_checkpoint(tmp_path / "model", build)
    convert = partial(tt.from_tensorflow1, forget_bias=0.7)
    assert_close(run(convert(tmp_path / "model"), result["inputs"])[1], result["outputs"])
    back = tt.to_tensorflow1(convert(group(result, "weights")), forget_bias=0.7)
    back = {name.replace("basic_lstm_cell", "lstm_cell") if build is both else name: a for name, a in back.items()}
    for name, array in group(result, "weights").items():
        assert_close(back[name], array)
    assert_same(result, convert)


def test_the_notebook(tmp_path):
    pytest.importorskip("tensorflow")
    pytest.importorskip("tf_keras")
    result = frameworks.write_notebook_checkpoint(tmp_path / "rnn_time_series_model", 100, 50)
    network = tt.from_tensorflow1(tmp_path / "rnn_time_series_model", activation="relu")
    assert_close(network(result["inputs"])[1], result["outputs"])


def test_from_flax_and_back():
    pytest.importorskip("flax")
    apply, params = frameworks.linen_network()
    result = frameworks.run_flax(apply, params)
    convert = partial(tt.from_flax, activation="tanh")
    assert_same(result, convert)
    network = convert(group(result, "weights"))
    back = tt.to_flax(network)
    back["params"]["OptimizedLSTMCell_0"] = back["params"].pop("LSTMCell_0")
    assert_close(apply(back, result["inputs"]), result["outputs"])

    apply, params = frameworks.nnx_network()
    assert_same(frameworks.run_flax(apply, params), tt.from_flax)
