"""Forecasts from trained networks: quantiles, samples, and the naive fallback for short series."""

from collections.abc import Iterator

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from throughtime._types import Array, Key
from throughtime.data import LevelScale, Panel, Series, fill_forward, windows_at
from throughtime.forecasting.baselines import naive_quantiles_of_panel, seasonal_naive
from throughtime.forecasting.config import Plan
from throughtime.forecasting.dataset import Prepared, learnable, observed_counts, prepare
from throughtime.forecasting.intervals import stretched
from throughtime.forecasting.network import ForecastNetwork, head_of
from throughtime.forecasting.train import Networks

ROWS = 1024  # series that one call of the network forecasts: bounds the memory


def network_quantiles(networks: Networks, prepared: Prepared, rows: np.ndarray, cutoffs: np.ndarray) -> np.ndarray:
    """Quantiles (R, F, Q) of the given series, ascending, as the networks see values: their mean.

    To average quantiles keeps the shape of the members' distributions, which to average probabilities would widen
    (Lichtendahl, Grushka-Cockayne & Winkler 2013). Heads sort quantiles that cross, which never makes the pinball loss
    worse (Chernozhukov, Fernandez-Val & Galichon 2010).
    """
    return np.concatenate([values for _, values in quantile_chunks(networks, prepared, rows, cutoffs)])


def quantile_chunks(
    networks: Networks, prepared: Prepared, rows: np.ndarray, cutoffs: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Some of the given series after the others, with their quantiles: what is on the way is never all of them."""
    size = min(ROWS, len(rows))
    for first in range(0, len(rows), size):
        wanted = rows[first : first + size]
        chunk = np.resize(wanted, size)  # one shape, one program
        at = jnp.asarray(chunk), jnp.asarray(cutoffs[chunk])
        predicted = np.mean(
            [_member_quantiles(network, *_predict(network, prepared.series, *at)) for network in networks], 0
        )
        values = predicted * prepared.unit[chunk, None, None] + prepared.center[chunk, None, None]
        yield wanted, values[: len(wanted)]


def _member_quantiles(network: ForecastNetwork, raw: Array, units: LevelScale) -> np.ndarray:
    """(B, F, Q), ascending."""
    design = network.design
    return head_of(design).quantiles(raw, design.quantiles, units)


def original_units(quantiles: np.ndarray, prepared: Prepared, rows: np.ndarray, plan: Plan) -> np.ndarray:
    """Quantiles (R, F, Q) as the networks see them in the data's own units, stretched as the plan says."""
    return _original(stretched(quantiles, plan.stretch), prepared, rows, plan)


def _original(values: np.ndarray, prepared: Prepared, rows: np.ndarray, plan: Plan) -> np.ndarray:
    """Values (R, F, ...) as the networks see them, in the data's own units."""
    if plan.log:  # from the first value on, so that a constant comes back to the last digit
        values = prepared.first[rows, None, None] * np.exp(values - prepared.center[rows, None, None])
    return np.maximum(values, 0) if plan.positive else values


def forecast_quantiles(networks: Networks, panel: Panel, cutoffs: np.ndarray, plan: Plan) -> np.ndarray:
    """Quantiles (N, F, Q) of the F steps after the cutoffs, ascending, in the data's own units.

    The seasonal naive forecast stands in for a series that is too short for the networks, or for all where there are
    none; not a number for one that has no observation at all. Where no value was ever negative, nothing is forecast
    below zero.
    """
    design = plan.design
    served = learnable(panel, cutoffs, design.horizon) & (len(networks) > 0)
    quantiles = np.full((len(panel), design.horizon, len(design.quantiles)), np.nan)
    if served.any():
        prepared = prepare(panel, cutoffs, plan)
        for rows, predicted in quantile_chunks(networks, prepared, np.flatnonzero(served), cutoffs):
            quantiles[rows] = original_units(predicted, prepared, rows, plan)
    rows = np.flatnonzero(~served & (observed_counts(panel, cutoffs) > 0))
    if len(rows):
        filled = fill_forward(panel.values, panel.offsets, design.seasons[0])
        quantiles[rows] = _naive(panel, filled, rows, cutoffs[rows], plan)
    return np.maximum(quantiles, 0, out=quantiles) if plan.positive else quantiles


def forecast_samples(
    networks: Networks, panel: Panel, cutoffs: np.ndarray, plan: Plan, *, n: int, seed: int
) -> np.ndarray:
    """Values (N, F, n) drawn from the members' heads in turn, each step by itself; NaN where no network forecasts."""
    samples = np.full((len(panel), plan.design.horizon, n), np.nan)
    rows = np.flatnonzero(learnable(panel, cutoffs, plan.design.horizon))
    if not networks or not len(rows):
        return samples
    prepared = prepare(panel, cutoffs, plan)
    head, at = head_of(plan.design), (jnp.asarray(rows), jnp.asarray(cutoffs[rows]))
    drawn = np.empty((len(rows), plan.design.horizon, n))
    for member, (network, key) in enumerate(zip(networks, _member_keys(seed, len(networks)), strict=True)):
        share = slice(member, n, len(networks))
        draws = head.sample(*_predict(network, prepared.series, *at), key, drawn[..., share].shape[-1])
        drawn[..., share] = np.moveaxis(draws, 0, -1)
    drawn = drawn * prepared.unit[rows, None, None] + prepared.center[rows, None, None]
    samples[rows] = _original(drawn, prepared, rows, plan)
    return samples


def _member_keys(seed: int, count: int) -> Key:
    return jax.random.split(jax.random.key(seed), count)


def _naive(panel: Panel, filled: np.ndarray, rows: np.ndarray, cutoffs: np.ndarray, plan: Plan) -> np.ndarray:
    """(R, F, Q) from the seasonal naive forecasts of some series."""
    first, season = panel.offsets[rows], plan.design.seasons[0]
    point = seasonal_naive(filled, first, cutoffs, season=season, horizon=plan.design.horizon)
    return naive_quantiles_of_panel(panel.values, first, cutoffs, point, season=season, quantiles=plan.design.quantiles)


@eqx.filter_jit
def _predict(network: ForecastNetwork, series: Series, rows: Array, cutoffs: Array) -> tuple[Array, LevelScale]:
    """The head's raw numbers (B, F, O), and the windows' units."""
    design = network.design
    return network(windows_at(series, rows, cutoffs, lookback=design.reach, horizon=design.horizon))
