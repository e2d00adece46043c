"""What a training run can be asked to look at while it goes on."""

import math
from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from throughtime.cells.base import GatedCell
from throughtime.errors import InputError
from throughtime.shapes import Array, Float
from throughtime.training.checkpoint import named_leaves
from throughtime.training.step import Loss, TrainState, batch_key
from throughtime.training.taps import TappedCell, Taps


class Watch(NamedTuple):
    """What to look at, with each report of :func:`throughtime.training.loop.train`.

    Attributes:
        clip_norm: the global norm above which the optimiser clips a gradient; infinite where it does not clip.
        lags: how many steps back from the last one the gradient is followed.
        cell: the cell to look into, a gated one, from the model.
    """

    clip_norm: float = math.inf
    lags: int = 100
    cell: Callable[[Any], GatedCell] = attrgetter("cell")


class Record(NamedTuple):
    """What was seen at one report: of the steps since the last one, and of the state on the next step's batch.

    Attributes:
        step: how many steps were done.
        loss: mean over the steps.
        gradient_norm: of the whole gradient, median over the steps.
        clip_share: of the steps, those whose gradient was clipped.
        gradient_by_lag: (K + 1,) norm of dLoss/ds_(T-k) over all sequences of the batch, k = 0 .. K, where s_t is the
            state after step t: h, and whatever else the cell keeps. Not a number for lags above T.
        update_ratio: norm of the update over the norm of the weights, by the array's place in the model; not a number
            for weights that are all zero.
        dead: share of units, over all steps of the batch, whose gate has slope 0 and says 0, by gate.
        saturated: share of units whose gate's slope is below 5 % of its largest, by gate.
    """

    step: int
    loss: float
    gradient_norm: float
    clip_share: float
    gradient_by_lag: np.ndarray
    update_ratio: dict[str, float]
    dead: dict[str, float]
    saturated: dict[str, float]


class _Look(NamedTuple):
    """What a look at a state computes, on the device."""

    gradient_by_lag: Float[Array, "lags"]
    update_ratio: dict[str, Array]
    dead: Float[Array, "G"]
    saturated: Float[Array, "G"]


def observer(
    loss: Loss, optimiser: optax.GradientTransformation, watch: Watch, state: TrainState, data: Any
) -> Callable[[TrainState, Any, np.ndarray, Array], Record]:
    """A function ``(state, data, losses, norms) -> record``, compiled by a first look at ``state``.

    Raises:
        InputError: where ``watch`` asks for what is not there.
    """
    if watch.lags < 0:
        raise InputError(f"lags must be 0 or more, got {watch.lags}")
    cell = watch.cell(state.model)
    if not isinstance(cell, GatedCell):
        raise InputError(
            f"found a {type(cell).__name__} where the watch looks for the cell: expected a GatedCell, whose gates can "
            "be looked at; tell Watch(cell=...) where it is in the model"
        )
    look = _looker(loss, optimiser, watch)
    jax.block_until_ready(look(state, data))

    def observe(state: TrainState, data: Any, losses: np.ndarray, norms: Array) -> Record:
        seen = jax.device_get(look(state, data))
        of_steps = np.asarray(norms)[: len(losses)]
        return Record(
            int(state.step),
            float(losses.mean()),
            float(np.median(of_steps)),
            float(np.mean(of_steps > watch.clip_norm)),
            seen.gradient_by_lag,
            {name: float(ratio) for name, ratio in seen.update_ratio.items()},
            *(dict(zip(cell.GATES, map(float, shares), strict=True)) for shares in (seen.dead, seen.saturated)),
        )

    return observe


@lru_cache(maxsize=16)
def _looker(loss: Loss, optimiser: optax.GradientTransformation, watch: Watch) -> Callable[[TrainState, Any], _Look]:
    """The compiled part: the step after a state, with taps in the cell."""

    def through_taps(model: Any, taps: Taps, state: TrainState, data: Any) -> Array:
        return loss(eqx.tree_at(watch.cell, model, TappedCell(watch.cell(model), taps)), data, batch_key(state))

    def look(state: TrainState, data: Any) -> _Look:
        cell = watch.cell(state.model)
        dtype, gates = cell.w_x.dtype, len(cell.GATES)
        by_lag, by_gate = jnp.zeros(watch.lags + 1, dtype), jnp.zeros(gates, dtype)
        taps = Taps(by_lag, by_lag, by_gate, by_gate, jnp.zeros((), dtype))
        gradient, seen = jax.grad(through_taps, argnums=(0, 1))(state.model, taps, state, data)
        updates, _ = optimiser.update(gradient, state.optimiser, state.model)
        ratios = jax.tree.map(_ratio, updates, state.model)
        units = seen.steps * cell.hidden
        by_lag = jnp.where(seen.sequences > 0, jnp.sqrt(seen.squares), jnp.nan)
        return _Look(by_lag, named_leaves(ratios, "model"), seen.dead / units, seen.saturated / units)

    return jax.jit(look)


def _ratio(update: Array, weights: Array) -> Array:
    size = jnp.linalg.norm(weights.ravel())
    return jnp.where(size > 0, jnp.linalg.norm(update.ravel()) / size, jnp.nan)
