"""What a search tried and what helped, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from throughtime.forecasting.optuna_study import Arguments, Value


def state_of(trial: Any) -> str:
    """How a trial ended: complete, pruned or diverged."""
    return {"COMPLETE": "complete", "PRUNED": "pruned"}.get(trial.state.name, "diverged")


def trial_words(trial: Any, defaults: Arguments) -> str:
    """What was tried, and what came of it."""
    changed = [f"{name} {value}" for name, value in trial.params.items() if value != defaults[name]]
    what = ", ".join(changed) or "the defaults"
    state, windows = state_of(trial), len(trial.intermediate_values)
    if state == "diverged":
        return f"{what}: diverged"
    early = f", given up after {windows} window{'s' if windows > 1 else ''}" if state == "pruned" else ""
    return f"{what}: loss {trial.value:.4f}{early}"


def verdict_words(judged: Sequence[Any], best: Any, defaults: Arguments, sizes: Mapping[str, int]) -> str:
    """Whether anything beats the defaults, by how much, and which arguments that took.

    Args:
        judged: all trials.
        best: one of them.
        defaults: the Forecaster's.
        sizes: what an argument is by default that the panel decides.
    """
    complete = [trial for trial in judged if state_of(trial) == "complete"]
    pruned = sum(state_of(trial) == "pruned" for trial in judged)
    count = f"{len(judged)} trial{'s' if len(judged) > 1 else ''}" + (f" ({pruned} given up early)" if pruned else "")
    if best.params == defaults:
        return f"Nothing beats the defaults: a scaled pinball loss of {best.value:.4f}, the least of {count}."
    usual = next((trial.value for trial in complete if trial.params == defaults), None)
    against = "" if usual is None else f", {1 - best.value / usual:.1%} below the defaults' {usual:.4f}"
    sentences = [f"The best of {count} has a scaled pinball loss of {best.value:.4f}{against}."]
    for name, value in best.params.items():
        if value != defaults[name]:
            others = [trial.value for trial in complete if trial.params[name] != value]
            otherwise = f"; without it {min(others):.4f} at best" if others else ""
            sentences.append(f"{name}: {_said(value)} instead of {_said(defaults[name], sizes.get(name))}{otherwise}.")
    sentences.append("The windows that chose it flatter it: a fair backtest needs steps that were held back.")
    return " ".join(sentences)


def _said(value: Value, size: int | None = None) -> str:
    """A value as users read it; what a panel decides, with the size that it decided for."""
    if value is None:
        return "what the data asks" + (f" ({size})" if size is not None else "")
    return str(value)
