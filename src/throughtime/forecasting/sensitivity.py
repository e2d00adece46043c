"""The sensitivity of a forecaster: of its cell to earlier states, and of its forecast to the values of its window."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from throughtime._compiler import ONCE, compiled
from throughtime._errors import InputError
from throughtime._types import Array
from throughtime.data import Series, Windows, as_panel, unscale_values, windows_at
from throughtime.forecasting.dataset import prepare
from throughtime.forecasting.fitted import Networks
from throughtime.forecasting.forecaster import Forecaster
from throughtime.forecasting.intervals import MEDIAN
from throughtime.forecasting.network import ForecastNetwork
from throughtime.forecasting.observations import learnable
from throughtime.gradients import CalendarStep, GradientFlow, HorizonSensitivity, cell_flow
from throughtime.layers import per_step

MOST_WINDOWS = 32  # more cost time and hardly move a median


def forecaster_flow(model: Forecaster, frame: Any = None) -> GradientFlow:
    """Return the gradient flow of a fitted forecaster at the end of its series, the median over up to 32 of them.

    A step of the cell is a patch of the window: :attr:`GradientFlow.calendar_step` says how long it is. In
    :attr:`GradientFlow.horizon_by_lag` (F, R) a lag is one value. It is the total derivative: through the cell, the
    linear map beside it, the bases, and the window's level and scale; for a forecaster in logarithms, an elasticity.

    Args:
        model: fitted, with a network.
        frame: series to measure, as :meth:`Forecaster.fit` takes them; by default those it was fitted on.

    Raises:
        InputError: without a network, and if all series are too short for it.
    """
    networks: Networks = getattr(model, "networks_", ())
    if not networks:
        raise InputError(
            "this Forecaster has no trained network: fit it on a series that is long enough first", code="no-network"
        )
    network, plan = networks[0], model.plan_
    panel = model.panel_ if frame is None else as_panel(frame)
    usable = np.flatnonzero(learnable(panel, panel.lengths, model.config.horizon))
    if not len(usable):
        raise InputError(
            f"no series is long enough for a horizon of {model.horizon} steps: expected longer ones",
            code="series-too-short",
            found=int(panel.lengths.max()),
        )
    rows = usable[np.unique(np.linspace(0, len(usable) - 1, MOST_WINDOWS).astype(int))]
    padded = np.resize(rows, MOST_WINDOWS)  # one program for any number of series
    influence, inputs = _influence_and_inputs(
        network, prepare(panel, panel.lengths, plan).series, padded, panel.lengths[padded]
    )
    season = plan.design.seasons[0] / plan.design.patch if plan.design.seasons[0] > 1 else None
    sensitivity = HorizonSensitivity(
        by_lag=np.median(np.asarray(influence, np.float64)[: len(rows)], axis=0),
        calendar_step=CalendarStep(panel.frequency.span(plan.design.patch), season),
    )
    inputs = jnp.asarray(np.asarray(inputs)[: len(rows)])
    return replace(cell_flow(network.first_block.cell, inputs), sensitivity=sensitivity)


@compiled(ONCE)
def _influence_and_inputs(
    network: ForecastNetwork, series: Series, rows: Array | np.ndarray, cutoffs: Array | np.ndarray
) -> tuple[Array, Array]:
    """Return the influence (B, F, R) of the values of B windows, and the inputs (B, T, H) of the cell."""
    design = network.design
    windows = windows_at(series, jnp.asarray(rows), jnp.asarray(cutoffs), lookback=design.reach, horizon=design.horizon)
    return _influence(network, windows), _cell_inputs(network, windows)


def _cell_inputs(network: ForecastNetwork, windows: Windows) -> Array:
    """Return the inputs (B, T, H) of the cell."""
    design = network.design
    given = network.covariates(windows)
    past, _ = network.unexplained(windows, given)
    patches = network.read(windows, jnp.where(windows.inside, past, 0)[:, -design.length :], given)
    return per_step(network.first_block.norm, patches)


def _influence(network: ForecastNetwork, windows: Windows) -> Array:
    """Return the size of the derivative (B, F, R) of the median by the window's values, the last value first."""

    def medians(past: Array) -> Array:
        scaled, units = network(windows._replace(past=past))
        return jnp.sort(unscale_values(scaled, units), axis=-1)[..., MEDIAN]  # quantiles that cross are sorted

    forecast, pull_back = jax.vjp(medians, windows.past)
    steps = jnp.eye(forecast.shape[1], dtype=forecast.dtype)  # of all windows at once: none depends on another
    (by_step,) = jax.vmap(lambda step: pull_back(jnp.broadcast_to(step, forecast.shape)))(steps)
    return jnp.abs(jnp.moveaxis(by_step, 0, 1))[..., ::-1]
