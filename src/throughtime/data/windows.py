"""Windows of a panel, drawn on the device and never materialized.

The N series of a panel are one flat array on the device. A window is a cutoff in one series, the R values before it
(the lookback) and the F values after it (the horizon). Drawing a batch is one gather, so memory is that of the panel.

A program is compiled for the sizes of its arrays. So arrays on the device have one of a few sizes, and their last rows
may be padding that no window reads: panels of about the same size share a program. See :func:`padded_size`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from throughtime._types import Array, Bool, Float, Int, Key

LEAST_STEPS, LEAST_SERIES = 4096, 64  # of a padded panel: a window reads as fast from a longer array
MOST_SPARE = 2**18  # rows of padding


def padded_size(size: int, least: int) -> int:
    """Return the size of an array for ``size`` rows and padding: ``least`` times a power of 4, or a multiple of 2^18.

    The sizes are far apart, because each of them is another program, and padding costs nothing but memory.
    """
    padded = least
    while padded < min(size, MOST_SPARE):
        padded *= 4
    return padded if padded >= size else -(-size // MOST_SPARE) * MOST_SPARE


class CovariateTable(NamedTuple):
    """Covariates of S steps, series or windows.

    Attributes:
        numbers: two for each column of numbers: the standardized value and 1; both are 0 if it is missing.
        codes: one for each column of categories; 0 if it is missing or not in the training data.
    """

    numbers: Float[Array | np.ndarray, "*S E"]
    codes: Int[Array | np.ndarray, "*S C"]


class SeriesCovariates(NamedTuple):
    """The covariates of N ragged series, for the steps of each series and F more after it, S in all.

    Attributes:
        static: (N, ...), one row for each series.
        past: (S, ...), one row for each step, one series after the other.
        future: (S, ...), the same.
        offsets: the row at which each series begins.
    """

    static: CovariateTable
    past: CovariateTable
    future: CovariateTable
    offsets: Int[Array | np.ndarray, "N"]


class WindowCovariates(NamedTuple):
    """The covariates of B windows.

    Attributes:
        static: (B, ...).
        past: (B, R, ...), the steps before the cutoff; zeros before a series begins.
        future: (B, R + F, ...), the steps before and after the cutoff; zeros before a series begins.
    """

    static: CovariateTable
    past: CovariateTable
    future: CovariateTable


def padded_offsets(offsets: np.ndarray) -> np.ndarray:
    """Return the positions at which series begin, padded."""
    return _padded(offsets, LEAST_SERIES, np.int32)


def _padded(rows: np.ndarray, least: int, dtype: type[np.generic], filler: int = 0) -> np.ndarray:
    """Return rows, and behind them as many of ``filler`` as make up the padded size."""
    padded = np.full(padded_size(len(rows), least), filler, dtype)
    padded[: len(rows)] = rows
    return padded


def covariates_at(
    series: SeriesCovariates,
    rows: Int[Array, "B"],
    positions: Int[Array, "B S"],
    inside: Bool[Array, "B S"],
    lookback: int,
) -> WindowCovariates:
    """Return the covariates of windows: past covariates up to the cutoff only, so that nothing leaks.

    Args:
        series: the covariates of all series.
        rows: the series of each window.
        positions: the places of the windows' R + F steps in their series.
        inside: if a step is inside the series; the covariates after the cutoff may be read in any case.
        lookback: R.
    """
    readable = inside | (jnp.arange(positions.shape[1]) >= lookback)[None]
    places = jnp.where(readable, series.offsets[rows][:, None] + positions, 0)
    return WindowCovariates(
        CovariateTable(series.static.numbers[rows], series.static.codes[rows]),
        _gathered(series.past, places[:, :lookback], readable[:, :lookback]),
        _gathered(series.future, places, readable),
    )


def _gathered(table: CovariateTable, places: Int[Array, "B S"], readable: Bool[Array, "B S"]) -> CovariateTable:
    return CovariateTable(
        jnp.where(readable[..., None], table.numbers[places], 0), jnp.where(readable[..., None], table.codes[places], 0)
    )


class Series(NamedTuple):
    """N ragged series, P values in all, both with padding: no window reads the last of them.

    Attributes:
        values: all values, one series after the other; missing ones are filled.
        observed: if a value was observed.
        offsets: the position at which each series begins.
        lengths: the values of each series that may be read; fewer than there are, for a backtest.
        weights: the cumulated probability of a series to be drawn, ending at 1.
        covariates: those of the series; None without any.
    """

    values: Float[Array | np.ndarray, "P"]
    observed: Bool[Array | np.ndarray, "P"]
    offsets: Int[Array | np.ndarray, "N"]
    lengths: Int[Array | np.ndarray, "N"]
    weights: Float[Array | np.ndarray, "N"]
    covariates: SeriesCovariates | None = None


class Windows(NamedTuple):
    """B windows.

    Attributes:
        past: the R values before the cutoff, oldest first; 0 before a series begins.
        inside: if the steps of the past are inside the series.
        past_observed: if the values of the past were observed.
        future: the F values after the cutoff.
        future_observed: if the values of the future were observed; a loss counts no others.
        covariates: the covariates of the windows; None without any.
    """

    past: Float[Array, "B R"]
    inside: Bool[Array, "B R"]
    past_observed: Bool[Array, "B R"]
    future: Float[Array, "B F"]
    future_observed: Bool[Array, "B F"]
    covariates: WindowCovariates | None = None


def last_steps(windows: Windows, steps: int) -> Windows:
    """Return the windows with only the last steps of the past; covariates stay as they are."""
    return windows._replace(
        past=windows.past[:, -steps:],
        inside=windows.inside[:, -steps:],
        past_observed=windows.past_observed[:, -steps:],
    )


def padded_series(
    values: np.ndarray, observed: np.ndarray, offsets: np.ndarray, lengths: np.ndarray, use: np.ndarray
) -> Series:
    """Return a panel as a program reads it, padded.

    Args:
        values: (P,) without NaN.
        observed: (P,) if a value was observed.
        offsets: (N,) the position at which each series begins.
        lengths: (N,) the values of each series that may be read.
        use: (N,) if training may draw from a series; True for at least one.
    """
    # The square root: long series hold more information, but not in proportion (M4 Weekly: 0.02 of OWA).
    weights = np.cumsum(np.where(use, np.sqrt(lengths), 0.0))
    with np.errstate(over="ignore"):  # beyond float32 it becomes infinite, and so does the loss of its windows
        single = _padded(values, LEAST_STEPS, np.float32)
    return Series(
        single,
        _padded(observed, LEAST_STEPS, np.bool_),
        _padded(offsets, LEAST_SERIES, np.int32),
        _padded(lengths, LEAST_SERIES, np.int32),
        _padded(weights / weights[-1], LEAST_SERIES, np.float32, filler=1),  # never drawn: all draws are below 1
    )


def draw_windows(key: Key, series: Series, *, batch: int, lookback: int, horizon: int, min_history: int) -> Windows:
    """Draw B windows: a series by its weight, then a cutoff in it, uniformly.

    If the series is long enough, a cutoff leaves ``min_history`` values before it and ``horizon`` values after it;
    otherwise at least one of each.
    """
    key_row, key_cutoff = jax.random.split(key)
    rows = jnp.searchsorted(series.weights, jax.random.uniform(key_row, (batch,)), side="right")
    lengths = series.lengths[rows]
    last = jnp.maximum(lengths - horizon, 1)
    first = jnp.minimum(min_history, last)
    cutoffs = jax.random.randint(key_cutoff, (batch,), first, last + 1)
    return windows_at(series, rows, cutoffs, lookback=lookback, horizon=horizon)


def windows_at(
    series: Series,
    rows: Int[Array, "B"],
    cutoffs: Int[Array, "B"],
    *,
    lookback: int,
    horizon: int,
    ends: Int[Array, "B"] | None = None,
) -> Windows:
    """Return the windows of these series with these cutoffs; a cutoff is the number of values before it.

    Args:
        series: N series.
        rows: the series of each window.
        cutoffs: the cutoff of each window.
        lookback: R.
        horizon: F.
        ends: the values of each window's series that may be read; the lengths of the series by default.
    """
    ends = series.lengths[rows] if ends is None else ends
    positions = cutoffs[:, None] + jnp.arange(-lookback, horizon)[None]
    inside = (positions >= 0) & (positions < ends[:, None])
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
