"""Pascanu's penalty where it is known, and its gradient."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import random_cell, random_inputs

import throughtime as tt
from throughtime.cells.initializers import orthogonal

T = 6


def last(ys):
    return jnp.sum(ys[-1] * jnp.arange(1.0, ys.shape[1] + 1))


@pytest.mark.parametrize("rho", [0.5, 1.0, 1.3])
def test_a_scaled_orthogonal_matrix(rho):
    """Each step hands back rho times what came: (rho - 1)^2 a step."""
    cell = tt.Elman(2, 5, "identity", recurrent_init=orthogonal(rho), key=jax.random.key(0))
    omega = tt.vanishing_regularizer(cell, random_inputs(T, 2), last)
    np.testing.assert_allclose(omega, (T - 1) * (rho - 1) ** 2, rtol=1e-4, atol=1e-10)


def test_its_gradient_leaves_states_and_errors_as_they_are():
    """Against the same sum with the Jacobians written down: d by w_h of (||e J|| / ||e|| - 1)^2, e and h constant."""
    cell = random_cell("elman-tanh")
    xs = random_inputs(T, cell.inputs)
    hs = np.concatenate([np.zeros((1, cell.hidden)), tt.unroll(cell, xs)[1]])
    projected = cell.project(xs)

    def jacobian(w_h, t):
        return (1 - jnp.tanh(projected[t] + w_h @ hs[t]) ** 2)[:, None] * w_h

    arriving = [None] * (T + 1)  # dE/dh_t
    arriving[T] = jnp.arange(1.0, cell.hidden + 1)
    for t in reversed(range(T)):
        arriving[t] = arriving[t + 1] @ jacobian(cell.w_h, t)

    def omega(w_h):
        pairs = [(arriving[t + 1] @ jacobian(w_h, t), arriving[t + 1]) for t in range(T - 1)]
        return sum((jnp.linalg.norm(went) / jnp.linalg.norm(came) - 1) ** 2 for went, came in pairs)

    value, gradient = eqx.filter_value_and_grad(tt.vanishing_regularizer)(cell, xs, last)
    np.testing.assert_allclose(value, omega(cell.w_h), rtol=1e-4)
    np.testing.assert_allclose(gradient.w_h, jax.grad(omega)(cell.w_h), rtol=2e-3, atol=1e-5)


def test_nothing_arrives_nothing_is_asked():
    """A dead ReLU network: no number over zero, and no gradient that is not finite."""
    cell = random_cell("elman-relu")
    cell = eqx.tree_at(lambda cell: cell.b, cell, jnp.full_like(cell.b, -50.0))
    value, gradient = eqx.filter_value_and_grad(tt.vanishing_regularizer)(cell, random_inputs(T, cell.inputs), last)
    assert value == 0
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))
