"""How far back gradients flow, as the page shows it: with the verdict."""

from typing import Any

import jax.numpy as jnp

from throughtime.forecasting import Forecaster
from throughtime.gradients import BOUNDS, GradientFlow, gradient_flow, json_values
from throughtime.lab.run import Run, window_of

FIELDS = ("label", "norms", "memory", "bound", "half_life", "reach", "verdict", "horizon_by_lag")


def run_reach(run: Run, start: int) -> dict[str, Any]:
    """Of a run's cell as it is now, over the window from ``start``."""
    return _shown(gradient_flow(run.state.model, jnp.asarray(window_of(run, start))[:-1, None]))


def forecaster_reach(model: Forecaster) -> dict[str, Any]:
    """Of a fitted forecaster, at the end of its series.

    Raises:
        InputError: where it has no network.
    """
    flow = gradient_flow(model)
    step = flow.calendar_step
    return _shown(flow) | {"unit": None if step is None else step.label, "horizon": model.horizon}


def _shown(flow: GradientFlow) -> dict[str, Any]:
    return json_values({name: getattr(flow, name) for name in FIELDS}) | {"bound_is": BOUNDS[flow.bound_kind]}
