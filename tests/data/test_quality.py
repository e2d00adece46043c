"""Outliers and new levels: found where they are put, and not in series that have none."""

import numpy as np
import pytest

from throughtime.data import oddities


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(size=240)


@pytest.mark.parametrize("season", [1, 12])
def test_an_outlier_and_a_new_level_are_found_at_their_steps(noise, season):
    values = noise + 4 * np.sin(np.arange(240) * 2 * np.pi / 12) * (season > 1)
    values[57] += 15
    values[100] = np.nan
    values[150:] -= 8
    found = oddities(values, season)
    assert found.outliers.tolist() == [57]
    assert len(found.shifts) == 1
    assert abs(found.shifts[0] - 150) <= 1


def test_the_nile_fell_after_the_year_1898():
    """Cobb 1978: "The problem of the Nile": the flow falls between 1898 and 1899."""
    years, flow = np.loadtxt("examples/nile.csv", delimiter=",", skiprows=1).T
    found = oddities(flow, 1)
    assert years[found.shifts].tolist() == [1899]
    assert not len(found.outliers)


def test_trends_walks_seasons_and_promotions_are_no_oddities(noise):
    season = np.tile([0.0, 3.0, 9.0, 1.0], 60)
    steps = np.arange(240.0)
    for values in (noise + 0.2 * steps, np.cumsum(noise), noise + season, season, np.zeros(240), steps):
        assert [len(found) for found in oddities(values, 4)] == [0, 0]
    often = noise + 20 * (np.arange(240) % 20 == 0)  # one in twenty: the series is like that
    assert not len(oddities(often, 1).outliers)


@pytest.mark.parametrize("values", [[], [1.0], [np.nan] * 30, [1.0, 2.0, np.nan, 4.0] * 3], ids=len)
def test_short_and_unknown_series_have_none(values):
    assert [len(steps) for steps in oddities(np.array(values, float), 12)] == [0, 0]
