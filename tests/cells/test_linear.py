"""Cells that are linear in their state: parallel scan and native recurrence against the sequential scan."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract import random_cell, random_inputs

import throughtime as tt
from throughtime.kernels.library import available, off
from throughtime.kernels.linear import native_recurrence
from throughtime.recurrence.scans import linear_scan, parallel_recurrence, sequential_scan

LINEAR = ["mingru", "minlstm", "lru"]
T = 7
parallel, native = partial(linear_scan, parallel_recurrence), partial(linear_scan, native_recurrence)
SCANS = [parallel, pytest.param(native, marks=pytest.mark.skipif(not available(), reason=available().why))]


def a_state(cell):
    return jax.tree.map(lambda leaf: random_inputs(*leaf.shape, seed=5), cell.initial_state())


@eqx.filter_jit
def gradients(scan, cell, state, xs, mask, reverse):
    def energy(arguments):
        results = scan(*arguments, mask, reverse)
        return sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(results))

    return eqx.filter_grad(energy)((cell, state, xs))


def assert_close(came, expected):
    assert jax.tree.structure(came) == jax.tree.structure(expected)
    jax.tree.map(lambda new, old: np.testing.assert_allclose(new, old, rtol=2e-5, atol=2e-5), came, expected)


@pytest.mark.parametrize("scan", SCANS, ids=["parallel", "native"])
@pytest.mark.parametrize("name", LINEAR)
@settings(max_examples=10)
@given(mask=st.lists(st.booleans(), min_size=T, max_size=T), reverse=st.booleans())
def test_all_at_once_equals_step_by_step_under_any_mask(name, scan, mask, reverse):
    cell, mask = random_cell(name), jnp.asarray(mask)
    xs = jnp.where(mask[:, None], random_inputs(T, cell.inputs), jnp.nan)
    arguments = cell, a_state(cell), xs, mask, reverse
    assert_close(eqx.filter_jit(scan)(*arguments), eqx.filter_jit(sequential_scan)(*arguments))
    assert_close(gradients(scan, *arguments), gradients(sequential_scan, *arguments))


@pytest.mark.parametrize("steps", [0, 1, 33])
@pytest.mark.parametrize("scan", SCANS, ids=["parallel", "native"])
@pytest.mark.parametrize("name", LINEAR)
def test_all_at_once_equals_step_by_step_at_any_length(name, scan, steps):
    cell = random_cell(name)
    arguments = cell, a_state(cell), random_inputs(steps, cell.inputs), None, False
    assert_close(eqx.filter_jit(scan)(*arguments), eqx.filter_jit(sequential_scan)(*arguments))


@pytest.mark.parametrize("name", LINEAR)
def test_without_a_kernel_one_sequence_is_scanned_in_parallel(name):
    """The program has no loop; that of a batch on a CPU has one."""
    cell = random_cell(name)
    with off():
        one = str(jax.make_jaxpr(lambda xs: tt.unroll(cell, xs)[1])(random_inputs(T, cell.inputs)))
        batch = str(jax.make_jaxpr(lambda xs: tt.unroll(cell, xs)[1])(random_inputs(2, T, cell.inputs)))
    assert "scan[" not in one
    assert "scan[" in batch


def test_lru_starts_in_its_ring():
    cell = tt.LRU(3, 400, radii=(0.5, 0.8), largest_phase=1.0, key=jax.random.key(2))
    a, c = cell.coefficients(cell.project(random_inputs(3)))
    assert np.abs(a).min() >= 0.5
    assert np.abs(a).max() <= 0.8
    assert np.mean(np.abs(a) ** 2) == pytest.approx((0.5**2 + 0.8**2) / 2, rel=0.05)  # uniform in area
    assert 0 <= np.angle(a).min() < 0.05
    assert 0.95 < np.angle(a).max() <= 1.0
    assert c.shape == (400,)


def test_lru_holds_the_variance_of_its_memory():
    """The purpose of gamma: white noise of variance 1 in both parts gives a memory of variance 2, for any |lam|."""
    cell = tt.LRU(2, 3, radii=(0.6, 0.95), key=jax.random.key(2))
    cell = eqx.tree_at(lambda cell: cell.w_x, cell, jnp.asarray([[1.0, 0.0]] * 3 + [[0.0, 1.0]] * 3 + [[0.0, 0.0]] * 3))
    a, c = cell.coefficients(cell.project(random_inputs(20000, 2)))

    def after(first, then):
        return then[0] * first[0], then[0] * first[1] + then[1]

    memory = jax.jit(lambda a, c: jax.lax.associative_scan(after, (a, c))[1])(a, c)
    np.testing.assert_allclose(jnp.mean(jnp.abs(memory[500:]) ** 2, axis=0), 2.0, rtol=0.1)


def test_a_shut_minlstm_is_finite():
    """Both gates underflow in float32; their ratio must not become 0 / 0."""
    cell = random_cell("minlstm")
    cell = eqx.tree_at(lambda cell: cell.b, cell, jnp.full_like(cell.b, -200.0))
    _, ys = tt.unroll(cell, random_inputs(T, cell.inputs))
    assert np.isfinite(ys).all()


@pytest.mark.parametrize(("f", "i"), [(-200, -201), (-300, -100), (-100, -300), (0, -90), (-90, 0), (200, 200), (0, 3)])
def test_minlstm_never_divides_by_zero(f, i):
    """Shares of gates that underflow in float32 equal those computed from logarithms in double precision."""
    ratio = np.logaddexp(0.0, -i) - np.logaddexp(0.0, -f)
    share = 1 / (1 + np.exp(-ratio))
    cell, gx = random_cell("minlstm"), jnp.repeat(jnp.array([f, i, 2.0]), 4)
    a, c = cell.coefficients(gx)
    np.testing.assert_allclose(a, share, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(c, 2 * (1 - share), rtol=1e-6, atol=2e-7)
    slopes = jax.jacobian(cell.coefficients)(gx)
    assert all(np.isfinite(slope).all() for slope in slopes)
    by_f = share * (1 - share) / (1 + np.exp(f))  # of a sigmoid of log f - log i
    np.testing.assert_allclose(slopes[0][0, 0], by_f, rtol=1e-5, atol=1e-7)
