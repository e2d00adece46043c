"""Forecasts from trained networks: quantiles and samples.

Every function takes any panel: the one that the networks were trained on, or another.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from throughtime._compiler import SELDOM, compiled
from throughtime._types import Array
from throughtime.data import LEAST_SERIES, LevelScale, Panel, Series, windows_at
from throughtime.forecasting.dataset import Prepared, prepare
from throughtime.forecasting.fitted import Fitted, Networks
from throughtime.forecasting.intervals import stretched
from throughtime.forecasting.network import ForecastNetwork, head_of
from throughtime.forecasting.plan import NO_STRETCH

CHUNK = 1024  # series that one call of a network forecasts: bounds the memory
FEW = 16  # the same for a small panel, most often of a few series: a call for 64 takes twice as long


def trained_quantiles(
    fitted: Fitted, panel: Panel, rows: np.ndarray, cutoffs: np.ndarray, *, stretch: bool
) -> np.ndarray:
    """Return the quantiles (R, F, Q) of the F steps after the cutoffs, ascending, in the data's own units.

    Args:
        fitted: the plan, the networks and their calibration.
        panel: N series.
        rows: (R,) series that are long enough for the networks.
        cutoffs: (N,) the steps of each series that may be seen.
        stretch: if intervals are widened as the calibration says.
    """
    prepared = prepare(panel, cutoffs, fitted.plan)
    factors = fitted.calibration.stretch if stretch else NO_STRETCH
    chunks = quantile_chunks(fitted.networks, prepared, rows, cutoffs[rows])
    return np.concatenate([original_quantiles(found, prepared, chunk, factors) for chunk, found in chunks])


def trained_samples(
    fitted: Fitted, panel: Panel, rows: np.ndarray, cutoffs: np.ndarray, *, n: int, seed: int
) -> np.ndarray:
    """Return values (R, F, n) drawn from the members' heads in turn, each step by itself, in the data's own units.

    Args:
        fitted: the plan and the networks.
        panel: N series.
        rows: (R,) series that are long enough for the networks.
        cutoffs: (N,) the steps of each series that may be seen.
        n: how many values for each step.
        seed: the same one draws the same.
    """
    plan, networks = fitted.plan, fitted.networks
    prepared = prepare(panel, cutoffs, plan)
    head, drawn = head_of(plan.design), np.empty((len(rows), plan.design.horizon, n))
    keys = jax.random.split(jax.random.key(seed), len(networks))
    for member, (network, key) in enumerate(zip(networks, keys, strict=True)):
        share = slice(member, n, len(networks))
        draws = head.sample(*_raw_forecasts(network, prepared, rows, cutoffs[rows]), key, drawn[..., share].shape[-1])
        drawn[..., share] = np.moveaxis(draws[:, : len(rows)], 0, -1)
    return original_units(_centered(drawn, prepared, rows), prepared, rows)


def network_quantiles(networks: Networks, prepared: Prepared, rows: np.ndarray, cutoffs: np.ndarray) -> np.ndarray:
    """Return the mean quantiles (R, F, Q) of the networks after R cutoffs, ascending, as the networks see values.

    Averaging quantiles keeps the shape of the members' distributions; averaging probabilities would widen them
    (Lichtendahl, Grushka-Cockayne & Winkler 2013). Heads sort quantiles that cross, which never makes the pinball loss
    worse (Chernozhukov, Fernandez-Val & Galichon 2010).

    Args:
        networks: at least one.
        prepared: N series.
        rows: (R,) the series of each cutoff.
        cutoffs: (R,) the steps of these series that may be seen.
    """
    return np.concatenate([values for _, values in quantile_chunks(networks, prepared, rows, cutoffs)])


def quantile_chunks(
    networks: Networks, prepared: Prepared, rows: np.ndarray, cutoffs: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield ``(rows, quantiles)`` in chunks of at most 1,024 cutoffs, which bounds the memory."""
    size = _chunk_size(prepared)
    for first in range(0, len(rows), size):
        chunk = slice(first, first + size)
        members = [_member_quantiles(network, prepared, rows[chunk], cutoffs[chunk]) for network in networks]
        mean = sum(members[1:], members[0]) / len(members)
        yield rows[chunk], _centered(mean, prepared, rows[chunk])


def original_quantiles(
    quantiles: np.ndarray, prepared: Prepared, rows: np.ndarray, stretch: Sequence[float] = NO_STRETCH
) -> np.ndarray:
    """Return quantiles (R, F, Q) of some series, as the networks see them, in the data's own units and stretched.

    Args:
        quantiles: as :func:`network_quantiles` returns them.
        prepared: N series.
        rows: (R,) their rows.
        stretch: (Q,) factors on the distance from the median, as the networks see it.
    """
    return original_units(stretched(quantiles, stretch), prepared, rows)


def original_units(values: np.ndarray, prepared: Prepared, rows: np.ndarray) -> np.ndarray:
    """Return values (R, F, ...) of some series, as the networks see them, in the data's own units."""
    log, positive = prepared.log[rows, None, None], prepared.positive[rows, None, None]
    # Relative to the first value, so that a constant is exact to the last digit.
    powers = np.exp(np.where(log, values - prepared.center[rows, None, None], 0))
    values = np.where(log, prepared.first[rows, None, None] * powers, values)
    return np.where(positive, np.maximum(values, 0), values)


def _centered(values: np.ndarray, prepared: Prepared, rows: np.ndarray) -> np.ndarray:
    """Return values (R, F, ...) of some series with the units and the center that were taken off for float32."""
    return values * prepared.unit[rows, None, None] + prepared.center[rows, None, None]


def _member_quantiles(
    network: ForecastNetwork, prepared: Prepared, rows: np.ndarray, cutoffs: np.ndarray
) -> np.ndarray:
    """Return (R, F, Q), ascending."""
    raw, units = _raw_forecasts(network, prepared, rows, cutoffs)
    units = LevelScale(units.level[: len(rows)], units.scale[: len(rows)])
    return head_of(network.design).quantiles(raw[: len(rows)], network.design.quantiles, units)


def _chunk_size(prepared: Prepared) -> int:
    """Return the number of cutoffs in one call of a network: one program for all calls on panels of this size."""
    size = len(prepared.series.lengths)
    return FEW if size == LEAST_SERIES else min(CHUNK, size)


def _raw_forecasts(
    network: ForecastNetwork, prepared: Prepared, rows: np.ndarray, cutoffs: np.ndarray
) -> tuple[np.ndarray, LevelScale]:
    """Return the head's raw numbers (S, F, O), and the windows' units: of R cutoffs, padded to whole chunks."""
    size = _chunk_size(prepared)
    padded = np.arange(-(-len(rows) // size) * size) % len(rows)
    chunks = [padded[first : first + size] for first in range(0, len(padded), size)]
    parts = [_forecast(network, prepared.series, rows[chunk], cutoffs[chunk]) for chunk in chunks]
    raws, units = zip(*parts, strict=True)
    joined: Any = map(np.concatenate, zip(*units, strict=True))
    return np.concatenate(raws), LevelScale(*joined)


@compiled(SELDOM)
def _forecast(
    network: ForecastNetwork, series: Series, rows: Array | np.ndarray, cutoffs: Array | np.ndarray
) -> tuple[Array, LevelScale]:
    """Return the head's raw numbers (B, F, O), and the windows' units."""
    design, rows, cutoffs = network.design, jnp.asarray(rows), jnp.asarray(cutoffs)
    return network(windows_at(series, rows, cutoffs, lookback=design.reach, horizon=design.horizon, ends=cutoffs))
