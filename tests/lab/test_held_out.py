"""The held-out end of a curve: which values are scored, and the losses of naive forecasts, computed a second time."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import throughtime as tt
from throughtime.lab.curves import Axes, Curve, made_curve
from throughtime.lab.held_out import hold_out, score


def curve_of(values, season=1, cut=None):
    values = np.asarray(values, np.float32)
    axes = Axes(0.0, 1.0, "", np.arange(len(values)), "")
    return Curve(values, values, np.ones(len(values), bool), cut or round(0.8 * len(values)), 0.0, season, axes)


VALUES = np.random.default_rng(3).normal(size=53).cumsum()


@pytest.mark.parametrize("window", [1, 2, 3, 5, 11, 40])
def test_each_held_out_value_is_scored_once_and_no_other(window):
    curve = curve_of(VALUES)
    held_out, naive = hold_out(curve, window)
    targets, scored = np.asarray(held_out.windows[:, 1:]), np.asarray(held_out.scored, bool)
    assert held_out.windows.shape[1] == window + 1
    np.testing.assert_array_equal(np.sort(targets[scored]), np.sort(curve.values[curve.cut :]))
    steps = np.diff(VALUES)[curve.cut - 1 :]
    assert naive.last == pytest.approx(np.mean(steps**2), rel=1e-5)
    assert naive.mean == pytest.approx(np.mean((VALUES[42:] - VALUES[:42].mean()) ** 2), rel=1e-5)
    assert naive.season is None


def test_the_last_season_again_is_naive_too():
    wave = np.tile([0.0, 3, 1, -2, -2], 20) + np.linspace(0, 1, 100)
    curve = curve_of(wave, season=5)
    held_out, naive = hold_out(curve, 7)
    assert naive.season == pytest.approx((5 / 99) ** 2, rel=1e-3)
    assert naive.season < min(naive.last, naive.mean)
    np.testing.assert_allclose(held_out.naive[held_out.scored == 1], (5 / 99) ** 2, rtol=1e-2)
    assert hold_out(curve_of(wave[:12], season=11), 3)[1].season is None  # longer than the learned part


def test_values_that_were_filled_in_are_not_scored():
    """They are copies of a season before, which the naive forecast knows."""
    curve, missing = curve_of(VALUES, season=4), np.arange(44, 50)
    observed = np.ones(len(VALUES), bool)
    observed[missing] = False
    held_out, naive = hold_out(curve._replace(observed=observed), 3)
    known = np.setdiff1d(np.arange(curve.cut, len(VALUES)), missing)
    targets, scored = np.asarray(held_out.windows[:, 1:]), np.asarray(held_out.scored, bool)
    np.testing.assert_array_equal(np.sort(targets[scored]), np.sort(curve.values[known]))
    assert scored.any(axis=1).all()
    assert naive.season == pytest.approx(np.mean((VALUES[known] - VALUES[known - 4]) ** 2), rel=1e-5)


def test_of_a_long_series_the_windows_are_spread():
    held_out, _ = hold_out(curve_of(np.arange(100_000.0)), 3)
    firsts = np.sort(np.asarray(held_out.windows[:, 0]))
    assert len(firsts) == 64
    assert firsts[0] < 80_010
    assert firsts[-1] == 99_996


def test_the_score_is_the_mean_squared_error_and_its_lead_a_paired_comparison():
    key_cell, key_readout = jax.random.split(jax.random.key(5))
    network = tt.RecurrentNetwork(tt.GRU(1, 4, key=key_cell), 1, key=key_readout)
    curve = curve_of(VALUES)
    held_out, _ = hold_out(curve, 4)  # three windows; the first has targets that were learned
    came = score(network, held_out)
    errors, naive = [], []
    for window, scored, naive_errors in zip(*map(np.asarray, held_out), strict=True):
        said = network(jnp.asarray(window[:-1, None]))[1][:, 0]
        errors += list(((np.asarray(said) - window[1:]) ** 2)[scored == 1])
        naive += list(naive_errors[scored == 1])
    gain = np.array(naive) - np.array(errors)
    assert len(gain) == 11
    assert came.loss == pytest.approx(np.mean(errors), rel=1e-5)
    assert came.lead == pytest.approx(gain.mean() / (gain.std(ddof=1) / np.sqrt(11)), rel=1e-4)


def test_what_is_held_out_has_no_influence_on_what_is_learned():
    curve = made_curve("sines", 0.5)
    assert curve.learned.shape == (800,)
    assert curve.noise == 0.5
    np.testing.assert_array_equal(curve.learned, made_curve("sines").values[:800])
    assert np.std(curve.values - curve.clean) == pytest.approx(0.5, rel=0.05)
