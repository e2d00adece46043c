"""The map of horizon by lag against finite differences of the forecasts."""

from dataclasses import replace

import numpy as np
import pytest
from tests.forecasting.conftest import LENGTHS, SMALL, monthly_frame

import throughtime as tt
from throughtime.forecasting.forecasts import forecast_quantiles
from throughtime.forecasting.intervals import MEDIAN


@pytest.fixture(scope="module")
def model():
    return tt.Forecaster(**SMALL | {"steps": 40}).fit(monthly_frame())


@pytest.fixture(scope="module")
def flow(model):
    return tt.gradient_flow(model)


def test_the_map_is_the_slope_of_the_forecast(model, flow):
    """In logarithms, as the plan has it: the per cent by which a step moves if a value moves by one per cent."""
    panel, plan = model.panel_, model.plan_
    assert plan.log
    small, slopes = 1e-3, []
    rows = np.flatnonzero(panel.lengths > LENGTHS["short"])
    for lag in range(4):
        sides = []
        for sign in (1, -1):
            values = panel.values.copy()
            for row in rows:
                values[panel.offsets[row + 1] - 1 - lag] *= np.exp(sign * small)
            moved = replace(panel, values=values)
            sides.append(np.log(forecast_quantiles(model.fitted_, moved, panel.lengths)[rows, :, MEDIAN]))
        slopes.append(np.abs(sides[0] - sides[1]) / (2 * small))
    expected = np.median(slopes, axis=1).T
    np.testing.assert_allclose(flow.horizon_by_lag[:, :4], expected, rtol=0.05, atol=5e-3)


def test_the_first_step_depends_on_the_last_observation(model, flow):
    assert flow.horizon_by_lag.shape == (model.horizon, model.plan_.design.reach)
    assert flow.horizon_by_lag[0, 0] > 0.01


def test_steps_are_told_in_the_calendars_units(model, flow):
    design = model.plan_.design
    assert flow.steps == design.length // design.patch
    assert flow.calendar_step == ("1 year", design.seasons[0] / design.patch)
    assert "A step is 1 year, a season 1 of them: 1 % reaches back" in flow.verdict
    assert len(flow.plot().axes) == 6  # a map and its colors beside the four


def test_other_series_can_be_looked_at(model, flow):
    other = tt.gradient_flow(model, monthly_frame().filter(unique_id="b"))
    assert other.per_sequence.shape == (1, flow.steps + 1)
    own = np.flatnonzero(model.panel_.ids[model.panel_.lengths > LENGTHS["short"]] == "b")[0]
    np.testing.assert_allclose(other.per_sequence[0], flow.per_sequence[own], rtol=1e-4)
    with pytest.raises(tt.InputError, match="no series is long enough for a horizon of 3 steps") as raised:
        tt.gradient_flow(model, monthly_frame().filter(unique_id="short"))
    assert (raised.value.code, raised.value.found) == ("series-too-short", LENGTHS["short"])
