"""TensorFlow's reference step in graph mode: ``dynamic_rnn`` over a ``BasicRNNCell``, a session, NumPy batches fed.

The readout is one dense layer after the loop over time. An ``OutputProjectionWrapper``, which newer versions of
TensorFlow lack, computed the same inside that loop.
"""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # the cells of TensorFlow 1 are in tf_keras
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import task
import tensorflow as tf

args = task.arguments()
random = np.random.default_rng(args.seed)
tf1 = tf.compat.v1
tf1.disable_eager_execution()
tf1.set_random_seed(args.seed)

inputs = tf1.placeholder(tf.float32, (None, task.WINDOW, 1))
targets = tf1.placeholder(tf.float32, (None, task.WINDOW, 1))
cell = tf1.nn.rnn_cell.BasicRNNCell(task.HIDDEN, activation=tf.nn.relu)
outputs = tf1.layers.dense(tf1.nn.dynamic_rnn(cell, inputs, dtype=tf.float32)[0], 1)
train = tf1.train.AdamOptimizer(task.LEARNING_RATE).minimize(tf.reduce_mean(tf.square(outputs - targets)))

with tf1.Session() as session:
    session.run(tf1.global_variables_initializer())

    def step() -> None:
        """Do one training step."""
        x, y = task.next_batch(random)
        session.run(train, {inputs: x, targets: y})

    chunks = task.time_chunks(step)
    tf1.train.Saver().save(session, str(args.out / "model"))
    task.answer(chunks, lambda x: session.run(outputs, {inputs: x}), "tensorflow", "tf_keras", "numpy")
