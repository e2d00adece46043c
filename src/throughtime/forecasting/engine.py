"""Training a forecast network on a panel, and forecasting with it: arrays in, arrays out.

``origins`` (N,) says throughout how many steps of each series are known. Nothing after them is read, so a backtest is
training and forecasting with earlier origins.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from throughtime.data.encoding import encode
from throughtime.data.gaps import fill_forward
from throughtime.data.panel import Panel
from throughtime.data.scaling import from_units, to_units
from throughtime.data.windows import Series, device_series, draw_windows, windows_at
from throughtime.forecasting.baselines import seasonal_naive
from throughtime.forecasting.intervals import stretched
from throughtime.forecasting.losses import masked_mean, pinball
from throughtime.forecasting.naive_panel import naive_quantiles_of_panel
from throughtime.forecasting.network import Design, ForecastNetwork
from throughtime.forecasting.plan import Plan
from throughtime.shapes import Array, Key, Scalar
from throughtime.training.loop import Loss, Progress, start, train
from throughtime.training.optimisers import adamw_cosine

REPORTS = 20  # progress reports of one training run
ROWS = 1024  # series that one call of the network forecasts: bounds the memory
LEAST_OBSERVED = 3  # observations below which a series has nothing to measure a scale with
LEAST_HORIZONS, LEAST_WINDOWS = 2, 8  # on shorter random walks, intervals of 95 % covered 0 to 80 % of values


def learnable(panel: Panel, origins: np.ndarray, horizon: int) -> np.ndarray:
    """(N,) whether a series is long enough for the network: longer than the horizon, with some values observed."""
    return (origins > horizon) & (observed_counts(panel, origins) >= LEAST_OBSERVED)


def window_count(panel: Panel, origins: np.ndarray, horizon: int) -> int:
    """How many different windows, with a whole horizon after each, training can draw from all series."""
    return int((origins - horizon)[learnable(panel, origins, horizon)].sum())


def least_windows(horizon: int) -> int:
    return max(LEAST_HORIZONS * horizon, LEAST_WINDOWS)


def trainable(panel: Panel, origins: np.ndarray, horizon: int) -> bool:
    """Whether there are windows enough for a network.

    Neighbouring windows share all but one step of their future, so it takes a horizon of them to see another one. A
    network that has seen one future knows it by heart, and its intervals have no width.
    """
    return window_count(panel, origins, horizon) >= least_windows(horizon)


def observed_counts(panel: Panel, origins: np.ndarray) -> np.ndarray:
    """(N,) how many values of each series were observed before its origin."""
    counts = np.concatenate([[0], np.cumsum(~np.isnan(panel.values))])
    return counts[panel.offsets[:-1] + origins] - counts[panel.offsets[:-1]]


def known_values(panel: Panel, origins: np.ndarray) -> np.ndarray:
    """All values observed before the origins, in one array."""
    place = np.arange(len(panel.values)) - np.repeat(panel.offsets[:-1], panel.lengths)
    values = panel.values[place < np.repeat(origins, panel.lengths)]
    return values[~np.isnan(values)]


class Prepared(NamedTuple):
    """A panel as the network sees it.

    Attributes:
        values: (P,) filled, and logarithms where the plan says so.
        first: (N,) the first observed value of each series.
        centre: (N,) the same as the network sees it, taken off before float32: seven digits are for movements.
        unit: (N,) a power of two near each series' largest movement, which float32 then holds whatever its size.
        series: the same on the device, less the centre, in units.
    """

    values: np.ndarray
    first: np.ndarray
    centre: np.ndarray
    unit: np.ndarray
    series: Series


def prepare(panel: Panel, origins: np.ndarray, plan: Plan) -> Prepared:
    """Put the panel on the device; training may draw windows before ``origins``."""
    observed = ~np.isnan(panel.values)
    values = filled = fill_forward(panel.values, panel.offsets, plan.design.seasons[0])
    if plan.log:
        # After the origins of training there may come what has no logarithm; it then counts as very small.
        values = np.log(np.maximum(values, plan.smallest))
    places = np.flatnonzero(observed)
    firsts = places[np.minimum(np.searchsorted(places, panel.offsets[:-1]), len(places) - 1)]
    centre = values[firsts]
    use = learnable(panel, origins, plan.design.horizon)
    tracks = None if plan.encodings is None else encode(panel, plan.encodings, plan.design.horizon)
    flat = values - np.repeat(centre, panel.lengths)
    unit = _units(flat, panel, origins)
    flat /= np.repeat(unit, panel.lengths)
    series = device_series(flat, observed, panel.offsets[:-1], origins, use)
    return Prepared(values, filled[firsts], centre, unit, series._replace(tracks=tracks))


def _units(flat: np.ndarray, panel: Panel, origins: np.ndarray) -> np.ndarray:
    """(N,) the power of two below the largest size before the origin: dividing by it changes no digit."""
    known = np.arange(len(flat)) < np.repeat(panel.offsets[:-1] + origins, panel.lengths)
    sizes = np.abs(flat)
    sizes[~known] = 0
    largest, some = np.zeros(len(panel)), panel.lengths > 0
    largest[some] = np.maximum.reduceat(sizes, panel.offsets[:-1][some]) if some.any() else 0
    return np.exp2(np.floor(np.log2(np.where(largest > 0, largest, 1.0))))


def train_network(
    prepared: Prepared, plan: Plan, *, report: Callable[[Progress], None], seed: int
) -> tuple[ForecastNetwork, np.ndarray]:
    """One network for all series that are long enough, and the loss of each training step."""
    key, key_weights = jax.random.split(jax.random.key(seed))
    loss, optimiser = _recipe(plan.design, plan.batch, plan.learning_rate, plan.most_steps)
    state = start(ForecastNetwork(plan.design, key=key_weights), optimiser, key)
    losses = []
    every = max(plan.most_steps // REPORTS, 1)
    for progress in train(state, loss, optimiser, prepared.series, steps=plan.steps, every=every):
        state = progress.state
        losses.append(progress.losses)
        report(progress)
    return state.model, np.concatenate(losses)


def network_quantiles(
    network: ForecastNetwork, prepared: Prepared, rows: np.ndarray, origins: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles (R, F, Q) of the given series, ascending, and each window's scale (R,): as the network sees values."""
    parts = [(values, scales) for _, values, scales in quantile_chunks(network, prepared, rows, origins)]
    quantiles, scales = (np.concatenate(column) for column in zip(*parts, strict=True))
    return quantiles, scales


def quantile_chunks(
    network: ForecastNetwork, prepared: Prepared, rows: np.ndarray, origins: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Some of the given series after the others, with their quantiles and scales: never all of them in memory.

    Sorting mends quantiles that cross, and never makes the pinball loss worse (Chernozhukov, Fernandez-Val & Galichon
    2010).
    """
    size = min(ROWS, len(rows))
    for first in range(0, len(rows), size):
        wanted = rows[first : first + size]
        chunk = np.resize(wanted, size)  # one shape, one program
        predicted, scale = _predict(network, prepared.series, jnp.asarray(chunk), jnp.asarray(origins[chunk]))
        unit, centre = prepared.unit[chunk], prepared.centre[chunk]
        values = np.asarray(predicted, np.float64) * unit[:, None, None] + centre[:, None, None]
        scales = np.asarray(scale, np.float64) * unit
        yield wanted, np.sort(values, axis=-1)[: len(wanted)], scales[: len(wanted)]


def forecast_quantiles(network: ForecastNetwork | None, panel: Panel, origins: np.ndarray, plan: Plan) -> np.ndarray:
    """Quantiles (N, F, Q) of the F steps after the origins, ascending, in the data's own units.

    The seasonal naive forecast stands in for a series that is too short for the network; not a number for one that
    has no observation at all. Where no value was ever negative, nothing is forecast below zero.
    """
    design = plan.design
    served = learnable(panel, origins, design.horizon) & (network is not None)
    prepared = prepare(panel, origins, plan) if served.any() else None
    quantiles = np.full((len(panel), design.horizon, len(design.quantiles)), np.nan)
    if network is not None and prepared is not None:
        for chunk, predicted, _ in quantile_chunks(network, prepared, np.flatnonzero(served), origins):
            predicted = stretched(predicted, plan.stretch)
            if plan.log:  # from the first value on, so that a constant comes back to the last digit
                predicted = prepared.first[chunk, None, None] * np.exp(predicted - prepared.centre[chunk, None, None])
            quantiles[chunk] = predicted
    rows = np.flatnonzero(~served & (observed_counts(panel, origins) > 0))
    if len(rows):
        filled = fill_forward(panel.values, panel.offsets, design.seasons[0])
        quantiles[rows] = _naive(panel, filled, rows, origins[rows], plan)
    return np.maximum(quantiles, 0, out=quantiles) if plan.positive else quantiles


def _naive(panel: Panel, filled: np.ndarray, rows: np.ndarray, origins: np.ndarray, plan: Plan) -> np.ndarray:
    """(R, F, Q) from the seasonal naive forecasts of some series."""
    first, season = panel.offsets[rows], plan.design.seasons[0]
    point = seasonal_naive(filled, first, origins, season=season, horizon=plan.design.horizon)
    return naive_quantiles_of_panel(panel.values, first, origins, point, season=season, quantiles=plan.design.quantiles)


@lru_cache(maxsize=16)
def _recipe(design: Design, batch: int, learning_rate: float, steps: int) -> tuple[Loss, optax.GradientTransformation]:
    """Loss and optimiser; the same objects for the same arguments, so that their program is compiled once."""
    levels = jnp.asarray(design.quantiles, jnp.float32)

    def loss(network: ForecastNetwork, series: Series, key: Key) -> Scalar:
        windows = draw_windows(
            key, series, batch=batch, reach=design.reach, horizon=design.horizon, least=design.seasons[0]
        )
        predicted, units = network(windows)
        losses = pinball(predicted, to_units(windows.future, units), levels).mean(axis=-1)
        return masked_mean(losses, windows.known & (units.scale > 0)[:, None])

    return loss, adamw_cosine(learning_rate, steps)


@eqx.filter_jit
def _predict(network: ForecastNetwork, series: Series, rows: Array, origins: Array) -> tuple[Array, Array]:
    """Quantiles (B, F, Q) less each series' centre, and scales (B,)."""
    design = network.design
    windows = windows_at(series, rows, origins, reach=design.reach, horizon=design.horizon)
    scaled, units = network(windows)
    return from_units(scaled, units), units.scale
