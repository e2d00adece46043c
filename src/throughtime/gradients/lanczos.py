"""The norms of products of Jacobians that are too large to write down: a few Lanczos steps on each."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from throughtime._types import Array, Float, Key
from throughtime.cells import Cell
from throughtime.gradients.jacobians import Products, field_slices, output_slice
from throughtime.gradients.trajectory import trajectory, unroll_perturbed

ITERATIONS = 16
NOTHING = 1e-5  # of the largest value: float32's rounding, after products of this size
TOGETHER = 16  # lags that travel side by side: bounds the memory


def estimated_products(cell: Cell, xs: Float[Array, "T D"], state: Any = None, *, key: Key) -> Products:
    """The norms of dh_T / dh_(T-k) and dh_T / ds_(T-k) for k = 0 .. T, from products with vectors alone.

    Lanczos iteration on P^T P (Golub & Van Loan 2013, section 10.1) approaches a norm from below. Its error is told by
    the residual: some singular value lies within ||P^T P v - sigma^2 v|| / sigma of the estimate sigma. Time grows with
    T^2, memory with T. No other singular value is estimated, and no path.
    """
    fields, steps = field_slices(cell), len(xs)
    size = max(part.stop for part in fields.values())
    of_h = np.zeros(size)
    of_h[output_slice(fields)] = 1.0
    key_norms, key_memory, key_steps = jax.random.split(key, 3)
    norms, errors = _norms(cell, xs, state, jnp.asarray(of_h, xs.dtype), jax.random.normal(key_norms, (steps, size)))
    memory, memory_errors = norms, errors
    if len(fields) > 1:
        everything, vectors = jnp.ones(size, xs.dtype), jax.random.normal(key_memory, (steps, size))
        memory, memory_errors = _norms(cell, xs, state, everything, vectors)
    step_norms = _step_norms(cell, xs, state, jax.random.normal(key_steps, (steps, size)))
    by_lag = _by_lag(1.0, norms)
    return Products(
        by_lag,
        _by_lag(1.0, memory),
        by_lag[:, None],
        {},
        _by_lag(1.0, step_norms)[1:],
        _by_lag(0.0, jnp.maximum(errors, memory_errors)),
    )


def _by_lag(at_zero: float, by_step: Array) -> np.ndarray:
    """(T + 1,) by lag, from values (T,) by the step at which they begin."""
    return np.append(at_zero, np.asarray(by_step, np.float64)[::-1])


@eqx.filter_jit
def _norms(cell: Cell, xs: Array, state: Any, columns: Array, vectors: Array) -> tuple[Array, Array]:
    """The norm of dh_T by the chosen columns (S,) of s_t, for t = 0 .. T - 1, and its error; from vectors (T, S)."""
    zeros, unravel = ravel_pytree(eqx.filter(cell.initial_state(), eqx.is_inexact_array))

    def last_h(nudges: Array) -> Array:
        after, _ = unroll_perturbed(cell, xs, jax.vmap(unravel)(nudges), state)
        flat, _ = ravel_pytree(eqx.filter(after, eqx.is_inexact_array))
        return flat[output_slice(field_slices(cell))]

    start = jnp.zeros((len(xs), len(zeros)), xs.dtype)
    _, forward = jax.linearize(last_h, start)
    backward = jax.linear_transpose(forward, start)

    def of_step(arguments: tuple[Array, Array]) -> tuple[Array, Array]:
        t, vector = arguments
        return _largest(
            lambda v: forward(start.at[t].set(v * columns)), lambda u: backward(u)[0][t] * columns, vector * columns
        )

    return jax.lax.map(of_step, (jnp.arange(len(xs)), vectors), batch_size=TOGETHER)


@eqx.filter_jit
def _step_norms(cell: Cell, xs: Array, state: Any, vectors: Array) -> Array:
    """(T,) the norm of each step's Jacobian."""
    states, gx = trajectory(cell, xs, state)

    def of_step(arguments: tuple[Any, Any, Array, Array]) -> Array:
        numbers, others, gx, vector = arguments
        flat, unravel = ravel_pytree(numbers)

        def moved(flat: Array) -> Array:
            after, _ = cell.step(eqx.combine(unravel(flat), others), gx)
            return ravel_pytree(eqx.filter(after, eqx.is_inexact_array))[0]

        _, forward = jax.linearize(moved, flat)
        backward = jax.linear_transpose(forward, flat)
        return _largest(forward, lambda u: backward(u)[0], vector)[0]

    numbers, others = eqx.partition(jax.tree.map(lambda leaf: leaf[:-1], states), eqx.is_inexact_array)
    return jax.lax.map(of_step, (numbers, others, gx, vectors), batch_size=TOGETHER)


def _largest(
    forward: Callable[[Array], Array], backward: Callable[[Array], Array], vector: Array
) -> tuple[Array, Array]:
    """The largest singular value of a linear map, and how far from it some singular value may lie."""
    count = min(ITERATIONS, len(vector))

    def once(i: Array, carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        basis, diagonal, beside = carry
        squared = backward(forward(basis[i]))
        diagonal = diagonal.at[i].set(jnp.vdot(basis[i], squared))
        rest = squared
        for _ in range(2):  # once loses orthogonality to rounding; twice is enough (Parlett 1998, section 6.9)
            rest = rest - basis.T @ (basis @ rest)
        length = jnp.linalg.norm(rest)
        length = jnp.where(length > NOTHING * jnp.max(diagonal), length, 0)  # the map's rank is used up
        rest = jnp.where(length > 0, rest, 0)
        return basis.at[i + 1].set(_unit(rest)), diagonal, beside.at[i].set(length)

    zeros = jnp.zeros(count, vector.dtype)
    basis = jnp.zeros((count + 1, len(vector)), vector.dtype).at[0].set(_unit(vector))
    _, diagonal, beside = jax.lax.fori_loop(0, count, once, (basis, zeros, zeros))
    values, vectors = jnp.linalg.eigh(jnp.diag(diagonal) + jnp.diag(beside[:-1], 1) + jnp.diag(beside[:-1], -1))
    sigma = jnp.sqrt(jnp.maximum(values[-1], 0))
    residual = beside[-1] * jnp.abs(vectors[-1, -1])
    return sigma, residual / jnp.where(sigma > 0, sigma, 1)


def _unit(vector: Array) -> Array:
    length = jnp.linalg.norm(vector)
    return vector / jnp.where(length > 0, length, 1)
