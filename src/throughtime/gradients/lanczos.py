"""Estimates of the norms of products of Jacobians that are too large to write down, by Lanczos iteration."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from throughtime._keys import random_key
from throughtime._types import Array, Float, KeyLike, Scalar
from throughtime.cells import Cell
from throughtime.gradients.jacobians import LagNorms, field_slices, output_slice
from throughtime.recurrence import trajectory, unroll_perturbed

ITERATIONS = 16
NEGLIGIBLE = 1e-5  # of the largest value: about the rounding error of such products in float32
LAGS_AT_ONCE = 16  # lags computed side by side; bounds the memory

LinearMap = Callable[[Array], Array]


def estimated_lag_norms(cell: Cell, xs: Float[Array, "T D"], state: Any = None, *, key: KeyLike) -> LagNorms:
    """Estimate the norms of dh_T / dh_(T-k) and dh_T / ds_(T-k) for k = 0 .. T from products with vectors alone.

    Lanczos iteration on P^T P (Golub & Van Loan 2013, section 10.1) approaches the norm of P from below. The residual
    gives its error: some singular value is within ||P^T P v - sigma^2 v|| / sigma of the estimate sigma. Time grows
    with T^2, memory with T. Other singular values and paths are not estimated.
    """
    fields, steps = field_slices(cell), len(xs)
    size = max(part.stop for part in fields.values())
    of_h = np.zeros(size)
    of_h[output_slice(fields)] = 1.0
    key_norms, key_memory, key_steps = jax.random.split(random_key(key), 3)
    norms, errors = _norms(cell, xs, state, jnp.asarray(of_h, xs.dtype), jax.random.normal(key_norms, (steps, size)))
    memory, memory_errors = norms, errors
    if len(fields) > 1:
        of_state, vectors = jnp.ones(size, xs.dtype), jax.random.normal(key_memory, (steps, size))
        memory, memory_errors = _norms(cell, xs, state, of_state, vectors)
    step_norms = _step_norms(cell, xs, state, jax.random.normal(key_steps, (steps, size)))
    norms_by_lag = _by_lag(1.0, norms)
    return LagNorms(
        norms=norms_by_lag,
        memory=_by_lag(1.0, memory),
        singular_values=norms_by_lag[:, None],
        paths={},
        step_norms=_by_lag(1.0, step_norms)[1:],
        errors=_by_lag(0.0, jnp.maximum(errors, memory_errors)),
    )


def _by_lag(at_lag_zero: float, by_step: Float[Array, "T"]) -> np.ndarray:
    """Return values (T + 1,) by lag, from values (T,) by the step at which the product begins."""
    return np.append(at_lag_zero, np.asarray(by_step, np.float64)[::-1])


@eqx.filter_jit
def _norms(
    cell: Cell, xs: Float[Array, "T D"], state: Any, columns: Float[Array, "S"], vectors: Float[Array, "T S"]
) -> tuple[Float[Array, "T"], Float[Array, "T"]]:
    """Estimate the norm of dh_T by the chosen columns of s_t for t = 0 .. T - 1, with its error.

    Args:
        cell: any cell.
        xs: one sequence.
        state: the first state.
        columns: 1 for the entries of the flat state that count, else 0.
        vectors: the first Lanczos vector of each step.
    """
    zeros, unravel = ravel_pytree(eqx.filter(cell.initial_state(), eqx.is_inexact_array))

    def last_h(perturbations: Array) -> Array:
        after, _ = unroll_perturbed(cell, xs, jax.vmap(unravel)(perturbations), state)
        flat, _ = ravel_pytree(eqx.filter(after, eqx.is_inexact_array))
        return flat[output_slice(field_slices(cell))]

    unperturbed = jnp.zeros((len(xs), len(zeros)), xs.dtype)
    _, forward = jax.linearize(last_h, unperturbed)
    backward = jax.linear_transpose(forward, unperturbed)

    def norm_of_step(arguments: tuple[Array, Array]) -> tuple[Scalar, Scalar]:
        t, vector = arguments
        return _largest_singular_value(
            lambda v: forward(unperturbed.at[t].set(v * columns)),
            lambda u: backward(u)[0][t] * columns,
            vector * columns,
        )

    return jax.lax.map(norm_of_step, (jnp.arange(len(xs)), vectors), batch_size=LAGS_AT_ONCE)


@eqx.filter_jit
def _step_norms(cell: Cell, xs: Float[Array, "T D"], state: Any, vectors: Float[Array, "T S"]) -> Float[Array, "T"]:
    """Estimate the norm of each step's Jacobian."""
    states, gx = trajectory(cell, xs, state)

    def norm_of_step(arguments: tuple[Any, Any, Array, Array]) -> Scalar:
        inexact, others, gx, vector = arguments
        flat, unravel = ravel_pytree(inexact)

        def next_state(flat: Array) -> Array:
            after, _ = cell.step(eqx.combine(unravel(flat), others), gx)
            return ravel_pytree(eqx.filter(after, eqx.is_inexact_array))[0]

        _, forward = jax.linearize(next_state, flat)
        backward = jax.linear_transpose(forward, flat)
        return _largest_singular_value(forward, lambda u: backward(u)[0], vector)[0]

    inexact, others = eqx.partition(jax.tree.map(lambda leaf: leaf[:-1], states), eqx.is_inexact_array)
    return jax.lax.map(norm_of_step, (inexact, others, gx, vectors), batch_size=LAGS_AT_ONCE)


def _largest_singular_value(forward: LinearMap, backward: LinearMap, vector: Array) -> tuple[Scalar, Scalar]:
    """Estimate the largest singular value of a linear map, with its error.

    Args:
        forward: the linear map.
        backward: its transpose.
        vector: the first Lanczos vector.
    """
    count = min(ITERATIONS, len(vector))

    def iterate(i: Array, carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        basis, diagonal, off_diagonal = carry
        squared = backward(forward(basis[i]))
        diagonal = diagonal.at[i].set(jnp.vdot(basis[i], squared))
        rest = squared
        for _ in range(2):  # one pass loses orthogonality to rounding; two are enough (Parlett 1998, section 6.9)
            rest = rest - basis.T @ (basis @ rest)
        length = jnp.linalg.norm(rest)
        length = jnp.where(length > NEGLIGIBLE * jnp.max(diagonal), length, 0)  # the basis spans the map's range
        rest = jnp.where(length > 0, rest, 0)
        return basis.at[i + 1].set(_normalized(rest)), diagonal, off_diagonal.at[i].set(length)

    zeros = jnp.zeros(count, vector.dtype)
    basis = jnp.zeros((count + 1, len(vector)), vector.dtype).at[0].set(_normalized(vector))
    _, diagonal, off_diagonal = jax.lax.fori_loop(0, count, iterate, (basis, zeros, zeros))
    tridiagonal = jnp.diag(diagonal) + jnp.diag(off_diagonal[:-1], 1) + jnp.diag(off_diagonal[:-1], -1)
    values, vectors = jnp.linalg.eigh(tridiagonal)
    sigma = jnp.sqrt(jnp.maximum(values[-1], 0))
    residual = off_diagonal[-1] * jnp.abs(vectors[-1, -1])
    return sigma, residual / jnp.where(sigma > 0, sigma, 1)


def _normalized(vector: Array) -> Array:
    """Return a vector at length 1; zeros stay zeros."""
    length = jnp.linalg.norm(vector)
    return vector / jnp.where(length > 0, length, 1)
