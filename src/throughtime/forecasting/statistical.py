"""AutoETS, AutoTheta and AutoARIMA of statsforecast, as baselines: one series at a time."""

import warnings
from collections.abc import Callable
from importlib import import_module

import numpy as np

from throughtime.errors import not_installed

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
