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
    "reset_first_gru": partial(tt.ResetFirstGRU, 3, 4),
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


def random_weights(build: Callable[[], tt.Cell], seed: int = 0, size: float = 1.0) -> tt.Cell:
    """Return the cell that ``build`` makes, with normal numbers in all of its arrays."""
    shapes = eqx.filter_eval_shape(build)
    draw = np.random.default_rng(seed)
    return jax.tree.map(lambda w: on_device(size * draw.normal(0.0, w.shape[-1] ** -0.5, w.shape), w.dtype), shapes)


def random_inputs(*shape: int, seed: int = 1, size: float = 1.0) -> jax.Array:
    """Return normal numbers in the current float type."""
    return on_device(size * np.random.default_rng(seed).standard_normal(shape), jnp.zeros(()).dtype)


def on_device(array: np.ndarray, dtype: np.typing.DTypeLike = np.float32) -> jax.Array:
    """Return it as an array of JAX, for which ``jnp.asarray`` would compile a program for each shape."""
    return jax.device_put(np.asarray(array).astype(dtype))
