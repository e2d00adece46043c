"""The last output of masked sequences."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import throughtime as tt
from throughtime.layers import last_output

T, D, H = 6, 2, 4
ROWS = {"whole": 6, "short": 3, "one": 1, "none": 0}


@pytest.mark.parametrize("cell", [tt.Elman, tt.GRU, tt.LSTM, tt.SLSTM, tt.LRU, tt.MinGRU, tt.LEM, tt.Antisymmetric])
def test_it_is_the_output_of_the_last_step_with_an_input(cell):
    """Varied: every cell, also those whose output is no state; lengths; padding at either end; gaps; one sequence."""
    cell = cell(D, H, key=jax.random.key(3))
    xs = np.random.default_rng(4).normal(size=(len(ROWS), T, D)).astype(np.float32)
    unroll = eqx.filter_jit(tt.unroll)
    late = np.arange(T)[None] < np.array(list(ROWS.values()))[:, None]
    for mask in (late, late[:, ::-1], late & (np.arange(T) != 2)[None]):
        _, ys = unroll(cell, jnp.asarray(xs), mask=jnp.asarray(mask))
        last = last_output(ys, mask)
        assert last.shape == (len(ROWS), H)
        for row in range(3):
            # The inputs alone, and the others behind them, which keeps the shape and so the program.
            first = np.concatenate([xs[row][mask[row]], xs[row][~mask[row]]])
            expected = unroll(cell, jnp.asarray(first))[1][mask[row].sum() - 1]
            np.testing.assert_allclose(last[row], expected, rtol=1e-5, atol=1e-6)
            np.testing.assert_array_equal(last_output(ys[row], mask[row].tolist()), last[row])
        np.testing.assert_array_equal(last[3], 0)
    np.testing.assert_array_equal(last_output(np.asarray(ys)), ys[:, -1])


def test_its_derivatives_are_those_of_the_chosen_steps():
    """Varied: an early, a late and no last step; forward and reverse mode. NaN at other steps does not matter."""
    mask = np.arange(T) < np.array([[2], [T], [0]])
    ys = np.where(mask[..., None], np.random.default_rng(5).normal(size=(3, T, H)), np.nan)
    expected = np.zeros((3, H, 3, T, H))
    for unit in range(H):
        expected[0, unit, 0, 1, unit] = expected[1, unit, 1, T - 1, unit] = 1
    for jacobian in (jax.jacfwd, jax.jacrev):
        np.testing.assert_array_equal(jacobian(lambda ys: last_output(ys, mask))(jnp.asarray(ys)), expected)


def test_masks_that_do_not_fit_are_refused():
    ys = np.zeros((3, T, H))
    for mask, code in ((np.ones(T, bool), "wrong-mask-shape"), (np.ones((3, T)), "wrong-mask-dtype")):
        with pytest.raises(tt.InputError) as caught:
            last_output(ys, mask)
        assert caught.value.code == code
    with pytest.raises(tt.InputError) as caught:
        last_output(np.zeros(H))
    assert (caught.value.code, caught.value.found) == ("wrong-shape", (H,))
    assert last_output(np.zeros((3, 0, H))).shape == (3, H)
