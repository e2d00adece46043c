"""Forecasts for a service: the forecaster's own, without a compilation, as JSON."""

import json
from dataclasses import replace

import jax
import numpy as np
import polars as pl
import pytest
from tests.service.conftest import daily

import throughtime as tt
from throughtime.data import LEAST_STEPS
from throughtime.service import forecast_objects, load_model, quantiles_ahead, warm_up
from throughtime.service.forecasts import MOST_STEPS, time_texts


@pytest.fixture
def compiled():
    """The programs that are compiled from now on."""
    found: list[str] = []

    def hear(event: str, duration: float, **more: str) -> None:
        del duration
        if event.endswith("backend_compile_duration"):
            found.append(str(more.get("fun_name")))

    jax.monitoring.register_event_duration_secs_listener(hear)
    yield found
    jax.monitoring.unregister_event_duration_listener(hear)


def test_nothing_is_compiled_after_warming_up(trained, compiled):
    """For any number of series of any length, with a calendar, whose arrays depend on both."""
    fitted = load_model(trained)
    warm_up(fitted)
    assert compiled
    compiled.clear()
    draw = np.random.default_rng(0)
    cases = [[5], [61, 4], [4] * 70, [700] * 30, [MOST_STEPS], [LEAST_STEPS], [LEAST_STEPS - 2], [8000, 8001, 383]]
    for lengths in cases:
        offsets = np.append(0, np.cumsum(lengths))
        values, count = 20 + draw.normal(size=offsets[-1]), len(lengths)
        ids, starts = np.arange(count), draw.integers(0, 9000, count)
        panel = replace(fitted.panel, ids=ids, values=values, offsets=offsets, starts=starts)
        quantiles = quantiles_ahead(fitted, panel)
        assert quantiles.shape == (count, 3, 13)
        assert np.isfinite(quantiles).all()
    assert compiled == []


@pytest.mark.parametrize("kind", ["instant", "trained"])
def test_the_objects_are_the_forecasters_own_forecasts(kind, request):
    folder = request.getfixturevalue(kind)
    model = tt.load(folder)
    fitted = load_model(folder)
    objects = forecast_objects(fitted, fitted.panel, quantiles_ahead(fitted, fitted.panel), [80, 95.5], 2)
    assert json.loads(json.dumps(objects, allow_nan=False)) == objects
    expected = model.predict(level=[80, 95.5], horizon=2)
    assert [found["unique_id"] for found in objects] == ["north", "south"]
    for found in objects:
        rows = expected.filter(unique_id=found["unique_id"])
        assert found["ds"] == rows["ds"].cast(pl.String).to_list()
        for name in rows.columns[2:]:
            np.testing.assert_allclose(found[name], rows[name], rtol=1e-5)


def test_series_without_a_value_have_no_forecast(instant):
    fitted = load_model(instant)
    empty = replace(fitted.panel, values=np.full_like(fitted.panel.values, np.nan))
    (north, _) = forecast_objects(fitted, empty, quantiles_ahead(fitted, empty), [80], 2)
    assert north["throughtime"] == north["throughtime-lo-80"] == [None, None]


def test_time_stamps_look_the_same_throughout_a_frequency():
    days = tt.Panel.from_frame(daily("x", range(20)))
    assert time_texts(days.times(0)[:2], days.frequency) == ["2024-01-01", "2024-01-02"]
    elapsed = replace(days.frequency, unit="elapsed", multiple=3_600_000_000, stamp="datetime64[us]")
    times = np.array(["2024-01-01T00", "2024-01-01T01"], "datetime64[us]")
    assert time_texts(times[:1], elapsed) == ["2024-01-01T00:00:00"]
    assert time_texts(times, elapsed) == ["2024-01-01T00:00:00", "2024-01-01T01:00:00"]
    assert time_texts(np.array([3, 4]), elapsed) == [3, 4]
