"""The gated recurrent unit as first published, with the reset gate before the recurrent product."""

from typing import ClassVar, NamedTuple

import jax.numpy as jnp
from jax.nn import sigmoid

from throughtime._types import GateBias, Hidden, InputWeights, KeyLike, RecurrentWeights, Whole
from throughtime.cells import initializers
from throughtime.cells.base import GatedCell


class ResetFirstGRUState(NamedTuple):
    """The state of a ResetFirstGRU: h (H,), its last output."""

    h: Hidden


class ResetFirstGRU(GatedCell):
    """Gated recurrent unit, with the reset gate applied before the recurrent product.

    Cho et al. 2014 (arXiv 1406.1078, eq. 5 to 8). TensorFlow 1's ``GRUCell`` and Keras's ``GRU(reset_after=False)``
    compute it. A :class:`GRU` needs one product for all three gates, this cell two, one after the other.

    Equations::

        r = sigmoid(Wx_r @ x + Wh_r @ h + b_r)
        z = sigmoid(Wx_z @ x + Wh_z @ h + b_z)
        n = tanh(Wx_n @ x + Wh_n @ (r * h) + b_n)
        h = (1 - z) * n + z * h
        y = h

    ======  =======================================================
    gates   ``r z n``; Keras has ``z r h``, TensorFlow 1 ``r u c``
    w_x     (3H, D)
    w_h     (3H, H); the last block reads r * h, the others h
    b       (3H,)
    state   ``ResetFirstGRUState(h)``
    ======  =======================================================
    """

    GATES: ClassVar[tuple[str, ...]] = ("r", "z", "n")
    w_x: InputWeights
    w_h: RecurrentWeights
    b: GateBias

    def __init__(
        self,
        inputs: Whole,
        hidden: Whole,
        *,
        input_init: str | initializers.MatrixInit = "glorot",
        recurrent_init: str | initializers.MatrixInit = "orthogonal",
        bias_init: str | initializers.BiasInit = "zeros",
        key: KeyLike,
    ):
        """Draw random weights for D ``inputs`` and H ``hidden`` units; initializers by name or as functions."""
        inits = (input_init, recurrent_init, bias_init)
        self.w_x, self.w_h, self.b = initializers.gated_weights(inputs, hidden, self.GATES, inits, key)

    @property
    def slopes(self) -> tuple[float, float, float]:
        """Return the largest slopes of two sigmoids and a tanh."""
        return 0.25, 0.25, 1.0

    def initial_state(self) -> ResetFirstGRUState:
        """Return zeros."""
        return ResetFirstGRUState(jnp.zeros(self.hidden, self.w_h.dtype))

    def gates(self, state: ResetFirstGRUState, gx: GateBias) -> tuple[Hidden, Hidden, Hidden]:
        """Return r, z and n, which reads as much of h as r lets through."""
        from_h, from_reset = self.w_h[: 2 * self.hidden], self.w_h[2 * self.hidden :]
        xr, xz, xn = jnp.split(gx, 3)
        hr, hz = jnp.split(from_h @ state.h, 2)
        r = sigmoid(xr + hr)
        return r, sigmoid(xz + hz), jnp.tanh(xn + from_reset @ (r * state.h))

    def step(self, state: ResetFirstGRUState, gx: GateBias) -> tuple[ResetFirstGRUState, Hidden]:
        """Keep the old state as far as z is 1, take the candidate n as far as z is 0; h is the output."""
        _, z, n = self.gates(state, gx)
        h = (1 - z) * n + z * state.h
        return ResetFirstGRUState(h), h
