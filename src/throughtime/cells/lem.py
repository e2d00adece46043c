"""The long expressive memory."""

from typing import ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jax.nn import sigmoid

from throughtime._arguments import real_number
from throughtime._types import GateBias, Hidden, InputWeights, KeyLike, Real, RecurrentWeights, Whole
from throughtime.cells import initializers
from throughtime.cells.base import GatedCell


class LEMState(NamedTuple):
    """The state of a LEM: h (H,), its last output, the paper's y, and z (H,), the memory behind it."""

    h: Hidden
    z: Hidden


class LEM(GatedCell):
    """Long expressive memory: two states on time scales that are learned (Rusch et al. 2022, arXiv 2110.04744, eq. 3).

    Equations::

        s = dt * sigmoid(Wx_s @ x + Wh_s @ h + b_s)
        t = dt * sigmoid(Wx_t @ x + Wh_t @ h + b_t)
        z = (1 - s) * z + s * tanh(Wx_z @ x + Wh_z @ h + b_z)
        h = (1 - t) * h + t * tanh(Wx_h @ x + Wh_h @ z + b_h)
        y = h

    ======  ========================================================================
    gates   ``s t z h``: the time steps of z and h, and their candidates
    w_x     (4H, D)
    w_h     (4H, H); the last block reads the new z, the others h
    b       (4H,); starts uniform, as the matrices do
    dt      the largest time step, 1 by default
    state   ``LEMState(h, z)``; h is the paper's y
    ======  ========================================================================
    """

    GATES: ClassVar[tuple[str, ...]] = ("s", "t", "z", "h")
    w_x: InputWeights
    w_h: RecurrentWeights
    b: GateBias
    dt: float = eqx.field(static=True)

    def __init__(
        self,
        inputs: Whole,
        hidden: Whole,
        *,
        dt: Real = 1.0,
        input_init: str | initializers.MatrixInit = "uniform",
        recurrent_init: str | initializers.MatrixInit = "uniform",
        bias_init: str | initializers.BiasInit = "uniform",
        key: KeyLike,
    ):
        """Draw random weights for D ``inputs`` and H ``hidden`` units, uniform within 1/sqrt(H) as the authors do."""
        inits = (input_init, recurrent_init, bias_init)
        self.w_x, self.w_h, self.b = initializers.gated_weights(inputs, hidden, self.GATES, inits, key)
        self.dt = real_number("dt", dt)

    @property
    def slopes(self) -> tuple[float, float, float, float]:
        """Return the largest slopes of two sigmoids times dt, and of two tanh."""
        return 0.25 * self.dt, 0.25 * self.dt, 1.0, 1.0

    def initial_state(self) -> LEMState:
        """Return zeros."""
        zeros = jnp.zeros(self.hidden, self.w_h.dtype)
        return LEMState(zeros, zeros)

    def gates(self, state: LEMState, gx: GateBias) -> tuple[Hidden, Hidden, Hidden, Hidden]:
        """Return s, t and the candidates of z and h; that of h reads the z of the same step."""
        from_h, from_z = self.w_h[: 3 * self.hidden], self.w_h[3 * self.hidden :]
        xs, xt, xz, xh = jnp.split(gx, 4)
        hs, ht, hz = jnp.split(from_h @ state.h, 3)
        s, t, candidate = self.dt * sigmoid(xs + hs), self.dt * sigmoid(xt + ht), jnp.tanh(xz + hz)
        z = (1 - s) * state.z + s * candidate
        return s, t, candidate, jnp.tanh(xh + from_z @ z)

    def step(self, state: LEMState, gx: GateBias) -> tuple[LEMState, Hidden]:
        """Return the state after a time step, and its h as the output."""
        s, t, for_z, for_h = self.gates(state, gx)
        h = (1 - t) * state.h + t * for_h
        return LEMState(h, (1 - s) * state.z + s * for_z), h
