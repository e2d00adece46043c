"""Noise in training, a separate draw for each sequence, and none at inference."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.contract import random_cell, random_inputs

import throughtime as tt
from throughtime.layers.noise import draw_cells, unroll_drawn

KEY = jax.random.key(21)
RATE = 0.3
B, T = 3, 5
run = eqx.filter_jit(tt.unroll)


@pytest.fixture(scope="module")
def zoneout() -> tt.Zoneout:
    return tt.Zoneout(random_cell("lstm"), RATE)


@eqx.filter_jit
def states(cell, xs):
    """Return the state after every step."""
    return jax.lax.scan(lambda state, gx: (cell.step(state, gx)[0],) * 2, cell.initial_state(), cell.project(xs))[1]


def test_a_draw_of_zoneout_keeps_a_unit_or_moves_it(zoneout):
    draw, xs = zoneout.draw(KEY), random_inputs(200, zoneout.inputs)
    after = states(draw, xs).cell
    before = jax.tree.map(lambda leaf: jnp.concatenate([jnp.zeros_like(leaf[:1]), leaf[:-1]]), after)
    updated, _ = jax.vmap(zoneout.cell.step)(before, zoneout.cell.project(xs))
    kept = {}
    for name in ("h", "c"):
        old, new, drawn = (np.asarray(getattr(state, name)) for state in (before, updated, after))
        kept[name] = drawn == old
        np.testing.assert_allclose(drawn, np.where(kept[name], old, new), atol=1e-6)
        assert kept[name].mean() == pytest.approx(RATE, abs=0.05)  # 1400 units: 4 standard deviations
        assert (kept[name].mean(axis=0) < 0.5).all()
    assert (kept["h"] & kept["c"]).mean() == pytest.approx(RATE**2, abs=0.03)  # independent noise


def test_zoneout_at_inference_is_the_expectation_of_a_step(zoneout):
    state = jax.tree.map(lambda leaf: random_inputs(*leaf.shape, seed=2), zoneout.initial_state())
    gx = zoneout.project(random_inputs(zoneout.inputs))

    @jax.jit
    @jax.vmap
    def one(key):
        draw = zoneout.draw(key)
        return draw.step(draw.initial_state()._replace(cell=state), gx)

    states, ys = one(jax.random.split(KEY, 4000))
    expected, expected_y = zoneout.step(state, gx)
    np.testing.assert_allclose(states.cell.c.mean(0), expected.c, atol=0.05)
    np.testing.assert_allclose(ys.mean(0), expected_y, atol=0.05)
    np.testing.assert_array_equal(ys, states.cell.h)


def test_a_draw_of_dropout_zeros_columns():
    cell = random_cell("gru")
    dropout = tt.VariationalDropout(cell, RATE)
    draws = jax.vmap(dropout.draw)(jax.random.split(KEY, 500))
    assert type(draws) is tt.GRU
    rows = {}
    for name in ("w_x", "w_h"):
        drawn, full = np.asarray(getattr(draws, name)), np.asarray(getattr(cell, name))
        dropped = (drawn == 0).all(axis=1)
        np.testing.assert_allclose(drawn, np.where(dropped[:, None], 0, full / (1 - RATE)), rtol=1e-6)
        assert dropped.mean() == pytest.approx(RATE, abs=0.06)
        rows[name] = dropped
    assert (rows["w_x"] & rows["w_h"][:, : cell.inputs]).mean() == pytest.approx(RATE**2, abs=0.04)
    np.testing.assert_array_equal(draws.b[0], cell.b)
    np.testing.assert_array_equal(draws.b_h[0], cell.b_h)


def test_dropout_of_a_cell_without_w_h_drops_inputs():
    cell = random_cell("mingru")
    draw = tt.VariationalDropout(cell, 0.5).draw(jax.random.key(3))
    dropped = (np.asarray(draw.w_x) == 0).all(axis=0)
    assert 0 < dropped.sum() < cell.inputs
    np.testing.assert_array_equal(draw.w_x, np.where(dropped, 0, 2 * np.asarray(cell.w_x)))
    assert isinstance(draw, tt.LinearCell)


def test_dropout_at_inference_is_the_inner_cell():
    cell, xs = random_cell("gru"), random_inputs(T, 2)
    np.testing.assert_allclose(run(tt.VariationalDropout(cell, RATE), xs)[1], run(cell, xs)[1], rtol=1e-5, atol=1e-6)


def test_each_sequence_has_its_own_draw(zoneout):
    """As the module's docstring shows, on three times the same sequence."""
    xs = jnp.broadcast_to(random_inputs(1, T, zoneout.inputs), (B, T, zoneout.inputs))
    mask = jnp.arange(T)[None] < jnp.array([[2], [5], [4]])
    through, keys = eqx.filter_jit(unroll_drawn), jax.random.split(KEY, B)
    state, ys = through(zoneout, xs, mask=mask, key=KEY)
    assert np.abs(ys[0, :2] - ys[1, :2]).max() > 1e-3
    np.testing.assert_array_equal(state.t, [2, 5, 4])
    state, ys = through(zoneout, xs, state, mask=mask, key=KEY)
    one_by_one = jax.vmap(lambda key, x, s, m: tt.unroll(zoneout.draw(key), x, s, mask=m))
    first, _ = jax.jit(one_by_one)(keys, xs, jax.vmap(lambda key: zoneout.draw(key).initial_state())(keys), mask)
    expected_state, expected = jax.jit(one_by_one)(keys, xs, first, mask)
    np.testing.assert_allclose(ys, expected, atol=1e-6)
    np.testing.assert_allclose(state.cell.c, expected_state.cell.c, atol=1e-6)


def test_random_cells_inside_others_are_drawn_separately():
    inner = tt.VariationalDropout(tt.LSTM(4, 4, key=jax.random.key(1)), 0.5)
    first, second = draw_cells([tt.Residual(inner), tt.Residual(inner)], key=KEY)
    assert type(first) is tt.Residual
    assert type(first.cell) is tt.LSTM
    assert not np.array_equal(first.cell.w_h, second.cell.w_h)
    both = draw_cells(tt.VariationalDropout(tt.LayerNorm(tt.Zoneout(random_cell("lstm"), 0.5)), 0.5), key=KEY)
    assert type(both.cell).__name__ == "ZoneoutDraw"
    assert (np.asarray(both.w_h) == 0).all(axis=0).any()


def test_a_network_draws_if_it_has_a_key(zoneout):
    network = tt.RecurrentNetwork(zoneout, 2, key=jax.random.key(1))
    xs = random_inputs(B, T, zoneout.inputs)
    through = eqx.filter_jit(lambda network, xs, key: network(xs, key=key)[1])
    _, ys = eqx.filter_jit(unroll_drawn)(zoneout, xs, key=KEY)
    np.testing.assert_allclose(through(network, xs, KEY), jax.vmap(jax.vmap(network.readout))(ys), atol=1e-6)
    _, at_inference = run(zoneout, xs)
    np.testing.assert_allclose(through(network, xs, None), jax.vmap(jax.vmap(network.readout))(at_inference), atol=1e-6)
    assert through(network, xs[0], KEY).shape == (T, 2)


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
@pytest.mark.parametrize("wrapper", [tt.Zoneout, tt.VariationalDropout])
def test_a_rate_is_a_probability(wrapper, rate):
    with pytest.raises(tt.InputError) as caught:
        wrapper(random_cell("gru"), rate)
    assert caught.value.code == "wrong-rate"
    np.testing.assert_equal(caught.value.found, rate)


def test_cells_that_cannot_be_wrapped(zoneout):
    with pytest.raises(tt.InputError) as caught:
        tt.Zoneout(random_cell("slstm"), RATE)
    assert (caught.value.code, caught.value.found) == ("wrong-state", ("h", "c", "n", "m"))
    with pytest.raises(tt.InputError) as caught:
        tt.Zoneout(tt.LayerNorm(zoneout), RATE)
    assert caught.value.code == "nested-noise"
    with pytest.raises(tt.InputError) as caught:
        tt.VariationalDropout(tt.Residual(tt.GRU(2, 2, key=KEY)), RATE)
    assert (caught.value.code, caught.value.found) == ("wrong-cell", "Residual")
    assert str(caught.value) == (
        "VariationalDropout got a Residual, which computes its w_x: expected a cell that holds its w_x; "
        "write Residual(VariationalDropout(cell, rate))"
    )
