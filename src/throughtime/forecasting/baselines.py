"""The forecasts that a model must beat."""

import warnings
from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib import import_module
from statistics import NormalDist

import numpy as np

from throughtime._errors import InputError, not_installed
from throughtime.data import fill_forward
from throughtime.forecasting.intervals import QUANTILES


def seasonal_naive(
    values: np.ndarray, offsets: np.ndarray, cutoffs: np.ndarray, *, season: int, horizon: int
) -> np.ndarray:
    """Each step ahead is the value one season before it (Hyndman & Athanasopoulos 2021, section 5.2).

    Args:
        values: (P,) the filled values of N series, one after the other.
        offsets: (N,) where each begins.
        cutoffs: (N,) how many values of each are known, at least 1.
        season: the period in steps; 1 repeats the last value.
        horizon: F.

    Returns:
        (N, F). A series shorter than one season repeats its last value.
    """
    steps = np.arange(horizon)
    places = cutoffs[:, None] - season + steps % season
    places = np.where(cutoffs[:, None] >= season, places, cutoffs[:, None] - 1)
    return values[offsets[:, None] + places]


def naive_quantiles(history: np.ndarray, point: np.ndarray, *, season: int, quantiles: tuple[float, ...]) -> np.ndarray:
    """Normal quantiles around one series' seasonal naive forecast (the same, section 5.5).

    The standard deviation is that of the history's errors one season ahead, and grows with the square root of the
    number of seasons that lie between.

    Args:
        history: (T,) what was observed, NaN where missing.
        point: (F,) the forecast.
        season: the period in steps.
        quantiles: Q levels.

    Returns:
        (F, Q); all equal to the forecast where the history shows no error to measure.
    """
    lag = season if len(history) > season else 1
    errors = history[lag:] - history[:-lag]
    errors = errors[~np.isnan(errors)]
    largest = np.max(np.abs(errors), initial=0.0)
    deviation = largest * np.sqrt(np.mean((errors / largest) ** 2)) if largest > 0 else 0.0  # no square is too large
    growth = np.sqrt(np.arange(len(point)) // lag + 1)
    return point[:, None] + deviation * growth[:, None] * normal_scores(quantiles)


def drift_quantiles(history: np.ndarray, *, horizon: int, quantiles: tuple[float, ...]) -> np.ndarray:
    """The line through the first and the last observation, and normal quantiles around it (the same, 5.2 and 5.5).

    The standard deviation of what one step departs from the line grows h steps ahead by ``sqrt(h (1 + h / (T - 1)))``.

    Args:
        history: (T,) what was observed, NaN where missing, with at least one observation.
        horizon: F.
        quantiles: Q levels.

    Returns:
        (F, Q); all equal to the point where there are fewer than two steps to measure a deviation with.
    """
    known = np.flatnonzero(~np.isnan(history))
    first, last = known[0], known[-1]
    span = max(last - first, 1)
    slope = history[last] / span - history[first] / span  # no difference is too large
    ahead = len(history) - last + np.arange(horizon)
    residuals = np.diff(history) - slope
    residuals = residuals[~np.isnan(residuals)]
    deviation = 0.0
    if len(residuals) > 1:
        largest = np.max(np.abs(residuals))
        squares = np.sum((residuals / (largest or 1.0)) ** 2)
        deviation = largest * np.sqrt(squares / (len(residuals) - 1))
    growth = np.sqrt(ahead * (1 + ahead / span))
    return (history[last] + slope * ahead)[:, None] + deviation * growth[:, None] * normal_scores(quantiles)


@cache
def normal_scores(quantiles: tuple[float, ...]) -> np.ndarray:
    """(Q,) where a standard normal distribution has its quantiles."""
    return np.array([NormalDist().inv_cdf(q) for q in quantiles])


def naive_quantiles_of_panel(
    values: np.ndarray,
    offsets: np.ndarray,
    cutoffs: np.ndarray,
    point: np.ndarray,
    *,
    season: int,
    quantiles: tuple[float, ...],
) -> np.ndarray:
    """For each series what :func:`throughtime.forecasting.baselines.naive_quantiles` gives.

    Args:
        values: (P,) what was observed, NaN where missing.
        offsets: (R,) where each series begins.
        cutoffs: (R,) how many values of each are known, at least 1.
        point: (R, F) their forecasts.
        season: the period in steps.
        quantiles: Q levels.

    Returns:
        (R, F, Q).
    """
    lags = np.where(cutoffs > season, season, 1)
    counts = np.maximum(cutoffs - lags, 0)
    row = np.repeat(np.arange(len(cutoffs)), counts)
    places = np.arange(len(row)) + np.repeat(offsets + lags - (np.cumsum(counts) - counts), counts)
    errors = values[places] - values[places - lags[row]]
    known = ~np.isnan(errors)
    row, errors = row[known], errors[known]
    largest = np.zeros(len(cutoffs))
    np.maximum.at(largest, row, np.abs(errors))
    shares = errors / np.where(largest > 0, largest, 1.0)[row]  # no square is too large
    squares = np.bincount(row, shares**2, len(cutoffs)) / np.maximum(np.bincount(row, minlength=len(cutoffs)), 1)
    growth = np.sqrt(np.arange(point.shape[1]) // lags[:, None] + 1)
    return point[:, :, None] + ((largest * np.sqrt(squares))[:, None] * growth)[:, :, None] * normal_scores(quantiles)


CRITICAL = 1.645  # of a normal distribution, 90 % two-sided: the competition's
LEAST_SEASONS = 3


def naive2_quantiles(history: np.ndarray, *, season: int, horizon: int, quantiles: tuple[float, ...]) -> np.ndarray:
    """The last value of the seasonally adjusted series, with the season put back; normal quantiles around it.

    As in the competition's own R code: adjusted where :func:`is_seasonal` says so, by classical multiplicative
    decomposition. A series with a value that is not positive has no such factors and is not adjusted.

    Args:
        history: (T,) without gaps.
        season: the period in steps.
        horizon: F.
        quantiles: Q levels.

    Returns:
        (F, Q); the quantiles are those of the naive forecast of the adjusted series, times the season's factors.
    """
    factors = np.ones(season)
    if (history > 0).all() and is_seasonal(history, season):
        factors = seasonal_factors(history, season)
    adjusted = history / factors[np.arange(len(history)) % season]
    ahead = factors[(len(history) + np.arange(horizon)) % season]
    naive = naive_quantiles(adjusted, np.repeat(adjusted[-1], horizon), season=1, quantiles=quantiles)
    return naive * ahead[:, None]


def is_seasonal(history: np.ndarray, season: int) -> bool:
    """The competition's test: whether the autocorrelation at the season is outside its 90 % limits.

    Never for fewer than three seasons, nor where the season lies beyond the ``10 log10(T)`` lags that R's ``acf`` has
    by default, which the competition's code did not change.
    """
    length = len(history)
    if season < 2 or length < LEAST_SEASONS * season or season > int(10 * np.log10(length)):
        return False
    centered = history - history.mean()
    largest = np.abs(centered).max()
    if largest == 0:
        return False
    centered = centered / largest  # no square is too large
    variance = centered @ centered
    lags = np.array([centered[lag:] @ centered[:-lag] / variance for lag in range(1, season + 1)])
    limit = CRITICAL * np.sqrt((1 + 2 * np.sum(lags[:-1] ** 2)) / length)
    return bool(np.abs(lags[-1]) > limit)


def seasonal_factors(history: np.ndarray, season: int) -> np.ndarray:
    """(season,) of classical multiplicative decomposition, with a mean of 1 (Hyndman & Athanasopoulos 2021, 3.4)."""
    weights = np.ones(season) if season % 2 else np.r_[0.5, np.ones(season - 1), 0.5]
    trend = np.convolve(history, weights / season, mode="valid")
    first = len(weights) // 2
    ratios = history[first : first + len(trend)] / trend
    place = (first + np.arange(len(trend))) % season
    factors = np.bincount(place, ratios, season) / np.bincount(place, minlength=season)
    return factors / factors.mean()


CLASSES = {"autoets": "AutoETS", "autotheta": "AutoTheta", "autoarima": "AutoARIMA"}


def statistical_model(name: str) -> Callable[..., np.ndarray]:
    """``quantiles(history, season=, horizon=, quantiles=)`` by one of ``CLASSES``; statsforecast is imported here.

    ``history`` (T,) has no gaps. The result (F, Q) has the model's mean in the place of the median, and the bounds of
    its intervals elsewhere. Whatever the library raises on a series comes through.

    Raises:
        InputError: where statsforecast is not installed.
    """
    try:
        model = getattr(import_module("statsforecast.models"), CLASSES[name])
    except ModuleNotFoundError as error:
        raise not_installed(f"the baseline {name}", error, "baselines") from None

    def forecast(history: np.ndarray, *, season: int, horizon: int, quantiles: tuple[float, ...]) -> np.ndarray:
        levels = {q: _level(q) for q in quantiles if q != 0.5}
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # of a season too long for it, of divisions by zero: the result is judged
            result = model(season_length=season).forecast(
                y=np.array(history, float), h=horizon, level=sorted(set(levels.values()))
            )
        names = ["mean" if q == 0.5 else f"{'lo' if q < 0.5 else 'hi'}-{levels[q]}" for q in quantiles]
        return np.stack([np.asarray(result[name], float) for name in names], axis=-1)

    return forecast


def _level(q: float) -> int | float:
    """The coverage in per cent of the interval that the q-quantile bounds: 95 for 0.025 and 0.975."""
    level = round(100 * abs(1 - 2 * q), 6)
    return int(level) if level == int(level) else level


BASELINE = "seasonal_naive"
NAIVE2 = "naive2"
OF_FILLED = (NAIVE2, *CLASSES)  # those that know no missing values
BASELINES = (BASELINE, "drift", *OF_FILLED)
Baseline = Callable[[np.ndarray, int, int], np.ndarray]
"""``baseline(history, season, horizon)``: quantiles (F, Q) at ``QUANTILES`` after a history (T,), NaN where missing."""


def named_baselines(names: Sequence[str]) -> dict[str, Baseline]:
    """The baselines of these names, seasonal naive always first among them.

    Raises:
        InputError: for a name that is none of ``BASELINES``, and where one needs a package that is missing.
    """
    if isinstance(names, str):
        names = [names]
    for name in names:
        if name not in BASELINES:
            raise InputError(f"unknown baseline {name!r}: expected one or more of {', '.join(BASELINES)}")
    simple: dict[str, Baseline] = {
        BASELINE: seasonal_naive_baseline,
        "drift": _drift,
        NAIVE2: partial(_of_filled, naive2_quantiles),
    }
    wanted = dict.fromkeys([BASELINE, *names])
    return {name: simple.get(name) or partial(_of_filled, statistical_model(name)) for name in wanted}


def seasonal_naive_baseline(history: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """Also what stands in where another baseline fails."""
    ends = np.array([0, len(history)])
    point = seasonal_naive(fill_forward(history, ends, season), ends[:1], ends[1:], season=season, horizon=horizon)[0]
    return naive_quantiles(history, point, season=season, quantiles=QUANTILES)


def _drift(history: np.ndarray, season: int, horizon: int) -> np.ndarray:
    del season  # a line has none
    return drift_quantiles(history, horizon=horizon, quantiles=QUANTILES)


def _of_filled(forecast: Callable[..., np.ndarray], history: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """Of a model that knows no missing values."""
    filled = fill_forward(history, np.array([0, len(history)]), season)
    return forecast(filled, season=season, horizon=horizon, quantiles=QUANTILES)
