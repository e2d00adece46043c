"""Keras 3's reference step on TensorFlow: ``SimpleRNN`` and ``Dense``, in two versions.

- ``train_on_batch``: a Python loop over NumPy batches, the usual first version.
- ``compiled_fit``: ``fit`` on a dataset that draws its windows in the graph, compiled by XLA (``jit_compile=True``),
  100 steps in each call of the compiled function (``steps_per_execution=100``). This is the fastest version found;
  ``fit`` without XLA, with one step per call, and with ``unroll=True`` were slower.
"""

import os
import time

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import task
import tensorflow as tf

args = task.arguments(way=("compiled_fit", "train_on_batch"))
keras.utils.set_random_seed(args.seed)
network = keras.Sequential(
    [
        keras.Input((task.WINDOW, 1)),
        keras.layers.SimpleRNN(task.HIDDEN, activation="relu", return_sequences=True),
        keras.layers.Dense(1),
    ]
)
adam = keras.optimizers.Adam(task.LEARNING_RATE)


def train_on_batch() -> list[float]:
    """Return microseconds per step of each chunk, with a batch from the host in each step."""
    network.compile(optimizer=adam, loss="mse")
    random = np.random.default_rng(args.seed)
    return task.time_chunks(lambda: network.train_on_batch(*task.next_batch(random)))


class Chunks(keras.callbacks.Callback):
    """The callback that records microseconds per step of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []
        self.began = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Start the clock."""
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Stop the clock."""
        self.times.append((time.perf_counter() - self.began) / task.CHUNK * 1e6)


def window(random: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return a random window (T, 1) and its targets (T, 1), from a random 32-bit number."""
    start = tf.cast(random, tf.float32) / 2.0**32 * task.ROOM
    y = tf.sin(start + task.OFFSETS.astype(np.float32))[:, None]
    return y[:-1], y[1:]


def compiled_fit() -> list[float]:
    """Return microseconds per step of each chunk, an epoch of ``fit``."""
    network.compile(optimizer=adam, loss="mse", jit_compile=True, steps_per_execution=task.CHUNK)
    batches = tf.data.Dataset.random(seed=args.seed).map(window).batch(task.BATCH)
    chunks = Chunks()
    epochs = task.STEPS // task.CHUNK
    network.fit(batches, steps_per_epoch=task.CHUNK, epochs=epochs, shuffle=False, verbose=0, callbacks=[chunks])
    return chunks.times


chunks = {"train_on_batch": train_on_batch, "compiled_fit": compiled_fit}[args.way]()
network.save(args.out / "model.keras")
task.answer(chunks, network, "keras", "tensorflow", "numpy")
