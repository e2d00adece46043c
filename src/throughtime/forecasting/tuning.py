"""A small search for the arguments of a Forecaster that suit a panel best."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from throughtime.data import Panel, as_panel, fingerprint
from throughtime.forecasting.backtest import network_windows, require_history
from throughtime.forecasting.config import require_horizon
from throughtime.forecasting.cutoffs import affordable_cutoffs, rolling_cutoffs
from throughtime.forecasting.fitting import decide
from throughtime.forecasting.numpy_losses import loss_scale, pinball_loss
from throughtime.forecasting.observations import least_windows
from throughtime.forecasting.optuna_study import Arguments, search_space
from throughtime.forecasting.results import BacktestSettings, WindowForecast
from throughtime.forecasting.search import (
    Clock,
    Losses,
    OnMessage,
    OnWindow,
    TuningSettings,
    ignore_message,
    ignore_window,
    require_settings,
    run_search,
)
from throughtime.forecasting.searched_arguments import SearchedArguments, quick_forecaster
from throughtime.forecasting.tuning_result import TuningResult

MOST_WINDOWS = 3  # more take the history away that networks learn from, and each costs a training


class _Task(NamedTuple):
    """The task of a search on a panel.

    Attributes:
        panel: N series.
        cutoffs: (K, N) how many steps of each are known in each window.
        searched: what is tried.
    """

    panel: Panel
    cutoffs: np.ndarray
    searched: SearchedArguments

    @property
    def parts(self) -> int:
        """K: a trial is judged window by window."""
        return len(self.cutoffs)

    def data(self) -> dict[str, Any]:
        """Return what distinguishes these data from others, as JSON values."""
        return {"data": fingerprint(self.panel)}

    def judge(self, arguments: Arguments, clock: Clock) -> Iterator[Losses]:
        """Train one network for each window, on the values before it, and yield the losses of its forecasts."""
        model, settings = self.searched.forecaster(arguments), BacktestSettings(self.parts, refit=True)
        scale = loss_scale(self.panel, self.cutoffs[0], self.searched.season)
        for window in network_windows(model, self.panel, self.cutoffs, settings, clock.callback):
            losses = scaled_losses(self.panel, window, scale)
            yield Losses(float(losses.sum()), len(losses))


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
    panel = as_panel(frame).cut(settings.hold_back)
    searched, cutoffs = arguments_to_search(panel, horizon, settings, fixed)
    return run_search(_Task(panel, cutoffs, searched), settings, out, on_message, on_progress)


def arguments_to_search(
    panel: Panel, horizon: int, settings: TuningSettings, fixed: dict[str, Any]
) -> tuple[SearchedArguments, np.ndarray]:
    """Return what to try on a panel, and the steps (K, N) of each series before each window.

    Args:
        panel: N series, without the steps that are held back.
        horizon: F.
        settings: of the search.
        fixed: arguments that are not searched.

    Raises:
        InputError: for a horizon that is too long, and for series that are too short.
    """
    cutoffs = _cutoffs(panel, horizon, settings.windows)
    plan = decide(quick_forecaster(horizon, fixed).config, panel, cutoffs[0])
    design, space = plan.design, search_space(panel, cutoffs[0], plan, fixed)
    sizes = {"hidden": design.hidden, "lookback": design.length}
    season = design.seasons[0]
    return SearchedArguments(horizon, len(cutoffs), season, settings.seed, fixed, sizes, space), cutoffs


def _cutoffs(panel: Panel, horizon: int, windows: int | None) -> np.ndarray:
    """Return the steps (K, N) of each series before each window; if K is None up to 3, as many as the series allow."""
    require_horizon(horizon, int(panel.lengths.max()))
    needed = least_windows(horizon)
    if windows is None:
        found = affordable_cutoffs(panel, panel.lengths, horizon=horizon, most=MOST_WINDOWS, needed=needed)
        windows = max(len(found), 1)
    cutoffs = rolling_cutoffs(panel.lengths, windows=windows, step=horizon, horizon=horizon)
    require_history(panel, cutoffs, horizon, BacktestSettings(windows), needed=needed)
    return cutoffs


def scaled_losses(panel: Panel, window: WindowForecast, scale: np.ndarray) -> np.ndarray:
    """Return the pinball loss of each known value in a window, over its series' ``scale`` (N,) if it has one."""
    rows = window.rows
    steps = len(window.quantiles) // max(len(rows), 1)
    quantiles = window.quantiles.reshape(len(rows), steps, window.quantiles.shape[-1])
    truth = panel.after(rows, window.cutoffs[rows], quantiles.shape[1])
    losses = pinball_loss(quantiles, truth) / scale[rows, None]
    return losses[~np.isnan(truth) & ~np.isnan(scale[rows, None])]
