"""Training a forecast network on a panel, and forecasting with it: arrays in, arrays out.

``origins`` (N,) says throughout how many steps of each series are known. Nothing after them is read, so a backtest is
training and forecasting with earlier origins.
"""

from collections.abc import Callable
from functools import lru_cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from throughtime.data.gaps import fill_forward
from throughtime.data.panel import Panel
from throughtime.data.scaling import from_units, to_units
from throughtime.data.windows import Series, device_series, draw_windows, windows_at
from throughtime.forecasting.baselines import naive_quantiles, seasonal_naive
from throughtime.forecasting.losses import masked_mean, pinball
from throughtime.forecasting.network import ForecastNetwork
from throughtime.forecasting.plan import Plan
from throughtime.shapes import Array, Key, Scalar
from throughtime.training.loop import Loss, Progress, start, train
from throughtime.training.optimisers import adamw_cosine

REPORTS = 20  # progress reports of one training run
ROWS = 1024  # series that one call of the network forecasts: bounds the memory
LEAST_OBSERVED = 3  # observations below which a series has nothing to measure a scale with


def learnable(panel: Panel, origins: np.ndarray, horizon: int) -> np.ndarray:
    """(N,) whether a series is long enough for the network: longer than the horizon, with some values observed."""
    return (origins > horizon) & (observed_counts(panel, origins) >= LEAST_OBSERVED)


def observed_counts(panel: Panel, origins: np.ndarray) -> np.ndarray:
    """(N,) how many values of each series were observed before its origin."""
    counts = np.concatenate([[0], np.cumsum(~np.isnan(panel.values))])
    return counts[panel.offsets[:-1] + origins] - counts[panel.offsets[:-1]]


def known_values(panel: Panel, origins: np.ndarray) -> np.ndarray:
    """All values observed before the origins, in one array."""
    place = np.arange(len(panel.values)) - np.repeat(panel.offsets[:-1], panel.lengths)
    values = panel.values[place < np.repeat(origins, panel.lengths)]
    return values[~np.isnan(values)]


def train_network(
    panel: Panel,
    origins: np.ndarray,
    plan: Plan,
    *,
    report: Callable[[Progress], None] = lambda progress: None,
    seed: int,
) -> tuple[ForecastNetwork, np.ndarray]:
    """One network for all series that are long enough, and the loss of each training step."""
    key, key_weights = jax.random.split(jax.random.key(seed))
    series, _ = _to_device(panel, origins, plan)
    loss, optimiser = _recipe(plan)
    state = start(ForecastNetwork(plan.design, key=key_weights), optimiser, key)
    losses = []
    every = max(plan.steps // REPORTS, 1)
    for progress in train(state, loss, optimiser, series, steps=plan.steps, every=every):
        state = progress.state
        losses.append(progress.losses)
        report(progress)
    return state.model, np.concatenate(losses)


def forecast_quantiles(network: ForecastNetwork | None, panel: Panel, origins: np.ndarray, plan: Plan) -> np.ndarray:
    """Quantiles (N, F, Q) of the F steps after the origins, ascending, in the data's own units.

    The seasonal naive forecast stands in for a series that is too short for the network; not a number for one that
    has no observation at all.
    """
    design = plan.design
    usable = learnable(panel, origins, design.horizon)
    quantiles = np.full((len(panel), design.horizon, len(design.quantiles)), np.nan)
    if network is not None and usable.any():
        rows = np.flatnonzero(usable)
        series, centre = _to_device(panel, origins, plan)
        for chunk in np.array_split(rows, -(-len(rows) // ROWS)):
            padded = np.resize(chunk, min(ROWS, len(rows)))  # one shape, one program
            predicted = _predict(network, series, jnp.asarray(padded), jnp.asarray(origins[padded]))
            quantiles[chunk] = np.asarray(predicted, np.float64)[: len(chunk)] + centre[chunk, None, None]
        # Sorting mends quantiles that cross, and never makes the pinball loss worse (Chernozhukov et al. 2010).
        quantiles[rows] = np.sort(np.exp(quantiles[rows]) if plan.log else quantiles[rows], axis=-1)
    else:
        usable = np.zeros(len(panel), bool)
    filled = fill_forward(panel.values, panel.offsets, design.seasons[0])
    for row in np.flatnonzero(~usable & (observed_counts(panel, origins) > 0)):
        quantiles[row] = _naive(panel, filled, int(row), int(origins[row]), plan)
    return quantiles


def _naive(panel: Panel, filled: np.ndarray, row: int, origin: int, plan: Plan) -> np.ndarray:
    """(F, Q) from the seasonal naive forecast of one series."""
    first, season = int(panel.offsets[row]), plan.design.seasons[0]
    point = seasonal_naive(filled, np.array([first]), np.array([origin]), season=season, horizon=plan.design.horizon)[0]
    history = panel.values[first : first + origin]
    return naive_quantiles(history, point, season=season, quantiles=plan.design.quantiles)


def _to_device(panel: Panel, origins: np.ndarray, plan: Plan) -> tuple[Series, np.ndarray]:
    """The series as the network sees them, and what was taken off each, its first observed value.

    float32 has seven digits: taking off a value of the series' own keeps them for its movements.
    """
    observed = ~np.isnan(panel.values)
    values = fill_forward(panel.values, panel.offsets, plan.design.seasons[0])
    if plan.log:
        # After the origins of training there may come what has no logarithm; it then counts as very small.
        values = np.log(np.maximum(values, plan.smallest))
    places = np.flatnonzero(observed)
    firsts = places[np.minimum(np.searchsorted(places, panel.offsets[:-1]), len(places) - 1)]
    centre = values[firsts]
    use = learnable(panel, origins, plan.design.horizon)
    return device_series(values - np.repeat(centre, panel.lengths), observed, panel.offsets[:-1], origins, use), centre


@lru_cache(maxsize=16)
def _recipe(plan: Plan) -> tuple[Loss, optax.GradientTransformation]:
    """Loss and optimiser; the same objects for the same plan, so that their program is compiled once."""
    design = plan.design
    levels = jnp.asarray(design.quantiles, jnp.float32)

    def loss(network: ForecastNetwork, series: Series, key: Key) -> Scalar:
        windows = draw_windows(
            key, series, batch=plan.batch, reach=design.reach, horizon=design.horizon, least=design.seasons[0]
        )
        predicted, units = network(windows)
        losses = pinball(predicted, to_units(windows.future, units), levels).mean(axis=-1)
        return masked_mean(losses, windows.known & (units.scale > 0)[:, None])

    return loss, adamw_cosine(plan.learning_rate, plan.steps)


@eqx.filter_jit
def _predict(network: ForecastNetwork, series: Series, rows: Array, origins: Array) -> Array:
    """(B, F, Q), less each series' centre."""
    design = network.design
    windows = windows_at(series, rows, origins, reach=design.reach, horizon=design.horizon)
    return from_units(*network(windows))
