"""Outputs, last states and gradients of a kernel equal those of the scan."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract import random_inputs
from tests.kernels.compare import CELLS, assert_same, both, cell_of, forward_and_back, padded, state_of

import throughtime as tt
from throughtime.kernels.support import why_no_kernel

SHAPES = [  # B, T, D, H: all different, H a multiple of the vector's length only once
    (1, 6, 2, 13),
    (3, 7, 5, 9),
    (37, 4, 1, 19),  # whole vectors of rows, and a part of one
    (33, 3, 2, 21),  # and a single row more, for vectors of any length
    (18, 3, 20, 17),  # at least as many inputs as a vector has lanes
    (16, 70, 2, 5),  # more steps than one product for the weights takes
    (5, 3, 20, 16),
    (2, 1, 3, 4),
    (2, 0, 3, 4),
    (0, 3, 2, 4),
    (4, 140, 1, 3),
]


def mask_of(B, T, seed=5):
    """Return a mask that differs between sequences; the first has all steps, the last has none."""
    mask = np.random.default_rng(seed).random((B, T)) < 0.6
    mask[:1], mask[1:][-1:] = True, False
    return jnp.asarray(mask)


@pytest.mark.parametrize(
    ("name", "shape"),
    [(name, shape) for name in ("lstm", "gru", "elman-tanh") for shape in SHAPES]
    + [("elman-relu", SHAPES[3])]
    + [(name, SHAPES[2]) for name in CELLS if name not in ("lstm", "gru", "elman-tanh")],
    ids=str,
)
def test_outputs_states_and_gradients(name, shape):
    B, T, D, H = shape
    cell, xs = cell_of(name, D, H), random_inputs(B, T, D)
    state = state_of(cell, B)
    assert why_no_kernel(cell, xs, state) is None
    assert_same(*both(forward_and_back(), cell, state, xs))


@pytest.mark.parametrize("name", ["lstm", "gru", "elman-sigmoid"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("B", [6, 21])
def test_masks_and_the_other_direction(name, reverse, masked, B):
    T, D, H = 9, 2, 11
    mask = mask_of(B, T) if masked else None
    cell, xs = cell_of(name, D, H), random_inputs(B, T, D)
    if masked:
        xs = jnp.where(mask[..., None], xs, jnp.nan)  # a masked input is not read
    assert_same(*both(forward_and_back(mask, reverse), cell, state_of(cell, B), xs))


@pytest.mark.parametrize(("name", "B", "reverse"), [("lstm", 37, False), ("gru", 37, True), ("elman-relu", 18, True)])
def test_sequences_of_different_lengths(name, B, reverse):
    """They run in an order of their own, groups of 16 and a rest, and more steps than one product for the weights."""
    T, D, H = 41, 3, 15
    mask = padded(B, T=T)
    cell, xs = cell_of(name, D, H), jnp.where(mask[..., None], random_inputs(B, T, D), jnp.nan)
    assert_same(*both(forward_and_back(mask, reverse), cell, state_of(cell, B), xs))


@pytest.mark.parametrize("name", ["lstm", "gru", "elman-relu"])
def test_one_sequence(name):
    cell, xs = cell_of(name, 3, 10), random_inputs(8, 3)
    assert_same(*both(forward_and_back(), cell, state_of(cell), xs))


@pytest.mark.parametrize(
    ("name", "H"),
    [("lstm", 150), ("gru", 150), ("elman-tanh", 150), ("elman-relu", 150)]  # more than one panel
    + [("elman-relu", H) for H in (62, 64, 65, 126)],  # zeros are skipped in blocks of 64
)
def test_one_sequence_of_many_units(name, H):
    T, D = 5, 1
    mask = jnp.asarray([True, False, True, True, False])
    cell = cell_of(name, D, H)
    assert_same(*both(forward_and_back(mask, reverse=True), cell, state_of(cell), random_inputs(T, D)))


@pytest.mark.parametrize("name", ["lstm", "gru", "elman-tanh", "elman-relu"])
def test_old_numbers_in_scratch_memory_do_not_matter(name):
    """41 units leave lanes of a vector unused, which hold numbers of a cell of 150 units, run before."""
    T, D, H = 5, 1, 41
    before, xs = cell_of("lstm", D, 150), random_inputs(T, D)

    def run(cell, state, xs):
        earlier = jax.grad(lambda xs: jnp.sum(tt.unroll(before, xs)[1]))(10 * xs)
        return forward_and_back()(cell, state, xs + 0 * earlier)

    cell = cell_of(name, D, H)
    assert_same(*both(run, cell, state_of(cell), xs))


def test_units_that_are_all_zero():
    cell, xs = cell_of("elman-relu", 2, 70), random_inputs(6, 2)
    dead = eqx.tree_at(lambda cell: cell.b, cell, jnp.full(70, -100.0))
    fast, slow = both(forward_and_back(), dead, dead.initial_state(), xs)
    assert_same(fast, slow)
    assert not np.any(fast[1][1])  # the outputs


def test_nan_stays_nan_through_a_relu():
    cell, xs = cell_of("elman-relu", 2, 70), random_inputs(6, 2).at[2].set(jnp.nan)
    _, ys = tt.unroll(cell, xs)
    assert np.all(np.isfinite(ys[:2]))
    assert np.all(np.isnan(ys[2:]))


@pytest.mark.parametrize("bad", [jnp.inf, jnp.nan])
def test_a_weight_that_multiplies_only_zeros_of_a_relu_is_skipped(bad):
    """In a single sequence; a scan would multiply 0 by it."""
    cell, xs = cell_of("elman-relu", 1, 9), random_inputs(5, 1)
    dead = eqx.tree_at(lambda cell: (cell.b, cell.w_h), cell, (cell.b.at[4].set(-100), cell.w_h.at[:, 4].set(bad)))
    without = eqx.tree_at(lambda cell: cell.w_h, dead, dead.w_h.at[:, 4].set(0))
    np.testing.assert_array_equal(tt.unroll(dead, xs)[1], tt.unroll(without, xs)[1])


@settings(max_examples=12)
@given(
    name=st.sampled_from(sorted(CELLS)),
    sizes=st.tuples(st.integers(0, 40), st.integers(0, 12), st.integers(1, 18), st.integers(1, 40)),
    masked=st.booleans(),
    reverse=st.booleans(),
)
def test_any_shape(name, sizes, masked, reverse):
    B, T, D, H = sizes
    cell, xs = cell_of(name, D, H), random_inputs(B, T, D)
    mask = mask_of(B, T) if masked else None
    assert_same(*both(forward_and_back(mask, reverse), cell, state_of(cell, B), xs))


def test_many_rows_on_more_threads_than_one():
    """Enough work for a second thread, and parts of more rows than run together."""
    cell, xs = cell_of("lstm", 3, 30), random_inputs(270, 5, 3)
    assert_same(*both(forward_and_back(), cell, state_of(cell, 270), xs))


@pytest.mark.parametrize("name", ["lstm", "gru", "elman-elu"])
def test_only_some_of_the_results_are_used(name):
    """Inputs need no gradient, and some outputs have no cotangent: JAX passes symbolic zeros."""
    cell, xs = cell_of(name, 2, 7), random_inputs(4, 5, 2)
    last = jax.grad(lambda cell: jnp.sum(jax.tree.leaves(tt.unroll(cell, xs)[0])[-1] ** 2))
    outputs = jax.grad(lambda cell: jnp.sum(tt.unroll(cell, xs)[1][:, -1] ** 2))
    for gradient in (last, outputs):
        assert_same(*both(gradient, cell))


ACTIVATIONS = {
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": np.tanh,
    "elu": lambda a: np.where(a > 0, a, np.expm1(a)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_to_a_millionth(name):
    """One step of one input with weight 1 is the activation, to a relative error, for tiny values too."""
    small = np.geomspace(1e-30, 80, 4000)
    a = np.concatenate([-small[::-1], [0], small]).astype(np.float32)
    one = tt.Elman(1, 1, name, key=jax.random.key(0))
    cell = jax.tree.map(
        lambda leaf, value: jnp.full_like(leaf, value),
        one,
        jax.tree.unflatten(jax.tree.structure(one), [1.0, 0.0, 0.0]),
    )
    ys = np.asarray(tt.unroll(cell, jnp.asarray(a[:, None, None]))[1]).ravel()
    np.testing.assert_allclose(ys, ACTIVATIONS[name](a.astype(np.float64)), rtol=1e-6, atol=0)
