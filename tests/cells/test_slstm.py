"""The sLSTM's normalizer: never below 1, for any gates."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import random_cell, random_inputs

import throughtime as tt


@pytest.mark.parametrize("shift", [-300.0, 0.0, 300.0])
def test_the_normalizer_stays_above_one(shift):
    """The input gate is an exponential: without the scale m it would overflow, or give 0 / 0."""
    cell = random_cell("slstm")
    hidden = cell.hidden
    cell = eqx.tree_at(lambda cell: cell.b, cell, cell.b.at[:hidden].add(shift))
    state, ys = tt.unroll(cell, 50 * random_inputs(40, cell.inputs))
    assert np.isfinite(ys).all()
    assert (np.asarray(state.n) >= 1).all()
    _, every = tt.unroll(cell, random_inputs(6, cell.inputs))
    np.testing.assert_allclose(
        every, twin_without_a_scale(cell, random_inputs(6, cell.inputs), shift), rtol=2e-5, atol=1e-5
    )


def twin_without_a_scale(cell, xs, shift):
    """Return the outputs of the paper's eq. 8-14, without stabilizer, in float64; the shift of i cancels in c / n."""
    w_x, w_h, b = (np.asarray(w, np.float64) for w in (cell.w_x, cell.w_h, cell.b))
    b[: cell.hidden] -= shift
    h = c = n = np.zeros(cell.hidden)
    ys = []
    for x in np.asarray(xs, np.float64):
        i, f, z, o = np.split(w_x @ x + w_h @ h + b, 4)
        keep = 1 / (1 + np.exp(-f))
        c = keep * c + np.exp(i) * np.tanh(z)
        n = keep * n + np.exp(i)
        h = c / n / (1 + np.exp(-o))
        ys.append(h)
    return np.stack(ys)


def test_storage_can_be_revised():
    """One large input gate replaces the whole memory, which a sigmoid gate cannot do."""
    cell = random_cell("slstm")
    cell = eqx.tree_at(lambda cell: cell.w_h, cell, jnp.zeros_like(cell.w_h))
    hidden = cell.hidden
    gx = jnp.zeros(4 * hidden)
    state = tt.SLSTMState(*(jnp.full(hidden, value) for value in (0.5, -0.9, 1.0, 0.0)))
    revised, _ = cell.step(state, gx.at[:hidden].set(20.0).at[2 * hidden : 3 * hidden].set(1.0))
    np.testing.assert_allclose(revised.c / revised.n, np.tanh(1.0), rtol=1e-6)
