"""Zero as the floor of forecasts, and logarithms: each series by its own values, not by those of the whole panel.

Varied: the series and the place of the negative value or the zero, series too short for the network, the levels,
saving, another panel than that of the training.
"""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import throughtime as tt
from throughtime.data import Frequency, Panel
from throughtime.forecasting import forecast_quantiles, nonnegative, prepare

LENGTH, COUNT = 40, 5


def counts(seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.poisson(0.4, LENGTH - number).astype(float) for number in range(COUNT)]


def panel_of(series: list[np.ndarray]) -> Panel:
    lengths = [len(values) for values in series]
    ids = np.array([f"s{number}" for number in range(len(series))])
    starts = np.zeros(len(series), int)
    return Panel(
        ids, np.concatenate(series), np.append(0, np.cumsum(lengths)), starts, Frequency("integer", stamp="int64")
    )


def fitted(series: list[np.ndarray]) -> tt.Forecaster:
    return tt.Forecaster(4, steps=3, members=1, hidden=3, lookback=8).fit(panel_of(series))


@pytest.mark.parametrize(("number", "place", "recent"), [(4, 3, False), (0, -1, True), (2, 0, False)])
def test_a_negative_value_takes_the_floor_from_its_own_series_alone(
    number: int, place: int, recent: bool, tmp_path: Path
) -> None:
    series = [*counts(), np.array([1.0, 0.0, 2.0])]  # the last one is too short for the network
    series[number][place] = -30.0
    model = fitted(series)
    forecast = pl.DataFrame(model.predict(level=[80, 99.99]))
    lowest = forecast.group_by("unique_id").agg(pl.col("throughtime", "^.*lo.*$").min())
    floors = dict(zip(lowest["unique_id"], lowest.drop("unique_id").to_numpy().min(axis=1), strict=True))
    assert {name: value < 0 for name, value in floors.items()} == {
        f"s{k}": recent and k == number for k in range(len(series))
    }
    model.save(tmp_path / "model")
    again = tt.load(tmp_path / "model").predict(level=[80, 99.99])
    assert forecast.equals(pl.DataFrame(again))
    samples = model.sample(50)
    low = pl.DataFrame(samples).group_by("unique_id").agg(pl.exclude("ds").min())
    others = low.filter(pl.col("unique_id") != f"s{number}")
    assert np.nanmin(others.drop("unique_id").to_numpy().astype(float)) >= 0


def test_a_negative_value_after_the_cutoff_is_unknown() -> None:
    series = counts()
    series[1][-1] = series[2][5] = -3.0
    panel = panel_of(series)
    plan = fitted(series).plan_
    known = panel.lengths - 4
    np.testing.assert_array_equal(nonnegative(panel, known, plan), [True, True, False, True, True])
    np.testing.assert_array_equal(nonnegative(panel, panel.lengths, plan), [True, False, False, True, True])
    learned = plan._replace(positive=True)  # from values without a negative one
    np.testing.assert_array_equal(nonnegative(panel, panel.lengths, learned), [True, False, False, True, True])
    assert nonnegative(panel, 0 * panel.lengths, learned).all()


def test_a_backtest_has_the_floors_of_its_series() -> None:
    series = counts()
    series[3][-13:] -= 40.0
    model = tt.Forecaster(4, steps=3, members=1, hidden=3, lookback=8)
    rows = pl.DataFrame(model.backtest(panel_of(series), level=[99.9]))
    below = rows.filter(pl.col("throughtime-lo-99.9") < 0)["unique_id"].unique().to_list()
    assert below == ["s3"]


@pytest.mark.parametrize("zero", [0.0, -2.0])
def test_one_value_without_a_logarithm_leaves_them_to_the_other_series(zero: float) -> None:
    rng = np.random.default_rng(2)
    series = [np.exp(rng.normal(size=LENGTH - number)) for number in range(COUNT)]  # as many values as counts()
    series[1][7] = zero
    panel = panel_of(series)
    model = fitted(series)
    assert model.plan_.log
    prepared = prepare(panel, panel.lengths, model.plan_)
    np.testing.assert_array_equal(prepared.log, [True, False, True, True, True])
    expected = [values if number == 1 else np.log(values) for number, values in enumerate(series)]
    np.testing.assert_array_equal(prepared.values, np.concatenate(expected))
    quantiles = forecast_quantiles(model.fitted_, panel, panel.lengths)
    assert np.isfinite(quantiles).all()
    assert (quantiles[[0, 2, 3, 4]] > 0).all()
