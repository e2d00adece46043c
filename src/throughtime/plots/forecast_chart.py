"""The report's chart of a series in matplotlib: history, backtest, a marked start of the forecast, intervals."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from throughtime.data import Frequency, collect, from_native, wall_clock
from throughtime.forecasting import LABELS, MODEL, forecast_quantiles, interval_columns, model_names, nonnegative
from throughtime.plots.theme import BLUE, DASHES, INK, LIGHT, LINES, house_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from throughtime.forecasting import Forecaster

LEVELS = (95, 80)  # the widest is drawn first
OPACITY = (0.18, 0.3)
LEAST_PAST, HORIZONS_PAST, SEASONS_PAST = 48, 4, 4  # steps of history, as in the report
SOFT = LIGHT["soft"]


def forecast_picture(model: "Forecaster", row: int, backtest: Any = None) -> "Figure":
    """Return the end of a series, its forecast with intervals of 80 and 95 %, and the windows of a backtest.

    Args:
        model: a fitted forecaster.
        row: of the series.
        backtest: the frame of the forecaster's ``backtest``; only this series' rows are drawn.
    """
    from matplotlib.figure import Figure

    panel, design = model.panel_, model.plan_.design
    series, name = panel.of_series(np.array([row])), str(panel.ids[row])
    (quantiles,) = forecast_quantiles(model.fitted_, series, series.lengths)
    ahead = interval_columns(quantiles, LEVELS, positive=bool(nonnegative(series, series.lengths, model.plan_)[0]))
    windows = [] if backtest is None else _windows(backtest, name)
    tested = sum(len(window["ds"]) for window in windows)
    steps = max(LEAST_PAST, HORIZONS_PAST * design.horizon, SEASONS_PAST * design.seasons[0], 2 * tested)
    times = panel.times(row)
    with house_style():
        figure = Figure(figsize=(9, 4))
        axes = figure.subplots()
        shown = _shown(times[-steps:], panel.frequency)
        axes.plot(shown, panel.series(row)[-steps:], color=INK, linewidth=1.3, label="observed")
        for place, window in enumerate(windows):
            columns = window | {"ds": _shown(window["ds"], panel.frequency)}
            _draw_forecast(axes, columns, named=False)
            _draw_baselines(axes, columns, named=place == 0)
            axes.axvline(_shown(window["cutoff"][:1], panel.frequency)[0], color=SOFT, linestyle=":", linewidth=1)
        future = _shown(series.future(design.horizon)[1], panel.frequency)
        _draw_forecast(axes, ahead | {"ds": future}, named=True)
        _mark_start(axes, shown[-1])
        if shown.dtype.kind == "M":
            _short_dates(axes)
        axes.set_title(name)
        axes.margins(x=0.01)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=6)
        return figure


def _windows(backtest: Any, name: str) -> list[dict[str, np.ndarray]]:
    """Return the columns of each window of one series, in the order of time; times are in UTC."""
    table = collect(from_native(backtest))
    table = table.filter(nw.col("unique_id").cast(nw.String) == name).sort("cutoff", "ds")
    columns = {}
    for column in table.iter_columns():
        zone = getattr(column.dtype, "time_zone", None)
        plain = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zone else column
        columns[column.name] = plain.to_numpy()
    cutoffs = columns["cutoff"]
    return [{key: values[cutoffs == cutoff] for key, values in columns.items()} for cutoff in np.unique(cutoffs)]


def _shown(times: np.ndarray, frequency: Frequency) -> np.ndarray:
    """Return time stamps by the clocks of the data; integers stay."""
    return wall_clock(times.astype("datetime64[us]"), frequency.zone) if times.dtype.kind == "M" else times


def _draw_forecast(axes: "Axes", columns: Mapping[str, np.ndarray], *, named: bool) -> None:
    """Draw throughtime's forecast and those of its intervals that there are."""
    for level, opacity in zip(LEVELS, OPACITY, strict=True):
        low, high = (columns.get(f"{MODEL}-{side}-{level}") for side in ("lo", "hi"))
        if low is not None and high is not None:
            label = f"{level} %" if named else None
            axes.fill_between(columns["ds"], low, high, color=BLUE, alpha=opacity, linewidth=0, label=label)
    axes.plot(columns["ds"], columns[MODEL], color=BLUE, linewidth=2, label=MODEL if named else None)


def _draw_baselines(axes: "Axes", columns: Mapping[str, np.ndarray], *, named: bool) -> None:
    names = [name for name in model_names(columns) if name not in (MODEL, *LABELS)]
    for place, name in enumerate(names):
        style = {"color": LINES[1 + place % 5], "linestyle": DASHES[1 + place % 5]}
        axes.plot(columns["ds"], columns[name], label=name.replace("_", " ") if named else None, **style)


def _short_dates(axes: "Axes") -> None:
    """Label the axis with what changes from tick to tick, and the rest once."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _mark_start(axes: "Axes", last: Any) -> None:
    """Draw where the forecast begins: a line at the last observation, and a word."""
    axes.axvline(last, color=SOFT, linewidth=1)
    axes.annotate(" forecast", (last, 0.97), xycoords=("data", "axes fraction"), color=SOFT, fontsize=8.5, va="top")
