"""The result of a search: the best arguments, how they differ from the defaults, and the files that hold them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from throughtime._errors import InputError
from throughtime._files import staged
from throughtime.forecasting.optuna_study import Space, Trial, best_trial
from throughtime.forecasting.tuning_words import Change, describe_search


class TuningResult(NamedTuple):
    """The result of a search.

    Attributes:
        arguments: for a Forecaster: its horizon, the fixed arguments, and the best of the others.
        loss: the scaled pinball loss of the best trial.
        default_loss: that of the defaults; None if they diverged.
        trials: one row for each trial: number, state, loss, windows, seconds, and the arguments.
        changes: the arguments whose best value is not the default.
    """

    arguments: dict[str, Any]
    loss: float
    default_loss: float | None
    trials: pl.DataFrame
    changes: tuple[Change, ...]

    @property
    def summary(self) -> str:
        """The arguments that helped, in a sentence or more."""
        return describe_search(self.trials["state"].to_list(), self.loss, self.default_loss, self.changes)


def make_result(
    trials: Sequence[Trial], space: Space, sizes: Mapping[str, int], fixed: Mapping[str, Any]
) -> TuningResult:
    """Return the best of the trials, and how it differs from the defaults.

    Args:
        trials: the ones that have ended.
        space: the values that are tried.
        sizes: the arguments that the panel decides by default, as numbers.
        fixed: arguments that are not searched, the horizon among them.

    Raises:
        InputError: if all trials diverged.
    """
    best, defaults = best_trial(trials), space.defaults
    if best is None or best.loss is None:
        raise InputError(
            f"all {len(trials)} trials diverged: check the data for extreme or constant values",
            code="all-diverged",
            found=len(trials),
        )
    changes = [
        Change(name, value, defaults[name], sizes.get(name), _least_otherwise(trials, name, value))
        for name, value in best.arguments.items()
        if value != defaults[name]
    ]
    return TuningResult(
        {**fixed, **best.arguments},
        best.loss,
        next((trial.loss for trial in trials if trial.arguments == defaults), None),
        _table(trials, space),
        tuple(changes),
    )


def _least_otherwise(trials: Sequence[Trial], name: str, value: Any) -> float | None:
    """Return the least loss of complete trials with another value of an argument; None without any."""
    others = [trial for trial in trials if trial.state == "complete" and trial.arguments[name] != value]
    return min((trial.loss for trial in others if trial.loss is not None), default=None)


def _table(trials: Sequence[Trial], space: Space) -> pl.DataFrame:
    """Return one row for each trial; the loss of a pruned one is that of the windows that judged it."""
    columns: dict[str, list[Any]] = {
        "trial": list(range(1, len(trials) + 1)),
        "state": [trial.state for trial in trials],
        "loss": [trial.loss for trial in trials],
        "windows": [trial.windows for trial in trials],
        "seconds": [trial.seconds for trial in trials],
        **{name: [trial.arguments[name] for trial in trials] for name in space},
    }
    return pl.DataFrame(columns, strict=False)


def write_result(folder: Path, result: TuningResult) -> None:
    """Write ``trials.csv`` and ``best.json``, both or neither."""
    with staged(folder) as stage:
        result.trials.write_csv(stage / "trials.csv")
        (stage / "best.json").write_text(settings_text(result.arguments), encoding="utf-8")


def settings_text(arguments: Mapping[str, Any]) -> str:
    """Return the arguments as the text of a settings file, which the command line reads."""
    return json.dumps(arguments, indent=2) + "\n"
