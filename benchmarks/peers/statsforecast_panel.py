"""statsforecast's AutoETS with its defaults, one series at a time on all CPU cores."""

import pandas as pd
import panel_task
import statsforecast
from statsforecast import StatsForecast
from statsforecast.models import AutoETS

NAMES = {"AutoETS": "point"} | {
    f"AutoETS-{side}-{level}": f"point-{side}-{level}" for side in ("lo", "hi") for level in (80, 95)
}


def main() -> None:
    """Fit and forecast; in rolling windows the smoothing parameters are fitted once, on the training steps."""
    asked = panel_task.asked()
    task = asked.task
    history = pd.read_parquet(asked.folder / "history.parquet").drop(columns="fold")
    history = history.assign(y=panel_task.filled(history, task.season))
    fit = StatsForecast(models=[AutoETS(season_length=task.season)], freq=1, n_jobs=-1)
    if task.train:
        test = history.groupby("unique_id").size().iloc[0] - task.train - task.validation
        found = fit.cross_validation(
            h=task.horizon,
            df=history,
            test_size=int(test),
            n_windows=None,
            step_size=1,
            refit=False,
            level=task.levels,
        )
    else:
        found = fit.forecast(df=history, h=task.horizon, level=task.levels)
        found["cutoff"] = found.groupby("unique_id").ds.transform("min") - 1
    found = found.rename(columns=NAMES)[["unique_id", "cutoff", "ds", *NAMES.values()]]
    told = {"versions": {"statsforecast": statsforecast.__version__}, "reads": None, "steps": None, "decided": []}
    panel_task.write(asked.folder, found, told)


if __name__ == "__main__":
    main()
