"""A trained forecaster as an ONNX file: raw values in, quantiles out.

The graph is the way of :func:`throughtime.forecasting.forecast_quantiles` through trained networks: gaps are filled,
the first value is taken off, the networks read the last window of each series, and their mean quantiles are put back
into the data's own units. Values are float64 outside of the networks, float32 inside, as there.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.export import symbolic_shape

from throughtime._errors import InputError
from throughtime._types import Array, Bool, Float
from throughtime.data import LevelScale, Windows, unscale_values
from throughtime.forecasting import LEAST_OBSERVED, MEDIAN, Fitted, Plan, head_type
from throughtime.interop.onnx.graph import Graph, declared
from throughtime.interop.onnx.jaxpr import convert, trace
from throughtime.interop.onnx.layers import traced
from throughtime.interop.onnx.writing import write
from throughtime.zero_shot import normal_scores

VALUES, QUANTILES = "values", "quantiles"


class Prepared(NamedTuple):
    """The windows of B series, and what their forecasts are put back into the data's own units with.

    Attributes:
        past: the last R values as the networks see them, float32; 0 before a series begins.
        inside: if they are inside the series.
        observed: if they were observed.
        first: the first value of each series, in the data's own units.
        center: the same as the networks see it.
        unit: a power of two near the largest movement.
        log: if the networks see logarithms.
        positive: if forecasts stop at zero.
        served: if the series is long enough for the networks.
    """

    past: Float[Array, "B R"]
    inside: Bool[Array, "B R"]
    observed: Bool[Array, "B R"]
    first: Float[Array, "B"]
    center: Float[Array, "B"]
    unit: Float[Array, "B"]
    log: Bool[Array, "B"]
    positive: Bool[Array, "B"]
    served: Bool[Array, "B"]


def write_forecaster(fitted: Fitted, path: str | Path) -> None:
    """Write the trained networks of a forecaster to a file: see :func:`throughtime.to_onnx`.

    Raises:
        InputError: if anything but trained networks takes part in its forecasts.
    """
    _require_exportable(fitted)
    plan, graph = fitted.plan, Graph()
    season, design = plan.design.seasons[0], plan.design
    batch, seasons = symbolic_shape("B, K")
    padded = _padded_to_seasons(graph, season)
    values = jax.ShapeDtypeStruct((batch, seasons * season), "float64")
    with jax.enable_x64(True):
        program = trace(lambda values: prepared(values, plan), values)
        results = convert(graph, program, [padded])
    windows, shapes = results[:3], program.out_avals[:3]
    members = []
    with jax.enable_x64(False):
        for network in map(traced, fitted.networks):
            read = trace(partial(_read, network), *map(_shape, shapes))
            members.append(convert(graph, read, windows))
    with jax.enable_x64(True):
        of_members = [jax.tree.map(_shape, read.out_avals)] * len(members)
        program = trace(
            lambda rest, members: _quantiles(rest, members, fitted), [*map(_shape, program.out_avals[3:])], of_members
        )
        (quantiles,) = convert(graph, program, [*results[3:], *(result for member in members for result in member)])
    graph.node("Identity", quantiles, name=QUANTILES)
    shape = (batch, design.horizon, len(design.quantiles))
    write(
        path,
        graph,
        [declared(VALUES, jax.ShapeDtypeStruct(("B", "T"), "float64"))],
        [declared(QUANTILES, jax.ShapeDtypeStruct(shape, "float64"))],
        notes={"model": "Forecaster", "levels": " ".join(map(str, design.quantiles)), "season": str(season)},
    )


def _shape(aval: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(aval.shape, aval.dtype)


def _require_exportable(fitted: Fitted) -> None:
    """Refuse a forecaster whose forecasts are not those of trained networks on values alone.

    Raises:
        InputError: with the part that no file holds.
    """
    trained = "fit with steps= for forecasts of trained networks alone"
    reasons = {
        "the pretrained network": (not fitted.networks or fitted.calibration.zero_shot > 0, trained),
        "covariates": (fitted.plan.encodings is not None, "fit without them, and with calendar=False"),
        f"the head {fitted.plan.design.head}": (
            fitted.plan.design.head not in HEADS,
            f"fit with the head {' or '.join(HEADS)}",
        ),
    }
    for part, (takes_part, remedy) in reasons.items():
        if takes_part:
            raise InputError(
                f"{part} takes part in these forecasts, and an ONNX file here does not hold that: {remedy}",
                code="unsupported-forecaster",
                found=part,
            )


def _padded_to_seasons(graph: Graph, season: int) -> str:
    """Return the values with NaN before them, so that their number is a whole number K of seasons."""
    graph.free_axis("B", VALUES, 0)
    graph.free_axis("T", VALUES, 1)
    whole = np.asarray([season], np.int64)
    missing = graph.node("Mod", graph.node("Sub", whole, graph.node("Mod", graph.sizes["T"], whole)), whole)
    nothing = np.zeros(1, np.int64)
    sides = graph.node("Concat", nothing, missing, nothing, nothing, axis=0)
    graph.sizes["K"] = graph.node("Div", graph.node("Add", graph.sizes["T"], missing), whole)
    return graph.node("Pad", VALUES, sides, np.asarray(np.nan))


def prepared(values: Float[Array, "B S"], plan: Plan) -> Prepared:
    """Return the windows of series that end with their last value, NaN where missing and before a series begins.

    It is the twin, for arrays of one length, of :func:`throughtime.forecasting.prepare` and of the cut of windows.
    Their number of steps is a whole number of seasons.
    """
    design, observed = plan.design, values == values
    inside = jnp.cumsum(observed, axis=1) > 0
    filled = _filled(values, observed, design.seasons[0])
    smallest = jnp.min(jnp.where(observed, values, jnp.inf), axis=1)
    log = jnp.full(smallest.shape, plan.log) & (smallest > 0) & (smallest < jnp.inf)
    seen = jnp.where(log[:, None], jnp.log(jnp.maximum(filled, plan.smallest)), filled)
    begin = jnp.argmax(observed, axis=1)[:, None]
    first, center = (jnp.take_along_axis(tensor, begin, 1, mode="promise_in_bounds")[:, 0] for tensor in (filled, seen))
    movements = jnp.where(inside, seen - center[:, None], 0)
    largest = jnp.max(jnp.abs(movements), axis=1)
    unit = jnp.exp2(jnp.floor(jnp.log(jnp.where(largest > 0, largest, 1)) / np.log(2.0)))
    return Prepared(
        _last(movements / unit[:, None], design.reach).astype(jnp.float32),
        _last(inside, design.reach),
        _last(observed, design.reach),
        first,
        center,
        unit,
        log,
        positive=(smallest >= 0) & (smallest < jnp.inf),
        served=(jnp.sum(inside, axis=1) > design.horizon) & (jnp.sum(observed, axis=1) >= LEAST_OBSERVED),
    )


def _filled(values: Float[Array, "B S"], observed: Bool[Array, "B S"], season: int) -> Float[Array, "B S"]:
    """Fill gaps as :func:`throughtime.data.fill_forward`: from the season, else with the last value, else with 0."""
    batch, steps = values.shape
    by_season = [jnp.swapaxes(tensor.reshape(batch, steps // season, season), 1, 2) for tensor in (values, observed)]
    of_season, in_season = (jnp.swapaxes(tensor, 1, 2).reshape(batch, steps) for tensor in _latest(*by_season))
    of_all, in_all = _latest(values, observed)
    return jnp.where(observed, values, jnp.where(in_season, of_season, jnp.where(in_all, of_all, 0)))


def _latest(values: Array, observed: Array) -> tuple[Array, Array]:
    """Return at each step the last observed value so far, along the last axis, and if there is one."""
    steps = jax.lax.broadcasted_iota(jnp.int64, values.shape, values.ndim - 1)
    size = values.shape[-1]
    places = jnp.sort(jnp.where(observed, steps, steps + size), axis=-1)  # those of the observed values come first
    count = jnp.cumsum(observed, axis=-1)
    place = jnp.take_along_axis(places, jnp.maximum(count - 1, 0), -1, mode="promise_in_bounds")
    latest = jnp.take_along_axis(values, jnp.minimum(place, size - 1), -1, mode="promise_in_bounds")
    return latest, count > 0


def _last(values: Array, steps: int) -> Array:
    """Return the last steps, with zeros before the first."""
    before = jnp.zeros((values.shape[0], steps), values.dtype)
    end = values.shape[1]
    return jax.lax.slice_in_dim(jnp.concatenate([before, values], axis=1), end, end + steps, axis=1)


def _read(network: Any, past: Array, inside: Array, observed: Array) -> tuple[Array, LevelScale]:
    """Return a network's raw numbers (B, F, O) for windows, and their units."""
    future = jnp.zeros((past.shape[0], network.design.horizon), past.dtype)
    return network(Windows(past, inside, observed, future, future > 0))


def _quantiles(rest: Sequence[Array], members: Sequence[Any], fitted: Fitted) -> Float[Array, "B F Q"]:
    """Return the mean quantiles of the members, stretched, in the data's own units."""
    first, center, unit, log, positive, served = (array[:, None, None] for array in rest)
    design = fitted.plan.design
    head = HEADS[str(design.head)]
    each = [head(raw, design.quantiles, LevelScale(level, scale)) for raw, level, scale in members]
    mean = sum(each) / len(each) * unit + center
    median = mean[..., MEDIAN : MEDIAN + 1]
    factors = jnp.asarray(fitted.calibration.stretch)[None, None]
    mean = jnp.sort(median + factors * (mean - median), axis=-1)
    original = jnp.where(log, first * jnp.exp(jnp.where(log, mean - center, 0)), mean)
    return jnp.where(served, jnp.where(positive, jnp.maximum(original, 0), original), jnp.nan)


def _of_quantiles(raw: Array, levels: tuple[float, ...], units: LevelScale) -> Array:
    return _placed(jnp.sort(raw.astype(float), axis=-1), units)


def _of_normal(raw: Array, levels: tuple[float, ...], units: LevelScale) -> Array:
    head: Any = head_type("normal")()
    mean, deviation = (parameter.astype(float)[..., None] for parameter in head.parameters(raw))
    return _placed(mean + deviation * normal_scores(levels)[None, None], units)


def _placed(scaled: Array, units: LevelScale) -> Array:
    return unscale_values(scaled, LevelScale(units.level.astype(float), units.scale.astype(float)))


HEADS = {"quantiles": _of_quantiles, "normal": _of_normal}
"""The quantiles (B, F, Q) of raw outputs (B, F, O), for heads whose quantiles are arithmetic."""
