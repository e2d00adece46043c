"""The contests: tasks, their networks, and the expected results."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from memory.runs import Build, Contest, Contestant

import throughtime as tt
from throughtime.cells import chrono, normal
from throughtime.data import Task, adding, copy_memory, parity, running_parity, selective_copy, temporal_order


def flat(cell: Callable[..., tt.Cell], **options: Any) -> Build:
    """Return a builder for one layer of a cell and a linear readout."""

    def build(task: Task, units: int, key: Any) -> tt.RecurrentNetwork:
        key_cell, key_readout = jax.random.split(key)
        return tt.RecurrentNetwork(cell(task.inputs, units, **options, key=key_cell), task.outputs, key=key_readout)

    return build


def stacked(layers: int, cell: Callable[..., tt.Cell], **options: Any) -> Build:
    """Return a builder for normalized residual layers of a cell, with no layers between them."""

    def build(task: Task, units: int, key: Any) -> tt.StackedNetwork:
        key_cells, key_rest = jax.random.split(key)
        blocks = [tt.Block(cell(units, units, **options, key=k)) for k in jax.random.split(key_cells, layers)]
        return tt.StackedNetwork(task.inputs, blocks, task.outputs, key=key_rest)

    return build


def signed_min_gru(inputs: int, hidden: int, **options: Any) -> tt.SignedEigenvalues:
    """Return a minGRU whose eigenvalues, 1 - u of each unit, become 1 - 2u."""
    return tt.SignedEigenvalues(tt.MinGRU(inputs, hidden, **options))


def keeping(longest: int, key: Any, gates: tuple[str, ...], hidden: int, dtype: Any) -> jax.Array:
    """Return a minGRU's chrono biases: u starts at ``-log U[1, longest - 1]``, so that units have a long memory."""
    u = -jnp.log(jax.random.uniform(key, (hidden,), dtype, minval=1.0, maxval=longest - 1.0))
    return jnp.concatenate([u, jnp.zeros((len(gates) - 1) * hidden, dtype)])


TANH, LINEAR = "tanh RNN, orthogonal", "linear RNN, orthogonal"
STEEP = normal(3.0)  # input weights: a gate must nearly close to keep or flip a sign for 256 steps
COPY = copy_memory(50)
SELECTIVE_STEPS = 64
SELECTIVE = selective_copy(SELECTIVE_STEPS, 8)

CONTESTS = {
    "parity": Contest(
        title="Parity, trained on lengths up to 40, tested on lengths 40 to 256",
        training=running_parity(40),
        test=parity(40, 256),
        measure="accuracy",
        parameters=1000,
        batch=32,
        steps=6000,
        solved=1.0,
        contestants=(
            Contestant(TANH, flat(tt.Elman), 0.005, (">=", 0.99)),
            Contestant("sLSTM", flat(tt.SLSTM), 0.005, (">=", 0.99)),
            Contestant("minGRU, eigenvalues in [0, 1]", flat(tt.MinGRU, input_init=STEEP), 0.03, ("<=", 0.60)),
            Contestant("minGRU, eigenvalues in [-1, 1]", flat(signed_min_gru, input_init=STEEP), 0.03, (">=", 0.99)),
        ),
    ),
    "adding": Contest(
        title="Adding, T = 100",
        training=adding(100),
        test=adding(100),
        measure="squared error",
        parameters=3000,
        batch=50,
        steps=2000,
        solved=0.001,
        contestants=(
            Contestant(TANH, flat(tt.Elman), 0.001, (">=", 0.15)),
            Contestant("GRU", flat(tt.GRU), 0.005, ("<=", 0.01)),
            Contestant("LSTM", flat(tt.LSTM), 0.005, ("<=", 0.01)),
            Contestant("LEM", flat(tt.LEM), 0.005, ("<=", 0.01)),
        ),
    ),
    "temporal-order": Contest(
        title="Temporal order of two marks, T = 60 to 66",
        training=temporal_order(60),
        test=temporal_order(60),
        measure="accuracy",
        parameters=2000,
        batch=32,
        steps=4000,
        solved=1.0,
        contestants=(
            Contestant(TANH, flat(tt.Elman), 0.001),
            Contestant("GRU", flat(tt.GRU), 0.005),
            Contestant("GRU, chrono", flat(tt.GRU, bias_init=chrono(66)), 0.005),
            Contestant("LSTM", flat(tt.LSTM), 0.005, (">=", 0.99)),
            Contestant("LSTM, chrono", flat(tt.LSTM, bias_init=chrono(66)), 0.005, (">=", 0.99)),
            Contestant("LEM", flat(tt.LEM), 0.002),
        ),
    ),
    "copy": Contest(
        title="Copy memory, T = 50",
        training=COPY,
        test=COPY,
        measure="cross entropy",
        parameters=10_000,
        batch=32,
        steps=3000,
        solved=0.01,
        contestants=(
            Contestant(TANH, flat(tt.Elman), 0.001),
            Contestant(LINEAR, flat(tt.Elman, activation="identity"), 0.001, ("<=", COPY.baseline / 2)),
            Contestant("LSTM", flat(tt.LSTM), 0.005),
            Contestant("LSTM, chrono", flat(tt.LSTM, bias_init=chrono(75)), 0.005),
        ),
    ),
    "selective-copy": Contest(
        title="Selective copy, 8 of 64 steps",
        training=SELECTIVE,
        test=SELECTIVE,
        measure="accuracy",
        parameters=12_000,
        batch=32,
        steps=5000,
        solved=0.995,
        contestants=tuple(
            Contestant(
                f"minGRU, {layers} layer{'s' if layers > 1 else ''}",
                stacked(layers, tt.MinGRU, bias_init=partial(keeping, SELECTIVE_STEPS)),
                0.01,
                expected,
            )
            for layers, expected in ((1, ("<=", 0.70)), (3, (">=", 0.95)))
        ),
    ),
}
