"""The diagnosis of a diverged run: the failed step, the first array in it that is not finite, the likely cause.

A step is deterministic, so the failed one is repeated in its parts. Three more computations on its batch tell causes
apart:

- the loss with all weights zero: if it is not finite either, the data are to blame;
- the loss with the weights that training began with: if it is finite, training led the weights astray;
- the gradient of the loss times 2^-100: the backward pass is linear, so a gradient that was only too large for its type
  becomes finite, and one that met an infinite slope does not.
"""

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from throughtime._errors import InputError
from throughtime._mesh import on_every_device
from throughtime._types import Array, Bool, Scalar
from throughtime.training.devices import own_rows
from throughtime.training.leaves import is_inexact, named_leaves
from throughtime.training.step import Loss, Step, TrainState, next_loss, take_step

if TYPE_CHECKING:
    from throughtime.training.history import History

SMALLER = 2.0**-100


class DivergedError(InputError):
    """A loss or a weight that is not finite. ``code`` names the likely cause.

    Attributes:
        step: the number of the failed step, counted from 1; None if the weights were bad before the first step.
        array: the name of the first array that is not finite, ``"loss"`` for the loss.
        history: the history of the steps before, if :func:`throughtime.train` raised it: the model in it is good.
    """

    history: "History | None" = None

    def __init__(self, message: str, *, step: int | None = None, array: str | None = None, **fields: Any):
        super().__init__(message, **fields)
        self.step, self.array = step, array

    def fields(self) -> dict[str, Any]:
        """Return the fields that are set, as JSON values."""
        own = {"step": self.step, "array": self.array}
        return super().fields() | {name: value for name, value in own.items() if value is not None}


class _Bad(NamedTuple):
    """An array that is not finite: its name, the first such number, and a description."""

    name: str
    value: float
    description: str


class _Cause(NamedTuple):
    """A likely cause, as a code and as a sentence with the remedy."""

    code: str
    text: str


class _Evidence(NamedTuple):
    """The failed step, and the other computations on its batch."""

    step: Step
    loss_without_weights: Scalar
    loss_with_first_weights: Scalar
    small_gradient: Any


def all_finite(tree: Any) -> Bool[Array, ""]:
    """Return True if every number of a tree is finite."""
    leaves = [leaf.ravel() for leaf in jax.tree.leaves(tree) if is_inexact(leaf)]
    # Joined, because each array would be a function to compile.
    vectors = [jnp.concatenate([leaf for leaf in leaves if leaf.dtype == dtype]) for dtype in {x.dtype for x in leaves}]
    return jnp.array([jnp.isfinite(vector).all() for vector in vectors]).all()


def diagnose(
    first: TrainState, before: TrainState | None, loss: Loss, optimizer: optax.GradientTransformation, data: Any
) -> DivergedError:
    """Return the error that explains a failed step.

    Args:
        first: the state that training began with.
        before: the state before the failed step; None if ``first`` is bad itself.
        loss: the loss of the run.
        optimizer: the optimizer of the run.
        data: the data of the run.
    """
    if before is None:
        return _cannot_start(first)
    evidence = jax.jit(_gather, static_argnums=(0, 1))(loss, optimizer, first, before, data)
    bad, cause = _find(evidence, first, before, data)
    number = int(before.step) + 1
    return DivergedError(
        f"training diverged at step {number}: {bad.description}. Likely cause: {cause.text}",
        step=number,
        array=bad.name,
        code=cause.code,
        found=bad.value,
        expected="finite numbers",
    )


def _cannot_start(first: TrainState) -> DivergedError:
    """Return the error for weights that were not finite before the first step."""
    bad = _first_bad(first.model, "model", "the weights")
    name, value, description = bad or _Bad("model", math.nan, "the weights are not finite")
    return DivergedError(
        f"training cannot start: {description}. Likely cause: they were not finite when they were drawn or loaded.",
        array=name,
        code="weights-not-finite",
        found=value,
        expected="finite numbers",
    )


def _gather(
    loss: Loss, optimizer: optax.GradientTransformation, first: TrainState, before: TrainState, data: Any
) -> _Evidence:
    """Return the failed step, repeated, and the computations that tell its causes apart."""
    trained, fixed = eqx.partition(before.model, is_inexact)

    def of(trained: Any) -> Scalar:
        return next_loss(loss, eqx.combine(trained, fixed), before, data)[0]

    return on_every_device(
        _Evidence(
            take_step(loss, optimizer, before, data),
            of(jax.tree.map(jnp.zeros_like, trained)),
            of(eqx.filter(first.model, is_inexact)),
            jax.grad(lambda trained: SMALLER * of(trained))(trained),
        )
    )


def _find(evidence: _Evidence, first: TrainState, before: TrainState, data: Any) -> tuple[_Bad, _Cause]:
    """Return the first array of the failed step that is not finite, and the likely cause."""
    step = evidence.step
    if not np.isfinite(step.value):
        value = float(step.value)
        return _Bad("loss", value, f"the loss is {value}"), _cause_of_loss(evidence, first, before, data)
    if bad := _first_bad(step.gradient, "model", "the gradient"):
        return bad, _cause_of_gradient(evidence)
    if bad := _first_bad(step.updates, "model", "the update"):
        state = _first_bad(step.state.optimizer, "optimizer", "its state")
        return bad, _cause_of_update(state)
    bad = _first_bad(step.state.model, "model", "the new weights")
    return bad or _Bad("model", math.nan, "the numbers exceed the range of their type"), _Cause(
        "weights-overflow",
        f"a learning rate that is too high. {_growth(first, before)} Lower the learning rate or clip the gradient.",
    )


def _cause_of_loss(evidence: _Evidence, first: TrainState, before: TrainState, data: Any) -> _Cause:
    """Return why finite weights have a loss that is not finite."""
    if not np.isfinite(evidence.loss_without_weights):
        bad = _first_bad(data, "data", "the data")
        return _Cause(
            "data-not-finite",
            "inputs or targets that are not finite, or too large to be squared: with all weights 0 the loss is "
            f"{evidence.loss_without_weights} too. Check the data{f': {bad.description}' if bad else ''}.",
        )
    if np.isfinite(evidence.loss_with_first_weights):
        return _Cause(
            "learning-rate-too-high",
            f"a learning rate that is too high, or exploding gradients. {_growth(first, before)} With the weights of "
            f"step {int(first.step)} the loss of the same batch is {evidence.loss_with_first_weights:.3g}. Lower the "
            "learning rate or clip the gradient.",
        )
    return _Cause(
        "activations-overflow",
        f"activations that overflow over time: the weights are finite (norm {_norm(before.model):.3g}), and with all "
        "weights 0 the loss is finite. Start with smaller recurrent weights, use a bounded activation or shorter "
        "windows.",
    )


def _cause_of_gradient(evidence: _Evidence) -> _Cause:
    """Return why a finite loss has a gradient that is not finite."""
    if (size := _norm(evidence.small_gradient)) < math.inf:
        return _Cause(
            "gradient-explodes",
            f"an exploding gradient. The loss is {evidence.step.value:.3g}, the gradient's norm about "
            f"1e{math.log10(size / SMALLER):.0f}, too large for its type, so that clipping cannot help. Start with "
            "smaller recurrent weights, use shorter windows or lower the learning rate.",
        )
    return _Cause(
        "infinite-slope",
        f"an infinite slope. The loss is {evidence.step.value:.3g}, but its gradient stays infinite or NaN however "
        "small the loss is scaled. Look for sqrt or log at 0, a division by 0, or a where() that hides a NaN.",
    )


def _cause_of_update(state: _Bad | None) -> _Cause:
    """Return why a finite gradient has an update that is not finite."""
    more = f": {state.description}" if state else ""
    return _Cause(
        "update-not-finite",
        f"the optimizer, which was fed a finite gradient{more}. Lower the learning rate.",
    )


def _growth(first: TrainState, before: TrainState) -> str:
    """Return a sentence on the norm of the weights."""
    return (
        f"From step {int(first.step)} to step {int(before.step)} the norm of the weights went from "
        f"{_norm(first.model):.3g} to {_norm(before.model):.3g}."
    )


def _norm(tree: Any) -> float:
    """Return the global norm of the floats in float64, which holds the squares of all float32 numbers."""
    floats = eqx.filter(tree, is_inexact)
    leaves = [np.abs(np.asarray(leaf)).astype(np.float64).ravel() for leaf in jax.tree.leaves(floats)]
    return float(np.linalg.norm(np.concatenate(leaves)))


def _first_bad(tree: Any, prefix: str, role: str) -> _Bad | None:
    """Return the first array that is not finite, described with its ``role``; None if all are finite."""
    for name, leaf in named_leaves(jax.tree.map(own_rows, tree), prefix).items():
        array = np.asarray(leaf)
        if jnp.issubdtype(array.dtype, jnp.inexact) and not (finite := np.isfinite(array)).all():
            value, count = array[~finite][0], int((~finite).sum())
            return _Bad(name, float(value), f"{role} {name} holds {value} in {count} of {array.size} places")
    return None
