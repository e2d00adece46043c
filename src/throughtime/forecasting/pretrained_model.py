"""The pretrained network by itself: forecasts of any series at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from throughtime._errors import InputError
from throughtime._numbers import Whole
from throughtime.forecasting.config import INSTANT, require_size
from throughtime.forecasting.forecaster import Forecaster
from throughtime.forecasting.intervals import Levels
from throughtime.forecasting.zero_shot import ZeroShot
from throughtime.zero_shot import load_weights, quantiles_of, shipped_weights


class PretrainedModel:
    """A network that forecasts series it has never seen, without training and without compilation.

    It was trained on synthetic series alone, and runs in NumPy. With backtests, saving and samples it is
    ``tt.Forecaster(horizon, preset="instant")``.

    Attributes:
        card: what it was trained with: steps, windows, seed.
    """

    card: dict[str, Any]

    def __init__(self, zero_shot: ZeroShot):
        """Take the weights and their card."""
        self._zero_shot, self.card = zero_shot, zero_shot.card

    def predict(
        self,
        frame: Any,
        horizon: Whole,
        level: Levels = (),
        *,
        season: Whole | None = None,
        id: str | None = None,
        time: str | None = None,
        target: str | Sequence[str] | None = None,
    ) -> Any:
        """Forecast the steps after the end of each series.

        Args:
            frame: as for :meth:`throughtime.Forecaster.fit`, without covariates.
            horizon: F, the number of steps ahead.
            level: coverage of the intervals in per cent, such as ``[80, 95]`` or 80.
            season: the period in steps; the frequency's own by default.
            id: the column that names the series.
            time: the column of time stamps.
            target: the column, or columns, to forecast.

        Returns:
            ``unique_id, ds, throughtime, throughtime-lo-80, ...``, a frame of the same kind.

        Raises:
            InputError: for a frame or an argument that cannot be used.
        """
        model = Forecaster(horizon, season=season, preset=INSTANT).fit(frame, id=id, time=time, target=target)
        model.fitted_ = model.fitted_._replace(zero_shot=self._zero_shot)
        return model.predict(level=level)

    def quantiles(
        self, series: Sequence[np.ndarray], horizon: Whole, seasons: tuple[Whole, Whole] = (1, 1)
    ) -> np.ndarray:
        """Return the quantiles (N, F, Q) of the F steps after N arrays, at ``throughtime.zero_shot.LEVELS``.

        Args:
            series: N arrays (T,), each of its own length, NaN where missing; each with a known value.
            horizon: F.
            seasons: the season in steps and a longer one, such as (24, 168) for hours; 1 for none.

        Raises:
            InputError: for a horizon or a season below 1, and for a series without a known value.
        """
        short, long = (require_size("season", season) for season in seasons)
        histories = [_history(number, values) for number, values in enumerate(series)]
        return quantiles_of(self._zero_shot.weights, histories, (short, long), require_size("horizon", horizon))

    def __repr__(self) -> str:
        """Return what it was trained with."""
        facts = ", ".join(f"{name}={value!r}" for name, value in self.card.items())
        return f"{type(self).__name__}({facts})"


def _history(number: int, values: Any) -> np.ndarray:
    """Return the values (T,) of a series as an array.

    Raises:
        InputError: for another shape, and if no value is known.
    """
    history = np.asarray(values, float)
    if history.ndim != 1 or not np.isfinite(history).any():
        raise InputError(
            f"series {number} is an array of shape {history.shape} with {np.isfinite(history).sum()} known values: "
            "expected one axis, and at least one known value",
            code="bad-series",
            found=history.shape,
        )
    return history


def pretrained(file: str | Path | None = None) -> PretrainedModel:
    """Return the pretrained network that came with this package, or that of a file.

    Args:
        file: weights that ``throughtime pretrain`` has written.

    Raises:
        InputError: if the file holds something else.

    Example:
        >>> tt.pretrained().predict(frame, horizon=12, level=[80, 95])
    """
    return PretrainedModel(ZeroShot(*(shipped_weights() if file is None else load_weights(Path(file)))))
