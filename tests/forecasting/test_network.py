"""The values that a forecast depends on, and those that it must not depend on."""

import equinox as eqx
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings

from throughtime.cells.catalog import CELLS
from throughtime.data.scaling import scale_values, unscale_values, window_level_scale
from throughtime.data.windows import Windows, padded_series, windows_at
from throughtime.forecasting.basis import bases
from throughtime.forecasting.dataset import Prepared
from throughtime.forecasting.design import Design
from throughtime.forecasting.infer import network_quantiles
from throughtime.forecasting.intervals import MEDIAN, QUANTILES, interval_columns
from throughtime.forecasting.network import ForecastNetwork
from throughtime.training.losses import masked_mean, pinball

B, F, LENGTH, PATCH = 3, 4, 15, 5
SEASONS = (8, 9)
DESIGNS = {  # one block of every cell; of one, two blocks
    **{name: Design(name, 6, F, LENGTH, PATCH, SEASONS, QUANTILES, blocks=1) for name in CELLS},
    "two blocks": Design("gru", 6, F, LENGTH, PATCH, SEASONS, QUANTILES, blocks=2),
}
WHOLE = ("minlstm", "two blocks")  # whose forecasts are looked at, not the blocks alone
REACH = DESIGNS["gru"].reach  # less than what windows could hold of the series below, more than the blocks read
P = 40
CUTOFFS = np.array([38, 29, 21])


def random_network(name, seed=0):
    """All weights drawn, the skip's too."""
    shapes = eqx.filter_eval_shape(ForecastNetwork, DESIGNS[name], key=jax.random.key(0))
    draw = np.random.default_rng(seed)
    return jax.tree.map(lambda w: jnp.asarray(draw.normal(0.0, w.shape[-1] ** -0.5, w.shape), w.dtype), shapes)


def series_of(values, observed=None):
    """One series, less none of its steps."""
    observed = np.ones(P, bool) if observed is None else observed
    return padded_series(values, observed, np.array([0]), np.array([P]), np.array([True]))


@eqx.filter_jit
def forecasts(network, series, cutoffs):
    """Quantiles (B, F, Q) in the data's units, of B cutoffs in the one series."""
    windows = windows_at(series, jnp.zeros_like(cutoffs), cutoffs, lookback=REACH, horizon=F)
    return unscale_values(*network(windows))


@pytest.fixture(scope="module")
def values():
    return np.random.default_rng(5).normal(3.0, 2.0, P).astype(np.float32)


def dependence(network, values):
    """(B, F, P) whether a step's forecast moves with a value."""
    at = jnp.asarray(CUTOFFS)
    plain = forecasts(network, series_of(values), at)
    moved = [forecasts(network, series_of(values + 0.5 * (np.arange(P) == p)), at) != plain for p in range(P)]
    return np.stack([np.asarray(quantiles).any(axis=2) for quantiles in moved], axis=2)


def test_what_a_design_makes():
    assert REACH == LENGTH + 1
    for name, design in DESIGNS.items():
        network = random_network(name)
        assert len(network.stack.layers) == 2 * design.blocks
        assert network.first_block.cell.hidden == 6
    assert DESIGNS["gru"]._replace(length=10, seasons=(2, 13)).reach == 13
    further = DESIGNS["gru"]._replace(history=33)
    assert (further.measured, further.reach) == (REACH, 33)
    assert DESIGNS["gru"]._replace(history=5).reach == REACH


@pytest.mark.parametrize("name", WHOLE)
def test_every_step_depends_on_the_whole_window_and_on_nothing_else(name, values):
    moved = dependence(random_network(name), values)
    place = np.arange(P)
    for b, cutoff in enumerate(CUTOFFS):
        read = (place >= cutoff - LENGTH) & (place < cutoff)
        assert moved[b][:, read].all()
        assert moved[b][:, cutoff - 1].all()  # the last observation, in step 1 too
        assert not moved[b][:, (place < cutoff - REACH) | (place >= cutoff)].any()


@pytest.mark.parametrize("name", DESIGNS)
def test_the_blocks_themselves_read_up_to_the_last_observation(name, values):
    """Level, scale, base and skip have no part in this."""
    network, windows = random_network(name), np.tile(values[:LENGTH], (LENGTH + 1, 1))
    windows[np.arange(LENGTH), np.arange(LENGTH)] += 0.5  # each changed in one place, the last as it was

    @eqx.filter_jit
    def last_output(network, values):
        return network.stack(network.embedded(values, jnp.ones_like(values, bool)))[1][:, -1]

    outputs = np.asarray(last_output(network, jnp.asarray(windows)))
    assert (outputs[:-1] != outputs[-1]).any(axis=1).all()


@pytest.mark.parametrize("name", WHOLE)
def test_what_lies_outside_the_reach_changes_no_bit(name, values):
    network, place = random_network(name), np.arange(P)
    for cutoff in CUTOFFS:
        near = (place >= cutoff - REACH) & (place < cutoff)
        changed = np.where(near, values, 1e9)
        at = jnp.full(B, cutoff)
        np.testing.assert_array_equal(
            forecasts(network, series_of(changed), at), forecasts(network, series_of(values), at)
        )


@pytest.mark.parametrize("name", WHOLE)
def test_the_head_reads_the_last_step_of_the_blocks(name):
    """The last two values change places: level, scale and all other steps stay, and the features are cut off."""
    past = np.random.default_rng(8).normal(size=(1, REACH)).astype(np.float32)
    past[:, -1 - SEASONS[0]] = past[:, -2 - SEASONS[0]]
    order = np.append(np.arange(REACH - 2), [REACH - 1, REACH - 2])
    network = random_network(name)
    features = jnp.where(jnp.arange(network.hidden.weight.shape[1]) < 6, network.hidden.weight, 0)
    network = eqx.tree_at(lambda n: n.hidden.weight, network, features)
    inside, empty = jnp.ones((2, REACH), bool), jnp.zeros((2, F))
    windows = Windows(jnp.asarray(np.concatenate([past, past[:, order]])), inside, inside, empty, empty > 0)
    raw, units = scaled_forecasts(network, windows)
    np.testing.assert_allclose(units.level[0], units.level[1], rtol=1e-6)
    np.testing.assert_allclose(units.scale[0], units.scale[1], rtol=1e-6)
    spread = raw - raw[..., [MEDIAN]]  # what the head says alone, without its location
    assert (np.abs(spread[0] - spread[1]).max(axis=-1) > 1e-3).all()


@eqx.filter_jit
def bases_of(windows):
    """In the windows' own units."""
    past = scale_values(windows.past, window_level_scale(windows, SEASONS[0], SEASONS[0]))
    return bases(past, windows.inside, SEASONS, F)


def test_where_skip_head_and_gate_say_nothing_the_forecast_is_the_mean_of_the_bases(values):
    network = random_network("two blocks")
    zeroed = lambda n: (n.head.weight, n.head.bias, n.skip.weight, n.gate.weight, n.gate.bias)  # noqa: E731
    network = eqx.tree_at(zeroed, network, replace_fn=jnp.zeros_like)
    windows = windows_at(series_of(values), jnp.zeros(B, int), jnp.asarray(CUTOFFS), lookback=REACH, horizon=F)
    scaled, simple = np.asarray(scaled_forecasts(network, windows)[0]), np.asarray(bases_of(windows))
    assert (np.diff(scaled, axis=-1) == 0).all()
    np.testing.assert_allclose(scaled[..., 0], simple.mean(axis=1), rtol=1e-4, atol=1e-5)


def test_training_starts_at_the_bases(model):
    network = ForecastNetwork(model.plan_.design, key=jax.random.key(3))
    assert not any(np.asarray(part).any() for part in (network.skip.weight, network.head.weight, network.head.bias))
    assert all(np.asarray(layer.weight).any() for layer in (network.embed, network.hidden, network.gate))
    assert all(np.asarray(layer.weight).any() for layer in (model.networks_[0].skip, model.networks_[0].head))


def test_a_history_beyond_the_window_enters_the_smoothing_and_no_unit(values):
    """The bases see it; the level and the scale, and so the units of the loss, are those of the window that is read."""
    design = DESIGNS["two blocks"]._replace(history=33)
    network = ForecastNetwork(design, key=jax.random.key(2))  # its forecasts are the bases
    changed = np.where(np.arange(P) < P - REACH, values + 3.0, values)

    @eqx.filter_jit
    def run(network, series):
        return network(windows_at(series, jnp.array([0]), jnp.array([P]), lookback=network.design.reach, horizon=F))

    (plain, units), (moved, others) = run(network, series_of(values)), run(network, series_of(changed))
    jax.tree.map(np.testing.assert_array_equal, units, others)
    assert (np.abs(plain - moved) > 1e-4).all()
    network = ForecastNetwork(DESIGNS["two blocks"], key=jax.random.key(2))
    jax.tree.map(np.testing.assert_array_equal, run(network, series_of(values)), run(network, series_of(changed)))


@eqx.filter_jit
def scaled_forecasts(network, windows):
    return network(windows)


@pytest.mark.parametrize("known", [1, 6, REACH - 1])
def test_padding_before_a_series_is_irrelevant(known):
    """A padded series gives the numbers of the shorter one, bit for bit."""
    inside = np.broadcast_to(np.arange(REACH) >= REACH - known, (B, REACH))
    past = np.random.default_rng(1).normal(size=(B, REACH)).astype(np.float32)
    empty = jnp.zeros((B, F))

    def run(filler):
        padded = jnp.asarray(np.where(inside, past, np.float32(filler)))
        return scaled_forecasts(
            random_network("two blocks"), Windows(padded, jnp.asarray(inside), jnp.asarray(inside), empty, empty > 0)
        )

    jax.tree.map(np.testing.assert_array_equal, run(0.0), run(1e6))
    assert np.isfinite(run(0.0)[0]).all()


@pytest.mark.parametrize("factor", [2.0, 2.0**-12])
def test_a_multiple_of_a_series_has_the_multiple_of_its_forecast(factor, values):
    network, at = random_network("two blocks"), jnp.asarray(CUTOFFS)
    plain = forecasts(network, series_of(values), at)
    np.testing.assert_array_equal(forecasts(network, series_of(factor * values), at), factor * plain)


def test_a_shifted_series_has_the_shifted_forecast(values):
    network, at = random_network("two blocks"), jnp.asarray(CUTOFFS)
    plain = forecasts(network, series_of(values), at)
    np.testing.assert_allclose(forecasts(network, series_of(values + 64), at), plain + 64, rtol=1e-4)


LEVELS = jnp.asarray(QUANTILES)


@eqx.filter_jit
@eqx.filter_value_and_grad
def training_loss(network, series):
    """Three windows, whose past is whole."""
    windows = windows_at(series, jnp.zeros(B, int), jnp.asarray([21, 22, 29]), lookback=REACH, horizon=F)
    windows = windows._replace(past=jnp.where(windows.past_observed, windows.past, 0))
    predicted, units = network(windows)
    losses = pinball(predicted, scale_values(windows.future, units), LEVELS).mean(axis=-1)
    return masked_mean(losses, windows.future_observed)


@pytest.mark.parametrize("hidden", [np.inf, np.nan, -1e30])
def test_a_missing_value_enters_neither_loss_nor_gradient(hidden, values):
    """Where a window's future was not observed, nothing depends on what stands there."""
    observed = np.ones(P, bool)
    observed[[22, 30]] = False
    network = random_network("gru")
    expected = training_loss(network, series_of(values, observed))
    actual = training_loss(network, series_of(np.where(observed, values, hidden), observed))
    jax.tree.map(np.testing.assert_array_equal, actual, expected)
    assert np.isfinite(expected[0])


def neither(count):
    """Return flags of series without logarithms and without a floor at zero."""
    return np.zeros(count, bool), np.zeros(count, bool)


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_quantiles_never_cross(seed):
    draw = np.random.default_rng(seed)
    values = draw.normal(size=P)
    series = padded_series(values, np.ones(P, bool), np.array([0, 15]), np.array([15, 25]), np.array([True, True]))
    network = random_network("gru", seed)
    quantiles = network_quantiles(
        (network,),
        Prepared(values, np.empty(0), np.array([5.0, -3.0]), np.array([2.0, 0.5]), series, *neither(2)),
        np.array([0, 1]),
        np.array([15, 20]),
    )
    assert quantiles.shape == (2, F, len(QUANTILES))
    assert (np.diff(quantiles, axis=-1) >= 0).all()
    columns = interval_columns(quantiles.reshape(-1, len(QUANTILES)), [80])
    assert (columns["throughtime-lo-80"] <= columns["throughtime"]).all()
    assert (columns["throughtime"] <= columns["throughtime-hi-80"]).all()
    np.testing.assert_array_equal(columns["throughtime"], quantiles[..., MEDIAN].ravel())


def test_many_series_are_forecast_in_parts(monkeypatch, values):
    """What bounds the memory changes no number, and a part that is not full is filled up and cut again."""
    count = 7
    series = padded_series(
        np.tile(values, count) * np.repeat(np.arange(1.0, count + 1), P),
        np.ones(count * P, bool),
        P * np.arange(count),
        np.full(count, P),
        np.ones(count, bool),
    )
    prepared = Prepared(
        np.empty(0), np.empty(0), np.arange(count) / 2, 2.0 ** np.arange(count), series, *neither(count)
    )
    network, rows, cutoffs = random_network("gru"), np.array([0, 1, 2, 4, 5, 6]), np.arange(30, 37)
    whole = network_quantiles((network,), prepared, rows, cutoffs[rows])
    monkeypatch.setattr("throughtime.forecasting.infer.CHUNK", 4)
    parts = network_quantiles((network,), prepared, rows, cutoffs[rows])
    assert parts.shape == (6, F, len(QUANTILES))
    np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=1e-5)


def test_an_ensemble_has_the_mean_of_its_members_sorted_quantiles(values):
    rows, cutoffs = np.array([0]), np.array([31])
    prepared = Prepared(np.empty(0), np.empty(0), np.array([4.0]), np.array([2.0]), series_of(values), *neither(1))
    members = random_network("gru", 1), random_network("gru", 2), random_network("gru", 3)
    alone = [2 * np.sort(forecasts(member, series_of(values), jnp.full(1, 31))) + 4 for member in members]
    actual = network_quantiles(members, prepared, rows, cutoffs)
    np.testing.assert_allclose(actual, np.mean(alone, axis=0), rtol=1e-5)
    assert not np.allclose(alone[0], alone[1], rtol=0.1)
