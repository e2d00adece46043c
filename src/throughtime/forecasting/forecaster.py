"""Forecasts of many series with one recurrent network, by scikit-learn's contract."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from throughtime._errors import InputError
from throughtime._numbers import Truth, Whole
from throughtime.data import ColumnNames, Panel, as_panel, template, to_native
from throughtime.forecasting.estimator import require_usable
from throughtime.forecasting.fitting import fit_panel
from throughtime.forecasting.in_use import ForecasterInUse
from throughtime.forecasting.intervals import Levels
from throughtime.forecasting.persistence import load_fitted, save_fitted
from throughtime.forecasting.stages import StageCallback, no_callback
from throughtime.forecasting.start import require_same_shapes

if TYPE_CHECKING:  # they load JAX
    from throughtime.cells import Cell
    from throughtime.forecasting.heads import Head
    from throughtime.gradients import GradientFlow


class Forecaster(ForecasterInUse):
    """Recurrent networks for all series of a panel: quantiles of the next steps, learned from random windows.

    Attributes with a trailing underscore exist after :meth:`fit`; ``fitted_`` holds them all in one record.

    Example:
        >>> model = tt.Forecaster(horizon=12).fit(frame)  # unique_id, ds, y: pandas, polars, pyarrow
        >>> model.predict(level=[80, 95])                 # a frame of the same kind
    """

    def __init__(
        self,
        horizon: Whole,
        *,
        season: Whole | None = None,
        cell: "str | Callable[..., Cell]" = "gru",
        hidden: Whole | None = None,
        steps: Whole | None = None,
        members: Whole | None = None,
        lookback: Whole | None = None,
        head: "str | type[Head]" = "quantiles",
        preset: str = "balanced",
        seed: Whole = 0,
        calendar: Truth = False,
        devices: Whole = 1,
    ):
        """Check the arguments, and keep them as they are.

        Args:
            horizon: F, the number of steps ahead.
            season: the period in steps; the frequency's own by default (12 for months, 24 and 168 for hours).
            cell: a name in ``throughtime.cells.CELLS``, in letters of any case, or a class of cells. One's own class is
                saved by its import path, so its module must be imported before :meth:`load`.
            hidden: units of the cell; if None by the size of the panel.
            steps: training steps; if None by the size of the panel and by runs that hold out the last horizons.
            members: networks that are trained from different weights and windows, and averaged; the preset's if None.
            lookback: the most past values that a forecast may use; if None by season and horizon.
            head: "quantiles", or a distribution: "normal", "student_t", or "negative_binomial" for counts.
            preset: "instant", the pretrained network as it is; "fast", the same with intervals that cover the held-out
                ends of the series (or one short training, if covariates or an argument of a training is given);
                "balanced", the same below 1,000 values, else networks that are trained on the series, with the
                pretrained one if that is better on the held-out ends; or "best", more and longer trainings, always,
                and the pretrained one fine-tuned on the series if that is better.
            seed: makes the weights and the windows that are drawn.
            calendar: whether the network reads the hour, the day of the week, the month ..., as fits the frequency.
            devices: the number of devices that split each batch of windows in training, as in
                :func:`throughtime.train`; they change no number beyond rounding.

        Raises:
            InputError: for an argument that cannot be used.
        """
        self.horizon, self.season, self.cell = horizon, season, cell
        self.hidden, self.steps, self.members = hidden, steps, members
        self.lookback, self.head, self.preset, self.seed = lookback, head, preset, seed
        self.calendar, self.devices = calendar, devices
        require_usable(vars(self))

    def fit(
        self,
        frame: Any,
        *,
        id: str | None = None,
        time: str | None = None,
        target: str | Sequence[str] | None = None,
        static: str | Sequence[str] = (),
        past: str | Sequence[str] = (),
        future: str | Sequence[str] = (),
        callback: StageCallback = no_callback,
        start: "Forecaster | None" = None,
    ) -> "Forecaster":
        """Learn from a long frame (unique_id, ds, y), or from one series in two columns.

        Args:
            frame: of pandas, polars, pyarrow or another library that narwhals knows; or a Panel, for which names are
                those of frames that come later.
            id: the column that names the series; "unique_id" by default.
            time: the column of time stamps; "ds" by default, or found.
            target: the column to forecast; "y" by default, or found. Several columns make as many series: "west/sold"
                and "west/left", or "sold" and "left" if there is no id.
            static: covariates that are constant for each series. Like those below, columns of numbers or of text.
            past: covariates that are known up to the present.
            future: covariates that are known for the horizon too, from rows after a series' last value, which have
                none to forecast, or from :meth:`predict`.
            callback: called as ``callback(stage, progress)`` about twenty times a stage; by returning True it ends the
                stage early, and the networks keep their weights.
            start: a fitted forecaster, such as this one, whose networks training goes on from, with fewer steps, unless
                new networks are better on the held-out ends that it has not learned from. If no networks are trained,
                or the start has none, it changes nothing.

        Raises:
            InputError: for a frame or a parameter that cannot be used, and for a start of other arguments, another
                frequency or other covariates. The forecaster is left as it was.
        """
        names, known = ColumnNames(id, time, target, static, past, future), None
        if start is not None:
            require_same_shapes(self.config, start)
            known = start._require_fitted()
        panel = as_panel(frame, names)
        fitted = fit_panel(self.config, panel, panel.lengths, callback=callback, start=known)
        self.fitted_ = fitted._replace(columns=names)
        self._template = None if isinstance(frame, Panel) else template(frame)
        return self

    def backtest(
        self,
        frame: Any,
        windows: Whole = 3,
        level: Levels = (),
        *,
        step: Whole | None = None,
        refit: Truth = False,
        train_size: Whole | None = None,
        baselines: str | Sequence[str] = ("seasonal_naive",),
        id: str | None = None,
        time: str | None = None,
        target: str | Sequence[str] | None = None,
        static: str | Sequence[str] = (),
        past: str | Sequence[str] = (),
        future: str | Sequence[str] = (),
    ) -> Any:
        """Forecast ``windows`` horizons from rolling cutoffs, by networks like this forecaster's and by baselines.

        See :func:`throughtime.forecasting.run_backtest`. The forecaster itself does not change.

        Args:
            frame: as for :meth:`fit`.
            windows: K; the last ends where the series end.
            level: coverage of the intervals in per cent.
            step: between neighboring cutoffs; the horizon by default.
            refit: train for each window, not only once before the first.
            train_size: the steps before the cutoff to learn from; all if None.
            baselines: "seasonal_naive" (always among them), "drift", "naive2", "autoets", "autotheta", "autoarima".
            id: the column that names the series; this and the columns below are as for :meth:`fit`.
            time: the column of time stamps.
            target: the column, or columns, to forecast.
            static: covariates that are constant for each series.
            past: covariates that are known up to the present.
            future: covariates that are known for the horizon too.

        Returns:
            ``unique_id, ds, cutoff, y, throughtime, throughtime-lo-80, ..., seasonal_naive, ...``, a frame of the kind.

        Raises:
            InputError: for a frame or a parameter that cannot be used, and if the series are too short.
        """
        from throughtime.forecasting.backtest import run_backtest
        from throughtime.forecasting.results import BacktestSettings

        panel = as_panel(frame, ColumnNames(id, time, target, static, past, future))
        settings = BacktestSettings.checked(windows, step, refit, train_size, baselines)
        model = Forecaster(**self.get_params())
        tested = run_backtest(model, panel, settings, level=level, callback=no_callback)
        return to_native(tested.rows, None if isinstance(frame, Panel) else frame, zone=panel.frequency.zone)

    def save(self, path: str | Path) -> None:
        """Write weights, settings and the history that forecasts start from to the folder ``path``, in one step.

        Raises:
            InputError: before :meth:`fit`, if ``path`` is a file, and for a class of cells that no file can name.
        """
        save_fitted(path, self.get_params(), self._require_fitted())

    @classmethod
    def load(cls, path: str | Path) -> "Forecaster":
        """Return the forecaster that :meth:`save` wrote; it forecasts at once, as polars frames.

        Raises:
            InputError: for a folder without one, and for a truncated, altered, foreign or newer one.
        """
        params, fitted = load_fitted(path)
        model = cls(**params)
        model.fitted_ = fitted
        return model

    def gradient_flow(self, frame: Any = None, state: None = None) -> "GradientFlow":
        """Measure the gradient through the first network's cell: see :func:`throughtime.gradient_flow`.

        Args:
            frame: series to measure, as :meth:`fit` takes them; by default those it was fitted on.
            state: None: windows start from the initial state.

        Raises:
            InputError: without a trained network, and for a state.
        """
        from throughtime.forecasting.sensitivity import forecaster_flow

        if state is not None:
            raise InputError(
                "gradient_flow of a Forecaster takes no state: its windows start from the initial state",
                code="state-of-forecaster",
            )
        return forecaster_flow(self, frame)
