"""Sentences on a search: what was tried, and what helped."""

from collections.abc import Sequence
from typing import NamedTuple

from throughtime.forecasting.optuna_study import Arguments, Trial, Value


class Change(NamedTuple):
    """An argument whose best value is not the Forecaster's default.

    Attributes:
        name: the argument.
        value: the best.
        default: the Forecaster's; None if it depends on the panel.
        size: the size that a default of None comes to; None if it has none.
        otherwise: the least loss of complete trials with another value; None without any.
    """

    name: str
    value: Value
    default: Value
    size: int | None
    otherwise: float | None


def describe_trial(trial: Trial, defaults: Arguments) -> str:
    """Return what was tried and how it ended."""
    changed = [f"{name} {value}" for name, value in trial.arguments.items() if value != defaults[name]]
    arguments = ", ".join(changed) or "the defaults"
    if trial.state == "diverged":
        return f"{arguments}: diverged"
    windows = f"{trial.windows} window{'s' if trial.windows > 1 else ''}"
    early = f", given up after {windows}" if trial.state == "pruned" else ""
    return f"{arguments}: loss {trial.loss:.4f}{early}"


def describe_search(states: Sequence[str], loss: float, default_loss: float | None, changes: Sequence[Change]) -> str:
    """Return if anything beats the defaults, by how much, and which arguments that took.

    Args:
        states: how each trial ended.
        loss: the least.
        default_loss: that of the defaults; None if they diverged.
        changes: the arguments that differ from the defaults.
    """
    pruned = sum(state == "pruned" for state in states)
    count = f"{len(states)} trial{'s' if len(states) > 1 else ''}" + (f" ({pruned} given up early)" if pruned else "")
    if not changes:
        return f"Nothing beats the defaults: a scaled pinball loss of {loss:.4f}, the least of {count}."
    lead = "" if default_loss is None else f", {1 - loss / default_loss:.1%} below the defaults' {default_loss:.4f}"
    return " ".join(
        [
            f"The best of {count} has a scaled pinball loss of {loss:.4f}{lead}.",
            *map(_describe_change, changes),
            "The loss is optimistic, as the same windows chose the arguments: a fair backtest needs steps that were "
            "held back.",
        ]
    )


def _describe_change(change: Change) -> str:
    otherwise = "" if change.otherwise is None else f"; without it {change.otherwise:.4f} at best"
    return f"{change.name}: {_text(change.value)} instead of {_text(change.default, change.size)}{otherwise}."


def _text(value: Value, size: int | None = None) -> str:
    """Return a value as text; for one that depends on the panel, the size that the panel gives it."""
    if value is not None:
        return str(value)
    return "the automatic choice" + (f" ({size})" if size is not None else "")
