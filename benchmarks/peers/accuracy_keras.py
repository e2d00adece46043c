"""Keras 3's training to an accuracy, on JAX or on TensorFlow: ``LSTM`` or ``GRU``, ``Dense`` and Adam in ``fit``.

One call of the compiled function has an epoch's steps. Lengths are a mask, by Keras's ``Masking``; the output of the
last step taken by an index, without a mask, was as fast on JAX and 10 % faster on TensorFlow.
"""

import os
import sys

import accuracy_task

args = accuracy_task.arguments(backend=("jax", "tensorflow"))
os.environ["KERAS_BACKEND"] = args.backend
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
if args.backend == "jax":
    sys.modules["tensorflow"] = None  # as where only JAX is installed: Keras spends half of its start on this import

import keras  # noqa: E402
import numpy as np  # noqa: E402

keras.utils.set_random_seed(args.seed)
run = accuracy_task.Run(args)
task, learned, tested = run.task, run.learned, run.tested


def network() -> keras.Model:
    """Return the task's network with its first weights."""
    rnn = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[task.cell](
        task.hidden, return_sequences=task.bidirectional
    )
    rnn = keras.layers.Bidirectional(rnn) if task.bidirectional else rnn
    readout = keras.layers.Dense(task.outputs)
    masking = [keras.layers.Masking()] if learned.lengths.min() < learned.xs.shape[1] else []
    model = keras.Sequential([keras.Input(learned.xs.shape[1:]), *masking, rnn, readout])
    w, b = task.readout(args.seed)
    rnn.set_weights([weights for cell in task.cells(args.seed) for weights in arranged(*cell)])
    readout.set_weights([w.T, b])
    return model


def arranged(w_x: np.ndarray, w_h: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
    """Return a cell's weights as Keras has them: those of a GRU in the order z, r, n, with a second bias."""
    if task.cell == "lstm":
        return [w_x.T, w_h.T, b]
    w_x, w_h, b = (np.concatenate([z, r, n]) for r, z, n in (np.split(weights, 3) for weights in (w_x, w_h, b)))
    return [w_x.T, w_h.T, np.stack([b, np.zeros_like(b)])]


def answers(model: keras.Model) -> np.ndarray:
    """Return the answers for the held-out examples."""
    return model.predict_on_batch(tested.xs)


class Evaluation(keras.callbacks.Callback):
    """The callback that evaluates after each epoch."""

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Start the clock."""
        run.start()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Evaluate."""
        self.model.stop_training = run.evaluate([self.model], answers)


model = network()
if task.outputs == 1:
    loss = keras.losses.MeanSquaredError()
else:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
adam = keras.optimizers.Adam(task.learning_rate, epsilon=1e-8)  # as the others have it
model.compile(optimizer=adam, loss=loss, steps_per_execution=accuracy_task.EPOCH)
model.fit(
    learned.xs,
    learned.targets,
    batch_size=accuracy_task.BATCH,
    epochs=run.epochs,
    verbose=0,
    callbacks=[Evaluation()],
)
run.answer(model.count_params(), "keras", args.backend, "numpy")
