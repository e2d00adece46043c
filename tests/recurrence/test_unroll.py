"""Unrolling against a Python loop over the steps: values, states and gradients, with masks and both directions."""

import inspect
import time

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.contract import random_cell, random_inputs

import throughtime as tt

B, T = 3, 6
CELL = random_cell("lstm")  # a cell with two arrays in its state; the contracts run all cells
D, H = CELL.inputs, CELL.hidden
XS = random_inputs(B, T, D)
unroll = eqx.filter_jit(tt.unroll)
plain_unroll = inspect.unwrap(tt.unroll)  # the type checker of the tests would refuse wrong arguments first


@eqx.filter_jit
def step(cell, state, x):
    return cell.step(state, cell.project(x))


def looped(cell, xs, state, mask, reverse=False):
    """Return the results of a Python loop over one sequence, which never computes masked steps."""
    ys = np.zeros((len(xs), cell.hidden), np.float32)
    for t in reversed(range(len(xs))) if reverse else range(len(xs)):
        if mask[t]:
            state, ys[t] = step(cell, state, xs[t])
    return state, ys


def at(b, tree):
    """Return sequence b of a batch."""
    return jax.tree.map(lambda leaf: np.asarray(leaf)[b], tree)


def assert_close(came, expected):
    assert jax.tree.structure(came) == jax.tree.structure(expected)
    jax.tree.map(lambda new, old: np.testing.assert_allclose(new, old, rtol=1e-5, atol=1e-6), came, expected)


masks = arrays(bool, (B, T))
STATES = jax.tree.map(lambda leaf: random_inputs(B, *leaf.shape, seed=7), CELL.initial_state())


@settings(max_examples=25)
@given(mask=masks, reverse=st.booleans())
def test_any_mask_equals_the_loop(mask, reverse):
    xs = jnp.asarray(np.where(mask[..., None], XS, np.float32(np.nan)))
    came = unroll(CELL, xs, STATES, mask=jnp.asarray(mask), reverse=reverse)
    for b in range(B):
        assert_close(at(b, came), looped(CELL, at(b, xs), at(b, STATES), mask[b], reverse))


@settings(max_examples=25)
@given(mask=masks, filler=arrays(np.float32, (B, T, D), elements=st.floats(width=32, allow_subnormal=False)))
def test_masked_inputs_change_nothing(mask, filler):
    """Neither outputs nor state nor gradient change by a bit, for infinities, NaN and huge numbers."""
    filled = jnp.asarray(np.where(mask[..., None], XS, filler))
    for run in (results, gradients):
        came, expected = run(CELL, filled, jnp.asarray(mask)), run(CELL, XS, jnp.asarray(mask))
        jax.tree.map(np.testing.assert_array_equal, came, expected)


@eqx.filter_jit
def results(cell, xs, mask):
    return tt.unroll(cell, xs, mask=mask)


@eqx.filter_jit
def gradients(cell, xs, mask):
    def loss(arguments):
        state, ys = tt.unroll(*arguments, mask=mask)
        return sum(jnp.sum(jnp.sin(leaf)) for leaf in jax.tree.leaves((state, ys)))

    return eqx.filter_grad(loss)((cell, xs))


def test_without_a_mask_every_step_counts():
    all_steps = jnp.ones((B, T), bool)
    for reverse in (False, True):
        came = unroll(CELL, XS, STATES, reverse=reverse)
        assert_close(came, unroll(CELL, XS, STATES, mask=all_steps, reverse=reverse))


def test_a_reversed_run_continues_from_the_state_of_the_later_part():
    mask = jnp.asarray([True, False, True, True, False, True])
    state, late = unroll(CELL, XS[0, 2:], mask=mask[2:], reverse=True)
    state, early = unroll(CELL, XS[0, :2], state, mask=mask[:2], reverse=True)
    assert_close((state, np.concatenate([early, late])), unroll(CELL, XS[0], mask=mask, reverse=True))


def test_a_batch_starts_each_sequence_from_the_initial_state():
    zeros = jax.tree.map(jnp.zeros_like, STATES)
    assert_close(unroll(CELL, XS), unroll(CELL, XS, zeros))


@pytest.mark.parametrize("reverse", [False, True])
def test_zero_steps_keep_the_state(reverse):
    after, ys = unroll(CELL, XS[:, :0], STATES, reverse=reverse)
    jax.tree.map(np.testing.assert_array_equal, after, STATES)
    assert ys.shape == (B, 0, H)


def test_one_step_is_step():
    state, y = CELL.step(CELL.initial_state(), CELL.project(XS[0, 0]))
    assert_close(unroll(CELL, XS[0, :1]), (state, y[None]))


def test_an_empty_batch():
    state, ys = unroll(CELL, XS[:0])
    assert ys.shape == (0, T, H)
    assert {leaf.shape for leaf in jax.tree.leaves(state)} == {(0, H)}


def test_a_sequence_without_observations_has_no_gradient():
    for leaf in jax.tree.leaves(gradients(CELL, jnp.full((B, T, D), jnp.nan), jnp.zeros((B, T), bool))):
        np.testing.assert_array_equal(leaf, np.zeros(leaf.shape))


def test_gradients_of_a_padded_batch_are_those_of_its_sequences():
    """Masked inputs are NaN; the gradient by the weights is the sum over sequences."""
    lengths = [4, 6, 1]
    mask = np.arange(T) < np.array(lengths)[:, None]
    by_cell, by_xs = gradients(CELL, jnp.asarray(np.where(mask[..., None], XS, np.float32(np.nan))), jnp.asarray(mask))
    singles = [gradients(CELL, XS[b, :length], None) for b, length in enumerate(lengths)]
    assert_close(by_cell, jax.tree.map(lambda *leaves: sum(leaves), *(single for single, _ in singles)))
    for b, length in enumerate(lengths):
        assert_close(by_xs[b, :length], singles[b][1])
        np.testing.assert_array_equal(by_xs[b, length:], np.zeros((T - length, D)))


def test_reverse_leaves_outputs_at_the_place_of_their_inputs():
    """The last output depends on one input only, the first one on all."""
    _, ys = unroll(CELL, XS[0], reverse=True)
    _, changed = unroll(CELL, XS[0].at[0].add(1.0), reverse=True)
    np.testing.assert_array_equal(ys[1:], changed[1:])
    assert not np.isclose(ys[0], changed[0]).all()
    _, first = step(CELL, CELL.initial_state(), XS[0, -1])
    np.testing.assert_allclose(ys[-1], first, rtol=1e-5)


def test_vmap_over_an_ensemble_of_cells():
    """Weights with a leading axis, as in training many networks at once."""
    cells = [random_cell("lstm", seed) for seed in range(B)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *cells)
    came = jax.jit(jax.vmap(lambda cell: tt.unroll(cell, XS[0])))(stacked)
    for n, cell in enumerate(cells):
        assert_close(at(n, came), unroll(cell, XS[0]))


def test_numpy_arrays_are_accepted():
    mask = np.array([1, 0, 1, 1, 0, 1], bool)
    assert_close(plain_unroll(CELL, np.asarray(XS[0]), mask=mask), unroll(CELL, XS[0], mask=jnp.asarray(mask)))


ZEROS = jnp.zeros
GRU = random_cell("gru")  # D = 2, H = 4
OWN = ("GRUState", [(4,)])


@pytest.mark.parametrize(
    ("xs", "state", "mask", "code", "found", "expected"),
    [
        ((T, 3), None, None, "wrong-shape", (6, 3), "(T, 2) or (B, T, 2)"),
        ((2,), None, None, "wrong-shape", (2,), "(T, 2) or (B, T, 2)"),
        ((B, T, 1, 2), None, None, "wrong-shape", (3, 6, 1, 2), "(T, 2) or (B, T, 2)"),
        ((T, 2), None, ZEROS(T + 1, bool), "wrong-mask-shape", (7,), (6,)),
        ((B, T, 2), None, ZEROS(T, bool), "wrong-mask-shape", (6,), (3, 6)),
        ((T, 2), None, ZEROS((T, 1), bool), "wrong-mask-shape", (6, 1), (6,)),
        ((T, 2), None, ZEROS(T), "wrong-mask-dtype", "float32", "bool"),
        ((T, 2), tt.GRUState(ZEROS(5)), None, "wrong-state", ("GRUState", [(5,)]), OWN),
        ((T, 2), tt.ElmanState(ZEROS(4)), None, "wrong-state", ("ElmanState", [(4,)]), OWN),
        ((T, 2), ZEROS(4), None, "wrong-state", ("ArrayImpl", [(4,)]), OWN),
        ((B, T, 2), tt.GRUState(ZEROS(4)), None, "wrong-state", OWN, ("GRUState", [(3, 4)])),
        ((T, 2), tt.GRUState(ZEROS((1, 4))), None, "wrong-state", ("GRUState", [(1, 4)]), OWN),
        ((T, 2), ZEROS(T, bool), None, "mask-as-state", "ArrayImpl", "state"),
        ((T, 2), (ZEROS((), bool), ZEROS(4)), None, "wrong-state", ("tuple", [(), (4,)]), OWN),  # no mask
    ],
)
def test_arguments_that_do_not_fit(xs, state, mask, code, found, expected):
    with pytest.raises(tt.InputError) as error:
        plain_unroll(GRU, ZEROS(xs), state, mask=mask)
    assert (error.value.code, error.value.found, error.value.expected) == (code, found, expected)


@pytest.mark.parametrize(
    ("xs", "state", "mask", "message"),
    [
        ((T, 3), None, None, "xs has shape (6, 3): expected (T, 2) or (B, T, 2) for a cell of 2 inputs"),
        ((T, 2), None, ZEROS(7, bool), "mask has shape (7,): expected (6,), one value for each step of xs"),
        ((T, 2), None, ZEROS(T), "mask has dtype float32: expected bool, True where xs holds an input"),
        (
            (T, 2),
            tt.ElmanState(ZEROS(5)),
            None,
            "state is a ElmanState with shapes [(5,)]: expected a GRUState with shapes [(4,)], as unroll returns it "
            "for the same cell and batch",
        ),
    ],
)
def test_messages(xs, state, mask, message):
    with pytest.raises(tt.InputError) as error:
        plain_unroll(GRU, ZEROS(xs), state, mask=mask)
    assert str(error.value) == message


def test_the_type_checker_of_the_tests_is_on():
    with pytest.raises(TypeError, match="unroll"):
        tt.unroll(random_cell("gru"), jnp.zeros((T, 2), jnp.int32))


@pytest.mark.slow
def test_time_grows_with_the_number_of_steps():
    """Some releases of jaxlib stack the small outputs of a scan in quadratic time: four times as long for 2T."""
    cell = tt.Elman(1, 2, key=jax.random.key(0))

    def seconds(steps: int) -> float:
        xs = random_inputs(steps, 1)
        jax.block_until_ready(unroll(cell, xs))
        started = time.perf_counter()
        jax.block_until_ready(unroll(cell, xs))
        return time.perf_counter() - started

    ratios = [seconds(100_000) / seconds(50_000) for _ in range(5)]
    assert min(ratios) < 3, ratios
