"""The minimal gated recurrent unit."""

from typing import ClassVar, NamedTuple

import jax.numpy as jnp
from jax.nn import sigmoid

from throughtime._types import Array, GateBias, Hidden, InputWeights, KeyLike, Whole
from throughtime.cells import initializers
from throughtime.cells.linear import LinearCell


class MinGRUState(NamedTuple):
    """The state of a MinGRU: h (H,), its last output."""

    h: Hidden


class MinGRU(LinearCell):
    """Minimal gated recurrent unit: a GRU whose gates do not see its state (Feng et al. 2024, arXiv 2410.01201, § 3.1).

    Equations::

        u = sigmoid(Wx_u @ x + b_u)
        n = Wx_n @ x + b_n
        h = (1 - u) * h + u * n
        y = h

    ======  =========================================================================
    gates   ``u n``; u is the paper's z: at 1 it takes the new candidate, while z of
            this library's GRU keeps the old state
    w_x     (2H, D)
    w_h     none: h enters by itself, so a parallel scan computes it
    b       (2H,); starts at zero
    state   ``MinGRUState(h)``
    ======  =========================================================================

    ``step(state, gx)`` is ``h = a * h + c``, with ``a, c = coefficients(gx)`` and ``gx = project(x)``.

    This is the paper's plain form. Its other form, in logarithms, keeps h positive.
    """

    GATES: ClassVar[tuple[str, ...]] = ("u", "n")
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
    def slopes(self) -> tuple[float, float]:
        """Return the largest slopes of a sigmoid and of the identity."""
        return 0.25, 1.0

    def initial_state(self) -> MinGRUState:
        """Return zeros."""
        return MinGRUState(jnp.zeros(self.hidden, self.w_x.dtype))

    def gates(self, state: MinGRUState, gx: GateBias) -> tuple[Hidden, Hidden]:
        """Return u and n."""
        u, n = jnp.split(gx, 2)
        return sigmoid(u), n

    def coefficients(self, gx: Array) -> tuple[Array, Array]:
        """Return ``a = 1 - u`` and ``c = u n``."""
        u, n = jnp.split(gx, 2, axis=-1)
        return sigmoid(-u), sigmoid(u) * n  # 1 - sigmoid(u) is sigmoid(-u), without the rounding

    def state_to_array(self, state: MinGRUState) -> Array:
        """Return h."""
        return state.h

    def array_to_state(self, s: Array) -> MinGRUState:
        """Return the state of this h."""
        return MinGRUState(s)

    def output(self, s: Array, gx: Array) -> Array:
        """Return h."""
        return s
