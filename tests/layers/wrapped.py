"""The wrapped cells for the contracts, with random asymmetric weights and statistics."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from tests.contract import random_cell, random_weights

import throughtime as tt

KEY = jax.random.key(11)

WRAPPED: dict[str, Callable[[], tt.Cell]] = {
    "layer_norm": lambda: tt.LayerNorm(random_cell("gru")),
    "batch_norm": lambda: tt.BatchNorm(random_cell("lstm"), steps=4),
    "zoneout": lambda: tt.Zoneout(random_cell("lstm"), 0.3),
    "residual": lambda: tt.Residual(tt.LSTM(4, 4, key=KEY)),
    "residual of a cell without w_h": lambda: tt.Residual(tt.LRU(4, 4, key=KEY)),
    "signed_eigenvalues": lambda: tt.SignedEigenvalues(random_cell("minlstm")),
    "variational_dropout": lambda: tt.VariationalDropout(tt.Zoneout(tt.LayerNorm(random_cell("gru")), 0.4), 0.2),
    "learned_initial_state": lambda: tt.LearnedInitialState(tt.LEM(3, 4, key=KEY)),
}


def random_wrapped(name: str) -> tt.Cell:
    """Return a cell of the table in the current float type."""
    cell = random_weights(WRAPPED[name])
    if isinstance(cell, tt.BatchNorm):
        cell = eqx.tree_at(lambda cell: (cell.x.variance, cell.h.variance), cell, replace_fn=lambda v: 0.1 + jnp.abs(v))
    if isinstance(cell, tt.LearnedInitialState):  # untrained, as a contract says that cells start at zero
        cell = eqx.tree_at(lambda cell: cell.state, cell, replace_fn=lambda s: jax.tree.map(jnp.zeros_like, s))
    return cell
