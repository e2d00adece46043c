"""The effect of each covariate on a backtest: how much larger the error is if the covariate's values are shuffled.

This is the permutation importance of Breiman (2001), "Random forests", section 10, on windows that training did not
see. Covariates that tell the same share their effect: to shuffle one of them changes little.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from throughtime.data import Column, Covariates, Panel
from throughtime.forecasting.fitted import Fitted
from throughtime.forecasting.forecasts import forecast_quantiles
from throughtime.forecasting.intervals import MEDIAN

MOST_SERIES, MOST_COLUMNS = 1024, 12  # of a panel with effects: the forecasts of more take seconds
REPEATS = 5  # shuffles of a single series; a panel of more has as many values from fewer
ENOUGH = 16  # series that need one shuffle only


class Effect(NamedTuple):
    """The effect of a covariate.

    Attributes:
        name: the column.
        change: the mean absolute error with shuffled values over that without, minus 1.
        doubt: the standard error of the change over series and windows; None for a single one.
    """

    name: str
    change: float
    doubt: float | None


def covariate_effects(fitted: Fitted, panel: Panel, cutoffs: np.ndarray, *, seed: int) -> tuple[Effect, ...]:
    """Return the effect of each covariate, the largest first; none without covariates or trained networks.

    A covariate is shuffled in time within each series, a static one among the series.

    Args:
        fitted: trained on the values before the first cutoff.
        panel: N series.
        cutoffs: (K, N) how many steps of each series every window knows.
        seed: of the shuffles.

    Returns:
        Nothing for more than 1,024 series or 12 covariates, which would take long.
    """
    covariates = panel.covariates
    if covariates is None or not fitted.networks or len(panel) > MOST_SERIES or len(covariates.names) > MOST_COLUMNS:
        return ()
    plain, rng = _errors(fitted, panel, cutoffs), np.random.default_rng(seed % 2**64)
    if not np.nansum(plain) > 0:
        return ()
    repeats = max(REPEATS * ENOUGH // (ENOUGH + len(panel) - 1), 1)
    found = []
    for name in covariates.names:
        changed = [replace(panel, covariates=_shuffled(covariates, name, rng)) for _ in range(repeats)]
        errors = np.mean([_errors(fitted, other, cutoffs) for other in changed], axis=0)
        found.append(_effect(name, errors - plain, float(np.nanmean(plain))))
    return tuple(sorted(found, key=lambda effect: -effect.change))


def _errors(fitted: Fitted, panel: Panel, cutoffs: np.ndarray) -> np.ndarray:
    """Return the mean absolute error (K, N) of the median in each window, over the scale of the series."""
    horizon = fitted.plan.design.horizon
    scale = np.array([_known_mean(np.abs(panel.series(row))) for row in range(len(panel))])
    errors = np.full(cutoffs.shape, np.nan)
    for window, known in enumerate(cutoffs):
        rows = np.flatnonzero(known + horizon <= panel.lengths)
        point = forecast_quantiles(fitted, panel, known)[rows, :, MEDIAN]
        missed = np.abs(panel.after(rows, known[rows], horizon) - point)
        errors[window, rows] = _known_mean(missed)
    return errors / np.where(scale > 0, scale, np.nan)


def _known_mean(values: np.ndarray) -> np.ndarray:
    """Return the mean of the known values along the last axis, NaN if there are none."""
    known = np.isfinite(values)
    sums, counts = np.where(known, values, 0).sum(axis=-1), known.sum(axis=-1)
    return np.divide(sums, counts, out=np.full(np.shape(sums), np.nan), where=counts > 0)


def _effect(name: str, differences: np.ndarray, error: float) -> Effect:
    """Return the effect of differences (K, N) of the error."""
    known = differences[np.isfinite(differences)] / error
    doubt = float(known.std(ddof=1) / np.sqrt(len(known))) if len(known) > 1 else None
    return Effect(name, float(known.mean()), doubt)


def _shuffled(covariates: Covariates, name: str, rng: np.random.Generator) -> Covariates:
    """Return the covariates with the known values of one of them shuffled."""
    series = np.repeat(np.arange(len(covariates.offsets) - 1), np.diff(covariates.offsets))

    def mixed(columns: Sequence[Column], group: np.ndarray) -> tuple[Column, ...]:
        return tuple(_shuffled_column(column, group, rng) if column.name == name else column for column in columns)

    return replace(
        covariates,
        static=mixed(covariates.static, np.zeros(len(covariates.sources))),
        past=mixed(covariates.past, series),
        future=mixed(covariates.future, series),
    )


def _shuffled_column(column: Column, group: np.ndarray, rng: np.random.Generator) -> Column:
    """Return a column whose known values are shuffled within groups, which follow each other in ``group`` (C,)."""
    known, values = np.flatnonzero(~np.isnan(column.values)), column.values.copy()
    values[known] = values[known[np.lexsort((rng.random(len(known)), group[known]))]]
    return replace(column, values=values)
