"""neuralforecast's LSTM, GRU and DeepAR with their defaults, on the CPU."""

import logging
from typing import Any

import neuralforecast
import pandas as pd
import panel_task
import torch
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import DistributionLoss
from neuralforecast.models import GRU, LSTM, DeepAR

QUIET = {"enable_progress_bar": False, "logger": False, "enable_checkpointing": False, "enable_model_summary": False}
LOOK_BACK = 3  # horizons in a window by default
WINDOWS_AT_ONCE = 1024  # by default DeepAR forecasts all at once: 20,000 times 100 samples exceed the memory


def main() -> None:
    """Train and forecast, fold by fold."""
    asked = panel_task.asked()
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    task = asked.task
    history = pd.read_parquet(asked.folder / "history.parquet")
    if history.y.isna().any():
        # The model reads filled values, but the loss skips them.
        history = history.assign(y=panel_task.filled(history, task.season), available_mask=history.y.notna())
        history["available_mask"] = history.available_mask.astype(float)
    options = padding(history, task)
    parts = [forecasts(asked, *fold, options) for fold in panel_task.folds(history, task)]
    model = network(asked, options)
    told = {
        "versions": {"neuralforecast": neuralforecast.__version__, "torch": torch.__version__},
        "reads": model.input_size,
        "steps": model.max_steps,
        "decided": [f"not a default: {name}={value}" for name, value in options.items()],
    }
    panel_task.write(asked.folder, pd.concat(parts, ignore_index=True), told)


def padding(history: pd.DataFrame, task: panel_task.Task) -> dict[str, bool]:
    """Return the padding option, which a panel needs if a series is shorter than the three horizons of a window."""
    shortest = history.groupby("unique_id").size().min()
    return {"start_padding_enabled": True} if shortest < LOOK_BACK * task.horizon else {}


def network(asked: panel_task.Asked, options: dict[str, Any]) -> LSTM | GRU | DeepAR:
    """Return the model with its defaults except for these options; DeepAR gets the levels that are scored."""
    options = {"h": asked.task.horizon, "random_seed": asked.seed, "accelerator": "cpu", **QUIET, **options}
    if asked.steps is not None:
        options["max_steps"] = asked.steps
    if asked.model == "DeepAR":
        loss = DistributionLoss("StudentT", level=asked.task.levels, return_params=False)
        return DeepAR(loss=loss, inference_windows_batch_size=WINDOWS_AT_ONCE, **options)
    return {"LSTM": LSTM, "GRU": GRU}[asked.model](**options)


def forecasts(
    asked: panel_task.Asked, learned: pd.DataFrame, served: pd.DataFrame, options: dict[str, Any]
) -> pd.DataFrame:
    """Forecast the series ``served`` by a model trained on the series ``learned``."""
    task = asked.task
    nf = NeuralForecast(models=[network(asked, options)], freq=1)
    if task.train:
        # No validation part: the model stops after its steps anyway, and would forecast the whole part ten times.
        nf.fit(learned[learned.ds < task.train])
        test = served.groupby("unique_id").size().iloc[0] - task.train - task.validation
        found = nf.cross_validation(served, test_size=int(test), n_windows=None, use_fitted=True)
    else:
        nf.fit(learned)
        found = nf.predict(df=served)
        found["cutoff"] = found.groupby("unique_id").ds.transform("min") - 1
    name = asked.model
    names = {name: "point"} if name != "DeepAR" else {name: "mean", f"{name}-median": "point"}
    names |= {f"{name}-{side}-{level}": f"point-{side}-{level}" for side in ("lo", "hi") for level in task.levels}
    found = found.rename(columns=names)
    return found[[name for name in found.columns if name not in ("y", "index")]]


if __name__ == "__main__":
    main()
