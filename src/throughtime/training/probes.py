"""A probe of states: the gradient by each state and counts, of any loss, from one backward pass.

A loss is a black box that returns one number: it draws a batch, unrolls the cell inside, and may use ``vmap``. So the
numbers of a time step leave it only as derivatives. Let q be a parameter that the loss does not depend on, and let
``probe(s, q, f) = s`` pass on a state s. For the cotangent g = dL/ds its backward pass returns, by definition,

    g  for s,    f(|g|^2)  for q,

although the true derivative by q is 0. A backward pass adds up the cotangents of a parameter over all its uses, here
the T time steps of a scan and the B sequences of a batch. Hence ``grad(loss)`` by q is the sum of f(|g|^2) over all
states: with f(x) = x at the place of the state's lag, the squared gradient by lag; with a constant f, a count.

One trap: under ``vmap`` JAX adds up cotangents that differ from sequence to sequence, but takes one that is the same
for all of them once. So a count is compared with the count of its complement only: dead with alive units, not with T B.

Perturbations of zero, as in :func:`throughtime.recurrence.unroll_perturbed`, would need an array (B, T, H) from outside
the loss, but only the loss knows B and T.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from throughtime._types import Array, Float
from throughtime.cells import State


class Sums(NamedTuple):
    """Sums over all time steps and sequences of a batch; K is the longest lag.

    Attributes:
        squares: (K + 1,) squared norm of dLoss/ds_(T-k) for lags k = 0 .. K, with s the whole state.
        visits: (K + 1,) above 0 for lags that there are.
        dead: (G,) the number of dead gates of units.
        alive: (G,) the number of the others.
        saturated: (G,) the number of saturated gates of units.
        unsaturated: (G,) the number of the others.
    """

    squares: Float[Array, "lags"]
    visits: Float[Array, "lags"]
    dead: Float[Array, "G"]
    alive: Float[Array, "G"]
    saturated: Float[Array, "G"]
    unsaturated: Float[Array, "G"]


@jax.custom_vjp
def probe(state: State, sums: Sums, amounts: Sums) -> State:
    """Return ``state``.

    The backward pass adds ``amounts`` to the derivative by ``sums``; those of squares times the squared cotangent.
    """
    return state


def _forward(state: State, sums: Sums, amounts: Sums) -> tuple[State, Sums]:
    return state, amounts


def _backward(amounts: Sums, cotangent: State) -> tuple[State, Sums, None]:
    floats = [leaf for leaf in jax.tree.leaves(cotangent) if leaf.dtype != jax.dtypes.float0]
    square = jnp.sum(jnp.stack([jnp.sum(jnp.square(leaf)) for leaf in floats]))
    return cotangent, amounts._replace(squares=square * amounts.squares), None


probe.defvjp(_forward, _backward)
