"""The reach of gradients and its verdict, as the page shows them."""

from typing import Any

import jax.numpy as jnp

from throughtime.forecasting import Forecaster
from throughtime.gradients import BOUNDS, GradientFlow, gradient_flow, json_values
from throughtime.lab.trainer import Trainer

FIELDS = ("label", "norms", "memory", "bound", "half_life", "reach", "verdict", "horizon_by_lag")


def trainer_reach(trainer: Trainer, start: int) -> dict[str, Any]:
    """Return the reach of the trainer's cell as it is now, over the window at ``start``."""
    inputs = trainer.window(start)[:-1, None]
    return _as_json(gradient_flow(trainer.state.model, jnp.asarray(inputs)))


def forecaster_reach(model: Forecaster) -> dict[str, Any]:
    """Return the reach of a fitted forecaster at the end of its series.

    Raises:
        InputError: if it has no network.
    """
    flow = gradient_flow(model)
    step = flow.calendar_step
    return _as_json(flow) | {"unit": None if step is None else step.label, "horizon": model.horizon}


def _as_json(flow: GradientFlow) -> dict[str, Any]:
    return json_values({name: getattr(flow, name) for name in FIELDS}) | {"bound_is": BOUNDS[flow.bound_kind]}
