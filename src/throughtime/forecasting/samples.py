"""Samples of a fitted forecaster: from the heads of its networks, and from the quantiles of its other forecasts."""

from functools import partial

import numpy as np

from throughtime._fork import require_threads
from throughtime.data import Panel
from throughtime.forecasting.fitted import Fitted
from throughtime.forecasting.forecasts import naive_quantiles, sources_of
from throughtime.forecasting.intervals import sampled_quantiles
from throughtime.forecasting.observations import nonnegative
from throughtime.forecasting.zero_shot import zero_shot_quantiles


def forecast_samples(fitted: Fitted, panel: Panel, cutoffs: np.ndarray, *, n: int, seed: int) -> np.ndarray:
    """Return values (N, F, n), each step drawn by itself, in the data's own units.

    Each series is drawn from what forecasts it: see :func:`~throughtime.forecasting.forecasts.sources_of`.

    Args:
        fitted: the plan and the networks.
        panel: N series.
        cutoffs: (N,) the steps of each series that may be seen.
        n: how many values for each step.
        seed: the same one draws the same.

    Returns:
        NaN for series without any observation.
    """
    require_threads()
    plan, share = fitted.plan, fitted.calibration.zero_shot
    rng = partial(np.random.default_rng, seed % 2**64)  # of a negative seed, too, as JAX has it
    samples = np.full((len(panel), plan.design.horizon, n), np.nan)
    trained, pretrained, naive = sources_of(fitted, panel, cutoffs)
    if trained.any():
        from throughtime.forecasting.infer import trained_samples  # loads JAX

        rows = np.flatnonzero(trained)
        samples[rows] = trained_samples(fitted, panel, rows, cutoffs, n=n, seed=seed)
    for group, count in ((pretrained & trained, round(share * n)), (pretrained & ~trained, n)):
        rows = np.flatnonzero(group)
        if len(rows) and count and fitted.zero_shot is not None:
            quantiles = zero_shot_quantiles(fitted.zero_shot, panel, rows, cutoffs[rows], plan)
            samples[rows, :, :count] = sampled_quantiles(quantiles, count, rng())
    if naive.any():
        rows = np.flatnonzero(naive)
        quantiles = naive_quantiles(panel, rows, cutoffs[rows], plan)
        samples[rows] = sampled_quantiles(quantiles, n, rng())
    positive = nonnegative(panel, cutoffs, plan)
    samples[positive] = np.maximum(samples[positive], 0)
    return samples
