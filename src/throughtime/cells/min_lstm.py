"""The minimal long short-term memory."""

from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax.nn import sigmoid

from throughtime._types import Array, GateBias, Hidden, InputWeights, KeyLike, Whole
from throughtime.cells import initializers
from throughtime.cells.linear import LinearCell


class MinLSTMState(NamedTuple):
    """The state of a MinLSTM: h (H,), its last output."""

    h: Hidden


class MinLSTM(LinearCell):
    """Minimal LSTM: gates that do not see the state, and sum to 1 (Feng et al. 2024, arXiv 2410.01201, § 3.2).

    Equations::

        f = sigmoid(Wx_f @ x + b_f)
        i = sigmoid(Wx_i @ x + b_i)
        n = Wx_n @ x + b_n
        h = f / (f + i) * h + i / (f + i) * n
        y = h

    ======  ==========================================================
    gates   ``f i n``, n being the paper's h with a tilde
    w_x     (3H, D)
    w_h     none: h enters by itself, so a parallel scan computes it
    b       (3H,); starts at zero
    state   ``MinLSTMState(h)``
    ======  ==========================================================

    ``step(state, gx)`` is ``h = a * h + c``, with ``a, c = coefficients(gx)`` and ``gx = project(x)``.
    """

    GATES: ClassVar[tuple[str, ...]] = ("f", "i", "n")
    w_x: InputWeights
    b: GateBias

    def __init__(
        self,
        inputs: Whole,
        hidden: Whole,
        *,
        input_init: str | initializers.MatrixInit = "glorot",
        bias_init: str | initializers.BiasInit = "zeros",
        key: KeyLike,
    ):
        """Draw random weights for D ``inputs`` and H ``hidden`` units; initializers by name or as functions."""
        self.w_x, self.b = initializers.input_weights(inputs, hidden, self.GATES, (input_init, bias_init), key)

    @property
    def slopes(self) -> tuple[float, float, float]:
        """Return the largest slopes of two sigmoids and of the identity."""
        return 0.25, 0.25, 1.0

    def initial_state(self) -> MinLSTMState:
        """Return zeros."""
        return MinLSTMState(jnp.zeros(self.hidden, self.w_x.dtype))

    def gates(self, state: MinLSTMState, gx: GateBias) -> tuple[Hidden, Hidden, Hidden]:
        """Return f, i and n, before f and i are divided by their sum."""
        f, i, n = jnp.split(gx, 3)
        return sigmoid(f), sigmoid(i), n

    def coefficients(self, gx: Array) -> tuple[Array, Array]:
        """Return ``a = f / (f + i)`` and ``c = i / (f + i) n``."""
        f, i, n = jnp.split(gx, 3, axis=-1)
        # f / (f + i) is 1/i over 1/i + 1/f. Both are scaled down by one factor, so that neither overflows if the gates
        # are shut. 1 - kept rounds shares below 6e-8 to zero: too little of n to change h in single precision.
        most = jax.lax.stop_gradient(jnp.maximum(0, jnp.maximum(-f, -i)))
        one = jnp.exp(-most)
        by_i = one + jnp.exp(-i - most)
        kept = by_i / (by_i + one + jnp.exp(-f - most))
        return kept, (1 - kept) * n

    def state_to_array(self, state: MinLSTMState) -> Array:
        """Return h."""
        return state.h

    def array_to_state(self, s: Array) -> MinLSTMState:
        """Return the state of this h."""
        return MinLSTMState(s)

    def output(self, s: Array, gx: Array) -> Array:
        """Return h."""
        return s
