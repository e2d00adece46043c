"""A peer's forecasts with intervals of many series in one file, as its own documentation shows it, with all cores."""

import json
import logging
import sys
import time
from importlib.metadata import version

import pandas as pd

SOME_ROWS = 400  # of a few series


def statsforecast(frame: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """Forecast each series with AutoETS."""
    from statsforecast import StatsForecast
    from statsforecast.models import AutoETS

    model = StatsForecast(models=[AutoETS(season_length=7)], freq="D", n_jobs=-1)
    return model.forecast(df=frame, h=horizon, level=[80, 95])


def neuralforecast(frame: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """Train a GRU on all series and forecast them."""
    from neuralforecast import NeuralForecast
    from neuralforecast.losses.pytorch import MQLoss
    from neuralforecast.models import GRU

    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    quiet = {"enable_progress_bar": False, "logger": False, "enable_checkpointing": False, "accelerator": "cpu"}
    model = GRU(h=horizon, loss=MQLoss(level=[80, 95]), max_steps=500, encoder_hidden_size=32, **quiet)
    forecaster = NeuralForecast(models=[model], freq="D")
    forecaster.fit(frame)
    return forecaster.predict()


def main() -> None:
    """Forecast, and print the seconds, without imports."""
    name, file, horizon = sys.argv[1:]
    frame = pd.read_parquet(file)
    frame["ds"] = pd.to_datetime(frame["ds"])
    forecast = {"statsforecast": statsforecast, "neuralforecast": neuralforecast}[name]
    if name == "statsforecast":  # compiles before it is measured
        forecast(frame.head(SOME_ROWS), int(horizon))
    began = time.perf_counter()
    rows = forecast(frame, int(horizon))
    seconds = time.perf_counter() - began
    assert len(rows) == frame["unique_id"].nunique() * int(horizon)
    print(json.dumps({"seconds": seconds, "version": version(name)}))


if __name__ == "__main__":
    main()
