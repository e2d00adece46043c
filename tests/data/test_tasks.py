"""Curves and their windows: inside the interval, spread over it, the target one point ahead."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import throughtime as tt

# Points, from, to, steps: the notebook's; far from 0; below 0; across 0; the whole interval.
INTERVALS = [(250, 0, 10, 30), (40, 97.5, 99, 7), (90, -12, -3, 11), (17, -0.25, 0.5, 3), (49, 2.0, 3.0, 49)]


def test_the_series_covers_the_interval():
    data = tt.TimeSeriesData(num_points=41, xmin=-2, xmax=6, fn=np.cos)
    assert data.resolution == 8 / 41
    np.testing.assert_array_equal(data.x_data, -2 + np.arange(41) * 0.2)
    np.testing.assert_array_equal(data.y_true, np.cos(data.x_data))
    np.testing.assert_array_equal(data.ret_true(np.array([[0.5], [3.0]])), np.cos([[0.5], [3.0]]))


def test_the_notebooks_series_is_the_default():
    data = tt.TimeSeriesData()
    assert (data.num_points, data.xmin, data.xmax, data.resolution) == (250, 0, 10, 0.04)
    np.testing.assert_allclose(data.y_true, np.sin(np.linspace(0, 10, 250)), atol=1e-6)


@st.composite
def windows_that_fit(draw):
    """Points, from, to, steps."""
    points, xmin = draw(st.integers(2, 400)), draw(st.floats(-1e3, 1e3))
    return points, xmin, xmin + draw(st.floats(0.01, 1e3)), draw(st.integers(1, points))


@given(windows_that_fit(), st.integers(1, 6), st.integers(0, 2**32))
def test_windows_never_leave_the_interval(fitting, batch_size, seed):
    points, xmin, xmax, steps = fitting
    data = tt.TimeSeriesData(points, xmin, xmax, fn=np.arctan, seed=seed)
    x, y, times = data.next_batch(batch_size, steps, return_batch_ts=True)
    assert x.shape == y.shape == (batch_size, steps, 1)
    assert times.shape == (batch_size, steps + 1)
    assert times.min() >= xmin
    assert times.max() <= xmax
    np.testing.assert_allclose(np.diff(times), data.resolution, rtol=1e-6, atol=1e-12 * max(abs(xmin), abs(xmax)))
    np.testing.assert_array_equal(x[..., 0], np.arctan(times[:, :-1]))
    np.testing.assert_array_equal(y[..., 0], np.arctan(times[:, 1:]))


@pytest.mark.parametrize(("points", "xmin", "xmax", "steps"), INTERVALS)
def test_windows_drawn_on_the_device_are_the_same_kind(points, xmin, xmax, steps):
    data = tt.TimeSeriesData(points, xmin, xmax, fn=jnp.arctan)
    x, y, times = jax.jit(lambda key: data.draw(key, 2000, steps))(jax.random.key(5))
    assert x.shape == y.shape == (2000, steps, 1)
    assert times.shape == (2000, steps + 1)
    assert times.min() >= np.float32(xmin)
    assert times.max() <= np.float32(xmax)
    np.testing.assert_allclose(np.diff(times), data.resolution, atol=4e-7 * (1 + max(abs(xmin), abs(xmax))))
    np.testing.assert_array_equal(x[:, 1:], y[:, :-1])
    np.testing.assert_allclose(x[..., 0], np.arctan(times[:, :-1]), atol=1e-6)
    np.testing.assert_allclose(y[..., 0], np.arctan(times[:, 1:]), atol=1e-6)


@pytest.mark.parametrize("where", ["host", "device"])
@pytest.mark.parametrize(("points", "xmin", "xmax", "steps"), INTERVALS[:-1])
def test_starts_spread_evenly_over_the_whole_room(where, points, xmin, xmax, steps):
    data = tt.TimeSeriesData(points, xmin, xmax, fn=lambda t: t, seed=3)
    if where == "host":
        times = data.next_batch(4000, steps, return_batch_ts=True)[2]
    else:
        times = np.asarray(data.draw(jax.random.key(3), 4000, steps)[2])
    room = xmax - xmin - steps * data.resolution
    share = (times[:, 0] - xmin) / room
    assert share.min() < 0.003
    assert share.max() > 0.997
    tenths = np.histogram(share, bins=10, range=(-1e-5, 1 + 1e-5))[0]
    np.testing.assert_allclose(tenths, 400, atol=100)  # more than five standard deviations of a binomial count


def test_a_window_of_all_steps_starts_at_the_beginning():
    data = tt.TimeSeriesData(num_points=49, xmin=2, xmax=3, fn=np.sin)
    times = data.next_batch(3, 49, return_batch_ts=True)[2]
    np.testing.assert_array_equal(times[:, 0], 2)
    np.testing.assert_allclose(times[:, -1], 3, rtol=1e-15)


@given(st.integers(2, 3000), st.floats(-1e3, 1e3), st.floats(0.01, 1e3))
def test_as_many_steps_as_points_always_fit(points, xmin, width):
    data = tt.TimeSeriesData(points, xmin, xmin + width, fn=np.sin)
    assert data.next_batch(1, points)[0].shape == (1, points, 1)
    with pytest.raises(tt.InputError) as raised:
        data.next_batch(1, points + 1)
    assert (raised.value.found, raised.value.expected) == (points + 1, f"1 to {points}")


def test_places_come_only_when_asked_for():
    assert len(tt.TimeSeriesData().next_batch(2, 5)) == 2
    assert len(tt.TimeSeriesData().next_batch(2, 5, True)) == 3


@pytest.mark.parametrize("fn", [np.sin, jnp.sin, lambda t: np.exp(-(t**2)), lambda t: jnp.abs(t) % 0.7])
def test_any_elementwise_function_makes_a_series(fn):
    x, y, times = tt.TimeSeriesData(60, -3, 2, fn=fn).next_batch(4, 9, return_batch_ts=True)
    assert isinstance(x, np.ndarray)
    np.testing.assert_array_equal(x[..., 0], np.asarray(fn(times))[:, :-1])
    np.testing.assert_array_equal(x[:, 1:], y[:, :-1])


def test_the_same_seed_gives_the_same_batches():
    first, second, other = (tt.TimeSeriesData(seed=seed) for seed in (4, 4, 5))
    batches = [first.next_batch(2, 3)[0] for _ in range(3)]
    for batch in batches:
        np.testing.assert_array_equal(batch, second.next_batch(2, 3)[0])
        assert not np.array_equal(batch, other.next_batch(2, 3)[0])
    assert not np.array_equal(batches[0], batches[1])


def test_the_same_key_gives_the_same_windows():
    data = tt.TimeSeriesData(seed=1)
    draw = jax.jit(lambda key: data.draw(key, 2, 3)[2])
    once = draw(jax.random.key(8))
    np.testing.assert_array_equal(once, draw(jax.random.key(8)))
    assert not np.array_equal(once, draw(jax.random.key(9)))
    assert once[0, 0] != once[1, 0]


def test_an_instance_starts_where_it_is_told_to():
    data = tt.TimeSeriesData(num_points=20, xmin=0, xmax=5, fn=np.exp)
    x, y, times = data.instance(1, 4)
    np.testing.assert_array_equal(times, [1, 1.25, 1.5, 1.75, 2])
    np.testing.assert_array_equal(x, np.exp(times[:-1, None]))
    np.testing.assert_array_equal(y, np.exp(times[1:, None]))


@pytest.mark.parametrize("steps", [-1, 0, 251])
@pytest.mark.parametrize("take", [lambda d, n: d.next_batch(1, n), lambda d, n: d.draw(jax.random.key(0), 1, n)])
def test_a_window_that_does_not_fit_is_refused(take, steps):
    wording = rf"a window of {steps} steps .* expected 1 to 250 steps of 0\.04 between 0 and 10"
    with pytest.raises(tt.InputError, match=wording) as raised:
        take(tt.TimeSeriesData(), steps)
    assert raised.value.fields() == {"code": "window-does-not-fit", "found": steps, "expected": "1 to 250"}


@pytest.mark.parametrize("batch_size", [0, -2])
def test_a_batch_of_nothing_is_refused(batch_size):
    with pytest.raises(tt.InputError, match="batch_size") as raised:
        tt.TimeSeriesData().next_batch(batch_size, 5)
    assert raised.value.fields() == {"code": "too-small", "found": batch_size, "expected": "at least 1"}


@pytest.mark.parametrize(
    ("points", "xmin", "xmax"), [(1, 0, 10), (250, 3, 3), (250, 4, 3), (9, 0, np.nan), (9, 0, np.inf), (9, -np.inf, 0)]
)
def test_a_series_of_nothing_is_refused(points, xmin, xmax):
    with pytest.raises(tt.InputError, match=f"got num_points={points}, xmin={xmin}, xmax={xmax}") as raised:
        tt.TimeSeriesData(points, xmin, xmax)
    assert (raised.value.code, raised.value.found) == ("bad-interval", [points, xmin, xmax])
