"""The table of cells for tests of contracts, with random asymmetric weights and biases."""

from collections.abc import Callable
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import throughtime as tt
from throughtime.cells.activations import ACTIVATIONS

CELLS: dict[str, Callable[..., tt.Cell]] = {
    **{f"elman-{name}": partial(tt.Elman, 3, 5, name) for name in ACTIVATIONS},
    "gru": partial(tt.GRU, 2, 4),
    "lstm": partial(tt.LSTM, 3, 7),
    "mingru": partial(tt.MinGRU, 3, 5),
    "minlstm": partial(tt.MinLSTM, 2, 4),
    "lru": partial(tt.LRU, 3, 4),
    "slstm": partial(tt.SLSTM, 2, 5),
    "lem": partial(tt.LEM, 3, 4, dt=0.7),
    "antisymmetric": partial(tt.Antisymmetric, 2, 5, step_size=0.3, diffusion=0.2),
}


def random_cell(name: str, seed: int = 0) -> tt.Cell:
    """Return a cell of the table in the current float type; all weights and biases are drawn: none equal, none zero."""
    return random_weights(partial(CELLS[name], key=jax.random.key(0)), seed)


def random_weights(build: Callable[[], tt.Cell], seed: int = 0) -> tt.Cell:
    """Return the cell that ``build`` makes, with normal numbers in all of its arrays."""
    shapes = eqx.filter_eval_shape(build)
    draw = np.random.default_rng(seed)
    return jax.tree.map(lambda w: jnp.asarray(draw.normal(0.0, w.shape[-1] ** -0.5, w.shape), w.dtype), shapes)


def random_inputs(*shape: int, seed: int = 1) -> jax.Array:
    """Return normal numbers in the current float type."""
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape), jnp.zeros(()).dtype)
