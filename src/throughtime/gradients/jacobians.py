"""The derivative of one state with respect to an earlier one: a product of the steps' Jacobians."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jax.flatten_util import ravel_pytree
from scipy.sparse.linalg import svds
from threadpoolctl import threadpool_limits

from throughtime._types import Array, Float
from throughtime.cells import Cell, Elman
from throughtime.gradients.trajectory import trajectory

LARGE = 512  # rows; beyond, the one singular value takes far less time than all of them


class Steps(NamedTuple):
    """One sequence of T steps through a cell, in float64 on the host; S numbers make a state.

    Attributes:
        fields: where each array of the state lies among the S, by its name.
        states: (T + 1, S) from the first to the last.
        jacobians: (T, S, S) of each state with respect to the one before.
    """

    fields: dict[str, slice]
    states: np.ndarray
    jacobians: np.ndarray


class Products(NamedTuple):
    """Norms of the products of the last k Jacobians, k = 0 .. T.

    Attributes:
        norms: (T + 1,) spectral norm of dh_T / dh_(T-k).
        memory: (T + 1,) spectral norm of dh_T / ds_(T-k), s being all of the state.
        singular_values: (T + 1, H) of dh_T / dh_(T-k), descending.
        paths: where an h stands beside other arrays, for each of them the norm (T + 1,) of what flows through it alone,
            by no detour through another: the product of its own blocks.
        step_norms: (T,) spectral norm of each step's Jacobian, the last step first.
        errors: (T + 1,) of the norms and of memory, where they are estimates; 0 where they are exact.
    """

    norms: np.ndarray
    memory: np.ndarray
    singular_values: np.ndarray
    paths: dict[str, np.ndarray]
    step_norms: np.ndarray
    errors: np.ndarray


def field_slices(cell: Cell) -> dict[str, slice]:
    """Where each floating-point array of the state lies when the state is made flat."""
    state = eqx.filter(cell.initial_state(), eqx.is_inexact_array)
    slices, first = {}, 0
    for place, leaf in jax.tree_util.tree_leaves_with_path(state):
        name = jax.tree_util.keystr(place, simple=True, separator=".").rpartition(".")[2]  # of a wrapped cell's too
        slices[name] = slice(first, first + leaf.size)
        first += leaf.size
    return slices


def output_slice(fields: dict[str, slice]) -> slice:
    """What counts as h: the array of that name, all of the state where there is none."""
    return fields.get("h", slice(0, max(part.stop for part in fields.values())))


def step_jacobians(cell: Cell, xs: Float[Array, "T D"], state: Any = None) -> Steps:
    """Run a sequence and take the derivative of each of its steps."""
    states, jacobians = (np.array(part, np.float64) for part in _states_and_jacobians(cell, xs, state))
    jacobians[~np.isfinite(states[1:]).all(axis=1)] = np.nan  # of no number there is no slope, not even a ReLU's 0
    return Steps(field_slices(cell), states, jacobians)


@eqx.filter_jit
def _states_and_jacobians(cell: Cell, xs: Array, state: Any) -> tuple[Array, Array]:
    states, gx = trajectory(cell, xs, state)
    numbers, others = eqx.partition(states, eqx.is_inexact_array)

    def jacobian(numbers: Any, others: Any, gx: Array) -> Array:
        flat, unravel = ravel_pytree(numbers)

        def moved(flat: Array) -> Array:
            after, _ = cell.step(eqx.combine(unravel(flat), others), gx)
            return ravel_pytree(eqx.filter(after, eqx.is_inexact_array))[0]

        return jax.jacfwd(moved)(flat)

    numbers_before, others_before = jax.tree.map(lambda leaf: leaf[:-1], (numbers, others))
    flat_states = jax.vmap(lambda numbers: ravel_pytree(numbers)[0])(numbers)
    return flat_states, jax.vmap(jacobian)(numbers_before, others_before, gx)


def products(steps: Steps) -> Products:
    """All that the products of the last k Jacobians say, exactly: in float64, and scaled so that none underflows."""
    with threadpool_limits(limits=1, user_api="blas"):  # for matrices this small, threads only wait for each other
        return _products(steps)


def _products(steps: Steps) -> Products:
    h, fields = output_slice(steps.fields), steps.fields
    scaled = [(p[h, h], p[h], scale) for p, scale in _running_products(steps.jacobians)]
    singular = np.stack([_scaled(_singular_values(of_h), scale) for of_h, _, scale in scaled])
    memory = (
        singular[:, 0]
        if len(fields) == 1
        else np.array([_scaled(spectral_norm(row), scale) for _, row, scale in scaled])
    )
    paths = {
        name: np.array(
            [_scaled(spectral_norm(p), scale) for p, scale in _running_products(steps.jacobians[:, part, part])]
        )
        for name, part in (fields.items() if "h" in fields and len(fields) > 1 else ())
    }
    step_norms = np.array([spectral_norm(jacobian) for jacobian in steps.jacobians[::-1]])
    return Products(singular[:, 0], memory, singular, paths, step_norms, np.zeros(len(singular)))


def _running_products(jacobians: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
    """``J_T J_(T-1) ... J_(T-k+1)`` for k = 0 .. T, each as a matrix of moderate size and the log2 of its scale."""
    product, scale = np.eye(jacobians.shape[-1]), 0.0
    yield product, scale
    for jacobian in jacobians[::-1]:
        with np.errstate(invalid="ignore"):  # infinity times 0: no number, as it should be
            product = product @ jacobian
        size = np.abs(product).max()
        if 0 < size < np.inf:
            exponent = np.frexp(size)[1]
            product, scale = np.ldexp(product, -exponent), scale + exponent
        yield product, scale


def _singular_values(matrix: np.ndarray) -> np.ndarray:
    """Descending; not a number for a matrix that is not finite."""
    if not np.isfinite(matrix).all():
        return np.full(min(matrix.shape), np.nan)
    return np.linalg.svd(matrix, compute_uv=False)


def spectral_norm(matrix: Any) -> float:
    """The largest singular value of a matrix, in float64; not a number where the matrix is not finite."""
    matrix = np.asarray(matrix, np.float64)
    if min(matrix.shape) > LARGE and np.isfinite(matrix).all():
        return float(svds(matrix, k=1, return_singular_vectors=False, rng=0)[0])
    return float(_singular_values(matrix)[0])


def _scaled(value: Any, scale: float) -> Any:
    """``value * 2**scale``; infinite or 0 where float64 holds no such number."""
    with np.errstate(over="ignore", under="ignore"):
        return value * np.exp2(scale)


PASCANU = "(g sigma_max(W))^k, g the activation's largest slope (Pascanu, Mikolov & Bengio 2013)"
STEPWISE = "the product of the last k steps' own norms"


def bound(cell: Cell, step_norms: np.ndarray) -> tuple[np.ndarray, str]:
    """The bound (T + 1,) on the norms, and what it is.

    Of an Elman cell whose activation's largest slope is known it is that of Pascanu, Mikolov & Bengio (arXiv 1211.5063,
    section 2.1), which holds for any input. Other cells have none that does not depend on their input: theirs is the
    product of the norms of the steps that were taken.

    Args:
        cell: the cell.
        step_norms: (T,) spectral norm of each step's Jacobian, the last step first.
    """
    lags = np.arange(len(step_norms) + 1)
    slope = cell.slopes[0] if isinstance(cell, Elman) else None
    with np.errstate(over="ignore", under="ignore"):
        if isinstance(cell, Elman) and slope is not None:
            return (slope * spectral_norm(cell.w_h)) ** lags, PASCANU
        return np.append(1.0, np.cumprod(step_norms)), STEPWISE
