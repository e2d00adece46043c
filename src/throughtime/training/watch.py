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

from throughtime._errors import InputError
from throughtime._types import Array, Float, Scalar
from throughtime.cells import GatedCell
from throughtime.training.checkpoint import named_leaves
from throughtime.training.probes import TappedCell, Taps, can_be_tapped
from throughtime.training.step import Loss, TrainState, batch_key


class Watch(NamedTuple):
    """What to look at, with each report of :func:`throughtime.training.train`.

    Attributes:
        clip_norm: the global norm above which the optimizer clips a gradient; infinite where it does not clip.
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
        clip_share: of the steps, those whose gradient's norm exceeded ``clip_norm``.
        gradient_norm: of the whole gradient.
        gradient_by_lag: (K + 1,) norm of dLoss/ds_(T-k) over all sequences of the batch, k = 0 .. K, where s_t is the
            state after step t: h, and whatever else the cell keeps. Not a number for lags above T.
        update_ratio: norm of the update over the norm of the weights, by the array's place in the model; not a number
            for weights that are all zero.
        dead: share of units, over all steps of the batch, whose gate has slope 0 and says 0, by gate.
        saturated: share of units whose gate's slope is below 5 % of its largest, by gate.
    """

    step: int
    loss: float
    clip_share: float
    gradient_norm: float
    gradient_by_lag: np.ndarray
    update_ratio: dict[str, float]
    dead: dict[str, float]
    saturated: dict[str, float]


class _Look(NamedTuple):
    """What a look at a state computes, on the device."""

    gradient_norm: Scalar
    gradient_by_lag: Float[Array, "lags"]
    update_ratio: Float[Array, "leaves"]
    dead: Float[Array, "G"]
    saturated: Float[Array, "G"]


def step_norm(watch: Watch | None) -> Callable[[Any], Scalar | None]:
    """What the loop keeps of each step's gradient: its norm, where there is a threshold to compare it with."""
    return _nothing if watch is None or watch.clip_norm == math.inf else norm


def _nothing(_gradient: Any) -> None:
    pass


def norm(gradient: Any) -> Scalar:
    """The global norm, at hardly any cost in a loop on a CPU.

    There a plain sum is computed number by number, which takes a third of a small network's step, and a product with a
    vector of ones is not.
    """
    squares = [
        jnp.square(leaf).reshape(leaf.shape[0] if leaf.ndim > 1 else 1, -1) for leaf in jax.tree.leaves(gradient)
    ]
    return jnp.sqrt(sum(jnp.sum(jnp.ones(len(rows), rows.dtype) @ rows) for rows in squares))


def observer(
    loss: Loss, optimizer: optax.GradientTransformation, watch: Watch, state: TrainState, data: Any
) -> Callable[[TrainState, Any, np.ndarray, Array | None], Record]:
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
    if not can_be_tapped(cell):
        raise InputError(f"the output of {type(cell).__name__} is not its state's h: such a cell cannot be watched")
    look = _looker(loss, optimizer, watch)
    jax.block_until_ready(look(state, data))
    names = tuple(named_leaves(state.model, "model"))

    def observe(state: TrainState, data: Any, losses: np.ndarray, norms: Array | None) -> Record:
        size, by_lag, ratios, *shares = map(np.asarray, look(state, data))
        return Record(
            int(state.step),
            float(losses.mean()),
            0.0 if norms is None else float(np.mean(np.asarray(norms)[: len(losses)] > watch.clip_norm)),
            float(size),
            by_lag,
            dict(zip(names, ratios.tolist(), strict=True)),
            *(dict(zip(cell.GATES, share.tolist(), strict=True)) for share in shares),
        )

    return observe


@lru_cache(maxsize=16)
def _looker(loss: Loss, optimizer: optax.GradientTransformation, watch: Watch) -> Callable[[TrainState, Any], _Look]:
    """The compiled part: the step after a state, with taps in the cell."""

    def through_taps(model: Any, taps: Taps, state: TrainState, data: Any) -> Array:
        return loss(eqx.tree_at(watch.cell, model, TappedCell(watch.cell(model), taps)), data, batch_key(state))

    def look(state: TrainState, data: Any) -> _Look:
        cell = watch.cell(state.model)
        dtype, gates = cell.w_x.dtype, len(cell.GATES)
        by_lag, by_gate = jnp.zeros(watch.lags + 1, dtype), jnp.zeros(gates, dtype)
        taps = Taps(by_lag, by_gate, by_gate, jnp.zeros((), dtype), jnp.zeros((), dtype))
        gradient, seen = jax.grad(through_taps, argnums=(0, 1))(state.model, taps, state, data)
        updates, _ = optimizer.update(gradient, state.optimizer, state.model)
        ratios = jnp.stack(jax.tree.leaves(jax.tree.map(_ratio, updates, state.model)))
        units = seen.steps * cell.hidden
        reached = jnp.arange(watch.lags + 1) * seen.sequences <= seen.steps
        by_lag = jnp.where(reached, jnp.sqrt(seen.squares), jnp.nan)
        return _Look(norm(gradient), by_lag, ratios, seen.dead / units, seen.saturated / units)

    return jax.jit(look)


def _ratio(update: Array, weights: Array) -> Array:
    size = jnp.linalg.norm(weights.ravel())
    return jnp.where(size > 0, jnp.linalg.norm(update.ravel()) / size, jnp.nan)
