"""Gradient flows that are known in closed form."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import random_cell, random_inputs

import throughtime as tt
from throughtime.cells.activations import ACTIVATIONS
from throughtime.cells.initializers import identity, orthogonal

KEY = jax.random.key(0)
D, H, T = 3, 5, 40


def with_largest_singular_value(cell: tt.Elman, sigma: float) -> tt.Elman:
    """Return the cell with a random recurrent matrix, whose singular values differ, of this spectral norm."""
    matrix = jax.random.normal(jax.random.key(7), cell.w_h.shape, cell.w_h.dtype)
    return eqx.tree_at(lambda cell: cell.w_h, cell, sigma * matrix / jnp.linalg.norm(matrix, 2))


def assert_powers(norms, rho, *, rtol):
    np.testing.assert_allclose(norms, rho ** np.arange(len(norms)), rtol=rtol)


@pytest.mark.parametrize("rho", [0.5, 0.9, 1.1])
def test_linear_with_a_scaled_orthogonal_matrix(rho):
    """All singular values over k steps are rho^k, and so is the bound."""
    cell = tt.Elman(D, H, "identity", recurrent_init=orthogonal(rho), key=KEY)
    flow = tt.gradient_flow(cell, random_inputs(T, D))
    assert_powers(flow.norms, rho, rtol=1e-4)
    assert_powers(flow.bound, rho, rtol=1e-4)
    np.testing.assert_allclose(flow.singular_values, np.repeat(flow.norms[:, None], H, axis=1), rtol=1e-4)
    np.testing.assert_array_equal(flow.errors, 0)
    expected = np.inf if rho > 1 else np.log(0.5) / np.log(rho)
    assert flow.half_life == pytest.approx(expected, rel=1e-4)
    assert flow.reach == (T if rho**T >= 0.01 else int(np.log(0.01) / np.log(rho)))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("rho", [0.5, 0.9, 1.1])
def test_linear_in_float64(rho):
    cell = tt.Elman(D, H, "identity", recurrent_init=orthogonal(rho), key=KEY)
    assert_powers(tt.gradient_flow(cell, random_inputs(300, D)).norms, rho, rtol=1e-10)


@pytest.mark.parametrize(("name", "sigma"), [("tanh", 0.9), ("tanh", 1.6), ("sigmoid", 1.2), ("sigmoid", 3.9)])
def test_norms_stay_below_the_bound(name, sigma):
    """The bound is (g sigma_max)^k; so with the sigmoid, g = 1/4, a gradient fades even if sigma_max is 3.9."""
    cell = with_largest_singular_value(tt.Elman(D, H, name, key=KEY), sigma)
    flow = tt.gradient_flow(cell, random_inputs(T, D))
    slope = {"tanh": 1.0, "sigmoid": 0.25}[name]
    assert_powers(flow.bound, slope * sigma, rtol=1e-4)
    assert (flow.norms[1:] < flow.bound[1:]).all()
    assert flow.recurrent_norm == pytest.approx(sigma, rel=1e-5)
    if name == "sigmoid":
        assert flow.norms[-1] < 1e-3


@pytest.mark.parametrize("bias", [-1.0, 0.5, 3.0])
def test_the_carousel_of_an_lstm(bias):
    """With all weights zero, dc_T/dc_0 = sigmoid(b)^T, and nothing flows through h."""
    outline = eqx.filter_eval_shape(tt.LSTM, D, H, key=KEY)
    cell = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), outline)
    cell = eqx.tree_at(lambda cell: cell.b, cell, cell.b.at[H : 2 * H].set(bias))
    flow = tt.gradient_flow(cell, random_inputs(T, D))
    keeps = 1 / (1 + np.exp(-bias))
    assert_powers(flow.paths["c"], keeps, rtol=1e-4)
    np.testing.assert_array_equal(flow.paths["h"][1:], 0)
    np.testing.assert_array_equal(flow.norms[1:], 0)
    np.testing.assert_allclose(flow.memory[1:], 0.5 * keeps ** np.arange(1, T + 1), rtol=1e-4)  # o = 1/2, c = 0
    assert flow.half_life == pytest.approx(np.log(0.5) / np.log(keeps), rel=1e-3)
    np.testing.assert_allclose(flow.gates["f"], keeps, rtol=1e-6)


def test_a_relu_network_with_the_identity_keeps_all():
    """With a positive state and no input, each step's Jacobian is the identity (Le, Jaitly & Hinton 2015)."""
    cell = tt.Elman(D, H, "relu", recurrent_init=identity(), key=KEY)
    state = tt.ElmanState(jnp.arange(1.0, H + 1))
    flow = tt.gradient_flow(cell, jnp.zeros((T, D)), state)
    np.testing.assert_array_equal(flow.singular_values, 1)
    assert flow.dead == flow.saturated == 0
    assert flow.half_life == np.inf
    assert flow.reach == T


@pytest.mark.usefixtures("x64")  # a matrix in float32 is orthogonal to 1e-7, and its 1,000th power to 1e-4
@pytest.mark.parametrize("activation", [ACTIVATIONS["identity"], jnp.abs], ids=["identity", "absolute value"])
def test_orthogonal_recurrence_holds_the_norm_over_a_thousand_steps(activation):
    """Both activations keep the length of a vector: of the gradient, and without input of the state too."""
    cell = tt.Elman(D, H, activation, recurrent_init=orthogonal(), key=KEY)
    state = tt.ElmanState(random_inputs(H, seed=3))
    xs = jnp.zeros((1000, D))
    flow = tt.gradient_flow(cell, xs, state)
    np.testing.assert_allclose(flow.norms, 1, atol=1e-5)
    last, _ = tt.unroll(cell, xs, state)
    assert np.linalg.norm(last.h) == pytest.approx(np.linalg.norm(state.h), rel=1e-5)


SLOPES = {
    "sigmoid": lambda a: np.exp(-a) / (1 + np.exp(-a)) ** 2,
    "tanh": lambda a: 1 - np.tanh(a) ** 2,
    "relu": lambda a: (a > 0).astype(float),
    "leaky_relu": lambda a: np.where(a > 0, 1.0, 0.01),
    "elu": lambda a: np.where(a > 0, 1.0, np.exp(np.minimum(a, 0))),
    "identity": np.ones_like,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gate_statistics_of_every_activation(name):
    """Largest slope, mean slope, and the shares of dead and saturated units, computed with NumPy."""
    cell = random_cell(f"elman-{name}")
    xs = 3 * random_inputs(T, cell.inputs)
    flow = tt.gradient_flow(cell, xs)
    _, hs = tt.unroll(cell, xs)
    before = np.concatenate([np.zeros((1, cell.hidden)), np.asarray(hs, float)[:-1]])
    a = np.asarray(xs) @ np.asarray(cell.w_x).T + before @ np.asarray(cell.w_h).T + np.asarray(cell.b)
    slopes = SLOPES[name](a)
    largest = float(SLOPES[name](np.linspace(-9, 9, 20001)).max())
    assert cell.slopes == (pytest.approx(largest, rel=1e-6),)
    saturated, dead = slopes < 0.05 * largest, (slopes == 0) & (np.asarray(hs) == 0)
    np.testing.assert_allclose(flow.slopes["a"], slopes.mean(axis=1), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(flow.gate_statistics.saturated.by_time, saturated.mean(axis=1))
    np.testing.assert_allclose(flow.gate_statistics.saturated.by_unit, saturated.mean(axis=0))
    np.testing.assert_allclose(flow.gate_statistics.dead.by_unit, dead.mean(axis=0))
    np.testing.assert_allclose(flow.gate_statistics.dead.by_time, dead.mean(axis=1))
    assert (flow.dead, flow.saturated) == (pytest.approx(dead.mean()), pytest.approx(saturated.mean()))
    assert (flow.dead > 0.2) == (name == "relu")
    assert (flow.saturated > 0.2) == (name in ("tanh", "relu", "leaky_relu"))
