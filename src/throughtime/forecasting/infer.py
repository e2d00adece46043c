"""Forecasts from trained networks: quantiles, samples, and the seasonal naive forecast of series that are too short.

Every function takes any panel: the one that the networks were trained on, or another.
"""

from collections.abc import Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from throughtime._compiler import SELDOM, compiled
from throughtime._fork import require_threads
from throughtime._types import Array
from throughtime.data import LevelScale, Panel, Series, fill_forward, require_future, windows_at
from throughtime.forecasting.baselines import naive_quantiles_of_panel, seasonal_naive
from throughtime.forecasting.config import NO_STRETCH, Plan
from throughtime.forecasting.dataset import Prepared, prepare
from throughtime.forecasting.fitted import Fitted, Networks
from throughtime.forecasting.intervals import interval_columns, stretched
from throughtime.forecasting.network import ForecastNetwork, head_of
from throughtime.forecasting.observations import learnable, nonnegative, observed_counts

CHUNK = 1024  # series that one call of a network forecasts: bounds the memory


def forecast_quantiles(fitted: Fitted, panel: Panel, cutoffs: np.ndarray) -> np.ndarray:
    """Return the quantiles (N, F, Q) of the F steps after the cutoffs, ascending, in the data's own units.

    The seasonal naive forecast stands in for series that are too short for the networks, or for all if there are no
    networks. No forecast is negative if no known value of its series was, or no value of the training data.

    Args:
        fitted: the plan, the networks and their calibration.
        panel: N series.
        cutoffs: (N,) the steps of each series that may be seen.

    Returns:
        NaN for a series without any observation.

    Raises:
        InputError: if future covariates of the steps to forecast are missing.
    """
    require_future(panel, cutoffs, fitted.plan.design.horizon)
    require_threads()
    plan, design = fitted.plan, fitted.plan.design
    served = learnable(panel, cutoffs, design.horizon) & (len(fitted.networks) > 0)
    quantiles = np.full((len(panel), design.horizon, len(design.quantiles)), np.nan)
    if served.any():
        prepared = prepare(panel, cutoffs, plan)
        rows = np.flatnonzero(served)
        for chunk, predicted in quantile_chunks(fitted.networks, prepared, rows, cutoffs[rows]):
            quantiles[chunk] = original_quantiles(predicted, prepared, chunk, fitted.calibration.stretch)
    rows = np.flatnonzero(~served & (observed_counts(panel, cutoffs) > 0))
    if len(rows):
        quantiles[rows] = _naive(panel, rows, cutoffs[rows], plan)
    positive = nonnegative(panel, cutoffs, plan)
    quantiles[positive] = np.maximum(quantiles[positive], 0)
    return quantiles


def forecast_intervals(
    fitted: Fitted, panel: Panel, levels: Sequence[int | float], name: str = "throughtime"
) -> dict[str, np.ndarray]:
    """Return the point forecast and the bounds (N * F,) of the steps after the end of each series.

    Args:
        fitted: the plan, the networks and their calibration.
        panel: N series.
        levels: coverage in per cent.
        name: of the columns, see :func:`~throughtime.forecasting.intervals.interval_columns`.

    Raises:
        InputError: if future covariates are missing, and for a level outside (0, 100).
    """
    quantiles = forecast_quantiles(fitted, panel, panel.lengths)
    positive = np.repeat(nonnegative(panel, panel.lengths, fitted.plan), quantiles.shape[1])
    return interval_columns(quantiles.reshape(-1, quantiles.shape[-1]), levels, name, positive=positive)


def forecast_samples(fitted: Fitted, panel: Panel, cutoffs: np.ndarray, *, n: int, seed: int) -> np.ndarray:
    """Return values (N, F, n) drawn from the members' heads in turn, each step by itself, in the data's own units.

    Args:
        fitted: the plan and the networks.
        panel: N series.
        cutoffs: (N,) the steps of each series that may be seen.
        n: how many values for each step.
        seed: the same one draws the same.

    Returns:
        NaN for series that no network forecasts.
    """
    require_threads()
    plan, networks = fitted.plan, fitted.networks
    samples = np.full((len(panel), plan.design.horizon, n), np.nan)
    rows = np.flatnonzero(learnable(panel, cutoffs, plan.design.horizon))
    if not networks or not len(rows):
        return samples
    prepared = prepare(panel, cutoffs, plan)
    head, drawn = head_of(plan.design), np.empty((len(rows), plan.design.horizon, n))
    keys = jax.random.split(jax.random.key(seed), len(networks))
    for member, (network, key) in enumerate(zip(networks, keys, strict=True)):
        share = slice(member, n, len(networks))
        draws = head.sample(*_raw_forecasts(network, prepared, rows, cutoffs[rows]), key, drawn[..., share].shape[-1])
        drawn[..., share] = np.moveaxis(draws[:, : len(rows)], 0, -1)
    samples[rows] = original_units(_centered(drawn, prepared, rows), prepared, rows)
    return samples


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
        members = [
            _member_quantiles(network, *_raw_forecasts(network, prepared, rows[chunk], cutoffs[chunk]))
            for network in networks
        ]
        mean = np.mean(members, axis=0)[: len(rows[chunk])]
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


def _member_quantiles(network: ForecastNetwork, raw: np.ndarray, units: LevelScale) -> np.ndarray:
    """Return (B, F, Q), ascending."""
    return head_of(network.design).quantiles(raw, network.design.quantiles, units)


def _naive(panel: Panel, rows: np.ndarray, cutoffs: np.ndarray, plan: Plan) -> np.ndarray:
    """Return the quantiles (R, F, Q) of the seasonal naive forecasts of some series."""
    first, season = panel.offsets[rows], plan.design.seasons[0]
    filled = fill_forward(panel.values, panel.offsets, season)
    point = seasonal_naive(filled, first, cutoffs, season=season, horizon=plan.design.horizon)
    return naive_quantiles_of_panel(panel.values, first, cutoffs, point, season=season, quantiles=plan.design.quantiles)


def _chunk_size(prepared: Prepared) -> int:
    """Return the number of cutoffs in one call of a network: one program for all calls on panels of this size."""
    return min(CHUNK, len(prepared.series.lengths))


def _raw_forecasts(
    network: ForecastNetwork, prepared: Prepared, rows: np.ndarray, cutoffs: np.ndarray
) -> tuple[np.ndarray, LevelScale]:
    """Return the head's raw numbers (S, F, O), and the windows' units: of R cutoffs, padded to whole chunks."""
    size = _chunk_size(prepared)
    padded = -(-len(rows) // size) * size
    rows, cutoffs = np.resize(rows, padded), np.resize(cutoffs, padded)
    chunks = [slice(first, first + size) for first in range(0, padded, size)]
    parts = [_forecast(network, prepared.series, rows[chunk], cutoffs[chunk]) for chunk in chunks]
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)


@compiled(SELDOM)
def _forecast(
    network: ForecastNetwork, series: Series, rows: Array | np.ndarray, cutoffs: Array | np.ndarray
) -> tuple[Array, LevelScale]:
    """Return the head's raw numbers (B, F, O), and the windows' units."""
    design, rows, cutoffs = network.design, jnp.asarray(rows), jnp.asarray(cutoffs)
    return network(windows_at(series, rows, cutoffs, lookback=design.reach, horizon=design.horizon, ends=cutoffs))
