"""Eigenvalues of both signs, and the task that needs them."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import random_cell, random_inputs

import throughtime as tt
from throughtime.recurrence.scans import linear_scan, parallel_recurrence, sequential_scan


@pytest.mark.parametrize("name", ["mingru", "minlstm"])
@pytest.mark.parametrize("reverse", [False, True])
def test_parallel_equals_sequential(name, reverse):
    cell = tt.SignedEigenvalues(random_cell(name))
    xs, mask = random_inputs(9, cell.inputs), jnp.array([1, 1, 0, 1, 0, 0, 1, 1, 0], bool)
    state = jax.tree.map(lambda leaf: random_inputs(*leaf.shape, seed=5), cell.initial_state())
    (slow_state, slow), (fast_state, fast) = (
        eqx.filter_jit(scan)(cell, state, xs, mask, reverse)
        for scan in (sequential_scan, partial(linear_scan, parallel_recurrence))
    )
    np.testing.assert_allclose(fast, slow, atol=1e-6)
    np.testing.assert_allclose(fast_state.h, slow_state.h, atol=1e-6)


def test_eigenvalues_reach_both_ends():
    cell = tt.SignedEigenvalues(random_cell("mingru"))
    a, _ = cell.coefficients(100 * random_inputs(50, len(cell.b)))
    assert a.min() == pytest.approx(-1, abs=1e-3)
    assert a.max() == pytest.approx(1, abs=1e-3)


def test_parity_by_one_unit():
    """With weights set by hand, an input of 1 turns h into 1 - h, and an input of 0 keeps h."""
    cell = tt.MinGRU(1, 1, key=jax.random.key(0))
    cell = eqx.tree_at(lambda cell: (cell.w_x, cell.b), cell, (jnp.array([[60.0], [0.0]]), jnp.array([-30.0, 1.0])))
    bits = np.random.default_rng(7).integers(0, 2, 200)
    _, ys = tt.unroll(tt.SignedEigenvalues(cell), jnp.asarray(bits[:, None], jnp.float32))
    np.testing.assert_allclose(ys[:, 0], np.cumsum(bits) % 2, atol=1e-4)


@pytest.mark.parametrize("name", ["gru", "lru"])
def test_others_are_refused(name):
    cell = random_cell(name)
    with pytest.raises(tt.InputError) as caught:
        tt.SignedEigenvalues(cell)
    assert (caught.value.code, caught.value.found) == ("wrong-cell", type(cell).__name__)


def test_twice_is_refused():
    """2 (2a - 1) - 1 would reach -3."""
    with pytest.raises(tt.InputError) as caught:
        tt.SignedEigenvalues(tt.SignedEigenvalues(random_cell("mingru")))
    assert (caught.value.code, caught.value.found) == ("wrong-cell", "SignedEigenvalues")
