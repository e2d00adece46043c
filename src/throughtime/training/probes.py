"""A cell that can be listened to while a loss runs through it, forwards and backwards.

What is wanted is known only in the backward pass, inside the loop over time: the gradient of the loss by the state of
each step. So the cell gets some more parameters, the taps, zeros that nothing depends on, and what is seen is handed
out as their "gradient". Any loss, of any network that unrolls the cell, can thus be listened to as it is.
"""

from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from throughtime._types import Array, Float, GateBias, Hidden, InputWeights, Scalar
from throughtime.cells import Cell, GatedCell, LinearCell, State, dead_and_saturated, gates_and_slopes


class Taps(NamedTuple):
    """What is seen, added up over the sequences of a batch; K is the longest lag listened to.

    Attributes:
        squares: (K + 1,) squared norm of dLoss/ds_(T-k), with s the whole state, k = 0 .. K.
        dead: (G,) how many units were dead, over all steps.
        saturated: (G,) how many units were saturated, over all steps.
        steps: how many steps there were.
        sequences: how many sequences; all of a batch are of the same length.
    """

    squares: Float[Array, "lags"]
    dead: Float[Array, "G"]
    saturated: Float[Array, "G"]
    steps: Scalar
    sequences: Scalar


class Projections(NamedTuple):
    """Projected inputs, and where in time each is: lag T - 1 .. 0 of the state after it; T of that before the first."""

    gx: Array
    lag: Array
    lag_before: Array


class TappedCell(Cell):
    """A gated cell with taps: the same numbers, and the same gradients of its weights.

    The cell is linear, or its output is its state's ``h``: see :func:`can_be_tapped`. Sequences run forwards; a step
    that is masked out counts as a step.
    """

    GATES: ClassVar[tuple[str, ...]] = ()  # those of the cell inside: nothing asks the wrapper for them
    w_x: InputWeights
    b: GateBias
    cell: GatedCell
    taps: Taps

    def __init__(self, cell: GatedCell, taps: Taps):
        """Listen to ``cell``."""
        self.w_x, self.b, self.cell, self.taps = cell.w_x, cell.b, cell, taps

    @property
    def hidden(self) -> int:
        """H."""
        return self.cell.hidden

    def project(self, xs: Array) -> Projections:  # type: ignore[override]
        """The cell's projection of xs (T, D), and the lags."""
        lag = jnp.arange(len(xs))[::-1]
        return Projections(self.cell.project(xs), lag, jnp.where(lag == len(xs) - 1, len(xs), -1))

    def initial_state(self) -> State:
        """That of the cell."""
        return self.cell.initial_state()

    def step(self, state: State, at: Projections) -> tuple[State, Hidden]:  # type: ignore[override]
        """The cell's step; the state before the first one is listened to as well."""
        squares, *counts = self.taps
        state = _listen(state, squares, at.lag_before)
        cell, before, gx = jax.lax.stop_gradient((self.cell, state, at.gx))
        dead, saturated = dead_and_saturated(*gates_and_slopes(cell, before, gx), cell.slopes)
        moved, _ = self.cell.step(state, at.gx)
        moved = _listen(moved, squares, at.lag)
        moved = _count(moved, tuple(counts), (dead.sum(1), saturated.sum(1), 1, at.lag_before >= 0))
        if isinstance(self.cell, LinearCell):
            return moved, self.cell.output(self.cell.state_to_array(moved), at.gx)
        return moved, moved.h


def can_be_tapped(cell: GatedCell) -> bool:
    """Whether an output can be had from the state after its step, so that the loss's way through both is one."""
    if isinstance(cell, LinearCell):
        return True
    step = jax.jit(lambda cell: cell.step(cell.initial_state(), jnp.ones_like(cell.b)))
    moved, y = step(cell)
    return "h" in moved._fields and bool(jnp.array_equal(moved.h, y))


@jax.custom_vjp
def _listen(state: State, squares: Array, lag: Array) -> State:
    """The state as it is; its gradient's square is added at place ``lag``, if there is one."""
    return state


def _listen_forwards(state: State, squares: Array, lag: Array) -> tuple[State, Array]:
    return state, jax.nn.one_hot(lag, len(squares), dtype=squares.dtype)  # zeros where there is no such place


def _listen_backwards(place: Array, gradient: State) -> tuple[State, Array, None]:
    return gradient, _square(gradient) * place, None


_listen.defvjp(_listen_forwards, _listen_backwards)


@jax.custom_vjp
def _count(state: State, taps: tuple[Array, ...], amounts: tuple[Any, ...]) -> State:
    """The state as it is; the amounts are added to the taps."""
    return state


def _count_forwards(state: State, taps: tuple[Array, ...], amounts: tuple[Any, ...]) -> tuple[State, Any]:
    return state, tuple(jnp.asarray(amount, tap.dtype) for amount, tap in zip(amounts, taps, strict=True))


def _count_backwards(amounts: Any, gradient: State) -> tuple[State, Any, None]:
    one = _each(_square(gradient))
    return gradient, tuple(one * amount for amount in amounts), None


_count.defvjp(_count_forwards, _count_backwards)


def _square(gradient: State) -> Array:
    """The squared norm, over the state's numbers that have a gradient."""
    leaves = [leaf for leaf in jax.tree.leaves(gradient) if leaf.dtype != jax.dtypes.float0]
    return jnp.sum(jnp.stack([jnp.sum(jnp.square(leaf)) for leaf in leaves]))


def _each(square: Array) -> Array:
    """1 for each sequence: of a batch, JAX adds up what differs between its sequences, and takes the rest once."""
    return jnp.where(square == square, jnp.ones_like(square), 1)
