"""The native recurrence of cells that are linear in their state."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract import on_device, random_cell, random_inputs
from tests.kernels.compare import assert_same, both, forward_and_back, program, state_of, weighed

import throughtime as tt
from throughtime.kernels.library import LINEAR, off
from throughtime.kernels.linear import native_recurrence
from throughtime.kernels.support import why_no_kernel

NAMES = ["mingru", "minlstm", "lru"]
N, B, T = 2, 3, 6


def coefficients(shape, complex):
    """Return random a with a modulus of about 0.9, and random c."""
    a, c, theta, im = (np.random.default_rng(seed).standard_normal(shape) for seed in range(4))
    a = 0.9 + 0.1 * np.tanh(a)
    if complex:
        return on_device(a * np.exp(1j * theta), np.complex64), on_device(c + 1j * im, np.complex64)
    return on_device(a), on_device(c)


def step_by_step(a, c, reverse):
    """Return the states in double precision, by a Python loop."""
    a, c = (np.asarray(x, np.result_type(x.dtype, np.float64)) for x in (a, c))
    s, states = np.zeros_like(c[0]) if len(c) else None, np.zeros_like(c)
    for t in reversed(range(len(c))) if reverse else range(len(c)):
        states[t] = s = a[t] * s + c[t]
    return states


@pytest.mark.parametrize("complex", [False, True])
@settings(max_examples=20)
@given(steps=st.sampled_from([0, 1, 2, 5, 31, 32, 33, 65]), width=st.integers(1, 75), reverse=st.booleans())
def test_equals_a_loop_at_any_size(complex, steps, width, reverse):
    a, c = coefficients((steps, width), complex)
    states = native_recurrence(a, c, reverse=reverse)
    assert states.dtype == c.dtype
    np.testing.assert_allclose(states, step_by_step(a, c, reverse), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("complex", [False, True])
def test_an_infinite_number_stays_in_its_unit(complex):
    """And the first a, which has no state to multiply, may be infinite."""
    a, c = coefficients((4, 19), complex)
    states = native_recurrence(a.at[0].set(jnp.inf).at[2, 5].set(jnp.nan), c, reverse=False)
    assert np.isfinite(np.delete(states, 5, axis=1)).all()
    assert np.isfinite(states[:2]).all()
    assert np.isnan(states[2:, 5]).all()


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_batches_equal_the_scan(name, reverse):
    cell = random_cell(name)
    state, xs = state_of(cell, B), random_inputs(B, T, cell.inputs)
    mask = jnp.asarray(np.random.default_rng(0).random((B, T)) < 0.7)
    assert_same(*both(forward_and_back(mask, reverse), cell, state, xs))
    assert_same(*both(forward_and_back(None, reverse), cell, state, xs))


@pytest.mark.parametrize("name", NAMES)
def test_mapped_weights_are_models(name):
    cells = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(random_cell(name, seed=seed) for seed in range(N)))
    state, xs = state_of(random_cell(name), B), random_inputs(B, T, cells.w_x.shape[-1])
    assert_same(*both(jax.vmap(forward_and_back(), in_axes=(0, None, None)), cells, state, xs))
    assert_same(*both(jax.vmap(forward_and_back(), in_axes=(0, None, 0)), cells, state, jnp.stack([xs, 2 * xs])))


@pytest.mark.parametrize(("name", "reverse"), [("mingru", False), ("minlstm", True), ("lru", True)])
def test_the_derivative_of_a_derivative(name, reverse):
    """The gradient's norm is differentiated, and the norm of that: each gradient is the same recurrence again."""
    cell = random_cell(name)
    xs = random_inputs(T, cell.inputs)

    def norm(function):
        return lambda cell, xs: sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(jax.grad(function)(cell, xs)))

    def loss(cell, xs):
        return weighed(tt.unroll(cell, xs, reverse=reverse)[1])

    assert_same(*both(jax.grad(norm(loss), argnums=(0, 1)), cell, xs), relative=1e-4)
    assert_same(*both(jax.grad(norm(norm(loss)), argnums=1), cell, xs), relative=1e-3)


def test_the_gradient_is_that_of_differences(x64):
    """Of the loop in double precision."""
    a, c = (np.asarray(x, np.float32) for x in coefficients((T, 4), False))
    weights = np.asarray(random_inputs(T, 4, seed=9), np.float64)

    def loss(a, c):
        return jnp.sum(native_recurrence(a, c, reverse=True) * jnp.asarray(weights, jnp.float32))

    gradients = jax.grad(loss, argnums=(0, 1))(jnp.asarray(a), jnp.asarray(c))
    for place, gradient in enumerate(gradients):
        for at in np.ndindex(T, 4):
            nudged = [[x.astype(np.float64) for x in (a, c)] for _ in range(2)]
            nudged[0][place][at] -= 1e-5
            nudged[1][place][at] += 1e-5
            low, high = (np.sum(step_by_step(*pair, reverse=True) * weights) for pair in nudged)
            assert gradient[at] == pytest.approx((high - low) / 2e-5, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(("name", "target"), [("mingru", "real"), ("minlstm", "real"), ("lru", "complex")])
def test_chosen(name, target):
    cell = random_cell(name)
    for shape in ((T, cell.inputs), (B, T, cell.inputs)):
        assert f"throughtime_linear_{target}" in program(cell, random_inputs(*shape))
        with off():
            assert "throughtime_linear" not in program(cell, random_inputs(*shape))


def test_eigenvalues_of_both_signs_have_it():
    cell = tt.SignedEigenvalues(random_cell("mingru"))
    assert "throughtime_linear" in program(cell, random_inputs(T, len(cell.w_x[0])))


class Half(tt.MinGRU):
    """A cell with coefficients in half precision and weights in single precision."""

    def coefficients(self, gx):
        return tuple(part.astype(jnp.bfloat16) for part in super().coefficients(gx))


class Mixed(tt.MinGRU):
    """A cell with real a and complex c."""

    def coefficients(self, gx):
        a, c = super().coefficients(gx)
        return a, c + 0j


@pytest.mark.parametrize(("kind", "dtypes"), [(Half, "bfloat16 and bfloat16"), (Mixed, "float32 and complex64")])
def test_other_numbers_have_no_kernel(kind, dtypes):
    cell = kind(2, 5, key=jax.random.key(0))
    for shape in ((T, 2), (B, T, 2)):
        assert dtypes in why_no_kernel(cell, random_inputs(*shape), cell.initial_state())


def test_double_precision_scans(x64):
    for cell in (random_cell("lru"), random_cell("minlstm")):
        assert "throughtime_linear" not in program(cell, jnp.ones((B, T, cell.inputs)))
        assert "throughtime_linear" not in program(cell, jnp.ones((B, T, cell.inputs), jnp.float32))


def test_no_derivative_in_forward_mode():
    cell = random_cell("mingru")
    xs = random_inputs(T, cell.inputs)
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jacfwd(lambda xs: tt.unroll(cell, xs)[1])(xs)
    with off():
        slow = jax.jacfwd(lambda xs: tt.unroll(cell, xs)[1])(xs)
    assert_same(jax.jacrev(lambda xs: tt.unroll(cell, xs)[1])(xs), slow)


@settings(max_examples=20)
@given(
    st.lists(st.lists(st.integers(1, 4), max_size=4).map(tuple), min_size=3, max_size=3).filter(
        lambda shapes: len(set(shapes)) > 1 or len(shapes[0]) < 2
    ),
    st.sampled_from(list(LINEAR)),
)
def test_shapes_that_do_not_fit_are_an_error(shapes, dtype):
    a, c = (np.ones(shape, dtype) for shape in shapes[:2])
    run = jax.ffi.ffi_call(LINEAR[dtype], jax.ShapeDtypeStruct(shapes[2], jnp.dtype(dtype)))
    with pytest.raises(jax.errors.JaxRuntimeError, match="throughtime: the shapes of a, c and the states do not fit"):
        jax.block_until_ready(run(a, c, reverse=np.bool_(False), late=np.bool_(False)))
