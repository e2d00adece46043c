"""The steps of ``throughtime gradients``: choose the cells, measure them, write the results."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import polars as pl

from throughtime._errors import InputError
from throughtime._registry import shown_name
from throughtime._types import Array
from throughtime.cli.outputs import OutputFolder
from throughtime.data import Panel, without_leading_gaps
from throughtime.forecasting import Forecaster
from throughtime.gradients import (
    Case,
    GradientFlow,
    cases,
    compare,
    compare_remedies,
    explain_comparison,
    gradient_flow,
    panel_windows,
    sine_windows,
    white_noise,
)
from throughtime.layers import RecurrentNetwork, network_config
from throughtime.loading import load
from throughtime.plots import comparison_picture, flow_picture, remedies_picture

COLUMNS = ("cell", "activation", "init", "lag", "norm", "bound", "memory")  # of gradients.csv


class Choice(NamedTuple):
    """The cells to measure.

    Attributes:
        cells, activations, inits: by name; see :func:`throughtime.gradients.cases`.
        length: T.
        hidden: H.
        seed: of weights and inputs.
    """

    cells: Sequence[str]
    activations: Sequence[str]
    inits: Sequence[str]
    length: int
    hidden: int
    seed: int


def measure_cells(out: OutputFolder, choice: Choice, panel: Panel | None) -> dict[str, Any]:
    """Measure cells with random weights side by side, on noise or on a panel's series."""
    chosen = cases(choice.cells, choice.activations, choice.inits, length=choice.length)
    xs, key = _inputs(choice, panel)
    flows = compare(chosen, xs, hidden=choice.hidden, key=key)
    with out.staged() as stage:
        verdicts = _write_comparison(stage, chosen, flows, "What is left of a gradient, by lag")
    return _summary(verdicts, list(zip(chosen, flows, strict=True)))


def measure_remedies(out: OutputFolder, choice: Choice, panel: Panel | None) -> dict[str, Any]:
    """Measure the remedies side by side, on noise or on a panel's series."""
    xs, key = _inputs(choice, panel)
    remedies = compare_remedies(xs, hidden=choice.hidden, key=key)
    with out.staged() as stage:
        verdicts = _write_figures(stage, remedies.cases, remedies.flows)
        remedies_picture(remedies).savefig(stage / "gradients.png")
    return _summary(verdicts, list(zip(remedies.cases, remedies.flows, strict=True)))


def measure_model(out: OutputFolder, path: Path, choice: Choice, panel: Panel | None) -> dict[str, Any]:
    """Measure a trained model: a forecaster at the end of its own or of other series, a network on windows of series.

    Raises:
        InputError: for a folder that holds no model, and for series that do not fit the model.
    """
    model = load(path)
    if isinstance(model, Forecaster):
        name = shown_name(model.cell)
        flow = gradient_flow(model, None if panel is None else without_leading_gaps(panel))
    elif isinstance(model, RecurrentNetwork):
        name = network_config(model)["cell"]["cell"]
        key = jax.random.key(choice.seed)
        xs = sine_windows(choice.length, key=key) if panel is None else _windows(panel, choice)
        flow = gradient_flow(model, xs)
    else:
        raise InputError(
            f"{path} holds a {type(model).__name__}: expected a forecaster or a network with a cell",
            code="not-a-cell",
            file=path,
            found=type(model).__name__,
            expected=["Forecaster", "RecurrentNetwork"],
        )
    case = Case(name, "", "trained", lambda xs, hidden, key: model)
    with out.staged() as stage:
        verdict = _write_comparison(stage, [case], [flow], "")
    return _summary(verdict, [(case, flow)])


def _write_comparison(folder: Path, chosen: Sequence[Case], flows: Sequence[GradientFlow], title: str) -> str:
    """Write ``gradients.csv``, ``verdict.txt`` and ``gradients.png``, and return the verdicts."""
    verdicts = _write_figures(folder, chosen, flows)
    labels = [case.label for case in chosen]
    figure = flow_picture(flows[0]) if len(flows) == 1 else comparison_picture(flows, labels, title)
    figure.savefig(folder / "gradients.png")
    return verdicts


def _write_figures(folder: Path, chosen: Sequence[Case], flows: Sequence[GradientFlow]) -> str:
    """Write ``gradients.csv`` and ``verdict.txt``, and return the verdicts."""
    tables = []
    for case, flow in zip(chosen, flows, strict=True):
        names = {"cell": case.cell, "activation": case.activation, "init": case.init}
        tables.append(flow.to_frame().with_columns(**{column: pl.lit(name) for column, name in names.items()}))
    pl.concat([table.select(COLUMNS) for table in tables]).write_csv(folder / "gradients.csv")
    verdicts = explain_comparison([case.label for case in chosen], flows)
    (folder / "verdict.txt").write_text(verdicts + "\n", encoding="utf-8")
    return verdicts


def _inputs(choice: Choice, panel: Panel | None) -> tuple[Array, Array]:
    """Return the inputs, and the key of the weights."""
    key, key_inputs = jax.random.split(jax.random.key(choice.seed))
    return white_noise(choice.length, key=key_inputs) if panel is None else _windows(panel, choice), key


def _windows(panel: Panel, choice: Choice) -> Array:
    return jnp.asarray(panel_windows(without_leading_gaps(panel), choice.length, seed=choice.seed))


def _summary(verdicts: str, measured: Sequence[tuple[Case, GradientFlow]]) -> dict[str, Any]:
    rows = [
        {
            "cell": case.cell,
            "activation": case.activation,
            "init": case.init,
            "half_life": flow.half_life if flow.is_straight and jnp.isfinite(flow.half_life) else None,
            "reach": flow.reach,
            "steps": flow.steps,
            "saturated": flow.saturated,
            "dead": flow.dead,
            "verdict": flow.verdict,
        }
        for case, flow in measured
    ]
    return {"verdict": verdicts, "measured": rows}
