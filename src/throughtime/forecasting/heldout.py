"""What a held-out end of the training data tells: when to stop, and how far to trust the intervals."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from throughtime.data.panel import Panel
from throughtime.forecasting.engine import Prepared, learnable, network_quantiles, prepare, train_network
from throughtime.forecasting.intervals import MEDIAN, QUANTILES
from throughtime.forecasting.losses import pinball
from throughtime.forecasting.network import ForecastNetwork
from throughtime.forecasting.plan import Plan
from throughtime.training.loop import Progress

FEW_SERIES, WINDOWS_OF_FEW = 10, 3  # one window of one series is too little to judge by
COVERAGE = 0.8
WIDEST = 3.0
LOWER, UPPER = QUANTILES.index(0.1), QUANTILES.index(0.9)


class Judgement(NamedTuple):
    """The held-out loss after some training steps, and the stretch that would have made the intervals cover."""

    loss: float
    steps: int
    stretch: float


def settle(panel: Panel, origins: np.ndarray, plan: Plan, *, report: Callable[[Progress], None], seed: int) -> Plan:
    """The plan with the number of steps and the stretch that a run without the last horizons found best.

    The network is trained on what lies before the held-out windows; after each report it forecasts them. A small panel
    overfits within a few hundred steps, and its intervals become too narrow with it: stopping where the pinball loss is
    least mends the first, and the split-conformal factor of the errors there the second (Romano, Patterson & Candes
    2019, arXiv 1905.03222, with a factor in place of their constant).

    Where no series is long enough to hold anything out, the plan stays as it is.
    """
    horizon = plan.design.horizon
    windows = WINDOWS_OF_FEW if learnable(panel, origins, horizon).sum() < FEW_SERIES else 1
    earlier = np.maximum(origins - windows * horizon, 0)
    while windows > 1 and not learnable(panel, earlier, horizon).any():
        windows -= 1
        earlier = np.maximum(origins - windows * horizon, 0)
    if not learnable(panel, earlier, horizon).any():
        return plan
    prepared = prepare(panel, earlier, plan)
    judgements: list[Judgement] = []

    def judge(progress: Progress) -> None:
        judgements.append(_judge(progress.state.model, panel, prepared, origins, windows, int(progress.state.step)))
        report(progress)

    train_network(prepared, plan, report=judge, seed=seed)
    best = min(judgements, key=lambda judgement: judgement.loss)
    return plan._replace(steps=best.steps, stretch=best.stretch)


def _judge(
    network: ForecastNetwork, panel: Panel, prepared: Prepared, origins: np.ndarray, windows: int, steps: int
) -> Judgement:
    """Forecast all held-out windows: the mean pinball loss in units of each window's scale, and the stretch."""
    horizon = network.design.horizon
    losses, ratios = [], []
    for window in range(windows, 0, -1):
        cut = np.maximum(origins - window * horizon, 0)
        rows = np.flatnonzero(learnable(panel, cut, horizon))
        if not len(rows):
            continue
        whole = prepared._replace(series=prepared.series._replace(lengths=jnp.asarray(origins, jnp.int32)))
        quantiles, scale = network_quantiles(network, whole, rows, cut)
        places = (panel.offsets[rows] + cut[rows])[:, None] + np.arange(horizon)
        known = ~np.isnan(panel.values[places]) & (scale > 0)[:, None]
        # Less the centre, as in training: float32 would not tell movements apart around a far level.
        centre = prepared.centre[rows, None]
        quantiles, truth = quantiles - centre[:, :, None], prepared.values[places] - centre
        loss = np.asarray(pinball(jnp.asarray(quantiles), jnp.asarray(truth), jnp.asarray(QUANTILES))).mean(axis=-1)
        losses.append((loss / np.where(scale > 0, scale, 1)[:, None])[known])
        ratios.append(_error_ratio(quantiles, truth)[known])
    loss = float(np.mean(np.concatenate(losses))) if losses and len(np.concatenate(losses)) else np.inf
    return Judgement(loss, steps, _stretch(np.concatenate(ratios)) if ratios else 1.0)


def _error_ratio(quantiles: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(R, F) the error of the median over the half width, on the error's side, of the interval that should cover."""
    median = quantiles[..., MEDIAN]
    half = np.where(truth > median, quantiles[..., UPPER] - median, median - quantiles[..., LOWER])
    return np.abs(truth - median) / np.maximum(half, np.finfo(float).tiny)


def _stretch(ratios: np.ndarray) -> float:
    """The smallest factor with which the share ``COVERAGE`` of the errors is covered; never below 1.

    A held-out end that went unusually well must not make the intervals narrower than the network's own.
    """
    if not len(ratios):
        return 1.0
    rank = min(COVERAGE * (len(ratios) + 1) / len(ratios), 1.0)
    return float(np.clip(np.quantile(ratios, rank, method="higher"), 1.0, WIDEST))
