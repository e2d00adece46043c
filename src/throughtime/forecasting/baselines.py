"""Simple forecasts, the ones that a model must beat.

From point forecasts to their quantiles, then the table of names, then the models of statsforecast. Shapes: T known
steps of one series, P values of all series, R series, F steps ahead, Q quantiles.
"""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module

import numpy as np

from throughtime._errors import InputError, not_installed
from throughtime._registry import known_name
from throughtime.data import fill_forward
from throughtime.forecasting.intervals import QUANTILES
from throughtime.zero_shot import normal_scores

BASELINE = "seasonal_naive"
NAIVE2 = "naive2"
CLASSES = {"autoets": "AutoETS", "autotheta": "AutoTheta", "autoarima": "AutoARIMA"}  # in statsforecast.models
OF_FILLED = (NAIVE2, *CLASSES)  # they need histories without gaps
BASELINES = (BASELINE, "drift", *OF_FILLED)
CRITICAL = 1.645  # of a normal distribution, 90 % two-sided: M4's
LEAST_SEASONS = 3  # M4's: shorter series are not tested for a season

Baseline = Callable[[np.ndarray, int, int], np.ndarray]
"""``baseline(history, season, horizon)``: quantiles (F, Q) at ``QUANTILES`` after a history (T,), NaN where missing."""


def seasonal_naive(
    values: np.ndarray, offsets: np.ndarray, cutoffs: np.ndarray, *, season: int, horizon: int
) -> np.ndarray:
    """Forecast each step by the value one season before it (Hyndman & Athanasopoulos 2021, section 5.2).

    Args:
        values: (P,) the filled values of R series, one after the other.
        offsets: (R,) where each begins.
        cutoffs: (R,) how many values of each are known, at least 1.
        season: the period in steps; 1 repeats the last value.
        horizon: F.

    Returns:
        (R, F). A series shorter than one season repeats its last value.
    """
    steps = np.arange(horizon)
    places = cutoffs[:, None] - season + steps % season
    places = np.where(cutoffs[:, None] >= season, places, cutoffs[:, None] - 1)
    return values[offsets[:, None] + places]


def naive_quantiles_of_panel(
    values: np.ndarray,
    offsets: np.ndarray,
    cutoffs: np.ndarray,
    point: np.ndarray,
    *,
    season: int,
    quantiles: tuple[float, ...],
) -> np.ndarray:
    """Return normal quantiles around seasonal naive forecasts (Hyndman & Athanasopoulos 2021, section 5.5).

    The standard deviation is that of the history's errors one season ahead, or one step ahead if the history is not
    longer than a season. It grows with the square root of the number of seasons from the forecast back to the history.

    Args:
        values: (P,) the observed values of R series, NaN where missing.
        offsets: (R,) where each series begins.
        cutoffs: (R,) how many values of each are known, at least 1.
        point: (R, F) their forecasts.
        season: the period in steps.
        quantiles: Q levels.

    Returns:
        (R, F, Q); all equal to the forecast if a history has no error to measure.
    """
    lags = np.where(cutoffs > season, season, 1)
    histories = [values[offset : offset + cutoff] for offset, cutoff in zip(offsets, cutoffs, strict=True)]
    deviation = np.array([_deviation(history, lag) for history, lag in zip(histories, lags.tolist(), strict=True)])
    growth = np.sqrt(np.arange(point.shape[1]) // lags[:, None] + 1)
    return point[:, :, None] + (deviation[:, None] * growth)[:, :, None] * normal_scores(quantiles)


def _deviation(history: np.ndarray, lag: int) -> float:
    """Return the root mean square of a history's errors ``lag`` steps ahead; 0 if there are none."""
    errors = history[lag:] - history[:-lag]
    errors = errors[~np.isnan(errors)]
    largest = np.max(np.abs(errors), initial=0.0)
    return largest * np.sqrt(np.mean((errors / largest) ** 2)) if largest > 0 else 0.0  # large squares overflow


def naive_quantiles(history: np.ndarray, point: np.ndarray, *, season: int, quantiles: tuple[float, ...]) -> np.ndarray:
    """Return :func:`naive_quantiles_of_panel` of one series: quantiles (F, Q) of a history (T,) and a forecast (F,)."""
    start, length = np.array([0]), np.array([len(history)])
    return naive_quantiles_of_panel(history, start, length, point[None], season=season, quantiles=quantiles)[0]


def drift_quantiles(history: np.ndarray, *, horizon: int, quantiles: tuple[float, ...]) -> np.ndarray:
    """Continue the line through the first and the last observation, with normal quantiles around it.

    Hyndman & Athanasopoulos 2021, sections 5.2 and 5.5. The residuals are those of single steps; h steps ahead, their
    standard deviation grows by ``sqrt(h (1 + h / (T - 1)))``.

    Args:
        history: (T,) the observed values, NaN where missing, with at least one observation.
        horizon: F.
        quantiles: Q levels.

    Returns:
        (F, Q); all equal to the point if there are fewer than two residuals.
    """
    known = np.flatnonzero(~np.isnan(history))
    first, last = known[0], known[-1]
    span = max(last - first, 1)
    slope = history[last] / span - history[first] / span  # the difference of large values overflows
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


def naive2_quantiles(history: np.ndarray, *, season: int, horizon: int, quantiles: tuple[float, ...]) -> np.ndarray:
    """Forecast the last value of the seasonally adjusted series and put the season back: Naive2 of the M4 competition.

    Makridakis, Spiliotis & Assimakopoulos 2020, and the competition's code ("Benchmarks and Evaluation.R"). A series is
    adjusted if :func:`is_seasonal` says so, by classical multiplicative decomposition. A series with a value that is
    not positive has no such factors and is not adjusted.

    Args:
        history: (T,) without gaps.
        season: the period in steps.
        horizon: F.
        quantiles: Q levels.

    Returns:
        (F, Q): the quantiles of the naive forecast of the adjusted series, times the season's factors.
    """
    factors = np.ones(season)
    if (history > 0).all() and is_seasonal(history, season):
        factors = seasonal_factors(history, season)
    adjusted = history / factors[np.arange(len(history)) % season]
    ahead = factors[(len(history) + np.arange(horizon)) % season]
    naive = naive_quantiles(adjusted, np.repeat(adjusted[-1], horizon), season=1, quantiles=quantiles)
    return naive * ahead[:, None]


def is_seasonal(history: np.ndarray, season: int) -> bool:
    """Return True if the autocorrelation at the season is outside its 90 % limits (Bartlett's formula): M4's test.

    False for fewer than three seasons, and for a season beyond the ``10 log10(T)`` lags that R's ``acf`` has by
    default, which the competition's code did not change.
    """
    length = len(history)
    if season < 2 or length < LEAST_SEASONS * season or season > int(10 * np.log10(length)):
        return False
    centered = history - history.mean()
    largest = np.abs(centered).max()
    if largest == 0:
        return False
    centered = centered / largest  # the squares of large values overflow
    variance = centered @ centered
    lags = np.array([centered[lag:] @ centered[:-lag] / variance for lag in range(1, season + 1)])
    limit = CRITICAL * np.sqrt((1 + 2 * np.sum(lags[:-1] ** 2)) / length)
    return bool(np.abs(lags[-1]) > limit)


def seasonal_factors(history: np.ndarray, season: int) -> np.ndarray:
    """Return the factors (season,) of classical multiplicative decomposition, with a mean of 1.

    Hyndman & Athanasopoulos 2021, section 3.4; R's ``decompose``.
    """
    weights = np.ones(season) if season % 2 else np.r_[0.5, np.ones(season - 1), 0.5]
    trend = np.convolve(history, weights / season, mode="valid")
    first = len(weights) // 2
    ratios = history[first : first + len(trend)] / trend
    place = (first + np.arange(len(trend))) % season
    factors = np.bincount(place, ratios, season) / np.bincount(place, minlength=season)
    return factors / factors.mean()


def named_baselines(names: Sequence[str]) -> dict[str, Baseline]:
    """Return the baselines of these names; seasonal naive is always the first.

    Raises:
        InputError: for an unknown name, and if a baseline needs a package that is not installed.
    """
    names = [_known(name) for name in ([names] if isinstance(names, str) else names)]
    simple: dict[str, Baseline] = {
        BASELINE: seasonal_naive_baseline,
        "drift": _drift_baseline,
        NAIVE2: partial(_filled_baseline, naive2_quantiles),
    }
    wanted = dict.fromkeys([BASELINE, *names])
    return {name: simple.get(name) or partial(_filled_baseline, statistical_model(name)) for name in wanted}


def _known(name: str) -> str:
    """Return a baseline's name, from one in letters of any case."""
    try:
        return known_name("baseline", BASELINES, name)
    except InputError:
        raise InputError(
            f"unknown baseline {name!r}: expected one or more of {', '.join(BASELINES)}",
            code="unknown-baseline",
            found=name,
            expected=BASELINES,
        ) from None


def seasonal_naive_baseline(history: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """Return seasonal naive as a :data:`Baseline`; it also replaces forecasts of baselines that fail."""
    ends = np.array([0, len(history)])
    point = seasonal_naive(fill_forward(history, ends, season), ends[:1], ends[1:], season=season, horizon=horizon)[0]
    return naive_quantiles(history, point, season=season, quantiles=QUANTILES)


def _drift_baseline(history: np.ndarray, season: int, horizon: int) -> np.ndarray:
    del season  # a line has none
    return drift_quantiles(history, horizon=horizon, quantiles=QUANTILES)


def _filled_baseline(forecast: Callable[..., np.ndarray], history: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """Return the quantiles of a model that cannot handle missing values: the history is filled first."""
    filled = fill_forward(history, np.array([0, len(history)]), season)
    return forecast(filled, season=season, horizon=horizon, quantiles=QUANTILES)


def statistical_model(name: str) -> Callable[..., np.ndarray]:
    """Return a function ``quantiles(history, season=, horizon=, quantiles=)`` of a model in ``CLASSES``.

    Its ``history`` (T,) has no gaps. Its result (F, Q) has the model's mean as the median, and the bounds of its
    intervals as the other quantiles. Errors of the library are passed on. statsforecast is imported here.

    Raises:
        InputError: if statsforecast is not installed.
    """
    try:
        model = getattr(import_module("statsforecast.models"), CLASSES[name])
    except ModuleNotFoundError as error:
        raise not_installed(f"the baseline {name}", error, "baselines") from None

    def forecast(history: np.ndarray, *, season: int, horizon: int, quantiles: tuple[float, ...]) -> np.ndarray:
        levels = {q: _level(q) for q in quantiles if q != 0.5}
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # on long seasons and divisions by zero: the caller checks the result
            result = model(season_length=season).forecast(
                y=np.array(history, float), h=horizon, level=sorted(set(levels.values()))
            )
        names = ["mean" if q == 0.5 else f"{'lo' if q < 0.5 else 'hi'}-{levels[q]}" for q in quantiles]
        return np.stack([np.asarray(result[name], float) for name in names], axis=-1)

    return forecast


def _level(q: float) -> int | float:
    """Return the coverage in per cent of the interval that the q-quantile bounds: 95 for 0.025 and 0.975."""
    level = round(100 * abs(1 - 2 * q), 6)
    return int(level) if level == int(level) else level
