"""A fitted forecaster in use: forecasts of its series and of others, samples, new rows, anomalies."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from throughtime._arguments import whole_number
from throughtime._errors import InputError
from throughtime._fork import require_threads
from throughtime._numbers import Real, Whole
from throughtime._registry import known_name
from throughtime.data import Panel, Source, append_rows, beside, from_native, to_native, with_future
from throughtime.forecasting.anomalies import judge_values
from throughtime.forecasting.config import QUANTILE_HEAD, require_size
from throughtime.forecasting.estimator import FittedEstimator
from throughtime.forecasting.fitted import Fitted
from throughtime.forecasting.forecasts import forecast_intervals
from throughtime.forecasting.head_catalog import head_type
from throughtime.forecasting.intervals import Levels, as_levels
from throughtime.forecasting.later import later_score
from throughtime.forecasting.observations import known_values
from throughtime.forecasting.samples import forecast_samples

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FRAME = Source("the frame")

Me = TypeVar("Me", bound="ForecasterInUse")


class ForecasterInUse(FittedEstimator):
    """The methods of a forecaster after fitting."""

    _template: Any = None  # an empty frame of the kind that fit took; predict returns such frames

    def predict(
        self, frame: Any = None, level: Levels = (), *, horizon: Whole | None = None, future: Any = None
    ) -> Any:
        """Forecast the steps after the end of each series, without learning from it.

        Args:
            frame: the series to forecast, others than those of :meth:`fit` or longer histories of them, of any length;
                its columns are named as in :meth:`fit`, its time stamps have the same frequency. Or a Panel. By default
                the series of :meth:`fit`.
            level: coverage of the intervals in per cent, such as ``[80, 95]`` or 80.
            horizon: the steps to forecast, at most those of the forecaster; all of them by default.
            future: a frame with the future covariates of the forecaster's whole horizon, a row for each series and time
                stamp, its columns named as in :meth:`fit`. Not needed if the rows came with the series.

        Returns:
            ``unique_id, ds, throughtime`` and for each level ``throughtime-lo-80, throughtime-hi-80``, as a frame of
            the kind of ``frame``, or that :meth:`fit` took. The point forecast is the median.

        Raises:
            InputError: before :meth:`fit`, for a frame that cannot be used or has another frequency, for a level
                outside (0, 100), for a horizon beyond the forecaster's, and if future covariates are missing.
        """
        fitted = self._require_fitted()
        require_frame(frame)
        levels, steps = as_levels(level), require_trained_horizon(fitted, horizon)
        panel = fitted.panel if frame is None else other_panel(fitted, frame)
        if future is not None:
            source = Source("the frame of the future")
            panel = with_future(panel, from_native(future), source, fitted.plan.design.horizon)
        return self._future_frame(panel, forecast_intervals(fitted, panel, levels, horizon=steps), steps, like=frame)

    def plot(self, series: Any = None, backtest: Any = None) -> "Figure":
        """Return the report's chart as a figure: the end of a series, its forecast, and intervals of 80 and 95 %.

        Args:
            series: its name; the first series by default.
            backtest: the frame of :meth:`backtest`, to draw its windows too; those of its levels that are 80 and 95 are
                drawn as intervals.

        Raises:
            InputError: before :meth:`fit`, and for an unknown name.

        Example:
            >>> model.plot(backtest=model.backtest(frame, windows=3, level=[80, 95]))
        """
        from throughtime.plots import forecast_picture

        names = [str(name) for name in self._require_fitted().panel.ids]
        name = names[0] if series is None else known_name("series", names, str(series))
        return forecast_picture(cast(Any, self), names.index(name), backtest)

    def sample(self, n: Whole = 100, *, seed: Whole = 0) -> Any:
        """Draw values for each step after the end of each series, from the members' heads in turn.

        The pretrained network draws the share that it has in the forecast, and all for series without a trained one;
        series that seasonal naive forecasts, such as constant ones, are drawn from its distribution.
        Steps are drawn independently of each other, and intervals of samples are not widened as those of
        :meth:`predict` are.

        Args:
            n: the number of values for each step.
            seed: the same one draws the same.

        Returns:
            ``unique_id, ds, sample, throughtime`` with ``sample`` 0 ... n - 1, as a frame of the kind that :meth:`fit`
            took; NaN for a series without any observation.

        Raises:
            InputError: before :meth:`fit`, and for n below 1.
        """
        fitted = self._require_fitted()
        n, seed = require_size("n", n), whole_number("the seed", seed, least=None, code="bad-seed")
        drawn = forecast_samples(fitted, fitted.panel, fitted.panel.lengths, n=n, seed=seed)
        numbers = np.broadcast_to(np.arange(n), drawn.shape)
        columns = {"sample": numbers.ravel(), "throughtime": drawn.ravel()}
        return self._future_frame(fitted.panel, columns, fitted.plan.design.horizon, repeats=n)

    def update(self: Me, rows: Any) -> Me:
        """Append rows to the series that forecasts start from, without learning from them.

        :meth:`predict` then forecasts as if :meth:`fit` had learned the same from series with these rows. The values
        that the forecaster holds are copied once.

        Args:
            rows: a frame of later rows of the known series, and of new series; its columns are named as in :meth:`fit`,
                covariates included. Steps without a row, between the end of a series and its next row, are missing
                values. With future covariates, rows without a value after the last one of their series bring those of
                its future; later rows for the same steps bring the values.

        Returns:
            The forecaster itself.

        Raises:
            InputError: before :meth:`fit`, and for rows that cannot be used, with the place of the first one that is
                not after the end of its series. The forecaster is left as it was.
        """
        fitted = self._require_fitted()
        panel = append_rows(fitted.panel, from_native(rows), Source("the rows"), fitted.columns)
        require_head_values(fitted, panel)
        self.fitted_ = fitted._replace(panel=panel)
        return self

    def anomalies(self, frame: Any, level: Real = 99) -> Any:
        """Compare each value with the forecast of one step from the values before it in the frame.

        Args:
            frame: series as for :meth:`predict`. Rows after the last value may bring future covariates.
            level: coverage in per cent of the interval outside of which a value is flagged.

        Returns:
            ``unique_id, ds, y, quantile, flag`` as a frame of the same kind: for each observed value after the first
            two seasons (and the first three values; with trained networks the first horizon) the share of the forecast
            distribution that is below it, and True if it is outside of the interval. With future covariates, the last
            values are left out unless the frame has the rest of the horizon of the forecast before them.

        Raises:
            InputError: before :meth:`fit`, and for a frame, covariates or a level that cannot be used.
        """
        fitted = self._require_fitted()
        require_frame(frame)
        (share,) = as_levels([level])
        panel = other_panel(fitted, frame)
        rows, steps, quantiles = judge_values(fitted, panel)
        columns = {
            "unique_id": panel.ids[rows],
            "ds": panel.frequency.times(panel.starts[rows] + panel.frequency.multiple * steps),
            "y": panel.values[panel.offsets[rows] + steps],
            "quantile": quantiles,
            "flag": np.abs(quantiles - 0.5) > share / 200,
        }
        return to_native(columns, None if isinstance(frame, Panel) else frame, zone=panel.frequency.zone)

    def score(self, frame: Any) -> float:
        """Return minus the mean absolute error of the forecasts after :meth:`fit` on a frame of later rows.

        Higher is better, as scikit-learn's searches expect: ``GridSearchCV(model, ..., cv=TimeSeriesSplit())`` on a
        frame that is sorted by time.

        Args:
            frame: with the columns of :meth:`fit`, future covariates too. Rows beyond the horizon or without a value,
                and unknown series, are not counted.

        Raises:
            InputError: before :meth:`fit`, for an unusable frame, and if no row of it can be counted.
        """
        return later_score(self._require_fitted(), frame)

    def _require_fitted(self) -> Fitted:
        require_threads()
        if not hasattr(self, "fitted_"):
            raise InputError("this Forecaster is not fitted yet: call fit with a frame first", code="not-fitted")
        return self.fitted_

    def _future_frame(
        self, panel: Panel, columns: Mapping[str, np.ndarray], steps: int, *, repeats: int = 1, like: Any = None
    ) -> Any:
        """Return columns for the steps after each series, ``repeats`` rows for each, as a frame of the user's kind."""
        ids, times = panel.future(steps)
        table = {"unique_id": np.repeat(ids, repeats), "ds": np.repeat(times, repeats), **columns}
        like = self._template if like is None else None if isinstance(like, Panel) else like
        return to_native(table, like, zone=panel.frequency.zone)


def other_panel(fitted: Fitted, frame: Any, source: Source = FRAME) -> Panel:
    """Return the series of a frame as the forecaster can forecast them.

    Args:
        fitted: forecasts them.
        frame: with the columns that were fitted, or a panel.
        source: names the frame in messages.

    Raises:
        InputError: for a frame that cannot be used, another frequency, and values that the head cannot have.
    """
    panel = beside(fitted.panel, frame, fitted.columns, source)
    require_head_values(fitted, panel)
    return panel


def require_trained_horizon(fitted: Fitted, horizon: Whole | None) -> int:
    """Return the steps to forecast: those of the forecaster, or fewer that are asked for.

    Raises:
        InputError: for more.
    """
    most = fitted.plan.design.horizon
    steps = most if horizon is None else require_size("horizon", horizon)
    if steps > most:
        raise InputError(
            f"the horizon is {steps} steps, and the forecaster was fitted for {most}: expected at most {most}; "
            f"for more, fit Forecaster(horizon={steps})",
            code="long-horizon",
            found=steps,
            expected=most,
        )
    return steps


def require_head_values(fitted: Fitted, panel: Panel) -> None:
    """Refuse values that the forecaster's head cannot have. Quantiles can have any.

    Raises:
        InputError: such as for a fraction where counts are forecast.
    """
    head = fitted.plan.design.head
    if head != QUANTILE_HEAD:
        head_type(head)().require(known_values(panel, panel.lengths))


def require_frame(frame: Any) -> None:
    """Refuse levels in the place of the frame.

    Raises:
        InputError: for numbers.
    """
    if isinstance(frame, int | float | list | tuple | set | np.ndarray | np.generic):
        raise InputError(
            f"found {frame!r} in the place of a frame of series: name the coverage of intervals, as in level={frame!r}",
            code="level-without-name",
            found=frame,
            expected="level=",
        )
