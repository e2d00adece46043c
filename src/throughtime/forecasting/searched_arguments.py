"""The arguments of a Forecaster that a search tries, whatever its trials are judged on."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from throughtime.forecasting.forecaster import Forecaster
from throughtime.forecasting.optuna_study import Arguments, Space, Trial
from throughtime.forecasting.tuning_result import TuningResult, make_result

QUICK = {"preset": "fast", "members": 1}  # of trials alone: a forecast trains with its own preset


class SearchedArguments(NamedTuple):
    """The arguments that are tried, and those that all trials share.

    Attributes:
        horizon: F.
        windows: K, the horizons at the end of the series that each trial forecasts.
        season: the period in steps by which losses are scaled.
        seed: of each trial's networks, and of the choice of arguments.
        fixed: arguments that are not searched.
        sizes: the arguments that the data decide by default, as numbers.
        space: the values that are tried.
    """

    horizon: int
    windows: int
    season: int
    seed: int
    fixed: dict[str, Any]
    sizes: dict[str, int]
    space: Space

    def subject(self) -> dict[str, Any]:
        """Return what distinguishes this search from another of the same data, as JSON values."""
        return {
            "horizon": self.horizon,
            "windows": self.windows,
            "seed": self.seed,
            "fixed": self.fixed,
            "space": {name: list(values) for name, values in self.space.items()},
        }

    def forecaster(self, arguments: Arguments) -> Forecaster:
        """Return the forecaster of a trial, not fitted yet."""
        return quick_forecaster(self.horizon, self.fixed | arguments, self.seed)

    def result(self, trials: Sequence[Trial]) -> TuningResult:
        """Return the best of the trials so far."""
        return make_result(trials, self.space, self.sizes, {"horizon": self.horizon, **self.fixed})


def quick_forecaster(horizon: int, arguments: dict[str, Any], seed: int = 0) -> Forecaster:
    """Return a forecaster that trains for as short a time as a trial may take, unless the arguments say otherwise."""
    return Forecaster(horizon, seed=seed).set_params(**QUICK | arguments)
