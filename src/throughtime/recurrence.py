"""Unrolling a cell through time: the only place that loops over it.

There are three ways, which give the same numbers. A sequential scan runs any cell, one step after the other. A parallel
scan runs a cell that is linear in its state, all steps at once in about log T sweeps. A native kernel, for the cells
that have one and for the recurrence of linear ones, owns the whole loop on the processor: :mod:`throughtime.kernels`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from throughtime.cells.base import Cell
from throughtime.cells.linear import LinearCell
from throughtime.errors import InputError
from throughtime.kernels.linear import serves_linear, states
from throughtime.kernels.through_time import native, serves
from throughtime.shapes import Array, Float, Inputs, Mask, Outputs


def unroll(
    cell: Cell,
    xs: Inputs,
    state: Any = None,
    *,
    mask: Mask | None = None,
    reverse: bool = False,
) -> tuple[Any, Outputs]:
    """Run a cell over a sequence, or over a batch of them.

    Args:
        cell: any cell.
        xs: inputs (T, D), or a batch (B, T, D).
        state: where to start, as an earlier call returned it, with a leading B for a batch; the cell's own initial
            state where it is None.
        mask: (T,) or (B, T), True where there is an input. A step that is masked out keeps the state and gives
            zeros, whatever its input holds (NaN too): a padded, masked sequence gives the numbers of the unpadded one.
        reverse: run from the last step to the first. Outputs stay at the place of their inputs.

    Returns:
        The state after the last step that ran, and the outputs (T, H) or (B, T, H).

    Native kernels have a derivative backward, of any order, but none forward: where ``jax.jvp`` or ``jax.jacfwd`` is
    asked for, run it ``with throughtime.kernels.off():``.

    Raises:
        InputError: where a shape does not fit the cell or another argument, or the mask is not boolean.
    """
    xs = jnp.asarray(xs)
    mask = None if mask is None else jnp.asarray(mask)
    require_shapes(cell, xs, mask)
    _require_state(cell, state, xs.shape[:-2])
    if state is None:
        one = cell.initial_state()
        state = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (*xs.shape[:-2], *leaf.shape)), one)
    if serves(cell, xs, state):
        return native(cell, state, xs, mask, reverse=reverse)
    scan = _scan_for(cell, xs)
    if xs.ndim == 2:
        return scan(state, xs, mask, reverse)

    def one_sequence(state: Any, xs: Array, mask: Mask | None) -> tuple[Any, Array]:
        return scan(state, xs, mask, reverse)

    return jax.vmap(one_sequence)(state, xs, mask)


def trajectory(cell: Cell, xs: Float[Array, "T D"], state: Any = None) -> tuple[Any, Array]:
    """Where one sequence leads, step by step: the states s_0 .. s_T, T + 1 along a leading axis, and gx (T, G*H)."""
    first = cell.initial_state() if state is None else state
    gx = cell.project(xs)

    def visited(state: Any, gx: Array) -> tuple[Any, Any]:
        state, _ = cell.step(state, gx)
        return state, state

    _, later = jax.lax.scan(visited, first, gx)
    return jax.tree.map(lambda start, rest: jnp.concatenate([start[None], rest]), first, later), gx


def still(cell: Cell, steps: int) -> Any:
    """Nudges of zero for so many steps: where :func:`nudged` is differentiated."""
    return jax.tree.map(lambda leaf: jnp.zeros((steps, *leaf.shape), leaf.dtype), cell.initial_state())


def nudged(cell: Cell, xs: Float[Array, "T D"], nudges: Any, state: Any = None) -> tuple[Any, Array]:
    """The last state and the outputs (T, H) of one sequence whose state is nudged before each step.

    At nudges of zero it is :func:`unroll`; its derivative there is what flows back to each step's state.

    Args:
        cell: any cell.
        xs: (T, D).
        nudges: like the state, with a leading T; None in the place of an array that is not nudged.
        state: where to start.
    """

    def pushed(state: Any, step: tuple[Any, Array]) -> tuple[Any, Array]:
        nudge, gx = step
        moved = [old if push is None else old + push for old, push in zip(*map(_leaves, (state, nudge)), strict=True)]
        return cell.step(jax.tree.unflatten(jax.tree.structure(state), moved), gx)

    first = cell.initial_state() if state is None else state
    return jax.lax.scan(pushed, first, (nudges, cell.project(xs)))


def _leaves(tree: Any) -> list[Any]:
    return jax.tree.leaves(tree, is_leaf=lambda leaf: leaf is None)


def sequential_scan(cell: Cell, state: Any, xs: Array, mask: Mask | None, reverse: bool) -> tuple[Any, Array]:
    """One sequence (T, D), step by step; ``project`` does the input's product for all T before the loop."""
    if mask is None:
        return jax.lax.scan(lambda *at: cell.step(*at), state, cell.project(xs), reverse=reverse)

    def masked_step(state: Any, step: tuple[Array, Array]) -> tuple[Any, Array]:
        gx, observed = step
        moved, y = cell.step(state, gx)
        kept = jax.tree.map(lambda new, old: jnp.where(observed, new, old), moved, state)
        return kept, jnp.where(observed, y, 0)

    return jax.lax.scan(masked_step, state, (cell.project(_without(xs, mask)), mask), reverse=reverse)


def linear_scan(
    recurrence: Callable[..., Array], cell: LinearCell, state: Any, xs: Array, mask: Mask | None, reverse: bool
) -> tuple[Any, Array]:
    """One sequence (T, D), its coefficients for all steps at once and then the ``recurrence``, a function such as
    :func:`joined` of a and c (T, H).

    A step that is masked out is the move that changes nothing, a = 1 and c = 0.
    """
    if len(xs) == 0:
        return sequential_scan(cell, state, xs, mask, reverse)
    gx = cell.project(xs if mask is None else _without(xs, mask))
    a, c = cell.coefficients(gx)
    if mask is not None:
        a, c = jnp.where(mask[:, None], a, 1), jnp.where(mask[:, None], c, 0)
    first = -1 if reverse else 0
    c = c.at[first].add(a[first] * cell.pack(state))
    memories = recurrence(a, c, reverse=reverse)
    ys = cell.read(memories, gx)
    last = cell.unpack(memories[0 if reverse else -1])
    return last, ys if mask is None else jnp.where(mask[:, None], ys, 0)


def joined(a: Array, c: Array, *, reverse: bool) -> Array:
    """The states (T, H) from a and c (T, H), from a state of zeros: moves are joined pairwise, and those again."""
    return jax.lax.associative_scan(_join, (a, c), reverse=reverse)[1]


def scan_batch(
    step: Callable[[Any, Array, Array], tuple[Any, Array, Any]], state: Any, gx: Array, mask: Array
) -> tuple[Any, Array, Any]:
    """A batch, all of its sequences a step at a time: for a step that looks across them, as no cell can.

    Args:
        step: ``(state, gx (B, G*H), observed (B,)) -> (state, y (B, H), seen)`` of the whole batch.
        state: of the whole batch, with a leading B.
        gx: projected inputs (B, T, G*H).
        mask: (B, T); a sequence's step that is masked out keeps its state and gives zeros.

    Returns:
        The last state, the outputs (B, T, H), and what was seen, with a leading T.
    """

    def masked_step(state: Any, at: tuple[Array, Array]) -> tuple[Any, Any]:
        gx, observed = at
        moved, y, seen = step(state, gx, observed)
        keep = jax.vmap(lambda observed, new, old: jax.tree.map(partial(jnp.where, observed), new, old))
        return keep(observed, moved, state), (keep(observed, y, jnp.zeros_like(y)), seen)

    state, (ys, seen) = jax.lax.scan(masked_step, state, (jnp.swapaxes(gx, 0, 1), mask.T))
    return state, jnp.swapaxes(ys, 0, 1), seen


def _join(earlier: tuple[Array, Array], later: tuple[Array, Array]) -> tuple[Array, Array]:
    """Two moves in a row, as one."""
    (a1, c1), (a2, c2) = earlier, later
    return a2 * a1, a2 * c1 + c2


def _scan_for(cell: Cell, xs: Array) -> Callable[..., tuple[Any, Array]]:
    """The fastest way. Without a kernel, in parallel one sequence takes up to 2.5 times less on a CPU; a batch is as
    fast or faster in steps, which keep it busy as well.
    """
    if isinstance(cell, LinearCell):
        if serves_linear(cell, xs):
            return partial(linear_scan, states, cell)
        if xs.ndim == 2 or jax.default_backend() != "cpu":
            return partial(linear_scan, joined, cell)
    return partial(sequential_scan, cell)


def _without(xs: Array, mask: Mask) -> Array:
    """Inputs with zeros where they are masked out: not a number times zero is not a number, in the gradient too."""
    return jnp.where(mask[:, None], xs, 0)


def require_shapes(cell: Cell, xs: Array, mask: Array | None) -> None:
    """Inputs and a mask that fit each other and the cell.

    Raises:
        InputError: where they do not.
    """
    if xs.ndim not in (2, 3) or xs.shape[-1] != cell.inputs:
        raise InputError(
            f"xs has shape {xs.shape}: expected (T, {cell.inputs}) or (B, T, {cell.inputs}) for a cell of "
            f"{cell.inputs} inputs"
        )
    if mask is not None and mask.shape != xs.shape[:-1]:
        raise InputError(f"mask has shape {mask.shape}: expected {xs.shape[:-1]}, one value for each step of xs")
    if mask is not None and mask.dtype != bool:
        raise InputError(f"mask has dtype {mask.dtype}: expected bool, True where xs holds an input")


def _require_state(cell: Cell, state: Any, batch: tuple[int, ...]) -> None:
    if state is None:
        return
    one = jax.eval_shape(cell.initial_state)
    came = [jnp.shape(leaf) for leaf in jax.tree.leaves(state)]
    expected = [(*batch, *leaf.shape) for leaf in jax.tree.leaves(one)]
    if (jax.tree.structure(state), came) != (jax.tree.structure(one), expected):
        raise InputError(
            f"state is a {type(state).__name__} with shapes {came}: expected a {type(one).__name__} with shapes "
            f"{expected}, as unroll returns it for the same cell and batch"
        )
