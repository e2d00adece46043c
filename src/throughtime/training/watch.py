"""A watch on a training run: it makes a record with each report."""

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
from throughtime._mesh import on_every_device
from throughtime._types import Array, Float, Scalar
from throughtime.cells import GatedCell
from throughtime.training.captured import Keyed
from throughtime.training.constants import join, unbound
from throughtime.training.leaves import is_inexact, named_leaves
from throughtime.training.optimizer_key import KeyedOptimizer
from throughtime.training.probed_cell import ProbedCell, can_be_probed, no_sums
from throughtime.training.probes import Sums
from throughtime.training.step import Loss, TrainState, next_loss, update

KEPT = 16  # programs, as in training.program


class Watch(NamedTuple):
    """The settings of a run's records; among the callbacks of :func:`throughtime.train` it fills ``history.watched``.

    Attributes:
        clip_norm: the global norm above which the optimizer clips a gradient; infinite if it does not clip.
        lags: the longest lag K of the gradient by lag.
        cell: returns the cell to look into, a :class:`throughtime.cells.GatedCell`, from the model.
        every: the number of steps from record to record.
    """

    clip_norm: float = math.inf
    lags: int = 100
    cell: Callable[[Any], GatedCell] = attrgetter("cell")
    every: int = 100


class Record(NamedTuple):
    """The record of one report: of the steps since the last report, and of the next step.

    Attributes:
        step: the number of steps done.
        loss: the mean loss over the steps.
        clip_share: the share of the steps whose gradient's norm exceeded ``clip_norm``.
        gradient_norm: the norm of the next step's gradient.
        gradient_by_lag: (K + 1,) the norm of dLoss/ds_(T-k) over all sequences of the next batch, k = 0 .. K, with s_t
            the whole state after step t: h, and the cell's other arrays. NaN for lags above T.
        update_ratio: the norm of the next update over the norm of the weights, by the name of the array; NaN for
            weights that are all zero.
        dead: the share of units, over all time steps of the next batch, whose gate is 0 and has the slope 0, by gate.
        saturated: the share of units whose gate's slope is below 5 % of its largest, by gate.
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
    """The part of a record that is computed on the device."""

    gradient_norm: Scalar
    gradient_by_lag: Float[Array, "lags"]
    update_ratio: Float[Array, "leaves"]
    dead: Float[Array, "G"]
    saturated: Float[Array, "G"]


Observer = Callable[[TrainState, Any, np.ndarray, np.ndarray | None], Record]
"""``observe(state, data, losses, norms)`` makes a record; losses and norms are those since the last report."""


def gradient_norm(watch: Watch | None) -> Callable[[Any], Scalar] | None:
    """Return the function that computes each step's gradient norm; None if there is no threshold to compare it with."""
    return None if watch is None or watch.clip_norm == math.inf else norm


def norm(gradient: Any) -> Scalar:
    """Return the global norm of a gradient.

    The sums are products with a vector of ones: inside a loop, XLA compiles a plain sum for the CPU number by number,
    which takes a third of a small network's step, and a product with vector instructions.
    """
    squares = [
        jnp.square(leaf).reshape(leaf.shape[0] if leaf.ndim > 1 else 1, -1) for leaf in jax.tree.leaves(gradient)
    ]
    return jnp.sqrt(sum(jnp.sum(jnp.ones(len(rows), rows.dtype) @ rows) for rows in squares))


def observer(
    loss: Loss, optimizer: optax.GradientTransformation, watch: Watch, state: TrainState, data: Any
) -> Observer:
    """Return the function that makes records; a first look at ``state`` compiles it.

    Raises:
        InputError: if ``watch`` does not fit the model.
    """
    cell = _watched_cell(watch, join(state.model, unbound(loss)[1]))
    any_interval = watch._replace(every=1)  # the interval is no part of the program
    look = _looker(Keyed(loss), KeyedOptimizer(optimizer), any_interval)
    jax.block_until_ready(look(state, data))
    names = tuple(named_leaves(eqx.filter(state.model, is_inexact), "model"))

    def observe(state: TrainState, data: Any, losses: np.ndarray, norms: np.ndarray | None) -> Record:
        seen: _Look = jax.device_get(look(state, data))
        clipped = 0.0 if norms is None else float(np.mean(norms > watch.clip_norm))
        return Record(
            int(state.step),
            float(losses.mean()),
            clipped,
            float(seen.gradient_norm),
            np.asarray(seen.gradient_by_lag),
            dict(zip(names, seen.update_ratio.tolist(), strict=True)),
            dict(zip(cell.GATES, seen.dead.tolist(), strict=True)),
            dict(zip(cell.GATES, seen.saturated.tolist(), strict=True)),
        )

    return observe


class Recorder:
    """The records of one run, each of the steps since the one before."""

    def __init__(self, watch: Watch, observe: Observer, steps: int):
        """Record with ``observe``, every ``watch.every`` steps and after the last of ``steps``."""
        self._every, self._observe, self._steps = watch.every, observe, steps
        self._losses: list[np.ndarray] = []
        self._norms: list[np.ndarray] = []

    def after(self, state: TrainState, data: Any, losses: np.ndarray, norms: Array | None) -> Record | None:
        """Return the record after some more steps; None if it is not due."""
        self._losses.append(losses)
        if norms is not None:
            self._norms.append(np.asarray(norms)[: len(losses)])
        if (step := int(state.step)) % self._every and step < self._steps:
            return None
        all_norms = np.concatenate(self._norms) if self._norms else None
        record = self._observe(state, data, np.concatenate(self._losses), all_norms)
        self._losses, self._norms = [], []
        return record


def _watched_cell(watch: Watch, model: Any) -> GatedCell:
    """Return the cell that ``watch`` looks into.

    Raises:
        InputError: if it cannot be watched, or the number of lags is negative.
    """
    if watch.lags < 0:
        raise InputError(
            f"lags is {watch.lags}: expected 0 or more", code="negative-lags", found=watch.lags, expected="0 or more"
        )
    cell = watch.cell(model)
    kind = type(cell).__name__
    if not isinstance(cell, GatedCell):
        raise InputError(
            f"the watch found a {kind}: expected a GatedCell, whose gates can be recorded; Watch(cell=...) tells where "
            "it is in the model",
            code="not-a-gated-cell",
            found=kind,
            expected="GatedCell",
        )
    if not can_be_probed(cell):
        raise InputError(
            f"the output of {kind} differs from its state's h: expected a cell whose output is its h, only such a cell "
            "can be watched",
            code="output-is-not-h",
            found=kind,
        )
    return cell


@lru_cache(KEPT)  # see program_for: a run that is continued compiles once
def _looker(keyed: Keyed, keyed_optimizer: KeyedOptimizer, watch: Watch) -> Callable[[TrainState, Any], _Look]:
    """Return the compiled part: the step after a state, with probes in the cell."""
    loss, optimizer = keyed.loss, keyed_optimizer.optimizer
    loss_of_model, constants = unbound(loss)

    def look(state: TrainState, data: Any) -> _Look:
        trained, fixed = eqx.partition(state.model, is_inexact)
        zero = no_sums(watch.cell(state.model), watch.lags)

        def value_of(trained: Any) -> Scalar:
            return next_loss(loss, eqx.combine(trained, fixed), state, data)[0]

        def probed_loss(trained: Any, sums: Sums) -> Scalar:
            model = join(eqx.combine(trained, fixed), constants)
            probed = eqx.tree_at(watch.cell, model, ProbedCell(watch.cell(model), sums))
            return next_loss(loss_of_model, probed, state, data)[0]

        value, (gradient, sums) = jax.value_and_grad(probed_loss, argnums=(0, 1))(trained, zero)
        updates, _ = update(optimizer, gradient, state.optimizer, trained, value, value_of)
        return on_every_device(
            _Look(
                norm(gradient),
                jnp.where(sums.visits > 0, jnp.sqrt(sums.squares), jnp.nan),
                jnp.stack(jax.tree.leaves(jax.tree.map(_ratio, updates, trained))),
                sums.dead / (sums.dead + sums.alive),
                sums.saturated / (sums.saturated + sums.unsaturated),
            )
        )

    return jax.jit(look)


def _ratio(update: Array, weights: Array) -> Array:
    """Return the norm of the update over the norm of the weights; NaN for weights that are all zero."""
    size = jnp.linalg.norm(weights.ravel())
    return jnp.where(size > 0, jnp.linalg.norm(update.ravel()) / size, jnp.nan)
