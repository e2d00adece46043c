"""A cell through time in one native call, as a function that JAX can differentiate and map."""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from throughtime._types import Array, Mask
from throughtime.cells import Cell
from throughtime.kernels.ffi import Cotangents, Given, Pulled, Results, Spec, backward, forward, spec_of
from throughtime.kernels.library import available

# Below, a scan is as fast or faster: XLA compiles a loop that touches few bytes as one function.
LEAST_WORK = 20_000  # multiplications of the state by its weights
LEAST_UNITS = 8  # of a batch
LEAST_STEPS = 12  # of one sequence: fewer do not pay for packing the weights


def serves(cell: Cell, xs: Array, state: Any) -> bool:
    """Whether there is a native kernel for this cell and these numbers, and it is the faster way."""
    single = all(jnp.result_type(leaf) == jnp.float32 for leaf in jax.tree.leaves((cell, xs, state)))
    return spec_of(cell) is not None and single and _is_worth_it(cell, xs) and available().yes


def _is_worth_it(cell: Cell, xs: Array) -> bool:
    batch, steps = math.prod(xs.shape[:-2]), xs.shape[-2]
    work = batch * steps * len(cell.GATES) * cell.hidden**2
    if batch > 1 and cell.hidden >= LEAST_UNITS:
        return True
    return work >= LEAST_WORK and (batch > 1 or steps >= LEAST_STEPS)


def native(cell: Cell, state: Any, xs: Array, mask: Mask | None, *, reverse: bool) -> tuple[Any, Array]:
    """A sequence (T, D) or a batch (B, T, D) through a cell that :func:`serves`; as :func:`throughtime.unroll`."""
    if xs.ndim == 2:
        batch = jax.tree.map(lambda leaf: leaf[None], (state, xs, mask))
        return jax.tree.map(lambda leaf: leaf[0], native(cell, *batch, reverse=reverse))
    spec, B = _spec(cell), xs.shape[0]
    if mask is not None:
        xs = jnp.where(mask[..., None], xs, 0)  # not a number times zero is not a number, in the gradient too
    c = state.c if spec.has_memory else jnp.zeros((B, 0), jnp.float32)
    given = Given(xs, state.h, c, jnp.zeros((B, 0), bool) if mask is None else mask)
    one_model = jax.tree.map(lambda leaf: leaf[None], (cell, given))
    hs, *last, _ = (leaf[0] for leaf in _run(reverse, False, *one_model))
    return spec.state(*last[: len(spec.state._fields)]), hs if mask is None else jnp.where(mask[..., None], hs, 0)


def _spec(cell: Cell) -> Spec:
    spec = spec_of(cell)
    assert spec is not None
    return spec


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _run(reverse: bool, save: bool, cell: Cell, given: Given) -> Results:
    return forward(_spec(cell), reverse=reverse, save=save)(cell, given)


def _run_ahead(reverse: bool, save: bool, cell: Any, given: Any) -> tuple[Results, Any]:
    asked = () if given.xs.perturbed else None  # whether anyone wants the derivative by xs
    cell, given = jax.tree.map(lambda leaf: leaf.value, (cell, given), is_leaf=_is_primal)
    results = _run(reverse, True, cell, given)
    seen = results if save else results._replace(saved=results.saved[..., :0])
    return seen, (cell, given, results.hs, results.saved, asked)


def _run_back(reverse: bool, _save: bool, kept: Any, came: Results) -> Any:
    *operands, asked = kept
    dense = jax.tree.map(_dense, Cotangents(came.hs, came.h, came.c), is_leaf=_is_zero)
    found = _pull(reverse, asked is not None, *operands, dense)
    return found.cell, _of_given(None if asked is None else found.xs, found.h, found.c)


_run.defvjp(_run_ahead, _run_back, symbolic_zeros=True)


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _pull(reverse: bool, asked: bool, cell: Cell, given: Given, hs: Array, saved: Array, came: Cotangents) -> Pulled:
    return backward(_spec(cell), reverse=reverse, asked=asked)(cell, given, hs, saved, came)


def _pull_ahead(reverse: bool, asked: bool, cell: Cell, given: Given, hs: Array, saved: Array, came: Cotangents) -> Any:
    return _pull(reverse, asked, cell, given, hs, saved, came), (cell, given, came)


def _pull_back(reverse: bool, asked: bool, kept: Any, cotangents: Pulled) -> Any:
    """The second derivative, which few ask for, is that of a scan. ``hs`` and ``saved`` follow from the rest."""
    cell, given, came = kept

    def slow(cell: Cell, came: Cotangents, *given: Array) -> Any:
        run = partial(_scanned, reverse, kept[1].mask)
        by_cell, by_xs, *others = jax.vjp(run, cell, *given)[1](came)
        return Pulled(by_cell, by_xs if asked else by_xs[..., :0], *others)

    by_cell, by_came, *others = jax.vjp(slow, cell, came, *given[:3])[1](cotangents)
    return by_cell, _of_given(*others), None, None, by_came


_pull.defvjp(_pull_ahead, _pull_back)


def _scanned(reverse: bool, masks: Array, cell: Cell, xs: Array, h: Array, c: Array) -> Cotangents:
    """What the native call computes, step by step."""

    def sequence(cell: Cell, xs: Array, h: Array, c: Array, mask: Array) -> Cotangents:
        spec = _spec(cell)
        start = spec.state(h, c) if spec.has_memory else spec.state(h)

        def step(state: Any, at: tuple[Array, Array]) -> tuple[Any, Array]:
            gx, observed = at
            moved, _ = cell.step(state, gx)
            kept = jax.tree.map(lambda new, old: jnp.where(observed, new, old), moved, state)
            return kept, kept.h

        seen = mask if len(mask) == len(xs) else jnp.ones(len(xs), bool)
        last, hs = jax.lax.scan(step, start, (cell.project(xs), seen), reverse=reverse)
        return Cotangents(hs, last.h, last.c if spec.has_memory else c)

    return jax.vmap(jax.vmap(sequence, in_axes=(None, 0, 0, 0, 0)))(cell, xs, h, c, masks)


def _of_given(xs: Array | None, h: Array, c: Array) -> Any:
    """Derivatives in the place of what was given; None is JAX's zero, and a mask has no other."""
    derivatives: tuple[Any, ...] = (xs, h, c, None)
    return Given(*derivatives)


def _is_primal(leaf: Any) -> bool:
    return isinstance(leaf, jax.custom_derivatives.CustomVJPPrimal)


def _is_zero(leaf: Any) -> bool:
    return isinstance(leaf, jax.custom_derivatives.SymbolicZero)


def _dense(leaf: Any) -> Array:
    return jnp.zeros(leaf.shape, leaf.dtype) if _is_zero(leaf) else leaf
