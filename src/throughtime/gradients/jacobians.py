"""The derivative of a state by an earlier one: the product of the Jacobians of the steps between them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jax.flatten_util import ravel_pytree
from scipy.sparse.linalg import svds
from threadpoolctl import threadpool_limits

from throughtime._compiler import SELDOM, compiled
from throughtime._types import Array, Float
from throughtime.cells import Cell, Elman
from throughtime.gradients.decay import BoundKind
from throughtime.recurrence import trajectory

LARGE_MATRIX = 512  # rows; for larger matrices one singular value takes far less time than all of them


class StepJacobians(NamedTuple):
    """The states and Jacobians of one sequence of T steps, in float64 on the host; the flat state has size S.

    Attributes:
        fields: the slice of the flat state that holds each array of the state, by its name.
        states: (T + 1, S) from the first to the last.
        jacobians: (T, S, S) of each state with respect to the one before.
    """

    fields: dict[str, slice]
    states: np.ndarray
    jacobians: np.ndarray


class LagNorms(NamedTuple):
    """Norms of the products of the last k Jacobians, k = 0 .. T.

    Attributes:
        norms: (T + 1,) spectral norm of dh_T / dh_(T-k).
        memory: (T + 1,) spectral norm of dh_T / ds_(T-k), where s is all of the state.
        singular_values: (T + 1, H) of dh_T / dh_(T-k), descending.
        paths: if the state has an h and other arrays, the norm (T + 1,) of the gradient through each array alone: of
            the product of its own diagonal blocks.
        step_norms: (T,) spectral norm of each step's Jacobian, the last step first.
        errors: (T + 1,) of ``norms`` and ``memory`` if they are estimates; 0 if they are exact.
    """

    norms: np.ndarray
    memory: np.ndarray
    singular_values: np.ndarray
    paths: dict[str, np.ndarray]
    step_norms: np.ndarray
    errors: np.ndarray


def field_slices(cell: Cell) -> dict[str, slice]:
    """Return the slice of the flat state that holds each floating-point array of the state."""
    state = eqx.filter(cell.initial_state(), eqx.is_inexact_array)
    slices, first = {}, 0
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        name = jax.tree_util.keystr(path, simple=True, separator=".").rpartition(".")[2]  # a wrapped cell's state nests
        slices[name] = slice(first, first + leaf.size)
        first += leaf.size
    return slices


def output_slice(fields: dict[str, slice]) -> slice:
    """Return the slice that counts as h: the array of that name, or all of the state if there is none."""
    return fields.get("h", slice(0, max(part.stop for part in fields.values())))


def step_jacobians(cell: Cell, xs: Float[Array, "T D"], state: Any = None) -> StepJacobians:
    """Run one sequence and return the derivative of each of its steps."""
    states, jacobians = (np.array(part, np.float64) for part in _states_and_jacobians(cell, xs, state))
    # JAX's slope of ReLU at NaN is 0, which would hide the NaN.
    jacobians[~np.isfinite(states[1:]).all(axis=1)] = np.nan
    return StepJacobians(field_slices(cell), states, jacobians)


@compiled(SELDOM)
def _states_and_jacobians(cell: Cell, xs: Array, state: Any) -> tuple[Array, Array]:
    states, gx = trajectory(cell, xs, state)
    inexact, others = eqx.partition(states, eqx.is_inexact_array)

    def jacobian(inexact: Any, others: Any, gx: Array) -> Array:
        flat, unravel = ravel_pytree(inexact)

        def next_state(flat: Array) -> Array:
            after, _ = cell.step(eqx.combine(unravel(flat), others), gx)
            return ravel_pytree(eqx.filter(after, eqx.is_inexact_array))[0]

        return jax.jacfwd(next_state)(flat)

    inexact_before, others_before = jax.tree.map(lambda leaf: leaf[:-1], (inexact, others))
    flat_states = jax.vmap(lambda inexact: ravel_pytree(inexact)[0])(inexact)
    return flat_states, jax.vmap(jacobian)(inexact_before, others_before, gx)


def lag_norms(steps: StepJacobians) -> LagNorms:
    """Return the exact norms by lag; in float64, and scaled so that no product underflows."""
    with threadpool_limits(limits=1, user_api="blas"):  # threads only wait for each other on matrices this small
        return _lag_norms(steps)


def _lag_norms(steps: StepJacobians) -> LagNorms:
    h, fields = output_slice(steps.fields), steps.fields
    of_h = [(p[h, h], p[h], scale) for p, scale in _running_products(steps.jacobians)]
    singular = np.stack([_scaled(_singular_values(by_h), scale) for by_h, _, scale in of_h])
    memory = singular[:, 0]
    if len(fields) > 1:
        memory = np.array([_scaled(spectral_norm(by_state), scale) for _, by_state, scale in of_h])
    separate = fields.items() if "h" in fields and len(fields) > 1 else ()
    paths = {name: _path_norms(steps.jacobians[:, part, part]) for name, part in separate}
    step_norms = np.array([spectral_norm(jacobian) for jacobian in steps.jacobians[::-1]])
    return LagNorms(singular[:, 0], memory, singular, paths, step_norms, np.zeros(len(singular)))


def _path_norms(blocks: np.ndarray) -> np.ndarray:
    """Return the norms (T + 1,) of the running products of diagonal blocks (T, H, H)."""
    return np.array([_scaled(spectral_norm(product), scale) for product, scale in _running_products(blocks)])


def _running_products(jacobians: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
    """Yield ``J_T J_(T-1) ... J_(T-k+1)`` for k = 0 .. T, each as a moderate matrix and the log2 of its scale."""
    product, scale = np.eye(jacobians.shape[-1]), 0.0
    yield product, scale
    for jacobian in jacobians[::-1]:
        with np.errstate(invalid="ignore"):  # infinity times 0 is NaN, as it should be
            product = product @ jacobian
        size = np.abs(product).max()
        if 0 < size < np.inf:
            exponent = np.frexp(size)[1]
            product, scale = np.ldexp(product, -exponent), scale + exponent
        yield product, scale


def _singular_values(matrix: np.ndarray) -> np.ndarray:
    """Return the singular values, descending; NaN for a matrix that is not finite."""
    if not np.isfinite(matrix).all():
        return np.full(min(matrix.shape), np.nan)
    return np.linalg.svd(matrix, compute_uv=False)


def spectral_norm(matrix: Any) -> float:
    """Return the largest singular value of a matrix, in float64; NaN if the matrix is not finite."""
    matrix = np.asarray(matrix, np.float64)
    if min(matrix.shape) > LARGE_MATRIX and np.isfinite(matrix).all():
        return float(svds(matrix, k=1, return_singular_vectors=False, rng=0)[0])
    return float(_singular_values(matrix)[0])


def _scaled(value: Any, scale: float) -> Any:
    """Return ``value * 2**scale``; infinite or 0 beyond the range of float64."""
    with np.errstate(over="ignore", under="ignore"):
        return value * np.exp2(scale)


def bound(cell: Cell, step_norms: np.ndarray) -> tuple[np.ndarray, BoundKind]:
    """Return an upper bound (T + 1,) on the norms, and its kind.

    For an Elman cell whose activation has a known largest slope g it is ``(g sigma_max(W_h))^k`` (Pascanu, Mikolov &
    Bengio 2013, arXiv 1211.5063, section 2.1), which holds for any input. Other cells have no bound that is
    independent of their inputs: theirs is the product of the norms of the last k steps.

    Args:
        cell: any cell.
        step_norms: (T,) spectral norm of each step's Jacobian, the last step first.
    """
    lags = np.arange(len(step_norms) + 1)
    slope = cell.slopes[0] if isinstance(cell, Elman) else None
    with np.errstate(over="ignore", under="ignore"):
        if isinstance(cell, Elman) and slope is not None:
            return (slope * spectral_norm(cell.w_h)) ** lags, "pascanu"
        return np.append(1.0, np.cumprod(step_norms)), "product"
