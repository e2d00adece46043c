"""Our cells against the results of PyTorch, Keras and TensorFlow in this folder, made by ``regenerate.py``."""

import itertools
import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors import safe_open

import throughtime as tt

FROM = {"torch": tt.from_torch, "keras": tt.from_keras, "tensorflow1": tt.from_tensorflow1}
TO = {"torch": tt.to_torch, "keras": tt.to_keras, "tensorflow1": tt.to_tensorflow1}
ACTIVATION = {"torch": "nonlinearity", "keras": "activation", "tensorflow1": "activation"}

FILES = {path.stem: path for path in sorted(Path(__file__).parent.glob("*.safetensors"))}
NAMES = (
    *("torch_rnn_tanh", "torch_rnn_relu", "torch_gru", "torch_lstm"),
    *("keras_simple_rnn", "keras_gru", "keras_lstm"),
    *("tensorflow1_tanh", "tensorflow1_relu"),
)


class Golden(NamedTuple):
    """A golden file: its ``case`` and its ``arrays``, as the docstring of ``regenerate.py`` describes them."""

    case: dict
    arrays: dict

    def group(self, prefix):
        return {n.removeprefix(f"{prefix}/"): a for n, a in self.arrays.items() if n.startswith(f"{prefix}/")}

    def cell(self, weights):
        framework = self.case["framework"]
        settings = {ACTIVATION[framework]: self.case["activation"]} if "activation" in self.case else {}
        return FROM[framework](weights, **settings)

    def back(self, cell):
        """Return the cell's weights under the names of the file: Keras's have the path of a layer before them."""
        weights = TO[self.case["framework"]](cell)
        of_keras = self.case["framework"] == "keras"
        return {name.rpartition("/")[2] if of_keras else name: array for name, array in weights.items()}


@cache
def load(name):
    with safe_open(FILES[name], "numpy") as file:
        return Golden(json.loads(file.metadata()["case"]), {key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118


@pytest.fixture(params=NAMES)
def golden(request):
    return load(request.param)


def forward(cell, xs, start):
    """Return outputs and final states under the file's names."""
    state, ys = tt.unroll(cell, xs, type(cell.initial_state())(**start))
    return {"outputs": ys, **{f"final_state/{s}": h for s, h in state._asdict().items()}}


def results_and_gradients(golden):
    """Compute every result of the file with our cell; gradients in the framework's layout, through the conversion."""

    @jax.jit
    def run(weights, xs, start):
        def loss(weights, xs, start):
            results = forward(golden.cell(weights), xs, start)
            cotangents = {"outputs": golden.arrays["output_cotangents"]}
            cotangents |= {f"final_state/{s}": g for s, g in golden.group("final_state_cotangents").items()}
            return sum(jnp.sum(results[name] * g) for name, g in cotangents.items()), results

        return jax.grad(loss, argnums=(0, 1, 2), has_aux=True)(weights, xs, start)

    arguments = golden.group("weights"), golden.arrays["inputs"], golden.group("initial_state")
    (of_weights, of_inputs, of_start), results = run(*arguments)
    return results | {
        "input_gradients": of_inputs,
        **{f"weight_gradients/{name}": g for name, g in of_weights.items()},
        **{f"initial_state_gradients/{s}": g for s, g in of_start.items()},
    }


def errors(golden, results):
    """Return each array's largest difference relative to its largest entry: small entries are sums of large terms."""
    for name, ours in results.items():
        assert (ours.shape, ours.dtype) == (golden.arrays[name].shape, np.float32), name
    return {
        name: np.abs(a - golden.arrays[name]).max() / np.abs(golden.arrays[name]).max() for name, a in results.items()
    }


def agree(errors):
    return all(error <= 1e-5 for error in errors.values())


def test_every_file_is_tested():
    assert sorted(FILES) == sorted(NAMES)


def test_a_file_can_tell_layouts_apart(golden):
    """All sizes differ; no weight, input or state is repeated; no array is all zeros."""
    (B, T, D), H = golden.arrays["inputs"].shape, golden.arrays["outputs"].shape[-1]
    assert len({B, T, D, H}) == 4
    drawn = [a for n, a in golden.arrays.items() if n.split("/")[0] in ("weights", "inputs", "initial_state")]
    assert all(len(np.unique(array)) == array.size for array in drawn)
    assert all(np.abs(array).max() > 0.1 for array in golden.arrays.values())


def test_values_and_gradients_agree(golden):
    results = results_and_gradients(golden)
    arguments = {"inputs", "output_cotangents"}
    arguments |= {
        name for name in golden.arrays if name.split("/")[0] in ("weights", "initial_state", "final_state_cotangents")
    }
    assert set(results) == set(golden.arrays) - arguments
    differences = errors(golden, results)
    assert agree(differences), differences


def wrong_cells(cell):
    """Yield the results of wrong conversions: with two gates swapped, or a matrix not transposed."""
    blocks = {name: jnp.split(getattr(cell, name), len(cell.GATES)) for name in ("w_x", "w_h", "b")}
    for i, j in itertools.combinations(range(len(cell.GATES)), 2):
        order = list(range(len(cell.GATES)))
        order[i], order[j] = j, i
        swapped = [jnp.concatenate([blocks[name][k] for k in order]) for name in blocks]
        yield f"{cell.GATES[i]} <-> {cell.GATES[j]}", eqx.tree_at(lambda c: (c.w_x, c.w_h, c.b), cell, swapped)
    transposed = jnp.concatenate([block.T for block in blocks["w_h"]])
    yield "w_h transposed", eqx.tree_at(lambda c: c.w_h, cell, transposed)


def test_a_wrong_layout_does_not_agree(golden):
    """No golden file is blind to the order of gates or to a transposed matrix."""
    run = eqx.filter_jit(forward)
    arguments = golden.arrays["inputs"], golden.group("initial_state")
    cell = golden.cell(golden.group("weights"))
    assert agree(errors(golden, run(cell, *arguments)))
    for mistake, wrong in wrong_cells(cell):
        assert not agree(errors(golden, run(wrong, *arguments))), mistake


def test_there_and_back_gives_the_same_cell(golden):
    cell = golden.cell(golden.group("weights"))
    back = golden.cell(golden.back(cell))
    assert eqx.tree_equal(back, cell)


def test_weights_come_back_under_their_names_and_shapes(golden):
    """Bit for bit, but for pairs of biases, of which our cell holds the sum."""
    weights = golden.group("weights")
    back = golden.back(golden.cell(weights))
    assert {n: (type(a), a.dtype, a.shape) for n, a in back.items()} == {
        n: (np.ndarray, a.dtype, a.shape) for n, a in weights.items()
    }
    for name, array in weights.items():
        if not is_one_of_two_biases(golden, name):
            np.testing.assert_array_equal(back[name], array)


def is_one_of_two_biases(golden, name):
    return name.startswith("bias") and (golden.case["framework"] == "torch" or golden.case["cell"] == "gru")


def test_an_array_must_be_there(golden):
    """Without its one bias a layer of Keras is one that has none."""
    weights = golden.group("weights")
    for name in weights:
        others = {other: array for other, array in weights.items() if other != name}
        if "bias" in name and golden.case["framework"] == "keras":
            continue
        with pytest.raises(tt.InputError) as caught:
            golden.cell(others)
        assert caught.value.code in ("missing-array", "unsupported-stack", "not-one-network")


def test_an_array_must_have_its_shape(golden):
    """With one entry more on each axis, this array is named, or another one that no longer fits it."""
    weights = golden.group("weights")
    for name, array in weights.items():
        with pytest.raises(tt.InputError) as caught:
            golden.cell(weights | {name: np.pad(array, (0, 1))})
        assert caught.value.code == "wrong-shape"


def test_arrays_of_other_layers_are_refused(golden):
    weights = golden.group("weights")
    with pytest.raises(tt.InputError) as caught:
        golden.cell(weights | {"norm.weight": np.ones(5, np.float32), "norm.other": np.ones(5, np.float32)})
    assert caught.value.code in ("wrong-shape", "unexpected-array", "unsupported-stack")


def test_the_message_of_a_wrong_shape():
    weights = load("torch_lstm").group("weights")
    with pytest.raises(tt.InputError, match=r"^bias_ih_l0 has shape \(15,\): expected \(20,\)$"):
        tt.from_torch(weights | {"bias_ih_l0": np.ones(15, np.float32)})


def test_a_tensorflow_kernel_needs_rows_for_inputs():
    weights = {"rnn/basic_rnn_cell/kernel": np.ones((5, 5)), "rnn/basic_rnn_cell/bias": np.ones(5)}
    with pytest.raises(tt.InputError) as caught:
        tt.from_tensorflow1(weights, activation="tanh")
    assert (caught.value.code, caught.value.found, caught.value.expected) == ("wrong-shape", (5, 5), (6, 5))


def test_layers_that_a_framework_does_not_have():
    gru = tt.GRU(4, 5, key=jax.random.key(0))
    with pytest.raises(tt.InputError) as caught:
        tt.to_tensorflow1(gru)
    assert (caught.value.code, caught.value.found) == ("unsupported-cell", "GRU")
    assert str(caught.value) == (
        "TensorFlow 1 has no layer that computes GRU: expected one of Elman, LSTM, ResetFirstGRU"
    )
    sigmoid = tt.Elman(4, 5, activation="sigmoid", key=jax.random.key(0))
    with pytest.raises(tt.InputError) as caught:
        tt.to_torch(sigmoid)
    assert (caught.value.code, caught.value.found) == ("unsupported-activation", "sigmoid")


def test_float64_weights_keep_their_digits(x64):
    """If the user enables it; the default is float32."""
    weights = {name: array / 3 for name, array in load("keras_gru").group("weights").items()}
    weights = {name: array.astype(np.float64) + 1e-12 for name, array in weights.items()}
    back = tt.to_keras(tt.from_keras(weights))
    np.testing.assert_array_equal(back["layers/gru/cell/kernel"], weights["kernel"])
