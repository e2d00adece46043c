"""A penalty on gradients that shrink or grow on their way back through time."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from throughtime._types import Array, Float, Scalar
from throughtime.cells import Cell
from throughtime.gradients.trajectory import trajectory, unroll_perturbed, zero_perturbations

SMALLEST = 1e-20  # a squared norm below which no gradient arrives, and its ratio says nothing


def vanishing_regularizer(cell: Cell, xs: Float[Array, "T D"], loss: Callable[[Float[Array, "T H"]], Scalar]) -> Scalar:
    """Pascanu's Omega: how far each step is from handing the loss's gradient back at the size in which it came.

    ``Omega = sum over k of (||dE/dh_(k+1) dh_(k+1)/dh_k|| / ||dE/dh_(k+1)|| - 1)^2`` (Pascanu, Mikolov & Bengio 2013,
    arXiv 1211.5063, eq. 9). As there, the gradients dE/dh and the states are taken as they are: only the steps' own
    Jacobians are differentiated, by their weights. h stands for all of the state.

    Args:
        cell: any cell whose state holds numbers alone.
        xs: one sequence; take the mean over a batch with ``jax.vmap``.
        loss: E, from the outputs (T, H).

    Returns:
        Omega, to be added to the loss with a weight of one's own.
    """
    to_nudges = jax.grad(lambda nudges: loss(unroll_perturbed(cell, xs, nudges)[1]))
    arriving = jax.lax.stop_gradient(to_nudges(zero_perturbations(cell, len(xs))))
    states, gx = trajectory(cell, xs)
    before = jax.lax.stop_gradient(jax.tree.map(lambda leaf: leaf[:-1], states))

    def squared_ratio(state: Any, gx: Array, sensitivity: Any) -> tuple[Scalar, Array]:
        _, pull = jax.vjp(lambda state: cell.step(state, gx)[0], state)
        came, went = ravel_pytree(sensitivity)[0], ravel_pytree(pull(sensitivity)[0])[0]
        arrived = jnp.sum(came**2)
        some = arrived > SMALLEST
        ratio = jnp.sum(went**2) / jnp.where(some, arrived, 1)
        return (jnp.sqrt(jnp.where(some & (ratio > 0), ratio, 1)) - 1) ** 2, some

    # dE/ds_(k+1), which step k hands back to s_k; the last state's own is no nudge's.
    omegas, some = jax.vmap(squared_ratio)(
        jax.tree.map(lambda leaf: leaf[:-1], before), gx[:-1], jax.tree.map(lambda leaf: leaf[1:], arriving)
    )
    return jnp.sum(jnp.where(some, omegas, 0))
