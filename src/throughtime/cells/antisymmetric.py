"""The antisymmetric recurrent network."""

from typing import ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp

from throughtime._arguments import real_number
from throughtime._types import GateBias, Hidden, InputWeights, KeyLike, Real, RecurrentWeights, Whole
from throughtime.cells import initializers
from throughtime.cells.base import GatedCell


class AntisymmetricState(NamedTuple):
    """The state of an antisymmetric cell: h (H,), its last output."""

    h: Hidden


class Antisymmetric(GatedCell):
    """Antisymmetric RNN: a stable differential equation, stepped (Chang et al. 2019, arXiv 1902.09689, eq. 9).

    Equations::

        W = Wh_a - Wh_a.T
        a = tanh(W @ h - diffusion * h + Wx_a @ x + b_a)
        h = h + step_size * a
        y = h

    =========  ===================================================================
    gates      ``a``, the direction in which h moves
    w_x        (H, D)
    w_h        (H, H), of which only the antisymmetric part acts
    b          (H,); starts at zero
    step_size  the paper's epsilon
    diffusion  the paper's gamma, which keeps the steps stable
    state      ``AntisymmetricState(h)``
    =========  ===================================================================

    The eigenvalues of W are imaginary, so that h neither fades nor explodes as long as the steps are small.
    """

    GATES: ClassVar[tuple[str, ...]] = ("a",)
    w_x: InputWeights
    w_h: RecurrentWeights
    b: GateBias
    step_size: float = eqx.field(static=True)
    diffusion: float = eqx.field(static=True)

    def __init__(
        self,
        inputs: Whole,
        hidden: Whole,
        *,
        step_size: Real = 0.1,
        diffusion: Real = 0.01,
        input_init: str | initializers.MatrixInit = "glorot",
        recurrent_init: str | initializers.MatrixInit = "uniform",
        key: KeyLike,
    ):
        """Draw random weights for D ``inputs`` and H ``hidden`` units; initializers by name or as functions."""
        inits = (input_init, recurrent_init, "zeros")
        self.w_x, self.w_h, self.b = initializers.gated_weights(inputs, hidden, self.GATES, inits, key)
        self.step_size, self.diffusion = real_number("step_size", step_size), real_number("diffusion", diffusion)

    @property
    def slopes(self) -> tuple[float]:
        """Return the largest slope of tanh."""
        return (1.0,)

    def initial_state(self) -> AntisymmetricState:
        """Return zeros."""
        return AntisymmetricState(jnp.zeros(self.hidden, self.w_h.dtype))

    def gates(self, state: AntisymmetricState, gx: GateBias) -> tuple[Hidden]:
        """Return a, the direction in which h moves."""
        turned = self.w_h @ state.h - state.h @ self.w_h  # (W - W^T) h, without a matrix for it
        return (jnp.tanh(gx + turned - self.diffusion * state.h),)

    def step(self, state: AntisymmetricState, gx: GateBias) -> tuple[AntisymmetricState, Hidden]:
        """Return the state after a time step, and its h as the output."""
        (a,) = self.gates(state, gx)
        h = state.h + self.step_size * a
        return AntisymmetricState(h), h
