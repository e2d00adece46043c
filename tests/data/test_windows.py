"""Windows against a loop over their steps; what training may draw, and how often."""

from collections import Counter

import equinox as eqx
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings

from throughtime.data.windows import Windows, draw_windows, last_steps, padded_series, windows_at

N, P, B, R, F = 4, 31, 6, 5, 3
LEAST = 4
cut_out = eqx.filter_jit(windows_at)
draw = eqx.filter_jit(draw_windows)


@st.composite
def ragged(draw_value):
    """Offsets of N series with P values in all, and how many steps of each may be seen."""
    inner = draw_value(st.lists(st.integers(1, P - 1), min_size=N - 1, max_size=N - 1, unique=True))
    offsets = np.array([0, *sorted(inner)])
    full = np.diff([*offsets, P])
    return offsets, np.array([draw_value(st.integers(1, int(length))) for length in full])


def slow_windows(values, observed, offsets, lengths, rows, cutoffs):
    """The slow twin: one step of one window at a time."""
    value, inside, known = (np.zeros((len(rows), R + F), kind) for kind in (np.float32, bool, bool))
    for b, (row, cutoff) in enumerate(zip(rows, cutoffs, strict=True)):
        for k in range(R + F):
            step = cutoff - R + k
            if 0 <= step < lengths[row]:
                place = offsets[row] + step
                value[b, k], inside[b, k], known[b, k] = values[place], True, observed[place]
    return Windows(value[:, :R], inside[:, :R], known[:, :R], value[:, R:], known[:, R:])


@settings(max_examples=60)
@given(shape=ragged(), seed=st.integers(0, 2**32 - 1))
def test_windows_equal_the_loop(shape, seed):
    offsets, lengths = shape
    random = np.random.default_rng(seed)
    values, observed = random.normal(size=P).astype(np.float32), random.random(P) < 0.7
    series = padded_series(values, observed, offsets, lengths, np.ones(N, bool))
    rows = random.integers(0, N, B)
    cutoffs = random.integers(0, lengths[rows] + 1)
    actual = cut_out(series, jnp.asarray(rows), jnp.asarray(cutoffs), lookback=R, horizon=F)
    jax.tree.map(np.testing.assert_array_equal, actual, slow_windows(values, observed, offsets, lengths, rows, cutoffs))


def test_the_last_steps_of_windows_are_shorter_windows():
    values = np.random.default_rng(4).normal(size=P).astype(np.float32)
    series = padded_series(values, values > -0.5, np.array([0, 9]), np.array([8, 22]), np.ones(2, bool))
    at = series, jnp.array([0, 1, 1]), jnp.array([3, 22, 10])
    actual = last_steps(cut_out(*at, lookback=R + 2, horizon=F), R)
    jax.tree.map(np.testing.assert_array_equal, actual, cut_out(*at, lookback=R, horizon=F))


@settings(max_examples=40)
@given(shape=ragged(), use=st.lists(st.booleans(), min_size=N, max_size=N), seed=st.integers(0, 1000))
def test_draws_stay_inside_the_cutoffs(shape, use, seed):
    """Each value is its own place + 1, so that what a window holds tells where it was taken from."""
    offsets, lengths = shape
    use = np.array(use) & (lengths > 1)
    if not use.any():
        return
    series = padded_series(np.arange(1.0, P + 1), np.ones(P, bool), offsets, lengths, use)
    windows = draw(jax.random.key(seed), series, batch=64, lookback=R, horizon=F, min_history=LEAST)
    last = np.asarray(windows.past[:, -1]).astype(int) - 1  # there is always one value before the cutoff
    rows = np.searchsorted(offsets, last, side="right") - 1
    cutoffs = last - offsets[rows] + 1
    assert use[rows].all()
    latest = np.maximum(lengths[rows] - F, 1)
    assert (cutoffs <= latest).all()
    assert (cutoffs >= np.minimum(LEAST, latest)).all()
    held = np.concatenate([windows.past, windows.future], axis=1)
    beyond = (offsets + lengths)[rows][:, None]
    assert (held <= beyond).all()
    np.testing.assert_array_equal(
        np.asarray(windows.future_observed).sum(axis=1), np.minimum(F, lengths[rows] - cutoffs)
    )


def test_every_cutoff_is_drawn():
    length = 12
    series = padded_series(np.arange(1.0, length + 1), np.ones(length, bool), np.array([0]), np.array([length]), ALL)
    windows = draw(jax.random.key(1), series, batch=512, lookback=R, horizon=F, min_history=LEAST)
    assert set(np.asarray(windows.past[:, -1]).astype(int).tolist()) == set(range(LEAST, length - F + 1))


ALL = np.array([True])


@pytest.mark.parametrize("unused", [0, 2, 3])
def test_series_are_drawn_by_the_root_of_their_length_or_never(unused):
    lengths = np.array([25, 100, 9, 64])
    use = np.arange(N) != unused
    offsets = np.append(0, np.cumsum(lengths)[:-1])
    row = np.repeat(np.arange(N), lengths).astype(float)
    series = padded_series(row, np.ones(len(row), bool), offsets, lengths, use)
    drawn = 20_000
    windows = draw(jax.random.key(2), series, batch=drawn, lookback=R, horizon=F, min_history=LEAST)
    counts = Counter(np.asarray(windows.past[:, -1]).astype(int).tolist())
    assert counts[unused] == 0
    chances = np.where(use, np.sqrt(lengths), 0)
    chances = chances / chances.sum()
    for i in range(N):
        deviation = np.sqrt(drawn * chances[i] * (1 - chances[i]))
        assert abs(counts[i] - drawn * chances[i]) <= 4 * deviation
