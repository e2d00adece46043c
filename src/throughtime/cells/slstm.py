"""The LSTM with exponential gates and a normalizer."""

from typing import ClassVar, NamedTuple

import jax.numpy as jnp
from jax.nn import log_sigmoid, sigmoid

from throughtime._types import GateBias, Hidden, InputWeights, KeyLike, RecurrentWeights, Whole
from throughtime.cells import initializers
from throughtime.cells.base import MatrixCell


class SLSTMState(NamedTuple):
    """The state of an sLSTM, (H,) each.

    h is the last output, c the memory and n its normalizer; m is the logarithm of the scale of c and n.
    """

    h: Hidden
    c: Hidden
    n: Hidden
    m: Hidden


class SLSTM(MatrixCell):
    """sLSTM: an LSTM that can revise what it stored (Beck et al. 2024, "xLSTM", arXiv 2405.04517, eq. 8-17).

    Equations::

        li = Wx_i @ x + Wh_i @ h + b_i
        lf = logsigmoid(Wx_f @ x + Wh_f @ h + b_f)
        z = tanh(Wx_z @ x + Wh_z @ h + b_z)
        o = sigmoid(Wx_o @ x + Wh_o @ h + b_o)
        top = where(n > 0, maximum(lf + m, li), li)
        f = where(n > 0, exp(lf + m - top), 0)
        i = exp(li - top)
        c = f * c + i * z
        n = f * n + i
        m = top
        h = o * c / n
        y = h

    ======  ==================================================================
    gates   ``i f z o``; :meth:`gates` gives i and f as logarithms, li and lf
    w_x     (4H, D)
    w_h     (4H, H), one head: the paper's blocks are one block here
    b       (4H,); the bias of f starts at 1
    state   ``SLSTMState(h, c, n, m)``; c and n are multiples of exp(m)
    ======  ==================================================================

    ``step(state, gx) = update(state, activate(gx, w_h @ h))``, with ``gx = project(x)``.

    Implementations differ for a small normalizer n; some take max(n, 1). Here the first step sets the scale m to its
    own li, so that n starts at 1. From then on either i or f is 1, so n never falls below 1: h = o c / n as in the
    paper, and max(n, 1) would change nothing. The forget gate is a sigmoid, the input gate an exponential.
    """

    GATES: ClassVar[tuple[str, ...]] = ("i", "f", "z", "o")
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
        bias_init: str | initializers.BiasInit = "forget",
        key: KeyLike,
    ):
        """Draw random weights for D ``inputs`` and H ``hidden`` units; initializers by name or as functions."""
        inits = (input_init, recurrent_init, bias_init)
        self.w_x, self.w_h, self.b = initializers.gated_weights(inputs, hidden, self.GATES, inits, key)

    @property
    def slopes(self) -> tuple[float, float, float, float]:
        """Return the largest slopes of li, lf, z and o."""
        return 1.0, 1.0, 1.0, 0.25

    def initial_state(self) -> SLSTMState:
        """Return zeros; a normalizer of zero marks that nothing is stored yet."""
        zeros = jnp.zeros(self.hidden, self.w_h.dtype)
        return SLSTMState(zeros, zeros, zeros, zeros)

    def activate(self, gx: GateBias, gh: GateBias) -> tuple[Hidden, Hidden, Hidden, Hidden]:
        """Return li, lf, z and o."""
        i, f, z, o = jnp.split(gx + gh, 4)
        return i, log_sigmoid(f), jnp.tanh(z), sigmoid(o)

    def update(self, state: SLSTMState, gates: tuple[Hidden, ...]) -> SLSTMState:
        """Update memory and normalizer on a common scale, which keeps both from overflowing."""
        li, lf, z, o = gates
        used = state.n > 0
        top = jnp.where(used, jnp.maximum(lf + state.m, li), li)
        f = jnp.where(used, jnp.exp(jnp.where(used, lf + state.m - top, 0)), 0)
        i = jnp.exp(li - top)
        c, n = f * state.c + i * z, f * state.n + i
        return SLSTMState(o * c / n, c, n, top)
