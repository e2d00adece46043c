"""Other frameworks at work: networks with random weights, and what they compute. It imports none of this library.

A result holds ``inputs`` (B, T, D), ``outputs``, ``cotangents`` like them, and the gradients of ``sum(outputs *
cotangents)``: ``input_gradients`` and, by the framework's names, ``weight_gradients/NAME``; ``weights/NAME`` are the
weights. Frameworks are imported where they are used: not all are installed together.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

B, T, D = 3, 6, 2
Arrays = dict[str, np.ndarray]


def random(*shape: int, seed: int = 0) -> np.ndarray:
    """Return normal numbers in float32."""
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(np.float32)


def grouped(prefix: str, arrays: Mapping[str, Any]) -> Arrays:
    """Return arrays with ``prefix/`` before their names."""
    return {f"{prefix}/{name}": np.asarray(array) for name, array in arrays.items()}


def torch_network(kind: str, hidden: int, outputs: int | None, **options: Any) -> Any:
    """Return a module of PyTorch: a recurrent one, or one below an ``nn.Linear``, which reads each step."""
    import torch

    torch.manual_seed(hidden)
    rnn = getattr(torch.nn, kind)(D, hidden, batch_first=True, **options)
    if outputs is None:
        return rnn
    width = hidden * (2 if rnn.bidirectional else 1)

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.head = rnn, torch.nn.Linear(width, outputs)

        def forward(self, xs: Any) -> Any:
            ys, state = self.rnn(xs)
            return self.head(ys), state

    return Network()


def run_torch(module: Any) -> Arrays:
    """Run a module of PyTorch; ``final/N`` are its final states, (layers * directions, B, H)."""
    import torch

    xs = torch.tensor(random(B, T, D), requires_grad=True)
    ys, state = module(xs)
    cotangents = random(*ys.shape, seed=1)
    (ys * torch.tensor(cotangents)).sum().backward()
    states = state if isinstance(state, tuple) else (state,)
    parameters = dict(module.named_parameters())
    return {
        "inputs": xs.detach().numpy(),
        "cotangents": cotangents,
        "outputs": ys.detach().numpy(),
        "input_gradients": xs.grad.numpy(),
        **grouped("final", {str(n): each.detach() for n, each in enumerate(states)}),
        **grouped("weights", {name: each.detach() for name, each in parameters.items()}),
        **grouped("weight_gradients", {name: each.grad for name, each in parameters.items()}),
    }


def keras_network(*layers: Any) -> Any:
    """Return a sequential model of Keras with random weights, biases too."""
    import keras

    model = keras.Sequential([keras.Input((None, D)), *layers])
    model.set_weights([0.5 * random(*w.shape, seed=n) for n, w in enumerate(model.get_weights())])
    return model


def run_keras(model: Any) -> Arrays:
    """Run a model of Keras on TensorFlow."""
    import tensorflow as tf

    xs = tf.constant(random(B, T, D))
    with tf.GradientTape() as tape:
        tape.watch(xs)
        ys = model(xs)
        cotangents = random(*ys.shape, seed=1)
        loss = tf.reduce_sum(ys * cotangents)
    values = {variable.path: variable.value for variable in model.trainable_weights}
    of_xs, of_weights = tape.gradient(loss, (xs, list(values.values())))
    return {
        "inputs": xs.numpy(),
        "cotangents": cotangents,
        "outputs": ys.numpy(),
        "input_gradients": of_xs.numpy(),
        **grouped("weights", values),
        **grouped("weight_gradients", dict(zip(values, of_weights, strict=True))),
    }


def notebook_network(units: int) -> tuple[Any, Any]:
    """Return the placeholder and the outputs of the notebook's network, in the default graph of TensorFlow.

    ``OutputProjectionWrapper`` was in ``tf.contrib``, which newer TensorFlows lack: the class below has its name, its
    variables and its arithmetic. The cells are those of tf_keras behind ``tf.compat.v1``.
    """
    import tensorflow.compat.v1 as tf

    class OutputProjectionWrapper(tf.nn.rnn_cell.RNNCell):
        def __init__(self, cell: Any, output_size: int) -> None:
            super().__init__()
            self._cell, self._size = cell, output_size

        state_size = property(lambda self: self._cell.state_size)
        output_size = property(lambda self: self._size)

        def call(self, inputs: Any, state: Any) -> Any:
            output, state = self._cell(inputs, state)
            kernel = tf.get_variable("kernel", (output.shape[1], self._size))
            bias = tf.get_variable("bias", (self._size,), initializer=tf.zeros_initializer())
            return tf.matmul(output, kernel) + bias, state

    xs = tf.placeholder(tf.float32, [None, None, 1])
    cell = OutputProjectionWrapper(tf.nn.rnn_cell.BasicRNNCell(units, activation=tf.nn.relu), output_size=1)
    outputs, _ = tf.nn.dynamic_rnn(cell, xs, dtype=tf.float32)
    return xs, outputs


def write_notebook_checkpoint(path: Path, units: int, steps: int) -> Arrays:
    """Train the notebook's network as the notebook does, save it, and return the training instance and its forecast."""
    import tensorflow.compat.v1 as tf

    tf.disable_eager_execution()
    draw = np.random.default_rng(0)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(0)
        xs, outputs = notebook_network(units)
        ys = tf.placeholder(tf.float32, [None, None, 1])
        loss = tf.reduce_mean(tf.square(outputs - ys))
        train = tf.train.AdamOptimizer(learning_rate=0.001).minimize(loss)
        saver = tf.train.Saver()
        session.run(tf.global_variables_initializer())
        for _ in range(steps):
            wave = np.sin(draw.uniform(0, 8.8) + 0.04 * np.arange(31.0)).reshape(1, 31, 1)
            session.run(train, feed_dict={xs: wave[:, :-1], ys: wave[:, 1:]})
        saver.save(session, str(path), write_meta_graph=False, write_state=False)
        instance = np.sin(np.linspace(5, 5 + 0.04 * 31, 31)[:-1]).reshape(1, 30, 1).astype(np.float32)
        return {"inputs": instance, "outputs": session.run(outputs, feed_dict={xs: instance})}


def write_tensorflow1_checkpoint(path: Path, build: Callable[[Any, Any], Any]) -> Arrays:
    """Save a network with random weights, ``build(tf, xs)`` gives its outputs, and return what it computes."""
    import tensorflow.compat.v1 as tf

    tf.disable_eager_execution()
    tf.experimental.output_all_intermediates(True)  # for gradients through a loop
    with tf.Graph().as_default(), tf.Session() as session:
        xs = tf.placeholder(tf.float32, [None, None, D])
        ys = build(tf, xs)
        variables = tf.trainable_variables()
        for number, variable in enumerate(variables):
            variable.load(0.5 * random(*variable.shape, seed=number), session)
        saver = tf.train.Saver()
        inputs = random(B, T, D)
        outputs = session.run(ys, {xs: inputs})
        cotangents = random(*outputs.shape, seed=1)
        names = [variable.name.removesuffix(":0") for variable in variables]
        gradients = tf.gradients(tf.reduce_sum(ys * cotangents), [xs, *variables])
        of_xs, *of_weights = session.run(gradients, {xs: inputs})
        saver.save(session, str(path), write_meta_graph=False, write_state=False)
        return {
            "inputs": inputs,
            "cotangents": cotangents,
            "outputs": outputs,
            "input_gradients": of_xs,
            **grouped("weights", dict(zip(names, session.run(variables), strict=True))),
            **grouped("weight_gradients", dict(zip(names, of_weights, strict=True))),
        }


def chain(tf: Any, xs: Any) -> Any:
    """Return the outputs of an LSTM and a GRU on each other, below a dense layer, in TensorFlow 1's graph."""
    cells = [tf.nn.rnn_cell.BasicLSTMCell(5, forget_bias=0.7), tf.nn.rnn_cell.GRUCell(4)]
    return tf.layers.dense(tf.nn.dynamic_rnn(tf.nn.rnn_cell.MultiRNNCell(cells), xs, dtype=tf.float32)[0], 3)


def run_flax(apply: Callable[[Any, Any], Any], params: Any) -> Arrays:
    """Run ``apply(params, xs)`` of Flax with random weights; names are joined by "/"."""
    import jax
    from flax.traverse_util import flatten_dict

    leaves, structure = jax.tree.flatten(params)
    params = jax.tree.unflatten(structure, [0.5 * random(*leaf.shape, seed=n) for n, leaf in enumerate(leaves)])
    xs = random(B, T, D)
    ys = apply(params, xs)
    cotangents = random(*ys.shape, seed=1)
    of_params, of_xs = jax.grad(lambda params, xs: (apply(params, xs) * cotangents).sum(), argnums=(0, 1))(params, xs)
    return {
        "inputs": xs,
        "cotangents": cotangents,
        "outputs": np.asarray(ys),
        "input_gradients": np.asarray(of_xs),
        **grouped("weights", flatten_dict(params, sep="/")),
        **grouped("weight_gradients", flatten_dict(of_params, sep="/")),
    }


def linen_network() -> tuple[Callable[[Any, Any], Any], Any]:
    """Return ``apply`` and parameters of linen: three kinds of cells on each other, below a dense layer."""
    import flax.linen as nn
    import jax

    class Network(nn.Module):
        @nn.compact
        def __call__(self, xs: Any) -> Any:
            xs = nn.RNN(nn.GRUCell(5))(xs)
            xs = nn.RNN(nn.OptimizedLSTMCell(4))(xs)
            return nn.Dense(2)(nn.RNN(nn.SimpleCell(6))(xs))

    network = Network()
    return network.apply, network.init(jax.random.key(0), random(B, T, D))


def nnx_network() -> tuple[Callable[[Any, Any], Any], Any]:
    """Return ``apply`` and parameters of nnx: a layer in both directions, a GRU, below a linear layer."""
    from flax import nnx

    class Network(nnx.Module):
        def __init__(self, rngs: nnx.Rngs) -> None:
            self.both = nnx.Bidirectional(
                nnx.RNN(nnx.OptimizedLSTMCell(D, 4, rngs=rngs)), nnx.RNN(nnx.LSTMCell(D, 4, rngs=rngs))
            )
            self.gru = nnx.RNN(nnx.GRUCell(8, 5, rngs=rngs))
            self.readout = nnx.Linear(5, 3, rngs=rngs)

        def __call__(self, xs: Any) -> Any:
            carry = (np.zeros((B, 4), np.float32),) * 2  # as it is by default, without a random key
            both = self.both(xs, initial_carry=(carry, carry))
            return self.readout(self.gru(both, initial_carry=np.zeros((B, 5), np.float32)))

    graph, params, rest = nnx.split(Network(nnx.Rngs(0)), nnx.Param, ...)

    def apply(pure: Any, xs: Any) -> Any:
        state = nnx.clone(params)
        nnx.replace_by_pure_dict(state, pure)
        return nnx.merge(graph, state, rest)(xs)

    return apply, nnx.to_pure_dict(params)
