"""One name for all that a gradient can flow back through."""

from typing import Any

import jax.numpy as jnp

from throughtime.cells.base import Cell
from throughtime.errors import InputError
from throughtime.forecasting.forecaster import Forecaster
from throughtime.gradients.flow import GradientFlow
from throughtime.gradients.forecasters import forecaster_flow
from throughtime.gradients.measure import cell_flow
from throughtime.layers import RecurrentNetwork


def gradient_flow(model: Any, xs: Any = None, state: Any = None) -> GradientFlow:
    """Measure what flows back through time: from the last state to each earlier one.

    Args:
        model: a cell; a RecurrentNetwork, whose cell it is then; or a fitted Forecaster.
        xs: the inputs (T, D), or (B, T, D) for the median over B sequences; for a Forecaster a frame of series, by
            default those that it was fitted on.
        state: where to start, as :func:`throughtime.unroll` takes it; zeros by default.

    Returns:
        The figures, the verdict and the picture of it: ``.norms``, ``.bound``, ``.half_life``, ``.verdict``,
        ``.plot()``, ``.to_frame()``; see :class:`throughtime.GradientFlow`.

    Raises:
        InputError: for anything else, inputs that do not fit, and a Forecaster without a network.

    Example:
        >>> flow = tt.gradient_flow(tt.LSTM(3, 20, key=key), xs)
        >>> print(flow.verdict)
    """
    if isinstance(model, Forecaster):
        return forecaster_flow(model, xs)
    cell = model.cell if isinstance(model, RecurrentNetwork) else model
    if not isinstance(cell, Cell):
        raise InputError(
            f"gradient_flow got a {type(model).__name__}: expected a cell, a RecurrentNetwork or a fitted Forecaster"
        )
    if xs is None:
        raise InputError(f"gradient_flow needs the inputs of a cell: xs (T, {cell.inputs}), or (B, T, {cell.inputs})")
    return cell_flow(cell, jnp.asarray(xs), state)
