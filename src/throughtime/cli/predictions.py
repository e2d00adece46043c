"""From a saved model and a file to forecasts: what ``predict`` does. Models of the pretrained network load no JAX."""

import time
from pathlib import Path
from typing import Any

from throughtime.cli.results import Levels, write_forecasts
from throughtime.cli.runtime import Runtime
from throughtime.cli.series_file import SeriesFile, read_series
from throughtime.cli.workflows import with_known_future
from throughtime.forecasting import Forecaster, forecast_intervals, other_panel, require_trained_horizon


def predict_file(
    folder: Path, source: SeriesFile, horizon: int | None, levels: Levels, runtime: Runtime
) -> dict[str, Any]:
    """Write the forecasts of a file to the runtime's folder, and return what ``--json`` prints.

    Args:
        folder: of a saved forecaster.
        source: the file; its columns are named as those that the forecaster was fitted on, apart from the names given.
        horizon: the steps to forecast; those of the forecaster if None.
        levels: coverage of the intervals in per cent.
        runtime: the running command.

    Raises:
        InputError: for a folder, a file, a column or a number that cannot be used; nothing is written then.
    """
    fitted = Forecaster.load(folder).fitted_
    steps = require_trained_horizon(fitted, horizon)
    columns = fitted.columns.with_names(source.columns)
    panel = other_panel(fitted, read_series(source._replace(columns=columns), fitted.panel.former))
    panel = with_known_future(panel, source, fitted.plan.design.horizon)
    ids, times = panel.future(steps)
    forecasts = {"unique_id": ids, "ds": times, **forecast_intervals(fitted, panel, levels, horizon=steps)}
    runtime.out.open()
    for note in panel.notes:
        runtime.say(note)
    with runtime.out.staged() as stage:
        write_forecasts(forecasts, panel.frequency.zone, stage)
    return {
        "model": str(folder),
        "file": str(source.path),
        "series": len(panel),
        "horizon": steps,
        "frequency": panel.frequency.describe(),
        "notes": list(panel.notes),
        "seconds": time.perf_counter() - runtime.began,
    }
