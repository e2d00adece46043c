"""What ``throughtime gradients`` does: choose what to measure, measure it, write the results."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from throughtime._errors import InputError
from throughtime._types import Array
from throughtime.cli.outputs import OutputFolder
from throughtime.data import Panel, without_leading_gaps
from throughtime.forecasting import Forecaster
from throughtime.gradients import (
    Case,
    GradientFlow,
    cases,
    compare,
    gradient_flow,
    noise,
    panel_windows,
    sine_windows,
    write_comparison,
    write_remedies,
)
from throughtime.layers import RecurrentNetwork, network_config
from throughtime.loading import load


class Choice(NamedTuple):
    """What is measured.

    Attributes:
        cells, activations, inits: by name; see :func:`throughtime.gradients.cases`.
        length: T.
        hidden: H.
        seed: makes weights and inputs.
    """

    cells: Sequence[str]
    activations: Sequence[str]
    inits: Sequence[str]
    length: int
    hidden: int
    seed: int


def measure_cells(out: OutputFolder, choice: Choice, panel: Panel | None) -> dict[str, Any]:
    """Cells with random weights, side by side, on noise or on a panel's series."""
    chosen = cases(choice.cells, choice.activations, choice.inits, length=choice.length)
    xs, key = _inputs(choice, panel)
    flows = compare(chosen, xs, hidden=choice.hidden, key=key)
    with out.staged() as stage:
        words = write_comparison(stage, chosen, flows, "What is left of a gradient, by lag")
    return _summary(words, list(zip(chosen, flows, strict=True)))


def measure_remedies(out: OutputFolder, choice: Choice, panel: Panel | None) -> dict[str, Any]:
    """The story of the remedies, on noise or on a panel's series."""
    xs, key = _inputs(choice, panel)
    with out.staged() as stage:
        words, measured = write_remedies(stage, xs, hidden=choice.hidden, key=key)
    return _summary(words, measured)


def measure_model(out: OutputFolder, path: Path, choice: Choice, panel: Panel | None) -> dict[str, Any]:
    """A trained model: a forecaster at the end of its own or of other series, a network on windows of them.

    Raises:
        InputError: for a folder that holds no model, and series that do not fit it.
    """
    model = load(path)
    if isinstance(model, Forecaster):
        name, flow = model.cell, gradient_flow(model, None if panel is None else without_leading_gaps(panel))
    elif isinstance(model, RecurrentNetwork):
        name = network_config(model)["cell"]["cell"]
        key = jax.random.key(choice.seed)
        xs = sine_windows(choice.length, key=key) if panel is None else _windows(panel, choice)
        flow = gradient_flow(model, xs)
    else:
        raise InputError(f"{path} holds a {type(model).__name__}: expected a forecaster or a network with a cell")
    case = Case(name, "", "trained", lambda xs, hidden, key: model)
    with out.staged() as stage:
        words = write_comparison(stage, [case], [flow], "")
    return _summary(words, [(case, flow)])


def _inputs(choice: Choice, panel: Panel | None) -> tuple[Array, Array]:
    """Inputs, and the key of the weights."""
    key, key_inputs = jax.random.split(jax.random.key(choice.seed))
    return noise(choice.length, key=key_inputs) if panel is None else _windows(panel, choice), key


def _windows(panel: Panel, choice: Choice) -> Array:
    return jnp.asarray(panel_windows(without_leading_gaps(panel), choice.length, seed=choice.seed))


def _summary(words: str, measured: Sequence[tuple[Case, GradientFlow]]) -> dict[str, Any]:
    rows = [
        {
            "cell": case.cell,
            "activation": case.activation,
            "init": case.init,
            "half_life": flow.half_life if jnp.isfinite(flow.half_life) else None,
            "reach": flow.reach,
            "steps": flow.steps,
            "saturated": flow.saturated,
            "dead": flow.dead,
            "verdict": flow.verdict,
        }
        for case, flow in measured
    ]
    return {"verdict": words, "measured": rows}
