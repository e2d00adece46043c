"""Forecasts of many series with one recurrent network, by scikit-learn's contract."""

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from throughtime.data.frames import from_native, to_native
from throughtime.data.gaps import without_leading_gaps
from throughtime.data.panel import Panel
from throughtime.errors import InputError
from throughtime.forecasting import engine
from throughtime.forecasting.heldout import settle
from throughtime.forecasting.intervals import interval_columns
from throughtime.forecasting.notes import decision_notes
from throughtime.forecasting.persistence import Fitted, load_fitted, save_fitted
from throughtime.forecasting.plan import make_plan, require_horizon
from throughtime.training.loop import Progress

SETTLED_BELOW = 100_000  # observations; beyond, a network of this size does not overfit, and a second run takes long

Report = Callable[[str, Progress], None]
"""``report(stage, progress)``: called about twenty times in each stage of training."""


def silent(stage: str, progress: Progress) -> None:
    """Report nothing."""


class Forecaster:
    """One recurrent network for all series of a panel: quantiles of the next steps, learnt from random windows.

    Example:
        >>> model = tt.Forecaster(horizon=12).fit(frame)  # unique_id, ds, y: pandas, polars, pyarrow
        >>> model.predict(level=[80, 95])                 # a frame of the same kind

    Attributes:
        panel_: the series of the last :meth:`fit`.
        plan_: what was decided from the data: window, patch, seasons, logarithm, units, steps.
        network_: the trained network; None where the series were too short.
        losses_: (steps,) the pinball loss of each training step's batch.
        notes_: what was found in the data, and what was done about it.
    """

    def __init__(
        self,
        horizon: int,
        *,
        season: int | None = None,
        cell: str = "gru",
        hidden: int | None = None,
        steps: int | None = None,
        seed: int = 0,
    ):
        """Nothing happens before :meth:`fit`.

        Args:
            horizon: F, how many steps ahead.
            season: the period in steps; the frequency's own by default (12 for months, 24 and 168 for hours).
            cell: a name in ``throughtime.cells.CELLS``.
            hidden: units of the cell; by the size of the panel if None.
            steps: training steps; if None by the size of the panel, and on all but large ones by a run that holds out
                the last horizons.
            seed: makes the weights and the windows that are drawn.
        """
        self.horizon, self.season, self.cell = horizon, season, cell
        self.hidden, self.steps, self.seed = hidden, steps, seed

    def fit(
        self,
        frame: Any,
        *,
        id: str | None = None,
        time: str | None = None,
        target: str | None = None,
        report: Report = silent,
    ) -> "Forecaster":
        """Learn from a long frame (unique_id, ds, y), or from one series in two columns.

        Args:
            frame: pandas, polars or pyarrow, or a Panel, which needs no names.
            id: the column that names the series; "unique_id" by default.
            time: the column of time stamps; "ds" by default, or found.
            target: the column to forecast; "y" by default, or found.
            report: called with the stage's name and the progress, about twenty times a stage.

        Raises:
            InputError: for a frame or a parameter that cannot be used.
        """
        given = isinstance(frame, Panel)
        panel = without_leading_gaps(frame if given else Panel.from_frame(frame, id=id, time=time, target=target))
        self.fit_until(panel, panel.lengths, report=report)
        self._like = None if given else from_native(frame).head(0).to_native()
        return self

    def fit_until(self, panel: Panel, origins: np.ndarray, *, report: Report = silent) -> "Forecaster":
        """Learn from the first ``origins`` (N,) steps of each series alone; interrupted, it leaves all as it was."""
        require_horizon(self.horizon, int(panel.lengths.max()))
        for name in ("season", "hidden", "steps"):
            _require_size(name, getattr(self, name))
        known = engine.known_values(panel, origins)
        plan = make_plan(
            known,
            origins,
            horizon=self.horizon,
            season=self._season(panel),
            cell=self.cell,
            hidden=self.hidden,
            steps=self.steps,
        )
        network, losses = None, np.empty(0)
        if engine.trainable(panel, origins, self.horizon):
            if self.steps is None and len(known) < SETTLED_BELOW:
                plan = settle(panel, origins, plan, report=partial(report, "held out"), seed=self.seed)
            prepared = engine.prepare(panel, origins, plan)
            network, losses = engine.train_network(prepared, plan, report=partial(report, "training"), seed=self.seed)
        self.panel_, self.plan_, self.network_, self.losses_ = panel, plan, network, losses
        self.notes_ = [*panel.notes, *decision_notes(panel, plan, origins, season=self.season)]
        self._like = None
        return self

    def predict(self, level: Sequence[int | float] = ()) -> Any:
        """The steps after the end of each series.

        Args:
            level: coverage of the intervals in per cent, such as ``[80, 95]``.

        Returns:
            ``unique_id, ds, throughtime`` and for each level ``throughtime-lo-80, throughtime-hi-80``, as a frame of
            the kind that :meth:`fit` was given. The point forecast is the median.

        Raises:
            InputError: before :meth:`fit`, and for a level outside (0, 100).
        """
        self._require_fitted()
        ids, times = self.panel_.future(self.horizon)
        quantiles = self.quantiles_at(self.panel_.lengths)
        columns = interval_columns(quantiles.reshape(-1, quantiles.shape[-1]), level, positive=self.plan_.positive)
        return to_native({"unique_id": ids, "ds": times, **columns}, self._like, zone=self.panel_.frequency.zone)

    def quantiles_at(self, origins: np.ndarray) -> np.ndarray:
        """Quantiles (N, F, Q) of the steps after the given origins, by the network as it is: no new training."""
        self._require_fitted()
        return engine.forecast_quantiles(self.network_, self.panel_, origins, self.plan_)

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
        """Forecast ``windows`` horizons from rolling origins, by the network and by baselines.

        The forecaster itself stays as it is. See :func:`throughtime.forecasting.backtest.backtest`.

        Args:
            frame: as for :meth:`fit`.
            windows: K; the last ends where the series end.
            level: coverage of the intervals in per cent.
            step: between neighbouring cutoffs; the horizon by default.
            refit: train for each window, not only once before the first.
            train_size: learn from so many steps before the cutoff, not from all.
            baselines: "seasonal_naive" (always among them), "drift", "naive2", "autoets", "autotheta", "autoarima".

        Returns:
            ``unique_id, ds, cutoff, y, throughtime, throughtime-lo-80, ..., seasonal_naive, ...``, as a frame of the
            kind given.

        Raises:
            InputError: for a frame or a parameter that cannot be used, and where the series are too short.
        """
        from throughtime.forecasting.backtest import Protocol, backtest

        panel = as_panel(frame)
        protocol = Protocol(windows, step, refit, train_size, baselines)
        tested = backtest(Forecaster(**self.get_params()), panel, protocol, level=level, report=silent)
        return to_native(tested.rows, None if isinstance(frame, Panel) else frame, zone=panel.frequency.zone)

    def save(self, path: str | Path) -> None:
        """Write weights, configuration and the history that forecasts start from to the folder ``path``, whole."""
        self._require_fitted()
        fitted = Fitted(self.panel_, self.plan_, self.network_, self.losses_, self.notes_)
        save_fitted(path, self.get_params(), fitted)

    @classmethod
    def load(cls, path: str | Path) -> "Forecaster":
        """The forecaster that :meth:`save` wrote; it forecasts at once, as polars frames.

        Raises:
            InputError: for a folder without one, and for a truncated, altered, foreign or newer one.
        """
        params, fitted = load_fitted(path)
        model = cls(**params)
        model.panel_, model.plan_, model.network_, model.losses_, model.notes_ = fitted
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

    def _season(self, panel: Panel) -> int:
        """The given season, or that of the frequency."""
        return panel.frequency.season if self.season is None else self.season

    def _require_fitted(self) -> None:
        if not hasattr(self, "plan_"):
            raise InputError("this Forecaster is not fitted yet: call fit with a frame first")


def _require_size(name: str, value: Any) -> None:
    """Refuse what is neither None nor a whole number of at least 1."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise InputError(f"the {name} is {value!r}: expected a whole number of at least 1")


def as_panel(frame: Any) -> Panel:
    """The panel of a frame, or a panel as it is, each series from its first value on."""
    return without_leading_gaps(frame if isinstance(frame, Panel) else Panel.from_frame(frame))
