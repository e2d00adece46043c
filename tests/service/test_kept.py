"""Series in use: rows at their ends, and what is dropped of their beginnings."""

from dataclasses import replace

import narwhals as nw
import numpy as np
import polars as pl
import pytest
from tests.service.conftest import daily

import throughtime as tt
from throughtime._errors import InputError
from throughtime.data import Panel, Source
from throughtime.forecasting import forecast_quantiles
from throughtime.service import append, kept_steps, load_model
from throughtime.service.kept import recent_steps

ROWS = Source("the rows")


def test_an_appended_forecaster_is_an_updated_one(instant):
    rows = pl.concat([daily("north", range(40, 43)), daily("west", range(9)), daily("south", range(27, 28), seed=1)])
    fitted = load_model(instant)
    step = append(fitted, nw.from_native(rows), ROWS)
    expected = tt.load(instant).update(rows).panel_
    for name in ("ids", "values", "offsets", "starts"):
        np.testing.assert_array_equal(getattr(step.fitted.panel, name), getattr(expected, name))
    assert (step.series.tolist(), step.added.tolist()) == ([0, 1, 2], [3, 3, 9])
    assert fitted.panel.lengths.tolist() == [40, 25]
    with pytest.raises(InputError) as caught:
        append(step.fitted, nw.from_native(rows), ROWS)
    assert (caught.value.code, caught.value.line) == ("row-before-end", 1)


def test_only_long_series_are_cut_and_the_last_value_stays():
    draw = np.random.default_rng(0)
    values = [draw.normal(size=11), draw.normal(size=10), np.r_[draw.normal(size=5), np.full(8, np.nan)]]
    ids, starts, frequency = np.array(["a", "b", "c"]), np.array([4, 5, 6]), tt.Panel.from_frame(daily("x", range(9)))
    offsets = np.append(0, np.cumsum([len(series) for series in values]))
    panel = Panel(ids, np.concatenate(values), offsets, starts, frequency.frequency)
    cut = recent_steps(panel, 5)
    assert (cut.lengths.tolist(), cut.starts.tolist()) == ([5, 10, 5], [10, 5, 14])
    expected = [values[0][-5:], values[1], np.r_[values[2][4], np.full(4, np.nan)]]
    np.testing.assert_array_equal(cut.values, np.concatenate(expected))
    assert np.isnan(panel.series(2)[-5:]).all()
    assert recent_steps(panel, 13) is panel


@pytest.mark.parametrize(("horizon", "steps"), [(3, 4096), (150, 4096 * 7)])
def test_a_forecast_reads_no_more_than_what_is_kept(horizon, steps):
    """Of far horizons, too, which are forecast in coarse steps; the steps before are of another kind."""
    draw = np.random.default_rng(1)
    model = tt.Forecaster(horizon=horizon, preset="instant").fit(daily("x", range(60)))
    assert kept_steps(model.fitted_) == steps
    length = 2 * steps + 3
    values = 20 + 5 * np.sin(2 * np.pi * np.arange(length) / 7) + draw.normal(size=length)
    values[: length - steps] = 3 * values[: length - steps] + 100
    panel = replace(
        model.panel_, ids=np.array(["a"]), values=values, offsets=np.array([0, length]), starts=np.array([0])
    )
    cut = recent_steps(panel, steps)
    assert cut.lengths.tolist() == [steps]
    whole, kept = (forecast_quantiles(model.fitted_, some, some.lengths) for some in (panel, cut))
    np.testing.assert_allclose(kept, whole, rtol=1e-12)
