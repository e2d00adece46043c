"""The maker of the golden files: results of PyTorch, Keras and TensorFlow for random recurrent layers.

The files in this folder were made by::

    python -m venv golden && golden/bin/pip install torch==2.13.0
    golden/bin/pip install keras==3.15.1 tensorflow-cpu==2.21.0 tf_keras==2.21.0 safetensors==0.8.0
    TF_USE_LEGACY_KERAS=1 golden/bin/python tests/golden/regenerate.py

with Python 3.11.7, NumPy 2.4.6 and those versions; each file's metadata has its versions. torch is installed first and
alone, so that its build for the CPU can be chosen. tf_keras has the cells of TensorFlow 1 for newer TensorFlows.

A case is one layer of D inputs and H units, over a batch of B sequences of T steps, all in float32, with random
weights, inputs, initial state and cotangents. Its loss is ``sum(outputs * output_cotangents)`` plus, for each part of
the final state, ``sum(part * its cotangents)``, so that no gradient is trivial. A file holds, in the framework's
names and layout:

- ``weights/NAME``, ``weight_gradients/NAME``;
- ``inputs``, ``input_gradients`` (B, T, D), ``outputs``, ``output_cotangents`` (B, T, H);
- ``initial_state/S``, ``initial_state_gradients/S``, ``final_state/S``, ``final_state_cotangents/S`` (B, H), where S is
  h and, for an LSTM, c;
- as metadata, one JSON object named ``case``: framework, versions, layer, our cell's name and its activation if the
  cell has one, and the seed.
"""

import json
import os
import platform
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

# Before TensorFlow is imported: Keras 2 behind tf.compat.v1, and no log of the machine's devices.
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import safetensors.numpy
import tensorflow as tf
import tf_keras
import torch

B, T, D, H = 3, 7, 4, 5
Arrays = dict[str, np.ndarray]


def draw(seed: int, weights: Mapping[str, tuple[int, ...]], states: str = "h") -> Arrays:
    """Return the random arrays of a case: weights, inputs, states and cotangents."""
    rng = np.random.default_rng(seed)
    shapes = {
        **{f"weights/{name}": shape for name, shape in weights.items()},
        "inputs": (B, T, D),
        "output_cotangents": (B, T, H),
        **{f"initial_state/{s}": (B, H) for s in states},
        **{f"final_state_cotangents/{s}": (B, H) for s in states},
    }
    scales = {name: 0.5 if name.startswith("weights/") else 1.0 for name in shapes}
    return {name: (scales[name] * rng.normal(size=shape)).astype(np.float32) for name, shape in shapes.items()}


def group(arrays: Arrays, prefix: str) -> Arrays:
    """Return the arrays below ``prefix/``, by the rest of their names."""
    return {name.removeprefix(f"{prefix}/"): array for name, array in arrays.items() if name.startswith(f"{prefix}/")}


def grouped(prefix: str, arrays: Mapping) -> Arrays:
    """Return the arrays with ``prefix/`` before their names."""
    return {f"{prefix}/{name}": np.asarray(array) for name, array in arrays.items()}


def run_torch(layer: torch.nn.RNNBase, seed: int) -> Arrays:
    """Run a case of a PyTorch layer, whose states have a leading axis of layers."""
    parameters = dict(layer.named_parameters())
    states = "hc" if isinstance(layer, torch.nn.LSTM) else "h"
    arrays = draw(seed, {name: tuple(p.shape) for name, p in parameters.items()}, states)
    with torch.no_grad():
        for name, array in group(arrays, "weights").items():
            parameters[name].copy_(torch.from_numpy(array))
    tensors = {name: torch.from_numpy(array).requires_grad_() for name, array in arrays.items()}
    start = group(tensors, "initial_state")
    first = tuple(h[None] for h in start.values())
    ys, final = layer(tensors["inputs"], first if len(states) > 1 else first[0])
    last = {s: h[0] for s, h in zip(states, final if len(states) > 1 else (final,), strict=True)}
    loss = (ys * tensors["output_cotangents"]).sum()
    loss += sum((last[s] * tensors[f"final_state_cotangents/{s}"]).sum() for s in states)
    loss.backward()
    return arrays | {
        "outputs": ys.detach().numpy(),
        "input_gradients": tensors["inputs"].grad.numpy(),
        **grouped("final_state", {s: h.detach() for s, h in last.items()}),
        **grouped("initial_state_gradients", {s: h.grad for s, h in start.items()}),
        **grouped("weight_gradients", {name: p.grad for name, p in parameters.items()}),
    }


def run_keras(layer: keras.layers.Layer, seed: int) -> Arrays:
    """Run a case of a Keras layer with ``return_sequences`` and ``return_state``, on TensorFlow."""
    layer.build((B, T, D))
    variables = {variable.name: variable for variable in layer.trainable_variables}
    states = "hc" if isinstance(layer, keras.layers.LSTM) else "h"
    arrays = draw(seed, {name: tuple(v.shape) for name, v in variables.items()}, states)
    for name, array in group(arrays, "weights").items():
        variables[name].assign(array)
    xs, start = tf.constant(arrays["inputs"]), [tf.constant(h) for h in group(arrays, "initial_state").values()]
    with tf.GradientTape() as tape:
        tape.watch([xs, *start])
        ys, *last = layer(xs, initial_state=start)
        loss = tf.reduce_sum(ys * arrays["output_cotangents"])
        for s, h in zip(states, last, strict=True):
            loss += tf.reduce_sum(h * arrays[f"final_state_cotangents/{s}"])
    values = [variable.value for variable in variables.values()]
    of_weights, of_inputs, of_start = tape.gradient(loss, (values, xs, start))
    return arrays | {
        "outputs": ys.numpy(),
        "input_gradients": of_inputs.numpy(),
        **grouped("final_state", dict(zip(states, last, strict=True))),
        **grouped("initial_state_gradients", dict(zip(states, of_start, strict=True))),
        **grouped("weight_gradients", dict(zip(variables, of_weights, strict=True))),
    }


def run_tensorflow1(make_cell: Callable, seed: int) -> Arrays:
    """Run a case of a TensorFlow 1 cell under ``dynamic_rnn``, in a graph and a session."""
    tf1 = tf.compat.v1
    with tf.Graph().as_default(), tf1.Session() as session:
        xs, h0 = tf1.placeholder(tf.float32, (B, T, D)), tf1.placeholder(tf.float32, (B, H))
        ys, last = tf1.nn.dynamic_rnn(make_cell(), xs, initial_state=h0)
        variables = {variable.name.removesuffix(":0"): variable for variable in tf1.trainable_variables()}
        arrays = draw(seed, {name: tuple(v.shape) for name, v in variables.items()})
        loss = tf.reduce_sum(ys * arrays["output_cotangents"])
        loss += tf.reduce_sum(last * arrays["final_state_cotangents/h"])
        of_inputs, of_start, *of_weights = tf1.gradients(loss, [xs, h0, *variables.values()])
        feed = {variables[name]: array for name, array in group(arrays, "weights").items()}
        feed |= {xs: arrays["inputs"], h0: arrays["initial_state/h"]}
        computed = {
            "outputs": ys,
            "input_gradients": of_inputs,
            "final_state/h": last,
            "initial_state_gradients/h": of_start,
            **{f"weight_gradients/{name}": g for name, g in zip(variables, of_weights, strict=True)},
        }
        return arrays | session.run(computed, feed)


def write(name: str, arrays: Arrays, **metadata: str) -> None:
    """Write the golden file of a case."""
    metadata |= {"python": platform.python_version(), "numpy": np.__version__}
    case = json.dumps(metadata, sort_keys=True)  # one entry: safetensors orders several at random
    arrays = {key: np.ascontiguousarray(array) for key, array in arrays.items()}  # safetensors wants it
    (Path(__file__).parent / f"{name}.safetensors").write_bytes(safetensors.numpy.save(arrays, {"case": case}))
    print(name, case)


def torch_cases() -> None:
    """Run nn.RNN with both activations, nn.GRU, nn.LSTM."""
    for seed, name, make, ours in (
        (100, "rnn_tanh", torch.nn.RNN, {"cell": "elman", "activation": "tanh"}),
        (101, "rnn_relu", torch.nn.RNN, {"cell": "elman", "activation": "relu"}),
        (102, "gru", torch.nn.GRU, {"cell": "gru"}),
        (103, "lstm", torch.nn.LSTM, {"cell": "lstm"}),
    ):
        nonlinearity = {"nonlinearity": ours["activation"]} if "activation" in ours else {}
        arrays = run_torch(make(D, H, batch_first=True, **nonlinearity), seed)
        about = {"framework": "torch", "layer": f"torch.nn.{make.__name__}", "torch": torch.__version__}
        write(f"torch_{name}", arrays, seed=str(seed), **about, **ours)


def keras_cases() -> None:
    """Run SimpleRNN, GRU with the reset after the product, LSTM."""
    for seed, name, make, options, ours in (
        (200, "simple_rnn", keras.layers.SimpleRNN, {}, {"cell": "elman", "activation": "tanh"}),
        (201, "gru", keras.layers.GRU, {"reset_after": True}, {"cell": "gru"}),
        (202, "lstm", keras.layers.LSTM, {}, {"cell": "lstm"}),
    ):
        arrays = run_keras(make(H, return_sequences=True, return_state=True, **options), seed)
        about = {"framework": "keras", "layer": f"keras.layers.{make.__name__}"}
        versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
        write(f"keras_{name}", arrays, seed=str(seed), **about, **versions, **ours)


def tensorflow1_cases() -> None:
    """Run BasicRNNCell with both activations."""
    make = tf.compat.v1.nn.rnn_cell.BasicRNNCell
    for seed, activation in ((300, "tanh"), (301, "relu")):
        arrays = run_tensorflow1(partial(make, H, activation=activation), seed)
        about = {"framework": "tensorflow1", "layer": "tf.compat.v1.nn.rnn_cell.BasicRNNCell"}
        versions = {"tensorflow": tf.__version__, "tf_keras": tf_keras.__version__}
        ours = {"cell": "elman", "activation": activation}
        write(f"tensorflow1_{activation}", arrays, seed=str(seed), **about, **versions, **ours)


if __name__ == "__main__":
    torch_cases()
    keras_cases()
    tensorflow1_cases()
