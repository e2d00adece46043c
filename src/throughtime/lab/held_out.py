"""The held-out end of a curve: a network's error there, beside that of naive forecasts."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from throughtime._types import Array, Float
from throughtime.lab.curves import Curve
from throughtime.layers import RecurrentNetwork

MOST_WINDOWS = 64


class HeldOut(NamedTuple):
    """The windows that test a network: as long as those of training, each held-out value predicted once.

    Attributes:
        windows: (N, T + 1) T inputs, and the targets one step later; inputs may be learned values.
        scored: (N, T) 1 where the target is held out and observed, else 0.
        naive: (N, T) the squared errors of the best naive forecast.
    """

    windows: Float[Array, "N S"]
    scored: Float[Array, "N T"]
    naive: Float[Array, "N T"]


class Naive(NamedTuple):
    """The mean squared errors of naive forecasts of the held-out values.

    Attributes:
        last: of the last value.
        mean: of the mean of the learned values.
        season: of the value one season before; None without a season, or if the learned part is shorter.
    """

    last: float
    mean: float
    season: float | None


class Score(NamedTuple):
    """A network's result on the held-out values.

    Attributes:
        loss: the mean squared error.
        lead: the mean by which its squared error is smaller than that of the best naive forecast, in standard errors
            (Diebold & Mariano 1995, eq. 1, of forecasts one step ahead).
    """

    loss: Float[Array, ""]
    lead: Float[Array, ""]


def hold_out(curve: Curve, window: int) -> tuple[HeldOut, Naive]:
    """Return the test of a curve, with windows of ``window`` steps; of a long series evenly spaced ones."""
    values, length = curve.values, len(curve.values)
    count = -(-(length - curve.cut) // window)
    targets = length - window * np.arange(1, count + 1)[:, None] + np.arange(window)
    scored = (targets >= curve.cut) & curve.observed[targets]
    usable = np.flatnonzero(scored.any(axis=1))
    kept = usable[np.unique(np.linspace(0, len(usable) - 1, min(len(usable), MOST_WINDOWS)).round().astype(int))]
    targets, scored = targets[kept], scored[kept]
    forecasts = {"last": values[targets - 1], "mean": curve.learned.mean()}
    if 1 < curve.season <= curve.cut:
        forecasts["season"] = values[np.maximum(targets - curve.season, 0)]
    errors = {name: (values[targets] - forecast) ** 2 for name, forecast in forecasts.items()}
    losses = {name: float(each[scored].mean()) for name, each in errors.items()}
    best = errors[min(losses, key=losses.__getitem__)]
    windows = values[np.column_stack([targets[:, 0] - 1, targets])]
    held_out = HeldOut(*(jnp.asarray(part, jnp.float32) for part in (windows, scored, best)))
    return held_out, Naive(losses["last"], losses["mean"], losses.get("season"))


@eqx.filter_jit
def score(network: RecurrentNetwork, held_out: HeldOut) -> Score:
    """Return the result of a network on the held-out values."""
    windows, scored, naive = held_out
    _, predictions = network(windows[:, :-1, None])
    errors = (predictions[..., 0] - windows[:, 1:]) ** 2
    count = scored.sum()

    def mean(values: Array) -> Array:
        return jnp.sum(values * scored) / count

    gain = mean(naive - errors)
    variance = mean((naive - errors - gain) ** 2) / jnp.maximum(count - 1, 1)
    return Score(mean(errors), gain / jnp.sqrt(jnp.maximum(variance, jnp.finfo(errors.dtype).tiny)))
