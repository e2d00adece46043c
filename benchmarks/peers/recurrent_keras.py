"""Keras's recurrent training step on JAX: its RNN, GRU or LSTM and a dense readout, ``train_on_batch`` in a loop."""

import os

import recurrent_task

args = recurrent_task.arguments()
os.environ["KERAS_BACKEND"] = "jax"

import keras  # noqa: E402

LAYER = {"elman": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM}[args.cell]
options = {"activation": "relu"} if args.cell == "elman" else {}
batches = recurrent_task.batches(args)
network = keras.Sequential(
    [
        keras.Input((args.steps, 1)),
        LAYER(args.hidden, return_sequences=True, **options),
        keras.layers.Dense(1),
    ]
)
network.compile(optimizer=keras.optimizers.Adam(0.001), loss="mse", jit_compile=True)


def run(steps: int) -> None:
    """Do this number of training steps."""
    for _ in range(steps):
        network.train_on_batch(*next(batches))


recurrent_task.measure({"Keras on JAX": run}, args.chunks, "keras", "jax")
