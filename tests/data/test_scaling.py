"""Windows in their own units: values against NumPy, what must not matter, and windows without movement."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from throughtime.data.scaling import from_units, to_units, window_units
from throughtime.data.windows import Windows

B, R, F, SPAN, LENGTH = 7, 11, 2, 3, 8


def windows_of(past, seen=None, inside=None):
    past = jnp.asarray(past, jnp.float32)
    everything = np.ones(past.shape, bool)
    inside = everything if inside is None else inside
    seen = inside if seen is None else seen
    empty = jnp.zeros((len(past), F))
    return Windows(past, jnp.asarray(inside), jnp.asarray(seen), empty, empty.astype(bool))


@eqx.filter_jit
def units_of(windows):
    return window_units(windows, SPAN, LENGTH)


@eqx.filter_jit
def scaled(windows):
    return to_units(windows.past, window_units(windows, SPAN, LENGTH))


@pytest.fixture
def random():
    return np.random.default_rng(3)


@pytest.fixture
def past(random):
    return random.normal(2.0, 3.0, (B, R))


@pytest.fixture
def seen(random):
    seen = random.random((B, R)) < 0.6
    seen[:, -2] = True  # each window has one observation within its span, and one more to measure by
    seen[:, -5] = True
    return seen


def test_units_are_mean_and_deviation_of_what_was_observed(past, seen):
    units = units_of(windows_of(past, seen))
    for b in range(B):
        level = past[b, -SPAN:][seen[b, -SPAN:]].mean()
        scale = past[b, -LENGTH:][seen[b, -LENGTH:]].std()
        np.testing.assert_allclose((units.level[b], units.scale[b]), (level, scale), rtol=2e-6, atol=1e-6)


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


@pytest.mark.parametrize("steps", [LENGTH, 337, 6000])
def test_constant_windows_have_no_scale_and_come_back_at_their_level(steps):
    """Whatever the constant: rounding in the mean must not pass for movement."""
    draw = np.random.default_rng(steps)
    constant = (draw.normal(size=200) * 10.0 ** draw.uniform(-3, 6, 200)).astype(np.float32)
    windows = windows_of(np.repeat(constant[:, None], steps, axis=1))
    units = eqx.filter_jit(window_units)(windows, steps, steps)
    np.testing.assert_array_equal(units.scale, 0)
    np.testing.assert_array_equal(to_units(windows.past, units), 0)
    back = from_units(jnp.full((200, F, 3), 5.0), units)
    np.testing.assert_allclose(back, np.broadcast_to(constant[:, None, None], back.shape), rtol=1e-6)


def test_there_and_back(past, seen):
    windows = windows_of(past, seen)
    units = units_of(windows)
    back = from_units(to_units(windows.past, units)[:, :, None], units)
    np.testing.assert_allclose(back[:, :, 0], past, rtol=1e-5, atol=1e-5)
