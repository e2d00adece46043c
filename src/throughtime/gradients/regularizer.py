"""A penalty on gradients that shrink or grow on the backward pass through time."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from throughtime._types import Array, Bool, Float, Scalar
from throughtime.cells import Cell
from throughtime.recurrence import trajectory, unroll_perturbed, zero_perturbations

SMALLEST = 1e-20  # a squared norm below which no gradient arrives, so that the ratio of norms says nothing


def vanishing_regularizer(cell: Cell, xs: Float[Array, "T D"], loss: Callable[[Float[Array, "T H"]], Scalar]) -> Scalar:
    """Compute Pascanu's Omega, which penalizes every step that changes the norm of the loss's gradient.

    ``Omega = sum over k of (||dE/dh_(k+1) dh_(k+1)/dh_k|| / ||dE/dh_(k+1)|| - 1)^2`` (Pascanu, Mikolov & Bengio 2013,
    arXiv 1211.5063, eq. 9). As in the paper, the gradients dE/dh and the states are constants: only the steps' own
    Jacobians are differentiated with respect to the weights. h stands for all of the state.

    Args:
        cell: any cell whose state holds floating-point arrays alone.
        xs: one sequence; take the mean over a batch with ``jax.vmap``.
        loss: E, from the outputs (T, H).

    Returns:
        Omega, to be weighted and added to the loss.
    """
    by_perturbations = jax.grad(lambda perturbations: loss(unroll_perturbed(cell, xs, perturbations)[1]))
    arriving = jax.lax.stop_gradient(by_perturbations(zero_perturbations(cell, len(xs))))
    states, gx = trajectory(cell, xs)
    before = jax.lax.stop_gradient(jax.tree.map(lambda leaf: leaf[:-1], states))

    def squared_ratio(state: Any, gx: Array, cotangent: Any) -> tuple[Scalar, Bool[Array, ""]]:
        _, pull_back = jax.vjp(lambda state: cell.step(state, gx)[0], state)
        after, earlier = ravel_pytree(cotangent)[0], ravel_pytree(pull_back(cotangent)[0])[0]
        size = jnp.sum(after**2)
        arrives = size > SMALLEST
        ratio = jnp.sum(earlier**2) / jnp.where(arrives, size, 1)
        return (jnp.sqrt(jnp.where(arrives & (ratio > 0), ratio, 1)) - 1) ** 2, arrives

    # Step k pulls dE/ds_(k+1) back to s_k. No step follows the last state, so its cotangent is left out.
    omegas, arrives = jax.vmap(squared_ratio)(
        jax.tree.map(lambda leaf: leaf[:-1], before), gx[:-1], jax.tree.map(lambda leaf: leaf[1:], arriving)
    )
    return jnp.sum(jnp.where(arrives, omegas, 0))
