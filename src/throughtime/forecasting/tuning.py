"""A small search for the arguments of a Forecaster that suit a panel best."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from throughtime.data import Panel, as_panel, fingerprint
from throughtime.forecasting.backtest import network_windows, require_history
from throughtime.forecasting.config import require_horizon
from throughtime.forecasting.cutoffs import affordable_cutoffs, rolling_cutoffs
from throughtime.forecasting.fitting import decide
from throughtime.forecasting.forecaster import Forecaster
from throughtime.forecasting.numpy_losses import loss_scale, pinball_loss
from throughtime.forecasting.observations import least_windows
from throughtime.forecasting.optuna_study import Arguments, Space, Trial, search_space
from throughtime.forecasting.plan import Plan
from throughtime.forecasting.results import BacktestSettings, WindowForecast
from throughtime.forecasting.search import (
    Losses,
    OnMessage,
    OnWindow,
    TuningSettings,
    ignore_message,
    ignore_window,
    require_settings,
    run_search,
)
from throughtime.forecasting.stages import StageCallback
from throughtime.forecasting.tuning_result import TuningResult, make_result

MOST_WINDOWS = 3  # more take the history away that networks learn from, and each costs a training
QUICK = {"preset": "fast", "members": 1}  # of trials alone: a forecast trains with its own preset


class _Task(NamedTuple):
    """The task of a search: what is tried, and how it is judged.

    Attributes:
        panel: N series.
        cutoffs: (K, N) how many steps of each are known in each window.
        scale: (N,) the mean absolute error of seasonal naive before all windows.
        horizon: F.
        seed: of each trial's networks, and of the choice of arguments.
        fixed: arguments that are not searched.
        sizes: the arguments that the panel decides by default, as numbers.
        space: the values that are tried.
    """

    panel: Panel
    cutoffs: np.ndarray
    scale: np.ndarray
    horizon: int
    seed: int
    fixed: dict[str, Any]
    sizes: dict[str, int]
    space: Space

    @property
    def parts(self) -> int:
        """K: a trial is judged window by window."""
        return len(self.cutoffs)

    def subject(self) -> dict[str, Any]:
        """Return what distinguishes this search from another, as JSON values."""
        return {
            "data": fingerprint(self.panel),
            "horizon": self.horizon,
            "windows": len(self.cutoffs),
            "seed": self.seed,
            "fixed": self.fixed,
            "space": {name: list(values) for name, values in self.space.items()},
        }

    def judge(self, arguments: Arguments, callback: StageCallback) -> Iterator[Losses]:
        """Train one network for each window, on the values before it, and yield the losses of its forecasts."""
        model = Forecaster(self.horizon, seed=self.seed).set_params(**QUICK | self.fixed | arguments)
        settings = BacktestSettings(len(self.cutoffs), refit=True)
        for window in network_windows(model, self.panel, self.cutoffs, settings, callback):
            losses = scaled_losses(self.panel, window, self.scale)
            yield Losses(float(losses.sum()), len(losses))

    def result(self, trials: Sequence[Trial]) -> TuningResult:
        """Return the best of the trials so far."""
        return make_result(trials, self.space, self.sizes, {"horizon": self.horizon, **self.fixed})


def tune(
    frame: Any,
    horizon: int,
    settings: TuningSettings = TuningSettings(),  # noqa: B008 - a tuple, which nobody changes
    *,
    out: str | Path,
    on_message: OnMessage = ignore_message,
    on_progress: OnWindow = ignore_window,
    **fixed: Any,
) -> TuningResult:
    """Search for the arguments of a Forecaster that forecast the last windows of the series best.

    Each trial trains one network for each window, on the values before it. Its loss is the pinball loss over the mean
    absolute error of seasonal naive before all windows, averaged over windows, series and quantiles. The Forecaster's
    defaults come first. After each window, a trial that is worse than the median of those before is given up.

    Written to the folder ``out`` after each trial: ``trials.csv`` and ``best.json``, the arguments. ``study.db`` holds
    the search: the same call continues it.

    Args:
        frame: as for ``Forecaster.fit``, or a Panel.
        horizon: F, how many steps ahead.
        settings: how long to search, and on which windows.
        out: the folder.
        on_message: called with a sentence on each trial.
        on_progress: called with the number of windows that were judged, and of all.
        fixed: arguments of the Forecaster that are not searched, such as ``season=24``.

    Raises:
        InputError: for a frame or a parameter that cannot be used, series that are too short, a missing Optuna, and a
            folder with a study of something else.
    """
    require_settings(settings)
    panel = as_panel(frame)
    task = _task(panel.cut(settings.hold_back) if settings.hold_back else panel, horizon, settings, fixed)
    return run_search(task, settings, out, on_message, on_progress)


def _task(panel: Panel, horizon: int, settings: TuningSettings, fixed: dict[str, Any]) -> _Task:
    """Return what to search; refuse a panel that is too short for it."""
    cutoffs = tuning_cutoffs(panel, horizon, settings.windows)
    plan = default_plan(panel, cutoffs[0], horizon, fixed)
    scale = loss_scale(panel, cutoffs[0], plan.design.seasons[0])
    space = search_space(panel, cutoffs[0], plan, fixed)
    return _Task(panel, cutoffs, scale, horizon, settings.seed, fixed, sizes_of_plan(plan), space)


def tuning_cutoffs(panel: Panel, horizon: int, windows: int | None) -> np.ndarray:
    """Return the steps (K, N) of each series before each window to tune on.

    Args:
        panel: N series.
        horizon: F.
        windows: K; if None up to 3, as many as the series allow.

    Raises:
        InputError: for a horizon that is too long, and for series that are too short.
    """
    require_horizon(horizon, int(panel.lengths.max()))
    needed = least_windows(horizon)
    if windows is None:
        found = affordable_cutoffs(panel, panel.lengths, horizon=horizon, most=MOST_WINDOWS, needed=needed)
        windows = max(len(found), 1)
    cutoffs = rolling_cutoffs(panel.lengths, windows=windows, step=horizon, horizon=horizon)
    require_history(panel, cutoffs, horizon, BacktestSettings(windows), needed=needed)
    return cutoffs


def default_plan(panel: Panel, cutoffs: np.ndarray, horizon: int, fixed: Mapping[str, Any]) -> Plan:
    """Return what a Forecaster decides by default before the cutoffs (N,), with fixed arguments."""
    return decide(Forecaster(horizon).set_params(**QUICK | dict(fixed)).config, panel, cutoffs)


def sizes_of_plan(plan: Plan) -> dict[str, int]:
    """Return the arguments that the data decide by default, as numbers."""
    return {"hidden": plan.design.hidden, "lookback": plan.design.length}


def scaled_losses(panel: Panel, window: WindowForecast, scale: np.ndarray) -> np.ndarray:
    """Return the pinball loss of each known value in a window, over its series' ``scale`` (N,) if it has one."""
    rows = window.rows
    steps = len(window.quantiles) // max(len(rows), 1)
    quantiles = window.quantiles.reshape(len(rows), steps, window.quantiles.shape[-1])
    truth = panel.after(rows, window.cutoffs[rows], quantiles.shape[1])
    losses = pinball_loss(quantiles, truth) / scale[rows, None]
    return losses[~np.isnan(truth) & ~np.isnan(scale[rows, None])]
