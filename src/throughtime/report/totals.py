"""The sum of the series at each step, with intervals of the sum: those of the series do not add up to them.

The forecast of a sum is the sum of means. Its variance needs the correlation of the series' errors: one for all pairs,
measured in the backtest.
"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from throughtime.data import Panel, format_times
from throughtime.forecasting import MODEL, Covered, covered

Columns = Mapping[str, np.ndarray]
Levels = Sequence[int | float]
NAME = "\0total"  # in the place of an id, which no id of a file can be


class Spread(NamedTuple):
    """The means and the variances (...,) of forecasts."""

    mean: np.ndarray
    variance: np.ndarray


class Members(NamedTuple):
    """The rows (R,) of the series in the sum, and how many are not, by the reason."""

    rows: np.ndarray
    left_out: Mapping[str, int]


class Totals(NamedTuple):
    """The sum of the series that end at the same step.

    Attributes:
        series: how many these are.
        left_out: how many others there are, by the reason in words.
        start: the ordinal of the first step at which all of them have begun.
        values: (T,) their sum, NaN where one of them is missing.
        forecasts: of the sum, in the columns of the series' forecasts.
        backtest: of the sum, in the columns of the backtest.
        together: the correlation of two series' errors; 1 if it could not be measured.
        measured: False if it could not be.
        coverage: how much of the backtest's sums each interval covers.
        errors: the mean absolute error of each model's sums in the backtest, as a share of the mean absolute sum.
        widest: the mean width of the sums' narrowest interval if all errors went together, over that of the interval;
            None without intervals.
    """

    series: int
    left_out: Mapping[str, int]
    start: int
    values: np.ndarray
    forecasts: Columns
    backtest: Columns
    together: float
    measured: bool
    coverage: tuple[Covered, ...]
    errors: Mapping[str, float]
    widest: float | None

    def sentences(self, labels: Mapping[str, str]) -> Iterator[str]:
        """Yield what is in the sums, what is assumed, and how good they were; models are named by ``labels``."""
        every = self.series + sum(self.left_out.values())
        left_out = ", ".join(f"{count:,} {reason}" for reason, count in self.left_out.items())
        if left_out:
            yield f"The sum of {self.series:,} of {every:,} series. Left out: {left_out}."
        else:
            yield f"The sum of all {every:,} series."
        if self.widest is not None and self.measured:
            yield (
                f"In the backtest the errors of two series have a correlation of {self.together:.2f}, and the "
                f"intervals are for that one. The series' own intervals add up to {self.widest:.1f} times their width, "
                "which would be right if all errors went together."
            )
        elif self.widest is not None:
            yield (
                "How errors of series go together could not be measured, so the intervals are for errors that are all "
                "too high or all too low: the widest."
            )
        if self.coverage:
            shares = " and ".join(f"{found.level:g} % held {100 * found.share:.0f} %" for found in self.coverage)
            yield f"In the same backtest, of {self.coverage[0].values:,} sums, the intervals of {shares}."
        if self.errors:
            errors = ", ".join(f"{labels[name]} {error:.1%}" for name, error in self.errors.items())
            yield f"Mean absolute errors of the sums, as shares of the mean sum: {errors}."


def totals_of(
    panel: Panel, forecasts: Columns, backtest: Columns, models: Sequence[str], levels: Levels
) -> Totals | None:
    """Return the sums; None without two series that have forecasts and end at the same step.

    Args:
        panel: all series.
        forecasts: of each series: ``unique_id, ds, throughtime, ...``; may be empty.
        backtest: the same with ``cutoff, y``; may be empty.
        models: the models' columns, throughtime first.
        levels: of the intervals, in per cent.
    """
    multiple = panel.frequency.multiple
    ends = panel.starts + multiple * panel.lengths
    rows, left_out = _members(panel, ends, forecasts, backtest)
    if not (len(rows) and (forecasts or backtest)):
        return None
    start = int(panel.starts[rows].max())
    steps = int(ends[rows[0]] - start) // multiple
    values = np.sum([panel.values[end - steps : end] for end in panel.offsets[rows + 1]], axis=0)
    ids = panel.ids[rows]
    ahead, windows = list(_windows(forecasts, ids)), list(_windows(backtest, ids))
    measured = _correlation(windows, levels)
    together = 1.0 if measured is None else measured
    future = _joined([_sums(window, models, levels, together) for window in ahead])
    tested = _joined([_sums(window, models, levels, together) for window in windows])
    return Totals(
        len(rows),
        left_out,
        start,
        values,
        future,
        tested,
        together,
        measured is not None,
        tuple(covered(tested, level) for level in levels) if tested and not np.isnan(tested["y"]).all() else (),
        _errors(tested, models),
        _widest(future or tested, ahead or windows, levels),
    )


def _members(panel: Panel, ends: np.ndarray, forecasts: Columns, backtest: Columns) -> Members:
    """Return two or more series that can be added up, or none; ``ends`` (N,) are the ordinals after the last steps.

    A short series would cut the windows and the history of the sum to its own. Of the ends that at least half as many
    series share as the most common one, the latest counts: series that ended long ago are not of interest.
    """
    known = tested = np.ones(len(panel), bool)
    if forecasts:
        known = ~np.isin(panel.ids, forecasts["unique_id"][~np.isfinite(forecasts[MODEL])])
    if backtest:
        names, sizes = np.unique(backtest["unique_id"], return_counts=True)
        tested = known & np.isin(panel.ids, names[2 * sizes >= sizes.max()])
    usable = tested if tested.sum() > 1 else known
    steps, counts = np.unique(ends[usable], return_counts=True)
    shared = steps[counts >= max(2, counts.max(initial=0) / 2)]
    if not len(shared):
        return Members(np.array([], int), {})
    last = panel.frequency.times(shared[-1:] - panel.frequency.multiple)
    chosen = usable & (ends == shared[-1])
    reasons = {
        "without an observation": ~known,
        "with few or no windows in the backtest": known & ~usable,
        f"not ending at {format_times(last, panel.frequency.zone)[0]}": usable & ~chosen,
    }
    return Members(np.flatnonzero(chosen), {name: int(rows.sum()) for name, rows in reasons.items() if rows.any()})


def _windows(table: Columns, ids: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    """Yield the columns (R, F) of each cutoff at which all R series are forecast, the earliest first."""
    if not table:
        return
    kept = np.flatnonzero(np.isin(table["unique_id"], ids))
    cutoffs = table["cutoff"][kept] if "cutoff" in table else np.zeros(len(kept), int)
    order = np.lexsort((table["ds"][kept], table["unique_id"][kept], cutoffs))
    kept, cutoffs = kept[order], cutoffs[order]
    for cutoff in np.unique(cutoffs):
        rows = kept[cutoffs == cutoff]
        if len(rows) % len(ids) == 0 and len(np.unique(table["unique_id"][rows])) == len(ids):
            yield {name: column[rows].reshape(len(ids), -1) for name, column in table.items()}


def _spread(window: Columns, level: int | float) -> Spread:
    """Return the mean and the variance of distributions that are half a normal one on each side of the median."""
    deviations = NormalDist().inv_cdf(0.5 + level / 200)
    median = window[MODEL]
    below = (median - window[f"{MODEL}-lo-{level:g}"]) / deviations
    above = (window[f"{MODEL}-hi-{level:g}"] - median) / deviations
    shift = (above - below) / np.sqrt(2 * np.pi)
    return Spread(median + shift, (below**2 + above**2) / 2 - shift**2)


def _variance(variances: np.ndarray, together: float) -> np.ndarray:
    """Return the variance (F,) of the sum of series with variances (R, F), of which each two correlate the same."""
    alone, all_together = variances.sum(axis=0), np.sqrt(variances).sum(axis=0) ** 2
    return alone + together * (all_together - alone)


def _sums(window: Columns, models: Sequence[str], levels: Levels, together: float) -> dict[str, np.ndarray]:
    """Return the columns (F,) of the sum of a window's series."""
    steps = window[MODEL].shape[1]
    columns = {name: window[name][0] for name in ("ds", "cutoff") if name in window}
    columns |= {name: window[name].sum(axis=0) for name in ("y", *models) if name in window}
    columns["unique_id"] = np.full(steps, NAME)
    if not levels:
        return columns
    columns[MODEL] = mean = _spread(window, min(levels)).mean.sum(axis=0)
    for level in levels:
        half = np.sqrt(_variance(_spread(window, level).variance, together)) * NormalDist().inv_cdf(0.5 + level / 200)
        floor = 0.0 if (window[f"{MODEL}-lo-{level:g}"] >= 0).all() else -np.inf
        columns[f"{MODEL}-lo-{level:g}"] = np.maximum(mean - half, floor)
        columns[f"{MODEL}-hi-{level:g}"] = mean + half
    return columns


def _joined(windows: Sequence[Columns]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([window[name] for window in windows]) for name in windows[0]} if windows else {}


def _correlation(windows: Sequence[Columns], levels: Levels) -> float | None:
    """Return the correlation of two series' errors, 0 if it is negative; None if there are no errors.

    Pairs count by the product of the intervals' widths, as they do in the variance of the sum.
    """
    if not windows or not levels:
        return None
    parts = [_spread(window, min(levels)) for window in windows]
    errors = np.concatenate([window["y"] - part.mean for window, part in zip(windows, parts, strict=True)], axis=1)
    weights = np.sqrt(np.concatenate([part.variance for part in parts], axis=1)).mean(axis=1, keepdims=True)
    errors = errors[:, ~np.isnan(errors).any(axis=0)]
    sizes = np.sqrt(np.mean(errors**2, axis=1, keepdims=True)) if errors.size else np.zeros_like(weights)
    scaled = weights * np.divide(errors, sizes, out=np.zeros_like(errors), where=sizes > 0)
    pairs = weights.sum() ** 2 - np.sum(weights**2)
    if not scaled.any() or not pairs > 0:
        return None
    products = np.mean(scaled.sum(axis=0) ** 2 - np.sum(scaled**2, axis=0))
    return float(np.clip(products / pairs, 0, 1))


def _errors(tested: Columns, models: Sequence[str]) -> dict[str, float]:
    """Return the mean absolute error of each model's sums over the mean absolute sum."""
    if not tested or not np.nansum(np.abs(tested["y"])) > 0:
        return {}
    size = np.nanmean(np.abs(tested["y"]))
    return {name: float(np.nanmean(np.abs(tested["y"] - tested[name])) / size) for name in models if name in tested}


def _widest(sums: Columns, windows: Sequence[Columns], levels: Levels) -> float | None:
    """Return the mean width of the added intervals of the series over that of the sums' intervals; None without any."""
    if not sums or not levels:
        return None
    low, high = (f"{MODEL}-{side}-{min(levels):g}" for side in ("lo", "hi"))
    own = np.mean(sums[high] - sums[low])
    added = np.mean([(window[high] - window[low]).sum(axis=0) for window in windows])
    return float(added / own) if own > 0 else 1.0
