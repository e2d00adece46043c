"""Forecasts of many series with one recurrent network, by scikit-learn's contract."""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from throughtime._errors import InputError
from throughtime.data import (
    ColumnNames,
    Panel,
    Source,
    as_panel,
    fit_encodings,
    from_native,
    require_future,
    template,
    to_native,
    with_future,
)
from throughtime.forecasting.config import Plan, make_plan, require_horizon, require_size, with_encodings
from throughtime.forecasting.dataset import known_values, prepare, trainable
from throughtime.forecasting.decisions import decision_notes
from throughtime.forecasting.infer import forecast_quantiles, forecast_samples
from throughtime.forecasting.intervals import interval_columns
from throughtime.forecasting.persistence import Fitted, load_fitted, save_fitted
from throughtime.forecasting.selection import settle
from throughtime.forecasting.train import Networks, train_networks
from throughtime.gradients import GradientFlow, gradient_flow
from throughtime.training import Progress

Report = Callable[[str, Progress], bool | None]
"""``report(stage, progress)``: called about twenty times in each stage of training; True stops the stage early."""


def silent(stage: str, progress: Progress) -> None:
    """Report nothing."""


class Forecaster:
    """Recurrent networks for all series of a panel: quantiles of the next steps, learned from random windows.

    Example:
        >>> model = tt.Forecaster(horizon=12).fit(frame)  # unique_id, ds, y: pandas, polars, pyarrow
        >>> model.predict(level=[80, 95])                 # a frame of the same kind

    Attributes:
        panel_: the series of the last :meth:`fit`.
        plan_: what was decided from the data: window, patch, seasons, logarithm, units, steps.
        networks_: the trained networks, whose quantiles are averaged; none where the series were too short.
        losses_: (M, steps) the pinball loss of each network's training batches.
        notes_: what was found in the data, and what was done about it.
    """

    _shown: np.ndarray | None = None  # quantiles of the first series, as last predicted, for a display

    def __init__(
        self,
        horizon: int,
        *,
        season: int | None = None,
        cell: str = "gru",
        hidden: int | None = None,
        steps: int | None = None,
        members: int | None = None,
        lookback: int | None = None,
        head: str = "quantiles",
        preset: str = "balanced",
        seed: int = 0,
        calendar: bool = False,
    ):
        """Nothing happens before :meth:`fit`.

        Args:
            horizon: F, how many steps ahead.
            season: the period in steps; the frequency's own by default (12 for months, 24 and 168 for hours).
            cell: a name in ``throughtime.cells.CELLS``.
            hidden: units of the cell; by the size of the panel if None.
            steps: training steps; if None by the size of the panel and by runs that hold out the last horizons.
            members: networks that are trained from different weights and windows, and averaged; the preset's if None.
            lookback: the most past values that a forecast may use; as many as seem useful if None.
            head: "quantiles", or a distribution: "normal", "student_t", or "negative_binomial" for counts.
            preset: "fast", one short training; "balanced"; or "best", more and longer ones.
            seed: makes the weights and the windows that are drawn.
            calendar: whether the network is told the hour, the day of the week, the month ..., as fits the frequency.
        """
        self.horizon, self.season, self.cell = horizon, season, cell
        self.hidden, self.steps, self.members = hidden, steps, members
        self.lookback, self.head, self.preset, self.seed = lookback, head, preset, seed
        self.calendar = calendar

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
        report: Report = silent,
    ) -> "Forecaster":
        """Learn from a long frame (unique_id, ds, y), or from one series in two columns.

        Args:
            frame: of pandas, polars, pyarrow or another library that narwhals knows; or a Panel, which needs no names.
            id: the column that names the series; "unique_id" by default.
            time: the column of time stamps; "ds" by default, or found.
            target: the column to forecast; "y" by default, or found. Several columns make as many series: "west/sold"
                and "west/left", or "sold" and "left" where there is no id.
            static: covariates that are constant for each series. Like those below, columns of numbers or of text.
            past: covariates that are known up to the present.
            future: covariates that are known for the horizon too: give them in rows after a series' last value, which
                have none to forecast, or to :meth:`predict`.
            report: called with the stage's name and the progress, about twenty times a stage.

        Raises:
            InputError: for a frame or a parameter that cannot be used.
        """
        panel = as_panel(frame, ColumnNames(id, time, target, static, past, future))
        self.fit_until(panel, panel.lengths, report=report)
        self._like = None if isinstance(frame, Panel) else template(frame)
        return self

    def fit_until(self, panel: Panel, cutoffs: np.ndarray, *, report: Report = silent) -> "Forecaster":
        """Learn from the first ``cutoffs`` (N,) steps of each series alone; interrupted, it leaves all as it was."""
        plan = self.first_plan(panel, cutoffs)
        plan = with_encodings(plan, fit_encodings(panel, cutoffs, calendar=self.calendar))
        networks: Networks = ()
        losses = np.empty((0, 0))
        if trainable(panel, cutoffs, self.horizon):
            if self.steps is None:
                plan = settle(panel, cutoffs, plan, report=report, seed=self.seed)
            networks, losses = train_networks(prepare(panel, cutoffs, plan), plan, report=report, seed=self.seed)
        self.panel_, self.plan_, self.networks_, self.losses_ = panel, plan, networks, losses
        self.notes_ = [*panel.notes, *decision_notes(panel, plan, cutoffs, season=self.season)]
        self._like, self._shown = None, None
        return self

    def first_plan(self, panel: Panel, cutoffs: np.ndarray) -> Plan:
        """What is decided of the first ``cutoffs`` (N,) steps of each series before anything is trained.

        Raises:
            InputError: for a parameter that cannot be used.
        """
        require_horizon(self.horizon, int(panel.lengths.max()))
        for name in ("season", "hidden", "steps", "members", "lookback"):
            require_size(name, getattr(self, name))
        return make_plan(
            known_values(panel, cutoffs),
            cutoffs,
            horizon=self.horizon,
            season=panel.frequency.season if self.season is None else self.season,
            cell=self.cell,
            hidden=self.hidden,
            steps=self.steps,
            members=self.members,
            preset=self.preset,
            lookback=self.lookback,
            head=self.head,
        )

    def predict(self, level: Sequence[int | float] = (), *, future: Any = None) -> Any:
        """The steps after the end of each series.

        Args:
            level: coverage of the intervals in per cent, such as ``[80, 95]``.
            future: a frame with the future covariates of these steps, for each series and time stamp a row, its columns
                named as in :meth:`fit`. Not needed where the rows came with :meth:`fit`.

        Returns:
            ``unique_id, ds, throughtime`` and for each level ``throughtime-lo-80, throughtime-hi-80``, as a frame of
            the kind that :meth:`fit` was given. The point forecast is the median.

        Raises:
            InputError: before :meth:`fit`, for a level outside (0, 100), and where future covariates are missing.
        """
        self._require_fitted()
        ids, times = self.panel_.future(self.horizon)
        panel = self.panel_
        if future is not None:
            panel = with_future(panel, from_native(future), Source("the frame of the future"), self.horizon)
        quantiles = self._quantiles(panel, panel.lengths)
        self._shown = quantiles.copy()
        columns = interval_columns(quantiles.reshape(-1, quantiles.shape[-1]), level, positive=self.plan_.positive)
        return to_native({"unique_id": ids, "ds": times, **columns}, self._like, zone=self.panel_.frequency.zone)

    def sample(self, n: int = 100, *, seed: int = 0) -> Any:
        """Values drawn for each step after the end of each series, from the members' heads in turn.

        Steps are drawn independently of each other, and before what :meth:`predict` does to widen intervals.

        Args:
            n: how many for each step.
            seed: the same one draws the same.

        Returns:
            ``unique_id, ds, sample, throughtime`` with ``sample`` 0 ... n - 1, as a frame of the kind that :meth:`fit`
            was given; NaN for a series that no network forecasts.

        Raises:
            InputError: before :meth:`fit`, and for n below 1.
        """
        self._require_fitted()
        require_size("n", n)
        panel = self.panel_
        drawn = forecast_samples(self.networks_, panel, panel.lengths, self.plan_, n=n, seed=seed)
        ids, times = panel.future(self.horizon)
        columns = {"sample": np.tile(np.arange(n), len(ids)), "throughtime": drawn.ravel()}
        table = {"unique_id": np.repeat(ids, n), "ds": np.repeat(times, n), **columns}
        return to_native(table, self._like, zone=panel.frequency.zone)

    def quantiles_at(self, cutoffs: np.ndarray) -> np.ndarray:
        """Quantiles (N, F, Q) of the steps after the given cutoffs, by the network as it is: no new training."""
        self._require_fitted()
        return self._quantiles(self.panel_, cutoffs)

    def _quantiles(self, panel: Panel, cutoffs: np.ndarray) -> np.ndarray:
        require_future(panel, cutoffs, self.horizon)
        return forecast_quantiles(self.networks_, panel, cutoffs, self.plan_)

    def backtest(
        self,
        frame: Any,
        windows: int = 3,
        level: Sequence[int | float] = (),
        *,
        step: int | None = None,
        refit: bool = False,
        train_size: int | None = None,
        baselines: Sequence[str] = ("seasonal_naive",),
    ) -> Any:
        """Forecast ``windows`` horizons from rolling cutoffs, by the network and by baselines.

        The forecaster itself stays as it is. See :func:`throughtime.forecasting.run_backtest`.

        Args:
            frame: as for :meth:`fit`.
            windows: K; the last ends where the series end.
            level: coverage of the intervals in per cent.
            step: between neighboring cutoffs; the horizon by default.
            refit: train for each window, not only once before the first.
            train_size: learn from so many steps before the cutoff, not from all.
            baselines: "seasonal_naive" (always among them), "drift", "naive2", "autoets", "autotheta", "autoarima".

        Returns:
            ``unique_id, ds, cutoff, y, throughtime, throughtime-lo-80, ..., seasonal_naive, ...``, as a frame of the
            kind given.

        Raises:
            InputError: for a frame or a parameter that cannot be used, and where the series are too short.
        """
        from throughtime.forecasting.backtest import run_backtest
        from throughtime.forecasting.results import BacktestSettings

        panel = as_panel(frame)
        protocol = BacktestSettings(windows, step, refit, train_size, baselines)
        tested = run_backtest(Forecaster(**self.get_params()), panel, protocol, level=level, callback=silent)
        return to_native(tested.rows, None if isinstance(frame, Panel) else frame, zone=panel.frequency.zone)

    def save(self, path: str | Path) -> None:
        """Write weights, configuration and the history that forecasts start from to the folder ``path``, whole."""
        self._require_fitted()
        fitted = Fitted(self.panel_, self.plan_, self.networks_, self.losses_, self.notes_)
        save_fitted(path, self.get_params(), fitted)

    @classmethod
    def load(cls, path: str | Path) -> "Forecaster":
        """The forecaster that :meth:`save` wrote; it forecasts at once, as polars frames.

        Raises:
            InputError: for a folder without one, and for a truncated, altered, foreign or newer one.
        """
        params, fitted = load_fitted(path)
        model = cls(**params)
        model.panel_, model.plan_, model.networks_, model.losses_, model.notes_ = fitted
        model._like = None
        return model

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments by name, for scikit-learn's ``clone`` and searches."""
        del deep  # no parameter is an estimator
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params: Any) -> "Forecaster":
        """Change constructor arguments; the next :meth:`fit` uses them.

        Raises:
            InputError: for a name that is none of them.
        """
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise InputError(f"unknown parameter {name!r} of Forecaster: expected one of {', '.join(known)}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        """The call that makes it."""
        return f"Forecaster({', '.join(f'{name}={value!r}' for name, value in self.get_params().items())})"

    def __str__(self) -> str:
        """What it decided; before :meth:`fit` the call that makes it."""
        from throughtime.plots import forecaster_block

        return forecaster_block(self).text() if hasattr(self, "plan_") else repr(self)

    def _repr_html_(self) -> str:
        """For a notebook: what it decided, the training, and the first series with what :meth:`predict` last said."""
        from throughtime.plots import forecaster_block

        return forecaster_block(self).html()

    def _require_fitted(self) -> None:
        if not hasattr(self, "plan_"):
            raise InputError("this Forecaster is not fitted yet: call fit with a frame first")


@gradient_flow.register(Forecaster)
def _forecaster_flow(model: Forecaster, xs: Any = None, state: Any = None) -> GradientFlow:
    """Measure the gradient flow of a fitted forecaster on a frame of series, by default those it was fitted on."""
    from throughtime.forecasting.sensitivity import forecaster_flow

    if state is not None:
        raise InputError("gradient_flow of a Forecaster takes no state: its windows start from the initial state")
    return forecaster_flow(model, xs)
