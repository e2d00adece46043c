"""Layer normalization beyond its equations: its purpose."""

import equinox as eqx
import jax
import numpy as np
import pytest
from tests.contract import random_cell, random_inputs

import throughtime as tt


def test_the_size_of_the_weights_does_not_matter():
    """A thousand times the weights would saturate every gate of the inner cell."""
    cell = tt.LayerNorm(random_cell("lstm"))
    scaled = eqx.tree_at(lambda cell: (cell.cell.w_x, cell.cell.w_h), cell, replace_fn=lambda w: 1000 * w)
    xs, run = random_inputs(5, cell.inputs), eqx.filter_jit(tt.unroll)
    plain = run(cell.cell, xs)[1]
    assert np.abs(run(scaled.cell, xs)[1] - plain).max() > 0.1
    np.testing.assert_allclose(run(scaled, xs)[1], run(cell, xs)[1], atol=0.01)  # epsilon is small, not zero


def test_gains_start_at_one():
    cell = tt.LayerNorm(tt.GRU(2, 3, key=jax.random.key(0)))
    for gain in (cell.gain_x, cell.gain_h):
        np.testing.assert_array_equal(gain, np.ones(9, np.float32))


def test_its_gates_are_shown_and_their_slopes_unknown():
    cell = tt.LayerNorm(random_cell("gru"))
    gx = cell.project(random_inputs(cell.inputs))
    _, y = cell.step(cell.initial_state(), gx)
    _, z, n = cell.gates(cell.initial_state(), gx)
    np.testing.assert_allclose(y, (1 - z) * n, rtol=1e-6)
    assert cell.slopes == (None, None, None)


@pytest.mark.parametrize("name", ["mingru", "lem"])
@pytest.mark.parametrize("wrap", [tt.LayerNorm, lambda cell: tt.BatchNorm(cell, 3), lambda cell: tt.Zoneout(cell, 0.1)])
def test_a_cell_without_one_recurrent_product_is_refused(name, wrap):
    cell = random_cell(name)
    with pytest.raises(tt.InputError) as caught:
        wrap(cell)
    assert (caught.value.code, caught.value.found, caught.value.expected) == (
        "wrong-cell",
        type(cell).__name__,
        "MatrixCell",
    )
