"""The gated recurrent unit."""

from typing import ClassVar, NamedTuple

import jax.numpy as jnp
from jax.nn import sigmoid

from throughtime._types import GateBias, Hidden, InputWeights, KeyLike, RecurrentWeights, Whole
from throughtime.cells import initializers
from throughtime.cells.base import MatrixCell


class GRUState(NamedTuple):
    """The state of a GRU: h (H,), its last output."""

    h: Hidden


class GRU(MatrixCell):
    """Gated recurrent unit, with the reset gate applied after the recurrent product.

    Cho et al. 2014 (arXiv 1406.1078); their published version resets h before the product W_hn h, and in some texts
    1 - z keeps the old state. PyTorch, cuDNN and Keras (``reset_after=True``) compute the variant below, in which one
    product serves all three gates.

    Equations::

        r = sigmoid(Wx_r @ x + Wh_r @ h + b_r)
        z = sigmoid(Wx_z @ x + Wh_z @ h + b_z)
        n = tanh(Wx_n @ x + b_n + r * (Wh_n @ h + b_h))
        h = (1 - z) * n + z * h
        y = h

    ======  =======================================================
    gates   ``r z n``, as PyTorch and cuDNN; Keras has ``z r n``
    w_x     (3H, D)
    w_h     (3H, H)
    b       (3H,); of r and z PyTorch's pair is its sum here
    b_h     (H,), n's bias inside the reset; starts at zero
    state   ``GRUState(h)``
    ======  =======================================================

    ``step(state, gx) = update(state, activate(gx, w_h @ h))``, with ``gx = project(x)``.
    """

    GATES: ClassVar[tuple[str, ...]] = ("r", "z", "n")
    w_x: InputWeights
    w_h: RecurrentWeights
    b: GateBias
    b_h: Hidden

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
        self.b_h = jnp.zeros(hidden, self.w_h.dtype)

    def initial_state(self) -> GRUState:
        """Return zeros."""
        return GRUState(jnp.zeros(self.hidden, self.w_h.dtype))

    @property
    def slopes(self) -> tuple[float, float, float]:
        """Return the largest slopes of two sigmoids and a tanh."""
        return 0.25, 0.25, 1.0

    def activate(self, gx: GateBias, gh: GateBias) -> tuple[Hidden, Hidden, Hidden]:
        """Return r, z and n."""
        (xr, xz, xn), (hr, hz, hn) = jnp.split(gx, 3), jnp.split(gh, 3)
        r = sigmoid(xr + hr)
        return r, sigmoid(xz + hz), jnp.tanh(xn + r * (hn + self.b_h))

    def update(self, state: GRUState, gates: tuple[Hidden, ...]) -> GRUState:
        """Keep the old state as far as z is 1, take the candidate n as far as z is 0."""
        _, z, n = gates
        return GRUState((1 - z) * n + z * state.h)
