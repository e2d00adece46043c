"""throughtime's Forecaster with its defaults or those of another preset, with horizon and season given."""

import panel_task

from throughtime import configure

configure()  # as the command line does, before JAX is imported

from importlib.metadata import version  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

import throughtime as tt  # noqa: E402
from throughtime.data import Panel, as_panel  # noqa: E402
from throughtime.forecasting import forecast_intervals  # noqa: E402

ETT_LOOKBACK = 96  # as in the published figures; the forecaster decides everything else
DEFAULT = "throughtime"  # the other names are presets
CUTOFFS_AT_ONCE = 256  # bounds the memory: every window is a separate series


def main() -> None:
    """Train and forecast, fold by fold."""
    asked = panel_task.asked()
    task = asked.task
    history = pd.read_parquet(asked.folder / "history.parquet")
    parts = []
    for learned, served in panel_task.folds(history, task):
        model = tt.Forecaster(
            horizon=task.horizon,
            season=task.season,
            seed=asked.seed,
            **(of_training(asked) if asked.model == DEFAULT else {"preset": asked.model}),
        )
        model.fit(learned[learned.ds < task.train] if task.train else learned)
        parts += rolling(model, served, task) if task.train else [one_cutoff(model, as_panel(served), task)]
    told = {
        "versions": {name: version(name) for name in ("throughtime", "jax", "optax")},
        "reads": model.plan_.design.reach if task.train or model.fitted_.networks else None,
        "steps": model.calibration_.steps,
        "decided": model.notes_,
        "plan": str(model.plan_),
        "calibration": str(model.calibration_),
    }
    panel_task.write(asked.folder, pd.concat(parts, ignore_index=True), told)


def of_training(asked: panel_task.Asked) -> dict[str, int | None]:
    """Return what is set for a training."""
    return {"steps": asked.steps} | ({"lookback": ETT_LOOKBACK} if asked.task.train else {})


def one_cutoff(model: tt.Forecaster, panel: Panel, task: panel_task.Task) -> pd.DataFrame:
    """Forecast the horizon after each series of a panel, seen in training or not."""
    columns = forecast_intervals(model.fitted_, panel, task.levels, "point")
    ids, steps = panel.future(task.horizon)
    return pd.DataFrame(
        {"unique_id": ids, "cutoff": np.repeat(steps[:: task.horizon] - 1, task.horizon), "ds": steps, **columns}
    )


def rolling(model: tt.Forecaster, served: pd.DataFrame, task: panel_task.Task) -> list[pd.DataFrame]:
    """Forecast from every cutoff of the test part that has a whole horizon after it.

    Each window is a separate series with the values that the network reads, so that many are forecast at once. The
    network needs series of at least one step more than the horizon.
    """
    table = served.pivot(index="ds", columns="unique_id", values="y")
    reads = max(model.plan_.design.reach, task.horizon + 1)
    cutoffs = np.arange(task.train + task.validation, len(table) - task.horizon + 1)
    parts = []
    for chunk in np.split(cutoffs, range(CUTOFFS_AT_ONCE, len(cutoffs), CUTOFFS_AT_ONCE)):
        panel = windows(table, chunk, reads, model.panel_)
        parts.append(one_cutoff(model, panel, task))
    return parts


def windows(table: pd.DataFrame, cutoffs: np.ndarray, reads: int, like: Panel) -> Panel:
    """Return the ``reads`` values before each cutoff of each column, as a panel of cutoffs x columns series."""
    values = table.to_numpy()[cutoffs[:, None] + np.arange(-reads, 0)]  # (cutoffs, reads, columns)
    count = len(cutoffs) * table.shape[1]
    return Panel(
        np.tile(table.columns.to_numpy(), len(cutoffs)),
        values.swapaxes(1, 2).ravel(),
        reads * np.arange(count + 1),
        np.repeat(cutoffs - reads, table.shape[1]),
        like.frequency,
    )


if __name__ == "__main__":
    main()
