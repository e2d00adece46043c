"""The gradient through time and its verdict, as the page shows them, in the measure of ``throughtime gradients``."""

import math
from typing import Any

import jax.numpy as jnp

from throughtime.forecasting import Forecaster
from throughtime.gradients import BOUNDS, GradientFlow, gradient_flow, json_values
from throughtime.lab.trainer import Trainer

FIELDS = ("label", "memory", "bound", "reach", "verdict", "horizon_by_lag")


def trainer_reach(trainer: Trainer, start: int) -> dict[str, Any]:
    """Return the gradient through the trainer's cell as it is now, over the window at ``start``."""
    return _as_json(gradient_flow(trainer.state.model, jnp.asarray(trainer.inputs(start)[:, None])))


def forecaster_reach(model: Forecaster) -> dict[str, Any]:
    """Return the gradient through a fitted forecaster at the end of its series.

    Raises:
        InputError: if it has no network.
    """
    flow = gradient_flow(model)
    step = flow.calendar_step
    return _as_json(flow) | {"unit": None if step is None else step.label, "horizon": model.horizon}


def _as_json(flow: GradientFlow) -> dict[str, Any]:
    half_life = flow.half_life if flow.is_straight and math.isfinite(flow.half_life) else None
    fields = {name: getattr(flow, name) for name in FIELDS}
    return json_values(fields | {"half_life": half_life, "bound_is": BOUNDS[flow.bound_kind]})
