"""Pascanu's penalty in cases with a known value, and its gradient."""

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
    """Each step multiplies the norm of the gradient by rho and adds (rho - 1)^2."""
    cell = tt.Elman(2, 5, "identity", recurrent_init=orthogonal(rho), key=jax.random.key(0))
    omega = tt.vanishing_regularizer(cell, random_inputs(T, 2), last)
    np.testing.assert_allclose(omega, (T - 1) * (rho - 1) ** 2, rtol=1e-4, atol=1e-10)


def test_its_gradient_holds_states_and_cotangents_constant():
    """The same sum with explicit Jacobians: the gradient by w_h of (||e J|| / ||e|| - 1)^2 with constant e and h."""
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
        return sum((jnp.linalg.norm(earlier) / jnp.linalg.norm(later) - 1) ** 2 for earlier, later in pairs)

    value, gradient = eqx.filter_value_and_grad(tt.vanishing_regularizer)(cell, xs, last)
    np.testing.assert_allclose(value, omega(cell.w_h), rtol=1e-4)
    np.testing.assert_allclose(gradient.w_h, jax.grad(omega)(cell.w_h), rtol=2e-3, atol=1e-5)


def test_steps_without_a_gradient_add_nothing():
    """In a dead ReLU network the penalty is 0 and its gradient finite, in spite of 0 / 0."""
    cell = random_cell("elman-relu")
    cell = eqx.tree_at(lambda cell: cell.b, cell, jnp.full_like(cell.b, -50.0))
    value, gradient = eqx.filter_value_and_grad(tt.vanishing_regularizer)(cell, random_inputs(T, cell.inputs), last)
    assert value == 0
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))
