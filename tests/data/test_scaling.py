"""Windows in their own units: values against NumPy, what must not matter, and windows without movement."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from throughtime.data.scaling import scale_values, unscale_values, window_level_scale
from throughtime.data.windows import Windows

B, R, F, SPAN, SEASON = 7, 11, 2, 3, 4


def windows_of(past, seen=None, inside=None):
    past = jnp.asarray(past, jnp.float32)
    everything = np.ones(past.shape, bool)
    inside = everything if inside is None else inside
    seen = inside if seen is None else seen
    empty = jnp.zeros((len(past), F))
    return Windows(past, jnp.asarray(inside), jnp.asarray(seen), empty, empty.astype(bool))


@eqx.filter_jit
def units_of(windows):
    return window_level_scale(windows, SPAN, SEASON)


@eqx.filter_jit
def scaled(windows):
    return scale_values(windows.past, window_level_scale(windows, SPAN, SEASON))


@pytest.fixture
def random():
    return np.random.default_rng(3)


@pytest.fixture
def past(random):
    return random.normal(2.0, 3.0, (B, R))


@pytest.fixture
def seen(random):
    seen = random.random((B, R)) < 0.6
    seen[:, -2] = True  # each window has one observation within its span, and one a season before it
    seen[:, -2 - SEASON] = True
    return seen


def by_hand(past, seen, season):
    """Level and scale of one window: steps one by one, in double precision."""
    steps = [r for r in range(R) if seen[r]]
    errors = [abs(past[r] - past[r - season]) for r in steps if r - season in steps]
    deviation = np.std([past[r] for r in steps])
    level = np.mean([past[r] for r in steps if r >= R - SPAN])
    return level, max(np.mean(errors), 0.1 * deviation) if errors else deviation


@pytest.mark.parametrize("season", [1, SEASON, 7])
def test_level_and_scale_are_the_last_mean_and_the_error_of_seasonal_naive(past, seen, season):
    units = eqx.filter_jit(window_level_scale)(windows_of(past, seen), SPAN, season)
    due = np.array([by_hand(past[b], seen[b], season) for b in range(B)])
    np.testing.assert_allclose(units.level, due[:, 0], rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(units.scale, due[:, 1], rtol=2e-6)


@pytest.mark.parametrize(("noise", "floor"), [(0.0, True), (0.1, True), (3.0, False)])
def test_a_season_without_noise_is_measured_by_a_tenth_of_the_deviation(noise, floor, random):
    """Seasonal naive errs by nothing, by less than the floor, and by more."""
    past = np.tile(random.normal(0.0, 3.0, (B, SEASON)), 3)[:, :R]
    past[:, ::SEASON] += noise * np.arange(3)
    scale = units_of(windows_of(past)).scale
    tenth = 0.1 * past.std(axis=1)
    if floor:
        np.testing.assert_allclose(scale, tenth, rtol=1e-5)
    else:
        np.testing.assert_allclose(scale, np.abs(past[:, SEASON:] - past[:, :-SEASON]).mean(axis=1), rtol=1e-5)
        assert (scale > tenth).all()


def test_without_a_pair_a_season_apart_the_scale_is_the_whole_deviation(past, seen):
    """Four observations, none a season from another; a season longer than the window has no pairs at all."""
    apart = np.broadcast_to(np.isin(np.arange(R), [1, 2, 4, 7]), (B, R))
    due = past[:, [1, 2, 4, 7]].std(axis=1)
    np.testing.assert_allclose(units_of(windows_of(past, apart)).scale, due, rtol=1e-5)
    longer = eqx.filter_jit(window_level_scale)(windows_of(past, seen), SPAN, R + 2)
    np.testing.assert_allclose(longer.scale, [past[b][seen[b]].std() for b in range(B)], rtol=1e-5)


def test_what_was_not_observed_is_irrelevant(past, seen, random):
    other = np.where(seen, past, random.normal(0, 1e6, (B, R)))
    for came, due in zip(units_of(windows_of(other, seen)), units_of(windows_of(past, seen)), strict=True):
        np.testing.assert_array_equal(came, due)


def test_where_nothing_was_observed_what_stands_there_counts(past):
    none = np.zeros((B, R), bool)
    inside = np.broadcast_to(np.arange(R) >= R - 2, (B, R))
    units = units_of(windows_of(past, none, inside))
    np.testing.assert_allclose(units.level, past[:, -2:].mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(units.scale, past[:, -2:].std(axis=1), rtol=1e-5)


@pytest.mark.parametrize("factor", [4.0, 2.0**-20])
def test_a_power_of_two_changes_no_bit_of_a_scaled_window(past, seen, factor):
    np.testing.assert_array_equal(scaled(windows_of(past * factor, seen)), scaled(windows_of(past, seen)))


@pytest.mark.parametrize(("factor", "shift"), [(1.0, 500.0), (0.03, -7.0), (1234.5, 99.0)])
def test_factor_and_shift_leave_a_scaled_window_as_it_is(past, seen, factor, shift):
    came = scaled(windows_of(factor * past + shift, seen))
    np.testing.assert_allclose(came, scaled(windows_of(past, seen)), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("steps", [R, 337, 6000])
def test_constant_windows_have_no_scale_and_come_back_at_their_level(steps):
    """Whatever the constant: rounding in the mean must not pass for movement."""
    draw = np.random.default_rng(steps)
    constant = (draw.normal(size=200) * 10.0 ** draw.uniform(-3, 6, 200)).astype(np.float32)
    windows = windows_of(np.repeat(constant[:, None], steps, axis=1))
    units = eqx.filter_jit(window_level_scale)(windows, steps, SEASON)
    np.testing.assert_array_equal(units.scale, 0)
    np.testing.assert_array_equal(scale_values(windows.past, units), 0)
    back = unscale_values(jnp.full((200, F, 3), 5.0), units)
    np.testing.assert_allclose(back, np.broadcast_to(constant[:, None, None], back.shape), rtol=1e-6)


def test_there_and_back(past, seen):
    windows = windows_of(past, seen)
    units = units_of(windows)
    back = unscale_values(scale_values(windows.past, units)[:, :, None], units)
    np.testing.assert_allclose(back[:, :, 0], past, rtol=1e-5, atol=1e-5)
