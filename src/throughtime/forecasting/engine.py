"""Training a forecast network on a panel, and forecasting with it: arrays in, arrays out.

``origins`` (N,) says throughout how many steps of each series are known. Nothing after them is read, so a backtest is
training and forecasting with earlier origins.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache, partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from throughtime.data.encoding import encode
from throughtime.data.gaps import fill_forward
from throughtime.data.panel import Panel
from throughtime.data.scaling import Units
from throughtime.data.windows import Series, device_series, draw_windows, windows_at
from throughtime.forecasting.baselines import seasonal_naive
from throughtime.forecasting.intervals import stretched
from throughtime.forecasting.losses import masked_mean
from throughtime.forecasting.naive_panel import naive_quantiles_of_panel
from throughtime.forecasting.network import Design, ForecastNetwork, head_of
from throughtime.forecasting.plan import Plan
from throughtime.shapes import Array, Key, Scalar
from throughtime.training.loop import EnoughError, Progress, start, train
from throughtime.training.optimisers import AveragedState, adamw_cosine, averaged
from throughtime.training.side_by_side import Run, side_by_side
from throughtime.training.step import Loss, TrainState

Networks = tuple[ForecastNetwork, ...]
"""The members of an ensemble; none where the series are too short."""

TRAINING = "training"  # how the names of its stages begin
REPORTS = 20  # progress reports of one training run
AVERAGE = 0.99  # decay of the weights' moving average
LEAST_DONE = 0.5  # of the steps of the furthest member, that a member must have done where training ended early
MEMBERS_APART = 7919  # from member to member's seed: the seeds of two forecasters should share no member
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
    values = panel.values[panel.steps < np.repeat(origins, panel.lengths)]
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
    counts = head_of(plan.design).counts  # must come as they are
    centre = np.zeros(len(panel)) if counts else values[firsts]
    use = learnable(panel, origins, plan.design.horizon)
    tracks = None if plan.encodings is None else encode(panel, plan.encodings, plan.design.horizon)
    flat = values - np.repeat(centre, panel.lengths)
    unit = np.ones(len(panel)) if counts else _units(flat, panel, origins)
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
    """One network for all series that are long enough, its weights averaged, and the loss of each training step.

    It ends before its last step where ``report`` raises :class:`EnoughError`.
    """
    key, key_weights = jax.random.split(jax.random.key(seed))
    loss, optimiser = _recipe(plan.design, plan.batch, plan.learning_rate, plan.most_steps)
    state = start(ForecastNetwork(plan.design, key=key_weights), optimiser, key)
    losses = []
    every = max(plan.most_steps // REPORTS, 1)
    with suppress(EnoughError):
        for progress in train(state, loss, optimiser, prepared.series, steps=plan.steps, every=every):
            state = progress.state
            losses.append(progress.losses)
            report(progress)
    return averaged_network(state), np.concatenate(losses)


def averaged_network(state: TrainState) -> ForecastNetwork:
    """The moving average of the network's weights, of a run as :func:`train_network` does it."""
    assert isinstance(state.optimiser, AveragedState)
    return state.optimiser.average


def train_networks(
    prepared: Prepared, plan: Plan, *, report: Callable[[str, Progress], None], seed: int
) -> tuple[Networks, np.ndarray]:
    """The plan's members, several at once, and their losses (M, steps); NaN for steps that were not done.

    Where an early end came before some had done half of what the furthest had, these are left out: a member that has
    hardly begun would spoil the mean.
    """

    def run(member: int) -> Run[tuple[ForecastNetwork, np.ndarray]]:
        return lambda heard: train_network(prepared, plan, report=heard, seed=seed + MEMBERS_APART * member)

    names = [
        f"{TRAINING} {member + 1}/{plan.members}" if plan.members > 1 else TRAINING for member in range(plan.members)
    ]
    _recipe(plan.design, plan.batch, plan.learning_rate, plan.most_steps)  # once for all threads
    trained = side_by_side([run(member) for member in range(plan.members)], [partial(report, name) for name in names])
    furthest = max(len(losses) for _, losses in trained)
    networks, losses = zip(*(one for one in trained if len(one[1]) >= LEAST_DONE * furthest), strict=True)
    done = [np.pad(one, (0, plan.steps - len(one)), constant_values=np.nan) for one in losses]
    return networks, np.stack(done)


def network_quantiles(networks: Networks, prepared: Prepared, rows: np.ndarray, origins: np.ndarray) -> np.ndarray:
    """Quantiles (R, F, Q) of the given series, ascending, as the networks see values: their mean.

    To average quantiles keeps the shape of the members' distributions, which to average probabilities would widen
    (Lichtendahl, Grushka-Cockayne & Winkler 2013). Heads sort quantiles that cross, which never makes the pinball loss
    worse (Chernozhukov, Fernandez-Val & Galichon 2010).
    """
    return np.concatenate([values for _, values in quantile_chunks(networks, prepared, rows, origins)])


def quantile_chunks(
    networks: Networks, prepared: Prepared, rows: np.ndarray, origins: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Some of the given series after the others, with their quantiles: what is on the way is never all of them."""
    size = min(ROWS, len(rows))
    for first in range(0, len(rows), size):
        wanted = rows[first : first + size]
        chunk = np.resize(wanted, size)  # one shape, one program
        at = jnp.asarray(chunk), jnp.asarray(origins[chunk])
        predicted = np.mean([_quantiles(network, *_predict(network, prepared.series, *at)) for network in networks], 0)
        values = predicted * prepared.unit[chunk, None, None] + prepared.centre[chunk, None, None]
        yield wanted, values[: len(wanted)]


def _quantiles(network: ForecastNetwork, raw: Array, units: Units) -> np.ndarray:
    """(B, F, Q), ascending."""
    design = network.design
    return head_of(design).quantiles(raw, design.quantiles, units)


def original_units(quantiles: np.ndarray, prepared: Prepared, rows: np.ndarray, plan: Plan) -> np.ndarray:
    """Quantiles (R, F, Q) as the networks see them in the data's own units, stretched as the plan says."""
    return _original(stretched(quantiles, plan.stretch), prepared, rows, plan)


def _original(values: np.ndarray, prepared: Prepared, rows: np.ndarray, plan: Plan) -> np.ndarray:
    """Values (R, F, ...) as the networks see them, in the data's own units."""
    if plan.log:  # from the first value on, so that a constant comes back to the last digit
        values = prepared.first[rows, None, None] * np.exp(values - prepared.centre[rows, None, None])
    return np.maximum(values, 0) if plan.positive else values


def forecast_quantiles(networks: Networks, panel: Panel, origins: np.ndarray, plan: Plan) -> np.ndarray:
    """Quantiles (N, F, Q) of the F steps after the origins, ascending, in the data's own units.

    The seasonal naive forecast stands in for a series that is too short for the networks, or for all where there are
    none; not a number for one that has no observation at all. Where no value was ever negative, nothing is forecast
    below zero.
    """
    design = plan.design
    served = learnable(panel, origins, design.horizon) & (len(networks) > 0)
    quantiles = np.full((len(panel), design.horizon, len(design.quantiles)), np.nan)
    if served.any():
        prepared = prepare(panel, origins, plan)
        for rows, predicted in quantile_chunks(networks, prepared, np.flatnonzero(served), origins):
            quantiles[rows] = original_units(predicted, prepared, rows, plan)
    rows = np.flatnonzero(~served & (observed_counts(panel, origins) > 0))
    if len(rows):
        filled = fill_forward(panel.values, panel.offsets, design.seasons[0])
        quantiles[rows] = _naive(panel, filled, rows, origins[rows], plan)
    return np.maximum(quantiles, 0, out=quantiles) if plan.positive else quantiles


def forecast_samples(
    networks: Networks, panel: Panel, origins: np.ndarray, plan: Plan, *, n: int, seed: int
) -> np.ndarray:
    """Values (N, F, n) drawn from the members' heads in turn, each step by itself; NaN where no network forecasts."""
    samples = np.full((len(panel), plan.design.horizon, n), np.nan)
    rows = np.flatnonzero(learnable(panel, origins, plan.design.horizon))
    if not networks or not len(rows):
        return samples
    prepared = prepare(panel, origins, plan)
    head, at = head_of(plan.design), (jnp.asarray(rows), jnp.asarray(origins[rows]))
    drawn = np.empty((len(rows), plan.design.horizon, n))
    for member, (network, key) in enumerate(zip(networks, _keys(seed, len(networks)), strict=True)):
        share = slice(member, n, len(networks))
        draws = head.sample(*_predict(network, prepared.series, *at), key, drawn[..., share].shape[-1])
        drawn[..., share] = np.moveaxis(draws, 0, -1)
    drawn = drawn * prepared.unit[rows, None, None] + prepared.centre[rows, None, None]
    samples[rows] = _original(drawn, prepared, rows, plan)
    return samples


def _keys(seed: int, count: int) -> Key:
    return jax.random.split(jax.random.key(seed), count)


def _naive(panel: Panel, filled: np.ndarray, rows: np.ndarray, origins: np.ndarray, plan: Plan) -> np.ndarray:
    """(R, F, Q) from the seasonal naive forecasts of some series."""
    first, season = panel.offsets[rows], plan.design.seasons[0]
    point = seasonal_naive(filled, first, origins, season=season, horizon=plan.design.horizon)
    return naive_quantiles_of_panel(panel.values, first, origins, point, season=season, quantiles=plan.design.quantiles)


@lru_cache(maxsize=16)
def _recipe(design: Design, batch: int, learning_rate: float, steps: int) -> tuple[Loss, optax.GradientTransformation]:
    """Loss and optimiser; the same objects for the same arguments, so that their program is compiled once."""
    head = head_of(design)

    def loss(network: ForecastNetwork, series: Series, key: Key) -> Scalar:
        windows = draw_windows(
            key, series, batch=batch, reach=design.reach, horizon=design.horizon, least=design.seasons[0]
        )
        raw, units = network(windows)
        counted = windows.known if head.counts else windows.known & (units.scale > 0)[:, None]
        return masked_mean(head.loss(raw, windows.future, units), counted)

    return loss, averaged(adamw_cosine(learning_rate, steps), AVERAGE)


@eqx.filter_jit
def _predict(network: ForecastNetwork, series: Series, rows: Array, origins: Array) -> tuple[Array, Units]:
    """The head's raw numbers (B, F, O), and the windows' units."""
    design = network.design
    return network(windows_at(series, rows, origins, reach=design.reach, horizon=design.horizon))
