"""The score of a fitted forecaster on rows that came later."""

from typing import Any

import numpy as np

from throughtime._errors import InputError
from throughtime.data import Panel, Source, as_panel, from_native, with_future
from throughtime.forecasting.fitted import Fitted
from throughtime.forecasting.forecasts import forecast_quantiles
from throughtime.forecasting.intervals import MEDIAN


def later_score(fitted: Fitted, frame: Any) -> float:
    """Return minus the mean absolute error of the forecasts of later rows.

    Args:
        fitted: forecasts the steps after its own series.
        frame: later rows of these series, or a panel of them. Those beyond the horizon are not counted.

    Raises:
        InputError: for a frame that cannot be used, and if no row of it can be counted.
    """
    panel, horizon = fitted.panel, fitted.plan.design.horizon
    later = as_panel(frame, fitted.columns)
    if panel.covariates is not None and panel.covariates.future and not isinstance(frame, Panel):
        panel = with_future(panel, from_native(frame), Source("the frame"), horizon)
    forecasts = forecast_quantiles(fitted, panel, panel.lengths)[:, :, MEDIAN]
    errors = np.abs(_truth(panel, later, horizon) - forecasts)
    if np.isnan(errors).all():
        first, last = panel.future(horizon)[1].reshape(-1, horizon)[0, [0, -1]]
        raise InputError(
            f"no row of the frame is one of the {horizon} steps after fit: expected values of {panel.ids[0]} from "
            f"{first} to {last}; sort the frame by time before it is split",
            code="nothing-to-score",
            found=len(later),
            expected=[str(first), str(last)],
        )
    return -float(np.nanmean(errors))


def _truth(panel: Panel, later: Panel, horizon: int) -> np.ndarray:
    """Return the later values (N, F) of the steps after each series, NaN where there is none."""
    truth = np.full((len(panel), horizon), np.nan)
    places = {str(name): row for row, name in enumerate(panel.ids.tolist())}
    for number, name in enumerate(later.ids.tolist()):
        row = places.get(str(name))
        if row is None:
            continue
        steps = (panel.frequency.ordinals(later.times(number)) - panel.starts[row]) // panel.frequency.multiple
        steps = steps - panel.lengths[row]
        inside = (steps >= 0) & (steps < horizon)
        truth[row, steps[inside]] = later.series(number)[inside]
    return truth
