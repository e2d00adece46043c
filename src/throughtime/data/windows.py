"""Windows of a panel, drawn where they are used and never materialized.

A panel of N series lies on the device as one flat array. A window is a forecast cutoff in one series, the R values
before it and the F values after it; drawing a batch is one gather, so memory is that of the panel alone.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from throughtime._types import Array, Bool, Float, Int, Key


class CovariateTable(NamedTuple):
    """Some covariates of S steps, series or windows.

    Attributes:
        numbers: two for each column of numbers: its value, standardized, and 1; both are 0 where it is missing.
        codes: of each column of categories; 0 where it is missing or was never seen.
    """

    numbers: Float[Array, "*S E"]
    codes: Int[Array, "*S C"]


class SeriesCovariates(NamedTuple):
    """The covariates of N ragged series, for each step of a series and F more after it.

    Attributes:
        static: of each series, (N, ...).
        past: of each step, one series after the other.
        future: of each step, the same.
        offsets: where each series begins.
    """

    static: CovariateTable
    past: CovariateTable
    future: CovariateTable
    offsets: Int[Array, "N"]


class WindowCovariates(NamedTuple):
    """The covariates of B windows.

    Attributes:
        static: (B, ...).
        past: of the R steps before the cutoff, (B, R, ...); nothing before a series begins.
        future: of those and the F steps after it, (B, R + F, ...); the same.
    """

    static: CovariateTable
    past: CovariateTable
    future: CovariateTable


def device_table(numbers: np.ndarray, codes: np.ndarray) -> CovariateTable:
    """Numbers (S, E), two for each column, and codes (S, C) on the device."""
    return CovariateTable(jnp.asarray(numbers), jnp.asarray(codes))


def device_offsets(offsets: np.ndarray) -> Int[Array, "N"]:
    return jnp.asarray(offsets, jnp.int32)


def covariates_at(
    series: SeriesCovariates,
    rows: Int[Array, "B"],
    positions: Int[Array, "B S"],
    inside: Bool[Array, "B S"],
    lookback: int,
) -> WindowCovariates:
    """The covariates of windows: of past covariates only what lies before the cutoff.

    Args:
        series: the covariates of all series.
        rows: the series of each window.
        positions: the places of the windows' R + F steps in their series.
        inside: whether the steps may be seen; those after the cutoff always may.
        lookback: R.
    """
    there = inside | (jnp.arange(positions.shape[1]) >= lookback)[None]
    places = jnp.where(there, series.offsets[rows][:, None] + positions, 0)
    return WindowCovariates(
        CovariateTable(series.static.numbers[rows], series.static.codes[rows]),
        _gathered(series.past, places[:, :lookback], there[:, :lookback]),
        _gathered(series.future, places, there),
    )


def _gathered(table: CovariateTable, places: Int[Array, "B S"], there: Bool[Array, "B S"]) -> CovariateTable:
    return CovariateTable(
        jnp.where(there[..., None], table.numbers[places], 0), jnp.where(there[..., None], table.codes[places], 0)
    )


class Series(NamedTuple):
    """N ragged series on the device, P values in all.

    Attributes:
        values: all values, one series after the other; where nothing was observed, what stands in for it.
        observed: whether a value was observed.
        offsets: where each series begins.
        lengths: how many values of each series may be seen; less than there are, for a backtest.
        weights: the chance of a series to be drawn, cumulated, ending at 1.
        covariates: those of the series; None without any.
    """

    values: Float[Array, "P"]
    observed: Bool[Array, "P"]
    offsets: Int[Array, "N"]
    lengths: Int[Array, "N"]
    weights: Float[Array, "N"]
    covariates: SeriesCovariates | None = None


class Windows(NamedTuple):
    """B windows.

    Attributes:
        past: the R values before the cutoff, oldest first; 0 before a series begins.
        inside: whether the past's steps lie inside the series.
        past_observed: whether they were observed.
        future: the F values after the cutoff.
        future_observed: whether they were observed: what a loss may count.
        covariates: the covariates of the windows; None without any.
    """

    past: Float[Array, "B R"]
    inside: Bool[Array, "B R"]
    past_observed: Bool[Array, "B R"]
    future: Float[Array, "B F"]
    future_observed: Bool[Array, "B F"]
    covariates: WindowCovariates | None = None


def last_steps(windows: Windows, steps: int) -> Windows:
    """The windows with no more of the past than its last steps; covariates stay as they are."""
    past, inside, observed = (
        steps_of[:, -steps:] for steps_of in (windows.past, windows.inside, windows.past_observed)
    )
    return windows._replace(past=past, inside=inside, past_observed=observed)


def device_series(
    values: np.ndarray, observed: np.ndarray, offsets: np.ndarray, lengths: np.ndarray, use: np.ndarray
) -> Series:
    """Put a panel on the device.

    Args:
        values: (P,) without NaN.
        observed: (P,).
        offsets: (N,).
        lengths: (N,).
        use: (N,) whether training may draw from a series; at least one.
    """
    # The square root: long series have more to tell, but not in proportion (M4 Weekly: 0.02 of OWA).
    weights = np.cumsum(np.where(use, np.sqrt(lengths), 0.0))
    with np.errstate(over="ignore"):  # beyond float32 it is infinite; where it is drawn, the loss says so
        single = values.astype(np.float32)
    return Series(
        jnp.asarray(single),
        jnp.asarray(observed),
        jnp.asarray(offsets, jnp.int32),
        jnp.asarray(lengths, jnp.int32),
        jnp.asarray(weights / weights[-1], jnp.float32),
    )


def draw_windows(key: Key, series: Series, *, batch: int, lookback: int, horizon: int, min_history: int) -> Windows:
    """B windows with random cutoffs: a series by its weight, then any cutoff in it.

    If the series is long enough, a cutoff leaves ``min_history`` values before it and ``horizon`` values after it;
    otherwise at least one of each.
    """
    key_row, key_cutoff = jax.random.split(key)
    rows = jnp.searchsorted(series.weights, jax.random.uniform(key_row, (batch,)), side="right")
    rows = jnp.minimum(rows, len(series.weights) - 1)
    lengths = series.lengths[rows]
    last = jnp.maximum(lengths - horizon, 1)
    first = jnp.minimum(min_history, last)
    cutoffs = jax.random.randint(key_cutoff, (batch,), first, last + 1)
    return windows_at(series, rows, cutoffs, lookback=lookback, horizon=horizon)


def windows_at(
    series: Series, rows: Int[Array, "B"], cutoffs: Int[Array, "B"], *, lookback: int, horizon: int
) -> Windows:
    """The windows of given series with given cutoffs: the number of values before the cut, counted in the series."""
    positions = cutoffs[:, None] + jnp.arange(-lookback, horizon)[None]
    inside = (positions >= 0) & (positions < series.lengths[rows][:, None])
    places = jnp.where(inside, series.offsets[rows][:, None] + positions, 0)
    values = jnp.where(inside, series.values[places], 0)
    observed = inside & series.observed[places]
    covariates = (
        None if series.covariates is None else covariates_at(series.covariates, rows, positions, inside, lookback)
    )
    past, future = slice(None, lookback), slice(lookback, None)
    return Windows(
        values[:, past], inside[:, past], observed[:, past], values[:, future], observed[:, future], covariates
    )
